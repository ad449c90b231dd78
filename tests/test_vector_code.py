"""Every row loop is vector code, for each instruction set.

Compilers lose it silently: so each function's assembly is looked through for arithmetic on whole
registers. It is that of the modules themselves where their build has left it: CYPOOL_ASSEMBLY names
the folder, and GCC does so with ``CFLAGS="-save-temps -dumpdir $CYPOOL_ASSEMBLY/"``. For
instruction sets that are not there the headers with the loops are compiled with the flags of
setup.py, which takes minutes.
"""

from __future__ import annotations

import ast
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "cypool" / "_cpu" / "include"
LOOPS = [INCLUDE / f"cypool_{name}.h" for name in (
    "rows", "taps", "windows", "planes", "images", "firsts", "locate", "sums", "running",
    "gather", "lanes", "ranks", "halves", "turn")]
MODULES = ("_floats", "_integers", "_shorts", "_kernels")
# What windows are made of in one pass: 10 types with a maximum and a minimum, 2 with a NaN, 4 with
# a sum, 1 with squares, 1 of keys with a maximum and a minimum. Sums in wider types come on top: of
# halves of two kinds, and of integers of 8 and 16 bits.
ONE_PASS = 2 * 10 + 2 * 2 + 4 + 1 + 2
WIDER = 2 + 4
WIDTHS = {"16": "xmm", "32": "ymm", "64": "zmm"}
REGISTERS = {"baseline": "xmm", "avx2": "ymm", "avx512": "zmm"}
# Arithmetic and selection on vectors: packed floating point, packed integers, masks.
PACKED = re.compile(
    r"\tv?(?:(?:add|sub|mul|div|min|max|cmp\w*|unpck[lh]|shuf|perm\w*|blendv?|and|andn|or)p[sd]"
    r"|p(?:add|sub|min|max|cmp\w+|and|andn|or|blend\w*|unpck\w+|shuf\w+|perm\w*|ack\w+|broadcast\w"
    r"|mov[sz]x)"
    r"\w*|perm\w+|cvt(?:ps2pd|dq2ps|tps2dq|ph2ps|ps2ph))\t.*%")

# What is moved element by element by nature, or has no vector form to be had.
SCALAR = {
    "every instruction set": re.compile(
        r"_(?:i128|m128)$|^(?:place|pick|repeat|indices)_|^locate_[if]?u?\d+$|^locate_nan_f\d+$"
        # Calls of gain4, where that is not inlined.
        r"|^gain_"
        # Copies are made of the widest registers that are moved well, which are not the widest.
        r"|^copy_"),
    # No comparison of 64-bit integers, and pairs of two of float64 are as well taken one by one.
    "baseline": re.compile(r"^(?:join|join3|add|add2|pairs|triples)_(?:max|min)_[iu]64$"
                           r"|^triples_(?:max|min)_f64$|^has_nan_f64$"
                           r"|_run_[iu]64$|^locate_nan_run_f64$|^check_(?:all|each)64$"),
}

pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64") or shutil.which("gcc") is None,
    reason="looks at the assembly that GCC makes for x86-64")


def flags_of(level: str) -> list[str]:
    """The compiler flags of one instruction set, as setup.py has them."""
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    values: dict[str, list[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in ("FLAGS", "AVX2", "AVX512"):
                values[name] = eval(  # lists of words, made of each other
                    compile(ast.Expression(node.value), "setup.py", "eval"), dict(values))
    return values["FLAGS"] + {
        "baseline": [], "avx2": values["AVX2"], "avx512": values["AVX512"]}[level]


@pytest.fixture(scope="module")
def assemblies(tmp_path_factory) -> dict[str, str]:
    """The loops in assembly, for each instruction set: compilers run side by side."""
    if not all(header.exists() for header in LOOPS):
        pytest.skip("the library's sources are not here")
    directory = tmp_path_factory.mktemp("rows")
    left = Path(os.environ.get("CYPOOL_ASSEMBLY", directory))
    found = {level: [left / f"{module}_{level}.s" for module in MODULES] for level in REGISTERS}
    missing = {level: directory / level for level, paths in found.items()
               if not all(path.exists() for path in paths)}
    source = directory / "rows.c"
    source.write_text("".join(f'#include "{header.name}"\n' for header in LOOPS))
    compilers = {level: subprocess.Popen(
        ["gcc", *flags_of(level), "-fkeep-static-functions", "-fPIC", "-S", f"-I{INCLUDE}",
         str(source), "-o", str(path)]) for level, path in missing.items()}
    assert {level: compiler.wait() for level, compiler in compilers.items()} == (
        dict.fromkeys(missing, 0))
    found |= {level: [path] for level, path in missing.items()}
    return {level: "".join(path.read_text() for path in paths) for level, paths in found.items()}


@pytest.fixture(scope="module", params=list(REGISTERS))
def functions(request, assemblies) -> tuple[str, dict[str, str]]:
    """Instruction set, and the assembly of each function: of all copies that were made of it."""
    found: dict[str, list[str]] = {}
    name = None
    for line in assemblies[request.param].splitlines(keepends=True):
        label = re.match(r"([a-z]\w*)(?:\.(?:constprop|isra|part)\.\d+)*(\.cold)?:", line)
        if label:
            name = None if label[2] else label[1]
        elif name is not None:
            found.setdefault(name, []).append(line)
    return request.param, {name: "".join(lines) for name, lines in found.items()}


def rows_of(found: dict[str, str]) -> list[str]:
    names = [n for n in found if re.match(
        r"(?:join|join3|add|add2|pairs|triples|copy|pick|place|repeat|locate|locate_nan|widen"
        r"|gain|total|halved|spread|astray|roots|has_tiny|has_nan|check|indices)\d*_?", n)
        and not re.search(r"_(?:block|row)\d?", n)]
    return [n for n in names if re.search(r"_[iufm]\d+$|^check_(?:all|each)\d\d$", n)]


def without_vectors(
        found: dict[str, str], names: list[str], registers: str | None = None,
        but: str = "$^") -> list[str]:
    """Those with no arithmetic on whole registers: by default those that their names tell."""
    return [
        name for name in names
        if not any(PACKED.search(line) and re.search(f"%{registers or WIDTHS[name[-2:]]}", line)
                   for line in found[name].splitlines())
        and not re.search(but, name)]


def test_every_type_has_its_rows(functions):
    """Those that modules use, at least: headers make a few more."""
    _, found = functions
    # 10 types with a maximum and a minimum, 2 with a NaN, 4 with a sum.
    assert len([n for n in rows_of(found) if n.startswith("join3_")]) >= 2 * 10 + 2 * 2 + 4


def test_row_loops_are_vector_code(functions):
    level, found = functions
    names = [n for n in rows_of(found) if not SCALAR["every instruction set"].search(n)
             and not (level in SCALAR and SCALAR[level].search(n))]
    assert without_vectors(found, names, REGISTERS[level]) == []


def test_windows_in_one_pass_are_vector_code_of_their_width(functions):
    level, found = functions
    names = [n for n in found if re.match(r"windows\d\d_planes_\w+_\d\d$", n)]
    widths = list(WIDTHS).index("16" if level == "baseline" else "32" if level == "avx2" else "64")
    assert len(names) == (ONE_PASS + WIDER) * 3 * (widths + 1)
    assert without_vectors(
        found, names, but=r"_[iu]64_|_f64_" if level == "baseline" else "$^") == []


def test_windows_side_by_side_are_vector_code(functions):
    level, found = functions
    names = [n for n in found if n.startswith(("cypool_lanes_", "cypool_weights"))]
    assert len(names) == 10
    assert without_vectors(found, names, REGISTERS[level]) == []


def test_ranks_are_vector_code(functions):
    level, found = functions
    wide = r"_[iu]64$" if level == "baseline" else "$^"
    # 10 types; the medians and sorted columns of three sides; NaN of three kinds of values.
    steps = [n for n in found if re.match(r"steps_[iuf]\d+$", n)]
    compiled = [n for n in found if re.match(r"compiled_(?:SORT|MEDIAN)_\d_[iuf]\d+$", n)]
    odd = [n for n in found if re.match(r"odd_[if]\d+$", n)]
    assert (len(steps), len(compiled), len(odd)) == (10, 2 * 3 * 10, 3)
    assert without_vectors(found, steps + compiled + odd, REGISTERS[level], but=wide) == []


def test_conversions_of_halves_are_vector_code(functions):
    level, found = functions
    names = [n for n in found if re.match(r"(?:halves|shares)_row_f16$|(?:over|times)_f\d\d$", n)]
    assert len(names) == 2 + 4
    assert without_vectors(found, names, REGISTERS[level]) == []


def test_planes_are_turned_into_pixels_by_vector_code(functions):
    level, found = functions
    names = [n for n in found if re.match(r"(?:to|from)_pixels_i\d+$", n)]
    assert len(names) == 2 * 4
    assert without_vectors(found, [n for n in names if n.endswith("i32")], REGISTERS[level]) == []
    assert without_vectors(found, names, "[xyz]mm") == []


def test_rows_of_four_and_five_are_vector_code(functions):
    level, found = functions
    widths = list(WIDTHS).index("16" if level == "baseline" else "32" if level == "avx2" else "64")
    wide = r"_[iu]64" if level == "baseline" else "$^"
    # 10 types with a maximum and a minimum, 5 with a sum.
    each = [n for n in found if re.match(r"each[45]_[a-z]+_[iuf]\d+$", n)]
    assert len(each) == (2 * 10 + 5) * 2
    assert without_vectors(found, each, REGISTERS[level], but=wide) == []
    rolling = [n for n in found if re.match(r"roll[45]_[a-z]+_[iuf]\d+_\d\d$", n)]
    assert len(rolling) == (2 * 10 + 5) * 2 * (widths + 1)
    assert without_vectors(found, rolling, but=wide) == []
    # Any number of extremes.
    many = [n for n in found if re.match(r"extreme_(?:max|min)_[iuf]\d+_\d\d$", n)]
    assert len(many) == 2 * 10 * (widths + 1)
    assert without_vectors(found, many, but=wide) == []


def test_small_planes_are_vector_code(functions):
    level, found = functions
    names = [n for n in found if re.match(r"planes_[a-z]+_[iuf]\d+$", n)]
    assert len(names) == ONE_PASS
    wide = r"_[iu]64$|_f64$" if level == "baseline" else "$^"
    assert without_vectors(found, names, REGISTERS[level], but=wide) == []


def test_long_windows_are_vector_code(functions):
    level, found = functions
    names = [n for n in found if re.match(r"peaks_[a-z]+_[iuf]\d+_\d\d$", n)]
    widths = list(WIDTHS).index("16" if level == "baseline" else "32" if level == "avx2" else "64")
    assert len(names) == (2 * 10 + 2 * 2) * (widths + 1)
    wide = r"_[iu]64_|_f64_" if level == "baseline" else "$^"
    assert without_vectors(found, names, but=wide) == []


def test_running_sums_are_vector_code(functions):
    level, found = functions
    names = [n for n in found if re.match(
        r"(?:run_[if]\d\d(?:_[iu]\d+)?|slide_[if]\d\d|(?:survey|below)_f\d\d)$", n)]
    assert len(names) == 11 + 4 + 4
    assert without_vectors(found, names, REGISTERS[level]) == []


def test_pixels_are_vector_code(functions):
    level, found = functions
    names = [n for n in found if re.match(r"(?:pixels[23]|slide[23]|pixel)_[a-z]+_[iuf]\d+$", n)]
    assert len(names) == (ONE_PASS + WIDER) * 5
    wide = r"_[iu]64$|_f64$" if level == "baseline" else "$^"
    assert without_vectors(found, names, REGISTERS[level], but=wide) == []


def test_images_are_vector_code(functions):
    level, found = functions
    names = [n for n in found if re.match(
        r"(?:flats_[a-z]+|means|means_apart)_[iuf]\d+_\d\d$", n)]
    # Of the widest and the narrowest vectors there are; means of all.
    widths = {"baseline": ("16",), "avx2": ("16", "32"), "avx512": ("16", "64")}[level]
    assert len([n for n in names if n.startswith("flats")]) == (ONE_PASS + WIDER) * len(widths)
    assert len(names) == (ONE_PASS + WIDER) * len(widths) + 2 * 4 * (
        3 if level == "avx512" else len(widths))
    wide = r"_[iu]64_|_f64_" if level == "baseline" else "$^"
    assert without_vectors(found, names, but=wide) == []
    # Pixels of three or four values: 64-bit integers are compared one by one without AVX.
    names = [n for n in found if re.match(r"quads_[a-z]+_[iuf]\d+$", n)]
    assert len(names) == 2 * 6 + 2 * 2 + 4 + 1
    wide = r"_[iu]64$|_f64$" if level == "baseline" else "$^"
    assert without_vectors(found, names, "[xy]mm", but=wide) == []


def test_places_of_maxima_are_found_by_vector_code(functions):
    level, found = functions
    names = [n for n in found if re.match(r"(?:find(?:_nan)?[12]|firsts\d\d)_f\d\d_\d\d$", n)]
    widths = list(WIDTHS).index("16" if level == "baseline" else "32" if level == "avx2" else "64")
    assert len(names) == 2 * (2 * 2 + 3) * (widths + 1)
    assert without_vectors(found, names) == []
    names = [n for n in found if re.match(r"down_(?:max|min)_f\d\d_\d\d$", n)]
    assert len(names) == 2 * 2 * (widths + 1)
    assert without_vectors(found, names) == []
    names = [n for n in found if re.match(r"first_(?:pixels|row|of_rows)_f\d\d$", n)]
    assert len(names) == 2 * 3
    assert without_vectors(found, names, REGISTERS[level]) == []
    # (Of 64-bit integers no baseline compares two at once.)
    wide = r"_[iu]64$" if level == "baseline" else "$^"
    names = [n for n in found if re.match(r"(?:best_\w+|agree(?:_nan)?)_[iuf]\d+$", n)]
    assert len(names) == 2 * 10 + 4 + 10 + 2
    assert without_vectors(found, names, REGISTERS[level], but=wide) == []


def test_gradients_are_gathered_by_vector_code(functions):
    level, found = functions
    names = [n for n in found if re.match(
        r"(?:gather(?:[12]|_pixels)_f\d\d|bring(?:_pixels)?_f\d\d_\d\d|strays_u\d\d)_\d\d$", n)]
    widths = list(WIDTHS).index("16" if level == "baseline" else "32" if level == "avx2" else "64")
    assert len(names) == 2 * (3 + 2 + 2 + 1) * (widths + 1)
    wide = r"^bring(?:_pixels)?_f64_32" if level == "baseline" else "$^"
    assert without_vectors(found, names, but=wide) == []


def test_a_loop_that_is_not_vector_code_is_found(functions):
    """The check itself: 128-bit integers have no vector code, and are seen to have none."""
    level, found = functions
    text = found["join_max_i128"]
    assert not any(re.search(r"\tv?p?(?:max|min|add)\w*\t.*%" + REGISTERS[level], line)
                   for line in text.splitlines())

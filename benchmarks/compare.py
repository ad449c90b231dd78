"""cypool beside every other library that is installed, and against the speed of a plain copy.

    python benchmarks/compare.py                        # one thread
    python benchmarks/compare.py --threads 0            # all processors
    python benchmarks/compare.py --cases "sppf|photo.*avg" --seconds 10
    python benchmarks/compare.py --readme               # write the README's tables
    python benchmarks/compare.py --readme --from a.json b.json      # of runs kept by --json

Everything printed was measured in that run: for each case all libraries get the same array and the
same number of threads, take turns, and count with the best of several rounds. A library whose
result is not cypool's is reported as "differs" and does not count.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- written by benchmarks/compare.py --readme -->", "<!-- end of what it wrote -->"

OURS, INTO, COPY = "cypool", "cypool out=", "copy"
PATIENCE = 1.0          # a library that needs so many seconds for a call is not asked for more
Result = dict[str, Any]


# --- measuring ---

def measure(entry: Any, peers: list[Any], threads: int, seconds: float, rounds: int) -> Result:
    """One case, ready for JSON."""
    from cypool import _bench

    case = entry.case
    x = case.input()
    fresh, into = _bench.library(case, x)
    ours = fresh() if case.train else (fresh(),)
    moved = _bench.bytes_moved(case, ours)
    cache = _bench.cache_bytes()
    ways = {
        OURS: _bench.calling(fresh), INTO: _bench.calling(into), **_bench.copies(moved, threads)}
    differs, cannot, counted, once = {}, {}, [], {}
    for peer in peers:
        try:
            way = peer.way(case, x)
            if way is None:
                continue
            start = time.perf_counter()
            result = way()
            taken = time.perf_counter() - start
            theirs = peer.arrays(case, result)
        except Exception as error:      # each library has its own for what it does not pool
            cannot[peer.name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            continue
        found = _bench.difference(case, ours, theirs)
        del theirs, result
        if found is not None:
            differs[peer.name] = found
            continue
        if peer.counts(case):
            counted.append(peer.name)
        if taken > max(seconds, PATIENCE):
            once[peer.name] = taken
        else:
            ways[peer.name] = _bench.calling(way)
    del ours
    rest = _bench.REST if threads > 1 else 0.0
    times = _bench.fastest_limits(_bench.best_times(ways, seconds, rounds, rest))
    times |= once
    fastest = min(counted, key=times.__getitem__, default=None)
    return {
        "group": entry.group.name, "name": case.name, "shape": list(case.shape),
        "window": case.window, "layout": case.layout, "dtype": case.dtype,
        "direction": "train" if case.train else "forward", "shown": entry.shown,
        "bytes": moved, "beyond_caches": None if cache is None else moved > cache,
        "seconds": times, "counted": counted, "once": list(once),
        "differs": differs, "cannot": cannot, "fastest": fastest,
        "ratio": None if fastest is None else times[fastest] / times[OURS],
        "of_copy": times[COPY] / times[OURS], "of_copy_out": times[COPY] / times[INTO]}


def installed(threads: int) -> tuple[list[Any], list[str]]:
    """The peers to be had here, and what to say of the others."""
    import peers

    found, missing = [], []
    for kind in peers.PEERS:
        try:
            found.append(kind(threads))
        except ImportError as error:
            missing.append(f"skipped: {kind.name} ({error})".splitlines()[0])
    return found, missing


# --- figures of many cases ---

def geometric_mean(values: Iterable[float]) -> float | None:
    logs = [math.log(v) for v in values]
    return math.exp(sum(logs) / len(logs)) if logs else None


def least(values: Iterable[float]) -> float | None:
    return min(values, default=None)


def ratios(results: list[Result], peer: str) -> list[float]:
    return [r["seconds"][peer] / r["seconds"][OURS] for r in results if peer in r["seconds"]]


def known(results: list[Result], key: str) -> list[float]:
    return [r[key] for r in results if r[key] is not None]


def bytes_per_second(result: Result) -> float:
    return result["bytes"] / result["seconds"][OURS]


def of_float32(result: Result, results: list[Result]) -> float | None:
    """Bytes per second relative to the same case in float32."""
    same = ("group", "name", "shape", "window", "layout")
    for other in results:
        if other["dtype"] == "float32" and all(other[key] == result[key] for key in same):
            return bytes_per_second(result) / bytes_per_second(other)
    return None


def growth(results: list[Result]) -> Iterator[str]:
    """How the time grows with a square window, where one array was pooled with several."""
    sets: dict[Any, list[tuple[int, float]]] = {}
    for r in results:
        found = re.fullmatch(r"(\w+) (\d+)/1 p(\d+)", r["window"])
        if found and int(found[2]) == 2 * int(found[3]) + 1:
            key = (found[1], tuple(r["shape"]), r["layout"])
            sets.setdefault(key, []).append((int(found[2]), r["seconds"][OURS]))
    for (op, shape, _), times in sets.items():
        (small, quick), (large, slow) = min(times), max(times)
        if small < large:
            yield (f"{op} on {'x'.join(map(str, shape))}: {number(slow / quick)} times the time "
                   f"for {large} taps a side as for {small}")


# --- tables ---

def number(value: float | None) -> str:
    """A ratio in as many digits as count."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def peer_cell(result: Result, peer: str) -> str:
    if peer in result["differs"]:
        return "differs"
    if peer not in result["seconds"]:
        return "-"
    ratio = number(result["seconds"][peer] / result["seconds"][OURS])
    if peer in result["once"]:
        ratio = f"~{ratio}"
    return ratio if peer in result["counted"] else f"({ratio})"


def where(result: Result) -> str:
    return {None: "?", True: "memory", False: "cache"}[result["beyond_caches"]]


Column = tuple[str, bool, Callable[[Result], str]]      # heading, to the left, cell


def columns(group: str, names: list[str], results: list[Result]) -> list[Column]:
    from cypool._bench import in_bytes, milliseconds

    def ms(key: str) -> Callable[[Result], str]:
        return lambda r: milliseconds(r["seconds"][key])

    found: list[Column] = [
        ("case", True, lambda r: r["name"]),
        ("array", True, lambda r: "x".join(map(str, r["shape"]))),
        ("window", True, lambda r: r["window"] + " last" * (
            r["layout"] == "channels_last" and group != "channels-last"))]
    if group == "dtypes":
        found.append(("dtype", True, lambda r: r["dtype"]))
    found += [
        ("bytes", False, lambda r: in_bytes(r["bytes"])),
        ("in", True, where),
        ("copy ms", False, ms(COPY)), ("cypool ms", False, ms(OURS)), ("out= ms", False, ms(INTO)),
        ("of copy", False, lambda r: number(r["of_copy"])),
        ("out=", False, lambda r: number(r["of_copy_out"]))]
    if group == "dtypes":
        found.append(("of f32", False, lambda r: number(of_float32(r, results))))
    found += [
        (name, False, lambda r, name=name: peer_cell(r, name))  # type: ignore[misc]
        for name in names]
    found += [
        ("fastest", True, lambda r: r["fastest"] or "-"),
        ("ratio", False, lambda r: number(r["ratio"]))]
    return found


def group_table(group: str, results: list[Result], names: list[str]) -> list[str]:
    names = [n for n in names if any(n in r["seconds"] or n in r["differs"] for r in results)]
    shape = columns(group, names, results)
    rows = [[cell(r) for _, _, cell in shape] for r in results]
    for title, summary in (("geometric mean", geometric_mean), ("least", least)):
        summed = {
            "of copy": summary(known(results, "of_copy")),
            "out=": summary(known(results, "of_copy_out")),
            "ratio": summary(known(results, "ratio")),
            **{name: summary(ratios(results, name)) for name in names}}
        if group == "dtypes":
            summed["of f32"] = summary(
                v for r in results if r["dtype"] != "float32"
                for v in [of_float32(r, results)] if v is not None)
        rows.append([title] + [
            number(summed[head]) if head in summed else "" for head, *_ in shape[1:]])
    return aligned([head for head, *_ in shape], rows, [left for _, left, _ in shape])


def aligned(heads: list[str], rows: list[list[str]], left: list[bool]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return [
        "  ".join(f"{cell:<{w}}" if to_left else f"{cell:>{w}}"
                  for cell, w, to_left in zip(row, widths, left, strict=True)).rstrip()
        for row in [heads, *rows]]


SUMMARY_HEADS = [
    "group", "in", "cases", "to the fastest", "least", "to torch", "least", "of copy", "least",
    "out=", "least"]


def summary_rows(titles: dict[str, str], results: list[Result]) -> list[list[str]]:
    """Geometric means and least values of every group, within and beyond the caches."""
    rows = []
    for group in titles:
        for place in ("cache", "memory", "?"):
            part = [r for r in results if r["group"] == group and where(r) == place]
            if not part:
                continue
            torch = [t for r in part for t in [torch_ratio(r)] if t is not None]
            figures = (
                known(part, "ratio"), torch, known(part, "of_copy"), known(part, "of_copy_out"))
            rows.append([group, place, str(len(part)), *(
                number(summary(values)) for values in figures
                for summary in (geometric_mean, least))])
    return rows


def torch_ratio(result: Result) -> float | None:
    """To PyTorch in the case's memory format; the faster of the two where both count."""
    times = [result["seconds"][n] for n in result["counted"] if n.startswith("torch")]
    return min(times) / result["seconds"][OURS] if times else None


LEGEND = """\
bytes: inputs, read once, and results, written once. in: whether the last-level cache holds them.
copy: a plain copy that moves as many bytes, in memory as warm. cypool: with a fresh result, as its
peers; out=: into one that is used again. of copy: fraction of the copy limit reached by either.
Peers: their time over cypool's; in brackets on another memory layout, which does not count; ~: of
one call alone; "-": cannot; "differs": another result. ratio: to the fastest that counts."""


# --- the README ---

def markdown(heads: list[str], rows: list[list[str]], left: list[bool]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('---' if to_left else '---:' for to_left in left)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


# Libraries whose columns fit on a page; all of them count among the fastest.
SHOWN = ("torch", "torch last", "onnxruntime", "openvino", "opencv", "tensorflow", "jax")


def gain_of_threads(one: list[Result], more: list[Result]) -> str:
    """How much faster than the first run the second is beyond the caches, and the copy's gain."""
    def of(results: list[Result]) -> dict[tuple[str, ...], dict[str, float]]:
        keys = ("name", "shape", "window", "layout", "dtype")
        return {tuple(str(r[key]) for key in keys): r["seconds"] for r in results
                if r["beyond_caches"] and r["direction"] == "forward"}

    before, after = of(one), of(more)
    both = before.keys() & after.keys()
    mine, copy = (
        number(geometric_mean(before[case][way] / after[case][way] for case in both))
        for way in (OURS, COPY))
    return (f"In {len(both)} forward cases beyond the caches the threads of the second run make "
            f"cypool {mine} times as fast as those of the first one, and the copy {copy} times.")


def readme_section(titles: dict[str, str], runs: list[tuple[list[str], list[Result]]]) -> str:
    """Tables: every group of every run in figures, and the first one's best-known cases in
    milliseconds.
    """
    from cypool._bench import milliseconds

    results = runs[0][1]
    shown = [r for r in results if r["shown"] and r["dtype"] == "float32"
             and r["group"] in ("channels-first", "channels-last", "train", "large-windows")]
    names = [n for n in SHOWN if any(n in r["counted"] for r in shown)]

    def cell(r: Result, name: str) -> str:
        if name != OURS and name not in r["counted"]:
            return ""
        text = milliseconds(r["seconds"][name])
        quickest = min([OURS, *r["counted"]], key=r["seconds"].__getitem__)
        return f"**{text}**" if name == quickest else text

    def summary(results: list[Result]) -> Iterator[str]:
        return markdown(
            ["group", "data in", "cases", "to the fastest", "least", "to PyTorch",
             "of the copy limit", "with `out=`"],
            [[titles[row[0]], {"cache": "caches", "memory": "memory"}.get(row[1], row[1]),
              row[2], row[3], row[4], row[5], row[7], row[9]]
             for row in summary_rows(titles, results)], [True, True] + [False] * 6)

    rows = [[r["name"], "x".join(map(str, r["shape"])), ", ".join(
                [r["window"], *["channels last"] * (r["layout"] == "channels_last"),
                 *["training step"] * (r["direction"] == "train")]),
             *(cell(r, name) for name in [OURS, *names])] for r in shown]
    lines = [
        "Times of other libraries over cypool's, and the fraction of the copy limit that it "
        "reaches; geometric means, and the least."]
    for head, part in runs:
        lines += ["", *head, "", *summary(part)]
    if len(runs) == 2:
        lines += ["", gain_of_threads(runs[0][1], runs[1][1])]
    lines += [
        "", "Milliseconds of some of the cases" + " of the first of these runs" * (len(runs) > 1)
        + ", the fastest in bold. Windows: operator, kernel/stride, p and the padding. The fastest "
        "above counts SciPy, scikit-image and NumPy's own ways as well.", "",
        *markdown(["case", "array", "window", "cypool", *names], rows,
                  [True] * 3 + [False] * (1 + len(names)))]
    return "\n".join(lines)


def write_readme(section: str) -> None:
    text = README.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{README}: the lines {BEGIN} and {END} must be in it, in this order")
    README.write_text(f"{before}{BEGIN}\n{section}\n{END}{after}", encoding="utf-8")


# --- the picture ---

def draw(results: list[Result], titles: dict[str, str], head: list[str], path: Path) -> None:
    """Every case against the copy limit: what cypool and the fastest other library reach of it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.subplots()
    axes.axhline(1, color="black", linewidth=1)
    axes.annotate("a copy of as many bytes", (1, 1), (-4, 4), xycoords=("axes fraction", "data"),
                  textcoords="offset points", ha="right")
    for number, (group, title) in enumerate(titles.items()):
        part = [r for r in results if r["group"] == group]
        colour = f"C{number}"
        for r in part:
            rate = r["of_copy"]
            if r["counted"]:
                other = r["seconds"][COPY] / min(r["seconds"][name] for name in r["counted"])
                axes.plot([r["bytes"]] * 2, [other, rate], color=colour, linewidth=0.5, alpha=0.6)
                axes.plot(r["bytes"], other, "_", color=colour, alpha=0.6)
        axes.plot([r["bytes"] for r in part],
                  [r["of_copy"] for r in part], "o", markersize=4,
                  color=colour, label=title)
    axes.set(xscale="log", yscale="log", xlabel="bytes: inputs read once, results written once",
             ylabel="fraction of the copy limit",
             title="cypool (dots) and the fastest other library (dashes)")
    axes.legend(fontsize="small")
    figure.supxlabel("\n".join(head), fontsize=6)      # below the axes, which make room for it
    figure.savefig(path, dpi=120)


# --- the program ---

def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Measure cypool beside every other library that is installed, and against a "
        "plain copy of as many bytes.")
    parser.add_argument(
        "--threads", type=int, default=1, metavar="N",
        help="for every library; 0: all processors (default: %(default)s)")
    parser.add_argument(
        "--cases", default="", metavar="PATTERN",
        help="only cases whose line (group, name, array, window, layout, dtype) this regular "
        "expression is found in")
    parser.add_argument(
        "--peers", default="", metavar="PATTERN",
        help="only libraries whose name this regular expression is found in")
    parser.add_argument(
        "--seconds", type=float, default=2.0, metavar="S",
        help="measure each case for about so long, all libraries together (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N",
        help="how many turns each library gets (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to it as well")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE",
        help="draw all cases against the copy limit (PNG; needs matplotlib)")
    parser.add_argument(
        "--readme", action="store_true", help="write tables of the whole run into README.md")
    parser.add_argument(
        "--from", dest="kept", nargs="+", type=Path, default=[], metavar="FILE",
        help="measure nothing: for --readme and --plot take runs kept by --json")
    parser.add_argument(
        "--quick", action="store_true",
        help="the smallest case of each group, hardly measured: to see that all of it works")
    parser.add_argument("--list", action="store_true", help="print the cases and measure nothing")
    given = parser.parse_args(argv)
    if given.threads < 0 or given.rounds < 1 or not given.seconds > 0:
        parser.error("--threads must be at least 0, --rounds at least 1, --seconds more than 0")
    if given.kept and not (given.readme or given.plot):
        parser.error("--from is for --readme and --plot")
    if given.readme and (given.quick or given.cases or given.peers):
        parser.error("--readme wants the whole run: no --quick, --cases or --peers")
    try:
        re.compile(given.cases), re.compile(given.peers)
    except re.error as error:
        parser.error(f"--cases and --peers must be regular expressions: {error}")
    return given


def set_environment(threads: int) -> None:
    """Start again where the thread counts that libraries read at import are not in place."""
    from peers import environment

    wanted = environment(threads)
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.environ.update(wanted)
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def chosen(given: argparse.Namespace) -> tuple[list[Any], list[str]]:
    import importlib.util

    import cases

    without = () if importlib.util.find_spec("ml_dtypes") else ("bfloat16",)
    found = [
        e for e in cases.entries(without) if re.search(given.cases, e.words, re.IGNORECASE)]
    if given.quick:
        smallest: dict[str, Any] = {}
        for e in sorted(found, key=lambda e: math.prod(e.case.shape)):
            smallest.setdefault(e.group.name, e)
        found = [e for e in found if e in smallest.values()]
    return found, [f"skipped: {name} (ml_dtypes is not installed)" for name in without]


def from_kept(given: argparse.Namespace) -> None:
    """What --readme and --plot make of runs kept by --json; the plot is of the first."""
    import cases

    from cypool import _bench

    titles = {e.group.name: e.group.title for e in cases.entries(())}
    runs = []
    for path in given.kept:
        kept = json.loads(path.read_text(encoding="utf-8"))
        runs.append(([*_bench.heading(kept["machine"]), ", ".join(kept["peers"])], kept["results"]))
    if given.plot:
        draw(runs[0][1], titles, runs[0][0], given.plot)
    if given.readme:
        write_readme(readme_section(titles, runs))


def main(argv: list[str]) -> int:
    given = arguments(argv)
    from cypool import _bench

    if given.kept:
        from_kept(given)
        return 0
    threads = given.threads or _bench.processors()
    if not given.list:
        set_environment(threads)
    entries, missing = chosen(given)
    if not entries:
        raise SystemExit(f"no case has {given.cases!r} in its line; see --list")
    if given.list:
        print("\n".join(e.words for e in entries))
        return 0

    import cypool

    seconds, rounds = (0.05, 2) if given.quick else (given.seconds, given.rounds)
    cypool.set_num_threads(threads)
    found, more = installed(threads)
    peers = [p for p in found if re.search(given.peers, p.name)]
    machine = _bench.machine(threads)
    head = _bench.heading(machine)
    versions = list(dict.fromkeys(p.version for p in peers if p.modules != ("numpy",)))
    head.append(", ".join(versions) or "no other library")
    print("\n".join([*head, *missing, *more, "", LEGEND]), flush=True)

    names, results = [p.name for p in peers], []
    titles = {e.group.name: e.group.title for e in entries}
    for group, title in titles.items():
        part = []
        for e in entries:
            if e.group.name == group:
                if sys.stderr.isatty():
                    print(f"\r\033[K{e.words}", end="", file=sys.stderr, flush=True)
                part.append(measure(e, peers, threads, seconds, rounds))
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        results += part
        lines = group_table(group, part, names)
        if group == "large-windows":
            lines += growth(part)
        lines += [f"differs: {name}, {r['name']} {r['window']} {r['dtype']}: {what}"
                  for r in part for name, what in r["differs"].items()]
        print("\n".join(["", title, *lines]), flush=True)
    rows = summary_rows(titles, results)
    print("\n".join(["", "Summary: geometric means and least values", *aligned(
        SUMMARY_HEADS, rows, [True, True] + [False] * 9)]))

    if given.json:
        given.json.write_text(json.dumps(
            {"machine": machine, "peers": versions, "results": results}, indent=1))
    if given.plot:
        draw(results, titles, head, given.plot)
    if given.readme:
        write_readme(readme_section(titles, [(head, results)]))
    # Something is wrong, and not with one of them, where nobody confirms a result.
    alone = [r for r in results if r["differs"] and not set(r["seconds"]) & set(names)]
    for r in alone:
        print(f"nobody has cypool's result: {r['name']} {r['window']} {r['dtype']}",
              file=sys.stderr)
    return 1 if alone else 0


if __name__ == "__main__":
    # Not there by itself where Python was started with -P.
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    sys.exit(main(sys.argv[1:]))

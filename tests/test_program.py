"""The package as a program, and as something that is imported."""

from __future__ import annotations

import numpy as np
import pytest
from fixed_calls import run_python

import cypool


def test_import_is_silent():
    done = run_python(None, "-W", "error", "-c", "import cypool")
    assert (done.stdout, done.stderr) == ("", "")


def test_import_needs_numpy_alone():
    """Nothing optional is loaded before it is wanted."""
    run_python(
        """
        import sys
        import cypool
        loaded = {name.partition(".")[0] for name in sys.modules}
        optional = {"cupy", "hypothesis", "matplotlib", "onnx", "PIL", "scipy", "sklearn", "torch"}
        assert not loaded & optional, loaded & optional
        """
    )


def test_version():
    assert run_python(None, "-m", "cypool", "--version").stdout == f"cypool {cypool.__version__}\n"


def test_info_prints_every_entry():
    printed = run_python(None, "-m", "cypool", "info").stdout.splitlines()
    config = cypool.show_config()
    assert [line.split()[0] for line in printed] == list(config)
    for key in ("version", "simd"):
        assert f"{key} " in "\n".join(printed)
        assert any(line.split() == [key, str(config[key])] for line in printed)


def test_unknown_commands_are_refused():
    done = run_python(None, "-m", "cypool", "swim", check=False)
    assert done.returncode == 2
    assert "swim" in done.stderr


def test_bench_prints_a_line_a_case():
    """Every result is held against NumPy's and PyTorch's before it is timed."""
    from cypool import _bench

    done = run_python(None, "-m", "cypool", "bench", "--seconds", "0.1", "--threads", "1")
    for case in _bench.CASES:
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"{case.name} ")]
        assert f" {case.window} " in line
        assert "x)" in line  # how many times as long NumPy takes


@pytest.mark.parametrize("wrong", ["0", "-1", "many"])
def test_bench_refuses_numbers_that_are_none(wrong):
    done = run_python(None, "-m", "cypool", "bench", "--threads", wrong, check=False)
    assert done.returncode == 2
    assert "--threads" in done.stderr
    assert wrong in done.stderr


@pytest.mark.parametrize("missing", ["PIL", "matplotlib"])
def test_demo_says_what_it_needs(missing, tmp_path):
    done = run_python(
        f"""
        import sys
        sys.modules[{missing!r}] = None
        sys.argv = ["cypool", "demo", "--output", {str(tmp_path / "demo.png")!r}]
        from cypool.__main__ import main
        main()
        """,
        check=False,
    )
    assert done.returncode == 1
    assert "cypool[demo]" in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_draws_a_picture(tmp_path):
    for package in ("PIL", "matplotlib"):
        pytest.importorskip(package, reason=f"the demo needs {package}, which is not installed")
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "given.png")
    drawn = tmp_path / "drawn.png"
    done = run_python(
        f"""
        from cypool import __main__, _demo
        _demo.SECONDS = 0  # spent on rounds that only make the times better
        __main__.main(["demo", {str(tmp_path / "given.png")!r}, "--output", {str(drawn)!r}])
        """
    )
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert "given.png: 48 x 64 x 3, uint8" in done.stdout
    assert str(drawn) in done.stdout

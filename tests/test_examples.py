"""The examples run, and do what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def load(name: str):
    path = EXAMPLES / f"{name}.py"
    if not path.exists():
        pytest.skip("the examples are not here")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_network_that_reads_digits(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    picture = tmp_path / "digits.png"
    accuracy = load("digits_cnn").main(["--seeds", "1", "--picture", str(picture)])
    assert accuracy >= 0.97
    assert picture.stat().st_size > 1000
    assert "overlapping" in capsys.readouterr().out

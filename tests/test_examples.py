"""The examples run, and do what they say."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def load(name: str):
    path = EXAMPLES / f"{name}.py"
    if not path.exists():
        pytest.skip("the examples are not here")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(EXAMPLES))       # as when they are run: they use each other
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(EXAMPLES))
    return module


def test_a_network_that_reads_digits(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    picture = tmp_path / "digits.png"
    accuracy = load("digits_cnn").main(["--seeds", "1", "--picture", str(picture)])
    assert accuracy >= 0.97
    assert picture.stat().st_size > 1000
    assert "overlapping" in capsys.readouterr().out


def test_one_classifier_for_images_of_any_size(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    picture = tmp_path / "sizes.png"
    found = load("any_size").main(["--epochs", "8", "--picture", str(picture)])
    assert min(found[size] for size in (8, 12, 16)) >= 0.95
    assert min(found[size] for size in (10, 14)) >= 0.9       # sizes between those it learnt from
    assert picture.stat().st_size > 1000
    assert "never seen" in capsys.readouterr().out


def test_a_pyramid_keeps_labels_by_mode_alone(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    picture = tmp_path / "pyramid.png"
    rows = load("pyramid").main(["--levels", "4", "--picture", str(picture)])
    assert [row["shape"] for row in rows] == [(213, 320), (106, 160), (53, 80)]
    assert all(row["mode"] == 0 for row in rows)
    assert all(row["average"] > 0.01 for row in rows)
    assert picture.stat().st_size > 1000
    assert "averages" in capsys.readouterr().out

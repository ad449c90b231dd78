"""Each instruction set gives the same bits, and one that cannot be had says so at import."""

from __future__ import annotations

import json

import pytest
from fixed_calls import digest_of, run_python

import cypool

NAMES = ("baseline", "avx2", "avx512")
AVAILABLE = cypool.show_config()["simd_available"]
SHOW = "import cypool, json; print(json.dumps(dict(cypool.show_config())))"


def needs(name: str) -> None:
    if name not in AVAILABLE:
        pytest.skip(f"this CPU or build has no {name}, only {', '.join(AVAILABLE)}")


def test_baseline_is_always_there():
    assert "baseline" in AVAILABLE
    assert set(AVAILABLE) <= set(NAMES)
    assert cypool.show_config()["simd"] in AVAILABLE


@pytest.mark.parametrize("name", NAMES)
def test_forced_set_is_the_one_in_use(name):
    needs(name)
    shown = json.loads(run_python(SHOW, environment={"CYPOOL_SIMD": name}).stdout)
    assert shown["simd"] == name
    assert shown["simd_available"] == AVAILABLE


def test_empty_name_forces_nothing():
    unset, empty = (
        json.loads(run_python(SHOW, environment={"CYPOOL_SIMD": value}).stdout)
        for value in (None, "")
    )
    assert empty["simd"] == unset["simd"]


@pytest.fixture(scope="module")
def baseline() -> dict[str, str]:
    return digest_of({"CYPOOL_SIMD": "baseline"})


@pytest.mark.parametrize("name", NAMES[1:])
def test_same_bits_as_the_baseline(name, baseline):
    needs(name)
    digests = digest_of({"CYPOOL_SIMD": name})
    assert digests.keys() == baseline.keys()
    assert {key for key in baseline if digests[key] != baseline[key]} == set()


def test_unknown_set_is_an_import_error():
    done = run_python("import cypool", environment={"CYPOOL_SIMD": "sse9"}, check=False)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: CYPOOL_SIMD must be ")
    assert last.endswith("got 'sse9'")
    for name in NAMES:
        assert name in last


@pytest.mark.parametrize("name", NAMES)
def test_missing_set_is_an_import_error(name):
    if name in AVAILABLE:
        pytest.skip(f"this CPU has {name}")
    done = run_python("import cypool", environment={"CYPOOL_SIMD": name}, check=False)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: CYPOOL_SIMD must be ")
    assert last.endswith(f"got {name!r}")

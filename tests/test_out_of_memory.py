"""Out of memory: MemoryError, `out` as it was, nothing leaked, the next call as good as ever."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from arrays import make_values
from fixed_calls import run_python
from judging import assert_same
from out_of_memory import leaks_of
from registry import LINEAR, OPERATORS, SELECTIONS, TABLES

import cypool

HERE = Path(__file__).parent
# Of one-byte elements, and of eight-byte ones still within what a size can say; more than any
# machine can address, so that it fails whatever the system promises.
TOO_MANY = 2**57


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """The library whose malloc fails, compiled."""
    if not sys.platform.startswith("linux"):
        pytest.skip("LD_PRELOAD and glibc's malloc are needed")
    if "LD_PRELOAD" in os.environ:
        pytest.skip("something else is preloaded")
    compiler = next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None:
        pytest.skip("no C compiler was found")
    library = tmp_path_factory.mktemp("shim") / "failing_malloc.so"
    built = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "failing_malloc.c", "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        pytest.skip(f"the C library is not glibc: {built.stderr}")
    probe = "import ctypes; ctypes.CDLL(None).failing_malloc_seen; print('loaded')"
    loaded = run_python(probe, environment={"LD_PRELOAD": str(library)}, check=False)
    if loaded.stdout.strip() != "loaded":
        pytest.skip(f"LD_PRELOAD does not work here: {loaded.stderr}")
    return str(library)


def problems_of(operator, kind, environment):
    program = str(HERE / "out_of_memory.py")
    done = run_python(None, program, kind, operator.id, environment=environment, timeout=600)
    return json.loads(done.stdout)[operator.id]


# Of those with window tables one of each kind: what they differ in allocates nothing.
TABLED = [operator for operator in TABLES if operator.id in (
    "adaptive_pool[max]", "global_pool[avg]", "spatial_pyramid_pool[max]", "fractional_pool[max]")]


# Minima and sums take the memory that maxima and averages take.
UNLIKE = [operator for operator in OPERATORS + TABLED
          if operator.id not in ("pool[min]", "pool[sum]")]


@pytest.mark.parametrize("operator", UNLIKE, ids=lambda operator: operator.id)
def test_every_malloc_fails_once(operator, shim):
    """Of scratch and of arrays, forward and backward."""
    assert problems_of(operator, "malloc", {"LD_PRELOAD": shim}) == []


def test_a_leak_is_found():
    """The check itself, of a failure that keeps an object and of one that fills a cache once."""
    kept, cache = [], {}

    def attempt(n):
        if n == 3:
            kept.append(bytearray(100))
        if n == 2:
            cache.setdefault("once", bytearray(100_000))

    assert [leak.split(":")[0] for leak in leaks_of(range(1, 5), attempt)] == [
        "allocation 3 failed"]
    kept.clear()
    assert leaks_of(range(1, 3), attempt) == []
    cache.clear()
    assert leaks_of(range(1, 3), attempt) == []


# A seed makes a generator, whose lock says by a RuntimeError that there is no memory.
UNDRAWN = [operator for operator in OPERATORS + TABLED if "rng" not in operator.always]


@pytest.mark.parametrize("operator", UNDRAWN, ids=lambda operator: operator.id)
def test_every_object_fails_once(operator):
    pytest.importorskip("_testcapi", reason="this interpreter lacks CPython's own test module")
    assert problems_of(operator, "objects", {"PYTHONMALLOC": None}) == []


# ---------------------------------------------------------------- results no memory can hold


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_results_beyond_all_memory(operator):
    n = operator.ndim or 2
    x = make_values((1,) * (n + 1), np.dtype(np.float32), "normal", 1)
    window = (*operator.leading, (1,) * n)
    padding = (TOO_MANY, *(0,) * (n - 1))
    threads, right = cypool.get_num_threads(), operator.forward(x, *window)
    for more in [{}, {"return_indices": True}] if operator.selects else [{}]:
        before = sys.getrefcount(x)
        with pytest.raises(MemoryError):
            operator.forward(x, *window, padding=padding, **more)
        assert sys.getrefcount(x) == before
    assert cypool.get_num_threads() == threads
    assert_same(operator.forward(x, *window), right)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_gradients_beyond_all_memory(operator):
    """A shape stands for the input; the gradient in that shape is what does not fit."""
    n = operator.ndim or 2
    kernel = (TOO_MANY, *(1,) * (n - 1))
    shape = (1, *kernel)
    grad = np.ones((1,) * (n + 1), np.float32)
    more = {"indices": np.zeros(grad.shape, np.int64)} if operator.selects else {}
    needs_values = not operator.selects and operator not in LINEAR
    x = np.broadcast_to(np.float32(1), shape) if needs_values else shape
    before = sys.getrefcount(grad)
    with pytest.raises(MemoryError):
        operator.backward(grad, x, *operator.leading, kernel, **more)
    assert sys.getrefcount(grad) == before


@pytest.mark.parametrize("operator", SELECTIONS, ids=lambda operator: operator.id)
def test_values_are_as_they_were_without_memory_for_indices(operator):
    """Neither array is written to when the second cannot be had."""
    n = operator.ndim or 2
    shape = (1, 2**25, *(1,) * (n - 1)) if n > 1 else (1, 2**25)
    x = np.broadcast_to(np.zeros((1,) * (n + 1), np.int8), shape)
    padding = (TOO_MANY // 2**25 * 4, *(0,) * (n - 1))
    with pytest.raises(MemoryError):
        operator.forward(x, *operator.leading, (1,) * n, padding=padding, return_indices=True)


def test_a_layer_remembers_its_last_good_call():
    layer = cypool.layers.MaxPool1d(2)
    x = make_values((1, 8), np.dtype(np.float32), "distinct", 2)
    y = layer(x)
    right = layer.backward(y)
    wide = np.broadcast_to(np.float32(0), (1, TOO_MANY // 8))
    with pytest.raises(MemoryError):
        layer(wide)
    assert_same(layer.backward(y), right)

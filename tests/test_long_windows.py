"""Long windows that hardly overlap: of rows, and of whole planes."""

from __future__ import annotations

import numpy as np
import pytest
from judging import assert_same

import cypool

DTYPES = [
    "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16",
    "float32", "float64"]
WINDOWS = [  # shape, kernel, stride
    ((2, 3, 1000), (9,), (9,)), ((2, 3, 1000), (15,), (8,)), ((3, 5, 333), (33,), (40,)),
    ((2, 2, 4, 700), (1, 64), (1, 64)), ((1, 2, 5, 700), (1, 129), (1, 100)),
    ((40, 7, 7, 7), (7, 7), (7, 7)), ((33, 9, 4, 3), (4, 3), (4, 3)),
    ((2, 3, 2, 40000), (1, 20000), (1, 20000)), ((1, 2, 90000), (90000,), (1,)),
    ((5, 3, 20), (20,), (1,)), ((2, 3, 4, 5, 6), (4, 5, 6), (1, 1, 1)),
]


def values(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(len(shape))
    if dtype == "bool":
        return rng.random(shape) < 0.1
    if dtype.startswith("float"):
        return rng.standard_normal(shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)


def windows(x: np.ndarray, kernel: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    axes = tuple(range(2, 2 + len(kernel)))
    views = np.lib.stride_tricks.sliding_window_view(x, kernel, axes)
    return views[(slice(None), slice(None), *(slice(None, None, s) for s in stride))]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("op", ["max", "min"])
def test_extremes(op, window, dtype):
    shape, kernel, stride = window
    taps = tuple(range(-len(kernel), 0))
    x = values(dtype, shape)
    for array in (x, x[..., ::-1]):
        expected = getattr(np, op)(windows(array, kernel, stride), axis=taps)
        assert_same(cypool.pool(array, op, kernel, stride), expected)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("op", ["max", "min"])
@pytest.mark.parametrize("share", [1, 0.01, 0.0001])
def test_a_nan_is_the_extreme_of_its_windows_alone(op, window, dtype, share):
    shape, kernel, stride = window
    taps = tuple(range(-len(kernel), 0))
    x = values(dtype, shape)
    rng = np.random.default_rng(3)
    x[rng.random(shape) < 0.3] = np.inf if op == "min" else -np.inf
    x[rng.random(shape) < share] = np.nan
    x.reshape(-1)[-1] = np.nan
    expected = getattr(np, op)(windows(x, kernel, stride), axis=taps)
    assert_same(cypool.pool(x, op, kernel, stride), expected)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_averages(window, dtype):
    shape, kernel, stride = window
    taps = tuple(range(-len(kernel), 0))
    x = values(dtype, shape)
    seen = windows(x, kernel, stride).astype(np.longdouble)
    actual = cypool.pool(x, "avg", kernel, stride)
    error = np.abs(actual - seen.mean(axis=taps))
    eps = np.finfo(dtype).eps / 2
    assert (error <= 4 * eps * np.abs(seen).mean(axis=taps) + eps * np.abs(actual)).all()
    # The same from wherever it lies.
    wide = np.zeros((*shape[:-1], 2 * shape[-1]), dtype)
    wide[..., ::2] = x
    assert_same(cypool.pool(wide[..., ::2], "avg", kernel, stride), actual)


@pytest.mark.parametrize("op", ["max", "avg"])
def test_any_number_of_threads(op):
    x = values("float32", (64, 300, 7, 7))
    one = cypool.global_pool(x, op, num_threads=1)
    for threads in (2, 3, 7):
        assert_same(cypool.global_pool(x, op, num_threads=threads), one)

"""Images beyond the nearer caches, where memory is asked for ahead: rows long and short."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from judging import assert_same

import cypool

SHAPES = [
    (1, 1, 1300, 1301), (1, 2, 1000, 900), (1, 1, 1700, 1024), (1, 3, 300, 2100),
    (2, 40, 150, 151), (1, 1, 3, 700000)]
WINDOWS = [(2, 2, 0), (3, 2, 1), (3, 1, 1), (3, 2, 0), (4, 4, 0), (7, 7, 3), (25, 20, 5)]


def taps(x: np.ndarray, kernel: int, stride: int, padding: int, filler: float) -> list[np.ndarray]:
    """Of every window the first taps, the second ones, and so on."""
    around = [(0, 0), (0, 0), (padding, padding), (padding, padding)]
    x = np.pad(x, around, constant_values=x.dtype.type(filler))
    ends = [n - kernel + 1 for n in x.shape[2:]]
    return [x[:, :, i : i + ends[0] : stride, j : j + ends[1] : stride]
            for i in range(kernel) for j in range(kernel)]


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_windows(shape, window, dtype):
    kernel, stride, padding = window
    if kernel > shape[2] + padding:
        pytest.skip("no window fits")
    rng = np.random.default_rng(5)
    x = rng.integers(0, 200, shape, dtype="uint8").astype(dtype)
    # (Whole numbers: their sums are exact.)
    total = reduce(np.add, [tap.astype(np.float64) for tap in taps(x, kernel, stride, padding, 0)])
    if dtype != "uint8":
        expected = total.astype(dtype) / np.dtype(dtype).type(kernel**2)
        assert_same(cypool.avg_pool2d(x, kernel, stride, padding), expected)
    for op, combine, least in (("max", np.maximum, 0), ("min", np.minimum, 255)):
        for _ in range(2):
            filler = least if dtype == "uint8" else np.inf if op == "min" else -np.inf
            expected = reduce(combine, taps(x, kernel, stride, padding, filler))
            actual, found = cypool.pool(
                x, op, (kernel, kernel), stride, padding=padding, return_indices=True)
            assert_same(actual, expected)
            assert_same(cypool.pool(x, op, (kernel, kernel), stride, padding=padding), expected)
            planes = x.reshape(*shape[:2], -1)
            at = found.reshape(*shape[:2], -1)
            assert_same(np.take_along_axis(planes, at, 2).reshape(expected.shape), expected)
            if dtype == "uint8":
                break
            x.reshape(-1)[rng.integers(0, x.size, 20)] = np.nan

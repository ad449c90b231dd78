"""Extremes of float16 and bfloat16, which are found as integers: every bit pattern there is."""

from __future__ import annotations

import numpy as np
import pytest
from arrays import between_guards
from registry import dtype_of

import cypool

WINDOWS = [      # kernel, stride, padding, dilation
    ((2, 2), 2, 0, 1), ((3, 3), 2, 1, 1), ((3, 3), 1, 1, 1), ((2, 2), (3, 2), (1, 0), (5, 1)),
    ((2, 2), (1, 2), (1, 0), (2, 1)),       # of one row: windows with no element
    ((3, 3), 1, 1, 2), ((5, 5), 1, 2, 1), ((1, 3), (1, 2), 0, 1)]
SHAPES = {"NCHW": [(1, 1, 256, 256), (2, 32, 32, 32), (64, 16, 8, 8), (3, 5, 61, 71), (1, 1, 1, 9)],
          "NHWC": [(1, 256, 256, 1), (1, 128, 171, 3), (2, 32, 32, 32), (1, 16, 40, 103)]}


def patterns(dtype: np.dtype, shape: tuple[int, ...], nan: bool, seed: int) -> np.ndarray:
    """Bit patterns in a random order, each as often as the others; or those of numbers only."""
    every = np.arange(65536, dtype=np.uint16)
    if not nan:
        every = every[~np.isnan(every.view(dtype).astype(np.float32))]
    picked = np.random.default_rng(seed).permutation(np.resize(every, int(np.prod(shape))))
    x, _memory = between_guards(picked.view(dtype).reshape(shape), at_end=seed % 2 > 0)
    return x


@pytest.mark.parametrize("op", ["max", "min"])
@pytest.mark.parametrize("nan", [False, True], ids=["numbers", "nan"])
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_as_in_float32(window, name, nan, op):
    dtype = dtype_of(name)
    kernel, stride, padding, dilation = window
    for layout, shapes in SHAPES.items():
        for seed, shape in enumerate(shapes):
            x = patterns(dtype, shape, nan, seed)
            keywords = {"stride": stride, "padding": padding, "dilation": dilation,
                        "data_format": layout, "ceil_mode": seed % 2 > 0}
            try:
                expected = cypool.pool(x.astype(np.float32), op, kernel, **keywords)
            except ValueError:      # a window larger than the plane
                continue
            out, _room = between_guards(np.zeros(expected.shape, dtype), at_end=seed % 2 > 0)
            cypool.pool(x, op, kernel, out=out, **keywords)
            np.testing.assert_array_equal(out.astype(np.float32), expected)
            # With indices, of which the first of equals counts, or the first NaN.
            values, indices = cypool.pool(x, op, kernel, return_indices=True, **keywords)
            np.testing.assert_array_equal(values.astype(np.float32), expected)
            np.testing.assert_array_equal(indices, cypool.pool(
                x.astype(np.float32), op, kernel, return_indices=True, **keywords)[1])


@pytest.mark.parametrize("op", ["max", "min"])
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_a_single_nan_of_either_sign(name, op):
    dtype = dtype_of(name)
    for bits in (0x7fff, 0xffff, 0x7f81, 0xff81):
        nan = np.array(bits, np.uint16).view(dtype)
        for place in np.ndindex(5, 7):
            x = np.zeros((1, 3, 5, 7), dtype)
            x[(0, 1, *place)] = nan
            for kernel, stride, padding in (((2, 2), 2, 0), ((3, 3), 2, 1), ((3, 3), 1, 1)):
                y = cypool.pool(x, op, kernel, stride, padding).astype(np.float32)
                expected = cypool.pool(x.astype(np.float32), op, kernel, stride, padding)
                np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_conversions_of_rows_of_any_length(name):
    dtype = dtype_of(name)
    for length in (*range(1, 40), 63, 64, 65, 300):
        x = patterns(dtype, (1, 2, length), False, length)
        # As they are: sums of one element.
        np.testing.assert_array_equal(cypool.pool(x, "sum", (1,)), x)
        small = (x.astype(np.float32) % 8).astype(dtype)
        expected = cypool.pool(small.astype(np.float64), "avg", (2,), 1, padding=1)
        y = cypool.pool(small, "avg", (2,), 1, padding=1)
        np.testing.assert_array_equal(y, expected.astype(np.float32).astype(dtype))
        # Windows of all there is.
        y = cypool.adaptive_pool(small, "avg", (1,)).astype(np.float64)
        np.testing.assert_allclose(
            y, small.astype(np.float64).mean(-1, keepdims=True), rtol=2.0**-7, atol=2.0**-24)

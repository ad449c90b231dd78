"""Sums stay within four rounding errors of the sum of absolute values, in windows of any size.

The inputs are the ones that defeat a plain running sum: many terms, a large term followed by
terms that are each lost when added to it, cancellation, and values that are not finite in
windows next to ones that are.
"""

from __future__ import annotations

import math

import numpy as np
import oracle
import pytest
from judging import assert_matches
from registry import NAMED, dtype_of

import cypool

AVERAGES = [operator for operator in NAMED if operator.op == "avg"]
EPS = {"float32": 2.0**-24, "float64": 2.0**-53}
ONE_DIMENSIONAL = [operator for operator in AVERAGES if operator.ndim == 1]


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize("taps", [2, 3, 5, 8, 13, 31, 64, 65, 200, 1000, 4096])
@pytest.mark.parametrize("stride", [1, 7], ids=lambda stride: f"stride{stride}")
@pytest.mark.parametrize("operator", ONE_DIMENSIONAL, ids=lambda operator: operator.id)
def test_terms_lost_one_by_one(operator, stride, taps, dtype):
    """Half an ulp of the first term, again and again: a running sum never moves."""
    x = np.full((1, taps + 20), EPS[dtype], dtype)
    x[0, ::taps] = 1
    result = operator.forward(x, taps, stride=stride)
    assert_matches(result, oracle.pool(x, "avg", taps, stride, axes=(1,)))


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize("size", [3, 8, 17, 40])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_terms_lost_in_a_plane(data_format, size, dtype):
    import cypool

    plane = np.full((size, size), EPS[dtype], dtype)
    plane[0, 0] = 1
    x = plane[None] if data_format == "channels_first" else plane[..., None]
    axes = (1, 2) if data_format == "channels_first" else (0, 1)
    result = cypool.avg_pool2d(x, size, data_format=data_format)
    assert_matches(result, oracle.pool(x, "avg", size, axes=axes))


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize("flavour", ["uniform", "normal", "cancelling"])
@pytest.mark.parametrize("operator", AVERAGES, ids=lambda operator: operator.id)
def test_one_window_over_everything(operator, flavour, dtype):
    rng = np.random.default_rng(11)
    side = {1: 1 << 16, 2: 1 << 8, 3: 40}[operator.ndim]
    shape = (1,) + (side,) * operator.ndim
    x = rng.random(shape) if flavour == "uniform" else rng.standard_normal(shape)
    x = x.astype(dtype)
    if flavour == "cancelling":
        flat = x.reshape(-1)
        flat[1::2] = -flat[::2]
    result = operator.forward(x, side)
    exact = math.fsum(x.ravel().tolist()) / x.size
    magnitude = math.fsum(np.abs(x).ravel().tolist()) / x.size
    bound = 4 * EPS[dtype] * magnitude + EPS[dtype] * abs(exact)
    assert abs(float(result.ravel()[0]) - exact) <= bound


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("window", [(2, 1), (3, 2), (5, 1), (16, 1), (31, 3)])
@pytest.mark.parametrize("operator", ONE_DIMENSIONAL, ids=lambda operator: operator.id)
def test_what_is_not_finite_stays_in_its_windows(operator, window, bad, dtype):
    kernel, stride = window
    x = np.ones((2, 97), dtype_of(dtype))
    x[0, 40] = bad
    result = operator.forward(x, kernel, stride=stride).astype(np.float64)
    starts = np.arange(result.shape[1]) * stride
    holds = (starts <= 40) & (starts + kernel > 40)
    assert (result[1] == 1).all()
    assert (result[0][~holds] == 1).all()
    np.testing.assert_array_equal(result[0][holds], np.float64(bad))


@pytest.mark.parametrize("operator", AVERAGES, ids=lambda operator: operator.id)
def test_half_precision_sums_in_single_precision(operator):
    """A float16 running sum would stop at 2048, or overflow."""
    side = {1: 4096, 2: 64, 3: 16}[operator.ndim]
    x = np.full((1,) + (side,) * operator.ndim, 60000, np.float16)
    assert operator.forward(x, side).ravel().tolist() == [60000]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16"])
@pytest.mark.parametrize("taps", [2, 3, 4, 6, 9, 127, 128, 129, 255, 257])
def test_means_of_short_integers_are_rounded_half_to_even(taps, dtype):
    """Where sums and quotients are kept in the narrowest types that hold them, ties and all."""
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(taps)
    x = rng.integers(limits.min, limits.max, (3000, taps), dtype, endpoint=True)
    x[:300] = limits.min
    x[300:600] = limits.max
    # Neighbours of a half: sums of taps * n + taps / 2, and one more or less.
    x[600:2000] = rng.integers(0, 60, (1400, 1))
    x[600:2000, : taps // 2] += 1
    x[1000:1400, -1] += 1
    x[1400:1800, 0] -= 1
    for divisor in (taps, 1, -3, 65536, 2**24 + 1):
        sums = x.astype(np.int64).sum(axis=1)
        low, rest = np.divmod(sums, divisor)
        up = (2 * rest > divisor) | ((2 * rest == divisor) & (low % 2 == 1))
        if divisor < 0:
            up = (2 * rest < divisor) | ((2 * rest == divisor) & (low % 2 == 1))
        expected = np.clip(low + up, limits.min, limits.max)
        got = cypool.avg_pool1d(x, taps, divisor_override=divisor)
        assert (got[:, 0] == expected).all()
        # Rows of windows, from where they lie and from somewhere else.
        upright = np.ascontiguousarray(x.T)[None]
        for array in (upright, upright[..., ::-1]):
            got = cypool.avg_pool2d(array, (taps, 1), divisor_override=divisor)
            assert (got[0, 0] == (expected if array is upright else expected[::-1])).all()

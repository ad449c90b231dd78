"""Windows of ranks and of weighted means, side by side: as good as one by one.

A mask under which everything counts makes them go one by one.
"""

from __future__ import annotations

import numpy as np
import pytest
from judging import assert_same

import cypool

OPERATORS = [
    ("logsumexp", {}), ("logsumexp", {"beta": -2.5}), ("logsumexp", {"beta": 0.5, "mean": True}),
    ("soft", {}), ("stochastic", {"training": False}),
    ("median", {}), ("median", {"quantile": 0.0}), ("median", {"quantile": 0.9}),
    ("median", {"quantile": 1.0}),
]
WINDOWS = [    # shape, kernel, stride, padding, dilation
    ((2, 3, 9, 40), (3, 3), (1, 1), (1, 1), (1, 1)),
    ((2, 3, 9, 40), (2, 2), (2, 2), (0, 0), (1, 1)),
    ((1, 2, 12, 150), (5, 3), (2, 1), (4, 2), (1, 1)),
    ((1, 3, 11, 23), (3, 4), (1, 2), (1, 3), (2, 3)),
    ((3, 2, 7, 7), (7, 7), (1, 1), (3, 3), (1, 1)),
    ((1, 2, 9, 9), (9, 9), (1, 1), (0, 0), (1, 1)),
    ((2, 5, 200), (33,), (3,), (16,), (1,)),
    ((2, 2, 6, 7, 20), (2, 3, 3), (1, 2, 2), (1, 1, 1), (1, 1, 1)),
]
DTYPES = ("float32", "float64", "float16", "uint8", "int16", "int64", "uint64", "bool")


def values(shape, dtype, seed, special=False):
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) < 0.5
    x = (np.abs(rng.standard_normal(shape)) if dtype[0] == "u" else rng.standard_normal(shape)) * 20
    x = x.astype(dtype)
    if special:
        x[rng.random(shape) < 0.03] = np.nan
        x[rng.random(shape) < 0.03] = np.inf
        x[rng.random(shape) < 0.05] = -np.inf
        x[rng.random(shape) < 0.05] = np.finfo(dtype).max
        x[rng.random(shape) < 0.05] = -np.finfo(dtype).max
    return x


def both(x, op, params, window, last):
    kernel, stride, padding, dilation = window
    if last:
        x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    more = {"data_format": "channels_last" if last else "channels_first", **params}
    with np.errstate(all="ignore"):
        many = cypool.pool(x, op, kernel, stride, padding, dilation, "full", **more)
        one = cypool.pool(
            x, op, kernel, stride, padding, dilation, "full", mask=np.True_, **more)
        wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
        wide[..., 1::2] = x
        room = np.zeros((*many.shape[:-1], 3 * many.shape[-1]), many.dtype)[..., ::3]
        cypool.pool(
            wide[..., 1::2], op, kernel, stride, padding, dilation, "full", out=room, **more)
    assert_same(room, many)
    return many, one


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", range(len(WINDOWS)))
@pytest.mark.parametrize(("op", "params"), OPERATORS)
def test_many_as_one(op, params, case, dtype, last):
    shape, *window = WINDOWS[case]
    for special in (False, True) if dtype[0] == "f" else (False,):
        x = values(shape, dtype, case, special)
        many, one = both(x, op, params, window, last)
        if op == "median":
            assert_same(many, one)
            continue
        with np.errstate(all="ignore"):
            finite = np.isfinite(one)
            assert_same(np.where(finite, 0, many), np.where(finite, 0, one))
            near = one[finite].astype(np.float64)
            off = np.abs(many[finite].astype(np.float64) - near)
            # In float64, of the window's greatest value: both sums are chains of 16 and of a
            # 16th of the taps, of which there are up to 99; so 64 roundings for all.
            size = np.abs(np.where(np.isfinite(x), x, 0).astype(np.float64))
            scale, _ = both(size, "max", {}, window, last)
            info = np.finfo(one.dtype)
            assert (off <= 2 * info.eps * np.abs(near) + 2**-47 * np.maximum(scale, 0)[finite]
                    + info.smallest_subnormal).all()


@pytest.mark.parametrize("channels", [1, 3, 4, 5, 8, 17, 64, 65, 200])
@pytest.mark.parametrize("op", ["logsumexp", "soft", "median"])
def test_numbers_of_channels(op, channels):
    x = values((2, channels, 6, 11), "float32", channels)
    for window in (((2, 3), (1, 2), (1, 0), (1, 1)), ((3, 3), (2, 1), (0, 1), (1, 1))):
        first, _ = both(x, op, {}, window, False)
        last, one = both(x, op, {}, window, True)
        np.testing.assert_allclose(last, one, rtol=3e-7, atol=1e-6)
        np.testing.assert_allclose(np.moveaxis(last, -1, 1), first, rtol=3e-7, atol=1e-6)


def test_weights_far_apart():
    """What has no weight adds nothing, however large it is."""
    x = np.array([[1e300, -1e300, -1e300, 0, 1, 700, -50, -800]])
    assert_same(cypool.pool(x, "soft", 2, stride=1, axes=1)[:, :2],
                np.array([[1e300, -1e300]]))
    for op in ("soft", "logsumexp"):
        wide = np.tile(x, (1, 6))
        found = cypool.pool(wide, op, 2, stride=2, axes=1)
        assert_same(found[:, :4], cypool.pool(x, op, 2, stride=2, axes=1))
        np.testing.assert_array_equal(found[0, [0, 3]], [1e300, -50])


def test_weights_below_the_normal_numbers():
    x = -np.arange(690, 750, 0.25)
    pairs = np.stack([np.zeros_like(x), x], axis=1).reshape(1, -1)
    weight = np.exp(x)
    slope = cypool.pool_backward(np.ones((1, x.size)), pairs, "logsumexp", 2, axes=1)
    np.testing.assert_allclose(slope[0, 1::2], weight, rtol=4e-16, atol=1e-323)
    slope = cypool.pool_backward(np.ones((1, x.size)), pairs, "soft", 2, axes=1)
    np.testing.assert_allclose(slope[0, 1::2], weight * (1 + x), rtol=1e-15, atol=4e-321)
    soft = cypool.pool(pairs, "soft", 2, axes=1)
    np.testing.assert_allclose(soft[0], weight * x, rtol=1e-15, atol=4e-321)


@pytest.mark.parametrize("op", ["logsumexp", "soft"])
def test_global_windows_and_gradients(op):
    """One window of many taps, eight at a time."""
    rng = np.random.default_rng(5)
    for length in (1, 7, 8, 9, 49, 1000, 12544):
        x = rng.standard_normal((3, length)) * 8
        e = np.exp(x - x.max(axis=1, keepdims=True))
        total = e.sum(axis=1, keepdims=True)
        if op == "soft":
            right = (e * x).sum(axis=1, keepdims=True) / total
            slope = e / total * (1 + x - right)
        else:
            right, slope = np.log(total) + x.max(axis=1, keepdims=True), e / total
        found = cypool.global_pool(x, op, axes=1)
        np.testing.assert_allclose(found, right, rtol=1e-13)
        found = cypool.global_pool_backward(np.ones((3, 1)), x, op, axes=1)
        np.testing.assert_allclose(found, slope, rtol=1e-12, atol=1e-300)

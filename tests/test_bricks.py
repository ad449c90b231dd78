"""Sliding windows side by side, in bricks: as good as each by itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from judging import assert_same

import cypool

EVERY = ("float16", "float32", "float64", "bool", "int8", "uint8", "int16", "uint16", "int32",
         "uint32", "int64", "uint64")


def random_call(
    rng: np.random.Generator, dtypes: tuple[str, ...]
) -> tuple[np.ndarray, tuple, dict]:
    """An array of any layout, and windows on it."""
    ndim = int(rng.integers(1, 4))
    spatial = rng.integers(1, (60, 24, 10)[ndim - 1] + 1, ndim).tolist()
    last = bool(rng.integers(2))
    channels = int(rng.integers(1, 90 if last and rng.random() < 0.5 else 5))
    shape = (2, *spatial, channels) if last else (2, channels, *spatial)
    dtype = np.dtype(str(rng.choice(dtypes)))
    x = rng.standard_normal(shape) * float(rng.choice([1, 30]))
    x = (np.abs(x) if dtype.kind == "u" else x).astype(dtype)
    if dtype.kind == "f" and rng.random() < 0.4:
        for value in (np.nan, np.inf, -np.inf):
            x[rng.random(shape) < 0.02] = value
    if rng.random() < 0.3:
        wide = np.zeros((*shape[:-1], 2 * shape[-1]), dtype)
        wide[..., 1::2] = x
        x = wide[..., 1::2]
    if rng.random() < 0.2:
        x = x[..., ::-1]
    most = (40, 8, 4)[ndim - 1]
    window = [tuple(rng.integers(1, end, ndim).tolist()) for end in (most + 1, 5)]
    return x, tuple(window), {
        "padding": rng.integers(0, 5, (ndim, 2)).tolist(),
        "dilation": rng.integers(1, 4, ndim).tolist(),
        "ceil_mode": [False, True, "full"][int(rng.integers(3))],
        "data_format": "channels_last" if last else "channels_first",
    }


def calls(
    seed: int, dtypes: tuple[str, ...], count: int
) -> Iterator[tuple[np.random.Generator, np.ndarray, tuple, dict]]:
    """Some of them, but those whose windows are longer than the padded input."""
    rng = np.random.default_rng(seed)
    made = 0
    while made < count:
        x, window, more = random_call(rng, dtypes)
        try:
            cypool.pool(x, "max", *window, **more)
        except ValueError:
            continue
        made += 1
        yield rng, x, window, more


@pytest.mark.parametrize("seed", range(8))
def test_ranks_as_one_by_one(seed):
    """Windows that a mask makes go one by one."""
    for rng, x, window, more in calls(seed, EVERY, 100):
        more["quantile"] = float(rng.choice([0.5, 0.5, 0, 1, 0.25, 0.9, rng.random()]))
        found = cypool.pool(x, "median", *window, **more)
        assert_same(found, cypool.pool(x, "median", *window, mask=np.True_, **more))
        out = np.empty_like(np.moveaxis(found, 0, -1))
        cypool.pool(x, "median", *window, out=np.moveaxis(out, -1, 0), **more)
        assert_same(np.moveaxis(out, -1, 0), found)
        found, indices = cypool.pool(x, "median", *window, return_indices=True, **more)
        right, places = cypool.pool(
            x, "median", *window, return_indices=True, mask=np.True_, **more)
        assert_same(found, right)
        np.testing.assert_array_equal(indices, places)


@pytest.mark.parametrize("seed", range(8))
def test_logarithms_of_sums_as_in_float64(seed):
    """Rounded once: a half of the last place, and a hundredth for all before that."""
    for rng, x, window, more in calls(seed, ("float16", "float32"), 100):
        more |= {"beta": float(rng.choice([1, 1, -1, 0.1, -3, 7])), "mean": bool(rng.integers(2))}
        if rng.random() < 0.3:
            x = x * x.dtype.type(rng.choice([1e-3, 300]))
        with np.errstate(all="ignore"):
            found = cypool.pool(x, "logsumexp", *window, **more)
            right = cypool.pool(x.astype(np.float64), "logsumexp", *window, **more)
            finite = np.isfinite(right.astype(x.dtype))
            assert_same(found[~finite], right[~finite].astype(x.dtype))
        off = np.abs(found[finite] - right[finite])
        assert (off <= 0.51 * np.spacing(np.abs(right[finite]).astype(x.dtype))).all()


@pytest.mark.parametrize("seed", range(8))
def test_weighted_means_as_in_float64(seed):
    """Likewise, but for what cancels: differences of up to 700 are rounded in float64."""
    for rng, x, window, more in calls(seed, ("float16", "float32"), 100):
        if rng.random() < 0.3:
            x = x * x.dtype.type(rng.choice([1e-3, 300]))
        with np.errstate(all="ignore"):
            found = cypool.pool(x, "soft", *window, **more)
            right = cypool.pool(x.astype(np.float64), "soft", *window, **more)
            finite = np.isfinite(right.astype(x.dtype))
            assert_same(found[~finite], right[~finite].astype(x.dtype))
        size = np.abs(x[np.isfinite(x)].astype(np.float64)).max(initial=0)
        off = np.abs(found[finite] - right[finite])
        least = 0.51 * np.spacing(np.abs(right[finite]).astype(x.dtype)).astype(np.float64)
        assert (off <= least + 2**-43 * size).all()


@pytest.mark.parametrize("op", ["logsumexp", "soft"])
def test_windows_far_below_others(op):
    """Next to what is much greater, each as if it were alone."""
    rng = np.random.default_rng(8)
    x = rng.standard_normal((1, 4, 30, 30), np.float32)
    x[:, 0, 10:12] = 1e4
    x[:, 1] *= 400
    x[:, 2, ::7] = -1e9
    x[:, 2, :, ::9] = 1e9
    x[:, 3, 15:, 15:] = -np.inf
    for last in (False, True):
        more = {"data_format": "channels_last" if last else "channels_first"}
        x = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x
        found = cypool.pool(x, op, (3, 3), 1, 1, **more)
        right = cypool.pool(x.astype(np.float64), op, (3, 3), 1, 1, **more)
        np.testing.assert_allclose(found, right, rtol=2**-23, atol=2**-40)


def test_zeros_are_sums_of_zeros():
    """What a rectifier leaves: windows of nothing but zeros."""
    x = np.maximum(np.random.default_rng(2).standard_normal((2, 3, 20, 20), np.float32) - 1, 0)
    found = cypool.pool(x, "soft", (2, 2))
    assert (found[cypool.pool(x, "max", (2, 2)) == 0] == 0).all()
    found = cypool.pool(x, "logsumexp", (2, 2), mean=True)
    assert (found[cypool.pool(x, "max", (2, 2)) == 0] == 0).all()


@pytest.mark.parametrize("threads", [2, 5])
@pytest.mark.parametrize("op", ["median", "logsumexp", "soft"])
def test_the_same_on_any_number_of_threads(op, threads):
    x = np.random.default_rng(3).standard_normal((1, 2, 300, 257), np.float32)
    found = cypool.pool(x, op, (5, 5), 1, 2, num_threads=threads)
    assert_same(found, cypool.pool(x, op, (5, 5), 1, 2, num_threads=1))


@pytest.mark.parametrize("op", ["median", "logsumexp", "soft"])
def test_nothing_around_the_array_counts(op):
    """It is NaN."""
    room = np.full((40, 60), np.nan, np.float32)
    x = room[7:30, 11:48]
    x[...] = np.random.default_rng(4).standard_normal(x.shape)
    for kernel, stride, dilation in ((3, 1, 1), (5, 2, 1), (4, 3, 2), (2, 2, 3)):
        padding = kernel // 2
        found = cypool.pool(x, op, (kernel, kernel), stride, padding, dilation, axes=(0, 1))
        assert not np.isnan(found).any()

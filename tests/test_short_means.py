"""Means of few integers of 8 and 16 bits: exact, half to even, whatever adds up to what."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from arrays import between_guards
from judging import assert_same

import cypool

SHORTS = ["int8", "uint8", "int16", "uint16"]
PLACES = {"channels_first": None, "channels_last": 40, "images": 3}


def exact_mean(total: np.ndarray, count: np.ndarray | int, dtype: str) -> np.ndarray:
    """Integers over integers, half to even, without a rounding on the way."""
    whole, rest = np.divmod(total, count)
    up = (2 * rest > count) | ((2 * rest == count) & (whole % 2 == 1))
    return (whole + up).astype(dtype)


def judge(x: np.ndarray, kernel: tuple[int, int], stride: int, padding: int,
          include_pad: bool) -> np.ndarray:
    """By the definition, of an array of (..., height, width)."""
    height, width = x.shape[-2:]
    sums, counts = [], []
    rows = range(0, height + 2 * padding - kernel[0] + 1, stride)
    columns = range(0, width + 2 * padding - kernel[1] + 1, stride)
    for top, left in itertools.product(rows, columns):
        ends = slice(max(top - padding, 0), max(top - padding + kernel[0], 0)), slice(
            max(left - padding, 0), max(left - padding + kernel[1], 0))
        seen = x[(..., *ends)].astype(np.int64)
        sums.append(seen.sum(axis=(-2, -1)))
        counts.append(kernel[0] * kernel[1] if include_pad else seen.shape[-2] * seen.shape[-1])
    means = exact_mean(np.stack(sums, -1), np.array(counts), str(x.dtype))
    return means.reshape(*x.shape[:-2], len(rows), len(columns))


def pooled(x: np.ndarray, place: str, *window, **more) -> np.ndarray:
    """Of planes: as they are, as channels of pixels, or three by three of them."""
    channels = PLACES[place]
    if channels is None:
        return cypool.avg_pool2d(x, *window, **more)
    count = x.shape[1]
    x = np.concatenate([x] * (-(-channels // count)), axis=1)[:, :channels]
    y = cypool.avg_pool2d(
        np.ascontiguousarray(np.moveaxis(x, 1, -1)), *window, data_format="channels_last", **more)
    return np.moveaxis(y, -1, 1)[:, :count]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kernel", [(2, 2), (3, 3), (2, 3), (3, 2), (1, 3)])
@pytest.mark.parametrize("dtype", SHORTS)
def test_every_sum_of_bytes_and_ties_of_all(dtype, kernel, place):
    """Windows side by side that add up to every sum there is, from the least to the greatest."""
    info, taps = np.iinfo(dtype), kernel[0] * kernel[1]
    totals = np.arange(taps * info.min, taps * info.max + 1, 1 if info.bits == 8 else 397)
    # Each sum spread over its taps as evenly as integers go.
    whole, rest = np.divmod(totals[:, None], taps)
    values = whole + (np.arange(taps) < rest)
    assert (values.sum(1) == totals).all()
    width = 64
    totals = np.pad(totals, (0, -len(totals) % width), mode="edge")
    values = np.pad(values, ((0, -len(values) % width), (0, 0)), mode="edge").astype(dtype)
    x = values.reshape(-1, width, *kernel).transpose(0, 2, 1, 3).reshape(
        1, 1, -1, width * kernel[1])
    right = exact_mean(totals, taps, dtype).reshape(1, 1, -1, width)
    assert_same(pooled(x, place, kernel), right)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("include_pad", [True, False])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [
    ((2, 2), 2, 1), ((2, 2), 1, 1), ((3, 3), 1, 0), ((3, 3), 1, 1), ((3, 3), 2, 0), ((3, 3), 2, 1),
    ((2, 3), 1, 1), ((3, 2), 2, 1), ((1, 3), 2, 0)])
@pytest.mark.parametrize("dtype", SHORTS)
def test_windows_of_any_border(dtype, kernel, stride, padding, include_pad, place):
    random, info = np.random.default_rng(1), np.iinfo(dtype)
    padding = min(padding, *(k // 2 for k in kernel)) if min(kernel) > 1 else 0
    for height, width in [(5, 5), (7, 9), (8, 16), (13, 35), (6, 70)]:
        x = random.integers(info.min, info.max, (2, 3, height, width), dtype, endpoint=True)
        x[0, 0] = info.max
        x[1, 1] = info.min
        right = judge(x, kernel, stride, padding, include_pad)
        more = {"count_include_pad": include_pad}
        assert_same(pooled(x, place, kernel, stride, padding, **more), right)


@pytest.mark.parametrize("dtype", SHORTS)
def test_windows_that_reach_beyond_the_padding(dtype):
    """The last ones of ceil_mode: the divisor counts the padding, and not what is beyond it."""
    x = np.full((1, 1, 6, 6), np.iinfo(dtype).max, dtype)
    y = cypool.avg_pool2d(x, 3, 2, ceil_mode=True)
    assert_same(y, np.full((1, 1, 3, 3), np.iinfo(dtype).max, dtype))


@pytest.mark.parametrize("dtype", SHORTS)
@pytest.mark.parametrize("by", [-3, 1, 2, 5, 9, 10, 1000])
def test_other_divisors_saturate(dtype, by):
    x = np.full((1, 2, 9, 40), np.iinfo(dtype).max, dtype)
    x[0, 1] = np.iinfo(dtype).min
    sums = 9 * x[..., :7, :38].astype(np.int64) * (-1 if by < 0 else 1)
    right = np.clip(
        exact_mean(sums, abs(by), "int64"), np.iinfo(dtype).min, np.iinfo(dtype).max)
    assert_same(cypool.avg_pool2d(x, 3, 1, divisor_override=by), right.astype(dtype))


@pytest.mark.parametrize("dtype", ["float16", "int16", "uint8"])
def test_values_of_a_photograph_side_by_side(dtype):
    """Pixels of two to sixty-three bytes: as of planes."""
    random = np.random.default_rng(2)
    for channels in (2, 3, 4, 5, 7, 16, 31):
        # (Sums of such halves are rounded.)
        x = (random.standard_normal((1, channels, 11, 23)) ** 5).astype(dtype) if (
            dtype == "float16") else random.integers(0, 100, (1, channels, 11, 23)).astype(dtype)
        for more in ({}, {"padding": 1}, {"padding": 1, "count_include_pad": False}):
            right = cypool.avg_pool2d(x, 3, 1, **more)
            y = cypool.avg_pool2d(
                np.ascontiguousarray(np.moveaxis(x, 1, -1)), 3, 1, data_format="channels_last",
                **more)
            assert_same(np.ascontiguousarray(np.moveaxis(y, -1, 1)), right)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("dtype", SHORTS)
def test_nothing_beside_the_arrays_is_touched(dtype, last):
    """Between pages that cannot be read, at either end."""
    random, info = np.random.default_rng(3), np.iinfo(dtype)
    layout = {"data_format": "channels_last" if last else "channels_first"}
    for i in range(120):
        planes, channels = random.integers(1, 4), random.choice([1, 2, 3, 4, 33, 64, 70])
        sides = random.integers(3, 40, 2)
        shape = (planes, *sides, channels) if last else (planes, channels, *sides)
        kernel = [(2, 2), (3, 3), (2, 3), (3, 2)][i % 4]
        stride, padding = random.integers(1, 3), random.integers(0, 2)
        more = {"count_include_pad": bool(i % 2), "ceil_mode": bool(i % 3), **layout}
        x = random.integers(info.min, info.max, shape, dtype, endpoint=True)
        right = cypool.avg_pool2d(x.astype(np.int64), kernel, stride, padding, **more)
        guarded, _memory = between_guards(x, at_end=i % 5 > 1)
        out, _room = between_guards(np.zeros(right.shape, dtype), at_end=i % 7 > 2)
        cypool.avg_pool2d(guarded, kernel, stride, padding, out=out, **more)
        assert_same(np.array(out), right.astype(dtype))

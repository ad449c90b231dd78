"""The windows networks are made of, on planes of every awkward size, against NumPy's own views.

The oracle is exact but slow, so its planes are small. Here `sliding_window_view` gives every
window of planes as large as fast paths are made for: small ones worked flat, rows with and
without a tail, long windows that share partial results.
"""

from __future__ import annotations

import itertools

import numpy as np
import oracle
import pytest
from arrays import make_values
from judging import assert_same
from registry import dtype_of

import cypool

WINDOWS = [  # kernel, stride, padding
    (2, 2, 0),
    (2, 1, 0),
    (2, 1, 1),
    (3, 1, 1),
    (3, 2, 1),
    (3, 2, 0),
    (3, 3, 0),
    (4, 4, 0),
    (5, 1, 2),
    (5, 3, 0),
    (7, 1, 3),
    (7, 2, 3),
    (9, 1, 4),
    (13, 1, 6),
    (16, 1, 0),
    (31, 1, 15),
]
PLANES = [
    *((n, n) for n in (7, 8, 14, 20, 35)),
    *((3, n) for n in (63, 64, 65, 131)),
    (64, 3),
    *((4, n) for n in range(15, 35)),
]
DTYPES = ["float32", "float64", "float16", "bfloat16", "uint8", "int8", "int16", "uint32", "int64"]
EPS = {"float64": 2.0**-53}


def windows_of(x: np.ndarray, kernel: int, stride: int, padding: int, fill: object) -> np.ndarray:
    """(outer, rows, columns, taps) of x with `fill` all around it."""
    pad = ((0, 0), (padding, padding), (padding, padding))
    padded = np.pad(x, pad, constant_values=fill)
    views = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))
    return views[:, ::stride, ::stride].reshape(*views[:, ::stride, ::stride].shape[:3], -1)


def arranged(x: np.ndarray, layout: str) -> np.ndarray:
    return x if layout == "channels_first" else np.ascontiguousarray(np.moveaxis(x, 0, -1))


def fits(plane: tuple[int, int], kernel: int, padding: int) -> bool:
    return min(plane) + 2 * padding >= kernel


def drawn(plane: tuple[int, int], dtype: str) -> list[np.ndarray]:
    """With many ties, with NaN and without, and with values that all differ."""
    shape = (2, *plane)
    kind = dtype_of(dtype)
    flavours = ("ties", "nan", "normal") if oracle.is_float(kind) else ("ties", "full")
    return [make_values(shape, kind, flavour, sum(plane)) for flavour in flavours]


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("window", WINDOWS, ids=lambda w: f"{w[0]}x{w[0]}s{w[1]}p{w[2]}")
def test_max(window, dtype, layout):
    kernel, stride, padding = window
    for plane in PLANES:
        if not fits(plane, kernel, padding):
            continue
        for x in drawn(plane, dtype):
            wide = x.astype(np.float64) if oracle.is_float(x.dtype) else x
            lowest = -np.inf if oracle.is_float(x.dtype) else oracle.iinfo_range(x.dtype)[0]
            taps = windows_of(wide, kernel, stride, padding, lowest)
            flat = np.arange(plane[0] * plane[1]).reshape(1, *plane)
            places = windows_of(flat, kernel, stride, padding, -1)
            # argmax takes the first NaN, else the first of equals; -1 marks the padding, which
            # must not be first where everything is as low as it is.
            taps = np.where(places >= 0, taps, lowest)
            first = np.argmax(taps, axis=-1)
            real = np.argmax(places >= 0, axis=-1)
            chosen = np.take_along_axis(places + np.zeros_like(taps, int), first[..., None], -1)
            start = np.take_along_axis(places, real[..., None], -1)
            indices = np.where(chosen >= 0, chosen, start)[..., 0]
            values = np.take_along_axis(taps, first[..., None], -1)[..., 0].astype(x.dtype)
            where = {"data_format": layout, "num_threads": 1}
            arguments = (arranged(x, layout), kernel, stride, padding)
            got = cypool.max_pool2d(*arguments, return_indices=True, **where)
            assert_same(got[0], arranged(values, layout))
            assert_same(got[1], arranged(indices, layout))
            assert_same(cypool.max_pool2d(*arguments, **where), got[0])


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("window", WINDOWS, ids=lambda w: f"{w[0]}x{w[0]}s{w[1]}p{w[2]}")
def test_avg(window, dtype, layout):
    kernel, stride, padding = window
    for plane in PLANES:
        if not fits(plane, kernel, padding):
            continue
        x = drawn(plane, dtype)[0 if dtype in ("int64", "uint32") else -1]
        floating = oracle.is_float(x.dtype)
        taps = windows_of(x.astype(np.float64), kernel, stride, padding, 0)
        sums = taps.sum(axis=-1)
        got = cypool.avg_pool2d(
            arranged(x, layout), kernel, stride, padding, data_format=layout, num_threads=1
        )
        assert got.dtype == x.dtype
        expected = sums / kernel**2
        if not floating:  # exact: these sums are far below 2**53
            assert_same(got, arranged(np.rint(expected), layout).astype(x.dtype))
            continue
        eps = EPS.get(dtype, 2.0**-24)
        bound = 4 * eps * np.abs(taps).sum(axis=-1) / kernel**2
        bound += oracle.half_ulp(expected, oracle.accumulator(x.dtype))
        if dtype in ("float16", "bfloat16"):
            bound += oracle.half_ulp(expected, x.dtype)
        if dtype == "float64":  # the expected sums were rounded as well
            bound *= 2
        distance = np.abs(got.astype(np.float64) - arranged(expected, layout))
        assert (distance <= arranged(bound, layout)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("rows", [7, 8, 9, 15, 16, 17, 18, 24, 31, 32, 33, 48, 63, 64, 65, 130])
def test_windows_of_many_rows(rows, dtype):
    """Windows over two axes that are not the innermost: rows are reduced in groups, and shared."""
    for planes, stride, padding in itertools.product((1, 2, 3), (1, 2), (0, 1)):
        x = make_values((rows + 3, planes + 2, 5), np.dtype(dtype), "distinct", rows)
        lowest = -np.inf if oracle.is_float(x.dtype) else 0
        around = ((padding, padding), (0, 0), (0, 0))
        padded = np.pad(x, around, constant_values=lowest)
        taps = np.lib.stride_tricks.sliding_window_view(padded, (rows, planes, 1))[::stride]
        window = ((rows, planes, 1), (stride, 1, 1), (padding, 0, 0))
        values, indices = cypool.max_pool3d(x[None], *window, return_indices=True)
        assert_same(values[0], taps.max(axis=(3, 4, 5)))
        assert_same(x.ravel()[indices[0]], values[0])  # all values differ, if they can
        assert_same(cypool.max_pool3d(x[None], *window), values)
        padded = np.pad(x, around).astype(np.float64)
        taps = np.lib.stride_tricks.sliding_window_view(padded, (rows, planes, 1))[::stride]
        means = taps.sum(axis=(3, 4, 5)) / (rows * planes)  # exact up to the division
        got = cypool.avg_pool3d(x[None], *window)[0]
        if dtype == "uint8":
            assert_same(got, np.rint(means).astype(np.uint8))
        else:
            eps = EPS.get(dtype, 2.0**-24)
            bound = 4 * eps * np.abs(taps).sum(axis=(3, 4, 5)) / (rows * planes)
            bound += 2 * oracle.half_ulp(means, np.dtype(dtype))
            assert (np.abs(got - means) <= bound).all()

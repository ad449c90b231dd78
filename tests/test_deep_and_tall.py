"""Windows of many slabs and many rows: two trees of lines, one within the other."""

from __future__ import annotations

import numpy as np
import pytest
from judging import assert_same

import cypool

WINDOWS = [  # shape, kernel, stride
    ((1, 1, 34, 67, 2000), (33, 66, 1), (1, 1, 1)),
    ((1, 2, 41, 75, 900), (40, 70, 3), (40, 2, 1)),
    ((1, 1, 70, 140, 300), (66, 130, 2), (3, 130, 2)),
    ((1, 1, 140, 36, 700), (135, 34, 1), (2, 1, 1)),
    ((1, 1, 34, 67, 2000), (33, 66, 1), (33, 66, 1)),
    ((1, 1, 34, 35, 20000), (33, 34, 20000), (1, 1, 1)),
    ((2, 1, 36, 40, 12), (33, 35, 2), (1, 2, 3)),
]


def separately(x: np.ndarray, op: str, kernel: tuple[int, ...], stride: tuple[int, ...]):
    """Axis after axis: of whole numbers, and extremes, that is the same."""
    for axis, (k, s) in enumerate(zip(kernel, stride, strict=True), start=2):
        seen = np.lib.stride_tricks.sliding_window_view(x, k, axis)
        seen = seen[(slice(None),) * axis + (slice(None, None, s),)]
        x = getattr(np, op)(seen, axis=-1)
    return x


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float32", "float64"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_as_axis_after_axis(window, dtype, data_format):
    shape, kernel, stride = window
    rng = np.random.default_rng(6)
    x = rng.integers(0, 100, shape).astype(dtype)
    # (A window holds thousands: few that are not zero leave something to find.)
    rare = np.where(rng.random(shape) < 1e-3, x, x.dtype.type(0))

    def pool(x: np.ndarray, op: str) -> np.ndarray:
        if data_format == "channels_last":
            x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
        y = cypool.pool(x, op, kernel, stride, data_format=data_format)
        return np.moveaxis(y, -1, 1) if data_format == "channels_last" else y

    for op, values in (("max", rare), ("min", 99 - rare)):
        assert_same(pool(values, op), separately(values, op, kernel, stride))
    wide = np.float64 if dtype.startswith("float") else np.int64
    total = separately(x.astype(wide), "sum", kernel, stride)
    if dtype != "float16":
        assert_same(pool(x, "sum"), total.astype(pool(x, "sum").dtype))
    if dtype in ("float32", "float64"):
        # (Sums are exact: what is left is to divide them.)
        mean, eps = total / np.prod(kernel), np.finfo(dtype).eps
        np.testing.assert_allclose(pool(x, "avg"), mean, rtol=eps, atol=0)
        rare[0, 0, 0, 0, 0] = rare[0, 0, -1, -1, -1] = rare[0, 0, 20, 30, 5] = np.nan
        for op, values in (("max", rare), ("min", 99 - rare)):
            assert_same(pool(values, op), separately(values, op, kernel, stride))

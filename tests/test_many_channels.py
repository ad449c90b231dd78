"""Channels last with more channels than a tile has, or than a line has room for under wide windows:
as a few of them at a time."""

from __future__ import annotations

import numpy as np
import pytest
from arrays import make_values
from judging import assert_same
from registry import dtype_of

import cypool

# Channels: tiles of 2048 and less with a rest, lines that are cut again and again, one tile of all.
CHANNELS = [1001, 2049, 2560, 5003, 8193, 9000]
WINDOWS = [  # kernel, stride, padding
    ((3, 3), 1, 1), ((3, 3), 2, (0, 1)), ((2, 2), 2, 1), ((5, 4), (1, 2), 2), ((1, 9), 1, (0, 4)),
    ((9, 2), 1, (4, 0)), ((9, 9), (1, 2), 4), ((3, 11), 1, (0, 5)),
]
PIECE = 97
LAST = {"data_format": "channels_last"}


def in_pieces(pooled, *arrays):
    """What `pooled` makes of a few channels at a time."""
    channels = arrays[0].shape[-1]
    found = [pooled(*(np.ascontiguousarray(a[..., c:c + PIECE]) for a in arrays))
             for c in range(0, channels, PIECE)]
    return np.concatenate(found, axis=-1)


def assert_near(found, expected):
    """Equal, but for the order of additions."""
    if found.dtype.kind in "iu":
        assert_same(found, expected)
        return
    scale = float(np.abs(expected).max())
    np.testing.assert_allclose(found, expected, 0, 8 * np.finfo(found.dtype).eps * scale)


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8", "int64"])
@pytest.mark.parametrize("op", ["max", "min", "avg", "sum"])
def test_windows(op, dtype, channels):
    for i, (kernel, stride, padding) in enumerate(WINDOWS):
        x = make_values((1, 10, 11, channels), dtype_of(dtype),
                        "normal" if dtype.startswith("f") else "edges", i)
        same = assert_same if op in ("max", "min") else assert_near

        def pooled(array, window=(kernel, stride, padding)):
            with np.errstate(over="ignore"):
                return cypool.pool(array, op, *window, ceil_mode=True, **LAST)

        same(pooled(x), in_pieces(pooled, x))


@pytest.mark.parametrize("channels", CHANNELS)
def test_indices_and_gradients(channels):
    x = make_values((1, 10, 11, channels), np.dtype("float32"), "ties", 0)
    for window in WINDOWS:
        def indices(array, window=window):
            return cypool.max_pool2d(array, *window, return_indices=True, **LAST)[1]

        def largest(grad, array, window=window):
            return cypool.max_pool2d_backward(grad, array, *window, **LAST)

        def average(grad, array, window=window):
            return cypool.avg_pool2d_backward(grad, array, *window, **LAST)

        assert_same(indices(x), in_pieces(indices, x))
        grad = make_values(indices(x).shape, x.dtype, "normal", 1)
        assert_near(largest(grad, x), in_pieces(largest, grad, x))
        assert_near(average(grad, x), in_pieces(average, grad, x))


@pytest.mark.parametrize("channels", [2049, 8193])
@pytest.mark.parametrize("op", ["lp", "gem", "logsumexp", "median"])
def test_other_reducers(op, channels):
    x = make_values((1, 7, 8, channels), np.dtype("float32"), "normal", 2)
    variant = {"p": 2} if op in ("lp", "gem") else {}

    def pooled(array):
        return cypool.pool(array, op, (3, 3), 1, 1, **variant, **LAST)

    assert_near(pooled(x), in_pieces(pooled, x))


@pytest.mark.parametrize("channels", [2049, 5003])
def test_volumes_and_tables(channels):
    x = make_values((1, 4, 5, 6, channels), np.dtype("float32"), "normal", 3)
    for op in ("max", "avg"):
        def sliding(array, op=op):
            return cypool.pool(array, op, (2, 3, 3), (1, 2, 1), 1, **LAST)

        def adaptive(array, op=op):
            return cypool.adaptive_pool(array, op, (3, 2, 4), **LAST)

        assert_near(sliding(x), in_pieces(sliding, x))
        assert_near(adaptive(x), in_pieces(adaptive, x))

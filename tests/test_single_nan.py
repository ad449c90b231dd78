"""A single NaN, at every place in turn: windows look for it as they read rows and slabs."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from judging import assert_same

import cypool

POOLS = {
    "rows side by side": ((1, 2, 12, 21), partial(cypool.pool, kernel_size=(4, 4))),
    "tall": ((1, 2, 15, 9), partial(cypool.pool, kernel_size=(6, 2), stride=(5, 2))),
    "many rows": ((1, 3, 75, 3), partial(cypool.pool, kernel_size=(37, 3))),
    "apart": ((1, 2, 13, 17), partial(cypool.pool, kernel_size=(5, 5), stride=7, padding=2)),
    "dilated": ((1, 2, 14, 14), partial(cypool.pool, kernel_size=(4, 4), stride=4, dilation=2)),
    "a plane": ((3, 5, 9, 7), cypool.global_pool),
    "planes in parts": ((1, 2, 11, 13), partial(cypool.adaptive_pool, output_size=(3, 4))),
    "blocks": ((1, 2, 6, 7, 9), partial(cypool.pool, kernel_size=(2, 2, 2))),
    "blocks that overlap": (
        (1, 2, 5, 7, 9), partial(cypool.pool, kernel_size=(3,) * 3, stride=2, padding=1)),
    "blocks one apart": ((1, 1, 5, 6, 9), partial(cypool.pool, kernel_size=(3,) * 3, stride=1)),
    "slabs": ((1, 1, 12, 5, 7), partial(cypool.pool, kernel_size=(6, 1, 1))),
    "a volume": ((2, 2, 4, 5, 7), cypool.global_pool),
}


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", ["max", "min"])
@pytest.mark.parametrize("name", POOLS)
def test_it_is_the_extreme_of_its_windows_alone(name, op, dtype, data_format):
    shape, call = POOLS[name]
    x = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    if data_format == "channels_last":
        x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    call = partial(call, op=op, data_format=data_format)
    right = call(x)
    marks = np.full(x.shape, op == "min", np.uint8)
    for at in np.ndindex(x.shape):
        was = x[at]
        x[at], marks[at] = np.nan, op == "max"
        seen = call(marks) == marks[at]
        assert_same(call(x), np.where(seen, np.dtype(dtype).type(np.nan), right))
        x[at], marks[at] = was, op == "min"


@pytest.mark.parametrize("name", POOLS)
def test_infinities_of_both_signs_are_no_nan(name):
    """Their sum is one, so that all is looked through once more."""
    shape, call = POOLS[name]
    x = np.random.default_rng(2).choice(np.array([-np.inf, 1, np.inf], np.float32), shape)
    ranks = np.searchsorted([-np.inf, 1, np.inf], x).astype(np.uint8)
    for op in ("max", "min"):
        expected = np.array([-np.inf, 1, np.inf], np.float32)[call(ranks, op=op)]
        assert_same(call(x, op=op), expected)

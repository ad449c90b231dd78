"""Pixels of a few values: as with channels first, and nothing beside the arrays is touched."""

from __future__ import annotations

import itertools

import numpy as np
import oracle
import pytest
from arrays import between_guards, make_values
from judging import assert_same
from registry import dtype_of

import cypool

DTYPES = ["float16", "float32", "float64", "uint8", "int8", "int16", "uint16", "int32", "int64",
          "uint64"]
WINDOWS = [  # kernel, stride, padding, dilation
    (3, 1, 1, 1), (3, 1, 0, 1), ((2, 3), 1, (0, 1), 1), ((1, 3), (2, 1), 0, 1), (3, (2, 1), 1, 1),
    (3, 1, 1, 2), (2, 2, 0, 1), (2, 2, 1, 1), (3, 2, 1, 1), ((3, 2), 2, (1, 0), 1), (2, 2, 0, 2),
]
SIZES = [(9, 31), (20, 5), (3, 130)]


def flavours_of(kind: np.dtype) -> tuple[str, ...]:
    return ("normal", "nan", "ties") if oracle.is_float(kind) else ("full", "edges")


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize(("op", "dtype"), [
    *itertools.product(["max", "min", "avg", "sum"], DTYPES), ("lp", "float32"),
    ("lp", "float64")])
@pytest.mark.parametrize("values", [2, 3, 4, 7])
def test_as_with_channels_first(op, dtype, window, values):
    kernel, stride, padding, dilation = window
    kernel = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    kind = dtype_of(dtype)
    if kernel == (2, 2) and padding == 1 and op == "avg":
        variants = [{"count_include_pad": False}, {"divisor_override": 3}]
    else:
        variants = [{}, {"ceil_mode": True}]
    for size in SIZES:
        for flavour in flavours_of(kind):
            x = make_values((2, values, *size), kind, flavour, sum(size))
            last, _memory = between_guards(np.moveaxis(x, 1, -1), at_end=values != 4)
            for more in variants:
                arguments = (op, kernel, stride, padding, dilation)
                if op == "lp":
                    more = {**more, "p": 2}
                expected = cypool.pool(x, *arguments, **more)
                found = cypool.pool(last, *arguments, data_format="channels_last", **more)
                found = np.moveaxis(found, -1, 1)
                if op == "lp":      # whose squares are added up in another type, or not
                    np.testing.assert_allclose(found, expected, 4 * np.finfo(kind).eps)
                else:
                    assert_same(found, expected)
                found = np.moveaxis(found, 1, -1)
                out, _room = between_guards(np.zeros_like(found), at_end=values != 4)
                cypool.pool(last, *arguments, data_format="channels_last", out=out, **more)
                assert_same(out, found)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16"])
@pytest.mark.parametrize("values", [1, 2, 3, 4, 5, 31])
def test_means_of_two_by_two_round_half_to_even(dtype, values):
    for width in (2, 6, 7, 33, 64, 130, 261):
        x = make_values((3, 5, width, values), np.dtype(dtype), "full", width)
        x[0] = np.arange(x[0].size).reshape(x[0].shape) % 7     # every fraction, many halves
        sums = x[:, :4, :width // 2 * 2].astype(np.int64).reshape(
            3, 2, 2, width // 2, 2, values).sum((2, 4))
        found = cypool.avg_pool2d(x, 2, data_format="channels_last")
        assert found.dtype == x.dtype
        np.testing.assert_array_equal(found, np.rint(sums / 4))


@pytest.mark.parametrize("op", ["max", "min"])
@pytest.mark.parametrize("values", [2, 3, 4, 7])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_nan_is_kept_wherever_it_lies(op, dtype, values):
    x = np.random.default_rng(0).standard_normal((1, 6, 9, values)).astype(dtype)
    most = np.inf if op == "max" else -np.inf
    for kernel, *more in ((3, 1, 1), (3, 1, 0), (3, 1, 1, 2), (2, 2, 0), (3, 2, 0)):
        def pooled(array, window=((kernel, kernel), *more)):
            return cypool.pool(array, op, *window, data_format="channels_last")

        plain = pooled(x)
        for at in np.ndindex(x.shape):
            kept = x[at]
            x[at] = most
            seen = np.isinf(pooled(x))
            x[at] = np.nan
            assert_same(pooled(x), np.where(seen, np.array(np.nan, dtype), plain))
            x[at] = kept

"""Small planes with a window of three by three around each element: together as each alone."""

from __future__ import annotations

import itertools

import numpy as np
import oracle
import pytest
from arrays import between_guards, make_values
from judging import assert_same
from registry import dtype_of

import cypool

DTYPES = ["float16", "float32", "float64", "uint8", "int8", "int16", "uint16", "int32", "uint32",
          "int64", "uint64"]
PLANES = [(7, 7), (1, 5), (5, 1), (2, 12), (12, 2), (8, 8), (3, 11)]
AROUND = ((3, 3), 1, 1)
VARIANTS = {
    "max": [{}], "min": [{}], "sum": [{}], "lp": [{"p": 2}], "gem": [{"p": 2}],
    "avg": [{}, {"count_include_pad": False}, {"divisor_override": -3}],
}


@pytest.mark.parametrize("plane", PLANES, ids=str)
@pytest.mark.parametrize(("op", "dtype"), [
    *itertools.product(["max", "min", "avg", "sum"], DTYPES),
    *itertools.product(["lp", "gem"], ["float32", "float64"])])
def test_as_one_plane_at_a_time(op, dtype, plane):
    kind = dtype_of(dtype)
    for planes in (2, 3, 41, 150):
        for flavour in ("normal", "nan", "wide") if oracle.is_float(kind) else ("full", "edges"):
            x, _memory = between_guards(
                make_values((1, planes, *plane), kind, flavour, planes), at_end=planes % 2 > 0)
            for variant in VARIANTS[op]:
                alone = [cypool.pool(x[:, i:i + 1], op, *AROUND, **variant) for i in range(planes)]
                expected = np.concatenate(alone, axis=1)
                out, _room = between_guards(np.zeros_like(expected), at_end=planes % 2 > 0)
                cypool.pool(x, op, *AROUND, out=out, **variant)
                assert_same(out, expected)


@pytest.mark.parametrize("window", [
    ((2, 2), 2, 0, 1, True), ((3, 3), 2, 1), ((5, 5), 3, 2), ((1, 3), (1, 2), (0, 1)),
    ((2, 2), 1, 1)], ids=str)
@pytest.mark.parametrize(("op", "dtype"), [
    *itertools.product(["max", "avg"], [*DTYPES, "bfloat16"]),
    *itertools.product(["lp", "gem"], ["float16", "float32", "float64"])])
def test_other_windows_as_one_plane_at_a_time(op, dtype, window):
    """Planes whose windows at the border have divisors of their own among them."""
    kind = dtype_of(dtype)
    for plane, planes in itertools.product([(7, 7), (5, 9), (14, 13)], (2, 67)):
        x = make_values(
            (1, planes, *plane), kind, "normal" if oracle.is_float(kind) else "full", planes)
        for variant in VARIANTS[op]:
            expected = np.concatenate([
                cypool.pool(x[:, i:i + 1], op, *window, **variant) for i in range(planes)], axis=1)
            assert_same(cypool.pool(x, op, *window, **variant), expected)
            # With room between the planes, and between the rows.
            wide = np.zeros((1, 2 * planes, expected.shape[2], 2 * expected.shape[3]), kind)
            out = wide[:, ::2]
            for view in (out[..., :expected.shape[3]], out[..., ::2]):
                cypool.pool(x, op, *window, out=view, **variant)
                assert_same(view, expected)


@pytest.mark.parametrize("op", ["max", "avg"])
def test_planes_that_lie_otherwise(op):
    x = make_values((3, 20, 7, 6), np.dtype("float32"), "normal", 0)
    expected = cypool.pool(x, op, *AROUND)
    for view in (np.s_[:, ::-1], np.s_[:, :, ::-1], np.s_[..., ::-1], np.s_[:, ::3], np.s_[1:2]):
        assert_same(cypool.pool(x[view], op, *AROUND), cypool.pool(x[view].copy(), op, *AROUND))
        wide = np.zeros((3, 40, 9, 12), np.float32)
        cypool.pool(x, op, *AROUND, out=wide[:, ::2, 1:-1, ::2])
        assert_same(wide[:, ::2, 1:-1, ::2], expected)
    assert_same(cypool.pool(np.asfortranarray(x), op, *AROUND), expected)


@pytest.mark.parametrize("op", ["max", "min"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_nan_is_kept_wherever_it_lies(op, dtype):
    x = np.random.default_rng(0).standard_normal((1, 3, 4, 5)).astype(dtype)
    plain = cypool.pool(x, op, *AROUND)
    for at in np.ndindex(x.shape):
        kept = x[at]
        x[at] = np.nan
        expected = plain.copy()
        rows, columns = (slice(max(i - 1, 0), i + 2) for i in at[2:])
        expected[at[0], at[1], rows, columns] = np.nan
        assert_same(cypool.pool(x, op, *AROUND), expected)
        x[at] = kept

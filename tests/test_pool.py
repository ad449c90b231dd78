"""`pool`: any axes of any array, operators by name, and the named functions as forms of it."""

from __future__ import annotations

import itertools

import numpy as np
import oracle
import pytest
from arrays import make_values
from judging import assert_matches, assert_same
from registry import NAMED, REGISTRY

import cypool

FLOAT = np.dtype(np.float32)
# (Draws are of no use here: test_each.py.)
OPS = sorted({operator.op for operator in REGISTRY if operator.name == "pool"} - {"stochastic"})
OF_FLOATS = [op for op in OPS if op != "mode"]


def selects(op: str) -> bool:
    return op in ("max", "min", "median", "mode")


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_named_functions_are_forms_of_pool(operator, data_format):
    n = operator.ndim
    x = make_values((2, 3) + (7,) * n if n < 3 else (2, 2, 5, 6, 7), FLOAT, "normal", 1)
    window = {"stride": 2, "padding": 1, "ceil_mode": True, "data_format": data_format}
    expected = operator.forward(x, 3, **window)
    assert_same(cypool.pool(x, operator.op, (3,) * n, **window), expected)
    gradient = operator.backward(expected, x, 3, **window)
    by_pool = cypool.pool_backward(expected, x, operator.op, (3,) * n, **window)
    assert_same(by_pool, gradient)


@pytest.mark.parametrize("op", OPS)
def test_any_one_two_or_three_axes(op):
    x = make_values((3, 4, 5, 6), np.dtype(np.int16), "full", 2)
    sizes = {0: 2, 1: 3, 2: 1, 3: 4}
    for count in (1, 2, 3):
        for axes in itertools.permutations(range(4), count):
            kernel = tuple(sizes[axis] for axis in axes)
            expected = oracle.pool(x, op, kernel, 1, axes=axes)
            assert_matches(cypool.pool(x, op, kernel, 1, axes=axes), expected)
            if selects(op):
                from_the_end = tuple(axis - 4 for axis in axes)
                result = cypool.pool(x, op, kernel, 1, axes=from_the_end, return_indices=True)
                assert_same(result[0], expected.values)
                assert_same(result[1], expected.indices)


@pytest.mark.parametrize("op", OF_FLOATS)
def test_arguments_follow_the_order_of_the_axes(op):
    x = make_values((2, 9, 8, 7), FLOAT, "normal", 3)
    straight = cypool.pool(x, op, (2, 3), (1, 2), ((0, 1), (2, 0)), (1, 2), axes=(1, 3))
    swapped = cypool.pool(x, op, (3, 2), (2, 1), ((2, 0), (0, 1)), (2, 1), axes=(3, 1))
    assert_same(swapped, straight)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("shape", [(6,), (6, 5), (2, 3, 2, 2, 6, 2, 3)], ids=str)
def test_any_number_of_other_axes(op, shape):
    x = make_values(shape, np.dtype(np.int32), "ties", 4)
    axis = shape.index(6)
    assert_matches(cypool.pool(x, op, 2, axes=(axis,)), oracle.pool(x, op, 2, axes=(axis,)))
    many = make_values((2,) * 12 + (6,), np.dtype(np.uint8), "full", 5).transpose()
    assert_matches(cypool.pool(many, op, 3, axes=(0,)), oracle.pool(many, op, 3, axes=(0,)))


def test_mean_is_avg():
    x = make_values((2, 3, 8), FLOAT, "normal", 6)
    assert_same(cypool.pool(x, "mean", (3,)), cypool.pool(x, "avg", (3,)))
    gradient = cypool.pool(x, "avg", (3,))
    assert_same(
        cypool.pool_backward(gradient, x, "mean", (3,)),
        cypool.pool_backward(gradient, x, "avg", (3,)),
    )


@pytest.mark.parametrize("op", ["max", "min", "avg", "sum"])
def test_min_and_max_and_sum_and_avg_agree(op):
    """Each operator by way of another."""
    x = make_values((2, 3, 9), np.dtype(np.int64), "ties", 7)
    ways = {
        "min": lambda: -cypool.pool(-x, "max", (3,)),
        "max": lambda: -cypool.pool(-x, "min", (3,)),
        "sum": lambda: cypool.pool(x, "avg", (3,), divisor_override=1),
        "avg": lambda: np.rint(cypool.pool(x, "sum", (3,)) / 3).astype(np.int64),
    }
    assert_same(cypool.pool(x, op, (3,)), ways[op]())


@pytest.mark.parametrize(
    ("axes", "error"),
    [
        ((), ValueError),
        ((0, 0), ValueError),
        ((0, -3), ValueError),
        ((0, 1, 2, 1), ValueError),
        ((3,), ValueError),
        ((-4,), ValueError),
        ((0.0,), TypeError),
        ("0", TypeError),
        ((None,), TypeError),
    ],
    ids=repr,
)
def test_axes_that_are_none(axes, error):
    x = np.zeros((4, 4, 4), np.float32)
    with pytest.raises(error, match=r"^axes must .+, got "):
        cypool.pool(x, "max", 2, axes=axes)
    with pytest.raises(error, match=r"^axes must .+, got "):
        cypool.pool_backward(np.zeros((2, 4, 4), np.float32), x, "max", 2, axes=axes)


@pytest.mark.parametrize(
    ("op", "error"), [("median2", ValueError), ("", ValueError), (3, TypeError)]
)
def test_unknown_operators_list_the_known(op, error):
    with pytest.raises(error, match=r"^op must be one of .*'avg'.*'max'.*'min'.*'sum'.*, got "):
        cypool.pool(np.zeros((1, 4), np.float32), op, (2,))


@pytest.mark.parametrize(
    ("op", "keyword"),
    [
        ("max", {"divisor_override": 2}),
        ("min", {"count_include_pad": True}),
        ("sum", {"divisor_override": 2}),
        ("avg", {"p": 2}),
        ("max", {"dtype": np.float64}),
    ],
)
def test_keywords_of_other_operators(op, keyword):
    x = np.zeros((1, 4), np.float32)
    (name,) = keyword
    with pytest.raises(TypeError, match=rf"^{name} must "):
        cypool.pool(x, op, (2,), **keyword)
    with pytest.raises(TypeError, match=rf"^{name} must "):
        cypool.pool_backward(np.zeros((1, 2), np.float32), x, op, (2,), **keyword)


@pytest.mark.parametrize("op", ["avg", "sum"])
def test_sums_have_no_indices(op):
    x = np.zeros((1, 4), np.float32)
    with pytest.raises(TypeError, match=r"^return_indices must "):
        cypool.pool(x, op, (2,), return_indices=True)
    with pytest.raises(TypeError, match=r"^indices must "):
        cypool.pool_backward(
            np.zeros((1, 2), np.float32), x, op, (2,), indices=np.zeros((1, 2), np.int64)
        )


def test_without_axes_the_kernel_tells_their_number():
    with pytest.raises(ValueError, match=r"^kernel_size must be a tuple .*, got 2$"):
        cypool.pool(np.zeros((1, 4), np.float32), "max", 2)


# ---------------------------------------------------------------- mask


@pytest.mark.parametrize("op", OF_FLOATS)
def test_mask_of_everything_changes_nothing(op):
    x = make_values((2, 3, 9, 8), FLOAT, "normal", 8)
    result = cypool.pool(x, op, (3, 2), mask=np.ones((9, 8), bool))
    assert_matches(result, oracle.pool(x, op, (3, 2), axes=(2, 3)))


@pytest.mark.parametrize(
    ("mask", "error"),
    [
        (np.ones((4, 4)), TypeError),
        (np.ones((4, 4), np.uint8), TypeError),
        (np.ones((3, 4), bool), ValueError),
        (np.ones((2, 1, 3, 4, 4), bool), ValueError),
        ("mask", TypeError),
    ],
    ids=["float", "uint8", "shape", "ndim", "text"],
)
def test_masks_that_are_none(mask, error):
    out = np.full((1, 3, 2, 2), 77, np.float32)
    with pytest.raises(error, match=r"^mask must .+, got "):
        cypool.pool(np.zeros((1, 3, 4, 4), np.float32), "max", (2, 2), mask=mask, out=out)
    assert (out == 77).all()

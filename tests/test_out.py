"""out=: results land in the caller's array, or nothing is written at all."""

from __future__ import annotations

import re

import numpy as np
import pytest
from arrays import MEMORY, make_values
from geometries import calls
from hypothesis import given
from hypothesis import strategies as st
from judging import assert_same
from registry import NAMED, OPERATORS, SELECTIONS, Operator, with_dtypes

MARK = 77
SIDE = 6
# Ways to lay an array out that leave it writeable and its elements apart.
WRITEABLE = tuple(
    kind
    for kind in MEMORY
    if kind not in ("broadcast", "broadcast_first", "read_only", "misaligned")
)


def example(operator: Operator) -> tuple[np.ndarray, tuple[int, ...], tuple[int, ...]]:
    """An array, the kernel, and the result's shape."""
    n = operator.ndim or 2
    x = make_values((2, 3) + (SIDE,) * n, np.dtype(np.float32), "normal", 8)
    return x, (2,) * n, (2, 3) + (SIDE // 2,) * n


@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(OPERATORS))
@given(data=st.data())
def test_results_land_in_out(operator, dtype, data):
    call = data.draw(calls(operator, dtype))
    kind = data.draw(st.sampled_from(WRITEABLE))
    plain = call.forward()
    out = MEMORY[kind](np.full(plain.shape, 1, plain.dtype))
    strides = out.strides
    assert call.forward(out=out) is out
    assert out.strides == strides
    assert_same(out, plain)

    grad_output = make_values(plain.shape, np.dtype(np.float32), "normal", 9)
    gradient = call.backward(grad_output)
    grad_out = MEMORY[kind](np.full(call.x.shape, MARK, np.float32))
    assert call.backward(grad_output, out=grad_out) is grad_out
    assert_same(grad_out, gradient)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_nothing_around_out_is_written(operator):
    x, kernel, shape = example(operator)
    larger = np.full([3 * n for n in shape], MARK, np.float32)
    inside = tuple(slice(n, 2 * n) for n in shape)
    operator.forward(x, *operator.leading, kernel, out=larger[inside])
    assert_same(larger[inside].copy(), operator.forward(x, *operator.leading, kernel))
    larger[inside] = MARK
    assert (larger == MARK).all()


@pytest.mark.parametrize("operator", SELECTIONS, ids=lambda operator: operator.id)
def test_pairs(operator):
    """With indices out is a pair, and either may be None."""
    x, kernel, shape = example(operator)
    arguments = (x, *operator.leading, kernel)
    values, indices = operator.forward(*arguments, return_indices=True)
    for want_values in (True, False):
        for want_indices in (True, False):
            out = (
                np.full(shape, MARK, np.float32) if want_values else None,
                np.full(shape, MARK, np.int64) if want_indices else None,
            )
            result = operator.forward(*arguments, return_indices=True, out=out)
            assert type(result) is tuple
            for got, given_out, right in zip(result, out, (values, indices), strict=True):
                assert given_out is None or got is given_out
                assert_same(got, right)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_out_of_another_shape(operator):
    x, kernel, shape = example(operator)
    for wrong in (shape[:-1], (*shape[:-1], SIDE), (1, *shape), (1, *shape[1:]), (0,)):
        out = np.full(wrong, MARK, np.float32)
        wanted = rf"^out must .*{re.escape(str(shape))}.*, got .*{re.escape(str(wrong))}"
        with pytest.raises(ValueError, match=wanted):
            operator.forward(x, *operator.leading, kernel, out=out)
        assert (out == MARK).all()
    out = np.full(shape, MARK, np.float32)
    gradient = np.ones(shape, np.float32)
    with pytest.raises(ValueError, match=rf"^out must .*{re.escape(str(x.shape))}.*, got "):
        operator.backward(gradient, x, *operator.leading, kernel, out=out)
    assert (out == MARK).all()


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "bool", "object", ">f4"])
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_out_of_another_dtype(operator, dtype):
    x, kernel, shape = example(operator)
    out = np.full(shape, 1, dtype)
    shown = re.escape(dtype)
    with pytest.raises(TypeError, match=rf"^out must .*float32.*, got {shown}"):
        operator.forward(x, *operator.leading, kernel, out=out)
    assert (out == 1).all()
    grad_out = np.full(x.shape, 1, dtype)
    with pytest.raises(TypeError, match=rf"^out must .*float32.*, got {shown}"):
        operator.backward(out.astype(np.float32), x, *operator.leading, kernel, out=grad_out)
    assert (grad_out == 1).all()


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_read_only_out(operator):
    x, kernel, shape = example(operator)
    out = np.full(shape, MARK, np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match=r"^out must be .*writeable.*, got .*read-only"):
        operator.forward(x, *operator.leading, kernel, out=out)
    assert (out == MARK).all()
    out = np.full(x.shape, MARK, np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match=r"^out must be .*writeable.*, got .*read-only"):
        operator.backward(np.ones(shape, np.float32), x, *operator.leading, kernel, out=out)
    assert (out == MARK).all()


@pytest.mark.parametrize("out", [3, [1.0], "out", (), (None, None)], ids=repr)
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_out_that_is_no_array(operator, out):
    x, kernel, _ = example(operator)
    with pytest.raises(TypeError, match=rf"^out must be .*, got {type(out).__name__}"):
        operator.forward(x, *operator.leading, kernel, out=out)


@pytest.mark.parametrize("operator", SELECTIONS, ids=lambda operator: operator.id)
def test_pair_that_is_no_pair(operator):
    x, kernel, shape = example(operator)
    values = np.full(shape, MARK, np.float32)
    for out in (values, (values,), (values, None, None), (values, 3)):
        with pytest.raises(TypeError, match=r"^out must be .*, got "):
            operator.forward(x, *operator.leading, kernel, return_indices=True, out=out)
        assert (values == MARK).all()


@pytest.mark.parametrize("operator", SELECTIONS, ids=lambda operator: operator.id)
def test_indices_out_is_checked_before_values_are_written(operator):
    x, kernel, shape = example(operator)
    values = np.full(shape, MARK, np.float32)
    for bad, error in (
        (np.zeros(shape, np.int32), TypeError),
        (np.zeros(shape, np.float64), TypeError),
        (np.zeros(shape[1:], np.int64), ValueError),
        (np.broadcast_to(np.int64(0), shape), ValueError),
    ):
        with pytest.raises(error, match=r"^out(\[1\])? must .*, got "):
            operator.forward(x, *operator.leading, kernel, return_indices=True, out=(values, bad))
        assert (values == MARK).all()


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_out_overlapping_an_input(operator):
    _, kernel, shape = example(operator)
    pool = np.arange(2 * 2 * 3 * SIDE**3, dtype=np.float32)
    size = 2 * 3 * SIDE ** len(kernel)
    x = pool[:size].reshape((2, 3) + (SIDE,) * len(kernel))
    before = pool.copy()
    count = int(np.prod(shape))
    for start in (0, 1, size - 1, size - count):
        out = pool[start : start + count].reshape(shape)
        with pytest.raises(ValueError, match=r"^out must .*overlap"):
            operator.forward(x, *operator.leading, kernel, out=out)
    assert_same(pool, before)

    gradient = pool[size : size + count].reshape(shape)
    for start in (0, 5, size + count - 1):  # over x, over x, over the gradient
        if start + size > pool.size:
            continue
        out = pool[start : start + size].reshape(x.shape)
        with pytest.raises(ValueError, match=r"^out must .*overlap"):
            operator.backward(gradient, x, *operator.leading, kernel, out=out)
    assert_same(pool, before)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_out_beside_an_input_is_fine(operator):
    """Interleaved with x in one piece of memory, without a common element."""
    x, kernel, shape = example(operator)
    both = np.zeros((*x.shape, 2), np.float32)
    both[..., 0] = x
    out = both[tuple(slice(n) for n in shape)][..., 1]
    result = operator.forward(both[..., 0], *operator.leading, kernel, out=out)
    assert_same(np.array(result), operator.forward(x, *operator.leading, kernel))
    assert_same(np.array(both[..., 0]), x)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_out_overlapping_itself(operator):
    x, kernel, shape = example(operator)
    memory = np.full(int(np.prod(shape)) + 4, MARK, np.float32)
    strided = np.lib.stride_tricks.as_strided
    steps = np.zeros(shape, np.float32).strides
    for axis in (0, -1):
        for step in (0, 4):
            strides = list(steps)
            strides[axis] = step
            if tuple(strides) == steps:
                continue
            out = strided(memory, shape, strides)
            with pytest.raises(ValueError, match=r"^out must .*overlap"):
                operator.forward(x, *operator.leading, kernel, out=out)
    assert (memory == MARK).all()


@pytest.mark.parametrize("operator", SELECTIONS, ids=lambda operator: operator.id)
def test_values_and_indices_overlapping_each_other(operator):
    x, kernel, shape = example(operator)
    x = x.astype(np.float64)
    memory = np.full(int(np.prod(shape)), MARK, np.float64)
    out = (memory.reshape(shape), memory.view(np.int64).reshape(shape))
    with pytest.raises(ValueError, match=r"^out must .*overlap"):
        operator.forward(x, *operator.leading, kernel, return_indices=True, out=out)
    assert (memory == MARK).all()


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_backward_overwrites_what_out_held(operator):
    x, kernel, shape = example(operator)
    gradient = np.ones(shape, np.float32)
    out = np.full(x.shape, np.nan, np.float32)
    operator.backward(gradient, x, kernel, out=out)
    assert_same(out, operator.backward(gradient, x, kernel))


@pytest.mark.parametrize("operator", SELECTIONS, ids=lambda operator: operator.id)
def test_backward_out_overlapping_indices(operator):
    x, kernel, shape = example(operator)
    _, indices = operator.forward(x, *operator.leading, kernel, return_indices=True)
    memory = np.zeros(x.size + indices.size, np.float64)
    inside = memory[: indices.size].view(np.int64).reshape(shape)
    inside[...] = indices
    out = memory[: x.size].reshape(x.shape)
    gradient = np.ones(shape, np.float64)
    with pytest.raises(ValueError, match=r"^out must .*overlap"):
        operator.backward(gradient, x, *operator.leading, kernel, indices=inside, out=out)
    assert_same(inside.copy(), indices)

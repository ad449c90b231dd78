"""What holds for any operator, of those whose windows are no kernel's: adaptive, global, pyramids,
fractional.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from arrays import MEMORY, make_values
from judging import assert_same
from registry import TABLES, Operator, with_dtypes

MARK = 77
SHAPES = {1: (2, 3, 37), 2: (2, 3, 11, 19), 3: (2, 2, 6, 5, 17)}
WRITEABLE = ("C", "fortran", "reversed", "reversed_last", "transposed", "padded", "stepped")


def example(operator: Operator, dtype: str = "float32") -> np.ndarray:
    return make_values(SHAPES[operator.ndim or 2], np.dtype(dtype), "ties", 3)


def forward(operator: Operator, x: np.ndarray, **more):
    return operator.forward(x, *operator.leading, *operator.table, **more)


def backward(operator: Operator, grad: np.ndarray, x, **more):
    return operator.backward(grad, x, *operator.leading, *operator.table, **more)


def gradient_like(y: np.ndarray) -> np.ndarray:
    return make_values(y.shape, np.dtype(np.float32), "normal", 4)


@pytest.mark.parametrize("kept_in", MEMORY)
@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(TABLES))
def test_memory_layout_changes_no_bit(operator, dtype, kept_in):
    x = MEMORY[kept_in](example(operator, dtype))
    plain = np.array(x, order="C")
    expected = forward(operator, plain)
    assert_same(forward(operator, x), expected)
    grad = MEMORY[kept_in](gradient_like(expected))
    expected = backward(operator, np.array(grad, order="C"), plain)
    assert_same(backward(operator, grad, x), expected)


@pytest.mark.parametrize("threads", [2, 3, 7])
@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(TABLES))
def test_number_of_threads_changes_no_bit(operator, dtype, threads):
    x = make_values((3, 8, *SHAPES[operator.ndim or 2][2:]), np.dtype(dtype), "ties", 5)
    expected = forward(operator, x, num_threads=1)
    assert_same(forward(operator, x, num_threads=threads), expected)
    grad = gradient_like(expected)
    assert_same(backward(operator, grad, x, num_threads=threads),
                backward(operator, grad, x, num_threads=1))


@pytest.mark.parametrize("kept_in", WRITEABLE)
@pytest.mark.parametrize("operator", TABLES, ids=lambda operator: operator.id)
def test_results_land_in_out(operator, kept_in):
    x = example(operator)
    expected = forward(operator, x)
    out = MEMORY[kept_in](np.full(expected.shape, MARK, expected.dtype))
    assert forward(operator, x, out=out) is out
    assert_same(out, expected)
    grad = gradient_like(expected)
    grad_out = MEMORY[kept_in](np.full(x.shape, MARK, np.float32))
    assert backward(operator, grad, x, out=grad_out) is grad_out
    assert_same(grad_out, backward(operator, grad, x))


@pytest.mark.parametrize("operator", TABLES, ids=lambda operator: operator.id)
def test_out_that_will_not_do_is_refused(operator):
    """And is left as it was."""
    x = example(operator)
    shape = forward(operator, x).shape
    read_only = np.full(shape, MARK, np.float32)
    read_only.flags.writeable = False
    around = np.full((*shape[:-1], shape[-1] + x.size), MARK, np.float32)
    for out, error in (
            (np.full((*shape, 1), MARK, np.float32), ValueError),
            (np.full(shape, MARK, np.float64), TypeError), (read_only, ValueError),
            (np.broadcast_to(np.float32(MARK), shape), ValueError), ([0], TypeError)):
        with pytest.raises(error, match="out"):
            forward(operator, x, out=out)
        assert (np.asarray(out) == MARK).all() or isinstance(out, list)
    inside = around.ravel()[: x.size].reshape(x.shape)
    inside[...] = x
    overlapping = around.ravel()[: int(np.prod(shape))].reshape(shape)
    with pytest.raises(ValueError, match="out"):
        forward(operator, inside, out=overlapping)
    assert_same(inside, x)


@pytest.mark.parametrize("operator", TABLES, ids=lambda operator: operator.id)
def test_inputs_are_unmodified_and_kept_by_nobody(operator):
    x = example(operator)
    before = x.tobytes()
    y = forward(operator, x)
    grad = gradient_like(y)
    grads = grad.tobytes()
    found = backward(operator, grad, x)
    assert x.tobytes() == before
    assert grad.tobytes() == grads
    assert not np.shares_memory(y, x)
    assert not np.shares_memory(found, x)
    assert not np.shares_memory(found, grad)


@pytest.mark.parametrize("operator", TABLES, ids=lambda operator: operator.id)
def test_concurrent_callers(operator):
    arrays = [make_values(SHAPES[operator.ndim or 2], np.dtype(np.float32), "normal", seed)
              for seed in range(4)]
    alone = [forward(operator, x) for x in arrays]
    grads = [gradient_like(y) for y in alone]
    back = [backward(operator, g, x) for g, x in zip(grads, arrays, strict=True)]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            for got, y in zip(pool.map(lambda x: forward(operator, x), arrays), alone, strict=True):
                assert_same(got, y)
            found = pool.map(lambda g, x: backward(operator, g, x), grads, arrays)
            for got, expected in zip(found, back, strict=True):
                assert_same(got, expected)


@pytest.mark.parametrize("operator", [op for op in TABLES if op.selects],
                         ids=lambda operator: operator.id)
def test_indices_of_both_widths_lead_back(operator):
    x = example(operator)
    values, indices = forward(operator, x, return_indices=True)
    assert_same(values, forward(operator, x))
    assert indices.dtype == np.int64
    grad = gradient_like(values)
    expected = backward(operator, grad, x)
    for dtype in (np.int32, np.int64):
        _, found = forward(operator, x, return_indices=True, index_dtype=dtype)
        assert found.dtype == dtype
        assert (found == indices).all()
        assert_same(backward(operator, grad, x.shape, indices=found), expected)

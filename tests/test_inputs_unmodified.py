"""No call changes an array it was given: not x, not the gradient, not indices or mask."""

from __future__ import annotations

import numpy as np
import pytest
from arrays import MEMORY, make_values
from geometries import calls
from hypothesis import given
from hypothesis import strategies as st
from registry import OPERATORS, with_dtypes

WRITEABLE = tuple(kind for kind in MEMORY if kind not in ("broadcast", "broadcast_first"))


def bytes_of(array: np.ndarray) -> bytes:
    """Every byte of the memory that `array` is a view of, gaps included."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.tobytes()


@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(OPERATORS))
@given(data=st.data())
def test_inputs_are_unmodified(operator, dtype, data):
    call = data.draw(calls(operator, dtype, memory=WRITEABLE))
    grad_output = make_values(call.output_shape, np.dtype(np.float32), "normal", 1)
    before = bytes_of(call.x), grad_output.tobytes()
    more = {}
    call.forward()
    if operator.selects:
        _, indices = call.forward(return_indices=True)
        more["indices"] = indices
        kept = indices.copy()
    call.backward(grad_output)
    call.backward(grad_output, **more)
    assert (bytes_of(call.x), grad_output.tobytes()) == before
    if operator.selects:
        np.testing.assert_array_equal(indices, kept)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_argument_lists_are_unmodified(operator):
    n = operator.ndim or 2
    kernel, stride, padding = [2] * n, [2] * n, [[0, 1]] * n
    x = np.ones((1, 2) + (6,) * n, np.float32)
    operator.forward(x, *operator.leading, kernel, stride=stride, padding=padding)
    assert (kernel, stride, padding) == ([2] * n, [2] * n, [[0, 1]] * n)

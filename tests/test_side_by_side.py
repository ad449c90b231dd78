"""Gradients of averages and sums whose windows lie side by side, or nearly so."""

from __future__ import annotations

import numpy as np
import pytest
from judging import assert_same

import cypool

GEOMETRIES = [  # pooled lengths, kernel, stride, padding
    ((8, 70), 2, 2, 0), ((9, 71), 2, 2, 0), ((9, 71), 2, 2, 1), ((10, 40), (2, 3), (2, 3), 0),
    ((12, 37), 3, 3, 1), ((13, 38), 4, 4, 2), ((7, 7), 7, 7, 0), ((6, 36), 2, 3, 0),
    ((6, 37), 3, 2, 1), ((1, 1), 3, 1, 1), ((1, 40), (3, 2), (1, 2), (1, 0)),
    ((5, 6, 34), (3, 2, 2), (1, 2, 2), 0), ((6, 4, 34), 2, 2, 0), ((64,), 2, 2, 0),
    ((65,), 16, 16, 8), ((5, 33), (1, 2), (1, 2), 0), ((5, 33), (1, 2), (2, 2), 0),
]


def adjoint(forward, lengths: tuple[int, ...], grad_output: np.ndarray) -> np.ndarray:
    """What is given back to every element: from what its own forward pass makes of it alone."""
    size = int(np.prod(lengths))
    basis = np.eye(size).reshape(size, 1, *lengths)
    images = forward(basis).reshape(size, -1)
    return (grad_output.reshape(-1, images.shape[1]) @ images.T).reshape(
        *grad_output.shape[:2], *lengths)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("op", ["avg", "sum"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_sliding(op, geometry, dtype, ceil_mode, inside):
    lengths, kernel, stride, padding = geometry
    kernel = kernel if isinstance(kernel, tuple) else (kernel,) * len(lengths)
    more = {"count_include_pad": False} if inside and op == "avg" else {}

    def forward(x):
        return cypool.pool(x, op, kernel, stride, padding, ceil_mode=ceil_mode, **more)

    shape = forward(np.zeros((3, 18, *lengths))).shape
    grad_output = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    expected = adjoint(forward, lengths, grad_output.astype(np.float64))
    found = cypool.pool_backward(
        grad_output, (3, 18, *lengths), op, kernel, stride, padding, ceil_mode=ceil_mode, **more)
    assert found.dtype == dtype
    tolerance = 4 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    # The same from and to wherever it lies, and with channels last.
    wide = np.zeros((*shape[:-1], 2 * shape[-1]), dtype)
    wide[..., ::2] = grad_output
    room = np.full((*found.shape[:-1], 3 * found.shape[-1]), 7, dtype)
    assert_same(cypool.pool_backward(
        wide[..., ::2], (3, 18, *lengths), op, kernel, stride, padding, ceil_mode=ceil_mode,
        out=room[..., 1::3], **more), found)
    assert (room[..., ::3] == 7).all()
    last = np.ascontiguousarray(np.moveaxis(grad_output, 1, -1))
    np.testing.assert_allclose(np.moveaxis(cypool.pool_backward(
        last, (3, *lengths, 18), op, kernel, stride, padding, ceil_mode=ceil_mode,
        data_format="channels_last", **more), -1, 1), found, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("lengths", "output_size"), [
    ((2, 2), (4, 1)), ((4, 6), (2, 3)), ((3, 5), (6, 5)), ((5, 40), (5, 20)), ((4, 4), (8, 2)),
    ((2, 3, 4), (4, 3, 2))], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adaptive(lengths, output_size, dtype):
    axes = tuple(range(2, 2 + len(lengths)))

    def forward(x):
        return cypool.adaptive_pool(x, "avg", output_size, axes=axes)

    grad_output = np.random.default_rng(2).standard_normal((2, 5, *output_size)).astype(dtype)
    expected = adjoint(forward, lengths, grad_output.astype(np.float64))
    found = cypool.adaptive_pool_backward(
        grad_output, (2, 5, *lengths), "avg", output_size, axes=axes)
    tolerance = 4 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)

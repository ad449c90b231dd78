"""Gradients: against the oracle, as adjoints of the forward pass, and by finite differences."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import oracle
import pytest
from arrays import make_values
from geometries import calls, gradients
from hypothesis import given
from hypothesis import strategies as st
from judging import assert_matches, assert_same
from registry import FLOATS, LINEAR, NAMED, OPERATORS, SELECTIONS, with_dtypes

import cypool

GRADIENT_DTYPES = [name for name in FLOATS if name != "bfloat16" or oracle.BFLOAT16 is not None]


@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(OPERATORS))
@given(data=st.data())
def test_gradients(operator, dtype, data):
    call = data.draw(calls(operator, dtype))
    grad_dtype = dtype if dtype in FLOATS else data.draw(st.sampled_from(("float32", "float64")))
    grad_output = data.draw(gradients(call.output_shape, grad_dtype))
    result = call.backward(grad_output)
    assert result.flags.c_contiguous
    assert_matches(result, call.expected_gradient(grad_output))


@pytest.mark.parametrize("grad_dtype", GRADIENT_DTYPES)
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
@given(data=st.data())
def test_gradient_has_the_dtype_of_grad_output(operator, grad_dtype, data):
    dtype = data.draw(st.sampled_from([name for name in operator.dtypes if name != "bfloat16"]))
    call = data.draw(calls(operator, dtype))
    grad_output = data.draw(gradients(call.output_shape, grad_dtype))
    assert_matches(call.backward(grad_output), call.expected_gradient(grad_output))


@pytest.mark.parametrize("operator", SELECTIONS, ids=lambda operator: operator.id)
@given(data=st.data())
def test_indices_of_the_forward_pass_serve(operator, data):
    """With indices= the gradient is the same, and x may be its shape."""
    call = data.draw(calls(operator, data.draw(st.sampled_from(("float32", "uint8")))))
    index_dtype = np.dtype(data.draw(st.sampled_from(("int32", "int64"))))
    more = {"index_dtype": index_dtype} if operator.ndim else {}
    _, indices = call.forward(return_indices=True, **more)
    grad_output = data.draw(gradients(call.output_shape, "float32"))
    found_again = call.backward(grad_output)
    # return_indices= may be passed on as it was, and changes nothing.
    assert_same(call.backward(grad_output, indices=indices, return_indices=True), found_again)
    without_mask = {"mask": None} if call.mask is not None else {}
    from_shape = call.backward(grad_output, call.x.shape, indices=indices, **without_mask)
    assert_same(from_shape, found_again)


@pytest.mark.parametrize("operator", SELECTIONS, ids=lambda operator: operator.id)
@given(data=st.data())
def test_minus_one_passes_nothing_back(operator, data):
    call = data.draw(calls(operator, "float32"))
    grad_output = data.draw(gradients(call.output_shape, "float32"))
    nowhere = np.full(call.output_shape, -1)
    zeros = np.zeros(call.x.shape, np.float32)
    assert_same(call.backward(grad_output, indices=nowhere), zeros)


def added_where(grad_output, indices, shape: tuple[int, ...], axes: tuple[int, ...]) -> np.ndarray:
    """Gradients added up at their indices, in the order of outputs."""
    planes = [a for a in range(len(shape)) if a not in axes]
    outside = [shape[a] for a in planes]
    wide = np.float32 if grad_output.dtype.itemsize == 2 else grad_output.dtype
    flat = np.zeros((*outside, math.prod(shape[a] for a in axes)), wide)
    grads = np.moveaxis(grad_output, planes, range(len(planes))).reshape(*outside, -1)
    at = np.moveaxis(indices, planes, range(len(planes))).reshape(*outside, -1)
    for plane in np.ndindex(*outside):
        real = at[plane] >= 0
        np.add.at(flat[plane], at[plane][real], grads[plane][real].astype(wide))
    result = flat.reshape(*outside, *(shape[a] for a in axes)).astype(grad_output.dtype)
    return np.moveaxis(result, range(len(planes)), planes)


# Windows at distances of one and two, and others; rows from less than a vector to several; planes
# that are cut, and many that are taken together.
TAKEN = [
    ((2, 3, 5, 4), 2, 1, 0), ((3, 40, 7, 7), 3, 1, 1), ((1, 9, 14, 14), 2, 2, 0),
    ((2, 2, 15, 17), 3, 2, 1), ((1, 2, 34, 67), (2, 3), (2, 1), (1, 0)),
    ((1, 1, 33, 1029), (3, 2), 2, 1), ((1, 1, 4, 40000), 3, 2, 1), ((1, 2, 12, 9), 4, 2, 2),
    ((1, 2, 12, 9), (5, 3), (2, 1), (2, 1)), ((1, 1, 21, 40), 3, 3, 1),
    ((1, 2, 1, 85051), (1, 4), (1, 2), (0, 1)),
]


@pytest.mark.parametrize("where", ["own windows", "one elsewhere", "anywhere"])
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("geometry", TAKEN, ids=str)
def test_gradients_go_where_indices_say(geometry, dtype, layout, where):
    """To the last bit, whether or not an index lies under its own window."""
    shape, kernel, stride, padding = geometry
    if layout == "channels_last":
        shape = (shape[0], *shape[2:], 3 * shape[1] + 16)
    axes = (1, 2) if layout == "channels_last" else (2, 3)
    plane = math.prod(shape[a] for a in axes)
    rng = np.random.default_rng(len(str(geometry)))
    x = rng.integers(-3, 3, shape).astype(dtype)
    arguments = {"stride": stride, "padding": padding, "data_format": layout}
    for index_dtype in (np.int32, np.int64):
        _, indices = cypool.max_pool2d(
            x, kernel, **arguments, return_indices=True, index_dtype=index_dtype)
        if where == "anywhere":
            indices = rng.integers(-1, plane, indices.shape).astype(index_dtype)
        elif where == "one elsewhere":
            indices.flat[rng.integers(indices.size)] = rng.integers(-1, plane)
        grad_output = rng.standard_normal(indices.shape).astype(dtype)
        expected = added_where(grad_output, indices, shape, axes)
        out = np.full(shape, 7, dtype)
        arguments["indices"] = indices
        for threads in (1, 3):
            got = cypool.max_pool2d_backward(
                grad_output, shape, kernel, **arguments, num_threads=threads)
            assert_same(got, expected)
        cypool.max_pool2d_backward(grad_output, shape, kernel, **arguments, out=out)
        assert_same(out, expected)
        # Outside of the plane, even by a multiple of 2**32.
        for outside in (plane, -2, *((2**32 + 1, -(2**32)) if index_dtype == np.int64 else ())):
            bad = indices.copy()
            bad.flat[-1] = outside
            arguments["indices"] = bad
            out[...] = 7
            with pytest.raises(ValueError, match="indices"):
                cypool.max_pool2d_backward(grad_output, shape, kernel, **arguments)
            with pytest.raises(ValueError, match="indices"):
                cypool.max_pool2d_backward(grad_output, shape, kernel, **arguments, out=out)
            assert (out == 7).all()
        del arguments["indices"]


@pytest.mark.parametrize("operator", LINEAR, ids=lambda operator: operator.id)
@given(data=st.data())
def test_linear_operators_need_only_the_shape(operator, data):
    call = data.draw(calls(operator, "float32"))
    grad_output = data.draw(gradients(call.output_shape, "float32"))
    assert_same(call.backward(grad_output, call.x.shape), call.backward(grad_output))


def dot(a: np.ndarray, b: np.ndarray) -> float:
    return math.fsum(np.multiply(a, b, dtype=np.float64).ravel().tolist())


@pytest.mark.parametrize("operator", LINEAR, ids=lambda operator: operator.id)
@given(data=st.data())
def test_backward_is_the_adjoint_of_a_linear_operator(operator, data):
    """<pool(x), g> = <x, pool_backward(g)>."""
    call = data.draw(calls(operator, "float64", kinds=("normal", "wide", "distinct", "ties")))
    kinds = ("normal", "wide", "distinct", "ties")
    grad_output = data.draw(gradients(call.output_shape, "float64", kinds))
    forward = dot(call.forward(), grad_output)
    backward = dot(call.x, call.backward(grad_output))
    # Each side is off by at most 4 rounding errors for its sums, and one each for the
    # division, the product and the last addition, of what the sum of absolute values is.
    absolute = call.with_x(np.abs(call.x)).forward()
    magnitude = dot(np.abs(absolute), np.abs(grad_output))
    assert abs(forward - backward) <= 2 * 7 * 2.0**-53 * magnitude


@pytest.mark.parametrize("operator", SELECTIONS, ids=lambda operator: operator.id)
@given(data=st.data())
def test_backward_of_a_selection_is_its_adjoint(operator, data):
    """The same for what a selection does once its winners are fixed; exact in small integers."""
    call = data.draw(calls(operator, "float64", kinds=("distinct", "ties")))
    grad_output = data.draw(gradients(call.output_shape, "float64", ("distinct", "ties")))
    chosen = call.forward()
    chosen = np.where(np.isfinite(chosen), chosen, 0)
    assert dot(chosen, grad_output) == dot(call.x, call.backward(grad_output))


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
@pytest.mark.parametrize(
    "window",
    [(2, 2, 0, 1, False), (3, 1, 1, 1, False), (3, 2, 1, 1, True), (2, 3, 3, 2, "full")],
    ids=str,
)
def test_finite_differences(operator, window):
    """Distinct integers and a quarter step: no winner changes, and max is exact."""
    kernel, stride, padding, dilation, ceil_mode = window
    shape = {1: (2, 11), 2: (1, 6, 5), 3: (1, 4, 3, 4)}[operator.ndim]
    x = make_values(shape, np.dtype(np.float64), "distinct", 17)
    keywords = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "ceil_mode": ceil_mode,
    }

    def pooled(values: np.ndarray) -> np.ndarray:
        result = operator.forward(values, kernel, **keywords)
        return np.where(np.isfinite(result), result, 0)

    grad_output = make_values(pooled(x).shape, np.dtype(np.float64), "distinct", 18)
    gradient = operator.backward(grad_output, x, kernel, **keywords)
    step = 0.25
    numerical = np.empty_like(x)
    for at in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[at] += step
        down[at] -= step
        numerical[at] = dot(pooled(up) - pooled(down), grad_output) / (2 * step)
    if operator.op == "max":
        assert_same(gradient, numerical)
        return
    # The sums are exact; each average is off by half an ulp of a value below 64, 2**-48, so
    # their difference by 2**-47, times the gradient of every window that holds the element.
    spread = operator.backward(np.abs(grad_output), x, kernel, **keywords)
    through_windows = spread * kernel**operator.ndim  # at least the sum of |gradient|
    bound = 2.0**-47 / (2 * step) * through_windows + 8 * 2.0**-53 * spread
    assert (np.abs(gradient - numerical) <= bound).all()


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_many_windows_meet_in_one_element(operator):
    """Every window holds the one large element; its gradient is the sum of all."""
    side = {1: 401, 2: 21, 3: 7}[operator.ndim]
    x = np.zeros((1,) + (side,) * operator.ndim, np.float32)
    middle = (0,) + (side // 2,) * operator.ndim
    x[middle] = 1
    keywords = {"stride": 1, "padding": side // 2}
    axes = tuple(range(1, x.ndim))
    grad_output = make_values(x.shape, np.dtype(np.float32), "normal", 5)
    gradient = operator.backward(grad_output, x, side, **keywords)
    expected = oracle.pool_backward(grad_output, x, operator.op, side, axes=axes, **keywords)
    assert_matches(gradient, expected)


def test_divisors_of_planes_that_follow_each_other():
    """One input element under two windows: of three planes, none may see another's padding."""
    grad = np.arange(1.0, 13).reshape(3, 1, 2, 2)
    expected = grad.sum(axis=2, keepdims=True) / 2
    assert_same(cypool.avg_pool2d_backward(grad, (3, 1, 1, 2), (2, 1), 1, (1, 0)), expected)


def seen_by(length: int, kernel: int, stride: int, padding: int) -> np.ndarray:
    """Which window of one axis sees which element: (length, windows), ones and zeros."""
    windows = cypool.pool_output_size(length, kernel, stride, padding)
    tap = np.arange(length)[:, None] + padding - stride * np.arange(windows)
    return ((tap >= 0) & (tap < kernel)).astype(np.float64)


@pytest.mark.parametrize("kernel", [2, 3, 4, 5, 7, 8, 11, 19, 40])
@pytest.mark.parametrize("stride", [2, 3, 4, 7])
def test_sums_of_windows_that_lie_apart(stride, kernel):
    """Each element sees one of two numbers of windows, in rows of any length and any tiles."""
    for width, channels, padding in (
            (kernel, 3, 0), (kernel + 1, 1, kernel // 2), (23, 2, kernel - 1), (41, 20, 1),
            (9001, 1, 0), (400, 40, kernel // 2)):
        if width + 2 * padding < kernel:
            continue
        columns = seen_by(width, kernel, stride, padding)
        rows = seen_by(6, 3, 2, 1)
        grad = np.random.default_rng(width).integers(
            -8, 8, (2, channels, rows.shape[1], columns.shape[1])).astype(np.float64)
        expected = rows @ grad @ columns.T
        window = ((3, kernel), (2, stride), (1, padding))
        for dtype, layout in product(
                ("float32", "float64", "float16"), ("channels_first", "channels_last")):
            # (Whole numbers up to 2048 are what a float16 holds.)
            most = 2000 if dtype == "float16" else np.inf
            shape, given = (2, channels, 6, width), grad.astype(dtype)
            if layout == "channels_last":
                shape, given = (2, 6, width, channels), np.ascontiguousarray(
                    np.moveaxis(given, 1, -1))
            got = cypool.pool_backward(
                given, shape, "sum", *window, data_format=layout).astype(np.float64)
            if layout == "channels_last":
                got = np.moveaxis(got, -1, 1)
            np.testing.assert_array_equal(
                np.clip(got, -most, most), np.clip(expected, -most, most))

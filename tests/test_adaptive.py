"""Adaptive and global windows: by the oracle, cell by cell, and by PyTorch where it is there."""

from __future__ import annotations

import itertools
import math

import numpy as np
import oracle
import pytest
from arrays import make_values
from hypothesis import given
from hypothesis import strategies as st
from judging import assert_matches, assert_same
from registry import dtype_of

import cypool

DTYPES = ("float32", "float64", "float16", "uint8", "int32", "int64", "bool")


def adaptive_plan(shape, axes, sizes) -> oracle.Plan:
    """The oracle's windows, made of cells instead of a kernel's taps."""
    plan = oracle.Plan(shape, axes, (1,) * len(axes), 1, 0, 1, False)
    by_axis = dict(zip([a % len(shape) for a in axes], sizes, strict=True))
    plan.windows = []
    for axis, length in zip(plan.axes, plan.lengths, strict=True):
        size = length if by_axis[axis] is None else by_axis[axis]
        cells = [range(i * length // size, math.ceil((i + 1) * length / size))
                 for i in range(size)]
        plan.windows.append([oracle.Window(list(cell), len(cell)) for cell in cells])
    plan.counts = [len(windows) for windows in plan.windows]
    return plan


def expected(x, op, axes, sizes) -> oracle.Expected:
    plan = adaptive_plan(x.shape, axes, sizes)
    keywords = {"count_include_pad": False} if op == "avg" else {}
    result = oracle.FORWARD[op](plan, x, None, **keywords)
    for name in ("values", "rest", "bound", "scale", "indices"):
        planes = getattr(result, name)
        if planes is not None:
            setattr(result, name, plan.to_array(planes, plan.counts))
    return result


def expected_gradient(grad, x, op, axes, sizes) -> oracle.Expected:
    plan = adaptive_plan(x.shape, axes, sizes)
    keywords = {"count_include_pad": False} if op == "avg" else {}
    result = oracle.BACKWARD[op](plan, grad, x, None, **keywords)
    for name in ("values", "rest", "bound", "scale"):
        setattr(result, name, plan.to_array(getattr(result, name), plan.lengths))
    return result


@st.composite
def adaptive_calls(draw):
    ndim = draw(st.integers(1, 4))
    shape = tuple(draw(st.lists(st.integers(1, 9), min_size=ndim, max_size=ndim)))
    axes = tuple(draw(st.permutations(range(ndim)))[:draw(st.integers(1, min(3, ndim)))])
    sizes = tuple(draw(st.one_of(st.none(), st.integers(1, 11))) for _ in axes)
    return shape, axes, sizes, draw(st.sampled_from(DTYPES)), draw(st.integers(0, 1000))


@given(adaptive_calls(), st.sampled_from(("max", "min", "avg", "sum")))
def test_values_indices_and_gradients(call, op):
    shape, axes, sizes, dtype, seed = call
    if dtype == "bool" and op in ("avg", "sum"):
        dtype = "uint8"
    x = make_values(shape, dtype_of(dtype), "ties" if seed % 2 else "distinct", seed)
    right = expected(x, op, axes, sizes)
    assert_matches(cypool.adaptive_pool(x, op, sizes, axes=axes), right)
    grad = make_values(right.values.shape, np.dtype(np.float64), "distinct", seed)
    gradient = expected_gradient(grad, x, op, axes, sizes)
    assert_matches(cypool.adaptive_pool_backward(grad, x, op, sizes, axes=axes), gradient)
    if op in ("max", "min"):
        values, indices = cypool.adaptive_pool(x, op, sizes, True, axes=axes)
        assert_matches(values, right)
        assert_same(indices, right.indices)
        again = cypool.adaptive_pool_backward(
            grad, x.shape, op, sizes, axes=axes, indices=indices)
        assert_matches(again, gradient)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_names_are_forms_of_adaptive_pool(n, data_format):
    shape = (2, 3, *(7,) * n) if data_format == "channels_first" else (2, *(7,) * n, 3)
    x = make_values(shape, np.dtype(np.float32), "distinct", 1)
    where = {"data_format": data_format}
    for size in (1, 3, 7, 10):
        sizes = (size,) * n
        for op in ("max", "avg"):
            name = f"adaptive_{op}_pool{n}d"
            right = cypool.adaptive_pool(x, op, sizes, **where)
            assert_same(getattr(cypool, name)(x, size, **where), right)
            grad = make_values(right.shape, np.dtype(np.float32), "normal", 2)
            assert_same(
                getattr(cypool, f"{name}_backward")(grad, x, size, **where),
                cypool.adaptive_pool_backward(grad, x, op, sizes, **where))


@pytest.mark.parametrize("op", ["max", "min", "avg", "sum", "lp", "gem", "logsumexp", "soft",
                                "median"])
@pytest.mark.parametrize("keepdims", [True, False])
def test_global_is_one_window(op, keepdims):
    for shape, data_format, axes in (
            ((2, 3, 5, 4), "channels_first", (2, 3)), ((2, 5, 4, 3), "channels_last", (1, 2)),
            ((2, 3, 6), "channels_first", (2,)), ((1, 2, 3, 4, 2), "channels_first", (2, 3, 4))):
        x = make_values(shape, np.dtype(np.float64), "normal", 1)
        got = cypool.global_pool(x, op, keepdims=keepdims, data_format=data_format)
        right = cypool.pool(x, op, tuple(shape[a] for a in axes), axes=axes)
        assert_same(got, right if keepdims else right.squeeze(axes))
        out = np.empty_like(got)
        assert cypool.global_pool(
            x, op, keepdims=keepdims, data_format=data_format, out=out) is out
        assert_same(out, got)
        grad = make_values(got.shape, np.dtype(np.float64), "normal", 2)
        gradient = cypool.global_pool_backward(
            grad, x, op, keepdims=keepdims, data_format=data_format)
        whole = grad if keepdims else np.expand_dims(grad, axes)
        assert_same(gradient, cypool.pool_backward(
            whole, x, op, tuple(shape[a] for a in axes), axes=axes))


def test_masked_global_means():
    x = np.arange(24.0).reshape(2, 4, 3)
    mask = np.array([[True, True, False, False], [True, False, False, False]])[..., None]
    means = cypool.global_pool(x, "avg", axes=1, keepdims=False, mask=mask)
    assert_same(means, np.array([[1.5, 2.5, 3.5], [12, 13, 14]]))
    assert_same(cypool.global_pool(x, "max", axes=1, keepdims=False, mask=mask),
                np.array([[3.0, 4, 5], [12, 13, 14]]))
    squares = cypool.global_pool(x, "gem", axes=1, keepdims=False, mask=mask, p=2)
    np.testing.assert_allclose(squares[1], [12, 13, 14], rtol=1e-15)
    np.testing.assert_allclose(squares[0], np.sqrt([4.5, 8.5, 14.5]), rtol=1e-15)


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda x: cypool.adaptive_pool(x, "max", 0, axes=0), ValueError, "output_size must be at"),
    (lambda x: cypool.adaptive_pool(x, "max", (2, 2), axes=0), ValueError, "output_size must be"),
    (lambda x: cypool.adaptive_pool(x, "max", 2.0, axes=0), TypeError, "output_size must be an"),
    (lambda x: cypool.adaptive_pool(x, "max", 2**62, axes=0), ValueError, "output_size must give"),
    (lambda x: cypool.adaptive_pool(x, "avg", 2, True, axes=0), TypeError, "return_indices"),
    (lambda x: cypool.adaptive_pool(x, "avg", 2, axes=0, count_include_pad=True), TypeError,
     "count_include_pad must be left out"),
    (lambda x: cypool.adaptive_pool(x[:0], "avg", 2, axes=0), ValueError, "length 0"),
    (lambda x: cypool.global_pool(x), ValueError, "x must have shape"),
    (lambda x: cypool.adaptive_max_pool2d(x, 2), ValueError, "x must have shape"),
    (lambda x: cypool.adaptive_pool_backward(x, (4,), "max", 2, axes=0), TypeError,
     "x must be an array"),
])
def test_bad_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call(np.ones(4))


def test_like_pytorch():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(5)
    for n in (1, 2, 3):
        for lengths in itertools.product((1, 4, 7), repeat=n):
            x = rng.standard_normal((2, 3, *lengths)).astype(np.float32)
            tensor = torch.from_numpy(x).requires_grad_(True)
            for size in (1, 2, 3, 5, 7):
                values, indices = cypool.adaptive_pool(x, "max", (size,) * n, True)
                function = getattr(torch.nn.functional, f"adaptive_max_pool{n}d")
                theirs, places = function(tensor, size, True)
                assert_same(values, theirs.detach().numpy())
                assert_same(indices, places.numpy())
                means = getattr(torch.nn.functional, f"adaptive_avg_pool{n}d")(tensor, size)
                np.testing.assert_allclose(
                    cypool.adaptive_pool(x, "avg", (size,) * n), means.detach().numpy(),
                    rtol=1e-5, atol=1e-6)
                grad = rng.standard_normal(means.shape).astype(np.float32)
                tensor.grad = None
                means.backward(torch.from_numpy(grad))
                np.testing.assert_allclose(
                    cypool.adaptive_pool_backward(grad, x.shape, "avg", (size,) * n),
                    tensor.grad.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("op", ["max", "avg", "gem"])
@pytest.mark.parametrize("last", [False, True])
def test_pyramids_are_adaptive_windows_level_by_level(op, last):
    for height, width in ((13, 13), (9, 17), (4, 5), (14, 14), (3, 2)):
        x = np.random.default_rng(1).standard_normal((2, 3, height, width))
        levels = (1, 2, 4)
        parts = [cypool.adaptive_pool(x, op, (n, n)).reshape(2, -1) for n in levels]
        right = np.concatenate(parts, axis=1)
        given_ = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x
        where = {"data_format": "channels_last" if last else "channels_first"}
        got = cypool.spatial_pyramid_pool(given_, levels, op, **where)
        np.testing.assert_allclose(got, right, rtol=1e-14)
        grad = np.random.default_rng(2).standard_normal(right.shape)
        gradient = cypool.spatial_pyramid_pool_backward(grad, given_, levels, op, **where)
        pieces = np.split(grad, np.cumsum([3 * n * n for n in levels])[:-1], axis=1)
        whole = sum(
            cypool.adaptive_pool_backward(p.reshape(2, 3, n, n), x, op, (n, n))
            for p, n in zip(pieces, levels, strict=True))
        np.testing.assert_allclose(
            np.moveaxis(gradient, -1, 1) if last else gradient, whole, rtol=1e-12, atol=1e-13)


def test_published_windows_where_they_cover():
    x = np.random.default_rng(1).standard_normal((1, 2, 13, 13))
    got = cypool.spatial_pyramid_pool(x, (3, 2, 1), windows="he")
    right = [cypool.max_pool2d(x, k, s).reshape(1, -1) for k, s in ((5, 4), (7, 6), (13, 13))]
    np.testing.assert_array_equal(got, np.concatenate(right, axis=1))
    for size, level in ((14, 4), (7, 4), (3, 4)):
        with pytest.raises(ValueError, match="windows must be 'adaptive'"):
            cypool.spatial_pyramid_pool(np.ones((1, 1, size, size)), (level,), windows="he")
    assert cypool.spatial_pyramid_pool(np.ones((1, 1, 14, 14)), (4,)).shape == (1, 16)


def test_gather_is_what_backward_scatters():
    rng = np.random.default_rng(1)
    for shape, axes in (((2, 3, 7, 9), (2, 3)), ((5, 7, 2), (1, 0)), ((2, 3, 12), (2,))):
        x = rng.standard_normal(shape)
        values, indices = cypool.pool(x, "max", 3, 2, 1, axes=axes, return_indices=True)
        assert_same(cypool.gather(x, indices, axes=axes), values)
        tangent, grad = rng.standard_normal(shape), rng.standard_normal(values.shape)
        back = cypool.pool_backward(grad, shape, "max", 3, 2, 1, axes=axes, indices=indices)
        assert (cypool.gather(tangent, indices, axes=axes) * grad).sum() == pytest.approx(
            (tangent * back).sum())
    nowhere = np.full_like(indices, -1)
    assert not cypool.gather(x, nowhere, axes=axes).any()
    with pytest.raises(ValueError, match="indices must be -1 or lie within a plane of 12"):
        cypool.gather(x, nowhere + 13, axes=axes)
    with pytest.raises(ValueError, match="indices must have the shape"):
        cypool.gather(x, nowhere[:1], axes=axes)
    with pytest.raises(ValueError, match="x must have no pooled axis of length 0"):
        cypool.gather(np.empty((2, 0)), np.full((2, 1), -1), axes=1)
    with pytest.raises(ValueError, match="num_threads must be"):
        cypool.gather(x, nowhere, axes=axes, num_threads=0)


@pytest.mark.parametrize("length", [1, 2, 7, 30, 1023, 1025, 3000])
@pytest.mark.parametrize("outputs", [1, 2, 3, 7, 29, 1023, 1024, 1025, 2999])
def test_windows_with_and_without_a_table(length, outputs):
    """Each from floor(i L / O) up to ceil((i + 1) L / O), for the gradient as well."""
    x = np.random.default_rng(length).integers(-99, 99, length).astype(float)
    starts = [i * length // outputs for i in range(outputs)]
    stops = [-(-(i + 1) * length // outputs) for i in range(outputs)]
    assert_same(cypool.adaptive_pool(x, "max", outputs, axes=0),
                np.array([x[a:b].max() for a, b in zip(starts, stops, strict=True)]))
    grad = np.arange(1.0, outputs + 1)
    expected = np.zeros(length)
    for g, a, b in zip(grad, starts, stops, strict=True):
        expected[a:b] += g
    assert_same(
        cypool.adaptive_pool_backward(grad, (length,), "sum", outputs, axes=0), expected)


def test_windows_of_lengths_beyond_32_bits():
    """Of an array that lies in one place: only the number of windows is large, or that of taps."""
    length = 2**31 + 11
    x = np.broadcast_to(np.int8(3), (length,))
    y, indices = cypool.adaptive_pool(x, "max", 3, axes=0, return_indices=True)
    assert y.tolist() == [3] * 3
    assert indices.tolist() == [i * length // 3 for i in range(3)]

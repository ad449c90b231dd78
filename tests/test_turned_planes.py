"""Small planes that are taken many at a time, as pixels: each as it is alone, wherever it lies."""

from __future__ import annotations

import itertools

import numpy as np
import oracle
import pytest
from arrays import make_values
from judging import assert_same
from registry import dtype_of

import cypool

DTYPES = ["float32", "float64", "float16", "bfloat16", "uint8", "int16", "uint32", "int64"]
# Plane, kernel, stride, padding, dilation.
WINDOWS = [
    ((5, 5), (2, 2), (2, 2), (1, 1), 1), ((7, 9), (4, 4), (2, 2), (1, 1), 1),
    ((13, 6), (5, 3), (2, 3), (2, 0), 1), ((10, 10), (13, 13), (2, 2), (6, 6), 1),
    ((8, 8), (3, 3), (3, 3), (0, 1), 1), ((9, 7), (3, 3), (1, 2), (2, 2), 2),
    ((40,), (7,), (3,), (3,), 1), ((4, 5, 6), (2, 3, 2), (2, 1, 2), (1, 1, 0), 1),
    ((6, 6, 6), (3, 3, 3), (2, 2, 2), (1, 1, 1), 1), ((9, 9), (7, 7), (1, 1), (3, 3), 1),
]
PLANES = [1, 3, 5, 16, 67, 270]     # fewer than a vector, a few of these, more than go together


def laid_out(x: np.ndarray) -> dict[str, np.ndarray]:
    """The same values elsewhere in memory: x has planes first."""
    room = np.zeros((len(x), *(2 * n for n in x.shape[1:])), x.dtype)
    gaps = room[(slice(None), *(slice(None, None, 2) for _ in x.shape[1:]))]
    gaps[...] = x
    return {
        "gaps": gaps,
        "backwards": np.ascontiguousarray(x[::-1, ..., ::-1])[::-1, ..., ::-1],
        "elements first": np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0),
        "fortran": np.asfortranarray(x),
    }


def values(shape, dtype, flavour, seed):
    if not oracle.is_float(dtype):
        flavour = "full"
    return make_values(shape, dtype, flavour, seed)


def alone(pooled, *arrays):
    """What `pooled` makes of each plane by itself."""
    found = [pooled(*(np.ascontiguousarray(a[i:i + 1]) for a in arrays))
             for i in range(len(arrays[0]))]
    if isinstance(found[0], tuple):
        return tuple(np.concatenate(part) for part in zip(*found, strict=True))
    return np.concatenate(found)


def assert_all_same(found, expected):
    for one, other in zip(*(v if isinstance(v, tuple) else (v,) for v in (found, expected)),
                          strict=True):
        assert_same(one, other)


def check(pooled, *arrays):
    expected = alone(pooled, *arrays)
    assert_all_same(pooled(*arrays), expected)
    for layout in laid_out(arrays[0]):
        moved = [laid_out(a)[layout] for a in arrays]
        assert_all_same(pooled(*moved), expected)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_forward(dtype, window):
    plane, kernel, stride, padding, dilation = window
    kind, axes = dtype_of(dtype), tuple(range(1, 1 + len(plane)))
    for planes, flavour in itertools.product(PLANES, ("normal", "nan")):
        x = values((planes, *plane), kind, flavour, planes)
        for op, more in (("max", {}), ("min", {}), ("avg", {}), ("sum", {}),
                         ("avg", {"count_include_pad": False}), ("avg", {"divisor_override": 5})):
            check(lambda x, op=op, more=more: cypool.pool(
                x, op, kernel, stride, padding, dilation, axes=axes, **more), x)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("index_dtype", [np.int32, np.int64])
def test_indices_and_their_gradients(dtype, window, index_dtype):
    plane, kernel, stride, padding, dilation = window
    kind, axes = dtype_of(dtype), tuple(range(1, 1 + len(plane)))
    for planes, flavour in itertools.product(PLANES, ("normal", "nan")):
        x = values((planes, *plane), kind, flavour, planes)

        def forward(x):
            return cypool.pool(x, "max", kernel, stride, padding, dilation, axes=axes,
                               return_indices=True, index_dtype=index_dtype)

        check(forward, x)
        if not oracle.is_float(kind) or flavour == "nan":
            continue
        y, indices = forward(x)
        grad = values(y.shape, kind, "normal", planes + 1)
        check(lambda grad, indices: cypool.pool_backward(
            grad, (len(grad), *plane), "max", kernel, stride, padding, dilation, axes=axes,
            indices=indices), grad, indices)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_gradients_of_averages(dtype, window):
    plane, kernel, stride, padding, dilation = window
    kind, axes = dtype_of(dtype), tuple(range(1, 1 + len(plane)))
    for planes, inside in itertools.product(PLANES, (False, True)):
        grad = values(cypool.pool(
            np.zeros((planes, *plane), kind), "avg", kernel, stride, padding, dilation,
            axes=axes).shape, kind, "normal", planes)
        check(lambda grad, inside=inside: cypool.pool_backward(
            grad, (len(grad), *plane), "avg", kernel, stride, padding, dilation, axes=axes,
            count_include_pad=not inside), grad)


@pytest.mark.parametrize(("plane", "output_size"), [((10, 7), (6, 4)), ((5,), (3,)),
                                                    ((6, 7, 5), (4, 3, 2))], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_adaptive_windows(dtype, plane, output_size):
    kind, axes = dtype_of(dtype), tuple(range(1, 1 + len(plane)))
    for planes, op in itertools.product(PLANES, ("max", "avg")):
        x = values((planes, *plane), kind, "normal", planes)
        check(lambda x, op=op: cypool.adaptive_pool(x, op, output_size, axes=axes), x)
        if op == "max":
            check(lambda x: cypool.adaptive_pool(
                x, "max", output_size, axes=axes, return_indices=True), x)
        elif oracle.is_float(kind):
            grad = values((planes, *output_size), kind, "normal", planes)
            check(lambda grad: cypool.adaptive_pool_backward(
                grad, (len(grad), *plane), "avg", output_size, axes=axes), grad)


def test_wrong_indices_of_one_plane_are_seen():
    """An index of another window, or of no element, among those of many planes."""
    x = make_values((70, 6, 6), np.dtype("float32"), "normal", 0)
    y, indices = cypool.pool(x, "max", (3, 3), 2, 1, axes=(1, 2), return_indices=True)
    grad = np.ones_like(y)
    for at, value in itertools.product([(0, 0, 0), (66, 1, 2), (69, 2, 2)], (35, 0)):
        wrong = indices.copy()
        wrong[at] = value
        found = cypool.pool_backward(
            grad, x.shape, "max", (3, 3), 2, 1, axes=(1, 2), indices=wrong)
        expected = np.zeros((70, 36), np.float32)
        np.add.at(expected, (np.arange(70)[:, None], wrong.reshape(70, -1)), 1)
        assert_same(found, expected.reshape(x.shape))
        for beyond in (36, -2):
            wrong[at] = beyond
            out = np.full(x.shape, 7, np.float32)
            with pytest.raises(ValueError, match="indices"):
                cypool.pool_backward(grad, x.shape, "max", (3, 3), 2, 1, axes=(1, 2),
                                     indices=wrong, out=out)
            assert (out == 7).all()


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_a_plane_does_not_depend_on_others(window):
    plane, kernel, stride, padding, dilation = window
    axes = tuple(range(1, 1 + len(plane)))
    x = make_values((30, *plane), np.dtype("float32"), "normal", 0)
    for op in ("max", "avg"):
        expected = cypool.pool(x, op, kernel, stride, padding, dilation, axes=axes)
        for bad in (np.nan, np.inf, 2.0**100, 2.0**-100):
            more = x.copy()
            more[7] = bad
            found = cypool.pool(more, op, kernel, stride, padding, dilation, axes=axes)
            assert_same(np.delete(found, 7, 0), np.delete(expected, 7, 0))


def test_on_two_threads():
    x = make_values((3, 200, 7, 7), np.dtype("float32"), "normal", 0)
    for op in ("max", "avg"):
        assert_same(cypool.pool(x, op, (4, 4), 2, 1, num_threads=2),
                    cypool.pool(x, op, (4, 4), 2, 1, num_threads=1))

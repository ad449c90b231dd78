"""Forward values against the oracle, for every operator and dtype, over drawn calls."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from arrays import make_values
from geometries import Geometry, calls, geometries
from hypothesis import example, given
from hypothesis import strategies as st
from judging import assert_matches, assert_same
from registry import ALL, NAMED, OPERATORS, with_dtypes

import cypool


@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(ALL))
@given(data=st.data())
def test_values(operator, dtype, data):
    call = data.draw(calls(operator, dtype))
    result = call.forward()
    assert_matches(result, call.expected())
    assert result.flags.c_contiguous
    assert result.flags.writeable
    assert not np.shares_memory(result, call.x)


def unwrapped(value):
    """The entry of a tuple of one int, as a single axis is usually written."""
    return value[0] if isinstance(value, tuple) and value and np.isscalar(value[0]) else value


@given(geometry=geometries(1))
@example(Geometry((2,), 3, 2, 0, 1, True))
@example(Geometry((5,), 1, 3, ((0, 1),), 1, "full"))
def test_pool_output_size(geometry):
    plan = oracle.Plan(geometry.lengths, (0,), geometry.kernel_size, **geometry.windows)
    windows = {name: unwrapped(value) for name, value in geometry.windows.items()}
    kernel_size = unwrapped(geometry.kernel_size)
    count = cypool.pool_output_size(geometry.lengths[0], kernel_size, **windows)
    assert type(count) is int
    assert count == plan.counts[0]


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_arguments_by_position(operator):
    x = np.random.default_rng(3).standard_normal((2, 3) + (7,) * operator.ndim)
    if operator.op == "max":
        values, indices = operator.forward(x, 3, 2, 1, 2, True, True)
        expected = oracle.pool(x, "max", 3, 2, 1, 2, True, axes=tuple(range(2, x.ndim)))
        assert_same(indices, expected.indices)
    else:
        values = operator.forward(x, 3, 2, 1, True, False, 5)
        expected = oracle.pool(
            x, "avg", 3, 2, 1, 1, True, axes=tuple(range(2, x.ndim)), divisor_override=5
        )
    assert_matches(values, expected)


class Exporter:
    """Something that is not an array but can be seen as one."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return self.array


class DLPackOnly:
    """An array that can only be had through DLPack."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __dlpack__(self, **keywords: object) -> object:
        return self.array.__dlpack__(**keywords)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("wrap", [memoryview, Exporter, DLPackOnly], ids=lambda wrap: wrap.__name__)
@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_anything_seen_as_an_array(operator, wrap):
    x = np.random.default_rng(4).standard_normal((2, 3) + (5,) * operator.ndim)
    result = operator.forward(wrap(x), 2)
    assert type(result) is np.ndarray
    assert_same(result, operator.forward(x, 2))


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_numpy_integers_count_as_int(operator):
    x = np.random.default_rng(5).standard_normal((2, 3) + (5,) * operator.ndim)
    two = np.int32(2)
    result = operator.forward(x, (two,) * operator.ndim, stride=two, padding=np.uint8(1))
    assert_same(result, operator.forward(x, 2, stride=2, padding=1))
    listed = operator.forward(x, [2] * operator.ndim, stride=[2] * operator.ndim)
    assert_same(listed, operator.forward(x, 2))


@pytest.mark.parametrize(
    ("operator", "dtype"),
    with_dtypes([op for op in OPERATORS if op.op in ("avg", "sum")]),
)
@given(data=st.data())
def test_dtype_names_accumulator_and_result(operator, dtype, data):
    call = data.draw(calls(operator, dtype))
    if oracle.is_float(call.x.dtype):
        wider = ("float64",) if dtype == "float64" else ("float32", "float64")
    else:
        wider = tuple(
            name
            for name in ("int16", "uint16", "int32", "uint32", "int64", "uint64", "float64")
            if np.can_cast(call.x.dtype, name)
        )
    chosen = np.dtype(data.draw(st.sampled_from(wider)))
    call.params["dtype"] = chosen
    result = call.forward()
    assert result.dtype == chosen
    assert_matches(result, call.expected())


@pytest.mark.parametrize(
    "name", ["int8", "uint8", "int32", "uint32", "int64", "float16", "float32"]
)
def test_dtype_of_sums_is_numpys(name):
    x = np.ones((1, 4), name)
    assert cypool.pool(x, "sum", (2,)).dtype == np.sum(x).dtype


@pytest.mark.parametrize("dtype", ["int64", "float32", "float16"])
def test_one_long_window_over_a_border_of_many_small_planes(dtype):
    """A single window of more rows than are folded at once, clipped, in planes taken together."""
    x = make_values((4, 3, 56, 2), np.dtype(dtype), "distinct", 1)
    got = cypool.max_pool2d(x, (40, 2), (38, 3), (5, 0))
    assert_same(got, x[:, :, :35].max(axis=(2, 3), keepdims=True))
    means = cypool.avg_pool2d(x, (40, 2), (38, 3), (5, 0), count_include_pad=False)
    assert_matches(means, oracle.pool(
        x, "avg", (40, 2), (38, 3), (5, 0), axes=(2, 3), count_include_pad=False))


def test_long_windows_of_every_other_row():
    """Sums along rows alone, straight from the source, where rows are left out between."""
    x = make_values((2, 3, 9, 70), np.dtype(np.float32), "distinct", 1)
    for kernel, stride in (((1, 33), (2, 11)), ((1, 35), (3, 35)), ((1, 20), (2, 20))):
        got = cypool.avg_pool2d(x, kernel, stride)
        assert_matches(got, oracle.pool(x, "avg", kernel, stride, axes=(2, 3)))
        assert_same(cypool.avg_pool2d(x[:, :, ::-1][:, :, ::-1], kernel, stride), got)
        apart = np.repeat(x, 2, axis=3)[..., ::2]
        assert_same(cypool.avg_pool2d(apart, kernel, stride), got)

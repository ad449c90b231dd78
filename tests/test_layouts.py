"""The same numbers, wherever they lie: channels first or last, and any strides NumPy can make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import oracle
import pytest
from arrays import MEMORY, make_values
from geometries import calls, geometries
from hypothesis import given
from hypothesis import strategies as st
from judging import assert_matches, assert_same
from registry import FORMATS, NAMED, OPERATORS, dtype_of, with_dtypes

import cypool

SHAPES = {1: (2, 3, 37), 2: (2, 3, 11, 19), 3: (2, 2, 5, 6, 17)}


def channels_last(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(array, 1, -1))


def channels_first(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(array, -1, 1))


@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(NAMED))
@given(data=st.data())
def test_channels_last_is_channels_first_moved(operator, dtype, data):
    """Selections to the bit, indices included; sums within what their accuracy allows."""
    geometry = data.draw(geometries(operator.ndim))
    outer = data.draw(st.tuples(st.integers(1, 2), st.integers(1, 20)))
    flavour = data.draw(st.sampled_from(("ties", "distinct", "lowest")))
    x = make_values((*outer, *geometry.lengths), dtype_of(dtype), flavour, 7)
    x_last = channels_last(x)
    window = geometry.windows
    kernel = geometry.kernel_size
    axes = tuple(range(2, x.ndim))
    if operator.selects:
        first = operator.forward(x, kernel, **window, return_indices=True)
        last = operator.forward(
            x_last, kernel, **window, return_indices=True, data_format="channels_last"
        )
        for one, other in zip(first, last, strict=True):
            assert_same(channels_first(other), one)
    else:
        last = operator.forward(x_last, kernel, **window, data_format="channels_last")
        assert_matches(
            channels_first(last), oracle.pool(x, operator.op, kernel, **window, axes=axes)
        )


@pytest.mark.parametrize("batched", [True, False], ids=["batched", "unbatched"])
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_letters_name_the_layouts(operator, layout, batched):
    letters = FORMATS[operator.ndim][layout]
    shape = SHAPES[operator.ndim] if batched else SHAPES[operator.ndim][1:]
    x = make_values(shape, np.dtype(np.float32), "normal", 1)
    by_word = operator.forward(x, 2, data_format=layout)
    assert_same(operator.forward(x, 2, data_format=letters), by_word)
    gradient = operator.backward(by_word, x, 2, data_format=layout)
    assert_same(operator.backward(by_word, x, 2, data_format=letters), gradient)


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_default_layout_is_channels_first(operator):
    x = make_values(SHAPES[operator.ndim], np.dtype(np.float32), "normal", 1)
    assert_same(operator.forward(x, 2), operator.forward(x, 2, data_format="channels_first"))


@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(OPERATORS))
@given(data=st.data())
def test_memory_layout_changes_no_bit(operator, dtype, data):
    call = data.draw(calls(operator, dtype))
    plain = call.with_x(np.array(call.x, order="C"))
    assert_same(call.forward(), plain.forward())
    grad_output = make_values(call.output_shape, np.dtype(np.float32), "normal", 2)
    assert_same(call.backward(grad_output), plain.backward(grad_output))


@pytest.mark.parametrize("kept_in", MEMORY)
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(NAMED, ("float32", "uint8", "float16")))
def test_memory_layout_of_a_wide_plane(operator, dtype, layout, kept_in):
    """The same on planes wide enough for every vector loop, for x and for the gradient."""
    values = make_values(SHAPES[operator.ndim], dtype_of(dtype), "ties", 3)
    x = MEMORY[kept_in](channels_last(values) if layout == "channels_last" else values)
    plain = np.array(x, order="C")
    for kernel, stride in ((2, 2), (3, 1), (3, 2), (5, 1)):
        where = {"stride": stride, "padding": 1, "data_format": layout}
        expected = operator.forward(plain, kernel, **where)
        assert_same(operator.forward(x, kernel, **where), expected)
        grad_plain = make_values(expected.shape, np.dtype(np.float32), "normal", 4)
        grad_output = MEMORY[kept_in](grad_plain)
        grad_plain = np.array(grad_output, order="C")
        assert_same(
            operator.backward(grad_output, x, kernel, **where),
            operator.backward(grad_plain, plain, kernel, **where),
        )


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_files_mapped_into_memory(operator, tmp_path: Path):
    x = make_values(SHAPES[operator.ndim], np.dtype(np.float32), "normal", 5)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    result = operator.forward(mapped, 3, stride=2, padding=1, ceil_mode=True)
    assert type(result) is np.ndarray
    assert_same(result, operator.forward(x, 3, stride=2, padding=1, ceil_mode=True))


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_subclasses_are_seen_as_plain_arrays(operator):
    class Tagged(np.ndarray):
        pass

    x = make_values(SHAPES[operator.ndim], np.dtype(np.float32), "normal", 5)
    assert_same(operator.forward(x.view(Tagged), 2), operator.forward(x, 2))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_sums_of_any_window_have_the_same_bits_in_any_memory(ndim, layout, seed):
    """Long windows above all, whose rows are added up in blocks, or brought by and by."""
    rng = np.random.default_rng([ndim, seed])
    for _ in range(12):
        lengths = [int(rng.integers(1, {1: 3000, 2: 100, 3: 18}[ndim])) for _ in range(ndim)]
        kernel = [int(rng.integers(1, n + 1)) for n in lengths]
        stride = [int(rng.integers(1, k + 2)) for k in kernel]
        padding = [int(rng.integers(0, k // 2 + 1)) for k in kernel]
        channels = int(rng.integers(1, 40))
        shape = (channels, *lengths) if layout == "channels_first" else (*lengths, channels)
        x = rng.standard_normal(shape, dtype=np.float32)
        pool = getattr(cypool, f"avg_pool{ndim}d")
        expected = pool(x, kernel, stride, padding, data_format=layout)
        for memory in ("reversed_last", "transposed", "padded"):
            same = MEMORY[memory](x)
            assert_same(pool(same, kernel, stride, padding, data_format=layout), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8"])
@pytest.mark.parametrize("op", ["avg", "sum"])
@pytest.mark.parametrize(("shape", "axes", "kernel", "stride"), [
    ((3, 7, 7, 64), (1, 2), (7, 7), 1), ((2, 8, 8, 16), (1, 2), (8, 8), 1),
    ((2, 14, 14, 64), (1, 2), (14, 14), 1), ((17, 3, 131), (1, 2), (3, 16), 1),
    ((2, 127, 91), (1, 2), (127, 16), 1), ((40, 14, 47), (1, 2), (14, 16), 1),
    ((3, 5, 300), (1, 2), (1, 32), (5, 1)), ((4, 1, 300), (1, 2), (1, 32), 1),
    ((2, 2, 3, 10, 16), (1, 2, 3), (2, 3, 10), 1), ((5, 9, 200), (2,), (64,), 1),
])
def test_planes_side_by_side_are_pooled_as_if_apart(shape, axes, kernel, stride, op, dtype):
    """Planes without a gap may be worked as one, which must not change the order of additions."""
    if op == "sum" and dtype == "float16":
        pytest.skip("the same as float32's")
    flavour = "normal" if oracle.is_float(dtype_of(dtype)) else "full"
    x = make_values(shape, dtype_of(dtype), flavour, 6)
    where = {"stride": stride, "axes": axes}
    expected = cypool.pool(x, op, kernel, **where)
    for memory in ("padded", "reversed", "fortran"):
        assert_same(cypool.pool(MEMORY[memory](x), op, kernel, **where),
                    cypool.pool(np.array(MEMORY[memory](x), order="C"), op, kernel, **where))
    for i in range(len(x)):
        assert_same(cypool.pool(x[i:i + 1], op, kernel, **where), expected[i:i + 1])

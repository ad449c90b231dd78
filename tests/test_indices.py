"""Indices of selections: the first winner in row-major order, in the unpadded plane."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from arrays import make_values
from geometries import calls
from hypothesis import given
from hypothesis import strategies as st
from judging import assert_same
from registry import ALL, with_dtypes

import cypool

SELECTIONS = [operator for operator in ALL if operator.selects]
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(SELECTIONS))
@given(data=st.data())
def test_indices(operator, dtype, data):
    call = data.draw(calls(operator, dtype))
    index_dtype = np.dtype(data.draw(st.sampled_from(("int64", "int32"))))
    more = {"index_dtype": index_dtype} if operator.ndim else {}
    result = call.forward(return_indices=True, **more)
    assert type(result) is tuple
    values, indices = result
    expected = call.expected()
    assert_same(values, expected.values)
    assert_same(indices, expected.indices.astype(indices.dtype))
    assert indices.dtype == (index_dtype if operator.ndim else np.int64)
    assert indices.flags.c_contiguous
    assert_same(values, call.forward())  # asking for indices changes no value


@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(SELECTIONS))
@given(data=st.data())
def test_indices_point_at_the_values(operator, dtype, data):
    call = data.draw(calls(operator, dtype))
    values, indices = call.forward(return_indices=True)
    geometry = call.geometry
    plan = oracle.Plan(call.x.shape, call.axes, geometry.kernel_size, **geometry.windows)
    planes, picked = plan.to_planes(call.x), plan.to_planes(indices)
    assert picked.min(initial=0) >= -1
    assert picked.max(initial=-1) < planes.shape[1]
    gathered = np.take_along_axis(planes, np.maximum(picked, 0), axis=1)
    found = picked >= 0
    assert_same(gathered[found], plan.to_planes(values)[found])


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize(
    ("plane", "winner"),
    [
        ([[1.0, 5.0], [5.0, 1.0]], 1),  # not 2, as rows first and columns after would find
        ([[7.0, 7.0], [7.0, 7.0]], 0),
        ([[0.0, NAN], [NAN, INF]], 1),
        ([[INF, 0.0], [0.0, NAN]], 3),
        ([[-INF, -INF], [-INF, -INF]], 0),
        ([[-INF, -INF], [-1.0, -INF]], 2),
        ([[-0.0, 0.0], [0.0, -0.0]], 0),
        ([[1.0, 2.0], [NAN, NAN]], 2),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_window(plane, winner, data_format, dtype):
    x = np.array(plane, dtype)
    axis = 0 if data_format == "channels_first" else -1
    x = np.expand_dims(x, axis)
    values, indices = cypool.max_pool2d(x, 2, return_indices=True, data_format=data_format)
    assert indices.ravel().tolist() == [winner]
    assert_same(values.ravel(), x.ravel()[[winner]])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33])
def test_all_equal_takes_the_first_real_tap(size):
    """Ties decide nothing but the order, for each way a window length may be worked."""
    for stride in (1, 2, size):
        x = np.zeros((1, 40, 41), np.float32)
        padding = size // 2
        _, indices = cypool.max_pool2d(x, size, stride, padding, return_indices=True)
        expected = oracle.pool(x, "max", size, stride, padding, axes=(1, 2)).indices
        assert_same(indices, expected)


@pytest.mark.parametrize("padding", ["same", "same_lower", 0, 7, ((9, 0), (0, 9))])
@pytest.mark.parametrize("ceil_mode", [False, True, "full"])
def test_all_minus_infinity_never_gives_minus_one_inside(padding, ceil_mode):
    x = np.full((1, 6, 7), -np.inf, np.float32)
    arguments = (3, 2, padding, 2, ceil_mode)
    values, indices = cypool.max_pool2d(x, *arguments, return_indices=True)
    expected = oracle.pool(x, "max", *arguments, axes=(1, 2))
    assert_same(indices, expected.indices)
    assert (values == -np.inf).all()


def test_each_plane_counts_from_zero():
    x = np.zeros((2, 3, 4, 5), np.float32)
    x[..., 3, 4] = 1
    _, indices = cypool.max_pool2d(x, (4, 5), return_indices=True)
    assert (indices == 19).all()
    moved = np.moveaxis(x, 1, -1)
    _, indices = cypool.max_pool2d(moved, (4, 5), return_indices=True, data_format="channels_last")
    assert (indices == 19).all()


def expected_one_apart(x, kernel, padding, largest):
    """Values and indices of windows one apart, by NumPy alone: (N, H, W) -> twice (N, OH, OW)."""
    (kh, kw), (ph, pw), (height, width) = kernel, padding, x.shape[1:]
    around = ((0, 0), (ph, ph), (pw, pw))
    # Padding never wins, not against an infinity either, and the first of equals does.
    padded = np.pad(x if largest else -x, around, constant_values=-np.inf)
    inside = np.pad(np.ones(x.shape, bool), around)
    places = np.pad(np.arange(height * width).reshape(1, height, width), around)
    taps, real, place = (
        np.lib.stride_tricks.sliding_window_view(a, kernel, axis=(1, 2)).reshape(
            -1, height + 2 * ph - kh + 1, width + 2 * pw - kw + 1, kh * kw)
        for a in (padded, inside, places))
    values = taps.max(-1)
    value = values if not np.isnan(taps).any() else np.where(
        np.isnan(taps).any(-1), np.nan, values)
    wins = real & ((taps == value[..., None]) | np.isnan(taps))
    first = np.take_along_axis(
        np.broadcast_to(place, taps.shape), wins.argmax(-1)[..., None], -1)[..., 0]
    return value if largest else -value, first


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kernel", [(4, 4), (5, 5), (4, 8), (8, 4), (6, 3), (5, 6), (9, 3), (3, 9)])
def test_windows_that_see_the_same_rows(kernel, dtype):
    """Of every width and height about that of a vector, with every padding."""
    kh, kw = kernel
    for height, width in ((kh, kw), (kh + 1, 17), (20, 20), (4, 9), (13, 33), (40, 16), (11, 47)):
        for padding in ((0, 0), (kh // 2, kw // 2), (1, 0), (0, 1)):
            if height + 2 * padding[0] < kh or width + 2 * padding[1] < kw:
                continue
            for flavour in ("ties", "lowest", "normal", "zeros", "nan"):
                x = make_values((3, height, width), np.dtype(dtype), flavour, height)
                for op in ("max", "min"):
                    values, first = expected_one_apart(x, kernel, padding, op == "max")
                    for index_dtype in ("int32", "int64"):
                        got = cypool.pool(
                            x, op, kernel, 1, padding, return_indices=True,
                            index_dtype=index_dtype)
                        assert_same(got[0], values)
                        assert_same(got[1], first.astype(index_dtype))


def first_extremes(planes, kernel, stride, padding, dilation, largest):
    """Indices of windows of many taps, window by window: (N, H, W) -> (N, OH, OW)."""
    height, width = planes.shape[1:]
    seen = []       # per axis: the real taps of each window
    for length, k, s, p, d in zip(
            (height, width), kernel, stride, padding, dilation, strict=True):
        count = cypool.pool_output_size(length, k, s, p, d)
        taps = [np.arange(o * s - p, o * s - p + k * d, d) for o in range(count)]
        seen.append([t[(t >= 0) & (t < length)] for t in taps])
    indices = np.full((len(planes), len(seen[0]), len(seen[1])), -1, np.int64)
    for i, rows in enumerate(seen[0]):
        for j, columns in enumerate(seen[1]):
            taps = planes[:, rows][:, :, columns].reshape(len(planes), -1)
            if taps.size == 0:
                continue
            bad = taps != taps
            best = taps.argmax(1) if largest else taps.argmin(1)
            best = np.where(bad.any(1), bad.argmax(1), best)
            indices[:, i, j] = rows[best // len(columns)] * width + columns[best % len(columns)]
    return indices


@pytest.mark.parametrize("dtype", [
    "float16", "float32", "float64", "uint8", "int8", "int16", "uint32", "int64", "bool"])
@pytest.mark.parametrize("window", [
    ((6, 6), (1, 1), (3, 3), (1, 1)), ((7, 5), (2, 2), (0, 2), (1, 1)),
    ((11, 11), (1, 1), (5, 5), (1, 1)), ((6, 7), (6, 7), (2, 0), (1, 1)),
    ((4, 9), (3, 4), (4, 9), (2, 3)), ((1, 40), (1, 3), (0, 11), (1, 1)),
    ((40, 1), (2, 1), (13, 0), (1, 1)), ((32, 32), (1, 5), (16, 8), (1, 1)),
    ((33, 33), (3, 1), (16, 16), (1, 1)), ((2, 17), (1, 1), (1, 8), (5, 2)),
    ((5, 5), (2, 2), (2, 2), (1, 1)), ((4, 4), (1, 1), (2, 3), (1, 2)),
    ((5, 4), (3, 2), (0, 1), (2, 1)), ((13, 5), (1, 1), (12, 4), (1, 1))], ids=str)
def test_windows_of_many_taps(window, dtype):
    """In any memory; with ties, NaN and padding that could be taken for what is there."""
    for planes, height, width, seed in ((1, 34, 29, 0), (5, 21, 50, 1), (19, 17, 20, 2)):
        kind = np.dtype(dtype)
        for flavour in ("ties", "nan", "lowest") if kind.kind == "f" else ("ties", "edges"):
            x = make_values((planes, height, width), kind, flavour, seed)
            last = np.ascontiguousarray(np.moveaxis(x, 0, -1))
            wide = np.repeat(x, 2, -1)[..., ::2]
            for op in ("max", "min"):
                try:
                    expected = first_extremes(x, *window, op == "max")
                except ValueError:      # a window larger than the plane
                    continue
                kernel, stride, padding, dilation = window
                for array, layout in ((x, "channels_first"), (last, "channels_last"),
                                      (wide, "channels_first")):
                    values, indices = cypool.pool(
                        array, op, kernel, stride, padding, dilation, return_indices=True,
                        data_format=layout)
                    assert_same(values, cypool.pool(
                        array, op, kernel, stride, padding, dilation, data_format=layout))
                    if layout == "channels_last":
                        indices = np.moveaxis(indices, -1, 0)
                    assert_same(indices, expected)


@pytest.mark.parametrize("channels", [1, 300, 2000, 4000])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_far_taps_of_what_is_not_read_in_place(dtype, channels):
    """Rows of a window that are further apart than scratch usually holds."""
    x = make_values((1, 40, 40, 2 * channels), np.dtype(dtype), "normal", channels)[..., ::2]
    window = (5, 3, 0, 8)
    values, indices = cypool.max_pool2d(x, *window, return_indices=True, data_format="NHWC")
    plain = np.ascontiguousarray(np.moveaxis(x, -1, 1)).astype(np.float32)
    expected = cypool.max_pool2d(plain, *window, return_indices=True)
    assert_same(np.moveaxis(values, -1, 1).astype(np.float32), expected[0])
    assert_same(np.moveaxis(indices, -1, 1), expected[1])
    wide = make_values((2, 70, 9001), np.dtype(dtype), "normal", 1).repeat(2, -1)[..., ::2]
    window = ((5, 2), 7, 0, (16, 1))
    values, indices = cypool.max_pool2d(wide, *window, return_indices=True)
    expected = cypool.max_pool2d(
        np.ascontiguousarray(wide).astype(np.float32), *window, return_indices=True)
    assert_same(values.astype(np.float32), expected[0])
    assert_same(indices, expected[1])


@pytest.mark.parametrize("dilation", [40, 600, 8192])
@pytest.mark.parametrize("channels", [1, 16])
def test_taps_across_more_than_scratch_holds(dilation, channels):
    """Read backwards, and as it lies: the same places."""
    x = make_values((2, channels, 840), np.dtype("int64"), "ties", dilation)
    for layout, array in (("channels_first", x), ("channels_last", np.moveaxis(x, 1, -1).copy())):
        window = ((3,), 3, ((dilation, dilation + 5),), dilation, "full")
        mirrored = np.ascontiguousarray(array[:, ::-1, ::-1])[:, ::-1, ::-1]
        for op in ("max", "min"):
            got, expected = (
                cypool.pool(a, op, *window, return_indices=True, data_format=layout)
                for a in (mirrored, array))
            assert_same(got[0], expected[0])
            assert_same(got[1], expected[1])


@pytest.mark.parametrize(("dtype", "stride"), [("uint8", 2**20), ("float32", 2)])
def test_a_tap_far_from_the_start_of_its_window(dtype, stride):
    """Further than 32 bits count, through padding above a plane of one long row."""
    width = 2**25 + 2**21
    x = np.zeros((1, 1, width), dtype)
    _, indices = cypool.max_pool2d(
        x, (2, 1), (1, stride), ((64, 0), (0, 0)), (64, 1), return_indices=True)
    np.testing.assert_array_equal(indices[0, 0], np.arange(0, width, stride))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("window", [
    ((3, 3, 3), (2, 2, 2), (1, 1, 1)), ((2, 5, 5), (1, 1, 1), (0, 2, 2)),
    ((1, 5, 5), (1, 1, 1), (0, 2, 2)), ((4, 4, 4), (2, 2, 2), (2, 1, 0)),
    ((2, 2, 2), (2, 2, 2), (1, 1, 1)), ((5, 6, 6), (1, 1, 1), (2, 3, 3))], ids=str)
@pytest.mark.parametrize("flavour", ["ties", "nan", "lowest"])
def test_pixels_of_volumes(window, dtype, flavour):
    """Many channels at once, as each of them alone."""
    x = make_values((5, 7, 8, 53), np.dtype(dtype), flavour, 3)
    values, indices = cypool.max_pool3d(
        x, *window, return_indices=True, index_dtype=np.int32, data_format="channels_last")
    for c in range(x.shape[-1]):
        alone, where = cypool.max_pool3d(
            np.ascontiguousarray(x[None, ..., c]), *window, return_indices=True)
        assert_same(values[..., c], alone[0])
        assert_same(indices[..., c], where[0].astype(np.int32))


@pytest.mark.parametrize("window", [(5, 1, 2), (5, 2, 2), (4, 1, 0), (3, 1, 1), (3, 2, 1)], ids=str)
def test_indices_go_where_they_are_asked_to(window):
    """Values and indices that do not lie alike."""
    x = make_values((2, 17, 19, 24), np.dtype("float32"), "ties", 5)
    expected = cypool.max_pool2d(x, *window, return_indices=True, data_format="channels_last")
    shape = expected[0].shape
    gaps = np.zeros((*shape[:-1], 2 * shape[-1]), np.int64)[..., ::2]
    backwards = np.zeros(shape, np.float32)[:, ::-1]
    for out in ((None, gaps), (backwards, None), (backwards, gaps)):
        found = cypool.max_pool2d(
            x, *window, return_indices=True, data_format="channels_last", out=out)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)

"""Arrays of more than 2**31 elements, and single axes longer than that.

Where no more than a few values are needed, views with strides of zero stand for arrays that no
memory would hold; the rest takes up to 7 GiB and some minutes, so all of it is marked slow.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from fixed_calls import run_python

import cypool

pytestmark = pytest.mark.slow

GIB = 1 << 30
BLOCK = 1 << 24
LONG = 2**31 + 100_003  # no multiple of anything used here
WIDE = 2**33 + 7  # its indices take more than 32 bits, signed or not


def needs(gib: float) -> None:
    """Skip where there is less memory to be had."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        with open("/proc/meminfo") as file:
            free = next(int(line.split()[1]) << 10 for line in file if "MemAvailable" in line)
    except OSError:
        pass
    if free < gib * GIB:
        pytest.skip(f"needs {gib} GiB of memory, {free / GIB:.1f} are free")


@pytest.fixture(scope="module")
def noise():
    """LONG bytes, all but the last few of them noise that repeats after a prime number."""
    needs(7)
    pattern = np.random.default_rng(0).integers(0, 250, 16_777_213, dtype=np.uint8)
    x = np.resize(pattern, LONG)
    x[-3:] = 251
    return x


def blocks(outputs, stride):
    """Ranges of outputs, and where their windows begin, small enough for NumPy's own way."""
    for first in range(0, outputs, BLOCK):
        last = min(first + BLOCK, outputs)
        yield first, last, first * stride, last * stride


# ---------------------------------------------------------------- in memory


@pytest.mark.parametrize("threads", [1, None])
def test_one_long_axis(noise, threads):
    y = cypool.max_pool1d(noise[None], 3, num_threads=threads)
    assert y.shape == (1, LONG // 3)
    for first, last, begin, end in blocks(y.shape[1], 3):
        right = noise[begin:end].reshape(-1, 3).max(1)
        np.testing.assert_array_equal(y[0, first:last], right)


def test_more_than_2_31_results(noise):
    """Overlapping windows at a stride of 1: a result for every element."""
    y = cypool.avg_pool1d(noise[None], 3, stride=1)
    assert y.shape == (1, LONG - 2)
    for first in (0, 2**30, 2**31 - 1000, LONG - 2 - 5000):
        part = noise[first : first + 5002].astype(np.int64)
        right = np.rint((part[:-2] + part[1:-1] + part[2:]) / 3)
        count = min(5000, LONG - 2 - first)
        np.testing.assert_array_equal(y[0, first : first + count], right[:count])


def test_planes_of_more_than_2_31_elements(noise):
    rows, columns = 40_960, 52_429
    plane = noise[: rows * columns].reshape(rows, columns)
    assert plane.size > 2**31
    for layout in ("channels_first", "channels_last"):
        x = plane[None] if layout == "channels_first" else plane[..., None]
        y = cypool.max_pool2d(x, (3, 2), stride=(3, 2), data_format=layout)
        y = y.reshape(rows // 3, columns // 2)
        for row in (0, 1, 6000, rows // 3 - 1):
            window = plane[3 * row : 3 * row + 3, : columns // 2 * 2]
            np.testing.assert_array_equal(y[row], window.reshape(3, -1, 2).max((0, 2)))


def test_many_planes(noise):
    """More than 2**31 planes of one window each."""
    x = noise.reshape(-1, 1)
    y = cypool.pool(x, "min", 1, axes=1)
    assert y.shape == x.shape
    assert (y[:5000] == x[:5000]).all()
    assert (y[-5000:] == x[-5000:]).all()
    x = np.lib.stride_tricks.as_strided(noise, (LONG - 1, 2), (1, 1), writeable=False)
    y = cypool.pool(x, "max", 2, axes=1)
    for first in (0, 2**31 - 100, LONG - 5001):
        np.testing.assert_array_equal(y[first : first + 5000, 0], x[first : first + 5000].max(1))


def test_negative_strides(noise):
    y = cypool.max_pool1d(noise[None, ::-1], 4, ceil_mode=True)
    assert y.shape == (1, -(-LONG // 4))
    assert y[0, 0] == 251
    np.testing.assert_array_equal(y[0, -1:], noise[: LONG % 4].max(keepdims=True))
    right = noise[LONG - 4 * BLOCK :].reshape(-1, 4).max(1)[::-1]
    np.testing.assert_array_equal(y[0, :BLOCK], right)


def test_one_window_over_everything(noise):
    """With its index beyond 2**31, and a sum beyond 2**32."""
    y, index = cypool.max_pool1d(noise[None], LONG, return_indices=True)
    assert y.tolist() == [[251]]
    assert index.tolist() == [[LONG - 3]]
    total = sum(int(noise[i : i + BLOCK].sum(dtype=np.int64)) for i in range(0, LONG, BLOCK))
    assert cypool.pool(noise, "sum", LONG, axes=0).tolist() == [total]
    assert cypool.pool(noise, "avg", LONG, axes=0).tolist() == [round(total / LONG)]
    with pytest.raises(ValueError, match=r"^index_dtype must .*, got int32$"):
        cypool.max_pool1d(noise[None], LONG, return_indices=True, index_dtype=np.int32)


# ---------------------------------------------------------------- views that repeat one element


@pytest.mark.parametrize("op", ["max", "min"])
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "int64"])
def test_indices_beyond_32_bits(dtype, op):
    """All elements are equal, so the index is that of a window's first."""
    x = np.broadcast_to(np.array(5, dtype), (1, WIDE))
    stride = 2**20 + 1
    y, index = cypool.pool(
        x, op, 3, stride=stride, padding=1, axes=1, return_indices=True, index_dtype=np.int64
    )
    assert (y == 5).all()
    right = np.arange(y.shape[1], dtype=np.int64) * stride - 1
    right[0] = 0
    np.testing.assert_array_equal(index[0], right)


@pytest.mark.parametrize("length", [2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1, 2**32, 2**32 + 1])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_indices_about_the_limits(dtype, length):
    x = np.broadcast_to(np.array(5, dtype), (1, length))
    y, index = cypool.max_pool1d(x, 2, stride=length - 2, return_indices=True)
    assert y.tolist() == [[5, 5]]
    assert index.tolist() == [[0, length - 2]]
    if length <= 2**31:
        _, index = cypool.max_pool1d(
            x, 2, stride=length - 2, return_indices=True, index_dtype=np.int32
        )
        assert index.tolist() == [[0, length - 2]]


@pytest.mark.parametrize("axes", [(0, 1), (0, 1, 2)])
def test_indices_in_planes_and_volumes(axes):
    """Rows alike: the first row of a window has its maximum, at a column that differs."""
    row = np.random.default_rng(1).permutation(1025).astype(np.uint16)
    x = np.broadcast_to(row, (2**12, 2**11, 1025) if len(axes) == 3 else (2**23, 1025))
    outer = (2**9, 2**7) if len(axes) == 3 else (2**17,)
    size, step = (*(2,) * len(outer), 5), (*outer, 64)
    y, index = cypool.pool(x, "max", size, stride=step, axes=axes, return_indices=True)
    columns = np.array([row[c : c + 5].argmax() + c for c in range(0, 1021, 64)])
    starts = np.indices(y.shape[:-1])
    pitch = np.cumprod([1, *x.shape[:0:-1]])[::-1]
    first = sum(s * o * p for s, o, p in zip(starts, outer, pitch[:-1], strict=True))
    np.testing.assert_array_equal(index, first[..., None] + columns)
    np.testing.assert_array_equal(y, np.broadcast_to(row[columns], y.shape))
    assert index.max() > 2**32


@pytest.mark.parametrize("threads", [1, None])
def test_sums_of_more_than_2_32_terms(threads):
    x = np.broadcast_to(np.array([3, 250], np.uint8), (2**31 + 5, 2))
    total = cypool.pool(x, "sum", (2**31 + 5, 2), axes=(0, 1), num_threads=threads)
    assert total.tolist() == [[253 * (2**31 + 5)]]
    average = cypool.pool(x, "avg", (2**31 + 5, 1), axes=(0, 1), num_threads=threads)
    assert average.tolist() == [[3, 250]]


def test_a_mask_over_a_long_axis():
    x = np.broadcast_to(np.array([7, 100], np.uint8), (LONG, 2))
    mask = np.broadcast_to(np.array([True, False]), x.shape)
    y = cypool.pool(x, "avg", (5, 2), stride=(2**16, 2), axes=(0, 1), mask=mask)
    assert (y == 7).all()


# ---------------------------------------------------------------- gradients


def test_gradient_by_indices_beyond_32_bits():
    """A plane of 2**31 elements and more, in halves, is added up band by band."""
    needs(6)
    places = np.array([[0, 7, 2**31 - 1, 2**31, LONG - 1, LONG - 1, -1]])
    grad = np.arange(1, 8, dtype=np.float16)[None]
    stride = (LONG - 1) // 6
    x = cypool.max_pool1d_backward(grad, (1, LONG), 1, stride=stride, indices=places)
    assert x.dtype == np.float16
    assert x[0, places[0, :5]].tolist() == [1, 2, 3, 4, 11]
    assert np.count_nonzero(x) == 5


@pytest.mark.parametrize("threads", [1, 3])
def test_gradient_of_a_maximum_found_again(threads):
    needs(6)
    x = np.broadcast_to(np.array(1, np.uint8), (1, LONG))
    stride = 2**22 + 3
    outputs = (LONG - 2) // stride + 1
    grad = np.ones((1, outputs), np.float16)
    gradient = cypool.max_pool1d_backward(grad, x, 2, stride=stride, num_threads=threads)
    assert (np.flatnonzero(gradient) == np.arange(outputs) * stride).all()


def test_gradient_of_an_average():
    needs(6)
    outputs = LONG // 16
    grad = np.resize(np.arange(0, 16 * 97, 16, dtype=np.float16), (1, outputs))
    x = cypool.avg_pool1d_backward(grad, (1, LONG), 16)
    assert x.shape == (1, LONG)
    for first in (0, outputs // 2, 2**27 - 1000, outputs - 2000):
        part = x[0, 16 * first : 16 * (first + 2000)].reshape(2000, 16)
        assert (part == (np.arange(first, first + 2000) % 97)[:, None]).all()
    assert (x[0, 16 * outputs :] == 0).all()


def test_indices_out_of_a_long_plane():
    """Seen before anything is written, or even allocated by the page."""
    out = np.zeros((1, LONG), np.float16)
    for bad in (LONG, 2**40, -2):
        with pytest.raises(ValueError, match=rf"^indices must .*, got {bad}$"):
            cypool.max_pool1d_backward(
                np.ones((1, 1), np.float16), (1, LONG), LONG, indices=np.array([[bad]]), out=out
            )
    assert not out[0, ::4099].any()


def test_less_than_the_output_is_needed_beside_it():
    """Scratch stays small however long the axis."""
    run_python(
        """
        import resource
        import numpy as np
        import cypool

        x = np.broadcast_to(np.uint8(3), (1, 2**33 + 7))
        cypool.max_pool1d(x[:, :100], 2)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        y = cypool.max_pool1d(x, 2**14, stride=2**14)
        assert (y == 3).all()
        y = cypool.avg_pool1d(x, 2**32, num_threads=2)
        assert (y == 3).all()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 16 << 10, grown  # KiB
        """,
        timeout=600,
    )

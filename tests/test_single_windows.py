"""Axes that one window covers, with padding beside what there is of them."""

from __future__ import annotations

import numpy as np
import pytest

import cypool

# Plane, kernel, padding (before, after): one window along at least one axis.
CASES = [
    ((1, 9), (3, 2), ((1, 1), (0, 0))), ((2, 8), (4, 3), ((1, 1), (1, 1))),
    ((3, 10), (5, 2), ((2, 0), (0, 0))), ((2, 9), (3, 2), ((0, 1), (0, 1))),
    ((8, 5), (2, 13), ((0, 0), (6, 6))), ((9, 1), (3, 3), ((1, 1), (1, 1))),
    ((4, 4), (9, 9), ((4, 4), (4, 4))), ((2, 6), (3, 2), ((1, 0), (0, 0))),
    ((1, 1), (2, 2), ((1, 0), (0, 1))), ((5, 7), (2, 20), ((0, 0), (13, 0))),
]


def windows(x: np.ndarray, kernel, padding, fill) -> np.ndarray:
    """Side by side: (planes, rows of windows, columns of windows, taps)."""
    padded = np.pad(x, ((0, 0), *padding), constant_values=fill)
    rows, columns = ((n - k) // k + 1 for n, k in zip(padded.shape[1:], kernel, strict=True))
    found = padded[:, :rows * kernel[0], :columns * kernel[1]]
    return found.reshape(len(x), rows, kernel[0], columns, kernel[1]).swapaxes(2, 3).reshape(
        len(x), rows, columns, -1)


def last(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(x, 0, -1))


@pytest.mark.parametrize("planes", [1, 6, 40])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float16", "float32", "float64", "int64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_window(case, dtype, planes):
    plane, kernel, padding = case
    rng = np.random.default_rng(planes)
    x = rng.integers(0, 32, (planes, *plane)).astype(dtype)     # (sums are exact in every type)
    real = windows(np.ones_like(x, np.float64), kernel, padding, 0)
    sums = windows(x.astype(np.float64), kernel, padding, 0).sum(-1)
    highest = windows(x.astype(np.float64), kernel, padding, -np.inf).max(-1)
    least = windows(x.astype(np.float64), kernel, padding, np.inf).min(-1)
    squares = windows(x.astype(np.float64) ** 2, kernel, padding, 0).sum(-1)
    count = real.sum(-1)
    assert count.min() > 0
    for array, layout in ((x, "channels_first"), (last(x), "channels_last")):

        def pooled(op, array=array, layout=layout, **more):
            found = cypool.pool(
                array, op, kernel, None, padding, data_format=layout, **more)
            return np.moveaxis(found, -1, 0) if layout == "channels_last" else found

        np.testing.assert_array_equal(pooled("sum").astype(np.float64), sums)
        np.testing.assert_array_equal(pooled("max").astype(np.float64), highest)
        np.testing.assert_array_equal(pooled("min").astype(np.float64), least)
        for divisor, more in ((real.shape[-1], {}), (count, {"count_include_pad": False}),
                              (7, {"divisor_override": 7})):
            means = sums / divisor
            if np.dtype(dtype).kind in "iu":
                means = np.rint(means)
            np.testing.assert_array_equal(
                pooled("avg", **more), means.astype(np.float32).astype(dtype)
                if dtype in ("float16", "float32") else means.astype(dtype))
        np.testing.assert_allclose(
            pooled("lp", p=2).astype(np.float64), np.sqrt(squares),
            rtol=2e-3 if dtype == "float16" else 5e-7)


@pytest.mark.parametrize("planes", [1, 6, 40])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradients(case, planes):
    """What each element gets, by the indices of its windows."""
    plane, kernel, padding = case
    rng = np.random.default_rng(planes)
    x = rng.permutation(planes * plane[0] * plane[1]).reshape(planes, *plane).astype(np.float32)
    numbers = np.arange(1, plane[0] * plane[1] + 1).reshape(1, *plane)
    places = windows(numbers, kernel, padding, 0)[0]
    grad = rng.integers(1, 9, (planes, *places.shape[:2])).astype(np.float32)
    shares = np.zeros((planes, numbers.size + 1))
    for h, w in np.ndindex(places.shape[:2]):
        shares[:, places[h, w]] += grad[:, h, w, None]
    shares = shares[:, 1:].reshape(x.shape)
    taken = np.zeros((planes, numbers.size))
    winners = windows(x, kernel, padding, -np.inf).argmax(-1)
    for p, h, w in np.ndindex(winners.shape):
        taken[p, places[h, w, winners[p, h, w]] - 1] += grad[p, h, w]
    taken = taken.reshape(x.shape)
    for array, g, layout in ((x, grad, "channels_first"), (last(x), last(grad), "channels_last")):

        def back(op, array=array, g=g, layout=layout, **more):
            found = cypool.pool_backward(
                g, array, op, kernel, None, padding, data_format=layout, **more)
            return np.moveaxis(found, -1, 0) if layout == "channels_last" else found

        np.testing.assert_array_equal(back("sum"), shares)
        np.testing.assert_array_equal(back("avg", divisor_override=4), shares / 4)
        np.testing.assert_allclose(
            back("avg"), shares / (kernel[0] * kernel[1]), rtol=2.0**-22)
        np.testing.assert_array_equal(back("max"), taken)


@pytest.mark.parametrize("elements", [
    9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 130, 196, 1024, 1025, 1056, 3136, 4100,
    8200])
@pytest.mark.parametrize("planes", [7, 8, 200000])
def test_a_sum_is_the_same_whatever_lies_beside_it(planes, elements):
    """Whole planes: a few, and more than caches hold."""
    rng = np.random.default_rng(elements)
    planes = min(planes, 2**21 // elements)
    x = (rng.standard_normal((planes, 1, elements))
         * 2.0 ** rng.integers(-12, 12, (planes, 1, 1))).astype(np.float32)
    x[1] = -0.0
    x[2, 0, -1] = np.nan
    x[3, 0, 0] = np.inf
    x[4] = np.finfo(np.float32).smallest_subnormal
    for op in ("sum", "avg"):
        together = cypool.global_pool(x, op)
        some = np.r_[:min(planes, 9), planes - 2, planes - 1]
        alone = np.concatenate([cypool.global_pool(x[p:p + 1].copy(), op) for p in some])
        np.testing.assert_array_equal(together[some].view(np.int32), alone.view(np.int32))
        exact = x.astype(np.float64).sum((1, 2)) / (elements if op == "avg" else 1)
        size = np.abs(x.astype(np.float64)).sum((1, 2)) / (elements if op == "avg" else 1)
        finite = np.isfinite(exact)
        off = np.abs(together.ravel()[finite] - exact[finite])
        assert (off <= 2.0**-22 * size[finite]).all()
        np.testing.assert_array_equal(together.ravel()[~finite], exact[~finite])


@pytest.mark.parametrize("channels", [4, 20, 67])
@pytest.mark.parametrize("window", [
    ((5, 5), 1, 2), ((3, 3), 1, 1), ((4, 3), 1, 1), ((2, 2), 1, 0), ((3, 3), 2, 1),
    ((3, 3, 3), 1, 1), ((2, 3, 4), 1, (0, 1, 1)), ((5, 5), 2, 2)], ids=str)
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_gradients_of_maxima_that_overlap(window, channels, layout):
    kernel, stride, padding = window
    plane = (13, 11) if len(kernel) == 2 else (6, 7, 5)
    rng = np.random.default_rng(channels)
    shape = (2, *plane, channels) if layout == "channels_last" else (2, channels, *plane)
    x = rng.integers(0, 5, shape).astype(np.float32)
    for index_dtype in (np.int32, np.int64):
        name = f"max_pool{len(kernel)}d"
        y, indices = getattr(cypool, name)(
            x, kernel, stride, padding, return_indices=True, index_dtype=index_dtype,
            data_format=layout)
        grad = rng.integers(1, 9, y.shape).astype(np.float32)
        found = getattr(cypool, f"{name}_backward")(
            grad, x.shape, kernel, stride, padding, indices=indices, data_format=layout)
        axis = -1 if layout == "channels_last" else 1
        flat = [np.moveaxis(v, axis, 1).reshape(2 * channels, -1) for v in (grad, indices)]
        expected = np.zeros((2 * channels, int(np.prod(plane))), np.float32)
        for row, g, k in zip(expected, *flat, strict=True):
            np.add.at(row, k, g)
        expected = expected.reshape(2, channels, *plane)
        np.testing.assert_array_equal(np.moveaxis(found, axis, 1), expected)


@pytest.mark.parametrize(
    "size", [*range(1, 74), 127, 128, 196, 1024, 1025, 4095, 4096, 4097, 12544])
def test_sums_wherever_they_lie(size):
    """One window of each plane, one of them with a NaN: bits do not follow from strides."""
    rng = np.random.default_rng(size)
    for planes in (*range(1, 20), 40):
        x = rng.standard_normal((planes, size)).astype(np.float32)
        broken = rng.integers(planes)
        x[broken, rng.integers(size)] = np.nan
        found = cypool.global_pool(x, "sum", axes=(1,))
        apart = np.zeros((planes, size, 2), np.float32)
        apart[..., 1] = x
        gaps = np.zeros((planes, size + 5), np.float32)
        gaps[:, 3:-2] = x
        for same in (apart[..., 1], gaps[:, 3:-2], np.asfortranarray(x)):
            other = cypool.global_pool(same, "sum", axes=(1,))
            np.testing.assert_array_equal(other.view(np.uint32), found.view(np.uint32))
        assert np.flatnonzero(np.isnan(found)).tolist() == [broken]
        # At most four roundings of float32 on the way of any element.
        whole = np.arange(planes) != broken
        error = np.abs(found[whole, 0] - x[whole].astype(np.float64).sum(1))
        assert (error <= 4 * 2.0**-24 * np.abs(x[whole]).astype(np.float64).sum(1)).all()


@pytest.mark.parametrize("size", [16, 32])
def test_windows_of_a_power_of_two(size):
    """Side by side in a row, any number of them: the bits of sums in float64 by pairs."""
    rng = np.random.default_rng(size)
    for windows in (*range(1, 40), 100):
        x = rng.standard_normal((3, windows * size)).astype(np.float32)
        sums = x.astype(np.float64).reshape(3, windows, size)
        while sums.shape[-1] > 1:
            sums = sums[..., ::2] + sums[..., 1::2]
        found = cypool.pool(x, "sum", (size,), axes=(1,))
        np.testing.assert_array_equal(found, sums[..., 0].astype(np.float32))

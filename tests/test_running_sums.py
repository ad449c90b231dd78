"""Long windows one apart, whose sums are running sums of whole numbers where values have a grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cypool

EPS = 2.0**-24
WINDOWS = [  # shape, kernel, padding before and after each axis
    ((2, 3, 40, 130), (9, 9), (4, 4)),
    ((1, 2, 33, 97), (5, 5), (2, 2)),
    ((1, 1, 20, 110), (8, 12), ((3, 4), (6, 5))),
    ((2, 2, 24, 28), (7, 7), (0, 0)),
    ((1, 2, 17, 16), (31, 31), (15, 15)),
    ((1, 1, 60, 1200), (3, 41), (1, 20)),
    ((2, 1, 70, 101), (65, 1), (32, 0)),
    ((3, 2, 700), (101,), (50,)),
    ((2, 2, 128), (26,), ((0, 25),)),
    ((2, 150, 1), (31, 1), (15, 0)),
    ((1, 2, 3, 30, 64), (1, 8, 8), (0, 3, 4)),
]
CHANNELS = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33]


def padded(x: np.ndarray, padding: tuple[Any, ...]) -> np.ndarray:
    pads = [p if isinstance(p, tuple) else (p, p) for p in padding]
    return np.pad(x, [(0, 0)] * (x.ndim - len(pads)) + pads)


def windows(x: np.ndarray, kernel: tuple[int, ...], padding: tuple[Any, ...]) -> np.ndarray:
    axes = tuple(range(x.ndim - len(kernel), x.ndim))
    views = np.lib.stride_tricks.sliding_window_view(padded(x, padding), kernel, axes)
    return views.reshape(*views.shape[:x.ndim], -1)


def sums(x: np.ndarray, kernel: tuple[int, ...], padding: tuple[Any, ...], kind: Any) -> np.ndarray:
    return windows(x.astype(kind), kernel, padding).sum(axis=-1)


def numbers(shape: tuple[int, ...]) -> np.ndarray:
    """On one grid, but with sums of which float32 loses digits."""
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def means(
    x: np.ndarray, kernel: tuple[int, ...], padding: tuple[Any, ...], **more: Any
) -> np.ndarray:
    return cypool.pool(x, "avg", kernel, 1, padding, **more)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_sums_are_exact_before_they_are_rounded(window):
    shape, kernel, padding = window
    x = numbers(shape)
    exact = sums(x, kernel, padding, np.longdouble)
    actual = cypool.pool(x, "sum", kernel, 1, padding)
    assert actual.dtype == np.float32
    assert (np.abs(actual - exact) <= 0.5001 * np.spacing(np.abs(actual))).all()
    count = np.prod(kernel)
    actual = means(x, kernel, padding)
    assert (np.abs(actual - exact / count) <= 0.5001 * np.spacing(np.abs(actual))).all()
    counts = sums(np.ones_like(x), kernel, padding, np.float64)
    actual = means(x, kernel, padding, count_include_pad=False)
    assert (np.abs(actual - exact / counts) <= 0.5001 * np.spacing(np.abs(actual))).all()


def spread(shape: tuple[int, ...], kind: str) -> np.ndarray:
    rng = np.random.default_rng(5)
    x = rng.standard_normal(shape)
    if kind == "every magnitude":
        x *= 2.0 ** rng.integers(-140, 110, shape)
    elif kind == "one great value":
        x[..., 0] *= 2.0**70
    elif kind == "few small ones":
        x.reshape(-1)[:: x.size // 20] *= 2.0**-60
    elif kind == "a small one in zeros":
        x[..., 3:-3] = 0
        x[..., x.shape[-1] // 2] = 2.0**-60
    elif kind == "many small ones":
        x[..., ::3] *= 2.0**-45
    elif kind == "subnormal":
        x *= 2.0**-140
    elif kind == "largest":
        x = np.sign(x) * np.finfo(np.float32).max
    elif kind == "zeros":
        x *= 0
    return x.astype(np.float32)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize(
    "kind", ["every magnitude", "one great value", "few small ones", "a small one in zeros",
             "many small ones", "subnormal", "largest", "zeros"])
def test_accuracy_whatever_the_range(window, kind):
    shape, kernel, padding = window
    x = spread(shape, kind)
    count = np.prod(kernel)
    wide = x.astype(np.longdouble)
    exact = sums(wide, kernel, padding, np.longdouble) / count
    scale = sums(np.abs(wide), kernel, padding, np.longdouble) / count
    for array in (x, np.asfortranarray(x), x[..., ::-1][..., ::-1]):
        error = np.abs(means(array, kernel, padding) - exact)
        assert (error <= 4 * EPS * scale + 2.0**-149).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_what_is_not_finite_stays_in_its_windows(window, value):
    shape, kernel, padding = window
    x = numbers(shape)
    clean = means(x, kernel, padding)
    marked = np.zeros(shape)
    spot = (0, *(n // 2 for n in shape[1:]))
    x[spot] = value
    marked[spot] = 1
    seen = sums(marked, kernel, padding, np.float64) > 0
    actual = means(x, kernel, padding)
    np.testing.assert_array_equal(actual[seen], np.float32(value))
    scale = np.abs(x[np.isfinite(x)]).max()
    np.testing.assert_allclose(actual[~seen], clean[~seen], atol=4 * EPS * scale, rtol=0)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_bits_depend_on_values_alone(window):
    shape, kernel, padding = window
    x = numbers(shape)
    expected = means(x, kernel, padding, num_threads=1).view(np.int32)
    layouts = {
        "wide": np.stack([x, x], axis=-1)[..., 0],
        "reversed": np.ascontiguousarray(x[..., ::-1])[..., ::-1],
        "transposed": np.asfortranarray(x),
        "misaligned": np.frombuffer(b" " + x.tobytes(), np.float32, offset=1).reshape(shape),
    }
    for name, array in layouts.items():
        actual = means(array, kernel, padding).astype(np.float32)
        np.testing.assert_array_equal(actual.view(np.int32), expected, name)
    for threads in (2, 3, 7):
        actual = means(x, kernel, padding, num_threads=threads)
        np.testing.assert_array_equal(actual.view(np.int32), expected)
    # A sample's result is its own, whatever is in the batch with it.
    for bad in (1.0, np.nan, 2.0**100):
        more = np.concatenate([np.full_like(x[:1], bad), x])
        more[0].reshape(-1)[0] = 2.0**-100
        actual = means(more, kernel, padding)[1:]
        np.testing.assert_array_equal(np.ascontiguousarray(actual).view(np.int32), expected)


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize(
    "dtype", ["float32", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"])
def test_channels_last(dtype, channels):
    rng = np.random.default_rng(channels)
    for kernel, padding in (((9, 9), (4, 4)), ((5, 5), (0, 2)), ((19, 17), (9, 8))):
        x = rng.integers(0, 127, (2, 24, 200 // channels + 20, channels)).astype(dtype)
        first = np.moveaxis(x, -1, 1)
        exact = np.moveaxis(sums(first, kernel, padding, np.int64), 1, -1)
        actual = cypool.pool(x, "sum", kernel, 1, padding, data_format="NHWC")
        np.testing.assert_array_equal(actual, exact)
        # (The mean rounded half to even, where the result is an integer.)
        count = kernel[0] * kernel[1]
        mean = exact / count if dtype == "float32" else np.rint(exact / count)
        actual = means(x, kernel, padding, data_format="NHWC")
        np.testing.assert_array_equal(actual, mean.astype(dtype))


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_integers(window, dtype):
    shape, kernel, padding = window
    info = np.iinfo(dtype)
    rng = np.random.default_rng(11)
    x = rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    x.reshape(-1)[: x.size // 3] = info.max
    x.reshape(-1)[-x.size // 3:] = info.min
    with np.errstate(over="ignore"):
        exact = sums(x, kernel, padding, np.int64)      # (which wraps, as NumPy's sum does)
    for array in (x, x[..., ::-1].copy()[..., ::-1]):
        actual = cypool.pool(array, "sum", kernel, 1, padding)
        np.testing.assert_array_equal(actual.astype(np.int64), exact)
        if x.itemsize < 8:
            for by in (np.prod(kernel), 6, 96, -7):
                mean = np.clip(np.rint(exact / by), info.min, info.max).astype(dtype)
                actual = means(array, kernel, padding, divisor_override=int(by))
                np.testing.assert_array_equal(actual, mean)


def test_the_same_again():
    # (A call that was remembered.)
    x = numbers((1, 1, 40, 110))
    expected = means(x, (9, 9), (4, 4), num_threads=1)
    for _ in range(4):
        np.testing.assert_array_equal(cypool.avg_pool2d(x, 9, 1, 4), expected)
        worse = x.copy()
        worse[0, 0, 39, 109] = np.nan
        actual = cypool.avg_pool2d(worse, 9, 1, 4)
        assert np.isnan(actual[0, 0, 35:, 105:]).all()
        np.testing.assert_allclose(actual[0, 0, :35], expected[0, 0, :35], atol=1e-6)

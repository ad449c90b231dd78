"""Norms of squares: what float32 cannot hold is found, and nothing beside it changes."""

from __future__ import annotations

import numpy as np
import pytest

import cypool

WINDOWS = [
    (2, 2, 0), (3, 2, 1), (3, 1, 1), (3, 3, 0), (2, 1, 1), (5, 1, 2), (4, 4, 1), (5, 3, 0)]
LAYOUTS = {"channels_first": (2, 5, 19, 37), "channels_last": (2, 19, 37, 33)}


def norms(x: np.ndarray, op: str, window: tuple[int, int, int], data_format: str) -> np.ndarray:
    with np.errstate(all="ignore"):
        return cypool.pool(x, op, (window[0],) * 2, *window[1:], p=2, data_format=data_format)


def values(rng: np.random.Generator, shape: tuple[int, ...], kind: str) -> np.ndarray:
    x = rng.standard_normal(shape).astype(np.float32)
    if kind == "rectified":
        return np.maximum(x, np.float32(0))
    if kind == "any magnitude":
        return x * np.float32(10) ** rng.integers(-44, 38, shape).astype(np.float32)
    if kind == "hardly anything":
        return np.where(rng.random(shape) < 0.8, np.float32(0), x * np.float32(1e-25))
    if kind == "special":
        rare = np.array([np.inf, -np.inf, np.nan, 3e38, 1e-30, 1e-45, -0.0], np.float32)
        return np.where(rng.random(shape) < 0.03, rng.choice(rare, shape), x)
    return x


@pytest.mark.parametrize("data_format", LAYOUTS)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("op", ["lp", "gem"])
@pytest.mark.parametrize(
    "kind", ["normal", "rectified", "any magnitude", "hardly anything", "special"])
def test_as_in_float64(op, window, data_format, kind):
    x = values(np.random.default_rng(7), LAYOUTS[data_format], kind)
    actual = norms(x, op, window, data_format).astype(np.float64)
    exact = norms(x.astype(np.float64), op, window, data_format)
    finite = np.isfinite(exact)
    np.testing.assert_array_equal(actual[~finite], exact[~finite])
    # Squares, additions after one another (four for nine squares, six for 25) and a division are
    # rounded, of which a root leaves half, and the root itself.
    most = 4 if window[0] <= 3 else 5
    too_large = exact > np.finfo(np.float32).max
    assert np.isinf(actual[finite & too_large]).all()
    judged = finite & ~too_large
    np.testing.assert_allclose(
        actual[judged], exact[judged], rtol=most * 2.0**-24, atol=2.0**-150)


@pytest.mark.parametrize("data_format", LAYOUTS)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("op", ["lp", "gem"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38, 1e-30, 0.0])
def test_bits_follow_from_a_window_alone(op, window, data_format, value):
    rng = np.random.default_rng(11)
    x = rng.standard_normal(LAYOUTS[data_format]).astype(np.float32)
    before = norms(x, op, window, data_format)
    changed = x.copy()
    axes = (2, 3) if data_format == "channels_first" else (1, 2)
    place = tuple(slice(6, 9) if axis in axes else 0 for axis in range(4))
    changed[place] = value
    touched = np.zeros_like(x)
    touched[place] = 1
    elsewhere = cypool.pool(
        touched, "max", (window[0],) * 2, *window[1:], data_format=data_format) == 0
    after = norms(changed, op, window, data_format)
    assert elsewhere.any()
    assert not elsewhere.all()
    np.testing.assert_array_equal(
        after[elsewhere].view(np.uint32), before[elsewhere].view(np.uint32))


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("data_format", LAYOUTS)
def test_the_root_of_the_mean_square_of_equal_values_is_that_value(data_format, window):
    x = np.full(LAYOUTS[data_format], 3, np.float32)
    np.testing.assert_array_equal(norms(x, "gem", window, data_format), np.float32(3))


def lying_otherwise(x: np.ndarray) -> dict[str, np.ndarray]:
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1] + 1), x.dtype)
    wide[..., 1::2] = x
    padded = np.zeros(tuple(n + 3 for n in x.shape), x.dtype)
    padded[tuple(slice(1, n + 1) for n in x.shape)] = x
    return {
        "every other": wide[..., 1::2], "Fortran": np.asfortranarray(x),
        "reversed": x[:, ::-1, ::-1, ::-1].copy()[:, ::-1, ::-1, ::-1],
        "part": padded[tuple(slice(1, n + 1) for n in x.shape)],
    }


def bits(y: np.ndarray) -> bytes:
    return np.where(np.isnan(y), np.float32(np.nan), y).tobytes()


@pytest.mark.parametrize("data_format", LAYOUTS)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("op", ["lp", "gem"])
@pytest.mark.parametrize("kind", ["normal", "special", "hardly anything"])
def test_bits_are_those_of_any_memory_layout(op, window, data_format, kind):
    x = values(np.random.default_rng(5), LAYOUTS[data_format], kind)
    expected = norms(x, op, window, data_format)
    for name, other in lying_otherwise(x).items():
        np.testing.assert_array_equal(other, x)
        assert bits(norms(other, op, window, data_format)) == bits(expected), name
    for name, out in lying_otherwise(np.zeros_like(expected)).items():
        with np.errstate(all="ignore"):
            cypool.pool(x, op, (window[0],) * 2, *window[1:], p=2, data_format=data_format, out=out)
        assert bits(out) == bits(expected), name


@pytest.mark.parametrize("op", ["lp", "gem"])
def test_the_cube_root_of_a_cube_is_the_value(op):
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 2**32, 5000, dtype=np.uint32)
    bits[:5] = [0, 1, 0x7f7fffff, 0x7f800000, 0x007fffff]
    x = bits.view(np.float32).reshape(1, 1, -1)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(cypool.pool(x, op, (1,), 1, p=3), np.abs(x))
    wide = rng.standard_normal((1, 1, 5000)) * 2.0 ** rng.integers(-300, 300, 5000)
    exact = np.abs(wide).astype(np.longdouble)
    error = np.abs(cypool.pool(wide, op, (1,), 1, p=3) - exact)
    assert (error <= 2 * np.spacing(np.abs(wide))).all()


@pytest.mark.parametrize("data_format", LAYOUTS)
@pytest.mark.parametrize("channels", [1, 3, 16, 17, 64])
@pytest.mark.parametrize("op", ["lp", "gem"])
def test_of_sequences_and_volumes(op, channels, data_format):
    rng = np.random.default_rng(5)
    for size in ((9,), (5, 6), (4, 5, 7), (1, 5, 6), (3, 1, 8)):
        x = rng.standard_normal((2, channels, *size)).astype(np.float32)
        if data_format == "channels_last":
            x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
        for kernel, stride, padding in ((2, 1, 0), (2, 2, 1), (3, 1, 1), (3, 2, 1)):
            taps = tuple(min(kernel, length + 2 * padding) for length in size)
            window = taps, stride, padding
            found, exact = (
                cypool.pool(array, op, *window, p=2, data_format=data_format)
                for array in (x, x.astype(np.float64)))
            np.testing.assert_allclose(found, exact, rtol=4 * 2.0**-24)

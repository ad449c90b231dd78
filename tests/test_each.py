"""Operators of powers, and those that see all taps of a window at once, against plain NumPy.

Each is written out here for one window, a list of taps, in double precision or exactly; the
windows are the oracle's. Gradients are held against derivatives written out by hand, and those
against differences of the function itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import oracle
import pytest
from arrays import make_values
from geometries import geometries, masks
from hypothesis import given
from hypothesis import strategies as st
from registry import dtype_of

import cypool

FLOATS = ("float32", "float64", "float16")
INTEGERS = ("uint8", "int16", "int64", "bool")


# ---------------------------------------------------------------- one window


def lp(v: np.ndarray, p: float = 2) -> float:
    if len(v) == 0:
        return 0.0
    return float(np.abs(v).max() if p == math.inf else (np.abs(v) ** p).sum() ** (1 / p))


def gem(v: np.ndarray, p: float = 3, eps: float | None = None) -> float:
    if len(v) == 0:
        return 0.0
    return float((np.abs(v if eps is None else np.maximum(v, eps)) ** p).mean() ** (1 / p))


def logsumexp(v: np.ndarray, beta: float = 1.0, mean: bool = False) -> float:
    if len(v) == 0:
        return -math.inf
    most = (beta * v).max()
    total = np.exp(beta * v - most).sum() / (len(v) if mean else 1)
    return float((most + np.log(total)) / beta)


def soft(v: np.ndarray) -> float:
    if len(v) == 0:
        return 0.0
    weights = np.exp(v - v.max())
    return float((weights * v).sum() / weights.sum())


def expected(v: np.ndarray, training: bool = False) -> float:
    v = v[v > 0]
    return float((v * v).sum() / v.sum()) if len(v) else 0.0


FUNCTIONS: dict[str, Callable[..., float]] = {
    "lp": lp, "gem": gem, "logsumexp": logsumexp, "soft": soft, "stochastic": expected}
KEYWORDS: dict[str, list[dict[str, Any]]] = {
    "lp": [{}, {"p": 1}, {"p": 3}, {"p": 0.5}, {"p": 2.5}, {"p": math.inf}],
    "gem": [{}, {"p": 2}, {"p": 1}, {"p": 0.7}, {"p": 3, "eps": 0.25}],
    "logsumexp": [{}, {"beta": 2.5}, {"beta": -1.0}, {"mean": True}],
    "soft": [{}], "stochastic": [{"training": False}]}
CASES = [(op, keywords) for op, several in KEYWORDS.items() for keywords in several]


def median_of(taps: list[Any], quantile: float) -> int:
    """Which tap it is: the first NaN, or the first of that rank's value."""
    for i, v in enumerate(taps):
        if v != v:
            return i
    if not taps:
        return -1
    return taps.index(sorted(taps)[math.floor(quantile * (len(taps) - 1))])


def mode_of(taps: list[Any]) -> int:
    counts = Counter(taps)
    return max(range(len(taps)), key=lambda i: (counts[taps[i]], -i), default=-1)


# ---------------------------------------------------------------- many windows


@st.composite
def calls(draw, dtypes):
    axes_number = draw(st.integers(1, 3))
    geometry = draw(geometries(axes_number, largest=7))
    others = draw(st.lists(st.integers(1, 3), max_size=2))
    ndim = axes_number + len(others)
    axes = tuple(sorted(draw(st.permutations(range(ndim)))[:axes_number]))
    rest, lengths = iter(others), iter(geometry.lengths)
    shape = tuple(next(lengths) if a in axes else next(rest) for a in range(ndim))
    dtype = dtype_of(draw(st.sampled_from(dtypes)))
    flavour = draw(st.sampled_from(("normal" if dtype.kind == "f" else "ties", "ties")))
    x = make_values(shape, dtype, flavour, draw(st.integers(0, 999)))
    if draw(st.booleans()):
        x = np.asfortranarray(x)
    return x, geometry, axes, draw(masks(shape))


def run(x, op, geometry, axes, mask, **more):
    return cypool.pool(
        x, op, geometry.kernel_size, **geometry.windows, axes=axes, mask=mask, **more)


def windows_of(x, geometry, axes, mask):
    """Plan, planes of x, and for each (row, window) the positions of the taps that count."""
    plan = oracle.Plan(x.shape, axes, geometry.kernel_size, **geometry.windows)
    planes = plan.to_planes(x)
    valid = None if mask is None else plan.to_planes(np.broadcast_to(mask, x.shape))
    found = {}
    for window, positions, _ in plan.each_window():
        for row in range(len(planes)):
            found[row, window] = positions if valid is None else positions[valid[row, positions]]
    return plan, planes, found


@pytest.mark.parametrize(("op", "keywords"), CASES)
@given(call=calls((*FLOATS, "uint8")))
def test_values(op, keywords, call):
    x, geometry, axes, mask = call
    plan, planes, found = windows_of(x, geometry, axes, mask)
    right = np.zeros((len(planes), math.prod(plan.counts)))
    for at, positions in found.items():
        right[at] = FUNCTIONS[op](planes[at[0], positions].astype(np.float64), **keywords)
    right = plan.to_array(right, plan.counts)
    got = run(x, op, geometry, axes, mask, **keywords)
    assert got.dtype == (x.dtype if x.dtype.kind == "f" else np.float64)
    eps = float(np.finfo(got.dtype).eps)
    # Values are of ordinary size: an absolute error as well as a relative one.
    with np.errstate(over="ignore"):
        right = right.astype(got.dtype).astype(np.float64)
    np.testing.assert_allclose(got.astype(np.float64), right, rtol=8 * eps, atol=16 * eps)


@pytest.mark.parametrize("quantile", [0.5, 0.0, 0.25, 1.0, 0.9])
@given(call=calls((*FLOATS, *INTEGERS)))
def test_median(quantile, call):
    _x, _geometry, _axes, _mask = call
    check_selection(call, "median", lambda taps: median_of(taps, quantile), quantile=quantile)


@given(call=calls(INTEGERS))
def test_mode(call):
    check_selection(call, "mode", mode_of)


def check_selection(call, op, select, **keywords):
    x, geometry, axes, mask = call
    plan, planes, found = windows_of(x, geometry, axes, mask)
    indices = np.full((len(planes), math.prod(plan.counts)), -1)
    values = np.full(indices.shape, -np.inf if x.dtype.kind == "f" else oracle.iinfo_range(
        x.dtype)[0]).astype(x.dtype)
    for at, positions in found.items():
        chosen = select(planes[at[0], positions].tolist())
        if chosen >= 0:
            indices[at] = positions[chosen]
            values[at] = planes[at[0], indices[at]]
    got, places = run(x, op, geometry, axes, mask, return_indices=True, **keywords)
    np.testing.assert_array_equal(got, plan.to_array(values, plan.counts))
    np.testing.assert_array_equal(places, plan.to_array(indices, plan.counts))
    np.testing.assert_array_equal(run(x, op, geometry, axes, mask, **keywords), got)


@given(call=calls((*FLOATS, "uint8")), seed=st.integers(0, 99))
def test_stochastic(call, seed):
    x, geometry, axes, mask = call
    plan, planes, found = windows_of(x, geometry, axes, mask)
    shape = [n for a, n in enumerate(x.shape) if a not in axes] + plan.counts
    samples = np.random.default_rng(seed).random(shape)
    values, indices = run(x, "stochastic", geometry, axes, mask, samples=samples,
                          return_indices=True)
    rows = samples.reshape(len(planes), -1)
    got = plan.to_array(np.arange(indices.size).reshape(rows.shape), plan.counts)
    for at, positions in found.items():
        weights = np.maximum(planes[at[0], positions].astype(np.float64), 0)
        place = indices[got == np.ravel_multi_index(at, rows.shape)].item()
        value = values[got == np.ravel_multi_index(at, rows.shape)].item()
        if weights.sum() == 0:
            assert (place, value) == (-1, 0)
            continue
        ends = np.cumsum(weights) / weights.sum()
        drawn = list(positions).index(place)
        assert weights[drawn] > 0
        assert value == planes[at[0], place]
        below = ends[drawn - 1] if drawn else 0.0
        assert below - 1e-12 <= rows[at] <= ends[drawn] + 1e-12


def test_draws_are_those_of_the_generator_in_either_layout():
    x = np.random.default_rng(1).random((2, 3, 6, 8)).astype(np.float32)
    first = cypool.pool(x, "stochastic", (2, 2), rng=7, return_indices=True)
    last = cypool.pool(np.ascontiguousarray(np.moveaxis(x, 1, -1)), "stochastic", (2, 2), rng=7,
                       return_indices=True, data_format="channels_last")
    samples = np.random.default_rng(7).random((2, 3, 3, 4))
    given_ = cypool.pool(x, "stochastic", (2, 2), samples=samples, return_indices=True)
    for a, b, c in zip(first, last, given_, strict=True):
        np.testing.assert_array_equal(a, np.moveaxis(b, -1, 1))
        np.testing.assert_array_equal(a, c)


@pytest.mark.parametrize(("op", "keywords"), CASES)
@pytest.mark.parametrize("masked", [False, True])
def test_gradients_by_differences(op, keywords, masked):
    """Of double precision, away from where there is no derivative."""
    rng = np.random.default_rng(3)
    x = rng.permutation(np.linspace(-1.95, 2.05, 2 * 9 * 7)).reshape(1, 2, 9, 7)
    mask = rng.random(x.shape) < 0.7 if masked else None
    window = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0), "mask": mask}
    y = cypool.pool(x, op, **window, **keywords)
    grad = rng.standard_normal(y.shape)
    got = cypool.pool_backward(grad, x, op, **window, **keywords)
    step = 1e-6
    for at in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[at] += step
        down[at] -= step
        slope = ((cypool.pool(up, op, **window, **keywords)
                  - cypool.pool(down, op, **window, **keywords)) * grad).sum() / (2 * step)
        assert got[at] == pytest.approx(slope, rel=2e-4, abs=2e-6)
    narrow = cypool.pool_backward(grad.astype(np.float32), x, op, **window, **keywords)
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, got, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("quantile", [0.5, 0.1])
def test_gradient_of_a_median_goes_to_the_tap_it_took(quantile):
    x = np.random.default_rng(3).standard_normal((2, 3, 8, 9)).astype(np.float32)
    window = {"kernel_size": (3, 3), "stride": 2, "quantile": quantile}
    values, indices = cypool.pool(x, "median", return_indices=True, **window)
    grad = np.random.default_rng(4).standard_normal(values.shape)
    expected = np.zeros(x.shape)
    flat = expected.reshape(6, -1)
    for row in range(6):
        np.add.at(flat[row], indices.reshape(6, -1)[row], grad.reshape(6, -1)[row])
    np.testing.assert_allclose(cypool.pool_backward(grad, x, "median", **window), expected)
    np.testing.assert_allclose(
        cypool.pool_backward(grad, x.shape, "median", indices=indices, **window), expected)


def test_the_derivative_by_p():
    x = np.random.default_rng(3).random((2, 3, 40, 9)) + 0.1
    window = {"kernel_size": (3, 3), "stride": 2}
    y = cypool.pool(x, "gem", p=3, **window)
    grad = np.random.default_rng(4).standard_normal(y.shape)
    _, slope = cypool.pool_backward(grad, x, "gem", p=3, return_p_grad=True, **window)
    step = 1e-6
    up, down = (cypool.pool(x, "gem", p=3 + s, **window) for s in (step, -step))
    assert slope == pytest.approx(((up - down) * grad).sum() / (2 * step), rel=1e-6)
    for threads in (1, 2, 5):
        again = cypool.pool_backward(
            grad, x, "gem", p=3, return_p_grad=True, num_threads=threads, **window)
        assert again[1] == slope


def test_root_mean_square_is_what_courses_call_l2_pooling():
    x = np.random.default_rng(1).standard_normal((1, 2, 6, 6))
    blocks = x.reshape(1, 2, 3, 2, 3, 2)
    np.testing.assert_allclose(
        cypool.pool(x, "gem", (2, 2), p=2), np.sqrt((blocks**2).mean(axis=(3, 5))), rtol=1e-15)
    np.testing.assert_allclose(
        cypool.lp_pool2d(x, 2, 2), np.sqrt((blocks**2).sum(axis=(3, 5))), rtol=1e-15)


def test_special_values():
    inf, nan = math.inf, math.nan
    x = np.array([[nan, 1, 2, -inf, -inf, -inf, inf, 1, 0, 0, 0, 0]])

    def windows(op, **keywords):
        return cypool.pool(x, op, 3, axes=1, **keywords)[0].tolist()

    np.testing.assert_array_equal(windows("logsumexp"), [nan, -inf, inf, math.log(3)])
    np.testing.assert_array_equal(windows("soft"), [nan, 0, inf, 0])
    np.testing.assert_array_equal(windows("median"), [nan, -inf, 1, 0])
    np.testing.assert_array_equal(windows("lp"), [nan, inf, inf, 0])
    np.testing.assert_array_equal(windows("lp", p=inf), [nan, inf, inf, 0])
    np.testing.assert_array_equal(windows("gem"), [nan, inf, inf, 0])
    np.testing.assert_array_equal(windows("stochastic", training=False), [nan, 0, inf, 0])


@pytest.mark.parametrize(("op", "keywords"), [*CASES, ("median", {}), ("stochastic", {"rng": 1})])
def test_threads_change_no_bit(op, keywords):
    x = np.random.default_rng(1).standard_normal((3, 4, 17, 13)).astype(np.float32)
    one = cypool.pool(x, op, (3, 3), num_threads=1, **keywords)
    grad = np.ones_like(one)
    back = cypool.pool_backward(grad, x, op, (3, 3), num_threads=1, **keywords)
    for threads in (2, 7):
        np.testing.assert_array_equal(
            cypool.pool(x, op, (3, 3), num_threads=threads, **keywords), one)
        np.testing.assert_array_equal(
            cypool.pool_backward(grad, x, op, (3, 3), num_threads=threads, **keywords), back)


@pytest.mark.parametrize(("keywords", "error", "text"), [
    ({"op": "lp", "p": 0}, ValueError, "p must be a number above 0, got 0"),
    ({"op": "lp", "p": "2"}, TypeError, "p must be a number above 0, got '2'"),
    ({"op": "gem", "p": math.inf}, ValueError, "p must be a finite number above 0"),
    ({"op": "gem", "eps": -1}, ValueError, "eps must be"),
    ({"op": "logsumexp", "beta": 0}, ValueError, "beta must be"),
    ({"op": "logsumexp", "mean": 1}, TypeError, "mean must be True or False"),
    ({"op": "median", "quantile": 1.5}, ValueError, "quantile must be a number from 0 to 1"),
    ({"op": "median", "quantile": math.nan}, ValueError, "quantile must be"),
    ({"op": "mode"}, TypeError, "x must be of an integer dtype or bool"),
    ({"op": "stochastic", "rng": "dice"}, TypeError, "rng must be"),
    ({"op": "stochastic", "samples": np.zeros((1, 1, 1, 1))}, ValueError, "samples must have"),
    ({"op": "stochastic", "samples": np.ones((1, 1, 2, 2))}, ValueError, "samples must lie"),
    ({"op": "soft", "beta": 1}, TypeError, "beta must be left out"),
    ({"op": "soft", "return_indices": True}, TypeError, "return_indices must be False"),
    ({"op": "stochastic", "training": False, "return_indices": True}, TypeError,
     "return_indices must be False"),
])
def test_bad_arguments(keywords, error, text):
    with pytest.raises(error, match=text):
        cypool.pool(np.ones((1, 1, 4, 4)), kernel_size=(2, 2), **keywords)


def test_gradients_that_cannot_be():
    x, y = np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2))
    with pytest.raises(TypeError, match="op must be one with a gradient"):
        cypool.pool_backward(y, x.astype(int), "mode", (2, 2))
    with pytest.raises(TypeError, match="x must be an array, not a shape"):
        cypool.pool_backward(y, x.shape, "soft", (2, 2))
    with pytest.raises(TypeError, match="return_p_grad must be False"):
        cypool.pool_backward(y, x, "lp", (2, 2), return_p_grad=True)
    with pytest.raises(ValueError, match="output must have shape"):
        cypool.pool_backward(y, x, "lp", (2, 2), output=x)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_lp_names(n):
    x = np.random.default_rng(n).standard_normal((2, 3) + (7,) * n).astype(np.float32)
    for p in (1, 2, 3.5, math.inf):
        right = cypool.pool(x, "lp", (3,) * n, 2, 1, p=p)
        got = getattr(cypool, f"lp_pool{n}d")(x, p, 3, 2, padding=1)
        np.testing.assert_array_equal(got, right)
        grad = np.ones_like(right)
        np.testing.assert_array_equal(
            getattr(cypool, f"lp_pool{n}d_backward")(grad, x, p, 3, 2, padding=1, output=right),
            cypool.pool_backward(grad, x, "lp", (3,) * n, 2, 1, p=p))

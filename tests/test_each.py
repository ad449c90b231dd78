"""Operators of powers, and those that see all taps of a window at once.

What the generic tests cannot ask: draws, derivatives by differences and by p, special values, and
bad arguments. Values, gradients and all else come from the registry.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import oracle
import pytest
from geometries import calls
from hypothesis import given
from hypothesis import strategies as st
from oracle_windows import windows
from registry import Operator

import cypool

FLOATS = ("float32", "float64", "float16")

KEYWORDS: dict[str, list[dict[str, Any]]] = {
    "lp": [{}, {"p": 1}, {"p": 3}, {"p": 0.5}, {"p": 2.5}, {"p": math.inf}],
    "gem": [{}, {"p": 2}, {"p": 1}, {"p": 0.7}, {"p": 3, "eps": 0.25}],
    "logsumexp": [{}, {"beta": 2.5}, {"beta": -1.0}, {"mean": True}],
    "soft": [{}], "stochastic": [{"training": False}]}
CASES = [(op, keywords) for op, several in KEYWORDS.items() for keywords in several]


DRAWN = Operator("pool", "stochastic", None, FLOATS, selects=True, leading=("stochastic",))


@pytest.mark.parametrize("dtype", [*FLOATS, "uint8"])
@given(data=st.data())
def test_stochastic(dtype, data):
    """The tap on which a draw falls, by weights max(x, 0)."""
    call = data.draw(calls(DRAWN, dtype, kinds=("ties", "normal") if dtype != "uint8" else None))
    x, geometry = call.x, call.geometry
    plan = oracle.Plan(x.shape, call.axes, geometry.kernel_size, **geometry.windows)
    valid = None if call.mask is None else plan.to_planes(np.broadcast_to(call.mask, x.shape))
    shape = [n for a, n in enumerate(x.shape) if a not in plan.axes] + plan.counts
    samples = np.random.default_rng(data.draw(st.integers(0, 99))).random(shape)
    values, indices = map(plan.to_planes, call.forward(samples=samples, return_indices=True))
    drawn = samples.reshape(values.shape)
    planes = plan.to_planes(x)
    for at, positions in windows(plan, x, valid):
        weights = np.maximum(planes[at[0], positions].astype(np.float64), 0)
        if weights.sum() == 0:
            assert (indices[at], values[at]) == (-1, 0)
            continue
        ends = np.cumsum(weights) / weights.sum()
        taken = list(positions).index(indices[at])
        assert weights[taken] > 0
        assert values[at] == planes[at[0], indices[at]]
        below = ends[taken - 1] if taken else 0.0
        assert below - 1e-12 <= drawn[at] <= ends[taken] + 1e-12


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

    # (Logarithms are within four units in the last place, whoever makes them.)
    np.testing.assert_allclose(windows("logsumexp"), [nan, -inf, inf, math.log(3)],
                               rtol=4 * np.finfo(np.float64).eps)
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

"""The further operators' meaning, one window at a time: norms, soft maxima, ranks and modes.

A window is the list of its taps that count. Norms and soft maxima are worked out in long double
from the values as float64, and say how far float64 arithmetic may stray from that; ranks and modes
say which tap they take. Importing this adds all of them to the oracle's lists.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import oracle
from oracle import Expected, Plan

LONG = np.longdouble
EPS = 2.0**-53
TINY = float(np.finfo(np.float64).smallest_subnormal)


class Value(NamedTuple):
    """A number and how far from it double precision may end up; inf: nothing is promised."""

    value: Any
    bound: Any


# ---------------------------------------------------------------- one window


def powers(v: np.ndarray, p: float) -> tuple[np.ndarray, Any, bool]:
    """|v|**p, their sum, and whether all of it stays within float64."""
    powered = np.abs(v) ** LONG(p)
    total = powered.sum()
    least = powered[v != 0].min(initial=1.0)
    return powered, total, bool(least > 1e-290 and (total < 1e290 or not np.isfinite(v).all()))


def lp(v: np.ndarray, p: float = 2, mean: bool = False) -> Value:
    if len(v) == 0:
        return Value(0.0, 0.0)
    if p == math.inf:
        return Value(np.abs(v).max(), 0.0)
    _, total, fits = powers(v, p)
    value = (total / (len(v) if mean else 1)) ** (1 / LONG(p))
    # (1 / p is rounded before it is an exponent.)
    bound = (4 + (8 + abs(np.log(total or 1))) / p) * EPS * value
    return Value(value, bound if fits else math.inf)


def gem(v: np.ndarray, p: float = 3, eps: float | None = None) -> Value:
    return lp(v if eps is None else np.maximum(v, LONG(eps)), p, mean=True)


def logsumexp(v: np.ndarray, beta: float = 1.0, mean: bool = False) -> Value:
    if len(v) == 0:
        return Value(-math.inf, 0.0)
    most = v.max() if beta > 0 else v.min()
    if not np.isfinite(most):
        return Value(most, 0.0)
    total = np.exp(beta * (v - most)).sum() / (len(v) if mean else 1)
    value = most + np.log(total) / beta
    return Value(value, 16 * EPS * (abs(most) + abs(value) + 1 / abs(beta)))


def soft_weights(v: np.ndarray, beta: float = 1.0) -> np.ndarray:
    weights = np.exp(beta * v - (beta * v).max())  # (in long double)
    return weights / weights.sum()


def soft(v: np.ndarray) -> Value:
    if np.isnan(v).any() or (v == np.inf).any():
        return Value(v.max(), 0.0)
    v = v[v > -np.inf]
    if len(v) == 0:
        return Value(0.0, 0.0)
    return Value((soft_weights(v) * v).sum(), 16 * EPS * np.abs(v).max())


def expected(v: np.ndarray) -> Value:
    """Of stochastic pooling, without training."""
    if np.isnan(v).any() or (v == np.inf).any():
        return Value(v.max(), 0.0)
    v = v[v > 0]
    if len(v) == 0:
        return Value(0.0, 0.0)
    return Value((v * v).sum() / v.sum(), 16 * EPS * v.max())


def median(taps: list[Any], quantile: float = 0.5) -> int:
    """Which tap it is: the first NaN, or the first of that rank's value."""
    for i, v in enumerate(taps):
        if v != v:
            return i
    if not taps:
        return -1
    return taps.index(sorted(taps)[math.floor(quantile * (len(taps) - 1))])


def mode(taps: list[Any]) -> int:
    counts = Counter(taps)
    return max(range(len(taps)), key=lambda i: (counts[taps[i]], -i), default=-1)


VALUES: dict[str, Callable[..., Value]] = {
    "lp": lp, "gem": gem, "logsumexp": logsumexp, "soft": soft, "stochastic": expected}
SELECTIONS: dict[str, Callable[..., int]] = {"median": median, "mode": mode}


# ---------------------------------------------------------------- derivatives of one window

# By each tap, finite ones alone.


def lp_slopes(v: np.ndarray, p: float = 2, mean: bool = False) -> Value:
    if p == math.inf:
        slopes = np.zeros(len(v), LONG)
        slopes[np.abs(v).argmax()] = np.sign(v[np.abs(v).argmax()])
        return Value(slopes, np.zeros(len(v)))
    powered, total, fits = powers(v, p)
    norm = (total / (len(v) if mean else 1)) ** (1 / LONG(p))
    slopes = np.zeros(len(v), LONG)
    some = v != 0
    slopes[some] = np.sign(v[some]) * powered[some] / np.abs(v[some]) * norm ** LONG(1 - p)
    fits = fits and bool((np.abs(slopes) < 1e290).all())
    slopes /= len(v) if mean else 1
    # (Powers by logarithms have errors of their size.)
    logs = abs(np.log(total or 1)) * (1 + 1 / p) + np.abs(np.log(np.where(some, np.abs(v), 1)))
    near = (16 * (1 + p + 1 / p) + 2 * (1 + p) * logs) * EPS
    return Value(slopes, near * np.abs(slopes) if fits else np.full(len(v), np.inf))


def gem_slopes(v: np.ndarray, p: float = 3, eps: float | None = None) -> Value:
    if eps is None:
        return lp_slopes(v, p, mean=True)
    slopes, bound = lp_slopes(np.maximum(v, LONG(eps)), p, mean=True)
    return Value(np.where(v >= eps, slopes, 0), bound)


def logsumexp_slopes(v: np.ndarray, beta: float = 1.0, mean: bool = False) -> Value:
    weights = soft_weights(v, beta)
    distance = np.abs(beta * (v - v[weights.argmax()]))
    return Value(weights, 16 * EPS * (2 + distance + distance.max()) * weights)


def soft_slopes(v: np.ndarray) -> Value:
    weights = soft_weights(v)
    mean = (weights * v).sum()
    distance = v.max() - v
    near = 16 * EPS * (2 + distance + distance.max()) * weights * (1 + np.abs(v) + abs(mean))
    # (A weight may vanish, or keep few digits.)
    return Value(weights * (1 + v - mean), near + TINY * (1 + np.abs(v - mean)))


def expected_slopes(v: np.ndarray) -> Value:
    up = np.maximum(v, 0)
    total = up.sum()
    if total == 0:
        return Value(np.zeros(len(v), LONG), np.zeros(len(v)))
    mean = (up * up).sum() / total
    slopes = np.where(v > 0, (2 * v - mean) / total, 0)
    near = 16 * EPS * (2 * up + mean) / total
    return Value(slopes, near)


SLOPES: dict[str, Callable[..., Value]] = {
    "lp": lp_slopes, "gem": gem_slopes, "logsumexp": logsumexp_slopes, "soft": soft_slopes,
    "stochastic": expected_slopes}


# ---------------------------------------------------------------- all windows


def windows(
    plan: Plan, x: np.ndarray, valid: np.ndarray | None
) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    """((row, window), positions of the taps that count)."""
    rows = len(plan.to_planes(x))
    for window, positions, _ in plan.each_window():
        for row in range(rows):
            yield (row, window), (
                positions if valid is None else positions[valid[row, positions]])


def values_as_double(plan: Plan, x: np.ndarray) -> np.ndarray:
    return plan.to_planes(x).astype(np.float64).astype(LONG)


def pooled(
    op: str, plan: Plan, x: np.ndarray, valid: np.ndarray | None, training: bool = False,
    **params: Any
) -> Expected:
    """Values of an operator that computes."""
    dtype = x.dtype if oracle.is_float(x.dtype) else np.dtype(np.float64)
    planes = values_as_double(plan, x)
    exact = np.zeros((len(planes), math.prod(plan.counts)), LONG)
    bound = np.zeros(exact.shape)
    with np.errstate(all="ignore"):
        for at, positions in windows(plan, x, valid):
            exact[at], bound[at] = VALUES[op](planes[at[0], positions], **params)
        if op in ("lp", "gem") and dtype == np.float32 and params.get("p", 2 + (op == "gem")) == 2:
            # Squares of float32 may be added up in it, as averages are: a rounding of each, four of
            # additions and one of the division, of which a root leaves half.
            bound += 3 * 2.0**-24 * np.abs(exact).astype(np.float64)
        return finished(exact, bound, dtype)


def finished(exact: np.ndarray, bound: np.ndarray, dtype: np.dtype) -> Expected:
    values = exact.astype(np.float64)
    rest = np.where(np.isfinite(values), exact - values, 0).astype(np.float64)
    bound = bound + TINY
    if dtype != np.float64:
        bound = bound + oracle.half_ulp(values, dtype)
        bound = bound + (0 if dtype == np.float32 else oracle.half_ulp(values, np.dtype("float32")))
    bound = np.where(np.isinf(values) & np.isfinite(exact), np.inf, bound)
    return Expected(values, dtype, rest, bound, np.ones(exact.shape))


def chosen(
    op: str, plan: Plan, x: np.ndarray, valid: np.ndarray | None, **params: Any
) -> np.ndarray:
    """Flat index of what an operator selects from every window, -1 where there is nothing."""
    comparable = plan.to_planes(x.astype(np.float64) if oracle.is_float(x.dtype) else x)
    indices = np.full((len(comparable), math.prod(plan.counts)), -1, np.int64)
    for at, positions in windows(plan, x, valid):
        taken = SELECTIONS[op](comparable[at[0], positions].tolist(), **params)
        if taken >= 0:
            indices[at] = positions[taken]
    return indices


def selected(
    op: str, plan: Plan, x: np.ndarray, valid: np.ndarray | None, **params: Any
) -> Expected:
    indices = chosen(op, plan, x, valid, **params)
    nothing = np.asarray(-np.inf if oracle.is_float(x.dtype) else oracle.iinfo_range(x.dtype)[0])
    taken = np.take_along_axis(plan.to_planes(x), np.maximum(indices, 0), 1)
    return Expected(np.where(indices < 0, nothing.astype(x.dtype), taken), x.dtype, indices=indices)


# ---------------------------------------------------------------- backward


def pooled_gradient(
    op: str, plan: Plan, grad_output: np.ndarray, x: np.ndarray, valid: np.ndarray | None,
    training: bool = False, **params: Any
) -> Expected:
    """Gradients through windows of finite taps; nothing is said of what others reach."""
    dtype = grad_output.dtype
    planes, gradients = values_as_double(plan, x), values_as_double(plan, grad_output)
    exact, magnitude = (np.zeros(planes.shape, LONG) for _ in range(2))
    terms, bound = np.zeros(planes.shape, int), np.zeros(planes.shape)
    with np.errstate(all="ignore"):
        for at, positions in windows(plan, x, valid):
            taps = planes[at[0], positions]
            if len(taps) == 0:
                continue
            if not (np.isfinite(taps).all() and np.isfinite(gradients[at])):
                bound[at[0], positions] = np.inf
                continue
            slopes, near = SLOPES[op](taps, **params)
            shares = slopes * gradients[at]
            exact[at[0], positions] += shares
            magnitude[at[0], positions] += np.abs(shares)
            terms[at[0], positions] += 1
            if gradients[at] != 0:
                near = near + TINY
                bound[at[0], positions] += (near * np.abs(gradients[at])).astype(np.float64)
        work = oracle.accumulator(dtype)
        eps = float(np.finfo(work).eps) / 2
        tiny = np.finfo(work).smallest_subnormal
        granted = np.maximum(4, terms - 1) * eps * magnitude + terms * 2 * tiny
        bound += granted.astype(np.float64)
        bound = np.where(magnitude > np.finfo(work).max, np.inf, bound)
        return finished(exact, np.where(np.isnan(bound), np.inf, bound), dtype)


def selection_gradient(
    op: str, plan: Plan, grad_output: np.ndarray, x: np.ndarray, valid: np.ndarray | None,
    **params: Any
) -> Expected:
    return oracle.gradient_of_winners(plan, grad_output, chosen(op, plan, x, valid, **params))


def bound_to(function: Callable[..., Any], op: str) -> Callable[..., Any]:
    return lambda *args, **params: function(op, *args, **params)


oracle.FORWARD |= {op: bound_to(pooled, op) for op in VALUES}
oracle.FORWARD |= {op: bound_to(selected, op) for op in SELECTIONS}
oracle.BACKWARD |= {op: bound_to(pooled_gradient, op) for op in SLOPES}
oracle.BACKWARD |= {"median": bound_to(selection_gradient, "median")}

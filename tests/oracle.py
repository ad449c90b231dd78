"""What every operator means, written to be read and checked by eye, not to be fast.

Nothing here comes from the library: the library is judged by this file. All arithmetic is
exact. A finite float is a whole multiple of 2**-1074, so it becomes a Python int (a number of
"units"), a sum is a sum of ints, and a mean is a ratio of two ints. Rounding happens once, in
`_finish`, which also says how far a floating result may lie from the exact value.

Arrays are seen as (outer, plane): the pooled axes last and flattened in array order, whatever
their order in the call, because indices and ties are counted that way.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

try:
    import ml_dtypes
except ImportError:
    ml_dtypes = None

BFLOAT16 = None if ml_dtypes is None else np.dtype(ml_dtypes.bfloat16)
UNITS_PER_ONE = 1 << 1074


# ---------------------------------------------------------------- windows of one axis


class Window(NamedTuple):
    """One window of one axis."""

    real: list[int]  # positions of the taps that fall on the input
    counted: int  # taps that fall on the input or its padding


def output_length(
    length: int,
    kernel: int,
    stride: int,
    padding: tuple[int, int] | str,
    dilation: int,
    ceil_mode: bool | str,
) -> tuple[int, int, int]:
    """Number of windows, and the padding before and after that they imply."""
    extent = dilation * (kernel - 1) + 1
    if padding in ("same", "same_lower"):
        count = -(-length // stride)
        total = max((count - 1) * stride + extent - length, 0)
        small, large = total // 2, total - total // 2
        return (count, small, large) if padding == "same" else (count, large, small)
    before, after = (0, 0) if padding == "valid" else padding
    room = length + before + after - extent
    count = room // stride + 1  # Python's // is a true floor
    next_start = count * stride - before
    overhang = room % stride != 0
    if overhang and (ceil_mode == "full" or (ceil_mode is True and next_start < length)):
        count += 1
    return count, before, after


def axis_windows(
    length: int,
    kernel: int,
    stride: int,
    padding: tuple[int, int] | str,
    dilation: int,
    ceil_mode: bool | str,
) -> list[Window]:
    count, before, after = output_length(length, kernel, stride, padding, dilation, ceil_mode)
    if count < 1:
        raise ValueError(f"no window fits: {length=} {kernel=} {padding=} {dilation=}")
    windows = []
    for number in range(count):
        start = number * stride - before
        taps = [start + tap * dilation for tap in range(kernel)]
        windows.append(
            Window(
                real=[tap for tap in taps if 0 <= tap < length],
                counted=sum(-before <= tap < length + after for tap in taps),
            )
        )
    return windows


def per_axis(value: Any, axes: int) -> list[Any]:
    """An int (or word) for every axis, or already one entry per axis."""
    if isinstance(value, (int, np.integer, str)):
        return [value] * axes
    if len(value) != axes:
        raise ValueError(f"{value!r} does not have {axes} entries")
    return list(value)


def pairs(padding: Any, axes: int) -> list[Any]:
    """Padding of each axis as (before, after), or a word."""
    return [
        entry if isinstance(entry, str) else (entry, entry) if np.isscalar(entry) else tuple(entry)
        for entry in per_axis(padding, axes)
    ]


# ---------------------------------------------------------------- windows of a plane


class Plan:
    """Every window of a call, and the way between arrays and (outer, plane)."""

    def __init__(
        self,
        shape: tuple[int, ...],
        axes: tuple[int, ...],
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        ceil_mode: bool | str,
    ) -> None:
        number = len(axes)
        kernels = per_axis(kernel_size, number)
        default_stride = stride is None or (not np.isscalar(stride) and len(stride) == 0)
        strides = kernels if default_stride else per_axis(stride, number)
        paddings = pairs(padding, number)
        dilations = per_axis(dilation, number)
        in_array_order = sorted(range(number), key=lambda i: axes[i] % len(shape))
        self.shape = tuple(shape)
        self.axes = [axes[i] % len(shape) for i in in_array_order]
        self.lengths = [shape[axis] for axis in self.axes]
        self.windows = [
            axis_windows(
                shape[axes[i]], kernels[i], strides[i], paddings[i], dilations[i], ceil_mode
            )
            for i in in_array_order
        ]
        self.counts = [len(windows) for windows in self.windows]

    def to_planes(self, array: np.ndarray) -> np.ndarray:
        last = range(-len(self.axes), 0)
        moved = np.moveaxis(np.asarray(array), self.axes, last)
        plane = math.prod(moved.shape[-len(self.axes) :])
        return moved.reshape(math.prod(moved.shape[: -len(self.axes)]), plane)

    def to_array(self, planes: np.ndarray, lengths: list[int]) -> np.ndarray:
        outer = [n for axis, n in enumerate(self.shape) if axis not in self.axes]
        last = range(-len(self.axes), 0)
        return np.ascontiguousarray(np.moveaxis(planes.reshape(*outer, *lengths), last, self.axes))

    def each_window(self):
        """(output position, flat positions of the real taps in row-major order, counted taps)."""
        steps = [math.prod(self.lengths[axis + 1 :]) for axis in range(len(self.lengths))]
        for number, chosen in enumerate(itertools.product(*self.windows)):
            positions = [
                sum(index * step for index, step in zip(tap, steps, strict=True))
                for tap in itertools.product(*(window.real for window in chosen))
            ]
            yield (
                number,
                np.array(positions, np.intp),
                math.prod(window.counted for window in chosen),
            )


# ---------------------------------------------------------------- dtypes


def is_float(dtype: np.dtype) -> bool:
    return dtype.kind == "f" or dtype.name == "bfloat16"


def finfo(dtype: np.dtype) -> Any:
    return ml_dtypes.finfo(dtype) if dtype.name == "bfloat16" else np.finfo(dtype)


def iinfo_range(dtype: np.dtype) -> tuple[int, int]:
    if dtype.kind == "b":
        return 0, 1
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def accumulator(dtype: np.dtype) -> np.dtype:
    """The type a floating result is computed in."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def half_ulp(value: np.ndarray, dtype: np.dtype, scale: np.ndarray | float = 1.0) -> np.ndarray:
    """Half the distance between neighbours of type `dtype` at `value` (float64), times `scale`."""
    info = finfo(dtype)
    with np.errstate(over="ignore"):
        exponent = np.frexp(np.abs(value))[1] - 1  # 2**exponent <= |value|
    exponent = np.maximum(exponent, int(info.minexp))
    return np.where(np.isfinite(value), np.ldexp(scale, exponent - int(info.nmant) - 1), 0.0)


# ---------------------------------------------------------------- results


@dataclass
class Expected:
    """A result, and how far from it an actual one may lie.

    Floating sums: `values` is the float64 nearest to the exact value, `rest` what that rounding
    left, `bound` the distance allowed from the exact value. The last two are multiplied by
    `scale`, or they would be lost below the least float64 where values are near it themselves.
    Everything else (`bound` is None): `values` is the one right answer, in the result's dtype.
    """

    values: np.ndarray
    dtype: np.dtype
    rest: np.ndarray | None = None
    bound: np.ndarray | None = None
    scale: np.ndarray | None = None
    indices: np.ndarray | None = None


@dataclass
class _Sums:
    """Exact sums over chosen elements: a finite part in units, and counts of what is not finite."""

    total: np.ndarray  # Python ints
    magnitude: np.ndarray  # the same of absolute values
    terms: np.ndarray
    nan: np.ndarray
    plus_inf: np.ndarray
    minus_inf: np.ndarray

    @classmethod
    def zeros(cls, shape: tuple[int, ...]) -> _Sums:
        objects = [np.zeros(shape, object) for _ in range(2)]
        counts = [np.zeros(shape, np.int64) for _ in range(4)]
        return cls(*objects, *counts)


def _units(x: np.ndarray) -> tuple[np.ndarray, int]:
    """Finite values as Python ints (others 0), and how many units make one."""
    result = np.zeros(x.shape, object)
    if not is_float(x.dtype):
        result[...] = x.astype(object)
        return result, 1
    for position, value in np.ndenumerate(x.astype(np.float64)):
        if math.isfinite(value):
            numerator, denominator = value.as_integer_ratio()
            result[position] = numerator * (UNITS_PER_ONE // denominator)
    return result, UNITS_PER_ONE


def _special(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    wide = x.astype(np.float64) if is_float(x.dtype) else np.zeros(x.shape)
    return np.isnan(wide), wide == np.inf, wide == -np.inf


def _ratio(numerator: int, denominator: int) -> float:
    try:
        return numerator / denominator  # correctly rounded for ints of any size
    except OverflowError:
        return math.inf if (numerator > 0) == (denominator > 0) else -math.inf


def _finish(
    sums: _Sums,
    divisor: np.ndarray,
    units_per_one: int,
    dtype: np.dtype,
    *,
    divided: np.ndarray | bool = False,
    roundings: int = 0,
    chained: bool = False,
) -> Expected:
    """Floating result of sums / divisor.

    The additions are granted four rounding errors relative to the sum of absolute values, and one
    for each of them where terms come one after the other (`chained`); `divided` says where the sum
    goes through a division as well, and `roundings` how many roundings a term goes through before
    it is added.
    """
    work = accumulator(dtype)
    eps = float(finfo(work).eps) / 2
    largest = float(finfo(work).max)
    smallest = float(finfo(work).smallest_subnormal)
    shape = sums.total.shape
    values, rest, magnitude, scale = (np.zeros(shape) for _ in range(4))
    overflows = np.zeros(shape, bool)
    for at in np.ndindex(shape):
        below = int(divisor[at]) * units_per_one
        scale[at] = 1
        if below == 0:  # nothing was there to count: the result is 0 by definition
            continue
        if sums.magnitude[at] < abs(below) >> 900:
            scale[at] = 2.0**200
        value = _ratio(sums.total[at], below)
        values[at] = value
        if math.isfinite(value):
            numerator, denominator = value.as_integer_ratio()
            left = Fraction(sums.total[at], below) - Fraction(numerator, denominator)
            rest[at] = float(left * int(scale[at]))
        magnitude[at] = _ratio(sums.magnitude[at] * int(scale[at]), abs(below))
        overflows[at] = _ratio(sums.magnitude[at], units_per_one) > largest
    negative = divisor < 0
    plus = np.where(negative, sums.minus_inf, sums.plus_inf) > 0
    minus = np.where(negative, sums.plus_inf, sums.minus_inf) > 0
    values = np.where(plus, np.inf, values)
    values = np.where(minus, -np.inf, values)
    values = np.where((plus & minus) | (sums.nan > 0), np.nan, values)
    special = plus | minus | (sums.nan > 0)

    several = sums.terms > 1
    # Half an ulp covers the division's rounding, also where the result is subnormal.
    granted = np.maximum(4, sums.terms - 1) if chained else 4
    bound = np.where(several, granted * eps * magnitude, 0.0)
    bound += np.where(divided, half_ulp(values, work, scale), 0.0)
    if roundings:
        bound += roundings * (eps * magnitude + sums.terms * (scale * smallest) / 2)
    if dtype != work:
        bound += np.where(several | divided | (roundings > 0), half_ulp(values, dtype, scale), 0.0)
    # An element alone stays as it is, if the result's type has it (an integer may be none of it).
    alone = ~several & np.isfinite(values)
    with np.errstate(over="ignore"):
        alone &= values.astype(dtype).astype(np.float64) != values
    bound = np.where(alone, np.maximum(bound, half_ulp(values, dtype, scale)), bound)
    # Partial sums may leave the accumulator's range: anything may come out.
    bound = np.where(overflows & ~special, np.inf, bound)
    return Expected(values, dtype, rest, bound, scale)


# ---------------------------------------------------------------- forward


def pool(
    x: np.ndarray,
    op: str,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool | str = False,
    *,
    axes: tuple[int, ...],
    mask: np.ndarray | None = None,
    **params: Any,
) -> Expected:
    plan = Plan(x.shape, axes, kernel_size, stride, padding, dilation, ceil_mode)
    valid = None if mask is None else plan.to_planes(np.broadcast_to(mask, x.shape))
    result = FORWARD[op](plan, x, valid, **params)
    for field in ("values", "rest", "bound", "scale", "indices"):
        planes = getattr(result, field)
        if planes is not None:
            setattr(result, field, plan.to_array(planes, plan.counts))
    return result


def _beats(candidate: Any, best: Any, largest: bool) -> bool:
    """NaN beats everything but an earlier NaN; an equal does not beat."""
    if best != best:
        return False
    if candidate != candidate:
        return True
    return candidate > best if largest else candidate < best


def _winners(plan: Plan, x: np.ndarray, valid: np.ndarray | None, largest: bool) -> np.ndarray:
    """Flat index of the extreme of every window, -1 where there is none."""
    rows = plan.to_planes(x).tolist()
    indices = np.full((len(rows), math.prod(plan.counts)), -1, np.int64)
    for window, positions, _ in plan.each_window():
        taps = positions.tolist()
        for row, plane in enumerate(rows):
            best = -1
            for tap in taps:
                if valid is not None and not valid[row, tap]:
                    continue
                if best == -1 or _beats(plane[tap], plane[best], largest):
                    best = tap
            indices[row, window] = best
    return indices


def _nothing(dtype: np.dtype, largest: bool) -> Any:
    """What a window without a real element has for its extreme."""
    if is_float(dtype):
        return -np.inf if largest else np.inf
    return iinfo_range(dtype)[0 if largest else 1]


def _extreme(plan: Plan, x: np.ndarray, valid: np.ndarray | None, largest: bool) -> Expected:
    # float64 holds every narrower float exactly, and its comparisons are quick here.
    comparable = x.astype(np.float64) if is_float(x.dtype) else x
    indices = _winners(plan, comparable, valid, largest)
    planes = plan.to_planes(x)
    values = np.empty(indices.shape, x.dtype)
    for row, window in np.ndindex(indices.shape):
        index = indices[row, window]
        values[row, window] = _nothing(x.dtype, largest) if index < 0 else planes[row, index]
    return Expected(values, x.dtype, indices=indices)


def _max(plan: Plan, x: np.ndarray, valid: np.ndarray | None) -> Expected:
    return _extreme(plan, x, valid, largest=True)


def _min(plan: Plan, x: np.ndarray, valid: np.ndarray | None) -> Expected:
    return _extreme(plan, x, valid, largest=False)


def _window_sums(plan: Plan, x: np.ndarray, valid: np.ndarray | None) -> tuple[_Sums, int]:
    planes = plan.to_planes(x)
    units, units_per_one = _units(planes)
    chosen = np.ones(planes.shape, bool) if valid is None else valid
    nan, plus, minus = (flag & chosen for flag in _special(planes))
    units = np.where(chosen, units, 0)
    sums = _Sums.zeros((len(planes), math.prod(plan.counts)))
    for window, positions, _ in plan.each_window():
        sums.total[:, window] = units[:, positions].sum(axis=1)
        sums.magnitude[:, window] = np.abs(units[:, positions]).sum(axis=1)
        sums.terms[:, window] = chosen[:, positions].sum(axis=1)
        sums.nan[:, window] = nan[:, positions].sum(axis=1)
        sums.plus_inf[:, window] = plus[:, positions].sum(axis=1)
        sums.minus_inf[:, window] = minus[:, positions].sum(axis=1)
    return sums, units_per_one


def _divisors(
    plan: Plan,
    outer: int,
    valid: np.ndarray | None,
    count_include_pad: bool,
    divisor_override: int | None,
) -> np.ndarray:
    """The divisor of every window, as Python ints; 0 where nothing is counted."""
    divisors = np.zeros((outer, math.prod(plan.counts)), object)
    for window, positions, counted in plan.each_window():
        if divisor_override is not None:
            divisors[:, window] = int(divisor_override)
        elif valid is not None:
            divisors[:, window] = valid[:, positions].sum(axis=1).astype(object)
        else:
            divisors[:, window] = counted if count_include_pad else len(positions)
    return divisors


def _converted(x: np.ndarray, dtype: np.dtype) -> int:
    """Roundings a value goes through when it is taken into the accumulator."""
    if not is_float(dtype):
        return 0
    work = accumulator(dtype)
    if is_float(x.dtype):
        return int(x.dtype.itemsize > work.itemsize)
    bits = 1 if x.dtype.kind == "b" else np.iinfo(x.dtype).bits
    return int(bits > finfo(work).nmant + 1)


def _sum(plan: Plan, x: np.ndarray, valid: np.ndarray | None, dtype: Any = None) -> Expected:
    if dtype is None:
        dtype = x.dtype if is_float(x.dtype) else np.sum(np.zeros(1, x.dtype)).dtype
    dtype = np.dtype(dtype)
    sums, units_per_one = _window_sums(plan, x, valid)
    if is_float(dtype):
        ones = np.full(sums.total.shape, 1, object)
        return _finish(sums, ones, units_per_one, dtype, roundings=_converted(x, dtype))
    low, high = iinfo_range(dtype)  # too large a sum wraps around, as numpy.sum's does
    wrapped = (sums.total - low) % (high - low + 1) + low
    return Expected(wrapped.astype(dtype), dtype)


def _avg(
    plan: Plan,
    x: np.ndarray,
    valid: np.ndarray | None,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    dtype: Any = None,
) -> Expected:
    dtype = x.dtype if dtype is None else np.dtype(dtype)
    sums, units_per_one = _window_sums(plan, x, valid)
    divisors = _divisors(plan, len(sums.total), valid, count_include_pad, divisor_override)
    if is_float(dtype):
        return _finish(
            sums,
            divisors,
            units_per_one,
            dtype,
            divided=np.abs(divisors) != 1,
            roundings=_converted(x, dtype),
        )
    low, high = iinfo_range(dtype)
    values = np.zeros(sums.total.shape, dtype)
    for at in np.ndindex(values.shape):
        if divisors[at] != 0:  # round() of a Fraction takes halves to even
            mean = round(Fraction(sums.total[at], int(divisors[at])))
            values[at] = min(max(mean, low), high)
    return Expected(values, dtype)


FORWARD = {"max": _max, "min": _min, "sum": _sum, "avg": _avg, "mean": _avg}


# ---------------------------------------------------------------- backward


def pool_backward(
    grad_output: np.ndarray,
    x: np.ndarray,
    op: str,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool | str = False,
    *,
    axes: tuple[int, ...],
    mask: np.ndarray | None = None,
    **params: Any,
) -> Expected:
    plan = Plan(x.shape, axes, kernel_size, stride, padding, dilation, ceil_mode)
    valid = None if mask is None else plan.to_planes(np.broadcast_to(mask, x.shape))
    result = BACKWARD[op](plan, grad_output, x, valid, **params)
    for field in ("values", "rest", "bound", "scale"):
        setattr(result, field, plan.to_array(getattr(result, field), plan.lengths))
    return result


def _spread(plan: Plan, grad_output: np.ndarray, links: Any) -> tuple[_Sums, int]:
    """Exact sums of the gradients that reach each input element.

    `links` yields (row, window, positions, weight): the window's gradient, times an int
    weight, goes to each of the positions of that row's plane.
    """
    gradients = plan.to_planes(grad_output)
    units, units_per_one = _units(gradients)
    nan, plus, minus = _special(gradients)
    sums = _Sums.zeros((len(gradients), math.prod(plan.lengths)))
    for row, window, positions, weight in links:
        up, down = (plus, minus) if weight > 0 else (minus, plus)
        sums.total[row, positions] += units[row, window] * weight
        sums.magnitude[row, positions] += abs(units[row, window] * weight)
        sums.terms[row, positions] += 1
        sums.nan[row, positions] += nan[row, window]
        sums.plus_inf[row, positions] += up[row, window]
        sums.minus_inf[row, positions] += down[row, window]
    return sums, units_per_one


def _selection_backward(
    plan: Plan, grad_output: np.ndarray, x: np.ndarray, valid: np.ndarray | None, largest: bool
) -> Expected:
    comparable = x.astype(np.float64) if is_float(x.dtype) else x
    return gradient_of_winners(plan, grad_output, _winners(plan, comparable, valid, largest))


def gradient_of_winners(plan: Plan, grad_output: np.ndarray, winners: np.ndarray) -> Expected:
    links = ((*at, [winners[at]], 1) for at in np.ndindex(winners.shape) if winners[at] >= 0)
    sums, units_per_one = _spread(plan, grad_output, links)
    ones = np.full(sums.total.shape, 1, object)
    return _finish(sums, ones, units_per_one, grad_output.dtype, chained=True)


def _max_backward(plan: Plan, grad_output: Any, x: Any, valid: Any) -> Expected:
    return _selection_backward(plan, grad_output, x, valid, largest=True)


def _min_backward(plan: Plan, grad_output: Any, x: Any, valid: Any) -> Expected:
    return _selection_backward(plan, grad_output, x, valid, largest=False)


def _linear_backward(
    plan: Plan,
    grad_output: np.ndarray,
    valid: np.ndarray | None,
    divisors: np.ndarray,
) -> Expected:
    """The adjoint of a weighted sum: each window hands gradient / divisor to all its taps."""
    used = {abs(int(divisor)) for divisor in divisors.ravel()} - {0}
    common = math.lcm(*used)

    def links():
        for window, positions, _ in plan.each_window():
            for row in range(len(divisors)):
                divisor = int(divisors[row, window])
                reached = [p for p in positions if valid is None or valid[row, p]]
                if reached and divisor:
                    yield row, window, reached, common // divisor

    sums, units_per_one = _spread(plan, grad_output, links())
    whole = np.full(sums.total.shape, common, object)
    roundings = int(common != 1)  # every gradient is divided before it is added
    return _finish(sums, whole, units_per_one, grad_output.dtype, roundings=roundings)


def _sum_backward(
    plan: Plan, grad_output: np.ndarray, x: np.ndarray, valid: Any, dtype: Any = None
) -> Expected:
    outer = plan.to_planes(grad_output).shape
    return _linear_backward(plan, grad_output, valid, np.full(outer, 1, object))


def _avg_backward(
    plan: Plan,
    grad_output: np.ndarray,
    x: np.ndarray,
    valid: np.ndarray | None,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    dtype: Any = None,
) -> Expected:
    outer = len(plan.to_planes(grad_output))
    divisors = _divisors(plan, outer, valid, count_include_pad, divisor_override)
    return _linear_backward(plan, grad_output, valid, divisors)


BACKWARD = {
    "max": _max_backward,
    "min": _min_backward,
    "sum": _sum_backward,
    "avg": _avg_backward,
    "mean": _avg_backward,
}

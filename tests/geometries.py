"""Hypothesis strategies: windows, shapes and whole calls.

A drawn `Call` knows how to run itself through the library and through the oracle, and its repr
is the call as one would type it, which is what Hypothesis prints on a failure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import oracle
from arrays import MEMORY, flavours, make_values
from hypothesis import strategies as st
from registry import Operator, dtype_of

CEIL_MODES = (False, True, "full")
WORDS = ("valid", "same", "same_lower")


@dataclass(frozen=True)
class Geometry:
    """Lengths and windows of the pooled axes, in the forms a caller may write them."""

    lengths: tuple[int, ...]
    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    dilation: Any = 1
    ceil_mode: bool | str = False

    @property
    def windows(self) -> dict[str, Any]:
        """Keyword arguments other than the kernel size."""
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "ceil_mode": self.ceil_mode,
        }


def _is_word(padding: Any) -> bool:
    return isinstance(padding, str)


def _shortest(kernel: int, stride: int, padding: Any, dilation: int, ceil_mode: Any) -> int:
    """The least length with a window."""
    extent = dilation * (kernel - 1) + 1
    before, after = (0, 0) if _is_word(padding) else padding
    for length in range(max(1, extent - before - after - stride), extent + 1):
        if oracle.output_length(length, kernel, stride, padding, dilation, ceil_mode)[0] >= 1:
            return length
    return max(1, extent)


@st.composite
def geometries(draw: Any, axes: int, largest: int | None = None) -> Geometry:
    """Windows over `axes` axes. One axis may be long enough for vector code, but for those of few
    windows (`largest`: elements beyond the least)."""
    ceil_mode = draw(st.sampled_from(CEIL_MODES))
    kind = draw(st.sampled_from(("none", "none", "each", "pairs", "word")))
    word = draw(st.sampled_from(WORDS)) if kind == "word" else None
    long_axis = draw(st.sampled_from((None, None, axes - 1, 0))) if largest is None else None
    most = largest if largest is not None else (24, 8, 4)[axes - 1]
    uniform = draw(st.booleans())  # one number for all axes, written as an int
    default_stride = draw(st.booleans())
    columns: list[tuple[int, int, int, Any, int]] = []
    for axis in range(axes):
        if axis and uniform:
            kernel, stride, dilation, padding = columns[0][1:5]
        else:
            is_long = axis == long_axis and not (uniform and axes > 1)
            kernel = draw(st.integers(1, 21 if is_long else 5 if axes < 3 else 3))
            dilation = draw(st.sampled_from((1, 1, 1, 2, 3)))
            stride = kernel if default_stride else draw(st.integers(1, 5))
            wide = st.integers(0, kernel + 2)
            padding = (0, 0)
            if word is not None:
                padding = word
            elif kind == "each":
                padding = (draw(wide),) * 2
            elif kind == "pairs":
                padding = (draw(wide), draw(wide))
        least = _shortest(kernel, stride, padding, dilation, ceil_mode)
        extra = draw(st.integers(0, (130, 70, 20)[axes - 1] if axis == long_axis else most))
        columns.append((least + extra, kernel, stride, dilation, padding))

    def written(values: list[int]) -> Any:
        return values[0] if uniform and len(set(values)) == 1 else tuple(values)

    lengths, kernels, strides, dilations, paddings = (
        [column[i] for column in columns] for i in range(5)
    )
    if word is not None:
        padding_written: Any = word
    elif kind == "none":
        padding_written = draw(st.sampled_from((0, (0,) * axes, "valid")))
    elif kind == "each":
        padding_written = written([before for before, _ in paddings])
    else:
        padding_written = tuple(paddings)
    stride_written = draw(st.sampled_from((None, ()))) if default_stride else written(strides)
    return Geometry(
        lengths=tuple(lengths),
        kernel_size=written(kernels),
        stride=stride_written,
        padding=padding_written,
        dilation=written(dilations),
        ceil_mode=ceil_mode,
    )


@dataclass(frozen=True)
class Call:
    """One call of a public operator."""

    operator: Operator
    x: np.ndarray = field(repr=False)
    geometry: Geometry
    axes: tuple[int, ...]  # the pooled axes of x, for the oracle
    where: dict[str, Any]  # data_format= or axes=, for the library
    params: dict[str, Any] = field(default_factory=dict)  # the operator's own keywords
    mask: np.ndarray | None = None
    made: str = ""  # how x was made

    def __repr__(self) -> str:
        arguments = [self.made, *(repr(word) for word in self.operator.leading)]
        arguments.append(repr(self.geometry.kernel_size))
        keywords = {**self.geometry.windows, **self.where, **self.params}
        arguments += [f"{name}={value!r}" for name, value in keywords.items()]
        if self.mask is not None:
            arguments.append(f"mask=np.array({self.mask.tolist()})")
        return f"{self.operator.name}({', '.join(arguments)})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # for Hypothesis
        printer.text(repr(self))

    @property
    def keywords(self) -> dict[str, Any]:
        masked = {} if self.mask is None else {"mask": self.mask}
        return {**self.geometry.windows, **self.where, **self.params, **masked}

    def forward(self, **more: Any) -> Any:
        return self.operator.forward(
            self.x, *self.operator.leading, self.geometry.kernel_size, **{**self.keywords, **more}
        )

    def backward(self, grad_output: np.ndarray, x: Any = None, **more: Any) -> np.ndarray:
        return self.operator.backward(
            grad_output,
            self.x if x is None else x,
            *self.operator.leading,
            self.geometry.kernel_size,
            **{**self.keywords, **more},
        )

    def _oracle_keywords(self) -> dict[str, Any]:
        return {**self.geometry.windows, **self.params, "axes": self.axes, "mask": self.mask}

    def expected(self) -> oracle.Expected:
        return oracle.pool(
            self.x, self.operator.op, self.geometry.kernel_size, **self._oracle_keywords()
        )

    def expected_gradient(self, grad_output: np.ndarray) -> oracle.Expected:
        return oracle.pool_backward(
            grad_output,
            self.x,
            self.operator.op,
            self.geometry.kernel_size,
            **self._oracle_keywords(),
        )

    @property
    def output_shape(self) -> tuple[int, ...]:
        geometry = self.geometry
        plan = oracle.Plan(self.x.shape, self.axes, geometry.kernel_size, **geometry.windows)
        shape = list(self.x.shape)
        for axis, count in zip(plan.axes, plan.counts, strict=True):
            shape[axis] = count
        return tuple(shape)

    def with_x(self, x: np.ndarray) -> Call:
        return replace(self, x=x)


@st.composite
def calls(
    draw: Any,
    operator: Operator,
    dtype: str,
    *,
    memory: tuple[str, ...] = tuple(MEMORY),
    kinds: tuple[str, ...] | None = None,
) -> Call:
    """A call of `operator` on an array of `dtype`; `kinds` narrows the flavours of values."""
    axes_number = operator.ndim or draw(st.integers(1, 3))
    # (Of these the oracle takes its time.)
    few = None if operator.op in ("max", "min", "avg", "sum") else (12, 5, 3)[axes_number - 1]
    geometry = draw(geometries(axes_number, few))
    shape, axes, where = draw(
        placements(geometry.lengths) if operator.ndim else any_placements(geometry)
    )
    if operator.ndim is None and "axes" not in where and isinstance(geometry.kernel_size, int):
        # Without axes= their number is the kernel's length.
        geometry = replace(geometry, kernel_size=(geometry.kernel_size,) * axes_number)
    flavour = draw(st.sampled_from(kinds or flavours(dtype_of(dtype))))
    seed = draw(st.integers(0, 2**16))
    kept_in = draw(st.sampled_from(memory))
    x = MEMORY[kept_in](make_values(shape, dtype_of(dtype), flavour, seed))
    params = {
        name: value
        for name, values in operator.keywords.items()
        if (value := draw(st.sampled_from(values))) is not values[0]
    }
    mask = draw(masks(shape)) if operator.ndim is None else None
    made = f"<{dtype} {shape} {flavour} {seed} {kept_in}>"
    return Call(operator, x, geometry, axes, where, params, mask, made)


@st.composite
def placements(draw: Any, lengths: tuple[int, ...]) -> tuple[tuple[int, ...], Any, Any]:
    """Shape, pooled axes and data_format around spatial lengths."""
    number = len(lengths)
    batched = draw(st.booleans())
    channels_last = draw(st.booleans())
    small = math.prod(lengths) <= 150
    channels = draw(st.integers(1, 40 if small and channels_last else 3))
    outer = (draw(st.integers(1, 2)),) if batched else ()
    first = len(outer) + (not channels_last)
    axes = tuple(range(first, first + number))
    if channels_last:
        return (*outer, *lengths, channels), axes, {"data_format": "channels_last"}
    where = draw(st.sampled_from(({}, {"data_format": "channels_first"})))
    return (*outer, channels, *lengths), axes, where


@st.composite
def any_placements(draw: Any, geometry: Geometry) -> tuple[tuple[int, ...], Any, Any]:
    """Shape, pooled axes and axes= (in any order, counted from either end)."""
    lengths = geometry.lengths
    if draw(st.integers(0, 3)) == 0:
        return draw(placements(lengths))
    others = draw(st.lists(st.integers(1, 3), max_size=3))
    ndim = len(lengths) + len(others)
    axes = tuple(draw(st.permutations(range(ndim)))[: len(lengths)])
    rest = iter(others)
    place = dict(zip(axes, lengths, strict=True))
    shape = tuple(place[i] if i in place else next(rest) for i in range(ndim))
    written = tuple(a - ndim if draw(st.booleans()) else a for a in axes)
    return shape, axes, {"axes": written}


@st.composite
def masks(draw: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """None, or a boolean array that broadcasts to `shape`."""
    if draw(st.booleans()):
        return None
    dropped = draw(st.integers(0, len(shape) - 1))
    kept = [1 if draw(st.integers(0, 3)) == 0 else n for n in shape[dropped:]]
    share = draw(st.sampled_from((0.0, 0.2, 0.5, 0.9, 1.0)))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    return rng.random(kept) < share


GRADIENT_FLAVOURS = ("distinct", "ties", "normal", "wide", "nonfinite", "zeros")


@st.composite
def gradients(
    draw: Any, shape: tuple[int, ...], dtype: str, kinds: tuple[str, ...] = GRADIENT_FLAVOURS
) -> np.ndarray:
    flavour = draw(st.sampled_from(kinds))
    values = make_values(shape, dtype_of(dtype), flavour, draw(st.integers(0, 2**16)))
    return MEMORY[draw(st.sampled_from(tuple(MEMORY)))](values)

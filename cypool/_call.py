"""What every operator on windows does with its arguments before and after the compiled part."""

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from cypool import _arguments as arguments
from cypool import _cpu, _geometry
from cypool._cpu.dtypes import known_code
from cypool._operators import Operator, result_dtype


class Windows(NamedTuple):
    """Which axes of an array are pooled, and how."""

    axes: tuple[int, ...]               # ascending
    rules: tuple[_geometry.Axis, ...]   # one per axis
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    inner: int                          # the axis that lies inside the pooled ones, or -1
    plan: _cpu.Plan                     # the rules, compiled
    taps: int                           # of one window, padding included


def windows_of(
    shape: tuple[int, ...], axes: tuple[int, ...], kernel_size: Any, stride: Any, padding: Any,
    dilation: Any, ceil_mode: Any,
) -> Windows:
    """Sliding windows over some axes of an array; per-axis arguments follow `axes` as given."""
    if all(map(_is_plain, (kernel_size, stride, padding, dilation, ceil_mode))):
        return _windows_again(shape, axes, kernel_size, stride, padding, dilation, ceil_mode)
    return _windows(shape, axes, kernel_size, stride, padding, dilation, ceil_mode)


def _is_plain(value: Any) -> bool:
    """Whether equal values of these types mean the same: 2 is not 2.0, and 1 is not True."""
    if value.__class__ is tuple:
        return all(v.__class__ is int for v in value)
    return value.__class__ in _PLAIN


_PLAIN = frozenset((int, bool, str, type(None)))


def _windows(
    shape: tuple[int, ...], axes: tuple[int, ...], kernel_size: Any, stride: Any, padding: Any,
    dilation: Any, ceil_mode: Any,
) -> Windows:
    n = len(axes)
    kernel = arguments.per_axis(kernel_size, n, "kernel_size")
    steps = arguments.strides(stride, kernel)
    pads = arguments.paddings(padding, n)
    spacing = arguments.per_axis(dilation, n, "dilation")
    rule = arguments.ceil_rule(ceil_mode)
    if list(axes) != sorted(axes):
        order = sorted(range(n), key=axes.__getitem__)
        axes, kernel, steps, spacing = (
            tuple([v[i] for i in order]) for v in (axes, kernel, steps, spacing))
        if not isinstance(pads, str):
            pads = tuple([pads[i] for i in order])
    rules = _geometry.sliding(
        tuple([shape[a] for a in axes]), kernel, steps, pads, spacing, rule, axes)
    output = list(shape)
    for a, r in zip(axes, rules, strict=True):
        output[a] = r.outputs
    if prod(output) > _geometry.MOST // 16:
        raise ValueError(
            f"kernel_size, stride and padding must give a result that fits into memory, got one "
            f"of shape {tuple(output)}")
    last = len(shape) - 1
    return Windows(
        axes, rules, shape, tuple(output), -1 if last in axes else last, _cpu.plan_of(rules),
        prod([min(r.kernel, r.length + r.before + r.after) for r in rules]))


_windows_again = lru_cache(maxsize=1024, typed=True)(_windows)


# Calls on small arrays, remembered: there the checks take longer than the work.
repeats = _cpu.Repeats(np.ndarray, np.empty)
Repeat = tuple[str, tuple[Any, ...], tuple[Any, ...]]       # a name, and plain arguments


def forward(
    operator: Operator, x: np.ndarray, windows: Windows, *, return_indices: bool, index_dtype: Any,
    out: Any, num_threads: Any, mask: np.ndarray | None = None, count_include_pad: Any = True,
    divisor_override: Any = None, dtype: Any = None, repeat: Repeat | None = None,
) -> Any:
    """Run an operator on checked windows; `repeat` is what to remember the call by."""
    threads = arguments.threads(num_threads)
    include_pad = arguments.flag(count_include_pad, "count_include_pad")
    override = arguments.divisor(divisor_override)
    if operator.averages and include_pad and override is None:
        _check_divisor(windows)
    result = result_dtype(operator, x.dtype, dtype)
    shape = windows.output_shape
    index = out_index = None
    if return_indices:
        index_type = _index_dtype(index_dtype, windows)
        out, out_index = (None, None) if out is None else _pair(out)
        y = arguments.output(out, shape, result, (x, mask))
        index = arguments.output(out_index, shape, index_type, (x, mask, y))
    else:
        y = arguments.output(out, shape, result, (x, mask))
    if repeat is not None and index is None and mask is None and num_threads is None and (
            y.size < 1 << 17 and not (result.kind == "b" and operator.name == "min")):
        # Before anything is written, as there may be no memory to remember it in.
        repeats.learn(
            x, *repeat, windows.plan, operator.reducer, known_code(x.dtype), y,
            known_code(result), windows.axes, windows.inner, operator.averages, include_pad,
            override)
    _cpu.reduce(
        windows.plan, operator.reducer, x, known_code(x.dtype), y, known_code(result), index,
        mask, windows.axes, windows.inner, operator.averages, include_pad, override, threads)
    if result.kind == "b" and operator.name == "min":
        # Kernels see bytes, whose greatest, which an empty window gives, is no bool.
        values = y.view(np.uint8)
        np.minimum(values, 1, out=values)
    # What users gave to write to is what they get back, of whatever subclass.
    y = y if out is None else out
    if index is None:
        return y
    return y, index if out_index is None else out_index


def _check_divisor(windows: Windows) -> None:
    if windows.taps > _geometry.MOST:
        raise ValueError(
            f"kernel_size must give a number of taps within 64 bits to divide by, got "
            f"{tuple(r.kernel for r in windows.rules)}")


def _pair(out: Any) -> tuple[Any, Any]:
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        raise TypeError(
            f"out must be a pair (values, indices) where indices are returned, got "
            f"{type(out).__name__}")
    return out[0], out[1]


def _index_dtype(asked: Any, windows: Windows) -> np.dtype:
    try:
        dtype = np.dtype(asked)
    except TypeError:
        dtype = None
    if dtype is None or dtype.str[1:] not in ("i4", "i8") or not dtype.isnative:
        raise TypeError(f"index_dtype must be int32 or int64, got {asked!r}")
    plane = prod([r.length for r in windows.rules])
    if plane - 1 > np.iinfo(dtype).max:
        raise ValueError(
            f"index_dtype must hold every index of a plane of {plane} elements, got {dtype}")
    return dtype


def backward(
    operator: Operator, grad_output: Any, x: np.ndarray | None, windows: Windows, *, indices: Any,
    out: Any, num_threads: Any, mask: np.ndarray | None = None, count_include_pad: Any = True,
    divisor_override: Any = None, dtype: Any = None,
) -> np.ndarray:
    """The gradient with respect to x, in grad_output's dtype."""
    threads = arguments.threads(num_threads)
    include_pad = arguments.flag(count_include_pad, "count_include_pad")
    override = arguments.divisor(divisor_override)
    if operator.averages and include_pad and override is None:
        _check_divisor(windows)
    grad = gradient(grad_output, windows.output_shape)
    if dtype is not None and x is not None:
        result_dtype(operator, x.dtype, dtype)
    plan, axes, inner = windows.plan, windows.axes, windows.inner
    if operator.selects:
        return _selection_backward(operator, grad, x, windows, indices, mask, out, threads)
    y = arguments.output(out, windows.input_shape, grad.dtype, (grad, x, mask))
    averages = operator.averages
    if mask is not None and averages and override is None:
        grad = _shared(grad, mask, windows, threads)
        averages = False
    dropped = None if mask is None else ~mask       # allocated before anything is written
    _cpu.spread(plan, grad, known_code(grad.dtype), y, known_code(y.dtype), axes, inner, averages,
                include_pad, override, threads)
    if dropped is not None:
        np.copyto(y, 0, where=dropped)
    return y if out is None else out


def _shared(grad: np.ndarray, mask: np.ndarray, windows: Windows, threads: Any) -> np.ndarray:
    """Gradients over the number of elements that counted in their windows."""
    counts = np.empty(windows.output_shape, np.int64)
    _cpu.reduce(windows.plan, _cpu.SUM, mask, known_code(mask.dtype), counts,
                known_code(counts.dtype), None, None, windows.axes, windows.inner, False, True,
                None, threads)
    wide = grad.astype(np.float32 if grad.dtype.itemsize == 2 else grad.dtype)
    return np.divide(wide, np.maximum(counts, 1).astype(wide.dtype), out=wide)


def _selection_backward(
    operator: Operator, grad: np.ndarray, x: np.ndarray | None, windows: Windows, indices: Any,
    mask: np.ndarray | None, out: Any, threads: int | None,
) -> np.ndarray:
    plane = prod([r.length for r in windows.rules])
    axes, inner = windows.axes, windows.inner
    if indices is None:
        if x is None:
            raise TypeError("x must be an array, not a shape, unless indices= is given")
        y = arguments.output(out, windows.input_shape, grad.dtype, (grad, x, mask))
        indices = np.empty(windows.output_shape, np.int32 if plane <= 2**31 else np.int64)
        code = known_code(x.dtype)
        _cpu.reduce(windows.plan, operator.reducer, x, code, None, code, indices, mask, axes,
                    inner, False, True, None, threads)
    else:
        indices = _indices(indices, windows.output_shape)
        y = arguments.output(out, windows.input_shape, grad.dtype, (grad, x, indices))
    code = known_code(grad.dtype)
    if not _cpu.scatter(windows.plan, grad, code, indices, y, axes, inner, threads):
        bad = indices[(indices < -1) | (indices >= plane)][0]
        raise ValueError(
            f"indices must be -1 or lie within a plane of {plane} elements, got {int(bad)}")
    return y if out is None else out


def gradient(grad_output: Any, shape: tuple[int, ...]) -> np.ndarray:
    """grad_output, seen to be floating and of the result's shape."""
    grad = arguments.array(grad_output, "grad_output")
    if grad.dtype.kind != "f" and grad.dtype.name != "bfloat16":
        raise TypeError(f"grad_output must be of a floating dtype, got {grad.dtype}")
    if grad.shape != shape:
        raise ValueError(f"grad_output must have shape {shape}, got {grad.shape}")
    return grad


def _indices(indices: Any, shape: tuple[int, ...]) -> np.ndarray:
    found = arguments.array(indices, "indices")
    if found.dtype.str[1:] not in ("i4", "i8"):
        raise TypeError(f"indices must be of dtype int32 or int64, got {found.dtype}")
    if found.shape != shape:
        raise ValueError(f"indices must have shape {shape}, got {found.shape}")
    return found

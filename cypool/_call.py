"""What every operator on windows does with its arguments before and after the compiled part."""

import math
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
    rules: tuple[_geometry.Rule, ...]     # one per axis
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
    return _windows_of_rules(shape, axes, rules, "kernel_size, stride and padding")


def _windows_of_rules(
    shape: tuple[int, ...], axes: tuple[int, ...],
    rules: tuple[_geometry.Rule, ...], names: str,
) -> Windows:
    output = list(shape)
    for a, r in zip(axes, rules, strict=True):
        output[a] = r.outputs
    if prod(output) > _geometry.MOST // 16:
        raise ValueError(
            f"{names} must give a result that fits into memory, got one of shape {tuple(output)}")
    last = len(shape) - 1
    return Windows(
        axes, rules, shape, tuple(output), -1 if last in axes else last, _cpu.plan_of(rules),
        prod([min(r.kernel, r.extended) for r in rules]))


def adaptive_windows_of(
    shape: tuple[int, ...], axes: tuple[int, ...], output_size: tuple[int | None, ...]
) -> Windows:
    """As many windows as asked for over some axes; None keeps an axis as it is."""
    order = sorted(range(len(axes)), key=axes.__getitem__)
    axes = tuple([axes[i] for i in order])
    output_size = tuple([output_size[i] for i in order])
    return _adaptive_windows(shape, axes, output_size)


@lru_cache(maxsize=1024)
def _adaptive_windows(
    shape: tuple[int, ...], axes: tuple[int, ...], output_size: tuple[int | None, ...]
) -> Windows:
    for o in output_size:
        if o is not None and o > _geometry.MOST // 16:
            raise ValueError(f"output_size must give a result that fits into memory, got {o}")
    if prod([n if o is None else o for n, o in zip(
            (shape[a] for a in axes), output_size, strict=True)]) > _geometry.MOST // 16:
        raise ValueError(
            f"output_size must give a result that fits into memory, got {output_size}")
    rules = tuple(
        _geometry.adaptive_axis(shape[a], shape[a] if o is None else o, f"axis {a}")
        for a, o in zip(axes, output_size, strict=True))
    return _windows_of_rules(shape, axes, rules, "output_size")


def table_windows_of(
    shape: tuple[int, ...], axes: tuple[int, ...], tables: tuple[_geometry.Table, ...]
) -> Windows:
    """Windows from tables, over ascending axes."""
    return _windows_of_rules(shape, axes, tables, "sequences")


_windows_again = lru_cache(maxsize=1024, typed=True)(_windows)


# Calls are remembered, by a name and plain arguments: to check them takes longer than to pool a
# small array, and as long as a fifth of pooling what fits the caches.
Repeat = tuple[str, tuple[Any, ...], tuple[Any, ...]]
again = _cpu.again


def told(params: dict[str, Any]) -> str | None:
    """An operator's own keywords as something to remember a call by; None where that can't be."""
    if not params:
        return ""
    return repr(params) if all(v.__class__ in _SCALAR for v in params.values()) else None


_SCALAR = frozenset((int, float, bool, type(None)))


def again_backward(
    name: str, grad_output: Any, x: Any, indices: Any, numbers: tuple[Any, ...],
    words: tuple[Any, ...], out: Any,
) -> tuple[Repeat | None, np.ndarray | None]:
    """What to remember a gradient's call by, and its result if there was one like it."""
    if x.__class__ is np.ndarray:
        # Its dtype does not matter, but has to be one that is supported; nor do its values, which
        # nobody wants to be written over.
        if (grad_output.__class__ is not np.ndarray or x.dtype is not grad_output.dtype
                or (out.__class__ is np.ndarray and np.may_share_memory(out, x))):
            return None, None
        x = x.shape
    elif x.__class__ is not tuple:
        return None, None
    repeat = name, (x, *numbers), words
    return repeat, again(grad_output, *repeat, out, indices)


class Parameters(NamedTuple):
    """An operator's own keywords, checked."""

    include_pad: bool = True
    override: int | None = None
    dtype: Any = None
    first: float = 0.0              # p, beta or the quantile
    second: float = math.nan        # eps, or whether to take the mean
    draws: Any = None               # stochastic: a generator, or the samples themselves
    training: bool = True


def parameters_of(
    operator: Operator, *, count_include_pad: Any = True, divisor_override: Any = None,
    dtype: Any = None, p: Any = None, eps: Any = None, beta: Any = 1.0, mean: Any = False,
    quantile: Any = 0.5, rng: Any = None, samples: Any = None, training: Any = True,
) -> Parameters:
    """Keywords that were seen to be the operator's own."""
    first, second = 0.0, math.nan
    if operator.power:
        first = arguments.power((3 if operator.averages else 2) if p is None else p, "p",
                                not operator.averages)
        if eps is not None:
            second = arguments.number(eps, "eps", "a finite number of at least 0, or None",
                                      lambda v: 0 <= v < math.inf)
    elif operator.name == "logsumexp":
        first = arguments.number(beta, "beta", "a finite number other than 0",
                                 lambda v: v != 0 and math.isfinite(v))
        second = float(arguments.flag(mean, "mean"))
    elif operator.name == "median":
        first = arguments.number(quantile, "quantile", "a number from 0 to 1",
                                 lambda v: 0 <= v <= 1)
    draws = None
    trains = arguments.flag(training, "training")
    if operator.name == "stochastic" and trains:
        draws = samples if samples is not None else arguments.generator(rng)
    return Parameters(
        arguments.flag(count_include_pad, "count_include_pad"), arguments.divisor(divisor_override),
        dtype, first, second, draws, trains)


def forward(
    operator: Operator, x: np.ndarray, windows: Windows, *, return_indices: bool, index_dtype: Any,
    out: Any, num_threads: Any, mask: np.ndarray | None = None, repeat: Repeat | None = None,
    **keywords: Any,
) -> Any:
    """Run an operator on checked windows; `repeat` is what to remember the call by."""
    threads = arguments.threads(num_threads)
    own = parameters_of(operator, **keywords)
    if operator.averages and not operator.power and own.include_pad and own.override is None:
        _check_divisor(windows)
    expects = operator.name == "stochastic" and not own.training
    if expects and return_indices:
        raise TypeError("return_indices must be False without training, which selects no element")
    if expects and x.dtype.kind in "bui":
        result = np.dtype(np.float64)
    else:
        result = result_dtype(operator, x.dtype, own.dtype)
    bounded = result.kind == "b" and operator.name == "min"
    shape = windows.output_shape
    index = out_index = None
    if return_indices:
        index_type = type_of_indices(
            index_dtype, prod([r.length for r in windows.rules]))
        out, out_index = (None, None) if out is None else pair(out)
        y = arguments.output(out, shape, result, (x, mask))
        index = arguments.output(out_index, shape, index_type, (x, mask, y))
    else:
        if index_dtype is not None:
            type_of_indices(index_dtype, 1)
        y = arguments.output(out, shape, result, (x, mask))
    if operator.reducer < 0:
        _each(operator, x, windows, own, y, result, index, mask, threads)
    elif operator.power:
        # The greatest of absolute values is what the root of a sum of infinite powers tends to.
        _cpu.reduce(
            windows.plan, _cpu.MAX if own.first == math.inf else _cpu.SUM, x, known_code(x.dtype),
            y, known_code(result), None, mask, windows.axes, windows.inner, operator.averages,
            False, None, threads, own.first, own.second, repeat=repeat)
    else:
        _cpu.reduce(
            windows.plan, operator.reducer, x, known_code(x.dtype), y, known_code(result), index,
            mask, windows.axes, windows.inner, operator.averages, own.include_pad, own.override,
            threads, repeat=None if bounded else repeat)
    if bounded:
        # Kernels see bytes, whose greatest, which an empty window gives, is no bool.
        values = y.view(np.uint8)
        np.minimum(values, 1, out=values)
    # What users gave to write to is what they get back, of whatever subclass.
    y = y if out is None else out
    if index is None:
        return y
    return y, index if out_index is None else out_index


def _each(
    operator: Operator, x: np.ndarray, windows: Windows, own: Parameters, y: np.ndarray | None,
    result: np.dtype, index: np.ndarray | None, mask: np.ndarray | None, threads: int | None,
) -> None:
    """An operator that sees all taps of a window at once."""
    kind, samples = operator.kind, None
    if operator.name == "stochastic":
        if own.training:
            samples = _samples(own.draws, windows)
        else:
            kind = _cpu.KINDS["expected"]
    to_double = result != x.dtype
    _cpu.reduce_each(
        windows.plan, kind, x, known_code(x.dtype), y, to_double, index, mask, samples,
        windows.axes, windows.inner, own.first, own.second, threads)


def _samples(draws: Any, windows: Windows) -> np.ndarray:
    """One number from 0 to 1 for each output: the axes that are not pooled, then those that are."""
    shape = windows.output_shape
    order = [a for a in range(len(shape)) if a not in windows.axes] + list(windows.axes)
    wanted = tuple([shape[a] for a in order])
    if isinstance(draws, np.random.Generator):
        return draws.random(wanted).ravel()
    found = arguments.array(draws, "samples")
    if found.dtype.kind != "f":
        raise TypeError(f"samples must be of a floating dtype, got {found.dtype}")
    if found.shape != wanted:
        raise ValueError(
            f"samples must have shape {wanted} (one for each result, channels first), got "
            f"{found.shape}")
    numbers = np.ascontiguousarray(found, np.float64).ravel()
    if not ((numbers >= 0) & (numbers < 1)).all():
        raise ValueError("samples must lie from 0 to below 1, got others")
    return numbers


def _check_divisor(windows: Windows) -> None:
    if windows.taps > _geometry.MOST:
        raise ValueError(
            f"kernel_size must give a number of taps within 64 bits to divide by, got "
            f"{tuple(r.kernel for r in windows.rules)}")


def pair(out: Any) -> tuple[Any, Any]:
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        raise TypeError(
            f"out must be a pair (values, indices) where indices are returned, got "
            f"{type(out).__name__}")
    return out[0], out[1]


def type_of_indices(asked: Any, plane: int) -> np.dtype:
    try:
        dtype = np.dtype(asked)
    except TypeError:
        dtype = None
    if dtype is None or dtype.str[1:] not in ("i4", "i8") or not dtype.isnative:
        raise TypeError(f"index_dtype must be int32 or int64, got {asked!r}")
    if plane - 1 > np.iinfo(dtype).max:
        raise ValueError(
            f"index_dtype must hold every index of a plane of {plane} elements, got {dtype}")
    return dtype


def backward(
    operator: Operator, grad_output: Any, x: np.ndarray | None, windows: Windows, *, indices: Any,
    out: Any, num_threads: Any, mask: np.ndarray | None = None, output: Any = None,
    return_p_grad: Any = False, repeat: Repeat | None = None, **keywords: Any,
) -> Any:
    """The gradient with respect to x, in grad_output's dtype; `repeat` as for `forward`."""
    threads = arguments.threads(num_threads)
    own = parameters_of(operator, **keywords)
    if not operator.differentiable:
        raise TypeError(f"op must be one with a gradient, got {operator.name!r}, which has none")
    if operator.averages and not operator.power and own.include_pad and own.override is None:
        _check_divisor(windows)
    grad = gradient(grad_output, windows.output_shape)
    if own.dtype is not None and x is not None:
        result_dtype(operator, x.dtype, own.dtype)
    if output is not None and arguments.array(output, "output").shape != windows.output_shape:
        raise ValueError(
            f"output must have shape {windows.output_shape}, got {np.shape(output)}")
    by_power = arguments.flag(return_p_grad, "return_p_grad")
    plan, axes, inner = windows.plan, windows.axes, windows.inner
    expects = operator.name == "stochastic" and not own.training
    if operator.selects and not expects:
        return _selection_backward(
            operator, grad, x, windows, indices, mask, out, own, threads, repeat)
    y = arguments.output(out, windows.input_shape, grad.dtype, (grad, x, mask))
    if not operator.linear:
        assert x is not None
        kind = _cpu.KINDS["expected"] if expects else operator.kind
        by = _cpu.derive_each(
            plan, kind, x, known_code(x.dtype), grad, known_code(grad.dtype), y, mask, axes, inner,
            own.first, own.second, by_power, threads)
        y = y if out is None else out
        return (y, by) if by_power else y
    averages = operator.averages
    if mask is not None and averages and own.override is None:
        grad = _shared(grad, mask, windows, threads)
        averages = False
    dropped = None if mask is None else ~mask       # allocated before anything is written
    _cpu.spread(plan, grad, known_code(grad.dtype), y, known_code(y.dtype), axes, inner, averages,
                own.include_pad, own.override, threads, repeat)
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
    with np.errstate(all="ignore"):     # (what is not finite is passed on, as elsewhere)
        return np.divide(wide, np.maximum(counts, 1).astype(wide.dtype), out=wide)


def _selection_backward(
    operator: Operator, grad: np.ndarray, x: np.ndarray | None, windows: Windows, indices: Any,
    mask: np.ndarray | None, out: Any, own: Parameters, threads: int | None,
    repeat: Repeat | None,
) -> np.ndarray:
    plane = prod([r.length for r in windows.rules])
    axes, inner = windows.axes, windows.inner
    if indices is None:
        if x is None:
            raise TypeError("x must be an array, not a shape, unless indices= is given")
        y = arguments.output(out, windows.input_shape, grad.dtype, (grad, x, mask))
        indices = np.empty(windows.output_shape, np.int32 if plane <= 2**31 else np.int64)
        code = known_code(x.dtype)
        if operator.reducer < 0:
            _each(operator, x, windows, own, None, x.dtype, indices, mask, threads)
        else:
            _cpu.reduce(windows.plan, operator.reducer, x, code, None, code, indices, mask, axes,
                        inner, False, True, None, threads)
    else:
        indices = checked_indices(indices, windows.output_shape)
        y = arguments.output(out, windows.input_shape, grad.dtype, (grad, x, indices))
    code = known_code(grad.dtype)
    if not _cpu.scatter(
            windows.plan, grad, code, indices, y, axes, inner, out is None, threads, repeat):
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


def checked_indices(indices: Any, shape: tuple[int, ...]) -> np.ndarray:
    found = arguments.array(indices, "indices")
    if found.dtype.str[1:] not in ("i4", "i8"):
        raise TypeError(f"indices must be of dtype int32 or int64, got {found.dtype}")
    if found.shape != shape:
        raise ValueError(f"indices must have shape {shape}, got {found.shape}")
    return found

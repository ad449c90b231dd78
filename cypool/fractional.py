"""Fractional pooling: windows at random, by PyTorch's and by TensorFlow's sequences."""

import math
from itertools import pairwise, product
from typing import Any

import numpy as np

from cypool import _arguments as arguments
from cypool import _call, _cpu
from cypool._cpu.dtypes import known_code
from cypool._docs import documented
from cypool._geometry import Axis, Table
from cypool._operators import Operator, operator_named
from cypool.window import array_or_shape, axes_of

__all__ = [
    "fractional_max_pool2d", "fractional_max_pool2d_backward", "fractional_max_pool3d",
    "fractional_max_pool3d_backward", "fractional_pool", "fractional_pool_backward",
    "fractional_sequence",
]


def fractional_sequence(
    length: Any, output: Any, *, pseudo_random: Any = False, rng: Any = None
) -> np.ndarray:
    """Boundaries of windows that divide an axis into parts of two neighbouring lengths.

    Parameters
    ----------
    length : int
        Elements of the axis.
    output : int
        Number of windows, at most `length`.
    pseudo_random : bool
        Steps that follow one random number, evenly spread, instead of a random order.
    rng : numpy.random.Generator, int or None
        What draws, or a seed.

    Returns
    -------
    ndarray of int64
        Shape ``(output + 1,)``, from 0 to `length`: window i is ``[b[i], b[i + 1])``.

    Raises
    ------
    TypeError, ValueError
        For any argument that is not as above, naming it and its value.

    Notes
    -----
    Graham, "Fractional max-pooling", 2014, in the form of ``tf.nn.fractional_max_pool``.

    Examples
    --------
    >>> import cypool, numpy as np
    >>> cypool.fractional_sequence(10, 5)
    array([ 0,  2,  4,  6,  8, 10])
    >>> sorted(np.diff(cypool.fractional_sequence(10, 7, rng=0)).tolist())
    [1, 1, 1, 1, 2, 2, 2]
    """
    length = arguments.integer(length, "length", 1)
    output = arguments.integer(output, "output", 1)
    if output > length:
        raise ValueError(f"output must be at most the length {length}, got {output}")
    even = arguments.flag(pseudo_random, "pseudo_random")
    draws = arguments.generator(rng)
    step, more = divmod(length, output)
    if not even or more == 0:
        steps = np.full(output, step, np.int64)
        steps[:more] += 1
        draws.shuffle(steps)
        return np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)
    alpha = length / output
    most = min((step + 2) / alpha - 1, (length + 1 - step) / alpha - (output - 1))
    u = draws.random() * most
    inner = [math.ceil(alpha * (i + u)) - 1 for i in range(1, output)]
    return np.array([0, *inner, length], np.int64)


# --- windows ---

class _Starts:
    """Windows of one size whose places differ from plane to plane."""

    def __init__(
        self, shape: tuple[int, ...], axes: tuple[int, ...], kernel: tuple[int, ...],
        outputs: tuple[int, ...], samples: np.ndarray,
    ) -> None:
        self.shape, self.axes, self.kernel, self.outputs = shape, axes, kernel, outputs
        self.others = tuple([a for a in range(len(shape)) if a not in axes])
        n = len(axes)
        self.starts = []        # per axis: (planes, outputs)
        for i, a in enumerate(axes):
            # PyTorch's order of samples: the width before the height, but T, H, W.
            u = samples[:, n - 1 - i if n == 2 else i]
            if shape[a] > 2048 and u.dtype.itemsize == 2:
                u = u.astype(np.float32)        # (float16 counts no further)
            one = u.dtype.type
            room, count = shape[a] - kernel[i], outputs[i]
            starts = np.full((len(u), count), room, np.int64)
            if count > 1:
                with np.errstate(all="ignore"):     # (samples may be next to nothing)
                    alpha = one(room) / one(count - 1)
                    steps = np.arange(count - 1).astype(u.dtype)
                    found = ((steps + u[:, None]) * alpha).astype(np.int64) - (
                        u[:, None] * alpha).astype(np.int64)
                # (Of an axis longer than the dtype can count, products may be rounded up.)
                starts[:, :-1] = np.clip(found, 0, room)
            self.starts.append(starts)

    def planes(self, array: np.ndarray) -> np.ndarray:
        """A view, with the pooled axes last."""
        return array.transpose(*self.others, *self.axes)

    @property
    def outer(self) -> tuple[int, ...]:
        return tuple([self.shape[a] for a in self.others])

    @property
    def output_shape(self) -> tuple[int, ...]:
        found = list(self.shape)
        for a, o in zip(self.axes, self.outputs, strict=True):
            found[a] = o
        return tuple(found)

    def taps(self) -> Any:
        """For every tap: where it lies along each pooled axis, as arrays that broadcast."""
        n = len(self.axes)
        for offsets in product(*(range(k) for k in self.kernel)):
            yield tuple([
                (s + t).reshape(*self.outer, *(s.shape[1] if i == j else 1 for j in range(n)))
                for i, (s, t) in enumerate(zip(self.starts, offsets, strict=True))])

    def selected(self, array: np.ndarray, tap: tuple[np.ndarray, ...]) -> np.ndarray:
        own = tuple([np.arange(m).reshape([-1 if i == j else 1 for j in range(
            len(self.shape))]) for i, m in enumerate(self.outer)])
        return self.planes(array)[(*own, *tap)]

    def flat(self, tap: tuple[np.ndarray, ...]) -> np.ndarray:
        """Flat indices in the plane, broadcast to all outputs."""
        at: Any = 0
        for a, places in zip(self.axes, tap, strict=True):
            at = at * self.shape[a] + places
        return np.broadcast_to(at, (*self.outer, *self.outputs))

    def select(
        self, x: np.ndarray, values: np.ndarray | None, indices: np.ndarray | None,
        threads: int | None,
    ) -> None:
        """The first of the greatest, or the first NaN, of every window, and where it lies."""
        plan = _cpu.Plan(tuple([
            Axis(self.shape[a], o, k, 1, 1, 0, 0)
            for a, o, k in zip(self.axes, self.outputs, self.kernel, strict=True)]))
        last = len(self.shape) - 1
        _cpu.select_at(
            plan, x, known_code(x.dtype), values, indices, tuple(self.starts), self.axes,
            -1 if last in self.axes else last, threads)

    def back(self, array: np.ndarray) -> np.ndarray:
        """Pooled axes from last to where they were."""
        order = (*self.others, *self.axes)
        return array.transpose([order.index(a) for a in range(len(order))])


def _sizes(
    output_size: Any, output_ratio: Any, lengths: tuple[int, ...]
) -> tuple[int, ...]:
    n = len(lengths)
    if (output_size is None) == (output_ratio is None):
        raise ValueError(
            f"output_size must be given, or output_ratio, and not both, got {output_size!r} and "
            f"{output_ratio!r}")
    if output_size is not None:
        return arguments.per_axis(output_size, n, "output_size")
    ratios = output_ratio if arguments.is_sequence(output_ratio) else (output_ratio,) * n
    if len(ratios) != n:
        raise ValueError(f"output_ratio must be one number or {n}, got {output_ratio!r}")
    found = [arguments.number(r, "output_ratio", "a number between 0 and 1", lambda v: 0 < v < 1)
             for r in ratios]
    sizes = tuple([int(m * r) for m, r in zip(lengths, found, strict=True)])
    if min(sizes) < 1:
        raise ValueError(
            f"output_ratio must leave at least one window on each axis of {lengths}, got "
            f"{output_ratio!r}")
    return sizes


def _random_windows(
    shape: tuple[int, ...], axes: tuple[int, ...], kernel_size: Any, output_size: Any,
    output_ratio: Any, samples: Any, rng: Any,
) -> _Starts:
    n = len(axes)
    kernel = arguments.per_axis(kernel_size, n, "kernel_size")
    sizes = _sizes(output_size, output_ratio, tuple([shape[a] for a in axes]))
    order = sorted(range(n), key=axes.__getitem__)
    axes, kernel, sizes = (tuple([v[i] for i in order]) for v in (axes, kernel, sizes))
    for a, k, o in zip(axes, kernel, sizes, strict=True):
        if k + o - 1 > shape[a]:
            raise ValueError(
                f"kernel_size and output_size must fit into each axis: {k} + {o} - 1 is more than "
                f"the {shape[a]} elements of axis {a}, got {kernel_size!r} and {output_size!r}")
    outer = tuple([m for a, m in enumerate(shape) if a not in axes])
    wanted = (*outer, n)
    if samples is None:
        found = arguments.generator(rng).random(wanted)
    else:
        found = arguments.array(samples, "_random_samples")
        if found.dtype.kind != "f":
            raise TypeError(f"_random_samples must be of a floating dtype, got {found.dtype}")
        if found.shape != wanted:
            raise ValueError(f"_random_samples must have shape {wanted}, got {found.shape}")
        if not ((found >= 0) & (found < 1)).all():
            raise ValueError("_random_samples must lie from 0 to below 1, got others")
        arguments.generator(rng)
    return _Starts(shape, axes, kernel, sizes, found.reshape(math.prod(outer), n))


def _table_windows(
    shape: tuple[int, ...], axes: tuple[int, ...], sequences: Any, overlapping: bool
) -> _call.Windows:
    if not arguments.is_sequence(sequences) or len(sequences) != len(axes):
        raise ValueError(
            f"sequences must be one list of boundaries for each of {len(axes)} axes, got "
            f"{sequences!r}")
    tables = {}
    for a, given in zip(axes, sequences, strict=True):
        bounds = [arguments.integer(v, "sequences", 0) for v in given]
        if len(bounds) < 2 or bounds[0] != 0 or bounds[-1] != shape[a] or any(
                p >= q for p, q in pairwise(bounds)):
            raise ValueError(
                f"sequences must increase from 0 to the length of the axis, {shape[a]}, got "
                f"{given!r}")
        counts = [min(q + overlapping, shape[a]) - p
                  for p, q in pairwise(bounds)]
        tables[a] = Table(shape[a], tuple(bounds[:-1]), tuple(counts))
    ascending = tuple(sorted(axes))
    return _call.table_windows_of(shape, ascending, tuple([tables[a] for a in ascending]))


def _operator(op: Any) -> Operator:
    operator = operator_named(op)
    if operator.name not in ("max", "avg"):
        raise ValueError(f"op must be 'max' or 'avg' for fractional windows, got {op!r}")
    return operator


def _axes(
    axes: Any, kernel_size: Any, sequences: Any, shape: tuple[int, ...], data_format: Any
) -> tuple[int, ...]:
    if sequences is None:
        return axes_of(axes, kernel_size, shape, data_format, "kernel_size")
    if kernel_size is not None:
        raise ValueError(f"kernel_size must be None with sequences, got {kernel_size!r}")
    return axes_of(axes, tuple(sequences), shape, data_format, "sequences")


def _check_unused(
    sequences: Any, overlapping: Any, output_size: Any, output_ratio: Any, samples: Any, rng: Any,
) -> None:
    """Refuse what would be without effect."""
    if sequences is None:
        if arguments.flag(overlapping, "overlapping"):
            raise ValueError("overlapping must be False without sequences, got True")
        return
    for name, value in (("output_size", output_size), ("output_ratio", output_ratio),
                        ("_random_samples", samples), ("rng", rng)):
        if value is not None:
            raise ValueError(f"{name} must be None with sequences, got {value!r}")


# --- by operator ---

def fractional_pool(
    x: Any, op: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
    return_indices: Any = False, _random_samples: Any = None, *, axes: Any = None,
    rng: Any = None, sequences: Any = None, overlapping: Any = False,
    data_format: Any = "channels_first", index_dtype: Any = np.int64, out: Any = None,
    num_threads: Any = None,
) -> Any:
    """Pool by windows whose places are drawn at random.

    Parameters
    ----------
    x : array_like
        As for `pool`.
    op : {"max", "avg"}
        What a window is reduced to.
    kernel_size : int, sequence of int, or None
        Elements of a window; None with `sequences`.
    output_size, output_ratio : int or float, or sequence of them
        Number of windows along each axis, or its ratio to the length: one of the two.
    return_indices : bool
        Also return where in its plane each maximum lies.
    _random_samples : array_like of float, optional
        From 0 to below 1, of the shape of the axes that are not pooled and one more, ``(N, C, 2)``
        for images (the width's before the height's) and ``(N, C, 3)`` for volumes.
    axes, data_format, index_dtype, out, num_threads
        As for `pool`.
    rng : numpy.random.Generator, int or None
        What draws the samples, or a seed.
    sequences : sequence of sequences of int, optional
        Boundaries for each axis, as from `fractional_sequence`, the same for all planes.
    overlapping : bool
        With `sequences`: each window also has the first element of the next.

    Returns
    -------
    ndarray, or (ndarray, ndarray)
        As from `pool`.

    Raises
    ------
    TypeError, ValueError
        For any argument that is not as above, naming it and its value.

    Notes
    -----
    Without `sequences` the windows are PyTorch's: with alpha = (L - k) / (O - 1), window i starts
    at int((i + u) alpha) - int(u alpha), the last at L - k, computed in the samples' own dtype
    (float16 on axes of more than 2048 elements as float32).

    Examples
    --------
    >>> import cypool, numpy as np
    >>> x = np.arange(10)
    >>> cypool.fractional_pool(x, "max", None, axes=0, sequences=[[0, 1, 3, 4, 6, 7, 9, 10]])
    array([0, 2, 3, 5, 6, 8, 9])
    >>> cypool.fractional_pool(x, "max", 2, 6, axes=0, _random_samples=np.array([0.5]))
    array([1, 3, 5, 6, 8, 9])
    """
    operator = _operator(op)
    x = arguments.array(x)
    wanted = arguments.flag(return_indices, "return_indices")
    _call.type_of_indices(index_dtype, 1)
    if wanted and not operator.selects:
        raise TypeError(f"return_indices must be False for op {op!r}, which selects no element")
    chosen = _axes(axes, kernel_size, sequences, x.shape, data_format)
    _check_unused(sequences, overlapping, output_size, output_ratio, _random_samples, rng)
    longer = arguments.flag(overlapping, "overlapping")
    if sequences is not None:
        more: dict[str, Any] = {} if operator.selects else {"count_include_pad": False}
        return _call.forward(
            operator, x, _table_windows(x.shape, chosen, sequences, longer),
            return_indices=wanted, index_dtype=index_dtype, out=out, num_threads=num_threads,
            **more)
    windows = _random_windows(
        x.shape, chosen, kernel_size, output_size, output_ratio, _random_samples, rng)
    threads = arguments.threads(num_threads)
    out_index = index = None
    shape = windows.output_shape
    if wanted:
        dtype = _call.type_of_indices(
            index_dtype, math.prod([x.shape[a] for a in windows.axes]))
        out, out_index = (None, None) if out is None else _call.pair(out)
    y = arguments.output(out, shape, x.dtype, (x,))
    if wanted:
        index = arguments.output(out_index, shape, dtype, (x, y))
    if not operator.selects:
        y[...] = windows.back(_means(x, windows))
        return y if out is None else out
    windows.select(x, y, index, threads)
    y = y if out is None else out
    if index is None:
        return y
    return y, index if out_index is None else out_index


def _means(x: np.ndarray, windows: _Starts) -> np.ndarray:
    """Averages: exact for integers, rounded half to even."""
    count = math.prod(windows.kernel)
    if x.dtype.kind in "ui":
        # Quotients and remainders apart: nothing overflows.
        whole: Any = 0
        rest: Any = 0
        for tap in windows.taps():
            values = windows.selected(x, tap).astype(object if x.dtype.itemsize == 8 else np.int64)
            whole, rest = whole + values // count, rest + values % count
        whole, rest = whole + rest // count, rest % count
        up = (2 * rest > count) | ((2 * rest == count) & (whole % 2 == 1))
        return (whole + up).astype(x.dtype)
    if x.dtype.kind == "b":
        raise TypeError("x must be numeric for an average, got bool")
    total: Any = np.float64(0)
    lost: Any = np.float64(0)
    with np.errstate(all="ignore"):     # (what is not finite is passed on, as elsewhere)
        for tap in windows.taps():
            value = windows.selected(x, tap).astype(np.float64)
            if x.dtype == np.float64:
                value /= count          # (so that no sum is too large)
            # What an addition rounds off is kept, so that many of them lose no more than one.
            before, total = total, total + value
            part = total - before
            lost = lost + ((before - (total - part)) + (value - part))
        total = np.where(np.isfinite(lost), total + lost, total)
        return (total if x.dtype == np.float64 else total / count).astype(x.dtype)


def fractional_pool_backward(
    grad_output: Any, x: Any, op: Any, kernel_size: Any, output_size: Any = None,
    output_ratio: Any = None, return_indices: Any = False, _random_samples: Any = None, *,
    axes: Any = None, rng: Any = None, sequences: Any = None, overlapping: Any = False,
    data_format: Any = "channels_first", index_dtype: Any = np.int64, indices: Any = None,
    out: Any = None, num_threads: Any = None,
) -> np.ndarray:
    """Gradient of `fractional_pool` with respect to its input.

    Parameters
    ----------
    grad_output : array_like
        The gradient with respect to the result, of the result's shape and of a floating dtype.
    x : array_like or tuple of int
        What was pooled, or its shape for "avg", and for "max" when `indices` is given.
    op, kernel_size, output_size, output_ratio, axes, sequences, overlapping, data_format
        As they were given to `fractional_pool`.
    _random_samples, rng
        Likewise; where neither `indices` nor `sequences` is given, the samples themselves or the
        same seed must be, or the windows are others.
    return_indices, index_dtype
        Accepted so that all of the forward call's arguments may be; without effect.
    indices : array_like of int32 or int64, optional
        What `fractional_pool` returned with ``return_indices=True``.
    out, num_threads
        As for `pool_backward`.

    Returns
    -------
    ndarray
        The gradient, in the shape of `x` and the dtype of `grad_output`.

    Raises
    ------
    TypeError, ValueError
        For any argument that is not as above, naming it and its value.

    Examples
    --------
    >>> import cypool, numpy as np
    >>> x = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    >>> cypool.fractional_pool_backward(
    ...     np.ones(2), x, "max", None, axes=0, sequences=[[0, 2, 5]])
    array([1., 0., 0., 0., 1.])
    """
    operator = _operator(op)
    array, shape = array_or_shape(operator, x, indices)
    chosen = _axes(axes, kernel_size, sequences, shape, data_format)
    _check_unused(sequences, overlapping, output_size, output_ratio, _random_samples, rng)
    longer = arguments.flag(overlapping, "overlapping")
    if indices is not None and not operator.selects:
        raise TypeError(f"indices must be left out for op {op!r}, which selects no element")
    if sequences is not None:
        more: dict[str, Any] = {} if operator.selects else {"count_include_pad": False}
        return _call.backward(
            operator, grad_output, array, _table_windows(shape, chosen, sequences, longer),
            indices=indices, out=out, num_threads=num_threads, **more)
    windows = _random_windows(
        shape, chosen, kernel_size, output_size, output_ratio,
        _random_samples if indices is None else np.zeros(
            (*[m for a, m in enumerate(shape) if a not in chosen], len(chosen))), rng)
    grad = _call.gradient(grad_output, windows.output_shape)
    threads = arguments.threads(num_threads)
    y = arguments.output(out, shape, grad.dtype, (grad, array, indices))
    plane = math.prod([shape[a] for a in windows.axes])
    planes = math.prod(windows.outer)
    moved = windows.planes(grad).astype(np.float64)
    total = np.zeros(planes * plane)
    if operator.selects:
        if indices is None:
            assert array is not None
            found = np.empty(windows.output_shape, np.int64)
            windows.select(array, None, found, threads)
            flat = windows.planes(found)
        else:
            found = _call.checked_indices(indices, windows.output_shape)
            bad = (found < -1) | (found >= plane)
            if bad.any():
                raise ValueError(
                    f"indices must be -1 or lie within a plane of {plane} elements, got "
                    f"{int(found[bad][0])}")
            flat = windows.planes(found)
        _add(total, flat, moved, planes, plane)
    else:
        with np.errstate(all="ignore"):
            shares = moved / math.prod(windows.kernel)
        for tap in windows.taps():
            _add(total, windows.flat(tap), shares, planes, plane)
    lengths = [shape[a] for a in windows.axes]
    with np.errstate(all="ignore"):
        y[...] = windows.back(total.reshape(*windows.outer, *lengths))
    return y if out is None else out


def _add(total: np.ndarray, flat: np.ndarray, grad: np.ndarray, planes: int, plane: int) -> None:
    """Gradients added at flat indices of their planes."""
    if grad.size == 0:
        return
    places = flat.reshape(planes, -1) + plane * np.arange(planes)[:, None]
    kept = flat.reshape(planes, -1) >= 0
    with np.errstate(all="ignore"):     # (what is not finite is passed on, as elsewhere)
        total += np.bincount(
            places[kept], weights=grad.reshape(planes, -1)[kept], minlength=len(total))


# --- by dimension ---

def _fractional_max_pool(n: int) -> Any:
    def fractional_max_pool(
        x: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
        return_indices: Any = False, _random_samples: Any = None, *, rng: Any = None,
        data_format: Any = "channels_first", index_dtype: Any = np.int64, out: Any = None,
        num_threads: Any = None,
    ) -> Any:
        return fractional_pool(
            x, "max", arguments.per_axis(kernel_size, n, "kernel_size"), output_size,
            output_ratio, return_indices, _batched(_random_samples, x, n), rng=rng,
            data_format=data_format, index_dtype=index_dtype, out=out, num_threads=num_threads)

    def fractional_max_pool_backward(
        grad_output: Any, x: Any, kernel_size: Any, output_size: Any = None,
        output_ratio: Any = None, return_indices: Any = False, _random_samples: Any = None, *,
        rng: Any = None, data_format: Any = "channels_first", index_dtype: Any = np.int64,
        indices: Any = None, out: Any = None, num_threads: Any = None,
    ) -> np.ndarray:
        return fractional_pool_backward(
            grad_output, x, "max", arguments.per_axis(kernel_size, n, "kernel_size"), output_size,
            output_ratio, return_indices, _batched(_random_samples, x, n), rng=rng,
            data_format=data_format, index_dtype=index_dtype, indices=indices, out=out,
            num_threads=num_threads)

    return (documented(fractional_max_pool, "fractional_max_pool", n),
            documented(fractional_max_pool_backward, "fractional_max_pool", n))


def _batched(samples: Any, x: Any, n: int) -> Any:
    """Samples of an unbatched array without the batch axis that PyTorch has them keep."""
    if samples is None:
        return None
    found = arguments.array(samples, "_random_samples")
    ndim = len(x) if isinstance(x, tuple) else np.ndim(x)
    return found[0] if ndim == n + 1 and found.ndim == 3 and len(found) == 1 else found


fractional_max_pool2d, fractional_max_pool2d_backward = _fractional_max_pool(2)
fractional_max_pool3d, fractional_max_pool3d_backward = _fractional_max_pool(3)

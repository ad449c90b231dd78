"""As many windows as asked for: adaptive and global pooling, by operator and by PyTorch's names."""

from typing import Any

import numpy as np

from cypool import _arguments as arguments
from cypool import _call
from cypool._call import again, again_backward
from cypool._docs import documented
from cypool._operators import OPERATORS, Operator, check_keywords, operator_named
from cypool.window import array_or_shape, axes_of, check_extras

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool1d_backward", "adaptive_avg_pool2d",
    "adaptive_avg_pool2d_backward", "adaptive_avg_pool3d", "adaptive_avg_pool3d_backward",
    "adaptive_max_pool1d", "adaptive_max_pool1d_backward", "adaptive_max_pool2d",
    "adaptive_max_pool2d_backward", "adaptive_max_pool3d", "adaptive_max_pool3d_backward",
    "adaptive_pool", "adaptive_pool_backward", "global_pool", "global_pool_backward",
]


def _sizes(value: Any, n: int) -> tuple[int | None, ...]:
    """One length for each of n axes, or None to keep it."""
    given = value if arguments.is_sequence(value) else (value,) * n
    if len(given) != n:
        raise ValueError(
            f"output_size must be one integer or None, or {n} of them, one per pooled axis, got "
            f"{value!r}")
    return tuple([None if v is None else arguments.integer(v, "output_size", 1) for v in given])


def _own(operator: Operator, params: dict[str, Any]) -> dict[str, Any]:
    """An operator's keywords; an average has no padding here, and divides by what it sees."""
    check_keywords(operator, params)
    if operator.averages and not operator.power:
        for name in ("count_include_pad", "divisor_override"):
            if name in params:
                raise TypeError(f"{name} must be left out where windows have no padding, got "
                                f"{params[name]!r}")
        return {**params, "count_include_pad": False}
    return params


def _indices_wanted(operator: Operator, value: Any) -> bool:
    wanted = arguments.flag(value, "return_indices")
    if wanted and not operator.selects:
        raise TypeError(
            f"return_indices must be False for op {operator.name!r}, which selects no element, "
            f"got {value!r}")
    return wanted


# --- by operator ---

def adaptive_pool(
    x: Any, op: Any, output_size: Any, return_indices: Any = False, *, axes: Any = None,
    data_format: Any = "channels_first", index_dtype: Any = np.int64, out: Any = None,
    num_threads: Any = None, **params: Any,
) -> Any:
    """Pool axes to given lengths, by windows that cover everything and differ by one at most.

    Parameters
    ----------
    x : array_like
        As for `pool`.
    op : str
        What a window is reduced to, as for `pool`.
    output_size : int, None, or sequence of them
        Number of windows along each pooled axis; None keeps the axis as it is. May be more than
        the axis is long.
    return_indices, axes, data_format, index_dtype, out, num_threads, **params
        As for `pool`. An average always divides by the number of elements.

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
    Window i of O over L elements is [floor(i L / O), ceil((i + 1) L / O)), as in PyTorch.

    Examples
    --------
    >>> import cypool, numpy as np
    >>> cypool.adaptive_pool(np.arange(10), "max", 3, axes=0)
    array([3, 6, 9])
    >>> cypool.adaptive_pool(np.arange(10.0), "avg", 4, axes=0)
    array([1., 3., 6., 8.])
    """
    repeat = None
    told = _call.told(params)
    if told is not None:
        repeat = ("adaptive_pool", (output_size, axes, num_threads),
                  (op, return_indices, index_dtype, data_format, told))
        y = again(x, *repeat, out)
        if y is not None:
            return y
    operator = operator_named(op)
    own = _own(operator, params)
    x = arguments.array(x)
    wanted = _indices_wanted(operator, return_indices)
    chosen = axes_of(axes, output_size, x.shape, data_format, "output_size")
    windows = _call.adaptive_windows_of(x.shape, chosen, _sizes(output_size, len(chosen)))
    return _call.forward(
        operator, x, windows, return_indices=wanted, index_dtype=index_dtype, out=out,
        num_threads=num_threads, repeat=repeat, **own)


def adaptive_pool_backward(
    grad_output: Any, x: Any, op: Any, output_size: Any, return_indices: Any = False, *,
    axes: Any = None, data_format: Any = "channels_first", index_dtype: Any = np.int64,
    indices: Any = None, output: Any = None, return_p_grad: Any = False, out: Any = None,
    num_threads: Any = None, **params: Any,
) -> Any:
    """Gradient of `adaptive_pool` with respect to its input.

    Parameters
    ----------
    grad_output : array_like
        The gradient with respect to the result, of the result's shape and of a floating dtype.
    x : array_like or tuple of int
        What was pooled, or its shape where `pool_backward` takes one.
    op, output_size, axes, data_format, **params
        As they were given to `adaptive_pool`.
    return_indices, index_dtype
        Accepted so that all of the forward call's arguments may be; without effect.
    indices, output, return_p_grad, out, num_threads
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
    >>> cypool.adaptive_pool_backward(np.array([1.0, 3.0]), (5,), "avg", 2, axes=0)
    array([0.33333333, 0.33333333, 1.33333333, 1.        , 1.        ])
    """
    repeat = None
    told = _call.told(params)
    if output is None and return_p_grad is False and told is not None:
        repeat, y = again_backward(
            "adaptive_pool_backward", grad_output, x, indices, (output_size, axes, num_threads),
            (op, data_format, told), out)
        if y is not None:
            return y
    operator = operator_named(op)
    own = _own(operator, params)
    array, shape = array_or_shape(operator, x, indices)
    chosen = axes_of(axes, output_size, shape, data_format, "output_size")
    windows = _call.adaptive_windows_of(shape, chosen, _sizes(output_size, len(chosen)))
    return _backward(
        operator, grad_output, array, windows, indices, output, return_p_grad, out, num_threads,
        None, own, repeat)


def _backward(
    operator: Operator, grad_output: Any, array: Any, windows: _call.Windows, indices: Any,
    output: Any, return_p_grad: Any, out: Any, num_threads: Any, mask: Any, own: dict[str, Any],
    repeat: _call.Repeat | None = None,
) -> Any:
    if indices is not None and not operator.selects:
        raise TypeError(
            f"indices must be left out for op {operator.name!r}, which selects no element, got "
            f"{type(indices).__name__}")
    check_extras(operator, output, return_p_grad)
    return _call.backward(
        operator, grad_output, array, windows, indices=indices, out=out, num_threads=num_threads,
        mask=mask, output=output, return_p_grad=return_p_grad, repeat=repeat, **own)


def _global_windows(
    shape: tuple[int, ...], axes: Any, data_format: Any
) -> tuple[tuple[int, ...], _call.Windows]:
    """The axes to pool, by default all spatial ones of a batched array, and one window each."""
    if axes is None:
        n = len(shape) - 2
        if not 1 <= n <= 3:
            raise ValueError(
                f"x must have shape (N, C, ...) with one to three spatial axes where axes are not "
                f"given, got {shape}")
        last = arguments.channels_last(data_format, n)
        chosen = arguments.spatial_axes(len(shape), n, last, shape, "x")
    else:
        chosen = arguments.pooled_axes(axes, len(shape))
    return chosen, _call.adaptive_windows_of(shape, chosen, (1,) * len(chosen))


def global_pool(
    x: Any, op: Any = "avg", *, axes: Any = None, keepdims: Any = True, mask: Any = None,
    data_format: Any = "channels_first", return_indices: Any = False, index_dtype: Any = np.int64,
    out: Any = None, num_threads: Any = None, **params: Any,
) -> Any:
    """Pool all of one to three axes to a single value.

    Parameters
    ----------
    x : array_like
        With `axes=None` of shape ``(N, C, *spatial)`` or ``(N, *spatial, C)``, with one to three
        spatial axes; else any.
    op : str
        What is reduced, as for `pool`.
    axes : sequence of int, optional
        The axes; by default all spatial ones.
    keepdims : bool
        Keep the pooled axes, with length 1.
    mask : array_like of bool, optional
        True where `x` counts, as for `pool`.
    data_format, return_indices, index_dtype, out, num_threads, **params
        As for `pool`.

    Returns
    -------
    ndarray, or (ndarray, ndarray)
        As from `pool`.

    Raises
    ------
    TypeError, ValueError
        For any argument that is not as above, naming it and its value.

    Examples
    --------
    >>> import cypool, numpy as np
    >>> x = np.arange(12.0).reshape(1, 3, 4)
    >>> cypool.global_pool(x, keepdims=False)
    array([[1.5, 5.5, 9.5]])
    >>> cypool.global_pool(x, "max", axes=1)
    array([[[ 8.,  9., 10., 11.]]])

    Of sequences (batch, time, features) of several lengths, the mean, the maximum and the root
    mean square over time, where a mask says what counts:

    >>> sequences = np.ones((2, 5, 3))
    >>> counts = np.arange(5)[None, :, None] < np.array([5, 2])[:, None, None]
    >>> [cypool.global_pool(sequences, op, axes=1, keepdims=False, mask=counts, **p).shape
    ...  for op, p in [("avg", {}), ("max", {}), ("gem", {"p": 2})]]
    [(2, 3), (2, 3), (2, 3)]
    """
    repeat = None
    told = _call.told(params)
    if keepdims is True and mask is None and told is not None:
        repeat = ("global_pool", (axes, num_threads),
                  (op, return_indices, index_dtype, data_format, told))
        y = again(x, *repeat, out)
        if y is not None:
            return y
    operator = operator_named(op)
    own = _own(operator, params)
    x = arguments.array(x)
    wanted = _indices_wanted(operator, return_indices)
    keep = arguments.flag(keepdims, "keepdims")
    chosen, windows = _global_windows(x.shape, axes, data_format)
    given = out
    if not keep and out is not None:
        expand = _expanded if isinstance(out, np.ndarray) else None
        out = expand(out, chosen) if expand else tuple(
            [o if o is None or not isinstance(o, np.ndarray) else _expanded(o, chosen)
             for o in out]) if isinstance(out, (tuple, list)) else out
    result = _call.forward(
        operator, x, windows, return_indices=wanted, index_dtype=index_dtype, out=out,
        num_threads=num_threads, mask=arguments.mask(mask, x.shape), repeat=repeat, **own)
    if keep:
        return result
    if not wanted:
        return result.squeeze(chosen) if given is None else given
    pair = (None, None) if given is None else given
    return tuple([r.squeeze(chosen) if g is None else g
                  for r, g in zip(result, pair, strict=True)])


def _expanded(array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """A view with axes of length 1, where there is room for them."""
    return np.expand_dims(array, axes) if max(axes) < array.ndim + len(axes) else array


def global_pool_backward(
    grad_output: Any, x: Any, op: Any = "avg", *, axes: Any = None, keepdims: Any = True,
    mask: Any = None, data_format: Any = "channels_first", return_indices: Any = False,
    index_dtype: Any = np.int64, indices: Any = None, output: Any = None,
    return_p_grad: Any = False, out: Any = None, num_threads: Any = None, **params: Any,
) -> Any:
    """Gradient of `global_pool` with respect to its input.

    Parameters
    ----------
    grad_output : array_like
        The gradient with respect to the result, of the result's shape and of a floating dtype.
    x : array_like or tuple of int
        What was pooled, or its shape where `pool_backward` takes one.
    op, axes, keepdims, mask, data_format, **params
        As they were given to `global_pool`.
    return_indices, index_dtype
        Accepted so that all of the forward call's arguments may be; without effect.
    indices, output, return_p_grad, out, num_threads
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
    >>> cypool.global_pool_backward(np.array([[[8.0]]]), (1, 1, 4))
    array([[[2., 2., 2., 2.]]])
    """
    repeat = None
    told = _call.told(params)
    if (keepdims is True and mask is None and output is None and return_p_grad is False
            and told is not None):
        repeat, y = again_backward(
            "global_pool_backward", grad_output, x, indices, (axes, num_threads),
            (op, data_format, told), out)
        if y is not None:
            return y
    operator = operator_named(op)
    own = _own(operator, params)
    array, shape = array_or_shape(operator, x, indices)
    chosen, windows = _global_windows(shape, axes, data_format)
    if not arguments.flag(keepdims, "keepdims"):
        grad_output = arguments.array(grad_output, "grad_output")
        left = tuple([n for a, n in enumerate(shape) if a not in chosen])
        if grad_output.shape != left:
            raise ValueError(f"grad_output must have shape {left}, got {grad_output.shape}")
        grad_output = _expanded(grad_output, chosen)
        if indices is not None:
            indices = _expanded(arguments.array(indices, "indices"), chosen)
        if output is not None:
            output = _expanded(arguments.array(output, "output"), chosen)
    return _backward(
        operator, grad_output, array, windows, indices, output, return_p_grad, out, num_threads,
        arguments.mask(mask, shape), own, repeat)


# --- by dimension ---

def _axes(n: int, shape: tuple[int, ...], data_format: Any) -> tuple[int, ...]:
    last = arguments.channels_last(data_format, n)
    return arguments.spatial_axes(len(shape), n, last, shape, "x")


def _adaptive_max_pool(n: int) -> Any:
    name = f"adaptive_max_pool{n}d"
    back = f"adaptive_max_pool{n}d_backward"

    def adaptive_max_pool(
        x: Any, output_size: Any, return_indices: Any = False, *, index_dtype: Any = np.int64,
        data_format: Any = "channels_first", out: Any = None, num_threads: Any = None,
    ) -> Any:
        repeat = (name, (output_size, num_threads),
                  (return_indices, index_dtype, data_format))
        y = again(x, *repeat, out)
        if y is not None:
            return y
        x = arguments.array(x)
        windows = _call.adaptive_windows_of(
            x.shape, _axes(n, x.shape, data_format), _sizes(output_size, n))
        return _call.forward(
            OPERATORS["max"], x, windows, index_dtype=index_dtype, out=out,
            return_indices=arguments.flag(return_indices, "return_indices"),
            num_threads=num_threads, repeat=repeat)

    def adaptive_max_pool_backward(
        grad_output: Any, x: Any, output_size: Any, return_indices: Any = False, *,
        indices: Any = None, index_dtype: Any = np.int64, data_format: Any = "channels_first",
        out: Any = None, num_threads: Any = None,
    ) -> np.ndarray:
        repeat = None
        if indices is not None:
            repeat, y = again_backward(
                back, grad_output, x, indices, (output_size, num_threads), (data_format,), out)
            if y is not None:
                return y
        array, shape = array_or_shape(OPERATORS["max"], x, indices)
        windows = _call.adaptive_windows_of(
            shape, _axes(n, shape, data_format), _sizes(output_size, n))
        return _call.backward(
            OPERATORS["max"], grad_output, array, windows, indices=indices, out=out,
            num_threads=num_threads, repeat=repeat)

    return (documented(adaptive_max_pool, "adaptive_max_pool", n),
            documented(adaptive_max_pool_backward, "adaptive_max_pool", n))


def _adaptive_avg_pool(n: int) -> Any:
    name = f"adaptive_avg_pool{n}d"
    back = f"adaptive_avg_pool{n}d_backward"

    def adaptive_avg_pool(
        x: Any, output_size: Any, *, dtype: Any = None, data_format: Any = "channels_first",
        out: Any = None, num_threads: Any = None,
    ) -> np.ndarray:
        repeat = None
        if dtype is None:
            repeat = name, (output_size, num_threads), (data_format,)
            y = again(x, *repeat, out)
            if y is not None:
                return y
        x = arguments.array(x)
        windows = _call.adaptive_windows_of(
            x.shape, _axes(n, x.shape, data_format), _sizes(output_size, n))
        return _call.forward(
            OPERATORS["avg"], x, windows, return_indices=False, index_dtype=None, out=out,
            num_threads=num_threads, count_include_pad=False, dtype=dtype, repeat=repeat)

    def adaptive_avg_pool_backward(
        grad_output: Any, x: Any, output_size: Any, *, dtype: Any = None,
        data_format: Any = "channels_first", out: Any = None, num_threads: Any = None,
    ) -> np.ndarray:
        repeat = None
        if dtype is None:
            repeat, y = again_backward(
                back, grad_output, x, None, (output_size, num_threads), (data_format,), out)
            if y is not None:
                return y
        array, shape = array_or_shape(OPERATORS["avg"], x, None)
        windows = _call.adaptive_windows_of(
            shape, _axes(n, shape, data_format), _sizes(output_size, n))
        return _call.backward(
            OPERATORS["avg"], grad_output, array, windows, indices=None, out=out,
            num_threads=num_threads, count_include_pad=False, dtype=dtype, repeat=repeat)

    return (documented(adaptive_avg_pool, "adaptive_avg_pool", n),
            documented(adaptive_avg_pool_backward, "adaptive_avg_pool", n))


adaptive_max_pool1d, adaptive_max_pool1d_backward = _adaptive_max_pool(1)
adaptive_max_pool2d, adaptive_max_pool2d_backward = _adaptive_max_pool(2)
adaptive_max_pool3d, adaptive_max_pool3d_backward = _adaptive_max_pool(3)
adaptive_avg_pool1d, adaptive_avg_pool1d_backward = _adaptive_avg_pool(1)
adaptive_avg_pool2d, adaptive_avg_pool2d_backward = _adaptive_avg_pool(2)
adaptive_avg_pool3d, adaptive_avg_pool3d_backward = _adaptive_avg_pool(3)

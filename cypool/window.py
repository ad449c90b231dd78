"""Sliding windows: `pool`, named by operator, and the {1,2,3}d names, one-line forms of it.

Docstrings of the names that differ only in their number of dimensions share their text; see
`_docs.py`.
"""

from typing import Any

import numpy as np

from cypool import _arguments as arguments
from cypool import _call, _geometry
from cypool._call import again, again_backward
from cypool._docs import documented
from cypool._operators import OPERATORS, Operator, check_keywords, operator_named

__all__ = [
    "avg_pool1d", "avg_pool1d_backward", "avg_pool2d", "avg_pool2d_backward", "avg_pool3d",
    "avg_pool3d_backward", "lp_pool1d", "lp_pool1d_backward", "lp_pool2d", "lp_pool2d_backward",
    "lp_pool3d", "lp_pool3d_backward", "max_pool1d", "max_pool1d_backward", "max_pool2d",
    "max_pool2d_backward", "max_pool3d", "max_pool3d_backward", "pool", "pool_backward",
    "pool_output_size",
]


# --- by dimension ---

def _forward(
    op: str, n: int, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: Any, data_format: Any, out: Any, num_threads: Any, return_indices: Any = False,
    index_dtype: Any = np.int64, **keywords: Any,
) -> Any:
    x = arguments.array(x)
    last = arguments.channels_last(data_format, n)
    axes = arguments.spatial_axes(x.ndim, n, last, x.shape, "x")
    windows = _call.windows_of(x.shape, axes, kernel_size, stride, padding, dilation, ceil_mode)
    return _call.forward(
        OPERATORS[op], x, windows, return_indices=arguments.flag(return_indices, "return_indices"),
        index_dtype=index_dtype, out=out, num_threads=num_threads, **keywords)


def _backward(
    op: str, n: int, grad_output: Any, x: Any, kernel_size: Any, stride: Any, padding: Any,
    dilation: Any, ceil_mode: Any, data_format: Any, out: Any, num_threads: Any,
    indices: Any = None, **keywords: Any,
) -> np.ndarray:
    x, shape = array_or_shape(OPERATORS[op], x, indices)
    last = arguments.channels_last(data_format, n)
    axes = arguments.spatial_axes(len(shape), n, last, shape, "x")
    windows = _call.windows_of(shape, axes, kernel_size, stride, padding, dilation, ceil_mode)
    return _call.backward(
        OPERATORS[op], grad_output, x, windows, indices=indices, out=out, num_threads=num_threads,
        **keywords)


def array_or_shape(
    operator: Operator, x: Any, indices: Any
) -> tuple[np.ndarray | None, tuple[int, ...]]:
    """x itself where it is needed, and its shape, which a tuple always stands for."""
    if isinstance(x, tuple):
        if operator.selects and indices is None:
            raise TypeError(f"x must be an array, not a shape, unless indices= is given, got {x!r}")
        if not operator.selects and not operator.linear:
            raise TypeError(f"x must be an array, not a shape, for op {operator.name!r}, got {x!r}")
        return None, arguments.shape(x, "x")
    x = arguments.array(x)
    return x, x.shape


def _max_pool(n: int) -> Any:
    name = f"max_pool{n}d"
    back = f"max_pool{n}d_backward"

    def max_pool(
        x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: Any = False, return_indices: Any = False, *, index_dtype: Any = np.int64,
        data_format: Any = "channels_first", out: Any = None, num_threads: Any = None,
    ) -> Any:
        repeat = (name, (kernel_size, stride, padding, dilation, num_threads),
                  (ceil_mode, return_indices, index_dtype, data_format))
        y = again(x, *repeat, out)
        if y is not None:
            return y
        return _forward(
            "max", n, x, kernel_size, stride, padding, dilation, ceil_mode, data_format, out,
            num_threads, return_indices, index_dtype, repeat=repeat)

    def max_pool_backward(
        grad_output: Any, x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
        dilation: Any = 1, ceil_mode: Any = False, return_indices: Any = False, *,
        indices: Any = None, index_dtype: Any = np.int64, data_format: Any = "channels_first",
        out: Any = None, num_threads: Any = None,
    ) -> np.ndarray:
        repeat = None
        if indices is not None:
            repeat, y = again_backward(
                back, grad_output, x, indices,
                (kernel_size, stride, padding, dilation, num_threads), (ceil_mode, data_format),
                out)
            if y is not None:
                return y
        return _backward(
            "max", n, grad_output, x, kernel_size, stride, padding, dilation, ceil_mode,
            data_format, out, num_threads, indices, repeat=repeat)

    return documented(max_pool, "max_pool", n), documented(max_pool_backward, "max_pool", n)


def _avg_pool(n: int) -> Any:
    name = f"avg_pool{n}d"
    back = f"avg_pool{n}d_backward"

    def avg_pool(
        x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: Any = False,
        count_include_pad: Any = True, divisor_override: Any = None, *, dilation: Any = 1,
        dtype: Any = None, data_format: Any = "channels_first", out: Any = None,
        num_threads: Any = None,
    ) -> np.ndarray:
        repeat = None
        if dtype is None:
            repeat = (name, (kernel_size, stride, padding, dilation, divisor_override, num_threads),
                      (ceil_mode, count_include_pad, data_format))
            y = again(x, *repeat, out)
            if y is not None:
                return y
        return _forward(
            "avg", n, x, kernel_size, stride, padding, dilation, ceil_mode, data_format, out,
            num_threads, count_include_pad=count_include_pad, divisor_override=divisor_override,
            dtype=dtype, repeat=repeat)

    def avg_pool_backward(
        grad_output: Any, x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
        ceil_mode: Any = False, count_include_pad: Any = True, divisor_override: Any = None, *,
        dilation: Any = 1, dtype: Any = None, data_format: Any = "channels_first",
        out: Any = None, num_threads: Any = None,
    ) -> np.ndarray:
        repeat = None
        if dtype is None:
            repeat, y = again_backward(
                back, grad_output, x, None,
                (kernel_size, stride, padding, dilation, divisor_override, num_threads),
                (ceil_mode, count_include_pad, data_format), out)
            if y is not None:
                return y
        return _backward(
            "avg", n, grad_output, x, kernel_size, stride, padding, dilation, ceil_mode,
            data_format, out, num_threads, count_include_pad=count_include_pad,
            divisor_override=divisor_override, dtype=dtype, repeat=repeat)

    return documented(avg_pool, "avg_pool", n), documented(avg_pool_backward, "avg_pool", n)


def _lp_pool(n: int) -> Any:
    name = f"lp_pool{n}d"

    def lp_pool(
        x: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: Any = False, *,
        padding: Any = 0, dilation: Any = 1, data_format: Any = "channels_first", out: Any = None,
        num_threads: Any = None,
    ) -> np.ndarray:
        norm = arguments.power(norm_type, "norm_type", True)
        repeat = (name, (kernel_size, stride, padding, dilation, num_threads),
                  (norm.hex(), ceil_mode, data_format))
        y = again(x, *repeat, out)
        if y is not None:
            return y
        return _forward(
            "lp", n, x, kernel_size, stride, padding, dilation, ceil_mode, data_format, out,
            num_threads, p=norm, repeat=repeat)

    def lp_pool_backward(
        grad_output: Any, x: Any, norm_type: Any, kernel_size: Any, stride: Any = None,
        ceil_mode: Any = False, *, padding: Any = 0, dilation: Any = 1, output: Any = None,
        data_format: Any = "channels_first", out: Any = None, num_threads: Any = None,
    ) -> np.ndarray:
        norm = arguments.power(norm_type, "norm_type", True)
        return _backward(
            "lp", n, grad_output, x, kernel_size, stride, padding, dilation, ceil_mode,
            data_format, out, num_threads, p=norm, output=output)

    return documented(lp_pool, "lp_pool", n), documented(lp_pool_backward, "lp_pool", n)


max_pool1d, max_pool1d_backward = _max_pool(1)
max_pool2d, max_pool2d_backward = _max_pool(2)
max_pool3d, max_pool3d_backward = _max_pool(3)
avg_pool1d, avg_pool1d_backward = _avg_pool(1)
avg_pool2d, avg_pool2d_backward = _avg_pool(2)
avg_pool3d, avg_pool3d_backward = _avg_pool(3)
lp_pool1d, lp_pool1d_backward = _lp_pool(1)
lp_pool2d, lp_pool2d_backward = _lp_pool(2)
lp_pool3d, lp_pool3d_backward = _lp_pool(3)


# --- by operator ---

def pool(
    x: Any, op: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: Any = False, return_indices: Any = False, *, axes: Any = None,
    mask: Any = None, data_format: Any = "channels_first", index_dtype: Any = np.int64,
    out: Any = None, num_threads: Any = None, **params: Any,
) -> Any:
    """Reduce every sliding window of an array by the operator of that name.

    Parameters
    ----------
    x : array_like
        Any array; with `axes=None` of shape ``(N, C, *spatial)`` or ``(C, *spatial)``, or the
        channels-last forms. Any strides; never copied or modified.
    op : str
        What a window is reduced to: "max", "min", "avg" (or "mean"), "sum", "lp" (the p-norm),
        "gem" (the generalised mean; its p=2 is the root mean square, which is also known as L2
        pooling), "logsumexp", "soft" (the sum of softmax(x) x), "median", "mode" (the commonest
        value), "stochastic" (one value, drawn with weights max(x, 0)).
    kernel_size, stride, dilation : int or sequence of int
        Taps of a window, distance between windows (by default the kernel size), distance between
        taps; one for all pooled axes or one for each, in the order of `axes`.
    padding : int, sequence of int, sequence of (before, after), or {"valid", "same", "same_lower"}
        How far windows may reach over the edges. Padding never supplies a value.
    ceil_mode : {False, True, "full"}
        Whether a last window that overhangs counts: no; if it starts within the input or the
        padding before it, as in PyTorch; always, as in Chainer's ``cover_all``.
    return_indices : bool
        Also return where in its plane each value lies (of "max", "min", "median", "mode" and
        "stochastic").
    axes : sequence of int, optional
        One to three axes to pool. By default the spatial axes of `data_format`, as many as
        `kernel_size` has entries (it must be a tuple then).
    mask : array_like of bool, optional
        True where `x` counts; broadcastable to `x`. An average divides by the number of elements
        that count.
    data_format : str
        Where the channels are, if `axes` is not given.
    index_dtype : dtype
        int64 or int32.
    out : ndarray, or pair of them where indices are returned
        Where to write.
    num_threads : int, optional
        Threads to use; by default as many as the work deserves.
    **params
        The operator's own: `count_include_pad`, `divisor_override` and `dtype` for "avg"; `dtype`
        for "sum"; ``p=2`` for "lp", any number above 0 or infinity; ``p=3`` and ``eps=None``, the
        least that a value counts as, for "gem"; ``beta=1.0`` and ``mean=False`` for "logsumexp";
        ``quantile=0.5`` for "median", which takes the value of rank floor(quantile * (m - 1))
        among the m that a window sees; ``rng=None``, ``samples=None`` (one number from 0 to below
        1 for each result, channels first) and ``training=True`` for "stochastic".

    Returns
    -------
    ndarray, or (ndarray, ndarray)
        A fresh C-contiguous array in the layout of `x`; with `return_indices` also flat indices
        into the plane of pooled axes, row-major in array order, -1 where a window saw no element.

    Raises
    ------
    TypeError, ValueError
        For any argument that is not as above, naming it and its value.

    Notes
    -----
    Output lengths follow PyTorch's ``pooling_output_shape`` (ATen, ``native/Pool.h``). Lp pooling
    is that of Gulcehre et al. (2014), of absolute values; the generalised mean that of Radenovic
    et al. (2018); softmax-weighted pooling that of Stergiou et al. (2021); stochastic pooling that
    of Zeiler and Fergus (2013), in evaluation the sum of squares over the sum.

    Examples
    --------
    >>> import cypool, numpy as np
    >>> x = np.array([[3, 1, 4, 1], [5, 9, 2, 6]])
    >>> cypool.pool(x, "median", 3, stride=1, axes=1)
    array([[3, 1],
           [5, 6]])
    >>> cypool.pool(x, "min", 2, axes=1)
    array([[1, 1],
           [5, 2]])
    >>> cypool.pool(x, "sum", (2, 2), axes=(0, 1))
    array([[18, 13]])
    """
    repeat = None
    own = _call.told(params)
    if mask is None and own is not None:
        repeat = ("pool", (kernel_size, stride, padding, dilation, axes, num_threads),
                  (op, ceil_mode, return_indices, index_dtype, data_format, own))
        y = again(x, *repeat, out)
        if y is not None:
            return y
    operator = operator_named(op)
    check_keywords(operator, params)
    x = arguments.array(x)
    wanted = arguments.flag(return_indices, "return_indices")
    if wanted and not operator.selects:
        raise TypeError(
            f"return_indices must be False for op {operator.name!r}, which selects no element, "
            f"got {return_indices!r}")
    chosen = axes_of(axes, kernel_size, x.shape, data_format, "kernel_size")
    windows = _call.windows_of(x.shape, chosen, kernel_size, stride, padding, dilation, ceil_mode)
    return _call.forward(
        operator, x, windows, return_indices=wanted, index_dtype=index_dtype, out=out,
        num_threads=num_threads, mask=arguments.mask(mask, x.shape), repeat=repeat, **params)


def pool_backward(
    grad_output: Any, x: Any, op: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
    dilation: Any = 1, ceil_mode: Any = False, return_indices: Any = False, *, axes: Any = None,
    mask: Any = None, data_format: Any = "channels_first", index_dtype: Any = np.int64,
    indices: Any = None, output: Any = None, return_p_grad: Any = False, out: Any = None,
    num_threads: Any = None, **params: Any,
) -> Any:
    """Gradient of `pool` with respect to its input.

    Parameters
    ----------
    grad_output : array_like
        The gradient with respect to the result, of the result's shape and of a floating dtype.
    x : array_like or tuple of int
        What was pooled. Its shape, as a tuple, will do for "avg" and "sum", and for operators that
        select an element when `indices` is given.
    op, kernel_size, stride, padding, dilation, ceil_mode, axes, mask, data_format, **params
        As they were given to `pool`.
    return_indices, index_dtype
        Accepted so that all of the forward call's arguments may be; without effect.
    indices : array_like of int32 or int64, optional
        What `pool` returned with ``return_indices=True``; without it the winners are found again.
    output : array_like, optional
        What `pool` returned ("lp", "gem", "logsumexp" and "soft").
    return_p_grad : bool
        Also return the derivative by p, a float ("gem").
    out, num_threads
        As for `pool`.

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
    >>> x = np.array([[3., 1., 4., 1.], [5., 9., 2., 6.]])
    >>> cypool.pool_backward(np.array([[1., 2.], [3., 4.]]), x, "min", 2, axes=1)
    array([[0., 1., 0., 2.],
           [3., 0., 4., 0.]])
    """
    repeat = None
    own = _call.told(params)
    if mask is None and output is None and return_p_grad is False and own is not None:
        repeat, y = again_backward(
            "pool_backward", grad_output, x, indices,
            (kernel_size, stride, padding, dilation, axes, num_threads),
            (op, ceil_mode, data_format, own), out)
        if y is not None:
            return y
    operator = operator_named(op)
    check_keywords(operator, params)
    array, shape = array_or_shape(operator, x, indices)
    chosen = axes_of(axes, kernel_size, shape, data_format, "kernel_size")
    windows = _call.windows_of(shape, chosen, kernel_size, stride, padding, dilation, ceil_mode)
    if indices is not None and not operator.selects:
        raise TypeError(
            f"indices must be left out for op {operator.name!r}, which selects no element, got "
            f"{type(indices).__name__}")
    check_extras(operator, output, return_p_grad)
    return _call.backward(
        operator, grad_output, array, windows, indices=indices, out=out, num_threads=num_threads,
        mask=arguments.mask(mask, shape), output=output, return_p_grad=return_p_grad,
        repeat=repeat, **params)


def check_extras(operator: Operator, output: Any, return_p_grad: Any) -> None:
    """What only some gradients take."""
    if output is not None and (operator.linear or operator.selects):
        raise TypeError(
            f"output must be left out for op {operator.name!r}, whose gradient has no use for it, "
            f"got {type(output).__name__}")
    if arguments.flag(return_p_grad, "return_p_grad") and operator.name != "gem":
        raise TypeError(f"return_p_grad must be False for op {operator.name!r}, got True")


def axes_of(
    axes: Any, sizes: Any, shape: tuple[int, ...], data_format: Any, name: str
) -> tuple[int, ...]:
    """The axes asked for, or the spatial ones, as many as there are sizes."""
    if axes is not None:
        return arguments.pooled_axes(axes, len(shape))
    if not arguments.is_sequence(sizes) or not 1 <= len(sizes) <= 3:
        raise ValueError(
            f"{name} must be a tuple of one to three integers where axes are not given, got "
            f"{sizes!r}")
    n = len(sizes)
    last = arguments.channels_last(data_format, n)
    return arguments.spatial_axes(len(shape), n, last, shape, "x")


# --- lengths ---

def pool_output_size(
    length: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: Any = False,
) -> int:
    """Number of windows on an axis.

    Parameters
    ----------
    length : int
        Elements of the axis, at least 1.
    kernel_size, stride, padding, dilation, ceil_mode
        As for `pool`, for one axis.

    Returns
    -------
    int
        The length of the result along that axis.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above, and where there would be no window at all.

    Notes
    -----
    With T = length + padding - dilation * (kernel_size - 1) - 1 the number is
    floor(T / stride) + 1, and one more in ceil mode by the rule of ATen's ``pooling_output_shape``.

    Examples
    --------
    >>> import cypool
    >>> cypool.pool_output_size(224, 3, stride=2, padding=1)
    112
    >>> cypool.pool_output_size(7, 2, ceil_mode=True)
    4
    """
    size = arguments.integer(length, "length", 1)
    kernel = arguments.per_axis(kernel_size, 1, "kernel_size")
    return _geometry.sliding_axis(
        size, kernel[0], arguments.strides(stride, kernel)[0],
        arguments.per_axis(dilation, 1, "dilation")[0], _only(arguments.paddings(padding, 1)),
        arguments.ceil_rule(ceil_mode), "the axis").outputs


def _only(padding: _geometry.Padding) -> Any:
    return padding if isinstance(padding, str) else padding[0]

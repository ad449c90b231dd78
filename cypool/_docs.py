"""Docstrings of the names that exist for one, two and three dimensions, written once."""

import math
from collections.abc import Callable
from typing import Any

_SPATIAL = {1: "L", 2: "H, W", 3: "D, H, W"}

_WINDOWS = """\
    kernel_size : int or sequence of int
        Taps of a window along each spatial axis.
    stride : int or sequence of int, optional
        Distance between windows; by default the kernel size.
    padding : int, sequence of int or of (before, after), or {{"valid", "same", "same_lower"}}
        How far windows may reach over the edges. Padding never supplies a value. The "same" words
        give ceil(length / stride) windows, the odd element of padding after or before the input."""

_DILATION = """\
    dilation : int or sequence of int
        Distance between the taps of a window."""

_CEIL = """\
    ceil_mode : {{False, True, "full"}}
        Whether a last window that overhangs counts: no; if it starts within the input or the
        padding before it, as in PyTorch; always, as in Chainer's ``cover_all``."""

_AVERAGE = """\
    count_include_pad : bool
        Whether the divisor counts taps in the padding.
    divisor_override : int, optional
        A divisor other than 0 to use instead of the number of taps."""

_AVERAGE_KEYWORDS = """\
    dtype : dtype, optional
        The dtype of sum and result, as in `numpy.mean`."""

_FORMAT = """\
    data_format : str
        "channels_first" or "channels_last", or their letters ({first!r}, {last!r})."""

_THREADS = """\
    num_threads : int, optional
        Threads to use; by default as many as the work deserves."""

_RAISES = """\
    Raises
    ------
    TypeError, ValueError
        For any argument that is not as above, naming it and its value; nothing is written then."""

_TEXTS = {
    "max_pool": """Maximum of every window of a {n}-dimensional signal.

    Parameters
    ----------
    x : array_like
        Shape ``(N, C, {spatial})`` or ``(C, {spatial})``; with channels last ``(N, {spatial}, C)``
        or ``({spatial}, C)``. Integers, bool or floats, with any strides.
{windows}
{dilation}
{ceil}
    return_indices : bool
        Also return where in its plane each maximum lies.
    index_dtype : dtype
        int64 or int32.
{format}
    out : ndarray, or pair of them with `return_indices`
        Where to write.
{threads}

    Returns
    -------
    ndarray, or (ndarray, ndarray)
        The maxima, in the dtype and layout of `x`; with `return_indices` also flat indices into
        the unpadded plane of each batch and channel, row-major.

{raises}

    Notes
    -----
    As ``torch.nn.functional.max_pool{n}d``, for any padding. A window with a NaN gives NaN (its
    index is the first), ties go to the first tap, and a window without an element gives the
    smallest value of the dtype and the index -1.

    Examples
    --------
{example}
    """,
    "max_pool_backward": """Gradient of `max_pool{n}d` with respect to its input.

    Parameters
    ----------
    grad_output : array_like
        The gradient with respect to the result, of the result's shape and of a floating dtype.
    x : array_like or tuple of int
        What was pooled; with `indices` its shape will do.
{windows}
{dilation}
{ceil}
    return_indices, index_dtype
        Accepted so that all of the forward call's arguments may be; without effect.
    indices : array_like of int32 or int64, optional
        The indices from the forward call; without them the winners are found again.
{format}
    out : ndarray, optional
        Where to write.
{threads}

    Returns
    -------
    ndarray
        The gradient, in the shape of `x` and the dtype of `grad_output`.

{raises}

    Notes
    -----
    Each window hands its gradient to the one element it took, as PyTorch's backward does.

    Examples
    --------
{example}
    """,
    "avg_pool": """Average of every window of a {n}-dimensional signal.

    Parameters
    ----------
    x : array_like
        Shape ``(N, C, {spatial})`` or ``(C, {spatial})``; with channels last ``(N, {spatial}, C)``
        or ``({spatial}, C)``. Integers or floats, with any strides.
{windows}
{ceil}
{average}
{dilation}
{average_keywords}
{format}
    out : ndarray, optional
        Where to write.
{threads}

    Returns
    -------
    ndarray
        The averages, in the dtype (or `dtype`) and layout of `x`. Averages of integers are exact,
        rounded half to even; float16 and bfloat16 are summed in float32.

{raises}

    Notes
    -----
    As ``torch.nn.functional.avg_pool{n}d``, for any padding and dilation. TensorFlow, Keras and
    ONNX leave padding out of the divisor of their "same" averages: ``count_include_pad=False``.
    What overhangs the padding in ceil mode is never counted.

    Examples
    --------
{example}
    """,
    "avg_pool_backward": """Gradient of `avg_pool{n}d` with respect to its input.

    Parameters
    ----------
    grad_output : array_like
        The gradient with respect to the result, of the result's shape and of a floating dtype.
    x : array_like or tuple of int
        What was pooled, or its shape: the gradient depends on nothing else.
{windows}
{ceil}
{average}
{dilation}
    dtype
        Accepted so that all of the forward call's arguments may be; without effect.
{format}
    out : ndarray, optional
        Where to write.
{threads}

    Returns
    -------
    ndarray
        The gradient, in the shape of `x` and the dtype of `grad_output`.

{raises}

    Notes
    -----
    Each element gets its share of every window that it was in, as in PyTorch's backward.

    Examples
    --------
{example}
    """,
    "lp_pool": """The p-norm of every window of a {n}-dimensional signal.

    Parameters
    ----------
    x : array_like
        Shape ``(N, C, {spatial})`` or ``(C, {spatial})``; with channels last ``(N, {spatial}, C)``
        or ``({spatial}, C)``. Integers, bool or floats, with any strides.
    norm_type : float
        The p of the norm: any number above 0, or infinity for the greatest absolute value.
{windows}
{ceil}
{dilation}
{format}
    out : ndarray, optional
        Where to write.
{threads}

    Returns
    -------
    ndarray
        (sum |x|^p)^(1/p) over the elements of each window, in the dtype and layout of `x`; of
        integers in float64. Sums are kept in float64, or of a few squares of float32 in float32,
        where its range holds them.

{raises}

    Notes
    -----
    As ``torch.nn.functional.lp_pool{n}d`` for values of at least 0; that leaves out the absolute
    value, and rescales what a clipped window gives in ceil mode. The root mean square, which is
    also known as L2 pooling, is ``pool(x, "gem", ..., p=2)``.

    Examples
    --------
{example}
    """,
    "lp_pool_backward": """Gradient of `lp_pool{n}d` with respect to its input.

    Parameters
    ----------
    grad_output : array_like
        The gradient with respect to the result, of the result's shape and of a floating dtype.
    x : array_like
        What was pooled.
    norm_type : float
        As for the forward call.
{windows}
{ceil}
{dilation}
    output : array_like, optional
        What the forward call returned.
{format}
    out : ndarray, optional
        Where to write.
{threads}

    Returns
    -------
    ndarray
        The gradient, in the shape of `x` and the dtype of `grad_output`; 0 where a norm is 0.

{raises}

    Notes
    -----
    The derivative by x is sign(x) (abs(x) / norm)^(p - 1).

    Examples
    --------
{example}
    """,
    "adaptive_max_pool": """Maximum of as many windows of a {n}-dimensional signal as asked for.

    Parameters
    ----------
    x : array_like
        Shape ``(N, C, {spatial})`` or ``(C, {spatial})``; with channels last ``(N, {spatial}, C)``
        or ``({spatial}, C)``. Integers, bool or floats, with any strides.
    output_size : int, None, or sequence of them
        Number of windows along each spatial axis; None keeps the axis as it is.
    return_indices : bool
        Also return where in its plane each maximum lies.
    index_dtype : dtype
        int64 or int32.
{format}
    out : ndarray, or pair of them with `return_indices`
        Where to write.
{threads}

    Returns
    -------
    ndarray, or (ndarray, ndarray)
        The maxima, in the dtype and layout of `x`; with `return_indices` also flat indices.

{raises}

    Notes
    -----
    As ``torch.nn.functional.adaptive_max_pool{n}d``; see `adaptive_pool`.

    Examples
    --------
{example}
    """,
    "adaptive_max_pool_backward": """Gradient of `adaptive_max_pool{n}d` with respect to its input.

    Parameters
    ----------
    grad_output : array_like
        The gradient with respect to the result, of the result's shape and of a floating dtype.
    x : array_like or tuple of int
        What was pooled; with `indices` its shape will do.
    output_size : int, None, or sequence of them
        As for the forward call.
    return_indices, index_dtype
        Accepted so that all of the forward call's arguments may be; without effect.
    indices : array_like of int32 or int64, optional
        The indices from the forward call; without them the winners are found again.
{format}
    out : ndarray, optional
        Where to write.
{threads}

    Returns
    -------
    ndarray
        The gradient, in the shape of `x` and the dtype of `grad_output`.

{raises}

    Notes
    -----
    Each window hands its gradient to the one element it took.

    Examples
    --------
{example}
    """,
    "adaptive_avg_pool": """Average of as many windows of a {n}-dimensional signal as asked for.

    Parameters
    ----------
    x : array_like
        Shape ``(N, C, {spatial})`` or ``(C, {spatial})``; with channels last ``(N, {spatial}, C)``
        or ``({spatial}, C)``. Integers or floats, with any strides.
    output_size : int, None, or sequence of them
        Number of windows along each spatial axis; None keeps the axis as it is.
{average_keywords}
{format}
    out : ndarray, optional
        Where to write.
{threads}

    Returns
    -------
    ndarray
        The averages, in the dtype (or `dtype`) and layout of `x`.

{raises}

    Notes
    -----
    As ``torch.nn.functional.adaptive_avg_pool{n}d``; see `adaptive_pool`.

    Examples
    --------
{example}
    """,
    "adaptive_avg_pool_backward": """Gradient of `adaptive_avg_pool{n}d` with respect to its input.

    Parameters
    ----------
    grad_output : array_like
        The gradient with respect to the result, of the result's shape and of a floating dtype.
    x : array_like or tuple of int
        What was pooled, or its shape: the gradient depends on nothing else.
    output_size : int, None, or sequence of them
        As for the forward call.
    dtype
        Accepted so that all of the forward call's arguments may be; without effect.
{format}
    out : ndarray, optional
        Where to write.
{threads}

    Returns
    -------
    ndarray
        The gradient, in the shape of `x` and the dtype of `grad_output`.

{raises}

    Notes
    -----
    Each element gets its share of every window that it was in.

    Examples
    --------
{example}
    """,
    "fractional_max_pool": """Maximum of windows of a {n}-dimensional signal placed at random.

    Parameters
    ----------
    x : array_like
        Shape ``(N, C, {spatial})`` or ``(C, {spatial})``; with channels last ``(N, {spatial}, C)``
        or ``({spatial}, C)``. Integers, bool or floats, with any strides.
    kernel_size : int or sequence of int
        Elements of a window along each spatial axis.
    output_size, output_ratio : int or float, or sequence of them
        Number of windows along each axis, or its ratio to the length: one of the two.
    return_indices : bool
        Also return where in its plane each maximum lies.
    _random_samples : array_like of float, optional
        From 0 to below 1, of shape ``(N, C, {n})``.
    rng : numpy.random.Generator, int or None
        What draws them, or a seed.
{format}
    index_dtype : dtype
        int64 or int32.
    out : ndarray, or pair of them with `return_indices`
        Where to write.
{threads}

    Returns
    -------
    ndarray, or (ndarray, ndarray)
        The maxima, in the dtype and layout of `x`; with `return_indices` also flat indices.

{raises}

    Notes
    -----
    As ``torch.nn.functional.fractional_max_pool{n}d``; see `fractional_pool`.

    Examples
    --------
{example}
    """,
    "fractional_max_pool_backward": """Gradient of `fractional_max_pool{n}d` by its input.

    Parameters
    ----------
    grad_output : array_like
        The gradient with respect to the result, of the result's shape and of a floating dtype.
    x : array_like or tuple of int
        What was pooled; with `indices` its shape will do.
    kernel_size, output_size, output_ratio, _random_samples, rng
        As for the forward call; without `indices` the samples or the seed must be the same.
    return_indices, index_dtype
        Accepted so that all of the forward call's arguments may be; without effect.
{format}
    indices : array_like of int32 or int64, optional
        The indices from the forward call.
    out : ndarray, optional
        Where to write.
{threads}

    Returns
    -------
    ndarray
        The gradient, in the shape of `x` and the dtype of `grad_output`.

{raises}

    Notes
    -----
    Each window hands its gradient to the one element it took.

    Examples
    --------
{example}
    """,
}

_EXAMPLES = {
    ("max_pool", 1): """\
    >>> import cypool, numpy as np
    >>> x = np.array([[3, 1, 4, 1, 5, 9]])
    >>> cypool.max_pool1d(x, 2)
    array([[3, 4, 9]])
    >>> cypool.max_pool1d(x, 3, stride=2, padding=1, return_indices=True)
    (array([[3, 4, 9]]), array([[0, 2, 5]]))""",
    ("max_pool", 2): """\
    >>> import cypool, numpy as np
    >>> x = np.arange(16.0, dtype=np.float32).reshape(1, 1, 4, 4)
    >>> cypool.max_pool2d(x, 2)
    array([[[[ 5.,  7.],
             [13., 15.]]]], dtype=float32)
    >>> cypool.max_pool2d(x, 3, stride=2, padding=1).shape
    (1, 1, 2, 2)""",
    ("max_pool", 3): """\
    >>> import cypool, numpy as np
    >>> x = np.arange(16).reshape(1, 2, 2, 4)
    >>> cypool.max_pool3d(x, 2)
    array([[[[13, 15]]]])""",
    ("max_pool_backward", 1): """\
    >>> import cypool, numpy as np
    >>> x = np.array([[3, 1, 4, 1, 5, 9]])
    >>> cypool.max_pool1d_backward(np.array([[1.0, 2.0, 3.0]]), x, 2)
    array([[1., 0., 2., 0., 0., 3.]])""",
    ("max_pool_backward", 2): """\
    >>> import cypool, numpy as np
    >>> x = np.arange(4.0).reshape(1, 2, 2)
    >>> y, indices = cypool.max_pool2d(x, 2, return_indices=True)
    >>> cypool.max_pool2d_backward(np.ones_like(y), x.shape, 2, indices=indices)
    array([[[0., 0.],
            [0., 1.]]])""",
    ("max_pool_backward", 3): """\
    >>> import cypool, numpy as np
    >>> x = np.arange(8.0).reshape(1, 2, 2, 2)
    >>> cypool.max_pool3d_backward(np.ones((1, 1, 1, 1)), x, 2).sum()
    np.float64(1.0)""",
    ("avg_pool", 1): """\
    >>> import cypool, numpy as np
    >>> x = np.array([[3.0, 1.0, 4.0, 1.0, 5.0, 9.0]])
    >>> cypool.avg_pool1d(x, 2)
    array([[2. , 2.5, 7. ]])
    >>> cypool.avg_pool1d(x, 3, stride=3, padding="same", count_include_pad=False)
    array([[2.66666667, 5.        ]])""",
    ("avg_pool", 2): """\
    >>> import cypool, numpy as np
    >>> x = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4)
    >>> cypool.avg_pool2d(x, 2)
    array([[[[ 2,  4],
             [10, 12]]]], dtype=uint8)
    >>> cypool.avg_pool2d(x, 2, dtype=np.float32)
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]], dtype=float32)""",
    ("avg_pool", 3): """\
    >>> import cypool, numpy as np
    >>> x = np.arange(16.0).reshape(1, 2, 2, 4)
    >>> cypool.avg_pool3d(x, 2)
    array([[[[6.5, 8.5]]]])""",
    ("avg_pool_backward", 1): """\
    >>> import cypool, numpy as np
    >>> cypool.avg_pool1d_backward(np.array([[2.0, 4.0]]), (1, 4), 2)
    array([[1., 1., 2., 2.]])""",
    ("avg_pool_backward", 2): """\
    >>> import cypool, numpy as np
    >>> cypool.avg_pool2d_backward(np.ones((1, 1, 2)), (1, 2, 3), 2, stride=1)
    array([[[0.25, 0.5 , 0.25],
            [0.25, 0.5 , 0.25]]])""",
    ("avg_pool_backward", 3): """\
    >>> import cypool, numpy as np
    >>> cypool.avg_pool3d_backward(np.ones((1, 1, 1, 1)), (1, 2, 2, 2), 2)[0, 0]
    array([[0.125, 0.125],
           [0.125, 0.125]])""",
}

# Of families whose names differ in nothing but the shapes.
_SHAPES = {
    "lp_pool": ("cypool.lp_pool{n}d(np.full({shape}, -3.0), 2, 2).max()", "np.float64({norm})"),
    "lp_pool_backward": (
        "cypool.lp_pool{n}d_backward(np.ones({half}), np.ones({shape}), 1, 2).sum()",
        "np.float64({sum})"),
    "adaptive_max_pool": ("cypool.adaptive_max_pool{n}d(np.ones({shape}), 3).shape", "{third}"),
    "adaptive_max_pool_backward": (
        "cypool.adaptive_max_pool{n}d_backward(np.ones({half}), np.ones({shape}), 2).sum()",
        "np.float64({count})"),
    "adaptive_avg_pool": ("cypool.adaptive_avg_pool{n}d(np.ones({shape}), 3).shape", "{third}"),
    "fractional_max_pool": (
        "cypool.fractional_max_pool{n}d(np.ones({shape}), 2, 3, rng=0).shape", "{third}"),
    "fractional_max_pool_backward": (
        "cypool.fractional_max_pool{n}d_backward("
        "np.ones({half}), np.ones({shape}), 2, 2, rng=0).sum()", "np.float64({count})"),
    "adaptive_avg_pool_backward": (
        "cypool.adaptive_avg_pool{n}d_backward(np.ones({half}), {shape}, 2).sum()",
        "np.float64({count})"),
}


def _example(text: str, n: int) -> str:
    if (text, n) in _EXAMPLES:
        return _EXAMPLES[text, n]
    call, result = _SHAPES[text]
    names = {
        "n": n, "shape": (1, 1) + (4,) * n, "half": (1, 1) + (2,) * n, "third": (1, 1) + (3,) * n,
        "norm": repr(math.sqrt(9.0 * 2**n)), "sum": float(4**n), "count": float(2**n)}
    return (f"    >>> import cypool, numpy as np\n    >>> {call.format(**names)}\n"
            f"    {result.format(**names)}")


def documented(function: Callable[..., Any], family: str, n: int) -> Callable[..., Any]:
    """Give a function its public name (``max_pool2d``) and the docstring of its family."""
    backward = function.__name__.endswith("_backward")
    text = f"{family}_backward" if backward else family
    first = "NC" + _SPATIAL[n].replace(", ", "")
    names = {"n": n, "spatial": _SPATIAL[n], "first": first, "last": f"N{first[2:]}C"}
    parts = {
        "windows": _WINDOWS, "dilation": _DILATION, "ceil": _CEIL, "average": _AVERAGE,
        "average_keywords": _AVERAGE_KEYWORDS, "format": _FORMAT, "threads": _THREADS,
        "raises": _RAISES,
    }
    filled = {key: part.format(**names) for key, part in parts.items()}
    function.__doc__ = _TEXTS[text].format(example=_example(text, n), **names, **filled)
    function.__name__ = function.__qualname__ = f"{family}{n}d{'_backward' if backward else ''}"
    return function

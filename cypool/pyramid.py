"""Spatial pyramid pooling: a vector of one length from maps of any size."""

from typing import Any

import numpy as np

from cypool import _arguments as arguments
from cypool._operators import check_keywords, operator_named
from cypool.adaptive import adaptive_pool, adaptive_pool_backward
from cypool.window import pool, pool_backward

__all__ = ["spatial_pyramid_pool", "spatial_pyramid_pool_backward"]


def _levels(value: Any) -> tuple[int, ...]:
    given = value if arguments.is_sequence(value) else (value,)
    if len(given) == 0:
        raise ValueError(f"levels must name at least one number of windows, got {value!r}")
    return tuple([arguments.integer(v, "levels", 1) for v in given])


def _he_windows(shape: tuple[int, ...], axes: tuple[int, ...], n: int) -> dict[str, Any]:
    """He et al.'s own windows of one level, where they cover everything."""
    kernel, stride = [], []
    for a in axes:
        length = shape[a]
        size, step = -(-length // n), length // n
        # (Of the size and the step rounded apart there may be more or fewer than n, or a gap.)
        if step == 0 or (length - size) // step + 1 != n or (n - 1) * step + size < length:
            raise ValueError(
                f"windows must be 'adaptive' for {n} windows over an axis of length {length}: "
                f"windows of {size} at a distance of {step} would leave elements out or be of "
                f"another number, got 'he'")
        kernel.append(size)
        stride.append(step)
    return {"kernel_size": tuple(kernel), "stride": tuple(stride)}


def _plan(
    shape: tuple[int, ...], levels: Any, windows: Any, data_format: Any
) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
    if windows not in ("adaptive", "he"):
        kind = ValueError if isinstance(windows, str) else TypeError
        raise kind(f"windows must be 'adaptive' or 'he', got {windows!r}")
    last = arguments.channels_last(data_format, 2)
    if len(shape) != 4:
        axes = "N, H, W, C" if last else "N, C, H, W"
        raise ValueError(f"x must have shape ({axes}), got {shape}")
    return _levels(levels), arguments.spatial_axes(4, 2, last, shape, "x"), last


def spatial_pyramid_pool(
    x: Any, levels: Any = (1, 2, 4), op: Any = "max", *, windows: Any = "adaptive",
    data_format: Any = "channels_first", out: Any = None, num_threads: Any = None, **params: Any,
) -> np.ndarray:
    """Pool maps of any size to grids of fixed sizes, and those to one vector.

    Parameters
    ----------
    x : array_like
        Shape ``(N, C, H, W)``, or ``(N, H, W, C)`` with channels last.
    levels : sequence of int
        Level n is a grid of n x n windows.
    op : str
        What a window is reduced to, as for `pool`.
    windows : {"adaptive", "he"}
        Windows that cover everything and differ by one at most, as those of `adaptive_pool`; or of
        ceil(length / n) elements at a distance of floor(length / n), as published, which are
        refused where they would leave elements out or be of another number.
    data_format, num_threads, **params
        As for `pool`.
    out : ndarray, optional
        Where to write.

    Returns
    -------
    ndarray
        Shape ``(N, C * sum(n * n))``: level by level, each flattened from (C, n, n), in either
        layout.

    Raises
    ------
    TypeError, ValueError
        For any argument that is not as above, naming it and its value.

    Notes
    -----
    He et al., "Spatial pyramid pooling in deep convolutional networks for visual recognition",
    2014.

    Examples
    --------
    >>> import cypool, numpy as np
    >>> cypool.spatial_pyramid_pool(np.arange(16.0).reshape(1, 1, 4, 4), levels=(1, 2))
    array([[15.,  5.,  7., 13., 15.]])
    >>> [cypool.spatial_pyramid_pool(np.ones((2, 256, h, w))).shape for h, w in [(13, 13), (9, 17)]]
    [(2, 5376), (2, 5376)]
    """
    check_keywords(operator_named(op), params)
    x = arguments.array(x)
    sizes, axes, last = _plan(x.shape, levels, windows, data_format)
    more = {"axes": axes, "num_threads": num_threads, **params}
    parts = []
    for n in sizes:
        if windows == "he":
            part = pool(x, op, **_he_windows(x.shape, axes, n), **more)
        else:
            part = adaptive_pool(x, op, (n, n), **more)
        if last:
            part = np.moveaxis(part, -1, 1)
        parts.append(part.reshape(len(x), part.shape[1] * n * n))
    channels = x.shape[3 if last else 1]
    shape = (len(x), channels * sum(n * n for n in sizes))
    y = arguments.output(out, shape, parts[0].dtype, (x,))
    np.concatenate(parts, axis=1, out=y)
    return y if out is None else out


def spatial_pyramid_pool_backward(
    grad_output: Any, x: Any, levels: Any = (1, 2, 4), op: Any = "max", *,
    windows: Any = "adaptive", data_format: Any = "channels_first", out: Any = None,
    num_threads: Any = None, **params: Any,
) -> np.ndarray:
    """Gradient of `spatial_pyramid_pool` with respect to its input.

    Parameters
    ----------
    grad_output : array_like
        The gradient with respect to the result, of the result's shape and of a floating dtype.
    x : array_like or tuple of int
        What was pooled, or its shape where `pool_backward` takes one.
    levels, op, windows, data_format, **params
        As they were given to `spatial_pyramid_pool`.
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
    >>> x = np.arange(4.0).reshape(1, 1, 2, 2)
    >>> cypool.spatial_pyramid_pool_backward(np.ones((1, 5)), x, levels=(1, 2))
    array([[[[1., 1.],
             [1., 2.]]]])
    """
    check_keywords(operator_named(op), params)
    shape = arguments.shape(x, "x") if isinstance(x, tuple) else None
    if shape is None:
        x = arguments.array(x)
        shape = x.shape
    sizes, axes, last = _plan(shape, levels, windows, data_format)
    channels = shape[3 if last else 1]
    grad = arguments.array(grad_output, "grad_output")
    wanted = (shape[0], channels * sum(n * n for n in sizes))
    if grad.shape != wanted:
        raise ValueError(f"grad_output must have shape {wanted}, got {grad.shape}")
    y = arguments.output(out, shape, grad.dtype, (grad, None if isinstance(x, tuple) else x))
    more = {"axes": axes, "num_threads": num_threads, **params}
    done = 0
    total: np.ndarray | None = None
    for n in sizes:
        part = grad[:, done:done + channels * n * n].reshape(shape[0], channels, n, n)
        done += channels * n * n
        if last:
            part = np.moveaxis(part, 1, -1)
        if windows == "he":
            gradient = pool_backward(part, x, op, **_he_windows(shape, axes, n), **more)
        else:
            gradient = adaptive_pool_backward(part, x, op, (n, n), **more)
        if gradient.dtype.itemsize == 2:
            gradient = gradient.astype(np.float32)
        with np.errstate(all="ignore"):     # (what is not finite is passed on, as elsewhere)
            total = gradient if total is None else np.add(total, gradient, out=total)
    assert total is not None        # there is a level at least
    with np.errstate(all="ignore"):
        total = total.astype(y.dtype, copy=False)
    y[...] = total          # (the last thing that could want memory was before)
    return y if out is None else out

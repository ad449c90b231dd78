"""Values at pooling indices: the second derivative's piece of every operator that selects."""

from math import prod
from typing import Any

import numpy as np

from cypool import _arguments as arguments

__all__ = ["gather"]


def gather(
    x: Any, indices: Any, *, axes: Any = None, data_format: Any = "channels_first", out: Any = None,
    num_threads: Any = None,
) -> np.ndarray:
    """Values of an array at the indices that a pooling returned.

    Parameters
    ----------
    x : array_like
        Of the shape of what was pooled: values, gradients, or anything else that lies so.
    indices : array_like of int32 or int64
        Flat indices into the plane of the pooled axes, row-major, as `pool` returns them.
    axes : sequence of int, optional
        The axes that were pooled; by default the spatial ones of `data_format`, of arrays with a
        batch axis. (Of three axes without one these cannot be told; name them.)
    data_format : str
        Where the channels are, if `axes` is not given.
    out : ndarray, optional
        Where to write.
    num_threads : int, optional
        Accepted as everywhere; one thread does it.

    Returns
    -------
    ndarray
        The values, in the shape of `indices` and the dtype of `x`; 0 where the index is -1.

    Raises
    ------
    TypeError, ValueError
        For any argument that is not as above, and for an index outside its plane.

    Examples
    --------
    >>> import cypool, numpy as np
    >>> x = np.array([[3.0, 1.0, 4.0, 1.0]])
    >>> _, indices = cypool.max_pool1d(x, 2, return_indices=True)
    >>> cypool.gather(np.array([[0.1, 0.2, 0.3, 0.4]]), indices)
    array([[0.1, 0.3]])
    """
    x = arguments.array(x)
    arguments.threads(num_threads)
    found = arguments.array(indices, "indices")
    if found.dtype.str[1:] not in ("i4", "i8"):
        raise TypeError(f"indices must be of dtype int32 or int64, got {found.dtype}")
    if axes is None:
        n = x.ndim - 2
        if not 1 <= n <= 3:
            n = min(max(x.ndim - 1, 1), 3)
        last = arguments.channels_last(data_format, n)
        chosen = arguments.spatial_axes(x.ndim, n, last, x.shape, "x")
    else:
        chosen = tuple(sorted(arguments.pooled_axes(axes, x.ndim)))
    others = [a for a in range(x.ndim) if a not in chosen]
    if found.ndim != x.ndim or any(found.shape[a] != x.shape[a] for a in others):
        raise ValueError(
            f"indices must have the shape of x {x.shape} but for the axes {chosen}, got "
            f"{found.shape}")
    for a in chosen:
        if x.shape[a] < 1:
            raise ValueError(
                f"x must have no pooled axis of length 0, got length 0 on axis {a}")
    plane = prod([x.shape[a] for a in chosen])
    bad = (found < -1) | (found >= plane)
    if bad.any():
        raise ValueError(
            f"indices must be -1 or lie within a plane of {plane} elements, got "
            f"{int(found[bad][0])}")
    y = arguments.output(out, found.shape, x.dtype, (x, found))
    # An index of every axis: of the pooled ones from the flat index, of the others its own.
    places: list[Any] = [None] * x.ndim
    rest = np.maximum(found, 0)
    for a in reversed(chosen):
        rest, places[a] = np.divmod(rest, x.shape[a])
    for a in others:
        places[a] = np.arange(x.shape[a]).reshape([-1 if b == a else 1 for b in range(x.ndim)])
    y[...] = np.where(found < 0, np.zeros((), x.dtype), x[tuple(places)])
    return y if out is None else out

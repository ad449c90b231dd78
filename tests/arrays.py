"""Arrays that are hard to pool right: awkward values in awkward memory.

Values come from a seed and a flavour rather than element by element, so that planes wide enough
for vector code cost Hypothesis two draws. `MEMORY` lays equal values out in every way NumPy can.
"""

from __future__ import annotations

import ctypes
import math
import mmap
from collections.abc import Callable

import numpy as np
from oracle import finfo, iinfo_range, is_float

FLAVOURS = {
    "float": ("distinct", "ties", "normal", "wide", "nan", "nonfinite", "lowest", "zeros", "edges"),
    "integer": ("distinct", "ties", "full", "lowest", "edges"),
    "bool": ("ties", "lowest", "edges"),
}


def flavours(dtype: np.dtype) -> tuple[str, ...]:
    return FLAVOURS["float" if is_float(dtype) else "bool" if dtype.kind == "b" else "integer"]


def make_values(shape: tuple[int, ...], dtype: np.dtype, flavour: str, seed: int) -> np.ndarray:
    """A C-contiguous array of the given flavour."""
    rng = np.random.default_rng(seed)
    size = math.prod(shape)
    if is_float(dtype):
        flat = _float_values(size, dtype, flavour, rng)
    else:
        flat = _integer_values(size, dtype, flavour, rng)
    return flat.astype(dtype).reshape(shape)


def _float_values(size: int, dtype: np.dtype, flavour: str, rng: np.random.Generator) -> np.ndarray:
    info = finfo(dtype)
    largest, tiny = float(info.max), float(info.smallest_subnormal)
    normal = float(info.smallest_normal)
    some = rng.integers(-2, 3, size).astype(np.float64)
    match flavour:
        case "distinct":
            return rng.permutation(size) - size // 2
        case "ties":
            return some
        case "normal":
            return rng.standard_normal(size)
        case "wide":  # magnitudes so far apart that most additions round
            return rng.standard_normal(size) * 2.0 ** rng.integers(-12, 13, size)
        case "nan":
            return np.where(rng.random(size) < 0.15, np.nan, some)
        case "nonfinite":
            return rng.choice([np.nan, np.inf, -np.inf, 0.0, 1.0, -1.0], size)
        case "lowest":
            return rng.choice([-np.inf, -np.inf, -np.inf, -largest], size)
        case "zeros":
            return rng.choice([0.0, -0.0, tiny, -tiny, 3 * tiny, normal, -normal], size)
        case "edges":
            return rng.choice([largest, -largest, normal, -1.0, 1.0, tiny], size)
    raise ValueError(flavour)


def _integer_values(
    size: int, dtype: np.dtype, flavour: str, rng: np.random.Generator
) -> np.ndarray:
    low, high = iinfo_range(dtype)
    exact = np.int64 if low < 0 else np.uint64
    match flavour:
        case "distinct":  # as far as the type goes
            return (rng.permutation(size) % min(high - low + 1, 2**62) + low).astype(exact)
        case "ties":
            return rng.integers(max(low, -2), min(high, 3), size, endpoint=True).astype(exact)
        case "full":
            return rng.integers(low, high, size, dtype=dtype, endpoint=True)
        case "lowest":
            return rng.choice(np.array([low, low, low, low + 1], exact), size)
        case "edges":
            return rng.choice(np.array([low, low + 1, high - 1, high], exact), size)
    raise ValueError(flavour)


# ---------------------------------------------------------------- memory


def _fortran(array: np.ndarray) -> np.ndarray:
    return np.asfortranarray(array)


def _reversed(array: np.ndarray) -> np.ndarray:
    """Negative strides on every axis."""
    backwards = (slice(None, None, -1),) * array.ndim
    return np.ascontiguousarray(array[backwards])[backwards]


def _reversed_last(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array[..., ::-1])[..., ::-1]


def _transposed(array: np.ndarray) -> np.ndarray:
    """The first axis innermost, the others in order: no two axes merge."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 0, -1)), -1, 0)


def _padded(array: np.ndarray) -> np.ndarray:
    """A block cut out of a larger array: gaps between rows, planes and channels."""
    larger = np.zeros([n + 3 for n in array.shape], array.dtype)
    inside = larger[tuple(slice(1, n + 1) for n in array.shape)]
    inside[...] = array
    return inside


def _stepped(array: np.ndarray) -> np.ndarray:
    """Every second element of every axis of a larger array."""
    larger = np.zeros([2 * n + 1 for n in array.shape], array.dtype)
    inside = larger[tuple(slice(1, 2 * n + 1, 2) for n in array.shape)]
    inside[...] = array
    return inside


def _broadcast(array: np.ndarray) -> np.ndarray:
    """Zero stride on the last axis; its first element everywhere."""
    return np.broadcast_to(array[..., :1], array.shape)


def _broadcast_first(array: np.ndarray) -> np.ndarray:
    """Zero stride on the first axis."""
    return np.broadcast_to(array[:1], array.shape)


def _read_only(array: np.ndarray) -> np.ndarray:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def misaligned(array: np.ndarray) -> np.ndarray:
    """At an address that is no multiple of the item size (bytes apart from one-byte types)."""
    raw = np.empty(array.nbytes + 1, np.uint8)
    copy = raw[1:].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def mapped(array: np.ndarray) -> np.ndarray:
    """In a memory map."""
    buffer = mmap.mmap(-1, max(array.nbytes, 1))
    copy = np.frombuffer(buffer, array.dtype, array.size).reshape(array.shape)
    copy[...] = array
    return copy


MEMORY: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "C": np.ascontiguousarray,
    "fortran": _fortran,
    "reversed": _reversed,
    "reversed_last": _reversed_last,
    "transposed": _transposed,
    "padded": _padded,
    "stepped": _stepped,
    "broadcast": _broadcast,
    "broadcast_first": _broadcast_first,
    "read_only": _read_only,
    "misaligned": misaligned,
    "mapped": mapped,
}


def between_guards(array: np.ndarray, at_end: bool) -> tuple[np.ndarray, mmap.mmap]:
    """A copy that begins or ends where memory does."""
    page = mmap.PAGESIZE
    room = -(-array.nbytes // page) * page
    memory = mmap.mmap(-1, room + 2 * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    for guard in (start, start + page + room):
        assert libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), 0) == 0
    offset = page + (room - array.nbytes if at_end else 0)
    found = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
    found[...] = array
    return found, memory

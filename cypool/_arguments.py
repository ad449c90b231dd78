"""Everything users can get wrong, checked in one place before any memory is touched.

Messages have one form: "<argument> must be <what is allowed>, got <value>".
"""

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from cypool._cpu.dtypes import SUPPORTED, code_of
from cypool._geometry import MOST, Padding

WORDS = ("valid", "same", "same_lower")
_LETTERS = {1: ("NCL", "NLC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}
_SPATIAL = {1: "L", 2: "H, W", 3: "D, H, W"}


# --- numbers ---

def integer(value: Any, name: str, least: int) -> int:
    """One integer, at least `least` and within 64 bits; floats and bools are none."""
    if type(value) is not int:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{name} must be an integer, got {value!r}")
        try:
            value = operator.index(value)
        except TypeError:
            raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if not least <= value <= MOST:
        bound = f"at least {least}" if value < least else f"at most {MOST}"
        # (Python does not write out integers of thousands of digits.)
        got = repr(value) if abs(value) < 2**1024 else f"one of {value.bit_length()} bits"
        raise ValueError(f"{name} must be {bound}, got {got}")
    return value


def is_sequence(value: Any) -> bool:
    return isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def per_axis(value: Any, n: int, name: str, least: int = 1) -> tuple[int, ...]:
    """An integer for each of n axes, given as one for all or as one each."""
    if not is_sequence(value):
        return (integer(value, name, least),) * n
    if len(value) != n:
        each = f" or {n} of them, one per pooled axis" if n > 1 else " for one pooled axis"
        raise ValueError(f"{name} must be one integer{each}, got {value!r}")
    return tuple([integer(v, name, least) for v in value])


def strides(value: Any, kernel: tuple[int, ...]) -> tuple[int, ...]:
    """The stride; None, or nothing in it, means the kernel size."""
    if value is None or (is_sequence(value) and len(value) == 0):
        return kernel
    return per_axis(value, len(kernel), "stride")


def paddings(value: Any, n: int) -> Padding:
    """A (before, after) pair for each axis, or a word."""
    if isinstance(value, str):
        if value not in WORDS:
            words = ", ".join(repr(w) for w in WORDS)
            raise ValueError(
                f"padding must be one of {words}, an integer, one per pooled axis, or one "
                f"(before, after) pair per pooled axis, got {value!r}")
        return value
    if not is_sequence(value):
        amount = integer(value, "padding", 0)
        return ((amount, amount),) * n
    pairs = [is_sequence(v) for v in value]
    if len(value) != n or any(pairs) != all(pairs) or (
            any(pairs) and any(len(v) != 2 for v in value)):
        each = f"{n} of them, or {n} (before, after) pairs" if n > 1 else "or ((before, after),)"
        raise ValueError(
            f"padding must be one integer, {each} for {n} pooled {'axes' if n > 1 else 'axis'}, "
            f"got {value!r}")
    if all(pairs):
        return tuple([
            (integer(v[0], "padding", 0), integer(v[1], "padding", 0)) for v in value])
    return tuple([(integer(v, "padding", 0),) * 2 for v in value])


def ceil_rule(value: Any) -> bool | str:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, str) and value == "full":
        return value
    kind = ValueError if isinstance(value, str) else TypeError
    raise kind(f"ceil_mode must be False, True or 'full', got {value!r}")


def flag(value: Any, name: str) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise TypeError(f"{name} must be True or False, got {value!r}")


def divisor(value: Any) -> int | None:
    """divisor_override: any integer but 0."""
    if value is None:
        return None
    value = integer(value, "divisor_override", -MOST)
    if value == 0:
        raise ValueError("divisor_override must be an integer other than 0, got 0")
    return value


def threads(value: Any, name: str = "num_threads") -> int | None:
    return None if value is None else integer(value, name, 1)


def number(value: Any, name: str, allowed: str, test: Callable[[float], bool]) -> float:
    """A real number for which the test holds, which `allowed` says in words."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(
            value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be {allowed}, got {value!r}")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not test(found):
        raise ValueError(f"{name} must be {allowed}, got {value!r}")
    return found


def power(value: Any, name: str, infinite: bool) -> float:
    """An exponent of Lp pooling or of a generalised mean."""
    allowed = "a number above 0" if infinite else "a finite number above 0"
    return number(value, name, allowed, lambda v: v > 0 and (infinite or v < math.inf))


# (A name in quotes: that part of NumPy is only loaded where it is used.)
def generator(value: Any) -> "np.random.Generator":
    """What draws random numbers: a generator, or a fresh one from a seed or from nothing."""
    if isinstance(value, np.random.Generator):
        return value
    if value is None or (isinstance(value, (int, np.integer)) and not isinstance(value, bool)
                         and value >= 0):
        return np.random.default_rng(value)
    raise TypeError(
        f"rng must be a numpy.random.Generator, a seed of at least 0 or None, got {value!r}")


# --- arrays ---

def array(value: Any, name: str = "x") -> np.ndarray:
    """A view of anything NumPy can look at without a copy."""
    if type(value) is not np.ndarray:
        value = _viewed(value, name)
    if code_of(value.dtype) is None:
        if not value.dtype.isnative and code_of(value.dtype.newbyteorder("=")) is not None:
            raise TypeError(
                f"{name} must be of native byte order, got dtype {value.dtype.str!r}; "
                f"supported are {SUPPORTED}")
        raise TypeError(f"{name} must be of a supported dtype ({SUPPORTED}), got {value.dtype}")
    # The one case in which an array is copied.
    return value if value.flags.aligned else value.copy()


def _viewed(value: Any, name: str) -> np.ndarray:
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} must be a plain array, got a masked array; pass its data, and ~mask as mask=")
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    seen = [p for p in ("__array__", "__array_interface__", "__dlpack__") if hasattr(value, p)]
    try:
        if not seen:
            return np.asarray(memoryview(value))
        return np.from_dlpack(value) if seen == ["__dlpack__"] else np.asarray(value)
    except MemoryError:
        raise
    except Exception as error:
        # Whatever an object raises that says it can be seen: it may be a tensor that needs a
        # gradient, or of a type that NumPy does not have.
        reason = f" ({error})" if seen else ""
        raise TypeError(
            f"{name} must be an array or an object that NumPy can view without a copy, got "
            f"{type(value).__name__}{reason}") from (error if seen else None)


def mask(value: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """A boolean array, broadcast to x's shape without a copy."""
    if value is None:
        return None
    found = array(value, "mask")
    if found.dtype != bool:
        raise TypeError(f"mask must be of dtype bool, got {found.dtype}")
    try:
        return np.broadcast_to(found, shape)
    except ValueError:
        raise ValueError(
            f"mask must be broadcastable to the shape {shape} of x, got {found.shape}") from None


def shape(value: Any, name: str) -> tuple[int, ...]:
    return tuple([integer(v, f"the shape given as {name}", 0) for v in value])


def output(
    out: Any, shape: tuple[int, ...], dtype: np.dtype, inputs: tuple[np.ndarray | None, ...],
    name: str = "out",
) -> np.ndarray:
    """The array to write to: a fresh one, or the user's once it is seen to be fit."""
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise TypeError(f"{name} must be a NumPy array, got {type(out).__name__}")
    if type(out) is not np.ndarray:
        out = out.view(np.ndarray)      # a subclass may say what it likes about its shape
    if out.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {out.shape}")
    if out.dtype != dtype:
        raise TypeError(f"{name} must have dtype {dtype}, got {out.dtype}")
    if not out.flags.writeable:
        raise ValueError(f"{name} must be writeable, got a read-only array")
    if not out.flags.aligned:
        raise ValueError(f"{name} must be aligned, got a misaligned array")
    if _overlaps_itself(out):
        raise ValueError(f"{name} must not overlap itself, got strides {out.strides}")
    for other in inputs:
        if other is not None and _overlap(out, other):
            raise ValueError(
                f"{name} must not overlap an input or another output, got an array that does")
    return out


def _overlap(a: np.ndarray, b: np.ndarray) -> bool:
    if not np.may_share_memory(a, b):
        return False
    try:
        return np.shares_memory(a, b, max_work=1_000_000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _overlaps_itself(a: np.ndarray) -> bool:
    """Whether two elements may lie on each other: never where each stride clears what is inside."""
    if a.size < 2 or a.flags.c_contiguous:
        return False
    inside = a.itemsize
    for stride, length in sorted(
            (abs(s), n) for s, n in zip(a.strides, a.shape, strict=True) if n > 1):
        if stride < inside:
            return True
        inside += stride * (length - 1)
    return False


# --- layouts ---

def channels_last(data_format: Any, n: int) -> bool:
    """Whether the channel axis comes last."""
    if data_format == "channels_first" or data_format == _LETTERS[n][0]:
        return False
    if data_format == "channels_last" or data_format == _LETTERS[n][1]:
        return True
    kind = ValueError if isinstance(data_format, str) else TypeError
    raise kind(
        f"data_format must be 'channels_first', 'channels_last', {_LETTERS[n][0]!r} or "
        f"{_LETTERS[n][1]!r}, got {data_format!r}")


def spatial_axes(ndim: int, n: int, last: bool, shape: Any, name: str) -> tuple[int, ...]:
    """The spatial axes of a batched or unbatched array."""
    if ndim not in (n + 1, n + 2):
        axes = f"{_SPATIAL[n]}, C" if last else f"C, {_SPATIAL[n]}"
        raise ValueError(f"{name} must have shape (N, {axes}) or ({axes}), got {shape}")
    first = ndim - n - last
    return tuple(range(first, first + n))


def pooled_axes(axes: Any, ndim: int) -> tuple[int, ...]:
    """One to three distinct axes, counted from the front."""
    given = axes if is_sequence(axes) else (axes,)
    if not 1 <= len(given) <= 3:
        raise ValueError(f"axes must name one to three axes, got {axes!r}")
    found = tuple([integer(a, "axes", -ndim) for a in given])
    if any(a >= ndim for a in found):
        raise ValueError(f"axes must lie within the {ndim} axes of x, got {axes!r}")
    found = tuple([a % ndim for a in found])
    if len(set(found)) != len(found):
        raise ValueError(f"axes must be distinct, got {axes!r}")
    return found

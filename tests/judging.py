"""How a result of the library is held against the oracle's."""

from __future__ import annotations

import numpy as np
from oracle import Expected, finfo, is_float


def assert_same(actual: np.ndarray, expected: np.ndarray) -> None:
    """Equal in dtype, shape and every value; NaN equals NaN and -0.0 equals 0.0."""
    assert isinstance(actual, np.ndarray)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    if is_float(actual.dtype):
        # float64 holds every value of the floating types; assert_array_equal needs a type
        # for which isnan exists.
        actual, expected = actual.astype(np.float64), expected.astype(np.float64)
    np.testing.assert_array_equal(actual, expected)


def assert_matches(actual: np.ndarray, expected: Expected) -> None:
    """Right dtype and shape, exact where arithmetic is exact, else within the oracle's bound."""
    assert isinstance(actual, np.ndarray)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.values.shape
    if expected.bound is None:
        assert_same(actual, expected.values)
        return
    values, rest, bound, scale = expected.values, expected.rest, expected.bound, expected.scale
    got = actual.astype(np.float64)
    judged = ~np.isinf(bound)
    special = ~np.isfinite(values)
    np.testing.assert_array_equal(got[special & judged], values[special & judged])
    info = finfo(actual.dtype)
    if actual.dtype != np.float64:
        # Overflow: an infinity stands for the first value that the type no longer holds.
        first_too_large = 2.0 * 2.0 ** int(np.frexp(float(info.max))[1] - 1)
        got = np.where(np.isinf(got), np.copysign(first_too_large, got), got)
        values = np.clip(values, -first_too_large, first_too_large)
        rest = np.where(np.abs(values) == first_too_large, 0.0, rest)
    finite = judged & ~special
    distance = np.abs((got[finite] - values[finite]) * scale[finite] - rest[finite])
    wrong = ~(distance <= bound[finite])
    if wrong.any():
        at = np.argwhere(finite)[np.argmax(wrong)]
        raise AssertionError(
            f"{int(wrong.sum())} of {actual.size} values differ, first at {tuple(at.tolist())}: "
            f"got {got[finite][wrong][0]!r}, expected {values[finite][wrong][0]!r}, "
            f"off by {distance[wrong][0]:.3g} where {bound[finite][wrong][0]:.3g} is allowed"
        )

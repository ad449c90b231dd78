from typing import Any

import numpy as np

from cypool._cpu.driver import Plan

_Array = np.ndarray[Any, np.dtype[Any]]

KINDS: dict[str, int]

def reduce_each(
    plan: Plan, kind: int, x: _Array, x_dtype: int, y: _Array | None, to_double: bool,
    index: _Array | None, mask: _Array | None, samples: _Array | None, pooled: tuple[int, ...],
    inner: int, first: float, second: float, num_threads: int | None,
) -> None: ...
def derive_each(
    plan: Plan, kind: int, x: _Array, x_dtype: int, grad: _Array, dtype: int, y: _Array,
    mask: _Array | None, pooled: tuple[int, ...], inner: int, first: float, second: float,
    by_power: bool, num_threads: int | None,
) -> float | None: ...
def select_at(
    plan: Plan, x: _Array, x_dtype: int, y: _Array | None, index: _Array | None,
    starts: tuple[_Array, ...], pooled: tuple[int, ...], inner: int, num_threads: int | None,
) -> None: ...

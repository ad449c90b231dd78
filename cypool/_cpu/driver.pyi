from collections.abc import Iterable
from typing import Any, Self, final

import numpy as np

from cypool._geometry import Rule

_Array = np.ndarray[Any, np.dtype[Any]]
_Repeat = tuple[str, tuple[Any, ...], tuple[Any, ...]]     # a name, and plain arguments

MAX_CODE: int
MIN_CODE: int
SUM_CODE: int

@final
class Plan:
    def __new__(cls, axes: Iterable[Rule]) -> Self: ...

@final
class Buffers: ...

def reduce(
    plan: Plan, reducer: int, x: _Array, x_dtype: int, y: _Array | None, y_dtype: int,
    index: _Array | None, mask: _Array | None, pooled: tuple[int, ...], inner: int, average: bool,
    include_pad: bool, override: int | None, num_threads: int | None, power: float = 0.0,
    least: float = ..., repeat: _Repeat | None = None,
) -> None: ...
def spread(
    plan: Plan, grad: _Array, dtype: int, y: _Array, y_dtype: int, pooled: tuple[int, ...],
    inner: int, average: bool, include_pad: bool, override: int | None, num_threads: int | None,
    repeat: _Repeat | None = None,
) -> None: ...
def scatter(
    plan: Plan, grad: _Array, dtype: int, index: _Array, y: _Array, pooled: tuple[int, ...],
    inner: int, fresh: bool, num_threads: int | None, repeat: _Repeat | None = None,
) -> bool: ...

@final
class Recipe: ...

def forget() -> None: ...
def again(
    x: Any, name: str, numbers: tuple[Any, ...], words: tuple[Any, ...], out: Any,
    index: Any = None,
) -> Any: ...

from collections.abc import Callable, Iterable
from typing import Any, Self, final

import numpy as np

from cypool._geometry import Axis

_Array = np.ndarray[Any, np.dtype[Any]]

MAX_CODE: int
MIN_CODE: int
SUM_CODE: int

@final
class Plan:
    def __new__(cls, axes: Iterable[Axis]) -> Self: ...

@final
class Buffers: ...

def reduce(
    plan: Plan, reducer: int, x: _Array, x_dtype: int, y: _Array | None, y_dtype: int,
    index: _Array | None, mask: _Array | None, pooled: tuple[int, ...], inner: int, average: bool,
    include_pad: bool, override: int | None, num_threads: int | None, power: float = 0.0,
    least: float = ...,
) -> None: ...
def spread(
    plan: Plan, grad: _Array, dtype: int, y: _Array, y_dtype: int, pooled: tuple[int, ...],
    inner: int, average: bool, include_pad: bool, override: int | None, num_threads: int | None,
) -> None: ...
def scatter(
    plan: Plan, grad: _Array, dtype: int, index: _Array, y: _Array, pooled: tuple[int, ...],
    inner: int, fresh: bool, num_threads: int | None,
) -> bool: ...

@final
class Recipe: ...

@final
class Repeats:
    def __new__(cls, array: type, empty: Callable[..., _Array]) -> Self: ...
    def call(
        self, x: Any, name: str, numbers: tuple[Any, ...], words: tuple[Any, ...], out: Any,
    ) -> Any: ...
    def learn(
        self, x: _Array, name: str, numbers: tuple[Any, ...], words: tuple[Any, ...], plan: Plan,
        reducer: int, x_dtype: int, y: _Array, y_dtype: int, pooled: tuple[int, ...], inner: int,
        average: bool, include_pad: bool, override: int | None,
    ) -> None: ...

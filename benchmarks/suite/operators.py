"""Every operator of the registry x dtypes x layouts x shapes: times, and peak memory."""

from __future__ import annotations

from typing import Any

import numpy as np

import cypool
from cypool._operators import OPERATORS, operator_named

SHAPES = {
    "stem": ((4, 64, 112, 112), (3, 3), 2, 1),
    "halved": ((2, 64, 128, 128), (2, 2), 2, 0),
    "same": ((4, 128, 28, 28), (3, 3), 1, 1),
    "sound": ((4, 2, 100_000), (8,), 4, 0),
    "volume": ((1, 4, 40, 40, 40), (2, 2, 2), 2, 0),
}
DTYPES = ("float32", "float64", "float16", "uint8", "int32")
LAYOUTS = ("channels_first", "channels_last")


class Sliding:
    """`pool` and its gradient."""

    params = (sorted(OPERATORS), DTYPES, LAYOUTS, sorted(SHAPES))
    param_names = ("op", "dtype", "layout", "shape")

    def setup(self, op: str, dtype: str, layout: str, shape: str) -> None:
        size, kernel, stride, padding = SHAPES[shape]
        if op == "mode" and dtype.startswith("float"):
            raise NotImplementedError("mode is for integers")
        x = np.random.default_rng(0).integers(0, 100, size).astype(dtype)
        if layout == "channels_last":
            x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
        self.x = x
        self.call: dict[str, Any] = {
            "kernel_size": kernel, "stride": stride, "padding": padding, "data_format": layout,
            "num_threads": 1, **({"rng": 0} if op == "stochastic" else {})}
        self.grad = np.ones(cypool.pool(x, op, **self.call).shape, np.float32)

    def time_forward(self, op: str, *_: str) -> None:
        cypool.pool(self.x, op, **self.call)

    def time_backward(self, op: str, *_: str) -> None:
        if operator_named(op).differentiable:
            cypool.pool_backward(self.grad, self.x, op, **self.call)

    def peakmem_forward(self, op: str, *_: str) -> None:
        cypool.pool(self.x, op, **self.call)


class Adaptive:
    """As many windows as asked for, and one."""

    params = (sorted(set(OPERATORS) - {"mode"}), (1, 7, 5))
    param_names = ("op", "output_size")

    def setup(self, op: str, output_size: int) -> None:
        self.x = np.random.default_rng(0).random((8, 128, 14, 14), dtype=np.float32)

    def time_forward(self, op: str, output_size: int) -> None:
        cypool.adaptive_pool(self.x, op, (output_size, output_size), num_threads=1)

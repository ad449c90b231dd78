"""Pooling as layers of a network: arguments held once, the last forward pass remembered.

Class names and the order of arguments are those of ``torch.nn``; what those lack is keyword-only.
Between a forward pass and its gradient a layer keeps what the gradient needs and no more: the shape
of the input, a mask, and the indices of what was selected.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from cypool import window
from cypool._operators import operator_named

__all__ = [
    "AvgPool1d", "AvgPool2d", "AvgPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "Pool",
]


class Layer:
    """What all layers share: a pair of functions, and the arguments for both."""

    def __init__(
        self, forward: Callable[..., Any], backward: Callable[..., np.ndarray], selects: bool,
        arguments: dict[str, Any],
    ) -> None:
        self._functions = forward, backward
        self._selects = selects
        self._return_indices = arguments.pop("return_indices", False)
        self._arguments = arguments
        self._last: dict[str, Any] | None = None

    def forward(self, x: Any, **more: Any) -> Any:
        """Pool x. Returns what the function of the same name and arguments returns."""
        function, _ = self._functions
        last = {"x": tuple(np.shape(x)), **more}
        if self._selects:
            values, last["indices"] = function(x, **self._arguments, **more, return_indices=True)
        else:
            values = function(x, **self._arguments, **more)
        self._last = last
        return (values, last["indices"]) if self._return_indices else values

    __call__ = forward

    def backward(self, grad_output: Any) -> np.ndarray:
        """The gradient with respect to the input of the last forward pass."""
        if self._last is None:
            raise RuntimeError("backward must follow a forward pass, and there was none")
        _, function = self._functions
        return function(grad_output, **self._last, **self._arguments)

    def __repr__(self) -> str:
        given = dict(self._arguments, return_indices=self._return_indices)
        shown = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            value = given.pop(name, None)
            if parameter.default is parameter.empty:
                shown.append(repr(value))
            elif value is not parameter.default and value != parameter.default:
                shown.append(f"{name}={value!r}")
        given.pop("return_indices", None)
        shown += [f"{name}={value!r}" for name, value in given.items()]
        return f"{type(self).__name__}({', '.join(shown)})"


class _MaxPool(Layer):
    _n: int

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        return_indices: bool = False, ceil_mode: Any = False, *,
        data_format: Any = "channels_first", num_threads: Any = None,
    ) -> None:
        super().__init__(
            getattr(window, f"max_pool{self._n}d"), getattr(window, f"max_pool{self._n}d_backward"),
            True, {
                "kernel_size": kernel_size, "stride": stride, "padding": padding,
                "dilation": dilation, "return_indices": return_indices, "ceil_mode": ceil_mode,
                "data_format": data_format, "num_threads": num_threads})


class _AvgPool(Layer):
    _n: int

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: Any = False,
        count_include_pad: Any = True, divisor_override: Any = None, *, dilation: Any = 1,
        dtype: Any = None, data_format: Any = "channels_first", num_threads: Any = None,
    ) -> None:
        super().__init__(
            getattr(window, f"avg_pool{self._n}d"), getattr(window, f"avg_pool{self._n}d_backward"),
            False, {
                "kernel_size": kernel_size, "stride": stride, "padding": padding,
                "ceil_mode": ceil_mode, "count_include_pad": count_include_pad,
                "divisor_override": divisor_override, "dilation": dilation, "dtype": dtype,
                "data_format": data_format, "num_threads": num_threads})


class MaxPool1d(_MaxPool):
    """`max_pool1d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import MaxPool1d
    >>> layer = MaxPool1d(2)
    >>> layer(np.array([[3.0, 1.0, 4.0, 1.0]]))
    array([[3., 4.]])
    >>> layer.backward(np.array([[1.0, 2.0]]))
    array([[1., 0., 2., 0.]])
    """

    _n = 1


class MaxPool2d(_MaxPool):
    """`max_pool2d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import MaxPool2d
    >>> MaxPool2d(3, stride=2, padding=1)
    MaxPool2d(3, stride=2, padding=1)
    >>> MaxPool2d(3, stride=2, padding=1)(np.zeros((8, 64, 112, 112), np.float32)).shape
    (8, 64, 56, 56)
    """

    _n = 2


class MaxPool3d(_MaxPool):
    """`max_pool3d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import MaxPool3d
    >>> MaxPool3d(2)(np.zeros((1, 3, 8, 16, 16))).shape
    (1, 3, 4, 8, 8)
    """

    _n = 3


class AvgPool1d(_AvgPool):
    """`avg_pool1d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import AvgPool1d
    >>> layer = AvgPool1d(2)
    >>> layer(np.array([[3.0, 1.0, 4.0, 1.0]]))
    array([[2. , 2.5]])
    >>> layer.backward(np.array([[1.0, 2.0]]))
    array([[0.5, 0.5, 1. , 1. ]])
    """

    _n = 1


class AvgPool2d(_AvgPool):
    """`avg_pool2d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import AvgPool2d
    >>> AvgPool2d(2, data_format="channels_last")(np.ones((1, 4, 4, 3))).shape
    (1, 2, 2, 3)
    """

    _n = 2


class AvgPool3d(_AvgPool):
    """`avg_pool3d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import AvgPool3d
    >>> AvgPool3d((1, 2, 2))(np.ones((1, 3, 8, 16, 16))).shape
    (1, 3, 8, 8, 8)
    """

    _n = 3


class Pool(Layer):
    """`pool` as a layer: any operator, any axes. `forward` takes a `mask` as well.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import Pool
    >>> Pool("min", 2, axes=(1,))(np.array([[3, 1, 4, 1]]))
    array([[1, 1]])
    >>> Pool("avg", (2, 2), count_include_pad=False)
    Pool('avg', (2, 2), count_include_pad=False)
    """

    def __init__(
        self, op: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: Any = False, return_indices: bool = False, *, axes: Any = None,
        data_format: Any = "channels_first", num_threads: Any = None, **params: Any,
    ) -> None:
        super().__init__(window.pool, window.pool_backward, operator_named(op).selects, {
            "op": op, "kernel_size": kernel_size, "stride": stride, "padding": padding,
            "dilation": dilation, "ceil_mode": ceil_mode, "return_indices": return_indices,
            "axes": axes, "data_format": data_format, "num_threads": num_threads, **params})

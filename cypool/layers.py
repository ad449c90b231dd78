"""Pooling as layers of a network: arguments held once, the last forward pass remembered.

Class names and the order of arguments are those of ``torch.nn``; what those lack is keyword-only.
Between a forward pass and its gradient a layer keeps what the gradient needs and no more: the shape
of the input, a mask, and the indices of what was selected; or where the gradient depends on values,
the input itself (not a copy).
"""

import inspect
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from cypool import _arguments, adaptive, fractional, pyramid, window
from cypool._operators import OPERATORS, Operator, check_keywords, operator_named

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AdaptivePool", "AvgPool1d", "AvgPool2d",
    "AvgPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d", "GlobalPool", "LPPool1d",
    "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "Pool", "SpatialPyramidPool",
]


class Layer:
    """What all layers share: a pair of functions, and the arguments for both."""

    def __init__(
        self, forward: Callable[..., Any], backward: Callable[..., np.ndarray],
        operator: Operator, arguments: dict[str, Any], indices: bool = True,
    ) -> None:
        self._functions = forward, backward
        drawn_evenly = operator.name == "stochastic" and arguments.get("training") is False
        self._selects = operator.selects and indices and not drawn_evenly
        self._keeps_x = not (self._selects or operator.linear)
        self._draws = operator.name == "stochastic" and not self._selects and not drawn_evenly
        self._return_indices = _arguments.flag(
            arguments.pop("return_indices", False), "return_indices")
        if self._return_indices and not self._selects:
            raise TypeError(
                f"return_indices must be False for op {operator.name!r}"
                f"{' without training' if drawn_evenly else ''}, which selects no element, got "
                f"True")
        self._arguments = arguments
        self._last: dict[str, Any] | None = None

    def forward(self, x: Any, **more: Any) -> Any:
        """Pool x. Returns what the function of the same name and arguments returns."""
        function, _ = self._functions
        last = {"x": x if self._keeps_x else tuple(np.shape(x)), **more}
        if self._draws and not isinstance(self._arguments.get("rng"), (int, np.integer)):
            # The gradient draws again, and alike.
            rng = _arguments.generator(self._arguments.get("rng"))
            last["rng"] = deepcopy(rng)
            values = function(x, **{**self._arguments, "rng": rng}, **more)
        elif self._selects:
            # (Indices that nobody else sees are as short as they can be.)
            short = not self._return_indices and np.size(x) <= 2**31
            values, last["indices"] = function(
                x, **self._arguments, **more, return_indices=True,
                index_dtype=np.int32 if short else np.int64)
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
        last = dict(self._last)
        if "rng" in last:
            last["rng"] = deepcopy(last["rng"])
        return function(grad_output, **{**self._arguments, **last})

    def __repr__(self) -> str:
        given = dict(self._arguments, return_indices=self._return_indices)
        shown = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            value = given.pop(name, None)
            if parameter.default is parameter.empty:
                shown.append(repr(value))
            elif value is not parameter.default and (
                    isinstance(value, np.ndarray) or value != parameter.default):
                shown.append(f"{name}={value!r}")
        given.pop("return_indices", None)
        shown += [f"{name}={value!r}" for name, value in given.items()]
        return f"{type(self).__name__}({', '.join(shown)})"


def _operator(op: Any, params: dict[str, Any]) -> Operator:
    """The operator of that name, seen to have these keywords."""
    operator = operator_named(op)
    check_keywords(operator, params)
    return operator


class _MaxPool(Layer):
    _n: int

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        return_indices: bool = False, ceil_mode: Any = False, *,
        data_format: Any = "channels_first", num_threads: Any = None,
    ) -> None:
        super().__init__(
            getattr(window, f"max_pool{self._n}d"), getattr(window, f"max_pool{self._n}d_backward"),
            OPERATORS["max"], {
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
            OPERATORS["avg"], {
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
        super().__init__(window.pool, window.pool_backward, _operator(op, params), {
            "op": op, "kernel_size": kernel_size, "stride": stride, "padding": padding,
            "dilation": dilation, "ceil_mode": ceil_mode, "return_indices": return_indices,
            "axes": axes, "data_format": data_format, "num_threads": num_threads, **params})


class _LPPool(Layer):
    _n: int

    def __init__(
        self, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: Any = False, *,
        padding: Any = 0, dilation: Any = 1, data_format: Any = "channels_first",
        num_threads: Any = None,
    ) -> None:
        super().__init__(
            getattr(window, f"lp_pool{self._n}d"), getattr(window, f"lp_pool{self._n}d_backward"),
            OPERATORS["lp"], {
                "norm_type": norm_type, "kernel_size": kernel_size, "stride": stride,
                "ceil_mode": ceil_mode, "padding": padding, "dilation": dilation,
                "data_format": data_format, "num_threads": num_threads})


class LPPool1d(_LPPool):
    """`lp_pool1d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import LPPool1d
    >>> LPPool1d(2, 2)(np.array([[3.0, 4.0, 0.0, 5.0]]))
    array([[5., 5.]])
    """

    _n = 1


class LPPool2d(_LPPool):
    """`lp_pool2d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import LPPool2d
    >>> LPPool2d(1, 2)(np.ones((1, 2, 2)))
    array([[[4.]]])
    """

    _n = 2


class LPPool3d(_LPPool):
    """`lp_pool3d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import LPPool3d
    >>> LPPool3d(2, 3, stride=2)(np.ones((1, 7, 7, 7))).shape
    (1, 3, 3, 3)
    """

    _n = 3


class _AdaptivePool(Layer):
    _n: int
    _op: str

    def __init__(
        self, output_size: Any, return_indices: bool = False, *,
        data_format: Any = "channels_first", num_threads: Any = None,
    ) -> None:
        name = f"adaptive_{self._op}_pool{self._n}d"
        super().__init__(
            getattr(adaptive, name), getattr(adaptive, f"{name}_backward"), OPERATORS[self._op], {
                "output_size": output_size, "return_indices": return_indices,
                "data_format": data_format, "num_threads": num_threads})


class AdaptiveMaxPool1d(_AdaptivePool):
    """`adaptive_max_pool1d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import AdaptiveMaxPool1d
    >>> AdaptiveMaxPool1d(2)(np.arange(5.0).reshape(1, 5))
    array([[2., 4.]])
    """

    _n, _op = 1, "max"


class AdaptiveMaxPool2d(_AdaptivePool):
    """`adaptive_max_pool2d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import AdaptiveMaxPool2d
    >>> AdaptiveMaxPool2d((7, None))(np.zeros((1, 3, 10, 9))).shape
    (1, 3, 7, 9)
    """

    _n, _op = 2, "max"


class AdaptiveMaxPool3d(_AdaptivePool):
    """`adaptive_max_pool3d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import AdaptiveMaxPool3d
    >>> AdaptiveMaxPool3d(2)(np.zeros((1, 5, 5, 5))).shape
    (1, 2, 2, 2)
    """

    _n, _op = 3, "max"


class AdaptiveAvgPool1d(_AdaptivePool):
    """`adaptive_avg_pool1d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import AdaptiveAvgPool1d
    >>> AdaptiveAvgPool1d(2)(np.arange(5.0).reshape(1, 5))
    array([[1., 3.]])
    """

    _n, _op = 1, "avg"

    def __init__(
        self, output_size: Any, *, data_format: Any = "channels_first", num_threads: Any = None,
    ) -> None:
        name = f"adaptive_avg_pool{self._n}d"
        Layer.__init__(
            self, getattr(adaptive, name), getattr(adaptive, f"{name}_backward"),
            OPERATORS["avg"], {
                "output_size": output_size, "data_format": data_format,
                "num_threads": num_threads})


class AdaptiveAvgPool2d(AdaptiveAvgPool1d):
    """`adaptive_avg_pool2d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import AdaptiveAvgPool2d
    >>> AdaptiveAvgPool2d(1)(np.ones((8, 512, 7, 7))).shape
    (8, 512, 1, 1)
    """

    _n = 2


class AdaptiveAvgPool3d(AdaptiveAvgPool1d):
    """`adaptive_avg_pool3d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import AdaptiveAvgPool3d
    >>> AdaptiveAvgPool3d((1, 2, 2))(np.ones((1, 5, 5, 5))).shape
    (1, 1, 2, 2)
    """

    _n = 3


class AdaptivePool(Layer):
    """`adaptive_pool` as a layer: any operator, any axes.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import AdaptivePool
    >>> AdaptivePool("min", 2, axes=(0,))(np.array([3, 1, 4, 1]))
    array([1, 1])
    """

    def __init__(
        self, op: Any, output_size: Any, return_indices: bool = False, *, axes: Any = None,
        data_format: Any = "channels_first", num_threads: Any = None, **params: Any,
    ) -> None:
        super().__init__(
            adaptive.adaptive_pool, adaptive.adaptive_pool_backward, _operator(op, params), {
                "op": op, "output_size": output_size, "return_indices": return_indices,
                "axes": axes, "data_format": data_format, "num_threads": num_threads, **params})


class GlobalPool(Layer):
    """`global_pool` as a layer. `forward` takes a `mask` as well.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import GlobalPool
    >>> GlobalPool("gem", keepdims=False, p=2)(np.ones((2, 8, 5, 7))).shape
    (2, 8)
    """

    def __init__(
        self, op: Any = "avg", *, axes: Any = None, keepdims: bool = True,
        data_format: Any = "channels_first", return_indices: bool = False,
        num_threads: Any = None, **params: Any,
    ) -> None:
        super().__init__(
            adaptive.global_pool, adaptive.global_pool_backward, _operator(op, params), {
                "op": op, "axes": axes, "keepdims": keepdims, "data_format": data_format,
                "return_indices": return_indices, "num_threads": num_threads, **params})


class SpatialPyramidPool(Layer):
    """`spatial_pyramid_pool` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import SpatialPyramidPool
    >>> SpatialPyramidPool((1, 2))(np.ones((2, 3, 9, 5))).shape
    (2, 15)
    """

    def __init__(
        self, levels: Any = (1, 2, 4), op: Any = "max", *, windows: Any = "adaptive",
        data_format: Any = "channels_first", num_threads: Any = None, **params: Any,
    ) -> None:
        super().__init__(
            pyramid.spatial_pyramid_pool, pyramid.spatial_pyramid_pool_backward,
            _operator(op, params), {
                "levels": levels, "op": op, "windows": windows, "data_format": data_format,
                "num_threads": num_threads, **params}, indices=False)


class FractionalMaxPool2d(Layer):
    """`fractional_max_pool2d` as a layer: other windows with every forward pass.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import FractionalMaxPool2d
    >>> FractionalMaxPool2d(2, output_ratio=0.7)(np.ones((1, 3, 20, 20))).shape
    (1, 3, 14, 14)
    """

    _n = 2

    def __init__(
        self, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
        return_indices: bool = False, _random_samples: Any = None, *, rng: Any = None,
        data_format: Any = "channels_first", num_threads: Any = None,
    ) -> None:
        name = f"fractional_max_pool{self._n}d"
        super().__init__(
            getattr(fractional, name), getattr(fractional, f"{name}_backward"), OPERATORS["max"], {
                "kernel_size": kernel_size, "output_size": output_size,
                "output_ratio": output_ratio, "return_indices": return_indices,
                "_random_samples": _random_samples, "rng": rng, "data_format": data_format,
                "num_threads": num_threads})


class FractionalMaxPool3d(FractionalMaxPool2d):
    """`fractional_max_pool3d` as a layer: other windows with every forward pass.

    Examples
    --------
    >>> import numpy as np
    >>> from cypool.layers import FractionalMaxPool3d
    >>> FractionalMaxPool3d(2, 3, rng=0)(np.ones((1, 5, 6, 7))).shape
    (1, 3, 3, 3)
    """

    _n = 3

"""The other libraries, one small class each: the fastest way through its public interface.

A peer is made with the number of threads it may use, and gives for each case a function without
arguments that pools and returns a fresh result, or None where it has no such pooling. What can be
prepared is prepared: models are compiled, tensors share the memory of the array. Whoever sets
thread counts by the environment finds them there before it is imported.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cypool._bench import (
    Case,
    is_integer,
    numpy_slices,
    torch_array,
    torch_forward,
    torch_tensor,
)

Function = Callable[[], Any]


class Peer:
    """What all peers have."""

    name: str
    modules: tuple[str, ...]        # to be imported; the first has the version

    def __init__(self, threads: int) -> None:
        first, *others = self.modules
        self.module = importlib.import_module(first)
        for other in others:
            importlib.import_module(other)
        self.version = f"{first} {self.module.__version__.partition('-')[0]}"
        self.threads = threads
        self.start()

    def start(self) -> None:
        """Set the number of threads."""

    def counts(self, case: Case) -> bool:
        """Whether it takes the array as it lies there, and so counts among the fastest."""
        return True

    def way(self, case: Case, x: np.ndarray) -> Function | None:
        raise NotImplementedError

    def arrays(self, case: Case, result: Any) -> tuple[np.ndarray, ...]:
        """The result, and the gradient of a training step, as NumPy arrays in the case's layout."""
        return (result,)


class Torch(Peer):
    """PyTorch on tensors whose channels come first in memory."""

    name = "torch"
    modules = ("torch",)
    last = False

    def start(self) -> None:
        self.module.set_num_threads(self.threads)
        self.module.set_grad_enabled(False)

    def counts(self, case: Case) -> bool:
        # Who trains can choose the memory format of the network.
        return case.train or case.last == self.last

    def way(self, case: Case, x: np.ndarray) -> Function | None:
        torch = self.module
        n = len(case.kernel)
        if case.last != self.last and not self._converts(case):
            return None
        tensor = self._own_format(torch_tensor(torch, x, case.last), n)
        if not case.train:
            return torch_forward(torch, case, tensor)
        if n == 1:
            return None
        grad = self._own_format(torch_tensor(torch, case.gradient(), case.last), n)
        window = (case.kernel, case.stride, case.padding)
        aten = torch.ops.aten
        if case.op == "max":
            forward = getattr(aten, f"max_pool{n}d_with_indices").default
            backward = getattr(aten, f"max_pool{n}d_with_indices_backward").default

            def step() -> tuple[Any, Any]:
                y, indices = forward(tensor, *window, 1, case.ceil)
                return y, backward(grad, tensor, *window, 1, case.ceil, indices)
        else:
            average = getattr(aten, f"avg_pool{n}d").default
            average_backward = getattr(aten, f"avg_pool{n}d_backward").default
            options = (case.ceil, case.include_pad, None)

            def step() -> tuple[Any, Any]:
                y = average(tensor, *window, *options)
                return y, average_backward(grad, tensor, *window, *options)
        return step

    def _converts(self, case: Case) -> bool:
        return case.train

    def _own_format(self, tensor: Any, n: int) -> Any:
        return tensor.contiguous()

    def arrays(self, case: Case, result: Any) -> tuple[np.ndarray, ...]:
        results = result if case.train else (result,)
        return tuple(torch_array(self.module, r, case.last) for r in results)


class TorchChannelsLast(Torch):
    """PyTorch on tensors of memory format channels_last.

    On arrays whose channels come first it is shown, since users could convert theirs, but does not
    count: the time to convert is not in it.
    """

    name = "torch last"
    last = True

    def _converts(self, case: Case) -> bool:
        return len(case.kernel) > 1

    def _own_format(self, tensor: Any, n: int) -> Any:
        torch = self.module
        formats = {2: torch.channels_last, 3: torch.channels_last_3d}
        return tensor.contiguous(memory_format=formats[n]) if n in formats else tensor


class OnnxRuntime(Peer):
    name = "onnxruntime"
    modules = ("onnxruntime", "onnx", "onnx.helper")

    def way(self, case: Case, x: np.ndarray) -> Function | None:
        if case.last or case.train:
            return None
        onnx, runtime = importlib.import_module("onnx"), self.module
        helper = onnx.helper
        attributes: dict[str, Any] = {
            "kernel_shape": case.kernel, "strides": case.stride, "pads": case.padding * 2,
            "ceil_mode": int(case.ceil)}
        if case.op == "avg":
            attributes["count_include_pad"] = int(case.include_pad)
        kind = helper.np_dtype_to_tensor_dtype(x.dtype)
        graph = helper.make_graph(
            [helper.make_node(
                {"max": "MaxPool", "avg": "AveragePool"}[case.op], ["x"], ["y"], **attributes)],
            "pooling", [helper.make_tensor_value_info("x", kind, x.shape)],
            [helper.make_tensor_value_info("y", kind, None)])
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        session = runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        feed = {"x": x}
        return lambda: session.run(None, feed)[0]


class OpenVino(Peer):
    """Its results lie in memory that the request keeps: it has no way to make them fresh."""

    name = "openvino"
    modules = ("openvino", "openvino.opset1")

    def way(self, case: Case, x: np.ndarray) -> Function | None:
        if case.last or case.train:
            return None
        ov = self.module
        kinds = {
            "float32": ov.Type.f32, "float64": ov.Type.f64, "float16": ov.Type.f16,
            "uint8": ov.Type.u8, "int16": ov.Type.i16}
        if case.dtype not in kinds:
            return None
        given = ov.opset1.parameter(x.shape, kinds[case.dtype])
        window = {
            "strides": case.stride, "pads_begin": case.padding, "pads_end": case.padding,
            "kernel_shape": case.kernel, "rounding_type": "ceil" if case.ceil else "floor"}
        window = {key: v if isinstance(v, str) else list(v) for key, v in window.items()}
        if case.op == "max":
            node = ov.opset1.max_pool(given, **window)
        else:
            node = ov.opset1.avg_pool(given, exclude_pad=not case.include_pad, **window)
        compiled = ov.Core().compile_model(ov.Model([node], [given]), "CPU", {
            "INFERENCE_NUM_THREADS": self.threads, "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "f16" if case.dtype == "float16" else "f32"})
        request = compiled.create_infer_request()
        request.set_input_tensor(ov.Tensor(x, shared_memory=True))
        return lambda: request.infer(share_outputs=True)[0]


class OpenCV(Peer):
    """Plane by plane, or image by image: dilate, boxFilter, and resize with INTER_AREA.

    A stride other than 1 takes every so-manieth pixel of a filtered image, but for averages of
    blocks, which are what shrinking by an integer is.
    """

    name = "opencv"
    modules = ("cv2",)

    def start(self) -> None:
        self.module.setNumThreads(self.threads)

    def way(self, case: Case, x: np.ndarray) -> Function | None:
        cv2, n = self.module, len(case.kernel)
        outputs, kernel, stride, padding = case.outputs, case.kernel, case.stride, case.padding
        fits = all(
            p < k and (o - 1) * s < x.shape[a] for a, o, k, s, p in
            zip(case.axes, outputs, kernel, stride, padding, strict=True))
        if n != 2 or case.train or not fits or (case.last and x.shape[-1] > 4):
            return None
        blocks = kernel == stride and not any(padding)
        if case.op == "avg" and (case.ceil or (any(padding) and not case.include_pad)):
            return None
        images = x if case.last else x.reshape(-1, *x.shape[2:])
        shape = list(images.shape)
        for axis, length in enumerate(outputs, 1):
            shape[axis] = length
        size = (kernel[1], kernel[0])
        anchor = (padding[1], padding[0])
        box = np.ones(kernel, np.uint8)
        covered = (
            slice(0, (outputs[0] - 1) * stride[0] + kernel[0]),
            slice(0, (outputs[1] - 1) * stride[1] + kernel[1]))

        def one(image: np.ndarray, y: np.ndarray) -> None:
            if blocks and case.op == "avg":
                cv2.resize(image[covered], (outputs[1], outputs[0]), y,
                           interpolation=cv2.INTER_AREA)
                return
            into = y if stride == (1, 1) and y.shape[:2] == image.shape[:2] else None
            if case.op == "max":
                z = cv2.dilate(image, box, into, anchor)
            else:
                z = cv2.boxFilter(image, -1, size, into, anchor, True, cv2.BORDER_CONSTANT)
            if into is None:
                z = z.reshape(image.shape)
                y[:] = z[::stride[0], ::stride[1]][:outputs[0], :outputs[1]]

        def pooled() -> np.ndarray:
            y = np.empty(shape, x.dtype)
            for image, result in zip(images, y, strict=True):
                one(image, result)
            return y

        return pooled

    def arrays(self, case: Case, result: Any) -> tuple[np.ndarray, ...]:
        first = case.shape[:1] if case.last else case.shape[:2]
        return (result.reshape(*first, *result.shape[1:]),)


class TensorFlow(Peer):
    """Eager calls; its pooling on processors wants channels last."""

    name = "tensorflow"
    modules = ("tensorflow",)

    def start(self) -> None:
        self.module.config.threading.set_intra_op_parallelism_threads(self.threads)
        self.module.config.threading.set_inter_op_parallelism_threads(1)

    def way(self, case: Case, x: np.ndarray) -> Function | None:
        tf = self.module
        if not case.last or case.train or case.ceil:
            return None
        padding: Any = "VALID"
        if any(case.padding):
            if case.op == "max":
                padding = [[0, 0], *[[p, p] for p in case.padding], [0, 0]]
            elif not case.include_pad:
                padding = "SAME"
            else:
                return None
        tensor = tf.constant(x)
        pool = {"max": tf.nn.max_pool, "avg": tf.nn.avg_pool}[case.op]
        return lambda: pool(tensor, case.kernel, case.stride, padding)

    def arrays(self, case: Case, result: Any) -> tuple[np.ndarray, ...]:
        return (result.numpy(),)


class Jax(Peer):
    name = "jax"
    modules = ("jax",)

    def way(self, case: Case, x: np.ndarray) -> Function | None:
        jax = self.module
        if case.train or case.ceil or (
                case.op == "avg" and (not case.include_pad or is_integer(x.dtype))):
            return None
        window, strides, pads = [1] * x.ndim, [1] * x.ndim, [(0, 0)] * x.ndim
        for a, k, s, p in zip(case.axes, case.kernel, case.stride, case.padding, strict=True):
            window[a], strides[a], pads[a] = k, s, (p, p)
        if case.op == "max":
            least = np.array(
                np.iinfo(x.dtype).min if is_integer(x.dtype) else -np.inf, x.dtype)[()]

            def pool(v: Any) -> Any:
                return jax.lax.reduce_window(v, least, jax.lax.max, window, strides, pads)
        else:
            nothing, taps = np.zeros((), x.dtype)[()], math.prod(case.kernel)

            def pool(v: Any) -> Any:
                return jax.lax.reduce_window(
                    v, nothing, jax.lax.add, window, strides, pads) / taps
        given = jax.device_put(x, jax.devices("cpu")[0])
        compiled = jax.jit(pool).lower(given).compile()
        return lambda: compiled(given).block_until_ready()

    def arrays(self, case: Case, result: Any) -> tuple[np.ndarray, ...]:
        return (np.asarray(result),)


class SciPy(Peer):
    """Filters of scipy.ndimage: stride 1, window and result centred. One thread."""

    name = "scipy"
    modules = ("scipy", "scipy.ndimage")

    def way(self, case: Case, x: np.ndarray) -> Function | None:
        centred = all(
            k == 2 * p + 1 and s == 1
            for k, s, p in zip(case.kernel, case.stride, case.padding, strict=True))
        if not centred or case.train or (case.op == "avg" and not case.include_pad):
            return None
        ndimage = importlib.import_module("scipy.ndimage")
        size = [1] * x.ndim
        for a, k in zip(case.axes, case.kernel, strict=True):
            size[a] = k
        if case.op == "max":
            least = np.iinfo(x.dtype).min if is_integer(x.dtype) else -np.inf
            return lambda: ndimage.maximum_filter(x, size, mode="constant", cval=least)
        return lambda: ndimage.uniform_filter(x, size, mode="constant")


def _blocks_alone(case: Case) -> bool:
    """Whether windows lie side by side, and what is left over is dropped."""
    return (case.kernel == case.stride and not any(case.padding) and not case.ceil
            and not case.train)


def _covered(case: Case, x: np.ndarray) -> np.ndarray:
    """The part of the array that windows side by side cover."""
    part = [slice(None)] * x.ndim
    for a, o, k in zip(case.axes, case.outputs, case.kernel, strict=True):
        part[a] = slice(0, o * k)
    return x[tuple(part)]


def _mean(blocks: np.ndarray, axis: Any, dtype: np.dtype) -> np.ndarray:
    if is_integer(dtype):
        return np.rint(blocks.mean(axis)).astype(dtype)
    return blocks.mean(axis, dtype=np.promote_types(dtype, np.float32)).astype(dtype, copy=False)


class ScikitImage(Peer):
    """`block_reduce`. One thread."""

    name = "skimage"
    modules = ("skimage", "skimage.measure")

    def way(self, case: Case, x: np.ndarray) -> Function | None:
        if not _blocks_alone(case):
            return None
        measure = importlib.import_module("skimage.measure")
        covered = _covered(case, x)
        size = [1] * x.ndim
        for a, k in zip(case.axes, case.kernel, strict=True):
            size[a] = k

        def mean(blocks: np.ndarray, axis: Any) -> np.ndarray:
            return _mean(blocks, axis, x.dtype)

        function = np.max if case.op == "max" else mean
        return lambda: measure.block_reduce(covered, tuple(size), function)


class NumPyReshape(Peer):
    """The line that people write: blocks by reshape, then max or mean. One thread."""

    name = "reshape"
    modules = ("numpy",)

    def way(self, case: Case, x: np.ndarray) -> Function | None:
        if not _blocks_alone(case):
            return None
        covered = _covered(case, x)
        shape: list[int] = []
        inside = []
        window = dict(zip(case.axes, zip(case.outputs, case.kernel, strict=True), strict=True))
        for axis, length in enumerate(x.shape):
            shape += window.get(axis, (length,))
            if axis in window:
                inside.append(len(shape) - 1)
        axes = tuple(inside)
        if case.op == "max":
            return lambda: covered.reshape(shape).max(axes)
        return lambda: _mean(covered.reshape(shape), axes, x.dtype)


class NumPySlices(Peer):
    """One strided slice for each tap of a window, combined: NumPy at its best. One thread."""

    name = "slices"
    modules = ("numpy",)

    def way(self, case: Case, x: np.ndarray) -> Function | None:
        return numpy_slices(case, x) if math.prod(case.kernel) <= 49 else None


PEERS = (
    Torch, TorchChannelsLast, OnnxRuntime, OpenVino, OpenCV, TensorFlow, Jax, SciPy, ScikitImage,
    NumPyReshape, NumPySlices,
)


def environment(threads: int) -> dict[str, str]:
    """What libraries read when they are imported."""
    number = str(threads)
    return {
        "OMP_NUM_THREADS": number,
        "OPENBLAS_NUM_THREADS": number,
        "MKL_NUM_THREADS": number,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen="
                     f"{'true' if threads > 1 else 'false'} intra_op_parallelism_threads={number}",
    }

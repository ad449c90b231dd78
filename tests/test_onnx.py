"""ONNX as a judge from outside: every pooling node case of the `onnx` package.

There is none of GlobalLpPool: that one is held against ONNX Runtime, where it is installed.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import cypool

onnx = pytest.importorskip("onnx", reason="onnx is not installed")


KINDS = {  # and how many cases of each there are at least
    "MaxPool": 19, "AveragePool": 19, "LpPool": 8, "GlobalMaxPool": 2, "GlobalAveragePool": 2}


def cases() -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other operators' cases overflow while they are made
        from onnx.backend.test.case.node import collect_testcases

        every = collect_testcases(None)
    return [
        case
        for case in every
        if len(case.model.graph.node) == 1
        and case.model.graph.node[0].op_type in KINDS
    ]


CASES = cases()
PADDING = {b"SAME_UPPER": "same", b"SAME_LOWER": "same_lower", b"VALID": "valid"}


def arguments(attributes: dict[str, Any], axes: int) -> dict[str, Any]:
    """The node's attributes as keywords of the library."""
    pads = attributes.get("pads", [0] * (2 * axes))
    word = attributes.get("auto_pad", b"NOTSET")
    return {
        "kernel_size": tuple(attributes["kernel_shape"]),
        "stride": tuple(attributes.get("strides", [1] * axes)),
        "padding": PADDING.get(word) or tuple(zip(pads[:axes], pads[axes:], strict=True)),
        "dilation": tuple(attributes.get("dilations", [1] * axes)),
        "ceil_mode": bool(attributes.get("ceil_mode", 0)),
    }


def onnx_indices(indices: np.ndarray, shape: tuple[int, ...], column_major: bool) -> np.ndarray:
    """Indices into the whole array, which is how ONNX counts."""
    outer, lengths = shape[:2], shape[2:]
    if column_major:
        place = np.unravel_index(indices, lengths)
        indices = np.ravel_multi_index(place[::-1], lengths[::-1])
    plane = np.arange(np.prod(outer)).reshape(*outer, *(1,) * len(lengths))
    return indices + plane * int(np.prod(lengths))


def test_there_are_cases_of_all():
    kinds = [case.model.graph.node[0].op_type for case in CASES]
    for kind, count in KINDS.items():
        assert kinds.count(kind) >= count


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.removeprefix("test_"))
def test_node_case(case):
    node = case.model.graph.node[0]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    for (x,), expected in case.data_sets:
        axes = x.ndim - 2
        if node.op_type.startswith("Global"):
            op = "max" if node.op_type == "GlobalMaxPool" else "avg"
            values = cypool.global_pool(x, op, keepdims=True)
            np.testing.assert_allclose(values, expected[0], rtol=2e-6, atol=1e-7, strict=True)
            continue
        keywords = arguments(attributes, axes)
        if node.op_type == "LpPool":
            kernel = keywords.pop("kernel_size")
            p = attributes.get("p", 2)
            values = cypool.pool(x, "lp", kernel, **keywords, axes=tuple(range(2, x.ndim)), p=p)
            np.testing.assert_allclose(values, expected[0], rtol=2e-6, atol=1e-7, strict=True)
            continue
        if node.op_type == "MaxPool":
            function = getattr(cypool, f"max_pool{axes}d")
            values, indices = function(x, **keywords, return_indices=True)
            np.testing.assert_array_equal(values, expected[0])
            if len(expected) > 1:
                column_major = attributes.get("storage_order", 0) == 1
                np.testing.assert_array_equal(
                    onnx_indices(indices, x.shape, column_major), expected[1]
                )
            continue
        include = bool(attributes.get("count_include_pad", 0))
        function = getattr(cypool, f"avg_pool{axes}d")
        values = function(x, **keywords, count_include_pad=include)
        # Its own results are float32 means taken with NumPy, off by a few units themselves,
        # but for one case, which was typed in with four decimals.
        by_hand = case.name == "test_averagepool_2d_ceil_last_window_starts_on_pad"
        rtol = case.rtol if by_hand else 2e-6
        np.testing.assert_allclose(values, expected[0], rtol=rtol, atol=1e-7, strict=True)


@pytest.mark.parametrize("p", [1, 2, 3])
@pytest.mark.parametrize("shape", [(2, 3, 17), (2, 3, 5, 7), (1, 2, 4, 3, 6)])
def test_global_lp_pool(shape, p):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("GlobalLpPool", ["x"], ["y"], p=p)], "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    session = runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(p).standard_normal(shape, dtype=np.float32)
    (expected,) = session.run(None, {"x": x})
    values = cypool.global_pool(x, "lp", p=p, keepdims=True)
    np.testing.assert_allclose(values, expected, rtol=1e-5, strict=True)

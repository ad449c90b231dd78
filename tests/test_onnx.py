"""ONNX as a judge from outside: every MaxPool and AveragePool node case of the `onnx` package."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import cypool

onnx = pytest.importorskip("onnx", reason="onnx is not installed")


def cases() -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other operators' cases overflow while they are made
        from onnx.backend.test.case.node import collect_testcases

        every = collect_testcases(None)
    return [
        case
        for case in every
        if len(case.model.graph.node) == 1
        and case.model.graph.node[0].op_type in ("MaxPool", "AveragePool")
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


def test_there_are_cases_of_both():
    kinds = [case.model.graph.node[0].op_type for case in CASES]
    assert kinds.count("MaxPool") >= 19
    assert kinds.count("AveragePool") >= 19


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.removeprefix("test_"))
def test_node_case(case):
    node = case.model.graph.node[0]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    for (x,), expected in case.data_sets:
        axes = x.ndim - 2
        keywords = arguments(attributes, axes)
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

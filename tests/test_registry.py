"""The registry and what the library exports are the same list, so no operator goes untested."""

from __future__ import annotations

import inspect

import pytest
from registry import HELPERS, OPERATORS, REGISTRY, TABLES

import cypool

NAMES = {f"{op.name}{backward}" for op in REGISTRY + TABLES for backward in ("", "_backward")}


def test_every_exported_operator_is_registered():
    assert set(cypool.__all__) - HELPERS - NAMES == set()


def test_every_registered_operator_is_exported():
    assert NAMES - set(cypool.__all__) == set()


def test_everything_exported_exists():
    for name in cypool.__all__:
        assert hasattr(cypool, name)


@pytest.mark.parametrize("operator", OPERATORS + TABLES, ids=lambda operator: operator.id)
def test_backward_takes_every_argument_of_forward(operator):
    forward = inspect.signature(operator.forward).parameters
    backward = inspect.signature(operator.backward).parameters
    names = [name for name in backward if name in forward]
    assert next(iter(backward)) == "grad_output"
    assert set(forward) - set(backward) <= {"x"}  # a shape may stand in for x, under another name
    assert names == [name for name in forward if name in backward]
    for name in names:
        assert backward[name].default == forward[name].default or name == "x"


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        (
            "max_pool{n}d",
            "x, kernel_size, stride, padding, dilation, ceil_mode, return_indices, "
            "* index_dtype data_format out num_threads",
        ),
        (
            "avg_pool{n}d",
            "x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, "
            "* dilation dtype data_format out num_threads",
        ),
        (
            "pool",
            "x, op, kernel_size, stride, padding, dilation, ceil_mode, return_indices, "
            "* axes mask data_format out num_threads",
        ),
    ],
)
def test_argument_order(name, signature):
    positional, _, keywords = signature.partition("*")
    for number in (1, 2, 3):
        full_name = name.format(n=number)
        if not hasattr(cypool, full_name):
            pytest.skip(f"cypool has no {full_name} yet")
        parameters = inspect.signature(getattr(cypool, full_name)).parameters
        by_position = [n for n, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
        by_keyword = {n for n, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
        assert by_position == [n.strip() for n in positional.split(",") if n.strip()]
        assert set(keywords.split()) <= by_keyword

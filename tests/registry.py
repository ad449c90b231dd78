"""The public operators under test, one entry each; every generic test is parametrised from here.

An operator is a public name together with what it computes in the oracle's terms. The names for
one, two and three dimensions are entries of their own, and so is `pool` with each of its ops.
`tests/test_registry.py` fails when the library exports an operator that is missing here, or the
other way round, so leaving out what is not exported hides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import oracle
import oracle_windows  # noqa: F401  (adds to the oracle)
import pytest

import cypool

FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")

# Public names that are not operators.
HELPERS = {
    "__version__",
    "convert_indices",
    "fractional_sequence",
    "gather",
    "get_include",
    "get_num_threads",
    "layers",
    "pool_output_size",
    "set_num_threads",
    "show_config",
    "threads",
}

FORMATS = {  # letter names of the two layouts, by number of spatial axes
    1: {"channels_first": "NCL", "channels_last": "NLC"},
    2: {"channels_first": "NCHW", "channels_last": "NHWC"},
    3: {"channels_first": "NCDHW", "channels_last": "NDHWC"},
}


NO_BFLOAT16 = "bfloat16 needs ml_dtypes, which is not installed"


def dtype_of(name: str) -> np.dtype:
    """The dtype of that name. Without ml_dtypes, the test that asks for bfloat16 is skipped."""
    if name != "bfloat16":
        return np.dtype(name)
    if oracle.BFLOAT16 is None:
        pytest.skip(NO_BFLOAT16)
    return oracle.BFLOAT16


@dataclass(frozen=True)
class Operator:
    """A public name, what it means, and which arguments are its own."""

    name: str
    op: str  # the oracle's name for what is reduced
    ndim: int | None  # spatial axes; None: any one to three axes, named by `axes=`
    dtypes: tuple[str, ...]
    selects: bool  # returns indices on request, and passes gradients through them
    keywords: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # values worth drawing
    leading: tuple[Any, ...] = ()  # arguments between x and the kernel size
    always: dict[str, Any] = field(default_factory=dict)  # keywords of every call
    differentiable: bool = True
    table: tuple[Any, ...] | None = None  # what says where windows are, where it is no kernel size

    @property
    def id(self) -> str:
        return f"{self.name}[{self.op}]" if self.ndim is None else self.name

    @property
    def forward(self) -> Callable[..., Any]:
        function = getattr(cypool, self.name)
        return partial(function, **self.always) if self.always else function

    @property
    def backward(self) -> Callable[..., Any]:
        function = getattr(cypool, f"{self.name}_backward")
        return partial(function, **self.always) if self.always else function

    @property
    def exported(self) -> bool:
        return hasattr(cypool, self.name)

    def __repr__(self) -> str:
        return self.id

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # for Hypothesis
        printer.text(repr(self))


DIVISORS = (None, None, 1, 2, 3, 7, -2)
AVERAGE = {"count_include_pad": (True, False), "divisor_override": DIVISORS}
EVERY = FLOATS + INTEGERS
ORDERED = (*EVERY, "bool")
SOME = ("float16", "float32", "float64", "int64")  # integers become float64
RANKED = ("bfloat16", "float32", "float64", "uint8", "int64", "uint64", "bool")

REGISTRY = [
    *(Operator(f"max_pool{n}d", "max", n, ORDERED, selects=True) for n in (1, 2, 3)),
    *(Operator(f"avg_pool{n}d", "avg", n, EVERY, False, AVERAGE) for n in (1, 2, 3)),
    Operator("pool", "max", None, ORDERED, selects=True, leading=("max",)),
    Operator("pool", "min", None, ORDERED, selects=True, leading=("min",)),
    Operator("pool", "avg", None, EVERY, False, AVERAGE, leading=("avg",)),
    Operator("pool", "sum", None, EVERY, selects=False, leading=("sum",)),
    # Of powers, and such as see all taps of a window at once.
    *(Operator(f"lp_pool{n}d", "lp", n, SOME, False, leading=(2,)) for n in (1, 2, 3)),
    Operator("pool", "lp", None, SOME, False, {"p": (2, 1, 3, 0.5, 2.5, math.inf)}, ("lp",)),
    Operator("pool", "gem", None, SOME, False, {"p": (3, 1, 2, 0.7), "eps": (None, 0.25)},
             ("gem",)),
    Operator("pool", "logsumexp", None, SOME, False,
             {"beta": (1.0, 2.5, -1.0), "mean": (False, True)}, ("logsumexp",)),
    Operator("pool", "soft", None, SOME, False, leading=("soft",)),
    Operator("pool", "median", None, RANKED, True, {"quantile": (0.5, 0.0, 0.25, 1.0, 0.9)},
             ("median",)),
    Operator("pool", "mode", None, ("uint8", "int16", "int64", "bool"), True, leading=("mode",),
             differentiable=False),
    Operator("pool", "stochastic", None, SOME, False, leading=("stochastic",),
             always={"training": False}),
]

# Windows that are no kernel's. Their values are held against the oracle, window by window, in
# test_adaptive.py and test_fractional.py, and what holds for any operator in test_tables.py.
SHORT = ("float16", "float32", "uint8")
DRAWN = {"rng": 5}
TABLES = [
    *(Operator("adaptive_pool", op, None, SHORT, op in ("max", "median"), leading=(op,),
               table=((3, 5),)) for op in ("max", "min", "avg", "sum", "lp", "median", "soft")),
    *(Operator("global_pool", op, None, SHORT, op in ("max", "median"), leading=(op,), table=())
      for op in ("max", "min", "avg", "sum", "gem", "median", "logsumexp")),
    *(Operator(f"adaptive_max_pool{n}d", "max", n, SHORT, True, table=((3,) * n,))
      for n in (1, 2, 3)),
    *(Operator(f"adaptive_avg_pool{n}d", "avg", n, SHORT, False, table=((3,) * n,))
      for n in (1, 2, 3)),
    *(Operator("spatial_pyramid_pool", op, None, SHORT, False, table=((1, 2, 3), op))
      for op in ("max", "avg")),
    *(Operator("fractional_pool", op, None, SHORT, op == "max", leading=(op,), always=DRAWN,
               table=((2, 3), (4, 5))) for op in ("max", "avg")),
    *(Operator(f"fractional_max_pool{n}d", "max", n, SHORT, True, always=DRAWN,
               table=(2, (4,) * n)) for n in (2, 3)),
]

# What takes float32 and has a gradient, as nearly all do; and all others with them.
OPERATORS = [operator for operator in REGISTRY if operator.exported and operator.differentiable]
ALL = [operator for operator in REGISTRY if operator.exported]
SELECTIONS = [operator for operator in OPERATORS if operator.selects]
LINEAR = [operator for operator in OPERATORS if operator.op in ("avg", "sum")]
# Made of partial results, which is vector code and arithmetic of the same bits everywhere.
PARTIAL = [operator for operator in OPERATORS if operator.op in ("max", "min", "avg", "sum")]
# Names for max and average, with one to three axes.
NAMED = [operator for operator in OPERATORS if operator.ndim is not None and not operator.leading]


def with_dtypes(operators: list[Operator], dtypes: tuple[str, ...] | None = None) -> list[Any]:
    """pytest parameters (operator, dtype): every operator with every dtype it takes."""
    missing = pytest.mark.skip(reason=NO_BFLOAT16)
    return [
        pytest.param(
            operator,
            dtype,
            id=f"{operator.id}-{dtype}",
            marks=[missing] if dtype == "bfloat16" and oracle.BFLOAT16 is None else [],
        )
        for operator in operators
        for dtype in operator.dtypes
        if dtypes is None or dtype in dtypes
    ]

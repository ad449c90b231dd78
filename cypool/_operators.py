"""The operators: what reduces a window to one value. Every list of them starts from here."""

from typing import NamedTuple

import numpy as np

from cypool._cpu import KINDS, MAX, MIN, SUM
from cypool._cpu.dtypes import SUPPORTED, code_of


class Operator(NamedTuple):
    """How an operator is made of a reducer and what it may be asked."""

    name: str
    reducer: int = -1           # what partial results are combined by, or -1: windows go one by one
    selects: bool = False       # takes one element of the window, and can say which
    averages: bool = False      # divides the sum
    keywords: tuple[str, ...] = ()
    power: bool = False         # of powers, and a root at last
    widens: bool = False        # integers give float64
    linear: bool = False        # the gradient needs no more of x than its shape
    differentiable: bool = True

    @property
    def kind(self) -> int:
        """What the window-by-window kernels call it."""
        return KINDS[self.name]


OPERATORS = {
    operator.name: operator
    for operator in (
        Operator("max", MAX, selects=True),
        Operator("min", MIN, selects=True),
        Operator("sum", SUM, linear=True, keywords=("dtype",)),
        Operator("avg", SUM, averages=True, linear=True,
                 keywords=("count_include_pad", "divisor_override", "dtype")),
        Operator("lp", SUM, power=True, widens=True, keywords=("p",)),
        Operator("gem", SUM, power=True, averages=True, widens=True, keywords=("p", "eps")),
        Operator("logsumexp", widens=True, keywords=("beta", "mean")),
        Operator("soft", widens=True),
        Operator("median", selects=True, keywords=("quantile",)),
        Operator("mode", selects=True, differentiable=False),
        Operator("stochastic", selects=True, keywords=("rng", "samples", "training")),
    )
}
ALIASES = {"mean": "avg"}


def operator_named(op: object) -> Operator:
    """The operator of that name."""
    if isinstance(op, str):
        found = OPERATORS.get(ALIASES.get(op, op))
        if found is not None:
            return found
    known = ", ".join(repr(name) for name in sorted([*OPERATORS, *ALIASES]))
    kind = ValueError if isinstance(op, str) else TypeError
    raise kind(f"op must be one of {known}, got {op!r}")


def check_keywords(operator: Operator, keywords: dict[str, object]) -> None:
    """Refuse a keyword that is not the operator's own."""
    for name, value in keywords.items():
        if name not in operator.keywords:
            own = ", ".join(operator.keywords) or "none"
            raise TypeError(
                f"{name} must be left out for op {operator.name!r} (its own keywords: {own}), "
                f"got {value!r}")


def result_dtype(operator: Operator, x: np.dtype, asked: object) -> np.dtype:
    """The dtype of an operator's result, following numpy.sum for sums."""
    if asked is not None:
        try:
            dtype = np.dtype(asked)  # type: ignore[call-overload]
        except TypeError:
            raise TypeError(f"dtype must be a NumPy dtype, got {asked!r}") from None
        if dtype.kind == "b" or not np.can_cast(x, dtype, "same_kind"):
            raise TypeError(
                f"dtype must be a numeric dtype that {x} can be cast to (same_kind), got {dtype}")
        if code_of(dtype) is None:
            raise TypeError(f"dtype must be one of {SUPPORTED}, got {dtype}")
        return dtype
    if operator.averages and not operator.power:
        if x.kind == "b":
            raise TypeError("x must be numeric for an average unless dtype= is given, got bool")
        return x
    if operator.widens and x.kind in "bui":
        return np.dtype(np.float64)
    if operator.name == "mode" and x.kind not in "bui":
        raise TypeError(f"x must be of an integer dtype or bool for op 'mode', got {x}")
    if operator.selects or x.kind not in "bui" or operator.power:
        return x
    return np.dtype(np.uint64 if x.kind == "u" else np.int64)

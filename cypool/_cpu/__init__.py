"""The CPU half: drivers, and kernels compiled once per instruction set.

Nothing here checks what users pass; the modules above do.
"""

from functools import lru_cache

from cypool._cpu.driver import MAX_CODE as MAX
from cypool._cpu.driver import MIN_CODE as MIN
from cypool._cpu.driver import SUM_CODE as SUM
from cypool._cpu.driver import Plan, again, forget, reduce, scatter, spread
from cypool._cpu.each import KINDS, derive_each, reduce_each, select_at
from cypool._geometry import Rule, Table

__all__ = [
    "KINDS", "MAX", "MIN", "SUM", "Plan", "again", "derive_each", "forget", "plan_of",
    "reduce", "reduce_each", "scatter", "select_at", "spread",
]


@lru_cache(maxsize=1024)
def _plan_again(rules: tuple[Rule, ...]) -> Plan:
    return Plan(rules)


def plan_of(rules: tuple[Rule, ...]) -> Plan:
    """The plan of some rules, kept for calls to come unless it holds what users gave as tables."""
    return Plan(rules) if any(isinstance(r, Table) for r in rules) else _plan_again(rules)

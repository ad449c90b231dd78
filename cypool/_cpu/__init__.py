"""The CPU half: drivers, and kernels compiled once per instruction set.

Nothing here checks what users pass; the modules above do.
"""

from functools import lru_cache

from cypool._cpu.driver import MAX_CODE as MAX
from cypool._cpu.driver import MIN_CODE as MIN
from cypool._cpu.driver import SUM_CODE as SUM
from cypool._cpu.driver import Plan, again, forget, reduce, scatter, spread
from cypool._cpu.each import KINDS, derive_each, reduce_each, select_at

__all__ = [
    "KINDS", "MAX", "MIN", "SUM", "Plan", "again", "derive_each", "forget", "plan_of",
    "reduce", "reduce_each", "scatter", "select_at", "spread",
]

plan_of = lru_cache(maxsize=1024)(Plan)

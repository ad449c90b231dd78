"""The CPU half: drivers, and kernels compiled once per instruction set.

Nothing here checks what users pass; the modules above do.
"""

from functools import lru_cache

from cypool._cpu.driver import MAX_CODE as MAX
from cypool._cpu.driver import MIN_CODE as MIN
from cypool._cpu.driver import SUM_CODE as SUM
from cypool._cpu.driver import Plan, Repeats, reduce, scatter, spread

__all__ = ["MAX", "MIN", "SUM", "Plan", "Repeats", "plan_of", "reduce", "scatter", "spread"]

plan_of = lru_cache(maxsize=1024)(Plan)

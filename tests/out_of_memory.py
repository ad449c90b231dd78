"""Calls during which one allocation after the other fails, and what must hold afterwards.

Run as a program, in a process of its own, by test_out_of_memory.py. `malloc` fails by way of the
preloaded library made from failing_malloc.c; Python's allocators, of which objects come, by way of
CPython's own test module.
"""

from __future__ import annotations

import ctypes
import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from arrays import make_values
from registry import OPERATORS, TABLES, Operator

import cypool
from cypool import _call, _cpu

PACKAGE = Path(cypool.__file__).parent
# Whose allocations fail, from how many bytes on: the library's scratch, and NumPy's arrays. NumPy's
# own temporary buffers stay below that (see main): without one of them it crashes.
MODULES = {"cypool/_cpu/": 0, "numpy/_core/": 1024}
MARK = 77
# The least that an object takes, and how often a call is made to see whether it keeps one.
LEAK = 16
REPEATS = 8
SHAPES = {1: (2, 3, 500), 2: (2, 3, 40, 40), 3: (2, 3, 14, 15, 16)}
DTYPES = ("float32", "float16", "uint8", "bool")


@dataclass
class Case:
    """A call, with every array that goes into it and every array that it may write to."""

    name: str
    run: Callable[[], Any]
    inputs: list[np.ndarray]
    outputs: list[np.ndarray]

    @property
    def finished_by_numpy(self) -> bool:
        return "mask" in self.name or "bool" in self.name

    def mark(self) -> None:
        for out in self.outputs:
            out[...] = MARK

    def is_marked(self) -> bool:
        return all((out == out.dtype.type(MARK)).all() for out in self.outputs)

    def references(self) -> list[int]:
        return [sys.getrefcount(array) for array in (*self.inputs, *self.outputs)]


def operator_cases(operator: Operator, dtypes: tuple[str, ...]) -> Iterator[Case]:
    n = operator.ndim or 2
    window = (*operator.leading, (3,) * n)
    for dtype in dtypes:
        if dtype not in operator.dtypes:
            continue
        x = make_values(SHAPES[n], np.dtype(dtype), "ties", 1)
        if operator.table is not None:
            for threads in (1, 3) if dtype == "float32" else ():
                window = (*operator.leading, *operator.table)
                label = f"{operator.name} {dtype} {threads}"
                yield from calls(operator, x, window, {"num_threads": threads}, label)
            continue
        masks = [None] if operator.ndim else [None, make_values(x.shape, np.dtype(bool), "ties", 2)]
        for mask in masks:
            for threads in (1, 3) if dtype == "float32" else (1,):
                more = {"stride": 2, "num_threads": threads}
                if mask is not None:
                    more["mask"] = mask
                label = f"{dtype}{'' if mask is None else ' mask'} {threads}"
                yield from calls(operator, x, window, more, label)


def calls(
    operator: Operator, x: np.ndarray, window: tuple[Any, ...], more: dict[str, Any], label: str
) -> Iterator[Case]:
    """Forward and backward, with and without out= and indices."""
    asked = [False, True] if operator.selects else [False]
    given = [x, *([more["mask"]] if "mask" in more else [])]

    def case(name: str, run: Callable[[], Any], *, reads: Any = (), writes: Any = ()) -> Case:
        return Case(f"{name} {label}", run, [*given, *reads], list(writes))

    for wanted in asked:
        flag = {"return_indices": wanted} if operator.selects else {}
        result = operator.forward(x, *window, **more, **flag)
        outs = tuple(np.empty_like(r) for r in (result if wanted else (result,)))
        out = outs if wanted else outs[0]
        name = "forward, indices" if wanted else "forward"
        run = partial(operator.forward, x, *window, **more, **flag)
        yield case(name, run)
        yield case(f"{name}, out", partial(run, out=out), writes=outs)
    indices = result[1] if operator.selects else None
    shape = (result[0] if operator.selects else result).shape
    for kind in ("float32", "float16"):
        grad = make_values(shape, np.dtype(kind), "normal", 3)
        out = np.empty(x.shape, kind)
        for found in [None] if indices is None else [None, indices]:
            flag = {} if found is None else {"indices": found}
            name = f"backward of {kind}" + (", indices" if flag else "")
            reads = [grad, *flag.values()]
            run = partial(operator.backward, grad, x, *window, **more, **flag)
            yield case(name, run, reads=reads)
            yield case(f"{name}, out", partial(run, out=out), reads=reads, writes=[out])


def copied(result: Any) -> list[bytes]:
    results = result if isinstance(result, tuple) else (result,)
    return [array.tobytes() for array in results]


# ---------------------------------------------------------------- malloc


class Shim:
    """The preloaded library."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(None)
        self.library.failing_malloc_arm.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_long)
        for name in ("seen", "failed", "held"):
            getattr(self.library, f"failing_malloc_{name}").restype = ctypes.c_long

    def attempt(self, case: Case, module: str, n: int) -> tuple[bool, int, int, int]:
        """Whether MemoryError came out; allocations seen, made to fail, not freed."""
        numbers = self.library
        numbers.failing_malloc_arm(module.encode(), MODULES[module], n)
        raised = False
        try:
            case.run()
        except (MemoryError, SystemError):  # the latter from NumPy's iterators
            raised = True
        found = (
            numbers.failing_malloc_seen(),
            numbers.failing_malloc_failed(),
            numbers.failing_malloc_held(),
        )
        numbers.failing_malloc_arm(b"", 0, 0)
        return raised, *found


def fail_malloc(case: Case, shim: Shim, known: bool) -> list[str]:
    """What went wrong while each malloc of the call failed in turn."""
    problems = []
    right = copied(case.run())
    before = case.references()
    for module in MODULES:
        raised, total, _, held = shim.attempt(case, module, 0)
        if raised or held:
            problems.append(f"{module}: without a failure {raised=}, {held} blocks left")
        fractional = "fractional" in case.name      # (has no scratch)
        if case.name.startswith("forward") and total == 0 and module == "cypool/_cpu/" and (
                not fractional):
            problems.append(f"{module}: no allocation seen")
        for n in range(1, total + 1):
            case.mark()
            if not known:
                _cpu.forget()
            raised, _, failed, held = shim.attempt(case, module, n)
            here = f"{module}: allocation {n} of {total} failed"
            if not (raised and failed == 1):
                problems.append(f"{here}: no MemoryError ({failed=})")
            if module == "cypool/_cpu/" and held:
                problems.append(f"{here}: {held} blocks not freed")
            if not case.is_marked():
                problems.append(f"{here}: out was written to")
            if case.references() != before:
                problems.append(f"{here}: references {before} became {case.references()}")
        problems += [f"{module}: {leak}" for leak in leaks_of(
            range(1, total + 1), lambda n, module=module: shim.attempt(case, module, n))]
    if copied(case.run()) != right:
        problems.append("another result afterwards")
    return problems


def leaks_of(numbers: range, attempt: Callable[[int], Any]) -> list[str]:
    """Which of the failures leave memory behind each time.

    All of them together first, a few times over. Only where memory seems to grow is each looked at
    by itself, and again where it still seems so: a leak is there every time, a cache that grows now
    and then is not.
    """
    def every() -> None:
        for n in numbers:
            attempt(n)

    if growth(every, 2) < LEAK:
        return []
    leaks = []
    for n in numbers:
        grown = min(growth(lambda n=n: attempt(n), REPEATS) for _ in range(3))
        if grown >= LEAK:
            leaks.append(f"allocation {n} failed: {grown} bytes more each time")
    return leaks


def growth(run: Callable[[], Any], repeats: int) -> float:
    """Bytes more for each of many calls: what a leak makes it every time, and a cache but once."""
    tracemalloc.start()
    rounds = []
    while len(rounds) < 4 and min(rounds, default=1) > 0:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(repeats):
            run()
        rounds.append(tracemalloc.get_traced_memory()[0] - before)
    tracemalloc.stop()
    return min(rounds) / repeats


# ---------------------------------------------------------------- Python's allocators


def fail_objects(case: Case, known: bool) -> list[str]:
    """The same for Python objects, a tuple or an int, of which a call needs many.

    `out` may be written to by then where NumPy has the last word on a result: masked elements of a
    gradient, and what an empty window of bools gives.
    """
    from _testcapi import remove_mem_hooks, set_nomemory

    problems = []
    right = copied(case.run())
    before = case.references()
    n, raised, inside = 0, True, False
    while raised and n < 10_000:
        n += 1
        case.mark()
        if not known:
            _call._windows_again.cache_clear()
            _cpu.forget()
        result = None
        set_nomemory(n, n + 1)
        try:
            result = case.run()
            raised = False
        except (MemoryError, SystemError) as error:  # the latter from NumPy's iterators
            raised = True
            inside = is_inside(error)
        finally:
            remove_mem_hooks()
        here = f"allocation {n} failed"
        if raised and not case.finished_by_numpy and not case.is_marked():
            problems.append(f"{here}: out was written to")
        if not raised and copied(result) != right:
            problems.append(f"{here}: another result")
        result = None
        if raised and not inside:
            # (Where its own making of a call fails, CPython 3.11 may keep an argument for ever.)
            before = case.references()
        if case.references() != before:
            problems.append(f"{here}: references {before} became {case.references()}")
    # (A call that was made before needs few.)
    if n < (5 if known else 20):
        problems.append(f"only {n} allocations failed")
    if copied(case.run()) != right:
        problems.append("another result afterwards")
    return problems


def is_inside(error: BaseException) -> bool:
    """Whether it was raised within the library."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(str(PACKAGE)):
            return True
        trace = trace.tb_next
    return False


def main(kind: str, names: list[str]) -> dict[str, list[str]]:
    np.setbufsize(16)
    shim = Shim() if kind == "malloc" else None
    found: dict[str, list[str]] = {}
    for operator in OPERATORS + TABLES:
        if names and operator.id not in names:
            continue
        problems = []
        # (Objects are made in the same way whatever the dtype, but for bools.)
        for case in operator_cases(operator, DTYPES if shim else ("float32", "bool")):
            for known in (False, True):
                failures = fail_objects(case, known) if shim is None else fail_malloc(
                    case, shim, known)
                problems += [f"{case.name}, {known=}: {failure}" for failure in failures]
        found[operator.id] = problems
    return found


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2:])))

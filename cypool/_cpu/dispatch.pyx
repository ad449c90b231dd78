"""Chooses, once at import, the kernels for the newest instruction set that this processor has.

The environment variable CYPOOL_SIMD forces one by name.
"""
import os
from importlib import import_module
from importlib.util import find_spec

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport uint32_t

from cypool._cpu.job cimport ACCUMULATORS, REDUCERS, TABLE_VERSION, KernelTable, ReducerTable

cdef extern from "cypool_cpu.h":
    int cypool_cpu_level() noexcept nogil
    const int CYPOOL_LEVELS

NAMES = ("baseline", "avx2", "avx512")[:CYPOOL_LEVELS]
_REDUCERS = ("floats", "integers", "shorts")
# (A build may leave out all but the first.)
available = tuple([name for name in NAMES[:cypool_cpu_level() + 1]
                   if all([find_spec(f"cypool._cpu._{kind}_{name}") is not None
                           for kind in ("kernels", *_REDUCERS)])])


def _choose():
    wanted = os.environ.get("CYPOOL_SIMD", "")
    if not wanted:
        return available[len(available) - 1]
    if wanted not in NAMES:
        raise ImportError(f"CYPOOL_SIMD must be one of {', '.join(NAMES)}, got {wanted!r}")
    if wanted not in available:
        raise ImportError(
            f"CYPOOL_SIMD must be one of {', '.join(available)} in this build on this processor, "
            f"got {wanted!r}")
    return wanted


simd = _choose()


cdef const void *_table(kind, const char *name) except NULL:
    return PyCapsule_GetPointer(import_module(f"cypool._cpu._{kind}_{simd}").kernels, name)


cdef void _check(uint32_t version, uint32_t size, size_t expected) except *:
    if version != TABLE_VERSION or size != expected:
        raise ImportError("cypool's compiled modules are of different builds; install it afresh")


cdef void _enter(KernelTable *table, const ReducerTable *some) noexcept:
    cdef int op, code
    for op in range(REDUCERS):
        for code in range(ACCUMULATORS):
            if some.reduce[op][code] != NULL:
                table.reduce[op][code] = some.reduce[op][code]
    if some.survey != NULL:
        table.survey = some.survey


# The tables of all modules, as one.
cdef KernelTable _all


cdef const KernelTable *_join() except NULL:
    global _all
    cdef const KernelTable *most = <const KernelTable *>_table("kernels", "cypool.kernels")
    cdef const ReducerTable *some
    _check(most.version, most.size, sizeof(KernelTable))
    _all = most[0]
    for kind in _REDUCERS:
        some = <const ReducerTable *>_table(kind, "cypool.reducers")
        _check(some.version, some.size, sizeof(ReducerTable))
        _enter(&_all, some)
    return &_all


kernels = _join()

"""Chooses, once at import, the kernels for the newest instruction set that this processor has.

The environment variable CYPOOL_SIMD forces one by name.
"""
import os
from importlib import import_module
from importlib.util import find_spec

from cpython.pycapsule cimport PyCapsule_GetPointer

from cypool._cpu.job cimport TABLE_VERSION, KernelTable

cdef extern from "cypool_cpu.h":
    int cypool_cpu_level() noexcept nogil
    const int CYPOOL_LEVELS

NAMES = ("baseline", "avx2", "avx512")[:CYPOOL_LEVELS]
# (A build may leave out all but the first.)
available = tuple([name for name in NAMES[:cypool_cpu_level() + 1]
                   if find_spec(f"cypool._cpu._kernels_{name}") is not None])


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
_module = import_module(f"cypool._cpu._kernels_{simd}")
kernels = <const KernelTable *>PyCapsule_GetPointer(_module.kernels, "cypool.kernels")
if kernels.version != TABLE_VERSION or kernels.size != sizeof(KernelTable):
    raise ImportError("cypool's compiled modules are of different builds; install it afresh")

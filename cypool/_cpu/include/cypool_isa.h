/* Included first by every kernel module. The module's own init is compiled with the module's
   instruction set, so the exported PyInit is a baseline function that looks at the processor first:
   an import on too old a machine raises ImportError instead of dying of an illegal instruction. */
#ifndef CYPOOL_ISA_H
#define CYPOOL_ISA_H
#include <Python.h>
#include "cypool_cpu.h"

#define CYPOOL_CAT_(a, b) a##b
#define CYPOOL_CAT(a, b) CYPOOL_CAT_(a, b)
#define CYPOOL_STR_(a) #a
#define CYPOOL_STR(a) CYPOOL_STR_(a)

/* Cython knows four modules, whatever they are compiled for; which one this is comes from the compiler's
   command line. */
#define CYPOOL_PYINIT CYPOOL_CAT(PyInit_, CYPOOL_MODULE)
#if CYPOOL_ISA_LEVEL > 0
PyMODINIT_FUNC CYPOOL_PYINIT(void);
PyMODINIT_FUNC cypool_checked_init(void);
CYPOOL_BASELINE PyMODINIT_FUNC CYPOOL_PYINIT(void)
{
    if (cypool_cpu_level() < CYPOOL_ISA_LEVEL) {
        PyErr_SetString(PyExc_ImportError,
            "this processor or its operating system lacks " CYPOOL_STR(CYPOOL_ISA));
        return NULL;
    }
    return cypool_checked_init();
}
#define PyInit__kernels cypool_checked_init
#define PyInit__floats cypool_checked_init
#define PyInit__integers cypool_checked_init
#define PyInit__shorts cypool_checked_init
#else
#define PyInit__kernels CYPOOL_PYINIT
#define PyInit__floats CYPOOL_PYINIT
#define PyInit__integers CYPOOL_PYINIT
#define PyInit__shorts CYPOOL_PYINIT
#endif

#endif

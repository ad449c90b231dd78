from cypool._cpu.job cimport KernelTable

cdef const KernelTable *kernels

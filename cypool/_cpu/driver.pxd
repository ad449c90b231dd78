from cypool._cpu.job cimport AXES, Axis


# The windows of up to three axes, in the form that kernels read.
cdef class Plan:
    cdef Axis axis[AXES]
    cdef Axis transposed[AXES]

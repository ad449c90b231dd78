from cypool._cpu.job cimport AXES, Axis, Job


# The windows of up to three axes, in the form that kernels read.
cdef class Plan:
    cdef Axis axis[AXES]
    cdef Axis divisor[AXES]     # the same as they were told, which is what averages divide by
    cdef Axis transposed[AXES]
    cdef Py_ssize_t *tables[AXES]
    cdef Py_ssize_t *seen[AXES]

    cdef const Axis *look_back(self) except NULL


# The arrays of one call, held while it runs.
cdef class Buffers:
    cdef Py_buffer x, y, index, mask


cdef int start_job(
    Job *job, Buffers buffers, Plan plan, x, y, index, bint back, mask, tuple pooled,
    int inner, bint alike=*) except -1

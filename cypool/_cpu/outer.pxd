# Planes: where each begins, and which of them a thread takes.
from cypool._cpu.job cimport Array, Job


cdef inline Py_ssize_t outer_offset(
        const Job *job, const Array *array, Py_ssize_t plane) noexcept nogil:
    cdef Py_ssize_t offset = 0
    cdef int i
    for i in range(job.outer_ndim - 1, 0, -1):
        offset += plane % job.outer_shape[i] * array.outer[i]
        plane //= job.outer_shape[i]
    if job.outer_ndim > 0:
        offset += plane * array.outer[0]
    return offset


# Where piece i of n begins, without overflow.
cdef inline Py_ssize_t share(Py_ssize_t units, Py_ssize_t i, Py_ssize_t n) noexcept nogil:
    return units // n * i + min(i, units % n)

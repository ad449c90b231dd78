# The gradient of a selection: every output's gradient is added at the index it was taken from.
# x holds the gradients, index the indices, y the result. One unit is one band of source rows of one
# plane, cleared and written by one thread alone, outputs in order, so that the bits never depend on
# the cutting.

cdef inline int64_t index_at(const Job *job, const char *p) noexcept nogil:
    return (<const int32_t *>p)[0] if job.index32 else (<const int64_t *>p)[0]


cdef int scatter_units(
        const Job *job, Py_ssize_t first, Py_ssize_t last, real *_) noexcept nogil:
    cdef Py_ssize_t unit, band, plane, lo, hi, at, row, w, c, d
    cdef Py_ssize_t heights = job.axis[1].length, widths = job.axis[2].length
    cdef Py_ssize_t rows = job.axis[0].length * heights, where
    cdef Py_ssize_t outputs = job.axis[0].outputs * job.axis[1].outputs
    cdef bint flat = (job.y.stride[1] == widths * job.y.stride[2]
                      and job.y.stride[0] == heights * job.y.stride[1])
    cdef const char *x
    cdef const char *index
    cdef char *y
    cdef char *p
    cdef real v
    for unit in range(first, last):
        plane = unit // job.bands
        band = unit % job.bands
        lo = band * (rows // job.bands) + min(band, rows % job.bands)
        hi = lo + rows // job.bands + (band < rows % job.bands)
        y = job.y.data + outer_offset(job, &job.y, plane)
        for row in range(lo, hi):
            p = y + row // heights * job.y.stride[0] + row % heights * job.y.stride[1]
            clear_run(p, widths, job.inner, job.y.stride[2], job.y.inner, _)
        lo *= widths
        hi *= widths
        for row in range(outputs):
            d = row // job.axis[1].outputs
            at = row % job.axis[1].outputs
            x = job.x.data + outer_offset(job, &job.x, plane) + (
                d * job.x.stride[0] + at * job.x.stride[1])
            index = job.index.data + outer_offset(job, &job.index, plane) + (
                d * job.index.stride[0] + at * job.index.stride[1])
            for w in range(job.axis[2].outputs):
                for c in range(job.inner):
                    at = index_at(job, index + w * job.index.stride[2] + c * job.index.inner)
                    if at < lo or at >= hi:
                        continue
                    v = (<const real *>(x + w * job.x.stride[2] + c * job.x.inner))[0]
                    if flat:
                        where = at * job.y.stride[2]
                    else:
                        where = (at % widths * job.y.stride[2]
                                 + at // widths % heights * job.y.stride[1]
                                 + at // widths // heights * job.y.stride[0])
                    p = y + where + c * job.y.inner
                    (<real *>p)[0] += v
    return 0


cdef void clear_run(
        char *p, Py_ssize_t nw, Py_ssize_t nc, Py_ssize_t sw, Py_ssize_t sc,
        real *_) noexcept nogil:
    cdef Py_ssize_t i, j
    if sc == sizeof(real) and sw == nc * sc or nc == 1 and sw == sizeof(real):
        memset(p, 0, nw * nc * sizeof(real))
        return
    for i in range(nw):
        for j in range(nc):
            memset(p + i * sw + j * sc, 0, sizeof(real))


# Whether an index lies outside its plane; -1, for "none", does not.
cdef int check_index_units(
        const Job *job, Py_ssize_t first, Py_ssize_t last, void *_) noexcept nogil:
    cdef Py_ssize_t plane, row, w, c
    cdef Py_ssize_t outputs = job.axis[0].outputs * job.axis[1].outputs
    cdef int64_t at, size = job.axis[0].length * job.axis[1].length * job.axis[2].length
    cdef const char *index
    cdef bint bad = False
    for plane in range(first, last):
        for row in range(outputs):
            index = job.index.data + outer_offset(job, &job.index, plane) + (
                row // job.axis[1].outputs * job.index.stride[0]
                + row % job.axis[1].outputs * job.index.stride[1])
            for w in range(job.axis[2].outputs):
                for c in range(job.inner):
                    at = index_at(job, index + w * job.index.stride[2] + c * job.index.inner)
                    bad |= at < -1 or at >= size
        if bad:
            return 1
    return 0

# The gradient of a selection: every output's gradient is added at the index it was taken from.
# x holds the gradients, index the indices, y the result. One unit is one band of one plane (a range
# of its leading pooled axis, and of inner elements), cleared and written by one thread alone,
# outputs in order, so that the bits never depend on the cutting. Where gradients are halves, or
# many meet in one element, a band is added up in a wider type before it is rounded once.

cdef inline int64_t index_at(const Job *job, const char *p) noexcept nogil:
    return (<const int32_t *>p)[0] if job.index32 else (<const int64_t *>p)[0]


# The piece of a plane that a unit stands for.
cdef struct Band:
    Py_ssize_t plane, c0, c1
    Py_ssize_t lo, hi                   # flat source elements of the band
    Py_ssize_t begin[AXES]              # the outputs that may lead there
    Py_ssize_t end[AXES]

cdef void find_band(const Job *job, Py_ssize_t unit, Band *band) noexcept nogil:
    cdef int i, lead = job.lead
    cdef Py_ssize_t k = unit % job.bands, length = job.axis[lead].length, pitch = 1, rest
    rest = unit // job.bands
    band.c0 = rest % job.tiles_c * job.tile_c
    band.c1 = min(band.c0 + job.tile_c, job.inner)
    band.plane = rest // job.tiles_c
    band.lo = length // job.bands * k + min(k, length % job.bands)
    band.hi = band.lo + length // job.bands + (k < length % job.bands)
    for i in range(AXES):
        band.begin[i] = 0
        band.end[i] = job.axis[i].outputs
    if job.tidy:
        axis_source(&job.divisor[lead], band.lo, band.hi, &band.begin[lead], &band.end[lead])
    for i in range(lead + 1, AXES):
        pitch *= job.axis[i].length
    band.lo *= pitch
    band.hi *= pitch


# Where an index of a plane lies in an array, in bytes.
cdef inline Py_ssize_t index_offset(
        const Job *job, const Array *a, bint flat, int64_t at) noexcept nogil:
    cdef Py_ssize_t widths = job.axis[2].length, heights = job.axis[1].length
    if flat:
        return at * a.stride[2]
    return (at % widths * a.stride[2] + at // widths % heights * a.stride[1]
            + at // widths // heights * a.stride[0])

cdef inline bint is_flat(const Job *job, const Array *a) noexcept nogil:
    return (a.stride[1] == job.axis[2].length * a.stride[2]
            and a.stride[0] == job.axis[1].length * a.stride[1])


# All gradients whose index lies in the band, added to target, where the band's first element is.
cdef void add_band(
        const Job *job, const Band *band, const Array *target, char *first, element *_,
        real *total) noexcept nogil:
    cdef Py_ssize_t d, h, w, c
    cdef int64_t at
    cdef const char *x = job.x.data + outer_offset(job, &job.x, band.plane)
    cdef const char *index = job.index.data + outer_offset(job, &job.index, band.plane)
    cdef const char *g
    cdef const char *k
    cdef bint flat = is_flat(job, target)
    cdef real *p
    for d in range(band.begin[0], band.end[0]):
        for h in range(band.begin[1], band.end[1]):
            for w in range(band.begin[2], band.end[2]):
                g = x + d * job.x.stride[0] + h * job.x.stride[1] + w * job.x.stride[2]
                k = index + (
                    d * job.index.stride[0] + h * job.index.stride[1] + w * job.index.stride[2])
                for c in range(band.c0, band.c1):
                    at = index_at(job, k + c * job.index.inner)
                    if band.lo <= at < band.hi:
                        p = <real *>(first + index_offset(job, target, flat, at - band.lo)
                                     + (c - band.c0) * target.inner)
                        p[0] += widened((<const element *>(g + c * job.x.inner))[0], total)


cdef int scatter_in_place(
        const Job *job, Py_ssize_t first, Py_ssize_t last, char *scratch,
        real *_) noexcept nogil:
    cdef Band band
    cdef Py_ssize_t unit, at, c, n
    cdef char *y
    cdef char *p
    cdef bint flat = is_flat(job, &job.y)
    for unit in range(first, last):
        find_band(job, unit, &band)
        y = job.y.data + outer_offset(job, &job.y, band.plane) + band.c0 * job.y.inner
        n = band.c1 - band.c0
        if flat and job.y.stride[2] == <Py_ssize_t>sizeof(real) * n and (
                n == 1 or job.y.inner == <Py_ssize_t>sizeof(real)):
            memset(y + band.lo * job.y.stride[2], 0, (band.hi - band.lo) * job.y.stride[2])
        else:
            for at in range(band.lo, band.hi):
                p = y + index_offset(job, &job.y, flat, at)
                for c in range(n):
                    (<real *>(p + c * job.y.inner))[0] = 0
        add_band(job, &band, &job.y, y + index_offset(job, &job.y, flat, band.lo), _, _)
    return 0


cdef int scatter_by_bands(
        const Job *job, Py_ssize_t first, Py_ssize_t last, real *scratch,
        element *_) noexcept nogil:
    cdef Band band
    cdef Array line
    cdef Py_ssize_t unit, at, c, n
    cdef char *y
    cdef char *p
    cdef bint flat = is_flat(job, &job.y)
    for unit in range(first, last):
        find_band(job, unit, &band)
        n = band.c1 - band.c0
        memset(scratch, 0, (band.hi - band.lo) * n * sizeof(real))
        line.inner = sizeof(real)
        line.stride[2] = n * sizeof(real)
        line.stride[1] = job.axis[2].length * line.stride[2]
        line.stride[0] = job.axis[1].length * line.stride[1]
        add_band(job, &band, &line, <char *>scratch, _, scratch)
        y = job.y.data + outer_offset(job, &job.y, band.plane) + band.c0 * job.y.inner
        for at in range(band.lo, band.hi):
            p = y + index_offset(job, &job.y, flat, at)
            for c in range(n):
                (<element *>(p + c * job.y.inner))[0] = narrowed(
                    scratch[(at - band.lo) * n + c], _)
    return 0


# What there is to say about the indices of some planes: 1, one lies outside its plane (-1, for
# "none", does not); 2, one lies outside the rows that its own window sees.
cdef int check_index_units(
        const Job *job, Py_ssize_t first, Py_ssize_t last, char *scratch, void *_) noexcept nogil:
    cdef Py_ssize_t plane, d, h, w, c, pitch = 1, lead_lo, lead_hi
    cdef Py_ssize_t at_axis[AXES]
    cdef int64_t at, size = job.axis[0].length * job.axis[1].length * job.axis[2].length
    cdef const char *index
    cdef const char *k
    cdef int i, lead = job.lead
    cdef bint bad = False, astray = False
    for i in range(lead + 1, AXES):
        pitch *= job.axis[i].length
    for plane in range(first, last):
        index = job.index.data + outer_offset(job, &job.index, plane)
        for d in range(job.axis[0].outputs):
            for h in range(job.axis[1].outputs):
                for w in range(job.axis[2].outputs):
                    if lead == 2 or w == 0:
                        at_axis[0] = d
                        at_axis[1] = h
                        at_axis[2] = w
                        axis_source(&job.axis[lead], at_axis[lead], at_axis[lead] + 1,
                                    &lead_lo, &lead_hi)
                        lead_lo *= pitch
                        lead_hi *= pitch
                    k = index + (d * job.index.stride[0] + h * job.index.stride[1]
                                 + w * job.index.stride[2])
                    for c in range(job.inner):
                        at = index_at(job, k + c * job.index.inner)
                        bad |= at < -1 or at >= size
                        astray |= at >= 0 and (at < lead_lo or at >= lead_hi)
        if bad:
            return 1
    return 2 if astray else 0

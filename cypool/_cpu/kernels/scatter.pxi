# The gradient of a selection: every output's gradient is added at the index it was taken from.
# x holds the gradients, index the indices, y the result. One unit is one band of one plane (a range
# of its leading pooled axis, and of inner elements), cleared and written by one thread alone,
# outputs in order, so that the bits never depend on the cutting. Where gradients are halves, or
# many meet in one element, a band is added up in a wider type before it is rounded once.

cdef inline int64_t index_at(const Job *job, const char *p) noexcept nogil:
    return (<const int32_t *>p)[0] if job.index32 else (<const int64_t *>p)[0]


# The piece of a plane that a unit stands for.
cdef struct Band:
    Py_ssize_t plane, planes, c0, c1
    Py_ssize_t first, last              # elements of the leading axis
    Py_ssize_t lo, hi                   # flat source elements of the band
    Py_ssize_t column, columns          # those of a row that are in it
    Py_ssize_t begin[AXES]              # the outputs that may lead there
    Py_ssize_t end[AXES]

cdef void find_band(const Job *job, Py_ssize_t unit, Band *band) noexcept nogil:
    cdef int i, lead = job.lead
    cdef Py_ssize_t k = unit % job.bands, length = job.axis[lead].length, pitch = 1, rest
    rest = unit // job.bands
    band.c0 = rest % job.tiles_c * job.tile_c
    band.c1 = min(band.c0 + job.tile_c, job.inner)
    band.plane = rest // job.tiles_c
    band.planes = 1
    band.first = length // job.bands * k + min(k, length % job.bands)
    band.last = band.first + length // job.bands + (k < length % job.bands)
    band.column = 0
    band.columns = job.axis[2].length
    if lead == 2:
        band.column = band.first
        band.columns = band.last - band.first
    for i in range(AXES):
        band.begin[i] = 0
        band.end[i] = job.axis[i].outputs
    if job.tidy:
        axis_source(
            &job.divisor[lead], band.first, band.last, &band.begin[lead], &band.end[lead])
    for i in range(lead + 1, AXES):
        pitch *= job.axis[i].length
    band.lo = band.first * pitch
    band.hi = band.last * pitch


# Where an index of a plane lies in an array, in bytes.
cdef inline Py_ssize_t index_offset(
        const Job *job, const Array *a, bint flat, int64_t at) noexcept nogil:
    cdef Py_ssize_t widths = job.axis[2].length, heights = job.axis[1].length
    if flat:
        return at * a.stride[2]
    return (at % widths * a.stride[2] + at // widths % heights * a.stride[1]
            + at // widths // heights * a.stride[0])

cdef inline bint is_flat(const Job *job, const Array *a) noexcept nogil:
    cdef Py_ssize_t rows = job.axis[2].length * a.stride[2], slabs = job.axis[1].length * rows
    return (job.axis[1].length == 1 or a.stride[1] == rows) and (
        job.axis[0].length == 1 or a.stride[0] == slabs)


ctypedef fused position:
    int32_t
    int64_t

# n gradients that lie in a row, added at their indices: y is where the band begins, pitch the
# distance of its elements. Inner elements each have a column of their own, `apart`.
cdef void add_row(
        Py_ssize_t n, const element *g, const position *index, int64_t lo, int64_t hi, real *y,
        Py_ssize_t pitch, Py_ssize_t apart) noexcept nogil:
    cdef Py_ssize_t j
    cdef uint64_t at, size = hi - lo
    for j in range(n):
        at = <uint64_t>(<int64_t>index[j] - lo)
        if at < size:
            y[at * pitch + j * apart] += widened(g[j], y)


# All gradients whose index lies in the band, added to target, where the band's first element is.
cdef void add_band(
        const Job *job, const Band *band, const Array *target, char *first, element *_,
        real *total) noexcept nogil:
    cdef Py_ssize_t d, h, w, c, n, runs, inner, pitch = 1, apart = 0
    cdef int64_t at
    cdef const char *x = job.x.data + outer_offset(job, &job.x, band.plane) + (
        band.c0 * job.x.inner)
    cdef const char *index = job.index.data + outer_offset(job, &job.index, band.plane) + (
        band.c0 * job.index.inner)
    cdef const char *g
    cdef const char *k
    cdef bint flat = is_flat(job, target)
    cdef real *p
    cdef Py_ssize_t size = 4 if job.index32 else 8, nc = band.c1 - band.c0
    cdef Py_ssize_t wide = band.end[2] - band.begin[2]
    # Rows of outputs, or their inner elements, as runs without gaps.
    cdef bint rows = flat and nc == 1 and (
        wide == 1 or job.x.stride[2] == <Py_ssize_t>sizeof(element) and job.index.stride[2] == size)
    cdef bint vectors = flat and nc > 1 and (
        job.x.inner == <Py_ssize_t>sizeof(element) and job.index.inner == size
        and target.inner == <Py_ssize_t>sizeof(real))
    pitch = target.stride[2] // <Py_ssize_t>sizeof(real)
    for d in range(band.begin[0], band.end[0]):
        for h in range(band.begin[1], band.end[1]):
            for w in range(band.begin[2], band.begin[2] + 1 if rows else band.end[2]):
                g = x + d * job.x.stride[0] + h * job.x.stride[1] + w * job.x.stride[2]
                k = index + (
                    d * job.index.stride[0] + h * job.index.stride[1] + w * job.index.stride[2])
                if rows or vectors:
                    n = wide if rows else nc
                    if job.index32:
                        add_row(n, <const element *>g, <const int32_t *>k, band.lo, band.hi,
                                <real *>first, pitch, 0 if rows else 1)
                    else:
                        add_row(n, <const element *>g, <const int64_t *>k, band.lo, band.hi,
                                <real *>first, pitch, 0 if rows else 1)
                    continue
                for c in range(nc):
                    at = index_at(job, k + c * job.index.inner)
                    if band.lo <= at < band.hi:
                        p = <real *>(first + index_offset(job, target, flat, at - band.lo)
                                     + c * target.inner)
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
                if n == 1 or job.y.inner == <Py_ssize_t>sizeof(real):
                    memset(p, 0, n * sizeof(real))
                    continue
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
    cdef real *line_at
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
            line_at = scratch + (at - band.lo) * n
            if job.y.inner == <Py_ssize_t>sizeof(element):
                for c in range(n):
                    (<element *>p)[c] = narrowed(line_at[c], _)
                continue
            for c in range(n):
                (<element *>(p + c * job.y.inner))[0] = narrowed(line_at[c], _)
    return 0


# What there is to say about the indices of some planes: 1, one lies outside its plane (-1, for
# "none", does not); 2, one lies outside the rows that its own window sees (where job.tidy asks).
cdef int check_index_units(
        const Job *job, Py_ssize_t first, Py_ssize_t last, char *scratch, void *_) noexcept nogil:
    cdef Py_ssize_t plane, d, h, w, c, begin, end, pitch = 1, wide = 4 if job.index32 else 8
    cdef int64_t size = job.axis[0].length * job.axis[1].length * job.axis[2].length
    cdef int64_t lo = 0, reach = 0, step = 0
    cdef const char *index
    cdef const char *k
    cdef const Axis *lead = &job.axis[job.lead]
    cdef int i, found = 0
    cdef Py_ssize_t n = job.inner * (
        job.axis[0].outputs * job.axis[1].outputs * job.axis[2].outputs)
    cdef bint row = job.inner == 1 and (job.axis[2].outputs == 1 or job.index.stride[2] == wide)
    cdef bint vector = job.inner == 1 or job.index.inner == wide
    # Where only the plane matters, all of it at once.
    cdef bint whole = not job.tidy and (job.inner == 1 or job.index.inner == wide) and (
        job.axis[2].outputs == 1 or job.index.stride[2] == wide * job.inner) and (
        job.axis[1].outputs == 1
        or job.index.stride[1] == wide * job.inner * job.axis[2].outputs) and (
        job.axis[0].outputs == 1
        or job.index.stride[0] * job.axis[0].outputs == wide * n)
    for i in range(job.lead + 1, AXES):
        pitch *= job.axis[i].length
    if job.lead == 2 and lead.kind == TABLE:
        found = 2           # (Not looked at; bands are then not told apart.)
        reach = size
    elif job.lead == 2:
        step = lead.stride
        reach = (lead.kernel - 1) * lead.dilation
    for plane in range(first, last):
        index = job.index.data + outer_offset(job, &job.index, plane)
        if whole:
            found |= check_row(job, index, n, 0, 0, size, size)
        for d in range(0 if whole else job.axis[0].outputs):
            for h in range(job.axis[1].outputs):
                if job.lead < 2:
                    axis_source(lead, h if job.lead == 1 else d, (h if job.lead == 1 else d) + 1,
                                &begin, &end)
                    lo = begin * pitch
                    reach = (end - begin) * pitch - 1
                else:
                    lo = -lead.lo
                k = index + d * job.index.stride[0] + h * job.index.stride[1]
                if row:
                    found |= check_row(job, k, job.axis[2].outputs, lo, step, reach, size)
                    continue
                for w in range(job.axis[2].outputs):
                    for c in range(1 if vector else job.inner):
                        found |= check_row(
                            job, k + w * job.index.stride[2] + c * job.index.inner,
                            job.inner if vector else 1, lo + w * step, 0, reach, size)
        if found & 1:
            return 1
    return found


cdef inline int check_row(
        const Job *job, const char *k, Py_ssize_t n, int64_t lo, int64_t step, int64_t reach,
        int64_t size) noexcept nogil:
    if job.index32:
        return check32(n, <const int32_t *>k, lo, step, reach, size)
    return check64(n, <const int64_t *>k, lo, step, reach, size)

# Maxima of windows of any taps together with their indices, where each pixel is a vector of inner
# elements. Whether a NaN was met.
cdef bint fold_first_pixels(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, real *y, Py_ssize_t py, Py_ssize_t sy,
        const real *m, Py_ssize_t pm, Py_ssize_t sm, Py_ssize_t first) noexcept nogil:
    cdef Py_ssize_t p, h, i, c, nc = work.nc, lanes = CYPOOL_FIRST_BYTES // sizeof(real)
    cdef bint found = False
    for p in range(work.planes):
        if work.job.shares_rows:
            for i in range((nc - 1) // lanes + 1):
                c = min(i * lanes, nc - lanes)
                found |= fold_first_rows(
                    work, h0, h1, y + p * py + c, sy, m + p * pm + c, sm, first)
            continue
        for h in range(h0, h1):
            found |= fold_first_row(work, h, y + p * py + (h - h0) * sy, m + p * pm, sm, first)
    return found


# A row of them; source rows `first` and on lie at m.
cdef bint fold_first_row(
        Work *work, Py_ssize_t h, real *y, const real *m, Py_ssize_t sm,
        Py_ssize_t first) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *d = &job.axis[0]
    cdef const Axis *a = &job.axis[1]
    cdef const Axis *w = &job.axis[2]
    cdef Py_ssize_t qa = min(max(w.begin, work.o0), work.o1), qb = min(max(w.end, qa), work.o1)
    cdef Py_ssize_t o = work.o0, nc = work.nc, wide = 4 if job.index32 else 8
    cdef Py_ssize_t slab = d.step * job.x.stride[0] // <Py_ssize_t>sizeof(real)
    cdef Py_ssize_t top, count, start, columns, many, i, t, j
    cdef Py_ssize_t place[FIRST_TAPS]
    cdef int32_t offset[FIRST_TAPS]
    cdef int taps
    cdef char *index = work.index + (y - <real *>work.values) * wide
    cdef bint found = False
    axis_window(a, h, &top, &count)
    while o < work.o1:
        axis_window(w, o, &start, &columns)
        many = qb - o if o == qa and qb > qa else 1
        if count == 0 or columns == 0:
            row_fill(y, many * nc, <real>-INFINITY)
            memset(index, 0xff, many * nc * wide)
        else:
            taps = 0
            for i in range(work.dn):
                for t in range(count):
                    for j in range(columns):
                        place[taps] = i * slab + t * a.step * sm + j * w.step * nc
                        offset[taps] = <int32_t>(
                            i * d.step * job.index_d + t * a.step * job.index_h + j * w.step)
                        taps += 1
            found |= cypool_first_pixels(
                many, nc, y, m + (top - first) * sm + (start - work.i0) * nc, w.stride * nc, taps,
                place, offset, work.d0 * job.index_d + top * job.index_h + start, w.stride, index,
                <int>job.index32)
        y += many * nc
        index += many * nc * wide
        o += many
    return found


# Some values of each pixel of rows of windows h0 <= h < h1: what these make of each row of the
# source once for all of them that see it.
cdef bint fold_first_rows(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, real *y, Py_ssize_t sy, const real *m,
        Py_ssize_t sm, Py_ssize_t first) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *a = &job.axis[1]
    cdef const Axis *w = &job.axis[2]
    cdef Py_ssize_t n = work.o1 - work.o0, nc = work.nc, wide = 4 if job.index32 else 8
    cdef Py_ssize_t lanes = CYPOOL_FIRST_BYTES // sizeof(real), pitch = 2 * n * lanes
    cdef Py_ssize_t qa = min(max(w.begin, work.o0), work.o1), qb = min(max(w.end, qa), work.o1)
    cdef Py_ssize_t h, r, o, top, count, start, columns, many, made = 0, t
    cdef real *pairs = <real *>work.codes
    cdef real note[16]
    cdef const real *rows[ROW_TAPS]
    cdef char *index
    memset(note, 0, sizeof(note))
    for h in range(h0, h1):
        axis_window(a, h, &top, &count)
        index = work.index + (y + (h - h0) * sy - <real *>work.values) * wide
        if count == 0:
            for o in range(n):
                row_fill(y + (h - h0) * sy + o * nc, lanes, <real>-INFINITY)
                memset(index + o * nc * wide, 0xff, lanes * wide)
            continue
        for r in range(max(top, made), top + count):
            o = work.o0
            while o < work.o1:
                axis_window(w, o, &start, &columns)
                many = qb - o if o == qa and qb > qa else 1
                cypool_first_row(
                    many, pairs + r % a.kernel * pitch + (o - work.o0) * 2 * lanes,
                    m + (r - first) * sm + (start - work.i0) * nc, w.stride * nc, columns,
                    w.step * nc, work.d0 * job.index_d + r * job.index_h + start, w.stride, w.step,
                    <real>-INFINITY, note)
                o += many
        made = top + count
        for t in range(count):
            rows[t] = pairs + (top + t) % a.kernel * pitch
        cypool_first_of_rows(
            n, nc, y + (h - h0) * sy, index, <int>job.index32, count, rows)
    return cypool_has_nan(16, <const real *>note)

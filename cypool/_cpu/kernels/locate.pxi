# Where extremes were found, once their values are known.

# Where the taps of a row of windows lie: beside each other in memory, and in lines of every
# stride-th column, where these are read.
cdef struct Columns:
    Py_ssize_t apart[ROW_TAPS]
    Py_ssize_t folded[ROW_TAPS]
    Py_ssize_t line             # elements of such a line
    Py_ssize_t pitch            # from what one row makes to the next
    bint pixels                 # read where they lie


# For every output of a block of one plane the index of the tap that has its value first; -1 where
# there is none. Source rows `first` and on lie at m, columns from work.i0.
cdef void locate(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, acc *values, Py_ssize_t sv, const acc *m,
        Py_ssize_t sm, Py_ssize_t first, const Run *index, reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *d = &job.axis[0]
    cdef const Axis *a = &job.axis[1]
    cdef const Axis *w = &job.axis[2]
    cdef Py_ssize_t n = work.o1 - work.o0, size = sizeof(acc), h = h0, rows, some, start, count, t
    cdef Py_ssize_t begin = min(max(a.begin, h0), h1), end = min(max(a.end, begin), h1), bytes
    cdef Py_ssize_t slab = job.x.stride[0] // size * d.step, span, tap
    cdef Run piece = index[0]
    cdef Place place
    cdef const acc *p
    if job.by_rows:
        locate_by_rows(work, h0, h1, values, sv, m, sm, first, work.codes, r)
        store_located(work, h0, h1, work.codes, index, values)
        return
    bytes = 4 if job.index32 else 8
    # All taps of a block of windows at once, which is read with what lies beside it.
    cdef bint blocks = (
        (acc is float or acc is double) and work.nc == 1 and w.stride <= 2 and job.load == NULL
        and n * size >= 16 and index.sw == bytes and index.sh % bytes == 0
        and job.small_indices)
    span = n * w.stride + (w.kernel - 1) * w.step
    tap = (work.d0 - (work.d * d.stride - d.lo)) // d.step
    place.next = w.stride
    place.below = a.stride * job.index_h
    place.w = <int32_t>w.step
    place.h = <int32_t>(a.step * job.index_h)
    place.sy = index.sh // bytes
    place.index32 = job.index32
    while h < h1:
        piece.data = index.data + (h - h0) * index.sh
        some = 0
        if blocks:
            some = rows = end - h if begin <= h < end else 1
            axis_window(a, h, &start, &count)
            p = m + (start - first) * sm
            for t in range(work.dn):
                some = min(some, readable_rows(work, rows, span, max(count, 1), p + t * slab, sm))
            if count == 0:
                some = 0
        if some > 0:
            for t in range(work.dn - 1, -1, -1):
                place.more = t < work.dn - 1
                place.done = t == 0
                place.first = <int32_t>(
                    (tap + t) * d.step * job.index_d
                    + (start - (h * a.stride - a.lo)) * job.index_h)
                place.at = (
                    (work.d * d.stride - d.lo) * job.index_d
                    + (h * a.stride - a.lo) * job.index_h + work.o0 * w.stride - w.lo)
                if not cypool_find_down(
                        some, n, r, values + (h - h0) * sv, sv, p + t * slab - work.left,
                        sm * a.stride, sm * a.step, count, w.step, w.kernel, w.stride, &place,
                        piece.data, work.left, work.left + work.nw):
                    cypool_find(
                        some, n, r, work.codes, values + (h - h0) * sv, sv,
                        p + t * slab - work.left, sm * a.stride, sm * a.step, count, w.step,
                        w.kernel, w.stride, &place, piece.data, work.left, work.left + work.nw)
        else:
            some = 1 if blocks else h1 - h
            locate_by_taps(work, h, h + some, values + (h - h0) * sv, sv, m, sm, first, work.codes,
                           r)
            store_located(work, h, h + some, work.codes, &piece, values)
        h += some


# The same as numbers of taps, counted row-major, tap by tap.
cdef void locate_by_taps(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, acc *values, Py_ssize_t sv, const acc *m,
        Py_ssize_t sm, Py_ssize_t first, char *codes, reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *d = &job.axis[0]
    cdef const Axis *a = &job.axis[1]
    cdef const Axis *w = &job.axis[2]
    cdef Py_ssize_t nc = work.nc, width = (work.o1 - work.o0) * nc, size = sizeof(acc)
    cdef Py_ssize_t td, th, at_d, h, ha, hb, at
    cdef Py_ssize_t qa = min(max(w.begin, work.o0), work.o1), qb = min(max(w.end, qa), work.o1)
    cdef bint runs = nc == 1 and w.step == 1 and w.stride <= 2 and 2 <= w.kernel <= 3
    cdef const acc *p
    memset(codes, 0xff, (h1 - h0) * width * size)
    for td in range(d.kernel - 1, -1, -1):
        at_d = work.d * d.stride - d.lo + td * d.step
        if at_d < 0 or at_d >= d.length:
            continue
        for th in range(a.kernel - 1, -1, -1):
            axis_reached(a, th, h0, h1, &ha, &hb)
            if hb <= ha:
                continue
            at = ha * a.stride - a.lo + th * a.step
            p = m + (at - first) * sm + (at_d - work.d0) * (job.x.stride[0] // size)
            h = (td * a.kernel + th) * w.kernel
            if runs:
                # Windows within the border at once, the others by tap.
                locate_columns(work, hb - ha, codes + (ha - h0) * width * size,
                               values + (ha - h0) * sv, sv, p, sm * a.stride, h, work.o0, qa, r)
                if qb > qa:
                    cypool_locate_run(
                        hb - ha, qb - qa, r, codes + ((ha - h0) * width + qa - work.o0) * size,
                        width, values + (ha - h0) * sv + (qa - work.o0), sv,
                        p + (qa * w.stride - w.lo - work.i0), sm * a.stride, w.stride, h,
                        <int>w.kernel)
                locate_columns(work, hb - ha, codes + (ha - h0) * width * size,
                               values + (ha - h0) * sv, sv, p, sm * a.stride, h, qb, work.o1, r)
            else:
                locate_columns(work, hb - ha, codes + (ha - h0) * width * size,
                               values + (ha - h0) * sv, sv, p, sm * a.stride, h, work.o0, work.o1,
                               r)


# The taps of one row of windows o0 <= q < o1, each row of which lies at p.
cdef void locate_columns(
        Work *work, Py_ssize_t rows, char *codes, acc *values, Py_ssize_t sv, const acc *p,
        Py_ssize_t sm, Py_ssize_t code, Py_ssize_t o0, Py_ssize_t o1, reducer *r) noexcept nogil:
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t nc = work.nc, width = (work.o1 - work.o0) * nc, tw, qa, qb, q, at
    cdef const acc *tap
    for tw in range(w.kernel - 1, -1, -1):
        axis_reached(w, tw, o0, o1, &qa, &qb)
        if qb <= qa:
            continue
        tap = p + (qa * w.stride - w.lo + tw * w.step - work.i0) * nc
        at = (qa - work.o0) * nc
        if nc == 1:
            cypool_locate(rows, qb - qa, r, codes + at * <Py_ssize_t>sizeof(acc), width,
                          values + at, sv, tap, sm, w.stride, code + tw)
        elif w.stride == 1:
            cypool_locate(rows, (qb - qa) * nc, r, codes + at * <Py_ssize_t>sizeof(acc), width,
                          values + at, sv, tap, sm, 1, code + tw)
        else:
            for q in range(rows):
                cypool_locate(qb - qa, nc, r,
                              codes + (at + q * width) * <Py_ssize_t>sizeof(acc), nc,
                              values + q * sv + at, nc, tap + q * sm, w.stride * nc, 1, code + tw)


# The same where windows have many taps: what each row makes of its columns, and where that comes
# first, is found once for all windows that see the row, and then which row that was. A band of rows
# at a time, from the last one to the first.
cdef void locate_by_rows(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, acc *values, Py_ssize_t sv, const acc *m,
        Py_ssize_t sm, Py_ssize_t first, char *codes, reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *d = &job.axis[0]
    cdef const Axis *a = &job.axis[1]
    cdef Py_ssize_t nc = work.nc, width = (work.o1 - work.o0) * nc, size = sizeof(acc)
    cdef Py_ssize_t td, th, at_d, h, lo, hi, top, rows, begin, end
    cdef Columns columns
    cdef acc *best = <acc *>codes + job.block * job.tile_w * job.tile_c
    cdef acc *places
    start_columns(work, &columns, nc * size >= VECTOR_LEAST)
    places = best + job.band * columns.pitch
    memset(codes, 0xff, (h1 - h0) * width * size)
    axis_source(a, h0, h1, &lo, &hi)
    for td in range(d.kernel - 1, -1, -1):
        at_d = work.d * d.stride - d.lo + td * d.step
        if at_d < 0 or at_d >= d.length:
            continue
        top = hi
        while top > lo:
            rows = min(job.band, top - lo)
            top -= rows
            best_of_rows(
                work, &columns, rows, best, places, places + job.band * columns.pitch,
                m + (top - first) * sm + (at_d - work.d0) * (job.x.stride[0] // size), sm, r)
            for h in range(h0, h1):
                # Taps begin <= th < end lie in this band.
                th = top + a.lo - h * a.stride
                begin = (th + a.step - 1) // a.step if th > 0 else 0
                th += rows - 1
                end = min(a.kernel, th // a.step + 1) if th >= 0 else 0
                if begin >= end:
                    continue
                th = (end - 1) * a.step + h * a.stride - a.lo - top
                cypool_agree(
                    width, r, <void *>(codes + (h - h0) * width * size), values + (h - h0) * sv,
                    best + th * columns.pitch, <void *>(places + th * columns.pitch),
                    a.step * columns.pitch, end - begin,
                    (td * a.kernel + end - 1) * job.axis[2].kernel, job.axis[2].kernel)


cdef void start_columns(const Work *work, Columns *columns, bint pixels) noexcept nogil:
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t t, at, n = work.o1 - work.o0
    columns.pixels = pixels
    columns.line = (((n - 1) * w.stride + (w.kernel - 1) * w.step) // w.stride + 1) * work.nc
    columns.pitch = n * work.nc if pixels else columns.line
    for t in range(w.kernel):
        at = t * w.step
        columns.apart[t] = at * work.nc
        columns.folded[t] = (
            at % w.stride * work.job.band * columns.line + at // w.stride * work.nc)


# What windows make of some rows, whose first real column is at p, and which taps these are. Pixels
# that are vectors go one by one; others in lines with room for padding, which is not compared.
cdef void best_of_rows(
        const Work *work, const Columns *columns, Py_ssize_t rows, acc *best, acc *places,
        acc *lines, const acc *p, Py_ssize_t sm, reducer *r) noexcept nogil:
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t nc = work.nc, n = work.o1 - work.o0, i, q, j, c, at, line = columns.line
    cdef Py_ssize_t left = w.lo - work.o0 * w.stride + work.i0     # from its padding's first column
    cdef Py_ssize_t begin = w.begin - work.o0, end = w.end - work.o0
    cdef acc nothing = identity(r, best)
    if columns.pixels:
        for i in range(rows):
            for q in range(n):
                at = i * columns.pitch + q * nc
                best_of_window(work, columns, q, 0, nc, best + at, places + at, p + i * sm, r)
        return
    row_fill(lines, ((w.stride - 1) * work.job.band + rows) * line, nothing)
    if w.stride == 1:
        cypool_copy(rows, work.nw * nc, lines + left * nc, line, p, sm)
    for j in range(min(w.stride, work.nw) if w.stride > 1 else 0):
        cypool_pick(
            rows, (work.nw - 1 - j) // w.stride + 1, nc,
            lines + (left + j) % w.stride * work.job.band * line + (left + j) // w.stride * nc,
            line, p + j * nc, sm, w.stride * nc)
    cypool_best((rows - 1) * line + n * nc, r, best, <void *>places, lines, columns.folded,
                <Py_ssize_t>0, w.kernel)
    # What padding may have been taken for is looked at once more.
    for q in range(n):
        if begin <= q < end:
            continue
        for i in range(rows):
            for c in range(nc):
                at = i * line + q * nc + c
                if best[at] == nothing:
                    best_of_window(work, columns, q, c, 1, best + at, places + at, p + i * sm, r)


# The same of one window, n of its values from number c on.
cdef void best_of_window(
        const Work *work, const Columns *columns, Py_ssize_t q, Py_ssize_t c, Py_ssize_t n,
        acc *best, acc *places, const acc *p, reducer *r) noexcept nogil:
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t start, count
    axis_window(w, work.o0 + q, &start, &count)
    if count == 0:
        row_fill(best, n, identity(r, best))
        memset(places, 0x80, n * sizeof(acc))       # (no tap, whatever is added)
        return
    cypool_best(n, r, best, <void *>places, p + (start - work.i0) * work.nc + c, columns.apart,
                (start + w.lo - (work.o0 + q) * w.stride) // w.step, count)


# The same as indices, where they go.
cdef void store_located(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, char *codes, const Run *index,
        acc *_) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *w = &job.axis[2]
    cdef Py_ssize_t width = (work.o1 - work.o0) * work.nc, h, q, wide = 4 if job.index32 else 8
    cdef int64_t at
    cdef acc *line
    cdef char *p
    cdef TapIndex how = cypool_tap_index_of(
        w.step, job.axis[1].step * job.index_h, job.axis[0].step * job.index_d, w.kernel,
        job.axis[1].kernel, job.index32)
    cdef bint small = job.small_indices and (
        index.sw if work.nc == 1 else index.sc) == wide
    if work.nc == 1:
        how.s = w.stride
    for h in range(h0, h1):
        at = (work.d * job.axis[0].stride - job.axis[0].lo) * job.index_d + (
            h * job.axis[1].stride - job.axis[1].lo) * job.index_h - w.lo + work.o0 * w.stride
        p = index.data + (h - h0) * index.sh
        line = <acc *>codes + (h - h0) * width
        if work.nc == 1:
            if small:
                cypool_indices_small(width, line, p, at, &how)
            else:
                cypool_indices(width, line, p, index.sw, at, &how)
            continue
        for q in range(work.o1 - work.o0):
            if small:
                cypool_indices_small(
                    work.nc, line + q * work.nc, p + q * index.sw, at + q * w.stride, &how)
            else:
                cypool_indices(work.nc, line + q * work.nc, p + q * index.sw, index.sc,
                               at + q * w.stride, &how)

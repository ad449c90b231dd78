# Where extremes were found, once their values are known.

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


# The same as indices, where they go.
cdef void store_located(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, char *codes, const Run *index,
        acc *_) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t width = (work.o1 - work.o0) * work.nc, h, q, t
    cdef Py_ssize_t kw = job.axis[2].kernel, kh = job.axis[1].kernel
    cdef int64_t offset[LOCATE]
    cdef int64_t at, step_w = job.axis[2].step
    cdef int64_t step_h = job.axis[1].step * job.index_h - kw * step_w
    cdef int64_t step_d = job.axis[0].step * job.index_d - kh * (step_h + kw * step_w)
    cdef acc *line
    cdef char *p
    memset(offset, 0, sizeof(offset))
    for t in range(job.axis[0].kernel * kh * kw):
        offset[t] = (t // kw // kh * job.axis[0].step * job.index_d
                     + t // kw % kh * job.axis[1].step * job.index_h + t % kw * job.axis[2].step)
    for h in range(h0, h1):
        at = (work.d * job.axis[0].stride - job.axis[0].lo) * job.index_d + (
            h * job.axis[1].stride - job.axis[1].lo) * job.index_h - job.axis[2].lo + (
            work.o0 * job.axis[2].stride)
        p = index.data + (h - h0) * index.sh
        line = <acc *>codes + (h - h0) * width
        if work.nc == 1:
            if job.small_indices and index.sw == (4 if job.index32 else 8):
                cypool_indices_small(width, line, p, job.index32, at, job.axis[2].stride,
                                     step_w, step_h, step_d, kw, kh)
                continue
            cypool_indices(width, line, p, index.sw, job.index32, at, job.axis[2].stride, offset)
            continue
        for q in range(work.o1 - work.o0):
            if job.small_indices and index.sc == (4 if job.index32 else 8):
                cypool_indices_small(
                    work.nc, line + q * work.nc, p + q * index.sw, job.index32,
                    at + q * job.axis[2].stride, 0, step_w, step_h, step_d, kw, kh)
                continue
            cypool_indices(work.nc, line + q * work.nc, p + q * index.sw, index.sc, job.index32,
                           at + q * job.axis[2].stride, 0, offset)

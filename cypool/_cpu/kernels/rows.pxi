# Rows: those under each window, as one.

# Output rows h0 <= h < h1 of one plane, from source rows `first` and on at m.
cdef void fold_rows(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, Py_ssize_t n, acc *y, Py_ssize_t sy,
        const char *m, Py_ssize_t sm, Py_ssize_t first, bint placed, bint eights,
        reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef Py_ssize_t begin = min(max(a.begin, h0), h1), end = min(max(a.end, begin), h1)
    cdef Py_ssize_t h, start, count, phase
    cdef Py_ssize_t size = work.job.size if placed else <Py_ssize_t>sizeof(acc)
    for h in range(h0, begin):
        axis_window(a, h, &start, &count)
        fold_taps(work, 1, n, y + (h - h0) * sy, sy, m + (start - first) * sm * size, sm,
                  sm * a.step, count, <acc *>work.more, placed, eights, r)
    for phase in range(min(a.period, end - begin)):
        h = begin + phase
        axis_window(a, h, &start, &count)
        fold_taps(work, (end - h - 1) // a.period + 1, n, y + (h - h0) * sy, a.period * sy,
                  m + (start - first) * sm * size, sm * a.advance, sm * a.step, count,
                  <acc *>work.more, placed, eights, r)
    for h in range(end, h1):
        axis_window(a, h, &start, &count)
        fold_taps(work, 1, n, y + (h - h0) * sy, sy, m + (start - first) * sm * size, sm,
                  sm * a.step, count, <acc *>work.more, placed, eights, r)


# One output row whose source rows are too many to be in scratch at once: a few of them at a time,
# by the same tree as if they were.
cdef void stream_row(
        Work *work, Py_ssize_t start, Py_ssize_t count, acc *y, acc *more,
        reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t t = 0, i, some, half, step = job.axis[1].step, n = work.nw * work.nc
    cdef acc *source = <acc *>work.source
    cdef bint eights = job.eights and axis_single(&job.axis[0])
    if count > TAPS:
        half = (count // 2 + LEAF - 1) // LEAF * LEAF
        stream_row(work, start, half, y, more, r)
        stream_row(work, start + half * step, count - half, more, more + n, r)
        cypool_add(1, n, r, y, n, more, n)
        return
    while t < count:
        some = min(LEAF - 1 if t == 0 and count % 2 and not eights else LEAF, count - t)
        for i in range(some):
            bring_rows(work, 0, work.d0, work.dn, start + (t + i) * step,
                       start + (t + i) * step + 1, source + i * n, n, <acc *>work.loaded, more, r)
        if t == 0:
            fold_taps(work, 1, n, y, n, <char *>source, n, n, some, more, False, eights, r)
        elif acc is double and reducer is Sum:
            if eights:
                cypool_widen(1, n, y, n, <const double *>source, n, n, some, 1, False)
            else:
                fold_more(n, y, source, some, r)
        else:
            fold_more(n, y, source, some, r)
        t += some


cdef void fold_more(
        Py_ssize_t n, acc *y, const acc *m, Py_ssize_t count, reducer *r) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(0, count, 2):
        cypool_add2(1, n, r, y, n, m + i * n, n, n)


# One row of many long windows that overlap. The rows are cut into blocks as long as a window; with
# what each row of a block makes together with all rows after it in the block, and with all before
# it, every window is two parts (van Herk, Gil and Werman). Sums restart every job.scan_chunk rows,
# and the totals of finished chunks are kept beside them, so that no chain of additions is long.
cdef void scan_row(Work *work, Py_ssize_t h, acc *y, reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *a = &job.axis[1]
    cdef Py_ssize_t n = work.nw * work.nc, k = a.kernel, chunk = job.scan_chunk
    cdef Py_ssize_t at = h * a.stride, block = at // k, i = at % k, j, lo, hi, first
    cdef Py_ssize_t chunks = (k - 1) // chunk + 1
    cdef acc *after = <acc *>work.scans         # k rows
    cdef acc *totals = after + k * n            # of the chunks after each
    cdef acc *before = totals + chunks * n      # this chunk's rows
    cdef acc *finished = before + n             # the chunks before
    cdef acc *brought = finished + n
    cdef bint any_chunk, started = False
    first = block * k - a.lo
    # The block's real rows.
    lo = min(max(-first, 0), k)
    hi = min(max(a.length - first, lo), k)
    if work.scan_block != block:
        work.scan_block = block
        work.scan_done = 0
        for j in range(hi - 1, lo - 1, -1):
            bring_rows(work, 0, work.d0, work.dn, first + j, first + j + 1, after + j * n, n,
                       <acc *>work.loaded, <acc *>work.more, r)
            if j + 1 < hi and (j + 1) % chunk != 0:
                cypool_add(1, n, r, after + j * n, n, after + (j + 1) * n, n)
            if (j == lo or j % chunk == 0) and j >= chunk:
                # What this chunk adds to all before it.
                if j // chunk == (hi - 1) // chunk:
                    cypool_copy(1, n, totals + (j // chunk - 1) * n, n, after + j * n, n)
                else:
                    cypool_join(1, n, r, totals + (j // chunk - 1) * n, n, after + j * n, n,
                                totals + j // chunk * n - (after + j * n))
    if lo < hi and i < hi:
        j = max(i, lo)
        started = True
        if j // chunk < (hi - 1) // chunk:
            cypool_join(1, n, r, y, n, after + j * n, n, totals + j // chunk * n - (after + j * n))
        else:
            cypool_copy(1, n, y, n, after + j * n, n)
    # Rows of the next block, up to the window's last.
    first += k
    lo = max(-first, 0)
    hi = min(a.length - first, i)
    for j in range(max(work.scan_done, lo), hi):
        if j % chunk == 0 or j == lo:
            if j > lo:
                if j // chunk == lo // chunk + 1:
                    cypool_copy(1, n, finished, n, before, n)
                else:
                    cypool_add(1, n, r, finished, n, before, n)
            bring_rows(work, 0, work.d0, work.dn, first + j, first + j + 1, before, n,
                       <acc *>work.loaded, <acc *>work.more, r)
        else:
            bring_rows(work, 0, work.d0, work.dn, first + j, first + j + 1, brought, n,
                       <acc *>work.loaded, <acc *>work.more, r)
            cypool_add(1, n, r, before, n, brought, n)
    work.scan_done = max(work.scan_done, hi)
    if hi > lo:
        if started:
            cypool_add(1, n, r, y, n, before, n)
        else:
            cypool_copy(1, n, y, n, before, n)
        started = True
        if (hi - 1) // chunk > lo // chunk:
            cypool_add(1, n, r, y, n, finished, n)
    if not started:
        row_fill(y, n, identity(r, y))


# Output rows of whole planes that lie in scratch with all their padding.
cdef void fold_padded(Work *work, acc *v, const acc *m, reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *a = &job.axis[1]
    cdef Py_ssize_t rows = work.planes * job.rows_pitch, pitch = job.pitch, length
    cdef Parts parts
    if not job.doubles:
        fold_taps(work, rows, pitch, v, pitch, <const char *>m, a.stride * pitch, a.step * pitch,
                  a.kernel, <acc *>work.more, False, False, r)
        return
    length = work.planes * job.source_rows * pitch
    fold_everywhere(work, m, length + (a.kernel - 1) * a.step * pitch, a.kernel,
                    a.step * pitch, &parts, r)
    join_parts(rows, pitch, v, pitch, &parts, 0, a.stride * pitch, r)

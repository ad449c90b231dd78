# Columns: those under each window, as one.

# All windows of all rows, of which margins make every one whole: n windows of nc values.
cdef void fold_columns(
        Work *work, Py_ssize_t planes, Py_ssize_t rows, acc *y, Py_ssize_t py, Py_ssize_t sy,
        const acc *m, Py_ssize_t pm, Py_ssize_t sm, reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[2]
    cdef Py_ssize_t k = a.kernel, s = a.stride, nc = work.nc, n = work.o1 - work.o0
    cdef Py_ssize_t reach = a.step * nc, length, i, p, q
    cdef Parts parts
    cdef acc *stack = <acc *>work.stack
    cdef const acc *w
    cdef acc *folded
    if planes > 1 and py == rows * sy and pm == rows * sm:
        rows *= planes
        planes = 1
    if work.job.halves:
        for p in range(planes):
            for i in range(rows):
                fold_halves(work, n, y + p * py + i * sy, m + p * pm + i * sm, k, r)
        return
    if work.job.long_windows:
        for p in range(planes):
            for i in range(rows):
                for q in range(n):
                    if acc is double and reducer is Sum and work.job.eights_of_columns:
                        y[p * py + i * sy + q] = total_of(m + p * pm + i * sm + q * s, k, True)
                        continue
                    y[p * py + i * sy + q] = fold_values(m + p * pm + i * sm + q * s, k, 1, r)
        return
    if s == 1 and (k <= FEW or reducer is Sum and k <= DIRECT):
        for p in range(planes):
            fold_vectors(rows, n * nc, y + p * py, sy, m + p * pm, sm, reach, k, stack, r)
        return
    if nc == 1 and a.step == 1 and s == 2 and (k == 2 or k == 3):
        for p in range(planes):
            if k == 2:
                if sy == n and sm == 2 * sy:
                    cypool_pairs(1, rows * n, r, y + p * py, n, m + p * pm, 0)
                else:
                    cypool_pairs(rows, n, r, y + p * py, sy, m + p * pm, sm)
            else:
                if sy == n and sm == 2 * sy:
                    cypool_triples(1, rows * n, r, y + p * py, n, m + p * pm, 0)
                else:
                    cypool_triples(rows, n, r, y + p * py, sy, m + p * pm, sm)
        return
    if nc == 1 and a.step == 1 and s == 2 and k % 2 == 0 and k <= DIRECT:
        # Of pairs.
        folded = <acc *>work.temporary
        for p in range(planes):
            for i in range(rows):
                cypool_pairs(1, n + k // 2 - 1, r, folded, 0, m + p * pm + i * sm, 0)
                fold_pairs(1, n, y + p * py + i * sy, n, folded, 0, 1, k // 2, False, r)
        return
    if nc >= LEAF and (k <= DIRECT or k <= 2 * s):
        for p in range(planes):
            for i in range(rows):
                fold_vectors(n, nc, y + p * py + i * sy, nc, m + p * pm + i * sm, s * nc, reach, k,
                             stack, r)
        return
    # Everywhere, then where windows are. (Rows in place may lie far from each other.)
    if rows * planes > 1 and (sm != work.job.pitch or pm != rows * sm and planes > 1
                              and pm != work.job.rows_pitch * sm):
        for p in range(planes):
            for i in range(rows):
                fold_columns(work, 1, 1, y + p * py + i * sy, 0, 0, m + p * pm + i * sm, 0, 0, r)
        return
    length = (planes - 1) * pm + (rows - 1) * sm + ((n - 1) * s + (k - 1) * a.step + 1) * nc
    if k == 1:
        w = m
    elif nc < LEAF and s > 1:
        folded = <acc *>work.temporary + 3 * work.job.temporary
        if k <= DIRECT:
            fold_vectors(1, length - (k - 1) * reach, folded, 0, m, 0, reach, k, stack, r)
        else:
            fold_everywhere(work, m, length, k, reach, &parts, r)
            length -= (k - 1) * reach
            join_parts(1, length, folded, length, &parts, 0, length, r)
        w = folded
    else:
        fold_everywhere(work, m, length, k, reach, &parts, r)
        for p in range(planes):
            if s == 1:
                join_parts(rows, n * nc, y + p * py, sy, &parts, p * pm, sm, r)
                continue
            for i in range(rows):
                join_parts(n, nc, y + p * py + i * sy, nc, &parts, p * pm + i * sm, s * nc, r)
        return
    for p in range(planes):
        cypool_pick(rows, n, nc, y + p * py, sy, w + p * pm, sm, s * nc)


# Windows next to each other of a power of two of taps: by pairs, until there are no more.
cdef void fold_halves(
        Work *work, Py_ssize_t n, acc *y, const acc *m, Py_ssize_t k, reducer *r) noexcept nogil:
    cdef acc *next = <acc *>work.temporary
    cdef acc *spare = next + work.job.temporary
    cdef acc *swap
    n *= k // 2
    while k > 2:
        cypool_pairs(1, n, r, next, n, m, 0)
        m = next
        swap = next
        next = spare
        spare = swap
        n //= 2
        k //= 2
    cypool_pairs(1, n, r, y, n, m, 0)


# The same straight from the source, where long windows of float32 are summed in float64 and there
# is nothing to do before.
cdef void fold_totals(
        Work *work, Py_ssize_t rows, acc *y, Py_ssize_t py, Py_ssize_t sy, const char *m,
        Py_ssize_t sm, reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[2]
    cdef Py_ssize_t p, i, n = work.o1 - work.o0
    if acc is double and reducer is Sum:
        if rows == 1 and n == 1:
            # One window of each plane.
            some_totals(work, work.planes, a.kernel, y, <const float *>m, work.job.x.group // 4)
            return
        for p in range(work.planes):
            for i in range(rows):
                some_totals(work, n, a.kernel, y + p * py + i * sy,
                            <const float *>(m + p * work.job.x.group) + i * sm, a.stride)


# Likewise extremes. Whether a NaN was met that may be lost.
cdef bint fold_peaks(
        Work *work, Py_ssize_t h0, Py_ssize_t rows, acc *y, Py_ssize_t py, Py_ssize_t sy,
        reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t p, i, size = sizeof(acc), k = job.axis[2].kernel, n = work.o1 - work.o0
    cdef Py_ssize_t pm = job.x.group // size, sm = job.x.stride[1] // size
    cdef const acc *m = <const acc *>(
        work.plane + work.d0 * job.x.stride[0] + h0 * job.axis[1].stride * job.x.stride[1]
        + work.i0 * job.x.stride[2])
    cdef bint found = False
    if rows == 1 and n == 1 and (py == 1 or work.planes == 1):
        # One window of each plane.
        return cypool_peaks(work.planes, k, r, y, m, pm, job.away == FARTHEST)
    for p in range(work.planes):
        for i in range(rows):
            found |= cypool_peaks(
                n, k, r, y + p * py + i * sy, m + p * pm + i * sm, job.axis[2].stride,
                job.away == FARTHEST)
    return found


# Likewise where windows are not all alike: those of a gradient, which has no margins.
cdef void fold_lines(
        Work *work, Py_ssize_t rows, acc *y, Py_ssize_t sy, const acc *m, Py_ssize_t sm,
        reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[2]
    cdef Py_ssize_t nc = work.nc, o0 = work.o0, o1 = work.o1, o, i, start, count, phase, n
    cdef Py_ssize_t begin = min(max(a.begin, o0), o1), end = min(max(a.end, begin), o1)
    cdef acc *stack = <acc *>work.stack
    cdef acc *folded = <acc *>work.temporary
    cdef const acc *line
    cdef acc *to
    if a.kernel == a.stride and a.step == 1 and a.dilation == 1 and nc == 1 and (
            end - begin >= 2 * a.stride):
        # Every source element goes to as many outputs.
        begin += (a.stride - (begin + a.lo) % a.stride) % a.stride
        n = (end - begin) // a.stride
        end = begin + n * a.stride
        axis_window(a, begin, &start, &count)
        for i in range(rows):
            cypool_repeat(n, y + i * sy + (begin - o0), m + i * sm + (start - work.i0), a.stride)
    elif axis_apart(a):
        fold_apart(work, rows, y, sy, m, sm, r)
        return
    else:
        for phase in range(min(a.period, end - begin)):
            o = begin + phase
            n = (end - o - 1) // a.period + 1
            axis_window(a, o, &start, &count)
            for i in range(rows):
                line = m + i * sm + (start - work.i0) * nc
                to = y + i * sy + (o - o0) * nc
                if count == 0:
                    rows_fill(n, nc, to, a.period * nc, identity(r, y))
                    continue
                fold_vectors(1, n * nc, folded, 0, line, 0, a.step * nc, count,
                             folded + work.job.temporary, r)
                if nc == 1:
                    cypool_place(n, to, folded, a.period)
                else:
                    cypool_copy(n, nc, to, a.period * nc, folded, nc)
    for o in range(o0, o1 - (end - begin)):
        if o >= begin:
            o += end - begin
        axis_window(a, o, &start, &count)
        for i in range(rows):
            fold_window(y + i * sy + (o - o0) * nc, m + i * sm + (start - work.i0) * nc, count,
                        a.step, nc, stack, r)


# Windows of a gradient that lie apart: each output sees one of two numbers of neighbours, `most` of
# them or one less, as its place from one window's start to the next says. Both are folded for all
# rows as one line, with zeros between these for what lies outside, and then taken in turns.
cdef void fold_apart(
        Work *work, Py_ssize_t rows, acc *y, Py_ssize_t sy, const acc *m, Py_ssize_t sm,
        reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[2]
    cdef Py_ssize_t nc = work.nc, s = a.stride, most = (a.kernel - 1) // s + 1, i, o, n, phase, q
    cdef Py_ssize_t base = (work.o0 + a.lo) // s - most + 1     # the first window that is asked for
    cdef Py_ssize_t pitch = ((work.o1 - 1 + a.lo) // s - base + 1) * nc, real = work.nw * nc
    cdef Py_ssize_t at = (work.i0 - base) * nc, length, size = work.job.temporary
    cdef acc *line = <acc *>work.temporary
    cdef acc *many = line + size
    cdef acc *fewer = many + size
    cdef const acc *found
    for i in range(rows):
        row_fill(line + i * pitch, at, <acc>0)
        memcpy(line + i * pitch + at, m + i * sm, real * sizeof(acc))
        row_fill(line + i * pitch + at + real, pitch - at - real, <acc>0)
    length = rows * pitch - (most - 1) * nc
    if most == 1:
        many = line
        row_fill(fewer, length, <acc>0)
    else:
        fold_vectors(1, length, many, 0, line, 0, nc, most, fewer + size, r)
        # (One column on: what the last window of `most` sees, but for its first.)
        if most == 2:
            fewer = line + nc
        else:
            fold_vectors(1, length, fewer, 0, line + nc, 0, nc, most - 1, fewer + size, r)
    # Columns come in the order of windows, `first` of each seeing most of them.
    cdef Py_ssize_t first = a.kernel - (most - 1) * s
    if nc == 1 and s == 2:
        o = (work.o0 + a.lo) % 2
        n = (work.o1 - work.o0 - o) // 2
        found = fewer if first == 1 else many
        cypool_weave(rows, n, y + o, sy, many + o, found + o, pitch)
        for i in range(rows):
            if o:
                y[i * sy] = found[i * pitch]
            if o + 2 * n < work.o1 - work.o0:
                y[i * sy + o + 2 * n] = many[i * pitch + o + n]
        return
    for phase in range(min(s, work.o1 - work.o0)):
        o = work.o0 + phase
        q = (o + a.lo) // s - (work.o0 + a.lo) // s
        n = (work.o1 - 1 - o) // s + 1
        found = (many if (o + a.lo) % s < first else fewer) + q * nc
        for i in range(rows):
            if nc == 1:
                cypool_place(n, y + i * sy + phase, found + i * pitch, s)
            else:
                cypool_copy(n, nc, y + i * sy + phase * nc, s * nc, found + i * pitch, nc)


# A window too wide for a line: its columns by pieces. (For sums of long rows of float32: the same
# tree as if it were read in place.)
cdef void fold_wide(
        Work *work, Py_ssize_t h, acc *y, Py_ssize_t start, Py_ssize_t count, acc *stack,
        reducer *r) noexcept nogil:
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t half, h0, hn
    if acc is double and reducer is Sum:
        if work.job.eights_of_columns:
            y[0] = total_wide(work, h, start, count)
            return
    if count <= work.job.wide:
        work.i0 = start
        work.nw = (count - 1) * w.step + 1
        axis_window(&work.job.axis[1], h, &h0, &hn)
        stream_row(work, h0, hn, <acc *>work.rows, <acc *>work.more, r)
        fold_window(y, <acc *>work.rows, count, w.step, work.nc, stack, r)
        return
    half = (count // 2 + work.job.wide - 1) // work.job.wide * work.job.wide
    fold_wide(work, h, y, start, half, stack, r)
    fold_wide(work, h, stack, start + half * w.step, count - half, stack + work.nc, r)
    cypool_add(1, work.nc, r, y, work.nc, stack, work.nc)

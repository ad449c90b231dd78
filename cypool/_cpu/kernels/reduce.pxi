# Rectangular windows by any associative reducer: the rows under a window are folded into one line,
# then the line along its columns, always by the same tree for the same geometry, so that neither
# the cutting of the work nor the instruction set shows in the result. No addition is chained more
# than LEAF deep.
#
# One unit is one row of outputs of one tile (a range of output columns and of inner elements) of
# one plane; consecutive units walk down a tile, so that loaded rows can be met again.

cdef enum:
    LEAF = 8            # values combined by pairs one after the other; longer runs are halved
    LANE = 4            # values combined one after the other within a lane
    LANES = 64          # bytes of a long window's columns folded side by side
    DIRECT = 8          # taps up to which neighbouring windows share nothing
    NAN_BLOCK = 65536   # bytes looked through for NaN at a time: they stay in the nearest caches

cdef struct Work:
    const Job *job
    const char *plane           # x at this plane and the tile's first inner element
    const char *mask            # likewise, or NULL
    Py_ssize_t i0, nw, nc       # source columns of the tile: the first, how many, inner elements
    char *levels                # lines of scratch, one per level of the tree
    char *line                  # the row of outputs before it is stored
    char *margin                # two lines with room for padding, for doubling
    char *stack                 # inner elements, per level of the tree of one window
    char *ring                  # loaded rows
    Py_ssize_t *tags
    Py_ssize_t turn
    Job *counter                # this thread's copy, which writes to counts
    int64_t *counts
    char *counter_scratch


cdef void row_fill(acc *y, Py_ssize_t n, acc value) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = value

cdef inline void row_copy(acc *y, const acc *a, Py_ssize_t n) noexcept nogil:
    memcpy(y, a, n * sizeof(acc))


# --- runs of one line ---

# k values that lie step apart, as one.
cdef acc fold_values(const acc *m, Py_ssize_t k, Py_ssize_t step, reducer *r) noexcept nogil:
    cdef acc lanes[LANES]
    cdef acc v
    cdef Py_ssize_t i, j, half, wide = LANES // sizeof(acc)
    if step == 1 and wide <= k <= LANE * wide:
        for j in range(wide):
            lanes[j] = m[j]
        for i in range(1, k // wide):
            for j in range(wide):
                lanes[j] = combine(lanes[j], m[i * wide + j], r)
        for j in range(k % wide):
            lanes[j] = combine(lanes[j], m[k - k % wide + j], r)
        half = wide // 2
        while half > 0:
            for j in range(half):
                lanes[j] = combine(lanes[j], lanes[j + half], r)
            half //= 2
        return lanes[0]
    if k <= LEAF:
        v = m[0]
        if k % 2 == 0:
            v = combine(v, m[step], r)
        for i in range(2 - k % 2, k - 1, 2):
            v = combine(v, combine(m[i * step], m[(i + 1) * step], r), r)
        return v
    half = max(k // 2 // wide * wide, LEAF)
    return combine(fold_values(m, half, step, r),
                   fold_values(m + half * step, k - half, step, r), r)


# k vectors of n values that lie step apart, as one: for each of many rows. stack holds the inner
# nodes of the tree.
cdef void fold_vectors(
        Py_ssize_t rows, acc *y, Py_ssize_t sy, const acc *m, Py_ssize_t sm, Py_ssize_t k,
        Py_ssize_t step, Py_ssize_t n, acc *stack, reducer *r) noexcept nogil:
    cdef Py_ssize_t i, half
    if k == 1:
        for i in range(rows):
            row_copy(y + i * sy, m + i * sm, n)
    elif k <= LEAF:
        if k % 2 == 0:
            cypool_join(rows, n, r, y, sy, m, sm, step)
        else:
            cypool_join3(rows, n, r, y, sy, m, sm, step, 2 * step)
        for i in range(2 + k % 2, k, 2):
            cypool_add2(rows, n, r, y, sy, m + i * step, sm, step)
    else:
        half = k // 2
        for i in range(rows):
            fold_vectors(1, y + i * sy, n, m + i * sm, n, half, step, n, stack, r)
            fold_vectors(1, stack, n, m + i * sm + half * step, n, k - half, step, n, stack + n, r)
            cypool_add(1, n, r, y + i * sy, n, stack, n)


# One window of every row: count taps of nc values each.
cdef inline void fold_window(
        Py_ssize_t rows, acc *y, Py_ssize_t sy, const acc *m, Py_ssize_t sm, Py_ssize_t count,
        Py_ssize_t step, Py_ssize_t nc, acc *stack, reducer *r) noexcept nogil:
    cdef Py_ssize_t i
    if count == 0:
        for i in range(rows):
            row_fill(y + i * sy, nc, identity(r, y))
    elif nc == 1:
        for i in range(rows):
            y[i * sy] = fold_values(m + i * sm, count, step, r)
    else:
        fold_vectors(rows, y, sy, m, sm, count, step * nc, nc, stack, r)


# n windows of count taps of every row, none of them clipped: window q starts at m + q * advance and
# goes to y + q * period (both in elements). With nothing but outputs to come between rows of y
# (whole), rows may be taken as one, and those between be written over.
cdef void fold_regular(
        Py_ssize_t rows, acc *y, Py_ssize_t sy, const acc *m, Py_ssize_t sm, Py_ssize_t n,
        Py_ssize_t count, Py_ssize_t step, Py_ssize_t advance, Py_ssize_t period, Py_ssize_t nc,
        bint whole, acc *stack, reducer *r) noexcept nogil:
    cdef Py_ssize_t i, q, t, c
    cdef bint halved = nc == 1 and step == 1 and advance == 2 and period == 1
    if count > 0 and advance == nc and period == nc and count <= DIRECT:
        # Neighbouring windows are neighbouring vectors: the whole run is one.
        if whole and sy == sm:
            fold_vectors(1, y, sy, m, sm, count, step * nc, (rows - 1) * sy + n * nc, stack, r)
        else:
            fold_vectors(rows, y, sy, m, sm, count, step * nc, n * nc, stack, r)
    elif halved and (count == 2 or count == 3):
        if whole and sm == 2 * sy:
            n += (rows - 1) * sy
            rows = 1
        if count == 2:
            cypool_pairs(rows, n, r, y, sy, m, sm)
        else:
            cypool_triples(rows, n, r, y, sy, m, sm)
    elif count == 0 or nc >= 8 or count > DIRECT:
        for i in range(rows):
            if nc > 1 and count > 0:
                fold_vectors(n, y + i * sy, period, m + i * sm, advance, count, step * nc, nc,
                             stack, r)
                continue
            for q in range(n):
                fold_window(1, y + i * sy + q * period, 0, m + i * sm + q * advance, 0, count, step,
                            nc, stack, r)
    else:
        for i in range(rows):
            for c in range(nc):
                for q in range(n):
                    y[q * period + c] = m[q * advance + c]
                if count % 2 == 0:
                    for q in range(n):
                        y[q * period + c] = combine(
                            y[q * period + c], m[q * advance + step * nc + c], r)
                for t in range(2 - count % 2, count, 2):
                    for q in range(n):
                        y[q * period + c] = combine(
                            y[q * period + c],
                            combine(m[q * advance + t * step * nc + c],
                                    m[q * advance + (t + 1) * step * nc + c], r), r)
            y += sy
            m += sm


cdef void fold_doubled(
        Py_ssize_t rows, acc *y, const acc *w, Py_ssize_t sw, Py_ssize_t n, bint started,
        reducer *r) noexcept nogil:
    cdef Py_ssize_t i
    if started:
        cypool_add(rows, n, r, y, n, w, sw)
        return
    for i in range(rows):
        row_copy(y + i * n, w + i * sw, n)


# Overlapping windows of k taps at one stride, by doubling: with w[p][i] the combination of the p
# taps from i on, w[2p][i] = w[p][i] and w[p][i + p], and any k is a few powers of two (for a
# maximum two, which may overlap). m has an element for every tap of every window, padding included.
cdef void fold_doubling(
        Work *work, acc *y, acc *m, Py_ssize_t n, Py_ssize_t k, Py_ssize_t step, Py_ssize_t stride,
        Py_ssize_t nc, reducer *r) noexcept nogil:
    cdef acc *w = m
    cdef acc *other = m + work.job.margin
    cdef acc *swap
    cdef Py_ssize_t p = 1, offset = 0, reach = step * nc, q
    cdef Py_ssize_t length = ((n - 1) * stride + (k - 1) * step + 1) * nc
    cdef bint started = False
    if reducer is not Sum:
        while 2 * p <= k:
            length -= p * reach
            cypool_join(1, length, r, other, length, w, length, p * reach)
            swap = w
            w = other
            other = swap
            p *= 2
        if stride == 1:
            cypool_join(1, n * nc, r, y, n * nc, w, n * nc, (k - p) * reach)
        else:
            cypool_join(n, nc, r, y, nc, w, stride * nc, (k - p) * reach)
    else:
        while True:
            if k & p:
                if stride == 1:
                    fold_doubled(1, y, w + offset * reach, n * nc, n * nc, started, r)
                else:
                    fold_doubled(n, y, w + offset * reach, stride * nc, nc, started, r)
                started = True
                offset += p
            if 2 * p > k:
                return
            length -= p * reach
            cypool_join(1, length, r, other, length, w, length, p * reach)
            swap = w
            w = other
            other = swap
            p *= 2


# The windows o0 <= o < o1 of lines that hold the source columns from work.i0 on.
cdef void fold_lines(
        Work *work, Py_ssize_t rows, acc *y, Py_ssize_t sy, const acc *m, Py_ssize_t sm,
        Py_ssize_t o0, Py_ssize_t o1, acc *stack, reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[2]
    cdef Py_ssize_t nc = work.nc, o, start, count, phase, begin, end, before, n, i
    cdef acc *margin = <acc *>work.margin
    if work.job.margin > 0:
        n = ((o1 - o0 - 1) * a.stride + (a.kernel - 1) * a.dilation + 1) * nc
        before = (work.i0 - (o0 * a.stride - a.lo)) * nc
        for i in range(rows):
            row_fill(margin, n, identity(r, y))
            if before < n:
                row_copy(margin + before, m + i * sm, min(work.nw * nc, n - before))
            fold_doubling(work, y + i * sy, margin, o1 - o0, a.kernel, a.dilation, a.stride, nc, r)
        return
    begin = min(max(a.begin, o0), o1)
    end = min(max(a.end, begin), o1)
    for phase in range(min(a.period, end - begin)):
        o = begin + phase
        axis_window(a, o, &start, &count)
        fold_regular(rows, y + (o - o0) * nc, sy, m + (start - work.i0) * nc, sm,
                     (end - o - 1) // a.period + 1, count, a.step, a.advance * nc, a.period * nc,
                     nc, sy == (o1 - o0) * nc, stack, r)
    # Last, as rows that were taken as one have written over these.
    for o in range(o0, begin):
        axis_window(a, o, &start, &count)
        fold_window(rows, y + (o - o0) * nc, sy, m + (start - work.i0) * nc, sm, count, a.step, nc,
                    stack, r)
    for o in range(end, o1):
        axis_window(a, o, &start, &count)
        fold_window(rows, y + (o - o0) * nc, sy, m + (start - work.i0) * nc, sm, count, a.step, nc,
                    stack, r)


# --- rows under a window ---

# Elements that do not count become what changes nothing.
cdef void row_mask(acc *line, const Run *mask, acc nothing) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef const char *p
    for i in range(mask.nw):
        p = mask.data + i * mask.sw
        for j in range(mask.nc):
            if (<const uint8_t *>(p + j * mask.sc))[0] == 0:
                line[i * mask.nc + j] = nothing


# A window of rows: dn x hn of them, numbered row-major.
cdef struct Rows:
    Py_ssize_t d0, dn, h0, hn

# Loads a run, by pieces where columns are those of several rows.
cdef void load_run(const Job *job, const Run *run, void *line, size_t size) noexcept nogil:
    cdef Run piece = run[0]
    cdef Py_ssize_t done = 0, column
    if job.columns == 0:
        job.load(job, run, line, run.data)
        return
    while done < run.nw:
        column = (run.w + done) % job.columns
        piece.data = run.data + (
            (run.w + done) // job.columns * job.column_rows + column * run.sw - run.w * run.sw)
        piece.w = run.w + done
        piece.nw = min(job.columns - column, run.nw - done)
        job.load(job, &piece, <char *>line + done * run.nc * size, piece.data)
        done += piece.nw


cdef const acc *source_row(
        Work *work, const Rows *rows, Py_ssize_t t, reducer *r, acc *_) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t d = rows.d0 + t // rows.hn * job.axis[0].step
    cdef Py_ssize_t h = rows.h0 + t % rows.hn * job.axis[1].step
    cdef const char *x = work.plane + (
        d * job.x.stride[0] + h * job.x.stride[1] + work.i0 * job.x.stride[2])
    cdef Py_ssize_t slot, tag
    cdef acc *line
    cdef Run run
    if job.load == NULL:
        return <const acc *>x
    tag = d * job.axis[1].length + h
    if job.ring_h > 0:
        slot = d % job.ring_d * job.ring_h + h % job.ring_h
    else:
        work.turn ^= 1
        slot = work.turn
    line = <acc *>work.ring + slot * job.source
    if job.ring_h == 0 or work.tags[slot] != tag:
        run.data = <char *>x
        run.nh = 1
        run.nw = work.nw
        run.nc = work.nc
        run.sh = 0
        run.sw = job.x.stride[2]
        run.sc = job.x.inner
        run.d = d
        run.h = h
        run.w = work.i0
        load_run(job, &run, line, sizeof(acc))
        if work.mask != NULL:
            run.data = <char *>work.mask + (
                d * job.mask.stride[0] + h * job.mask.stride[1] + work.i0 * job.mask.stride[2])
            run.sw = job.mask.stride[2]
            run.sc = job.mask.inner
            row_mask(line, &run, identity(r, _))
        work.tags[slot] = tag
    return line


cdef const acc *fold_rows(
        Work *work, const Rows *rows, Py_ssize_t t0, Py_ssize_t t1, Py_ssize_t level,
        reducer *r, acc *unused) noexcept nogil:
    cdef Py_ssize_t n = work.nw * work.nc, t, half
    cdef acc *y = <acc *>work.levels + level * work.job.source
    cdef const acc *a
    cdef const acc *b
    a = source_row(work, rows, t0, r, unused)
    if t1 - t0 == 1:
        return a
    if t1 - t0 <= LEAF:
        # By pairs, the first of them a triple if need be. Loaded rows are two at a time in memory,
        # or all of a window's.
        b = source_row(work, rows, t0 + 1, r, unused)
        cypool_join(1, n, r, y, n, a, n, b - a)
        t = t0 + 2
        if (t1 - t0) % 2:
            cypool_add(1, n, r, y, n, source_row(work, rows, t, r, unused), n)
            t += 1
        while t < t1:
            a = source_row(work, rows, t, r, unused)
            b = source_row(work, rows, t + 1, r, unused)
            cypool_add2(1, n, r, y, n, a, n, b - a)
            t += 2
        return y
    # What is left is at most half: fewer rows never take more levels.
    half = ((t1 - t0) // 2 + LEAF - 1) // LEAF * LEAF
    fold_rows(work, rows, t0, t0 + half, level, r, y)
    cypool_add(1, n, r, y, n, fold_rows(work, rows, t0 + half, t1, level + 1, r, y), n)
    return y


# Several rows of outputs whose windows of rows are whole and lie in place: as one block of lines.
cdef const acc *fold_block(
        Work *work, const Rows *window, Py_ssize_t rows, Py_ssize_t *pitch, reducer *r,
        acc *_) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t n = work.nw * work.nc, taps = window.dn * window.hn, t
    cdef Py_ssize_t sm = job.x.stride[1] // <Py_ssize_t>sizeof(acc) * job.axis[1].stride
    cdef acc *y = <acc *>work.levels
    cdef const acc *a = source_row(work, window, 0, r, _)
    if taps == 1:
        pitch[0] = sm
        return a
    pitch[0] = n
    if taps % 2 == 0:
        cypool_join(rows, n, r, y, n, a, sm, source_row(work, window, 1, r, _) - a)
    else:
        cypool_join3(rows, n, r, y, n, a, sm, source_row(work, window, 1, r, _) - a,
                     source_row(work, window, 2, r, _) - a)
    for t in range(2 + taps % 2, taps, 2):
        a = source_row(work, window, t, r, _)
        cypool_add2(rows, n, r, y, n, a, sm, source_row(work, window, t + 1, r, _) - a)
    return y
    cypool_join3(rows, n, r, y, n, a, sm, source_row(work, window, 1, r, _) - a,
                 source_row(work, window, 2, r, _) - a)
    for t in range(3, taps - 1, 2):
        a = source_row(work, window, t, r, _)
        cypool_add2(rows, n, r, y, n, a, sm, source_row(work, window, t + 1, r, _) - a)
    if taps % 2 == 0:
        cypool_add(rows, n, r, y, n, source_row(work, window, taps - 1, r, _), sm)
    return y


# --- a window too wide for a line: its columns by pieces ---

cdef void fold_wide(
        Work *work, const Rows *rows, acc *y, Py_ssize_t start, Py_ssize_t count, acc *stack,
        reducer *r) noexcept nogil:
    cdef Py_ssize_t step = work.job.axis[2].step, half, slot
    if count <= work.job.wide:
        work.i0 = start
        work.nw = (count - 1) * step + 1
        for slot in range(max(work.job.ring_h * work.job.ring_d, 1)):
            work.tags[slot] = -1
        fold_window(1, y, 0, fold_rows(work, rows, 0, rows.dn * rows.hn, 0, r, y), 0, count, step,
                    work.nc, stack, r)
        return
    half = (count // 2 + work.job.wide - 1) // work.job.wide * work.job.wide
    fold_wide(work, rows, y, start, half, stack, r)
    fold_wide(work, rows, stack, start + half * step, count - half, stack + work.nc, r)
    cypool_add(1, work.nc, r, y, work.nc, stack, work.nc)


# --- units ---

# Rows first <= row < last of one tile; unit is the first one's.
cdef void reduce_tile(
        Work *work, Py_ssize_t plane, Py_ssize_t unit, Py_ssize_t first, Py_ssize_t last,
        Py_ssize_t o0, Py_ssize_t o1, Py_ssize_t c0, reducer *r, acc *unused) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *heights = &job.axis[1]
    cdef Py_ssize_t row = first, d, h, start, count, block, pitch, sy
    cdef Py_ssize_t width = (o1 - o0) * work.nc
    cdef Rows rows
    cdef Run run, index
    cdef const acc *m
    cdef acc *y
    cdef acc *stack = <acc *>work.stack
    cdef char *out = job.y.data + outer_offset(job, &job.y, plane) + c0 * job.y.inner
    cdef char *out_index = NULL
    if job.index.data != NULL:
        out_index = job.index.data + outer_offset(job, &job.index, plane) + c0 * job.index.inner
    while row < last:
        d = row // heights.outputs
        h = row % heights.outputs
        axis_window(&job.axis[0], d, &rows.d0, &rows.dn)
        axis_window(heights, h, &rows.h0, &rows.hn)
        run.data = out + (
            d * job.y.stride[0] + h * job.y.stride[1] + o0 * job.y.stride[2])
        if job.store == NULL:
            y = <acc *>run.data
            sy = job.y.stride[1] // <Py_ssize_t>sizeof(acc)
        else:
            y = <acc *>work.line
            sy = width
        block = 1
        if rows.dn * rows.hn == 0 or work.nw == 0 and job.wide == 0:
            row_fill(y, width, identity(r, y))
        elif job.wide > 0:
            axis_window(&job.axis[2], o0, &start, &count)
            if count == 0:
                row_fill(y, width, identity(r, y))
            else:
                fold_wide(work, &rows, y, start, count, stack, r)
        elif job.block > 1 and heights.begin <= h < heights.end:
            block = min(last - row, min(heights.end - h, job.block))
            m = fold_block(work, &rows, block, &pitch, r, y)
            fold_lines(work, block, y, sy, m, pitch, o0, o1, stack, r)
        else:
            m = fold_rows(work, &rows, 0, rows.dn * rows.hn, 0, r, y)
            fold_lines(work, 1, y, width, m, 0, o0, o1, stack, r)
        row += block
        if job.store == NULL:
            continue
        run.nh = block
        run.nw = o1 - o0
        run.nc = work.nc
        run.sh = job.y.stride[1]
        run.sw = job.y.stride[2]
        run.sc = job.y.inner
        run.d = d
        run.h = h
        run.w = o0
        if job.counter != NULL:
            # Same geometry, same units: this one's counts. (A mask rules blocks out.)
            reduce_units(work.counter, unit, unit + 1, work.counter_scratch, <Sum *>NULL,
                         <int64_t *>NULL)
            index.data = <char *>work.counts
            unit += 1
        if out_index != NULL:
            index = run
            index.data = out_index + (
                d * job.index.stride[0] + h * job.index.stride[1] + o0 * job.index.stride[2])
            index.sh = job.index.stride[1]
            index.sw = job.index.stride[2]
            index.sc = job.index.inner
        job.store(job, &run, &index, y, run.data)


# Whether a NaN lies among the source rows of the output rows first <= row < last (of one d).
cdef bint tile_has_nan(
        Work *work, Py_ssize_t first, Py_ssize_t last, real *unused) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t d0, dn, h0, h1, i, h, n = work.nw * work.nc
    cdef Py_ssize_t heights = job.axis[1].outputs
    cdef const char *x
    axis_window(&job.axis[0], first // heights, &d0, &dn)
    axis_source(&job.axis[1], first % heights, (last - 1) % heights + 1, &h0, &h1)
    for i in range(dn):
        x = work.plane + (d0 + i * job.axis[0].step) * job.x.stride[0] + work.i0 * job.x.stride[2]
        if job.x.stride[1] == n * <Py_ssize_t>sizeof(real):
            if cypool_has_nan((h1 - h0) * n, <const real *>(x + h0 * job.x.stride[1])):
                return True
            continue
        for h in range(h0, h1):
            if cypool_has_nan(n, <const real *>(x + h * job.x.stride[1])):
                return True
    return False


cdef Py_ssize_t outer_offset(const Job *job, const Array *array, Py_ssize_t plane) noexcept nogil:
    cdef Py_ssize_t offset = 0
    cdef int i
    for i in range(job.outer_ndim - 1, -1, -1):
        offset += plane % job.outer_shape[i] * array.outer[i]
        plane //= job.outer_shape[i]
    return offset


cdef void reduce_units(
        const Job *job, Py_ssize_t first, Py_ssize_t last, char *scratch, reducer *r,
        acc *_) noexcept nogil:
    cdef Work work
    cdef Job counter
    cdef Py_ssize_t u = first, row, rows, block, rest, plane, tile_c, tile_w, o0, o1, c0, slots
    cdef Py_ssize_t source = job.source * sizeof(acc)
    work.job = job
    slots = 0 if job.load == NULL else max(job.ring_h * job.ring_d, 2)
    work.levels = scratch
    work.margin = work.levels + max(job.levels, job.block) * source
    work.ring = work.margin + 2 * job.margin * sizeof(acc)
    work.line = work.ring + slots * source
    work.stack = work.line + job.line * sizeof(acc)
    work.tags = <Py_ssize_t *>(work.stack + job.stack * sizeof(acc))
    work.turn = 0
    work.mask = NULL
    if job.counter != NULL:
        work.counts = <int64_t *>(<char *>work.tags + (slots * sizeof(Py_ssize_t) + 63) // 64 * 64)
        work.counter_scratch = <char *>(work.counts + job.line)
        counter = job.counter[0]
        counter.y.data = <char *>work.counts
        work.counter = &counter
    while u < last:
        row = u % job.rows
        rest = u // job.rows
        tile_c = rest % job.tiles_c
        rest //= job.tiles_c
        tile_w = rest % job.tiles_w
        plane = rest // job.tiles_w
        rows = min(last - u, job.rows - row)
        o0 = tile_w * job.tile_w
        o1 = min(o0 + job.tile_w, job.axis[2].outputs)
        c0 = tile_c * job.tile_c
        work.nc = min(job.tile_c, job.inner - c0)
        axis_source(&job.axis[2], o0, o1, &work.i0, &work.nw)
        work.nw -= work.i0
        work.plane = job.x.data + outer_offset(job, &job.x, plane) + c0 * job.x.inner
        if job.mask.data != NULL:
            work.mask = job.mask.data + outer_offset(job, &job.mask, plane) + c0 * job.mask.inner
        for rest in range(slots):
            work.tags[rest] = -1
        while rows > 0:
            block = rows
            if (acc is float or acc is double) and (reducer is Max or reducer is Min):
                # With no NaN about, one instruction takes a maximum.
                block = min(rows, job.axis[1].outputs - row % job.axis[1].outputs,
                            nan_block(&work, sizeof(acc)))
                if job.load != NULL or job.wide > 0 or tile_has_nan(
                        &work, row, row + block, _):
                    if reducer is Max:
                        reduce_tile(&work, plane, u, row, row + block, o0, o1, c0,
                                    <NanMax *>NULL, _)
                    else:
                        reduce_tile(&work, plane, u, row, row + block, o0, o1, c0,
                                    <NanMin *>NULL, _)
                else:
                    reduce_tile(&work, plane, u, row, row + block, o0, o1, c0, r, _)
            else:
                reduce_tile(&work, plane, u, row, row + block, o0, o1, c0, r, _)
            row += block
            rows -= block
            u += block


# Output rows whose source, NAN_BLOCK or less, is looked through at a time.
cdef Py_ssize_t nan_block(const Work *work, size_t size) noexcept nogil:
    cdef const Axis *h = &work.job.axis[1]
    cdef Py_ssize_t row = max(work.nw * work.nc * <Py_ssize_t>size * work.job.axis[0].kernel, 1)
    return max(1, (NAN_BLOCK // row - h.kernel * h.dilation) // h.stride)

# One unit of work is a block of output rows of one tile (a range of output columns and of inner
# elements) of one plane, or of a group of small planes. It goes through up to four stages, each a
# few calls on many rows at once:
#
#   bring     source rows into scratch, where they cannot be read in place: turned into the type
#             they are combined in, gathered, masked, combined along the leading axis
#   rows      the rows under each window, as one
#   columns   the columns under each window, as one
#   store     results to where they go, where they were not written there in the first place
#
# Scratch rows have room for the padding of their columns (and where whole planes fit, of their
# rows), filled with what changes nothing: no window is clipped then.

# --- divisors of averages ---

cdef struct Divisor:
    const Axis *axis
    bint include_pad
    Py_ssize_t row          # the part of this row of windows
    Py_ssize_t override

cdef inline void divisor_start(
        Divisor *divisor, const Job *job, Py_ssize_t d, Py_ssize_t h) noexcept nogil:
    divisor.axis = &job.divisor[2]
    divisor.include_pad = job.include_pad
    divisor.override = job.divisor_override
    divisor.row = axis_divisor(&job.divisor[0], d, job.include_pad) * axis_divisor(
        &job.divisor[1], h, job.include_pad)

# Never 0: a window without a tap has a sum of 0, and a mean of 0.
cdef inline Py_ssize_t divisor_of(const Divisor *divisor, Py_ssize_t w) noexcept nogil:
    cdef Py_ssize_t by
    if divisor.override != 0:
        return divisor.override
    by = divisor.row * axis_divisor(divisor.axis, w, divisor.include_pad)
    return by if by > 0 else 1


cdef struct Work:
    const Job *job
    const char *plane           # x at the first plane and the tile's first inner element
    const char *mask            # likewise, or NULL
    Py_ssize_t first, planes    # the planes of the group
    Py_ssize_t o0, o1, c0       # outputs of the tile
    Py_ssize_t i0, nw, nc       # source columns of the tile: the first, how many, inner elements
    Py_ssize_t left, columns    # padding before them; how many there are with all padding
    Py_ssize_t d, d0, dn        # the output along the leading axis, and its window
    char *source                # stage bring: rows, and further ones to combine with
    char *loaded
    char *rows                  # stage rows
    char *temporary             # three lines as long as the longest of these
    char *line                  # outputs that are not written in place
    char *more                  # inner nodes of trees of rows
    char *stack                 # likewise of one window's columns
    char *scans                 # partial results of long windows of rows, and
    Py_ssize_t scan_block, scan_done        # which these are
    char *running               # running sums of columns, then two rows, and
    Py_ssize_t run_lo, run_hi   # of which rows they are
    bint runs                   # whether there are any for this plane
    double grid                 # times 3 * 2^51, or 0, and
    Py_ssize_t grid_at          # of which plane or row it is
    char *codes                 # stage store: where maxima were found
    char *index                 # where these go if they are found at once, or NULL: alike to values
    char *values                # from here on
    Py_ssize_t index_plane      # the plane of the group that is at hand
    int32_t *divisors           # of an average's columns, or plane
    double by                   # what windows are divided by where they are made
    Divisor divisor             # of a row of these, unless all are alike
    Py_ssize_t clean            # source rows before this one have been looked through for NaN
    Py_ssize_t margin_left, margin_nw       # for which columns scratch rows have margins
    Job *counter                # this thread's copy, which writes to counts
    int64_t *counts
    char *counter_scratch

cdef extern from "cypool_firsts.h":
    ctypedef struct Firsts "cypool_firsts_of":
        Py_ssize_t planes, rows, n, py, sy, pa, sa, step, at, from_ "from", to
        char *index
        int taps, index32
    # A macro that chooses a function by the type of values.
    bint cypool_firsts(const Firsts *, ...) noexcept nogil

include "fold.pxi"


# --- bring ---

# Elements that do not count become what changes nothing.
cdef void row_mask(acc *line, const Run *mask, acc nothing) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef const char *p
    for i in range(mask.nw):
        p = mask.data + i * mask.sw
        for j in range(mask.nc):
            if (<const uint8_t *>(p + j * mask.sc))[0] == 0:
                line[i * mask.nc + j] = nothing


# Rows h0 <= h < h1 at d of one plane, by the job's loader. An axis that was joined from others is
# gathered from where these lie: columns in runs, rows one by one.
cdef void load_rows(
        Work *work, Py_ssize_t plane, Py_ssize_t d, Py_ssize_t h0, Py_ssize_t h1, acc *y,
        Py_ssize_t sy, reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef Run run, piece
    cdef Py_ssize_t h, done = 0
    run.data = <char *>work.plane + plane * job.x.group + (
        d * job.x.stride[0] + h0 * job.x.stride[1] + work.i0 * job.x.stride[2])
    run.nh = h1 - h0
    run.nw = work.nw
    run.nc = work.nc
    run.sh = job.x.stride[1]
    run.sw = job.x.stride[2]
    run.sc = job.x.inner
    run.d = d
    run.h = h0
    run.w = work.i0
    run.pitch = sy
    if job.joined == 0:
        job.load(job, &run, y, run.data)
    elif job.joined == 1:
        piece = run
        piece.nh = 1
        for h in range(h0, h1):
            piece.data = <char *>work.plane + plane * job.x.group + (
                d * job.x.stride[0] + joined_offset(job, h) + work.i0 * job.x.stride[2])
            piece.h = h
            job.load(job, &piece, y + (h - h0) * sy, piece.data)
    else:
        piece = run
        while done < work.nw:
            piece.w = work.i0 + done
            piece.data = <char *>work.plane + plane * job.x.group + (
                d * job.x.stride[0] + h0 * job.x.stride[1] + joined_offset(job, piece.w))
            piece.nw = min(job.joined_columns - piece.w % job.joined_columns, work.nw - done)
            job.load(job, &piece, y + done * work.nc, piece.data)
            done += piece.nw
    if work.mask == NULL:
        return
    for h in range(h0, h1):
        run.data = <char *>work.mask + plane * job.mask.group + (
            d * job.mask.stride[0] + h * job.mask.stride[1] + work.i0 * job.mask.stride[2])
        run.sw = job.mask.stride[2]
        run.sc = job.mask.inner
        row_mask(y + (h - h0) * sy, &run, identity(r, y))


# Where element i of a joined axis lies.
cdef Py_ssize_t joined_offset(const Job *job, Py_ssize_t i) noexcept nogil:
    cdef Py_ssize_t row = i // job.joined_columns
    return (i % job.joined_columns * job.joined_stride[2]
            + row % job.joined_rows * job.joined_stride[1]
            + row // job.joined_rows * job.joined_stride[0])


# Rows h0 <= h < h1 of one plane: each combined from count rows along the leading axis.
cdef void bring_rows(
        Work *work, Py_ssize_t plane, Py_ssize_t d, Py_ssize_t count, Py_ssize_t h0,
        Py_ssize_t h1, acc *y, Py_ssize_t sy, acc *loaded, reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t t, half, step = job.axis[0].step, n = work.nw * work.nc, some, i
    cdef Py_ssize_t size = (h1 - h0) * n
    if h1 <= h0:
        return
    if job.load == NULL:
        fold_taps(work, h1 - h0, n, y, sy,
                  work.plane + plane * job.x.group + (
                      d * job.x.stride[0] + h0 * job.x.stride[1] + work.i0 * job.x.stride[2]),
                  job.x.stride[1] // job.size, job.x.stride[0] // job.size * step, count,
                  <acc *>work.more, job.narrow, False, r)
        return
    if count > TAPS:
        half = (count // 2 + LEAF - 1) // LEAF * LEAF
        bring_rows(work, plane, d, half, h0, h1, y, sy, loaded, r)
        bring_rows(work, plane, d + half * step, count - half, h0, h1, loaded, n, loaded + size, r)
        cypool_add(h1 - h0, n, r, y, sy, loaded, n)
        return
    if count == 1:
        load_rows(work, plane, d, h0, h1, y, sy, r)
        return
    # By the same tree as in place.
    if acc is double and reducer is Sum:
        if job.quads:
            for t in range(0, count, 8):    # (LEAF)
                some = min(count - t, LEAF)
                for i in range(some):
                    load_rows(work, plane, d + (t + i) * step, h0, h1, loaded + i * size, n, r)
                cypool_widen(h1 - h0, n, y, sy, <const double *>loaded, n, size, some, t > 0)
            return
    for t in range(2 + count % 2):
        load_rows(work, plane, d + t * step, h0, h1, loaded + t * size, n, r)
    if count % 2 == 0:
        cypool_join(h1 - h0, n, r, y, sy, loaded, n, size)
    else:
        cypool_join3(h1 - h0, n, r, y, sy, loaded, n, size, 2 * size)
    for t in range(2 + count % 2, count, 2):
        load_rows(work, plane, d + t * step, h0, h1, loaded, n, r)
        load_rows(work, plane, d + (t + 1) * step, h0, h1, loaded + size, n, r)
        cypool_add2(h1 - h0, n, r, y, sy, loaded, n, size)


# Margins of scratch rows, unless they are there from the tile before.
cdef void make_margins(Work *work, reducer *r, acc *_) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t rows = job.group * job.rows_pitch
    cdef acc nothing = identity(r, _)
    if work.left == work.margin_left and work.nw == work.margin_nw:
        return
    work.margin_left = work.left
    work.margin_nw = work.nw
    if job.source_rows > 0:
        row_fill(<acc *>work.source, job.group * job.source_rows * job.pitch, nothing)
    row_fill(<acc *>work.rows, rows * job.pitch, nothing)


# --- rows ---

# Output rows h0 <= h < h1 of one plane, from source rows `first` and on at m.
cdef void fold_rows(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, Py_ssize_t n, acc *y, Py_ssize_t sy,
        const char *m, Py_ssize_t sm, Py_ssize_t first, bint narrow, bint quads,
        reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef Py_ssize_t begin = min(max(a.begin, h0), h1), end = min(max(a.end, begin), h1)
    cdef Py_ssize_t h, start, count, phase
    cdef Py_ssize_t size = work.job.size if narrow else <Py_ssize_t>sizeof(acc)
    for h in range(h0, begin):
        axis_window(a, h, &start, &count)
        fold_taps(work, 1, n, y + (h - h0) * sy, sy, m + (start - first) * sm * size, sm,
                  sm * a.step, count, <acc *>work.more, narrow, quads, r)
    for phase in range(min(a.period, end - begin)):
        h = begin + phase
        axis_window(a, h, &start, &count)
        fold_taps(work, (end - h - 1) // a.period + 1, n, y + (h - h0) * sy, a.period * sy,
                  m + (start - first) * sm * size, sm * a.advance, sm * a.step, count,
                  <acc *>work.more, narrow, quads, r)
    for h in range(end, h1):
        axis_window(a, h, &start, &count)
        fold_taps(work, 1, n, y + (h - h0) * sy, sy, m + (start - first) * sm * size, sm,
                  sm * a.step, count, <acc *>work.more, narrow, quads, r)


# One output row whose source rows are too many to be in scratch at once: a few of them at a time,
# by the same tree as if they were.
cdef void stream_row(
        Work *work, Py_ssize_t start, Py_ssize_t count, acc *y, acc *more,
        reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t t = 0, i, some, half, step = job.axis[1].step, n = work.nw * work.nc
    cdef acc *source = <acc *>work.source
    cdef bint quads = job.quads and axis_single(&job.axis[0])
    if count > TAPS:
        half = (count // 2 + LEAF - 1) // LEAF * LEAF
        stream_row(work, start, half, y, more, r)
        stream_row(work, start + half * step, count - half, more, more + n, r)
        cypool_add(1, n, r, y, n, more, n)
        return
    while t < count:
        some = min(LEAF - 1 if t == 0 and count % 2 and not quads else LEAF, count - t)
        for i in range(some):
            bring_rows(work, 0, work.d0, work.dn, start + (t + i) * step,
                       start + (t + i) * step + 1, source + i * n, n, <acc *>work.loaded, r)
        if t == 0:
            fold_taps(work, 1, n, y, n, <char *>source, n, n, some, more, False, quads, r)
        elif acc is double and reducer is Sum:
            if quads:
                cypool_widen(1, n, y, n, <const double *>source, n, n, some, 1)
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
                       <acc *>work.loaded, r)
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
                       <acc *>work.loaded, r)
        else:
            bring_rows(work, 0, work.d0, work.dn, first + j, first + j + 1, brought, n,
                       <acc *>work.loaded, r)
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


include "running.pxi"


# --- columns ---

# All windows of all rows, of which margins make every one whole: n windows of nc values.
cdef void fold_columns(
        Work *work, Py_ssize_t planes, Py_ssize_t rows, acc *y, Py_ssize_t py, Py_ssize_t sy,
        const acc *m, Py_ssize_t pm, Py_ssize_t sm, reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[2]
    cdef Py_ssize_t k = a.kernel, s = a.stride, nc = work.nc, n = work.o1 - work.o0
    cdef Py_ssize_t reach = a.step * nc, length, other, i, p, q
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
                    if acc is double and reducer is Sum and work.job.quad_columns:
                        y[p * py + i * sy + q] = total_of(m + p * pm + i * sm + q * s, k, True)
                        continue
                    y[p * py + i * sy + q] = fold_values(m + p * pm + i * sm + q * s, k, 1, r)
        return
    if s == 1 and (k <= 3 or reducer is Sum and k <= DIRECT):
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
            w = fold_everywhere(work, m, length, k, reach, &other, r)
            length -= (k - 1) * reach
            cypool_join(1, length, r, folded, length, w, length, other)
        w = folded
    else:
        w = fold_everywhere(work, m, length, k, reach, &other, r)
        for p in range(planes):
            if s == 1:
                cypool_join(rows, n * nc, r, y + p * py, sy, w + p * pm, sm, other)
                continue
            for i in range(rows):
                cypool_join(n, nc, r, y + p * py + i * sy, nc, w + p * pm + i * sm, s * nc, other)
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
    cdef const float *x
    cdef Py_ssize_t p, i, q
    if acc is double and reducer is Sum:
        if rows == 1 and work.o1 - work.o0 == 1 and a.kernel <= TOTAL:
            # One window of each plane.
            totals_f32(work.planes, a.kernel, y, <const float *>m, work.job.x.group // 4)
            return
        for p in range(work.planes):
            for i in range(rows):
                x = <const float *>(m + p * work.job.x.group) + i * sm
                if a.kernel <= TOTAL:
                    totals_f32(work.o1 - work.o0, a.kernel, y + p * py + i * sy, x, a.stride)
                    continue
                for q in range(work.o1 - work.o0):
                    y[p * py + i * sy + q] = total_of(x + q * a.stride, a.kernel, False)


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
        return cypool_peaks(work.planes, k, r, y, m, pm)
    for p in range(work.planes):
        for i in range(rows):
            found |= cypool_peaks(
                n, k, r, y + p * py + i * sy, m + p * pm + i * sm, job.axis[2].stride)
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


# Gradients of windows that neither overlap nor leave anything between them, along rows and along
# columns: every source element goes to a block of outputs. Source rows `first` and on lie at m.
cdef void fold_repeats(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, real *y, Py_ssize_t sy, const real *m,
        Py_ssize_t sm, Py_ssize_t first) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef Py_ssize_t h = h0, kh, rows, start, count
    while h < h1:
        # One row of windows, perhaps a part of it, or all that are whole.
        kh = min(a.stride - (h + a.lo) % a.stride, h1 - h)
        rows = 1
        axis_window(a, h, &start, &count)
        if count == 0:
            rows_fill(kh, (work.o1 - work.o0) * work.nc, y + (h - h0) * sy, sy, <real>0)
        else:
            if kh == a.stride:
                rows = min((h1 - h) // kh, a.length - start)
            repeat_columns(work, rows, kh, y + (h - h0) * sy, sy, m + (start - first) * sm, sm)
        h += rows * kh


cdef void repeat_columns(
        Work *work, Py_ssize_t rows, Py_ssize_t kh, real *y, Py_ssize_t sy, const real *m,
        Py_ssize_t sm) noexcept nogil:
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t o = work.o0, nc = work.nc, n, kw, start, count
    while o < work.o1:
        kw = min(w.stride - (o + w.lo) % w.stride, work.o1 - o)
        n = 1
        axis_window(w, o, &start, &count)
        if count == 0:
            rows_fill(rows * kh, kw * nc, y + (o - work.o0) * nc, sy, <real>0)
        else:
            if kw == w.stride:
                n = min((work.o1 - o) // kw, w.length - start)
            cypool_spread(rows, n, nc, y + (o - work.o0) * nc, sy, m + (start - work.i0) * nc, sm,
                          kh, kw, work.by)
        o += n * kw


# A window too wide for a line, by the same tree as if it were read in place.
cdef double total_wide(
        Work *work, Py_ssize_t h, Py_ssize_t start, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t half
    if count <= TOTAL:
        work.i0 = start
        work.nw = count
        bring_rows(work, 0, work.d0, work.dn, h, h + 1, <double *>work.rows, count,
                   <double *>work.loaded, <Sum *>NULL)
        return total_of(<const double *>work.rows, count, True)
    half = count // 2 // LANES * LANES
    return (total_wide(work, h, start, half)
            + total_wide(work, h, start + half, count - half))


# Likewise for others: its columns by pieces.
cdef void fold_wide(
        Work *work, Py_ssize_t h, acc *y, Py_ssize_t start, Py_ssize_t count, acc *stack,
        reducer *r) noexcept nogil:
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t half, h0, hn
    if acc is double and reducer is Sum:
        if work.job.quad_columns:
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


# --- where extremes were found ---

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
                cypool_find(
                    some, n, r, work.codes, values + (h - h0) * sv, sv,
                    p + t * slab - work.left, sm * a.stride, sm * a.step, count, w.step, w.kernel,
                    w.stride, &place, piece.data, work.left, work.left + work.nw)
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


# --- units ---

# Where the indices of a tile's rows from h0 on go.
cdef char *index_of_tile(const Work *work, Py_ssize_t h0) noexcept nogil:
    cdef const Array *a = &work.job.index
    return a.data + outer_offset(work.job, a, work.first) + (
        work.c0 * a.inner + work.d * a.stride[0] + h0 * a.stride[1] + work.o0 * a.stride[2])


# Rows and then columns of a block, whose source rows first <= i < last lie at m.
cdef void fold_block(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, acc *y, Py_ssize_t py, Py_ssize_t sy,
        const char *m, Py_ssize_t pm, Py_ssize_t sm, Py_ssize_t first, Py_ssize_t last,
        bint narrow, reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *heights = &job.axis[1]
    cdef Py_ssize_t nc = work.nc, rows = h1 - h0, n = work.nw * nc, size = sizeof(acc)
    cdef Py_ssize_t sv = job.pitch, pv = job.rows_pitch * sv, p, h, start, count
    cdef acc *v = <acc *>work.rows
    if reducer is Sum and (
            acc is double or acc is int16_t or acc is int32_t or acc is int64_t):
        if work.runs:
            run_rows(work, h0, h1, y, sy)
            return
    # Rows under windows.
    if job.scan_chunk > 0 or job.streams:
        for h in range(h0, h1):
            if job.scan_chunk > 0:
                scan_row(work, h, v + (h - h0) * sv + work.left * nc, r)
                continue
            axis_window(heights, h, &start, &count)
            if count == 0:
                row_fill(v + (h - h0) * sv + work.left * nc, n, identity(r, y))
            else:
                stream_row(work, start, count, v + (h - h0) * sv + work.left * nc,
                           <acc *>work.more, r)
    elif job.padded:
        fold_padded(work, v, <acc *>m, r)
    elif (heights.kernel == 1 and heights.stride == 1 and rows == last - first and not narrow
          and (job.source_rows > 0 or work.columns == work.nw)):
        v = <acc *>m
        sv = sm
        pv = pm
    elif job.source_rows > 0:
        for p in range(work.planes):
            fold_rows(work, h0, h1, work.columns * nc, v + p * pv, sv, m + p * pm * size, sm,
                      first, False, job.quads and axis_single(&job.axis[0]), r)
    else:
        for p in range(work.planes):
            fold_rows(work, h0, h1, n, v + p * pv + work.left * nc, sv, m + p * job.x.group,
                      sm, first, narrow, False, r)
    # Columns under windows.
    if job.axis[2].kind == SLIDING:
        fold_columns(work, work.planes, rows, y, py, sy, v, pv, sv, r)
    else:
        for p in range(work.planes):
            fold_lines(work, rows, y + p * py, sy, v + p * pv, sv, r)


# A block of output rows of a group of planes, or of one. Whether a NaN was met that may be lost:
# then nothing but values was written.
cdef bint reduce_block(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, Py_ssize_t unit, reducer *r,
        acc *_) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *heights = &job.axis[1]
    cdef Py_ssize_t nc = work.nc, rows = h1 - h0, n = work.nw * nc, width, p, h, start, count
    cdef Py_ssize_t first = 0, last = 0, sm = 0, pm = 0, sy, py, size = sizeof(acc)
    cdef Py_ssize_t wide = 4 if job.index32 else 8
    cdef bint narrow = False, found = False
    cdef char *out = job.y.data
    cdef const char *m = NULL
    cdef acc *y
    cdef Run run, index, piece
    width = (work.o1 - work.o0) * nc
    if out != NULL:
        out += (outer_offset(job, &job.y, work.first) + work.c0 * job.y.inner
                + work.d * job.y.stride[0] + h0 * job.y.stride[1] + work.o0 * job.y.stride[2])
    if job.store == NULL and not job.counts:
        y = <acc *>out
        sy = job.y.stride[1] // size
        py = job.y.group // size
    else:
        y = <acc *>(job.y.data if job.counts else work.line)
        sy = width
        py = rows * sy
    work.index = NULL
    if reducer is Max and (acc is float or acc is double):
        if (job.firsts and n > 0 and work.dn > 0 and job.index.stride[2] == wide
                and job.index.stride[1] == sy * wide
                and (work.planes == 1 or job.index.group == py * wide)):
            work.index = index_of_tile(work, h0)
            work.values = <char *>y
            work.index_plane = 0
    if n == 0 and job.wide == 0 or work.dn == 0:
        for p in range(work.planes):
            rows_fill(rows, width, y + p * py, sy, identity(r, y))
    elif job.wide > 0:
        for h in range(h0, h1):
            axis_window(&job.axis[2], work.o0, &start, &count)
            axis_window(heights, h, &first, &last)
            if count == 0 or last == 0:
                row_fill(y, nc, identity(r, y))
            else:
                fold_wide(work, h, y, start, count, <acc *>work.stack, r)
    elif job.squares:
        axis_source(heights, h0, h1, &first, &last)
        m = work.plane + (work.d0 * job.x.stride[0] + first * job.x.stride[1]
                          + work.i0 * job.x.stride[2])
        if job.inner > 1:
            found = fold_pixels(work, h0, h1, y, py, sy, <const acc *>m, job.x.group // size,
                                job.x.stride[1] // size, first, r)
        else:
            found = fold_squares(work, h0, h1, y, py, sy, <const acc *>m, job.x.group // size,
                                 job.x.stride[1] // size, first, r)
        if found and not job.roots:
            return True
        if acc is float and reducer is Sum:
            if found:
                mend_roots(work, h0, h1, y, py, sy)
    elif job.peaks:
        if fold_peaks(work, h0, rows, y, py, sy, r):
            return True
    else:
        axis_source(heights, h0, h1, &first, &last)
        # Where source rows are: in place, or in scratch.
        sm = job.pitch
        pm = job.source_rows * sm
        m = work.source
        if job.axis[2].kind == SLIDING and not job.totals:
            make_margins(work, r, _)
        if job.source_rows == 0:
            m = work.plane + (work.d0 * job.x.stride[0] + first * job.x.stride[1]
                              + work.i0 * job.x.stride[2])
            sm = job.x.stride[1] // job.size
            pm = job.x.group // job.size
            narrow = job.narrow
        elif job.scan_chunk == 0 and not job.streams and not work.runs:
            for p in range(work.planes):
                bring_rows(work, p, work.d0, work.dn, first, last,
                           <acc *>m + p * pm + work.left * nc
                           + job.padded * (first + heights.lo) * sm, sm, <acc *>work.loaded, r)
        if job.totals:
            fold_totals(work, rows, y, py, sy, m, sm, r)
        elif job.repeats:
            if (acc is float or acc is double) and reducer is Sum:
                for p in range(work.planes):
                    fold_repeats(work, h0, h1, y + p * py, sy, <acc *>m + p * pm, sm, first)
        else:
            fold_block(work, h0, h1, y, py, sy, m, pm, sm, first, last, narrow, r)
        if acc is float and reducer is Sum:
            if job.roots:
                make_roots(work, h0, h1, y, py, sy)
                mend_roots(work, h0, h1, y, py, sy)
    if job.store == NULL and job.index.data == NULL:
        return False
    run.nh = rows
    run.nw = work.o1 - work.o0
    run.nc = nc
    run.sh = job.y.stride[1]
    run.sw = job.y.stride[2]
    run.sc = job.y.inner
    run.d = work.d
    run.h = h0
    run.w = work.o0
    run.pitch = sy
    for p in range(work.planes):
        run.data = out + p * job.y.group if out != NULL else NULL
        index.data = <char *>work.divisors
        if job.counter != NULL:
            # Same geometry, same units: this one's counts.
            reduce_units(work.counter, unit, unit + 1, work.counter_scratch, <Sum *>NULL,
                         <int64_t *>NULL)
            index.data = <char *>work.counts
        if job.index.data != NULL:
            index = run
            index.data = index_of_tile(work, h0) + p * job.index.group
            index.sh = job.index.stride[1]
            index.sw = job.index.stride[2]
            index.sc = job.index.inner
            if acc is not int128 and job.locates and work.index == NULL:
                if n == 0 or work.dn == 0:
                    memset(work.codes, 0xff, rows * width * size)
                    store_located(work, h0, h1, work.codes, &index, _)
                elif job.load == NULL:
                    locate(
                        work, h0, h1, y + p * py, sy, <const acc *>(
                            work.plane + p * job.x.group + work.d0 * job.x.stride[0]
                            + first * job.x.stride[1] + work.i0 * job.x.stride[2]),
                        job.x.stride[1] // size, first, &index, r)
                else:
                    # In scratch, where the first real column comes after the margin.
                    locate(
                        work, h0, h1, y + p * py, sy,
                        <const acc *>work.source + p * job.source_rows * job.pitch
                        + work.left * nc, job.pitch,
                        first - job.padded * (first + heights.lo), &index, r)
        if job.store == NULL or (out == NULL and job.locates):
            continue
        if run.nh == 1 or run.sh == run.nw * run.sw or job.counter != NULL:
            job.store(job, &run, &index, y + p * py, run.data)
            continue
        # Rows that lie apart go one by one: each may be a line in memory still.
        piece = run
        piece.nh = 1
        for h in range(rows):
            piece.h = h0 + h
            job.store(job, &piece, &index, y + p * py + h * sy, piece.data)
            if piece.data != NULL:
                piece.data += run.sh
            if job.index.data != NULL:
                index.data += index.sh
    return False


# Output rows of whole planes that lie in scratch with all their padding.
cdef void fold_padded(Work *work, acc *v, const acc *m, reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *a = &job.axis[1]
    cdef Py_ssize_t rows = work.planes * job.rows_pitch, pitch = job.pitch, other, length
    cdef const acc *w
    if not job.doubles:
        fold_taps(work, rows, pitch, v, pitch, <const char *>m, a.stride * pitch, a.step * pitch,
                  a.kernel, <acc *>work.more, False, False, r)
        return
    length = work.planes * job.source_rows * pitch
    w = fold_everywhere(work, m, length + (a.kernel - 1) * a.step * pitch, a.kernel,
                        a.step * pitch, &other, r)
    cypool_join(rows, pitch, r, v, pitch, w, a.stride * pitch, other)


# Output rows whose windows have two or three taps a side, straight from the source, whose rows lie
# at m from column work.i0 and row `first` on. Whether a NaN was met that may be lost.
cdef bint fold_squares(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, acc *y, Py_ssize_t py, Py_ssize_t sy,
        const acc *m, Py_ssize_t pm, Py_ssize_t sm, Py_ssize_t first, reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef Py_ssize_t begin = min(max(a.begin, h0), h1), end = min(max(a.end, begin), h1)
    cdef Py_ssize_t h = h0, start, count, rows, p, n = work.o1 - work.o0, size
    cdef bint found = False
    while h < h1:
        rows = end - h if begin <= h < end else 1
        axis_window(a, h, &start, &count)
        if count == 0:
            for p in range(work.planes):
                row_fill(y + p * py + (h - h0) * sy, n, identity(r, y))
                if work.index != NULL:
                    size = 4 if work.job.index32 else 8
                    memset(work.index + (y + p * py + (h - h0) * sy - <acc *>work.values) * size,
                           0xff, n * size)
        elif work.job.clips:
            divisor_start(&work.divisor, work.job, work.d, h)
            found |= fold_clipped(
                work, work.planes, rows, <int>count, y + (h - h0) * sy, py, sy,
                m + (start - first) * sm, pm, sm, r)
        else:
            found |= fold_square_rows(
                work, work.planes, rows, h1 - h - rows, <int>count, y + (h - h0) * sy, py, sy,
                m + (start - first) * sm, pm, sm, r)
        h += rows
    return found


# Rows that all see `count` rows of the source, the first of them from m on. Some `after` them are
# made later.
cdef bint fold_square_rows(
        Work *work, Py_ssize_t planes, Py_ssize_t rows, Py_ssize_t after, int count, acc *y,
        Py_ssize_t py, Py_ssize_t sy, const acc *m, Py_ssize_t pm, Py_ssize_t sm,
        reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t n = work.o1 - work.o0, done = 0, some, p
    # Blocks of a vector, of half of one or of a quarter. Rows that are shorter are made by one that
    # goes beyond them, into the rows that are made next.
    cdef int least = 16 // sizeof(acc), beyond = CYPOOL_VECTOR // sizeof(acc), lanes
    cdef bint found = False, fits
    lanes = beyond
    # (Of three taps a distance of one apart all are in one vector, where it has them.)
    if n + 2 > beyond or w.kernel == 2 or w.stride == 2 or work.index != NULL:
        some = n
    else:
        some = n + 2
    while beyond > least and beyond // 2 >= some:
        beyond //= 2
    while lanes > least and lanes > n:
        lanes //= 2
    # Rows that a block may go into. (Of a vector that holds all columns half is stored if it does.)
    cdef Py_ssize_t over = beyond // 2 if some > n and 2 * n <= beyond else beyond
    over = (over - 1) // n
    cdef Py_ssize_t span = (max(n, beyond) - 1) * w.stride + w.kernel
    if max(w.begin - work.o0, work.o1 - w.end) > least:
        # More padding than blocks are made for.
        return fold_clipped(work, planes, rows, count, y, py, sy, m, pm, sm, r)
    if planes > 1:
        if (readable_rows(work, rows, span, count, m, sm) < rows
                or readable_rows(work, rows, span, count, m + (planes - 1) * pm, sm) < rows):
            for p in range(planes):
                work.index_plane = p
                found |= fold_square_rows(
                    work, 1, rows, after, count, y + p * py, py, sy, m + p * pm, pm, sm, r)
            work.index_plane = 0
            return found
    while done < rows:
        some = rows - done
        fits = beyond <= n
        if not fits:
            fits = sy == n and some + after > over
            if fits:
                some = min(some, some + after - over)
            else:
                beyond = lanes
                span = (max(n, beyond) - 1) * w.stride + w.kernel
                fits = lanes <= n
        if fits:
            # As many rows as can be read with all that lies beside them.
            if planes == 1:
                some = readable_rows(work, some, span, count, m + done * sm * a.stride, sm)
            if some > 0:
                found |= fold_windows(work, planes, some, n, beyond, r, y + done * sy, py, sy,
                                      m + (done * sm * a.stride - work.left), pm, sm, count,
                                      work.left, work.left + work.nw)
                done += some
                continue
        found |= fold_clipped(work, planes, 1, count, y + done * sy, py, sy,
                              m + done * sm * a.stride, pm, sm, r)
        done += 1
    return found


# How many rows of windows from m on may be read with all that a block reads beside them, `span`
# columns from the padding on, and as far on as their windows reach: what lies between an array's
# first element and its last one may be.
cdef Py_ssize_t readable_rows(
        Work *work, Py_ssize_t rows, Py_ssize_t span, Py_ssize_t count, const acc *m,
        Py_ssize_t sm) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t size = sizeof(acc), reach = (count - 1) * sm * job.axis[1].step * size
    cdef Py_ssize_t step = sm * job.axis[1].stride * size
    cdef Py_ssize_t at = <const char *>m - job.x.data - work.left * size
    cdef Py_ssize_t before = at + min(reach, 0) - job.lowest
    cdef Py_ssize_t after = job.highest - (at + max(reach, 0) + span * size)
    if before < 0 or after < 0:
        return 0
    if step > 0:
        return min(rows, after // step + 1)
    if step < 0:
        return min(rows, before // -step + 1)
    return rows


# Whole windows by blocks; those that the border clips one by one.
cdef bint fold_clipped(
        Work *work, Py_ssize_t planes, Py_ssize_t rows, int count, acc *y, Py_ssize_t py,
        Py_ssize_t sy, const acc *m, Py_ssize_t pm, Py_ssize_t sm, reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t qa = min(max(w.begin, work.o0), work.o1), qb = min(max(w.end, qa), work.o1)
    cdef Py_ssize_t start, taps, p, o = work.o0, at
    cdef int lanes = CYPOOL_VECTOR // sizeof(acc), least = 16 // sizeof(acc)
    cdef bint found = False
    while lanes > least and qb - qa < lanes:
        lanes //= 2
    while o < work.o1:
        at = o - work.o0
        if work.job.clips:
            work.by = <double>divisor_of(&work.divisor, o)
        if o == qa and qb - qa >= lanes:
            found |= fold_windows(
                work, planes, rows, qb - qa, lanes, r, y + at, py, sy,
                m + (o * w.stride - w.lo - work.i0), pm, sm, count, 0,
                (qb - qa) * w.stride + w.kernel)
            o = qb
            continue
        axis_window(w, o, &start, &taps)
        for p in range(planes):
            if taps == 0:
                rows_fill(rows, 1, y + p * py + at, sy, identity(r, y))
            else:
                found |= cypool_clipped(
                    rows, r, work.job.roots, y + p * py + at, sy, m + p * pm + (start - work.i0),
                    sm * a.stride, sm * a.step, count, <int>taps, <int>w.kernel, work.by)
            if work.index != NULL:
                locate_column(work, rows, count, taps, y + p * py + at, sy,
                              m + p * pm + (start - work.i0), sm, work.index_plane + p)
        o += 1
    return found


# The indices of a column of such windows.
cdef void locate_column(
        Work *work, Py_ssize_t rows, Py_ssize_t count, Py_ssize_t taps, const acc *y,
        Py_ssize_t sy, const acc *m, Py_ssize_t sm, Py_ssize_t plane) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef Py_ssize_t h, t, j, to = y - <const acc *>work.values
    cdef int64_t at, first = m - <const acc *>(work.plane + plane * work.job.x.group)
    for h in range(rows):
        at = -1
        # (From the last tap to the first, which wins.)
        for t in range(count - 1, -1, -1):
            for j in range(taps - 1, -1, -1):
                if m[(h * a.stride + t * a.step) * sm + j] == y[h * sy]:
                    at = first + (h * a.stride + t * a.step) * sm + j
        if work.job.index32:
            (<int32_t *>work.index)[to + h * sy] = <int32_t>at
        else:
            (<int64_t *>work.index)[to + h * sy] = at


cdef bint fold_windows(
        Work *work, Py_ssize_t planes, Py_ssize_t rows, Py_ssize_t n, int lanes, reducer *r, acc *y,
        Py_ssize_t py, Py_ssize_t sy, const acc *m, Py_ssize_t pm, Py_ssize_t sm, int count,
        Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t step = sm * work.job.axis[1].step, advance = sm * work.job.axis[1].stride
    cdef acc nothing = identity(r, y)
    cdef Firsts firsts
    if work.index != NULL:
        firsts.planes = planes
        firsts.rows = rows
        firsts.n = n
        firsts.py = py
        firsts.sy = sy
        firsts.pa = pm
        firsts.sa = advance
        firsts.step = step
        firsts.at = m - <const acc *>(work.plane + work.index_plane * work.job.x.group)
        firsts.from_ = begin
        firsts.to = end
        firsts.index = work.index + (y - <acc *>work.values) * (4 if work.job.index32 else 8)
        firsts.taps = count
        firsts.index32 = work.job.index32
        return cypool_firsts(
            &firsts, <int>w.kernel, <int>w.stride, lanes, y, m, nothing)
    if w.kernel == 2:
        return cypool_windows22(planes, rows, n, lanes, r, work.job.roots, y, py, sy, m, pm,
                                advance, step, count, begin, end, nothing, work.by)
    if w.stride == 2:
        return cypool_windows32(planes, rows, n, lanes, r, work.job.roots, y, py, sy, m, pm,
                                advance, step, count, begin, end, nothing, work.by)
    return cypool_windows31(planes, rows, n, lanes, r, work.job.roots, y, py, sy, m, pm, advance,
                            step, count, begin, end, nothing, work.by)


# The same where each pixel is a vector of inner elements.
cdef bint fold_pixels(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, acc *y, Py_ssize_t py, Py_ssize_t sy,
        const acc *m, Py_ssize_t pm, Py_ssize_t sm, Py_ssize_t first, reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t qa = min(max(w.begin, work.o0), work.o1), qb = min(max(w.end, qa), work.o1)
    cdef Py_ssize_t p, h, o, nc = work.nc, start, count
    cdef int k = <int>w.kernel
    cdef bint found = False, slides = k == 3 and w.stride == 1 and w.step == 1
    cdef double by = 1
    cdef Divisor divisor
    cdef const acc *row
    cdef acc *to
    for p in range(work.planes):
        for h in range(h0, h1):
            axis_window(a, h, &start, &count)
            divisor_start(&divisor, work.job, work.d, h)
            row = m + p * pm + (start - first) * sm
            to = y + p * py + (h - h0) * sy
            o = work.o0
            while o < work.o1:
                if work.job.divides:
                    by = <double>divisor_of(&divisor, o)
                if o == qa and qb > qa and (count == k or slides and count == 2):
                    found |= cypool_pixels(
                        qb - qa, nc, r, work.job.roots, to + (o - work.o0) * nc,
                        row + (o * w.stride - w.lo - work.i0) * nc, w.stride * nc, sm * a.step,
                        w.step * nc, <int>count, k, <acc *>work.temporary, by)
                    o = qb
                    continue
                found |= fold_pixel(work, o, count, to + (o - work.o0) * nc, row, sm * a.step, by,
                                    r)
                o += 1
    return found


# Window o of a row of them, of which `count` rows are left. What is missing is another of its taps,
# or for sums a zero.
cdef bint fold_pixel(
        Work *work, Py_ssize_t o, Py_ssize_t count, acc *y, const acc *row, Py_ssize_t step,
        double by, reducer *r) noexcept nogil:
    cdef const Axis *w = &work.job.axis[2]
    cdef const void *taps[9]
    cdef Py_ssize_t start, columns, t, j, nc = work.nc
    axis_window(w, o, &start, &columns)
    if count == 0 or columns == 0:
        row_fill(y, nc, identity(r, y))
        return False
    for t in range(w.kernel):
        for j in range(w.kernel):
            if reducer is Sum and (t >= count or j >= columns):
                taps[t * w.kernel + j] = cypool_zeros
                continue
            taps[t * w.kernel + j] = row + min(t, count - 1) * step + (
                start - work.i0 + min(j, columns - 1) * w.step) * nc
    return cypool_pixel(<int>w.kernel, nc, r, work.job.roots, y, taps, by)


# Roots of sums of squares, or of their means.
cdef void make_roots(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, float *y, Py_ssize_t py,
        Py_ssize_t sy) noexcept nogil:
    cdef Py_ssize_t p, h, o, i, nc = work.nc
    cdef float by
    cdef float *to
    cdef Divisor divisor
    for h in range(h0, h1):
        divisor_start(&divisor, work.job, work.d, h)
        for p in range(work.planes):
            for o in range(work.o0, work.o1):
                by = <float>divisor_of(&divisor, o)
                to = y + p * py + (h - h0) * sy + (o - work.o0) * nc
                for i in range(nc):
                    to[i] = sqrtf(to[i] / by)


# Those that may not be right, as squares of float32 overflow or vanish, are made again in float64,
# but for zeros where nothing is so small that its square is one.
cdef void mend_roots(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, float *y, Py_ssize_t py,
        Py_ssize_t sy) noexcept nogil:
    cdef Py_ssize_t p, h, i, nc = work.nc, n = (work.o1 - work.o0) * nc, rows = 1
    cdef float *row
    cdef int tiny = -1, flags
    # (Rows with nothing between them are one.)
    if sy == n:
        rows = h1 - h0
    for p in range(work.planes):
        h = h0 - rows
        while h + rows < h1:
            h += rows
            row = y + p * py + (h - h0) * sy
            flags = astray_f32(rows * n, row)
            if flags == 0:
                continue
            if tiny < 0:
                tiny = block_has_tiny(work, h0, h1)
            if flags == 1 and not tiny:
                continue
            for i in range(rows * n):
                if (row[i] != 0 or tiny) and not CYPOOL_LEAST <= row[i] <= CYPOOL_MOST:
                    row[i] = <float>root_of_window(
                        work, p, h + i // n, work.o0 + i % n // nc, i % nc)


# Whether a square vanishes of what output rows h0 <= h < h1 see.
cdef bint block_has_tiny(Work *work, Py_ssize_t h0, Py_ssize_t h1) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t p, h, i, first, last, n = work.nw * work.nc, rows = 1
    cdef const char *x
    axis_source(&job.axis[1], h0, h1, &first, &last)
    if job.load == NULL and job.x.stride[1] == n * 4:
        rows = last - first
    for p in range(work.planes):
        h = first - rows
        while h + rows < last:
            h += rows
            x = work.plane + p * job.x.group + work.d0 * job.x.stride[0] + (
                h * job.x.stride[1] + work.i0 * job.x.stride[2])
            if job.load == NULL:
                if has_tiny_f32(rows * n, <const float *>x):
                    return True
                continue
            for i in range(n):
                if has_tiny_f32(1, <const float *>(
                        x + i // work.nc * job.x.stride[2] + i % work.nc * job.x.inner)):
                    return True
    return False


# Of the window at (h, o) of a plane and of inner element c.
cdef double root_of_window(
        Work *work, Py_ssize_t plane, Py_ssize_t h, Py_ssize_t o, Py_ssize_t c) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t h_start, rows, start, columns, t, j
    cdef double all = 0, v
    cdef const char *p
    cdef Divisor divisor
    axis_window(&job.axis[1], h, &h_start, &rows)
    axis_window(&job.axis[2], o, &start, &columns)
    divisor_start(&divisor, job, work.d, h)
    for t in range(rows):
        for j in range(columns):
            p = work.plane + plane * job.x.group + work.d0 * job.x.stride[0] + c * job.x.inner + (
                (h_start + t * job.axis[1].step) * job.x.stride[1]
                + (start + j * job.axis[2].step) * job.x.stride[2])
            v = (<const float *>p)[0]
            all += v * v
    return sqrt(all / <double>divisor_of(&divisor, o))


# Whether a NaN lies among the source rows of the output rows h0 <= h < h1 (of one d).
cdef bint block_has_nan(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, real *unused) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t first, last, i, h, p, n = work.nw * work.nc
    cdef const char *x
    axis_source(&job.axis[1], h0, h1, &first, &last)
    first = max(first, work.clean)
    if first >= last:
        return False
    if (job.x.stride[1] == n * <Py_ssize_t>sizeof(real) and work.dn == 1
            and job.x.group == (last - first) * job.x.stride[1]):
        x = work.plane + (work.d0 * job.x.stride[0] + work.i0 * job.x.stride[2]
                          + first * job.x.stride[1])
        return cypool_has_nan(work.planes * (last - first) * n, <const real *>x)
    for p in range(work.planes):
        for i in range(work.dn):
            x = work.plane + p * job.x.group + (
                (work.d0 + i * job.axis[0].step) * job.x.stride[0] + work.i0 * job.x.stride[2])
            if job.x.stride[1] == n * <Py_ssize_t>sizeof(real):
                if cypool_has_nan((last - first) * n,
                                  <const real *>(x + first * job.x.stride[1])):
                    return True
                continue
            for h in range(first, last):
                if cypool_has_nan(n, <const real *>(x + h * job.x.stride[1])):
                    return True
    work.clean = last
    return False


cdef Py_ssize_t outer_offset(const Job *job, const Array *array, Py_ssize_t plane) noexcept nogil:
    cdef Py_ssize_t offset = 0
    cdef int i
    for i in range(job.outer_ndim - 1, 0, -1):
        offset += plane % job.outer_shape[i] * array.outer[i]
        plane //= job.outer_shape[i]
    if job.outer_ndim > 0:
        offset += plane * array.outer[0]
    return offset


cdef void reduce_units(
        const Job *job, Py_ssize_t first, Py_ssize_t last, char *scratch, reducer *r,
        acc *_) noexcept nogil:
    cdef Work work
    cdef Job counter
    cdef Py_ssize_t u, rest, h0, h1, at, size = sizeof(acc), tile = -1
    memset(&work, 0, sizeof(work))
    work.job = job
    work.source = scratch
    work.loaded = work.source + job.source_size * size
    work.rows = work.loaded + job.loaded_size * size
    work.temporary = work.rows + job.rows_size * size
    work.line = work.temporary + job.temporaries * job.temporary * size
    work.more = work.line + job.line * size
    work.stack = work.more + job.more_size * size
    work.scans = work.stack + job.stack * size
    work.running = work.scans + job.scans_size * size
    work.codes = work.running + job.running_size * size
    work.margin_left = -1
    work.scan_block = work.grid_at = -1
    work.by = 1
    if job.repeats and job.load == NULL or job.divides and job.inner == 1 and not job.clips:
        divisor_start(&work.divisor, job, 0, 0)
        work.by = <double>divisor_of(&work.divisor, 0)
    # (Not needed where one divisor does for all.)
    cdef bint whole = (
        job.whole_begin[2] == 0 and job.whole_end[2] == job.axis[2].outputs
        and job.whole_begin[1] == 0 and job.whole_end[1] == job.axis[1].outputs)
    if job.divides_columns and not whole:
        work.divisors = <int32_t *>(work.codes + job.codes_size * size)
    if job.counter != NULL:
        work.counts = <int64_t *>(work.codes + job.codes_size * size)
        work.counter_scratch = <char *>(work.counts + job.line)
        counter = job.counter[0]
        counter.y.data = <char *>work.counts
        work.counter = &counter
    for u in range(first, last):
        h0 = u % job.blocks * job.block
        h1 = min(h0 + job.block, job.axis[1].outputs)
        rest = u // job.blocks
        if rest != tile:
            # Another tile, plane or output along the leading axis.
            tile = rest
            work.scan_block = -1
            work.clean = 0
            work.d = rest % job.axis[0].outputs
            rest //= job.axis[0].outputs
            axis_window(&job.axis[0], work.d, &work.d0, &work.dn)
            work.c0 = rest % job.tiles_c * job.tile_c
            rest //= job.tiles_c
            work.nc = min(job.tile_c, job.inner - work.c0)
            work.o0 = rest % job.tiles_w * job.tile_w
            rest //= job.tiles_w
            work.o1 = min(work.o0 + job.tile_w, job.axis[2].outputs)
            axis_source(&job.axis[2], work.o0, work.o1, &work.i0, &work.nw)
            work.nw -= work.i0
            work.left = 0
            work.columns = work.nw
            if job.axis[2].kind == SLIDING and work.nw > 0:
                work.left = work.i0 - (work.o0 * job.axis[2].stride - job.axis[2].lo)
                work.columns = ((work.o1 - work.o0 - 1) * job.axis[2].stride
                                + (job.axis[2].kernel - 1) * job.axis[2].step + 1)
            if work.divisors != NULL and (u == first or job.tiles_w > 1):
                find_divisors(job, work.o0, work.o1, work.divisors)
            work.first = rest * job.group
            work.planes = min(job.group, job.planes - work.first)
            work.run_lo = work.run_hi = 0
            work.runs = job.runs
            work.plane = job.x.data + outer_offset(job, &job.x, work.first) + (
                work.c0 * job.x.inner)
            if job.mask.data != NULL:
                work.mask = job.mask.data + outer_offset(job, &job.mask, work.first) + (
                    work.c0 * job.mask.inner)
        if job.runs and job.quads:
            at = work.first * job.axis[1].length + h0 if job.row_grids else work.first
            if job.grids != NULL:
                work.grid = job.grids[at]
            elif at != work.grid_at:
                work.grid = find_grid(
                    job, work.first, h0 if job.row_grids else 0,
                    h0 + 1 if job.row_grids else job.axis[1].length)
            work.grid_at = at
            work.runs = work.grid != 0
        if (acc is float or acc is double) and (reducer is Max or reducer is Min):
            # With no NaN about, one instruction takes a maximum.
            if (reduce_block(&work, h0, h1, u, r, _) if job.squares or job.peaks
                    else job.load != NULL or job.wide > 0 or block_has_nan(&work, h0, h1, _)):
                if reducer is Max:
                    reduce_block(&work, h0, h1, u, <NanMax *>NULL, _)
                else:
                    reduce_block(&work, h0, h1, u, <NanMin *>NULL, _)
                continue
            if job.squares or job.peaks:
                continue
        reduce_block(&work, h0, h1, u, r, _)

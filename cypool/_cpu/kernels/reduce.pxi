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

# Where the indices of a tile's rows from h0 on go.
cdef char *index_of_tile(const Work *work, Py_ssize_t h0) noexcept nogil:
    cdef const Array *a = &work.job.index
    return a.data + outer_offset(work.job, a, work.first) + (
        work.c0 * a.inner + work.d * a.stride[0] + h0 * a.stride[1] + work.o0 * a.stride[2])


# Rows and then columns of a block, whose source rows first <= i < last lie at m.
cdef void fold_block(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, acc *y, Py_ssize_t py, Py_ssize_t sy,
        const char *m, Py_ssize_t pm, Py_ssize_t sm, Py_ssize_t first, Py_ssize_t last,
        reducer *r) noexcept nogil:
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
    elif (heights.kernel == 1 and heights.stride == 1 and rows == last - first
          and (job.source_rows > 0 or work.columns == work.nw and not job.narrow)):
        v = <acc *>m
        sv = sm
        pv = pm
    elif job.source_rows > 0:
        for p in range(work.planes):
            fold_rows(work, h0, h1, work.columns * nc, v + p * pv, sv, m + p * pm * size, sm,
                      first, False, job.eights and axis_single(&job.axis[0]), r)
    else:
        for p in range(work.planes):
            fold_rows(work, h0, h1, n, v + p * pv + work.left * nc, sv, m + p * job.x.group,
                      sm, first, True, False, r)
    # Columns under windows.
    if job.axis[2].kind == SLIDING:
        fold_columns(work, work.planes, rows, y, py, sy, v, pv, sv, r)
    elif py == rows * sy and pv == rows * sv:
        fold_lines(work, rows * work.planes, y, sy, v, sv, r)
    else:
        for p in range(work.planes):
            fold_lines(work, rows, y + p * py, sy, v + p * pv, sv, r)


# Windows of a block through the stages, or straight from the source where they are long. Whether a
# NaN was met that may be lost.
cdef bint fold_staged(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, acc *y, Py_ssize_t py, Py_ssize_t sy,
        reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *heights = &job.axis[1]
    cdef Py_ssize_t nc = work.nc, rows = h1 - h0, size = sizeof(acc), h, p, start, count
    cdef Py_ssize_t first, last, sm, pm, i0 = work.i0, nw = work.nw
    cdef const char *m
    if reducer is Sum and acc is int8_t:
        # (Sums of these are made in wider types.)
        return False
    else:
        if job.wide > 0:
            for h in range(h0, h1):
                axis_window(&job.axis[2], work.o0, &start, &count)
                axis_window(heights, h, &first, &last)
                if count == 0 or last == 0:
                    row_fill(y, nc, identity(r, y))
                else:
                    fold_wide(work, h, y, start, count, <acc *>work.stack, r)
            # (Its pieces were the tile's columns for a while.)
            work.i0 = i0
            work.nw = nw
            return False
        work.found = False
        if job.peaks:
            return fold_peaks(work, h0, rows, y, py, sy, r)
        axis_source(heights, h0, h1, &first, &last)
        # Where source rows are: in place, or in scratch.
        sm = job.pitch
        pm = job.source_rows * sm
        m = work.source
        if job.axis[2].kind == SLIDING and not job.totals:
            make_margins(work, r, y)
        if job.source_rows == 0:
            m = work.plane + (work.d0 * job.x.stride[0] + first * job.x.stride[1]
                              + work.i0 * job.x.stride[2])
            sm = job.x.stride[1] // job.size
            pm = job.x.group // job.size
        elif job.scan_chunk == 0 and not job.streams and not work.runs:
            for p in range(work.planes):
                bring_rows(work, p, work.d0, work.dn, first, last,
                           <acc *>m + p * pm + work.left * nc
                           + job.padded * (first + heights.lo) * sm, sm, <acc *>work.loaded,
                           <acc *>work.more, r)
        if job.totals:
            fold_totals(work, rows, y, py, sy, m, sm, r)
        elif job.repeats:
            if (acc is float or acc is double) and reducer is Sum:
                for p in range(work.planes):
                    fold_repeats(work, h0, h1, y + p * py, sy, <acc *>m + p * pm, sm, first)
        else:
            fold_block(work, h0, h1, y, py, sy, m, pm, sm, first, last, r)
        if acc is float and reducer is Sum:
            if job.roots:
                make_roots(work, h0, h1, y, py, sy)
                mend_roots(work, h0, h1, y, py, sy)
        return work.found


# A block of output rows of a group of planes, or of one. Whether a NaN was met that may be lost:
# then nothing but values was written.
cdef bint reduce_block(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, Py_ssize_t unit, reducer *r,
        acc *_) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *heights = &job.axis[1]
    cdef Py_ssize_t nc = work.nc, rows = h1 - h0, n = work.nw * nc, width, p, h
    cdef Py_ssize_t first = 0, last = 0, sy, py, size = sizeof(acc)
    cdef Py_ssize_t wide = 4 if job.index32 else 8
    cdef bint found = False
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
    if n > 0 and work.dn > 0:
        axis_source(heights, h0, h1, &first, &last)
        m = work.plane + (work.d0 * job.x.stride[0] + first * job.x.stride[1]
                          + work.i0 * job.x.stride[2])
    work.index = NULL
    if reducer is Max and (acc is float or acc is double):
        if (job.firsts and n > 0 and work.dn > 0 and job.index.stride[2] == nc * wide
                and job.index.stride[1] == sy * wide and (nc == 1 or job.index.inner == wide)
                and (work.planes == 1 or job.index.group == py * wide)):
            work.index = index_of_tile(work, h0)
            work.values = <char *>y
            work.index_plane = 0
        elif job.first_pixels:
            return True
    if n == 0 and job.wide == 0 or work.dn == 0:
        for p in range(work.planes):
            rows_fill(rows, width, y + p * py, sy, made_of_none(job, r, y))
    elif job.first_pixels and work.index != NULL:
        if reducer is Max and (acc is float or acc is double):
            found = fold_first_pixels(work, h0, h1, y, py, sy, <const acc *>m,
                                      job.x.group // size, job.x.stride[1] // size, first)
        if found:
            return True
    elif job.squares:
        if job.pixels:
            found = fold_pixels(work, h0, h1, y, py, sy, <const acc *>m, job.x.group // size,
                                job.x.stride[1] // size, first, r)
        elif not fold_planes(work, y, py, sy, <const acc *>m, &found, r):
            found = fold_slabs(work, h0, h1, y, py, sy, <const acc *>m, job.x.group // size,
                               job.x.stride[1] // size, first, r)
        if found and not job.roots:
            return True
        if acc is float and reducer is Sum:
            if found:
                mend_roots(work, h0, h1, y, py, sy)
    elif job.means:
        fold_means(work, h0, h1, out)
    elif fold_staged(work, h0, h1, y, py, sy, r):
        return True
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
    if stores_alike(work, &run):
        # A group's planes, one after the other, as one.
        run.data = out
        run.nh *= work.planes
        index.data = <char *>work.divisors
        job.store(job, &run, &index, y, run.data)
        return False
    for p in range(work.planes):
        run.data = out + p * job.y.group if out != NULL else NULL
        index.data = <char *>work.divisors
        if job.counter != NULL:
            # Same geometry, same units: this one's counts.
            work.counter.reduce(work.counter, unit, unit + 1, work.counter_scratch, NULL, NULL)
            index.data = <char *>work.counts
        if job.index.data != NULL:
            index = run
            index.data = index_of_tile(work, h0) + p * job.index.group
            index.sh = job.index.stride[1]
            index.sw = job.index.stride[2]
            index.sc = job.index.inner
            if reducer is not Sum and acc is not int128 and job.locates and work.index == NULL:
                if n == 0 or work.dn == 0:
                    memset(work.codes, 0xff, rows * width * size)
                    store_located(work, h0, h1, work.codes, &index, _)
                elif job.load == NULL:
                    locate(
                        work, h0, h1, y + p * py, sy, <const acc *>(m + p * job.x.group),
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


# Whether the results of a group's planes lie one after the other and are stored alike.
cdef bint stores_alike(const Work *work, const Run *run) noexcept nogil:
    cdef const Job *job = work.job
    return (
        work.planes > 1 and job.store != NULL and job.index.data == NULL and job.power == 0
        and (not job.averages or job.divides_planes or job.divisor_override != 0)
        and job.counter == NULL
        and run.sh == run.nw * run.sw and job.y.group == run.nh * run.sh)


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
    # (What lies between rows is looked at as well, where that is little.)
    cdef Py_ssize_t row = n * <Py_ssize_t>sizeof(real), step = job.x.stride[1]
    cdef bint close = row <= step <= row + row // 2 and step % <Py_ssize_t>sizeof(real) == 0
    if (job.x.stride[1] == n * <Py_ssize_t>sizeof(real) and work.dn == 1
            and job.x.group == (last - first) * job.x.stride[1]):
        x = work.plane + (work.d0 * job.x.stride[0] + work.i0 * job.x.stride[2]
                          + first * job.x.stride[1])
        return cypool_has_nan(work.planes * (last - first) * n, <const real *>x)
    for p in range(work.planes):
        for i in range(work.dn):
            x = work.plane + p * job.x.group + (
                (work.d0 + i * job.axis[0].step) * job.x.stride[0] + work.i0 * job.x.stride[2])
            if close:
                if cypool_has_nan(((last - first - 1) * step + row) // <Py_ssize_t>sizeof(real),
                                  <const real *>(x + first * step)):
                    return True
                continue
            for h in range(first, last):
                if cypool_has_nan(n, <const real *>(x + h * job.x.stride[1])):
                    return True
    work.clean = last
    return False


cdef void reduce_units(
        const Job *job, Py_ssize_t first, Py_ssize_t last, char *scratch, reducer *r,
        acc *_) noexcept nogil:
    cdef Work work
    cdef Job counter
    cdef Py_ssize_t u, rest, h0, h1, at, size = sizeof(acc), tile = -1
    cdef bint looks
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
    work.by = max(1, job.nans)
    if job.repeats and job.load == NULL or job.divides and job.inner == 1 and not job.clips:
        divisor_start(&work.divisor, job, 0, 0)
        work.by = <double>divisor_of(&work.divisor, 0)
    # (Not needed where one divisor does for all.)
    cdef bint whole = (
        job.whole_begin[2] == 0 and job.whole_end[2] == job.axis[2].outputs
        and job.whole_begin[1] == 0 and job.whole_end[1] == job.axis[1].outputs)
    if job.flat:
        find_borders(&work, r, _)
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
        if (acc is float or acc is double) and job.runs and job.eights:
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
            looks = (
                job.squares or job.peaks or job.notes or reducer is Max and job.first_pixels)
            if (reduce_block(&work, h0, h1, u, r, _) if looks
                    else job.load != NULL or job.wide > 0 or block_has_nan(&work, h0, h1, _)):
                if reducer is Max:
                    reduce_block(&work, h0, h1, u, <NanMax *>NULL, _)
                else:
                    reduce_block(&work, h0, h1, u, <NanMin *>NULL, _)
                continue
            if looks:
                continue
        reduce_block(&work, h0, h1, u, r, _)

# Bring: source rows into scratch, where they cannot be read in place.

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


# Rows h0 <= h < h1 of one plane: each combined from count rows along the leading axis. Inner nodes
# of trees of many go to `loaded`, after what is loaded, or to `more`.
cdef void bring_rows(
        Work *work, Py_ssize_t plane, Py_ssize_t d, Py_ssize_t count, Py_ssize_t h0,
        Py_ssize_t h1, acc *y, Py_ssize_t sy, acc *loaded, acc *more, reducer *r) noexcept nogil:
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
                  more, True, False, r)
        return
    if count > TAPS:
        half = (count // 2 + LEAF - 1) // LEAF * LEAF
        bring_rows(work, plane, d, half, h0, h1, y, sy, loaded, more, r)
        bring_rows(
            work, plane, d + half * step, count - half, h0, h1, loaded, n, loaded + size, more, r)
        cypool_add(h1 - h0, n, r, y, sy, loaded, n)
        return
    if count == 1:
        load_rows(work, plane, d, h0, h1, y, sy, r)
        return
    # By the same tree as in place.
    if acc is double and reducer is Sum:
        if job.eights:
            for t in range(0, count, 8):    # (LEAF)
                some = min(count - t, LEAF)
                for i in range(some):
                    load_rows(work, plane, d + (t + i) * step, h0, h1, loaded + i * size, n, r)
                cypool_widen(h1 - h0, n, y, sy, <const double *>loaded, n, size, some, t > 0,
                             False)
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
    if (work.left == work.margin_left and work.nw == work.margin_nw
            and work.nc == work.margin_nc):
        return
    work.margin_left = work.left
    work.margin_nw = work.nw
    work.margin_nc = work.nc
    if job.source_rows > 0:
        row_fill(<acc *>work.source, job.group * job.source_rows * job.pitch, nothing)
    row_fill(<acc *>work.rows, rows * job.pitch, nothing)

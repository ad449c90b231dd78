# Norms, which windows of few taps make of squares of float32, and what has to be made again.

# Roots of sums of squares, or of their means.
cdef void make_roots(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, float *y, Py_ssize_t py,
        Py_ssize_t sy) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t p, h, o, last, nc = work.nc
    cdef Divisor divisor
    if job.divisor_override and sy == (work.o1 - work.o0) * nc:
        # (One divisor, and nothing between rows.)
        for p in range(work.planes):
            roots_f32((h1 - h0) * sy, y + p * py, <float>job.divisor_override)
        return
    for h in range(h0, h1):
        divisor_start(&divisor, job, work.d, h)
        for p in range(work.planes):
            o = work.o0
            while o < work.o1:
                # (Windows that count every tap have one divisor.)
                last = o + 1
                if divisor.override:
                    last = work.o1
                elif job.whole_begin[2] <= o < job.whole_end[2]:
                    last = min(job.whole_end[2], work.o1)
                roots_f32((last - o) * nc, y + p * py + (h - h0) * sy + (o - work.o0) * nc,
                          <float>divisor_of(&divisor, o))
                o = last


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
    cdef bint lines = job.x.stride[2] == work.nc * 4 and (work.nc == 1 or job.x.inner == 4)
    axis_source(&job.axis[1], h0, h1, &first, &last)
    if lines and job.x.stride[1] == n * 4:
        rows = last - first
    for p in range(work.planes):
        h = first - rows
        while h + rows < last:
            h += rows
            x = work.plane + p * job.x.group + work.d0 * job.x.stride[0] + (
                h * job.x.stride[1] + work.i0 * job.x.stride[2])
            if lines:
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

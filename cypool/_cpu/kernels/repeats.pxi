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

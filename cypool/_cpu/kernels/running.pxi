# Long windows one apart, by running sums of whole numbers: see cypool_running.h. Whether a plane of
# float32 has a grid is found before, from all of it, so that how work is cut does not show in the
# result; planes without one go by trees of sums.

cdef extern from "cypool_running.h":
    # Macros that choose a function by the type of values.
    void cypool_run(Py_ssize_t, ...) noexcept nogil
    void cypool_run_short(Py_ssize_t, ...) noexcept nogil
    void cypool_slide(Py_ssize_t, ...) noexcept nogil
    void cypool_survey(Py_ssize_t, ...) noexcept nogil
    void cypool_below(Py_ssize_t, ...) noexcept nogil


# Sums of columns have room before and after them; two rows come after that.
cdef inline running *running_sums(Work *work, running *_) noexcept nogil:
    return <running *>work.running + max(<Py_ssize_t>(64 // sizeof(running)), work.nc)

cdef inline running *running_lines(Work *work, running *_) noexcept nogil:
    return <running *>work.running + (work.job.running_size - 2 * work.job.pitch)


# The sums of columns become those of rows lo <= i < hi.
cdef void run_to(
        Work *work, Py_ssize_t lo, Py_ssize_t hi, running *_) noexcept nogil:
    cdef Py_ssize_t in_row, out_row
    if lo < work.run_lo or hi < work.run_hi or lo >= work.run_hi:
        memset(work.running, 0, <char *>running_lines(work, _) - work.running)
        work.run_lo = work.run_hi = lo
    while work.run_lo < lo or work.run_hi < hi:
        in_row = out_row = -1
        if work.run_hi < hi:
            in_row = work.run_hi
            work.run_hi += 1
        if work.run_lo < lo:
            out_row = work.run_lo
            work.run_lo += 1
        run_row(work, in_row, out_row, running_sums(work, _) + work.left * work.nc, _)


# One row enters, another one leaves; -1: none.
cdef void run_row(
        Work *work, Py_ssize_t in_row, Py_ssize_t out_row, running *sums,
        running *_) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t n = work.nw * work.nc
    cdef running *lines = running_lines(work, _)
    cdef const char *x = work.plane + work.d0 * job.x.stride[0] + work.i0 * job.x.stride[2]
    cdef const char *enters = x + in_row * job.x.stride[1] if in_row >= 0 else NULL
    cdef const char *leaves = x + out_row * job.x.stride[1] if out_row >= 0 else NULL
    if job.narrow:
        if running is double:
            cypool_run(n, <int64_t *>sums, <const float *>enters, <const float *>leaves, work.grid)
        elif running is not int64_t:
            cypool_run_short(n, sums, enters, leaves, <int>job.size, <int>job.is_signed)
        return
    if job.load != NULL and in_row >= 0:
        enters = <char *>lines
        load_rows(work, 0, work.d0, in_row, in_row + 1, lines, n, <Sum *>NULL)
    if job.load != NULL and out_row >= 0:
        leaves = <char *>(lines + n)
        load_rows(work, 0, work.d0, out_row, out_row + 1, lines + n, n, <Sum *>NULL)
    if running is double:
        cypool_run(n, <int64_t *>sums, <const double *>enters, <const double *>leaves, work.grid)
    else:
        cypool_run(n, sums, <const running *>enters, <const running *>leaves, 0.0)


# Output rows h0 <= h < h1.
cdef void run_rows(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, running *y, Py_ssize_t sy) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef Py_ssize_t h, start, count, n = work.o1 - work.o0, k = work.job.axis[2].kernel
    for h in range(h0, h1):
        axis_window(a, h, &start, &count)
        run_to(work, start, start + count, y)
        if running is double:
            cypool_slide(n, work.nc, y + (h - h0) * sy, <int64_t *>running_sums(work, y), k,
                         work.grid / 6755399441055744.0)
        else:
            cypool_slide(n, work.nc, y + (h - h0) * sy, running_sums(work, y), k, 1.0)

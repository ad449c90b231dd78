# Long windows of float32, summed in float64.

# k values in a row of float64, or of what was float32 before (`narrow`): halves, if these are many.
cdef double total_of(const real *x, Py_ssize_t k, bint narrow) noexcept nogil:
    cdef Py_ssize_t half
    if k <= (TOTAL if narrow or sizeof(real) == sizeof(float) else TOTAL_DOUBLE):
        return cypool_total(k, x, narrow)
    half = k // 2 // LANES * LANES
    return total_of(x, half, narrow) + total_of(x + half, k - half, narrow)


# Windows of k elements, `step` apart.
cdef void some_totals(
        Work *work, Py_ssize_t windows, Py_ssize_t k, double *y, const float *x,
        Py_ssize_t step) noexcept nogil:
    cdef Py_ssize_t half, i, ahead = 0
    cdef double v
    if work.job.halves:
        halved_f32(windows, k, y, x, step)
    elif k > TOTAL:
        half = k // 2 // LANES * LANES
        for i in range(windows):
            some_totals(work, 1, half, y + i, x + i * step, 0)
            some_totals(work, 1, k - half, &v, x + i * step + half, 0)
            y[i] += v
    else:
        if step >= k and work.job.away >= NEAR:
            ahead = CYPOOL_SOON
            if work.job.away == FARTHEST and k >= SHORT_TOTAL:
                ahead = CYPOOL_AHEAD
        totals_f32(windows, k, y, x, step, ahead, work.job.away == FARTHEST)


# A window too wide for a line, by the same tree as if it were read in place.
cdef double total_wide(
        Work *work, Py_ssize_t h, Py_ssize_t start, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t half
    if count <= TOTAL:
        work.i0 = start
        work.nw = count
        bring_rows(work, 0, work.d0, work.dn, h, h + 1, <double *>work.rows, count,
                   <double *>work.loaded, <double *>work.more, <Sum *>NULL)
        return total_of(<const double *>work.rows, count, True)
    half = count // 2 // LANES * LANES
    return (total_wide(work, h, start, half)
            + total_wide(work, h, start + half, count - half))

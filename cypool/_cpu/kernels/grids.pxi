# Whether float32 goes by whole numbers: grids for running sums (see running.pxi).

# What there is to say about rows h0 <= h < h1 of a plane, of all slabs.
cdef void survey_rows(
        const Job *job, Py_ssize_t plane, Py_ssize_t h0, Py_ssize_t h1,
        Survey *survey) noexcept nogil:
    cdef Work work
    cdef Py_ssize_t d, h, i, c, n = job.axis[2].length * job.inner
    cdef double line[1024]
    memset(&work, 0, sizeof(work))
    work.job = job
    work.plane = job.x.data + outer_offset(job, &job.x, plane)
    if job.narrow and job.x.stride[1] == n * job.size:
        n *= h1 - h0
        h1 = min(h1, h0 + 1)
    for d in range(job.axis[0].length):
        for h in range(h0, h1):
            if job.narrow:
                survey_line(n, <const float *>(
                    work.plane + d * job.x.stride[0] + h * job.x.stride[1]), survey)
                continue
            c = 0
            while c < job.inner:
                work.plane = job.x.data + outer_offset(job, &job.x, plane) + c * job.x.inner
                work.nc = min(job.inner - c, 1024)
                work.i0 = 0
                while work.i0 < job.axis[2].length:
                    work.nw = min(job.axis[2].length - work.i0, 1024 // work.nc)
                    load_rows(&work, 0, d, h, h + 1, line, 0, <Sum *>NULL)
                    survey_line(work.nw * work.nc, <const double *>line, survey)
                    work.i0 += work.nw
                c += work.nc


# Of a whole plane, or of one row.
cdef double find_grid(
        const Job *job, Py_ssize_t plane, Py_ssize_t h0, Py_ssize_t h1) noexcept nogil:
    cdef Survey found
    cdef int bound
    cdef double grid
    survey_start(&found, 0)
    survey_rows(job, plane, h0, h1, &found)
    grid = grid_of(job, &found, &bound)
    if bound > 0:
        survey_start(&found, bound)
        survey_rows(job, plane, h0, h1, &found)
        if not grid_serves(job, &found):
            return 0
    return grid


cdef inline void survey_line(
        Py_ssize_t n, const real *line, Survey *survey) noexcept nogil:
    if survey.bound > 0:
        cypool_below(n, line, survey.bound, &survey.below)
    else:
        cypool_survey(n, line, &survey.greatest, &survey.least)

# What a thread has at hand: the tile of the block it is at, and its scratch.

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


# What each column of a tile adds to an average's divisor, or where planes are divided at once every
# divisor of a group: at least 1, as a sum of nothing is 0 whatever it is divided by.
cdef void find_divisors(
        const Job *job, Py_ssize_t o0, Py_ssize_t o1, int32_t *divisors) noexcept nogil:
    cdef Py_ssize_t h, o, p, plane = job.axis[1].outputs * o1
    cdef Divisor divisor
    if not job.divides_planes:
        for o in range(o0, o1):
            divisors[o - o0] = <int32_t>max(
                axis_divisor(&job.divisor[2], o, job.include_pad), 1)
        return
    for h in range(job.axis[1].outputs):
        divisor_start(&divisor, job, 0, h)
        for o in range(o1):
            divisors[h * o1 + o] = <int32_t>divisor_of(&divisor, o)
    for p in range(1, job.group):
        memcpy(divisors + p * plane, divisors, plane * sizeof(int32_t))


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
    bint found                  # one was met on the way
    Py_ssize_t margin_left, margin_nw, margin_nc    # for which columns scratch rows have margins
    Job *counter                # this thread's copy, which writes to counts
    int64_t *counts
    char *counter_scratch

# Log-sum-exp and softmax-weighted means of sliding windows: the exponential of each element is made
# once for all windows that see it, relative to the greatest number of a brick, in float64. A window
# far below that is made by itself, and so is one with a NaN or an infinity.

cdef extern from "cypool_lanes.h":
    double cypool_lanes_greatest(Py_ssize_t, const double *) noexcept nogil
    void cypool_lanes_weigh(Py_ssize_t, double *, double *, double, double) noexcept nogil
    void cypool_lanes_sum(
        Py_ssize_t, Py_ssize_t, double *, Py_ssize_t, const Py_ssize_t *) noexcept nogil
    void cypool_lanes_logs(Py_ssize_t, double *, const double *, double, double) noexcept nogil
    void cypool_lanes_means(Py_ssize_t, double *, const double *) noexcept nogil


# Elements in float64, with the sign of beta; padding weighs nothing.
cdef bint lay_values(
        char *to, const char *x, Py_ssize_t before, Py_ssize_t n, Py_ssize_t after,
        Py_ssize_t step, element *_) noexcept nogil:
    cdef Py_ssize_t i
    cdef double *v = <double *>to
    for i in range(before):
        v[i] = -INFINITY
    v += before
    if step == sizeof(element):
        for i in range(n):
            v[i] = value_of((<const element *>x)[i])
    else:
        for i in range(n):
            v[i] = value_of((<const element *>(x + i * step))[0])
    for i in range(n, n + after):
        v[i] = -INFINITY
    return False


cdef bint lay_negative(
        char *to, const char *x, Py_ssize_t before, Py_ssize_t n, Py_ssize_t after,
        Py_ssize_t step, element *_) noexcept nogil:
    cdef Py_ssize_t i
    lay_values(to, x, before, n, after, step, _)
    for i in range(before, before + n):
        (<double *>to)[i] = -(<double *>to)[i]
    return False


# Sums of a brick's values into the row of its windows.
cdef void add_brick(
        const Brick *brick, Py_ssize_t kernel, double *values, const Py_ssize_t *at) noexcept nogil:
    cdef Py_ssize_t slot, taps = brick.slabs * brick.taps_h
    cdef const Py_ssize_t *column = at + kernel + 1
    for slot in range(brick.slots_w):
        cypool_lanes_sum(brick.lanes, taps, values, column[taps], column)
        column += taps + 2
    cypool_lanes_sum(brick.lanes, kernel, values, at[kernel], at)


# How many taps each window of a brick has.
cdef void count_taps(
        const Bricks *bricks, const Brick *brick, const Spot *spot, double *by) noexcept nogil:
    cdef Py_ssize_t w, c, start, count, row = brick.width * brick.inner
    for w in range(brick.lanes):
        by[w] = 1
    for w in range(brick.columns):
        axis_window(&bricks.job.axis[2], spot.w + w, &start, &count)
        for c in range(brick.inner):
            by[w * brick.inner + c] = <double>(count * brick.slabs * brick.taps_h)
    for w in range(1, brick.rows):
        memcpy(by + w * row, by, row * sizeof(double))


cdef void weigh_brick(
        const Bricks *bricks, const Brick *brick, const Spot *spot, const char *x, char *y,
        char *scratch, element *_) noexcept nogil:
    cdef const Job *job = bricks.job
    cdef Py_ssize_t kernel = job.axis[2].kernel, row, w
    cdef Py_ssize_t elements = brick.slabs * brick.slots_h * brick.slots_w * brick.block
    cdef const Py_ssize_t *at = <const Py_ssize_t *>(scratch + bricks.names)
    cdef double *weight = <double *>scratch
    cdef double *product = <double *>(scratch + bricks.second) if bricks.soft else NULL
    cdef double *by = NULL
    cdef double *found
    cdef double most
    cdef Spot at_hand
    lay_brick(bricks, brick, spot, x, scratch, sizeof(double),
              <lay_fn>&lay_negative[element] if bricks.beta < 0 else <lay_fn>&lay_values[element])
    for row in range(elements, brick.sorted):
        weight[row] = -INFINITY
    most = cypool_lanes_greatest(elements, weight)
    if most == -INFINITY:
        most = 0
    cypool_lanes_weigh(brick.sorted, weight, product, most, fabs(bricks.beta))
    add_brick(brick, kernel, weight, at)
    found = weight + at[kernel]
    if bricks.soft:
        add_brick(brick, kernel, product, at)
        cypool_lanes_means(brick.lanes, found, product + at[kernel])
    else:
        if bricks.mean:
            by = weight + brick.odd
            count_taps(bricks, brick, spot, by)
        cypool_lanes_logs(brick.lanes, found, by, most, bricks.beta)
    at_hand = spot[0]
    for row in range(brick.rows):
        at_hand.h = spot.h + row
        if brick.inner == 1:
            take_values(bricks, &at_hand, y + row * job.y.stride[1], found + row * brick.width,
                        brick.columns, False, scratch, _)
            continue
        for w in range(brick.columns):
            at_hand.w = spot.w + w
            take_values(
                bricks, &at_hand, y + row * job.y.stride[1] + w * job.y.stride[2],
                found + (row * brick.width + w) * brick.inner, brick.inner, True, scratch, _)
        at_hand.w = spot.w


# Results of neighbouring windows, across channels or columns. What is a NaN is made by itself.
cdef void take_values(
        const Bricks *bricks, const Spot *spot, char *y, const double *found, Py_ssize_t n,
        bint across, char *scratch, element *_) noexcept nogil:
    cdef Py_ssize_t i, last, step = bricks.job.y.inner if across else bricks.job.y.stride[2]
    cdef Spot at_hand = spot[0]
    if step == sizeof(element):
        for i in range(n):
            (<element *>y)[i] = of_value(found[i], _)
    else:
        for i in range(n):
            (<element *>(y + i * step))[0] = of_value(found[i], _)
    if not cypool_has_nan(n, found):
        return
    i = 0
    while i < n:
        if found[i] == found[i]:
            i += 1
            continue
        last = i + 1
        while last < n and found[last] != found[last]:
            last += 1
        if across:
            at_hand.c = spot.c + i
        else:
            at_hand.w = spot.w + i
        bricks.again(bricks.each, &at_hand, last - i, across, scratch + bricks.spare)
        i = last


cdef void weigh_bricks(
        const Bricks *bricks, Py_ssize_t first, Py_ssize_t last, char *scratch,
        element *_) noexcept nogil:
    walk_bricks(bricks, first, last, scratch, sizeof(double), <brick_fn>&weigh_brick[element],
                &leave_empty)

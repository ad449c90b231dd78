# Values of one rank of sliding windows: the taps of each column of a brick are sorted, once for all
# windows that see them, and the columns of windows are merged until the rank is found.
#
# Columns of padding are there as values below and above all others, so many of each that the rank
# of what is real among them is the one that is wanted: windows that the border clips go with all
# others.

cdef extern from "cypool_ranks.h":
    # Macros that choose a function by the type of what they are given.
    void cypool_network(Py_ssize_t, ...) noexcept nogil
    void cypool_odd(Py_ssize_t, ...) noexcept nogil
    void cypool_tap(Py_ssize_t, ...) noexcept nogil


# Below and above all values, as they are in a brick: halves are keys there.
cdef inline void fence(char *to, bint above, element *_) noexcept nogil:
    if element is half:
        (<int16_t *>to)[0] = 0x7c00 if above else -0x7c00
    elif element is bfloat:
        (<int16_t *>to)[0] = 0x7f80 if above else -0x7f80
    elif element is float or element is double:
        (<element *>to)[0] = INFINITY if above else -INFINITY
    elif element is int8_t:
        (<element *>to)[0] = INT8_MAX if above else INT8_MIN
    elif element is int16_t:
        (<element *>to)[0] = INT16_MAX if above else INT16_MIN
    elif element is int32_t:
        (<element *>to)[0] = INT32_MAX if above else INT32_MIN
    elif element is int64_t:
        (<element *>to)[0] = INT64_MAX if above else INT64_MIN
    else:
        (<element *>to)[0] = <element>-1 if above else 0


# Halves `step` bytes apart as keys; whether there is a NaN.
cdef inline bint lay_keys(
        int16_t *to, const char *x, Py_ssize_t n, Py_ssize_t step, element *_) noexcept nogil:
    cdef int16_t infinity = 0x7c00 if element is half else 0x7f80, found = 0
    cdef Py_ssize_t i
    cdef uint16_t bits
    for i in range(n):
        bits = (<const uint16_t *>(x + i * step))[0]
        to[i] = cypool_key16(bits, infinity, 0)
        found |= <int16_t>(<int16_t>(bits & 0x7fff) > infinity)
    return found != 0


cdef bint lay_row(
        char *to, const char *x, Py_ssize_t before, Py_ssize_t n, Py_ssize_t after,
        Py_ssize_t step, element *_) noexcept nogil:
    cdef Py_ssize_t i
    # (Padding is anything but a NaN: sorted columns of it are written later.)
    memset(to, 0, before * sizeof(element))
    to += before * <Py_ssize_t>sizeof(element)
    memset(to + n * <Py_ssize_t>sizeof(element), 0, after * sizeof(element))
    if n == 0:
        return False
    if element is half or element is bfloat:
        # (A constant distance makes vector code of the same loop.)
        if step == sizeof(element):
            return lay_keys(<int16_t *>to, x, n, sizeof(element), _)
        return lay_keys(<int16_t *>to, x, n, step, _)
    else:
        if step == sizeof(element):
            memcpy(to, x, n * sizeof(element))
        elif step == 2 * sizeof(element):
            cypool_pick(1, n, 1, <element *>to, 0, <const element *>x, 0, 2)
        else:
            for i in range(n):
                (<element *>to)[i] = (<const element *>(x + i * step))[0]
        if element is float or element is double:
            return cypool_has_nan(n, <const element *>to)
        else:
            return False


# Keys as halves again, `step` bytes apart.
cdef inline void take_keys(
        char *y, const int16_t *line, Py_ssize_t n, Py_ssize_t step, element *_) noexcept nogil:
    cdef uint16_t nan = 0x7e00 if element is half else 0x7fc0
    cdef Py_ssize_t i
    for i in range(n):
        (<uint16_t *>(y + i * step))[0] = cypool_unkey16(line[i], nan, 0)


# Elements back. odd: of each, whether it is a NaN instead; or NULL.
cdef inline void take_row(
        char *y, char *line, const char *odd, Py_ssize_t n, Py_ssize_t step,
        element *_) noexcept nogil:
    cdef Py_ssize_t i
    if odd != NULL:
        for i in range(n):
            if element is half or element is bfloat:
                if (<const int16_t *>odd)[i]:
                    (<int16_t *>line)[i] = INT16_MAX
            elif element is float:
                if (<const int32_t *>odd)[i]:
                    (<element *>line)[i] = NAN
            elif element is double:
                if (<const int64_t *>odd)[i]:
                    (<element *>line)[i] = NAN
    if element is half or element is bfloat:
        if step == sizeof(element):
            take_keys(y, <const int16_t *>line, n, sizeof(element), _)
        else:
            take_keys(y, <const int16_t *>line, n, step, _)
    elif step == sizeof(element):
        memcpy(y, line, n * sizeof(element))
    else:
        for i in range(n):
            (<element *>(y + i * step))[0] = (<const element *>line)[i]


cdef inline void run_network(
        const Network *network, Py_ssize_t n, char *first, const Py_ssize_t *at,
        element *_) noexcept nogil:
    if element is half or element is bfloat:
        cypool_network(n, network.compiled, network.count, network.steps, <int16_t *>first, at)
    else:
        cypool_network(n, network.compiled, network.count, network.steps, <element *>first, at)


# Sorted columns that are padding: of `taps` taps, the lower ones below all values. Windows that
# miss the first n columns beyond the border have so many of these as shift the rank by what they
# miss.
cdef void pad_columns(
        const Bricks *bricks, const Brick *brick, Py_ssize_t taps, Py_ssize_t w0, Py_ssize_t slot,
        char *first_row, const Py_ssize_t *at, element *_) noexcept nogil:
    cdef const Axis *w = &bricks.job.axis[2]
    cdef Py_ssize_t before = w0 * w.stride - w.lo + slot * w.step % w.stride
    cdef Py_ssize_t first, last, p, column, n, low, t, r, c
    cdef element below, above
    cdef char *to
    real_columns(w, before, brick.width, &first, &last)
    if first == 0 and last == brick.width:
        return
    fence(<char *>&below, False, _)
    fence(<char *>&above, True, _)
    p = 0
    while p < brick.width:
        if p == first:
            p = last
            if p == brick.width:
                break
        column = before + p * w.stride
        n = (-column if column < 0 else column - w.length + 1) - 1
        n = min(n // w.step + 1, w.kernel)
        low = (rank_of(bricks.quantile, taps * (w.kernel - n + 1))
               - rank_of(bricks.quantile, taps * (w.kernel - n)))
        for t in range(taps):
            to = first_row + (at[t] + p * brick.inner) * <Py_ssize_t>sizeof(element)
            for r in range(brick.rows):
                for c in range(brick.inner):
                    memcpy(to + c * <Py_ssize_t>sizeof(element), &above if t >= low else &below,
                           sizeof(element))
                to += brick.width * brick.inner * <Py_ssize_t>sizeof(element)
        p += 1


cdef void rank_brick(
        const Bricks *bricks, const Brick *brick, const Spot *spot, const char *x, char *y,
        char *scratch, element *_) noexcept nogil:
    cdef const Job *job = bricks.job
    cdef Py_ssize_t kernel = job.axis[2].kernel, taps = brick.slabs * brick.taps_h
    cdef Py_ssize_t slot, i, start, row
    cdef const Network *columns = &bricks.columns[taps]
    cdef const Network *windows = &bricks.windows[taps]
    cdef const Py_ssize_t *at = <const Py_ssize_t *>(scratch + bricks.names)
    cdef const Py_ssize_t *column = at + taps * kernel + windows.registers
    cdef char *odd = NULL
    cdef char *found
    cdef char *to
    if lay_brick(bricks, brick, spot, x, scratch, sizeof(element), <lay_fn>&lay_row[element]):
        odd = scratch + brick.odd * <Py_ssize_t>sizeof(element)
    for slot in range(brick.slots_w):
        run_network(columns, brick.lanes, scratch, column, _)
        column += taps + columns.registers
        if kernel > 1:
            pad_columns(bricks, brick, taps, spot.w, slot, scratch, column, _)
        column += taps
    run_network(windows, brick.lanes, scratch, at, _)
    found = scratch + at[windows.outputs[0]] * <Py_ssize_t>sizeof(element)
    if odd != NULL:
        memset(odd, 0, brick.lanes * sizeof(element))
    if odd != NULL or job.index.data != NULL:
        find_taps(bricks, brick, scratch, found, odd, _)
    if job.y.data != NULL:
        for row in range(brick.rows):
            to = y + row * job.y.stride[1]
            start = row * brick.width * brick.inner * <Py_ssize_t>sizeof(element)
            if brick.inner == 1 or job.y.stride[2] == brick.inner * job.y.inner:
                take_row(to, found + start, odd + start if odd != NULL else NULL,
                         brick.columns * brick.inner,
                         job.y.inner if brick.inner > 1 else job.y.stride[2], _)
                continue
            for i in range(brick.columns):
                take_row(to + i * job.y.stride[2], found + start,
                         odd + start if odd != NULL else NULL, brick.inner, job.y.inner, _)
                start += brick.inner * <Py_ssize_t>sizeof(element)
    if job.index.data != NULL:
        take_indices(bricks, brick, spot, scratch, odd, _)


# Of each window, the first tap that is a NaN, from 1 on, if there may be any (odd is not NULL), and
# that whose value is found, from 0 on, if it is asked for.
cdef void find_taps(
        const Bricks *bricks, const Brick *brick, char *x, const char *found, char *odd,
        element *_) noexcept nogil:
    cdef const Axis *h = &bricks.job.axis[1]
    cdef const Axis *w = &bricks.job.axis[2]
    cdef char *taps = x + brick.taps * <Py_ssize_t>sizeof(element)
    cdef Py_ssize_t i, j, k, at
    cdef int t = <int>(brick.slabs * brick.taps_h * w.kernel)
    for i in range(brick.slabs - 1, -1, -1):
        for j in range(brick.taps_h - 1, -1, -1):
            for k in range(w.kernel - 1, -1, -1):
                at = (((i * brick.slots_h + j % bricks.period_h) * brick.slots_w
                       + k % bricks.period_w) * brick.block
                      + j * h.step // h.stride * brick.width * brick.inner
                      + k * w.step // w.stride * brick.inner)
                if odd != NULL:
                    if element is half or element is bfloat:
                        cypool_odd(brick.lanes, <int16_t *>odd, <const int16_t *>x + at, t)
                    elif element is float:
                        cypool_odd(brick.lanes, <int32_t *>odd, <const float *>x + at, t)
                    elif element is double:
                        cypool_odd(brick.lanes, <int64_t *>odd, <const double *>x + at, t)
                t -= 1
                if bricks.job.index.data != NULL:
                    if element is half or element is bfloat:
                        cypool_tap(brick.lanes, taps, <const int16_t *>x + at,
                                   <const int16_t *>found, t)
                    else:
                        cypool_tap(brick.lanes, taps, <const element *>x + at,
                                   <const element *>found, t)


# The number that lies in a row as wide as elements are.
cdef inline Py_ssize_t tap_of(const char *row, Py_ssize_t i, element *_) noexcept nogil:
    if sizeof(element) == 1:
        return (<const uint8_t *>row)[i]
    elif sizeof(element) == 2:
        return (<const uint16_t *>row)[i]
    elif sizeof(element) == 4:
        return (<const uint32_t *>row)[i]
    else:
        return <Py_ssize_t>(<const uint64_t *>row)[i]


# Where in their planes the values of a brick were found. (Padding may be alike: a window that the
# border clips is looked through by itself.)
cdef void take_indices(
        const Bricks *bricks, const Brick *brick, const Spot *spot, char *scratch,
        const char *odd, element *_) noexcept nogil:
    cdef const Job *job = bricks.job
    cdef const Axis *axis = &job.axis[0]
    cdef const char *taps = scratch + brick.taps * <Py_ssize_t>sizeof(element)
    cdef Py_ssize_t row, w, c, t, lane, d0, h0, count
    cdef int64_t base, index
    cdef char *to
    cdef char *p
    cdef Spot at_hand = spot[0]
    axis_window(&axis[0], spot.d, &d0, &count)
    for row in range(brick.rows):
        at_hand.h = spot.h + row
        axis_window(&axis[1], at_hand.h, &h0, &count)
        to = job.index.data + outer_offset(job, &job.index, spot.plane) + (
            spot.d * job.index.stride[0] + at_hand.h * job.index.stride[1])
        for w in range(brick.columns):
            at_hand.w = spot.w + w
            if not axis[2].begin <= at_hand.w < axis[2].end:
                bricks.again(bricks.each, &at_hand, brick.inner, True, scratch + bricks.spare)
                continue
            base = (<int64_t>d0 * axis[1].length + h0) * axis[2].length + (
                at_hand.w * axis[2].stride - axis[2].lo)
            for c in range(brick.inner):
                lane = (row * brick.width + w) * brick.inner + c
                t = tap_of(odd, lane, _) - 1 if odd != NULL else -1
                if t < 0:
                    t = tap_of(taps, lane, _)
                index = t // axis[2].kernel
                index = base + ((index // brick.taps_h * axis[0].step) * axis[1].length + (
                    index % brick.taps_h) * axis[1].step) * axis[2].length + (
                    t % axis[2].kernel * axis[2].step)
                p = to + at_hand.w * job.index.stride[2] + (spot.c + c) * job.index.inner
                if job.index32:
                    (<int32_t *>p)[0] = <int32_t>index
                else:
                    (<int64_t *>p)[0] = index


# What has no tap is below all else.
cdef void leave_lowest(
        const Bricks *bricks, const Spot *spot, Py_ssize_t rows, Py_ssize_t columns,
        Py_ssize_t inner, char *y, bint all_of_them, char *scratch, element *_) noexcept nogil:
    cdef const Job *job = bricks.job
    cdef Py_ssize_t w = spot.w, row, c, start, count = 0
    cdef element e
    cdef int16_t key
    if job.index.data != NULL:
        # (Those that see no column have been looked through by themselves.)
        leave_empty(bricks, spot, rows, columns, inner, y, all_of_them, scratch, _)
        return
    if element is half or element is bfloat:
        fence(<char *>&key, False, _)
        e.bits = cypool_unkey16(key, 0, 0)
    else:
        fence(<char *>&e, False, _)
    while w < spot.w + columns:
        if not all_of_them:
            if job.axis[2].begin <= w < job.axis[2].end:
                w = job.axis[2].end
                continue
            axis_window(&job.axis[2], w, &start, &count)
        if count == 0:
            for row in range(rows):
                for c in range(inner):
                    (<element *>(y + row * job.y.stride[1] + (w - spot.w) * job.y.stride[2]
                                 + c * job.y.inner))[0] = e
        w += 1


cdef void rank_bricks(
        const Bricks *bricks, Py_ssize_t first, Py_ssize_t last, char *scratch,
        element *_) noexcept nogil:
    walk_bricks(bricks, first, last, scratch, sizeof(element), <brick_fn>&rank_brick[element],
                <empty_fn>&leave_lowest[element])

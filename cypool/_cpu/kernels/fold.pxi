# Many values as one by any associative reducer, always by the same tree for the same geometry, so
# that neither the cutting of the work nor the instruction set shows in the result. No addition is
# chained more than TAPS deep.
#
# Everything here works on lines of elements at once: rows under a window are folded element by
# element, and so are the columns of a line, as the line and itself moved by a tap.

cdef enum:
    LEAF = 8            # values combined by pairs one after the other; longer runs are halved
    TAPS = 32           # rows likewise
    LANE = 4            # values combined one after the other within a lane
    LANES = 64          # bytes of a long window's columns folded side by side
    FEW = 5             # columns of extremes that are combined at once, not by doubling
    DIRECT = 8          # taps up to which neighbouring windows share nothing
    TOTAL_TAPS = 9      # taps from which on one window is summed in one go, and
    TOTAL = 4096        # up to which, if they are of float32
    TOTAL_DOUBLE = 1024
    SHORT_TOTAL = 64    # elements below which several windows are summed at a time


cdef void row_fill(acc *y, Py_ssize_t n, acc value) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = value

cdef void rows_fill(
        Py_ssize_t rows, Py_ssize_t n, acc *y, Py_ssize_t sy, acc value) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(rows):
        row_fill(y + i * sy, n, value)


# --- one window ---

# k values that lie step apart, as one.
cdef acc fold_values(const acc *m, Py_ssize_t k, Py_ssize_t step, reducer *r) noexcept nogil:
    cdef acc lanes[LANES]
    cdef acc v
    cdef Py_ssize_t i, j, half, wide = LANES // sizeof(acc)
    if (acc is double or acc is float) and reducer is Sum:
        if step == 1 and k >= TOTAL_TAPS:
            return <acc>total_of(m, k, False)
    if acc is not int128 and reducer is not Sum:
        if step == 1 and k * <Py_ssize_t>sizeof(acc) >= 16:
            cypool_peaks(1, k, r, &v, m, k, 0)
            return v
    if step == 1 and wide <= k <= LANE * wide:
        for j in range(wide):
            lanes[j] = m[j]
        for i in range(1, k // wide):
            for j in range(wide):
                lanes[j] = combine(lanes[j], m[i * wide + j], r)
        for j in range(k % wide):
            lanes[j] = combine(lanes[j], m[k - k % wide + j], r)
        half = wide // 2
        while half > 0:
            for j in range(half):
                lanes[j] = combine(lanes[j], lanes[j + half], r)
            half //= 2
        return lanes[0]
    if k <= LEAF:
        v = m[0]
        if k % 2 == 0:
            v = combine(v, m[step], r)
        for i in range(2 - k % 2, k - 1, 2):
            v = combine(v, combine(m[i * step], m[(i + 1) * step], r), r)
        return v
    half = max(k // 2 // wide * wide, LEAF)
    return combine(fold_values(m, half, step, r),
                   fold_values(m + half * step, k - half, step, r), r)


# k vectors of n values that lie step apart, as one, by pairs one after the other (after three, if
# their number is odd), or where no order shows in another way. From `far`: memory is asked for
# ahead.
cdef void fold_pairs(
        Py_ssize_t rows, Py_ssize_t n, acc *y, Py_ssize_t sy, const acc *m, Py_ssize_t sm,
        Py_ssize_t step, Py_ssize_t k, bint far, reducer *r) noexcept nogil:
    cdef Py_ssize_t t, first = min(k, 2 + k % 2)
    if (reducer is Max or reducer is Min or reducer is Sum) and acc is not int128:
        first = min(k, 4 + k % 2)
    if (reducer is Max or reducer is Min) and acc is not int128:
        if first < k:
            cypool_extreme(rows, n, r, y, sy, m, sm, step, k, far)
            return
    if first == 1:
        cypool_copy(rows, n, y, sy, m, sm)
    elif first == 2:
        cypool_join(rows, n, r, y, sy, m, sm, step)
    elif first == 3:
        cypool_join3(rows, n, r, y, sy, m, sm, step, 2 * step)
    elif first == 4:
        cypool_taps4(rows, n, r, y, sy, m, sm, step)
    else:
        cypool_taps5(rows, n, r, y, sy, m, sm, step)
    for t in range(first, k, 2):
        cypool_add2(rows, n, r, y, sy, m + t * step, sm, step)


# The same of any k: by halves, as long as these are too many. stack holds the inner nodes of the
# tree.
cdef void fold_vectors(
        Py_ssize_t rows, Py_ssize_t n, acc *y, Py_ssize_t sy, const acc *m, Py_ssize_t sm,
        Py_ssize_t step, Py_ssize_t k, acc *stack, reducer *r) noexcept nogil:
    cdef Py_ssize_t i, half
    if k <= LEAF:
        fold_pairs(rows, n, y, sy, m, sm, step, k, False, r)
    else:
        half = k // 2
        for i in range(rows):
            fold_vectors(1, n, y + i * sy, n, m + i * sm, n, step, half, stack, r)
            fold_vectors(1, n, stack, n, m + i * sm + half * step, n, step, k - half, stack + n, r)
            cypool_add(1, n, r, y + i * sy, n, stack, n)


# One window of count taps of nc values each.
cdef inline void fold_window(
        acc *y, const acc *m, Py_ssize_t count, Py_ssize_t step, Py_ssize_t nc, acc *stack,
        reducer *r) noexcept nogil:
    if count == 0:
        row_fill(y, nc, identity(r, y))
    elif nc == 1:
        y[0] = fold_values(m, count, step, r)
    else:
        fold_vectors(1, nc, y, nc, m, nc, step * nc, count, stack, r)


# --- rows under windows ---

# Rows of outputs, each of count source rows that lie step apart; from one output to the next the
# source moves by sm. Distances are in elements of the source: the array's own rows (`placed`) are
# of another type where sums of float32 or of short integers are made in a wider one; or what was
# brought was float32 before, and `eights` are summed in it.
cdef void fold_taps(
        Work *work, Py_ssize_t rows, Py_ssize_t n, acc *y, Py_ssize_t sy, const char *m,
        Py_ssize_t sm, Py_ssize_t step, Py_ssize_t count, acc *more, bint placed,
        bint eights, reducer *r) noexcept nogil:
    cdef bint narrow = placed and work.job.narrow
    cdef Py_ssize_t half, i, size = work.job.size if narrow else <Py_ssize_t>sizeof(acc)
    if count == 0:
        rows_fill(rows, n, y, sy, identity(r, y))
        return
    if rows > 1 and count > LEAF and sm >= count * step:
        # Many rows that one output alone sees: in the order of memory.
        for i in range(rows):
            fold_taps(work, 1, n, y + i * sy, sy, m + i * sm * size, sm, step, count, more, placed,
                      eights, r)
        return
    if reducer is Sum and (acc is int16_t or acc is int32_t):
        if narrow:
            cypool_gain(rows, n, y, sy, m, sm, step, count, size, work.job.is_signed)
            return
    # One short row after the other is not an order that processors read ahead in by themselves.
    cdef bint far = rows == 1 and (
        work.job.away >= NEAR and n * size <= CYPOOL_SHORT // 4
        or work.job.away >= FAR and n * size <= CYPOOL_SHORT // 2)
    if (reducer is Max or reducer is Min) and (acc is float or acc is double):
        if placed and work.job.notes:
            work.found |= cypool_extreme(rows, n, r, y, sy, <const acc *>m, sm, step, count, far)
            return
    if count > TAPS:
        half = (count // 2 + LEAF - 1) // LEAF * LEAF
        fold_taps(work, rows, n, y, sy, m, sm, step, half, more, placed, eights, r)
        fold_taps(work, rows, n, more, n, m + half * step * size, sm, step, count - half,
                  more + rows * n, placed, eights, r)
        cypool_add(rows, n, r, y, sy, more, n)
        return
    if reducer is Sum and acc is double:
        if narrow:
            cypool_widen(rows, n, y, sy, <const float *>m, sm, step, count, 0, far)
            return
        if eights and count > 1:
            cypool_widen(rows, n, y, sy, <const double *>m, sm, step, count, 0, False)
            return
    fold_pairs(rows, n, y, sy, <const acc *>m, sm, step, count, far, r)


# --- a line's windows at every element ---

# The parts that windows are joined from: what `line` holds at each element, and `second` and,
# unless it is 0, `third` elements further on.
cdef struct Parts:
    const void *line
    Py_ssize_t second, third


cdef void join_parts(
        Py_ssize_t rows, Py_ssize_t n, acc *y, Py_ssize_t sy, const Parts *parts, Py_ssize_t at,
        Py_ssize_t sm, reducer *r) noexcept nogil:
    cdef const acc *m = <const acc *>parts.line + at
    if reducer is not Sum:
        if parts.third:
            cypool_join3(rows, n, r, y, sy, m, sm, parts.second, parts.third)
            return
    cypool_join(rows, n, r, y, sy, m, sm, parts.second)


# All windows of k >= 2 taps that lie reach apart, one starting at each element of m, as the parts
# that each is to be joined from. By doubling: with w[p][i] the combination of the p taps from i on,
# w[2p][i] is w[p][i] and w[p][i + p], and any k is a few powers of two (for a maximum two or three,
# which may overlap). m stays as it is.
cdef void fold_everywhere(
        Work *work, const acc *m, Py_ssize_t length, Py_ssize_t k, Py_ssize_t reach,
        Parts *parts, reducer *r) noexcept nogil:
    cdef const acc *w = m
    cdef const acc *part = NULL
    cdef acc *next = <acc *>work.temporary
    cdef acc *spare = next + work.job.temporary
    cdef acc *total = spare + work.job.temporary
    cdef acc *swap
    cdef Py_ssize_t p = 1, by, offset = 0, last = length - (k - 1) * reach, most = 3
    if reducer is Sum:
        most = 2
    while most * p < k:
        by = 2
        if reducer is Sum:
            if k & p and k & (k - 1):
                if part == NULL and p == 1:
                    part = m
                elif part == NULL:
                    cypool_copy(1, last, total, last, w, last)
                    part = total
                elif part == m:
                    cypool_join(1, last, r, total, last, m, last, w + offset * reach - m)
                    part = total
                else:
                    cypool_add(1, last, r, total, last, w + offset * reach, last)
                offset += p
        elif (reducer is Max or reducer is Min) and acc is not int128:
            by = 4 if 4 * p < k else 2
        length -= (by - 1) * p * reach
        if by == 4:
            cypool_taps4(1, length, r, next, length, w, length, p * reach)
        else:
            cypool_join(1, length, r, next, length, w, length, p * reach)
        w = next
        swap = next
        next = spare
        spare = swap
        p *= by
    parts.third = 0
    if part != NULL:
        parts.line = part
        parts.second = w + offset * reach - part
        return
    parts.line = w
    parts.second = (k - p) * reach
    if 2 * p < k:
        parts.third = parts.second
        parts.second = p * reach

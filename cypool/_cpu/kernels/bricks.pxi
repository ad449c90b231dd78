# Sliding windows side by side, a brick of them at a time: see bricks.pxd.

# Elements `step` bytes apart into a row of a brick, with `before` and `after` elements of padding
# around them; whether there is something to look at apart.
ctypedef bint (*lay_fn)(
    char *to, const char *x, Py_ssize_t before, Py_ssize_t n, Py_ssize_t after, Py_ssize_t step,
    void *_) noexcept nogil
# The windows of a brick, which begin at a spot; x is that of its plane and inner element, y its
# own.
ctypedef void (*brick_fn)(
    const Bricks *bricks, const Brick *brick, const Spot *spot, const char *x, char *y,
    char *scratch, void *_) noexcept nogil
# Those of so many rows and columns that have no tap: all of them, or those that see no column.
ctypedef void (*empty_fn)(
    const Bricks *bricks, const Spot *spot, Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t inner,
    char *y, bint all_of_them, char *scratch, void *_) noexcept nogil


# The columns of a block that are real: first <= i < last. The first column of tap 0 is `before`.
cdef inline void real_columns(
        const Axis *w, Py_ssize_t before, Py_ssize_t width, Py_ssize_t *first,
        Py_ssize_t *last) noexcept nogil:
    first[0] = min((-before + w.stride - 1) // w.stride if before < 0 else 0, width)
    last[0] = (w.length - 1 - before) // w.stride + 1 if before < w.length else 0
    last[0] = max(min(last[0], width), first[0])


# What the windows of a brick see; whether there is something to look at apart. size: bytes of an
# element there.
cdef bint lay_brick(
        const Bricks *bricks, const Brick *brick, const Spot *spot, const char *x, char *to,
        Py_ssize_t size, lay_fn lay) noexcept nogil:
    cdef const Job *job = bricks.job
    cdef const Axis *h = &job.axis[1]
    cdef const Axis *w = &job.axis[2]
    cdef Py_ssize_t inner = brick.inner, pixel = w.stride * job.x.stride[2]
    cdef Py_ssize_t d0, h0, count, i, a, b, r, row, before, first, last, p
    cdef const char *at
    cdef char *after
    cdef bint found = False
    axis_window(&job.axis[0], spot.d, &d0, &count)
    axis_window(h, spot.h, &h0, &count)
    for i in range(brick.slabs):
        for a in range(brick.slots_h):
            for b in range(brick.slots_w):
                before = spot.w * w.stride - w.lo + b * w.step % w.stride
                real_columns(w, before, brick.width, &first, &last)
                for r in range(brick.height):
                    row = h0 + a * h.step % h.stride + r * h.stride
                    after = to + brick.width * inner * size
                    # (Of all blocks, those of the first taps have the most rows.)
                    if row >= h.length:
                        lay(to, x, brick.width * inner, 0, 0, 0, NULL)
                        to = after
                        continue
                    at = (x + (d0 + i * job.axis[0].step) * job.x.stride[0] + row * job.x.stride[1]
                          + (before + first * w.stride) * job.x.stride[2])
                    if inner == 1 or pixel == inner * job.x.inner:
                        found |= lay(
                            to, at, first * inner, (last - first) * inner,
                            (brick.width - last) * inner, pixel if inner == 1 else job.x.inner,
                            NULL)
                        to = after
                        continue
                    lay(to, at, first * inner, 0, 0, 0, NULL)
                    to += first * inner * size
                    for p in range(first, last):
                        found |= lay(to, at, 0, inner, 0, job.x.inner, NULL)
                        to += inner * size
                        at += pixel
                    lay(to, at, 0, 0, (brick.width - last) * inner, 0, NULL)
                    to = after
    return found


# Where rows lie that are given and made, from the first element of the brick on: those of windows,
# then those of columns, block by block, and those that are made of these.
cdef void place_rows(const Bricks *bricks, const Brick *brick, Py_ssize_t *at) noexcept nogil:
    cdef const Axis *h = &bricks.job.axis[1]
    cdef const Axis *w = &bricks.job.axis[2]
    cdef Py_ssize_t taps = brick.slabs * brick.taps_h, slot, i, j, t
    cdef const Network *columns = &bricks.columns[taps]
    cdef const Network *windows = &bricks.windows[taps]
    cdef Py_ssize_t *column = at + columns.made * w.kernel + windows.registers
    cdef Py_ssize_t *made
    for i in range(windows.registers):
        at[columns.made * w.kernel + i] = brick.registers + i * brick.lanes
    for slot in range(brick.slots_w):
        made = column + taps + columns.registers
        for i in range(brick.slabs):
            for j in range(brick.taps_h):
                column[i * brick.taps_h + j] = (
                    (i * brick.slots_h + j % bricks.period_h) * brick.slots_w + slot
                ) * brick.block + j * h.step // h.stride * brick.width * brick.inner
        for i in range(columns.registers):
            column[taps + i] = brick.sorted + (slot * columns.registers + i) * brick.lanes
        for t in range(columns.made):
            made[t] = column[columns.outputs[t]]
        i = slot
        while i < w.kernel:
            for t in range(columns.made):
                at[t * w.kernel + i] = made[t] + i * w.step // w.stride * brick.inner
            i += bricks.period_w
        column = made + columns.made


# Units are groups of rows of windows, all of which see as many rows, in each output of each plane
# along the leading axis. size: bytes of an element of a brick.
cdef void walk_bricks(
        const Bricks *bricks, Py_ssize_t first, Py_ssize_t last, char *scratch, Py_ssize_t size,
        brick_fn make, empty_fn leave) noexcept nogil:
    cdef const Job *job = bricks.job
    cdef const Axis *axis = &job.axis[1]
    cdef Py_ssize_t unit, rows, d0, slabs, h0, taps_h, columns, inner, rest, outputs
    cdef const char *x
    cdef char *y
    cdef char *to
    cdef Brick brick
    cdef Spot spot
    memset(&brick, 0, sizeof(brick))
    outputs = job.axis[2].outputs
    for unit in range(first, last):
        spot.h = unit % bricks.groups
        rest = unit // bricks.groups
        spot.d = rest % job.axis[0].outputs
        spot.plane = rest // job.axis[0].outputs
        rows = 1
        if axis.begin < axis.end and spot.h >= axis.begin:
            # One by one before the first that nothing clips, and after the last.
            rest = (axis.end - axis.begin - 1) // bricks.rows + 1
            if spot.h < axis.begin + rest:
                spot.h = axis.begin + (spot.h - axis.begin) * bricks.rows
                rows = min(bricks.rows, axis.end - spot.h)
            else:
                spot.h += axis.end - axis.begin - rest
        axis_window(&job.axis[0], spot.d, &d0, &slabs)
        axis_window(axis, spot.h, &h0, &taps_h)
        x = job.x.data + outer_offset(job, &job.x, spot.plane)
        y = job.y.data + outer_offset(job, &job.y, spot.plane) + (
            spot.d * job.y.stride[0] + spot.h * job.y.stride[1])
        spot.w = 0
        while spot.w < outputs:
            columns = min(bricks.tile_w, outputs - spot.w)
            spot.c = 0
            while spot.c < job.inner:
                inner = min(bricks.tile_c, job.inner - spot.c)
                to = y + spot.w * job.y.stride[2] + spot.c * job.y.inner
                if slabs * taps_h > 0:
                    if start_brick(&brick, bricks, rows, columns, inner, slabs, taps_h,
                                   CYPOOL_VECTOR // size):
                        place_rows(bricks, &brick, <Py_ssize_t *>(scratch + bricks.names))
                    make(bricks, &brick, &spot, x + spot.c * job.x.inner, to, scratch, NULL)
                leave(bricks, &spot, rows, columns, inner, to, slabs * taps_h == 0, scratch, NULL)
                spot.c += inner
            spot.w += columns


# What has no tap is made by itself, unless it has been already: what sees no column.
cdef void leave_empty(
        const Bricks *bricks, const Spot *spot, Py_ssize_t rows, Py_ssize_t columns,
        Py_ssize_t inner, char *y, bint all_of_them, char *scratch, void *_) noexcept nogil:
    cdef Spot at_hand = spot[0]
    cdef Py_ssize_t row, w
    if not all_of_them:
        return
    for row in range(rows):
        at_hand.h = spot.h + row
        for w in range(columns):
            at_hand.w = spot.w + w
            bricks.again(bricks.each, &at_hand, inner, True, scratch + bricks.spare)

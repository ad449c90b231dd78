# Small planes of single elements, some of them at a time, as one plane in scratch whose pixels are
# vectors of them: rows shorter than vectors share instructions then, and windows need no shuffles.
from cypool._cpu.dispatch cimport kernels
from cypool._cpu.job cimport AXES, LANES_MOST, Array, Job, turn_fn
from cypool._cpu.outer cimport outer_offset


cdef struct Turn:
    Py_ssize_t lanes        # planes of such a group; 0: there are none
    Job around              # where their arrays lie, before
    bint gathers            # x is as long as outputs, and y as inputs
    Py_ssize_t x_size, y_size, index_size       # of elements
    Py_ssize_t x_bytes, y_bytes, index_bytes    # of scratch


# An array as a group lies in scratch: its bytes there.
cdef inline Py_ssize_t turn_layout(
        Array *a, const Job *job, bint outputs, Py_ssize_t lanes, Py_ssize_t size) noexcept:
    cdef Py_ssize_t bytes = lanes * size
    cdef int i
    a.inner = size
    for i in range(AXES - 1, -1, -1):
        a.stride[i] = bytes
        bytes *= job.axis[i].outputs if outputs else job.axis[i].length
    return (bytes + 63) // 64 * 64


# A job on planes of single elements becomes one on a group of them.
cdef inline void turn_job(
        Turn *turn, Job *job, bint gathers, Py_ssize_t lanes, Py_ssize_t x_size,
        Py_ssize_t y_size, Py_ssize_t index_size) noexcept:
    turn.lanes = lanes
    turn.around = job[0]
    turn.gathers = gathers
    turn.x_size = x_size
    turn.y_size = y_size
    turn.index_size = index_size
    turn.x_bytes = turn_layout(&job.x, job, gathers, lanes, x_size)
    turn.y_bytes = turn_layout(&job.y, job, not gathers, lanes, y_size)
    turn.index_bytes = turn_layout(&job.index, job, True, lanes, index_size)
    job.inner = lanes
    job.planes = 1
    job.outer_ndim = 0
    job.lowest = 0
    job.highest = turn.x_bytes


# Bytes that a thread needs for a group, and groups.
cdef inline size_t turn_bytes(const Turn *turn) noexcept nogil:
    return turn.x_bytes + turn.y_bytes + turn.index_bytes if turn.lanes else 0


cdef inline Py_ssize_t turn_groups(const Turn *turn) noexcept nogil:
    return (turn.around.planes - 1) // turn.lanes + 1


# A group of planes of an array that is as long as outputs, or as inputs, from where they lie into
# scratch, or back.
cdef inline void turn_planes(
        const Turn *turn, const Array *a, bint outputs, Py_ssize_t size, Py_ssize_t first,
        char *pixels, bint back) noexcept nogil:
    cdef const Job *around = &turn.around
    cdef char *rows[LANES_MOST]
    cdef Py_ssize_t planes = min(turn.lanes, around.planes - first), i, h, d, n, height, depth
    cdef int log = 0 if size == 1 else 1 if size == 2 else 2 if size == 4 else 3
    cdef turn_fn move = kernels.from_pixels[log] if back else kernels.to_pixels[log]
    for i in range(turn.lanes):
        # (Lanes for which there is no plane are as the last one.)
        rows[i] = a.data + outer_offset(around, a, first + min(i, planes - 1))
    n = around.axis[2].outputs if outputs else around.axis[2].length
    height = around.axis[1].outputs if outputs else around.axis[1].length
    depth = around.axis[0].outputs if outputs else around.axis[0].length
    # Rows and slabs that follow each other are one row.
    if height == 1 or a.stride[1] == n * a.stride[2]:
        n *= height
        height = 1
        if depth == 1 or a.stride[0] == n * a.stride[2]:
            n *= depth
            depth = 1
    for d in range(depth):
        for h in range(height):
            move(planes, turn.lanes, n, rows, d * a.stride[0] + h * a.stride[1], a.stride[2],
                 pixels)
            pixels += n * turn.lanes * size


# Where a group's arrays lie in scratch, in the copy of a job that a thread has.
cdef inline void turn_scratch(const Turn *turn, Job *own, char *scratch) noexcept nogil:
    own.x.data = scratch
    if turn.around.y.data != NULL:
        own.y.data = scratch + turn.x_bytes
    if turn.around.index.data != NULL:
        own.index.data = scratch + turn.x_bytes + turn.y_bytes


# What is read, into scratch.
cdef inline void turn_in(const Turn *turn, const Job *own, Py_ssize_t first) noexcept nogil:
    turn_planes(turn, &turn.around.x, turn.gathers, turn.x_size, first, own.x.data, False)
    if turn.gathers:
        turn_planes(
            turn, &turn.around.index, True, turn.index_size, first, own.index.data, False)


# What was written there, to where it goes.
cdef inline void turn_out(const Turn *turn, const Job *own, Py_ssize_t first) noexcept nogil:
    if own.y.data != NULL:
        turn_planes(
            turn, &turn.around.y, not turn.gathers, turn.y_size, first, own.y.data, True)
    if own.index.data != NULL and not turn.gathers:
        turn_planes(turn, &turn.around.index, True, turn.index_size, first, own.index.data, True)

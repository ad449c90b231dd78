"""From arrays and windows to kernels: fills in a job, cuts it into units, runs it on threads.

Arrays are taken through the buffer protocol, without a format: pointer, shape and strides are all
that kernels need, for any number of dimensions, and the type is known already. Everything here was
checked by the caller; what can still fail is memory.
"""
from math import gcd, isqrt

from numpy import empty, ndarray

from cpython.buffer cimport (
    PyBUF_STRIDED, PyBUF_STRIDED_RO, PyBuffer_IsContiguous, PyBuffer_Release,
    PyObject_GetBuffer)
from cpython.pyport cimport PY_SSIZE_T_MAX
from cython.parallel cimport prange, threadid
from libc.math cimport NAN
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from cypool._cpu.axis cimport axis_adaptive_window, axis_apart, axis_extent, axis_single
from cypool._cpu.dispatch cimport kernels
from cypool._cpu.grid cimport grid_of, grid_serves, survey_join, survey_start
from cypool._cpu.job cimport (
    ACC_F32, ACC_F64, ACC_I8, ACC_I16, ACC_I32, ACC_I64, ACC_I128, AXES, BAND_ROWS, BFLOAT_NANS,
    DT_BF16, DT_F16, DT_F32, DT_F64, DT_I8, DT_I16, DT_I32, DT_I64, DT_U8, DTYPES, FIRST_TAPS,
    FLAT_MARGIN, HALF_NANS, INNER, LANES_MOST, LOCATE, LOCATE_BYTES, LOCATE_ROWS, MAX, MIN,
    ROW_TAPS, SLIDING, SUM, TABLE, TRANSPOSED, VECTOR_LEAST, Array, Axis, Job, Survey, reduce_fn,
    scatter_fn)
from cypool._cpu.outer cimport share
from cypool._cpu.threads cimport team_size
from cypool._cpu.turn cimport (
    Turn, turn_bytes, turn_groups, turn_in, turn_job, turn_out, turn_scratch)

cdef enum:
    LINE = 16384            # bytes of a block of lines of scratch: a few fit the nearest cache
    WIDE = 8                # times that one line may have, where a window spans so much
    SHARED = 4              # times the columns of a window that overlaps others, in a line
    LINE_MOST = 98304       # of so many bytes
    GROUP = 8192            # bytes of lines of the small planes that are taken together
    SMALL = 1024            # elements of a plane that is brought into scratch for its padding
    STAGED = 65536          # bytes of source rows brought at a time, where this is enough
    STREAMED = 524288       # bytes of source rows from which on they are brought by and by
    SCAN_STEPS = 5          # distances that a window of rows is longer than, if scans pay
    SCAN_LEAST = 11         # rows from which on extremes that are read in place are worth scans
    SCANNED = 1048576       # bytes of partial results of long windows of rows, at most
    TILE_INNER = 2048       # inner elements of a tile, where there are more than INNER
    TILE_FEW = 32           # to which tiles are made smaller to keep within
    SCRATCH = 2097152       # so many bytes a thread
    STRIP = 8               # rows of windows that are made from the source in one go, at least
    FLAT = 2048             # bytes of small planes that are taken as one long row, where rows have
    FLAT_ROW = 48           # so many bytes at most
    PIXEL = 64              # bytes of inner elements from which on vectors are made of them alone
    JOINED = 16             # inner elements from which on rows and columns join as rows
    HALVED = 32             # taps of a window up to which it is folded by pairs of pairs
    HELD_AT_HAND = 262144   # bytes of a source that a processor has at hand,
    HELD_NEAR = 6291456     # that the nearer caches hold,
    HELD_FAR = 12582912     # and that the last one may hold
    TAPS = 32               # as in kernels/fold.pxi
    LEAF = 8                # likewise
    DIRECT = 8              # likewise
    TOTAL_TAPS = 9          # of a window that is summed in one go
    TOTAL = 4096            # elements of one window of float32 that are summed at once
    SERIAL = 20000          # elements of work below which the GIL is kept
    RECIPES = 1024          # calls that are remembered
    TABLED = 1024           # adaptive windows up to which there is a table of them
    KEPT = 262144           # bytes of what windows make of rows that several of them see, at most
    BAND = 1048576          # bytes of a band that gradients are added up in, and
    TILE_LEAST = 256        # of the inner elements of a tile of it, where there are more
    LINES = 262144          # bytes of lines of windows that gradients are gathered from
    SEERS = 9               # windows that may see an element whose gradient is gathered, and
    SEEN = 14               # taps of these: of more there are few windows, which scatter faster
    ROOT_TAPS = 5           # of a side of windows, up to which squares of float32 are summed in it
    CHAIN = 64              # additions one after the other, at most
    VECTOR = 64             # bytes of a vector, at most
    RUNNING = 65536         # bytes of running sums of a tile, at most
    RUN_TAPS = 25           # taps from which on windows are made by running sums, in rows of
    RUN_ROW = 96            # so many results (of integers twice as many); in shorter rows, of
    RUN_SHORT = 16          # so many at least, it takes
    RUN_MORE = 49           # so many taps of float32, and
    RUN_MANY = 225          # so many of integers
    TURNED = 1048576        # bytes of planes that are turned into pixels, at most
    TURNED_SUMS = 1024      # elements of one that is summed, of gradients four times as many
    TURNED_PLANES = 8       # planes of which it pays to do so
    TURNED_LINE = 131072    # bytes of planes up to which more are turned at a time
    CHUNKS = 4              # pieces a thread, so that a late thread is helped out

MAX_CODE, MIN_CODE, SUM_CODE = MAX, MIN, SUM

cdef int ELEMENT_SIZE[12]
ELEMENT_SIZE[:] = [1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 2, 2]
cdef int ACCUMULATOR_SIZE[11]
ACCUMULATOR_SIZE[:] = [1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 16]


cdef class Plan:
    """The windows of up to three axes: rules (length, outputs, kernel, stride, dilation, lo, hi),
    adaptive ones (length, outputs), or tables (length, starts, counts).
    """

    def __cinit__(self, axes):
        cdef int i
        cdef int missing = AXES - len(axes)
        memset(self.tables, 0, sizeof(self.tables))
        memset(self.seen, 0, sizeof(self.seen))
        for i in range(AXES):
            rule = (1, 1, 1, 1, 1, 0, 0) if i < missing else axes[i - missing]
            if len(rule) == 2:
                self.tables[i] = adaptive_axis(&self.axis[i], rule[0], rule[1])
                self.seen[i] = adaptive_axis(&self.transposed[i], rule[1], rule[0])
                self.divisor[i] = self.axis[i]
                continue
            if len(rule) == 3:
                self.tables[i] = table_axis(&self.axis[i], rule[0], rule[1], rule[2])
                self.divisor[i] = self.axis[i]
                continue
            length, outputs, kernel, stride, dilation, lo, hi = rule
            sliding_axis(&self.axis[i], length, outputs, kernel, stride, dilation, lo, hi)
            self.divisor[i] = self.axis[i]
            settle(&self.axis[i])
            transposed_axis(&self.transposed[i], &self.axis[i])

    # The windows that saw each element. (Tables of these are as long as the axis.)
    cdef const Axis *look_back(self) except NULL:
        cdef int i
        for i in range(AXES):
            if self.transposed[i].outputs == 0:
                self.seen[i] = transposed_table(&self.transposed[i], &self.axis[i])
        return self.transposed

    def __dealloc__(self):
        cdef int i
        for i in range(AXES):
            free(self.tables[i])
            free(self.seen[i])


cdef Py_ssize_t *new_table(Py_ssize_t windows) except NULL:
    cdef Py_ssize_t *table = NULL
    if windows < PY_SSIZE_T_MAX // 32:
        table = <Py_ssize_t *>malloc(2 * windows * <Py_ssize_t>sizeof(Py_ssize_t))
    if table == NULL:
        raise MemoryError
    return table


cdef void start_table(
        Axis *a, Py_ssize_t length, Py_ssize_t outputs, const Py_ssize_t *table) noexcept:
    memset(a, 0, sizeof(Axis))
    a.kind = TABLE
    a.length = length
    a.outputs = outputs
    a.dilation = a.step = a.period = a.residue = 1
    a.kernel = a.stride = a.advance = 1
    if table != NULL:
        a.starts = table
        a.counts = table + outputs


# Adaptive windows, with a table where it is short (NULL where it is not), as divisions take long.
cdef Py_ssize_t *adaptive_axis(Axis *a, Py_ssize_t length, Py_ssize_t outputs) except? NULL:
    cdef Py_ssize_t o, rest = length % outputs
    cdef Py_ssize_t *table = NULL
    start_table(a, length, outputs, NULL)
    a.kernel = length // outputs
    if rest > 0:
        a.kernel += 1 if outputs % rest == 0 else 2
    if outputs > 1:
        a.stride = a.advance = max(1, length // outputs + (rest > 1))
    if outputs <= TABLED:
        table = new_table(outputs)
        for o in range(outputs):
            axis_adaptive_window(a, o, &table[o], &table[outputs + o])
        a.starts = table
        a.counts = table + outputs
    return table


# Windows from a table.
cdef Py_ssize_t *table_axis(
        Axis *a, Py_ssize_t length, tuple starts, tuple counts) except NULL:
    cdef Py_ssize_t outputs = len(starts), o
    cdef Py_ssize_t *table = new_table(outputs)
    start_table(a, length, outputs, table)
    for o in range(outputs):
        table[o] = starts[o]
        table[outputs + o] = counts[o]
        a.kernel = max(a.kernel, a.counts[o])
        if o > 0:
            a.stride = max(a.stride, a.starts[o] - a.starts[o - 1])
    a.advance = a.stride
    return table


# The windows of such a table that saw each element: these are neighbours, as windows neither begin
# nor end before the one before them.
cdef Py_ssize_t *transposed_table(Axis *t, const Axis *a) except NULL:
    cdef Py_ssize_t i, o = 0, last = 0, outputs = a.outputs, length = a.length
    cdef Py_ssize_t *table = new_table(length)
    start_table(t, outputs, length, table)
    for i in range(length):
        while o < outputs and a.starts[o] + a.counts[o] <= i:
            o += 1
        while last < outputs and a.starts[last] <= i:
            last += 1
        table[i] = o
        table[length + i] = max(last - o, 0)
        t.kernel = max(t.kernel, last - o)
        if i > 0:
            t.stride = max(t.stride, o - t.starts[i - 1])
    t.advance = t.stride
    return table


cdef int sliding_axis(
        Axis *a, Py_ssize_t length, Py_ssize_t outputs, Py_ssize_t kernel, Py_ssize_t stride,
        Py_ssize_t dilation, Py_ssize_t lo, Py_ssize_t hi) except -1:
    cdef Py_ssize_t room = length - 1 - (kernel - 1) * dilation + lo
    a.kind = SLIDING
    a.length = length
    a.outputs = outputs
    a.kernel = kernel
    # With one window any stride will do; this one fits planes that follow each other.
    a.stride = stride if outputs > 1 else 1 if lo else length
    a.dilation = dilation if kernel > 1 else 1
    a.lo = lo
    a.hi = hi
    a.step = a.dilation
    a.period = 1
    a.advance = a.stride
    a.begin = min(max((lo + a.stride - 1) // a.stride, 0), outputs)
    a.end = min(room // a.stride + 1, outputs) if room >= 0 else 0
    if a.end <= a.begin:
        a.begin = a.end = 0
    a.residue = gcd(a.stride, a.dilation)
    a.inverse = pow(a.dilation // a.residue, -1, a.stride // a.residue)
    return 0


# One window that padding clips is one of fewer taps that nothing clips.
cdef int settle(Axis *a) except -1:
    cdef Py_ssize_t taps = min(a.kernel - a.lo, a.length)
    if a.outputs == 1 and a.dilation == 1 and taps > 0:
        sliding_axis(a, a.length, 1, taps, taps, 1, 0, 0)
    return 0


# The windows of outputs that saw each input element: where no border clips them, input elements
# stride apart are seen by outputs one apart.
cdef int transposed_axis(Axis *t, const Axis *a) except -1:
    cdef Py_ssize_t reach = (a.kernel - 1) * a.dilation
    if a.stride == 1:
        # The other way round, the same kind of windows.
        return sliding_axis(t, a.outputs, a.length, a.kernel, 1, a.dilation, reach - a.lo,
                            a.length - a.outputs + a.lo)
    t[0] = a[0]
    t.kind = TRANSPOSED
    t.length = a.outputs
    t.outputs = a.length
    t.step = a.dilation // a.residue
    t.period = a.stride
    t.advance = 1
    t.begin = max(reach - a.stride + 1 - a.lo, 0)
    t.end = min(a.length, a.outputs * a.stride - a.lo)
    if t.end <= t.begin:
        t.begin = t.end = 0
    return 0


# --- arrays ---

# Where an array's pooled, inner and outer axes lie in memory.
cdef void place(Array *array, Py_buffer *buffer, tuple pooled, int inner):
    cdef int i, n = 0, missing = AXES - len(pooled)
    array.data = <char *>buffer.buf
    for i in range(AXES):
        array.stride[i] = 0 if i < missing else buffer.strides[<int>pooled[i - missing]]
    array.inner = buffer.strides[inner] if inner >= 0 else 0
    for i in range(buffer.ndim):
        if i != inner and i not in pooled:
            array.outer[n] = buffer.strides[i]
            n += 1


cdef class Buffers:
    """The arrays of one call, held while it runs."""

    def __cinit__(self):
        memset(&self.x, 0, sizeof(Py_buffer))
        memset(&self.y, 0, sizeof(Py_buffer))
        memset(&self.index, 0, sizeof(Py_buffer))
        memset(&self.mask, 0, sizeof(Py_buffer))

    def __dealloc__(self):
        PyBuffer_Release(&self.x)
        PyBuffer_Release(&self.y)
        PyBuffer_Release(&self.index)
        PyBuffer_Release(&self.mask)


# Shapes were checked before, but other code may have run since (an __index__, another thread), and
# a subclass may say what it likes: what the buffer says is what counts.
cdef int check_shape(
        Py_buffer *buffer, Py_buffer *like, Plan plan, tuple pooled, bint outputs) except -1:
    cdef int i, at, missing = AXES - len(pooled)
    cdef Py_ssize_t length
    if buffer.ndim != like.ndim:
        raise ValueError("arrays must keep their shapes during a call")
    for i in range(buffer.ndim):
        if i not in pooled:
            length = like.shape[i]
        else:
            at = missing + <int>pooled.index(i)
            length = plan.axis[at].outputs if outputs else plan.axis[at].length
        if buffer.shape[i] != length:
            raise ValueError("arrays must keep their shapes during a call")
    return 0


# With `back`, x holds gradients of outputs and y those of inputs; `alike`, both are as inputs, and
# index holds gradients.
cdef int start_job(
        Job *job, Buffers buffers, Plan plan, x, y, index, bint back, mask, tuple pooled,
        int inner, bint alike=False) except -1:
    cdef Py_ssize_t size
    cdef int i, j, n
    cdef bint merges
    cdef Array *array
    memset(job, 0, sizeof(Job))
    job.inner = 1
    PyObject_GetBuffer(x, &buffers.x, PyBUF_STRIDED_RO)
    check_shape(&buffers.x, &buffers.x, plan, pooled, back)
    place(&job.x, &buffers.x, pooled, inner)
    if y is not None:
        PyObject_GetBuffer(y, &buffers.y, PyBUF_STRIDED)
        check_shape(&buffers.y, &buffers.x, plan, pooled, not back and not alike)
        place(&job.y, &buffers.y, pooled, inner)
    if index is not None:
        PyObject_GetBuffer(
            index, &buffers.index, PyBUF_STRIDED_RO if back or alike else PyBUF_STRIDED)
        check_shape(&buffers.index, &buffers.x, plan, pooled, True)
        place(&job.index, &buffers.index, pooled, inner)
        job.index32 = buffers.index.itemsize == 4
    if mask is not None:
        PyObject_GetBuffer(mask, &buffers.mask, PyBUF_STRIDED_RO)
        check_shape(&buffers.mask, &buffers.x, plan, pooled, False)
        place(&job.mask, &buffers.mask, pooled, inner)
    cdef Py_buffer *any = &buffers.x
    if inner >= 0:
        job.inner = any.shape[inner]
    job.highest = any.itemsize
    for i in range(any.ndim):
        size = (any.shape[i] - 1) * any.strides[i]
        if size < 0:
            job.lowest += size
        else:
            job.highest += size
    # Outer axes: those of length 1 do not count, and neighbours that lie as one axis become one.
    cdef Array *arrays[4]
    arrays[0] = &job.x
    arrays[1] = &job.y
    arrays[2] = &job.index
    arrays[3] = &job.mask
    job.planes = 1
    n = 0
    j = -1
    for i in range(any.ndim):
        if i == inner or i in pooled:
            continue
        j += 1
        size = any.shape[i]
        job.planes *= size
        if size == 1:
            continue
        merges = n > 0
        for array in arrays:
            array.outer[n] = array.outer[j]
            merges = merges and array.outer[n - 1] == size * array.outer[n]
        if merges:
            n -= 1
            for array in arrays:
                array.outer[n] = array.outer[n + 1]
            job.outer_shape[n] *= size
        else:
            job.outer_shape[n] = size
        n += 1
    job.outer_ndim = n
    return 0


# Whether the rows of an array are lines already: columns and inner elements without gaps.
cdef bint has_plain_rows(
        const Array *array, Py_ssize_t width, Py_ssize_t inner, Py_ssize_t size) noexcept:
    return (inner == 1 or array.inner == size) and (
        width == 1 or array.stride[2] == inner * size)


# --- turning ---

# Whether planes of single elements are taken some at a time, as pixels: by geometry and type alone,
# where rows of results are so short, in bytes, that it was measured to pay.
cdef bint turns(const Job *job, int dtype, bint back) noexcept:
    cdef const Axis *w = &job.axis[2]
    cdef double taps = 1, elements = 1
    cdef Py_ssize_t row = w.outputs * job.size
    cdef bint table = False, side_by_side = True, covered = True, exact = True
    cdef bint finds = job.index.data != NULL, deep = job.axis[0].length > 1
    cdef const Axis *a
    cdef int i
    if job.inner != 1 or job.mask.data != NULL or job.planes < (1 if job.sums else TURNED_PLANES):
        return False
    for i in range(AXES):
        a = &job.axis[i]
        taps *= a.kernel
        elements *= max(a.length, a.outputs)
        table = table or a.kind == TABLE
        side_by_side = side_by_side and a.kernel <= a.stride
        covered = covered and is_covered(a)
        exact = exact and tiles_exactly(a)
    # (Windows over whole rows, and those side by side of one row, make long rows.)
    if taps == 1 or not turns_to_few_bytes(job) or (
            (w.length if back else w.outputs) == 1 and covered
            and w.kernel == (w.outputs if back else w.length) == job.divisor[2].kernel
            or not finds and exact and not deep and is_trivial(&job.axis[1])):
        return False
    # (Running sums of float32 would have one grid for all planes. Sums are turned of one plane too,
    # for the same bits whatever is beside it, so that it must not be large.)
    if job.sums and (elements > (4 * TURNED_SUMS if back else TURNED_SUMS) or (
            not back and dtype == DT_F32 and w.stride == 1 and taps >= RUN_TAPS)):
        return False
    if table:
        return row <= 256 and (not finds or w.kernel <= 5)
    if back:
        return row < (128 if w.stride == 1 or side_by_side and w.stride == 2 else 256)
    if axis_taps(&job.axis[0]) == 1 and is_small_square(job, job.size) and not (
            job.sums and dtype < DT_F32):
        # (In one pass without that, but for what the border clips, and indices of other types.)
        if finds:
            return row <= (16 if job.size >= 4 else 64)
        return row <= 16 and not exact and not is_flat(job, job.size) and (
            row < 8 or w.kernel == 3 or not covered)
    if finds:
        return row <= ((128 if covered else 256) if taps <= 9 else 512)
    if side_by_side:
        return row < (32 if w.kernel <= 4 and job.size >= 4 else 16)
    if deep and w.kernel <= 3:
        return row < 32
    return row < (128 if w.kernel > 6 and w.stride <= 2 else 64)


# Planes that are turned into pixels at a time: a vector's, and more where scratch stays small, for
# which sums need more than others.
cdef Py_ssize_t lanes_of(const Job *job, bint sums) noexcept:
    cdef Py_ssize_t lanes = max(16, VECTOR // job.size), plane = job.size
    cdef int i
    for i in range(AXES):
        plane *= max(job.axis[i].length, job.axis[i].outputs)
    while lanes < LANES_MOST and (4 if sums else 2) * lanes * plane <= TURNED_LINE:
        lanes *= 2
    return lanes


# Whether as many planes, results and indices with them, are few bytes.
cdef bint turns_to_few_bytes(const Job *job) noexcept:
    cdef double length = job.size, outputs = job.size
    cdef int i
    if job.index.data != NULL:
        outputs += 4 if job.index32 else 8
    for i in range(AXES):
        length *= job.axis[i].length
        outputs *= job.axis[i].outputs
    return max(length, outputs) < TURNED and length + outputs < TURNED // lanes_of(job, False)


# --- simplifying ---

# The same windows told with fewer and longer axes, by geometry alone: work then comes in long runs.
cdef int simplify(Job *job, bint back) except -1:
    cdef Axis *h = &job.axis[1]
    cdef Axis *w = &job.axis[2]
    cdef Array *arrays[4]
    cdef Array *array
    cdef Py_ssize_t lead
    arrays[0] = &job.x
    arrays[1] = &job.mask
    arrays[2] = &job.y
    arrays[3] = &job.index
    while is_trivial(w) and not (is_trivial(h) and is_trivial(&job.axis[0])):
        # The last axis is nothing: the others move up.
        for array in arrays:
            array.stride[2], array.stride[1], array.stride[0] = (
                array.stride[1], array.stride[0], array.stride[2])
        job.axis[2], job.axis[1], job.axis[0] = job.axis[1], job.axis[0], job.axis[2]
        job.divisor[2], job.divisor[1], job.divisor[0] = (
            job.divisor[1], job.divisor[0], job.divisor[2])
    job.index_h = w.outputs if back else w.length
    job.index_d = job.index_h * (h.outputs if back else h.length)
    job.joined_columns = w.length
    job.joined_rows = h.length
    job.joined_stride = job.x.stride
    if job.mask.data == NULL:
        if job.inner < JOINED:
            if join_axes(job, 1, 2, 2, back):
                join_axes(job, 0, 2, 2, back)
        elif join_axes(job, 1, 2, 1, back):
            job.index_h = 1
            if join_axes(job, 0, 1, 1, back):
                job.index_d = 1
    if job.outer_ndim != 1 or not is_trivial(&job.axis[0]):
        return 0
    # Planes one after the other whose windows stay within them: one long plane.
    lead = 2 if is_trivial(h) else 1
    if (job.index.data == NULL and job.mask.data == NULL and tiles_exactly(&job.axis[lead])
            and tiles_exactly(&job.divisor[lead])
            and job.x.outer[0] == job.axis[lead].length * job.x.stride[lead] and not job.joined
            and job.y.outer[0] == job.axis[lead].outputs * job.y.stride[lead]):
        repeat_axis(&job.axis[lead], job.planes)
        repeat_axis(&job.divisor[lead], job.planes)
    # Planes of one row: their rows, side by side.
    elif lead == 2 and is_trivial(&job.divisor[1]):
        for array in arrays:
            array.stride[1] = array.outer[0]
        job.index_h = 0
        sliding_axis(h, job.planes, job.planes, 1, 1, 1, 0, 0)
        job.divisor[1] = h[0]
    else:
        return 0
    job.planes = 1
    job.outer_ndim = 0
    return 0


# Windows that span all of axis b: it and axis a before it are one, if they lie so in memory. The
# one is axis `into`, the other is gone. Whether it could be done.
cdef bint join_axes(Job *job, int a, int b, int into, bint back) except -1:
    cdef Axis *outer = &job.axis[a]
    cdef Axis *inner = &job.axis[b]
    cdef Axis forward
    cdef Array *wide = &job.y if back else &job.x
    cdef Array *narrow = &job.x if back else &job.y
    cdef int gone = a if into == b else b
    cdef Py_ssize_t length = outer.length, outputs = outer.outputs, columns = inner.length
    if back:
        length, outputs, columns = outputs, length, inner.outputs
    if (length == 1 or outer.kind != inner.kind
            or outer.kind != (TRANSPOSED if back else SLIDING)
            or outer.dilation != 1 or inner.dilation != 1 or inner.kernel != columns
            or inner.lo or inner.hi or outer.lo or outer.hi
            or job.divisor[a].kernel != outer.kernel or job.divisor[b].kernel != inner.kernel
            or (outputs - 1) * outer.stride + outer.kernel > length):
        return False
    if back and outer.kernel > outer.stride:
        return False            # (where several windows meet, their order would be another)
    if wide.stride[a] != columns * wide.stride[b]:
        if back:
            return False
        job.joined = into
    wide.stride[into] = wide.stride[b]
    narrow.stride[into] = narrow.stride[a]
    job.index.stride[into] = job.index.stride[a]
    sliding_axis(&forward, length * columns, outputs, outer.kernel * columns,
                 outer.stride * columns, 1, 0, 0)
    sliding_axis(&job.divisor[gone], 1, 1, 1, 1, 1, 0, 0)
    sliding_axis(&job.axis[gone], 1, 1, 1, 1, 1, 0, 0)
    job.divisor[into] = forward
    if back:
        transposed_axis(&job.axis[into], &forward)
    else:
        job.axis[into] = forward
    return True


# Whether an axis is one element and one window that sees it and nothing else.
cdef bint is_trivial(const Axis *a) noexcept:
    return a.length == 1 and a.outputs == 1 and a.kernel == 1 and not a.lo and not a.hi


# Whether every window lies in its own stride's worth of elements, and nothing is left over.
cdef bint tiles_exactly(const Axis *a) noexcept:
    return (a.kind != TABLE and a.lo == 0 and (a.kernel - 1) * a.dilation < a.stride
            and (a.length * a.stride == a.outputs if a.kind == TRANSPOSED
                 else a.outputs * a.stride == a.length))


cdef void repeat_axis(Axis *a, Py_ssize_t times) noexcept:
    a.length *= times
    a.outputs *= times
    a.begin = 0
    a.end = a.outputs


# --- cutting ---

# Columns that n neighbouring windows span, with their padding where there is room made for it.
cdef Py_ssize_t columns_of(const Axis *w, Py_ssize_t n) noexcept:
    if w.kind != SLIDING:
        return axis_extent(w, n)
    return (n - 1) * w.stride + (w.kernel - 1) * w.step + 1


cdef Py_ssize_t round_up(Py_ssize_t n, Py_ssize_t to) noexcept:
    return (n + to - 1) // to * to


cdef Py_ssize_t bits(Py_ssize_t n) noexcept:
    cdef Py_ssize_t count = 0
    while n > 0:
        n //= 2
        count += 1
    return count


# Tiles, blocks and scratch, by geometry and type alone: of so few inner elements at a time, where
# that can be, that a thread needs no more than `room` bytes.
cdef int cut(Job *job, Py_ssize_t size, Py_ssize_t room) except -1:
    cdef Job whole
    cdef Py_ssize_t most = min(job.inner, INNER)
    cdef double source = <double>job.size * job.planes * job.inner
    cdef int i
    for i in range(AXES):
        source *= job.axis[i].length
    job.away = (source > HELD_AT_HAND) + (source > HELD_NEAR) + (source > HELD_FAR)
    whole = job[0]
    while cut_tiles(job, size, most) and job.scratch > <size_t>room and most > TILE_FEW:
        most = (most + 1) // 2
        job[0] = whole
    return 0


# The same, of so many inner elements at most: whether it can be fewer.
cdef bint cut_tiles(Job *job, Py_ssize_t size, Py_ssize_t most) except -1:
    cdef Axis *w = &job.axis[2]
    cdef Axis *h = &job.axis[1]
    cdef Axis *d = &job.axis[0]
    cdef Py_ssize_t limit = LINE // size, taps_h = axis_taps(h), taps_d = axis_taps(d)
    cdef Py_ssize_t reach = (h.kernel - 1) * h.dilation, rows, need, k = w.kernel
    cdef Py_ssize_t group, held
    cdef bint sliding = w.kind == SLIDING
    cdef bint brought = job.load != NULL or taps_d > 1
    # (A sum that would be read in place, if it lay in another way, is cut as it would be then.)
    cdef bint shrinks = job.load != NULL and (job.store != NULL or job.counts) and (
        not job.sums or job.converts)
    cdef bint overlaps = (h.kind == SLIDING and h.dilation == 1 and h.outputs > 1
                          and min(h.kernel, h.length) > max(DIRECT, SCAN_STEPS * h.stride))
    # Whether whole planes fit, with all their padding. (What is decided here must not follow from
    # the layout of arrays, as the order of additions does from it.)
    # (No line is as long as distances may be.)
    need = limit + 1
    if reach <= limit and h.outputs - 1 <= limit // h.stride:
        need = round_up((h.outputs - 1) * h.stride + reach + 1, h.stride)
    cdef bint small = sliding and need <= limit // job.inner // (columns_of(w, w.outputs) + 1)
    group = GROUP // (2 if k > DIRECT or overlaps else 1)
    # Windows of columns that share little are folded one by one, where they are long enough for
    # that to be less work than folding at every column (in cycles, about). Or by pairs, again and
    # again, where that makes exactly the windows.
    job.halves = (sliding and job.inner == 1 and w.step == 1 and k == w.stride and k & (k - 1) == 0
                  and 4 <= k <= HALVED)
    job.long_windows = not job.halves and sliding and job.inner == 1 and w.step == 1 and (
        k > DIRECT and 5 * (bits(k) - 1) * w.stride * size > (
            64 * (22 if k >= 16 else k * 5 // 4) + k * size))
    job.runs = can_run(job)
    job.room = min(51, 62 - <int>bits(taps_h * axis_taps(w) - 1))
    if job.runs:
        # (Columns beside a tile's own are summed twice.)
        limit = max(2 * limit, min(2 * k * min(job.inner, INNER), RUNNING // size))
    # Windows of columns alone, none of them clipped.
    cdef bint in_rows = (
        taps_h == 1 and taps_d == 1 and is_covered(h) and is_covered(w)
        and (h.stride == 1 or h.outputs == 1))
    job.eights_of_columns = job.eights and job.long_windows and k >= TOTAL_TAPS and in_rows
    job.totals = (
        job.eights_of_columns or job.eights and job.halves and in_rows) and job.narrow
    job.peaks = (
        not job.sums and not job.locates and job.load == NULL and sliding and job.inner == 1
        and w.step == 1 and k > DIRECT and 2 * w.stride >= k and in_rows)
    # Straight from the source to where results go.
    job.squares = job.load == NULL and not job.narrow and is_small_square(job, size)
    job.pixels = job.squares and job.inner * size >= PIXEL
    job.means = job.means and is_pair_of_pairs(job)
    job.divides = job.divides and job.squares and (
        job.inner > 1 or job.clips or has_one_divisor(job))
    if job.divides and not job.roots or job.means:
        job.store = NULL
    cdef bint direct = job.squares or job.means
    cdef bint straight = job.totals or job.peaks
    if straight:
        # (Nothing but results is kept.)
        limit = STAGED
    # Tiles: a few columns of outputs, all inner elements of them if possible.
    job.tile_c = job.inner if job.inner <= INNER else TILE_INNER
    if shrinks:
        job.tile_c = min(job.tile_c, most)
    job.tile_w = w.outputs
    cdef bint keeps = job.store != NULL or job.counts or job.means or taps_d > 1
    if direct and not job.locates:
        # (Memory is read in the order of rows, as long as little more than results is kept.)
        limit = STAGED // size if keeps else columns_of(w, w.outputs) * job.tile_c
    elif columns_of(w, w.outputs) <= 2 * LINE // size // job.tile_c:
        # (Pieces of rows break that order, which costs more than lines that are a bit too long.)
        limit = max(limit, columns_of(w, w.outputs) * job.tile_c)
    elif columns_of(w, 1) > w.stride:
        # (Columns that several windows see are to be brought and combined for several.)
        limit = max(limit, min(SHARED * columns_of(w, 1) * job.tile_c, LINE_MOST // size))
    while job.tile_w > 1 and max(columns_of(w, job.tile_w), job.tile_w) > limit // job.tile_c:
        job.tile_w = (job.tile_w + 1) // 2
    # Where indices are looked for in scratch, all rows of a window have to be there.
    while job.locates and job.load != NULL and job.tile_w * job.tile_c > 1 and (
            columns_of(w, job.tile_w) * job.tile_c > STREAMED // size // axis_extent(h, 1)):
        if job.tile_w > 1:
            job.tile_w = (job.tile_w + 1) // 2
        else:
            job.tile_c = (job.tile_c + 1) // 2
    if direct:
        limit = LINE // size
    # (Arrays are read and written in place only by whole rows.)
    while shrinks and job.tile_c > 16 and (
            columns_of(w, job.tile_w) > WIDE * LINE // size // job.tile_c):
        job.tile_c = (job.tile_c + 1) // 2
    if not straight and not direct and (
            columns_of(w, job.tile_w) > WIDE * LINE // size // job.tile_c):
        # A window that spans more than that is taken by pieces of its columns.
        job.tile_w = 1
        job.wide = max(TOTAL if job.eights_of_columns else 1, limit // job.tile_c // w.step)
        job.runs = False
    # Long windows of rows that overlap: by scans, if there is room for them.
    elif overlaps and not small and not (job.locates and job.load != NULL) and (
            job.sums or job.load != NULL or h.kernel >= SCAN_LEAST):
        while shrinks and job.tile_c > 64 and (
                h.kernel > SCANNED // size // columns_of(w, job.tile_w) // job.tile_c):
            job.tile_c = (job.tile_c + 1) // 2
        while (h.kernel > SCANNED // size // columns_of(w, job.tile_w) // job.tile_c
               and job.tile_w > columns_of(w, 1) + 64):
            job.tile_w = (job.tile_w + 1) // 2
        if h.kernel <= SCANNED // size // columns_of(w, job.tile_w) // job.tile_c:
            job.scan_chunk = h.kernel if job.sums == 0 or h.kernel <= CHAIN else max(
                TAPS, isqrt(h.kernel))
    job.tiles_w = (w.outputs - 1) // job.tile_w + 1
    job.tile_w = (w.outputs - 1) // job.tiles_w + 1
    job.tiles_c = (job.inner - 1) // job.tile_c + 1
    job.pitch = (job.wide - 1) * w.step + 1 if job.wide else columns_of(w, job.tile_w)
    if sliding and job.inner == 1 and w.stride == 2 and not job.wide:
        job.pitch += job.pitch % 2
    job.pitch *= job.tile_c
    # Blocks.
    job.group = 1
    job.block = max(1, min(limit // max(job.pitch, job.tile_w * job.tile_c), h.outputs))
    if job.scan_chunk > 0:
        brought = False
    elif job.wide:
        job.block = 1
        job.streams = True
    elif small and h.kind == SLIDING:
        job.doubles = overlaps and not (job.locates and job.load != NULL)
        # (Padding counts as terms of a sum, whose order must not follow from where x lies.)
        if job.doubles or h.kernel <= TAPS and h.outputs > 1 and (
                (brought and not job.sums)
                or h.stride == 1 and not is_covered(h) and need * job.pitch <= SMALL):
            job.padded = True
            job.source_rows = need
            job.block = h.outputs
    if brought and not job.padded and not job.streams:
        rows = axis_extent(h, 1)
        if rows > STREAMED // size // job.pitch:
            job.streams = True
            job.block = 1
        else:
            # As many outputs at a time that rows are not brought in again too often.
            while job.block > 1 and axis_extent(h, job.block) * job.pitch > max(
                    STAGED // size, 2 * rows * job.pitch):
                job.block = (job.block + 1) // 2
            while job.block < h.outputs and job.block * h.stride < rows - h.stride and (
                    axis_extent(h, 2 * job.block) * job.pitch <= STREAMED // size):
                job.block = min(2 * job.block, h.outputs)
    job.row_grids = (
        job.runs and job.eights and h.kernel == 1 and h.lo == 0 and h.outputs <= h.length)
    if job.row_grids:
        job.block = 1
    job.first_pixels = finds_in_pixels(job, size)
    job.shares_rows = job.first_pixels and not job.wide and shares_rows(job, size)
    if not job.shares_rows:
        job.first_pixels = job.first_pixels and taps_below(job.axis, FIRST_TAPS + 1)
    if job.shares_rows:
        # (Rows that two blocks see are looked through twice.)
        job.block = min(h.outputs, max(job.block, min(
            8 * axis_extent(h, 1) // h.stride, STREAMED // 2 // size // job.pitch)))
    elif job.by_rows and job.load == NULL and not job.wide:
        # (Likewise; scratch has five times the rows.)
        job.block = min(h.outputs, max(job.block, min(
            2 * axis_extent(h, 1) // h.stride, STREAMED // 3 // size // job.pitch)))
    job.blocks = (h.outputs - 1) // job.block + 1
    job.block = (h.outputs - 1) // job.blocks + 1
    if brought and not job.padded and not job.streams:
        job.source_rows = axis_extent(h, job.block)
    job.rows_pitch = job.source_rows // h.stride if job.padded else job.block
    job.firsts = job.first_pixels or job.squares and not job.pixels and lies_flat(job, size)
    if direct:
        job.padded = job.streams = False
        job.source_rows = 0
        if not job.pixels:
            # (Rows that several windows see are read once.)
            job.block = min(max(job.block, STRIP), h.outputs)
        job.blocks = (h.outputs - 1) // job.block + 1
        job.block = (h.outputs - 1) // job.blocks + 1
        job.rows_pitch = 1
        group = STAGED // h.stride // w.stride // job.block
    # (Rows that several windows see would be looked through for each.)
    job.notes = (
        not job.sums and job.load == NULL and not job.wide and not job.scan_chunk
        and not straight and not direct and (
            job.source_rows > 0 or job.streams
            or h.kernel > 1 and <double>h.kernel * h.outputs <= 2.0 * h.length))
    job.divides_planes = (
        job.divides_columns and job.inner == 1 and job.blocks == 1 and job.tiles_w == 1
        and d.outputs == 1)
    # Small planes that lie at one distance from each other: several at a time.
    if (job.outer_ndim == 1 and job.blocks == 1 and job.tiles_w == 1 and job.tiles_c == 1
            and not job.counter and not job.wide and not job.streams and not job.scan_chunk
            and not job.runs):
        job.group = max(1, min(
            job.planes, limit // k if straight else
            group // size // (max(job.rows_pitch, job.source_rows) * job.pitch)))
        job.x.group = job.x.outer[0]
        job.y.group = job.y.outer[0]
        job.index.group = job.index.outer[0]
        job.mask.group = job.mask.outer[0]
        if job.squares and is_flat(job, size):
            job.group = max(1, min(job.planes, FLAT // size // (h.length * w.length)))
            job.flat = round_up(job.group * h.length * w.length, 64)
    job.units = ((job.planes - 1) // job.group + 1) * (
        job.tiles_w * job.tiles_c * d.outputs * job.blocks)
    # Scratch.
    held = (LEAF if job.eights else 3) + bits(taps_d // TAPS)       # rows to bring one from
    need = max(job.block, job.source_rows) * job.pitch
    job.rows_size = round_up(
        (0 if straight or job.squares else job.group * job.rows_pitch * job.pitch) + 64, 16)
    if job.wide or job.streams:
        job.source_size = LEAF * job.pitch
        job.loaded_size = held * job.pitch if job.load != NULL else 0
        job.more_size = job.pitch * (2 + bits(taps_h // LEAF) + bits(taps_d // TAPS))
    else:
        if job.source_rows > 0:
            job.source_size = (job.group * job.source_rows + job.padded * reach) * job.pitch
        if job.load != NULL and taps_d > 1:
            job.loaded_size = held * need
        job.more_size = job.group * need * (1 + bits(max(taps_d, taps_h) // TAPS))
        if taps_d <= TAPS and taps_h <= TAPS:
            job.more_size = 0
    if job.flat:
        # (Planes, rows of windows, four masks, divisors.)
        job.source_size = 2 * FLAT_MARGIN + (6 + job.clips) * job.flat
    if job.scan_chunk > 0:
        job.scans_size = (h.kernel + (h.kernel - 1) // job.scan_chunk + 4) * job.pitch
        job.loaded_size = held * job.pitch if job.load != NULL else 0
        job.more_size = job.pitch * (1 + bits(taps_d // TAPS))
    if job.runs:
        # (With room before and after the sums, and for two rows.)
        job.running_size = round_up(
            3 * job.pitch + max(job.tile_c, VECTOR // size) + VECTOR // size, 64)
    job.temporary = max(job.rows_size, job.tile_w * job.tile_c)
    if job.padded:
        job.temporary = max(job.temporary, job.source_size)
    if job.squares:
        # (Three pixels, twice as wide, where sums are in wider types; what another slab makes.)
        job.temporary = 6 * job.tile_c if job.pixels else 0
        if taps_d > 1:
            job.temporary += (1 if job.pixels else job.group * job.block) * job.tile_w * job.tile_c
    if axis_apart(w):
        # (With the windows beside those of a tile.)
        job.temporary = max(job.temporary, job.group * job.block * job.tile_c * (
            (job.tile_w - 1) // w.stride + (k - 1) // w.stride + 3))
    job.temporary = round_up((0 if straight else job.temporary) + 16, 16)
    job.temporaries = 4 if sliding else 4 + bits(
        ((k - 1) // w.stride + 1 if axis_apart(w) else axis_taps(w)) // LEAF)
    job.line = 0
    if job.store != NULL or job.counts:
        job.line = round_up(job.group * job.block * job.tile_w * job.tile_c, 16)
    job.stack = round_up(2 * (2 + bits(k // LEAF)) * job.tile_c, 16)
    job.codes_size = 0
    if job.locates:
        job.codes_size = job.block * job.tile_w * job.tile_c
        if job.by_rows:
            # (The best of each row, which taps these are, and the row with its padding.)
            need = ((job.tile_w - 1) * w.stride + (k - 1) * w.step) // w.stride + 1
            need *= min(job.tile_c, VECTOR_LEAST)
            rows = 2 * max(need, job.tile_w * job.tile_c) + need * w.stride
            job.band = 1
            if job.tile_c * size < VECTOR_LEAST:
                job.band = max(1, min(axis_extent(h, job.block), BAND_ROWS // size // rows))
            job.codes_size += job.band * rows
        if job.shares_rows:
            job.codes_size = max(job.codes_size, 2 * h.kernel * job.tile_w * VECTOR // size)
        job.codes_size = round_up(job.codes_size, 16)
    job.source_size = round_up(job.source_size, 16)
    job.loaded_size = round_up(job.loaded_size, 16)
    job.more_size = round_up(job.more_size, 16)
    job.scans_size = round_up(job.scans_size, 16)
    job.scratch = scratch_size(job, size)
    return shrinks


# Whether windows that are read in place can go straight from there to where results go.
cdef bint is_small_square(const Job *job, Py_ssize_t size) noexcept:
    cdef const Axis *d = &job.axis[0]
    cdef const Axis *h = &job.axis[1]
    cdef const Axis *w = &job.axis[2]
    if h.kind != SLIDING or w.kind != SLIDING or w.outputs == 1:
        return False
    # (Slabs make their windows one after the other: additions would come in another order. Of
    # single elements those that several windows see are combined first.)
    if axis_taps(d) > 1 and (job.sums or job.locates or d.kind != SLIDING or d.kernel > 3 or (
            job.inner * size < PIXEL and (w.kernel > 2 or d.kernel > d.stride))):
        return False
    if job.inner * size >= PIXEL:
        return h.kernel == w.kernel and 2 <= w.kernel <= 3
    return h.kernel <= 3 and (
        job.inner == 1 and w.step == 1
        and (w.kernel == w.stride == 2 or w.kernel == 3 and w.stride <= 2)
        or job.inner > 1 and (
            w.kernel == 3 and w.stride == 1
            or size >= 4 and 3 <= job.inner <= 4 and w.stride == 2 and w.step == 1
            and 2 <= w.kernel <= 3))


# Whether maxima of pixels that are read in place are found with their indices in one pass.
cdef bint finds_in_pixels(const Job *job, Py_ssize_t size) noexcept:
    return (job.locates and not job.flip and job.load == NULL and job.store == NULL and size >= 4
            and job.inner * size >= PIXEL and job.small_indices and has_few(job))


# Whether it takes less to find what windows make of each row once, and keep it for all that see it,
# than to compare every tap for each window.
cdef bint shares_rows(const Job *job, Py_ssize_t size) noexcept:
    cdef const Axis *h = &job.axis[1]
    cdef double rows = h.kernel, columns = job.axis[2].kernel
    return (axis_single(&job.axis[0]) and h.step == 1 and h.stride < h.kernel <= ROW_TAPS
            and h.outputs > 1 and 2 * rows * job.tile_w * VECTOR <= KEPT
            and 3 * (h.stride * columns + rows) < 2 * rows * columns)


# Whether a plane has few enough elements for indices of 32 bits.
cdef bint has_few(const Job *job) noexcept:
    return <double>job.axis[0].length * job.axis[1].length * job.axis[2].length < 2147483648.0


# Whether indices of planes of single elements are distances from where each begins.
cdef bint lies_flat(const Job *job, Py_ssize_t size) noexcept:
    cdef const Axis *d = &job.axis[0]
    cdef const Axis *h = &job.axis[1]
    cdef const Axis *w = &job.axis[2]
    return (
        job.locates and job.inner == 1 and has_few(job) and job.x.stride[2] == size
        and (h.length == 1 or job.index_h * size == job.x.stride[1] == w.length * size)
        and (d.length == 1 or job.index_d * size == job.x.stride[0] == (
            h.length * w.length * size)))


# Whether planes are small and have a window of three by three around each element. (Sums of what
# has two bytes or one have no loop for that.)
cdef bint is_flat(const Job *job, Py_ssize_t size) noexcept:
    cdef const Axis *a
    cdef int i
    if job.sums and size <= 2:
        return False
    for i in range(1, AXES):
        a = &job.axis[i]
        if a.kernel != 3 or a.stride != 1 or a.step != 1 or a.lo != 1 or a.outputs != a.length:
            return False
    return (job.inner == 1 and job.axis[0].length == job.axis[0].outputs == 1 and not job.locates
            and job.axis[2].length * size <= FLAT_ROW
            and job.axis[1].length * job.axis[2].length * size <= FLAT)


# Whether means of short integers are of two by two that lie side by side, all of four.
cdef bint is_pair_of_pairs(const Job *job) noexcept:
    cdef const Axis *h = &job.axis[1]
    cdef const Axis *w = &job.axis[2]
    return (
        axis_taps(&job.axis[0]) == 1 and h.kind == SLIDING and w.kind == SLIDING
        and h.kernel == w.kernel == w.stride == 2 and w.step == 1 and w.outputs > 1
        and job.inner * job.size < PIXEL and is_covered(&job.axis[0]) and is_covered(h)
        and is_covered(w) and job.divisor_override in (0, 4) and has_one_divisor(job)
        and job.divisor[0].kernel * job.divisor[1].kernel * job.divisor[2].kernel == 4)


# Whether a gradient's windows neither overlap nor leave anything between them: each element was
# seen by one.
cdef bint is_side_by_side(const Axis *a) noexcept:
    if a.kind == TRANSPOSED:
        return a.kernel == a.stride and a.dilation == 1
    return a.kind == SLIDING and a.kernel == a.stride == 1


# Whether no window is clipped.
cdef bint is_covered(const Axis *a) noexcept:
    return a.begin == 0 and a.end == a.outputs


cdef size_t scratch_size(const Job *job, Py_ssize_t size) noexcept:
    cdef size_t divisors = job.tile_w * sizeof(int32_t) if job.divides_columns else 0
    if job.divides_planes:
        divisors *= job.group * job.block
    cdef size_t elements = (
        job.source_size + job.loaded_size + job.rows_size
        + job.temporaries * job.temporary + job.line
        + job.more_size + job.stack + job.scans_size + job.codes_size + job.running_size)
    return (elements * size + divisors + 63) // 64 * 64


# A second job beside one with a mask: how many elements of each window count.
cdef void count_mask(Job *counter, Job *job) noexcept:
    counter[0] = job[0]
    counter.x = job.mask
    counter.mask.data = NULL
    memset(&counter.y, 0, sizeof(Array))
    counter.index.data = NULL
    counter.load = kernels.widen[DT_U8][ACC_I64]
    counter.reduce = kernels.reduce[SUM][ACC_I64]
    counter.store = NULL
    counter.counts = True
    counter.counter = NULL
    job.scratch += job.line * sizeof(int64_t) + scratch_size(counter, sizeof(int64_t))


# Taps of one window, at most.
cdef Py_ssize_t axis_taps(const Axis *a) noexcept:
    if a.kind == TRANSPOSED:
        return min((a.kernel - 1) // (a.stride // a.residue) + 1, a.length)
    return min(a.kernel, a.length)


# --- running ---

cdef int run_reduce(
        Job *job, const Turn *turn, int reducer, int accumulator, bint counts, object num_threads,
        double work, Recipe recipe) except -1:
    cdef reduce_fn kernel = kernels.reduce[reducer][accumulator]
    cdef Job counter
    if job.planes == 0 or job.inner == 0:
        return 0
    # Counts go through the same lines as 64-bit integers.
    job.sums = reducer == SUM
    if counts:
        job.counter = &counter
    cut(job, max(ACCUMULATOR_SIZE[accumulator], 8 if counts else 1),
        (SCRATCH // 2 if counts else SCRATCH) - <Py_ssize_t>turn_bytes(turn))
    if counts:
        count_mask(&counter, job)
    if recipe is not None:
        remember(recipe, job, turn, kernel, work, num_threads)
    return run_cut(job, turn, kernel, num_threads, work)


# A job that is cut into units, perhaps on groups of planes.
cdef int run_cut(
        Job *job, const Turn *turn, reduce_fn kernel, object num_threads, double work) except -1:
    cdef Py_ssize_t i, units = turn_groups(turn) if turn.lanes else job.units
    cdef int threads = team_size(num_threads, units, work)
    cdef Py_ssize_t chunks = min(units, <Py_ssize_t>threads * CHUNKS)
    cdef size_t size = job.scratch + turn_bytes(turn)
    cdef char *scratch
    cdef char *aligned
    cdef double *grids = NULL
    if is_surveyed_before(job, threads):
        grids = find_grids(job, threads)
        if grids == NULL:
            raise MemoryError
    scratch = <char *>malloc(threads * size + 64)
    if scratch == NULL:
        free(grids)
        raise MemoryError
    aligned = scratch + (64 - <size_t>scratch % 64) % 64
    job.grids = grids
    if threads == 1:
        if work < SERIAL:
            run_units(job, turn, kernel, 0, units, aligned)
        else:
            with nogil:
                run_units(job, turn, kernel, 0, units, aligned)
    else:
        for i in prange(chunks, nogil=True, num_threads=threads, schedule="dynamic", chunksize=1):
            run_units(job, turn, kernel, share(units, i, chunks), share(units, i + 1, chunks),
                      aligned + threadid() * size)
    free(scratch)
    free(grids)
    return 0


# Some units, or groups of planes.
cdef void run_units(
        const Job *job, const Turn *turn, reduce_fn kernel, Py_ssize_t first, Py_ssize_t last,
        char *scratch) noexcept nogil:
    cdef Job own
    cdef Py_ssize_t group
    if not turn.lanes:
        kernel(job, first, last, scratch, NULL, NULL)
        return
    own = job[0]
    turn_scratch(turn, &own, scratch)
    for group in range(first, last):
        turn_in(turn, &own, group * turn.lanes)
        kernel(&own, 0, own.units, scratch + turn_bytes(turn), NULL, NULL)
        turn_out(turn, &own, group * turn.lanes)


# The grid of each plane, or of each row, as grid_of says it. NULL where there is no memory.
cdef double *find_grids(const Job *job, int threads) noexcept:
    cdef Py_ssize_t pieces = job.axis[1].length if job.row_grids else min(
        job.axis[1].length, 1 + threads * CHUNKS // job.planes)
    cdef Py_ssize_t planes = job.planes * (pieces if job.row_grids else 1)
    cdef Py_ssize_t units = job.planes * pieces, some = units // planes, i, plane
    cdef Survey found
    cdef int bound
    cdef Survey *surveys = NULL
    cdef double *grids = NULL
    if units < PY_SSIZE_T_MAX // <Py_ssize_t>sizeof(Survey):
        surveys = <Survey *>malloc(units * sizeof(Survey))
        grids = <double *>malloc(planes * sizeof(double))
    if surveys == NULL or grids == NULL:
        free(surveys)
        free(grids)
        return NULL
    survey_pieces(job, threads, surveys, pieces, 0, units, 0)
    for plane in range(planes):
        found = surveys[plane * some]
        for i in range(plane * some + 1, (plane + 1) * some):
            survey_join(&found, &surveys[i])
        grids[plane] = grid_of(job, &found, &bound)
        if bound > 0:
            survey_pieces(job, threads, surveys, pieces, plane * some, (plane + 1) * some, bound)
            for i in range(plane * some, (plane + 1) * some):
                survey_join(&found, &surveys[i])
            if not grid_serves(job, &found):
                grids[plane] = 0
    free(surveys)
    return grids


cdef void survey_pieces(
        const Job *job, int threads, Survey *surveys, Py_ssize_t pieces, Py_ssize_t first,
        Py_ssize_t last, int bound) noexcept:
    cdef Py_ssize_t i, length = job.axis[1].length
    for i in prange(first, last, nogil=True, num_threads=threads, schedule="dynamic", chunksize=1):
        survey_start(&surveys[i], bound)
        kernels.survey(job, i // pieces, share(length, i % pieces, pieces),
                       share(length, i % pieces + 1, pieces), &surveys[i])


# Whether grids are found before: not if kernels find that of a plane or row when they come to it,
# and each only once.
cdef bint is_surveyed_before(const Job *job, int threads) noexcept:
    if not job.runs or not job.eights:
        return False
    if job.row_grids:
        return job.tiles_w > 1 or job.tiles_c > 1
    return threads > 1 and job.planes < 4 * threads * CHUNKS


# Whether windows go by running sums, by geometry and type alone.
cdef bint can_run(const Job *job) noexcept:
    cdef const Axis *h = &job.axis[1]
    cdef const Axis *w = &job.axis[2]
    cdef Py_ssize_t taps = axis_taps(w) * axis_taps(h), row = w.outputs * job.inner
    # (One row of windows over all rows may be joined with others, of further planes, if these lie
    # next to each other: its sums must be the same if they do not.)
    if h.outputs == 1 and h.length > 1:
        return False
    if (not (job.eights or job.integers) or job.mask.data != NULL or axis_taps(&job.axis[0]) > 1
            or job.axis[0].kind != SLIDING or h.kind != SLIDING or w.kind != SLIDING
            or h.step > 1 or w.step > 1 or w.stride > 1 or h.stride > 1 and h.outputs > 1
            or taps >= 1073741824):
        return False
    if row < (RUN_ROW if job.eights else 2 * RUN_ROW):
        return row >= RUN_SHORT and taps >= (RUN_MORE if job.eights else RUN_MANY)
    return taps >= RUN_TAPS


# Whether all windows of an average are divided by the same.
cdef bint has_one_divisor(const Job *job) noexcept:
    cdef int i
    if job.divisor_override != 0:
        return True
    for i in range(AXES):
        if job.whole_begin[i] > 0 or job.whole_end[i] < job.divisor[i].outputs:
            return False
    return True


# Where an average's divisor counts every tap.
cdef void find_whole(Job *job) noexcept:
    cdef int i
    cdef const Axis *a
    cdef Py_ssize_t room
    for i in range(AXES):
        a = &job.divisor[i]
        job.whole_begin[i] = a.begin
        job.whole_end[i] = a.end
        if job.include_pad:
            room = a.length + a.lo + a.hi - 1 - (a.kernel - 1) * a.dilation
            job.whole_begin[i] = 0
            job.whole_end[i] = min(room // a.stride + 1, a.outputs) if room >= 0 else 0


# Whether windows have fewer taps.
cdef bint taps_below(const Axis *axis, double most) noexcept:
    cdef double taps = 1
    cdef int i
    for i in range(AXES):
        taps *= axis_taps(&axis[i])
    return taps < most


# The type sums are kept in. float32 is summed in float32 only where at most 4 additions come one
# after the other: they cost at most 4 roundings, and more of them may cost more.
cdef int sum_accumulator(
        int x_dtype, int y_dtype, bint average, const Job *job, double override) except -1:
    cdef const Axis *axis = job.axis
    cdef Py_ssize_t i, depth = 0
    cdef double taps = 1, divisor = 1
    for i in range(AXES):
        # By pairs, one after the other.
        depth += 1 + (axis_taps(&axis[i]) - 1) // 2 if axis_taps(&axis[i]) > 1 else 0
        taps *= axis_taps(&axis[i])
        divisor *= job.divisor[i].kernel        # (padding may count)
    if y_dtype == DT_F64 or y_dtype == DT_F32 and depth > 4:
        return ACC_F64
    if y_dtype == DT_F32 or y_dtype == DT_F16 or y_dtype == DT_BF16:
        return ACC_F32
    if average and max(abs(override), divisor) >= 2147483648.0:
        return ACC_I128
    if average and x_dtype < DT_I16 and y_dtype < DT_I16 and taps <= 128.0:
        return ACC_I16
    if x_dtype < DT_I16 and taps < 8388608.0:
        return ACC_I32
    if x_dtype < DT_I32 and taps < 32768.0:
        return ACC_I32
    if not average or x_dtype < DT_I64 and taps < 2147483648.0:
        return ACC_I64
    return ACC_I128


def reduce(
        Plan plan, int reducer, x, int x_dtype, y, int y_dtype, index, mask, tuple pooled,
        int inner, bint average, bint include_pad, override, num_threads, double power=0,
        double least=NAN, tuple repeat=None):
    """Every window of x by one reducer, into y, and for extremes where it was found, into index.

    y may be None when only indices are wanted. With a power, the reducer sees powers of absolute
    values (of no value below `least`), and of its result, or of its mean, the root is taken.
    `repeat` is what the call is to be remembered by, as `again` takes it.
    """
    cdef Job job
    cdef Turn turn
    cdef Buffers buffers = Buffers()
    cdef double work
    cdef int accumulator = prepare(
        &job, &turn, buffers, &reducer, &work, plan, x, x_dtype, y, y_dtype, index, mask, pooled,
        inner, average, include_pad, override, power, least)
    run_reduce(&job, &turn, reducer, accumulator, average and mask is not None and not override,
               num_threads, work, recipe_of(repeat, plan, buffers, x, y, index))


# A job for all that: its accumulator; the reducer may become another.
cdef int prepare(
        Job *job, Turn *turn, Buffers buffers, int *reducer, double *work, Plan plan, x,
        int x_dtype, y, int y_dtype, index, mask, tuple pooled, int inner, bint average,
        bint include_pad, override, double power, double least) except -1:
    cdef int accumulator
    cdef bint wide_index
    start_job(job, buffers, plan, x, y, index, False, mask, pooled, inner)
    job.axis = plan.axis
    job.divisor = plan.divisor
    work[0] = <double>job.planes * job.inner
    for i in range(AXES):
        work[0] *= max(plan.axis[i].length, plan.axis[i].outputs)
    job.size = ELEMENT_SIZE[x_dtype]
    job.sums = reducer[0] == SUM
    turn.lanes = 0
    if power == 0 and turns(job, x_dtype, False):
        turn_job(turn, job, False, lanes_of(job, job.sums), ELEMENT_SIZE[x_dtype],
                 ELEMENT_SIZE[y_dtype], 0 if index is None else 4 if job.index32 else 8)
    if job.planes > 0:
        simplify(job, False)
    plain_x = mask is None and job.inner <= INNER and has_plain_rows(
        &job.x, job.axis[2].length, job.inner, ELEMENT_SIZE[x_dtype]) and not job.joined
    plain_y = job.inner <= INNER and has_plain_rows(
        &job.y, job.axis[2].outputs, job.inner, ELEMENT_SIZE[y_dtype])
    job.flip = reducer[0] == MIN
    job.power = power
    job.least = least
    if (power == 2 and least != least and x_dtype == y_dtype == DT_F32 and mask is None
            and makes_roots(job, average)):
        accumulator = ACC_F32
        job.converts = not job.divides
        if not plain_x or job.converts:
            job.load = kernels.square
        if not (plain_x and plain_y):
            job.store = kernels.narrow[y_dtype][accumulator]
    elif power != 0:
        # In double precision, where a square of a float32 can neither overflow nor vanish.
        accumulator = ACC_F64
        job.load = kernels.power[x_dtype]
        job.converts = True
        job.store = kernels.root[y_dtype]
        job.averages = average
        find_whole(job)
    elif reducer[0] == SUM and plain_x and plain_y and mask is None and x_dtype == y_dtype and (
            makes_sums(job, x_dtype, average, include_pad, override or 0)):
        accumulator = ACC_I8 if ELEMENT_SIZE[x_dtype] == 1 else ACC_I16
    elif reducer[0] == SUM:
        accumulator = sum_accumulator(x_dtype, y_dtype, average, job, override or 0)
        job.eights = x_dtype == DT_F32 and accumulator == ACC_F64 and y_dtype == DT_F32
        job.converts = accumulator != x_dtype and not job.eights
        job.is_signed = x_dtype == DT_I8 or x_dtype == DT_I16
        job.integers = (
            accumulator == ACC_I16 or accumulator == ACC_I32 or accumulator == ACC_I64)
        job.narrow = plain_x and (job.eights or x_dtype < DT_I32 and (
            accumulator == ACC_I16 or accumulator == ACC_I32))
        if not job.narrow and (accumulator != x_dtype or not plain_x):
            job.load = kernels.widen[x_dtype][accumulator]
        if average:
            job.averages = True
            job.include_pad = include_pad
            job.divisor_override = override or 0
            find_whole(job)
            job.divides_columns = mask is None and not job.divisor_override and (
                <double>job.divisor[0].kernel * job.divisor[1].kernel * job.divisor[2].kernel
                < 16777216.0)
            job.store = kernels.average[y_dtype][accumulator]
            job.small_sums = x_dtype < DT_I32 and taps_below(
                job.axis, 32768 if x_dtype < DT_I16 else 128)
            job.means = job.narrow and plain_y and mask is None and not job.eights and (
                x_dtype == y_dtype)
            job.divides = plain_y and mask is None and (
                accumulator == ACC_F32 and y_dtype == DT_F32
                or accumulator == ACC_F64 and y_dtype == DT_F64)
        elif accumulator != y_dtype or not plain_y:
            job.store = kernels.narrow[y_dtype][accumulator]
    elif index is not None and not locates(
            job, mask is not None, plain_x and x_dtype < DT_F16):
        wide_index = ELEMENT_SIZE[x_dtype] == 8 or (
            <double>plan.axis[0].length * plan.axis[1].length * plan.axis[2].length >= 4294967295.0)
        accumulator = ACC_I128 if wide_index else ACC_I64
        reducer[0] = MAX
        job.load = kernels.pack[x_dtype][wide_index]
        job.store = kernels.unpack[x_dtype][wide_index]
    else:
        job.locates = index is not None
        if x_dtype == DT_F16 or x_dtype == DT_BF16:
            accumulator = ACC_I16
            job.nans = HALF_NANS if x_dtype == DT_F16 else BFLOAT_NANS
            job.turned = (plain_x and plain_y and y is not None and index is None
                          and axis_taps(&job.axis[0]) == 1 and is_small_square(job, 2))
            if not job.turned:
                reducer[0] = MAX
                job.load = kernels.key
                job.store = kernels.unkey
        else:
            accumulator = x_dtype
            if not plain_x:
                job.load = kernels.widen[x_dtype][accumulator]
            if not plain_y or y is None or job.locates and not plain_x:
                job.store = kernels.narrow[x_dtype][accumulator]
    return accumulator


# Whether sums of halves, and means of integers of 8 or 16 bits, are made on the way from one place
# to the other, in wider types: of at most nine values (see cypool_shorts.h).
cdef bint makes_sums(
        Job *job, int dtype, bint average, bint include_pad, int64_t override) noexcept:
    cdef Py_ssize_t size = ELEMENT_SIZE[dtype]
    cdef bint halves = dtype == DT_F16 or dtype == DT_BF16
    if (job.joined or size > 2 or not halves and (not average or override != 0)
            or not is_small_square(job, size)):
        return False
    job.averages = average
    job.include_pad = include_pad
    job.divisor_override = override if average else 1
    find_whole(job)
    if not halves and (
            is_pair_of_pairs(job)
            or <double>job.divisor[0].kernel * job.divisor[1].kernel * job.divisor[2].kernel > 9):
        return False
    if halves:
        job.turned = 2 if dtype == DT_BF16 else 1
    else:
        job.turned = 3 if dtype == DT_I8 or dtype == DT_I16 else 4
    job.divides = True
    job.clips = job.inner == 1 and not has_one_divisor(job)
    return True


# Whether norms are made of squares of float32: of windows that averages go straight over, and of
# those of few taps, as a root errs by half of what its sum does. What leaves its range is made
# again.
cdef bint makes_roots(Job *job, bint average) noexcept:
    cdef bint straight = not job.joined and is_small_square(job, 4) and (
        job.inner == 1 or job.axis[2].step == 1)
    if not average:
        job.divisor_override = 1
    find_whole(job)
    job.averages = average
    job.roots = straight or axis_taps(&job.axis[0]) == 1 and (
        axis_taps(&job.axis[1]) <= ROOT_TAPS and axis_taps(&job.axis[2]) <= ROOT_TAPS
        and job.axis[1].kind == SLIDING and job.axis[2].kind == SLIDING and not job.joined)
    # (A line holds more than one window then.)
    job.divides = job.turned = straight
    job.clips = straight and job.inner == 1 and not has_one_divisor(job)
    return job.roots


# Whether maxima are found first and where they are afterwards: by comparing every tap with the
# maximum, which pays for few taps that are at hand, or every row's own.
cdef bint locates(Job *job, bint masked, bint plain) noexcept:
    cdef double taps = 1, extent
    cdef bint few = True, close = True
    cdef const Axis *a
    cdef int i
    for i in range(AXES):
        a = &job.axis[i]
        if a.kind != SLIDING:
            return False
        few = few and a.kernel <= LOCATE
        close = close and <double>(a.kernel - 1) * a.dilation <= 2 * LOCATE
        taps *= a.kernel
    if masked or job.joined or not plain and job.axis[0].kernel > 1:
        return False
    # (With padding and dilation a tap may lie further from its window's start than any two
    # elements of the plane from each other.)
    job.small_indices = (
        <double>(job.axis[0].kernel - 1) * job.axis[0].step * job.index_d
        + <double>(job.axis[1].kernel - 1) * job.axis[1].step * job.index_h
        + <double>(job.axis[2].kernel - 1) * job.axis[2].step) < 2147483648.0
    # (It pays for few taps where these are not at hand: in rows at distances of three and more, or
    # shorter than vectors; and where a pixel is a vector.)
    a = &job.axis[2]
    job.by_rows = (
        job.small_indices and a.kernel <= ROW_TAPS and <double>(a.kernel - 1) * a.step < LINE
        and taps <= (LOCATE_BYTES if job.size == 1 else LOCATE_ROWS)
        and (taps > LOCATE or taps >= 16 and job.inner * job.size >= VECTOR_LEAST
             or taps > 9 and job.inner == 1 and (
                 2 < a.stride < a.kernel or a.outputs * job.size < VECTOR_LEAST)))
    # (What is not read in place is looked at in scratch, where whole windows have to be.)
    extent = <double>columns_of(a, 1) * min(job.inner, VECTOR_LEAST) * 8
    if not plain and (extent > WIDE * LINE or extent * axis_extent(&job.axis[1], 1) > STREAMED):
        return False
    return job.by_rows or few and close and taps <= LOCATE


def spread(
        Plan plan, grad, int dtype, y, int y_dtype, tuple pooled, int inner, bint average,
        bint include_pad, override, num_threads, tuple repeat=None):
    """The gradient of a sum or an average: each input element's share of every window it was in."""
    cdef Job job
    cdef Turn turn
    cdef Buffers buffers = Buffers()
    cdef int accumulator
    cdef double work
    start_job(&job, buffers, plan, grad, y, None, True, None, pooled, inner)
    memcpy(job.axis, plan.look_back(), sizeof(job.axis))
    job.divisor = plan.divisor
    job.include_pad = include_pad
    job.divisor_override = override or 0 if average else 1
    job.size = ELEMENT_SIZE[dtype]
    work = <double>job.planes * job.inner
    for i in range(AXES):
        work *= max(plan.axis[i].length, plan.axis[i].outputs)
    turn.lanes = 0
    job.sums = True
    if turns(&job, dtype, True):
        turn_job(&turn, &job, False, lanes_of(&job, False), ELEMENT_SIZE[dtype],
                 ELEMENT_SIZE[y_dtype], 0)
    if job.planes > 0:
        simplify(&job, True)
    find_whole(&job)
    accumulator = sum_accumulator(dtype, y_dtype, True, &job, 0)
    # (Two rows and two columns hold all that one output sees: no line is too short for these.)
    job.repeats = (job.axis[2].kind == TRANSPOSED and is_side_by_side(&job.axis[1])
                   and is_side_by_side(&job.axis[2]))
    job.shares = has_one_divisor(&job)
    if not (job.repeats and accumulator == dtype and job.shares
            and axis_taps(&job.axis[0]) == 1 and job.inner <= INNER and not job.joined
            and has_plain_rows(
                &job.x, job.axis[2].length, job.inner, ELEMENT_SIZE[dtype])):
        job.load = kernels.spread[dtype][accumulator]
    job.converts = True
    if (accumulator != y_dtype or job.inner > INNER
            or not has_plain_rows(&job.y, job.axis[2].outputs, job.inner, ELEMENT_SIZE[y_dtype])):
        job.store = kernels.narrow[y_dtype][accumulator]
    run_reduce(&job, &turn, SUM, accumulator, False, num_threads, work,
               recipe_of(repeat, plan, buffers, grad, y, None))


def scatter(
        Plan plan, grad, int dtype, index, y, tuple pooled, int inner, bint fresh, num_threads,
        tuple repeat=None):
    """The gradient of a selection, added up where it was taken from.

    Returns False when an index lies outside its plane, and leaves y as it is then, unless it is
    `fresh`: nobody's but the caller's.
    """
    cdef Job job
    cdef Turn turn
    cdef Buffers buffers = Buffers()
    cdef Recipe recipe
    cdef double work
    cdef int i
    start_job(&job, buffers, plan, grad, y, index, True, None, pooled, inner)
    job.axis = plan.axis
    memcpy(job.divisor, plan.look_back(), sizeof(job.divisor))
    if job.planes == 0 or job.inner == 0:
        return True
    job.size = ELEMENT_SIZE[dtype]
    while job.lead < AXES - 1 and job.axis[job.lead].length == 1:
        job.lead += 1
    work = <double>job.planes * job.inner
    for i in range(AXES):
        work *= max(plan.axis[i].length, plan.axis[i].outputs)
    turn.lanes = 0
    if gathers_turned(&job):
        turn_job(&turn, &job, True, lanes_of(&job, False), job.size, job.size,
                 4 if job.index32 else 8)
    recipe = recipe_of(repeat, plan, buffers, grad, y, index)
    if recipe is not None:
        recipe.dtype = dtype
        remember(recipe, &job, &turn, NULL, work, num_threads)
    return scatter_job(&job, &turn, dtype, fresh, num_threads, work)


cdef bint scatter_job(
        Job *job, Turn *turn, int dtype, bint fresh, object num_threads, double work) except -1:
    cdef Job *around = &turn.around if turn.lanes else job
    if gathers(job):
        if not fresh and check_indices(around, team_size(num_threads, around.planes, work)) & 1:
            return False
        if gather(job, turn, dtype, num_threads, work):
            return True
    # (Which also undoes what was made of indices that are not each under its window.)
    return scatter_anywhere(around, dtype, num_threads, work)


# Whether planes of single elements are gathered as pixels, as `turns` says it of windows: where
# rows are short, or not as wide as what is added up.
cdef bint gathers_turned(const Job *job) noexcept:
    cdef const Axis *w = &job.axis[2]
    return (
        job.inner == 1 and job.planes >= TURNED_PLANES and w.stride <= 2
        and w.length * job.size < (64 if job.size >= 4 else 256)
        and turns_to_few_bytes(job) and is_seen_by_few(job))


# Whether few windows see each element, and these have few taps.
cdef bint is_seen_by_few(const Job *job) noexcept:
    cdef double seers = 1, taps = 1
    cdef int i
    for i in range(AXES):
        taps *= job.axis[i].kernel
        seers *= axis_taps(&job.divisor[i])
    return seers <= SEERS and taps <= SEEN


# Whether few windows see each element, and rows of them are at least some vector's length.
cdef bint gathers(const Job *job) noexcept:
    cdef double plane = 1
    cdef const Axis *a
    cdef Py_ssize_t size = max(job.size, 4)
    cdef int i
    for i in range(AXES):
        a = &job.axis[i]
        plane *= a.length
        # (A window that sees nothing but padding may not be asked by any element.)
        if (a.kind != SLIDING or a.dilation != 1 or a.kernel > a.length or a.lo >= a.kernel
                or <double>(a.outputs - 1) * a.stride - a.lo >= a.length):
            return False
    if plane >= 2147483648.0 or not is_seen_by_few(job):
        return False
    if job.inner > 1:
        return job.inner * size >= 16
    return job.axis[2].stride <= 2 and job.axis[2].length * size >= 16 * job.axis[2].stride


# Whether a gather can read gradients and indices where they lie: alike, and as wide as it adds them
# up; and where it looks beside a row for windows that there are not, what it finds there has to be
# those of another row, that see none of the same columns.
cdef bint reads_in_place(const Job *job) noexcept:
    cdef const Axis *w = &job.axis[2]
    cdef Py_ssize_t size = 4 if job.index32 else 8, gap = size
    cdef int i
    if job.size != size:
        return False
    if job.inner > 1:
        for i in range(AXES):
            if job.x.stride[i] != job.index.stride[i] or job.x.stride[i] % size != 0:
                return False
        for i in range(job.outer_ndim):
            if job.x.outer[i] != job.index.outer[i] or job.x.outer[i] % size != 0:
                return False
        return job.inner * size >= 64 and (
            has_plain_rows(&job.x, w.outputs, job.inner, size)
            and has_plain_rows(&job.index, w.outputs, job.inner, size))
    if job.outer_ndim > 1 or w.outputs * w.stride < 2 * w.kernel + w.stride:
        return False
    for i in range(AXES - 1, -1, -1):
        if job.axis[i].outputs > 1 and (job.x.stride[i] != gap or job.index.stride[i] != gap):
            return False
        gap *= job.axis[i].outputs
    return job.outer_ndim == 0 or (job.x.outer[0] == gap and job.index.outer[0] == gap)


# The gradient by asking each element's windows. False where an index is not under its own, which
# leaves a part of y wrong, or where lines of scratch would be too long.
cdef bint gather(
        Job *job, const Turn *turn, int dtype, object num_threads, double work) except -1:
    cdef Py_ssize_t size = max(job.size, 4), rows = 1, unit, wide, band, lead = job.lead, i
    cdef Py_ssize_t wide_index = 4 if job.index32 else 8
    cdef const Axis *w = &job.axis[2]
    cdef const Axis *a = &job.axis[lead]
    cdef const Axis *t = &job.divisor[lead]
    cdef int threads = 1 if turn.lanes else team_size(
        num_threads, job.planes * a.length, work)
    for i in range(2):
        rows *= 1 if i == lead else job.axis[i].outputs
    # Bytes of lines that one more window along the leading axis takes.
    unit = 2 * size * rows
    if lead < 2:
        unit *= max(w.outputs, w.length // w.stride + 1)
    job.tile_c = job.inner
    job.direct = reads_in_place(job)
    while job.tile_c > 16 and unit * job.tile_c > LINES // (1 + axis_taps(t)) and not job.direct:
        job.tile_c = (job.tile_c + 1) // 2
    while 0 < job.inner % job.tile_c * size < 16:
        job.tile_c += 1         # (so that the last tile is a vector too)
    band = min(max(1, LINES // (unit * job.tile_c) - axis_taps(t)) * a.stride,
               (a.length - 1) * job.planes // threads + 1)
    job.bands = (a.length - 1) // band + 1
    if lead == 2 and job.inner == 1:
        job.bands = max(1, min(job.bands, a.length // 64))
    band = (a.length - 1) // job.bands + 1
    job.tiles_c = (job.inner - 1) // job.tile_c + 1
    job.tidy = True
    job.margin = 0 if job.inner > 1 else w.kernel + 1
    job.source_rows = rows * (1 if lead == 2 else axis_extent(t, band))
    wide = axis_extent(t, band) if lead == 2 else w.outputs
    if job.inner == 1:
        wide = max(wide, (band if lead == 2 else w.length) // w.stride + 1)
    job.line = round_up(max(wide, band if lead == 2 else w.length) * job.tile_c + 16, 16)
    job.pitch = round_up(wide * job.tile_c + 2 * job.margin + 32, 16)
    # Small planes several at a time, where all lies in rows and at one distance.
    job.group = 1
    if (job.inner == 1 and job.bands == 1 and lead < 2 and job.outer_ndim == 1 and job.size == size
            and has_plain_rows(&job.index, w.outputs, 1, wide_index)
            and has_plain_rows(&job.y, w.length, 1, size)
            and (job.y.stride[1] | job.y.outer[0]) % size == 0
            and (job.index.stride[1] | job.index.outer[0]) % wide_index == 0):
        job.group = max(1, min(job.planes // (threads * CHUNKS), (
            LINES // 4 // (2 * size * job.source_rows * job.pitch))))
        job.x.group = job.x.outer[0]
        job.y.group = job.y.outer[0]
        job.index.group = job.index.outer[0]
    # (Rows at the ends of arrays have nothing beside them, so that they are brought after all.)
    job.scratch = size * 3 * job.line
    if job.inner == 1 or not job.direct:
        job.scratch += size * (2 * job.group * job.source_rows * job.pitch
                               + round_up(2 * job.margin, 16))
    if job.scratch > SCANNED:
        return False
    if turn.lanes:
        threads = team_size(num_threads, turn_groups(turn), work)
    return run_scatter(
        job, turn, kernels.gather[dtype], threads, (job.planes - 1) // job.group + 1) == 0


# The gradient by going through the outputs. False, and y as it is, when an index lies outside its
# plane.
cdef bint scatter_anywhere(Job *job, int dtype, object num_threads, double work) except -1:
    cdef Py_ssize_t most = 1, band = job.size * job.inner, i, unit, tile
    cdef Py_ssize_t size = 4 if job.size == 2 else 8
    cdef const Axis *lead = &job.axis[job.lead]
    cdef Py_ssize_t length = lead.length
    cdef scatter_fn kernel = kernels.scatter[dtype]
    cdef int threads = team_size(num_threads, job.planes * length, work), found
    cdef Turn turn
    for i in range(AXES):
        band *= job.axis[i].length
        most *= axis_taps(&job.divisor[i])
    # Planes are cut only where every index is known to lie near its window.
    job.tidy = band // job.size * max(size, job.size) > BAND or job.planes < threads
    found = check_indices(job, threads)
    if found & 1:
        return False
    job.tidy = job.tidy and found == 0
    job.bands = 1
    job.tile_c = job.inner
    job.scratch = 0
    if kernel == NULL or (most > CHAIN and kernels.scatter_wide[dtype] != NULL):
        # (Scratch holds a band.)
        kernel = kernels.scatter_wide[dtype]
        job.scratch = 1
    else:
        size = job.size
    # What is cleared is still at hand when it is added to; and as outputs that several bands see
    # are gone through for each, these are several windows long, of fewer inner elements if need be.
    unit = size
    for i in range(job.lead + 1, AXES):
        unit *= job.axis[i].length
    if job.scratch > 0 or job.tidy:
        tile = BAND // unit // min(length, 4 * axis_extent(lead, 1))
        job.tile_c = min(job.inner, max(tile, TILE_LEAST // size))
        job.tile_c = (job.inner - 1) // ((job.inner - 1) // job.tile_c + 1) + 1
        if job.scratch > 0:
            job.tile_c = max(1, min(job.tile_c, BAND // unit))
        job.bands = min(length, (length - 1) // max(1, BAND // unit // job.tile_c) + 1)
    job.tiles_c = (job.inner - 1) // job.tile_c + 1
    if job.planes * job.tiles_c * job.bands < threads:
        job.bands = min(length, threads // (job.planes * job.tiles_c) + 1)
    if job.scratch > 0:
        job.scratch = unit * job.tile_c * ((length - 1) // job.bands + 1)
    turn.lanes = 0
    run_scatter(job, &turn, kernel, threads, job.planes)
    return True


# What there is to say about all indices, as check_index says it.
cdef int check_indices(Job *job, int threads) noexcept:
    cdef Py_ssize_t i, chunks = min(job.planes, <Py_ssize_t>threads * CHUNKS)
    cdef int found = 0
    for i in prange(chunks, nogil=True, num_threads=threads, schedule="dynamic", chunksize=1):
        found |= kernels.check_index(
            job, share(job.planes, i, chunks), share(job.planes, i + 1, chunks), NULL, NULL)
    return found


cdef int run_scatter(
        const Job *job, const Turn *turn, scatter_fn kernel, int threads,
        Py_ssize_t planes) except -1:
    cdef Py_ssize_t i, units = planes * job.tiles_c * job.bands
    cdef size_t scratch = round_up(job.scratch, 64) + turn_bytes(turn)
    cdef char *room = NULL
    cdef char *aligned
    cdef int found = 0
    if turn.lanes:
        units = turn_groups(turn)
    cdef Py_ssize_t chunks = min(units, <Py_ssize_t>threads * CHUNKS)
    if scratch > 0:
        room = <char *>malloc(threads * scratch + 64)
        if room == NULL:
            raise MemoryError
    aligned = room + (64 - <size_t>room % 64) % 64
    for i in prange(chunks, nogil=True, num_threads=threads, schedule="dynamic", chunksize=1):
        found |= scatter_units(job, turn, kernel, share(units, i, chunks),
                               share(units, i + 1, chunks), aligned + threadid() * scratch)
    free(room)
    return found


cdef int scatter_units(
        const Job *job, const Turn *turn, scatter_fn kernel, Py_ssize_t first, Py_ssize_t last,
        char *scratch) noexcept nogil:
    cdef Job own
    cdef Py_ssize_t group
    cdef int found = 0
    if not turn.lanes:
        return kernel(job, first, last, scratch, NULL)
    own = job[0]
    turn_scratch(turn, &own, scratch)
    for group in range(first, last):
        turn_in(turn, &own, group * turn.lanes)
        found |= kernel(&own, 0, own.tiles_c * own.bands, scratch + turn_bytes(turn), NULL)
        turn_out(turn, &own, group * turn.lanes)
    return found


# --- the same again ---

# What calls were made on arrays without gaps, so that they can be made again without checking anew.
cdef dict known = {}
cdef object array_type = ndarray, empty_array = empty


# A call that was made: its job, but for where its arrays lie. As in start_job, x and y are
# gradients where it goes back.
cdef class Recipe:
    cdef Job job
    cdef Turn turn
    cdef reduce_fn kernel               # NULL, if gradients are scattered
    cdef int dtype                      # of these
    cdef double work
    cdef Plan plan                      # whose tables the job may point to
    cdef object num_threads
    cdef tuple key
    cdef object x_dtype, y_dtype, index_dtype       # the last one None, if there are no indices
    cdef tuple y_shape, index_shape
    cdef Py_ssize_t x_bytes, y_bytes, index_bytes
    cdef Recipe next                    # the same for another dtype


# What a call is told apart by is the shape and dtype of x and arguments of the plain types alone,
# for which equal means the same.
cdef bint is_plain(tuple numbers, tuple words):
    for value in numbers:
        if type(value) is tuple:
            for v in <tuple>value:
                if type(v) is not int:
                    return False
        elif type(value) is not int and value is not None and type(value) is not str:
            return False
    for value in words:
        if (type(value) is not bool and value is not None and type(value) is not str
                and type(value) is not type):
            return False
    return True


cdef bint is_whole(const Py_buffer *buffer) noexcept:
    return (PyBuffer_IsContiguous(buffer, b"C")
            and <size_t>buffer.buf % buffer.itemsize == 0)


cdef bint are_apart(const Py_buffer *a, const Py_buffer *b) noexcept:
    return (<char *>a.buf + a.len <= <char *>b.buf or <char *>b.buf + b.len <= <char *>a.buf)


# A recipe of a call with these arrays, or None where it is not to be remembered.
cdef Recipe recipe_of(tuple repeat, Plan plan, Buffers buffers, x, y, index):
    cdef Recipe recipe, found
    cdef int depth = 0
    if (repeat is None or type(x) is not array_type or not is_plain(repeat[1], repeat[2])
            or not is_whole(&buffers.x) or not is_whole(&buffers.y)
            or index is not None and not is_whole(&buffers.index)):
        return None
    recipe = Recipe()
    recipe.key = (repeat[0], x.shape, repeat[1], repeat[2])
    recipe.next = found = known.get(recipe.key)
    while found is not None:
        # (Arrays that were unpickled may each have a dtype object of their own.)
        depth += 1
        if is_for(found, x, index) or depth == 2 * DTYPES:
            return None
        found = found.next
    recipe.plan = plan
    recipe.x_dtype = x.dtype
    recipe.y_dtype = y.dtype
    recipe.y_shape = y.shape
    recipe.x_bytes = buffers.x.len
    recipe.y_bytes = buffers.y.len
    if index is not None:
        recipe.index_dtype = index.dtype
        recipe.index_shape = index.shape
        recipe.index_bytes = buffers.index.len
    return recipe


cdef bint is_for(Recipe recipe, x, index):
    return recipe.x_dtype is x.dtype and (index is None or recipe.index_dtype is index.dtype)


cdef int remember(
        Recipe recipe, const Job *job, const Turn *turn, reduce_fn kernel, double work,
        object num_threads) except -1:
    recipe.job = job[0]
    recipe.turn.lanes = turn.lanes
    if turn.lanes:
        recipe.turn = turn[0]
    recipe.kernel = kernel
    recipe.work = work
    recipe.num_threads = num_threads
    if len(known) >= RECIPES:
        known.clear()
    known[recipe.key] = recipe
    return 0


def forget():
    """Forget all calls that were made before."""
    known.clear()


# What to write to: a fresh array, or the user's if it is as it was then.
cdef object target_of(out, object shape, object dtype):
    if out is None:
        return empty_array(shape, dtype)
    if type(out) is array_type and out.dtype is dtype and out.shape == shape:
        return out
    return None


def again(x, str name, tuple numbers, tuple words, out, index=None):
    """The result of a call that was made before, or None where there was none like it.

    `index` holds indices that gradients follow.
    """
    cdef Recipe recipe
    cdef Buffers buffers
    cdef Job job
    cdef Turn turn
    cdef Job *around
    cdef bint back = index is not None, fresh = out is None
    if type(x) is not array_type or not is_plain(numbers, words) or (
            back and type(index) is not array_type):
        return None
    recipe = known.get((name, x.shape, numbers, words))
    while recipe is not None and not is_for(recipe, x, index):
        recipe = recipe.next
    if recipe is None or back != (recipe.kernel == NULL):
        return None
    y = out
    if back:
        if index.shape != recipe.index_shape:
            return None
    elif recipe.index_dtype is not None:
        if type(out) is tuple and len(out) == 2:
            y, index = out
        elif out is not None:
            return None
        index = target_of(index, recipe.index_shape, recipe.index_dtype)
        if index is None:
            return None
    y = target_of(y, recipe.y_shape, recipe.y_dtype)
    if y is None:
        return None
    # (Shapes as they are now: a view of the array may have been changed since.)
    buffers = Buffers()
    PyObject_GetBuffer(x, &buffers.x, PyBUF_STRIDED_RO)
    PyObject_GetBuffer(y, &buffers.y, PyBUF_STRIDED_RO)
    if (buffers.x.len != recipe.x_bytes or not is_whole(&buffers.x)
            or buffers.y.len != recipe.y_bytes or not is_whole(&buffers.y) or buffers.y.readonly
            or not are_apart(&buffers.x, &buffers.y)):
        return None
    job = recipe.job
    # (Both are kilobytes, which a small call is short beside.)
    turn.lanes = recipe.turn.lanes
    if turn.lanes:
        turn = recipe.turn
    around = &turn.around if turn.lanes else &job
    around.x.data = <char *>buffers.x.buf
    around.y.data = <char *>buffers.y.buf
    if index is not None:
        PyObject_GetBuffer(index, &buffers.index, PyBUF_STRIDED_RO)
        if (buffers.index.len != recipe.index_bytes or not is_whole(&buffers.index)
                or buffers.index.readonly and not back
                or not are_apart(&buffers.index, &buffers.y)
                or not back and not are_apart(&buffers.index, &buffers.x)):
            return None
        around.index.data = <char *>buffers.index.buf
    if recipe.kernel != NULL:
        run_cut(&job, &turn, recipe.kernel, recipe.num_threads, recipe.work)
    elif not scatter_job(&job, &turn, recipe.dtype, fresh, recipe.num_threads, recipe.work):
        return None
    return y if back or index is None else (y, index)

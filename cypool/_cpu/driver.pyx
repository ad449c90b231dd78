"""From arrays and windows to kernels: fills in a job, cuts it into units, runs it on threads.

Arrays are taken through the buffer protocol, without a format: pointer, shape and strides are all
that kernels need, for any number of dimensions, and the type is known already. Everything here was
checked by the caller; what can still fail is memory.
"""
from math import gcd

from cpython.buffer cimport (
    PyBUF_STRIDED, PyBUF_STRIDED_RO, PyBuffer_Release, PyObject_GetBuffer)
from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from cypool._cpu.axis cimport axis_extent
from cypool._cpu.dispatch cimport kernels
from cypool._cpu.job cimport (
    ACC_F32, ACC_F64, ACC_I16, ACC_I32, ACC_I64, ACC_I128, AXES, DT_BF16, DT_F16, DT_F32, DT_F64,
    DT_I16, DT_I32, DT_I64, DT_U8, MAX, MIN, SLIDING, SUM, TRANSPOSED,
    Array, Axis, Job, reduce_fn, scatter_fn)
from cypool._cpu.threads cimport team_size

cdef enum:
    LINE = 16384            # bytes of a line of scratch: a few of them fit the nearest cache
    WIDE = 4                # lines that one window may span before it is taken by pieces
    RING = 524288           # bytes of loaded rows that are remembered, at most
    LEAF = 8                # as in kernels/reduce.pxi
    DIRECT = 8              # likewise
    INNER = 2048            # inner elements of a tile, at most
    SERIAL = 20000          # elements of work below which the GIL is kept
    BAND = 1048576          # bytes of a band that gradients are added up in
    CHAIN = 64              # additions one after the other, at most
    CHUNKS = 4              # pieces a thread, so that a late thread is helped out

MAX_CODE, MIN_CODE, SUM_CODE = MAX, MIN, SUM

cdef int ELEMENT_SIZE[12]
ELEMENT_SIZE[:] = [1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 2, 2]
cdef int ACCUMULATOR_SIZE[11]
ACCUMULATOR_SIZE[:] = [1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 16]


cdef class Plan:
    """The windows of up to three axes: (length, outputs, kernel, stride, dilation, lo, hi) each."""

    def __cinit__(self, axes):
        cdef int i
        cdef int missing = AXES - len(axes)
        for i in range(AXES):
            rule = (1, 1, 1, 1, 1, 0, 0) if i < missing else axes[i - missing]
            length, outputs, kernel, stride, dilation, lo, hi = rule
            sliding_axis(&self.axis[i], length, outputs, kernel, stride, dilation, lo, hi)
            transposed_axis(&self.transposed[i], &self.axis[i])


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
    a.begin = min((lo + a.stride - 1) // a.stride, outputs)
    a.end = min(room // a.stride + 1, outputs) if room >= 0 else 0
    if a.end <= a.begin:
        a.begin = a.end = 0
    a.residue = gcd(a.stride, a.dilation)
    a.inverse = pow(a.dilation // a.residue, -1, a.stride // a.residue)
    return 0


# The windows of outputs that saw each input element: where no border clips them, input elements
# stride apart are seen by outputs one apart.
cdef int transposed_axis(Axis *t, const Axis *a) except -1:
    cdef Py_ssize_t reach = (a.kernel - 1) * a.dilation
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
    cdef Py_buffer x, y, index, mask

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


# With `back`, x holds gradients of outputs and y those of inputs.
cdef int start_job(
        Job *job, Buffers buffers, Plan plan, x, y, index, bint back, mask, tuple pooled,
        int inner) except -1:
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
        check_shape(&buffers.y, &buffers.x, plan, pooled, not back)
        place(&job.y, &buffers.y, pooled, inner)
    if index is not None:
        PyObject_GetBuffer(index, &buffers.index, PyBUF_STRIDED_RO if back else PyBUF_STRIDED)
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


# --- simplifying ---

# The same windows told with fewer and longer axes, by geometry alone: work then comes in long runs.
cdef int simplify(Job *job) except -1:
    cdef Axis *h = &job.axis[1]
    cdef Axis *w = &job.axis[2]
    cdef Array *arrays[4]
    cdef Array *array
    cdef Py_ssize_t columns = w.length, lead
    arrays[0] = &job.x
    arrays[1] = &job.mask
    arrays[2] = &job.y
    arrays[3] = &job.index
    job.index_h = w.length
    job.index_d = w.length * h.length
    # Windows of whole rows: rows one after the other are one row.
    if (w.kind == SLIDING and h.length > 1 and h.dilation == 1 and w.dilation == 1
            and w.kernel == w.length and not w.lo and not w.hi and not h.lo and not h.hi
            and h.begin == 0 and h.end == h.outputs and job.mask.data == NULL):
        if job.x.stride[1] != columns * job.x.stride[2]:
            job.columns = columns
            job.column_rows = job.x.stride[1]
        job.y.stride[2] = job.y.stride[1]
        job.index.stride[2] = job.index.stride[1]
        sliding_axis(
            w, h.length * columns, h.outputs, h.kernel * columns, h.stride * columns, 1, 0, 0)
        sliding_axis(h, 1, 1, 1, 1, 1, 0, 0)
        job.divisor[1] = h[0]
        job.divisor[2] = w[0]
    if job.outer_ndim != 1 or not is_trivial(&job.axis[0]):
        return 0
    # Planes one after the other whose windows stay within them: one long plane.
    lead = 2 if is_trivial(h) else 1
    if (job.index.data == NULL and job.mask.data == NULL and tiles_exactly(&job.axis[lead])
            and job.x.outer[0] == job.axis[lead].length * job.x.stride[lead] and not job.columns
            and job.y.outer[0] == job.axis[lead].outputs * job.y.stride[lead]):
        repeat_axis(&job.axis[lead], job.planes)
        repeat_axis(&job.divisor[lead], job.planes)
    # Planes of one row: their rows, side by side.
    elif lead == 2:
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


# Whether an axis is one element and one window that sees it and nothing else.
cdef bint is_trivial(const Axis *a) noexcept:
    return a.length == 1 and a.outputs == 1 and a.kernel == 1 and not a.lo and not a.hi


# Whether every window lies in its own stride's worth of elements, and nothing is left over.
cdef bint tiles_exactly(const Axis *a) noexcept:
    return (a.lo == 0 and (a.kernel - 1) * a.dilation < a.stride
            and (a.length * a.stride == a.outputs if a.kind == TRANSPOSED
                 else a.outputs * a.stride == a.length))


cdef void repeat_axis(Axis *a, Py_ssize_t times) noexcept:
    a.length *= times
    a.outputs *= times
    a.begin = 0
    a.end = a.outputs


# --- cutting ---

# Tiles, lines and scratch, by geometry and type alone.
cdef int cut(Job *job, Py_ssize_t size) except -1:
    cdef Axis *w = &job.axis[2]
    cdef Axis *h = &job.axis[1]
    cdef Axis *d = &job.axis[0]
    cdef Py_ssize_t limit = LINE // size, reach = (w.kernel - 1) * w.dilation, rows, slots
    cdef Py_ssize_t padded, depth
    job.rows = d.outputs * h.outputs
    job.tile_c = min(job.inner, INNER)
    job.tile_w = w.outputs
    while job.tile_w > 1 and (axis_extent(w, job.tile_w) > limit // job.tile_c
                              or job.tile_w > limit // job.tile_c + 1):
        job.tile_w = (job.tile_w + 1) // 2
    while job.tile_c > 16 and axis_extent(w, job.tile_w) > WIDE * limit // job.tile_c:
        job.tile_c = (job.tile_c + 1) // 2
    job.source = axis_extent(w, job.tile_w)
    if job.source > WIDE * limit // job.tile_c:
        # A window that spans more than that is taken by pieces of its columns.
        job.tile_w = 1
        job.wide = max(1, limit // job.tile_c // w.step)
        job.source = (job.wide - 1) * w.step + 1
    job.tiles_w = (w.outputs + job.tile_w - 1) // job.tile_w
    job.tile_w = (w.outputs + job.tiles_w - 1) // job.tiles_w
    job.tiles_c = (job.inner + job.tile_c - 1) // job.tile_c
    job.source = (job.source * job.tile_c + 15) // 16 * 16
    # Doubling pays when a window has more taps than neighbours have in common steps.
    if (w.kind == SLIDING and w.kernel > DIRECT and job.wide == 0
            and w.stride < w.kernel // (bits(w.kernel) + 1)):
        padded = (job.tile_w - 1) * w.stride + reach + 1
        if padded <= 2 * WIDE * limit // job.tile_c:
            job.margin = (padded * job.tile_c + 15) // 16 * 16
    # Rows are met again where windows overlap: remembered, if there are not too many.
    if job.load != NULL and (h.kind == TRANSPOSED or h.kernel > 1 or d.kernel > 1):
        job.ring_h = axis_extent(h, 1)
        job.ring_d = axis_extent(d, 1)
        slots = RING // (job.source * size)
        if job.ring_h > slots or job.ring_d > slots or job.ring_h * job.ring_d > slots:
            job.ring_h = job.ring_d = 0
    rows = axis_taps(d) * axis_taps(h)
    job.block = 1
    if job.load == NULL and job.wide == 0 and job.counter == NULL and rows <= LEAF:
        job.block = max(1, min(limit // max(job.source, job.tile_w * job.tile_c), h.outputs))
    job.levels = 1
    while rows > LEAF:
        rows = (rows + 1) // 2
        job.levels += 1
    depth = 2
    rows = axis_taps(w)
    while rows > LEAF:
        rows = (rows + 1) // 2
        depth += 1
    job.line = (job.block * job.tile_w * job.tile_c + 15) // 16 * 16
    job.stack = (2 * depth * job.tile_c + 15) // 16 * 16
    job.units = job.planes * job.tiles_w * job.tiles_c * job.rows
    job.scratch = scratch_size(job, size)
    return 0


cdef size_t scratch_size(const Job *job, Py_ssize_t size) noexcept:
    cdef Py_ssize_t slots = 0 if job.load == NULL else max(job.ring_h * job.ring_d, 2)
    cdef size_t elements = (
        (max(job.levels, job.block) + slots) * job.source + 2 * job.margin + job.line + job.stack)
    return ((elements * size + 63) // 64 + (slots * sizeof(Py_ssize_t) + 63) // 64) * 64


# A second job beside one with a mask: how many elements of each window count.
cdef void count_mask(Job *counter, Job *job) noexcept:
    counter[0] = job[0]
    counter.x = job.mask
    counter.mask.data = NULL
    memset(&counter.y, 0, sizeof(Array))
    counter.index.data = NULL
    counter.load = kernels.widen[DT_U8][ACC_I64]
    counter.store = NULL
    job.counter = counter
    job.scratch += job.line * sizeof(int64_t) + scratch_size(counter, sizeof(int64_t))


# Taps of one window, at most.
cdef Py_ssize_t axis_taps(const Axis *a) noexcept:
    if a.kind == TRANSPOSED:
        return min((a.kernel - 1) // (a.stride // a.residue) + 1, a.length)
    return min(a.kernel, a.length)


cdef Py_ssize_t bits(Py_ssize_t n) noexcept:
    cdef Py_ssize_t count = 0
    while n > 0:
        n //= 2
        count += 1
    return count


# --- running ---

cdef int run_reduce(
        Job *job, int reducer, int accumulator, bint counts, object num_threads,
        double work) except -1:
    cdef reduce_fn kernel = kernels.reduce[reducer][accumulator]
    cdef Py_ssize_t i, chunks, units
    cdef int threads
    cdef char *scratch
    cdef char *aligned
    cdef Job counter
    if job.planes == 0 or job.inner == 0:
        return 0
    # Counts go through the same lines as 64-bit integers.
    cut(job, max(ACCUMULATOR_SIZE[accumulator], 8 if counts else 1))
    if counts:
        count_mask(&counter, job)
    units = job.units
    threads = team_size(num_threads, units, work)
    chunks = min(units, <Py_ssize_t>threads * CHUNKS) if threads > 1 else 1
    scratch = <char *>malloc(threads * job.scratch + 64)
    if scratch == NULL:
        raise MemoryError
    aligned = scratch + (64 - <size_t>scratch % 64) % 64
    if threads == 1:
        if work < SERIAL:
            kernel(job, 0, units, aligned, NULL, NULL)
        else:
            with nogil:
                kernel(job, 0, units, aligned, NULL, NULL)
    else:
        for i in prange(chunks, nogil=True, num_threads=threads, schedule="dynamic", chunksize=1):
            kernel(job, share(units, i, chunks), share(units, i + 1, chunks),
                   aligned + threadid() * job.scratch, NULL, NULL)
    free(scratch)
    return 0


# Where piece i of n begins, without overflow.
cdef inline Py_ssize_t share(Py_ssize_t units, Py_ssize_t i, Py_ssize_t n) noexcept nogil:
    return units // n * i + min(i, units % n)


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


# The type sums are kept in. float32 is summed in float32 only where a few additions make a window:
# they cost at most 4 roundings, and a longer chain of them may cost more.
cdef int sum_accumulator(
        int x_dtype, int y_dtype, bint average, const Axis *axis, double override) except -1:
    cdef Py_ssize_t i, additions = 0
    cdef double taps = 1, divisor = 1
    for i in range(AXES):
        additions += axis_taps(&axis[i]) - 1
        taps *= axis_taps(&axis[i])
        divisor *= axis[i].kernel       # padding may count
    if y_dtype == DT_F64 or y_dtype == DT_F32 and additions > 4:
        return ACC_F64
    if y_dtype == DT_F32 or y_dtype == DT_F16 or y_dtype == DT_BF16:
        return ACC_F32
    if average and max(abs(override), divisor) >= 2147483648.0:
        return ACC_I128
    if x_dtype < DT_I16 and taps < 8388608.0:
        return ACC_I32
    if x_dtype < DT_I32 and taps < 32768.0:
        return ACC_I32
    if not average or x_dtype < DT_I64 and taps < 2147483648.0:
        return ACC_I64
    return ACC_I128


def reduce(
        Plan plan, int reducer, x, int x_dtype, y, int y_dtype, index, mask, tuple pooled,
        int inner, bint average, bint include_pad, override, num_threads):
    """Every window of x by one reducer, into y, and for extremes where it was found, into index.

    y may be None when only indices are wanted.
    """
    cdef Job job
    cdef Buffers buffers = Buffers()
    cdef int accumulator
    cdef double work
    cdef bint wide_index
    start_job(&job, buffers, plan, x, y, index, False, mask, pooled, inner)
    job.axis = plan.axis
    job.divisor = plan.axis
    work = <double>job.planes * job.inner
    for i in range(AXES):
        work *= max(plan.axis[i].length, plan.axis[i].outputs)
    if job.planes > 0:
        simplify(&job)
    plain_x = mask is None and job.inner <= INNER and has_plain_rows(
        &job.x, job.axis[2].length, job.inner, ELEMENT_SIZE[x_dtype]) and not job.columns
    plain_y = job.inner <= INNER and has_plain_rows(
        &job.y, job.axis[2].outputs, job.inner, ELEMENT_SIZE[y_dtype])
    job.flip = reducer == MIN
    if reducer == SUM:
        accumulator = sum_accumulator(x_dtype, y_dtype, average, job.axis, override or 0)
        if accumulator != x_dtype or not plain_x:
            job.load = kernels.widen[x_dtype][accumulator]
        if average:
            job.include_pad = include_pad
            job.divisor_override = override or 0
            find_whole(&job)
            job.store = kernels.average[y_dtype][accumulator]
        elif accumulator != y_dtype or not plain_y:
            job.store = kernels.narrow[y_dtype][accumulator]
    elif index is not None:
        wide_index = ELEMENT_SIZE[x_dtype] == 8 or (
            <double>plan.axis[0].length * plan.axis[1].length * plan.axis[2].length >= 4294967295.0)
        accumulator = ACC_I128 if wide_index else ACC_I64
        reducer = MAX
        job.load = kernels.pack[x_dtype][wide_index]
        job.store = kernels.unpack[x_dtype][wide_index]
    elif x_dtype == DT_F16 or x_dtype == DT_BF16:
        accumulator = ACC_I16
        reducer = MAX
        job.load = kernels.key[x_dtype]
        job.store = kernels.unkey[x_dtype]
    else:
        accumulator = x_dtype
        if not plain_x:
            job.load = kernels.widen[x_dtype][accumulator]
        if not plain_y:
            job.store = kernels.narrow[x_dtype][accumulator]
    run_reduce(&job, reducer, accumulator, average and mask is not None, num_threads, work)


def spread(
        Plan plan, grad, int dtype, y, int y_dtype, tuple pooled, int inner, bint average,
        bint include_pad, override, num_threads):
    """The gradient of a sum or an average: each input element's share of every window it was in."""
    cdef Job job
    cdef Buffers buffers = Buffers()
    cdef int accumulator
    cdef double work
    start_job(&job, buffers, plan, grad, y, None, True, None, pooled, inner)
    job.axis = plan.transposed
    job.divisor = plan.axis
    job.include_pad = include_pad
    job.divisor_override = override or 0 if average else 1
    if job.planes > 0:
        simplify(&job)
    accumulator = sum_accumulator(dtype, y_dtype, True, job.axis, 0)
    job.load = kernels.spread[dtype][accumulator]
    work = <double>job.planes * job.inner
    for i in range(AXES):
        work *= max(plan.axis[i].length, plan.axis[i].outputs)
    if (accumulator != y_dtype or job.inner > INNER
            or not has_plain_rows(&job.y, job.axis[2].outputs, job.inner, ELEMENT_SIZE[y_dtype])):
        job.store = kernels.narrow[y_dtype][accumulator]
    run_reduce(&job, SUM, accumulator, False, num_threads, work)


def scatter(Plan plan, grad, int dtype, index, y, tuple pooled, int inner, num_threads):
    """The gradient of a selection, added up where it was taken from.

    Returns False, and leaves y as it is, when an index lies outside its plane.
    """
    cdef Job job
    cdef Buffers buffers = Buffers()
    cdef Py_ssize_t i, chunks, units, most = 1, band
    cdef int threads
    cdef int found = 0
    cdef double work
    cdef Py_ssize_t size = 4 if ELEMENT_SIZE[dtype] == 2 else 8
    cdef scatter_fn kernel = kernels.scatter[dtype]
    cdef char *scratch = NULL
    start_job(&job, buffers, plan, grad, y, index, True, None, pooled, inner)
    job.axis = plan.axis
    job.divisor = plan.transposed
    if job.planes == 0 or job.inner == 0:
        return True
    while job.lead < AXES - 1 and job.axis[job.lead].length == 1:
        job.lead += 1
    work = <double>job.planes * job.inner
    for i in range(AXES):
        work *= max(plan.axis[i].length, plan.axis[i].outputs)
        most *= axis_taps(&plan.transposed[i])
    threads = team_size(num_threads, job.planes, work)
    chunks = min(job.planes, <Py_ssize_t>threads * CHUNKS)
    for i in prange(chunks, nogil=True, num_threads=threads, schedule="dynamic", chunksize=1):
        found |= kernels.check_index(
            &job, share(job.planes, i, chunks), share(job.planes, i + 1, chunks), NULL, NULL)
    if found & 1:
        return False
    job.tidy = found == 0
    job.tile_c = job.inner
    job.bands = 1
    threads = team_size(num_threads, job.planes * job.axis[job.lead].length, work)
    if job.planes < threads:
        job.bands = min(job.axis[job.lead].length, (threads + job.planes - 1) // job.planes)
    if kernel == NULL or (most > CHAIN and kernels.scatter_wide[dtype] != NULL):
        kernel = kernels.scatter_wide[dtype]
        band = size
        for i in range(job.lead + 1, AXES):
            band *= job.axis[i].length
        job.tile_c = max(1, min(job.inner, BAND // band))
        band *= job.tile_c
        job.bands = max(job.bands, min(
            job.axis[job.lead].length,
            (job.axis[job.lead].length - 1) // max(1, BAND // band) + 1))
        job.scratch = band * ((job.axis[job.lead].length - 1) // job.bands + 1)
    job.tiles_c = (job.inner + job.tile_c - 1) // job.tile_c
    units = job.planes * job.tiles_c * job.bands
    chunks = min(units, <Py_ssize_t>threads * CHUNKS)
    if job.scratch > 0:
        scratch = <char *>malloc(threads * job.scratch)
        if scratch == NULL:
            raise MemoryError
    for i in prange(chunks, nogil=True, num_threads=threads, schedule="dynamic", chunksize=1):
        kernel(&job, share(units, i, chunks), share(units, i + 1, chunks),
               scratch + threadid() * job.scratch, NULL)
    free(scratch)
    return True

# Windows of one axis, computed where they are needed: a table would be as long as the axis.
from cypool._cpu.job cimport Axis, TABLE, TRANSPOSED

cdef extern from "cypool_elements.h":
    ctypedef long long int128 "cypool_int128"


# The elements window o sees: start, start + step, ... (count of them, all real).
cdef inline void axis_window(
        const Axis *a, Py_ssize_t o, Py_ssize_t *start, Py_ssize_t *count) noexcept nogil:
    cdef Py_ssize_t at, skip, stop
    if a.kind == TRANSPOSED:
        axis_transposed_window(a, o, start, count)
        return
    if a.kind == TABLE:
        if a.starts == NULL:
            axis_adaptive_window(a, o, start, count)
            return
        start[0] = a.starts[o]
        count[0] = a.counts[o]
        return
    at = o * a.stride - a.lo
    if a.begin <= o < a.end:
        start[0] = at
        count[0] = a.kernel
        return
    if a.dilation == 1:         # nearly always: no division
        skip = -at if at < 0 else 0
        stop = a.length - at if at < a.length else 0
    else:
        skip = (-at + a.dilation - 1) // a.dilation if at < 0 else 0
        stop = 0 if at >= a.length else (a.length - 1 - at) // a.dilation + 1
    if stop > a.kernel:
        stop = a.kernel
    count[0] = stop - skip if stop > skip else 0
    start[0] = at + skip * a.dilation if stop > skip else 0


# From floor(o * length / outputs) up to ceil((o + 1) * length / outputs), with length and outputs
# exchanged for the windows that see an element.
cdef inline void axis_adaptive_window(
        const Axis *a, Py_ssize_t o, Py_ssize_t *start, Py_ssize_t *count) noexcept nogil:
    cdef Py_ssize_t n = a.outputs
    if a.length < 1073741824 and n < 1073741824:
        start[0] = o * a.length // n
        count[0] = ((o + 1) * a.length + n - 1) // n - start[0]
    else:
        start[0] = <Py_ssize_t>(<int128>o * a.length // n)
        count[0] = <Py_ssize_t>((<int128>(o + 1) * a.length + n - 1) // n) - start[0]


# Input element i lies under tap t of window o where o * stride + t * dilation == i + lo. With
# g = gcd(stride, dilation) the taps that fit are t0, t0 + stride / g, ..., where
# t0 = (i + lo) / g * inverse(dilation / g) modulo stride / g.
cdef inline void axis_transposed_window(
        const Axis *a, Py_ssize_t i, Py_ssize_t *start, Py_ssize_t *count) noexcept nogil:
    cdef Py_ssize_t at = i + a.lo, period = a.stride // a.residue, tap, last, n, over
    start[0] = 0
    count[0] = 0
    if at % a.residue != 0:
        return
    if a.dilation == 1:         # nearly always
        tap = at % period
    else:
        tap = <Py_ssize_t>(<int128>((at // a.residue) % period) * a.inverse % period)
    if tap >= a.kernel:
        return
    n = (a.kernel - 1 - tap) // period + 1
    if at < tap * a.dilation:
        return
    last = (at - tap * a.dilation) // a.stride
    if last >= a.length:
        over = (last - a.length) // a.step + 1
        n -= over
        last -= over * a.step
        if last < 0:
            return
    if n > last // a.step + 1:
        n = last // a.step + 1
    if n > 0:
        start[0] = last - (n - 1) * a.step
        count[0] = n


# Whether no window sees more than one element.
cdef inline bint axis_single(const Axis *a) noexcept nogil:
    return a.kernel == 1 or a.length == 1


# Whether the windows of a gradient lie apart, so that each element sees one of two numbers of them,
# and these are few.
cdef inline bint axis_apart(const Axis *a) noexcept nogil:
    cdef Py_ssize_t least = (a.kernel - 1) // a.stride
    return (a.kind == TRANSPOSED and a.dilation == 1 and a.stride > 1 and least < a.length
            and least < 64)


# What window o of a forward axis adds to an average's divisor.
cdef inline Py_ssize_t axis_divisor(const Axis *a, Py_ssize_t o, bint include_pad) noexcept nogil:
    cdef Py_ssize_t at, start, count
    if not include_pad:
        axis_window(a, o, &start, &count)
        return count
    at = o * a.stride - a.lo
    if at >= a.length + a.hi:
        return 0
    count = (a.length + a.hi - 1 - at) // a.dilation + 1
    return count if count < a.kernel else a.kernel


# Source elements that a run of n neighbouring windows spans, at most.
cdef inline Py_ssize_t axis_extent(const Axis *a, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t reach = (a.kernel - 1) * a.dilation
    if a.kind == TRANSPOSED:
        reach = (n - 1) // a.stride + reach // a.stride + 2
    else:
        reach += (n - 1) * a.stride + 1
    return reach if reach < a.length else a.length


# The source elements first <= i < last that windows begin <= o < end lie in, perhaps a few more.
cdef inline void axis_source(
        const Axis *a, Py_ssize_t begin, Py_ssize_t end,
        Py_ssize_t *first, Py_ssize_t *last) noexcept nogil:
    cdef Py_ssize_t reach = (a.kernel - 1) * a.dilation, lowest, highest, count
    if a.kind == TABLE:
        first[0] = last[0] = 0
        if begin < end:
            axis_window(a, begin, first, &count)
            axis_window(a, end - 1, last, &count)
            last[0] += count
        return
    if a.kind == TRANSPOSED:
        lowest = begin + a.lo - reach
        lowest = (lowest + a.stride - 1) // a.stride if lowest > 0 else 0
        highest = (end - 1 + a.lo) // a.stride
    else:
        lowest = begin * a.stride - a.lo
        highest = (end - 1) * a.stride - a.lo + reach
    first[0] = lowest if lowest > 0 else 0
    last[0] = highest + 1 if highest < a.length else a.length
    if last[0] < first[0] or begin >= end:
        first[0] = last[0] = 0


# The windows begin <= o < end of a sliding axis whose tap t is a real element: first <= o < last.
cdef inline void axis_reached(
        const Axis *a, Py_ssize_t tap, Py_ssize_t begin, Py_ssize_t end,
        Py_ssize_t *first, Py_ssize_t *last) noexcept nogil:
    cdef Py_ssize_t before = a.lo - tap * a.dilation, room = a.length - 1 + before
    first[0] = begin
    last[0] = end
    if before > begin * a.stride:
        first[0] = (before + a.stride - 1) // a.stride
    if room < 0:
        last[0] = begin
    elif room // a.stride + 1 < end:
        last[0] = room // a.stride + 1

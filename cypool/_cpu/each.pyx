"""Operators that see all taps of a window at once: ranks, modes, draws, softmax and its like.

They are not made of partial results, so each window is gathered and reduced by itself, where it can
be many of them side by side; and so are the gradients of whatever weighs the taps of a window
against each other. One unit of work is one
row of outputs, or in a gradient one band of one plane, summed up in double precision and written by
one thread alone.
"""
from cython.parallel cimport prange, threadid
from libc.float cimport DBL_MAX
from libc.math cimport exp, log
from libc.stdint cimport uint16_t
from libc.stdlib cimport calloc, free, malloc, qsort
from libc.string cimport memcpy, memset

from cypool._cpu.axis cimport axis_source, axis_window
from cypool._cpu.bricks cimport Brick, rank_of, start_brick
from cypool._cpu.dispatch cimport kernels
from cypool._cpu.driver cimport Buffers, Plan, start_job
from cypool._cpu.job cimport (
    AXES, DT_I64, DT_U64, SLIDING, Axis, Bricks, Job, Network, Spot, again_fn,
    bricks_fn, lanes_fn)
from cypool._cpu.outer cimport outer_offset, share
from cypool._cpu.threads cimport team_size

from array import array

from cypool._cpu import networks

include "kernels/types.pxi"
include "kernels/values.pxi"

cdef enum:
    CHUNKS = 4              # pieces a thread, so that a late thread is helped out
    BAND = 1048576          # bytes of a band that gradients are added up in
    WEIGHT = 8              # a tap here is so many elements' worth of work elsewhere
    LANES = 64              # windows side by side, at most; a multiple of
    LINE = 8                # so many, and so many taps of one window
    SIDE_BY_SIDE = 4        # windows from which on they are
    HELD = 4096             # taps of all of these, at most
    RANKED = 64             # taps of a window whose rank is found by comparing all with all
    MOST_TAPS = 17592186044416      # 2^44: whatever is made of these, no size of it overflows

cdef enum:
    LOGSUMEXP = 0
    SOFT = 1
    QUANTILE = 2
    MODE = 3
    DRAW = 4                # stochastic pooling, and
    EXPECT = 5              # what it is on average
    NORM = 6                # Lp, and
    MEAN_NORM = 7           # the generalised mean: gradients only

KINDS = {"logsumexp": LOGSUMEXP, "soft": SOFT, "median": QUANTILE, "mode": MODE,
         "stochastic": DRAW, "expected": EXPECT, "lp": NORM, "gem": MEAN_NORM}

cdef struct Each:
    Job *job
    int kind
    double first, second            # the operator's parameters
    const double *samples           # draws, one per output
    double *by_power                # derivative by the power, one per output row, or NULL
    Py_ssize_t taps                 # of one window, at most
    lanes_fn lanes                  # reduces so many windows side by side: NULL, none
    Py_ssize_t wide

# The taps of one window.
cdef struct Taps:
    Py_ssize_t n
    double *value
    int64_t *key                    # ordered as values are
    int64_t *index                  # in the plane
    int64_t *sorted                 # room
    double *lane                    # likewise, for windows side by side, and
    double *found                   # their results


cdef inline int64_t key_of(element v) noexcept nogil:
    if element is half:
        return cypool_key16(v.bits, 0x7c00, 0)
    elif element is bfloat:
        return cypool_key16(v.bits, 0x7f80, 0)
    elif element is float:
        return cypool_key32(cypool_float_bits(v), 0x7f800000, 0)
    elif element is double:
        return cypool_key64(cypool_double_bits(v), 0x7ff0000000000000, 0)
    elif element is uint64_t:
        return <int64_t>(v ^ (<uint64_t>1 << 63))
    else:
        return <int64_t>v


cdef element of_key(int64_t key, element *_) noexcept nogil:
    cdef element e
    if element is half:
        e.bits = cypool_unkey16(<int16_t>key, 0x7e00, 0)
        return e
    elif element is bfloat:
        e.bits = cypool_unkey16(<int16_t>key, 0x7fc0, 0)
        return e
    elif element is float:
        return cypool_bits_float(cypool_unkey32(<int32_t>key, 0x7fc00000, 0))
    elif element is double:
        return cypool_bits_double(cypool_unkey64(key, 0x7ff8000000000000, 0))
    elif element is uint64_t:
        return <uint64_t>key ^ (<uint64_t>1 << 63)
    else:
        return <element>key


# What a window without an element has for a median: below all else.
cdef inline element lowest(element *_) noexcept nogil:
    if element is half or element is bfloat or element is float or element is double:
        return of_value(-INFINITY, _)
    elif element is int8_t:
        return INT8_MIN
    elif element is int16_t:
        return INT16_MIN
    elif element is int32_t:
        return INT32_MIN
    elif element is int64_t:
        return INT64_MIN
    else:
        return 0


# All taps of the window of output (d, h, w) that count, row-major.
cdef void gather(
        const Job *job, const char *x, const char *mask, Py_ssize_t d, Py_ssize_t h, Py_ssize_t w,
        Taps *taps, element *_) noexcept nogil:
    cdef Py_ssize_t d0, dn, h0, hn, w0, wn, i, j, k, at_d, at_h, at_w
    cdef element v
    axis_window(&job.axis[0], d, &d0, &dn)
    axis_window(&job.axis[1], h, &h0, &hn)
    axis_window(&job.axis[2], w, &w0, &wn)
    taps.n = 0
    for i in range(dn):
        at_d = d0 + i * job.axis[0].step
        for j in range(hn):
            at_h = h0 + j * job.axis[1].step
            for k in range(wn):
                at_w = w0 + k * job.axis[2].step
                if mask != NULL and not (<const uint8_t *>(
                        mask + at_d * job.mask.stride[0] + at_h * job.mask.stride[1]
                        + at_w * job.mask.stride[2]))[0]:
                    continue
                v = (<const element *>(x + at_d * job.x.stride[0] + at_h * job.x.stride[1]
                                       + at_w * job.x.stride[2]))[0]
                taps.value[taps.n] = value_of(v)
                taps.key[taps.n] = key_of(v)
                taps.index[taps.n] = (
                    (at_d * job.axis[1].length + at_h) * job.axis[2].length + at_w)
                taps.n += 1


# All taps of some windows that see as many each: that of output (d, h, w) and those `step` bytes
# apart from it, in rows of `wide`, a row for each tap. How many taps that is.
cdef Py_ssize_t gather_lanes(
        const Job *job, const char *x, Py_ssize_t d, Py_ssize_t h, Py_ssize_t w, Py_ssize_t windows,
        Py_ssize_t step, Py_ssize_t wide, double *v, element *_) noexcept nogil:
    cdef Py_ssize_t d0, dn, h0, hn, w0, wn, i, j, k, lane
    cdef const char *at
    axis_window(&job.axis[0], d, &d0, &dn)
    axis_window(&job.axis[1], h, &h0, &hn)
    axis_window(&job.axis[2], w, &w0, &wn)
    for i in range(dn):
        for j in range(hn):
            for k in range(wn):
                at = (x + (d0 + i * job.axis[0].step) * job.x.stride[0]
                      + (h0 + j * job.axis[1].step) * job.x.stride[1]
                      + (w0 + k * job.axis[2].step) * job.x.stride[2])
                if step == sizeof(element):
                    for lane in range(windows):
                        v[lane] = value_of((<const element *>at)[lane])
                else:
                    for lane in range(windows):
                        v[lane] = value_of((<const element *>(at + lane * step))[0])
                for lane in range(windows, wide):
                    v[lane] = v[0]
                v += wide
    return dn * hn * wn


# --- operators ---

cdef int by_key(const void *a, const void *b) noexcept nogil:
    cdef int64_t v = (<const int64_t *>a)[0], w = (<const int64_t *>b)[0]
    return (v > w) - (v < w)


# The value of that rank, counted from the least, which is n-th of the sorted values.
cdef int64_t ranked(int64_t *v, Py_ssize_t n, Py_ssize_t rank) noexcept nogil:
    cdef Py_ssize_t lo = 0, hi = n - 1, i, j
    cdef int64_t pivot, swap
    while lo < hi:
        # Hoare's quickselect, by the median of three.
        pivot = v[(lo + hi) // 2]
        if (v[lo] < pivot) == (v[lo] > v[hi]):
            pivot = v[lo]
        elif (v[hi] < pivot) == (v[hi] > v[lo]):
            pivot = v[hi]
        i = lo
        j = hi
        while i <= j:
            while v[i] < pivot:
                i += 1
            while v[j] > pivot:
                j -= 1
            if i <= j:
                swap = v[i]
                v[i] = v[j]
                v[j] = swap
                i += 1
                j -= 1
        if rank <= j:
            hi = j
        elif rank >= i:
            lo = i
        else:
            return v[rank]
    return v[rank]


# The tap that a rank operator selects, or -1.
cdef Py_ssize_t select_quantile(Taps *taps, double quantile) noexcept nogil:
    cdef Py_ssize_t i
    cdef int64_t key
    for i in range(taps.n):
        if taps.value[i] != taps.value[i]:
            return i
        taps.sorted[i] = taps.key[i]
    if taps.n == 0:
        return -1
    key = ranked(taps.sorted, taps.n, rank_of(quantile, taps.n))
    for i in range(taps.n):
        if taps.key[i] == key:
            return i
    return -1


# The tap whose value is met most often; of several such values the one met first.
cdef Py_ssize_t select_mode(Taps *taps) noexcept nogil:
    cdef Py_ssize_t i, lo, hi, best = -1, most = 0, n = taps.n
    for i in range(n):
        taps.sorted[i] = taps.key[i]
    qsort(taps.sorted, n, sizeof(int64_t), by_key)
    for i in range(n):
        # How often: the distance of the two ends of its run.
        lo = bound(taps.sorted, n, taps.key[i], False)
        hi = bound(taps.sorted, n, taps.key[i], True)
        if hi - lo > most:
            most = hi - lo
            best = i
    return best


# Elements of a sorted run that lie before a key, or not after it.
cdef Py_ssize_t bound(const int64_t *v, Py_ssize_t n, int64_t key, bint after) noexcept nogil:
    cdef Py_ssize_t lo = 0, hi = n, middle
    while lo < hi:
        middle = lo + (hi - lo) // 2
        if v[middle] < key or after and v[middle] == key:
            lo = middle + 1
        else:
            hi = middle
    return lo


# The tap that a draw falls on, by weights max(x, 0); -1 where there is none.
cdef Py_ssize_t select_draw(const Taps *taps, double sample) noexcept nogil:
    cdef Py_ssize_t i, last = -1
    cdef double total = 0, so_far = 0
    for i in range(taps.n):
        if taps.value[i] != taps.value[i]:
            return i
        if taps.value[i] > 0:
            total += taps.value[i]
    if total == INFINITY:
        # The first that is, or where a sum has overflowed, the same with smaller weights.
        for i in range(taps.n):
            if taps.value[i] == INFINITY:
                return i
        total = 0
        for i in range(taps.n):
            total += max(taps.value[i], 0.0) / taps.n
        sample *= <double>taps.n
    for i in range(taps.n):
        if taps.value[i] > 0:
            so_far += taps.value[i]
            last = i
            if so_far > sample * total:
                return i
    return last


# The greatest value, or the least; NaN where there is one.
cdef double greatest(const Taps *taps, bint least) noexcept nogil:
    cdef Py_ssize_t i
    cdef double v, most = INFINITY if least else -INFINITY
    for i in range(taps.n):
        v = taps.value[i]
        if v != v:
            return NAN
        if v < most if least else v > most:
            most = v
    return most


# The weighted mean of values of which the greatest is `most`, neither a NaN nor infinite above. The
# weights are in the place of sorted keys then, and their sum in `total`.
cdef double soft_mean(Taps *taps, double most, double *total) noexcept nogil:
    cdef Py_ssize_t i
    cdef double product
    cdef double *weight = <double *>taps.sorted
    total[0] = kernels.weights(taps.n, taps.value, 1, most, weight, &product)
    if fabs(product) == INFINITY:
        # Several of the greatest numbers there are.
        product = 0
        for i in range(taps.n):
            if taps.value[i] > -INFINITY:
                product += weight[i] / total[0] * taps.value[i]
        # (Their mean lies between them, however it is rounded.)
        return max(min(product, most), -DBL_MAX)
    return product / total[0] if total[0] > 0 else 0


cdef double reduced(const Each *each, Taps *taps) noexcept nogil:
    cdef Py_ssize_t i
    cdef double most, total = 0, product = 0, weight, beta = each.first
    if each.kind == LOGSUMEXP:
        most = greatest(taps, beta < 0)
        if taps.n == 0:
            return -INFINITY
        if most != most or fabs(most) == INFINITY:
            return most
        # (Differences first: these are exact where they matter.)
        total = kernels.weights(
            taps.n, taps.value, beta, most, <double *>taps.sorted, &product)
        if each.second:
            total /= <double>taps.n
        return most + log(total) / beta
    if each.kind == SOFT:
        most = greatest(taps, False)
        if most != most or most == INFINITY:
            return most
        return soft_mean(taps, most, &total)
    # EXPECT
    most = greatest(taps, False)
    if most != most or most == INFINITY:
        return most
    for i in range(taps.n):
        if taps.value[i] > 0:
            # (Relative to the greatest: squares neither overflow nor vanish.)
            weight = taps.value[i] / most
            total += weight
            product += weight * weight
    return most * min(product / total, 1.0) if total > 0 else 0


cdef void reduce_row(
        const Each *each, Py_ssize_t unit, Taps *taps, element *x_, element *y_,
        bint to_double) noexcept nogil:
    cdef const Job *job = each.job
    cdef Py_ssize_t h = unit % job.axis[1].outputs, rest = unit // job.axis[1].outputs
    cdef Py_ssize_t d = rest % job.axis[0].outputs, plane = rest // job.axis[0].outputs
    cdef Py_ssize_t w, c, lo = 0, hi = 0
    cdef const char *x = job.x.data + outer_offset(job, &job.x, plane)
    cdef const char *mask = NULL
    cdef char *y = NULL
    cdef char *index = NULL
    if job.mask.data != NULL:
        mask = job.mask.data + outer_offset(job, &job.mask, plane)
    if job.y.data != NULL:
        y = job.y.data + outer_offset(job, &job.y, plane) + (
            d * job.y.stride[0] + h * job.y.stride[1])
    if job.index.data != NULL:
        index = job.index.data + outer_offset(job, &job.index, plane) + (
            d * job.index.stride[0] + h * job.index.stride[1])
    if each.lanes != NULL and job.inner >= SIDE_BY_SIDE:
        # Those of one place.
        hi = job.axis[2].outputs
        for w in range(hi):
            c = 0
            while c < job.inner:
                reduce_lanes(each, x, y, d, h, w, c, min(each.wide, job.inner - c), True, taps, x_,
                             y_, to_double)
                c += each.wide
    elif each.lanes != NULL and job.axis[2].kind == SLIDING:
        # Those of one row that the border does not clip.
        if job.axis[2].end - job.axis[2].begin >= SIDE_BY_SIDE:
            lo = job.axis[2].begin
            hi = job.axis[2].end
        for c in range(job.inner):
            w = lo
            while w < hi:
                reduce_lanes(each, x, y, d, h, w, c, min(each.wide, hi - w), False, taps, x_, y_,
                             to_double)
                w += each.wide
    for w in range(job.axis[2].outputs):
        if not lo <= w < hi:
            for c in range(job.inner):
                reduce_window(
                    each, x, mask, y, index, plane, d, h, w, c, taps, x_, y_, to_double)


# Some windows side by side, from that of output (d, h, w) and c on: across c, or across w.
cdef void reduce_lanes(
        const Each *each, const char *x, char *y, Py_ssize_t d, Py_ssize_t h, Py_ssize_t w,
        Py_ssize_t c, Py_ssize_t windows, bint across, Taps *taps, element *x_, element *y_,
        bint to_double) noexcept nogil:
    cdef const Job *job = each.job
    cdef Py_ssize_t wide = (windows + LINE - 1) // LINE * LINE, lane, n
    cdef Py_ssize_t step = job.x.inner if across else job.axis[2].stride * job.x.stride[2]
    cdef Py_ssize_t next = job.y.inner if across else job.y.stride[2]
    cdef double second = each.second
    cdef char *to = y + w * job.y.stride[2] + c * job.y.inner
    n = gather_lanes(job, x + c * job.x.inner, d, h, w, windows, step, wide, taps.lane, x_)
    if n > 0:
        if each.kind == LOGSUMEXP:
            second = <double>n if each.second else 1.0
        each.lanes(
            n, wide, taps.lane,
            <double>rank_of(each.first, n) if each.kind == QUANTILE else each.first, second,
            taps.found)
    for lane in range(windows):
        if n == 0 or each.kind != QUANTILE and not fabs(taps.found[lane]) <= DBL_MAX:
            reduce_window(
                each, x, NULL, y, NULL, 0, d, h, w if across else w + lane,
                c + lane if across else c, taps, x_, y_, to_double)
        elif to_double:
            (<double *>(to + lane * next))[0] = taps.found[lane]
        else:
            (<element *>(to + lane * next))[0] = of_value(taps.found[lane], y_)


cdef void reduce_window(
        const Each *each, const char *x, const char *mask, char *y, char *index, Py_ssize_t plane,
        Py_ssize_t d, Py_ssize_t h, Py_ssize_t w, Py_ssize_t c, Taps *taps, element *x_,
        element *y_, bint to_double) noexcept nogil:
    cdef const Job *job = each.job
    cdef Py_ssize_t tap, at
    cdef element result
    gather(job, x + c * job.x.inner, mask + c * job.mask.inner if mask != NULL else NULL, d, h, w,
           taps, x_)
    if each.kind in (LOGSUMEXP, SOFT, EXPECT):
        if to_double:
            (<double *>(y + w * job.y.stride[2] + c * job.y.inner))[0] = reduced(each, taps)
        else:
            (<element *>(y + w * job.y.stride[2] + c * job.y.inner))[0] = of_value(
                reduced(each, taps), y_)
        return
    if each.kind == QUANTILE:
        tap = select_quantile(taps, each.first)
        result = lowest(x_)
    elif each.kind == MODE:
        tap = select_mode(taps)
        result = lowest(x_)
    else:
        # Draws are one per output, channels first.
        at = ((plane * job.inner + c) * job.axis[0].outputs + d) * job.axis[1].outputs + h
        tap = select_draw(taps, each.samples[at * job.axis[2].outputs + w])
        result = of_value(0, x_)
    if tap >= 0:
        result = of_key(taps.key[tap], x_)
    if y != NULL:
        (<element *>(y + w * job.y.stride[2] + c * job.y.inner))[0] = result
    if index == NULL:
        return
    at = taps.index[tap] if tap >= 0 else -1
    if job.index32:
        (<int32_t *>(index + w * job.index.stride[2] + c * job.index.inner))[0] = <int32_t>at
    else:
        (<int64_t *>(index + w * job.index.stride[2] + c * job.index.inner))[0] = at


ctypedef void (*row_fn)(
    const Each *each, Py_ssize_t unit, Taps *taps, void *x_, void *y_,
    bint to_double) noexcept nogil
ctypedef void (*band_fn)(
    const Each *each, Py_ssize_t unit, Taps *taps, double *band, void *x_,
    void *g_) noexcept nogil

cdef row_fn ROW[12]
ROW[:] = [
    <row_fn>&reduce_row[int8_t], <row_fn>&reduce_row[uint8_t], <row_fn>&reduce_row[int16_t],
    <row_fn>&reduce_row[uint16_t], <row_fn>&reduce_row[int32_t], <row_fn>&reduce_row[uint32_t],
    <row_fn>&reduce_row[int64_t], <row_fn>&reduce_row[uint64_t], <row_fn>&reduce_row[float],
    <row_fn>&reduce_row[double], <row_fn>&reduce_row[half], <row_fn>&reduce_row[bfloat]]


# --- gradients ---

# What each tap's value adds to the result, replaced in place by its share of the gradient: the
# derivative of the result by it. Returns the derivative by the power, where there is one.
cdef double derive(const Each *each, Taps *taps) noexcept nogil:
    cdef Py_ssize_t i, n = taps.n
    cdef double total = 0, product = 0, logs = 0, most = 0, v, y, p = each.first
    cdef const double *weight = <const double *>taps.sorted
    if n == 0:
        return 0
    if each.kind == NORM or each.kind == MEAN_NORM:
        if each.kind == MEAN_NORM and each.second == each.second:
            # Values below the least count as it, and have no gradient: marked as 0 with a sign.
            for i in range(n):
                taps.key[i] = taps.value[i] < each.second
                taps.value[i] = max(taps.value[i], each.second) if (
                    taps.value[i] == taps.value[i]) else taps.value[i]
        else:
            for i in range(n):
                taps.key[i] = 0
        for i in range(n):
            v = fabs(taps.value[i])
            if v > most or v != v:
                most = v
        if p == INFINITY:
            for i in range(n):
                v = taps.value[i]
                taps.value[i] = 0
                if fabs(v) == most and total == 0:
                    total = 1
                    taps.value[i] = (v > 0) - (v < 0)
            return 0
        if most == 0:
            for i in range(n):
                taps.value[i] = 0
            return 0
        # Relative to the greatest, whose power is 1.
        for i in range(n):
            v = fabs(taps.value[i]) / most
            y = pow(v, p)
            total += y
            if v > 0:
                logs += y * log(v)
        if each.kind == MEAN_NORM:
            total /= <double>n
            logs /= <double>n
        y = pow(total, 1 / p)           # the result over the greatest
        for i in range(n):
            v = taps.value[i]
            if v == 0 or taps.key[i]:
                taps.value[i] = 0
                continue
            product = fabs(v) / most / y
            # (Which may vanish, or keep few digits, where its power is an ordinary number.)
            product = pow(product, p - 1) if product > 1e-290 else exp(
                (p - 1) * (log(fabs(v)) - log(most) - log(y)))
            if each.kind == MEAN_NORM:
                product /= <double>n
            taps.value[i] = product if v > 0 else -product
        return most * y * (logs / total / p - log(total) / (p * p))
    most = greatest(taps, each.kind == LOGSUMEXP and p < 0)
    if each.kind == EXPECT:
        # (Relative to the greatest, as sums of values may overflow.)
        for i in range(n):
            v = max(taps.value[i], 0.0) / most
            total += v
            product += v * v
        y = product / total
        for i in range(n):
            v = taps.value[i]
            taps.value[i] = (2 * (v / most) - y) / total if v > 0 else 0
        return 0
    if fabs(most) == INFINITY:
        # Of infinite values all weight is on the infinite; of none there is any.
        for i in range(n):
            if taps.value[i] == most:
                total += 1
        if (most < 0) != (each.kind == LOGSUMEXP and p < 0):
            total = INFINITY
        for i in range(n):
            taps.value[i] = 1 / total if taps.value[i] == most else 0
        return 0
    if each.kind == LOGSUMEXP:
        total = kernels.weights(n, taps.value, p, most, <double *>taps.sorted, &product)
        for i in range(n):
            taps.value[i] = weight[i] / total
        return 0
    # SOFT
    if most != most:
        for i in range(n):
            taps.value[i] = 0 if taps.value[i] == -INFINITY else NAN
        return 0
    y = soft_mean(taps, most, &total)
    for i in range(n):
        v = taps.value[i]
        product = weight[i] / total
        # (Of what has no weight the distance may be infinite.)
        taps.value[i] = product * (1 + v - y) if product != 0 else 0
    return 0


ctypedef fused floating:
    half
    bfloat
    float
    double


# One band of one plane: rows of its leading axis. job.x holds the input, job.index the gradients of
# outputs, job.y those of the input.
cdef void derive_band(
        const Each *each, Py_ssize_t unit, Taps *taps, double *band, element *x_,
        floating *g_) noexcept nogil:
    cdef const Job *job = each.job
    cdef int i, lead = job.lead
    cdef Py_ssize_t k = unit % job.bands, rest = unit // job.bands, pitch = 1, lo, hi, d, h, w, t
    cdef Py_ssize_t c = rest % job.inner, plane = rest // job.inner
    cdef Py_ssize_t begin[AXES]
    cdef Py_ssize_t end[AXES]
    cdef Py_ssize_t length = job.axis[lead].length, at
    cdef double g, by_power
    cdef const char *x = job.x.data + outer_offset(job, &job.x, plane) + c * job.x.inner
    cdef const char *grad = job.index.data + outer_offset(job, &job.index, plane) + (
        c * job.index.inner)
    cdef const char *mask = NULL
    cdef char *y = job.y.data + outer_offset(job, &job.y, plane) + c * job.y.inner
    if job.mask.data != NULL:
        mask = job.mask.data + outer_offset(job, &job.mask, plane) + c * job.mask.inner
    lo = length // job.bands * k + min(k, length % job.bands)
    hi = lo + length // job.bands + (k < length % job.bands)
    for i in range(AXES):
        begin[i] = 0
        end[i] = job.axis[i].outputs
    axis_source(&job.divisor[lead], lo, hi, &begin[lead], &end[lead])
    for i in range(lead + 1, AXES):
        pitch *= job.axis[i].length
    lo *= pitch
    hi *= pitch
    memset(band, 0, (hi - lo) * sizeof(double))
    for d in range(begin[0], end[0]):
        for h in range(begin[1], end[1]):
            for w in range(begin[2], end[2]):
                g = value_of((<const floating *>(
                    grad + d * job.index.stride[0] + h * job.index.stride[1]
                    + w * job.index.stride[2]))[0])
                if g == 0:
                    continue        # (also of a derivative beyond all numbers)
                gather(job, x, mask, d, h, w, taps, x_)
                by_power = derive(each, taps)
                if each.by_power != NULL and owns(job, lead, d, h, w, k):
                    each.by_power[unit] += g * by_power
                for t in range(taps.n):
                    at = taps.index[t]
                    if lo <= at < hi and taps.value[t] != 0:
                        band[at - lo] += g * taps.value[t]
    for at in range(lo, hi):
        d = at // (job.axis[1].length * job.axis[2].length)
        h = at // job.axis[2].length % job.axis[1].length
        w = at % job.axis[2].length
        (<floating *>(y + d * job.y.stride[0] + h * job.y.stride[1] + w * job.y.stride[2]))[0] = (
            of_value(band[at - lo], g_))


# Whether a window counts in band k, when several see it: where its first element along the leading
# axis lies, or of windows without one, the first band.
cdef bint owns(
        const Job *job, int lead, Py_ssize_t d, Py_ssize_t h, Py_ssize_t w,
        Py_ssize_t k) noexcept nogil:
    cdef Py_ssize_t start, count, length = job.axis[lead].length
    axis_window(&job.axis[lead], d if lead == 0 else h if lead == 1 else w, &start, &count)
    if count == 0:
        return k == 0
    return start >= length // job.bands * k + min(k, length % job.bands) and (
        start < length // job.bands * (k + 1) + min(k + 1, length % job.bands))


cdef band_fn band_of(int x_dtype, floating *_) noexcept:
    if x_dtype == 0:
        return <band_fn>&derive_band[int8_t, floating]
    if x_dtype == 1:
        return <band_fn>&derive_band[uint8_t, floating]
    if x_dtype == 2:
        return <band_fn>&derive_band[int16_t, floating]
    if x_dtype == 3:
        return <band_fn>&derive_band[uint16_t, floating]
    if x_dtype == 4:
        return <band_fn>&derive_band[int32_t, floating]
    if x_dtype == 5:
        return <band_fn>&derive_band[uint32_t, floating]
    if x_dtype == 6:
        return <band_fn>&derive_band[int64_t, floating]
    if x_dtype == 7:
        return <band_fn>&derive_band[uint64_t, floating]
    if x_dtype == 8:
        return <band_fn>&derive_band[float, floating]
    if x_dtype == 9:
        return <band_fn>&derive_band[double, floating]
    if x_dtype == 10:
        return <band_fn>&derive_band[half, floating]
    return <band_fn>&derive_band[bfloat, floating]


# --- running ---

cdef Py_ssize_t most_taps(const Job *job) noexcept:
    cdef int i
    cdef Py_ssize_t n = 1
    for i in range(AXES):
        n *= min(job.axis[i].kernel, job.axis[i].length)
    return n


# Bytes of scratch for windows of n taps, `wide` of them side by side.
cdef Py_ssize_t taps_size(Py_ssize_t n, Py_ssize_t wide) except -1:
    # (An array of no strides may have more elements than there are addresses.)
    if n > <Py_ssize_t>MOST_TAPS:
        raise MemoryError
    return (4 * (n + LINE) + (n + 1) * wide) * <Py_ssize_t>sizeof(double)


cdef void place_taps(Taps *taps, char *scratch, Py_ssize_t n, Py_ssize_t wide) noexcept nogil:
    taps.value = <double *>scratch
    n += LINE
    taps.key = <int64_t *>(taps.value + n)
    taps.index = taps.key + n
    taps.sorted = taps.index + n
    taps.found = <double *>(taps.sorted + n)
    taps.lane = taps.found + wide


cdef void run_rows(
        const Each *each, row_fn kernel, Py_ssize_t first, Py_ssize_t last, char *scratch,
        bint to_double) noexcept nogil:
    cdef Taps taps
    cdef Py_ssize_t unit
    place_taps(&taps, scratch, each.taps, each.wide)
    for unit in range(first, last):
        kernel(each, unit, &taps, NULL, NULL, to_double)


cdef void run_bands(
        const Each *each, band_fn kernel, Py_ssize_t first, Py_ssize_t last,
        char *scratch) noexcept nogil:
    cdef Taps taps
    cdef Py_ssize_t unit
    place_taps(&taps, scratch, each.taps, 0)
    for unit in range(first, last):
        kernel(each, unit, &taps, taps.lane, NULL, NULL)


# Which windows go side by side, by geometry, dtype and operator alone: of values that double
# precision holds, and of few enough taps.
cdef void choose_lanes(Each *each, int x_dtype) noexcept:
    cdef const Job *job = each.job
    if job.mask.data != NULL or job.index.data != NULL or each.taps > HELD // LINE:
        return
    if each.kind == LOGSUMEXP:
        each.lanes = kernels.logsumexp
    elif each.kind == SOFT:
        each.lanes = kernels.soft
    elif each.kind == EXPECT:
        each.lanes = kernels.expect
    elif each.kind == QUANTILE and each.taps <= RANKED and x_dtype != DT_I64 and x_dtype != DT_U64:
        each.lanes = kernels.rank
    if each.lanes != NULL:
        each.wide = max(LINE, min(LANES, HELD // each.taps // LINE * LINE))


# --- sliding windows side by side, in bricks ---

cdef enum:
    NETWORK = 256               # taps of a window whose rank is found so, at most,
    SUMMED = 4096               # or whose weights are summed up,
    APART = 4                   # with so many elements from tap to tap, and so many bytes of
    MOST_ROOM = 4194304         # scratch
    VECTOR = 64                 # bytes of a register, at most
    ROOM = 49152                # bytes of scratch, about, with rows of
    ROW_LEAST = 128             # so many bytes and
    ROW_MOST = 8192             # so many, and
    ROW_PART = 256              # so many, of a row of an image, and
    PIXEL_MOST = 256            # so many for the inner elements of one place


# The kernel that makes windows so, or NULL.
cdef bricks_fn bricks_of(const Job *job, const Each *each, int x_dtype) noexcept:
    cdef const Axis *w = &job.axis[2]
    cdef int i
    for i in range(AXES):
        if job.axis[i].kind != SLIDING:
            return NULL
        if i > 0 and job.axis[i].step > APART * job.axis[i].stride:
            return NULL
    if job.mask.data != NULL:
        return NULL
    if each.kind == QUANTILE and each.taps <= NETWORK:
        # (A window that misses taps on both sides has no place among the others.)
        return kernels.ranks[x_dtype] if (w.kernel - 1) * w.step <= w.length else NULL
    if each.kind in (LOGSUMEXP, SOFT) and each.taps <= SUMMED and w.kernel <= SUMMED:
        return kernels.weigh[x_dtype]
    return NULL


cdef Py_ssize_t taps_of(const Axis *axis, Py_ssize_t o) noexcept:
    cdef Py_ssize_t start, count
    axis_window(axis, o, &start, &count)
    return count


cdef Py_ssize_t taps_most(const Axis *axis) noexcept:
    return min(axis.kernel, axis.length)


cdef Py_ssize_t period(const Axis *axis) noexcept:
    cdef Py_ssize_t a = axis.stride, b = axis.step
    while b:
        a, b = b, a % b
    return axis.stride // a


# One way from rows to rows: by a network, or without one their sum. What it is made of is `kept`.
cdef void enter_way(Network *way, object found, Py_ssize_t inputs, list kept) except *:
    cdef const uint16_t[::1] words
    steps, outputs, way.registers, way.compiled = (
        ((), array("H", [inputs]), 1, 0) if found is None else found)
    way.made = len(outputs)
    way.count = len(steps) // networks.STEP
    if way.count > 0:
        words = steps
        way.steps = &words[0]
    words = outputs
    way.outputs = &words[0]
    kept += [steps, outputs]


# The ways that windows need, by how many taps their columns have.
cdef void find_ways(
        const Job *job, const Each *each, Network *columns, Network *windows, list kept) except *:
    cdef Py_ssize_t d, h, taps, kernel = job.axis[2].kernel
    for d in range(job.axis[0].outputs):
        if d > 0 and job.axis[0].begin < d < job.axis[0].end:
            continue
        for h in range(job.axis[1].outputs):
            if h > 0 and job.axis[1].begin < h < job.axis[1].end:
                continue
            taps = taps_of(&job.axis[0], d) * taps_of(&job.axis[1], h)
            if taps == 0 or windows[taps].outputs != NULL:
                continue
            found = None, None
            if each.kind == QUANTILE:
                found = networks.of_window(taps, kernel, rank_of(each.first, taps * kernel))
            enter_way(&columns[taps], found[0], taps, kept)
            enter_way(&windows[taps], found[1], kernel, kept)


# How many windows go at a time, by geometry and dtype alone; taps: of a column. Some rows of
# windows rather than all columns of one, as rows that several of them see are brought there once.
cdef void cut_bricks(Bricks *bricks, Py_ssize_t taps, Py_ssize_t size) noexcept:
    cdef const Axis *h = &bricks.job.axis[1]
    cdef const Axis *w = &bricks.job.axis[2]
    cdef Py_ssize_t reach = (w.kernel - 1) * w.step // w.stride, whole = h.end - h.begin
    cdef Py_ssize_t rows, lanes, columns
    rows = (taps + bricks.columns[taps].registers) * min(w.kernel, bricks.period_w) + (
        bricks.windows[taps].registers + 1)
    lanes = max(ROW_LEAST, min(ROW_MOST, ROOM // rows)) // size
    columns = lanes if whole < 2 or h.kernel == 1 else max(ROW_PART // size, lanes // 4)
    bricks.tile_c = min(bricks.job.inner, PIXEL_MOST // size)
    bricks.tile_w = min(w.outputs, max(1, columns // bricks.tile_c - reach))
    bricks.rows = max(1, min(whole, lanes // ((bricks.tile_w + reach) * bricks.tile_c)))
    bricks.groups = h.outputs
    if whole > 0:
        bricks.groups += (whole - 1) // bricks.rows + 1 - whole


# Where everything is in a thread's scratch, and how many bytes that is.
cdef Py_ssize_t make_room(Bricks *bricks, Py_ssize_t size, Py_ssize_t spare) noexcept:
    cdef Brick brick
    cdef Py_ssize_t slabs, taps_h, taps, made, room = 0, names = 0
    cdef Py_ssize_t kernel = bricks.job.axis[2].kernel, slots = min(kernel, bricks.period_w)
    memset(&brick, 0, sizeof(brick))
    for slabs in range(1, taps_most(&bricks.job.axis[0]) + 1):
        for taps_h in range(1, taps_most(&bricks.job.axis[1]) + 1):
            taps = slabs * taps_h
            if bricks.windows[taps].outputs != NULL:
                start_brick(&brick, bricks, bricks.rows, bricks.tile_w, bricks.tile_c, slabs,
                            taps_h, VECTOR // size)
                room = max(room, brick.size * size)
                made = bricks.columns[taps].made
                names = max(names, made * kernel + bricks.windows[taps].registers
                            + slots * (taps + made + bricks.columns[taps].registers))
    bricks.second = whole_vectors(room)
    bricks.names = bricks.second * (2 if bricks.soft else 1)
    bricks.spare = bricks.names + whole_vectors(names * sizeof(Py_ssize_t))
    return bricks.spare + whole_vectors(spare)


cdef Py_ssize_t whole_vectors(Py_ssize_t size) noexcept:
    return (size + VECTOR - 1) // VECTOR * VECTOR


# Windows that bricks leave: side by side here, where it can be and none is clipped.
cdef void make_again(
        const Each *each, const Spot *spot, Py_ssize_t outputs, bint across, char *scratch,
        element *_) noexcept nogil:
    cdef const Job *job = each.job
    cdef const char *x = job.x.data + outer_offset(job, &job.x, spot.plane)
    cdef Py_ssize_t i = 0, w, c, windows
    cdef Taps taps
    cdef char *y = NULL
    cdef char *index = NULL
    place_taps(&taps, scratch, each.taps, each.wide)
    if job.y.data != NULL:
        y = job.y.data + outer_offset(job, &job.y, spot.plane) + (
            spot.d * job.y.stride[0] + spot.h * job.y.stride[1])
    if job.index.data != NULL:
        index = job.index.data + outer_offset(job, &job.index, spot.plane) + (
            spot.d * job.index.stride[0] + spot.h * job.index.stride[1])
    while i < outputs:
        w = spot.w if across else spot.w + i
        c = spot.c + i if across else spot.c
        windows = 1
        if each.lanes != NULL:
            windows = min(each.wide, outputs - i)
            if not across:
                windows = min(windows, job.axis[2].end - w) if w >= job.axis[2].begin else 1
        if windows >= SIDE_BY_SIDE:
            reduce_lanes(each, x, y, spot.d, spot.h, w, c, windows, across, &taps, _, _, False)
            i += windows
        else:
            reduce_window(each, x, NULL, y, index, spot.plane, spot.d, spot.h, w, c, &taps, _, _,
                          False)
            i += 1


cdef again_fn AGAIN[12]
AGAIN[:] = [
    <again_fn>&make_again[int8_t], <again_fn>&make_again[uint8_t],
    <again_fn>&make_again[int16_t], <again_fn>&make_again[uint16_t],
    <again_fn>&make_again[int32_t], <again_fn>&make_again[uint32_t],
    <again_fn>&make_again[int64_t], <again_fn>&make_again[uint64_t],
    <again_fn>&make_again[float], <again_fn>&make_again[double],
    <again_fn>&make_again[half], <again_fn>&make_again[bfloat]]


# False: nothing is done, as it would take too much room.
cdef bint run_bricks(
        const Job *job, const Each *each, bricks_fn kernel, int x_dtype, Py_ssize_t size,
        num_threads) except -1:
    cdef Bricks bricks
    cdef Network *found
    cdef Py_ssize_t i, units, chunks, room
    cdef Py_ssize_t column = taps_most(&job.axis[0]) * taps_most(&job.axis[1])
    cdef int threads
    cdef char *scratch = NULL
    cdef char *aligned
    cdef list kept = []
    found = <Network *>calloc(2 * (column + 1), sizeof(Network))
    if found == NULL:
        raise MemoryError
    try:
        memset(&bricks, 0, sizeof(bricks))
        bricks.job = job
        bricks.each = each
        bricks.again = AGAIN[x_dtype]
        bricks.period_h = period(&job.axis[1])
        bricks.period_w = period(&job.axis[2])
        bricks.columns = found
        bricks.windows = found + column + 1
        if each.kind == QUANTILE:
            bricks.quantile = each.first
        else:
            bricks.soft = each.kind == SOFT
            bricks.beta = 1 if bricks.soft else each.first
            bricks.mean = each.kind == LOGSUMEXP and each.second != 0
            size = sizeof(double)
        find_ways(job, each, found, found + column + 1, kept)
        while column > 0 and bricks.windows[column].outputs == NULL:
            column -= 1
        cut_bricks(&bricks, column, size)
        units = job.planes * job.axis[0].outputs * bricks.groups
        room = make_room(&bricks, size, taps_size(each.taps, each.wide))
        if room > MOST_ROOM:
            return False
        threads = team_size(
            num_threads, units,
            <double>units * bricks.rows * job.axis[2].outputs * job.inner * each.taps)
        chunks = min(units, <Py_ssize_t>threads * CHUNKS)
        scratch = <char *>malloc(threads * room + VECTOR)
        if scratch == NULL:
            raise MemoryError
        aligned = scratch + (-<size_t>scratch) % VECTOR
        for i in prange(chunks, nogil=True, num_threads=threads, schedule="dynamic", chunksize=1):
            kernel(&bricks, share(units, i, chunks), share(units, i + 1, chunks),
                   aligned + threadid() * room, NULL)
    finally:
        free(scratch)
        free(found)
    return True


def reduce_each(
        Plan plan, int kind, x, int x_dtype, y, bint to_double, index, mask, samples, tuple pooled,
        int inner, double first, double second, num_threads):
    """Every window of x by an operator that sees all its taps; y may be None.

    `samples` are float64, contiguous, one for each output in channels-first order.
    """
    cdef Job job
    cdef Each each
    cdef Buffers buffers = Buffers()
    cdef const double[::1] draws
    cdef row_fn kernel = ROW[x_dtype]
    cdef bricks_fn side_by_side
    cdef Py_ssize_t i, units, chunks, room
    cdef double work
    cdef int threads
    cdef char *scratch
    start_job(&job, buffers, plan, x, y, index, False, mask, pooled, inner)
    job.axis = plan.axis
    if job.planes == 0 or job.inner == 0:
        return
    memset(&each, 0, sizeof(each))
    each.job = &job
    each.kind = kind
    each.first = first
    each.second = second
    if samples is not None:
        draws = samples
        each.samples = &draws[0]
    each.taps = most_taps(&job)
    choose_lanes(&each, x_dtype)
    side_by_side = bricks_of(&job, &each, x_dtype)
    if side_by_side != NULL and run_bricks(
            &job, &each, side_by_side, x_dtype, buffers.x.itemsize, num_threads):
        return
    units = job.planes * job.axis[0].outputs * job.axis[1].outputs
    work = <double>units * job.axis[2].outputs * job.inner * each.taps * WEIGHT
    threads = team_size(num_threads, units, work)
    chunks = min(units, <Py_ssize_t>threads * CHUNKS)
    room = taps_size(each.taps, each.wide)
    scratch = <char *>malloc(threads * room)
    if scratch == NULL:
        raise MemoryError
    for i in prange(chunks, nogil=True, num_threads=threads, schedule="dynamic", chunksize=1):
        run_rows(&each, kernel, share(units, i, chunks), share(units, i + 1, chunks),
                 scratch + threadid() * room, to_double)
    free(scratch)


def derive_each(
        Plan plan, int kind, x, int x_dtype, grad, int dtype, y, mask, tuple pooled, int inner,
        double first, double second, bint by_power, num_threads):
    """The gradient of such an operator with respect to x, into y, and by its power if asked for."""
    cdef Job job
    cdef Each each
    cdef Buffers buffers = Buffers()
    cdef band_fn kernel
    cdef Py_ssize_t i, units, chunks, room, band = sizeof(double)
    cdef double work, total = 0
    cdef int threads
    cdef char *scratch
    if dtype == 8:
        kernel = band_of(x_dtype, <float *>NULL)
    elif dtype == 9:
        kernel = band_of(x_dtype, <double *>NULL)
    elif dtype == 10:
        kernel = band_of(x_dtype, <half *>NULL)
    else:
        kernel = band_of(x_dtype, <bfloat *>NULL)
    # The gradients of outputs are in the place of indices.
    start_job(&job, buffers, plan, x, y, grad, False, mask, pooled, inner, True)
    if job.planes == 0 or job.inner == 0:
        return 0.0 if by_power else None
    job.axis = plan.axis
    memcpy(job.divisor, plan.look_back(), sizeof(job.divisor))
    while job.lead < AXES - 1 and job.axis[job.lead].length == 1:
        job.lead += 1
    memset(&each, 0, sizeof(each))
    each.job = &job
    each.kind = kind
    each.first = first
    each.second = second
    each.taps = most_taps(&job)
    work = <double>job.planes * job.inner * each.taps * WEIGHT
    for i in range(AXES):
        work *= job.axis[i].outputs
        if i > job.lead:
            band *= job.axis[i].length
    threads = team_size(num_threads, job.planes * job.inner * job.axis[job.lead].length, work)
    # (Cut by geometry alone: where a derivative by the power is summed up, the order matters.)
    job.bands = min(job.axis[job.lead].length,
                    (job.axis[job.lead].length - 1) // max(1, BAND // band // 8) + 1)
    units = job.planes * job.inner * job.bands
    chunks = min(units, <Py_ssize_t>threads * CHUNKS)
    room = taps_size(each.taps, 0) + (
        (job.axis[job.lead].length - 1) // job.bands + 1) * band
    scratch = <char *>malloc(threads * room + (units if by_power else 0) * sizeof(double))
    if scratch == NULL:
        raise MemoryError
    if by_power:
        each.by_power = <double *>(scratch + threads * room)
        memset(each.by_power, 0, units * sizeof(double))
    for i in prange(chunks, nogil=True, num_threads=threads, schedule="dynamic", chunksize=1):
        run_bands(&each, kernel, share(units, i, chunks), share(units, i + 1, chunks),
                  scratch + threadid() * room)
    if by_power:
        total = pairwise(each.by_power, units)
    free(scratch)
    # (Nothing may fail any more once results are written.)
    return total if by_power else None


cdef double pairwise(const double *v, Py_ssize_t n) noexcept:
    cdef Py_ssize_t i
    cdef double total = 0
    if n > 8:
        return pairwise(v, n // 2) + pairwise(v + n // 2, n - n // 2)
    for i in range(n):
        total += v[i]
    return total


# --- windows of one size, at places that differ from plane to plane ---

# Of each tap of a window, from the first one on: how far away it is, in bytes, and how much its
# index is more.
cdef struct Step:
    Py_ssize_t offset
    int64_t place


# The greatest of each window of some planes (the first of them, or the first NaN), and where it is.
# starts: of each axis, for each plane, or NULL; n: taps of a window.
cdef void select_planes(
        const Job *job, const int64_t **starts, const Step *steps, Py_ssize_t n, Py_ssize_t first,
        Py_ssize_t last, element *_) noexcept nogil:
    cdef const Axis *a = &job.axis[0]
    cdef const Axis *b = &job.axis[1]
    cdef const Axis *c = &job.axis[2]
    cdef Py_ssize_t unit, plane, inner, d, h, w, at_d, at_h, at_w
    # (Which tap is greater, nothing foretells: by masks, and not by branches.)
    cdef int64_t key, best, place, take
    cdef Py_ssize_t t, found
    cdef const char *x
    cdef const char *at
    cdef const char *p
    cdef char *y
    cdef char *index
    for unit in range(first, last):
        plane = unit // job.inner
        inner = unit % job.inner
        x = job.x.data + outer_offset(job, &job.x, plane) + inner * job.x.inner
        y = NULL
        index = NULL
        if job.y.data != NULL:
            y = job.y.data + outer_offset(job, &job.y, plane) + inner * job.y.inner
        if job.index.data != NULL:
            index = job.index.data + outer_offset(job, &job.index, plane) + inner * job.index.inner
        for d in range(a.outputs):
            at_d = starts[0][unit * a.outputs + d] if starts[0] != NULL else 0
            for h in range(b.outputs):
                at_h = starts[1][unit * b.outputs + h] if starts[1] != NULL else 0
                for w in range(c.outputs):
                    at_w = starts[2][unit * c.outputs + w]
                    at = x + (at_d * job.x.stride[0] + at_h * job.x.stride[1]
                              + at_w * job.x.stride[2])
                    best = key_of((<const element *>at)[0])
                    found = 0
                    for t in range(1, n):
                        key = key_of((<const element *>(at + steps[t].offset))[0])
                        take = -<int64_t>(key > best)
                        best ^= (best ^ key) & take
                        found ^= (found ^ t) & <Py_ssize_t>take
                    if y != NULL:
                        (<element *>(y + d * job.y.stride[0] + h * job.y.stride[1]
                                     + w * job.y.stride[2]))[0] = (
                            <const element *>(at + steps[found].offset))[0]
                    if index == NULL:
                        continue
                    place = ((<int64_t>at_d * b.length + at_h) * c.length + at_w
                             + steps[found].place)
                    p = index + (d * job.index.stride[0] + h * job.index.stride[1]
                                 + w * job.index.stride[2])
                    if job.index32:
                        (<int32_t *>p)[0] = <int32_t>place
                    else:
                        (<int64_t *>p)[0] = place


# The steps of windows of a job's kernels.
cdef Step *make_steps(const Job *job, Py_ssize_t n) except NULL:
    cdef const Axis *axis = &job.axis[0]
    cdef Py_ssize_t t = 0, i, j, k
    # (An array of no strides may have more elements than there are addresses.)
    cdef Step *steps = <Step *>malloc(n * sizeof(Step)) if n <= <Py_ssize_t>MOST_TAPS else NULL
    if steps == NULL:
        raise MemoryError
    for i in range(axis[0].kernel):
        for j in range(axis[1].kernel):
            for k in range(axis[2].kernel):
                steps[t].offset = (
                    i * job.x.stride[0] + j * job.x.stride[1] + k * job.x.stride[2])
                steps[t].place = (<int64_t>i * axis[1].length + j) * axis[2].length + k
                t += 1
    return steps


ctypedef void (*planes_fn)(
    const Job *job, const int64_t **starts, const Step *steps, Py_ssize_t n, Py_ssize_t first,
    Py_ssize_t last, void *_) noexcept nogil

cdef planes_fn PLANES[12]
PLANES[:] = [
    <planes_fn>&select_planes[int8_t], <planes_fn>&select_planes[uint8_t],
    <planes_fn>&select_planes[int16_t], <planes_fn>&select_planes[uint16_t],
    <planes_fn>&select_planes[int32_t], <planes_fn>&select_planes[uint32_t],
    <planes_fn>&select_planes[int64_t], <planes_fn>&select_planes[uint64_t],
    <planes_fn>&select_planes[float], <planes_fn>&select_planes[double],
    <planes_fn>&select_planes[half], <planes_fn>&select_planes[bfloat]]


def select_at(
        Plan plan, x, int x_dtype, y, index, tuple starts, tuple pooled, int inner, num_threads):
    """The greatest of windows of the plan's kernels that start where `starts` says.

    That is an int64 array (planes, outputs) for each axis, planes in the order of the other axes.
    y or index may be None.
    """
    cdef Job job
    cdef Buffers buffers = Buffers()
    cdef const int64_t[:, ::1] places
    cdef const int64_t *first[AXES]
    cdef planes_fn kernel = PLANES[x_dtype]
    cdef Py_ssize_t i, j, o, units, chunks, taps = 1
    cdef int threads, missing = AXES - len(starts)
    cdef double work
    cdef Step *steps
    start_job(&job, buffers, plan, x, y, index, False, None, pooled, inner)
    job.axis = plan.axis
    units = job.planes * job.inner
    if units == 0:
        return
    work = <double>units
    for i in range(AXES):
        first[i] = NULL
        work *= <double>job.axis[i].outputs * job.axis[i].kernel
        taps *= job.axis[i].kernel
        if i < missing:
            continue
        places = starts[i - missing]
        # (What is read next depends on it.)
        if places.shape[0] != units or places.shape[1] != job.axis[i].outputs:
            raise ValueError("arrays must keep their shapes during a call")
        for j in range(units):
            for o in range(job.axis[i].outputs):
                if not 0 <= places[j, o] <= job.axis[i].length - job.axis[i].kernel:
                    raise ValueError("windows must lie within their planes")
        first[i] = &places[0, 0]
    threads = team_size(num_threads, units, work)
    chunks = min(units, <Py_ssize_t>threads * CHUNKS)
    steps = make_steps(&job, taps)
    for i in prange(chunks, nogil=True, num_threads=threads, schedule="dynamic", chunksize=1):
        kernel(&job, first, steps, taps, share(units, i, chunks), share(units, i + 1, chunks), NULL)
    free(steps)

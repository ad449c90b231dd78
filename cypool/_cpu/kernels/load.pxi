# Bringing source elements into a line of scratch: gathered where they lie apart, and turned into
# the type in which they are combined.

# Runs of contiguous elements are one loop, whatever their split into columns and inner elements.
cdef inline bint is_contiguous(const Run *run, size_t size) noexcept nogil:
    return (run.nc == 1 or run.sc == <Py_ssize_t>size) and (
        run.nw == 1 or run.sw == run.nc * <Py_ssize_t>size) and (
        run.nh == 1 or run.sh == run.nw * run.nc * <Py_ssize_t>size)

# Where column i of a run begins, counted through all of its rows.
cdef inline char *run_column(const Run *run, Py_ssize_t i) noexcept nogil:
    if run.nh == 1:
        return run.data + i * run.sw
    return run.data + i // run.nw * run.sh + i % run.nw * run.sw


# The same, and nothing between rows of the line either.
cdef inline bint is_one_line(const Run *run, size_t size) noexcept nogil:
    return is_contiguous(run, size) and (run.nh == 1 or run.pitch == run.nw * run.nc)

cdef inline bint has_lines(const Run *run, size_t size) noexcept nogil:
    return (run.nc == 1 or run.sc == <Py_ssize_t>size) and (
        run.nw == 1 or run.sw == run.nc * <Py_ssize_t>size)


cdef void load_copied(
        const Job *job, const Run *run, element *line, const element *x) noexcept nogil:
    cdef Py_ssize_t h, i, j
    cdef const char *p
    for h in range(run.nh):
        if has_lines(run, sizeof(element)):
            memcpy(line + h * run.pitch, run.data + h * run.sh, run.nw * run.nc * sizeof(element))
            continue
        for i in range(run.nw):
            p = run.data + h * run.sh + i * run.sw
            if run.sc == <Py_ssize_t>sizeof(element):
                memcpy(line + h * run.pitch + i * run.nc, p, run.nc * sizeof(element))
                continue
            for j in range(run.nc):
                line[h * run.pitch + i * run.nc + j] = (<const element *>(p + j * run.sc))[0]


cdef inline total widened(element v, total *_) noexcept nogil:
    if element is half:
        return <total>cypool_from_half(v.bits)
    elif element is bfloat:
        return <total>cypool_from_bfloat(v.bits)
    else:
        return <total>v


cdef inline void widen_row(Py_ssize_t n, total *y, const element *x) noexcept nogil:
    cdef Py_ssize_t i
    if element is half and total is float:
        halves_row_f16(n, y, <const uint16_t *>x)
    else:
        for i in range(n):
            y[i] = widened(x[i], y)


cdef void load_widened(
        const Job *job, const Run *run, total *line, const element *x) noexcept nogil:
    cdef Py_ssize_t h, i, j, n = run.nw * run.nc
    cdef const char *p
    cdef const element *row
    cdef total *to
    if is_one_line(run, sizeof(element)):
        widen_row(run.nh * n, line, x)
        return
    for h in range(run.nh):
        to = line + h * run.pitch
        row = <const element *>(run.data + h * run.sh)
        if has_lines(run, sizeof(element)):
            widen_row(n, to, row)
            continue
        for i in range(run.nw):
            p = <const char *>row + i * run.sw
            for j in range(run.nc):
                to[i * run.nc + j] = widened((<const element *>(p + j * run.sc))[0], line)


# Powers of absolute values; an infinite power stands for their maximum, and leaves them.
cdef inline double power_of(double v, double power, double least) noexcept nogil:
    if v < least:
        v = least
    v = fabs(v)
    return v if power == 1 or power == INFINITY else v * v if power == 2 else (
        v * v * v if power == 3 else pow(v, power))


cdef void load_power(
        const Job *job, const Run *run, double *line, const element *x) noexcept nogil:
    cdef Py_ssize_t h, i, j, n = run.nw * run.nc
    cdef const char *p
    cdef const element *row
    cdef double *to
    for h in range(run.nh):
        to = line + h * run.pitch
        row = <const element *>(run.data + h * run.sh)
        if has_lines(run, sizeof(element)):
            # (The usual powers as constants, so that these are vector code.)
            if job.least == job.least:
                for i in range(n):
                    to[i] = power_of(widened(row[i], line), job.power, job.least)
            elif job.power == 1 or job.power == INFINITY:
                for i in range(n):
                    to[i] = power_of(widened(row[i], line), 1, NAN)
            elif job.power == 2:
                for i in range(n):
                    to[i] = power_of(widened(row[i], line), 2, NAN)
            elif job.power == 3:
                for i in range(n):
                    to[i] = power_of(widened(row[i], line), 3, NAN)
            else:
                for i in range(n):
                    to[i] = power_of(widened(row[i], line), job.power, NAN)
            continue
        for i in range(run.nw):
            p = <const char *>row + i * run.sw
            for j in range(run.nc):
                to[i * run.nc + j] = power_of(
                    widened((<const element *>(p + j * run.sc))[0], line), job.power, job.least)


# Squares of float32 that stay in it.
cdef void load_squares(
        const Job *job, const Run *run, float *line, const float *x) noexcept nogil:
    cdef Py_ssize_t h, i, n = run.nw * run.nc, rows = run.nh
    cdef const float *row
    cdef float *to
    cdef bint lines = has_lines(run, sizeof(float))
    if is_one_line(run, sizeof(float)):
        n *= rows
        rows = 1
    if not lines:
        load_copied(job, run, line, x)
    for h in range(rows):
        to = line + h * run.pitch
        if lines:
            row = <const float *>(run.data + h * run.sh)
            for i in range(n):
                to[i] = row[i] * row[i]
        else:
            for i in range(n):
                to[i] *= to[i]


# Elements as signed integers that compare as they do, reversed or not.
cdef inline int64_t key_of(element v, int64_t reverse) noexcept nogil:
    if element is half:
        return cypool_key16(v.bits, 0x7c00, <int16_t>reverse)
    elif element is bfloat:
        return cypool_key16(v.bits, 0x7f80, <int16_t>reverse)
    elif element is float:
        return cypool_key32(cypool_float_bits(v), 0x7f800000, <int32_t>reverse)
    elif element is double:
        return cypool_key64(cypool_double_bits(v), 0x7ff0000000000000, reverse)
    elif element is uint64_t:
        return <int64_t>(v ^ (<uint64_t>1 << 63)) ^ reverse
    elif element is uint32_t:
        return <int32_t>(v ^ (<uint32_t>1 << 31)) ^ reverse
    else:
        return <int64_t>v ^ reverse


# Halves as keys: where places are looked for, with all zeros and all NaN alike.
cdef void keys_row(
        const Job *job, Py_ssize_t n, int16_t *to, const uint16_t *x) noexcept nogil:
    cdef Py_ssize_t i
    cdef int16_t reverse = -job.flip, nans = job.nans
    if job.locates:
        for i in range(n):
            to[i] = cypool_key16(x[i], <uint16_t>(INT16_MAX - nans), reverse)
    else:
        for i in range(n):
            to[i] = cypool_half_key(x[i], nans, reverse)


cdef void load_keys(
        const Job *job, const Run *run, int16_t *line, const uint16_t *x) noexcept nogil:
    cdef Py_ssize_t h
    cdef int16_t *to
    cdef bint lines = has_lines(run, sizeof(uint16_t))
    if not lines:
        load_copied(job, run, <uint16_t *>line, x)
    for h in range(run.nh):
        to = line + h * run.pitch
        keys_row(job, run.nw * run.nc, to,
                 <const uint16_t *>(run.data + h * run.sh) if lines else <const uint16_t *>to)


# Value and index in one integer: the key above, below it the index counted down, so that the
# greatest is the first of the greatest values, in whatever order it is looked for.
ctypedef fused paired:
    int64_t
    int128


# Less than any of them.
cdef inline paired packed_least(paired *_) noexcept nogil:
    if paired is int64_t:
        return INT64_MIN
    else:
        return (<int128>INT64_MIN) << 64

cdef inline paired pack(int64_t key, Py_ssize_t index, paired *_) noexcept nogil:
    if paired is int64_t:
        return (key << 32) + (<int64_t>UINT32_MAX - index)
    else:
        return (<paired>key << 64) + <paired>(<uint64_t>UINT64_MAX - <uint64_t>index)


cdef void load_packed(
        const Job *job, const Run *run, paired *line, const element *x) noexcept nogil:
    cdef Py_ssize_t h, i, j, index
    cdef const char *p
    cdef const element *row
    cdef paired *to
    cdef int64_t reverse = -job.flip
    for h in range(run.nh):
        index = run.d * job.index_d + (run.h + h) * job.index_h + run.w
        to = line + h * run.pitch
        row = <const element *>(run.data + h * run.sh)
        if run.nc == 1 and run.sw == <Py_ssize_t>sizeof(element):
            for i in range(run.nw):
                to[i] = pack(key_of(row[i], reverse), index + i, line)
            continue
        for i in range(run.nw):
            p = <const char *>row + i * run.sw
            if run.sc == <Py_ssize_t>sizeof(element):
                for j in range(run.nc):
                    to[i * run.nc + j] = pack(
                        key_of((<const element *>p)[j], reverse), index + i, line)
                continue
            for j in range(run.nc):
                to[i * run.nc + j] = pack(
                    key_of((<const element *>(p + j * run.sc))[0], reverse), index + i, line)


# --- gradients ---

cdef inline void divide_row(
        Py_ssize_t n, total *y, const element *x, Py_ssize_t divisor) noexcept nogil:
    cdef Py_ssize_t i
    cdef total by = <total>divisor
    if (total is float and element is float) or (total is double and element is double):
        cypool_divide(n, y, x, <double>by)
    else:
        for i in range(n):
            y[i] = widened(x[i], y) / by


# Gradients over the divisors of their windows: what an average hands back to each of its taps.
cdef void load_spread(
        const Job *job, const Run *run, total *line, const element *x) noexcept nogil:
    cdef Py_ssize_t h, i, j, begin, end
    cdef int side
    cdef const char *p
    cdef const element *row
    cdef total *to
    cdef Divisor divisor
    cdef total by
    if job.shares and has_lines(run, sizeof(element)):
        # One divisor for all, and perhaps one row.
        divisor_start(&divisor, job, 0, 0)
        j = run.nw * run.nc
        if run.pitch == j and run.sh == j * <Py_ssize_t>sizeof(element):
            divide_row(run.nh * j, line, x, divisor_of(&divisor, 0))
            return
        for h in range(run.nh):
            divide_row(j, line + h * run.pitch, <const element *>(run.data + h * run.sh),
                       divisor_of(&divisor, 0))
        return
    for h in range(run.nh):
        divisor_start(&divisor, job, run.d, run.h + h)
        to = line + h * run.pitch
        row = <const element *>(run.data + h * run.sh)
        begin = end = 0
        if has_lines(run, sizeof(element)):
            # Windows that count every tap have one divisor.
            begin = 0 if divisor.override else min(max(job.whole_begin[2] - run.w, 0), run.nw)
            end = run.nw if divisor.override else min(
                max(job.whole_end[2] - run.w, begin), run.nw)
            if begin < end:
                divide_row((end - begin) * run.nc, to + begin * run.nc, row + begin * run.nc,
                           divisor_of(&divisor, run.w + begin))
        for side in range(2):
            for i in range(end if side else 0, run.nw if side else begin):
                by = <total>divisor_of(&divisor, run.w + i)
                p = <const char *>row + i * run.sw
                for j in range(run.nc):
                    to[i * run.nc + j] = widened(
                        (<const element *>(p + j * run.sc))[0], line) / by

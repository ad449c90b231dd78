# Bringing a finished line to where results go: turned into the result's type, divided, or taken
# apart into value and index.

cdef void store_copied(
        const Job *job, const Run *run, const Run *index, const element *line,
        element *y) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef char *p
    for i in range(run.nh * run.nw):
        p = run_column(run, i)
        for j in range(run.nc):
            (<element *>(p + j * run.sc))[0] = line[i * run.nc + j]


cdef inline element narrowed(total v, element *_) noexcept nogil:
    cdef element e
    if element is half:
        e.bits = cypool_to_half(<float>v)
        return e
    elif element is bfloat:
        e.bits = cypool_to_bfloat(<float>v)
        return e
    else:
        return <element>v


cdef void store_narrowed(
        const Job *job, const Run *run, const Run *index, const total *line,
        element *y) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef char *p
    if is_contiguous(run, sizeof(element)):
        if total is float and element is half:
            shares_row_f16(run.nh * run.nw * run.nc, <uint16_t *>y, line, 1)
        else:
            for i in range(run.nh * run.nw * run.nc):
                y[i] = narrowed(line[i], y)
        return
    for i in range(run.nh * run.nw):
        p = run_column(run, i)
        for j in range(run.nc):
            (<element *>(p + j * run.sc))[0] = narrowed(line[i * run.nc + j], y)


cdef inline integer saturated(integer_total q, integer *_) noexcept nogil:
    if integer is int8_t:
        return <integer>min(max(q, <integer_total>INT8_MIN), <integer_total>INT8_MAX)
    elif integer is uint8_t:
        return <integer>min(max(q, <integer_total>0), <integer_total>UINT8_MAX)
    elif integer is int16_t:
        return <integer>min(max(q, <integer_total>INT16_MIN), <integer_total>INT16_MAX)
    elif integer is uint16_t:
        return <integer>min(max(q, <integer_total>0), <integer_total>UINT16_MAX)
    elif integer is uint32_t and integer_total is int32_t or (
            integer is uint64_t and integer_total is not int128):
        return <integer>max(q, <integer_total>0)
    elif integer_total is int32_t:
        return <integer>q
    elif integer is int32_t:
        return <integer>min(max(q, <integer_total>INT32_MIN), <integer_total>INT32_MAX)
    elif integer is uint32_t:
        return <integer>min(max(q, <integer_total>0), <integer_total>UINT32_MAX)
    elif integer_total is int64_t:
        return <integer>q
    elif integer is int64_t:
        return <integer>min(max(q, <integer_total>INT64_MIN), <integer_total>INT64_MAX)
    else:
        return <integer>min(max(q, <integer_total>0), <integer_total>UINT64_MAX)


# Half to even: adding and taking off 3 * 2^51 is vector code everywhere.
cdef inline int32_t rounded(double v) noexcept nogil:
    return <int32_t>(v + 6755399441055744.0 - 6755399441055744.0)


# The mean of an integer sum: rounded half to even, held to the result's range.
cdef inline integer integer_mean(integer_total v, integer_total by, integer *_) noexcept nogil:
    # Sums of 32 bits over divisors of 32 bits are never so near to a half that a double errs.
    cdef integer_total q, rest, size
    if integer_total is int32_t:
        q = rounded(<double>v / <double>by)
    else:
        q = v / by
        rest = v - q * by
        rest = rest if rest > 0 else -rest
        size = by if by > 0 else -by
        if rest > size - rest or (rest == size - rest and q & 1):
            q += 1 if (v < 0) == (by < 0) else -1
    return saturated(q, _)


# The same of a sum below 2^23 as a float, which errs by less than 2^-24 of a quotient v / by, that
# is by less than 1 / (2 by): as far as it is from a half, at least, if it is none.
cdef inline integer small_mean(float q, integer *_) noexcept nogil:
    q += <float>12582912.0
    return saturated(<int32_t>(q - <float>12582912.0), _)


ctypedef fused count:
    int32_t
    Py_ssize_t


cdef inline element mean(total v, count by, element *y) noexcept nogil:
    if total is double and element is not double:
        # (Off by less than 2^-52 of itself, of which float32 shows nothing; one division a row.)
        return narrowed(v * (1 / <double>by), y)
    elif total is float or total is double:
        return narrowed(<total>(v / <total>by), y)
    elif element is half or element is bfloat or element is float or element is double:
        return y[0]         # never called: sums of integers stay integers
    elif total is int16_t:
        return small_mean(<float>v / <float>by, y)
    else:
        return integer_mean(v, <total>by, y)


# n means by one divisor.
cdef void store_means(
        const Job *job, Py_ssize_t n, const total *line, Py_ssize_t by, element *y) noexcept nogil:
    cdef Py_ssize_t i
    cdef float share
    cdef double inverse
    if total is float and element is half:
        shares_row_f16(n, <uint16_t *>y, line, <float>by)
        return
    if total is int16_t or total is int32_t:
        if element is not half and element is not bfloat and (
                element is not float and element is not double):
            # Quotients by an odd number are never a half, and further from one than products with
            # its inverse err, of sums that have a bit less; those by a power of two are exact.
            if (total is int16_t and by & 1 or (total is int16_t or job.small_sums)
                    and 0 < by <= 4096 and by & (by - 1) == 0):
                share = 1 / <float>by
                for i in range(n):
                    y[i] = small_mean(<float>line[i] * share, y)
                return
            if total is int32_t:
                if job.small_sums:
                    for i in range(n):
                        y[i] = small_mean(<float>line[i] / <float>by, y)
                    return
                if by & 1:
                    inverse = 1 / <double>by
                    for i in range(n):
                        y[i] = saturated(rounded(<double>line[i] * inverse), y)
                    return
    for i in range(n):
        y[i] = mean(line[i], by, y)


cdef void store_average(
        const Job *job, const Run *run, const Run *index, const total *line,
        element *y) noexcept nogil:
    cdef Py_ssize_t i, j, k, by
    cdef char *p
    cdef Divisor divisor
    divisor_start(&divisor, job, run.d, run.h)
    if job.counter != NULL and divisor.override == 0:
        for i in range(run.nh * run.nw):
            p = run_column(run, i)
            for j in range(run.nc):
                by = max((<const int64_t *>index.data)[i * run.nc + j], 1)
                (<element *>(p + j * run.sc))[0] = mean(line[i * run.nc + j], by, y)
        return
    if is_contiguous(run, sizeof(element)) and (
            divisor.override != 0
            or job.whole_begin[2] <= run.w and run.w + run.nw <= job.whole_end[2]
            and job.whole_begin[1] <= run.h
            and min(run.h + run.nh, job.axis[1].outputs) <= job.whole_end[1]):
        # One divisor for all. (Rows beyond a plane's last one are those of further planes.)
        store_means(job, run.nh * run.nw * run.nc, line, divisor_of(&divisor, run.w), y)
        return
    cdef const int32_t *columns = <const int32_t *>index.data
    if job.divides_planes and columns != NULL and is_contiguous(run, sizeof(element)):
        # As many divisors as outputs.
        columns += run.h * run.nw
        for i in range(run.nh * run.nw):
            y[i] = mean(line[i], columns[i], y)
        return
    if not job.divides_columns:
        columns = NULL
    for k in range(run.nh):
        divisor_start(&divisor, job, run.d, (run.h + k) % job.axis[1].outputs)
        if job.divides_planes and columns != NULL:
            columns = <const int32_t *>index.data + (run.h + k) * run.nw
        store_average_row(
            job, run, run.data + k * run.sh, &divisor, columns, line + k * run.nw * run.nc, y)


# columns: what each column adds to the divisor, or its divisor; or NULL.
cdef void store_average_row(
        const Job *job, const Run *run, char *row, const Divisor *divisor, const int32_t *columns,
        const total *line, element *y) noexcept nogil:
    cdef Py_ssize_t i, j, by, first, last
    cdef int32_t rows = 1 if job.divides_planes else <int32_t>divisor.row
    cdef element *to = <element *>row
    cdef char *p
    if columns != NULL and rows > 0 and run.nc == 1 and run.sw == <Py_ssize_t>sizeof(element):
        # Those in the middle have one divisor.
        first = min(max(job.whole_begin[2] - run.w, 0), run.nw)
        last = min(max(job.whole_end[2] - run.w, first), run.nw)
        for i in range(first):
            to[i] = mean(line[i], rows * columns[i], y)
        if last > first:
            store_means(
                job, last - first, line + first, divisor_of(divisor, run.w + first), to + first)
        for i in range(last, run.nw):
            to[i] = mean(line[i], rows * columns[i], y)
        return
    for i in range(run.nw):
        by = divisor_of(divisor, run.w + i)
        p = row + i * run.sw
        if run.sc == <Py_ssize_t>sizeof(element):
            store_means(job, run.nc, line + i * run.nc, by, <element *>p)
            continue
        for j in range(run.nc):
            (<element *>(p + j * run.sc))[0] = mean(line[i * run.nc + j], by, y)


# --- roots ---

cdef inline double root_of(double v, double power) noexcept nogil:
    if power == INFINITY:
        # A window without an element has the maximum of nothing.
        return 0 if v < 0 else v
    return v if power == 1 else sqrt(v) if power == 2 else (
        cypool_cbrt(v) if power == 3 else pow(v, 1 / power))


# n of one divisor, in a row. (The usual roots as constants, so that these are vector code.)
cdef void store_roots(
        Py_ssize_t n, const double *line, double by, double power, element *y) noexcept nogil:
    cdef Py_ssize_t i
    if power == 1:
        for i in range(n):
            y[i] = narrowed(root_of(line[i] / by, 1), y)
    elif power == 2:
        for i in range(n):
            y[i] = narrowed(root_of(line[i] / by, 2), y)
    elif power == 3:
        for i in range(n):
            y[i] = narrowed(root_of(line[i] / by, 3), y)
    else:
        for i in range(n):
            y[i] = narrowed(root_of(line[i] / by, power), y)


cdef void store_root(
        const Job *job, const Run *run, const Run *index, const double *line,
        element *y) noexcept nogil:
    cdef Py_ssize_t i, j, k, at, begin, end
    cdef double by = 1
    cdef char *p
    cdef Divisor divisor
    cdef bint lines = run.sc == <Py_ssize_t>sizeof(element) and (
        run.sw == run.nc * <Py_ssize_t>sizeof(element)) or run.nc == 1 and (
        run.sw == <Py_ssize_t>sizeof(element))
    if not job.averages and is_contiguous(run, sizeof(element)):
        store_roots(run.nh * run.nw * run.nc, line, 1, job.power, y)
        return
    for k in range(run.nh):
        divisor_start(&divisor, job, run.d, run.h + k)
        begin = end = 0
        if lines and job.counter == NULL:
            # Windows that no border clips have one divisor.
            end = run.nw
            if job.averages:
                begin = min(max(job.whole_begin[2] - run.w, 0), run.nw)
                end = min(max(job.whole_end[2] - run.w, begin), run.nw)
                by = <double>divisor_of(&divisor, run.w + begin)
            at = (k * run.nw + begin) * run.nc
            store_roots((end - begin) * run.nc, line + at, by, job.power,
                        <element *>(run.data + k * run.sh + begin * run.sw))
        for i in range(run.nw - (end - begin)):
            if i >= begin:
                i += end - begin
            p = run.data + k * run.sh + i * run.sw
            if job.averages and job.counter == NULL:
                by = <double>divisor_of(&divisor, run.w + i)
            for j in range(run.nc):
                at = (k * run.nw + i) * run.nc + j
                if job.averages and job.counter != NULL:
                    by = <double>max((<const int64_t *>index.data)[at], 1)
                (<element *>(p + j * run.sc))[0] = narrowed(root_of(line[at] / by, job.power), y)


# --- keys back to elements ---

cdef inline element unkeyed(int64_t key, int64_t reverse, element *_) noexcept nogil:
    cdef element e
    if element is half:
        e.bits = cypool_unkey16(<int16_t>key, 0x7e00, <int16_t>reverse)
        return e
    elif element is bfloat:
        e.bits = cypool_unkey16(<int16_t>key, 0x7fc0, <int16_t>reverse)
        return e
    elif element is float:
        return cypool_bits_float(cypool_unkey32(<int32_t>key, 0x7fc00000, <int32_t>reverse))
    elif element is double:
        return cypool_bits_double(cypool_unkey64(key, 0x7ff8000000000000, reverse))
    elif element is uint64_t:
        return <uint64_t>(key ^ reverse) ^ (<uint64_t>1 << 63)
    elif element is uint32_t:
        return <uint32_t>(key ^ reverse) ^ (<uint32_t>1 << 31)
    else:
        return <element>(key ^ reverse)


# What a window without an element gives: below (or, reversed, above) every number.
cdef inline element nothing(int64_t reverse, element *_) noexcept nogil:
    if element is half:
        return unkeyed(-0x7c00 if not reverse else ~0x7c00, reverse, _)
    elif element is bfloat:
        return unkeyed(-0x7f80 if not reverse else ~0x7f80, reverse, _)
    elif element is float:
        return INFINITY if reverse else -INFINITY
    elif element is double:
        return INFINITY if reverse else -INFINITY
    elif element is int8_t:
        return INT8_MAX if reverse else INT8_MIN
    elif element is int16_t:
        return INT16_MAX if reverse else INT16_MIN
    elif element is int32_t:
        return INT32_MAX if reverse else INT32_MIN
    elif element is int64_t:
        return INT64_MAX if reverse else INT64_MIN
    elif element is uint8_t:
        return UINT8_MAX if reverse else 0
    elif element is uint16_t:
        return UINT16_MAX if reverse else 0
    elif element is uint32_t:
        return UINT32_MAX if reverse else 0
    else:
        return UINT64_MAX if reverse else 0


# Halves of the keys of load.pxi. What has no element has a key that is none, or that of the least
# number.
cdef void halves_row(
        const Job *job, Py_ssize_t n, uint16_t *y, const int16_t *keys) noexcept nogil:
    cdef Py_ssize_t i
    cdef int16_t reverse = -job.flip, nans = job.nans
    cdef uint16_t infinity = <uint16_t>(INT16_MAX - nans), nan = infinity + (nans + 1) // 2
    cdef uint16_t empty = infinity + (0 if reverse else 0x8000)
    if job.locates:
        for i in range(n):
            y[i] = empty if keys[i] == INT16_MIN else cypool_unkey16(keys[i], nan, reverse)
    else:
        for i in range(n):
            y[i] = cypool_key_half(keys[i], nans, reverse)


cdef void store_unkeyed(
        const Job *job, const Run *run, const Run *index, const int16_t *line,
        uint16_t *y) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef char *p
    if is_contiguous(run, sizeof(uint16_t)):
        halves_row(job, run.nh * run.nw * run.nc, y, line)
        return
    for i in range(run.nh * run.nw):
        p = run_column(run, i)
        if run.sc == <Py_ssize_t>sizeof(uint16_t):
            halves_row(job, run.nc, <uint16_t *>p, line + i * run.nc)
            continue
        for j in range(run.nc):
            halves_row(job, 1, <uint16_t *>(p + j * run.sc), line + i * run.nc + j)


cdef inline int64_t packed_key(paired v) noexcept nogil:
    if paired is int64_t:
        return v >> 32
    else:
        return <int64_t>(v >> 64)

cdef inline int64_t packed_index(paired v) noexcept nogil:
    if paired is int64_t:
        return <int64_t>UINT32_MAX - (v & <int64_t>UINT32_MAX)
    else:
        return <int64_t>(<uint64_t>UINT64_MAX - <uint64_t>v)


cdef void store_unpacked(
        const Job *job, const Run *run, const Run *index, const paired *line,
        element *y) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef char *p
    cdef paired v, none = packed_least(<paired *>line)
    cdef int64_t reverse = -job.flip
    cdef element empty = nothing(reverse, y)
    if job.y.data != NULL:
        for i in range(run.nh * run.nw):
            p = run_column(run, i)
            for j in range(run.nc):
                v = line[i * run.nc + j]
                (<element *>(p + j * run.sc))[0] = (
                    empty if v == none else unkeyed(packed_key(v), reverse, y))
    if job.index.data == NULL:
        return
    for i in range(run.nh * run.nw):
        p = run_column(index, i)
        for j in range(run.nc):
            v = line[i * run.nc + j]
            if job.index32:
                (<int32_t *>(p + j * index.sc))[0] = (
                    -1 if v == none else <int32_t>packed_index(v))
            else:
                (<int64_t *>(p + j * index.sc))[0] = -1 if v == none else packed_index(v)

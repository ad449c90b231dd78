# Small windows, of two or three taps a side, mostly: rows and columns in one go.

cdef extern from "cypool_firsts.h":
    enum:
        CYPOOL_FIRST_BYTES
    ctypedef struct Firsts "cypool_firsts_of":
        Py_ssize_t planes, rows, n, py, sy, pa, sa, step, at, from_ "from", to
        char *index
        int taps, index32, far
    # A macro that chooses a function by the type of values.
    bint cypool_firsts(const Firsts *, ...) noexcept nogil
    bint cypool_first_pixels(Py_ssize_t, ...) noexcept nogil
    void cypool_first_row(Py_ssize_t, ...) noexcept nogil
    void cypool_first_of_rows(Py_ssize_t, ...) noexcept nogil


# Bytes of what windows are made in: sums of 16 bits in float32, of 8 in 16.
cdef inline int lane_size(reducer *r, acc *_) noexcept nogil:
    if reducer is Sum and (acc is int16_t or acc is int8_t):
        return 2 * sizeof(acc)
    return sizeof(acc)


# What a window without an element gives.
cdef inline acc made_of_none(const Job *job, reducer *r, acc *_) noexcept nogil:
    if acc is int16_t:
        if job.turned:
            return <int16_t>cypool_key_half(
                identity(r, _), -job.nans if reducer is Min else job.nans, 0)
    return identity(r, _)


# What cypool_planes.h takes of the planes of a group, in scratch: masks of their borders, and if
# these clip windows, divisors.
cdef void find_borders(Work *work, reducer *r, acc *_) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t height = job.axis[1].length, width = job.axis[2].length, pitch = job.flat
    cdef Py_ssize_t h, w, i, size = sizeof(acc)
    cdef char *masks = work.source + 2 * (pitch + FLAT_MARGIN) * size
    cdef acc *divisors = <acc *>(masks + 4 * pitch * size)
    cdef Divisor divisor
    memset(work.source, 0, 2 * (pitch + FLAT_MARGIN) * size)
    for h in range(height):
        divisor_start(&divisor, job, 0, h)
        for w in range(width):
            i = h * width + w
            memset(masks + i * size, 0xff if h > 0 else 0, size)
            memset(masks + (pitch + i) * size, 0xff if h + 1 < height else 0, size)
            memset(masks + (2 * pitch + i) * size, 0xff if w > 0 else 0, size)
            memset(masks + (3 * pitch + i) * size, 0xff if w + 1 < width else 0, size)
            if job.clips:
                divisors[i] = <acc>divisor_of(&divisor, w)
    size *= height * width
    for i in range(5 if job.clips else 4):
        for h in range(1, job.group):
            memcpy(masks + h * size, masks, size)
        masks += pitch * <Py_ssize_t>sizeof(acc)


# The planes of a group as a whole, if they lie one after the other. Whether that could be done.
cdef bint fold_planes(
        Work *work, acc *y, Py_ssize_t py, Py_ssize_t sy, const acc *m, bint *found,
        reducer *r) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t width = job.axis[2].length, plane = job.axis[1].length * width
    cdef Py_ssize_t n = work.planes * plane, pitch = job.flat, size = sizeof(acc)
    cdef acc *a = <acc *>work.source + FLAT_MARGIN // 2
    cdef acc *t = a + pitch + FLAT_MARGIN
    cdef Py_ssize_t at = <const char *>m - job.x.data
    cdef acc *masks = <acc *>work.source + 2 * (pitch + FLAT_MARGIN)
    cdef acc none = made_of_none(job, r, y)
    cdef int result
    if (job.flat == 0 or sy != width or job.x.stride[1] != width * size
            or work.planes > 1 and (py != plane or job.x.group != plane * size)):
        return False
    if reducer is Sum and (acc is float or acc is double):
        none = -none
    # (The rows before and after it may be read, if they lie in the array.)
    if at - width * size < job.lowest or at + (n + width) * size > job.highest:
        memcpy(a, m, n * size)
        m = a
    result = cypool_planes(n, width, r, job.turned, y, m, t, masks, pitch, none, identity(r, y),
                           masks + 4 * pitch if job.clips else NULL, work.by)
    found[0] = result > 0
    return result >= 0


# Windows of slabs, one slab after the other. (Of extremes only, as additions would come in another
# order, more than one may lie under them.)
cdef bint fold_slabs(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, acc *y, Py_ssize_t py, Py_ssize_t sy,
        const acc *m, Py_ssize_t pm, Py_ssize_t sm, Py_ssize_t first, reducer *r) noexcept nogil:
    cdef Py_ssize_t i, p, rows = h1 - h0, n = (work.o1 - work.o0) * work.nc
    cdef Py_ssize_t next = work.job.axis[0].step * work.job.x.stride[0] // <Py_ssize_t>sizeof(acc)
    cdef acc *more = <acc *>work.temporary
    cdef bint found = fold_squares(work, h0, h1, y, py, sy, m, pm, sm, first, r)
    if reducer is not Sum:
        for i in range(1, work.dn):
            found |= fold_squares(
                work, h0, h1, more, rows * n, n, m + i * next, pm, sm, first, r)
            for p in range(work.planes):
                cypool_add(rows, n, r, y + p * py, sy, more + p * rows * n, n)
    return found


# Output rows whose windows have two or three taps a side, straight from the source, whose rows lie
# at m from column work.i0 and row `first` on. Whether a NaN was met that may be lost.
cdef bint fold_squares(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, acc *y, Py_ssize_t py, Py_ssize_t sy,
        const acc *m, Py_ssize_t pm, Py_ssize_t sm, Py_ssize_t first, reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef Py_ssize_t begin = min(max(a.begin, h0), h1), end = min(max(a.end, begin), h1)
    cdef Py_ssize_t h = h0, start, count, rows, p, n = (work.o1 - work.o0) * work.nc, size
    cdef bint found = False, divides = work.job.clips or work.nc > 1
    while h < h1:
        rows = end - h if begin <= h < end else 1
        axis_window(a, h, &start, &count)
        if count == 0:
            for p in range(work.planes):
                row_fill(y + p * py + (h - h0) * sy, n, made_of_none(work.job, r, y))
                if work.index != NULL:
                    size = 4 if work.job.index32 else 8
                    memset(work.index + (y + p * py + (h - h0) * sy - <acc *>work.values) * size,
                           0xff, n * size)
        elif divides:
            divisor_start(&work.divisor, work.job, work.d, h)
            found |= fold_clipped(
                work, work.planes, rows, <int>count, y + (h - h0) * sy, py, sy,
                m + (start - first) * sm, pm, sm, r)
        else:
            found |= fold_square_rows(
                work, work.planes, rows, h1 - h - rows, <int>count, y + (h - h0) * sy, py, sy,
                m + (start - first) * sm, pm, sm, r)
        h += rows
    return found


# Rows that all see `count` rows of the source, the first of them from m on. Some `after` them are
# made later.
cdef bint fold_square_rows(
        Work *work, Py_ssize_t planes, Py_ssize_t rows, Py_ssize_t after, int count, acc *y,
        Py_ssize_t py, Py_ssize_t sy, const acc *m, Py_ssize_t pm, Py_ssize_t sm,
        reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t n = work.o1 - work.o0, done = 0, some, p
    # Blocks of a vector, of half of one or of a quarter. Rows that are shorter are made by one that
    # goes beyond them, into the rows that are made next.
    cdef int least = 16 // lane_size(r, y), beyond = CYPOOL_VECTOR // lane_size(r, y), lanes
    cdef bint found = False, fits
    lanes = beyond
    # (Of three taps a distance of one apart all are in one vector, where it has them.)
    if n + 2 > beyond or w.kernel == 2 or w.stride == 2 or work.index != NULL:
        some = n
    else:
        some = n + 2
    while beyond > least and beyond // 2 >= some:
        beyond //= 2
    while lanes > least and lanes > n:
        lanes //= 2
    # Rows that a block may go into. (Of a vector that holds all columns half is stored if it does.)
    cdef Py_ssize_t over = beyond // 2 if some > n and 2 * n <= beyond else beyond
    over = (over - 1) // n
    cdef Py_ssize_t span = (max(n, beyond) - 1) * w.stride + w.kernel
    if max(w.begin - work.o0, work.o1 - w.end) > least:
        # More padding than blocks are made for.
        return fold_clipped(work, planes, rows, count, y, py, sy, m, pm, sm, r)
    if planes > 1:
        if (readable_rows(work, rows, span, count, m, sm) < rows
                or readable_rows(work, rows, span, count, m + (planes - 1) * pm, sm) < rows):
            for p in range(planes):
                work.index_plane = p
                found |= fold_square_rows(
                    work, 1, rows, after, count, y + p * py, py, sy, m + p * pm, pm, sm, r)
            work.index_plane = 0
            return found
        if n < beyond and over <= rows == a.outputs and sy == n and py == rows * n:
            # Planes that follow each other: the last rows of each may go into the next one.
            found = fold_windows(
                work, planes - 1, rows, n, beyond, r, y, py, sy, m - work.left, pm, sm, count,
                work.left, work.left + work.nw)
            work.index_plane = planes - 1
            found |= fold_square_rows(
                work, 1, rows, 0, count, y + (planes - 1) * py, py, sy, m + (planes - 1) * pm, pm,
                sm, r)
            work.index_plane = 0
            return found
    while done < rows:
        some = rows - done
        fits = beyond <= n
        if not fits:
            fits = sy == n and some + after > over
            if fits:
                some = min(some, some + after - over)
            else:
                beyond = lanes
                span = (max(n, beyond) - 1) * w.stride + w.kernel
                fits = lanes <= n
        if fits:
            # As many rows as can be read with all that lies beside them.
            if planes == 1:
                some = readable_rows(work, some, span, count, m + done * sm * a.stride, sm)
            if some > 0:
                found |= fold_windows(work, planes, some, n, beyond, r, y + done * sy, py, sy,
                                      m + (done * sm * a.stride - work.left), pm, sm, count,
                                      work.left, work.left + work.nw)
                done += some
                continue
        found |= fold_clipped(work, planes, 1, count, y + done * sy, py, sy,
                              m + done * sm * a.stride, pm, sm, r)
        done += 1
    return found


# How many rows of windows from m on may be read with all that a block reads beside them, `span`
# columns from the padding on, and as far on as their windows reach: what lies between an array's
# first element and its last one may be.
cdef Py_ssize_t readable_rows(
        Work *work, Py_ssize_t rows, Py_ssize_t span, Py_ssize_t count, const acc *m,
        Py_ssize_t sm) noexcept nogil:
    cdef const Job *job = work.job
    cdef Py_ssize_t size = sizeof(acc), reach = (count - 1) * sm * job.axis[1].step * size
    cdef Py_ssize_t step = sm * job.axis[1].stride * size
    cdef Py_ssize_t at = <const char *>m - job.x.data - work.left * size
    cdef Py_ssize_t before = at + min(reach, 0) - job.lowest
    cdef Py_ssize_t after = job.highest - (at + max(reach, 0) + span * size)
    if before < 0 or after < 0:
        return 0
    if step > 0:
        return min(rows, after // step + 1)
    if step < 0:
        return min(rows, before // -step + 1)
    return rows


# Whole windows by blocks; those that the border clips one by one.
cdef bint fold_clipped(
        Work *work, Py_ssize_t planes, Py_ssize_t rows, int count, acc *y, Py_ssize_t py,
        Py_ssize_t sy, const acc *m, Py_ssize_t pm, Py_ssize_t sm, reducer *r) noexcept nogil:
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t qa = min(max(w.begin, work.o0), work.o1), qb = min(max(w.end, qa), work.o1)
    cdef Py_ssize_t o = work.o0, nc = work.nc, first, done
    cdef int lanes = CYPOOL_VECTOR // lane_size(r, y), least = 16 // lane_size(r, y)
    cdef bint found = False
    while lanes > least and qb - qa < lanes:
        lanes //= 2
    while o < work.o1:
        if work.job.clips or nc > 1 and work.job.divides:
            work.by = <double>divisor_of(&work.divisor, o)
        done = 0
        if o == qa and qb > qa and nc > 1:
            first = (o * w.stride - w.lo - work.i0) * nc
            done = fold_few_values(
                work, planes, rows, qb - qa, count, y + (o - work.o0) * nc, py, sy, m + first, pm,
                sm, &found, r)
        elif o == qa and qb - qa >= lanes:
            done = qb - qa
            found |= fold_windows(
                work, planes, rows, done, lanes, r, y + (o - work.o0), py, sy,
                m + (o * w.stride - w.lo - work.i0), pm, sm, count, 0, done * w.stride + w.kernel)
        if done == 0:
            found |= fold_column(work, planes, rows, o, count, y, py, sy, m, pm, sm, r)
            done = 1
        o += done
    return found


# A column of such windows.
cdef bint fold_column(
        Work *work, Py_ssize_t planes, Py_ssize_t rows, Py_ssize_t o, int count, acc *y,
        Py_ssize_t py, Py_ssize_t sy, const acc *m, Py_ssize_t pm, Py_ssize_t sm,
        reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t nc = work.nc, at = (o - work.o0) * nc, start, taps, p, c
    cdef bint found = False
    axis_window(w, o, &start, &taps)
    start = (start - work.i0) * nc
    for p in range(planes):
        if taps == 0:
            rows_fill(rows, nc, y + p * py + at, sy, made_of_none(work.job, r, y))
        else:
            for c in range(nc):
                found |= cypool_clipped(
                    rows, r, work.job.turned, y + p * py + at + c, sy, m + p * pm + start + c,
                    sm * a.stride, sm * a.step, w.step * nc, count, <int>taps, <int>w.kernel,
                    work.by)
        if work.index != NULL:
            locate_column(work, rows, count, taps, y + p * py + at, sy, m + p * pm + start, sm,
                          work.index_plane + p)
    return found


# Whole windows of pixels of a few values, n in each row: how many of these were made.
cdef Py_ssize_t fold_few_values(
        Work *work, Py_ssize_t planes, Py_ssize_t rows, Py_ssize_t n, int count, acc *y,
        Py_ssize_t py, Py_ssize_t sy, const acc *m, Py_ssize_t pm, Py_ssize_t sm, bint *found,
        reducer *r) noexcept nogil:
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t nc = work.nc, step = sm * work.job.axis[1].step, p, h
    cdef Py_ssize_t advance = sm * work.job.axis[1].stride
    if w.stride == 1:
        if n * nc * lane_size(r, y) < 16:
            return 0
        for p in range(planes):
            if cypool_flats(rows, n * nc, r, work.job.turned, y + p * py, sy, m + p * pm, advance,
                            step, w.step * nc, count, work.by):
                found[0] = True
        return n
    if nc == 3:
        # (The last one's vectors would go beyond it.)
        n -= 1
    if n <= 0:
        return 0
    for p in range(planes):
        for h in range(rows):
            if cypool_quads(n, r, work.job.turned, y + p * py + h * sy, m + p * pm + h * advance,
                            step, nc, count, <int>w.kernel, work.by):
                found[0] = True
    return n


# The indices of a column of such windows.
cdef void locate_column(
        Work *work, Py_ssize_t rows, Py_ssize_t count, Py_ssize_t taps, const acc *y,
        Py_ssize_t sy, const acc *m, Py_ssize_t sm, Py_ssize_t plane) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef Py_ssize_t h, t, j, to = y - <const acc *>work.values
    cdef int64_t at, first = m - <const acc *>(work.plane + plane * work.job.x.group)
    for h in range(rows):
        at = -1
        # (From the last tap to the first, which wins.)
        for t in range(count - 1, -1, -1):
            for j in range(taps - 1, -1, -1):
                if m[(h * a.stride + t * a.step) * sm + j] == y[h * sy]:
                    at = first + (h * a.stride + t * a.step) * sm + j
        if work.job.index32:
            (<int32_t *>work.index)[to + h * sy] = <int32_t>at
        else:
            (<int64_t *>work.index)[to + h * sy] = at


cdef bint fold_windows(
        Work *work, Py_ssize_t planes, Py_ssize_t rows, Py_ssize_t n, int lanes, reducer *r, acc *y,
        Py_ssize_t py, Py_ssize_t sy, const acc *m, Py_ssize_t pm, Py_ssize_t sm, int count,
        Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t step = sm * work.job.axis[1].step, advance = sm * work.job.axis[1].stride
    cdef acc nothing = identity(r, y)
    cdef Firsts firsts
    if work.index != NULL:
        firsts.planes = planes
        firsts.rows = rows
        firsts.n = n
        firsts.py = py
        firsts.sy = sy
        firsts.pa = pm
        firsts.sa = advance
        firsts.step = step
        firsts.at = m - <const acc *>(work.plane + work.index_plane * work.job.x.group)
        firsts.from_ = begin
        firsts.to = end
        firsts.index = work.index + (y - <acc *>work.values) * (4 if work.job.index32 else 8)
        firsts.taps = count
        firsts.index32 = work.job.index32
        firsts.far = work.job.away
        return cypool_firsts(
            &firsts, <int>w.kernel, <int>w.stride, lanes, y, m, nothing)
    if w.kernel == 2:
        return cypool_windows22(planes, rows, n, lanes, r, work.job.turned, y, py, sy, m, pm,
                                advance, step, count, begin, end, nothing, work.by,
                                work.job.away)
    if w.stride == 2:
        return cypool_windows32(planes, rows, n, lanes, r, work.job.turned, y, py, sy, m, pm,
                                advance, step, count, begin, end, nothing, work.by,
                                work.job.away)
    return cypool_windows31(planes, rows, n, lanes, r, work.job.turned, y, py, sy, m, pm, advance,
                            step, count, begin, end, nothing, work.by, work.job.away)


# Means of 2x2 integers of 8 or 16 bits.
cdef void fold_means(Work *work, Py_ssize_t h0, Py_ssize_t h1, char *y) noexcept nogil:
    cdef const Job *job = work.job
    cdef const Axis *a = &job.axis[1]
    cdef Py_ssize_t p, h, step = a.step * job.x.stride[1]
    cdef const char *m = work.plane + (
        work.d0 * job.x.stride[0] - a.lo * job.x.stride[1] + work.i0 * job.x.stride[2])
    for p in range(work.planes):
        for h in range(h0, h1):
            cypool_means(
                work.o1 - work.o0, work.nc, <int>job.size, job.is_signed,
                y + p * job.y.group + (h - h0) * job.y.stride[1],
                m + p * job.x.group + h * a.stride * job.x.stride[1],
                m + p * job.x.group + h * a.stride * job.x.stride[1] + step, work.rows)


# Such windows where each pixel is a vector of inner elements; row by row those of slabs.
cdef bint fold_pixels(
        Work *work, Py_ssize_t h0, Py_ssize_t h1, acc *y, Py_ssize_t py, Py_ssize_t sy,
        const acc *m, Py_ssize_t pm, Py_ssize_t sm, Py_ssize_t first, reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef Py_ssize_t p, h, i, start, count, n = (work.o1 - work.o0) * work.nc
    cdef Py_ssize_t next = work.job.axis[0].step * work.job.x.stride[0] // <Py_ssize_t>sizeof(acc)
    cdef bint found = False
    cdef const acc *row
    cdef acc *to
    cdef acc *more = <acc *>work.temporary + 3 * work.job.tile_c
    for p in range(work.planes):
        for h in range(h0, h1):
            axis_window(a, h, &start, &count)
            row = m + p * pm + (start - first) * sm
            to = y + p * py + (h - h0) * sy
            found |= fold_pixel_row(work, h, count, to, row, sm, r)
            if reducer is not Sum:
                for i in range(1, work.dn):
                    found |= fold_pixel_row(work, h, count, more, row + i * next, sm, r)
                    cypool_add(1, n, r, to, n, more, n)
    return found


# A row of them, that has `count` rows of the source.
cdef bint fold_pixel_row(
        Work *work, Py_ssize_t h, Py_ssize_t count, acc *y, const acc *row, Py_ssize_t sm,
        reducer *r) noexcept nogil:
    cdef const Axis *a = &work.job.axis[1]
    cdef const Axis *w = &work.job.axis[2]
    cdef Py_ssize_t qa = min(max(w.begin, work.o0), work.o1), qb = min(max(w.end, qa), work.o1)
    cdef Py_ssize_t o = work.o0, nc = work.nc
    cdef int k = <int>w.kernel
    cdef bint found = False, slides = k == 3 and w.stride == 1 and w.step == 1
    cdef double by = work.by
    cdef Divisor divisor
    divisor_start(&divisor, work.job, work.d, h)
    while o < work.o1:
        if work.job.divides:
            by = <double>divisor_of(&divisor, o)
        if o == qa and qb > qa and (count == k or slides and count == 2):
            found |= cypool_pixels(
                qb - qa, nc, r, work.job.turned, y + (o - work.o0) * nc,
                row + (o * w.stride - w.lo - work.i0) * nc, w.stride * nc, sm * a.step,
                w.step * nc, <int>count, k, <acc *>work.temporary, by)
            o = qb
            continue
        found |= fold_pixel(work, o, count, y + (o - work.o0) * nc, row, sm * a.step, by, r)
        o += 1
    return found


# Window o of a row of them, of which `count` rows are left. What is missing is another of its taps,
# or for sums a zero.
cdef bint fold_pixel(
        Work *work, Py_ssize_t o, Py_ssize_t count, acc *y, const acc *row, Py_ssize_t step,
        double by, reducer *r) noexcept nogil:
    cdef const Axis *w = &work.job.axis[2]
    cdef const void *taps[9]
    cdef Py_ssize_t start, columns, t, j, nc = work.nc
    axis_window(w, o, &start, &columns)
    if count == 0 or columns == 0:
        row_fill(y, nc, made_of_none(work.job, r, y))
        return False
    for t in range(w.kernel):
        for j in range(w.kernel):
            if reducer is Sum and (t >= count or j >= columns):
                taps[t * w.kernel + j] = cypool_zeros
                continue
            taps[t * w.kernel + j] = row + min(t, count - 1) * step + (
                start - work.i0 + min(j, columns - 1) * w.step) * nc
    return cypool_pixel(<int>w.kernel, nc, r, work.job.turned, y, taps, by)

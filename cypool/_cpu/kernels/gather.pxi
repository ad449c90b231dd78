# The gradient of a selection whose windows lie close together, each index under its own window:
# every element adds up the gradients of the few windows that see it and were taken from it. Windows
# come in the order of outputs, as in a scatter, so that the bits are the same; but each element is
# written once, and in vectors. A unit is a band of a plane, as there.

cdef extern from "cypool_gather.h":
    ctypedef struct Seen "cypool_seen":
        Py_ssize_t planes, rows, n, from_plane, from_row, to_plane, to_row
        int64_t at, step, below, column, across, width, slab, row
        int kd, kh, kw, d_from, d_to, h_from, h_to
    ctypedef struct Seers "cypool_seers":
        Py_ssize_t planes, rows, n, plane, row, from_plane, from_row
        Py_ssize_t offset[16]       # (CYPOOL_GATHERED)
        int64_t at, across, below
        int count, stride, taps, odd, odd_taps
    # Macros that choose a function by the type of gradients.
    bint cypool_bring(const Seen *, ...) noexcept nogil
    bint cypool_strays(const Seen *, ...) noexcept nogil
    void cypool_gather(const Seers *, ...) noexcept nogil


# What the windows that lead to a band were taken from, and their gradients: where they lie, or in
# lines of scratch. Such a line is a row of outputs with a margin on both sides, where there is no
# window; in place there are other rows, whose windows are too far away to be asked for an element
# that is not theirs.
cdef struct Lines:
    const Job *job
    const Band *band
    bint in_place
    char *taken                 # at the first output of the first line
    char *gradients             # likewise
    char *raw                   # indices of one line, of up to 8 bytes each
    Py_ssize_t plane, slab, row, column     # distances, in elements


# The taps of output o of an axis that are not padding: first <= t < last.
cdef inline void real_taps(const Axis *a, Py_ssize_t o, int *first, int *last) noexcept nogil:
    cdef Py_ssize_t start, count
    axis_window(a, o, &start, &count)
    first[0] = <int>(start - (o * a.stride - a.lo)) if count > 0 else 0
    last[0] = first[0] + <int>count


# Where a unit's windows lie, if they are read there.
cdef void find_lines(Lines *lines, Py_ssize_t size) noexcept nogil:
    cdef const Job *job = lines.job
    cdef const Band *band = lines.band
    cdef Py_ssize_t margin = (job.margin + 16) * size, first, last
    lines.in_place = False
    if not job.direct:
        return
    first = outer_offset(job, &job.x, band.plane) + (
        band.begin[0] * job.x.stride[0] + band.begin[1] * job.x.stride[1]
        + band.begin[2] * job.x.stride[2] + band.c0 * job.x.inner)
    # (The end of the last row, as far as the band's windows go.)
    last = first + (band.planes - 1) * job.x.group + (
        (band.end[0] - band.begin[0] - 1) * job.x.stride[0]
        + (band.end[1] - band.begin[1] - 1) * job.x.stride[1]
        + (band.end[2] - band.begin[2]) * job.x.stride[2])
    if job.inner == 1 and (first - margin < job.lowest or last + margin > job.highest):
        return
    lines.in_place = True
    lines.taken = job.index.data + first
    lines.gradients = job.x.data + first
    lines.plane = job.x.group // size
    lines.slab = job.x.stride[0] // size
    lines.row = job.x.stride[1] // size
    lines.column = job.x.stride[2] // size


# Brings what is not read in place, and looks at all indices: whether one lies outside its own
# window.
cdef bint make_lines(Lines *lines, element *_, real *unused) noexcept nogil:
    cdef const Job *job = lines.job
    cdef const Band *band = lines.band
    cdef const Axis *a = &job.axis[1]
    cdef Py_ssize_t d, h, p, rows, h0 = band.begin[1], h1 = band.end[1], at, size = sizeof(real)
    cdef Py_ssize_t begin = min(max(a.begin, h0), h1), end = min(max(a.end, begin), h1)
    cdef Py_ssize_t wide = 4 if job.index32 else 8
    cdef const char *x = job.x.data + outer_offset(job, &job.x, band.plane) + (
        band.c0 * job.x.inner + band.begin[2] * job.x.stride[2])
    cdef const char *index = job.index.data + outer_offset(job, &job.index, band.plane) + (
        band.c0 * job.index.inner + band.begin[2] * job.index.stride[2])
    cdef Run run, taken
    cdef bint astray = False
    if band.begin[2] >= band.end[2]:
        return False
    run.nw = band.end[2] - band.begin[2]
    run.nc = band.c1 - band.c0
    run.sh = job.x.stride[1]
    run.sw = job.x.stride[2]
    run.sc = job.x.inner
    run.pitch = lines.row
    taken = run
    taken.sh = job.index.stride[1]
    taken.sw = job.index.stride[2]
    taken.sc = job.index.inner
    cdef bint at_once = has_lines(&taken, wide) and job.index.stride[1] % wide == 0
    for d in range(band.begin[0], band.end[0]):
        h = h0
        while h < h1:
            # Rows that no border clips at once.
            rows = end - h if begin <= h < end and at_once else 1
            run.nh = taken.nh = rows
            run.data = <char *>x + d * job.x.stride[0] + h * job.x.stride[1]
            taken.data = <char *>index + d * job.index.stride[0] + h * job.index.stride[1]
            if not at_once:
                copy_taken(&taken, lines.raw, wide)
                taken.data = lines.raw
            if lines.in_place:
                astray |= bring_indices(lines, d, h, &taken, <real *>lines.raw)
                h += rows
                continue
            at = (d - band.begin[0]) * lines.slab + (h - h0) * lines.row
            for p in range(band.planes):
                load_widened(job, &run, <real *>lines.gradients + at + p * lines.plane,
                             <const element *>run.data)
                run.data += job.x.group
            astray |= bring_indices(lines, d, h, &taken, <real *>lines.taken + at)
            h += rows
    return astray


# The indices of a row of outputs, one after the other.
cdef void copy_taken(const Run *run, char *raw, Py_ssize_t wide) noexcept nogil:
    cdef Py_ssize_t o, c
    for o in range(run.nw):
        for c in range(run.nc):
            memcpy(raw + (o * run.nc + c) * wide, run.data + o * run.sw + c * run.sc, wide)


# Indices of rows of outputs, the first of them h. Those that are looked at only all go to one line.
cdef bint bring_indices(
        const Lines *lines, Py_ssize_t d, Py_ssize_t h, const Run *taken,
        real *to) noexcept nogil:
    cdef const Job *job = lines.job
    cdef const Axis *w = &job.axis[2]
    cdef Py_ssize_t wide = 4 if job.index32 else 8, row
    cdef Seen seen
    cdef bint astray = False
    real_taps(&job.axis[0], d, &seen.d_from, &seen.d_to)
    real_taps(&job.axis[1], h, &seen.h_from, &seen.h_to)
    seen.kd = <int>job.axis[0].kernel
    seen.kh = <int>job.axis[1].kernel
    seen.kw = <int>w.kernel
    seen.width = w.length
    seen.row = w.length
    seen.slab = w.length * job.axis[1].length
    seen.column = lines.band.begin[2] * w.stride - w.lo
    seen.at = ((d * job.axis[0].stride - job.axis[0].lo) * seen.slab
               + (h * job.axis[1].stride - job.axis[1].lo) * seen.row + seen.column)
    seen.planes = lines.band.planes
    seen.from_plane = job.index.group // wide
    seen.to_plane = 0 if lines.in_place else lines.plane
    if job.inner == 1:
        seen.rows = taken.nh
        seen.n = taken.nw
        seen.from_row = taken.sh // wide
        seen.to_row = 0 if lines.in_place else lines.row
        seen.step = w.stride
        seen.below = job.axis[1].stride * seen.row
        seen.across = 0
        if lines.in_place and not cypool_strays(&seen, taken.data, to):
            return False
        return cypool_bring(&seen, to, taken.data, 8 * wide, to)
    # Pixels as rows.
    seen.rows = taken.nw
    seen.n = seen.from_row = taken.nc
    seen.to_row = 0 if lines.in_place else lines.column
    seen.step = 0
    seen.below = seen.across = w.stride
    for row in range(taken.nh):
        if not lines.in_place or cypool_strays(&seen, taken.data + row * taken.sh, to):
            astray |= cypool_bring(
                &seen, to + row * (0 if lines.in_place else lines.row),
                taken.data + row * taken.sh, 8 * wide, to)
        seen.at += job.axis[1].stride * seen.row
    return astray


# Rows of elements h, h + period, ... (`rows` of them), sy elements apart from y on.
cdef void gather_rows(
        const Lines *lines, Py_ssize_t d, Py_ssize_t h, Py_ssize_t rows, real *y,
        Py_ssize_t sy) noexcept nogil:
    cdef const Job *job = lines.job
    cdef const Band *band = lines.band
    cdef const Axis *w = &job.axis[2]
    cdef Py_ssize_t q, ds, dn, hs, hn, i, j
    cdef int tap
    cdef Seers seers
    # The rows of windows that see the first.
    axis_window(&job.divisor[0], d, &ds, &dn)
    axis_window(&job.divisor[1], h, &hs, &hn)
    seers.count = 0
    for i in range(ds, ds + dn):
        for j in range(hs, hs + hn):
            seers.offset[seers.count] = (
                (i - band.begin[0]) * lines.slab + (j - band.begin[1]) * lines.row)
            seers.count += 1
    seers.at = (d * job.axis[1].length + h) * w.length + band.column
    if job.inner > 1:
        gather_pixels(lines, rows, y, sy, &seers)
        return
    seers.planes = band.planes
    seers.plane = job.y.group // <Py_ssize_t>sizeof(real)
    seers.from_plane = lines.plane
    seers.rows = rows
    seers.row = sy
    seers.from_row = job.divisor[1].advance * lines.row
    seers.across = 1
    seers.below = job.divisor[1].period * w.length
    seers.n = band.columns
    # The last window that begins at the first element or before it, and by which tap it sees it.
    q = (band.column + w.lo) // w.stride
    tap = <int>(band.column + w.lo - q * w.stride)
    seers.taps = <int>((w.kernel - tap - 1) // w.stride + 1)
    seers.odd = seers.odd_taps = 0
    seers.stride = <int>w.stride
    if w.stride == 2:
        seers.odd = tap
        seers.odd_taps = <int>((w.kernel + tap) // 2)
    q -= band.begin[2]
    cypool_gather(&seers, y, <real *>lines.taken + q, <real *>lines.gradients + q)


# The same for pixels, whose columns are seen by windows of their own.
cdef void gather_pixels(
        const Lines *lines, Py_ssize_t rows, real *y, Py_ssize_t sy,
        const Seers *of_row) noexcept nogil:
    cdef const Job *job = lines.job
    cdef const Axis *t = &job.divisor[2]
    cdef const Axis *w = &job.axis[2]
    cdef Py_ssize_t nc = lines.band.c1 - lines.band.c0, j0 = lines.band.column
    cdef Py_ssize_t j1 = j0 + lines.band.columns, advance = job.divisor[1].advance * lines.row
    cdef Py_ssize_t begin = min(max(t.begin, j0), j1), end = min(max(t.end, begin), j1)
    cdef Py_ssize_t j = j0, start, taps, i, phase, row
    cdef bint inside
    cdef int r
    cdef Seers seers
    seers.planes = 1
    seers.plane = seers.from_plane = 0
    seers.n = nc
    seers.row = t.period * nc
    seers.from_row = t.advance * lines.column
    seers.across = 0
    seers.below = t.period
    seers.odd = seers.odd_taps = 0
    seers.taps = seers.stride = 1
    while j < j1:
        # Columns that no border clips, by what they have in common.
        inside = begin <= j < end
        for phase in range(min(t.period, end - begin) if inside else 1):
            axis_window(t, j + phase, &start, &taps)
            seers.count = 0
            for r in range(of_row.count):
                for i in range(start, start + taps):
                    seers.offset[seers.count] = (
                        of_row.offset[r] + (i - lines.band.begin[2]) * lines.column)
                    seers.count += 1
            seers.rows = (end - j - phase - 1) // t.period + 1 if inside else 1
            for row in range(rows):
                seers.at = of_row.at + (
                    row * job.divisor[1].period * w.length + j + phase - j0)
                cypool_gather(
                    &seers, y + row * sy + (j + phase - j0) * nc,
                    <real *>lines.taken + row * advance, <real *>lines.gradients + row * advance)
        j = end if inside else j + 1


cdef int gather_units(
        const Job *job, Py_ssize_t first, Py_ssize_t last, real *scratch,
        element *_) noexcept nogil:
    cdef Band band
    cdef Lines lines
    cdef Run run
    cdef const Axis *t = &job.divisor[1]
    cdef Py_ssize_t unit, d, h, phase, rows, begin, end, h0, h1, size = sizeof(real)
    cdef Py_ssize_t sy = job.y.stride[1] // size
    cdef char *data
    cdef bint in_place, inside
    cdef int astray = 0
    lines.job = job
    lines.band = &band
    lines.raw = <char *>(scratch + job.line)
    for unit in range(first, last):
        find_band(job, unit, &band)
        if job.group > 1:
            # (Of which all is one band.)
            band.plane *= job.group
            band.planes = min(job.group, job.planes - band.plane)
        find_lines(&lines, size)
        if not lines.in_place:
            lines.plane = job.source_rows * job.pitch
            lines.taken = <char *>(scratch + 3 * job.line + job.margin)
            lines.gradients = lines.taken + job.group * lines.plane * size
            lines.slab = (band.end[1] - band.begin[1]) * job.pitch
            lines.row = job.pitch
            lines.column = band.c1 - band.c0
            if job.inner == 1:
                # Beside the windows of a row there is none.
                memset(lines.taken - job.margin * size, 0xff, job.group * lines.plane * size)
        if make_lines(&lines, _, scratch):
            astray = 1
        data = job.y.data + outer_offset(job, &job.y, band.plane) + (
            band.c0 * job.y.inner + band.column * job.y.stride[2])
        run.nh = 1
        run.nw = band.columns
        run.nc = band.c1 - band.c0
        run.sw = job.y.stride[2]
        run.sc = job.y.inner
        in_place = False
        if element is float and real is float or element is double:
            in_place = has_lines(&run, size) and job.y.stride[1] % size == 0
        h0 = band.first if job.lead == 1 else 0
        h1 = band.last if job.lead == 1 else job.axis[1].length
        begin = min(max(t.begin, h0), h1)
        end = min(max(t.end, begin), h1)
        for d in range(band.first if job.lead == 0 else 0,
                       band.last if job.lead == 0 else job.axis[0].length):
            h = h0
            while h < h1:
                run.data = data + d * job.y.stride[0] + h * job.y.stride[1]
                if not in_place:
                    gather_rows(&lines, d, h, 1, scratch, 0)
                    store_narrowed(job, &run, NULL, scratch, <element *>run.data)
                    h += 1
                    continue
                # Rows that no border clips, by what they have in common.
                inside = begin <= h < end
                for phase in range(min(t.period, end - begin) if inside else 1):
                    rows = (end - h - phase - 1) // t.period + 1 if inside else 1
                    gather_rows(&lines, d, h + phase, rows, <real *>run.data + phase * sy,
                                t.period * sy)
                h = end if inside else h + 1
    return astray

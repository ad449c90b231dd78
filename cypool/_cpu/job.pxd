# What a kernel is told: the pooled axes, the arrays, the pieces of work. Types only; shared by the
# drivers, which fill a Job in, and by the kernels, which are compiled once per instruction set.
#
# Every call is one block: outer axes x up to three pooled axes (d, h, w; missing ones have length
# 1) x one inner axis. Channels-first has N and C outside and an inner axis of length 1;
# channels-last has N outside and C inside. Strides are in bytes, counts in elements.
from libc.stdint cimport int16_t, int32_t, int64_t, uint16_t, uint32_t

cdef enum:
    TABLE_VERSION = 1
    AXES = 3
    MAX_OUTER = 64          # NumPy's own limit on dimensions
    DTYPES = 12
    ACCUMULATORS = 11
    REDUCERS = 3
    FLAT_MARGIN = 128       # elements around a group of such planes, two times a vector at most
    INNER = 8192            # inner elements of a tile, at most (CYPOOL_INNER)
    HALF_NANS = 0x3ff       # NaN of a sign
    BFLOAT_NANS = 0x7f
    LOCATE = 32             # taps up to which an extreme is looked for once its value is known, and
    LOCATE_ROWS = 1024      # up to which row by row (of bytes
    LOCATE_BYTES = 127      # so many), of
    ROW_TAPS = 128          # so many columns at most
    FIRST_TAPS = 128        # taps up to which extremes of pixels are found with their indices
    VECTOR_LEAST = 16       # bytes of the shortest vectors
    BAND_ROWS = 262144      # bytes of what rows make, and of these rows, that are there at a time
    LANES_MOST = 256        # planes that are turned into pixels at a time, at most

cdef enum:                  # the types of elements, in the order of dtypes.py
    DT_I8 = 0
    DT_U8 = 1
    DT_I16 = 2
    DT_U16 = 3
    DT_I32 = 4
    DT_U32 = 5
    DT_I64 = 6
    DT_U64 = 7
    DT_F32 = 8
    DT_F64 = 9
    DT_F16 = 10
    DT_BF16 = 11

cdef enum:                  # how far away a source is
    AT_HAND = 0             # in the caches of one processor
    NEAR = 1                # in the nearer ones of all
    FAR = 2                 # perhaps in the last one
    FARTHEST = 3            # in none

cdef enum:                  # kinds of axes
    SLIDING = 0             # window o starts at o * stride - lo
    TRANSPOSED = 1          # the windows of a sliding axis that saw an input element
    TABLE = 2               # any windows that neither begin nor end before the one before them

cdef enum:                  # reducers
    MAX = 0
    MIN = 1
    SUM = 2

cdef enum:                  # the types in which values are combined
    ACC_I8 = 0
    ACC_U8 = 1
    ACC_I16 = 2
    ACC_U16 = 3
    ACC_I32 = 4
    ACC_U32 = 5
    ACC_I64 = 6
    ACC_U64 = 7
    ACC_F32 = 8
    ACC_F64 = 9
    ACC_I128 = 10

cdef struct Axis:
    int kind
    Py_ssize_t length       # elements that windows look at
    Py_ssize_t outputs      # number of windows
    Py_ssize_t kernel, stride, dilation, lo, hi     # the sliding rule, in forward terms
    Py_ssize_t step         # distance of neighbouring taps within one window
    # Outputs begin <= o < end see a window that nothing clips, and there
    # start(o + period) == start(o) + advance, with as many taps.
    Py_ssize_t period, advance, begin, end
    Py_ssize_t residue, inverse     # TRANSPOSED: gcd(stride, dilation), and see axis.pxd
    # TABLE: first elements and counts; kernel is the largest count, stride the largest advance.
    # Adaptive windows have a table only where it is short, else NULL, and are computed.
    const Py_ssize_t *starts
    const Py_ssize_t *counts

cdef struct Array:
    char *data
    Py_ssize_t stride[AXES]
    Py_ssize_t inner
    Py_ssize_t outer[MAX_OUTER]
    Py_ssize_t group        # from one plane of a group to the next

# Elements to be brought into lines of scratch, or from there: nh rows x nw columns x nc inner
# elements. Lines lie `pitch` elements apart when loading, without gaps when storing.
cdef struct Run:
    char *data
    Py_ssize_t nh, nw, nc, sh, sw, sc       # counts; strides in bytes
    Py_ssize_t pitch
    Py_ssize_t d, h, w              # where the run starts in its plane

# What is known of the magnitudes of a plane's values, or of a piece of it, as bits of float32.
cdef struct Survey:
    int32_t greatest, least     # the least of those that are not 0
    int32_t bound               # 0, or: nothing but how many are below it
    int64_t below

cdef struct Job

# The trailing pointers carry the types a kernel was compiled for; x and y are also the run's data.
ctypedef void (*load_fn)(
    const Job *job, const Run *run, void *line, const void *x) noexcept nogil
# The second run is where indices go, when there are any.
ctypedef void (*store_fn)(
    const Job *job, const Run *run, const Run *index, const void *line, void *y) noexcept nogil
ctypedef void (*reduce_fn)(
    const Job *job, Py_ssize_t first, Py_ssize_t last, char *scratch, void *reducer,
    void *acc) noexcept nogil
ctypedef void (*survey_fn)(
    const Job *job, Py_ssize_t plane, Py_ssize_t h0, Py_ssize_t h1, Survey *survey) noexcept nogil
ctypedef int (*scatter_fn)(
    const Job *job, Py_ssize_t first, Py_ssize_t last, void *scratch, void *y) noexcept nogil

cdef struct Job:
    Axis axis[AXES]
    Axis divisor[AXES]      # forward axes, for an average's divisor
    int outer_ndim
    Py_ssize_t outer_shape[MAX_OUTER]
    Py_ssize_t planes, inner
    Array x, y, index
    Py_ssize_t lowest, highest      # bytes from x.data: its first one, and the end of its last
    Array mask              # bool, in x's shape; data NULL: every element counts
    const Job *counter      # with a mask, averages divide by what this job sums up,
    reduce_fn reduce        # by this
    load_fn load            # NULL: the kernel reads x in place
    store_fn store          # NULL: the kernel writes y in place
    Py_ssize_t index_d, index_h     # what a step along d or h adds to an index
    # An axis (1 or 2) that was joined from others and does not lie in memory as one, or 0: columns
    # of a row and rows of a slab that it was, and their strides.
    int joined
    Py_ssize_t joined_columns, joined_rows
    Py_ssize_t joined_stride[AXES]
    bint flip               # minimum found as the maximum of reversed keys
    bint small_indices      # what a tap adds to them fits into 32 bits
    bint index32            # indices are int32, not int64
    bint divides_columns    # by divisors found once for all columns of a tile, or
    bint divides_planes     # for all outputs of a group
    double power            # of absolute values, the root of whose result is taken; 0: none
    double least            # what values are raised to before that, or NaN
    bint averages           # the mean before the root
    bint include_pad        # an average's divisor counts padding
    int64_t divisor_override    # 0: none
    Py_ssize_t whole_begin[AXES]    # outputs whose divisor counts every tap
    Py_ssize_t whole_end[AXES]
    bint sums
    bint integers           # of these, in 64 bits or less, and
    bint small_sums         # below 2^23
    bint narrow             # sums in a wider type of what is read in place: float32 in float64, or
    bint is_signed          # short integers
    bint converts           # x is not read in place, however it lies
    bint eights             # of float32 in float64: by eights of the first axis with taps
    bint eights_of_columns  # that axis is the columns, in long windows of one row, and
    bint totals             # these are read in place
    bint peaks              # likewise extremes
    bint notes              # extremes: NaN are looked for where rows are read that lie in place
    bint counts             # y is a line of scratch
    bint locates            # values are found first, and where they are afterwards, or
    bint firsts             # both at once, if it can be done, or
    bint first_pixels       # so of any few taps, where pixels are vectors of their own
    bint shares_rows        # (each row once for all windows that see it), or
    bint by_rows            # what rows make of their columns at first,
    Py_ssize_t band         # so many at a time
    Py_ssize_t size         # bytes of an element of x
    # How work is cut: groups of planes; tiles of tile_w outputs x tile_c inner elements; blocks of
    # output rows.
    Py_ssize_t group, tile_w, tile_c, tiles_w, tiles_c, block, blocks, units
    # Scratch rows, in elements: from one to the next; how many a plane has of the source (0: it is
    # read in place) and of rows under windows.
    Py_ssize_t pitch, source_rows, rows_pitch
    bint padded             # source rows have all their padding
    bint doubles            # windows of rows by doubling
    bint streams            # source rows are too many to be in scratch at once
    Py_ssize_t scan_chunk   # windows of rows by scans: rows a chunk; 0: none are
    bint runs               # long windows one apart by running sums: of integers, and of float32
    bint row_grids          # where a plane, or if windows are of one row a row, has a grid:
    const double *grids     # 3 * 2^51 times that, or 0; NULL: found by the way
    int room                # bits of values in units of it, so that sums have 62
    Py_ssize_t wide         # taps taken at a time from windows too wide for a line; 0: none is
    bint squares            # windows of two or three taps a side, in one go
    Py_ssize_t flat         # small planes as one long row: elements of a group, or 0
    bint pixels             # whose pixels are vectors of their own
    bint means              # 2x2 of integers of 8 or 16 bits, likewise
    bint roots              # of sums of squares, which those make as well
    int16_t nans            # of halves as keys: NaN of a sign that there are
    # Squares, keys, or sums of halves (2: bfloat16) or of integers of 8 or 16 bits (3; 4: without
    # a sign) are made on the way.
    int turned
    bint divides            # sums are divided at once, where they are made and go, and
    bint clips              # those that the border clips by other numbers
    bint shares             # gradients of windows that all have one divisor
    bint repeats            # gradients of windows that lie side by side
    bint halves             # windows of columns are pairs of pairs of pairs
    bint long_windows       # of columns, that share little: one by one
    # Elements of each piece of scratch.
    Py_ssize_t source_size, loaded_size, rows_size, temporary, temporaries, line, more_size
    Py_ssize_t stack, scans_size, codes_size, running_size
    # A scatter cuts planes into bands of their leading axis.
    Py_ssize_t bands
    int lead                # the first axis that is not of length 1
    bint tidy               # every index lies under its own window, as far as lead goes
    Py_ssize_t margin       # of a gather's lines
    bint direct             # which are read in place, if it can be done
    size_t scratch          # bytes a thread needs
    int away                # in which caches the source may be, by its bytes

# Elements `step` bytes apart, from `offset` on, of each of some planes, into pixels of `lanes` of
# them, or back.
ctypedef void (*turn_fn)(
    Py_ssize_t planes, Py_ssize_t lanes, Py_ssize_t n, char *const *rows, Py_ssize_t offset,
    Py_ssize_t step, char *pixels) noexcept nogil
# What rows are made of rows: a network of networks.py, or without steps a sum.
cdef struct Network:
    const uint16_t *steps
    Py_ssize_t count
    const uint16_t *outputs     # rows in which what it makes is found
    Py_ssize_t made             # how many
    Py_ssize_t registers
    int compiled                # which of cypool_ranks.h it is, or 0

# An output.
cdef struct Spot:
    Py_ssize_t plane, d, h, w, c

# Makes some outputs from a spot on, across channels or columns, each by itself.
ctypedef void (*again_fn)(
    const void *each, const Spot *spot, Py_ssize_t outputs, bint across,
    char *scratch) noexcept nogil

# How sliding windows are cut into bricks, in which they are side by side.
cdef struct Bricks:
    const Job *job
    double quantile
    double beta
    bint soft                   # means by weights, not logarithms of sums
    bint mean                   # these logarithms are of means
    const void *each            # whose outputs are made by themselves where it must be,
    again_fn again              # by this
    Py_ssize_t period_h, period_w   # rows and columns of windows: tap t + period lies under another
    Py_ssize_t rows, tile_w, tile_c     # windows of so many rows, columns, inner elements at a time
    Py_ssize_t groups           # of rows
    const Network *columns      # of so many taps, and
    const Network *windows      # of as many columns of these as windows have
    # In a thread's scratch, which begins with a brick: a second one, where rows lie, and the rest.
    Py_ssize_t second, names, spare

ctypedef void (*bricks_fn)(
    const Bricks *bricks, Py_ssize_t first, Py_ssize_t last, char *scratch, void *_) noexcept nogil
ctypedef void (*lanes_fn)(
    Py_ssize_t n, Py_ssize_t w, double *v, double first, double second, double *y) noexcept nogil
ctypedef double (*weights_fn)(
    Py_ssize_t n, double *v, double beta, double most, double *weight,
    double *product) noexcept nogil

# Those of some types of values; NULL: not of this module.
cdef struct ReducerTable:
    uint32_t version, size
    reduce_fn reduce[REDUCERS][ACCUMULATORS]
    survey_fn survey

cdef struct KernelTable:
    uint32_t version, size
    const char *name
    reduce_fn reduce[REDUCERS][ACCUMULATORS]
    load_fn widen[DTYPES][ACCUMULATORS]
    load_fn key                                 # halves as ordered int16 keys
    load_fn pack[DTYPES][2]                     # value and index in 64 or 128 bits
    load_fn power[DTYPES]                       # powers of absolute values
    load_fn square                              # of float32
    load_fn spread[DTYPES][ACCUMULATORS]        # gradients over their divisors
    store_fn narrow[DTYPES][ACCUMULATORS]
    store_fn average[DTYPES][ACCUMULATORS]
    store_fn root[DTYPES]
    store_fn unkey
    store_fn unpack[DTYPES][2]
    scatter_fn scatter[DTYPES]                  # in place, where the dtype is wide enough
    scatter_fn scatter_wide[DTYPES]             # by bands in a wider type
    scatter_fn gather[DTYPES]                   # the same from where few windows see an element
    scatter_fn check_index
    turn_fn to_pixels[4]                        # of elements of 1, 2, 4 and 8 bytes
    turn_fn from_pixels[4]
    survey_fn survey
    lanes_fn logsumexp, soft, expect, rank      # of many windows at once, as in cypool_lanes.h
    bricks_fn ranks[DTYPES]                     # of sliding windows: values of one rank,
    bricks_fn weigh[DTYPES]                     # and what sums of exponentials tell
    weights_fn weights                          # exponentials of one window's taps

# Types, and what of C is used on them.
from libc.math cimport INFINITY, NAN, fabs, pow, sqrt
from libc.stdint cimport (
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
    INT8_MAX, INT8_MIN, INT16_MAX, INT16_MIN, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN,
    UINT8_MAX, UINT16_MAX, UINT32_MAX, UINT64_MAX)
from libc.string cimport memcpy, memset

cdef extern from "cypool_isa.h":
    pass

cdef extern from "cypool_elements.h":
    ctypedef long long int128 "cypool_int128"
    float cypool_bits_float(uint32_t) noexcept nogil
    uint32_t cypool_float_bits(float) noexcept nogil
    double cypool_bits_double(uint64_t) noexcept nogil
    uint64_t cypool_double_bits(double) noexcept nogil
    double cypool_cbrt(double) noexcept nogil
    float cypool_from_half(uint16_t) noexcept nogil
    uint16_t cypool_to_half(float) noexcept nogil
    float cypool_from_bfloat(uint16_t) noexcept nogil
    uint16_t cypool_to_bfloat(float) noexcept nogil
    int16_t cypool_key16(uint16_t, uint16_t, int16_t) noexcept nogil
    int16_t cypool_half_key(uint16_t, int16_t, int16_t) noexcept nogil
    uint16_t cypool_key_half(int16_t, int16_t, int16_t) noexcept nogil
    int32_t cypool_key32(uint32_t, uint32_t, int32_t) noexcept nogil
    int64_t cypool_key64(uint64_t, uint64_t, int64_t) noexcept nogil
    uint16_t cypool_unkey16(int16_t, uint16_t, int16_t) noexcept nogil
    uint32_t cypool_unkey32(int32_t, uint32_t, int32_t) noexcept nogil
    uint64_t cypool_unkey64(int64_t, uint64_t, int64_t) noexcept nogil

# float16 and bfloat16 are two distinct integer types to the compiler's eye, told apart by name.
cdef extern from *:
    """
    typedef struct { uint16_t bits; } cypool_half;
    typedef struct { uint16_t bits; } cypool_bfloat;
    """
    ctypedef struct half "cypool_half":
        uint16_t bits
    ctypedef struct bfloat "cypool_bfloat":
        uint16_t bits

ctypedef fused element:
    int8_t
    uint8_t
    int16_t
    uint16_t
    int32_t
    uint32_t
    int64_t
    uint64_t
    half
    bfloat
    float
    double

ctypedef fused integer:
    int8_t
    uint8_t
    int16_t
    uint16_t
    int32_t
    uint32_t
    int64_t
    uint64_t

# What sums are kept in; none of them overflows, wraps or rounds more than its result may.
ctypedef fused total:
    int16_t
    int32_t
    int64_t
    int128
    float
    double

ctypedef fused real:
    float
    double


ctypedef fused integer_total:
    int16_t
    int32_t
    int64_t
    int128

cdef extern from "cypool_halves.h":
    void halves_row_f16(Py_ssize_t, float *, const uint16_t *) noexcept nogil
    void shares_row_f16(Py_ssize_t, uint16_t *, const float *, float) noexcept nogil

cdef extern from "cypool_vectors.h":
    enum:
        CYPOOL_VECTOR       # bytes of a register
        CYPOOL_SHORT        # bytes of a row up to which memory is asked for ahead,
        CYPOOL_AHEAD        # so many bytes, or
        CYPOOL_SOON
    # Tags: a pointer to one chooses the reducer when a kernel is compiled; it is never followed.
    ctypedef struct Max "cypool_max":
        char _
    ctypedef struct Min "cypool_min":
        char _
    ctypedef struct Sum "cypool_sum":
        char _
    ctypedef struct NanMax "cypool_nanmax":
        char _
    ctypedef struct NanMin "cypool_nanmin":
        char _

cdef extern from "cypool_rows.h":
    # Macros that choose a function by the types of what they are given. Many rows of n elements:
    # rows, n, reducer, y, distance between rows of y, source, distance between its rows, and the
    # distances of further sources from the first.
    void cypool_join(Py_ssize_t, ...) noexcept nogil
    void cypool_join3(Py_ssize_t, ...) noexcept nogil
    void cypool_add(Py_ssize_t, ...) noexcept nogil
    void cypool_add2(Py_ssize_t, ...) noexcept nogil
    void cypool_pairs(Py_ssize_t, ...) noexcept nogil
    void cypool_triples(Py_ssize_t, ...) noexcept nogil
    int cypool_has_nan(Py_ssize_t, ...) noexcept nogil
    # Without a reducer: moved only.
    void cypool_copy(Py_ssize_t, ...) noexcept nogil
    void cypool_pick(Py_ssize_t, ...) noexcept nogil
    void cypool_place(Py_ssize_t, ...) noexcept nogil
    void cypool_repeat(Py_ssize_t, ...) noexcept nogil

cdef extern from "cypool_windows.h":
    # Rows of whole windows; whether a NaN was met that may be lost.
    int cypool_windows22(Py_ssize_t, ...) noexcept nogil
    int cypool_windows32(Py_ssize_t, ...) noexcept nogil
    int cypool_windows31(Py_ssize_t, ...) noexcept nogil
    int cypool_clipped(Py_ssize_t, ...) noexcept nogil
    int cypool_pixels(Py_ssize_t, ...) noexcept nogil
    int cypool_pixel(int, ...) noexcept nogil
    int cypool_peaks(Py_ssize_t, ...) noexcept nogil
    const double *cypool_zeros
    void roots_f32(Py_ssize_t, float *, float) noexcept nogil       # of values over the last
    # Roots of squares of float32: 1, one is zero; 2, another may not be right.
    int astray_f32(Py_ssize_t, const float *) noexcept nogil
    int has_tiny_f32(Py_ssize_t, const float *) noexcept nogil      # whose square is zero
    const float CYPOOL_LEAST, CYPOOL_MOST

cdef extern from "cypool_taps.h":
    # Rows of four, of five, and of any number of an extreme, where it tells whether a NaN was met
    # that may be lost.
    void cypool_taps4(Py_ssize_t, ...) noexcept nogil
    void cypool_taps5(Py_ssize_t, ...) noexcept nogil
    int cypool_extreme(Py_ssize_t, ...) noexcept nogil

cdef extern from "cypool_planes.h":
    # Whole planes of such windows; whether a NaN was met that may be lost, or -1: too few elements.
    int cypool_planes(Py_ssize_t, ...) noexcept nogil

cdef extern from "cypool_images.h":
    # Likewise of pixels of a few values.
    int cypool_flats(Py_ssize_t, ...) noexcept nogil
    int cypool_quads(Py_ssize_t, ...) noexcept nogil
    void cypool_means(
        Py_ssize_t, Py_ssize_t, int, int, void *, const void *, const void *, void *) noexcept nogil

cdef extern from "cypool_locate.h":
    void cypool_locate(Py_ssize_t, ...) noexcept nogil
    void cypool_locate_run(Py_ssize_t, ...) noexcept nogil
    ctypedef struct Place "cypool_place":
        int64_t at, next, below
        int32_t first, w, h
        Py_ssize_t sy
        bint index32, more, done
    void cypool_find(Py_ssize_t, ...) noexcept nogil
    bint cypool_find_down(Py_ssize_t, ...) noexcept nogil
    void cypool_best(Py_ssize_t, ...) noexcept nogil
    void cypool_agree(Py_ssize_t, ...) noexcept nogil
    ctypedef struct TapIndex "cypool_tap_index":
        int64_t s
    TapIndex cypool_tap_index_of(
        int64_t w, int64_t h, int64_t d, Py_ssize_t kw, Py_ssize_t kh, int index32) noexcept nogil
    void cypool_indices(Py_ssize_t, ...) noexcept nogil
    void cypool_indices_small(Py_ssize_t, ...) noexcept nogil
    int check32(
        Py_ssize_t, const int32_t *, int64_t, int64_t, int64_t, int64_t) noexcept nogil
    int check64(
        Py_ssize_t, const int64_t *, int64_t, int64_t, int64_t, int64_t) noexcept nogil

cdef extern from "cypool_sums.h":
    void cypool_weave(Py_ssize_t, ...) noexcept nogil
    # float32 summed in float64.
    void cypool_widen(Py_ssize_t, ...) noexcept nogil
    double cypool_total(Py_ssize_t, ...) noexcept nogil
    void totals_f32(
        Py_ssize_t, Py_ssize_t, double *, const float *, Py_ssize_t, Py_ssize_t,
        bint) noexcept nogil
    void halved_f32(Py_ssize_t, Py_ssize_t, double *, const float *, Py_ssize_t) noexcept nogil
    # Narrow integers summed in wider ones.
    void cypool_gain(Py_ssize_t, ...) noexcept nogil
    # The other way: rows over one number, and shares of sums.
    void cypool_divide(Py_ssize_t, ...) noexcept nogil
    void cypool_spread(Py_ssize_t, ...) noexcept nogil

ctypedef fused reducer:
    Max
    Min
    Sum
    NanMax
    NanMin

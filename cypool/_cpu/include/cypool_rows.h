/* Rows: the loops in which the time is spent, for every reducer and type of value.
   In C, because Cython has no `restrict`, without which no compiler turns short blocks into vector
   code. Each row goes in whole vectors; what is left at its end is taken by a last vector that
   overlaps the one before it, or, where y is also read, by ever smaller blocks, so that a row of 7
   or 14 elements is a few instructions as well. Every function stays one of its own (noinline): the
   tests look through the disassembly of each for vector code. */
#ifndef CYPOOL_ROWS_H
#define CYPOOL_ROWS_H
#include <stddef.h>
#include <stdint.h>
#include "cypool_elements.h"

#if defined(CYPOOL_VECTOR)
#elif defined(__AVX512F__)
#include <immintrin.h>
#define CYPOOL_VECTOR 64
#elif defined(__AVX__)
#define CYPOOL_VECTOR 32
#else
#define CYPOOL_VECTOR 16
#endif

/* Tags that choose a reducer at compile time: pointers to them are never followed. The nan forms
   keep a NaN that the plain ones may lose. */
typedef struct { char _; } cypool_max;
typedef struct { char _; } cypool_min;
typedef struct { char _; } cypool_sum;
typedef struct { char _; } cypool_nanmax;
typedef struct { char _; } cypool_nanmin;

#define CYPOOL_OP_max(a, b) ((a) > (b) ? (a) : (b))
#define CYPOOL_OP_min(a, b) ((a) < (b) ? (a) : (b))
#define CYPOOL_OP_sum(a, b) ((a) + (b))
#define CYPOOL_OP_square(a, b) ((a) + (b))
#define CYPOOL_OP_nanmax(a, b) (((b) > (a)) | ((b) != (b)) ? (b) : (a))
#define CYPOOL_OP_nanmin(a, b) (((b) < (a)) | ((b) != (b)) ? (b) : (a))

#define CYPOOL_UNROLLED _Pragma("GCC unroll 16")
#define CYPOOL_BLOCK static inline __attribute__((always_inline, unused)) void
#define CYPOOL_ROW static __attribute__((noinline, unused)) void

/* CALL does elements i_ to i_ + B_ of a row of n; B_ is a constant. */
#define CYPOOL_CUT(SIZE, n, CALL)                                                                \
    if ((SIZE) > 1 && (n) >= (SIZE)) {                                                           \
        enum { B_ = (SIZE) > 1 ? (SIZE) : 1 };                                                   \
        ptrdiff_t i_ = 0;                                                                        \
        for (; i_ + B_ <= (n); i_ += B_) { CALL; }                                               \
        if (i_ < (n)) { i_ = (n) - B_; CALL; }                                                   \
        return;                                                                                  \
    }
#define CYPOOL_OUT_OF_PLACE(T, n, CALL)                                                          \
    enum { most_ = CYPOOL_VECTOR / sizeof(T) };                                                  \
    CYPOOL_CUT(most_, n, CALL)                                                                   \
    CYPOOL_CUT(most_ / 2, n, CALL)                                                               \
    CYPOOL_CUT(most_ / 4, n, CALL)                                                               \
    { enum { B_ = 1 }; for (ptrdiff_t i_ = 0; i_ < (n); i_++) { CALL; } }

#define CYPOOL_STEP(SIZE, n, CALL)                                                               \
    if ((SIZE) > 1 && i_ + (SIZE) <= (n)) {                                                      \
        enum { B_ = (SIZE) > 1 ? (SIZE) : 1 }; CALL; i_ += B_;                                   \
    }
#define CYPOOL_IN_PLACE(T, n, CALL)                                                              \
    enum { most_ = CYPOOL_VECTOR / sizeof(T) };                                                  \
    ptrdiff_t i_ = 0;                                                                            \
    { enum { B_ = most_ }; for (; i_ + B_ <= (n); i_ += B_) { CALL; } }                          \
    CYPOOL_STEP(most_ / 2, n, CALL)                                                              \
    CYPOOL_STEP(most_ / 4, n, CALL)                                                              \
    { enum { B_ = 1 }; for (; i_ < (n); i_++) { CALL; } }

/* From one row to the next, but not beyond the last: distances between rows that there are not may be
   any number. */
#define CYPOOL_ADVANCE(...) (--rows > 0 ? (void)(__VA_ARGS__) : (void)0)

/* Many rows of n elements: rows of y lie sy elements apart, those of the sources sa. Where nothing
   lies between rows, they are one. */
#define CYPOOL_EACH_ROW(ROW_CALL)                                                                \
    if (sy == n && sa == gathered * n) { n *= rows; rows = 1; }                                  \
    for (; rows > 0; CYPOOL_ADVANCE(y += sy, a += sa)) { ROW_CALL; }

/* Elements 2, 4, ... 2n of a: what the third tap of windows at a distance of two sees. Compilers do
   not read every other element of a short block by whole vectors, as one element too many is read;
   taken from element 1 on, as the odd ones, there is none. */
#define CYPOOL_LANES2(F) F(0), F(1)
#define CYPOOL_LANES4(F) CYPOOL_LANES2(F), F(2), F(3)
#define CYPOOL_LANES8(F) CYPOOL_LANES4(F), F(4), F(5), F(6), F(7)
#define CYPOOL_LANES16(F) CYPOOL_LANES8(F), F(8), F(9), F(10), F(11), F(12), F(13), F(14), F(15)
#define CYPOOL_LANES32(F) CYPOOL_LANES16(F), F(16), F(17), F(18), F(19), F(20), F(21), F(22),    \
    F(23), F(24), F(25), F(26), F(27), F(28), F(29), F(30), F(31)
#define CYPOOL_LANES64(F) CYPOOL_LANES32(F), F(32), F(33), F(34), F(35), F(36), F(37), F(38),    \
    F(39), F(40), F(41), F(42), F(43), F(44), F(45), F(46), F(47), F(48), F(49), F(50), F(51),   \
    F(52), F(53), F(54), F(55), F(56), F(57), F(58), F(59), F(60), F(61), F(62), F(63)
#define CYPOOL_EVEN(i) 2 * (i)
#define CYPOOL_ODD(i) 2 * (i) + 1
#define CYPOOL_SELF(i) i
#define CYPOOL_NEXT(i) (i) + 1
#define CYPOOL_AFTER(i) (i) + 2
#define CYPOOL_HALF(i) (i) / 2
#define CYPOOL_OTHER_HALF(i) lanes_half_ + (i) / 2
#define CYPOOL_BETWEEN(i) (i) + 1 < lanes_ ? (i) + 1 : 2 * lanes_ - 2
#if defined(__clang__) || __GNUC__ >= 12
#define CYPOOL_SHUFFLE(a, b, MASK, LANES, F) __builtin_shufflevector(a, b, CYPOOL_LANES##LANES(F))
#else
#define CYPOOL_SHUFFLE(a, b, MASK, LANES, F) __builtin_shuffle(a, b, (MASK){CYPOOL_LANES##LANES(F)})
#endif
#define CYPOOL_THIRD_OF(T, I, BYTES, LANES)                                                      \
    if ((size_t)n * sizeof(T) == BYTES) {                                                        \
        typedef T part_ __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));      \
        typedef I mask_ __attribute__((vector_size(BYTES), unused));                             \
        part_ lo_ = *(const part_ *)(a + 1), hi_ = *(const part_ *)(a + 1 + n);                  \
        *(part_ *)third = CYPOOL_SHUFFLE(lo_, hi_, mask_, LANES, CYPOOL_ODD);                    \
        return;                                                                                  \
    }
#define CYPOOL_THIRD(S, T, I, L64, L32, L16)                                                     \
CYPOOL_BLOCK third_##S(T *third, const T *a, ptrdiff_t n)                                        \
{                                                                                                \
    CYPOOL_THIRD_OF(T, I, 64, L64)                                                               \
    CYPOOL_THIRD_OF(T, I, 32, L32)                                                               \
    CYPOOL_THIRD_OF(T, I, 16, L16)                                                               \
    for (ptrdiff_t j = 0; j < n; j++) third[j] = a[2 * j + 2];                                   \
}
CYPOOL_THIRD(i8, int8_t, int8_t, 64, 32, 16)
CYPOOL_THIRD(u8, uint8_t, int8_t, 64, 32, 16)
CYPOOL_THIRD(i16, int16_t, int16_t, 32, 16, 8)
CYPOOL_THIRD(u16, uint16_t, int16_t, 32, 16, 8)
CYPOOL_THIRD(i32, int32_t, int32_t, 16, 8, 4)
CYPOOL_THIRD(u32, uint32_t, int32_t, 16, 8, 4)
CYPOOL_THIRD(i64, int64_t, int64_t, 8, 4, 2)
CYPOOL_THIRD(u64, uint64_t, int64_t, 8, 4, 2)
CYPOOL_THIRD(f32, float, int32_t, 16, 8, 4)
CYPOOL_THIRD(f64, double, int64_t, 8, 4, 2)
CYPOOL_BLOCK third_i128(cypool_int128 *third, const cypool_int128 *a, ptrdiff_t n)
{ for (ptrdiff_t j = 0; j < n; j++) third[j] = a[2 * j + 2]; }

#define CYPOOL_ROWS(OP, S, T)                                                                    \
CYPOOL_BLOCK join_block_##OP##_##S(                                                              \
    T *restrict y, const T *restrict a, const T *restrict b, ptrdiff_t n)                        \
{ for (ptrdiff_t j = 0; j < n; j++) y[j] = (T)CYPOOL_OP_##OP(a[j], b[j]); }                      \
CYPOOL_BLOCK join_row_##OP##_##S(ptrdiff_t n, T *y, const T *a, const T *b)                      \
{ CYPOOL_OUT_OF_PLACE(T, n, join_block_##OP##_##S(y + i_, a + i_, b + i_, B_)) }                 \
CYPOOL_ROW join_##OP##_##S(                                                                      \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa, ptrdiff_t b)      \
{                                                                                                \
    enum { gathered = 1 };                                                                       \
    CYPOOL_EACH_ROW(join_row_##OP##_##S(n, y, a, a + b))                                         \
}                                                                                                \
                                                                                                 \
CYPOOL_BLOCK join3_block_##OP##_##S(                                                             \
    T *restrict y, const T *restrict a, const T *restrict b, const T *restrict c, ptrdiff_t n)   \
{                                                                                                \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        T v = (T)CYPOOL_OP_##OP(a[j], b[j]);                                                     \
        y[j] = (T)CYPOOL_OP_##OP(v, c[j]);                                                       \
    }                                                                                            \
}                                                                                                \
CYPOOL_BLOCK join3_row_##OP##_##S(ptrdiff_t n, T *y, const T *a, const T *b, const T *c)         \
{ CYPOOL_OUT_OF_PLACE(T, n, join3_block_##OP##_##S(y + i_, a + i_, b + i_, c + i_, B_)) }        \
CYPOOL_ROW join3_##OP##_##S(                                                                     \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa, ptrdiff_t b,      \
    ptrdiff_t c)                                                                                 \
{                                                                                                \
    enum { gathered = 1 };                                                                       \
    CYPOOL_EACH_ROW(join3_row_##OP##_##S(n, y, a, a + b, a + c))                                 \
}                                                                                                \
                                                                                                 \
CYPOOL_BLOCK add_block_##OP##_##S(T *restrict y, const T *restrict a, ptrdiff_t n)               \
{ for (ptrdiff_t j = 0; j < n; j++) y[j] = (T)CYPOOL_OP_##OP(y[j], a[j]); }                      \
CYPOOL_BLOCK add_row_##OP##_##S(ptrdiff_t n, T *y, const T *a)                                   \
{ CYPOOL_IN_PLACE(T, n, add_block_##OP##_##S(y + i_, a + i_, B_)) }                              \
CYPOOL_ROW add_##OP##_##S(                                                                       \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa)                   \
{                                                                                                \
    enum { gathered = 1 };                                                                       \
    CYPOOL_EACH_ROW(add_row_##OP##_##S(n, y, a))                                                 \
}                                                                                                \
                                                                                                 \
CYPOOL_BLOCK add2_block_##OP##_##S(                                                              \
    T *restrict y, const T *restrict a, const T *restrict b, ptrdiff_t n)                        \
{                                                                                                \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        T v = (T)CYPOOL_OP_##OP(a[j], b[j]);                                                     \
        y[j] = (T)CYPOOL_OP_##OP(y[j], v);                                                       \
    }                                                                                            \
}                                                                                                \
CYPOOL_BLOCK add2_row_##OP##_##S(ptrdiff_t n, T *y, const T *a, const T *b)                      \
{ CYPOOL_IN_PLACE(T, n, add2_block_##OP##_##S(y + i_, a + i_, b + i_, B_)) }                     \
CYPOOL_ROW add2_##OP##_##S(                                                                      \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa, ptrdiff_t b)      \
{                                                                                                \
    enum { gathered = 1 };                                                                       \
    CYPOOL_EACH_ROW(add2_row_##OP##_##S(n, y, a, a + b))                                         \
}                                                                                                \
                                                                                                 \
/* Two and three neighbours, at a distance of two. */                                            \
CYPOOL_BLOCK pairs_block_##OP##_##S(T *restrict y, const T *restrict a, ptrdiff_t n)             \
{ for (ptrdiff_t j = 0; j < n; j++) y[j] = (T)CYPOOL_OP_##OP(a[2 * j], a[2 * j + 1]); }          \
CYPOOL_BLOCK pairs_row_##OP##_##S(ptrdiff_t n, T *y, const T *a)                                 \
{ CYPOOL_OUT_OF_PLACE(T, n, pairs_block_##OP##_##S(y + i_, a + 2 * i_, B_)) }                    \
CYPOOL_ROW pairs_##OP##_##S(                                                                     \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa)                   \
{                                                                                                \
    enum { gathered = 2 };                                                                       \
    CYPOOL_EACH_ROW(pairs_row_##OP##_##S(n, y, a))                                               \
}                                                                                                \
                                                                                                 \
CYPOOL_BLOCK triples_block_##OP##_##S(T *restrict y, const T *restrict a, ptrdiff_t n)           \
{                                                                                                \
    T third[CYPOOL_VECTOR / sizeof(T) > 0 ? CYPOOL_VECTOR / sizeof(T) : 1];                      \
    third_##S(third, a, n);                                                                      \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        T v = (T)CYPOOL_OP_##OP(a[2 * j], a[2 * j + 1]);                                         \
        y[j] = (T)CYPOOL_OP_##OP(v, third[j]);                                                   \
    }                                                                                            \
}                                                                                                \
CYPOOL_BLOCK triples_row_##OP##_##S(ptrdiff_t n, T *y, const T *a)                               \
{ CYPOOL_OUT_OF_PLACE(T, n, triples_block_##OP##_##S(y + i_, a + 2 * i_, B_)) }                  \
CYPOOL_ROW triples_##OP##_##S(                                                                   \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa)                   \
{                                                                                                \
    enum { gathered = 2 };                                                                       \
    CYPOOL_EACH_ROW(triples_row_##OP##_##S(n, y, a))                                             \
}

#define CYPOOL_INTEGER_TYPES(DO, OP)                                                             \
    DO(OP, i8, int8_t) DO(OP, u8, uint8_t) DO(OP, i16, int16_t) DO(OP, u16, uint16_t)            \
    DO(OP, i32, int32_t) DO(OP, u32, uint32_t) DO(OP, i64, int64_t) DO(OP, u64, uint64_t)        \
    DO(OP, i128, cypool_int128)
#define CYPOOL_REAL_TYPES(DO, OP) DO(OP, f32, float) DO(OP, f64, double)
#define CYPOOL_TYPES(DO, OP) CYPOOL_INTEGER_TYPES(DO, OP) CYPOOL_REAL_TYPES(DO, OP)

CYPOOL_TYPES(CYPOOL_ROWS, max)
CYPOOL_TYPES(CYPOOL_ROWS, min)
CYPOOL_TYPES(CYPOOL_ROWS, sum)
CYPOOL_REAL_TYPES(CYPOOL_ROWS, nanmax)
CYPOOL_REAL_TYPES(CYPOOL_ROWS, nanmin)

/* Square windows of two or three taps a side, at a distance of one or two, from the source to what
   each makes in one go: nothing between is written. `taps` rows lie under each window, step apart;
   combined by the same tree as by the rows above, first rows, then columns. Columns before `from`
   and from `to` on are padding: what lies there is read, but does not count.
   What is lost where a NaN is about is noted: the sum of all elements is a NaN if one of them is (or
   if infinities of both signs are, which is as well). The result says whether that was so. */
#define CYPOOL_NOTES_max 1
#define CYPOOL_NOTES_min 1
#define CYPOOL_NOTES_sum 0
#define CYPOOL_NOTES_square 0
#define CYPOOL_NOTES_nanmax 0
#define CYPOOL_NOTES_nanmin 0

/* Of a value that was masked as integers GCC no longer sees that its maximum is one instruction. */
#if defined(__x86_64__)
#define CYPOOL_FORGET(v) __asm__("" : "+x"(v));
#else
#define CYPOOL_FORGET(v)
#endif
#define CYPOOL_VEC(S, T, I, BYTES, LANES)                                                        \
typedef T vec_##S##_##BYTES __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));  \
typedef I mask_##S##_##BYTES __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias)); \
/* What of a block's columns counts: those of its first vector and of the one `more` columns on, and \
   the one after these; what the others become. */                                               \
typedef struct {                                                                                 \
    mask_##S##_##BYTES in[2], fill[2];                                                           \
    int clips, end;                                                                              \
} edge_##S##_##BYTES;                                                                            \
static inline __attribute__((always_inline, unused)) void find_edge_##S##_##BYTES(               \
    edge_##S##_##BYTES *edge, ptrdiff_t from, ptrdiff_t to, ptrdiff_t more, ptrdiff_t span,      \
    T nothing)                                                                                   \
{                                                                                                \
    const mask_##S##_##BYTES zero = {0}, lane = {CYPOOL_LANES##LANES(CYPOOL_SELF)};              \
    edge->clips = from > 0 || to < span;                                                         \
    edge->end = to <= 2 * LANES;                                                                 \
    for (int j = 0; j < 2; j++, from -= more, to -= more) {                                      \
        const I first = (I)(from < 0 ? 0 : from > LANES ? LANES : from);                         \
        const I last = (I)(to < 0 ? 0 : to > LANES ? LANES : to);                                \
        vec_##S##_##BYTES none = nothing - (vec_##S##_##BYTES){0};                               \
        edge->in[j] = (lane >= first - zero) & (lane < last - zero);                             \
        edge->fill[j] = (mask_##S##_##BYTES)none & ~edge->in[j];                                 \
    }                                                                                            \
}                                                                                                \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES only_##S##_##BYTES(       \
    vec_##S##_##BYTES v, const edge_##S##_##BYTES *edge, int j)                                  \
{                                                                                                \
    v = (vec_##S##_##BYTES)(((mask_##S##_##BYTES)v & edge->in[j]) | edge->fill[j]);              \
    CYPOOL_FORGET(v)                                                                             \
    return v;                                                                                    \
}
#define CYPOOL_WINDOWS_BLOCKS(OP, S, T, BYTES, LANES)                                            \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES both_##OP##_##S##_##BYTES( \
    vec_##S##_##BYTES a, vec_##S##_##BYTES b)                                                    \
{                                                                                                \
    vec_##S##_##BYTES y;                                                                         \
    const T *p = (const T *)&a, *q = (const T *)&b;                                              \
    T *to = (T *)&y;                                                                             \
    for (int j = 0; j < LANES; j++) to[j] = (T)CYPOOL_OP_##OP(p[j], q[j]);                       \
    return y;                                                                                    \
}                                                                                                \
/* What three rows make, or two. */                                                              \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES under_##OP##_##S##_##BYTES( \
    vec_##S##_##BYTES a, vec_##S##_##BYTES b, vec_##S##_##BYTES c, int taps,                     \
    const edge_##S##_##BYTES *edge, int j)                                                       \
{                                                                                                \
    if (taps > 1) a = both_##OP##_##S##_##BYTES(a, b);                                           \
    if (taps > 2) a = both_##OP##_##S##_##BYTES(a, c);                                           \
    return edge ? only_##S##_##BYTES(a, edge, j) : a;                                            \
}                                                                                                \
/* The columns of a block: `right` lies as far from `left` as windows22 and 32 are made of two   \
   vectors, or two columns on for windows31; `last` comes after them. */                         \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES across22_##OP##_##S##_##BYTES( \
    vec_##S##_##BYTES left, vec_##S##_##BYTES right, T last)                                     \
{                                                                                                \
    vec_##S##_##BYTES even = CYPOOL_SHUFFLE(left, right, mask_##S##_##BYTES, LANES, CYPOOL_EVEN); \
    vec_##S##_##BYTES odd = CYPOOL_SHUFFLE(left, right, mask_##S##_##BYTES, LANES, CYPOOL_ODD);  \
    return both_##OP##_##S##_##BYTES(even, odd);                                                 \
}                                                                                                \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES across32_##OP##_##S##_##BYTES( \
    vec_##S##_##BYTES left, vec_##S##_##BYTES right, T last)                                     \
{                                                                                                \
    vec_##S##_##BYTES even = CYPOOL_SHUFFLE(left, right, mask_##S##_##BYTES, LANES, CYPOOL_EVEN); \
    vec_##S##_##BYTES odd = CYPOOL_SHUFFLE(left, right, mask_##S##_##BYTES, LANES, CYPOOL_ODD);  \
    /* The third taps are the first ones from the second on, and the last. */                    \
    vec_##S##_##BYTES third = CYPOOL_SHUFFLE(                                                    \
        even, last - (vec_##S##_##BYTES){0}, mask_##S##_##BYTES, LANES, CYPOOL_NEXT);            \
    even = both_##OP##_##S##_##BYTES(even, odd);                                                 \
    return both_##OP##_##S##_##BYTES(even, third);                                               \
}                                                                                                \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES across31_##OP##_##S##_##BYTES( \
    vec_##S##_##BYTES left, vec_##S##_##BYTES right, T last)                                     \
{                                                                                                \
    enum { lanes_ = LANES };                                                                     \
    /* The second taps are the first ones from the second on, and one of the third ones. */      \
    vec_##S##_##BYTES second = CYPOOL_SHUFFLE(                                                   \
        left, right, mask_##S##_##BYTES, LANES, CYPOOL_BETWEEN);                                 \
    left = both_##OP##_##S##_##BYTES(left, second);                                              \
    return both_##OP##_##S##_##BYTES(left, right);                                               \
}

/* Roots of sums of squares, or of their means. In float32 a square may overflow or lose digits: where
   a root lies outside the range in which neither can have happened, that is noted. (So it is of zeros,
   which may be squares of what is not.) */
#define CYPOOL_LEAST 0x1p-58f
#define CYPOOL_MOST 0x1p+62f
#define CYPOOL_TAKE_square(v) ((v) * (v))
#define CYPOOL_ROOT_square(S, BYTES, v, note)                                                    \
    v = root_##S##_##BYTES(v);                                                                   \
    note = (vec_##S##_##BYTES)((mask_##S##_##BYTES)note | ~(                                     \
        (v >= CYPOOL_LEAST - (vec_##S##_##BYTES){0}) &                                           \
        (v <= CYPOOL_MOST - (vec_##S##_##BYTES){0})));
#define CYPOOL_ROOT1_square(v, note)                                                             \
    v = __builtin_sqrtf(v);                                                                      \
    if (!(v >= CYPOOL_LEAST && v <= CYPOOL_MOST)) note = __builtin_nanf("");
#define CYPOOL_ROOTS(S, BYTES, LANES)                                                            \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES root_##S##_##BYTES(       \
    vec_##S##_##BYTES a)                                                                         \
{                                                                                                \
    vec_##S##_##BYTES y;                                                                         \
    const float *p = (const float *)&a;                                                          \
    float *to = (float *)&y;                                                                     \
    for (int j = 0; j < LANES; j++) to[j] = __builtin_sqrtf(p[j]);                               \
    return y;                                                                                    \
}
#define CYPOOL_TAKE_max(v) (v)
#define CYPOOL_ROOT_max(S, BYTES, v, note)
#define CYPOOL_ROOT1_max(v, note)
#define CYPOOL_TAKE_min(v) (v)
#define CYPOOL_ROOT_min(S, BYTES, v, note)
#define CYPOOL_ROOT1_min(v, note)
#define CYPOOL_TAKE_sum(v) (v)
#define CYPOOL_ROOT_sum(S, BYTES, v, note)
#define CYPOOL_ROOT1_sum(v, note)
#define CYPOOL_TAKE_nanmax(v) (v)
#define CYPOOL_ROOT_nanmax(S, BYTES, v, note)
#define CYPOOL_ROOT1_nanmax(v, note)
#define CYPOOL_TAKE_nanmin(v) (v)
#define CYPOOL_ROOT_nanmin(S, BYTES, v, note)
#define CYPOOL_ROOT1_nanmin(v, note)
#define CYPOOL_SQUARES_max 0
#define CYPOOL_FINDS_max 1
#define CYPOOL_SQUARES_min 0
#define CYPOOL_FINDS_min 1
#define CYPOOL_SQUARES_sum 0
#define CYPOOL_FINDS_sum 0
#define CYPOOL_SQUARES_nanmax 0
#define CYPOOL_FINDS_nanmax 0
#define CYPOOL_SQUARES_nanmin 0
#define CYPOOL_FINDS_nanmin 0
#define CYPOOL_SQUARES_square 1
#define CYPOOL_FINDS_square 1
/* What floating sums are divided by, where they become means: a power of two is multiplied by, which
   is the same to the last bit. */
#define CYPOOL_SHARE(OP, S, T, v, by)                                                            \
    if (CYPOOL_SUMS_##OP && (T)0.5 > 0 && by != 1) {                                             \
        if (by > 0 && by < 1048576 && ((int32_t)by & ((int32_t)by - 1)) == 0)                    \
            v = v * (T)(1 / by);                                                                 \
        else                                                                                     \
            v = v / (T)by;                                                                       \
    }
/* A strip: blocks below each other, whose rows that several windows see are read once. Where all of
   a row's columns are in one vector (`one`), the others are made of it. */
#define CYPOOL_WINDOWS_STRIP(K, STRIDE, OP, S, T, BYTES, LANES)                                  \
CYPOOL_BLOCK windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                                    \
    ptrdiff_t rows, T *restrict y, ptrdiff_t sy, const T *restrict a, ptrdiff_t sa,              \
    ptrdiff_t step, int taps, int regular, int one, int half, const edge_##S##_##BYTES *edge,    \
    T nothing, double by, vec_##S##_##BYTES *found, T *lost)                                     \
{                                                                                                \
    /* (What a row notes is added up before it is added to what was: these sums wait for each    \
       other.) */                                                                                \
    vec_##S##_##BYTES l0, l1, l2, r0, r1, r2, n0, n1, n2, all = *found;                          \
    T e0, e1, e2, any = *lost;                                                                   \
    l0 = l1 = l2 = r0 = r1 = r2 = (vec_##S##_##BYTES){0};                                        \
    e0 = e1 = e2 = 0;                                                                            \
    if (regular && K > STRIDE) {                                                                 \
        CYPOOL_READ(K, STRIDE, OP, S, BYTES, LANES, 0, a)                                        \
        if (CYPOOL_NOTES_##OP) { all += n0; any += e0; }                                         \
        if (K - STRIDE > 1) {                                                                    \
            CYPOOL_READ(K, STRIDE, OP, S, BYTES, LANES, 1, a + step)                             \
            if (CYPOOL_NOTES_##OP) all += n1;                                                    \
        }                                                                                        \
    }                                                                                            \
    for (; rows > 0; CYPOOL_ADVANCE(y += sy, a += sa)) {                                         \
        if (!regular || K == STRIDE) {                                                           \
            CYPOOL_READ(K, STRIDE, OP, S, BYTES, LANES, 0, a)                                    \
            if (CYPOOL_NOTES_##OP && !regular) { all += n0; any += e0; }                         \
        }                                                                                        \
        if (taps > 1 && (!regular || K - STRIDE < 2)) {                                          \
            CYPOOL_READ(K, STRIDE, OP, S, BYTES, LANES, 1, a + step)                             \
            if (CYPOOL_NOTES_##OP && !regular) { all += n1; any += e1; }                         \
        }                                                                                        \
        if (taps > 2) {                                                                          \
            CYPOOL_READ(K, STRIDE, OP, S, BYTES, LANES, 2, a + 2 * step)                         \
            if (CYPOOL_NOTES_##OP && !regular) { all += n2; any += e2; }                         \
        }                                                                                        \
        if (CYPOOL_NOTES_##OP && regular) {                                                      \
            if (K == STRIDE) n2 = n0;                                                            \
            if (STRIDE == 2) n2 += n1;                                                           \
            all += n2;                                                                           \
            any += e1 + e2;                                                                      \
        }                                                                                        \
        vec_##S##_##BYTES left = under_##OP##_##S##_##BYTES(l0, l1, l2, taps, edge, 0), right;   \
        if (one) right = CYPOOL_SHUFFLE(left, left, mask_##S##_##BYTES, LANES, CYPOOL_AFTER);    \
        else right = under_##OP##_##S##_##BYTES(r0, r1, r2, taps, edge, 1);                      \
        T last = e0;                                                                             \
        if (taps > 1) last = (T)CYPOOL_OP_##OP(last, e1);                                        \
        if (taps > 2) last = (T)CYPOOL_OP_##OP(last, e2);                                        \
        if (edge && edge->end) last = nothing;                                                   \
        left = across##K##STRIDE##_##OP##_##S##_##BYTES(left, right, last);                      \
        CYPOOL_SHARE(OP, S, T, left, by)                                                         \
        CYPOOL_ROOT_##OP(S, BYTES, left, all)                                                    \
        if (half) memcpy(y, &left, BYTES / 2);                                                   \
        else *(vec_##S##_##BYTES *)y = left;                                                     \
        if (regular && K - STRIDE == 1) { l0 = l2; r0 = r2; e0 = e2; }                           \
        if (regular && K - STRIDE == 2) { l0 = l1; r0 = r1; l1 = l2; r1 = r2; }                  \
    }                                                                                            \
    *found = all;                                                                                \
    *lost = any;                                                                                 \
}
#define CYPOOL_READ(K, STRIDE, OP, S, BYTES, LANES, t, p)                                        \
    l##t = *(const vec_##S##_##BYTES *)(p);                                                      \
    n##t = l##t;                                                                                 \
    if (!one) {                                                                                  \
        r##t = *(const vec_##S##_##BYTES *)((p) + (K == 3 && STRIDE == 1 ? 2 : LANES));          \
        n##t += r##t;                                                                            \
    }                                                                                            \
    if (K == 3 && STRIDE == 2) e##t = (p)[2 * LANES];                                            \
    if (CYPOOL_SQUARES_##OP) {                                                                   \
        l##t *= l##t;                                                                            \
        if (!one) r##t *= r##t;                                                                  \
        if (K == 3 && STRIDE == 2) e##t *= e##t;                                                 \
    }

/* What most arrays are of has code of its own for what is rare otherwise: it makes programs long. */
#define CYPOOL_FULL(OP, T) ((T)0.5 > 0 && sizeof(T) == 4 && (CYPOOL_NOTES_##OP || CYPOOL_SUMS_##OP))
/* A few short rows at a time are read block by block across all of them, in an order in which nothing
   is read ahead by itself: as many bytes are asked for as these rows have, a little further on. What
   lies there need not be an array's. */
#define CYPOOL_AHEAD 16384
#define CYPOOL_SHORT 8192
#define CYPOOL_FETCH(p, bytes)                                                                   \
    if ((bytes) <= CYPOOL_SHORT)                                                                 \
        for (ptrdiff_t j_ = 0; j_ < (bytes); j_ += 64)                                           \
            __builtin_prefetch((const void *)((uintptr_t)(p) + CYPOOL_AHEAD + (uintptr_t)j_), 0, 2);
/* Rows of n windows in blocks, the last of which overlaps the one before it, or, where n < LANES,
   goes beyond the row; the edges are those of the first one and of the last one. From one row to the
   next the source moves by sa, from one plane to the next by pa. A few rows of all columns at a
   time: memory is read in its order. */
#define CYPOOL_WINDOWS_PLANES(K, STRIDE, OP, S, T, I, BYTES, LANES)                              \
static __attribute__((noinline, unused)) int windows##K##STRIDE##_planes_##OP##_##S##_##BYTES(   \
    ptrdiff_t planes, ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t py, ptrdiff_t sy, const T *a, \
    ptrdiff_t pa, ptrdiff_t sa, ptrdiff_t step, int taps, ptrdiff_t from, ptrdiff_t to,          \
    T nothing, double by)                                                                        \
{                                                                                                \
    const ptrdiff_t more = K == 3 && STRIDE == 1 ? 2 : LANES;                                    \
    const ptrdiff_t few = n <= LANES ? rows : K == 2 ? 1 : STRIDE == 2 ? 4 : 8;                  \
    const int regular = taps == K && sa == STRIDE * step;                                        \
    const int one = K == 3 && STRIDE == 1 && n + 2 <= LANES;                                     \
    vec_##S##_##BYTES found = {0};                                                               \
    mask_##S##_##BYTES bad;                                                                      \
    edge_##S##_##BYTES edges[2], *edge;                                                          \
    T lost = 0;                                                                                  \
    I any = 0;                                                                                   \
    find_edge_##S##_##BYTES(                                                                     \
        edges, from, to, more, STRIDE * ((n < LANES ? n : LANES) - 1) + K, nothing);             \
    from -= STRIDE * (n - LANES);                                                                \
    to -= STRIDE * (n - LANES);                                                                  \
    find_edge_##S##_##BYTES(edges + 1, from, to, more, STRIDE * (LANES - 1) + K, nothing);       \
    for (;;) {                                                                                   \
        for (ptrdiff_t h = 0; h < rows; h += few) {                                              \
            CYPOOL_FETCH(a + h * sa, few < rows ? few * sa * (ptrdiff_t)sizeof(T) : 0)           \
            for (ptrdiff_t i = 0; i < n; i += LANES) {                                           \
                edge = i == 0 ? edges : 0;                                                       \
                if (i + LANES >= n && i > 0) { i = n - LANES; edge = edges + 1; }                \
                const ptrdiff_t some = rows - h < few ? rows - h : few;                          \
                const T *p = a + h * sa + STRIDE * i;                                            \
                T *to = y + h * sy + i;                                                          \
                if (one && CYPOOL_FULL(OP, T) && regular && 2 * n <= LANES)                      \
                    windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                             \
                        some, to, sy, p, sa, step, K, 1, K - STRIDE == 2, K - STRIDE == 2, edges, \
                        nothing, by, &found, &lost);                                             \
                else if (one && CYPOOL_FULL(OP, T) && regular)                                   \
                    windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                             \
                        some, to, sy, p, sa, step, K, 1, K - STRIDE == 2, 0, edges, nothing, by, \
                        &found, &lost);                                                          \
                else if (one)                                                                    \
                    windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                             \
                        some, to, sy, p, sa, step, taps, 0, K - STRIDE == 2, 2 * n <= LANES,     \
                        edges, nothing, by, &found, &lost);                                      \
                else if (regular && (!edge || !edge->clips))                                     \
                    windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                             \
                        some, to, sy, p, sa, step, K, 1, 0, 0, 0, nothing, by, &found, &lost);   \
                else if (CYPOOL_FULL(OP, T) && regular)                                          \
                    windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                             \
                        some, to, sy, p, sa, step, K, 1, 0, 0, edge, nothing, by, &found, &lost); \
                else                                                                             \
                    windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                             \
                        some, to, sy, p, sa, step, taps, 0, 0, 0, edge, nothing, by, &found,     \
                        &lost);                                                                  \
            }                                                                                    \
        }                                                                                        \
        if (--planes <= 0) break;                                                                \
        y += py;                                                                                 \
        a += pa;                                                                                 \
    }                                                                                            \
    bad = found != found;                                                                        \
    for (int j = 0; j < LANES; j++) any |= bad[j];                                               \
    return CYPOOL_FINDS_##OP && (any | (lost != lost));                                          \
}
#define CYPOOL_WINDOWS_TRY(K, STRIDE, OP, S, T, BYTES, LANES)                                    \
    if (LANES == lanes)                                                                          \
        return windows##K##STRIDE##_planes_##OP##_##S##_##BYTES(                                 \
            planes, rows, n, y, py, sy, a, pa, sa, step, taps, from, to, nothing, by);
#define CYPOOL_WINDOWS(K, STRIDE, OP, S, T, DO)                                                  \
static inline __attribute__((unused)) int windows##K##STRIDE##_##OP##_##S(                       \
    ptrdiff_t planes, ptrdiff_t rows, ptrdiff_t n, int lanes, T *y, ptrdiff_t py, ptrdiff_t sy,  \
    const T *a, ptrdiff_t pa, ptrdiff_t sa, ptrdiff_t step, int taps, ptrdiff_t from,            \
    ptrdiff_t to, T nothing, double by)                                                          \
{                                                                                                \
    DO                                                                                           \
    return 0;                                                                                    \
}

/* One column of windows of which `count` columns are left (at least one). */
#define CYPOOL_CLIPPED(OP, S, T)                                                                 \
static inline __attribute__((always_inline, unused)) T clipped_rows_##OP##_##S(                  \
    ptrdiff_t rows, T *restrict y, ptrdiff_t sy, const T *restrict a, ptrdiff_t sa,              \
    ptrdiff_t step, int taps, int count, int kernel, double by)                                  \
{                                                                                                \
    T last = 0;                                                                                  \
    for (; rows > 0; CYPOOL_ADVANCE(y += sy, a += sa)) {                                         \
        T all = 0, note = 0;                                                                     \
        for (int j = 0; j < count; j++) {                                                        \
            T v = CYPOOL_TAKE_##OP(a[j]);                                                        \
            if (CYPOOL_NOTES_##OP) note += v;                                                    \
            for (int t = 1; t < taps; t++) {                                                     \
                T w = CYPOOL_TAKE_##OP(a[j + t * step]);                                         \
                if (CYPOOL_NOTES_##OP) note += w;                                                \
                v = (T)CYPOOL_OP_##OP(v, w);                                                     \
            }                                                                                    \
            /* (Padding adds a zero to a sum.) */                                                \
            if (j == 0 && (!CYPOOL_SUMS_##OP || count == kernel)) all = v;                       \
            else all = (T)CYPOOL_OP_##OP(all, v);                                                \
        }                                                                                        \
        if (CYPOOL_NOTES_##OP) last += note;                                                     \
        CYPOOL_SHARE(OP, S, T, all, by)                                                          \
        CYPOOL_ROOT1_##OP(all, last)                                                             \
        *y = all;                                                                                \
    }                                                                                            \
    return last;                                                                                 \
}                                                                                                \
static __attribute__((noinline, unused)) int clipped_##OP##_##S(                                 \
    ptrdiff_t rows, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa, ptrdiff_t step, int taps,      \
    int count, int kernel, double by)                                                            \
{                                                                                                \
    T last;                                                                                      \
    if (taps == 3 && count == 2)                                                                 \
        last = clipped_rows_##OP##_##S(rows, y, sy, a, sa, step, 3, 2, 3, by);                   \
    else if (taps == 2 && count == 2 && kernel == 3)                                             \
        last = clipped_rows_##OP##_##S(rows, y, sy, a, sa, step, 2, 2, 3, by);                   \
    else                                                                                         \
        last = clipped_rows_##OP##_##S(rows, y, sy, a, sa, step, taps, count, kernel, by);       \
    return CYPOOL_FINDS_##OP && last != last;                                                    \
}
/* Blocks of a vector, the last of which overlaps the one before it: there is at least one. */
#define CYPOOL_EACH_BLOCK(n, LANES)                                                              \
    for (ptrdiff_t i_ = 0; i_ < (n); i_ += LANES)                                                \
        for (ptrdiff_t i = i_ + LANES <= (n) ? i_ : (n) - LANES, one_ = 1; one_; one_ = 0)
/* Pixels of n values each, windows of K a side, straight from where they lie: rows of a window are
   `step` apart, its columns `reach`. Whether a NaN was met that may be lost. */
#define CYPOOL_PIXELS_OF(OP, S, T, I, BYTES, LANES)                                              \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES column_##OP##_##S(        \
    const T *a, ptrdiff_t step, int taps, vec_##S##_##BYTES *note)                               \
{                                                                                                \
    vec_##S##_##BYTES v = *(const vec_##S##_##BYTES *)a, w, met = v;                             \
    v = CYPOOL_TAKE_##OP(v);                                                                     \
    if (taps > 1) {                                                                              \
        w = *(const vec_##S##_##BYTES *)(a + step);                                              \
        met += w;                                                                                \
        v = both_##OP##_##S##_##BYTES(v, CYPOOL_TAKE_##OP(w));                                   \
    }                                                                                            \
    if (taps > 2) {                                                                              \
        w = *(const vec_##S##_##BYTES *)(a + 2 * step);                                          \
        met += w;                                                                                \
        v = both_##OP##_##S##_##BYTES(v, CYPOOL_TAKE_##OP(w));                                   \
    }                                                                                            \
    if (CYPOOL_NOTES_##OP) *note += met;                                                         \
    return v;                                                                                    \
}                                                                                                \
static inline __attribute__((always_inline, unused)) int noted_##OP##_##S(vec_##S##_##BYTES note) \
{                                                                                                \
    I any = 0;                                                                                   \
    mask_##S##_##BYTES bad = note != note;                                                       \
    for (int j = 0; j < LANES; j++) any |= bad[j];                                               \
    return CYPOOL_FINDS_##OP && any;                                                             \
}                                                                                                \
CYPOOL_PIXELS_DIRECT(2, OP, S, T, BYTES, LANES)                                                  \
CYPOOL_PIXELS_DIRECT(3, OP, S, T, BYTES, LANES)                                                  \
CYPOOL_PIXELS_SLIDE(2, OP, S, T, BYTES, LANES)                                                   \
CYPOOL_PIXELS_SLIDE(3, OP, S, T, BYTES, LANES)                                                   \
static inline __attribute__((unused)) int pixels_##OP##_##S(                                     \
    ptrdiff_t outputs, ptrdiff_t n, T *y, const T *a, ptrdiff_t advance, ptrdiff_t step,         \
    ptrdiff_t reach, int taps, int kernel, T *room, double by)                                   \
{                                                                                                \
    if (kernel == 2) return pixels2_##OP##_##S(outputs, n, y, a, advance, step, reach, room, by); \
    if (advance != n || reach != n)                                                              \
        return pixels3_##OP##_##S(outputs, n, y, a, advance, step, reach, room, by);             \
    if (taps == 2) return slide2_##OP##_##S(outputs, n, y, a, step, room, by);                   \
    return slide3_##OP##_##S(outputs, n, y, a, step, room, by);                                  \
}                                                                                                \
/* One window, by the place of each of its taps. */                                              \
static __attribute__((noinline, unused)) int pixel_##OP##_##S(                                   \
    int kernel, ptrdiff_t n, T *restrict y, const void *const *taps, double by)                  \
{                                                                                                \
    vec_##S##_##BYTES note = {0};                                                                \
    CYPOOL_EACH_BLOCK(n, LANES) {                                                                \
        vec_##S##_##BYTES all = {0};                                                             \
        for (int j = 0; j < kernel; j++) {                                                       \
            vec_##S##_##BYTES v = *(const vec_##S##_##BYTES *)((const T *)taps[j] + i), w;       \
            if (CYPOOL_NOTES_##OP) note += v;                                                    \
            v = CYPOOL_TAKE_##OP(v);                                                             \
            for (int t = 1; t < kernel; t++) {                                                   \
                w = *(const vec_##S##_##BYTES *)((const T *)taps[t * kernel + j] + i);           \
                if (CYPOOL_NOTES_##OP) note += w;                                                \
                v = both_##OP##_##S##_##BYTES(v, CYPOOL_TAKE_##OP(w));                           \
            }                                                                                    \
            all = j == 0 ? v : both_##OP##_##S##_##BYTES(all, v);                                \
        }                                                                                        \
        CYPOOL_SHARE(OP, S, T, all, by)                                                          \
        CYPOOL_ROOT_##OP(S, BYTES, all, note)                                                    \
        *(vec_##S##_##BYTES *)(y + i) = all;                                                     \
    }                                                                                            \
    return noted_##OP##_##S(note);                                                               \
}
/* Of windows of four one column at a time: fewer streams of memory are read at once, in longer runs,
   which is faster where these are long; of nine it is not. */
#define CYPOOL_PIXELS_DIRECT(K, OP, S, T, BYTES, LANES)                                          \
static __attribute__((noinline, unused)) int pixels##K##_##OP##_##S(                             \
    ptrdiff_t outputs, ptrdiff_t n, T *restrict y, const T *restrict a, ptrdiff_t advance,       \
    ptrdiff_t step, ptrdiff_t reach, T *restrict room, double by)                                \
{                                                                                                \
    vec_##S##_##BYTES note = {0};                                                                \
    for (; outputs > 0; outputs--, y += n, a += outputs > 0 ? advance : 0) {                     \
        if (K == 2)                                                                              \
            CYPOOL_EACH_BLOCK(n, LANES)                                                          \
                *(vec_##S##_##BYTES *)(room + i) = column_##OP##_##S(a + i, step, K, &note);     \
        CYPOOL_EACH_BLOCK(n, LANES) {                                                            \
            vec_##S##_##BYTES v;                                                                 \
            if (K == 2)                                                                          \
                v = *(vec_##S##_##BYTES *)(room + i);                                            \
            else                                                                                 \
                v = both_##OP##_##S##_##BYTES(column_##OP##_##S(a + i, step, K, &note),          \
                                              column_##OP##_##S(a + i + reach, step, K, &note)); \
            v = both_##OP##_##S##_##BYTES(                                                       \
                v, column_##OP##_##S(a + i + (K - 1) * reach, step, K, &note));                  \
            CYPOOL_SHARE(OP, S, T, v, by)                                                        \
            CYPOOL_ROOT_##OP(S, BYTES, v, note)                                                  \
            *(vec_##S##_##BYTES *)(y + i) = v;                                                   \
        }                                                                                        \
    }                                                                                            \
    return noted_##OP##_##S(note);                                                               \
}
/* Three columns at a distance of one, of TAPS rows each: what these rows make of a column is kept in
   `room` (of 3 n values) for the windows that see it next. */
#define CYPOOL_PIXELS_SLIDE(TAPS, OP, S, T, BYTES, LANES)                                        \
static __attribute__((noinline, unused)) int slide##TAPS##_##OP##_##S(                           \
    ptrdiff_t outputs, ptrdiff_t n, T *restrict y, const T *restrict a, ptrdiff_t step,          \
    T *restrict room, double by)                                                                 \
{                                                                                                \
    vec_##S##_##BYTES note = {0};                                                                \
    T *left = room, *middle = room + n, *right = room + 2 * n, *swap;                            \
    CYPOOL_EACH_BLOCK(n, LANES) {                                                                \
        *(vec_##S##_##BYTES *)(left + i) = column_##OP##_##S(a + i, step, TAPS, &note);          \
        *(vec_##S##_##BYTES *)(middle + i) = column_##OP##_##S(a + n + i, step, TAPS, &note);    \
    }                                                                                            \
    for (; outputs > 0; outputs--, y += n) {                                                     \
        CYPOOL_EACH_BLOCK(n, LANES) {                                                            \
            vec_##S##_##BYTES v = column_##OP##_##S(a + 2 * n + i, step, TAPS, &note), w;        \
            *(vec_##S##_##BYTES *)(right + i) = v;                                               \
            w = both_##OP##_##S##_##BYTES(                                                       \
                *(vec_##S##_##BYTES *)(left + i), *(vec_##S##_##BYTES *)(middle + i));           \
            w = both_##OP##_##S##_##BYTES(w, v);                                                 \
            CYPOOL_SHARE(OP, S, T, w, by)                                                        \
            CYPOOL_ROOT_##OP(S, BYTES, w, note)                                                  \
            *(vec_##S##_##BYTES *)(y + i) = w;                                                   \
        }                                                                                        \
        if (outputs > 1) a += n;                                                                 \
        swap = left; left = middle; middle = right; right = swap;                                \
    }                                                                                            \
    return noted_##OP##_##S(note);                                                               \
}
#if CYPOOL_VECTOR == 64
#define CYPOOL_WIDEST(DO, L64, L32, L16, ...) DO(__VA_ARGS__, 64, L64)
#elif CYPOOL_VECTOR == 32
#define CYPOOL_WIDEST(DO, L64, L32, L16, ...) DO(__VA_ARGS__, 32, L32)
#else
#define CYPOOL_WIDEST(DO, L64, L32, L16, ...) DO(__VA_ARGS__, 16, L16)
#endif
/* What padding adds to sums of pixels. */
static const double cypool_zeros[2048] __attribute__((unused)) = {0};

#define CYPOOL_SUMS_max 0
#define CYPOOL_SUMS_min 0
#define CYPOOL_SUMS_nanmax 0
#define CYPOOL_SUMS_nanmin 0
#define CYPOOL_SUMS_sum 1
#define CYPOOL_SUMS_square 1

#if CYPOOL_VECTOR == 64
#define CYPOOL_WIDTHS(DO, L64, L32, L16, ...)                                                    \
    DO(__VA_ARGS__, 64, L64) DO(__VA_ARGS__, 32, L32) DO(__VA_ARGS__, 16, L16)
#elif CYPOOL_VECTOR == 32
#define CYPOOL_WIDTHS(DO, L64, L32, L16, ...)                                                    \
    DO(__VA_ARGS__, 32, L32) DO(__VA_ARGS__, 16, L16)
#else
#define CYPOOL_WIDTHS(DO, L64, L32, L16, ...) DO(__VA_ARGS__, 16, L16)
#endif
/* Extremes of windows of n elements in a row, `step` apart, for as many elements as a vector has and
   more: several vectors of them, and at last the lanes of one. Whether a NaN was met that may be
   lost. */
#define CYPOOL_ACROSS(i, by) ((i) ^ (by)) % lanes_
#define CYPOOL_ACROSS32(i) CYPOOL_ACROSS(i, 32)
#define CYPOOL_ACROSS16(i) CYPOOL_ACROSS(i, 16)
#define CYPOOL_ACROSS8(i) CYPOOL_ACROSS(i, 8)
#define CYPOOL_ACROSS4(i) CYPOOL_ACROSS(i, 4)
#define CYPOOL_ACROSS2(i) CYPOOL_ACROSS(i, 2)
#define CYPOOL_ACROSS1(i) CYPOOL_ACROSS(i, 1)
#define CYPOOL_MEET(OP, S, BYTES, LANES, by)                                                     \
    if (LANES > by) {                                                                            \
        other = CYPOOL_SHUFFLE(v[0], v[0], mask_##S##_##BYTES, LANES, CYPOOL_ACROSS##by);        \
        v[0] = both_##OP##_##S##_##BYTES(v[0], other);                                           \
    }
#define CYPOOL_PEAKS(OP, S, T, I, BYTES, LANES)                                                  \
static __attribute__((noinline, unused)) int peaks_##OP##_##S##_##BYTES(                         \
    ptrdiff_t windows, ptrdiff_t n, T *restrict y, const T *restrict a, ptrdiff_t step)          \
{                                                                                                \
    enum { lanes_ = LANES };                                                                     \
    vec_##S##_##BYTES notes[4] = {{0}}, v[4], next, other;                                       \
    mask_##S##_##BYTES bad;                                                                      \
    I any = 0;                                                                                   \
    for (; windows > 0; windows--, y++, a += windows > 0 ? step : 0) {                           \
        ptrdiff_t i = 0;                                                                         \
        v[0] = v[1] = v[2] = v[3] = *(const vec_##S##_##BYTES *)a;                               \
        for (; i + 4 * LANES <= n; i += 4 * LANES) {                                             \
            CYPOOL_UNROLLED                                                                      \
            for (int j = 0; j < 4; j++) {                                                        \
                next = *(const vec_##S##_##BYTES *)(a + i + j * LANES);                          \
                if (CYPOOL_NOTES_##OP) notes[j] += next;                                         \
                v[j] = both_##OP##_##S##_##BYTES(v[j], next);                                    \
            }                                                                                    \
        }                                                                                        \
        for (; i < n; i += LANES) {                                                              \
            next = *(const vec_##S##_##BYTES *)(a + (i + LANES <= n ? i : n - LANES));           \
            if (CYPOOL_NOTES_##OP) notes[0] += next;                                             \
            v[0] = both_##OP##_##S##_##BYTES(v[0], next);                                        \
        }                                                                                        \
        v[0] = both_##OP##_##S##_##BYTES(v[0], v[1]);                                            \
        v[2] = both_##OP##_##S##_##BYTES(v[2], v[3]);                                            \
        v[0] = both_##OP##_##S##_##BYTES(v[0], v[2]);                                            \
        CYPOOL_MEET(OP, S, BYTES, LANES, 32)                                                     \
        CYPOOL_MEET(OP, S, BYTES, LANES, 16)                                                     \
        CYPOOL_MEET(OP, S, BYTES, LANES, 8)                                                      \
        CYPOOL_MEET(OP, S, BYTES, LANES, 4)                                                      \
        CYPOOL_MEET(OP, S, BYTES, LANES, 2)                                                      \
        CYPOOL_MEET(OP, S, BYTES, LANES, 1)                                                      \
        *y = v[0][0];                                                                            \
    }                                                                                            \
    notes[0] += notes[1];                                                                        \
    notes[2] += notes[3];                                                                        \
    notes[0] += notes[2];                                                                        \
    bad = notes[0] != notes[0];                                                                  \
    for (int j = 0; j < LANES; j++) any |= bad[j];                                               \
    return CYPOOL_NOTES_##OP && any;                                                             \
}
#define CYPOOL_PEAKS_TRY(OP, S, T, BYTES, LANES)                                                 \
    if (n >= LANES) return peaks_##OP##_##S##_##BYTES(windows, n, y, a, step);
#define CYPOOL_ALL_PEAKS(OP, S, T, I, L64, L32, L16)                                             \
CYPOOL_WIDTHS(CYPOOL_PEAKS, L64, L32, L16, OP, S, T, I)                                          \
static inline __attribute__((unused)) int peaks_##OP##_##S(                                      \
    ptrdiff_t windows, ptrdiff_t n, T *restrict y, const T *restrict a, ptrdiff_t step)          \
{                                                                                                \
    CYPOOL_WIDTHS(CYPOOL_PEAKS_TRY, L64, L32, L16, OP, S, T)                                     \
    T lost = 0;                                                                                  \
    for (; windows > 0; windows--, y++, a += windows > 0 ? step : 0) {                           \
        T v = a[0];                                                                              \
        for (ptrdiff_t i = 0; i < n; i++) {                                                      \
            if (CYPOOL_NOTES_##OP) lost += a[i];                                                 \
            v = (T)CYPOOL_OP_##OP(v, a[i]);                                                      \
        }                                                                                        \
        *y = v;                                                                                  \
    }                                                                                            \
    return CYPOOL_NOTES_##OP && lost != lost;                                                    \
}
#define CYPOOL_ALL_WINDOWS(OP, S, T, I, L64, L32, L16)                                           \
CYPOOL_WIDTHS(CYPOOL_WINDOWS_BLOCKS, L64, L32, L16, OP, S, T)                                    \
CYPOOL_EACH_WINDOWS(2, 2, OP, S, T, I, L64, L32, L16)                                            \
CYPOOL_EACH_WINDOWS(3, 2, OP, S, T, I, L64, L32, L16)                                            \
CYPOOL_EACH_WINDOWS(3, 1, OP, S, T, I, L64, L32, L16)                                            \
CYPOOL_WIDEST(CYPOOL_PIXELS_OF, L64, L32, L16, OP, S, T, I)                                      \
CYPOOL_CLIPPED(OP, S, T)
#define CYPOOL_EACH_WINDOWS(K, STRIDE, OP, S, T, I, L64, L32, L16)                               \
CYPOOL_WIDTHS(CYPOOL_WINDOWS_STRIP, L64, L32, L16, K, STRIDE, OP, S, T)                          \
CYPOOL_WIDTHS(CYPOOL_WINDOWS_PLANES, L64, L32, L16, K, STRIDE, OP, S, T, I)                      \
CYPOOL_WINDOWS(K, STRIDE, OP, S, T,                                                              \
    CYPOOL_WIDTHS(CYPOOL_WINDOWS_TRY, L64, L32, L16, K, STRIDE, OP, S, T))
#define CYPOOL_WINDOWS_OF_TYPES(DO, OP)                                                          \
    DO(OP, i8, int8_t, int8_t, 64, 32, 16) DO(OP, u8, uint8_t, int8_t, 64, 32, 16)               \
    DO(OP, i16, int16_t, int16_t, 32, 16, 8) DO(OP, u16, uint16_t, int16_t, 32, 16, 8)           \
    DO(OP, i32, int32_t, int32_t, 16, 8, 4) DO(OP, u32, uint32_t, int32_t, 16, 8, 4)             \
    DO(OP, i64, int64_t, int64_t, 8, 4, 2) DO(OP, u64, uint64_t, int64_t, 8, 4, 2)               \
    DO(OP, f32, float, int32_t, 16, 8, 4) DO(OP, f64, double, int64_t, 8, 4, 2)
CYPOOL_WIDTHS(CYPOOL_VEC, 64, 32, 16, i8, int8_t, int8_t)
CYPOOL_WIDTHS(CYPOOL_VEC, 64, 32, 16, u8, uint8_t, int8_t)
CYPOOL_WIDTHS(CYPOOL_VEC, 32, 16, 8, i16, int16_t, int16_t)
CYPOOL_WIDTHS(CYPOOL_VEC, 32, 16, 8, u16, uint16_t, int16_t)
CYPOOL_WIDTHS(CYPOOL_VEC, 16, 8, 4, i32, int32_t, int32_t)
CYPOOL_WIDTHS(CYPOOL_VEC, 16, 8, 4, u32, uint32_t, int32_t)
CYPOOL_WIDTHS(CYPOOL_VEC, 8, 4, 2, i64, int64_t, int64_t)
CYPOOL_WIDTHS(CYPOOL_VEC, 8, 4, 2, u64, uint64_t, int64_t)
CYPOOL_WIDTHS(CYPOOL_VEC, 16, 8, 4, f32, float, int32_t)
CYPOOL_WIDTHS(CYPOOL_VEC, 8, 4, 2, f64, double, int64_t)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_WINDOWS, max)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_WINDOWS, min)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_PEAKS, max)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_PEAKS, min)
CYPOOL_ALL_WINDOWS(nanmax, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_WINDOWS(nanmax, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_PEAKS(nanmax, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_PEAKS(nanmax, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_WINDOWS(nanmin, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_WINDOWS(nanmin, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_PEAKS(nanmin, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_PEAKS(nanmin, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_WINDOWS(sum, i32, int32_t, int32_t, 16, 8, 4) CYPOOL_ALL_WINDOWS(sum, i64, int64_t, int64_t, 8, 4, 2)
CYPOOL_ALL_WINDOWS(sum, f32, float, int32_t, 16, 8, 4) CYPOOL_ALL_WINDOWS(sum, f64, double, int64_t, 8, 4, 2)
CYPOOL_WIDTHS(CYPOOL_ROOTS, 16, 8, 4, f32)
CYPOOL_ALL_WINDOWS(square, f32, float, int32_t, 16, 8, 4)

#define CYPOOL_HAS_NAN(S, T, U)                                                                  \
static __attribute__((noinline, unused)) int has_nan_##S(ptrdiff_t n, const T *a)                \
{                                                                                                \
    /* (As wide as an element, for the comparison to be one of vectors.) */                      \
    U found = 0;                                                                                 \
    for (ptrdiff_t i = 0; i < n; i++) found |= a[i] != a[i] ? (U)-1 : (U)0;                      \
    return found != 0;                                                                           \
}
CYPOOL_HAS_NAN(f32, float, uint32_t)
CYPOOL_HAS_NAN(f64, double, uint64_t)

/* Of roots of squares: 1, one is zero; 2, another is out of range, or a NaN. */
static __attribute__((noinline, unused)) int astray_f32(ptrdiff_t n, const float *a)
{
    uint32_t zero = 0, astray = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        zero |= a[i] == 0 ? (uint32_t)-1 : 0;
        astray |= (a[i] == 0) | ((a[i] >= CYPOOL_LEAST) & (a[i] <= CYPOOL_MOST)) ? 0 : (uint32_t)-1;
    }
    return (zero ? 1 : 0) | (astray ? 2 : 0);
}
/* Whether the square of a value vanishes that is not zero. */
static __attribute__((noinline, unused)) int has_tiny_f32(ptrdiff_t n, const float *a)
{
    uint32_t found = 0;
    for (ptrdiff_t i = 0; i < n; i++) found |= (a[i] != 0) & (a[i] * a[i] == 0) ? (uint32_t)-1 : 0;
    return found != 0;
}

/* Rows that are moved, not combined: by the size of their elements. (may_alias: what lies there has
   another type.) Rows of y and of their source never overlap. */
typedef uint8_t __attribute__((may_alias)) cypool_m8;
typedef uint16_t __attribute__((may_alias)) cypool_m16;
typedef uint32_t __attribute__((may_alias)) cypool_m32;
typedef uint64_t __attribute__((may_alias)) cypool_m64;
typedef cypool_int128 __attribute__((may_alias)) cypool_m128;

/* Every other one of n pixels of three elements: how many whole vectors make. */
#define CYPOOL_THREE(i) (i) / 3 * 6 + (i) % 3
#define CYPOOL_THREES(S, T, V, BYTES, LANES)                                                     \
static inline __attribute__((always_inline, unused)) ptrdiff_t threes_##S(                       \
    ptrdiff_t n, T *restrict y, const T *restrict a)                                             \
{                                                                                                \
    ptrdiff_t j = 0;                                                                             \
    for (; 6 * j + 2 * LANES <= 6 * n - 3; j += LANES / 3) {                                     \
        const mask_##V##_##BYTES *from = (const mask_##V##_##BYTES *)(a + 6 * j);                \
        *(mask_##V##_##BYTES *)(y + 3 * j) = CYPOOL_SHUFFLE(                                     \
            from[0], from[1], mask_##V##_##BYTES, LANES, CYPOOL_THREE);                          \
    }                                                                                            \
    return j;                                                                                    \
}
CYPOOL_WIDEST(CYPOOL_THREES, 64, 32, 16, m8, cypool_m8, u8)
CYPOOL_WIDEST(CYPOOL_THREES, 32, 16, 8, m16, cypool_m16, u16)
CYPOOL_WIDEST(CYPOOL_THREES, 16, 8, 4, m32, cypool_m32, u32)
static inline __attribute__((unused)) ptrdiff_t threes_m64(
    ptrdiff_t n, void *y, const void *a) { return 0; }
static inline __attribute__((unused)) ptrdiff_t threes_m128(
    ptrdiff_t n, void *y, const void *a) { return 0; }

#define CYPOOL_MOVES(S, T)                                                                       \
CYPOOL_BLOCK copy_block_##S(T *restrict y, const T *restrict a, ptrdiff_t n)                     \
{ for (ptrdiff_t j = 0; j < n; j++) y[j] = a[j]; }                                               \
CYPOOL_BLOCK copy_row_##S(ptrdiff_t n, T *y, const T *a)                                         \
{ CYPOOL_OUT_OF_PLACE(T, n, copy_block_##S(y + i_, a + i_, B_)) }                                \
CYPOOL_ROW copy_##S(                                                                             \
    ptrdiff_t rows, ptrdiff_t n, void *to, ptrdiff_t sy, const void *from, ptrdiff_t sa)         \
{                                                                                                \
    enum { gathered = 1 };                                                                       \
    T *y = (T *)to;                                                                              \
    const T *a = (const T *)from;                                                                \
    CYPOOL_EACH_ROW(copy_row_##S(n, y, a))                                                       \
}                                                                                                \
                                                                                                 \
/* n pixels of c elements each, every s elements (s >= c). */                                    \
CYPOOL_BLOCK pick_row_##S(                                                                       \
    ptrdiff_t n, ptrdiff_t c, T *restrict y, const T *restrict a, ptrdiff_t s)                   \
{                                                                                                \
    for (ptrdiff_t j = 0; j < n; j++)                                                            \
        for (ptrdiff_t i = 0; i < c; i++) y[j * c + i] = a[j * s + i];                           \
}                                                                                                \
CYPOOL_ROW pick_##S(                                                                             \
    ptrdiff_t rows, ptrdiff_t n, ptrdiff_t c, void *to, ptrdiff_t sy, const void *from,          \
    ptrdiff_t sa, ptrdiff_t s)                                                                   \
{                                                                                                \
    T *y = (T *)to;                                                                              \
    const T *a = (const T *)from;                                                                \
    for (; rows > 0; CYPOOL_ADVANCE(y += sy, a += sa)) {                                         \
        if (c == 1 && s == 2) pick_row_##S(n, 1, y, a, 2);                                       \
        else if (c == 1 && s == 3) pick_row_##S(n, 1, y, a, 3);                                  \
        else if (c == 1 && s == 4) pick_row_##S(n, 1, y, a, 4);                                  \
        else if (c == 1) pick_row_##S(n, 1, y, a, s);                                            \
        else if (c == 2) pick_row_##S(n, 2, y, a, s);                                            \
        else if (c == 3 && s == 6) {                                                             \
            const ptrdiff_t j = threes_##S(n, y, a);                                             \
            pick_row_##S(n - j, 3, y + 3 * j, a + 6 * j, 6);                                     \
        }                                                                                        \
        else if (c == 3) pick_row_##S(n, 3, y, a, s);                                            \
        else if (c == 4) pick_row_##S(n, 4, y, a, s);                                            \
        else pick_row_##S(n, c, y, a, s);                                                        \
    }                                                                                            \
}                                                                                                \
                                                                                                 \
/* The other way: to every s-th element. */                                                      \
CYPOOL_ROW place_##S(ptrdiff_t n, void *to, const void *from, ptrdiff_t s)                       \
{                                                                                                \
    T *restrict y = (T *)to;                                                                     \
    const T *restrict a = (const T *)from;                                                       \
    for (ptrdiff_t j = 0; j < n; j++) y[j * s] = a[j];                                           \
}                                                                                                \
                                                                                                 \
/* One element to each of s. */                                                                  \
CYPOOL_ROW repeat_##S(ptrdiff_t n, void *to, const void *from, ptrdiff_t s)                      \
{                                                                                                \
    T *restrict y = (T *)to;                                                                     \
    const T *restrict a = (const T *)from;                                                       \
    for (ptrdiff_t j = 0; j < n; j++)                                                            \
        for (ptrdiff_t i = 0; i < s; i++) y[j * s + i] = a[j];                                   \
}
CYPOOL_MOVES(m8, cypool_m8)
CYPOOL_MOVES(m16, cypool_m16)
CYPOOL_MOVES(m32, cypool_m32)
CYPOOL_MOVES(m64, cypool_m64)
CYPOOL_MOVES(m128, cypool_m128)

#define CYPOOL_OF_SIZE(NAME, y)                                                                  \
    _Generic((y), int8_t *: NAME##_m8, uint8_t *: NAME##_m8, int16_t *: NAME##_m16,              \
        uint16_t *: NAME##_m16, int32_t *: NAME##_m32, uint32_t *: NAME##_m32,                   \
        int64_t *: NAME##_m64, uint64_t *: NAME##_m64, cypool_int128 *: NAME##_m128,             \
        float *: NAME##_m32, double *: NAME##_m64)
#define cypool_copy(rows, n, y, ...) CYPOOL_OF_SIZE(copy, y)(rows, n, y, __VA_ARGS__)
#define cypool_pick(rows, n, c, y, ...) CYPOOL_OF_SIZE(pick, y)(rows, n, c, y, __VA_ARGS__)
#define cypool_place(n, y, ...) CYPOOL_OF_SIZE(place, y)(n, y, __VA_ARGS__)
#define cypool_repeat(n, y, ...) CYPOOL_OF_SIZE(repeat, y)(n, y, __VA_ARGS__)

/* Shares: each of some rows of n pixels of c elements becomes kh rows of kw pixels each, divided. */
#define CYPOOL_SPREAD(S, T, BYTES, LANES)                                                        \
CYPOOL_BLOCK share_##S(                                                                          \
    ptrdiff_t n, ptrdiff_t c, T *restrict y, ptrdiff_t sy, const T *restrict a, ptrdiff_t kh,    \
    ptrdiff_t kw, double by)                                                                     \
{                                                                                                \
    if (c == 1 && kw == 2 && n >= LANES) {                                                       \
        CYPOOL_EACH_BLOCK(n, LANES) {                                                            \
            vec_##S##_##BYTES v = *(const vec_##S##_##BYTES *)(a + i), lo, hi;                   \
            CYPOOL_SHARE(sum, S, T, v, by)                                                       \
            enum { lanes_half_ = LANES / 2 };                                                    \
            lo = CYPOOL_SHUFFLE(v, v, mask_##S##_##BYTES, LANES, CYPOOL_HALF);                   \
            hi = CYPOOL_SHUFFLE(v, v, mask_##S##_##BYTES, LANES, CYPOOL_OTHER_HALF);             \
            for (ptrdiff_t h = 0; h < kh; h++) {                                                 \
                *(vec_##S##_##BYTES *)(y + h * sy + 2 * i) = lo;                                 \
                *(vec_##S##_##BYTES *)(y + h * sy + 2 * i + LANES) = hi;                         \
            }                                                                                    \
        }                                                                                        \
        return;                                                                                  \
    }                                                                                            \
    if (c < LANES) {                                                                             \
        for (ptrdiff_t j = 0; j < n * c; j++) {                                                  \
            T v = a[j];                                                                          \
            CYPOOL_SHARE(sum, S, T, v, by)                                                       \
            for (ptrdiff_t w = 0; w < kw; w++) y[(j / c * kw + w) * c + j % c] = v;              \
        }                                                                                        \
        for (ptrdiff_t h = 1; h < kh; h++) memcpy(y + h * sy, y, (size_t)(n * kw * c) * sizeof(T)); \
        return;                                                                                  \
    }                                                                                            \
    /* (In the order of memory: to store in several places at once takes twice as long.) */      \
    for (ptrdiff_t h = 0; h < kh; h++, y += sy)                                                  \
        for (ptrdiff_t j = 0; j < n * kw; j++)                                                   \
            CYPOOL_EACH_BLOCK(c, LANES) {                                                        \
                vec_##S##_##BYTES v = *(const vec_##S##_##BYTES *)(a + j / kw * c + i);          \
                CYPOOL_SHARE(sum, S, T, v, by)                                                   \
                *(vec_##S##_##BYTES *)(y + j * c + i) = v;                                       \
            }                                                                                    \
}                                                                                                \
static __attribute__((noinline, unused)) void spread_##S(                                        \
    ptrdiff_t rows, ptrdiff_t n, ptrdiff_t c, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa,      \
    ptrdiff_t kh, ptrdiff_t kw, double by)                                                       \
{                                                                                                \
    for (; rows > 0; CYPOOL_ADVANCE(y += kh * sy, a += sa)) {                                    \
        if (c == 1 && kh == 2 && kw == 2) share_##S(n, 1, y, sy, a, 2, 2, by);                   \
        else if (c == 1) share_##S(n, 1, y, sy, a, kh, kw, by);                                  \
        else share_##S(n, c, y, sy, a, kh, kw, by);                                              \
    }                                                                                            \
}
CYPOOL_WIDEST(CYPOOL_SPREAD, 16, 8, 4, f32, float)
CYPOOL_WIDEST(CYPOOL_SPREAD, 8, 4, 2, f64, double)
/* rows, n, c, y, distance of its rows, source, that of its rows, kh, kw, what shares are divided by */
#define cypool_spread(rows, n, c, y, ...)                                                        \
    _Generic((y), float *: spread_f32, double *: spread_f64)(rows, n, c, y, __VA_ARGS__)

/* Where values were found: c[j] becomes t where tap t of window j is the value, so that the last
   one asked about wins. Codes are as wide as values: one compare and one select. */
#define CYPOOL_LOCATE(OP, S, T, U, MATCH)                                                        \
CYPOOL_BLOCK OP##_row_##S(                                                                       \
    ptrdiff_t n, U *restrict c, const T *restrict v, const T *restrict a, ptrdiff_t s, U t)      \
{ for (ptrdiff_t j = 0; j < n; j++) c[j] = MATCH(a[j * s], v[j]) ? t : c[j]; }                   \
CYPOOL_ROW OP##_##S(                                                                             \
    ptrdiff_t rows, ptrdiff_t n, void *codes, ptrdiff_t sc, const T *v, ptrdiff_t sv,            \
    const T *a, ptrdiff_t sa, ptrdiff_t s, U t)                                                  \
{                                                                                                \
    U *c = (U *)codes;                                                                           \
    if (s == 1 && sc == n && sv == n && sa == n) { n *= rows; rows = 1; }                        \
    for (; rows > 0; CYPOOL_ADVANCE(c += sc, v += sv, a += sa)) {                                \
        if (s == 1) OP##_row_##S(n, c, v, a, 1, t);                                              \
        else OP##_row_##S(n, c, v, a, s, t);                                                     \
    }                                                                                            \
}
/* The same for two or three taps next to each other, t and on: all that a vector's windows see. */
#define CYPOOL_LOCATE_MORE(OP, S, T, U, MATCH, K, STRIDE)                                        \
CYPOOL_BLOCK OP##_block##K##_##STRIDE##_##S(                                                     \
    U *restrict c, const T *restrict v, const T *restrict a, U t, ptrdiff_t n)                   \
{                                                                                                \
    T third[CYPOOL_VECTOR / sizeof(T) > 0 ? CYPOOL_VECTOR / sizeof(T) : 1];                      \
    if (K == 3 && STRIDE == 2) third_##S(third, a, n);                                           \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        U code = c[j];                                                                           \
        if (K == 3)                                                                              \
            code = MATCH((STRIDE == 2 ? third[j] : a[j * STRIDE + K - 1]), v[j])                 \
                ? (U)(t + 2) : code;                                                             \
        code = MATCH(a[j * STRIDE + 1], v[j]) ? (U)(t + 1) : code;                               \
        c[j] = MATCH(a[j * STRIDE], v[j]) ? t : code;                                            \
    }                                                                                            \
}                                                                                                \
CYPOOL_BLOCK OP##_row##K##_##STRIDE##_##S(ptrdiff_t n, U *c, const T *v, const T *a, U t)        \
{ CYPOOL_OUT_OF_PLACE(U, n,                                                                      \
    OP##_block##K##_##STRIDE##_##S(c + i_, v + i_, a + i_ * STRIDE, t, B_)) }
#define CYPOOL_LOCATE_RUN(OP, S, T, U, MATCH)                                                    \
CYPOOL_LOCATE_MORE(OP, S, T, U, MATCH, 2, 1) CYPOOL_LOCATE_MORE(OP, S, T, U, MATCH, 3, 1)        \
CYPOOL_LOCATE_MORE(OP, S, T, U, MATCH, 2, 2) CYPOOL_LOCATE_MORE(OP, S, T, U, MATCH, 3, 2)        \
CYPOOL_ROW OP##_run_##S(                                                                         \
    ptrdiff_t rows, ptrdiff_t n, void *codes, ptrdiff_t sc, const T *v, ptrdiff_t sv,            \
    const T *a, ptrdiff_t sa, ptrdiff_t s, U t, int k)                                           \
{                                                                                                \
    U *c = (U *)codes;                                                                           \
    for (; rows > 0; CYPOOL_ADVANCE(c += sc, v += sv, a += sa)) {                                \
        if (s == 1 && k == 2) OP##_row2_1_##S(n, c, v, a, t);                                    \
        else if (s == 1) OP##_row3_1_##S(n, c, v, a, t);                                         \
        else if (k == 2) OP##_row2_2_##S(n, c, v, a, t);                                         \
        else OP##_row3_2_##S(n, c, v, a, t);                                                     \
    }                                                                                            \
}
#define CYPOOL_SAME(a, v) ((a) == (v))
#define CYPOOL_SAME_OR_NAN(a, v) (((a) == (v)) | ((a) != (a)))
CYPOOL_LOCATE(locate, i8, int8_t, uint8_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, i8, int8_t, uint8_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, u8, uint8_t, uint8_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, u8, uint8_t, uint8_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, i16, int16_t, uint16_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, i16, int16_t, uint16_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, u16, uint16_t, uint16_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, u16, uint16_t, uint16_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, i32, int32_t, uint32_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, i32, int32_t, uint32_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, u32, uint32_t, uint32_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, u32, uint32_t, uint32_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, i64, int64_t, uint64_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, i64, int64_t, uint64_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, u64, uint64_t, uint64_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, u64, uint64_t, uint64_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, i128, cypool_int128, cypool_m128, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, i128, cypool_int128, cypool_m128, CYPOOL_SAME)
CYPOOL_LOCATE(locate, f32, float, uint32_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, f32, float, uint32_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, f64, double, uint64_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, f64, double, uint64_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate_nan, f32, float, uint32_t, CYPOOL_SAME_OR_NAN)
CYPOOL_LOCATE_RUN(locate_nan, f32, float, uint32_t, CYPOOL_SAME_OR_NAN)
CYPOOL_LOCATE(locate_nan, f64, double, uint64_t, CYPOOL_SAME_OR_NAN)
CYPOOL_LOCATE_RUN(locate_nan, f64, double, uint64_t, CYPOOL_SAME_OR_NAN)

/* Where the values of windows next to each other were found, straight as indices: `at` for the first
   window, `next` more for each one in its row and `below` more from row to row, and what is added for
   the first tap that has the value, `first` for the first of them, w more for each column and h more
   for each row. -1 where there is none. Blocks lie within a row of outputs; of the source they read what
   lies beside its columns, from <= i < to. Taps: `rows` rows a distance of `step` apart, of `columns`
   columns, `reach` apart. What was found before is in `codes`, and stays there until all is done. */
typedef struct {
    int64_t at, next, below;
    int32_t first, w, h;
    ptrdiff_t sy;                   /* in indices */
    int index32, more, done;
} cypool_place;
#define CYPOOL_PLACES_AS(I)                                                                      \
    for (int j = 0; j < lanes; j++)                                                              \
        ((I *)y)[j] = f[j] < 0 ? (I)-1 : (I)(at + j * next) + (I)f[j];
#define CYPOOL_PLACES(S, I)                                                                      \
static inline __attribute__((always_inline, unused)) void places_##S(                            \
    void *restrict y, const I *restrict f, int64_t at, int64_t next, int index32, int lanes)     \
{                                                                                                \
    if (index32) { CYPOOL_PLACES_AS(int32_t) }                                                   \
    else { CYPOOL_PLACES_AS(int64_t) }                                                           \
}
CYPOOL_PLACES(f32, int32_t)
CYPOOL_PLACES(f64, int64_t)
#define CYPOOL_FIND_ROWS(NAME, S, T, I, MATCH, STRIDE, BYTES, LANES)                             \
static inline __attribute__((always_inline, unused)) mask_##S##_##BYTES                          \
NAME##STRIDE##_block_##S##_##BYTES(                                                              \
    mask_##S##_##BYTES found, const T *restrict v, const T *restrict a, ptrdiff_t step,          \
    ptrdiff_t rows, ptrdiff_t reach, ptrdiff_t columns, const cypool_place *place,               \
    const mask_##S##_##BYTES *in)                                                                \
{                                                                                                \
    const mask_##S##_##BYTES zero = {0};                                                         \
    const vec_##S##_##BYTES value = *(const vec_##S##_##BYTES *)v;                               \
    mask_##S##_##BYTES same;                                                                     \
    _Pragma("GCC unroll 3")                                                                      \
    for (ptrdiff_t t = rows - 1; t >= 0; t--)                                                    \
        _Pragma("GCC unroll 3")                                                                  \
        for (ptrdiff_t j = columns - 1; j >= 0; j--) {                                           \
            const T *p = a + t * step + j * reach;                                               \
            vec_##S##_##BYTES x = *(const vec_##S##_##BYTES *)p;                                 \
            if (STRIDE == 2) {                                                                   \
                vec_##S##_##BYTES next = *(const vec_##S##_##BYTES *)(p + LANES);                \
                x = CYPOOL_SHUFFLE(x, next, mask_##S##_##BYTES, LANES, CYPOOL_EVEN);             \
            }                                                                                    \
            same = MATCH(x, value);                                                              \
            if (in) same &= in[j];                                                               \
            found = (same & ((I)(place->first + t * place->h + j * place->w) - zero))            \
                | (found & ~same);                                                               \
        }                                                                                        \
    return found;                                                                                \
}                                                                                                \
CYPOOL_BLOCK NAME##STRIDE##_strip_##S##_##BYTES(                                                 \
    ptrdiff_t many, ptrdiff_t n, I *restrict c, const T *restrict v, ptrdiff_t sv,               \
    const T *restrict a, ptrdiff_t sa, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t reach,          \
    ptrdiff_t columns, const cypool_place *place, int64_t at, char *y,                           \
    const mask_##S##_##BYTES *in)                                                                \
{                                                                                                \
    const ptrdiff_t sy = place->sy * (place->index32 ? 4 : 8);                                   \
    const int more = place->more, done = place->done;                                            \
    const mask_##S##_##BYTES zero = {0};                                                         \
    for (;;) {                                                                                   \
        mask_##S##_##BYTES found = more ? *(const mask_##S##_##BYTES *)c : ~zero;                \
        found = NAME##STRIDE##_block_##S##_##BYTES(                                              \
            found, v, a, step, rows, reach, columns, place, in);                                 \
        if (done) places_##S(y, (const I *)&found, at, place->next, place->index32, LANES);      \
        else *(mask_##S##_##BYTES *)c = found;                                                   \
        if (--many <= 0) return;                                                                 \
        c += n;                                                                                  \
        v += sv;                                                                                 \
        a += sa;                                                                                 \
        at += place->below;                                                                      \
        y += sy;                                                                                 \
    }                                                                                            \
}                                                                                                \
CYPOOL_ROW NAME##STRIDE##_##S##_##BYTES(                                                         \
    ptrdiff_t many, ptrdiff_t n, I *c, const T *v, ptrdiff_t sv, const T *a, ptrdiff_t sa,       \
    ptrdiff_t step, ptrdiff_t rows, ptrdiff_t reach, ptrdiff_t columns,                          \
    const cypool_place *place, char *y, ptrdiff_t from, ptrdiff_t to)                            \
{                                                                                                \
    const mask_##S##_##BYTES zero = {0}, lane = {CYPOOL_LANES##LANES(CYPOOL_SELF)};              \
    mask_##S##_##BYTES in[32];                                                                   \
    CYPOOL_EACH_BLOCK(n, LANES) {                                                                \
        const int64_t at = place->at + i * place->next;                                          \
        char *to_y = y + i * (place->index32 ? 4 : 8);                                           \
        const int whole = from <= STRIDE * i                                                     \
            && to - STRIDE * i > STRIDE * (LANES - 1) + (columns - 1) * reach;                   \
        for (ptrdiff_t j = 0; j < columns && !whole; j++) {                                      \
            ptrdiff_t lo = from - STRIDE * i - j * reach, hi = to - STRIDE * i - j * reach;      \
            lo = lo <= 0 ? 0 : (lo - 1) / STRIDE + 1;                                            \
            hi = hi <= 0 ? 0 : (hi - 1) / STRIDE + 1;                                            \
            lo = lo > LANES ? LANES : lo;                                                        \
            hi = hi > LANES ? LANES : hi;                                                        \
            in[j] = (lane >= (I)lo - zero) & (lane < (I)hi - zero);                              \
        }                                                                                        \
        if (whole && rows == 3 && columns == 3)                                                  \
            NAME##STRIDE##_strip_##S##_##BYTES(                                                  \
                many, n, c + i, v + i, sv, a + STRIDE * i, sa, step, 3, reach, 3, place, at,     \
                to_y, 0);                                                                        \
        else if (whole && rows == 2 && columns == 2)                                             \
            NAME##STRIDE##_strip_##S##_##BYTES(                                                  \
                many, n, c + i, v + i, sv, a + STRIDE * i, sa, step, 2, reach, 2, place, at,     \
                to_y, 0);                                                                        \
        else if (whole)                                                                          \
            NAME##STRIDE##_strip_##S##_##BYTES(                                                  \
                many, n, c + i, v + i, sv, a + STRIDE * i, sa, step, rows, reach, columns,       \
                place, at, to_y, 0);                                                             \
        else if (rows == 3 && columns == 3)                                                      \
            NAME##STRIDE##_strip_##S##_##BYTES(                                                  \
                many, n, c + i, v + i, sv, a + STRIDE * i, sa, step, 3, reach, 3, place, at,     \
                to_y, in);                                                                       \
        else                                                                                     \
            NAME##STRIDE##_strip_##S##_##BYTES(                                                  \
                many, n, c + i, v + i, sv, a + STRIDE * i, sa, step, rows, reach, columns,       \
                place, at, to_y, in);                                                            \
    }                                                                                            \
}
#define CYPOOL_FIND_TRY(NAME, S, T, I, STRIDE, BYTES, LANES)                                     \
    if (stride == STRIDE && n >= LANES) {                                                        \
        NAME##STRIDE##_##S##_##BYTES(many, n, (I *)codes, v, sv, a, sa, step, rows, reach,       \
            columns, place, y, from, to);                                                        \
        return;                                                                                  \
    }
#define CYPOOL_FIND(NAME, S, T, I, MATCH, L64, L32, L16)                                         \
CYPOOL_WIDTHS(CYPOOL_FIND_ROWS, L64, L32, L16, NAME, S, T, I, MATCH, 1)                          \
CYPOOL_WIDTHS(CYPOOL_FIND_ROWS, L64, L32, L16, NAME, S, T, I, MATCH, 2)                          \
static inline __attribute__((unused)) void NAME##_##S(                                           \
    ptrdiff_t many, ptrdiff_t n, void *codes, const T *v, ptrdiff_t sv, const T *a,              \
    ptrdiff_t sa, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t reach, ptrdiff_t columns,            \
    ptrdiff_t stride, const cypool_place *place, char *y, ptrdiff_t from, ptrdiff_t to)          \
{                                                                                                \
    CYPOOL_WIDTHS(CYPOOL_FIND_TRY, L64, L32, L16, NAME, S, T, I, 1)                              \
    CYPOOL_WIDTHS(CYPOOL_FIND_TRY, L64, L32, L16, NAME, S, T, I, 2)                              \
}
CYPOOL_FIND(find, f32, float, int32_t, CYPOOL_SAME, 16, 8, 4)
CYPOOL_FIND(find, f64, double, int64_t, CYPOOL_SAME, 8, 4, 2)
CYPOOL_FIND(find_nan, f32, float, int32_t, CYPOOL_SAME_OR_NAN, 16, 8, 4)
CYPOOL_FIND(find_nan, f64, double, int64_t, CYPOOL_SAME_OR_NAN, 8, 4, 2)
static inline __attribute__((unused)) void no_find(
    ptrdiff_t many, ptrdiff_t n, void *codes, const void *v, ptrdiff_t sv, const void *a,
    ptrdiff_t sa, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t reach, ptrdiff_t columns,
    ptrdiff_t stride, const cypool_place *place, char *y, ptrdiff_t from, ptrdiff_t to)
{ }

/* Codes as indices: `at` and s more for each further window, plus what its tap adds. There are at
   most 32 taps, and a code of all ones means none. */
#define CYPOOL_INDICES_AS(T, I, BYTES)                                                           \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        I found = (I)(at + j * s) + (I)offset[c[j] & 31];                                        \
        *(I *)(y + j * (BYTES)) = c[j] == (T)-1 ? (I)-1 : found;                                 \
    }
#define CYPOOL_INDICES(S, T)                                                                     \
CYPOOL_ROW indices_##S(                                                                          \
    ptrdiff_t n, const void *codes, char *restrict y, ptrdiff_t sy, int index32, int64_t at,     \
    ptrdiff_t s, const int64_t *restrict offset)                                                 \
{                                                                                                \
    const T *restrict c = (const T *)codes;                                                      \
    if (index32 && sy == 4) { CYPOOL_INDICES_AS(T, int32_t, 4) }                                 \
    else if (index32) { CYPOOL_INDICES_AS(T, int32_t, sy) }                                      \
    else if (sy == 8) { CYPOOL_INDICES_AS(T, int64_t, 8) }                                       \
    else { CYPOOL_INDICES_AS(T, int64_t, sy) }                                                   \
}
CYPOOL_INDICES(m8, cypool_m8)
CYPOOL_INDICES(m16, cypool_m16)
CYPOOL_INDICES(m32, cypool_m32)
CYPOOL_INDICES(m64, cypool_m64)
CYPOOL_INDICES(m128, cypool_m128)
#define cypool_indices(n, y, ...) CYPOOL_OF_SIZE(indices, y)(n, y, __VA_ARGS__)

/* The same where all fits into 32 bits and indices lie next to each other. Tap t is column t % kw of
   row t / kw % kh; there are at most 32 taps, for which t * ceil(1024 / k) / 1024 is t / k. */
#define CYPOOL_INDICES_SMALL_AS(T, I)                                                            \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        uint32_t t = (uint32_t)c[j];                                                             \
        int32_t add = (int32_t)(t * w + ((t * by_w) >> 10) * h + ((t * by_wh) >> 10) * d);       \
        I found = (I)(at + j * s) + (I)add;                                                      \
        ((I *)y)[j] = c[j] == (T)-1 ? (I)-1 : found;                                             \
    }
#define CYPOOL_INDICES_SMALL(S, T)                                                               \
CYPOOL_ROW indices_small_##S(                                                                    \
    ptrdiff_t n, const void *restrict codes, char *restrict y, int index32, int64_t at,          \
    int64_t s, int64_t step_w, int64_t step_h, int64_t step_d, int64_t kw, int64_t kh)           \
{                                                                                                \
    const T *restrict c = (const T *)codes;                                                      \
    const uint32_t w = (uint32_t)step_w, h = (uint32_t)step_h, d = (uint32_t)step_d;             \
    const uint32_t by_w = (uint32_t)(1023 / kw + 1), by_wh = (uint32_t)(1023 / (kw * kh) + 1);   \
    if (index32) { CYPOOL_INDICES_SMALL_AS(T, int32_t) }                                         \
    else { CYPOOL_INDICES_SMALL_AS(T, int64_t) }                                                 \
}
CYPOOL_INDICES_SMALL(m8, cypool_m8)
CYPOOL_INDICES_SMALL(m16, cypool_m16)
CYPOOL_INDICES_SMALL(m32, cypool_m32)
CYPOOL_INDICES_SMALL(m64, cypool_m64)
CYPOOL_INDICES_SMALL(m128, cypool_m128)
#define cypool_indices_small(n, y, ...) CYPOOL_OF_SIZE(indices_small, y)(n, y, __VA_ARGS__)

/* Flags of n indices: 1, one lies outside its plane (-1 does not); 2, one is not among the reach + 1
   elements from lo, lo + step, ... on that its window sees. */
#define CYPOOL_CHECK(BITS)                                                                       \
static __attribute__((noinline, unused)) int check##BITS(                                        \
    ptrdiff_t n, const int##BITS##_t *a, int64_t lo, int64_t step, int64_t reach, int64_t size)  \
{                                                                                                \
    int64_t bad = 0, astray = 0;                                                                 \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        int64_t at = a[j], from = at - (lo + j * step);                                          \
        bad |= (at < -1) | (at >= size);                                                         \
        astray |= (at >= 0) & ((from < 0) | (from > reach));                                     \
    }                                                                                            \
    return (bad ? 1 : 0) | (astray ? 2 : 0);                                                     \
}
CYPOOL_CHECK(32)
CYPOOL_CHECK(64)

/* Sums of float32 in float64: fours are added up by pairs in float32, which costs two roundings, and
   the fours in float64. What is summed may have been brought into float64 before (S is f64): the
   sums are the same to the last bit. Of rows: up to 8, `step` apart; `more`, added to what is there. */
#define CYPOOL_TAP(T) ((float)a[j + (T) * step])
#define CYPOOL_WIDEN_BLOCK(S, SOURCE)                                                            \
CYPOOL_BLOCK widen_block_##S(                                                                    \
    double *restrict y, const SOURCE *restrict a, ptrdiff_t step, int count, int more,           \
    ptrdiff_t n)                                                                                 \
{                                                                                                \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        /* (Unrolled by hand: compilers make vectors of the loop around this only.) */           \
        float four = CYPOOL_TAP(0), next;                                                        \
        double v;                                                                                \
        if (count > 1) four += CYPOOL_TAP(1);                                                    \
        if (count == 3) four += CYPOOL_TAP(2);                                                   \
        if (count > 3) four += CYPOOL_TAP(2) + CYPOOL_TAP(3);                                    \
        v = (double)four;                                                                        \
        if (count > 4) {                                                                         \
            next = CYPOOL_TAP(4);                                                                \
            if (count > 5) next += CYPOOL_TAP(5);                                                \
            if (count == 7) next += CYPOOL_TAP(6);                                               \
            if (count > 7) next += CYPOOL_TAP(6) + CYPOOL_TAP(7);                                \
            v += (double)next;                                                                   \
        }                                                                                        \
        y[j] = more ? y[j] + v : v;                                                              \
    }                                                                                            \
}
#define CYPOOL_WIDEN(COUNT, MORE, S, SOURCE)                                                     \
CYPOOL_ROW widen##COUNT##_##MORE##_##S(                                                          \
    ptrdiff_t rows, ptrdiff_t n, double *y, ptrdiff_t sy, const SOURCE *a, ptrdiff_t sa,         \
    ptrdiff_t step)                                                                              \
{                                                                                                \
    enum { gathered = 1 };                                                                       \
    CYPOOL_EACH_ROW(                                                                             \
        CYPOOL_IN_PLACE(float, n, widen_block_##S(y + i_, a + i_, step, COUNT, MORE, B_)))       \
}
#define CYPOOL_WIDENS(S, SOURCE)                                                                 \
CYPOOL_WIDEN_BLOCK(S, SOURCE)                                                                    \
CYPOOL_WIDEN(1, 0, S, SOURCE) CYPOOL_WIDEN(2, 0, S, SOURCE) CYPOOL_WIDEN(3, 0, S, SOURCE)        \
CYPOOL_WIDEN(4, 0, S, SOURCE) CYPOOL_WIDEN(5, 0, S, SOURCE) CYPOOL_WIDEN(6, 0, S, SOURCE)        \
CYPOOL_WIDEN(7, 0, S, SOURCE) CYPOOL_WIDEN(8, 0, S, SOURCE) CYPOOL_WIDEN(1, 1, S, SOURCE)        \
CYPOOL_WIDEN(2, 1, S, SOURCE) CYPOOL_WIDEN(3, 1, S, SOURCE) CYPOOL_WIDEN(4, 1, S, SOURCE)        \
CYPOOL_WIDEN(5, 1, S, SOURCE) CYPOOL_WIDEN(6, 1, S, SOURCE) CYPOOL_WIDEN(7, 1, S, SOURCE)        \
CYPOOL_WIDEN(8, 1, S, SOURCE)                                                                    \
static inline __attribute__((unused)) void widen_##S(                                            \
    ptrdiff_t rows, ptrdiff_t n, double *y, ptrdiff_t sy, const SOURCE *a, ptrdiff_t sa,         \
    ptrdiff_t step, ptrdiff_t count, int more)                                                   \
{                                                                                                \
    typedef void (*row_fn)(                                                                      \
        ptrdiff_t, ptrdiff_t, double *, ptrdiff_t, const SOURCE *, ptrdiff_t, ptrdiff_t);        \
    static const row_fn fn[2][8] = {                                                             \
        {widen1_0_##S, widen2_0_##S, widen3_0_##S, widen4_0_##S, widen5_0_##S, widen6_0_##S,     \
         widen7_0_##S, widen8_0_##S},                                                            \
        {widen1_1_##S, widen2_1_##S, widen3_1_##S, widen4_1_##S, widen5_1_##S, widen6_1_##S,     \
         widen7_1_##S, widen8_1_##S}};                                                           \
    for (; count > 8; count -= 8, a += 8 * step, more = 1) fn[more][7](rows, n, y, sy, a, sa, step); \
    fn[more][count - 1](rows, n, y, sy, a, sa, step);                                            \
}
CYPOOL_WIDENS(f32, float)
CYPOOL_WIDENS(f64, double)
#define cypool_widen(rows, n, y, sy, a, ...)                                                     \
    _Generic((a), const float *: widen_f32, float *: widen_f32, const double *: widen_f64,       \
        double *: widen_f64)(rows, n, y, sy, a, __VA_ARGS__)

/* Sums of integers in wider ones, straight from where they lie: rows of `count`, `step` apart. */
#define CYPOOL_GAIN(COUNT, MORE, S, T, FROM, SOURCE)                                             \
CYPOOL_BLOCK gain_block##COUNT##_##MORE##_##S##_##FROM(                                          \
    T *restrict y, const SOURCE *restrict a, ptrdiff_t step, ptrdiff_t n)                        \
{                                                                                                \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        T v = (T)a[j];                                                                           \
        if (COUNT > 1) v = (T)(v + (T)a[j + step]);                                              \
        if (COUNT > 2) v = (T)(v + (T)a[j + 2 * step]);                                          \
        if (COUNT > 3) v = (T)(v + (T)a[j + 3 * step]);                                          \
        y[j] = MORE ? (T)(y[j] + v) : v;                                                         \
    }                                                                                            \
}                                                                                                \
CYPOOL_ROW gain##COUNT##_##MORE##_##S##_##FROM(                                                  \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const SOURCE *a, ptrdiff_t sa,              \
    ptrdiff_t step)                                                                              \
{                                                                                                \
    enum { gathered = 1 };                                                                       \
    CYPOOL_EACH_ROW(CYPOOL_IN_PLACE(                                                             \
        T, n, gain_block##COUNT##_##MORE##_##S##_##FROM(y + i_, a + i_, step, B_)))              \
}
#define CYPOOL_GAINS_FROM(S, T, FROM, SOURCE)                                                    \
CYPOOL_GAIN(1, 0, S, T, FROM, SOURCE) CYPOOL_GAIN(2, 0, S, T, FROM, SOURCE)                      \
CYPOOL_GAIN(3, 0, S, T, FROM, SOURCE) CYPOOL_GAIN(4, 0, S, T, FROM, SOURCE)                      \
CYPOOL_GAIN(1, 1, S, T, FROM, SOURCE) CYPOOL_GAIN(2, 1, S, T, FROM, SOURCE)                      \
CYPOOL_GAIN(3, 1, S, T, FROM, SOURCE) CYPOOL_GAIN(4, 1, S, T, FROM, SOURCE)                      \
static inline __attribute__((unused)) void gain_##S##_##FROM(                                    \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const void *from, ptrdiff_t sa,             \
    ptrdiff_t step, ptrdiff_t count)                                                             \
{                                                                                                \
    typedef void (*row_fn)(                                                                      \
        ptrdiff_t, ptrdiff_t, T *, ptrdiff_t, const SOURCE *, ptrdiff_t, ptrdiff_t);             \
    static const row_fn fn[2][4] = {                                                             \
        {gain1_0_##S##_##FROM, gain2_0_##S##_##FROM, gain3_0_##S##_##FROM,                       \
         gain4_0_##S##_##FROM},                                                                  \
        {gain1_1_##S##_##FROM, gain2_1_##S##_##FROM, gain3_1_##S##_##FROM,                       \
         gain4_1_##S##_##FROM}};                                                                 \
    const SOURCE *a = (const SOURCE *)from;                                                      \
    int more = 0;                                                                                \
    for (; count > 4; count -= 4, a += 4 * step, more = 1) fn[more][3](rows, n, y, sy, a, sa, step); \
    fn[more][count - 1](rows, n, y, sy, a, sa, step);                                            \
}
CYPOOL_GAINS_FROM(i16, int16_t, i8, int8_t)
CYPOOL_GAINS_FROM(i16, int16_t, u8, uint8_t)
CYPOOL_GAINS_FROM(i32, int32_t, i8, int8_t)
CYPOOL_GAINS_FROM(i32, int32_t, u8, uint8_t)
CYPOOL_GAINS_FROM(i32, int32_t, i16, int16_t)
CYPOOL_GAINS_FROM(i32, int32_t, u16, uint16_t)
/* rows, n, y, distance of its rows, source, that of its rows, step, count, what the source is of (its
   bytes, and whether these have signs) */
#define cypool_gain(rows, n, y, sy, a, sa, step, count, bytes, is_signed)                        \
    _Generic((y),                                                                                \
        int16_t *: ((is_signed) ? gain_i16_i8 : gain_i16_u8)(                                    \
            rows, n, (int16_t *)(y), sy, a, sa, step, count),                                    \
        int32_t *: ((bytes) == 1 ? (is_signed) ? gain_i32_i8 : gain_i32_u8                       \
                                 : (is_signed) ? gain_i32_i16 : gain_i32_u16)(                   \
            rows, n, (int32_t *)(y), sy, a, sa, step, count))

/* Half a vector of float32 as float64: GCC makes the widest of two halves, where one instruction does. */
typedef double cypool_doubles __attribute__((vector_size(CYPOOL_VECTOR)));
typedef float cypool_floats __attribute__((vector_size(CYPOOL_VECTOR / 2)));
static inline __attribute__((always_inline, unused)) cypool_doubles cypool_wider_float(cypool_floats v)
{
#if CYPOOL_VECTOR == 64
    return (cypool_doubles)_mm512_cvtps_pd((__m256)v);
#else
    return __builtin_convertvector(v, cypool_doubles);
#endif
}
static inline __attribute__((always_inline, unused)) cypool_doubles cypool_wider_double(
    cypool_doubles v)
{ return v; }

/* n elements in a row, as one sum in float64: in 16 lanes, four values at a time, these by pairs,
   and the lanes by pairs at last; fewer than 16 elements by fours alone. At most 1024. LANE is the
   type that fours are added up in. */
#define CYPOOL_TOTAL(NAME, T, LANE, I)                                                           \
/* 16 elements from p on, in parts of a register. */                                             \
CYPOOL_BLOCK NAME##_read(LANE *restrict y, const T *restrict p)                                  \
{ for (int j = 0; j < (int)(CYPOOL_VECTOR / sizeof(LANE)); j++) y[j] = (LANE)p[j]; }             \
static inline __attribute__((always_inline, unused)) double NAME##_of(                           \
    ptrdiff_t n, const void *from)                                                               \
{                                                                                                \
    enum { lanes = CYPOOL_VECTOR / sizeof(LANE), parts = 16 / lanes,                             \
           wide = CYPOOL_VECTOR / sizeof(double), times = sizeof(double) / sizeof(LANE) };       \
    typedef LANE four __attribute__((vector_size(CYPOOL_VECTOR)));                               \
    typedef LANE some __attribute__((vector_size(CYPOOL_VECTOR / times)));                       \
    typedef I bits __attribute__((vector_size(CYPOOL_VECTOR), aligned(sizeof(I)), may_alias));   \
    typedef double whole __attribute__((vector_size(CYPOOL_VECTOR)));                            \
    typedef double two __attribute__((vector_size(16)));                                         \
    static const I kept[32] = {                                                                  \
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                                          \
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};                         \
    const T *a = (const T *)from;                                                                \
    whole sums[16 / wide], v;                                                                    \
    two e[4];                                                                                    \
    four p0, p1, p2, p3;                                                                         \
    some piece[times];                                                                           \
    if (n < 16) {                                                                                \
        double all = 0.0;                                                                        \
        ptrdiff_t i = 0;                                                                         \
        for (; i + 4 <= n; i += 4)                                                               \
            all += (double)(((LANE)a[i] + (LANE)a[i + 1]) + ((LANE)a[i + 2] + (LANE)a[i + 3]));  \
        for (; i + 2 <= n; i += 2) all += (double)((LANE)a[i] + (LANE)a[i + 1]);                 \
        if (i < n) all += (double)a[i];                                                          \
        return all;                                                                              \
    }                                                                                            \
    CYPOOL_UNROLLED                                                                              \
    for (int p = 0; p < 16 / wide; p++) sums[p] = (whole){0};                                    \
    for (int done = 0; !done;) {                                                                 \
        done = n < 64;                                                                           \
        CYPOOL_UNROLLED                                                                          \
        for (int p = 0; p < parts; p++) {                                                        \
            p0 = p1 = p2 = p3 = (four){0};                                                       \
            if (!done) NAME##_read((LANE *)&p3, a + 48 + p * lanes);                             \
            else {                                                                               \
                /* Up to three blocks more, and what is left of one: the last 16, but for those  \
                   that were counted. */                                                         \
                NAME##_read((LANE *)&p3, a + n - 16 + p * lanes);                                \
                p3 = (four)((bits)p3 & *(const bits *)(kept + n % 16 + p * lanes));              \
            }                                                                                    \
            if (n >= 16) NAME##_read((LANE *)&p0, a + p * lanes);                                \
            if (n >= 32) NAME##_read((LANE *)&p1, a + 16 + p * lanes);                           \
            if (n >= 48) NAME##_read((LANE *)&p2, a + 32 + p * lanes);                           \
            p0 = (p0 + p1) + (p2 + p3);                                                          \
            memcpy(piece, &p0, sizeof(p0));                                                      \
            CYPOOL_UNROLLED                                                                      \
            for (int q = 0; q < times; q++)                                                      \
                sums[p * times + q] += cypool_wider_##LANE(piece[q]);                            \
        }                                                                                        \
        a += 64;                                                                                 \
        n -= 64;                                                                                 \
    }                                                                                            \
    CYPOOL_UNROLLED                                                                              \
    for (int p = 0; p < 8 / wide; p++) {                                                         \
        v = sums[p] + sums[p + 8 / wide];                                                        \
        memcpy((double *)e + p * wide, &v, sizeof(v));                                           \
    }                                                                                            \
    e[0] = (e[0] + e[2]) + (e[1] + e[3]);                                                        \
    return e[0][0] + e[0][1];                                                                    \
}                                                                                                \
static __attribute__((noinline, unused)) double NAME(ptrdiff_t n, const void *from)              \
{ return NAME##_of(n, from); }
CYPOOL_TOTAL(total_f32, float, float, int32_t)
CYPOOL_TOTAL(total_f64, double, double, int64_t)
CYPOOL_TOTAL(total_narrow_f64, double, float, int32_t)
/* Windows of n elements, `step` apart. */
static __attribute__((noinline, unused)) void totals_f32(
    ptrdiff_t windows, ptrdiff_t n, double *restrict y, const float *restrict a, ptrdiff_t step)
{ for (ptrdiff_t i = 0; i < windows; i++) y[i] = total_f32_of(n, a + i * step); }
/* The last one for what was float32 before. */
#define cypool_total(n, a, narrow)                                                               \
    _Generic((a), float *: total_f32, const float *: total_f32,                                  \
        default: (narrow) ? total_narrow_f64 : total_f64)(n, (const void *)(a))

/* The function of a name for a reducer's tag and a row's type. */
#define CYPOOL_OF_TYPE(NAME, y)                                                                  \
    _Generic((y), int8_t *: NAME##_i8, uint8_t *: NAME##_u8, int16_t *: NAME##_i16,              \
        uint16_t *: NAME##_u16, int32_t *: NAME##_i32, uint32_t *: NAME##_u32,                   \
        int64_t *: NAME##_i64, uint64_t *: NAME##_u64, cypool_int128 *: NAME##_i128,             \
        float *: NAME##_f32, double *: NAME##_f64)
/* An integer has no NaN, so that its nan forms are never called; they stand in for each other. */
#define CYPOOL_OF_REAL(NAME, OTHER, y)                                                           \
    _Generic((y), float *: NAME##_f32, double *: NAME##_f64, default: CYPOOL_OF_TYPE(OTHER, y))
#define CYPOOL_ROW_OF(NAME, r, y)                                                                \
    _Generic((r), cypool_max *: CYPOOL_OF_TYPE(NAME##_max, y),                                   \
        cypool_min *: CYPOOL_OF_TYPE(NAME##_min, y),                                             \
        cypool_sum *: CYPOOL_OF_TYPE(NAME##_sum, y),                                             \
        cypool_nanmax *: CYPOOL_OF_REAL(NAME##_nanmax, NAME##_max, y),                           \
        cypool_nanmin *: CYPOOL_OF_REAL(NAME##_nanmin, NAME##_min, y))

/* rows, n, reducer, then y and sources with the distances between their rows; further sources by
   their distance from the first. */
#define cypool_join(rows, n, r, y, ...) CYPOOL_ROW_OF(join, r, y)(rows, n, y, __VA_ARGS__)
#define cypool_join3(rows, n, r, y, ...) CYPOOL_ROW_OF(join3, r, y)(rows, n, y, __VA_ARGS__)
#define cypool_add(rows, n, r, y, ...) CYPOOL_ROW_OF(add, r, y)(rows, n, y, __VA_ARGS__)
#define cypool_add2(rows, n, r, y, ...) CYPOOL_ROW_OF(add2, r, y)(rows, n, y, __VA_ARGS__)
#define cypool_pairs(rows, n, r, y, ...) CYPOOL_ROW_OF(pairs, r, y)(rows, n, y, __VA_ARGS__)
#define cypool_triples(rows, n, r, y, ...) CYPOOL_ROW_OF(triples, r, y)(rows, n, y, __VA_ARGS__)
/* Sums have windows in the types that they are kept in only. */
static inline __attribute__((unused)) int no_windows(
    ptrdiff_t planes, ptrdiff_t rows, ptrdiff_t n, int lanes, void *y, ptrdiff_t py, ptrdiff_t sy,
    const void *a, ptrdiff_t pa, ptrdiff_t sa, ptrdiff_t step, int taps, ptrdiff_t from,
    ptrdiff_t to, double nothing, double by)
{ return 0; }
static inline __attribute__((unused)) int no_clipped(
    ptrdiff_t rows, void *y, ptrdiff_t sy, const void *a, ptrdiff_t sa, ptrdiff_t step, int taps,
    int count, int kernel, double by)
{ return 0; }
static inline __attribute__((unused)) int no_pixels(
    ptrdiff_t outputs, ptrdiff_t n, void *y, const void *a, ptrdiff_t advance, ptrdiff_t step,
    ptrdiff_t reach, int taps, int kernel, void *room, double by)
{ return 0; }
static inline __attribute__((unused)) int no_pixel(
    int kernel, ptrdiff_t n, void *y, const void *const *taps, double by)
{ return 0; }
#define CYPOOL_OF_ORDERED(NAME, NONE, y)                                                         \
    _Generic((y), int8_t *: NAME##_i8, uint8_t *: NAME##_u8, int16_t *: NAME##_i16,              \
        uint16_t *: NAME##_u16, int32_t *: NAME##_i32, uint32_t *: NAME##_u32,                   \
        int64_t *: NAME##_i64, uint64_t *: NAME##_u64, float *: NAME##_f32,                      \
        double *: NAME##_f64, default: NONE)
#define CYPOOL_WINDOWS_FOR(NAME, NONE, r, roots, y)                                              \
    _Generic((r), cypool_max *: CYPOOL_OF_ORDERED(NAME##_max, NONE, y),                          \
        cypool_min *: CYPOOL_OF_ORDERED(NAME##_min, NONE, y),                                    \
        cypool_sum *: _Generic((y), int32_t *: NAME##_sum_i32, int64_t *: NAME##_sum_i64,        \
            float *: (roots) ? NAME##_square_f32 : NAME##_sum_f32, double *: NAME##_sum_f64,     \
            default: NONE),                                                                      \
        cypool_nanmax *: _Generic((y), float *: NAME##_nanmax_f32,                               \
            double *: NAME##_nanmax_f64, default: CYPOOL_OF_ORDERED(NAME##_max, NONE, y)),       \
        cypool_nanmin *: _Generic((y), float *: NAME##_nanmin_f32,                               \
            double *: NAME##_nanmin_f64, default: CYPOOL_OF_ORDERED(NAME##_min, NONE, y)))
/* planes, rows, n, lanes of a block (of a vector, its half or its quarter), reducer, whether its sums
   are roots of sums of squares, y, distance of its planes and rows, source, distance of its planes and
   rows and of the rows of a window, taps, from, to, nothing, what sums are divided by */
#define cypool_windows22(planes, rows, n, lanes, r, roots, y, ...)                               \
    CYPOOL_WINDOWS_FOR(windows22, no_windows, r, roots, y)(planes, rows, n, lanes, y, __VA_ARGS__)
#define cypool_windows32(planes, rows, n, lanes, r, roots, y, ...)                               \
    CYPOOL_WINDOWS_FOR(windows32, no_windows, r, roots, y)(planes, rows, n, lanes, y, __VA_ARGS__)
#define cypool_windows31(planes, rows, n, lanes, r, roots, y, ...)                               \
    CYPOOL_WINDOWS_FOR(windows31, no_windows, r, roots, y)(planes, rows, n, lanes, y, __VA_ARGS__)
#define cypool_clipped(rows, r, roots, y, ...)                                                   \
    CYPOOL_WINDOWS_FOR(clipped, no_clipped, r, roots, y)(rows, y, __VA_ARGS__)
/* outputs, n, reducer, y, source, its distance from one window to the next, that of a window's rows
   and columns, taps of a column, kernel, room for 3 n values, what sums are divided by */
#define cypool_pixels(outputs, n, r, roots, y, ...)                                              \
    CYPOOL_WINDOWS_FOR(pixels, no_pixels, r, roots, y)(outputs, n, y, __VA_ARGS__)
/* kernel, n, reducer, y, taps row by row, divisor */
#define cypool_pixel(kernel, n, r, roots, y, ...)                                                \
    CYPOOL_WINDOWS_FOR(pixel, no_pixel, r, roots, y)(kernel, n, y, __VA_ARGS__)
static inline __attribute__((unused)) int no_peaks(
    ptrdiff_t windows, ptrdiff_t n, void *y, const void *a, ptrdiff_t step)
{ return 0; }
/* windows, n, reducer, y, source, its distance from one window to the next */
#define cypool_peaks(windows, n, r, y, ...)                                                      \
    _Generic((r), cypool_max *: CYPOOL_OF_ORDERED(peaks_max, no_peaks, y),                       \
        cypool_min *: CYPOOL_OF_ORDERED(peaks_min, no_peaks, y),                                 \
        cypool_nanmax *: _Generic((y), float *: peaks_nanmax_f32,                                \
            double *: peaks_nanmax_f64, default: CYPOOL_OF_ORDERED(peaks_max, no_peaks, y)),     \
        cypool_nanmin *: _Generic((y), float *: peaks_nanmin_f32,                                \
            double *: peaks_nanmin_f64, default: CYPOOL_OF_ORDERED(peaks_min, no_peaks, y)),     \
        default: no_peaks)(windows, n, y, __VA_ARGS__)
#define cypool_locate(rows, n, r, c, sc, v, ...)                                                 \
    _Generic((r), cypool_nanmax *: CYPOOL_OF_REAL(locate_nan, locate, v),                        \
        cypool_nanmin *: CYPOOL_OF_REAL(locate_nan, locate, v),                                  \
        default: CYPOOL_OF_TYPE(locate, v))(rows, n, c, sc, v, __VA_ARGS__)
/* rows, n, reducer, codes, values, distance of their rows, source, distance from a row of windows to
   the next, that of a window's rows, how many, the same of columns, stride, place, indices, from, to */
#define cypool_find(rows, n, r, c, v, ...)                                                       \
    _Generic((r), cypool_nanmax *: _Generic((v), float *: find_nan_f32, double *: find_nan_f64,  \
            default: no_find),                                                                   \
        cypool_nanmin *: _Generic((v), float *: find_nan_f32, double *: find_nan_f64,            \
            default: no_find),                                                                   \
        default: _Generic((v), float *: find_f32, double *: find_f64, default: no_find))         \
        (rows, n, c, v, __VA_ARGS__)
#define cypool_locate_run(rows, n, r, c, sc, v, ...)                                             \
    _Generic((r), cypool_nanmax *: CYPOOL_OF_REAL(locate_nan_run, locate_run, v),                \
        cypool_nanmin *: CYPOOL_OF_REAL(locate_nan_run, locate_run, v),                          \
        default: CYPOOL_OF_TYPE(locate_run, v))(rows, n, c, sc, v, __VA_ARGS__)
#define cypool_has_nan(n, a)                                                                     \
    _Generic((a), const float *: has_nan_f32, const double *: has_nan_f64)(n, a)

#endif

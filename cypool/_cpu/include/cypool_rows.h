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

#if defined(__AVX512F__)
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
#define CYPOOL_OP_nanmax(a, b) (((b) > (a)) | ((b) != (b)) ? (b) : (a))
#define CYPOOL_OP_nanmin(a, b) (((b) < (a)) | ((b) != (b)) ? (b) : (a))

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

/* Many rows of n elements: rows of y lie sy elements apart, those of the sources sa. Where nothing
   lies between rows, they are one. */
#define CYPOOL_EACH_ROW(ROW_CALL)                                                                \
    if (sy == n && sa == gathered * n) { n *= rows; rows = 1; }                                  \
    for (; rows > 0; rows--) { ROW_CALL; y += sy; a += sa; }

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
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        T v = (T)CYPOOL_OP_##OP(a[2 * j], a[2 * j + 1]);                                         \
        y[j] = (T)CYPOOL_OP_##OP(v, a[2 * j + 2]);                                               \
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

#define CYPOOL_HAS_NAN(OP, S, T)                                                                 \
static __attribute__((noinline, unused)) int has_nan_##S(ptrdiff_t n, const T *a)                \
{                                                                                                \
    int found = 0;                                                                               \
    for (ptrdiff_t i = 0; i < n; i++) found |= a[i] != a[i];                                     \
    return found;                                                                                \
}
CYPOOL_REAL_TYPES(CYPOOL_HAS_NAN, )

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
#define cypool_has_nan(n, a)                                                                 \
    _Generic((a), const float *: has_nan_f32, const double *: has_nan_f64)(n, a)

#endif

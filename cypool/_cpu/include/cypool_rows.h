/* Rows that are joined, by every reducer and in every type; rows that are moved. */
#ifndef CYPOOL_ROWS_H
#define CYPOOL_ROWS_H
#include <stddef.h>
#include <stdint.h>
#include "cypool_vectors.h"

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

/* The even elements of two vectors of 32 bytes, and the odd ones, as they come at once, and what is made
   of them in its order. */
#define CYPOOL_PARTS(S, T, LANES)                                                                \
CYPOOL_BLOCK parts_##S(T *even, T *odd, const T *a)                                              \
{                                                                                                \
    const vec_##S##_32 left = *(const vec_##S##_32 *)a, right = *(const vec_##S##_32 *)(a + LANES);\
    *(vec_##S##_32 *)even = near_evens_##S##_32(left, right);                                    \
    *(vec_##S##_32 *)odd = near_odds_##S##_32(left, right);                                      \
}                                                                                                \
CYPOOL_BLOCK join_parts_##S(T *y, const T *made)                                                 \
{ *(vec_##S##_32 *)y = joined_##S##_32(*(const vec_##S##_32 *)made); }
#if CYPOOL_VECTOR == 32
#define CYPOOL_IN_PARTS(T, n) (sizeof(T) <= 8 && (size_t)(n) * sizeof(T) == 32)
CYPOOL_PARTS(i8, int8_t, 32)
CYPOOL_PARTS(u8, uint8_t, 32)
CYPOOL_PARTS(i16, int16_t, 16)
CYPOOL_PARTS(u16, uint16_t, 16)
CYPOOL_PARTS(i32, int32_t, 8)
CYPOOL_PARTS(u32, uint32_t, 8)
CYPOOL_PARTS(i64, int64_t, 4)
CYPOOL_PARTS(u64, uint64_t, 4)
CYPOOL_PARTS(f32, float, 8)
CYPOOL_PARTS(f64, double, 4)
CYPOOL_BLOCK parts_i128(cypool_int128 *even, cypool_int128 *odd, const cypool_int128 *a) { }
CYPOOL_BLOCK join_parts_i128(cypool_int128 *y, const cypool_int128 *made) { }
#define CYPOOL_PAIRS_IN_PARTS(OP, S, T)                                                          \
    if (CYPOOL_IN_PARTS(T, n)) {                                                                 \
        T even[32 / sizeof(T)], odd[32 / sizeof(T)];                                             \
        parts_##S(even, odd, a);                                                                 \
        for (ptrdiff_t j = 0; j < n; j++) even[j] = (T)CYPOOL_OP_##OP(even[j], odd[j]);          \
        join_parts_##S(y, even);                                                                 \
        return;                                                                                  \
    }
#define CYPOOL_TRIPLES_IN_PARTS(OP, S, T)                                                        \
    if (CYPOOL_IN_PARTS(T, n)) {                                                                 \
        T even[32 / sizeof(T)], odd[32 / sizeof(T)], third[32 / sizeof(T)], _[32 / sizeof(T)];   \
        parts_##S(even, odd, a);                                                                 \
        parts_##S(_, third, a + 1);                                                              \
        for (ptrdiff_t j = 0; j < n; j++) even[j] = (T)CYPOOL_OP_##OP(even[j], odd[j]);          \
        for (ptrdiff_t j = 0; j < n; j++) even[j] = (T)CYPOOL_OP_##OP(even[j], third[j]);        \
        join_parts_##S(y, even);                                                                 \
        return;                                                                                  \
    }
#else
#define CYPOOL_PAIRS_IN_PARTS(OP, S, T)
#define CYPOOL_TRIPLES_IN_PARTS(OP, S, T)
#endif

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
{                                                                                                \
    CYPOOL_PAIRS_IN_PARTS(OP, S, T)                                                              \
    for (ptrdiff_t j = 0; j < n; j++) y[j] = (T)CYPOOL_OP_##OP(a[2 * j], a[2 * j + 1]);          \
}                                                                                                \
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
    CYPOOL_TRIPLES_IN_PARTS(OP, S, T)                                                            \
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

/* rows, n, reducer, then y and sources with the distances between their rows; further sources by
   their distance from the first. */
#define cypool_join(rows, n, r, y, ...) CYPOOL_ROW_OF(join, r, y)(rows, n, y, __VA_ARGS__)
#define cypool_join3(rows, n, r, y, ...) CYPOOL_ROW_OF(join3, r, y)(rows, n, y, __VA_ARGS__)
#define cypool_add(rows, n, r, y, ...) CYPOOL_ROW_OF(add, r, y)(rows, n, y, __VA_ARGS__)
#define cypool_add2(rows, n, r, y, ...) CYPOOL_ROW_OF(add2, r, y)(rows, n, y, __VA_ARGS__)
#define cypool_pairs(rows, n, r, y, ...) CYPOOL_ROW_OF(pairs, r, y)(rows, n, y, __VA_ARGS__)
#define cypool_triples(rows, n, r, y, ...) CYPOOL_ROW_OF(triples, r, y)(rows, n, y, __VA_ARGS__)

#define CYPOOL_HAS_NAN(S, T, U)                                                                  \
static __attribute__((noinline, unused)) int has_nan_##S(ptrdiff_t n, const T *a)                \
{                                                                                                \
    /* (Two are looked at in one comparison, whose result is as wide as they are, for it to be one \
       of vectors.) */                                                                           \
    const ptrdiff_t half = n / 2;                                                                \
    U found = 0;                                                                                 \
    for (ptrdiff_t i = 0; i < half; i++)                                                         \
        found |= __builtin_isunordered(a[i], a[half + i]) ? (U)-1 : (U)0;                        \
    return found != 0 || (n > 0 && a[n - 1] != a[n - 1]);                                        \
}
CYPOOL_HAS_NAN(f32, float, uint32_t)
CYPOOL_HAS_NAN(f64, double, uint64_t)

#define cypool_has_nan(n, a)                                                                     \
    _Generic((a), const float *: has_nan_f32, const double *: has_nan_f64)(n, a)

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
/* (Of a loop GCC makes a call for each block.) */                                               \
CYPOOL_BLOCK copy_block_##S(T *restrict y, const T *restrict a, ptrdiff_t n)                     \
{ __builtin_memcpy(y, a, (size_t)n * sizeof(T)); }                                               \
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

#endif

/* What all loops share: how wide a vector is, how a row is cut into vectors, which reducer is meant.
   In C, because Cython has no `restrict`, without which no compiler turns short blocks into vector
   code. Each row goes in whole vectors; what is left at its end is taken by a last vector that
   overlaps the one before it, or, where y is also read, by ever smaller blocks, so that a row of 7
   or 14 elements is a few instructions as well. Every function stays one of its own (noinline): the
   tests look through the disassembly of each for vector code. */
#ifndef CYPOOL_VECTORS_H
#define CYPOOL_VECTORS_H
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
#define CYPOOL_OP_halves(a, b) ((a) + (b))
#define CYPOOL_OP_bfloats(a, b) ((a) + (b))
#define CYPOOL_OP_bytes(a, b) ((a) + (b))
#define CYPOOL_OP_ubytes(a, b) ((a) + (b))
#define CYPOOL_OP_shorts(a, b) ((a) + (b))
#define CYPOOL_OP_ushorts(a, b) ((a) + (b))
#define CYPOOL_OP_keymax(a, b) CYPOOL_OP_max(a, b)
#define CYPOOL_OP_keymin(a, b) CYPOOL_OP_min(a, b)
#define CYPOOL_OP_nanmax(a, b) (((b) > (a)) | ((b) != (b)) ? (b) : (a))
#define CYPOOL_OP_nanmin(a, b) (((b) < (a)) | ((b) != (b)) ? (b) : (a))

#define CYPOOL_UNROLLED _Pragma("GCC unroll 16")

/* Memory further on is asked for, into the second cache, as the first one has few requests to spare.
   What lies there need not be an array's. Rows of more bytes than CYPOOL_SHORT are read ahead by
   processors by themselves. */
#define CYPOOL_AHEAD 16384
#define CYPOOL_SOON 2048        /* where what is asked for in order is read at once */
#define CYPOOL_SHORT (CYPOOL_VECTOR == 32 ? 4096 : 8192)
#define CYPOOL_ASK(p, bytes) CYPOOL_ASK_ON(p, bytes, CYPOOL_AHEAD)
#define CYPOOL_ASK_ON(p, bytes, ahead)                                                           \
    for (ptrdiff_t j_ = 0; j_ < (ptrdiff_t)(bytes); j_ += 64)                                    \
        __builtin_prefetch((const void *)((uintptr_t)(p) + (ahead) + (uintptr_t)j_), 0, 2);
/* Blocks that go down some rows of a few columns before those of the columns beside them are no order
   that processors read or write ahead in. So what lies in the same columns `bytes` further on, where
   the next rows are that are gone through together, is asked for, block by block; to be written, or not. */
#define CYPOOL_ASK_BELOW(p, bytes, written)                                                      \
    __builtin_prefetch((const void *)((uintptr_t)(p) + (uintptr_t)(bytes)), written, 2);
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
#define CYPOOL_WOVEN(i) (i) % 2 * lanes_ + (i) / 2
#define CYPOOL_WOVEN_MORE(i) (i) % 2 * lanes_ + lanes_ / 2 + (i) / 2
/* Of elements and those two on, the ones between, from the nearer of both in each 16 bytes. */
#define CYPOOL_BETWEEN(i) (i) % part_ < part_ / 2 ? (i) + 1 : lanes_ + (i) - 1
#if defined(__clang__) || __GNUC__ >= 12
#define CYPOOL_SHUFFLE(a, b, MASK, LANES, F) __builtin_shufflevector(a, b, CYPOOL_LANES##LANES(F))
#else
#define CYPOOL_SHUFFLE(a, b, MASK, LANES, F) __builtin_shuffle(a, b, (MASK){CYPOOL_LANES##LANES(F)})
#endif

#if CYPOOL_VECTOR == 64
#define CYPOOL_WIDEST(DO, L64, L32, L16, ...) DO(__VA_ARGS__, 64, L64)
#elif CYPOOL_VECTOR == 32
#define CYPOOL_WIDEST(DO, L64, L32, L16, ...) DO(__VA_ARGS__, 32, L32)
#else
#define CYPOOL_WIDEST(DO, L64, L32, L16, ...) DO(__VA_ARGS__, 16, L16)
#endif

#if CYPOOL_VECTOR == 64
#define CYPOOL_WIDTHS(DO, L64, L32, L16, ...)                                                    \
    DO(__VA_ARGS__, 64, L64) DO(__VA_ARGS__, 32, L32) DO(__VA_ARGS__, 16, L16)
#elif CYPOOL_VECTOR == 32
#define CYPOOL_WIDTHS(DO, L64, L32, L16, ...)                                                    \
    DO(__VA_ARGS__, 32, L32) DO(__VA_ARGS__, 16, L16)
#else
#define CYPOOL_WIDTHS(DO, L64, L32, L16, ...) DO(__VA_ARGS__, 16, L16)
#endif

/* The widest and the narrowest of them. */
#if CYPOOL_VECTOR == 64
#define CYPOOL_ENDS(DO, L64, L32, L16, ...) DO(__VA_ARGS__, 64, L64) DO(__VA_ARGS__, 16, L16)
#else
#define CYPOOL_ENDS(DO, L64, L32, L16, ...) CYPOOL_WIDTHS(DO, L64, L32, L16, __VA_ARGS__)
#endif

/* Blocks of a vector, the last of which overlaps the one before it: there is at least one. */
#define CYPOOL_EACH_BLOCK(n, LANES)                                                              \
    for (ptrdiff_t i_ = 0; i_ < (n); i_ += LANES)                                                \
        for (ptrdiff_t i = i_ + LANES <= (n) ? i_ : (n) - LANES, one_ = 1; one_; one_ = 0)
/* Vectors, and masks as wide, of each type and each width there is. */
#define CYPOOL_VEC(S, T, I, BYTES, LANES)                                                        \
typedef T vec_##S##_##BYTES __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));  \
typedef I mask_##S##_##BYTES __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));
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

/* The even elements of two vectors, and the odd ones. With AVX2 little goes from one half of a register
   to the other, so what is asked for comes half by half (`near`), and in its order by one instruction
   more (`joined`). */
#define CYPOOL_NEAR(i, H) (                                                                      \
    (i) / (H) * (H) + ((i) % (H) < (H) / 2 ? 2 * ((i) % (H)) : lanes_ + 2 * ((i) % (H)) - (H)))
#define CYPOOL_NEAR_EVEN(i) CYPOOL_NEAR(i, lanes_ / 2)
#define CYPOOL_NEAR_ODD(i) CYPOOL_NEAR(i, lanes_ / 2) + 1
#define CYPOOL_QUARTER(i) (i) % 2 * 2 + (i) / 2
#if CYPOOL_VECTOR >= 32
static inline __attribute__((always_inline, unused)) mask_i64_32 join_quarters(mask_i64_32 v)
{ return CYPOOL_SHUFFLE(v, v, mask_i64_32, 4, CYPOOL_QUARTER); }
#endif
#define CYPOOL_JOINED_16(v) (v)
#define CYPOOL_JOINED_32(v) join_quarters((mask_i64_32)(v))
#define CYPOOL_JOINED_64(v) (v)
#define CYPOOL_APART(S, T, I, BYTES, LANES)                                                      \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES joined_##S##_##BYTES(     \
    vec_##S##_##BYTES v)                                                                         \
{ return (vec_##S##_##BYTES)CYPOOL_JOINED_##BYTES(v); }                                          \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES near_evens_##S##_##BYTES( \
    vec_##S##_##BYTES a, vec_##S##_##BYTES b)                                                    \
{                                                                                                \
    enum { lanes_ = LANES };                                                                     \
    if (BYTES != 32) return CYPOOL_SHUFFLE(a, b, mask_##S##_##BYTES, LANES, CYPOOL_EVEN);        \
    return CYPOOL_SHUFFLE(a, b, mask_##S##_##BYTES, LANES, CYPOOL_NEAR_EVEN);                    \
}                                                                                                \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES near_odds_##S##_##BYTES(  \
    vec_##S##_##BYTES a, vec_##S##_##BYTES b)                                                    \
{                                                                                                \
    enum { lanes_ = LANES };                                                                     \
    if (BYTES != 32) return CYPOOL_SHUFFLE(a, b, mask_##S##_##BYTES, LANES, CYPOOL_ODD);         \
    return CYPOOL_SHUFFLE(a, b, mask_##S##_##BYTES, LANES, CYPOOL_NEAR_ODD);                     \
}
CYPOOL_WIDTHS(CYPOOL_APART, 64, 32, 16, i8, int8_t, int8_t)
CYPOOL_WIDTHS(CYPOOL_APART, 64, 32, 16, u8, uint8_t, int8_t)
CYPOOL_WIDTHS(CYPOOL_APART, 32, 16, 8, i16, int16_t, int16_t)
CYPOOL_WIDTHS(CYPOOL_APART, 32, 16, 8, u16, uint16_t, int16_t)
CYPOOL_WIDTHS(CYPOOL_APART, 16, 8, 4, i32, int32_t, int32_t)
CYPOOL_WIDTHS(CYPOOL_APART, 16, 8, 4, u32, uint32_t, int32_t)
CYPOOL_WIDTHS(CYPOOL_APART, 8, 4, 2, i64, int64_t, int64_t)
CYPOOL_WIDTHS(CYPOOL_APART, 8, 4, 2, u64, uint64_t, int64_t)
CYPOOL_WIDTHS(CYPOOL_APART, 16, 8, 4, f32, float, int32_t)
CYPOOL_WIDTHS(CYPOOL_APART, 8, 4, 2, f64, double, int64_t)

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

#endif

/* Rows of windows side by side, of which a network of comparisons finds the value of one rank. */
#ifndef CYPOOL_RANKS_H
#define CYPOOL_RANKS_H
#include <stddef.h>
#include <stdint.h>
#include "cypool_medians.h"
#include "cypool_vectors.h"

/* Rows go in whole vectors: what lies behind their ends may be read, and is written to. */
enum { CYPOOL_STEP_WORDS = 5, CYPOOL_EXCHANGE = 0, CYPOOL_LEAST_OF = 1 };

#define CYPOOL_STEPS(S, T)                                                                       \
CYPOOL_BLOCK exchange_block_##S(                                                                 \
    T *restrict least, T *restrict most, const T *restrict a, const T *restrict b, ptrdiff_t n)  \
{                                                                                                \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        T v = a[j], w = b[j];                                                                    \
        least[j] = CYPOOL_OP_min(v, w);                                                          \
        most[j] = CYPOOL_OP_max(v, w);                                                           \
    }                                                                                            \
}                                                                                                \
CYPOOL_BLOCK least_block_##S(T *restrict y, const T *restrict a, const T *restrict b, ptrdiff_t n) \
{ for (ptrdiff_t j = 0; j < n; j++) y[j] = CYPOOL_OP_min(a[j], b[j]); }                          \
CYPOOL_BLOCK most_block_##S(T *restrict y, const T *restrict a, const T *restrict b, ptrdiff_t n) \
{ for (ptrdiff_t j = 0; j < n; j++) y[j] = CYPOOL_OP_max(a[j], b[j]); }                          \
/* Steps of networks.py on rows of n elements that lie at these distances from the first. */     \
CYPOOL_ROW steps_##S(                                                                            \
    ptrdiff_t n, ptrdiff_t count, const uint16_t *step, T *first, const ptrdiff_t *at)           \
{                                                                                                \
    enum { B_ = CYPOOL_VECTOR / sizeof(T) };                                                     \
    for (; count > 0; count--, step += CYPOOL_STEP_WORDS) {                                      \
        const T *a = first + at[step[1]], *b = first + at[step[2]];                              \
        T *least = first + at[step[3]], *most = first + at[step[4]];                             \
        ptrdiff_t i_ = 0;                                                                        \
        if (step[0] == CYPOOL_EXCHANGE)                                                          \
            for (; i_ < n; i_ += B_)                                                             \
                exchange_block_##S(least + i_, most + i_, a + i_, b + i_, B_);                   \
        else if (step[0] == CYPOOL_LEAST_OF)                                                     \
            for (; i_ < n; i_ += B_) least_block_##S(least + i_, a + i_, b + i_, B_);            \
        else                                                                                     \
            for (; i_ < n; i_ += B_) most_block_##S(most + i_, a + i_, b + i_, B_);              \
    }                                                                                            \
}

/* Networks that are compiled, on the same rows: what is made on the way stays in registers. */
#define CYPOOL_RANK_FROM(k) const T *p##k = first + at[k];
#define CYPOOL_RANK_TO(k) T *restrict p##k = first + at[k];
#define CYPOOL_RANK_GET(k) T r##k = p##k[i];
#define CYPOOL_RANK_ROOM(k) T r##k;
#define CYPOOL_RANK_PUT(k) p##k[i] = r##k;
#define CYPOOL_RANK_X(a, b, least, most)                                                         \
    { T v = r##a, w = r##b; r##least = CYPOOL_OP_min(v, w); r##most = CYPOOL_OP_max(v, w); }
#define CYPOOL_RANK_L(a, b, least) r##least = CYPOOL_OP_min(r##a, r##b);
#define CYPOOL_RANK_M(a, b, most) r##most = CYPOOL_OP_max(r##a, r##b);
#define CYPOOL_COMPILED(NAME, S, TYPE)                                                           \
CYPOOL_ROW compiled_##NAME##_##S(ptrdiff_t n, TYPE *first, const ptrdiff_t *at)                  \
{                                                                                                \
    enum { B_ = CYPOOL_VECTOR / sizeof(TYPE) };                                                  \
    typedef TYPE T;                                                                              \
    CYPOOL_GIVEN_##NAME(CYPOOL_RANK_FROM)                                                        \
    CYPOOL_MADE_##NAME(CYPOOL_RANK_TO)                                                           \
    _Pragma("GCC ivdep")                                                                         \
    for (ptrdiff_t i = 0; i < n / B_ * B_; i++) {                                                \
        CYPOOL_GIVEN_##NAME(CYPOOL_RANK_GET)                                                     \
        CYPOOL_ROWS_##NAME(CYPOOL_RANK_ROOM)                                                     \
        CYPOOL_DONE_##NAME(CYPOOL_RANK_X, CYPOOL_RANK_L, CYPOOL_RANK_M)                          \
        CYPOOL_MADE_##NAME(CYPOOL_RANK_PUT)                                                      \
    }                                                                                            \
}

/* A network by its number in networks.py; 0: none that is compiled. */
#define CYPOOL_RUN(S, T)                                                                         \
CYPOOL_STEPS(S, T)                                                                               \
CYPOOL_COMPILED(SORT_2, S, T)                                                                    \
CYPOOL_COMPILED(MEDIAN_2, S, T)                                                                  \
CYPOOL_COMPILED(SORT_3, S, T)                                                                    \
CYPOOL_COMPILED(MEDIAN_3, S, T)                                                                  \
CYPOOL_COMPILED(SORT_5, S, T)                                                                    \
CYPOOL_COMPILED(MEDIAN_5, S, T)                                                                  \
CYPOOL_BLOCK network_##S(                                                                        \
    ptrdiff_t n, int compiled, ptrdiff_t count, const uint16_t *step, T *first,                  \
    const ptrdiff_t *at)                                                                         \
{                                                                                                \
    switch (compiled) {                                                                          \
    case 1: compiled_SORT_2_##S(n, first, at); break;                                            \
    case 2: compiled_MEDIAN_2_##S(n, first, at); break;                                          \
    case 3: compiled_SORT_3_##S(n, first, at); break;                                            \
    case 4: compiled_MEDIAN_3_##S(n, first, at); break;                                          \
    case 5: compiled_SORT_5_##S(n, first, at); break;                                            \
    case 6: compiled_MEDIAN_5_##S(n, first, at); break;                                          \
    default: steps_##S(n, count, step, first, at);                                               \
    }                                                                                            \
}
CYPOOL_RUN(i8, int8_t)
CYPOOL_RUN(u8, uint8_t)
CYPOOL_RUN(i16, int16_t)
CYPOOL_RUN(u16, uint16_t)
CYPOOL_RUN(i32, int32_t)
CYPOOL_RUN(u32, uint32_t)
CYPOOL_RUN(i64, int64_t)
CYPOOL_RUN(u64, uint64_t)
CYPOOL_RUN(f32, float)
CYPOOL_RUN(f64, double)

/* Tap t of windows where its value is theirs. */
#define CYPOOL_RANK_TAP(S, T, U)                                                                 \
CYPOOL_ROW tap_##S(ptrdiff_t n, void *taps, const T *restrict a, const T *restrict y, int t)     \
{                                                                                                \
    U *restrict found = (U *)taps;                                                               \
    for (ptrdiff_t j = 0; j < n; j++) found[j] = a[j] == y[j] ? (U)t : found[j];                 \
}
CYPOOL_RANK_TAP(i8, int8_t, uint8_t)
CYPOOL_RANK_TAP(u8, uint8_t, uint8_t)
CYPOOL_RANK_TAP(i16, int16_t, uint16_t)
CYPOOL_RANK_TAP(u16, uint16_t, uint16_t)
CYPOOL_RANK_TAP(i32, int32_t, uint32_t)
CYPOOL_RANK_TAP(u32, uint32_t, uint32_t)
CYPOOL_RANK_TAP(i64, int64_t, uint64_t)
CYPOOL_RANK_TAP(u64, uint64_t, uint64_t)
CYPOOL_RANK_TAP(f32, float, uint32_t)
CYPOOL_RANK_TAP(f64, double, uint64_t)
#define cypool_tap(n, taps, a, y, t)                                                             \
    _Generic((a), const int8_t *: tap_i8, const uint8_t *: tap_u8, const int16_t *: tap_i16,     \
        const uint16_t *: tap_u16, const int32_t *: tap_i32, const uint32_t *: tap_u32,          \
        const int64_t *: tap_i64, const uint64_t *: tap_u64, const float *: tap_f32,             \
        const double *: tap_f64)(n, taps, a, y, t)

/* Windows that have a NaN at tap t; of int16, the key of one. */
#define CYPOOL_MARK(S, T, U, ODD)                                                                \
CYPOOL_ROW odd_##S(ptrdiff_t n, U *restrict y, const T *restrict a, int t)                       \
{ for (ptrdiff_t j = 0; j < n; j++) y[j] = ODD ? (U)t : y[j]; }
CYPOOL_MARK(i16, int16_t, int16_t, a[j] == INT16_MAX)
CYPOOL_MARK(f32, float, int32_t, a[j] != a[j])
CYPOOL_MARK(f64, double, int64_t, a[j] != a[j])
#define cypool_odd(n, y, a, t)                                                                   \
    _Generic((a), const int16_t *: odd_i16, const float *: odd_f32,                              \
        const double *: odd_f64)(n, y, a, t)

#define cypool_network(n, compiled, count, step, first, at)                                      \
    _Generic((first), int8_t *: network_i8, uint8_t *: network_u8, int16_t *: network_i16,       \
        uint16_t *: network_u16, int32_t *: network_i32, uint32_t *: network_u32,                \
        int64_t *: network_i64, uint64_t *: network_u64, float *: network_f32,                   \
        double *: network_f64)(n, compiled, count, step, first, at)

#endif

/* Four or five rows as one, combined in registers, and any number of an extreme. */
#ifndef CYPOOL_TAPS_H
#define CYPOOL_TAPS_H
#include <stddef.h>
#include <stdint.h>
#include "cypool_rows.h"
#include "cypool_windows.h"

/* Four or five rows: by pairs, one after the other, after three if their number is odd. */
#define CYPOOL_TAPS_OF(K, OP, S, T)                                                              \
CYPOOL_BLOCK taps##K##_block_##OP##_##S(                                                         \
    T *restrict y, const T *restrict a, ptrdiff_t b, ptrdiff_t n)                                \
{                                                                                                \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        T v = a[j], w = a[j + b], x;                                                             \
        v = (T)CYPOOL_OP_##OP(v, w);                                                             \
        if (K % 2) {                                                                             \
            w = a[j + 2 * b];                                                                    \
            v = (T)CYPOOL_OP_##OP(v, w);                                                         \
        }                                                                                        \
        CYPOOL_UNROLLED                                                                          \
        for (int t = 2 + K % 2; t < K; t += 2) {                                                 \
            w = a[j + t * b];                                                                    \
            x = a[j + (t + 1) * b];                                                              \
            w = (T)CYPOOL_OP_##OP(w, x);                                                         \
            v = (T)CYPOOL_OP_##OP(v, w);                                                         \
        }                                                                                        \
        y[j] = v;                                                                                \
    }                                                                                            \
}                                                                                                \
CYPOOL_BLOCK taps##K##_row_##OP##_##S(ptrdiff_t n, T *y, const T *a, ptrdiff_t b)                \
{ CYPOOL_OUT_OF_PLACE(T, n, taps##K##_block_##OP##_##S(y + i_, a + i_, b, B_)) }                 \
CYPOOL_ROW each##K##_##OP##_##S(                                                                 \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa, ptrdiff_t b)      \
{                                                                                                \
    enum { gathered = 1 };                                                                       \
    CYPOOL_EACH_ROW(taps##K##_row_##OP##_##S(n, y, a, b))                                        \
}

/* Rows under windows one apart, strip by strip: what several windows see is read once. */
#define CYPOOL_ROLLS_OF(K, OP, S, T, BYTES, LANES)                                               \
static __attribute__((noinline, unused)) void roll##K##_##OP##_##S##_##BYTES(                    \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa)                   \
{                                                                                                \
    vec_##S##_##BYTES v[K], w;                                                                   \
    CYPOOL_EACH_BLOCK(n, LANES) {                                                                \
        const T *from = a + i;                                                                   \
        CYPOOL_UNROLLED                                                                          \
        for (int t = 0; t < K - 1; t++) v[t] = *(const vec_##S##_##BYTES *)(from + t * sa);      \
        for (ptrdiff_t h = 0; h < rows; h++) {                                                   \
            v[K - 1] = *(const vec_##S##_##BYTES *)(from + (h + K - 1) * sa);                    \
            w = both_##OP##_##S##_##BYTES(v[0], v[1]);                                           \
            if (K % 2) w = both_##OP##_##S##_##BYTES(w, v[2]);                                   \
            CYPOOL_UNROLLED                                                                      \
            for (int t = 2 + K % 2; t < K; t += 2)                                               \
                w = both_##OP##_##S##_##BYTES(w, both_##OP##_##S##_##BYTES(v[t], v[t + 1]));     \
            *(vec_##S##_##BYTES *)(y + h * sy + i) = w;                                          \
            CYPOOL_UNROLLED                                                                      \
            for (int t = 0; t < K - 1; t++) v[t] = v[t + 1];                                     \
        }                                                                                        \
    }                                                                                            \
}
#define CYPOOL_ROLLS_TRY(K, OP, S, T, BYTES, LANES)                                              \
    if (n >= LANES) {                                                                            \
        roll##K##_##OP##_##S##_##BYTES(rows, n, y, sy, a, sa);                                   \
        return;                                                                                  \
    }
#define CYPOOL_ROLLS(K, OP, S, T, L64, L32, L16)                                                 \
CYPOOL_TAPS_OF(K, OP, S, T)                                                                      \
CYPOOL_WIDTHS(CYPOOL_ROLLS_OF, L64, L32, L16, K, OP, S, T)                                       \
static inline __attribute__((unused)) void taps##K##_##OP##_##S(                                 \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa, ptrdiff_t b)      \
{                                                                                                \
    if (sa == b && rows > 1) {                                                                   \
        CYPOOL_WIDTHS(CYPOOL_ROLLS_TRY, L64, L32, L16, K, OP, S, T)                              \
    }                                                                                            \
    each##K##_##OP##_##S(rows, n, y, sy, a, sa, b);                                              \
}
#define CYPOOL_ALL_TAPS(OP, S, T, I, L64, L32, L16)                                              \
CYPOOL_ROLLS(4, OP, S, T, L64, L32, L16)                                                         \
CYPOOL_ROLLS(5, OP, S, T, L64, L32, L16)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_TAPS, max)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_TAPS, min)
CYPOOL_ALL_TAPS(sum, i32, int32_t, int32_t, 16, 8, 4)
CYPOOL_ALL_TAPS(sum, i64, int64_t, int64_t, 8, 4, 2)
CYPOOL_ALL_TAPS(sum, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_TAPS(sum, f64, double, int64_t, 8, 4, 2)
CYPOOL_WIDTHS(CYPOOL_WINDOWS_BLOCKS, 32, 16, 8, sum, i16, int16_t)
CYPOOL_ALL_TAPS(sum, i16, int16_t, int16_t, 32, 16, 8)

/* Extremes of k rows that lie `step` apart: first up to four of them, then four more at a time. From
   more than the nearer caches hold (`far`), and where they lie one after the other, memory is asked
   for in its order, as it is read in another one. Whether a NaN was met that may be lost. */
#define CYPOOL_EXTREME_OF(OP, S, T, I, BYTES, LANES)                                             \
static inline __attribute__((always_inline, unused)) void extreme_row_##OP##_##S##_##BYTES(      \
    const int count, const int more, const int far, ptrdiff_t n, T *y, const T *a,               \
    ptrdiff_t step, vec_##S##_##BYTES *note)                                                     \
{                                                                                                \
    CYPOOL_EACH_BLOCK(n, LANES) {                                                                \
        vec_##S##_##BYTES v[4], seen = {0};                                                      \
        if (far) CYPOOL_ASK(a + count * i_, count * LANES * sizeof(T))                           \
        CYPOOL_UNROLLED                                                                          \
        for (int t = 0; t < count; t++) {                                                        \
            v[t] = *(const vec_##S##_##BYTES *)(a + t * step + i);                               \
            if (CYPOOL_NOTES(OP, T)) {                                                           \
                CYPOOL_FORGET(v[t])                                                              \
                if (t) seen += v[t]; else seen = v[t];                                           \
            }                                                                                    \
            if (t) v[0] = both_##OP##_##S##_##BYTES(v[0], v[t]);                                 \
        }                                                                                        \
        if (more) v[0] = both_##OP##_##S##_##BYTES(*(const vec_##S##_##BYTES *)(y + i), v[0]);   \
        if (CYPOOL_NOTES(OP, T)) *note += seen;                                                  \
        *(vec_##S##_##BYTES *)(y + i) = v[0];                                                    \
    }                                                                                            \
}                                                                                                \
static __attribute__((noinline, unused)) int extreme_##OP##_##S##_##BYTES(                       \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa, ptrdiff_t step,   \
    ptrdiff_t k, int far)                                                                        \
{                                                                                                \
    enum { gathered = 1 };                                                                       \
    const int first = (int)((k - 1) % 4) + 1;                                                    \
    vec_##S##_##BYTES note = {0};                                                                \
    mask_##S##_##BYTES bad;                                                                      \
    I any = 0;                                                                                   \
    CYPOOL_EACH_ROW(                                                                             \
        if (first == 1) extreme_row_##OP##_##S##_##BYTES(1, 0, 0, n, y, a, step, &note);         \
        else if (first == 2) extreme_row_##OP##_##S##_##BYTES(2, 0, 0, n, y, a, step, &note);    \
        else if (first == 3) extreme_row_##OP##_##S##_##BYTES(3, 0, 0, n, y, a, step, &note);    \
        else extreme_row_##OP##_##S##_##BYTES(4, 0, 0, n, y, a, step, &note);                    \
        for (ptrdiff_t t = first; t < k; t += 4)                                                 \
            if (far && step == n)                                                                \
                extreme_row_##OP##_##S##_##BYTES(4, 1, 1, n, y, a + t * n, n, &note);            \
            else extreme_row_##OP##_##S##_##BYTES(4, 1, 0, n, y, a + t * step, step, &note))     \
    bad = note != note;                                                                          \
    for (int j = 0; j < LANES; j++) any |= bad[j];                                               \
    return CYPOOL_NOTES(OP, T) && any;                                                           \
}
#define CYPOOL_EXTREME_TRY(OP, S, T, I, BYTES, LANES)                                            \
    if (n >= LANES) return extreme_##OP##_##S##_##BYTES(rows, n, y, sy, a, sa, step, k, far);
#define CYPOOL_EXTREME(OP, S, T, I, L64, L32, L16)                                               \
CYPOOL_WIDTHS(CYPOOL_EXTREME_OF, L64, L32, L16, OP, S, T, I)                                     \
static inline __attribute__((unused)) int extreme_##OP##_##S(                                    \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa, ptrdiff_t step,   \
    ptrdiff_t k, int far)                                                                        \
{                                                                                                \
    T note = 0;                                                                                  \
    if (sy == n && sa == n) { n *= rows; rows = 1; }                                             \
    CYPOOL_WIDTHS(CYPOOL_EXTREME_TRY, L64, L32, L16, OP, S, T, I)                                \
    for (; rows > 0; CYPOOL_ADVANCE(y += sy, a += sa))                                           \
        for (ptrdiff_t j = 0; j < n; j++) {                                                      \
            T v = a[j];                                                                          \
            for (ptrdiff_t t = 0; t < k; t++) {                                                  \
                const T w = a[t * step + j];                                                     \
                if (CYPOOL_NOTES(OP, T)) note += w;                                              \
                v = (T)CYPOOL_OP_##OP(v, w);                                                     \
            }                                                                                    \
            y[j] = v;                                                                            \
        }                                                                                        \
    return CYPOOL_NOTES(OP, T) && note != note;                                                  \
}
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_EXTREME, max)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_EXTREME, min)

/* (Never called: of what keeps NaN GCC would not make vector code, of 128 bits there is none.) */
static inline __attribute__((unused)) void no_taps(
    ptrdiff_t rows, ptrdiff_t n, void *y, ptrdiff_t sy, const void *a, ptrdiff_t sa, ptrdiff_t b)
{ }
static inline __attribute__((unused)) int no_extreme(
    ptrdiff_t rows, ptrdiff_t n, void *y, ptrdiff_t sy, const void *a, ptrdiff_t sa,
    ptrdiff_t step, ptrdiff_t k, int far)
{ return 0; }
/* rows, n, reducer (of an extreme), y, the distance of its rows, source, that of its rows, that of a
   window's rows, how many, far */
#define cypool_extreme(rows, n, r, y, ...)                                                       \
    _Generic((r), cypool_max *: CYPOOL_OF_ORDERED(extreme_max, no_extreme, y),                   \
        cypool_min *: CYPOOL_OF_ORDERED(extreme_min, no_extreme, y),                             \
        default: no_extreme)(rows, n, y, __VA_ARGS__)
#define CYPOOL_TAPS_FOR(NAME, r, y)                                                              \
    _Generic((r), cypool_max *: CYPOOL_OF_ORDERED(NAME##_max, no_taps, y),                       \
        cypool_min *: CYPOOL_OF_ORDERED(NAME##_min, no_taps, y),                                 \
        cypool_sum *: _Generic((y), int16_t *: NAME##_sum_i16, int32_t *: NAME##_sum_i32,        \
            int64_t *: NAME##_sum_i64, float *: NAME##_sum_f32, double *: NAME##_sum_f64,        \
            default: no_taps),                                                                   \
        default: no_taps)
/* rows, n, reducer, y, the distance of its rows, source, that of its rows, that of a window's rows */
#define cypool_taps4(rows, n, r, y, ...) CYPOOL_TAPS_FOR(taps4, r, y)(rows, n, y, __VA_ARGS__)
#define cypool_taps5(rows, n, r, y, ...) CYPOOL_TAPS_FOR(taps5, r, y)(rows, n, y, __VA_ARGS__)

#endif

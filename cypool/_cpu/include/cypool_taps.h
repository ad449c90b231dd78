/* Four or five rows as one, combined in registers, and four more of an extreme. */
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

/* Four more rows `step` apart: from more than the nearer caches hold (`far`), and one after the other,
   memory is asked for in its order, as it is read in another one. */
#define CYPOOL_MORE(OP, S, T, I, L64, L32, L16)                                                  \
CYPOOL_BLOCK more_block_##OP##_##S(                                                              \
    T *restrict y, const T *restrict a, ptrdiff_t step, ptrdiff_t n)                             \
{                                                                                                \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        T v = a[j], w = a[j + step];                                                             \
        v = (T)CYPOOL_OP_##OP(v, w);                                                             \
        w = a[j + 2 * step];                                                                     \
        v = (T)CYPOOL_OP_##OP(v, w);                                                             \
        w = a[j + 3 * step];                                                                     \
        v = (T)CYPOOL_OP_##OP(v, w);                                                             \
        w = y[j];                                                                                \
        y[j] = (T)CYPOOL_OP_##OP(v, w);                                                          \
    }                                                                                            \
}                                                                                                \
CYPOOL_BLOCK more_row_##OP##_##S(ptrdiff_t n, T *y, const T *a, ptrdiff_t step, int far)         \
{                                                                                                \
    CYPOOL_IN_PLACE(T, n,                                                                        \
        if (far) { CYPOOL_ASK(a + 4 * i_, 4 * B_ * sizeof(T)) }                                  \
        more_block_##OP##_##S(y + i_, a + i_, step, B_))                                         \
}                                                                                                \
CYPOOL_ROW more_##OP##_##S(                                                                      \
    ptrdiff_t rows, ptrdiff_t n, T *y, ptrdiff_t sy, const T *a, ptrdiff_t sa, ptrdiff_t step,   \
    int far)                                                                                     \
{                                                                                                \
    enum { gathered = 1 };                                                                       \
    CYPOOL_EACH_ROW(                                                                             \
        if (far && step == n) more_row_##OP##_##S(n, y, a, n, 1);                                \
        else more_row_##OP##_##S(n, y, a, step, 0))                                              \
}
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_MORE, max)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_MORE, min)

/* (Never called: of what keeps NaN GCC would not make vector code, of 128 bits there is none.) */
static inline __attribute__((unused)) void no_taps(
    ptrdiff_t rows, ptrdiff_t n, void *y, ptrdiff_t sy, const void *a, ptrdiff_t sa, ptrdiff_t b)
{ }
static inline __attribute__((unused)) void no_more(
    ptrdiff_t rows, ptrdiff_t n, void *y, ptrdiff_t sy, const void *a, ptrdiff_t sa,
    ptrdiff_t step, int far)
{ }
/* rows, n, reducer (of an extreme, without NaN), y, the distance of its rows, source, that of its
   rows, that of a window's rows, far */
#define cypool_more(rows, n, r, y, ...)                                                          \
    _Generic((r), cypool_max *: CYPOOL_OF_ORDERED(more_max, no_more, y),                         \
        cypool_min *: CYPOOL_OF_ORDERED(more_min, no_more, y),                                   \
        default: no_more)(rows, n, y, __VA_ARGS__)
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

/* Sums of long windows that lie one apart, by running sums of whole numbers: a row that enters a window
   is added, one that leaves it is taken off, and nothing is lost or left behind. A window costs as much
   as two additions along either axis, however long it is.

   Values of float32 are whole multiples of one power of two, their grid, if the least of them is not
   too small beside the greatest. In units of the grid, their sums are integers of 64 bits.
   A value becomes such an integer by adding `one`, 3 * 2^51 times the grid: the bits of that sum, less
   those of `one`, are the value in units of the grid. */
#ifndef CYPOOL_RUNNING_H
#define CYPOOL_RUNNING_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "cypool_vectors.h"

/* --- columns: a row enters, another one leaves --- */

static inline __attribute__((always_inline)) int64_t cypool_units(double x, double one)
{
    int64_t bits;
    x += one;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}
#define CYPOOL_UNITS(SUM, x) cypool_units((double)(x), one)
#define CYPOOL_AS_IT_IS(SUM, x) (SUM)(x)

/* n sums. */
#define CYPOOL_RUN(NAME, SUM, T, VALUE)                                                          \
CYPOOL_ROW NAME(                                                                                 \
    ptrdiff_t n, SUM *restrict sums, const T *restrict in, const T *restrict out, double one)    \
{                                                                                                \
    const SUM zero = VALUE(SUM, 0);                                                              \
    if (!out)                                                                                    \
        for (ptrdiff_t i = 0; i < n; i++) sums[i] = (SUM)(sums[i] + (VALUE(SUM, in[i]) - zero)); \
    else if (!in)                                                                                \
        for (ptrdiff_t i = 0; i < n; i++) sums[i] = (SUM)(sums[i] - (VALUE(SUM, out[i]) - zero)); \
    else                                                                                         \
        for (ptrdiff_t i = 0; i < n; i++)                                                        \
            sums[i] = (SUM)(sums[i] + (VALUE(SUM, in[i]) - VALUE(SUM, out[i])));                 \
}
CYPOOL_RUN(run_f32, int64_t, float, CYPOOL_UNITS)
CYPOOL_RUN(run_f64, int64_t, double, CYPOOL_UNITS)
CYPOOL_RUN(run_i64, int64_t, int64_t, CYPOOL_AS_IT_IS)
CYPOOL_RUN(run_i32_i8, int32_t, int8_t, CYPOOL_AS_IT_IS)
CYPOOL_RUN(run_i32_u8, int32_t, uint8_t, CYPOOL_AS_IT_IS)
CYPOOL_RUN(run_i32_i16, int32_t, int16_t, CYPOOL_AS_IT_IS)
CYPOOL_RUN(run_i32_u16, int32_t, uint16_t, CYPOOL_AS_IT_IS)
CYPOOL_RUN(run_i32, int32_t, int32_t, CYPOOL_AS_IT_IS)
CYPOOL_RUN(run_i16_i8, int16_t, int8_t, CYPOOL_AS_IT_IS)
CYPOOL_RUN(run_i16_u8, int16_t, uint8_t, CYPOOL_AS_IT_IS)
CYPOOL_RUN(run_i16, int16_t, int16_t, CYPOOL_AS_IT_IS)
/* Short integers that are read in place. */
CYPOOL_BLOCK cypool_run_short_i16(
    ptrdiff_t n, int16_t *sums, const void *in, const void *out, int size, int is_signed)
{
    if (is_signed) run_i16_i8(n, sums, (const int8_t *)in, (const int8_t *)out, 0);
    else run_i16_u8(n, sums, (const uint8_t *)in, (const uint8_t *)out, 0);
}
CYPOOL_BLOCK cypool_run_short_i32(
    ptrdiff_t n, int32_t *sums, const void *in, const void *out, int size, int is_signed)
{
    if (size == 1 && is_signed) run_i32_i8(n, sums, (const int8_t *)in, (const int8_t *)out, 0);
    else if (size == 1) run_i32_u8(n, sums, (const uint8_t *)in, (const uint8_t *)out, 0);
    else if (is_signed) run_i32_i16(n, sums, (const int16_t *)in, (const int16_t *)out, 0);
    else run_i32_u16(n, sums, (const uint16_t *)in, (const uint16_t *)out, 0);
}

/* --- windows of columns: a column enters, another one leaves --- */

/* Integers of 64 bits, correctly rounded. Only AVX-512 has an instruction for it: elsewhere both
   halves are made floating point by what they are added to. */
#if defined(__AVX512DQ__)
#define CYPOOL_CONVERTS 1
#else
#define CYPOOL_CONVERTS 0
#endif
#define CYPOOL_ROUNDED(S, BYTES, LANES)                                                          \
static inline __attribute__((always_inline)) vec_f64_##BYTES rounded_##S(vec_i64_##BYTES v)      \
{                                                                                                \
    const vec_u64_##BYTES low = (vec_u64_##BYTES)v & 0xffffffffu;                                \
    const vec_u64_##BYTES high = (vec_u64_##BYTES)v >> 32 ^ 0x4530000080000000u;                 \
    if (CYPOOL_CONVERTS) return __builtin_convertvector(v, vec_f64_##BYTES);                     \
    return ((vec_f64_##BYTES)high - 0x1.00000801p84)                                             \
        + (vec_f64_##BYTES)(low | 0x4330000000000000u);                                          \
}
CYPOOL_WIDEST(CYPOOL_ROUNDED, 8, 4, 2, i64)
#define CYPOOL_VALUES(v) (rounded_i64(v) * unit)
#define CYPOOL_SUMS(v) (v)

/* Lanes moved up by some, with zeros from below; the last one of each of c interleaved channels. */
#define CYPOOL_MOVED(i) (i) < moved_ ? (i) : lanes_ + (i) - moved_
#define CYPOOL_LAST(i) lanes_ - c_ + (i) % c_
#define CYPOOL_SCAN(S, BYTES, LANES, TIMES)                                                      \
    if (TIMES * c_ < lanes_) {                                                                   \
        enum { moved_ = TIMES * c_ };                                                            \
        v += CYPOOL_SHUFFLE(none, v, mask_##S##_##BYTES, LANES, CYPOOL_MOVED);                   \
    }
/* n values of c channels, of which a vector holds several columns: each lane together with all before
   it. Before the first column there is another one, of 0; beyond the last there is room. */
#define CYPOOL_SLIDE_FEW(NAME, S, SUM, SY, Y, VALUES, BYTES, LANES, C)                           \
static inline __attribute__((always_inline)) void NAME##_##C(                                    \
    ptrdiff_t n, Y *y, const SUM *sums, ptrdiff_t k, double unit)                                \
{                                                                                                \
    enum { lanes_ = LANES, c_ = C <= LANES ? C : 1 };                                            \
    const SUM *in = sums + (k - 1) * C, *out = sums - C;                                         \
    const vec_##S##_##BYTES none = {0};                                                          \
    vec_##S##_##BYTES all = {0}, v;                                                              \
    vec_##SY##_##BYTES value = {0};                                                              \
    SUM first[C] = {0};                                                                          \
    ptrdiff_t i, j;                                                                              \
    for (i = 0; i < k - 1; i++)                                                                  \
        CYPOOL_UNROLLED                                                                          \
        for (j = 0; j < C; j++) first[j] = (SUM)(first[j] + sums[i * C + j]);                    \
    for (j = 0; j < lanes_; j++) all[j] = first[j % C];                                          \
    for (i = 0; i < n; i += lanes_) {                                                            \
        v = *(const vec_##S##_##BYTES *)(in + i) - *(const vec_##S##_##BYTES *)(out + i);        \
        CYPOOL_SCAN(S, BYTES, LANES, 1)                                                          \
        CYPOOL_SCAN(S, BYTES, LANES, 2)                                                          \
        CYPOOL_SCAN(S, BYTES, LANES, 4)                                                          \
        CYPOOL_SCAN(S, BYTES, LANES, 8)                                                          \
        CYPOOL_SCAN(S, BYTES, LANES, 16)                                                         \
        v += all;                                                                                \
        all = CYPOOL_SHUFFLE(v, v, mask_##S##_##BYTES, LANES, CYPOOL_LAST);                      \
        value = VALUES(v);                                                                       \
        if (i + lanes_ > n) break;                                                               \
        *(vec_##SY##_##BYTES *)(y + i) = value;                                                  \
    }                                                                                            \
    for (j = 0; i + j < n; j++) y[i + j] = value[j];                                             \
}
/* n columns of more channels: as many at a time as a vector has lanes. */
#define CYPOOL_SLIDE(NAME, S, SUM, SY, Y, VALUES, BYTES, LANES)                                  \
CYPOOL_SLIDE_FEW(NAME, S, SUM, SY, Y, VALUES, BYTES, LANES, 1)                                   \
CYPOOL_SLIDE_FEW(NAME, S, SUM, SY, Y, VALUES, BYTES, LANES, 2)                                   \
CYPOOL_SLIDE_FEW(NAME, S, SUM, SY, Y, VALUES, BYTES, LANES, 3)                                   \
CYPOOL_SLIDE_FEW(NAME, S, SUM, SY, Y, VALUES, BYTES, LANES, 4)                                   \
CYPOOL_ROW NAME(                                                                                 \
    ptrdiff_t n, ptrdiff_t c, Y *y, const SUM *sums, ptrdiff_t k, double unit)                   \
{                                                                                                \
    const SUM *in = sums + (k - 1) * c, *out = sums - c;                                         \
    ptrdiff_t i, j;                                                                              \
    if (c == 1) { NAME##_1(n, y, sums, k, unit); return; }                                       \
    if (c == 2) { NAME##_2(n * 2, y, sums, k, unit); return; }                                   \
    if (c == 3 && LANES > 2) { NAME##_3(n * 3, y, sums, k, unit); return; }                      \
    if (c == 4 && LANES > 2) { NAME##_4(n * 4, y, sums, k, unit); return; }                      \
    for (ptrdiff_t at = 0; at < c; at += LANES) {                                                \
        j = at > c - LANES ? c - LANES : at;                                                     \
        j = j > 0 ? j : 0;                                                                       \
        vec_##S##_##BYTES all = {0};                                                             \
        vec_##SY##_##BYTES value;                                                                \
        for (i = 0; i < k - 1; i++) all += *(const vec_##S##_##BYTES *)(sums + i * c + j);       \
        for (i = 0; i < n; i++) {                                                                \
            all += *(const vec_##S##_##BYTES *)(in + i * c + j) - *(const vec_##S##_##BYTES *)(out + i * c + j); \
            value = VALUES(all);                                                                 \
            /* (What goes beyond a column is stored again by the next one.) */                   \
            if (i * c + j + LANES > n * c) break;                                                \
            *(vec_##SY##_##BYTES *)(y + i * c + j) = value;                                      \
        }                                                                                        \
        for (; i < n; i++) {                                                                     \
            for (ptrdiff_t q = 0; q < c; q++) y[i * c + q] = value[q];                           \
            if (i + 1 == n) break;                                                               \
            all += *(const vec_##S##_##BYTES *)(in + (i + 1) * c) - *(const vec_##S##_##BYTES *)(out + (i + 1) * c); \
            value = VALUES(all);                                                                 \
        }                                                                                        \
    }                                                                                            \
}
CYPOOL_WIDEST(CYPOOL_SLIDE, 8, 4, 2, slide_f64, i64, int64_t, f64, double, CYPOOL_VALUES)
CYPOOL_WIDEST(CYPOOL_SLIDE, 8, 4, 2, slide_i64, i64, int64_t, i64, int64_t, CYPOOL_SUMS)
CYPOOL_WIDEST(CYPOOL_SLIDE, 16, 8, 4, slide_i32, i32, int32_t, i32, int32_t, CYPOOL_SUMS)
CYPOOL_WIDEST(CYPOOL_SLIDE, 32, 16, 8, slide_i16, i16, int16_t, i16, int16_t, CYPOOL_SUMS)

/* columns, channels, results, sums, taps, the grid */
#define cypool_slide(n, c, y, ...)                                                               \
    _Generic((y), double *: slide_f64, int64_t *: slide_i64, int32_t *: slide_i32,               \
        int16_t *: slide_i16)(n, c, y, __VA_ARGS__)
/* n, sums, the row that enters and the one that leaves, or NULL, of short integers: their size and
   whether they are signed; or of what sums are made of, and then 3 * 2^51 times the grid */
#define cypool_run_short(n, sums, ...)                                                           \
    _Generic((sums), int16_t *: cypool_run_short_i16, int32_t *: cypool_run_short_i32)           \
        (n, sums, __VA_ARGS__)
#define cypool_run(n, sums, in, ...)                                                             \
    _Generic((in), const float *: run_f32, const double *: run_f64, const int64_t *: run_i64,    \
        const int32_t *: run_i32, const int16_t *: run_i16)(n, sums, in, __VA_ARGS__)

/* --- whether float32 has a grid --- */

/* The greatest magnitude of n values, and the least that is not 0, as bits: these are in the order of
   magnitudes. The least less one, with its sign turned, so that 0 comes last of all. */
#define CYPOOL_SURVEY(S, T)                                                                      \
CYPOOL_ROW survey_##S(ptrdiff_t n, const T *restrict a, int32_t *greatest, int32_t *least)       \
{                                                                                                \
    int32_t most = *greatest, few = (*least - 1) ^ INT32_MIN;                                    \
    for (ptrdiff_t i = 0; i < n; i++) {                                                          \
        const int32_t bits = (int32_t)(cypool_float_bits((float)a[i]) & INT32_MAX);              \
        const int32_t turned = (bits - 1) ^ INT32_MIN;                                           \
        most = bits > most ? bits : most;                                                        \
        few = turned < few ? turned : few;                                                       \
    }                                                                                            \
    *greatest = most;                                                                            \
    *least = few == INT32_MAX ? INT32_MAX : (few ^ INT32_MIN) + 1;                               \
}                                                                                                \
/* How many are below a bound. */                                                                \
CYPOOL_ROW below_##S(ptrdiff_t n, const T *restrict a, int32_t bound, int64_t *count)            \
{                                                                                                \
    for (ptrdiff_t i = 0; i < n; i += 4096) {                                                    \
        const ptrdiff_t end = n - i < 4096 ? n - i : 4096;                                       \
        int32_t some = 0;                                                                        \
        for (ptrdiff_t j = 0; j < end; j++)                                                      \
            some += (int32_t)(cypool_float_bits((float)a[i + j]) & INT32_MAX) < bound;           \
        *count += some;                                                                          \
    }                                                                                            \
}
CYPOOL_SURVEY(f32, float)
CYPOOL_SURVEY(f64, double)
#define cypool_survey(n, a, ...)                                                                 \
    _Generic((a), const float *: survey_f32, const double *: survey_f64)(n, a, __VA_ARGS__)
#define cypool_below(n, a, ...)                                                                  \
    _Generic((a), const float *: below_f32, const double *: below_f64)(n, a, __VA_ARGS__)

#endif

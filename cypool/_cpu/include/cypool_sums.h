/* Sums in a wider type than what they are made of, and shares of sums. */
#ifndef CYPOOL_SUMS_H
#define CYPOOL_SUMS_H
#if defined(__AVX__)
#include <immintrin.h>
#endif
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "cypool_vectors.h"
#include "cypool_windows.h"

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
/* Eight rows one after the other, from more than the nearer caches hold: memory is asked for in its
   order, as it is read in another one. */
#define CYPOOL_WIDEN_AHEAD(MORE, S, SOURCE)                                                      \
CYPOOL_ROW widen8_##MORE##_ahead_##S(ptrdiff_t n, double *y, const SOURCE *a)                    \
{                                                                                                \
    CYPOOL_IN_PLACE(float, n,                                                                    \
        CYPOOL_ASK_ON(a + 8 * i_, 8 * B_ * sizeof(SOURCE), CYPOOL_AHEAD / 2)                     \
        widen_block_##S(y + i_, a + i_, n, 8, MORE, B_))                                         \
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
CYPOOL_WIDEN_AHEAD(0, S, SOURCE) CYPOOL_WIDEN_AHEAD(1, S, SOURCE)                                \
static inline __attribute__((unused)) void widen_##S(                                            \
    ptrdiff_t rows, ptrdiff_t n, double *y, ptrdiff_t sy, const SOURCE *a, ptrdiff_t sa,         \
    ptrdiff_t step, ptrdiff_t count, int more, int far)                                          \
{                                                                                                \
    typedef void (*row_fn)(                                                                      \
        ptrdiff_t, ptrdiff_t, double *, ptrdiff_t, const SOURCE *, ptrdiff_t, ptrdiff_t);        \
    static const row_fn fn[2][8] = {                                                             \
        {widen1_0_##S, widen2_0_##S, widen3_0_##S, widen4_0_##S, widen5_0_##S, widen6_0_##S,     \
         widen7_0_##S, widen8_0_##S},                                                            \
        {widen1_1_##S, widen2_1_##S, widen3_1_##S, widen4_1_##S, widen5_1_##S, widen6_1_##S,     \
         widen7_1_##S, widen8_1_##S}};                                                           \
    if (far && step == n)                                                                        \
        for (; count >= 8; count -= 8, a += 8 * n, more = 1)                                     \
            (more ? widen8_1_ahead_##S : widen8_0_ahead_##S)(n, y, a);                           \
    for (; count > 8; count -= 8, a += 8 * step, more = 1) fn[more][7](rows, n, y, sy, a, sa, step); \
    if (count > 0) fn[more][count - 1](rows, n, y, sy, a, sa, step);                             \
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

/* Half a vector of float32 as float64: GCC makes it of two halves, where one instruction does. */
typedef double cypool_doubles __attribute__((vector_size(CYPOOL_VECTOR)));
typedef float cypool_floats __attribute__((vector_size(CYPOOL_VECTOR / 2)));
static inline __attribute__((always_inline, unused)) cypool_doubles cypool_wider_float(cypool_floats v)
{
#if CYPOOL_VECTOR == 64
    return (cypool_doubles)_mm512_cvtps_pd((__m256)v);
#elif defined(__AVX__)
    return (cypool_doubles)_mm256_cvtps_pd((__m128)v);
#else
    return __builtin_convertvector(v, cypool_doubles);
#endif
}
static inline __attribute__((always_inline, unused)) cypool_doubles cypool_wider_double(
    cypool_doubles v)
{ return v; }

/* 16 lanes as four, by pairs. */
typedef double cypool_two __attribute__((vector_size(16)));
typedef double cypool_four __attribute__((vector_size(32)));
static inline __attribute__((always_inline, unused)) cypool_four cypool_lanes_summed(
    const cypool_doubles *sums)
{
    enum { wide = CYPOOL_VECTOR / sizeof(double) };
    cypool_doubles v;
    cypool_four e[2];
    CYPOOL_UNROLLED
    for (int p = 0; p < 8 / wide; p++) {
        v = sums[p] + sums[p + 8 / wide];
        memcpy((double *)e + p * wide, &v, sizeof(v));
    }
    return e[0] + e[1];
}
/* From element n % 16 on: what keeps the last n % 16 of 16 elements. */
#define CYPOOL_ENDS_KEPT                                                                         \
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                                              \
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1

/* n elements in a row, as one sum in float64: in 16 lanes, four values at a time, these by pairs,
   and the lanes by pairs at last; fewer than 16 elements by fours alone. At most 1024. LANE is the
   type that fours are added up in. From `far`, memory is asked for ahead. */
#define CYPOOL_TOTAL(NAME, T, LANE, I)                                                           \
/* 16 elements from p on, in parts of a register. */                                             \
CYPOOL_BLOCK NAME##_read(LANE *restrict y, const T *restrict p)                                  \
{ for (int j = 0; j < (int)(CYPOOL_VECTOR / sizeof(LANE)); j++) y[j] = (LANE)p[j]; }             \
/* Fewer than 16. */                                                                             \
static inline __attribute__((always_inline, unused)) double NAME##_few(ptrdiff_t n, const T *a)  \
{                                                                                                \
    double all = 0.0;                                                                            \
    ptrdiff_t i = 0;                                                                             \
    for (; i + 4 <= n; i += 4)                                                                   \
        all += (double)(((LANE)a[i] + (LANE)a[i + 1]) + ((LANE)a[i + 2] + (LANE)a[i + 3]));      \
    for (; i + 2 <= n; i += 2) all += (double)((LANE)a[i] + (LANE)a[i + 1]);                     \
    if (i < n) all += (double)a[i];                                                              \
    return all;                                                                                  \
}                                                                                                \
/* Up to 64 of them: `blocks` of 16, and what is left of one: the last 16 but for those that were\
   counted, of which `kept` tells. */                                                            \
CYPOOL_BLOCK NAME##_add(                                                                         \
    cypool_doubles *restrict sums, ptrdiff_t n, const T *restrict a, const int blocks)           \
{                                                                                                \
    enum { lanes = CYPOOL_VECTOR / sizeof(LANE), parts = 16 / lanes,                             \
           times = sizeof(double) / sizeof(LANE) };                                              \
    typedef LANE four __attribute__((vector_size(CYPOOL_VECTOR)));                               \
    typedef LANE some __attribute__((vector_size(CYPOOL_VECTOR / times)));                       \
    typedef I bits __attribute__((vector_size(CYPOOL_VECTOR), aligned(sizeof(I)), may_alias));   \
    static const I kept[32] = {CYPOOL_ENDS_KEPT};                                                \
    some piece[times];                                                                           \
    CYPOOL_UNROLLED                                                                              \
    for (int p = 0; p < parts; p++, a += lanes) {                                                \
        four p0 = {0}, p1 = {0}, p2 = {0}, p3;                                                   \
        if (blocks > 0) NAME##_read((LANE *)&p0, a);                                             \
        if (blocks > 1) NAME##_read((LANE *)&p1, a + 16);                                        \
        if (blocks > 2) NAME##_read((LANE *)&p2, a + 32);                                        \
        NAME##_read((LANE *)&p3, a + n - 16);                                                    \
        if (blocks < 4) p3 = (four)((bits)p3 & *(const bits *)(kept + n % 16 + p * lanes));      \
        p0 = (p0 + p1) + (p2 + p3);                                                              \
        memcpy(piece, &p0, sizeof(p0));                                                          \
        CYPOOL_UNROLLED                                                                          \
        for (int q = 0; q < times; q++) sums[p * times + q] += cypool_wider_##LANE(piece[q]);    \
    }                                                                                            \
}                                                                                                \
static inline __attribute__((always_inline, unused)) double NAME##_of(                           \
    ptrdiff_t n, const T *restrict a, const int far)                                             \
{                                                                                                \
    enum { wide = CYPOOL_VECTOR / sizeof(double) };                                              \
    cypool_doubles sums[16 / wide] = {{0}};                                                      \
    cypool_four e;                                                                               \
    if (n < 16) return NAME##_few(n, a);                                                         \
    for (; n >= 64; a += 64, n -= 64) {                                                          \
        if (far) CYPOOL_ASK(a, 64 * sizeof(T))                                                   \
        NAME##_add(sums, 64, a, 4);                                                              \
    }                                                                                            \
    if (n >= 48) NAME##_add(sums, n, a, 3);                                                      \
    else if (n >= 32) NAME##_add(sums, n, a, 2);                                                 \
    else if (n >= 16) NAME##_add(sums, n, a, 1);                                                 \
    else if (n > 0) NAME##_add(sums, n, a, 0);                                                   \
    e = cypool_lanes_summed(sums);                                                               \
    return (e[0] + e[2]) + (e[1] + e[3]);                                                        \
}                                                                                                \
static __attribute__((noinline, unused)) double NAME(ptrdiff_t n, const void *from)              \
{ return NAME##_of(n, (const T *)from, 0); }
CYPOOL_TOTAL(total_f32, float, float, int32_t)
CYPOOL_TOTAL(total_f64, double, double, int64_t)
CYPOOL_TOTAL(total_narrow_f64, double, float, int32_t)
/* Rows of 16 to 63 elements, `step` apart, by the same trees: `blocks` of 16, and what is left, the last
   16 that end at `last`, of which `kept` tells. Four at a time, in the order of memory; or, from `far`,
   two and those two of the second half: memory is asked for ahead, and what two places ask for comes
   faster. (No zeros are added but at the end, where one takes away a sign.) */
#define CYPOOL_SHORT_TOTALS(S, BYTES, LANES)                                                     \
static inline __attribute__((always_inline, unused)) cypool_four short_total(                    \
    const float *a, const float *last, const mask_##S##_##BYTES *kept, const int blocks)         \
{                                                                                                \
    cypool_doubles sums[32 / LANES];                                                             \
    cypool_floats half[2];                                                                       \
    CYPOOL_UNROLLED                                                                              \
    for (int p = 0; p < 16 / LANES; p++, a += LANES, last += LANES) {                            \
        vec_##S##_##BYTES v = *(const vec_##S##_##BYTES *)a;                                     \
        vec_##S##_##BYTES rest = *(const vec_##S##_##BYTES *)last;                               \
        rest = (vec_##S##_##BYTES)((mask_##S##_##BYTES)rest & kept[p]);                          \
        if (blocks > 1) v += *(const vec_##S##_##BYTES *)(a + 16);                               \
        if (blocks > 2) rest += *(const vec_##S##_##BYTES *)(a + 32);                            \
        v += rest;                                                                               \
        memcpy(half, &v, sizeof(v));                                                             \
        sums[2 * p] = cypool_wider_float(half[0]);                                               \
        sums[2 * p + 1] = cypool_wider_float(half[1]);                                           \
    }                                                                                            \
    return cypool_lanes_summed(sums);                                                            \
}                                                                                                \
CYPOOL_BLOCK short_totals(                                                                       \
    ptrdiff_t fours, ptrdiff_t n, double *restrict y, const float *restrict a, ptrdiff_t step,   \
    const int blocks, const int far)                                                             \
{                                                                                                \
    static const int32_t all[32] = {CYPOOL_ENDS_KEPT};                                           \
    const ptrdiff_t apart = far ? 2 * fours : 2;                                                 \
    mask_##S##_##BYTES kept[16 / LANES];                                                         \
    cypool_four v[2];                                                                            \
    cypool_two half[4];                                                                          \
    memcpy(kept, all + n % 16, sizeof(kept));                                                    \
    for (; fours > 0; fours--, a += (far ? 2 : 4) * step, y += far ? 2 : 4)                      \
        CYPOOL_UNROLLED                                                                          \
        for (int place = 0; place < 2; place++) {                                                \
            const float *from = a + place * apart * step;                                        \
            if (far) CYPOOL_ASK(from, 2 * n * sizeof(float))                                     \
            v[0] = short_total(from, from + n - 16, kept, blocks);                               \
            v[1] = short_total(from + step, from + step + n - 16, kept, blocks);                 \
            memcpy(half, v, sizeof(v));                                                          \
            const cypool_two one = half[0] + half[1], next = half[2] + half[3];                  \
            const cypool_two even = {one[0], next[0]}, odd = {one[1], next[1]};                  \
            const cypool_two both = (even + odd) + (cypool_two){0};                              \
            memcpy(y + place * apart, &both, sizeof(both));                                      \
        }                                                                                        \
}
CYPOOL_WIDEST(CYPOOL_SHORT_TOTALS, 16, 8, 4, f32)
/* Windows of n elements, `step` apart. */
#define CYPOOL_TOTALS(NAME, FAR)                                                                 \
static __attribute__((noinline, unused)) void NAME##_f32(                                        \
    ptrdiff_t windows, ptrdiff_t n, double *restrict y, const float *restrict a, ptrdiff_t step) \
{                                                                                                \
    const ptrdiff_t fours = windows / 4;                                                         \
    ptrdiff_t i = n >= 16 && n < 64 ? 4 * fours : 0;                                             \
    if (n >= 16 && n < 32) short_totals(fours, n, y, a, step, 1, FAR);                           \
    else if (n >= 32 && n < 48) short_totals(fours, n, y, a, step, 2, FAR);                      \
    else if (n >= 48 && n < 64) short_totals(fours, n, y, a, step, 3, FAR);                      \
    for (; i < windows; i++) y[i] = total_f32_of(n, a + i * step, FAR);                          \
}
CYPOOL_TOTALS(totals, 0)
CYPOOL_TOTALS(totals_far, 1)
/* Windows of 16 or 32 elements, `step` apart, by pairs in float64: as many at a time as a register has
   lanes, fours of each of which are turned so that a register has one element of each. */
static inline __attribute__((always_inline, unused)) vec_f32_16 cypool_fours_16(
    const float *a, ptrdiff_t step)
{ return *(const vec_f32_16 *)a; }
#if CYPOOL_VECTOR >= 32
static inline __attribute__((always_inline, unused)) __m256 cypool_fours_32(
    const float *a, ptrdiff_t step)
{ return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(a)), _mm_loadu_ps(a + step), 1); }
#endif
#if CYPOOL_VECTOR == 64
static inline __attribute__((always_inline, unused)) __m512 cypool_fours_64(
    const float *a, ptrdiff_t step)
{
    return _mm512_insertf32x8(
        _mm512_castps256_ps512(cypool_fours_32(a, step)), cypool_fours_32(a + 2 * step, step), 1);
}
#endif
#define CYPOOL_FIRST_PAIRS(i) (i) % 2 * lanes_ + (i) / 4 * 4 + (i) % 4 / 2
#define CYPOOL_OTHER_PAIRS(i) (i) % 2 * lanes_ + (i) / 4 * 4 + (i) % 4 / 2 + 2
#define CYPOOL_FIRST_HALVES(i) ((i) % 4 < 2 ? (i) : lanes_ + (i) - 2)
#define CYPOOL_OTHER_HALVES(i) ((i) % 4 < 2 ? (i) + 2 : lanes_ + (i))
#define CYPOOL_HALVED(S, BYTES, LANES)                                                           \
CYPOOL_BLOCK halved_fours(cypool_doubles *restrict y, const float *a, ptrdiff_t step)            \
{                                                                                                \
    enum { lanes_ = LANES };                                                                     \
    vec_##S##_##BYTES w[4], p[4];                                                                \
    cypool_floats half[2];                                                                       \
    CYPOOL_UNROLLED                                                                              \
    for (int i = 0; i < 4; i++)                                                                  \
        w[i] = (vec_##S##_##BYTES)cypool_fours_##BYTES(a + i * step, 4 * step);                  \
    p[0] = CYPOOL_SHUFFLE(w[0], w[1], mask_##S##_##BYTES, LANES, CYPOOL_FIRST_PAIRS);            \
    p[1] = CYPOOL_SHUFFLE(w[0], w[1], mask_##S##_##BYTES, LANES, CYPOOL_OTHER_PAIRS);            \
    p[2] = CYPOOL_SHUFFLE(w[2], w[3], mask_##S##_##BYTES, LANES, CYPOOL_FIRST_PAIRS);            \
    p[3] = CYPOOL_SHUFFLE(w[2], w[3], mask_##S##_##BYTES, LANES, CYPOOL_OTHER_PAIRS);            \
    w[0] = CYPOOL_SHUFFLE(p[0], p[2], mask_##S##_##BYTES, LANES, CYPOOL_FIRST_HALVES);           \
    w[1] = CYPOOL_SHUFFLE(p[0], p[2], mask_##S##_##BYTES, LANES, CYPOOL_OTHER_HALVES);           \
    w[2] = CYPOOL_SHUFFLE(p[1], p[3], mask_##S##_##BYTES, LANES, CYPOOL_FIRST_HALVES);           \
    w[3] = CYPOOL_SHUFFLE(p[1], p[3], mask_##S##_##BYTES, LANES, CYPOOL_OTHER_HALVES);           \
    CYPOOL_UNROLLED                                                                              \
    for (int q = 0; q < 2; q++) {                                                                \
        cypool_doubles v[4];                                                                     \
        CYPOOL_UNROLLED                                                                          \
        for (int i = 0; i < 4; i++) {                                                            \
            memcpy(half, &w[i], sizeof(half));                                                   \
            v[i] = cypool_wider_float(half[q]);                                                  \
        }                                                                                        \
        y[q] = (v[0] + v[1]) + (v[2] + v[3]);                                                    \
    }                                                                                            \
}                                                                                                \
CYPOOL_BLOCK halved_block(double *restrict y, const float *a, ptrdiff_t step, const int n)       \
{                                                                                                \
    cypool_doubles v[8][2];                                                                      \
    CYPOOL_UNROLLED                                                                              \
    for (int i = 0; i < n / 4; i++) halved_fours(v[i], a + 4 * i, step);                         \
    CYPOOL_UNROLLED                                                                              \
    for (int k = n / 8; k > 0; k /= 2)                                                           \
        CYPOOL_UNROLLED                                                                          \
        for (int i = 0; i < k; i++) {                                                            \
            v[i][0] = v[2 * i][0] + v[2 * i + 1][0];                                             \
            v[i][1] = v[2 * i][1] + v[2 * i + 1][1];                                             \
        }                                                                                        \
    memcpy(y, v[0], sizeof(v[0]));                                                               \
}                                                                                                \
CYPOOL_BLOCK halved_row(                                                                         \
    ptrdiff_t windows, double *restrict y, const float *a, ptrdiff_t step, const int n)          \
{                                                                                                \
    double v[32];                                                                                \
    if (windows >= LANES) {                                                                      \
        CYPOOL_EACH_BLOCK(windows, LANES) halved_block(y + i, a + i * step, step, n);            \
        return;                                                                                  \
    }                                                                                            \
    for (ptrdiff_t w = 0; w < windows; w++) {                                                    \
        for (int i = 0; i < n; i++) v[i] = (double)a[w * step + i];                              \
        for (int k = n / 2; k > 0; k /= 2)                                                       \
            for (int i = 0; i < k; i++) v[i] = v[2 * i] + v[2 * i + 1];                          \
        y[w] = v[0];                                                                             \
    }                                                                                            \
}                                                                                                \
static __attribute__((noinline, unused)) void halved_##S(                                        \
    ptrdiff_t windows, ptrdiff_t n, double *restrict y, const float *restrict a, ptrdiff_t step) \
{                                                                                                \
    if (n == 16) halved_row(windows, y, a, step, 16);                                            \
    else halved_row(windows, y, a, step, 32);                                                    \
}
CYPOOL_WIDEST(CYPOOL_HALVED, 16, 8, 4, f32)
/* Of one; the last one for what was float32 before. */
#define cypool_total(n, a, narrow)                                                               \
    _Generic((a), float *: total_f32, const float *: total_f32,                                  \
        default: (narrow) ? total_narrow_f64 : total_f64)(n, (const void *)(a))

/* n elements over one number, or times the inverse of a power of two, which is the same. */
#define CYPOOL_DIVIDE(S, T)                                                                      \
CYPOOL_BLOCK over_block_##S(T *restrict y, const T *restrict a, T by, int n)                     \
{ for (int j = 0; j < n; j++) y[j] = a[j] / by; }                                                \
CYPOOL_BLOCK times_block_##S(T *restrict y, const T *restrict a, T by, int n)                    \
{ for (int j = 0; j < n; j++) y[j] = a[j] * by; }                                                \
CYPOOL_ROW over_##S(ptrdiff_t n, T *restrict y, const T *restrict a, T by)                       \
{ CYPOOL_OUT_OF_PLACE(T, n, over_block_##S(y + i_, a + i_, by, B_)) }                            \
CYPOOL_ROW times_##S(ptrdiff_t n, T *restrict y, const T *restrict a, T by)                      \
{ CYPOOL_OUT_OF_PLACE(T, n, times_block_##S(y + i_, a + i_, by, B_)) }                           \
static inline __attribute__((unused)) void divide_##S(                                           \
    ptrdiff_t n, T *restrict y, const T *restrict a, double by)                                  \
{                                                                                                \
    if (CYPOOL_EXACT(by)) times_##S(n, y, a, (T)(1 / by));                                       \
    else over_##S(n, y, a, (T)by);                                                               \
}
CYPOOL_DIVIDE(f32, float)
CYPOOL_DIVIDE(f64, double)
/* n, y, source, divisor */
#define cypool_divide(n, y, ...)                                                                 \
    _Generic((y), float *: divide_f32, double *: divide_f64)(n, y, __VA_ARGS__)
/* Shares: each of some rows of n pixels of c elements becomes kh rows of kw pixels each, divided. */
#define CYPOOL_SPREAD(S, T, BYTES, LANES)                                                        \
CYPOOL_BLOCK share_##S(                                                                          \
    ptrdiff_t n, ptrdiff_t c, T *restrict y, ptrdiff_t sy, const T *restrict a, ptrdiff_t kh,    \
    ptrdiff_t kw, double by)                                                                     \
{                                                                                                \
    enum { few = 16 / sizeof(T) };                                                               \
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
    if (c == 1 && kw > 1 && n * kw >= LANES) {                                                   \
        /* Each goes to a whole vector, or a few, and the next one over what is too much of it. */ \
        T some[LANES];                                                                           \
        for (ptrdiff_t i = 0; i < n; i += LANES) {                                               \
            const ptrdiff_t count = n - i < LANES ? n - i : LANES;                               \
            memcpy(some, a + i, (size_t)count * sizeof(T));                                      \
            vec_##S##_##BYTES v = *(const vec_##S##_##BYTES *)some;                              \
            CYPOOL_SHARE(sum, S, T, v, by)                                                       \
            *(vec_##S##_##BYTES *)some = v;                                                      \
            for (ptrdiff_t j = 0; j < count; j++) {                                              \
                T *to = y + (i + j) * kw;                                                        \
                const ptrdiff_t room = (n - i - j) * kw;                                         \
                if (kw <= few && room >= few)                                                    \
                    *(vec_##S##_16 *)to = some[j] - (vec_##S##_16){0};                           \
                else if (room >= kw + LANES)                                                     \
                    for (ptrdiff_t w = 0; w < kw; w += LANES)                                    \
                        *(vec_##S##_##BYTES *)(to + w) = some[j] - (vec_##S##_##BYTES){0};       \
                else for (ptrdiff_t w = 0; w < kw; w++) to[w] = some[j];                         \
            }                                                                                    \
        }                                                                                        \
        for (ptrdiff_t h = 1; h < kh; h++) memcpy(y + h * sy, y, (size_t)(n * kw) * sizeof(T));  \
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
/* Two rows as one: n elements of each in turns. */
#define CYPOOL_WEAVE_BLOCK(S, T, BYTES, LANES)                                                   \
    if (n >= LANES) {                                                                            \
        enum { lanes_ = LANES };                                                                 \
        for (; rows > 0; CYPOOL_ADVANCE(y += sy, a += sa, b += sa))                              \
            CYPOOL_EACH_BLOCK(n, LANES) {                                                        \
                const vec_##S##_##BYTES even = *(const vec_##S##_##BYTES *)(a + i);              \
                const vec_##S##_##BYTES odd = *(const vec_##S##_##BYTES *)(b + i);               \
                *(vec_##S##_##BYTES *)(y + 2 * i) = CYPOOL_SHUFFLE(                              \
                    even, odd, mask_##S##_##BYTES, LANES, CYPOOL_WOVEN);                         \
                *(vec_##S##_##BYTES *)(y + 2 * i + LANES) = CYPOOL_SHUFFLE(                      \
                    even, odd, mask_##S##_##BYTES, LANES, CYPOOL_WOVEN_MORE);                    \
            }                                                                                    \
        return;                                                                                  \
    }
#define CYPOOL_WEAVE(S, T, L64, L32, L16)                                                        \
CYPOOL_ROW weave_##S(                                                                            \
    ptrdiff_t rows, ptrdiff_t n, T *restrict y, ptrdiff_t sy, const T *a, const T *b,            \
    ptrdiff_t sa)                                                                                \
{                                                                                                \
    CYPOOL_WIDTHS(CYPOOL_WEAVE_BLOCK, L64, L32, L16, S, T)                                       \
    for (; rows > 0; CYPOOL_ADVANCE(y += sy, a += sa, b += sa))                                  \
        for (ptrdiff_t j = 0; j < n; j++) { y[2 * j] = a[j]; y[2 * j + 1] = b[j]; }              \
}
CYPOOL_WEAVE(f32, float, 16, 8, 4)
CYPOOL_WEAVE(f64, double, 8, 4, 2)
static inline __attribute__((unused)) void no_weave(
    ptrdiff_t rows, ptrdiff_t n, void *y, ptrdiff_t sy, const void *a, const void *b, ptrdiff_t sa)
{ }
/* rows, n, y, distance of its rows, what comes first, what second, distance of their rows */
#define cypool_weave(rows, n, y, ...)                                                            \
    _Generic((y), float *: weave_f32, double *: weave_f64, default: no_weave)(                   \
        rows, n, y, __VA_ARGS__)
/* rows, n, c, y, distance of its rows, source, that of its rows, kh, kw, what shares are divided by */
#define cypool_spread(rows, n, c, y, ...)                                                        \
    _Generic((y), float *: spread_f32, double *: spread_f64)(rows, n, c, y, __VA_ARGS__)

#endif

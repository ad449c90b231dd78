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

/* Sums of float32 in float64: eights are added up by pairs in float32, which costs three roundings, and
   the eights in float64. What is summed may have been brought into float64 before (S is f64): the
   sums are the same to the last bit. Of rows: up to 8, `step` apart; `more`, added to what is there. */
#define CYPOOL_TAP(T) ((float)a[j + (T) * step])
#define CYPOOL_WIDEN_BLOCK(S, SOURCE)                                                            \
CYPOOL_BLOCK widen_block_##S(                                                                    \
    double *restrict y, const SOURCE *restrict a, ptrdiff_t step, int count, int more,           \
    ptrdiff_t n)                                                                                 \
{                                                                                                \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        /* (Unrolled by hand: compilers make vectors of the loop around this only.) */           \
        float v = CYPOOL_TAP(0), next;                                                           \
        if (count > 1) v += CYPOOL_TAP(1);                                                       \
        if (count == 3) v += CYPOOL_TAP(2);                                                      \
        if (count > 3) v += CYPOOL_TAP(2) + CYPOOL_TAP(3);                                       \
        if (count > 4) {                                                                         \
            next = CYPOOL_TAP(4);                                                                \
            if (count > 5) next += CYPOOL_TAP(5);                                                \
            if (count == 7) next += CYPOOL_TAP(6);                                               \
            if (count > 7) next += CYPOOL_TAP(6) + CYPOOL_TAP(7);                                \
            v += next;                                                                           \
        }                                                                                        \
        y[j] = more ? y[j] + (double)v : (double)v;                                              \
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

/* n elements in a row, as one sum in float64: in 8 lanes, eight values at a time (fewer at the end), by
   pairs in LANE, of which a register has BYTES; then the lanes by pairs. From 8 elements on, up to 4096
   of float32. The last 8 are read again, without those that were counted. */
typedef double cypool_two __attribute__((vector_size(16)));
typedef double cypool_four __attribute__((vector_size(32)));
typedef int64_t cypool_four_mask __attribute__((vector_size(32)));
#define CYPOOL_NARROWER (CYPOOL_VECTOR == 16 ? 16 : 32)
#define CYPOOL_TOTAL_PAIR(i, step) if (i + step < count) v[i] += v[i + step];
#define CYPOOL_TOTAL(NAME, T, LANE, I, BYTES)                                                    \
typedef LANE NAME##_lanes __attribute__((vector_size(BYTES)));                                   \
typedef I NAME##_bits __attribute__((vector_size(BYTES), aligned(sizeof(I)), may_alias));        \
CYPOOL_BLOCK NAME##_read(LANE *restrict y, const T *restrict p)                                  \
{ for (int j = 0; j < (int)(BYTES / sizeof(LANE)); j++) y[j] = (LANE)p[j]; }                     \
/* `blocks` of 8, and fewer after them; or 8 of them. */                                         \
CYPOOL_BLOCK NAME##_eight(                                                                       \
    cypool_doubles *restrict sums, ptrdiff_t n, const T *restrict a, const int blocks,           \
    const int more)                                                                              \
{                                                                                                \
    static const I kept[16] = {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1};          \
    enum { lanes = BYTES / sizeof(LANE), parts = lanes * sizeof(double) / CYPOOL_VECTOR };       \
    typedef LANE part __attribute__((vector_size(BYTES / parts)));                               \
    const int count = blocks < 8 ? blocks + 1 : 8;                                               \
    NAME##_lanes v[8];                                                                           \
    part piece[parts];                                                                           \
    CYPOOL_UNROLLED                                                                              \
    for (int p = 0; p < 8 / lanes; p++, a += lanes) {                                            \
        CYPOOL_UNROLLED                                                                          \
        for (int i = 0; i < blocks; i++) NAME##_read((LANE *)&v[i], a + 8 * i);                  \
        if (blocks < 8) {                                                                        \
            NAME##_read((LANE *)&v[blocks], a + n - 8);                                          \
            v[blocks] = (NAME##_lanes)(                                                          \
                (NAME##_bits)v[blocks] & *(const NAME##_bits *)(kept + n % 8 + p * lanes));      \
        }                                                                                        \
        CYPOOL_TOTAL_PAIR(0, 1) CYPOOL_TOTAL_PAIR(2, 1) CYPOOL_TOTAL_PAIR(4, 1)                  \
        CYPOOL_TOTAL_PAIR(6, 1) CYPOOL_TOTAL_PAIR(0, 2) CYPOOL_TOTAL_PAIR(4, 2)                  \
        CYPOOL_TOTAL_PAIR(0, 4)                                                                  \
        memcpy(piece, &v[0], sizeof(piece));                                                     \
        CYPOOL_UNROLLED                                                                          \
        for (int q = 0; q < parts; q++) {                                                        \
            const cypool_doubles wider = cypool_wider_##LANE(piece[q]);                          \
            sums[p * parts + q] = more ? sums[p * parts + q] + wider : wider;                    \
        }                                                                                        \
    }                                                                                            \
}                                                                                                \
/* As four lanes; blocks is n / 8 % 8. What lies `ahead` bytes further on is asked for. */       \
static inline __attribute__((always_inline, unused)) cypool_four NAME##_lanes_of(                \
    ptrdiff_t n, const T *restrict a, const int blocks, const int is_short, ptrdiff_t ahead)     \
{                                                                                                \
    enum { wide = CYPOOL_VECTOR / sizeof(double) };                                              \
    cypool_doubles sums[8 / wide] = {{0}};                                                       \
    cypool_four e[2];                                                                            \
    if (!is_short)                                                                               \
        for (; n >= 64; a += 64, n -= 64) {                                                      \
            if (ahead) CYPOOL_ASK_ON(a, 64 * sizeof(T), ahead)                                   \
            NAME##_eight(sums, 64, a, 8, 1);                                                     \
        }                                                                                        \
    if (is_short || n > 0) NAME##_eight(sums, n, a, blocks, !is_short);                          \
    memcpy(e, sums, sizeof(e));                                                                  \
    return e[0] + e[1];                                                                          \
}                                                                                                \
static __attribute__((noinline, unused)) double NAME(ptrdiff_t n, const void *from)              \
{                                                                                                \
    cypool_four e;                                                                               \
    CYPOOL_TOTAL_CASES(e = NAME##_lanes_of(n, (const T *)from, blocks_, 0, 0))                   \
    return (e[0] + e[1]) + (e[2] + e[3]);                                                        \
}
#define CYPOOL_TOTAL_CASE(BLOCKS, DO) case BLOCKS: { enum { blocks_ = BLOCKS }; DO; break; }
#define CYPOOL_TOTAL_CASES(DO)                                                                   \
    switch (n / 8 % 8) {                                                                         \
        CYPOOL_TOTAL_CASE(0, DO) CYPOOL_TOTAL_CASE(1, DO) CYPOOL_TOTAL_CASE(2, DO)               \
        CYPOOL_TOTAL_CASE(3, DO) CYPOOL_TOTAL_CASE(4, DO) CYPOOL_TOTAL_CASE(5, DO)               \
        CYPOOL_TOTAL_CASE(6, DO) default: { enum { blocks_ = 7 }; DO; }                          \
    }
CYPOOL_TOTAL(total_f32, float, float, int32_t, CYPOOL_NARROWER)
CYPOOL_TOTAL(total_f64, double, double, int64_t, CYPOOL_VECTOR)
CYPOOL_TOTAL(total_narrow_f64, double, float, int32_t, CYPOOL_NARROWER)
/* Windows of n elements, `step` apart. Those of fewer than 64 four at a time, in the order of memory;
   or, if `apart`, two and those two of the second half: what two places ask for comes faster from
   memory. What lies `ahead` bytes further on is asked for, unless that is 0. */
#define CYPOOL_EVEN_LANES(i) (i) % 2 * lanes_ + (i) / 2 * 2
#define CYPOOL_ODD_LANES(i) (i) % 2 * lanes_ + (i) / 2 * 2 + 1
static inline __attribute__((always_inline, unused)) cypool_two cypool_two_totals(
    cypool_four a, cypool_four b)
{
    enum { lanes_ = 4 };
    const cypool_four pairs = CYPOOL_SHUFFLE(a, b, cypool_four_mask, 4, CYPOOL_EVEN_LANES)
        + CYPOOL_SHUFFLE(a, b, cypool_four_mask, 4, CYPOOL_ODD_LANES);
    cypool_two half[2];
    memcpy(half, &pairs, sizeof(half));
    return half[0] + half[1];
}
CYPOOL_BLOCK short_totals(
    ptrdiff_t fours, ptrdiff_t n, double *restrict y, const float *restrict a, ptrdiff_t step,
    ptrdiff_t ahead, int apart, const int blocks)
{
    const ptrdiff_t other = apart ? 2 * fours : 2, by = apart ? 2 : 4;
    for (; fours > 0; fours--, a += by * step, y += by)
        CYPOOL_UNROLLED
        for (int place = 0; place < 2; place++) {
            const float *from = a + place * other * step;
            if (ahead) CYPOOL_ASK_ON(from, 2 * n * sizeof(float), ahead)
            const cypool_two both = cypool_two_totals(
                total_f32_lanes_of(n, from, blocks, 1, 0),
                total_f32_lanes_of(n, from + step, blocks, 1, 0));
            memcpy(y + place * other, &both, sizeof(both));
        }
}
static __attribute__((noinline, unused)) void totals_f32(
    ptrdiff_t windows, ptrdiff_t n, double *restrict y, const float *restrict a, ptrdiff_t step,
    ptrdiff_t ahead, int apart)
{
    const ptrdiff_t fours = windows / 4;
    ptrdiff_t i = 0;
    cypool_four e;
    if (n < 64 && windows >= 4) {
        CYPOOL_TOTAL_CASES(short_totals(fours, n, y, a, step, ahead, apart, blocks_))
        i = 4 * fours;
    }
    CYPOOL_TOTAL_CASES(
        for (; i < windows; i++) {
            e = total_f32_lanes_of(n, a + i * step, blocks_, 0, ahead);
            y[i] = (e[0] + e[1]) + (e[2] + e[3]);
        })
}
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

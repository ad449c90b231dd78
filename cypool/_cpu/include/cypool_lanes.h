/* Windows that are reduced each by itself, several at a time: one to a lane of a vector, so that v
   holds rows of w windows, a row for each of n taps. Exponentials and logarithms are made here of
   what rounds alike everywhere: the same bits for every instruction set. */
#ifndef CYPOOL_LANES_H
#define CYPOOL_LANES_H
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif
#include "cypool_vectors.h"

typedef double cypool_lane __attribute__((vector_size(CYPOOL_VECTOR)));
typedef int64_t cypool_lane_bits __attribute__((vector_size(CYPOOL_VECTOR)));
enum { CYPOOL_LANE = CYPOOL_VECTOR / sizeof(double), CYPOOL_LINE = 8 };

#define CYPOOL_INLINE static inline __attribute__((always_inline, unused))
CYPOOL_INLINE cypool_lane cypool_lane_at(const double *p)
{
    cypool_lane v;
    memcpy(&v, p, sizeof(v));
    return v;
}
CYPOOL_INLINE cypool_lane cypool_lane_of(double v) { return v - (cypool_lane){0}; }
CYPOOL_INLINE cypool_lane cypool_lane_select(cypool_lane_bits where, cypool_lane a, cypool_lane b)
{ return (cypool_lane)(((cypool_lane_bits)a & where) | ((cypool_lane_bits)b & ~where)); }
/* The smaller and the greater one (of numbers): one instruction, which compilers do not make of a
   selection. */
#if defined(__SSE2__) && CYPOOL_VECTOR == 64
#define CYPOOL_LANE_OF(OP, a, b) (cypool_lane)_mm512_##OP##_pd((__m512d)(a), (__m512d)(b))
#elif defined(__SSE2__) && CYPOOL_VECTOR == 32
#define CYPOOL_LANE_OF(OP, a, b) (cypool_lane)_mm256_##OP##_pd((__m256d)(a), (__m256d)(b))
#elif defined(__SSE2__)
#define CYPOOL_LANE_OF(OP, a, b) (cypool_lane)_mm_##OP##_pd((__m128d)(a), (__m128d)(b))
#else
#define CYPOOL_LANE_min(a, b) cypool_lane_select((a) < (b), a, b)
#define CYPOOL_LANE_max(a, b) cypool_lane_select((a) < (b), b, a)
#define CYPOOL_LANE_OF(OP, a, b) CYPOOL_LANE_##OP(a, b)
#endif
/* The greater one, or a NaN. */
CYPOOL_INLINE cypool_lane cypool_lane_most(cypool_lane a, cypool_lane b)
{ return cypool_lane_select((b > a) | (b != b), b, a); }

/* e^x of x <= 0: with x = k log 2 + r and |r| <= log 2 / 2 the series of e^r, whose 14th term is less
   than a rounding, times 2^(k + 512), which is a normal number, and this over 2^512. Of a NaN 0. */
CYPOOL_INLINE cypool_lane cypool_lane_exp(cypool_lane x)
{
    const double round = 0x1.8p52 + 512;    /* (what is added to it ends at the point) */
    cypool_lane t = x * 0x1.71547652b82fep+0 + round, k = t - round;
    cypool_lane r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33, z = r * r, odd, y;
    /* (Even and odd terms apart: two chains of operations half as long.) */
    y = z * (1 / 479001600.0) + 1 / 3628800.0;
    odd = z * (1 / 6227020800.0) + 1 / 39916800.0;
    y = y * z + 1 / 40320.0;
    odd = odd * z + 1 / 362880.0;
    y = y * z + 1 / 720.0;
    odd = odd * z + 1 / 5040.0;
    y = y * z + 1 / 24.0;
    odd = odd * z + 1 / 120.0;
    y = y * z + 0.5;
    odd = odd * z + 1 / 6.0;
    y = ((y + odd * r) * z + r) + 1.0;
    y = (cypool_lane)((cypool_lane_bits)y + ((cypool_lane_bits)t << 52));
    return (cypool_lane)((cypool_lane_bits)(y * 0x1p-512) & (x > -746.0));
}

/* log x of positive normal numbers: x = 2^k m with m between the roots of 1/2 and 2, and of
   s = (m - 1) / (m + 1) the series of 2 artanh s, whose term in s^23 is less than a rounding. */
CYPOOL_INLINE cypool_lane cypool_lane_log(cypool_lane x)
{
    const int64_t low = 0x3fe6a09e667f3bcd, one = 0x3ff0000000000000;
    cypool_lane_bits at = (cypool_lane_bits)x + (one - low);
    cypool_lane k = (cypool_lane)(((at >> 52) & 0xfff) | 0x4330000000000000) - 0x1.00000000003ffp52;
    cypool_lane m = (cypool_lane)((at & 0xfffffffffffff) + low);
    cypool_lane f = m - 1.0, s = f / (m + 1.0), z = s * s, half = f * f * 0.5, y;
    y = z * (2 / 21.0) + 2 / 19.0;
    y = y * z + 2 / 17.0;
    y = y * z + 2 / 15.0;
    y = y * z + 2 / 13.0;
    y = y * z + 2 / 11.0;
    y = y * z + 2 / 9.0;
    y = y * z + 2 / 7.0;
    y = y * z + 2 / 5.0;
    y = y * z + 2 / 3.0;
    /* (f - half + s (half + y z) is the same as 2 s + s y z, with less lost to rounding.) */
    y = s * (half + y * z) + k * 0x1.a39ef35793c76p-33;
    return k * 0x1.62e42feep-1 - ((half - y) - f);
}

/* Each window's result; where it is not finite, there was something to look at apart, if only a NaN. */
#define CYPOOL_EACH_LANE(...)                                                                    \
    for (ptrdiff_t i = 0; i < w; i += CYPOOL_LANE) {                                             \
        cypool_lane x, found = {0};                                                              \
        __VA_ARGS__                                                                              \
        memcpy(y + i, &found, sizeof(found));                                                    \
    }
/* Sums of 16 taps at a time, so that no chain of additions is long. */
#define CYPOOL_EACH_SUM(BEFORE, AFTER, ...)                                                      \
    for (ptrdiff_t first = 0; first < n; first += 16) {                                          \
        const ptrdiff_t last = first + 16 < n ? first + 16 : n;                                  \
        BEFORE                                                                                   \
        for (ptrdiff_t t = first; t < last; t++) { x = cypool_lane_at(v + t * w + i); __VA_ARGS__ } \
        AFTER                                                                                    \
    }
#define CYPOOL_EACH_TAP(...)                                                                     \
    for (ptrdiff_t t = 0; t < n; t++) { x = cypool_lane_at(v + t * w + i); __VA_ARGS__ }

CYPOOL_ROW cypool_lanes_logsumexp(
    ptrdiff_t n, ptrdiff_t w, double *restrict v, double beta, double by, double *restrict y)
{
    const double sign = beta < 0 ? -1 : 1, size = fabs(beta);
    CYPOOL_EACH_LANE(
        cypool_lane most = cypool_lane_at(v + i) * sign, total = cypool_lane_of(0), sum;
        CYPOOL_EACH_TAP(most = cypool_lane_most(most, x * sign);)
        CYPOOL_EACH_SUM(
            sum = cypool_lane_of(0);,
            total += sum;,
            sum += cypool_lane_exp((x * sign - most) * size);)
        found = most * sign + cypool_lane_log(total / by) / beta;)
}
CYPOOL_ROW cypool_lanes_soft(
    ptrdiff_t n, ptrdiff_t w, double *restrict v, double unused, double none, double *restrict y)
{
    (void)unused, (void)none;
    CYPOOL_EACH_LANE(
        cypool_lane most = cypool_lane_at(v + i), weight, sum, mean;
        cypool_lane total = cypool_lane_of(0), product = cypool_lane_of(0);
        CYPOOL_EACH_TAP(most = cypool_lane_most(most, x);)
        CYPOOL_EACH_SUM(
            sum = mean = cypool_lane_of(0);,
            total += sum; product += mean;,
            weight = cypool_lane_exp(x - most);
            sum += weight;
            mean += weight * x;)
        found = product / total;)
}
CYPOOL_ROW cypool_lanes_expect(
    ptrdiff_t n, ptrdiff_t w, double *restrict v, double unused, double none, double *restrict y)
{
    (void)unused, (void)none;
    CYPOOL_EACH_LANE(
        cypool_lane most = cypool_lane_of(0), share, least, sum, mean;
        cypool_lane total = cypool_lane_of(0), product = cypool_lane_of(0);
        CYPOOL_EACH_TAP(most = cypool_lane_most(most, x);)
        CYPOOL_EACH_SUM(
            sum = mean = cypool_lane_of(0);,
            total += sum; product += mean;,
            share = (cypool_lane)((cypool_lane_bits)(x / most) & (x > 0.0));
            sum += share;
            mean += share * share;)
        least = product / total;
        least = cypool_lane_select(least > 1.0, cypool_lane_of(1), least);
        found = cypool_lane_select(most == 0.0, cypool_lane_of(0), most * least);)
}
/* The value of that rank, counted from the least: the least or the greatest of what is left, again
   and again. v is not what it was afterwards. */
#define CYPOOL_SINK(KEPT, LEFT)                                                                  \
    for (ptrdiff_t t = p + 1; t < n; t++) {                                                      \
        x = cypool_lane_at(v + t * w + i);                                                       \
        rest = CYPOOL_LANE_OF(LEFT, x, found);                                                   \
        found = CYPOOL_LANE_OF(KEPT, x, found);                                                  \
        memcpy(v + t * w + i, &rest, sizeof(rest));                                              \
    }
CYPOOL_ROW cypool_lanes_rank(
    ptrdiff_t n, ptrdiff_t w, double *restrict v, double rank, double none, double *restrict y)
{
    const ptrdiff_t place = (ptrdiff_t)rank, falls = 2 * place >= n;
    const ptrdiff_t rounds = falls ? n - 1 - place : place;
    (void)none;
    CYPOOL_EACH_LANE(
        cypool_lane_bits odd = {0};
        cypool_lane rest;
        CYPOOL_EACH_TAP(odd |= x != x;)
        for (ptrdiff_t p = 0; p <= rounds; p++) {
            found = cypool_lane_at(v + p * w + i);
            if (falls) CYPOOL_SINK(max, min)
            else CYPOOL_SINK(min, max)
        }
        found = cypool_lane_select(odd, cypool_lane_of(NAN), found);)
}
#undef CYPOOL_SINK

/* Weights of elements, for all windows that see them: n is a multiple of CYPOOL_LANE. Relative to the
   greatest number there is, in v and in v in place of v; of a NaN or an infinity above, a NaN. product:
   weights times elements, or NULL. */
static __attribute__((noinline, unused)) double cypool_lanes_greatest(ptrdiff_t n, const double *v)
{
    cypool_lane most = cypool_lane_of(-INFINITY);
    double found = -INFINITY, lane[CYPOOL_LANE];
    ptrdiff_t i = 0;
    for (; i + CYPOOL_LANE <= n; i += CYPOOL_LANE) {
        const cypool_lane x = cypool_lane_at(v + i);
        most = cypool_lane_select((x > most) & (x < INFINITY), x, most);
    }
    memcpy(lane, &most, sizeof(lane));
    for (int j = 0; j < CYPOOL_LANE; j++) found = lane[j] > found ? lane[j] : found;
    for (; i < n; i++) found = v[i] > found && v[i] < INFINITY ? v[i] : found;
    return found;
}
CYPOOL_ROW cypool_lanes_weigh(
    ptrdiff_t n, double *restrict v, double *restrict product, double most, double size)
{
    for (ptrdiff_t i = 0; i < n; i += CYPOOL_LANE) {
        const cypool_lane x = cypool_lane_at(v + i);
        cypool_lane e = cypool_lane_exp((x - most) * size);
        e = cypool_lane_select(x < INFINITY, e, cypool_lane_of(NAN));
        memcpy(v + i, &e, sizeof(e));
        if (product) {
            e = (cypool_lane)((cypool_lane_bits)(e * x) & ~(e == 0.0));
            memcpy(product + i, &e, sizeof(e));
        }
    }
}
/* Sums of rows that lie at these distances from the first. */
CYPOOL_ROW cypool_lanes_sum(
    ptrdiff_t n, ptrdiff_t rows, double *first, ptrdiff_t to, const ptrdiff_t *at)
{
    for (ptrdiff_t i = 0; i < n; i += CYPOOL_LANE) {
        cypool_lane sum = cypool_lane_at(first + at[0] + i);
        for (ptrdiff_t row = 1; row < rows; row++) sum += cypool_lane_at(first + at[row] + i);
        memcpy(first + to + i, &sum, sizeof(sum));
    }
}
/* What sums of weights tell, in their place; a NaN where it has to be made of the window alone: because
   its weights are next to nothing, or because it is the small difference of what is great. */
CYPOOL_ROW cypool_lanes_logs(
    ptrdiff_t n, double *restrict v, const double *restrict by, double most, double beta)
{
    const double sign = beta < 0 ? -1 : 1, size = fabs(beta);
    const cypool_lane_bits sizes = (cypool_lane_bits){0} + INT64_MAX;
    for (ptrdiff_t i = 0; i < n; i += CYPOOL_LANE) {
        const cypool_lane total = cypool_lane_at(v + i);
        const cypool_lane more = cypool_lane_log(by ? total / cypool_lane_at(by + i) : total) / size;
        cypool_lane found = most + more;
        const cypool_lane great = (cypool_lane)((cypool_lane_bits)more & sizes) + fabs(most);
        const cypool_lane_bits right = (total > 0x1p-900) & (total < INFINITY)
            & ((cypool_lane)((cypool_lane_bits)found & sizes) >= great * 0x1p-26);
        found = cypool_lane_select(right, found * sign, cypool_lane_of(NAN));
        memcpy(v + i, &found, sizeof(found));
    }
}
CYPOOL_ROW cypool_lanes_means(ptrdiff_t n, double *restrict v, const double *restrict product)
{
    for (ptrdiff_t i = 0; i < n; i += CYPOOL_LANE) {
        const cypool_lane total = cypool_lane_at(v + i);
        cypool_lane found = cypool_lane_at(product + i) / total;
        found = cypool_lane_select(total > 0x1p-900, found, cypool_lane_of(NAN));
        memcpy(v + i, &found, sizeof(found));
    }
}
#undef CYPOOL_EACH_LANE
#undef CYPOOL_EACH_TAP
#undef CYPOOL_EACH_SUM

/* The weights e^(beta (v - most)) of one window's taps, of which v has room for eight more, and their
   sum; product is that of weights times taps. In eight lanes, 16 taps of each at a time, and the lanes
   by pairs at last. */
static __attribute__((noinline, unused)) double cypool_weights(
    ptrdiff_t n, double *v, double beta, double most, double *restrict weight, double *product)
{
    double sums[2][CYPOOL_LINE];
    for (int j = 0; j < CYPOOL_LINE; j++) sums[0][j] = sums[1][j] = 0;
    for (int j = 0; j < CYPOOL_LINE; j++) v[n + j] = beta < 0 ? INFINITY : -INFINITY;
    for (ptrdiff_t first = 0; first < n; first += 16 * CYPOOL_LINE) {
        const ptrdiff_t last = first + 16 * CYPOOL_LINE < n ? first + 16 * CYPOOL_LINE : n;
        CYPOOL_UNROLLED
        for (int j = 0; j < CYPOOL_LINE; j += CYPOOL_LANE) {
            cypool_lane sum = cypool_lane_of(0), mean = sum;
            for (ptrdiff_t i = first; i < last; i += CYPOOL_LINE) {
                cypool_lane x = cypool_lane_at(v + i + j), e = cypool_lane_exp((x - most) * beta);
                memcpy(weight + i + j, &e, sizeof(e));
                sum += e;
                mean += (cypool_lane)((cypool_lane_bits)(e * x) & (e > 0.0));
            }
            sum += cypool_lane_at(sums[0] + j);
            mean += cypool_lane_at(sums[1] + j);
            memcpy(sums[0] + j, &sum, sizeof(sum));
            memcpy(sums[1] + j, &mean, sizeof(mean));
        }
    }
    for (int half = CYPOOL_LINE / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) {
            sums[0][j] += sums[0][j + half];
            sums[1][j] += sums[1][j + half];
        }
    *product = sums[1][0];
    return sums[0][0];
}

#endif

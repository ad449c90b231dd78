/* Windows of three taps a side, one apart, with a border of one, of small planes that follow each
   other: as of one long row, from which what lies beyond a plane's border is taken out. */
#ifndef CYPOOL_PLANES_H
#define CYPOOL_PLANES_H
#include <stddef.h>
#include <stdint.h>
#include "cypool_windows.h"

/* n elements of planes `width` wide, at `a`, before and after which another row of anything lies; room
   for n and one more on either side at `t`. Four masks, `pitch` elements apart, say where there is an
   element above, below, to the left and to the right. Above and below, `none` stands for what is
   missing, which changes nothing; beside, `nothing`, which may turn a negative zero to a zero. What
   sums are divided by: each by its own divisor, or, if there are none, all by one. */
#define CYPOOL_PLANES_OF(OP, S, T, I, BYTES, LANES)                                              \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES seen_##OP##_##S(          \
    const T *a, const I *mask, vec_##S##_##BYTES none)                                           \
{                                                                                                \
    const mask_##S##_##BYTES in = *(const mask_##S##_##BYTES *)mask;                             \
    vec_##S##_##BYTES v = *(const vec_##S##_##BYTES *)a;                                         \
    v = (vec_##S##_##BYTES)(((mask_##S##_##BYTES)v & in) | ((mask_##S##_##BYTES)none & ~in));    \
    CYPOOL_FORGET(v)                                                                             \
    return v;                                                                                    \
}                                                                                                \
static __attribute__((noinline, unused)) int planes_##OP##_##S(                                  \
    ptrdiff_t n, ptrdiff_t width, T *y, const T *a, T *t, const void *masks, ptrdiff_t pitch,    \
    T none, T nothing, const T *divisors, double by)                                             \
{                                                                                                \
    const I *up = (const I *)masks, *down = up + pitch, *left = down + pitch;                    \
    const I *right = left + pitch;                                                               \
    vec_##S##_##BYTES found = {0}, v, w, hidden = none - (vec_##S##_##BYTES){0};                 \
    mask_##S##_##BYTES bad;                                                                      \
    I any = 0;                                                                                   \
    if (n < LANES) return -1;                                                                    \
    CYPOOL_EACH_BLOCK(n, LANES) {                                                                \
        w = *(const vec_##S##_##BYTES *)(a + i);                                                 \
        if (CYPOOL_NOTES_##OP) found += w;                                                       \
        v = seen_##OP##_##S(a + i - width, up + i, hidden);                                      \
        v = both_##OP##_##S##_##BYTES(CYPOOL_TAKE_##OP(v, by), CYPOOL_TAKE_##OP(w, by));         \
        w = seen_##OP##_##S(a + i + width, down + i, hidden);                                    \
        w = CYPOOL_TAKE_##OP(w, by);                                                             \
        *(vec_##S##_##BYTES *)(t + i) = both_##OP##_##S##_##BYTES(v, w);                         \
    }                                                                                            \
    hidden = nothing - (vec_##S##_##BYTES){0};                                                   \
    CYPOOL_EACH_BLOCK(n, LANES) {                                                                \
        w = *(const vec_##S##_##BYTES *)(t + i);                                                 \
        v = both_##OP##_##S##_##BYTES(seen_##OP##_##S(t + i - 1, left + i, hidden), w);          \
        w = seen_##OP##_##S(t + i + 1, right + i, hidden);                                       \
        v = both_##OP##_##S##_##BYTES(v, w);                                                     \
        if (CYPOOL_SUMS_##OP && (T)0.5 > 0 && divisors)                                          \
            v = v / *(const vec_##S##_##BYTES *)(divisors + i);                                  \
        else                                                                                     \
            CYPOOL_SHARE(OP, S, T, v, by)                                                        \
        CYPOOL_ROOT_##OP(S, BYTES, v, found, by)                                                 \
        *(vec_##S##_##BYTES *)(y + i) = v;                                                       \
    }                                                                                            \
    bad = found != found;                                                                        \
    for (int j = 0; j < LANES; j++) any |= bad[j];                                               \
    return CYPOOL_FINDS_##OP && any;                                                             \
}
#define CYPOOL_ALL_PLANES(OP, S, T, I, L64, L32, L16)                                            \
CYPOOL_WIDEST(CYPOOL_PLANES_OF, L64, L32, L16, OP, S, T, I)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_PLANES, max)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_PLANES, min)
CYPOOL_ALL_PLANES(nanmax, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_PLANES(nanmax, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_PLANES(nanmin, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_PLANES(nanmin, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_PLANES(sum, i32, int32_t, int32_t, 16, 8, 4)
CYPOOL_ALL_PLANES(sum, i64, int64_t, int64_t, 8, 4, 2)
CYPOOL_ALL_PLANES(sum, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_PLANES(sum, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_PLANES(square, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_PLANES(keymax, i16, int16_t, int16_t, 32, 16, 8)
CYPOOL_ALL_PLANES(keymin, i16, int16_t, int16_t, 32, 16, 8)

static inline __attribute__((unused)) int no_planes(
    ptrdiff_t n, ptrdiff_t width, void *y, const void *a, void *t, const void *masks,
    ptrdiff_t pitch, double none, double nothing, const void *divisors, double by)
{ return -1; }
#define planes_halves_f32 no_planes
#define planes_bfloats_f32 no_planes
#define planes_shorts_f32 no_planes
#define planes_ushorts_f32 no_planes
#define planes_bytes_i16 no_planes
#define planes_ubytes_i16 no_planes
/* n, width, reducer, whether its sums are roots of sums of squares, y and so on; whether a NaN was met
   that may be lost, or a root is out of range, or -1: there are too few elements */
#define cypool_planes(n, width, r, turned, y, ...)                                               \
    CYPOOL_WINDOWS_FOR(planes, no_planes, r, turned, y)(n, width, y, __VA_ARGS__)

#endif

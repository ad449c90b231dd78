/* Planes side by side as pixels, and back: planes of single elements whose rows are shorter than
   vectors become one plane whose pixels are vectors. */
#ifndef CYPOOL_TURN_H
#define CYPOOL_TURN_H
#include "cypool_vectors.h"

/* Half of each of two vectors, in blocks of B lanes: the first halves, and the second ones. */
#define CYPOOL_UPPER1(i) CYPOOL_UPPER(i, 1)
#define CYPOOL_UPPER2(i) CYPOOL_UPPER(i, 2)
#define CYPOOL_UPPER4(i) CYPOOL_UPPER(i, 4)
#define CYPOOL_UPPER8(i) CYPOOL_UPPER(i, 8)
#define CYPOOL_LOWER1(i) CYPOOL_LOWER(i, 1)
#define CYPOOL_LOWER2(i) CYPOOL_LOWER(i, 2)
#define CYPOOL_LOWER4(i) CYPOOL_LOWER(i, 4)
#define CYPOOL_LOWER8(i) CYPOOL_LOWER(i, 8)
#define CYPOOL_UPPER(i, B) (((i) & (B)) ? lanes_ + (i) - (B) : (i)) % (2 * lanes_)
#define CYPOOL_LOWER(i, B) (((i) & (B)) ? lanes_ + (i) : (i) + (B)) % (2 * lanes_)
#define CYPOOL_TURN_STAGE(S, BYTES, LANES, B)                                                    \
    if (LANES > B) {                                                                             \
        CYPOOL_UNROLLED                                                                          \
        for (int j = 0; j < LANES; j++)                                                          \
            if (!(j & B)) {                                                                      \
                const vec_##S##_##BYTES upper = v[j], lower = v[(j | B) % LANES];                \
                v[j] = CYPOOL_SHUFFLE(upper, lower, mask_##S##_##BYTES, LANES, CYPOOL_UPPER##B); \
                v[(j | B) % LANES] = CYPOOL_SHUFFLE(                                             \
                    upper, lower, mask_##S##_##BYTES, LANES, CYPOOL_LOWER##B);                   \
            }                                                                                    \
    }
/* As many rows as a vector has lanes, each of as many elements, with rows for columns. Short vectors
   are woven, the first half of the rows with the second one, as often as it takes: an instruction each
   everywhere. */
#define CYPOOL_TURN_BLOCK(S, T, BYTES, LANES)                                                    \
static inline __attribute__((always_inline, unused)) void turn_##S##_##BYTES(                    \
    vec_##S##_##BYTES *v)                                                                        \
{                                                                                                \
    enum { lanes_ = LANES };                                                                     \
    vec_##S##_##BYTES w[LANES];                                                                  \
    if (BYTES == 16) {                                                                           \
        CYPOOL_UNROLLED                                                                          \
        for (int stage = 1; stage < LANES; stage *= 2) {                                         \
            CYPOOL_UNROLLED                                                                      \
            for (int j = 0; j < LANES / 2; j++) {                                                \
                w[2 * j] = CYPOOL_SHUFFLE(                                                       \
                    v[j], v[j + LANES / 2], mask_##S##_##BYTES, LANES, CYPOOL_WOVEN);            \
                w[2 * j + 1] = CYPOOL_SHUFFLE(                                                   \
                    v[j], v[j + LANES / 2], mask_##S##_##BYTES, LANES, CYPOOL_WOVEN_MORE);       \
            }                                                                                    \
            CYPOOL_UNROLLED                                                                      \
            for (int j = 0; j < LANES; j++) v[j] = w[j];                                         \
        }                                                                                        \
        return;                                                                                  \
    }                                                                                            \
    CYPOOL_TURN_STAGE(S, BYTES, LANES, 8)                                                        \
    CYPOOL_TURN_STAGE(S, BYTES, LANES, 4)                                                        \
    CYPOOL_TURN_STAGE(S, BYTES, LANES, 2)                                                        \
    CYPOOL_TURN_STAGE(S, BYTES, LANES, 1)                                                        \
}
#define CYPOOL_TO_PIXELS(S, T, BYTES, LANES)                                                     \
    if (step == sizeof(T) && n >= LANES)                                                         \
        for (; p + LANES <= lanes; p += LANES)                                                   \
            CYPOOL_EACH_BLOCK(n, LANES) {                                                        \
                vec_##S##_##BYTES v[LANES];                                                      \
                CYPOOL_UNROLLED                                                                  \
                for (int j = 0; j < LANES; j++) {                                                \
                    const T *from = (const T *)(rows[p + j] + offset) + i;                       \
                    CYPOOL_ASK_BELOW(from, LANES * n * (ptrdiff_t)sizeof(T), 0)                  \
                    v[j] = *(const vec_##S##_##BYTES *)from;                                     \
                }                                                                                \
                turn_##S##_##BYTES(v);                                                           \
                CYPOOL_UNROLLED                                                                  \
                for (int j = 0; j < LANES; j++)                                                  \
                    *(vec_##S##_##BYTES *)(y + (i + j) * lanes + p) = v[j];                      \
            }
#define CYPOOL_FROM_PIXELS(S, T, BYTES, LANES)                                                   \
    if (step == sizeof(T) && n >= LANES)                                                         \
        for (; p + LANES <= planes; p += LANES)                                                  \
            CYPOOL_EACH_BLOCK(n, LANES) {                                                        \
                vec_##S##_##BYTES v[LANES];                                                      \
                CYPOOL_UNROLLED                                                                  \
                for (int j = 0; j < LANES; j++)                                                  \
                    v[j] = *(const vec_##S##_##BYTES *)(a + (i + j) * lanes + p);                \
                turn_##S##_##BYTES(v);                                                           \
                CYPOOL_UNROLLED                                                                  \
                for (int j = 0; j < LANES; j++) {                                                \
                    T *to = (T *)(rows[p + j] + offset) + i;                                     \
                    CYPOOL_ASK_BELOW(to, LANES * n * (ptrdiff_t)sizeof(T), 1)                    \
                    *(vec_##S##_##BYTES *)to = v[j];                                             \
                }                                                                                \
            }
/* n elements of each of some planes, `step` bytes apart from `offset` on, and n pixels of `lanes` of
   them. Of those that come back the first `planes` are wanted. (Planes lie one after the other as a
   rule: then what comes after a vector of them is what is asked for.) */
#define CYPOOL_TURN(S, T, BLOCKS, ...)                                                           \
BLOCKS(CYPOOL_TURN_BLOCK, __VA_ARGS__, S, T)                                                     \
CYPOOL_ROW to_pixels_##S(                                                                        \
    ptrdiff_t planes, ptrdiff_t lanes, ptrdiff_t n, char *const *rows, ptrdiff_t offset,         \
    ptrdiff_t step, char *pixels)                                                                \
{                                                                                                \
    T *restrict y = (T *)pixels;                                                                 \
    ptrdiff_t p = 0;                                                                             \
    BLOCKS(CYPOOL_TO_PIXELS, __VA_ARGS__, S, T)                                                  \
    for (; p < lanes; p++)                                                                       \
        for (ptrdiff_t i = 0; i < n; i++)                                                        \
            y[i * lanes + p] = *(const T *)(rows[p] + offset + i * step);                        \
}                                                                                                \
CYPOOL_ROW from_pixels_##S(                                                                      \
    ptrdiff_t planes, ptrdiff_t lanes, ptrdiff_t n, char *const *rows, ptrdiff_t offset,         \
    ptrdiff_t step, char *pixels)                                                                \
{                                                                                                \
    const T *restrict a = (const T *)pixels;                                                     \
    ptrdiff_t p = 0;                                                                             \
    BLOCKS(CYPOOL_FROM_PIXELS, __VA_ARGS__, S, T)                                                \
    for (; p < planes; p++)                                                                      \
        for (ptrdiff_t i = 0; i < n; i++)                                                        \
            *(T *)(rows[p] + offset + i * step) = a[i * lanes + p];                              \
}
#define CYPOOL_NARROWEST(DO, L16, ...) DO(__VA_ARGS__, 16, L16)
CYPOOL_TURN(i8, int8_t, CYPOOL_NARROWEST, 16)
CYPOOL_TURN(i16, int16_t, CYPOOL_NARROWEST, 8)
CYPOOL_TURN(i32, int32_t, CYPOOL_WIDTHS, 16, 8, 4)
CYPOOL_TURN(i64, int64_t, CYPOOL_WIDTHS, 8, 4, 2)

#endif

/* Windows of images, whose pixels are a few values: straight from the source to what they make. */
#ifndef CYPOOL_IMAGES_H
#define CYPOOL_IMAGES_H
#include "cypool_rows.h"
#include "cypool_windows.h"

/* Three columns one after the other, and up to three rows: in a row of pixels what lies under a window
   is `reach` values further on each, whichever value of a pixel it is. Rows of n >= LANES values,
   whose windows no border clips. */
#define CYPOOL_FLATS(OP, S, T, I, BYTES, LANES)                                                  \
CYPOOL_BLOCK flats_strip_##OP##_##S##_##BYTES(                                                   \
    ptrdiff_t rows, CYPOOL_STORED(OP, T) *restrict y, ptrdiff_t sy, const CYPOOL_STORED(OP, T) *restrict a, ptrdiff_t sa, \
    ptrdiff_t step, ptrdiff_t reach, int taps, int regular, int every, double by,                \
    vec_##S##_##BYTES *found)                                                                    \
{                                                                                                \
    vec_##S##_##BYTES l0, l1, l2, m0, m1, m2, r0, r1, r2, n0, n1, n2, all = *found;              \
    l0 = l1 = l2 = m0 = m1 = m2 = r0 = r1 = r2 = (vec_##S##_##BYTES){0};                         \
    if (regular) {                                                                               \
        CYPOOL_READ3(OP, S, BYTES, 0, a)                                                         \
        CYPOOL_READ3(OP, S, BYTES, 1, a + step)                                                  \
        if (CYPOOL_NOTES_##OP) all += n0 + n1;                                                   \
    }                                                                                            \
    for (; rows > 0; CYPOOL_ADVANCE(y += sy, a += sa)) {                                         \
        if (!regular) {                                                                          \
            CYPOOL_READ3(OP, S, BYTES, 0, a)                                                     \
            if (CYPOOL_NOTES_##OP) all += n0;                                                    \
            if (taps > 1) {                                                                      \
                CYPOOL_READ3(OP, S, BYTES, 1, a + step)                                          \
                if (CYPOOL_NOTES_##OP) all += n1;                                                \
            }                                                                                    \
        }                                                                                        \
        if (taps > 2) {                                                                          \
            CYPOOL_READ3(OP, S, BYTES, 2, a + 2 * step)                                          \
            if (CYPOOL_NOTES_##OP) all += n2;                                                    \
        }                                                                                        \
        vec_##S##_##BYTES v = under_##OP##_##S##_##BYTES(l0, l1, l2, taps, 0, 0);                \
        v = both_##OP##_##S##_##BYTES(v, under_##OP##_##S##_##BYTES(m0, m1, m2, taps, 0, 0));    \
        v = both_##OP##_##S##_##BYTES(v, under_##OP##_##S##_##BYTES(r0, r1, r2, taps, 0, 0));    \
        CYPOOL_MEAN(OP, S, BYTES, T, v, by)                                                      \
        CYPOOL_ROOT_##OP(S, BYTES, v, all, by)                                                   \
        CYPOOL_PUT(OP, S, BYTES, y, v, 0)                                                        \
        if (regular) { l0 = l1; m0 = m1; r0 = r1; l1 = l2; m1 = m2; r1 = r2; }                   \
    }                                                                                            \
    *found = all;                                                                                \
}                                                                                                \
static __attribute__((noinline, unused)) int flats_##OP##_##S##_##BYTES(                         \
    ptrdiff_t rows, ptrdiff_t n, CYPOOL_STORED(OP, T) *y, ptrdiff_t sy, const CYPOOL_STORED(OP, T) *a, ptrdiff_t sa, ptrdiff_t step, \
    ptrdiff_t reach, int taps, double by)                                                        \
{                                                                                                \
    const ptrdiff_t few = cypool_few(                                                            \
        rows, n, LANES, 3, 1, step * (ptrdiff_t)sizeof(CYPOOL_STORED(OP, T)),                    \
        (intptr_t)y - (intptr_t)a, 0);                                                           \
    vec_##S##_##BYTES found = {0};                                                               \
    mask_##S##_##BYTES bad;                                                                      \
    I any = 0;                                                                                   \
    for (ptrdiff_t h = 0; h < rows; h += few) {                                                  \
        const ptrdiff_t some = rows - h < few ? rows - h : few;                                  \
        CYPOOL_EACH_BLOCK(n, LANES) {                                                            \
            const int all = i + LANES == n || reach > LANES;                                     \
            const CYPOOL_STORED(OP, T) *p = a + h * sa + i;                                      \
            CYPOOL_STORED(OP, T) *to = y + h * sy + i;                                           \
            if (taps == 3 && sa == step)                                                         \
                flats_strip_##OP##_##S##_##BYTES(                                                \
                    some, to, sy, p, sa, step, reach, 3, 1, all, by, &found);                    \
            else                                                                                 \
                flats_strip_##OP##_##S##_##BYTES(                                                \
                    some, to, sy, p, sa, step, reach, taps, 0, all, by, &found);                 \
        }                                                                                        \
    }                                                                                            \
    bad = found != found;                                                                        \
    for (int j = 0; j < LANES; j++) any |= bad[j];                                               \
    return CYPOOL_FINDS_##OP && any;                                                             \
}
/* Values are noted where they are under a window's first column, or under every one: at the end of a
   row, and where columns are so far apart that the end's do not cover all that comes after it. */
#define CYPOOL_READ3(OP, S, BYTES, t, p)                                                         \
    l##t = CYPOOL_GET(OP, S, BYTES, p);                                                          \
    m##t = CYPOOL_GET(OP, S, BYTES, (p) + reach);                                                \
    r##t = CYPOOL_GET(OP, S, BYTES, (p) + 2 * reach);                                            \
    n##t = l##t;                                                                                 \
    if (CYPOOL_NOTES_##OP && every) n##t += m##t + r##t;                                         \
    l##t = CYPOOL_TAKE_##OP(l##t, by);                                                           \
    m##t = CYPOOL_TAKE_##OP(m##t, by);                                                           \
    r##t = CYPOOL_TAKE_##OP(r##t, by);

#define CYPOOL_FLATS_TRY(OP, S, T, BYTES, LANES)                                                 \
    if (n >= LANES)                                                                              \
        return flats_##OP##_##S##_##BYTES(rows, n, y, sy, a, sa, step, reach, taps, by);
/* Windows of two or three columns, two apart, of pixels of three or four values: a pixel is a vector of four,
   which goes beyond one of three into the next. So there has to be a next one, in both arrays, and
   pixels of a row are made from the first to the last. */
#define CYPOOL_QUADS(OP, S, T, I)                                                                \
typedef T quad_##S __attribute__((vector_size(4 * sizeof(T)), aligned(sizeof(T)), may_alias));   \
static inline __attribute__((always_inline, unused)) quad_##S                                    \
quad_both_##OP##_##S(quad_##S a, quad_##S b)                                                     \
{                                                                                                \
    if (CYPOOL_SUMS_##OP) return a + b;                                                          \
    quad_##S y;                                                                                  \
    for (int j = 0; j < 4; j++) y[j] = (T)CYPOOL_OP_##OP(a[j], b[j]);                            \
    return y;                                                                                    \
}                                                                                                \
static inline __attribute__((always_inline, unused)) quad_##S quad_column_##OP##_##S(            \
    const T *a, ptrdiff_t step, int taps, quad_##S *note, double by)                             \
{                                                                                                \
    quad_##S v = *(const quad_##S *)a, w;                                                        \
    if (CYPOOL_NOTES_##OP) *note += v;                                                           \
    v = CYPOOL_TAKE_##OP(v, by);                                                                 \
    for (int t = 1; t < taps; t++) {                                                             \
        w = *(const quad_##S *)(a + t * step);                                                   \
        if (CYPOOL_NOTES_##OP) *note += w;                                                       \
        v = quad_both_##OP##_##S(v, CYPOOL_TAKE_##OP(w, by));                                    \
    }                                                                                            \
    return v;                                                                                    \
}                                                                                                \
static inline __attribute__((always_inline, unused)) int quads_row_##OP##_##S(                   \
    ptrdiff_t n, T *restrict y, const T *restrict a, ptrdiff_t step, ptrdiff_t pixel, int taps,  \
    int kernel, double by)                                                                       \
{                                                                                                \
    quad_##S notes[2] = {{0}, {0}}, v;                                                           \
    I any = 0;                                                                                   \
    for (ptrdiff_t i = 0; i < n; i++, y += pixel, a += 2 * pixel) {                              \
        v = quad_column_##OP##_##S(a, step, taps, notes, by);                                    \
        v = quad_both_##OP##_##S(v, quad_column_##OP##_##S(a + pixel, step, taps, notes + 1, by)); \
        if (kernel == 3)                                                                         \
            v = quad_both_##OP##_##S(                                                            \
                v, quad_column_##OP##_##S(a + 2 * pixel, step, taps, notes, by));                \
        CYPOOL_SHARE(OP, S, T, v, by)                                                            \
        CYPOOL_ROOT_##OP(S, 16, v, notes[0], by)                                                 \
        *(quad_##S *)y = v;                                                                      \
    }                                                                                            \
    notes[0] += notes[1];                                                                        \
    for (int j = 0; j < 4; j++) any |= (notes[0] != notes[0])[j];                                \
    return CYPOOL_FINDS_##OP && any;                                                             \
}                                                                                                \
static __attribute__((noinline, unused)) int quads_##OP##_##S(                                   \
    ptrdiff_t n, T *y, const T *a, ptrdiff_t step, ptrdiff_t pixel, int taps, int kernel,        \
    double by)                                                                                   \
{                                                                                                \
    if (kernel == 2 && taps == 2)                                                                \
        return quads_row_##OP##_##S(n, y, a, step, pixel, 2, 2, by);                             \
    if (kernel == 3 && taps == 3)                                                                \
        return quads_row_##OP##_##S(n, y, a, step, pixel, 3, 3, by);                             \
    return quads_row_##OP##_##S(n, y, a, step, pixel, taps, kernel, by);                         \
}
#define CYPOOL_ALL_FLATS(OP, S, T, I, L64, L32, L16)                                             \
CYPOOL_ENDS(CYPOOL_FLATS, L64, L32, L16, OP, S, T, I)                                            \
static inline __attribute__((unused)) int flats_##OP##_##S(                                      \
    ptrdiff_t rows, ptrdiff_t n, CYPOOL_STORED(OP, T) *y, ptrdiff_t sy, const CYPOOL_STORED(OP, T) *a, ptrdiff_t sa, ptrdiff_t step, \
    ptrdiff_t reach, int taps, double by)                                                        \
{                                                                                                \
    CYPOOL_ENDS(CYPOOL_FLATS_TRY, L64, L32, L16, OP, S, T)                                       \
    return 0;                                                                                    \
}
#define CYPOOL_QUADS_OF_TYPES(OP)                                                                \
CYPOOL_QUADS(OP, i32, int32_t, int32_t) CYPOOL_QUADS(OP, u32, uint32_t, int32_t)                 \
CYPOOL_QUADS(OP, i64, int64_t, int64_t) CYPOOL_QUADS(OP, u64, uint64_t, int64_t)                 \
CYPOOL_QUADS(OP, f32, float, int32_t) CYPOOL_QUADS(OP, f64, double, int64_t)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_FLATS, max)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_FLATS, min)
CYPOOL_ALL_FLATS(nanmax, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_FLATS(nanmax, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_FLATS(nanmin, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_FLATS(nanmin, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_FLATS(sum, i32, int32_t, int32_t, 16, 8, 4)
CYPOOL_ALL_FLATS(sum, i64, int64_t, int64_t, 8, 4, 2)
CYPOOL_ALL_FLATS(sum, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_FLATS(sum, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_FLATS(square, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_FLATS(halves, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_FLATS(bfloats, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_FLATS(shorts, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_FLATS(ushorts, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_FLATS(bytes, i16, int16_t, int16_t, 32, 16, 8)
CYPOOL_ALL_FLATS(ubytes, i16, int16_t, int16_t, 32, 16, 8)
CYPOOL_ALL_FLATS(keymax, i16, int16_t, int16_t, 32, 16, 8)
CYPOOL_ALL_FLATS(keymin, i16, int16_t, int16_t, 32, 16, 8)
CYPOOL_QUADS_OF_TYPES(max)
CYPOOL_QUADS_OF_TYPES(min)
CYPOOL_QUADS(nanmax, f32, float, int32_t) CYPOOL_QUADS(nanmax, f64, double, int64_t)
CYPOOL_QUADS(nanmin, f32, float, int32_t) CYPOOL_QUADS(nanmin, f64, double, int64_t)
CYPOOL_QUADS(sum, i32, int32_t, int32_t) CYPOOL_QUADS(sum, i64, int64_t, int64_t)
CYPOOL_QUADS(sum, f32, float, int32_t) CYPOOL_QUADS(sum, f64, double, int64_t)
CYPOOL_QUADS(square, f32, float, int32_t)

/* rows, n, reducer, whether its sums are roots of sums of squares, y, distance of its rows, source,
   distance of its rows and of those of a window and of its columns, taps, what sums are divided by */
#define cypool_flats(rows, n, r, turned, y, ...)                                                 \
    CYPOOL_WINDOWS_FOR(flats, no_flats, r, turned, y)(rows, n, y, __VA_ARGS__)
static inline __attribute__((unused)) int no_flats(
    ptrdiff_t rows, ptrdiff_t n, void *y, ptrdiff_t sy, const void *a, ptrdiff_t sa,
    ptrdiff_t step, ptrdiff_t reach, int taps, double by)
{ return 0; }
/* n, reducer, the same, y, source, distance of a window's rows, values of a pixel, taps of a column
   and of a row, what sums are divided by. (Of what is as wide as a float, or wider.) */
#define cypool_quads(n, r, turned, y, ...)                                                       \
    CYPOOL_QUADS_FOR(r, turned, y)(n, y, __VA_ARGS__)
#define CYPOOL_QUADS_FOR(r, turned, y)                                                           \
    _Generic((r), cypool_max *: CYPOOL_QUADS_ORDERED(quads_max, y),                              \
        cypool_min *: CYPOOL_QUADS_ORDERED(quads_min, y),                                        \
        cypool_sum *: _Generic((y), int32_t *: quads_sum_i32, int64_t *: quads_sum_i64,          \
            float *: (turned) ? quads_square_f32 : quads_sum_f32, double *: quads_sum_f64,       \
            default: no_quads),                                                                  \
        cypool_nanmax *: _Generic((y), float *: quads_nanmax_f32, double *: quads_nanmax_f64,    \
            default: CYPOOL_QUADS_ORDERED(quads_max, y)),                                        \
        cypool_nanmin *: _Generic((y), float *: quads_nanmin_f32, double *: quads_nanmin_f64,    \
            default: CYPOOL_QUADS_ORDERED(quads_min, y)))
#define CYPOOL_QUADS_ORDERED(NAME, y)                                                            \
    _Generic((y), int32_t *: NAME##_i32, uint32_t *: NAME##_u32, int64_t *: NAME##_i64,          \
        uint64_t *: NAME##_u64, float *: NAME##_f32, double *: NAME##_f64, default: no_quads)
static inline __attribute__((unused)) int no_quads(
    ptrdiff_t n, void *y, const void *a, ptrdiff_t step, ptrdiff_t pixel, int taps, int kernel,
    double by)
{ return 0; }

/* Means of 2x2 integers of 8 or 16 bits, rounded half to even: those at even and at odd places of a
   vector are added up in lanes of twice the width, where they are neighbours. */
#define CYPOOL_MEAN4(v) (((v) + 1 + ((v) >> 2 & 1)) >> 2)
#define CYPOOL_MEANS_OF(S, T, W, BYTES, LANES)                                                   \
typedef W wide_##S##_##BYTES __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias)); \
typedef T half_##S##_##BYTES __attribute__((                                                     \
    vector_size(BYTES / 2), aligned(sizeof(T)), may_alias));                                     \
static inline __attribute__((always_inline, unused)) wide_##S##_##BYTES evens_##S##_##BYTES(     \
    const T *a)                                                                                  \
{                                                                                                \
    const wide_##S##_##BYTES v = *(const wide_##S##_##BYTES *)a;                                 \
    if ((T)-1 > 0) return v & (W)(T)-1;                                                          \
    return v << 8 * sizeof(T) >> 8 * sizeof(T);                                                  \
}                                                                                                \
static inline __attribute__((always_inline, unused)) wide_##S##_##BYTES odds_##S##_##BYTES(      \
    const T *a)                                                                                  \
{ return *(const wide_##S##_##BYTES *)a >> 8 * sizeof(T); }                                      \
/* Of neighbours: n >= LANES / 2 of them. */                                                     \
static __attribute__((noinline, unused)) void means_##S##_##BYTES(                               \
    ptrdiff_t n, T *restrict y, const T *restrict a, const T *restrict b)                        \
{                                                                                                \
    CYPOOL_EACH_BLOCK(n, LANES / 2) {                                                            \
        const T *p = a + 2 * i, *q = b + 2 * i;                                                  \
        CYPOOL_ASK(p, 1)                                                                         \
        CYPOOL_ASK(q, 1)                                                                         \
        wide_##S##_##BYTES v = evens_##S##_##BYTES(p) + odds_##S##_##BYTES(p)                    \
            + evens_##S##_##BYTES(q) + odds_##S##_##BYTES(q);                                    \
        *(half_##S##_##BYTES *)(y + i) = __builtin_convertvector(                                \
            CYPOOL_MEAN4(v), half_##S##_##BYTES);                                                \
    }                                                                                            \
}                                                                                                \
/* Of those `reach` apart, at each of n >= LANES places. */                                      \
static __attribute__((noinline, unused)) void means_apart_##S##_##BYTES(                         \
    ptrdiff_t n, T *restrict y, const T *restrict a, const T *restrict b, ptrdiff_t reach)       \
{                                                                                                \
    CYPOOL_EACH_BLOCK(n, LANES) {                                                                \
        const T *p = a + i, *q = b + i;                                                          \
        CYPOOL_ASK(p, 1)                                                                         \
        CYPOOL_ASK(q, 1)                                                                         \
        const vec_##S##_##BYTES a0 = *(const vec_##S##_##BYTES *)p;                              \
        const vec_##S##_##BYTES a1 = *(const vec_##S##_##BYTES *)(p + reach);                    \
        const vec_##S##_##BYTES b0 = *(const vec_##S##_##BYTES *)q;                              \
        const vec_##S##_##BYTES b1 = *(const vec_##S##_##BYTES *)(q + reach);                    \
        /* Quarters and what they leave, which needs no wider lanes. */                          \
        vec_##S##_##BYTES v = (a0 >> 2) + (a1 >> 2) + (b0 >> 2) + (b1 >> 2);                     \
        vec_##S##_##BYTES rest = (a0 & 3) + (a1 & 3) + (b0 & 3) + (b1 & 3);                      \
        v += rest >> 2;                                                                          \
        *(vec_##S##_##BYTES *)(y + i) = v + (((rest & 3) + (v & 1) + 1) >> 2);                   \
    }                                                                                            \
}
#define CYPOOL_MEANS_TRY(S, BYTES, LANES)                                                        \
    if (n >= LANES / 2) { means_##S##_##BYTES(n, y, a, b); return; }
#define CYPOOL_MEANS_APART_TRY(S, BYTES, LANES)                                                  \
    if (n >= LANES) { means_apart_##S##_##BYTES(n, y, a, b, reach); return; }
#define CYPOOL_MEANS(S, T, W, L64, L32, L16)                                                     \
CYPOOL_WIDTHS(CYPOOL_MEANS_OF, L64, L32, L16, S, T, W)                                           \
static inline __attribute__((unused)) void means_##S(                                            \
    ptrdiff_t n, T *restrict y, const T *restrict a, const T *restrict b)                        \
{                                                                                                \
    CYPOOL_WIDTHS(CYPOOL_MEANS_TRY, L64, L32, L16, S)                                            \
    for (ptrdiff_t i = 0; i < n; i++) {                                                          \
        const W v = (W)(a[2 * i] + a[2 * i + 1] + b[2 * i] + b[2 * i + 1]);                      \
        y[i] = (T)CYPOOL_MEAN4(v);                                                               \
    }                                                                                            \
}                                                                                                \
static inline __attribute__((unused)) void means_apart_##S(                                      \
    ptrdiff_t n, T *restrict y, const T *restrict a, const T *restrict b, ptrdiff_t reach)       \
{                                                                                                \
    CYPOOL_WIDTHS(CYPOOL_MEANS_APART_TRY, L64, L32, L16, S)                                      \
    for (ptrdiff_t i = 0; i < n; i++) {                                                          \
        const W v = (W)(a[i] + a[i + reach] + b[i] + b[i + reach]);                              \
        y[i] = (T)CYPOOL_MEAN4(v);                                                               \
    }                                                                                            \
}
CYPOOL_MEANS(i8, int8_t, int16_t, 64, 32, 16)
CYPOOL_MEANS(u8, uint8_t, uint16_t, 64, 32, 16)
CYPOOL_MEANS(i16, int16_t, int32_t, 32, 16, 8)
CYPOOL_MEANS(u16, uint16_t, uint32_t, 32, 16, 8)

/* n means of pixels of `pixel` values, two rows of which lie at a and b; room for 2 * n pixels. Values
   have `bytes` each. */
static inline __attribute__((unused)) void cypool_means(
    ptrdiff_t n, ptrdiff_t pixel, int bytes, int is_signed, void *y, const void *a, const void *b,
    void *room)
{
    const ptrdiff_t apart = (2 * n - 1) * pixel;
    if (pixel == 1 && bytes == 1) {
        if (is_signed) means_i8(n, y, a, b);
        else means_u8(n, y, a, b);
    }
    else if (pixel == 1) {
        if (is_signed) means_i16(n, y, a, b);
        else means_u16(n, y, a, b);
    }
    else if (bytes == 1) {
        if (is_signed) means_apart_i8(apart, room, a, b, pixel);
        else means_apart_u8(apart, room, a, b, pixel);
        pick_m8(1, n, pixel, y, 0, room, 0, 2 * pixel);
    }
    else {
        if (is_signed) means_apart_i16(apart, room, a, b, pixel);
        else means_apart_u16(apart, room, a, b, pixel);
        pick_m16(1, n, pixel, y, 0, room, 0, 2 * pixel);
    }
}

#endif

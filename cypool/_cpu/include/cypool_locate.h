/* Where extremes are found once their values are known, and indices. */
#ifndef CYPOOL_LOCATE_H
#define CYPOOL_LOCATE_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "cypool_rows.h"
#include "cypool_windows.h"

/* Where values were found: c[j] becomes t where tap t of window j is the value, so that the last
   one asked about wins. Codes are as wide as values: one compare and one select. */
#define CYPOOL_LOCATE(OP, S, T, U, MATCH)                                                        \
CYPOOL_BLOCK OP##_row_##S(                                                                       \
    ptrdiff_t n, U *restrict c, const T *restrict v, const T *restrict a, ptrdiff_t s, U t)      \
{ for (ptrdiff_t j = 0; j < n; j++) c[j] = MATCH(a[j * s], v[j]) ? t : c[j]; }                   \
CYPOOL_ROW OP##_##S(                                                                             \
    ptrdiff_t rows, ptrdiff_t n, void *codes, ptrdiff_t sc, const T *v, ptrdiff_t sv,            \
    const T *a, ptrdiff_t sa, ptrdiff_t s, U t)                                                  \
{                                                                                                \
    U *c = (U *)codes;                                                                           \
    if (s == 1 && sc == n && sv == n && sa == n) { n *= rows; rows = 1; }                        \
    for (; rows > 0; CYPOOL_ADVANCE(c += sc, v += sv, a += sa)) {                                \
        if (s == 1) OP##_row_##S(n, c, v, a, 1, t);                                              \
        else OP##_row_##S(n, c, v, a, s, t);                                                     \
    }                                                                                            \
}
/* The same for two or three taps next to each other, t and on: all that a vector's windows see. */
#define CYPOOL_LOCATE_MORE(OP, S, T, U, MATCH, K, STRIDE)                                        \
CYPOOL_BLOCK OP##_block##K##_##STRIDE##_##S(                                                     \
    U *restrict c, const T *restrict v, const T *restrict a, U t, ptrdiff_t n)                   \
{                                                                                                \
    T third[CYPOOL_VECTOR / sizeof(T) > 0 ? CYPOOL_VECTOR / sizeof(T) : 1];                      \
    if (K == 3 && STRIDE == 2) third_##S(third, a, n);                                           \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        U code = c[j];                                                                           \
        if (K == 3)                                                                              \
            code = MATCH((STRIDE == 2 ? third[j] : a[j * STRIDE + K - 1]), v[j])                 \
                ? (U)(t + 2) : code;                                                             \
        code = MATCH(a[j * STRIDE + 1], v[j]) ? (U)(t + 1) : code;                               \
        c[j] = MATCH(a[j * STRIDE], v[j]) ? t : code;                                            \
    }                                                                                            \
}                                                                                                \
CYPOOL_BLOCK OP##_row##K##_##STRIDE##_##S(ptrdiff_t n, U *c, const T *v, const T *a, U t)        \
{ CYPOOL_OUT_OF_PLACE(U, n,                                                                      \
    OP##_block##K##_##STRIDE##_##S(c + i_, v + i_, a + i_ * STRIDE, t, B_)) }
#define CYPOOL_LOCATE_RUN(OP, S, T, U, MATCH)                                                    \
CYPOOL_LOCATE_MORE(OP, S, T, U, MATCH, 2, 1) CYPOOL_LOCATE_MORE(OP, S, T, U, MATCH, 3, 1)        \
CYPOOL_LOCATE_MORE(OP, S, T, U, MATCH, 2, 2) CYPOOL_LOCATE_MORE(OP, S, T, U, MATCH, 3, 2)        \
CYPOOL_ROW OP##_run_##S(                                                                         \
    ptrdiff_t rows, ptrdiff_t n, void *codes, ptrdiff_t sc, const T *v, ptrdiff_t sv,            \
    const T *a, ptrdiff_t sa, ptrdiff_t s, U t, int k)                                           \
{                                                                                                \
    U *c = (U *)codes;                                                                           \
    for (; rows > 0; CYPOOL_ADVANCE(c += sc, v += sv, a += sa)) {                                \
        if (s == 1 && k == 2) OP##_row2_1_##S(n, c, v, a, t);                                    \
        else if (s == 1) OP##_row3_1_##S(n, c, v, a, t);                                         \
        else if (k == 2) OP##_row2_2_##S(n, c, v, a, t);                                         \
        else OP##_row3_2_##S(n, c, v, a, t);                                                     \
    }                                                                                            \
}
#define CYPOOL_SAME(a, v) ((a) == (v))
#define CYPOOL_SAME_OR_NAN(a, v) (((a) == (v)) | ((a) != (a)))
CYPOOL_LOCATE(locate, i8, int8_t, uint8_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, i8, int8_t, uint8_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, u8, uint8_t, uint8_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, u8, uint8_t, uint8_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, i16, int16_t, uint16_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, i16, int16_t, uint16_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, u16, uint16_t, uint16_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, u16, uint16_t, uint16_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, i32, int32_t, uint32_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, i32, int32_t, uint32_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, u32, uint32_t, uint32_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, u32, uint32_t, uint32_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, i64, int64_t, uint64_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, i64, int64_t, uint64_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, u64, uint64_t, uint64_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, u64, uint64_t, uint64_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, i128, cypool_int128, cypool_m128, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, i128, cypool_int128, cypool_m128, CYPOOL_SAME)
CYPOOL_LOCATE(locate, f32, float, uint32_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, f32, float, uint32_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate, f64, double, uint64_t, CYPOOL_SAME)
CYPOOL_LOCATE_RUN(locate, f64, double, uint64_t, CYPOOL_SAME)
CYPOOL_LOCATE(locate_nan, f32, float, uint32_t, CYPOOL_SAME_OR_NAN)
CYPOOL_LOCATE_RUN(locate_nan, f32, float, uint32_t, CYPOOL_SAME_OR_NAN)
CYPOOL_LOCATE(locate_nan, f64, double, uint64_t, CYPOOL_SAME_OR_NAN)
CYPOOL_LOCATE_RUN(locate_nan, f64, double, uint64_t, CYPOOL_SAME_OR_NAN)

/* Where the values of windows next to each other were found, straight as indices: `at` for the first
   window, `next` more for each one in its row and `below` more from row to row, and what is added for
   the first tap that has the value, `first` for the first of them, w more for each column and h more
   for each row. -1 where there is none. Blocks lie within a row of outputs; of the source they read what
   lies beside its columns, from <= i < to. Taps: `rows` rows a distance of `step` apart, of `columns`
   columns, `reach` apart. What was found before is in `codes`, and stays there until all is done. */
typedef struct {
    int64_t at, next, below;
    int32_t first, w, h;
    ptrdiff_t sy;                   /* in indices */
    int index32, more, done;
} cypool_place;
#define CYPOOL_PLACES_AS(I)                                                                      \
    for (int j = 0; j < lanes; j++)                                                              \
        ((I *)y)[j] = f[j] < 0 ? (I)-1 : (I)(at + j * next) + (I)f[j];
#define CYPOOL_PLACES(S, I)                                                                      \
static inline __attribute__((always_inline, unused)) void places_##S(                            \
    void *restrict y, const I *restrict f, int64_t at, int64_t next, int index32, int lanes)     \
{                                                                                                \
    if (index32) { CYPOOL_PLACES_AS(int32_t) }                                                   \
    else { CYPOOL_PLACES_AS(int64_t) }                                                           \
}
CYPOOL_PLACES(f32, int32_t)
CYPOOL_PLACES(f64, int64_t)
/* Whether a vector of windows sees columns from <= i < to only, and if not, which windows see such a
   one under each tap. */
#define CYPOOL_SEEN(S, T, I, BYTES, LANES)                                                       \
static inline __attribute__((unused)) int seen_##S##_##BYTES(                                    \
    mask_##S##_##BYTES *in, ptrdiff_t from, ptrdiff_t to, ptrdiff_t stride, ptrdiff_t reach,     \
    ptrdiff_t columns)                                                                           \
{                                                                                                \
    const mask_##S##_##BYTES zero = {0}, lane = {CYPOOL_LANES##LANES(CYPOOL_SELF)};              \
    if (from <= 0 && to > stride * (LANES - 1) + (columns - 1) * reach) return 1;                \
    for (ptrdiff_t j = 0; j < columns; j++, from -= reach, to -= reach) {                        \
        ptrdiff_t lo = from <= 0 ? 0 : (from - 1) / stride + 1;                                  \
        ptrdiff_t hi = to <= 0 ? 0 : (to - 1) / stride + 1;                                      \
        lo = lo > LANES ? LANES : lo;                                                            \
        hi = hi > LANES ? LANES : hi;                                                            \
        in[j] = (lane >= (I)lo - zero) & (lane < (I)hi - zero);                                  \
    }                                                                                            \
    return 0;                                                                                    \
}                                                                                                \
/* What counts of a vector, if not all of it does; what does not is `nothing`. */                \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES kept_##S##_##BYTES(       \
    const T *p, const mask_##S##_##BYTES *in, T nothing)                                         \
{                                                                                                \
    const vec_##S##_##BYTES x = *(const vec_##S##_##BYTES *)p;                                   \
    const vec_##S##_##BYTES none = nothing - (vec_##S##_##BYTES){0};                             \
    if (!in) return x;                                                                           \
    return (vec_##S##_##BYTES)(                                                                  \
        ((mask_##S##_##BYTES)x & *in) | ((mask_##S##_##BYTES)none & ~*in));                      \
}
CYPOOL_WIDTHS(CYPOOL_SEEN, 16, 8, 4, f32, float, int32_t)
CYPOOL_WIDTHS(CYPOOL_SEEN, 8, 4, 2, f64, double, int64_t)
#define CYPOOL_FIND_ROWS(NAME, S, T, I, MATCH, STRIDE, BYTES, LANES)                             \
static inline __attribute__((always_inline, unused)) mask_##S##_##BYTES                          \
NAME##STRIDE##_block_##S##_##BYTES(                                                              \
    mask_##S##_##BYTES found, const T *restrict v, const T *restrict a, ptrdiff_t step,          \
    ptrdiff_t rows, ptrdiff_t reach, ptrdiff_t columns, const cypool_place *place,               \
    const mask_##S##_##BYTES *in)                                                                \
{                                                                                                \
    const mask_##S##_##BYTES zero = {0};                                                         \
    const vec_##S##_##BYTES value = *(const vec_##S##_##BYTES *)v;                               \
    mask_##S##_##BYTES same;                                                                     \
    _Pragma("GCC unroll 3")                                                                      \
    for (ptrdiff_t t = rows - 1; t >= 0; t--)                                                    \
        _Pragma("GCC unroll 3")                                                                  \
        for (ptrdiff_t j = columns - 1; j >= 0; j--) {                                           \
            const T *p = a + t * step + j * reach;                                               \
            vec_##S##_##BYTES x = *(const vec_##S##_##BYTES *)p;                                 \
            if (STRIDE == 2) {                                                                   \
                vec_##S##_##BYTES next = *(const vec_##S##_##BYTES *)(p + LANES);                \
                x = joined_##S##_##BYTES(near_evens_##S##_##BYTES(x, next));                     \
            }                                                                                    \
            same = MATCH(x, value);                                                              \
            if (in) same &= in[j];                                                               \
            found = (same & ((I)(place->first + t * place->h + j * place->w) - zero))            \
                | (found & ~same);                                                               \
        }                                                                                        \
    return found;                                                                                \
}                                                                                                \
CYPOOL_BLOCK NAME##STRIDE##_strip_##S##_##BYTES(                                                 \
    ptrdiff_t many, ptrdiff_t n, I *restrict c, const T *restrict v, ptrdiff_t sv,               \
    const T *restrict a, ptrdiff_t sa, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t reach,          \
    ptrdiff_t columns, const cypool_place *place, int64_t at, char *y,                           \
    const mask_##S##_##BYTES *in)                                                                \
{                                                                                                \
    const ptrdiff_t sy = place->sy * (place->index32 ? 4 : 8);                                   \
    const int more = place->more, done = place->done;                                            \
    const mask_##S##_##BYTES zero = {0};                                                         \
    for (;;) {                                                                                   \
        mask_##S##_##BYTES found = more ? *(const mask_##S##_##BYTES *)c : ~zero;                \
        found = NAME##STRIDE##_block_##S##_##BYTES(                                              \
            found, v, a, step, rows, reach, columns, place, in);                                 \
        if (done) places_##S(y, (const I *)&found, at, place->next, place->index32, LANES);      \
        else *(mask_##S##_##BYTES *)c = found;                                                   \
        if (--many <= 0) return;                                                                 \
        c += n;                                                                                  \
        v += sv;                                                                                 \
        a += sa;                                                                                 \
        at += place->below;                                                                      \
        y += sy;                                                                                 \
    }                                                                                            \
}                                                                                                \
CYPOOL_ROW NAME##STRIDE##_##S##_##BYTES(                                                         \
    ptrdiff_t many, ptrdiff_t n, I *c, const T *v, ptrdiff_t sv, const T *a, ptrdiff_t sa,       \
    ptrdiff_t step, ptrdiff_t rows, ptrdiff_t reach, ptrdiff_t columns,                          \
    const cypool_place *place, char *y, ptrdiff_t from, ptrdiff_t to)                            \
{                                                                                                \
    mask_##S##_##BYTES in[32];                                                                   \
    CYPOOL_EACH_BLOCK(n, LANES) {                                                                \
        const int64_t at = place->at + i * place->next;                                          \
        char *to_y = y + i * (place->index32 ? 4 : 8);                                           \
        const int whole = seen_##S##_##BYTES(                                                    \
            in, from - STRIDE * i, to - STRIDE * i, STRIDE, reach, columns);                     \
        if (whole && rows == 3 && columns == 3)                                                  \
            NAME##STRIDE##_strip_##S##_##BYTES(                                                  \
                many, n, c + i, v + i, sv, a + STRIDE * i, sa, step, 3, reach, 3, place, at,     \
                to_y, 0);                                                                        \
        else if (whole && rows == 2 && columns == 2)                                             \
            NAME##STRIDE##_strip_##S##_##BYTES(                                                  \
                many, n, c + i, v + i, sv, a + STRIDE * i, sa, step, 2, reach, 2, place, at,     \
                to_y, 0);                                                                        \
        else if (whole)                                                                          \
            NAME##STRIDE##_strip_##S##_##BYTES(                                                  \
                many, n, c + i, v + i, sv, a + STRIDE * i, sa, step, rows, reach, columns,       \
                place, at, to_y, 0);                                                             \
        else if (rows == 3 && columns == 3)                                                      \
            NAME##STRIDE##_strip_##S##_##BYTES(                                                  \
                many, n, c + i, v + i, sv, a + STRIDE * i, sa, step, 3, reach, 3, place, at,     \
                to_y, in);                                                                       \
        else                                                                                     \
            NAME##STRIDE##_strip_##S##_##BYTES(                                                  \
                many, n, c + i, v + i, sv, a + STRIDE * i, sa, step, rows, reach, columns,       \
                place, at, to_y, in);                                                            \
    }                                                                                            \
}
/* The same of windows of four rows and more, one apart, whose rows are neighbours: the greatest (or
   least) of each row's taps and where it comes first, which serves all windows that see the row. */
#define CYPOOL_RING 8
#define CYPOOL_FIND_DOWN(OP, S, T, I, BYTES, LANES)                                              \
CYPOOL_BLOCK down_##OP##_strip_##S##_##BYTES(                                                    \
    ptrdiff_t many, const T *restrict v, ptrdiff_t sv, const T *restrict a, ptrdiff_t sa,        \
    ptrdiff_t rows, ptrdiff_t columns, const cypool_place *place, int64_t at, char *y,           \
    const mask_##S##_##BYTES *in, T nothing)                                                     \
{                                                                                                \
    const ptrdiff_t sy = place->sy * (place->index32 ? 4 : 8);                                   \
    const mask_##S##_##BYTES zero = {0};                                                         \
    vec_##S##_##BYTES peak[CYPOOL_RING], value;                                                  \
    mask_##S##_##BYTES first[CYPOOL_RING], same, found;                                          \
    for (ptrdiff_t h = 0; h < many + rows - 1; h++, a += sa) {                                   \
        value = kept_##S##_##BYTES(a, in, nothing);                                              \
        _Pragma("GCC unroll 5")                                                                  \
        for (ptrdiff_t j = 1; j < columns; j++)                                                  \
            value = both_##OP##_##S##_##BYTES(                                                   \
                value, kept_##S##_##BYTES(a + j, in ? in + j : 0, nothing));                     \
        found = zero;                                                                            \
        _Pragma("GCC unroll 5")                                                                  \
        for (ptrdiff_t j = columns - 1; j >= 0; j--) {                                           \
            same = *(const vec_##S##_##BYTES *)(a + j) == value;                                 \
            if (in) same &= in[j];                                                               \
            found = (same & ((I)(j * place->w) - zero)) | (found & ~same);                       \
        }                                                                                        \
        peak[h % CYPOOL_RING] = value;                                                           \
        first[h % CYPOOL_RING] = found;                                                          \
        if (h < rows - 1) continue;                                                              \
        value = *(const vec_##S##_##BYTES *)v;                                                   \
        found = ~zero;                                                                           \
        _Pragma("GCC unroll 5")                                                                  \
        for (ptrdiff_t t = rows - 1; t >= 0; t--) {                                              \
            const ptrdiff_t k = (h - (rows - 1) + t) % CYPOOL_RING;                              \
            same = peak[k] == value;                                                             \
            found = (same & (first[k] + ((I)(place->first + t * place->h) - zero)))              \
                | (found & ~same);                                                               \
        }                                                                                        \
        places_##S(y, (const I *)&found, at, place->next, place->index32, LANES);                \
        v += sv;                                                                                 \
        at += place->below;                                                                      \
        y += sy;                                                                                 \
    }                                                                                            \
}                                                                                                \
CYPOOL_ROW down_##OP##_##S##_##BYTES(                                                            \
    ptrdiff_t many, ptrdiff_t n, const T *v, ptrdiff_t sv, const T *a, ptrdiff_t sa,             \
    ptrdiff_t rows, ptrdiff_t columns, const cypool_place *place, char *y, ptrdiff_t from,       \
    ptrdiff_t to, T nothing)                                                                     \
{                                                                                                \
    mask_##S##_##BYTES in[CYPOOL_RING];                                                          \
    CYPOOL_EACH_BLOCK(n, LANES) {                                                                \
        const int64_t at = place->at + i * place->next;                                          \
        char *to_y = y + i * (place->index32 ? 4 : 8);                                           \
        const int whole = seen_##S##_##BYTES(in, from - i, to - i, 1, 1, columns);               \
        if (rows == 5 && columns == 5 && whole)                                                  \
            down_##OP##_strip_##S##_##BYTES(                                                     \
                many, v + i, sv, a + i, sa, 5, 5, place, at, to_y, 0, nothing);                  \
        else if (rows == 5 && columns == 5)                                                      \
            down_##OP##_strip_##S##_##BYTES(                                                     \
                many, v + i, sv, a + i, sa, 5, 5, place, at, to_y, in, nothing);                 \
        else                                                                                     \
            down_##OP##_strip_##S##_##BYTES(                                                     \
                many, v + i, sv, a + i, sa, rows, columns, place, at, to_y, whole ? 0 : in,      \
                nothing);                                                                        \
    }                                                                                            \
}
#define CYPOOL_DOWN_TRY(OP, S, T, I, BYTES, LANES)                                               \
    if (n >= LANES) {                                                                            \
        down_##OP##_##S##_##BYTES(                                                               \
            many, n, v, sv, a, sa, rows, columns, place, y, from, to, nothing);                  \
        return 1;                                                                                \
    }
/* Whether that could be done. (Every window has to see a column.) */
#define CYPOOL_DOWN(OP, S, T, I, NOTHING, L64, L32, L16)                                         \
CYPOOL_WIDTHS(CYPOOL_FIND_DOWN, L64, L32, L16, OP, S, T, I)                                      \
static inline __attribute__((unused)) int down_##OP##_##S(                                       \
    ptrdiff_t many, ptrdiff_t n, const T *v, ptrdiff_t sv, const T *a, ptrdiff_t sa,             \
    ptrdiff_t step, ptrdiff_t rows, ptrdiff_t reach, ptrdiff_t columns, ptrdiff_t stride,        \
    const cypool_place *place, char *y, ptrdiff_t from, ptrdiff_t to)                            \
{                                                                                                \
    const T nothing = NOTHING;                                                                   \
    if (many == 1 || rows < 4 || rows > CYPOOL_RING || columns < 3 || columns > CYPOOL_RING      \
        || step != sa || stride != 1 || reach != 1 || from >= columns || to < n                  \
        || place->more || !place->done)                                                          \
        return 0;                                                                                \
    CYPOOL_WIDTHS(CYPOOL_DOWN_TRY, L64, L32, L16, OP, S, T, I)                                   \
    return 0;                                                                                    \
}
CYPOOL_DOWN(max, f32, float, int32_t, -__builtin_inff(), 16, 8, 4)
CYPOOL_DOWN(min, f32, float, int32_t, __builtin_inff(), 16, 8, 4)
CYPOOL_DOWN(max, f64, double, int64_t, -__builtin_inf(), 8, 4, 2)
CYPOOL_DOWN(min, f64, double, int64_t, __builtin_inf(), 8, 4, 2)
static inline __attribute__((unused)) int no_down(
    ptrdiff_t many, ptrdiff_t n, const void *v, ptrdiff_t sv, const void *a, ptrdiff_t sa,
    ptrdiff_t step, ptrdiff_t rows, ptrdiff_t reach, ptrdiff_t columns, ptrdiff_t stride,
    const cypool_place *place, char *y, ptrdiff_t from, ptrdiff_t to)
{ return 0; }
#define CYPOOL_FIND_TRY(NAME, S, T, I, STRIDE, BYTES, LANES)                                     \
    if (stride == STRIDE && n >= LANES) {                                                        \
        NAME##STRIDE##_##S##_##BYTES(many, n, (I *)codes, v, sv, a, sa, step, rows, reach,       \
            columns, place, y, from, to);                                                        \
        return;                                                                                  \
    }
#define CYPOOL_FIND(NAME, S, T, I, MATCH, L64, L32, L16)                                         \
CYPOOL_WIDTHS(CYPOOL_FIND_ROWS, L64, L32, L16, NAME, S, T, I, MATCH, 1)                          \
CYPOOL_WIDTHS(CYPOOL_FIND_ROWS, L64, L32, L16, NAME, S, T, I, MATCH, 2)                          \
static inline __attribute__((unused)) void NAME##_##S(                                           \
    ptrdiff_t many, ptrdiff_t n, void *codes, const T *v, ptrdiff_t sv, const T *a,              \
    ptrdiff_t sa, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t reach, ptrdiff_t columns,            \
    ptrdiff_t stride, const cypool_place *place, char *y, ptrdiff_t from, ptrdiff_t to)          \
{                                                                                                \
    CYPOOL_WIDTHS(CYPOOL_FIND_TRY, L64, L32, L16, NAME, S, T, I, 1)                              \
    CYPOOL_WIDTHS(CYPOOL_FIND_TRY, L64, L32, L16, NAME, S, T, I, 2)                              \
}
CYPOOL_FIND(find, f32, float, int32_t, CYPOOL_SAME, 16, 8, 4)
CYPOOL_FIND(find, f64, double, int64_t, CYPOOL_SAME, 8, 4, 2)
CYPOOL_FIND(find_nan, f32, float, int32_t, CYPOOL_SAME_OR_NAN, 16, 8, 4)
CYPOOL_FIND(find_nan, f64, double, int64_t, CYPOOL_SAME_OR_NAN, 8, 4, 2)
static inline __attribute__((unused)) void no_find(
    ptrdiff_t many, ptrdiff_t n, void *codes, const void *v, ptrdiff_t sv, const void *a,
    ptrdiff_t sa, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t reach, ptrdiff_t columns,
    ptrdiff_t stride, const cypool_place *place, char *y, ptrdiff_t from, ptrdiff_t to)
{ }

/* The first of the greatest (or least) of each window's taps in one row, and which tap it is: `count`
   of them lie at a + offset[t], from number `code` on. From the last to the first, so that of equals
   the first one stays. */
#define CYPOOL_TAKES_max(x, v) ((x) >= (v))
#define CYPOOL_TAKES_min(x, v) ((x) <= (v))
#define CYPOOL_TAKES_nanmax(x, v) (((x) >= (v)) | ((x) != (x)))
#define CYPOOL_TAKES_nanmin(x, v) (((x) <= (v)) | ((x) != (x)))
#define CYPOOL_BEST_BLOCK(OP, S, T, I, BYTES, LANES)                                             \
    if (n >= LANES) {                                                                            \
        CYPOOL_EACH_BLOCK(n, LANES) {                                                            \
            vec_##S##_##BYTES v = *(const vec_##S##_##BYTES *)(a + i + offset[count - 1]), x;    \
            mask_##S##_##BYTES found = (I)(code + count - 1) - (mask_##S##_##BYTES){0}, takes;   \
            for (ptrdiff_t t = count - 2; t >= 0; t--) {                                         \
                x = *(const vec_##S##_##BYTES *)(a + i + offset[t]);                             \
                takes = CYPOOL_TAKES_##OP(x, v);                                                 \
                v = (vec_##S##_##BYTES)(((mask_##S##_##BYTES)x & takes)                          \
                                        | ((mask_##S##_##BYTES)v & ~takes));                     \
                found = (((I)(code + t) - (mask_##S##_##BYTES){0}) & takes) | (found & ~takes);  \
            }                                                                                    \
            *(vec_##S##_##BYTES *)(best + i) = v;                                                \
            *(mask_##S##_##BYTES *)(places + i) = found;                                         \
        }                                                                                        \
        return;                                                                                  \
    }
#define CYPOOL_BEST(OP, S, T, I, L64, L32, L16)                                                  \
CYPOOL_ROW best_##OP##_##S(                                                                      \
    ptrdiff_t n, T *restrict best, I *restrict places, const T *restrict a,                      \
    const ptrdiff_t *restrict offset, ptrdiff_t code, ptrdiff_t count)                           \
{                                                                                                \
    CYPOOL_WIDTHS(CYPOOL_BEST_BLOCK, L64, L32, L16, OP, S, T, I)                                 \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        best[j] = a[j + offset[count - 1]];                                                      \
        places[j] = (I)(code + count - 1);                                                       \
        for (ptrdiff_t t = count - 2; t >= 0; t--) {                                             \
            const T x = a[j + offset[t]];                                                        \
            if (CYPOOL_TAKES_##OP(x, best[j])) { best[j] = x; places[j] = (I)(code + t); }       \
        }                                                                                        \
    }                                                                                            \
}
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_BEST, max)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_BEST, min)
CYPOOL_BEST(nanmax, f32, float, int32_t, 16, 8, 4)
CYPOOL_BEST(nanmax, f64, double, int64_t, 8, 4, 2)
CYPOOL_BEST(nanmin, f32, float, int32_t, 16, 8, 4)
CYPOOL_BEST(nanmin, f64, double, int64_t, 8, 4, 2)
/* Where the rows that were best there have the window's value: c[j] becomes the number of the first
   such row's first tap and its place, of `rows` rows `step` before each other, the last of which begins
   with tap t and the others `less` before. (The same if it is done twice, so that blocks may overlap.) */
#define CYPOOL_AGREE_BLOCK(S, T, I, MATCH, BYTES, LANES)                                         \
    if (n >= LANES) {                                                                            \
        CYPOOL_EACH_BLOCK(n, LANES) {                                                            \
            const vec_##S##_##BYTES value = *(const vec_##S##_##BYTES *)(v + i);                 \
            mask_##S##_##BYTES found = *(const mask_##S##_##BYTES *)(c + i);                     \
            const T *row = best + i;                                                             \
            const I *place = places + i;                                                         \
            I tap = t;                                                                           \
            for (ptrdiff_t k = rows; k > 0; k--, row -= step, place -= step, tap -= less) {      \
                const vec_##S##_##BYTES x = *(const vec_##S##_##BYTES *)row;                     \
                const mask_##S##_##BYTES same = MATCH(x, value);                                 \
                found = (same & (*(const mask_##S##_##BYTES *)place + tap)) | (found & ~same);   \
            }                                                                                    \
            *(mask_##S##_##BYTES *)(c + i) = found;                                              \
        }                                                                                        \
        return;                                                                                  \
    }
#define CYPOOL_AGREE(NAME, MATCH, S, T, I, L64, L32, L16)                                        \
CYPOOL_ROW NAME##_##S(                                                                           \
    ptrdiff_t n, I *restrict c, const T *restrict v, const T *restrict best,                     \
    const I *restrict places, ptrdiff_t step, ptrdiff_t rows, I t, I less)                       \
{                                                                                                \
    CYPOOL_WIDTHS(CYPOOL_AGREE_BLOCK, L64, L32, L16, S, T, I, MATCH)                             \
    for (ptrdiff_t j = 0; j < n; j++)                                                            \
        for (ptrdiff_t k = 0; k < rows; k++)                                                     \
            if (MATCH(best[j - k * step], v[j]))                                                 \
                c[j] = (I)(t - k * less + places[j - k * step]);                                 \
}
#define CYPOOL_AGREE_OF(OP, S, ...) CYPOOL_AGREE(agree, CYPOOL_SAME, S, __VA_ARGS__)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_AGREE_OF, max)
CYPOOL_AGREE(agree_nan, CYPOOL_SAME_OR_NAN, f32, float, int32_t, 16, 8, 4)
CYPOOL_AGREE(agree_nan, CYPOOL_SAME_OR_NAN, f64, double, int64_t, 8, 4, 2)

/* Codes as indices: `at` and s more for each further window, plus what its tap adds. Tap t is column
   t % kw of row t / kw % kh; there are at most 1024 taps, for which t * ceil(2^20 / k) / 2^20 is t / k.
   A code whose first bit is set means none. */
typedef struct {
    int64_t s, w, h, d;             /* w, h and d: what a step along an axis adds, one after another */
    uint32_t by_w, by_wh;
    int index32;
} cypool_tap_index;
static inline __attribute__((unused)) cypool_tap_index cypool_tap_index_of(
    int64_t w, int64_t h, int64_t d, ptrdiff_t kw, ptrdiff_t kh, int index32)
{
    const uint32_t by_w = (uint32_t)(1048575 / kw + 1), by_wh = (uint32_t)(1048575 / (kw * kh) + 1);
    const cypool_tap_index how = {0, w, h - kw * w, d - kh * h, by_w, by_wh, index32};
    return how;
}
#define CYPOOL_INDICES_AS(T, I, A, BYTES)                                                        \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        const uint32_t t = (uint32_t)c[j];                                                       \
        const A add = (A)((A)t * w + (A)((t * by_w) >> 20) * h + (A)((t * by_wh) >> 20) * d);    \
        const I found = (I)(at + j * s) + (I)add;                                                \
        *(I *)(y + j * (BYTES)) = c[j] >> (8 * sizeof(T) - 1) ? (I)-1 : found;                   \
    }
#define CYPOOL_INDICES(S, T)                                                                     \
CYPOOL_ROW indices_##S(                                                                          \
    ptrdiff_t n, const void *codes, char *restrict y, ptrdiff_t sy, int64_t at,                  \
    const cypool_tap_index *how)                                                                 \
{                                                                                                \
    const T *restrict c = (const T *)codes;                                                      \
    const int64_t w = how->w, h = how->h, d = how->d, s = how->s;                                \
    const uint32_t by_w = how->by_w, by_wh = how->by_wh;                                         \
    if (how->index32) { CYPOOL_INDICES_AS(T, int32_t, uint64_t, sy) }                            \
    else { CYPOOL_INDICES_AS(T, int64_t, uint64_t, sy) }                                         \
}                                                                                                \
/* The same where all fits into 32 bits and indices lie next to each other. */                   \
CYPOOL_ROW indices_small_##S(                                                                    \
    ptrdiff_t n, const void *restrict codes, char *restrict y, int64_t at,                       \
    const cypool_tap_index *how)                                                                 \
{                                                                                                \
    const T *restrict c = (const T *)codes;                                                      \
    const uint32_t w = (uint32_t)how->w, h = (uint32_t)how->h, d = (uint32_t)how->d;             \
    const uint32_t by_w = how->by_w, by_wh = how->by_wh;                                         \
    const int64_t s = how->s;                                                                    \
    if (how->index32) { CYPOOL_INDICES_AS(T, int32_t, int32_t, 4) }                              \
    else { CYPOOL_INDICES_AS(T, int64_t, int32_t, 8) }                                           \
}
CYPOOL_INDICES(m8, cypool_m8)
CYPOOL_INDICES(m16, cypool_m16)
CYPOOL_INDICES(m32, cypool_m32)
CYPOOL_INDICES(m64, cypool_m64)
CYPOOL_INDICES(m128, cypool_m128)
#define cypool_indices(n, y, ...) CYPOOL_OF_SIZE(indices, y)(n, y, __VA_ARGS__)
#define cypool_indices_small(n, y, ...) CYPOOL_OF_SIZE(indices_small, y)(n, y, __VA_ARGS__)

/* Flags of n indices: 1, one lies outside its plane (-1 does not); 2, one is not among the reach + 1
   elements from lo, lo + step, ... on that its window sees (none, where reach is below 0). In numbers
   without a sign, for which what is too small is too large, and of their own width, where all of this
   fits it. */
#define CYPOOL_CHECK(BITS)                                                                       \
static inline __attribute__((always_inline, unused)) int check_row##BITS(                        \
    ptrdiff_t n, const int##BITS##_t *restrict a, uint##BITS##_t lo, uint##BITS##_t step,        \
    uint##BITS##_t reach, uint##BITS##_t size, int all)                                          \
{                                                                                                \
    uint##BITS##_t bad = 0, astray = 0;                                                          \
    for (ptrdiff_t j = 0; j < n; j++) {                                                          \
        const uint##BITS##_t at = (uint##BITS##_t)a[j];                                          \
        bad |= at + 1 > size ? (uint##BITS##_t)-1 : 0;                                           \
        if (!all) {                                                                              \
            const uint##BITS##_t from = at - lo - (uint##BITS##_t)j * step;                      \
            astray |= (from > reach) & (at != (uint##BITS##_t)-1) ? (uint##BITS##_t)-1 : 0;      \
        }                                                                                        \
    }                                                                                            \
    return (bad ? 1 : 0) | (astray ? 2 : 0);                                                     \
}                                                                                                \
static __attribute__((noinline, unused)) int check_all##BITS(                                    \
    ptrdiff_t n, const int##BITS##_t *a, int64_t size)                                           \
{ return check_row##BITS(n, a, 0, 0, 0, (uint##BITS##_t)size, 1); }                              \
static __attribute__((noinline, unused)) int check_each##BITS(                                   \
    ptrdiff_t n, const int##BITS##_t *a, int64_t lo, int64_t step, int64_t reach, int64_t size)  \
{                                                                                                \
    return check_row##BITS(n, a, (uint##BITS##_t)lo, (uint##BITS##_t)step,                       \
                           (uint##BITS##_t)reach, (uint##BITS##_t)size, 0);                      \
}
CYPOOL_CHECK(32)
CYPOOL_CHECK(64)
static inline __attribute__((unused)) int check64(
    ptrdiff_t n, const int64_t *a, int64_t lo, int64_t step, int64_t reach, int64_t size)
{
    if (reach < 0) { lo = size; step = reach = 0; }
    if (lo == 0 && step == 0 && reach >= size) return check_all64(n, a, size);
    return check_each64(n, a, lo, step, reach, size);
}
/* (A plane of 2^31 elements holds whatever 32 bits can say but for what is below -1. Where distances
   may not fit, all are taken to lie elsewhere.) */
static inline __attribute__((unused)) int check32(
    ptrdiff_t n, const int32_t *a, int64_t lo, int64_t step, int64_t reach, int64_t size)
{
    const int64_t most = (int64_t)1 << 30, limit = 2 * most;
    if (reach < 0) { lo = size; step = reach = 0; }
    const int all = lo == 0 && step == 0 && reach >= size;
    if (!all && size <= most && lo >= -most && lo <= most && reach <= most
            && (step == 0 || n <= most / step))
        return check_each32(n, a, lo, step, reach, size);
    return check_all32(n, a, size < limit ? size : limit) | (all ? 0 : 2);
}

static inline __attribute__((unused)) void no_best(
    ptrdiff_t n, void *best, void *places, const void *a, const ptrdiff_t *offset, ptrdiff_t code,
    ptrdiff_t count)
{ }
static inline __attribute__((unused)) void no_agree(
    ptrdiff_t n, void *c, const void *v, const void *best, const void *places, ptrdiff_t step,
    ptrdiff_t rows, ptrdiff_t t, ptrdiff_t less)
{ }
/* n, reducer, the best, which taps these are, source, offsets, first number, how many */
#define cypool_best(n, r, v, ...)                                                                \
    _Generic((r), cypool_max *: CYPOOL_OF_ORDERED(best_max, no_best, v),                         \
        cypool_min *: CYPOOL_OF_ORDERED(best_min, no_best, v),                                   \
        cypool_nanmax *: _Generic((v), float *: best_nanmax_f32, double *: best_nanmax_f64,      \
            default: no_best),                                                                   \
        cypool_nanmin *: _Generic((v), float *: best_nanmin_f32, double *: best_nanmin_f64,      \
            default: no_best),                                                                   \
        default: no_best)(n, v, __VA_ARGS__)
/* n, reducer, codes, values, the best of the last row, which taps these are, distance of rows, how
   many, number of the last one's first tap, how much less it is for the one before */
#define cypool_agree(n, r, c, v, ...)                                                            \
    _Generic((r), cypool_nanmax *: _Generic((v), float *: agree_nan_f32,                         \
            double *: agree_nan_f64, default: no_agree),                                         \
        cypool_nanmin *: _Generic((v), float *: agree_nan_f32, double *: agree_nan_f64,          \
            default: no_agree),                                                                  \
        default: CYPOOL_OF_ORDERED(agree, no_agree, v))(n, c, v, __VA_ARGS__)
#define cypool_locate(rows, n, r, c, sc, v, ...)                                                 \
    _Generic((r), cypool_nanmax *: CYPOOL_OF_REAL(locate_nan, locate, v),                        \
        cypool_nanmin *: CYPOOL_OF_REAL(locate_nan, locate, v),                                  \
        default: CYPOOL_OF_TYPE(locate, v))(rows, n, c, sc, v, __VA_ARGS__)
/* rows, n, reducer, codes, values, distance of their rows, source, distance from a row of windows to
   the next, that of a window's rows, how many, the same of columns, stride, place, indices, from, to */
#define cypool_find(rows, n, r, c, v, ...)                                                       \
    _Generic((r), cypool_nanmax *: _Generic((v), float *: find_nan_f32, double *: find_nan_f64,  \
            default: no_find),                                                                   \
        cypool_nanmin *: _Generic((v), float *: find_nan_f32, double *: find_nan_f64,            \
            default: no_find),                                                                   \
        default: _Generic((v), float *: find_f32, double *: find_f64, default: no_find))         \
        (rows, n, c, v, __VA_ARGS__)
/* The same without codes: whether it could be done. */
#define cypool_find_down(rows, n, r, v, ...)                                                     \
    _Generic((r), cypool_max *: _Generic((v), float *: down_max_f32, double *: down_max_f64,     \
            default: no_down),                                                                   \
        cypool_min *: _Generic((v), float *: down_min_f32, double *: down_min_f64,               \
            default: no_down),                                                                   \
        default: no_down)(rows, n, v, __VA_ARGS__)
#define cypool_locate_run(rows, n, r, c, sc, v, ...)                                             \
    _Generic((r), cypool_nanmax *: CYPOOL_OF_REAL(locate_nan_run, locate_run, v),                \
        cypool_nanmin *: CYPOOL_OF_REAL(locate_nan_run, locate_run, v),                          \
        default: CYPOOL_OF_TYPE(locate_run, v))(rows, n, c, sc, v, __VA_ARGS__)

#endif

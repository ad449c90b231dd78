/* Maxima of windows of two or three taps a side together with their indices, in one pass: columns are
   compared within each row first and rows after that, each time for what is greater than what came
   before, so that the first of equal taps is the one found. All rows of a plane lie without gaps, so
   that an index is a distance from where the plane begins. */
#ifndef CYPOOL_FIRSTS_H
#define CYPOOL_FIRSTS_H
#include "cypool_windows.h"

/* Windows in rows of some planes: distances of planes and rows of results, which are the same for
   indices, and of the source, of rows of one window; the index of the source's first element; which of
   its columns are no padding, from <= i < to; whether the source is more than the nearer caches hold. */
typedef struct {
    ptrdiff_t planes, rows, n;
    ptrdiff_t py, sy, pa, sa, step;
    ptrdiff_t at, from, to;
    char *index;
    int taps, index32, far;
} cypool_firsts_of;

/* (GCC 12 has no way to choose among 64-bit integers by a comparison of doubles with SSE2 alone, and
   stops; so it is not shown that this is what is done.) */
#if CYPOOL_VECTOR == 16
#define CYPOOL_KEPT(mask) CYPOOL_FORGET(mask)
#else
#define CYPOOL_KEPT(mask)
#endif
#define CYPOOL_FIRSTS_BLOCKS(S, T, I, BYTES, LANES)                                              \
/* Values, and how far behind a window's first column they were found. */                        \
typedef struct {                                                                                 \
    vec_##S##_##BYTES v;                                                                         \
    mask_##S##_##BYTES at;                                                                       \
} first_##S##_##BYTES;                                                                           \
static inline __attribute__((always_inline, unused)) first_##S##_##BYTES earlier_##S##_##BYTES(  \
    first_##S##_##BYTES a, vec_##S##_##BYTES v, mask_##S##_##BYTES at)                           \
{                                                                                                \
    mask_##S##_##BYTES later = v > a.v;                                                          \
    CYPOOL_KEPT(later)                                                                           \
    a.v = both_max_##S##_##BYTES(a.v, v);                                                        \
    a.at = (later & at) | (a.at & ~later);                                                       \
    return a;                                                                                    \
}                                                                                                \
static inline __attribute__((always_inline, unused)) void firsts_to_##S##_##BYTES(               \
    void *to, const mask_##S##_##BYTES *at, int index32)                                         \
{                                                                                                \
    const I *from = (const I *)at;                                                               \
    if (index32 && sizeof(I) == 4) *(mask_##S##_##BYTES *)to = *at;                              \
    else if (index32) for (int j = 0; j < LANES; j++) ((int32_t *)to)[j] = (int32_t)from[j];     \
    else for (int j = 0; j < LANES; j++) ((int64_t *)to)[j] = from[j];                           \
}

#define CYPOOL_FIRSTS_ROW(K, STRIDE, S, T, I, BYTES, LANES)                                      \
static inline __attribute__((always_inline, unused)) first_##S##_##BYTES                         \
firsts##K##STRIDE##_row_##S##_##BYTES(                                                           \
    const T *a, const edge_##S##_##BYTES *edge, T nothing, vec_##S##_##BYTES *found, T *lost)    \
{                                                                                                \
    enum { lanes_ = LANES, part_ = 16 * LANES / BYTES };                                         \
    const mask_##S##_##BYTES zero = {0}, one = zero + 1;                                         \
    vec_##S##_##BYTES left = *(const vec_##S##_##BYTES *)a, even, odd, third;                    \
    vec_##S##_##BYTES right = *(const vec_##S##_##BYTES *)(                                      \
        a + (K == 3 && STRIDE == 1 ? 2 : LANES));                                                \
    first_##S##_##BYTES first;                                                                   \
    T last = 0;                                                                                  \
    *found += left + right;                                                                      \
    if (edge) {                                                                                  \
        left = only_##S##_##BYTES(left, edge, 0);                                                \
        right = only_##S##_##BYTES(right, edge, 1);                                              \
    }                                                                                            \
    if (K == 3 && STRIDE == 2) {                                                                 \
        last = a[2 * LANES];                                                                     \
        *lost += last;                                                                           \
        if (edge && edge->end) last = nothing;                                                   \
    }                                                                                            \
    if (STRIDE == 1) {                                                                           \
        even = left;                                                                             \
        odd = CYPOOL_SHUFFLE(left, right, mask_##S##_##BYTES, LANES, CYPOOL_BETWEEN);            \
        third = right;                                                                           \
    } else {                                                                                     \
        even = joined_##S##_##BYTES(near_evens_##S##_##BYTES(left, right));                      \
        odd = joined_##S##_##BYTES(near_odds_##S##_##BYTES(left, right));                        \
        third = CYPOOL_SHUFFLE(                                                                  \
            even, last - (vec_##S##_##BYTES){0}, mask_##S##_##BYTES, LANES, CYPOOL_NEXT);        \
    }                                                                                            \
    first.v = even;                                                                              \
    first.at = zero;                                                                             \
    first = earlier_##S##_##BYTES(first, odd, one);                                              \
    if (K == 3) first = earlier_##S##_##BYTES(first, third, one + 1);                            \
    return first;                                                                                \
}                                                                                                \
CYPOOL_BLOCK firsts##K##STRIDE##_strip_##S##_##BYTES(                                            \
    ptrdiff_t rows, T *restrict y, ptrdiff_t sy, char *restrict index, int index32,              \
    const T *restrict a, ptrdiff_t sa, ptrdiff_t step, int taps, int regular, int down, I at,    \
    const edge_##S##_##BYTES *edge, T nothing, vec_##S##_##BYTES *found, T *lost,                \
    mask_##S##_##BYTES *none)                                                                    \
{                                                                                                \
    const mask_##S##_##BYTES zero = {0}, lane = {CYPOOL_LANES##LANES(CYPOOL_SELF)};              \
    const mask_##S##_##BYTES below = (I)step - zero, twice = below + below;                      \
    const ptrdiff_t si = index32 ? 4 * sy : 8 * sy, indexed = rows * si;                         \
    const ptrdiff_t read = rows * sa * (ptrdiff_t)sizeof(T);                                     \
    const ptrdiff_t written = rows * sy * (ptrdiff_t)sizeof(T);                                  \
    mask_##S##_##BYTES own = lane * STRIDE + at, met = zero;                                     \
    vec_##S##_##BYTES all = *found;                                                              \
    T any = *lost;                                                                               \
    first_##S##_##BYTES f0, f1, f2, first;                                                       \
    f0.v = f1.v = f2.v = all;                                                                    \
    f0.at = f1.at = f2.at = zero;                                                                \
    if (regular && K > STRIDE) {                                                                 \
        f0 = firsts##K##STRIDE##_row_##S##_##BYTES(a, edge, nothing, &all, &any);                \
        if (K - STRIDE > 1)                                                                      \
            f1 = firsts##K##STRIDE##_row_##S##_##BYTES(a + step, edge, nothing, &all, &any);     \
    }                                                                                            \
    for (; rows > 0; CYPOOL_ADVANCE(y += sy, index += si, a += sa)) {                            \
        if (!regular || K == STRIDE)                                                             \
            f0 = firsts##K##STRIDE##_row_##S##_##BYTES(a, edge, nothing, &all, &any);            \
        if (taps > 1 && (!regular || K - STRIDE < 2))                                            \
            f1 = firsts##K##STRIDE##_row_##S##_##BYTES(a + step, edge, nothing, &all, &any);     \
        if (taps > 2)                                                                            \
            f2 = firsts##K##STRIDE##_row_##S##_##BYTES(                                          \
                a + 2 * step, edge, nothing, &all, &any);                                        \
        first = f0;                                                                              \
        if (taps > 1) first = earlier_##S##_##BYTES(first, f1.v, f1.at + below);                 \
        if (taps > 2) first = earlier_##S##_##BYTES(first, f2.v, f2.at + twice);                 \
        if (down) {                                                                              \
            CYPOOL_ASK_BELOW(a, read, 0)                                                         \
            if (STRIDE > 1) CYPOOL_ASK_BELOW(a + step, read, 0)                                  \
            CYPOOL_ASK_BELOW(y, written, 1)                                                      \
            CYPOOL_ASK_BELOW(index, indexed, 1)                                                  \
        }                                                                                        \
        *(vec_##S##_##BYTES *)y = first.v;                                                       \
        first.at += own;                                                                         \
        firsts_to_##S##_##BYTES(index, &first.at, index32);                                      \
        if (edge) met |= first.v == nothing - (vec_##S##_##BYTES){0};                            \
        own += (I)sa;                                                                            \
        if (regular && K - STRIDE == 1) f0 = f2;                                                 \
        if (regular && K - STRIDE == 2) { f0 = f1; f1 = f2; }                                    \
    }                                                                                            \
    *found = all;                                                                                \
    *lost = any;                                                                                 \
    if (edge) *none |= met;                                                                      \
}                                                                                                \
static __attribute__((noinline, unused)) int firsts##K##STRIDE##_##S##_##BYTES(                  \
    const cypool_firsts_of *of, T *y, const T *a, T nothing)                                     \
{                                                                                                \
    const ptrdiff_t n = of->n, rows = of->rows, sa = of->sa, sy = of->sy, step = of->step;       \
    const ptrdiff_t more = K == 3 && STRIDE == 1 ? 2 : LANES;                                    \
    const ptrdiff_t few = cypool_few(                                                            \
        rows, n, LANES, K, STRIDE, step * (ptrdiff_t)sizeof(T), (intptr_t)y - (intptr_t)a,       \
        of->far);                                                                                \
    const int regular = of->taps == K && sa == STRIDE * step, index32 = of->index32;             \
    const ptrdiff_t bytes = few * sa * (ptrdiff_t)sizeof(T);                                     \
    const int down = few < rows && (                                                             \
        few > 1 || (of->far > 1 && CYPOOL_BELOW_LONG(K, STRIDE, bytes)));                        \
    ptrdiff_t from = of->from, to = of->to;                                                      \
    char *index = of->index;                                                                     \
    vec_##S##_##BYTES found = {0};                                                               \
    const mask_##S##_##BYTES lane = {CYPOOL_LANES##LANES(CYPOOL_SELF)};                          \
    mask_##S##_##BYTES none = {0}, bad;                                                          \
    edge_##S##_##BYTES edges[2], *edge;                                                          \
    T lost = 0;                                                                                  \
    I any = 0;                                                                                   \
    find_edge_##S##_##BYTES(                                                                     \
        edges, from, to, more, STRIDE * ((n < LANES ? n : LANES) - 1) + K, nothing);             \
    from -= STRIDE * (n - LANES);                                                                \
    to -= STRIDE * (n - LANES);                                                                  \
    find_edge_##S##_##BYTES(edges + 1, from, to, more, STRIDE * (LANES - 1) + K, nothing);       \
    for (ptrdiff_t p = 0; p < of->planes; p++) {                                                 \
        for (ptrdiff_t h = 0; h < rows; h += few) {                                              \
            CYPOOL_FETCH(a + h * sa, of->far > 1 && few < rows ? bytes : 0)                      \
            for (ptrdiff_t i = 0; i < n; i += LANES) {                                           \
                edge = i == 0 ? edges : 0;                                                       \
                if (i + LANES >= n && i > 0) { i = n - LANES; edge = edges + 1; }                \
                const ptrdiff_t some = rows - h < few ? rows - h : few;                          \
                const I at = (I)(of->at + h * sa + STRIDE * i);                                  \
                const T *x = a + h * sa + STRIDE * i;                                            \
                T *to_y = y + h * sy + i;                                                        \
                char *to_index = index + (h * sy + i) * (index32 ? 4 : 8);                       \
                if (regular && (!edge || !edge->clips))                                          \
                    firsts##K##STRIDE##_strip_##S##_##BYTES(                                     \
                        some, to_y, sy, to_index, index32, x, sa, step, K, 1, down, at, 0,       \
                        nothing, &found, &lost, &none);                                          \
                else if (regular && CYPOOL_FULL(max, T))                                         \
                    firsts##K##STRIDE##_strip_##S##_##BYTES(                                     \
                        some, to_y, sy, to_index, index32, x, sa, step, K, 1, down, at, edge,    \
                        nothing, &found, &lost, &none);                                          \
                else                                                                             \
                    firsts##K##STRIDE##_strip_##S##_##BYTES(                                     \
                        some, to_y, sy, to_index, index32, x, sa, step, of->taps, 0, down, at,   \
                        edge, nothing, &found, &lost, &none);                                    \
            }                                                                                    \
        }                                                                                        \
        if (p + 1 < of->planes) {                                                                \
            y += of->py;                                                                         \
            index += of->py * (index32 ? 4 : 8);                                                 \
            a += of->pa;                                                                         \
        }                                                                                        \
    }                                                                                            \
    /* (Beyond a short row there is padding, or anything.) */                                    \
    bad = (found != found) | (none & (lane < (I)(n < LANES ? n : LANES)));                       \
    for (int j = 0; j < LANES; j++) any |= bad[j];                                               \
    return any || lost != lost;                                                                  \
}

#define CYPOOL_FIRSTS_TRY(K, STRIDE, S, BYTES, LANES)                                            \
    if (LANES == lanes) return firsts##K##STRIDE##_##S##_##BYTES(of, y, a, nothing);

#define CYPOOL_FIRSTS(S, T, I, L64, L32, L16)                                                    \
CYPOOL_WIDTHS(CYPOOL_FIRSTS_BLOCKS, L64, L32, L16, S, T, I)                                      \
CYPOOL_WIDTHS(CYPOOL_FIRSTS_ROW, L64, L32, L16, 2, 2, S, T, I)                                   \
CYPOOL_WIDTHS(CYPOOL_FIRSTS_ROW, L64, L32, L16, 3, 2, S, T, I)                                   \
CYPOOL_WIDTHS(CYPOOL_FIRSTS_ROW, L64, L32, L16, 3, 1, S, T, I)                                   \
static inline __attribute__((unused)) int firsts_##S(                                            \
    const cypool_firsts_of *of, int kernel, int stride, int lanes, T *y, const T *a, T nothing)  \
{                                                                                                \
    if (kernel == 2) { CYPOOL_WIDTHS(CYPOOL_FIRSTS_TRY, L64, L32, L16, 2, 2, S) }                \
    else if (stride == 2) { CYPOOL_WIDTHS(CYPOOL_FIRSTS_TRY, L64, L32, L16, 3, 2, S) }           \
    else { CYPOOL_WIDTHS(CYPOOL_FIRSTS_TRY, L64, L32, L16, 3, 1, S) }                            \
    return 1;                                                                                    \
}

CYPOOL_FIRSTS(f32, float, int32_t, 16, 8, 4)
CYPOOL_FIRSTS(f64, double, int64_t, 8, 4, 2)

/* Pixels of n values each: what the taps of a window make of each, which lie `place` elements further on
   than the first and whose indices are `offset` more than its; from one window to the next these are
   `advance` and `next` more. Whether a NaN was met. Some vectors of a pixel go side by side, as each
   tap's comparison waits for that of the tap before. */
#define CYPOOL_FIRST_PIXELS(S, T, I, BYTES, LANES)                                               \
static inline __attribute__((always_inline, unused)) void first_of_taps_##S(                     \
    int vectors, T *restrict y, const T *restrict a, int taps, const ptrdiff_t *place,           \
    const int32_t *offset, I at, char *restrict index, int index32, vec_##S##_##BYTES *found)    \
{                                                                                                \
    const mask_##S##_##BYTES zero = {0};                                                         \
    vec_##S##_##BYTES met[4], v;                                                                 \
    first_##S##_##BYTES first[4];                                                                \
    CYPOOL_UNROLLED                                                                              \
    for (int u = 0; u < vectors; u++) {                                                          \
        first[u].v = met[u] = *(const vec_##S##_##BYTES *)(a + u * LANES);                       \
        first[u].at = zero;                                                                      \
    }                                                                                            \
    for (int t = 1; t < taps; t++) {                                                             \
        const T *tap = a + place[t];                                                             \
        const mask_##S##_##BYTES more = offset[t] - zero;                                        \
        CYPOOL_UNROLLED                                                                          \
        for (int u = 0; u < vectors; u++) {                                                      \
            v = *(const vec_##S##_##BYTES *)(tap + u * LANES);                                   \
            met[u] += v;                                                                         \
            first[u] = earlier_##S##_##BYTES(first[u], v, more);                                 \
        }                                                                                        \
    }                                                                                            \
    CYPOOL_UNROLLED                                                                              \
    for (int u = 0; u < vectors; u++) {                                                          \
        *found += met[u];                                                                        \
        first[u].at += at;                                                                       \
        *(vec_##S##_##BYTES *)(y + u * LANES) = first[u].v;                                      \
        firsts_to_##S##_##BYTES(index + u * LANES * (index32 ? 4 : 8), &first[u].at, index32);   \
    }                                                                                            \
}                                                                                                \
static __attribute__((noinline, unused)) int first_pixels_##S(                                   \
    ptrdiff_t outputs, ptrdiff_t n, T *y, const T *a, ptrdiff_t advance, int taps,               \
    const ptrdiff_t *place, const int32_t *offset, int64_t at, int64_t next, char *index,        \
    int index32)                                                                                 \
{                                                                                                \
    const int wide = index32 ? 4 : 8;                                                            \
    vec_##S##_##BYTES found = {0};                                                               \
    I any = 0;                                                                                   \
    for (; outputs > 0; outputs--, y += n, index += n * wide, at += next) {                      \
        ptrdiff_t i = 0;                                                                         \
        for (; i + 4 * LANES <= n; i += 4 * LANES)                                               \
            first_of_taps_##S(4, y + i, a + i, taps, place, offset, (I)at, index + i * wide,     \
                              index32, &found);                                                  \
        if (i + 2 * LANES <= n) {                                                                \
            first_of_taps_##S(2, y + i, a + i, taps, place, offset, (I)at, index + i * wide,     \
                              index32, &found);                                                  \
            i += 2 * LANES;                                                                      \
        }                                                                                        \
        for (; i < n; i += LANES) {                                                              \
            if (i + LANES > n) i = n - LANES;                                                    \
            first_of_taps_##S(1, y + i, a + i, taps, place, offset, (I)at, index + i * wide,     \
                              index32, &found);                                                  \
        }                                                                                        \
        if (outputs > 1) a += advance;                                                           \
    }                                                                                            \
    mask_##S##_##BYTES bad = found != found;                                                     \
    for (int j = 0; j < LANES; j++) any |= bad[j];                                               \
    return any != 0;                                                                             \
}
CYPOOL_WIDEST(CYPOOL_FIRST_PIXELS, 16, 8, 4, f32, float, int32_t)
CYPOOL_WIDEST(CYPOOL_FIRST_PIXELS, 8, 4, 2, f64, double, int64_t)

/* Where rows are seen by several windows: what n windows of one row make of 64 bytes of each of their
   columns, which are `reach` elements apart and whose indices are `step`, as so many values and as many
   indices; from one window to the next these are `advance` and `next` more. Windows of no column have
   no index. */
enum { CYPOOL_FIRST_BYTES = 64 };
#define CYPOOL_FIRST_ROWS(S, T, I, BYTES, LANES)                                                 \
static inline __attribute__((always_inline, unused)) void first_row_of_##S(                      \
    ptrdiff_t n, T *restrict pairs, const T *restrict a, ptrdiff_t advance, ptrdiff_t taps,      \
    ptrdiff_t reach, int64_t at, ptrdiff_t next, ptrdiff_t step, T nothing, T *restrict note)    \
{                                                                                                \
    enum { many_ = CYPOOL_FIRST_BYTES / BYTES };                                                 \
    const mask_##S##_##BYTES zero = {0};                                                         \
    vec_##S##_##BYTES found = *(const vec_##S##_##BYTES *)note, v;                               \
    first_##S##_##BYTES first[many_];                                                            \
    for (; n > 0; n--, pairs += 2 * many_ * LANES, at += next) {                                 \
        vec_##S##_##BYTES met = {0};                                                             \
        mask_##S##_##BYTES where = (I)at - zero;                                                 \
        const T *tap = a;                                                                        \
        CYPOOL_UNROLLED                                                                          \
        for (int u = 0; u < many_; u++) {                                                        \
            if (taps == 0) {                                                                     \
                first[u].v = nothing - (vec_##S##_##BYTES){0};                                   \
                first[u].at = zero - 1;                                                          \
            } else {                                                                             \
                first[u].v = *(const vec_##S##_##BYTES *)(tap + u * LANES);                      \
                first[u].at = where;                                                             \
                met += first[u].v;                                                               \
            }                                                                                    \
        }                                                                                        \
        CYPOOL_UNROLLED                                                                          \
        for (ptrdiff_t t = 1; t < taps; t++) {                                                   \
            tap += reach;                                                                        \
            where += (I)step;                                                                    \
            CYPOOL_UNROLLED                                                                      \
            for (int u = 0; u < many_; u++) {                                                    \
                v = *(const vec_##S##_##BYTES *)(tap + u * LANES);                               \
                met += v;                                                                        \
                first[u] = earlier_##S##_##BYTES(first[u], v, where);                            \
            }                                                                                    \
        }                                                                                        \
        CYPOOL_UNROLLED                                                                          \
        for (int u = 0; u < many_; u++) {                                                        \
            *(vec_##S##_##BYTES *)(pairs + u * LANES) = first[u].v;                              \
            *(mask_##S##_##BYTES *)(pairs + (many_ + u) * LANES) = first[u].at;                  \
        }                                                                                        \
        found += met;                                                                            \
        if (n > 1) a += advance;                                                                 \
    }                                                                                            \
    *(vec_##S##_##BYTES *)note = found;                                                          \
}                                                                                                \
static __attribute__((noinline, unused)) void first_row_##S(                                     \
    ptrdiff_t n, T *pairs, const T *a, ptrdiff_t advance, ptrdiff_t taps, ptrdiff_t reach,       \
    int64_t at, ptrdiff_t next, ptrdiff_t step, T nothing, T *note)                              \
{                                                                                                \
    if (taps == 5)                                                                               \
        first_row_of_##S(n, pairs, a, advance, 5, reach, at, next, step, nothing, note);         \
    else                                                                                         \
        first_row_of_##S(n, pairs, a, advance, taps, reach, at, next, step, nothing, note);      \
}                                                                                                \
/* What n windows make of those of their rows, from one result to the next nc elements. */       \
static inline __attribute__((always_inline, unused)) void first_of_rows_of_##S(                  \
    ptrdiff_t n, ptrdiff_t nc, T *restrict y, char *restrict index, int index32, ptrdiff_t rows, \
    const T *const *pairs)                                                                       \
{                                                                                                \
    enum { many_ = CYPOOL_FIRST_BYTES / BYTES };                                                 \
    first_##S##_##BYTES first[many_];                                                            \
    for (ptrdiff_t w = 0; w < n; w++) {                                                          \
        const T *p = pairs[0] + 2 * many_ * LANES * w;                                           \
        CYPOOL_UNROLLED                                                                          \
        for (int u = 0; u < many_; u++) {                                                        \
            first[u].v = *(const vec_##S##_##BYTES *)(p + u * LANES);                            \
            first[u].at = *(const mask_##S##_##BYTES *)(p + (many_ + u) * LANES);                \
        }                                                                                        \
        CYPOOL_UNROLLED                                                                          \
        for (ptrdiff_t t = 1; t < rows; t++) {                                                   \
            p = pairs[t] + 2 * many_ * LANES * w;                                                \
            CYPOOL_UNROLLED                                                                      \
            for (int u = 0; u < many_; u++)                                                      \
                first[u] = earlier_##S##_##BYTES(                                                \
                    first[u], *(const vec_##S##_##BYTES *)(p + u * LANES),                       \
                    *(const mask_##S##_##BYTES *)(p + (many_ + u) * LANES));                     \
        }                                                                                        \
        CYPOOL_UNROLLED                                                                          \
        for (int u = 0; u < many_; u++) {                                                        \
            *(vec_##S##_##BYTES *)(y + w * nc + u * LANES) = first[u].v;                         \
            firsts_to_##S##_##BYTES(                                                             \
                index + (w * nc + u * LANES) * (index32 ? 4 : 8), &first[u].at, index32);        \
        }                                                                                        \
    }                                                                                            \
}                                                                                                \
static __attribute__((noinline, unused)) void first_of_rows_##S(                                 \
    ptrdiff_t n, ptrdiff_t nc, T *y, char *index, int index32, ptrdiff_t rows,                   \
    const T *const *pairs)                                                                       \
{                                                                                                \
    if (rows == 5) first_of_rows_of_##S(n, nc, y, index, index32, 5, pairs);                     \
    else first_of_rows_of_##S(n, nc, y, index, index32, rows, pairs);                            \
}
CYPOOL_WIDEST(CYPOOL_FIRST_ROWS, 16, 8, 4, f32, float, int32_t)
CYPOOL_WIDEST(CYPOOL_FIRST_ROWS, 8, 4, 2, f64, double, int64_t)

static inline __attribute__((unused)) int no_firsts(
    const cypool_firsts_of *of, int kernel, int stride, int lanes, void *y, const void *a,
    double nothing)
{ return 1; }

/* Of what, kernel and stride of columns, lanes of a block (of a vector, its half or its quarter), y,
   source, what padding is. Whether something was met that this is not made for: a NaN, or a maximum
   that padding may have been taken for. */
#define cypool_firsts(of, kernel, stride, lanes, y, ...)                                         \
    _Generic((y), float *: firsts_f32, double *: firsts_f64, default: no_firsts)(                \
        of, kernel, stride, lanes, y, __VA_ARGS__)
/* (Of other types there are none.) */
#define cypool_first_row(n, pairs, ...)                                                          \
    _Generic((pairs), float *: first_row_f32, double *: first_row_f64)(n, pairs, __VA_ARGS__)
#define cypool_first_of_rows(n, nc, y, ...)                                                      \
    _Generic((y), float *: first_of_rows_f32, double *: first_of_rows_f64)(n, nc, y, __VA_ARGS__)
/* outputs, n, y, source, and so on */
#define cypool_first_pixels(outputs, n, y, ...)                                                  \
    _Generic((y), float *: first_pixels_f32, double *: first_pixels_f64)(                        \
        outputs, n, y, __VA_ARGS__)

#endif

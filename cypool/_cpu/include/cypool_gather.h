/* Rows of a selection's gradient where few windows see an element: each element asks these whether
   they were taken from it, so that a row of windows is compared with a row of elements for each tap.
   Indices are as wide as gradients; -1 is taken from nothing. */
#ifndef CYPOOL_GATHER_H
#define CYPOOL_GATHER_H
#include "cypool_windows.h"

/* Windows, in rows of some planes, or runs of one window's inner elements. Indices count `slab` elements
   a slab and `row` elements a row. */
typedef struct {
    ptrdiff_t planes, rows, n;
    ptrdiff_t from_plane, from_row;     /* distances of indices, */
    ptrdiff_t to_plane, to_row;         /* and of where they go */
    int64_t at, step, below;            /* index of the first tap; to the next window, the next row */
    int64_t column, across, width;      /* its column; to that of the next row; how many there are */
    int64_t slab, row;
    int kd, kh, kw;                     /* taps; and which of these are not padding */
    int d_from, d_to, h_from, h_to;
} cypool_seen;

/* A block of indices as wide as gradients, of 32 or 64 bits. One of 64 bits that does not fit into 32 is
   none that a window has, as planes have at most 2^31 elements. */
#define CYPOOL_TAKEN_f32_32(BYTES, LANES)                                                        \
    const mask_f32_##BYTES index = *(const mask_f32_##BYTES *)from_i, fits = ~zero;
#define CYPOOL_TAKEN_f32_64(BYTES, LANES)                                                        \
    const mask_f32_##BYTES low = *(const mask_f32_##BYTES *)from_i;                              \
    const mask_f32_##BYTES high = *(const mask_f32_##BYTES *)(from_i + LANES / 2);               \
    const mask_f32_##BYTES index = CYPOOL_SHUFFLE(                                               \
        low, high, mask_f32_##BYTES, LANES, CYPOOL_EVEN);                                        \
    const mask_f32_##BYTES fits = CYPOOL_SHUFFLE(                                                \
        low, high, mask_f32_##BYTES, LANES, CYPOOL_ODD) == (index >> 31);
#define CYPOOL_TAKEN_f64_64(BYTES, LANES)                                                        \
    const mask_f64_##BYTES index = *(const mask_f64_##BYTES *)from_i, fits = ~zero;
#define CYPOOL_TAKEN_f64_32(BYTES, LANES)                                                        \
    mask_f64_##BYTES index = zero;                                                               \
    const mask_f64_##BYTES fits = ~zero;                                                         \
    for (int j = 0; j < LANES; j++) ((int64_t *)&index)[j] = from_i[j];

/* Indices as wide as gradients, and whether one lies outside its own window: then it is -1 as well. */
#define CYPOOL_BRING(S, I, U, BITS, BYTES, LANES)                                                \
static inline __attribute__((always_inline, unused)) int bring_rows_##S##_##BITS##_##BYTES(      \
    const cypool_seen *seen, I *restrict taken, const int##BITS##_t *restrict indices, int kd,   \
    int kh)                                                                                      \
{                                                                                                \
    typedef U wide_ __attribute__((vector_size(BYTES), aligned(sizeof(I)), may_alias));          \
    const mask_##S##_##BYTES zero = {0}, lane = {CYPOOL_LANES##LANES(CYPOOL_SELF)};              \
    const I slab = (I)seen->slab, row = (I)seen->row, kw = (I)seen->kw, step = (I)seen->step;    \
    const ptrdiff_t n = seen->n;                                                                 \
    const int inside = seen->d_from == 0 && seen->d_to == kd                                     \
        && seen->h_from == 0 && seen->h_to == kh;                                                \
    mask_##S##_##BYTES astray = zero;                                                            \
    I any = 0;                                                                                   \
    for (ptrdiff_t p = 0; p < seen->planes; p++) {                                               \
        const int##BITS##_t *from = indices + p * seen->from_plane;                              \
        I *to = taken + p * seen->to_plane;                                                      \
        U at = (U)seen->at, column = (U)seen->column;                                            \
        ptrdiff_t rows = seen->rows;                                                             \
        for (; rows > 0; CYPOOL_ADVANCE(to += seen->to_row, from += seen->from_row,              \
                                        at += (U)seen->below, column += (U)seen->across))        \
            CYPOOL_EACH_BLOCK(n, LANES) {                                                        \
                const int##BITS##_t *from_i = from + i;                                          \
                CYPOOL_TAKEN_##S##_##BITS(BYTES, LANES)                                          \
                const mask_##S##_##BYTES moved = lane * step + (I)i * step;                      \
                mask_##S##_##BYTES d = zero, h = zero, w, good, local;                           \
                local = (mask_##S##_##BYTES)((wide_)index - ((wide_)moved + at));                \
                for (int t = 1; t < kd; t++) {                                                   \
                    const mask_##S##_##BYTES over = local >= slab;                               \
                    local -= over & slab;                                                        \
                    d -= over;                                                                   \
                }                                                                                \
                for (int t = 1; t < kh; t++) {                                                   \
                    const mask_##S##_##BYTES over = local >= row;                                \
                    local -= over & row;                                                         \
                    h -= over;                                                                   \
                }                                                                                \
                w = moved + (I)column + local;                                                   \
                good = fits & ((wide_)local < (U)kw) & ((wide_)w < (U)seen->width);              \
                if (!inside)                                                                     \
                    good &= (d >= (I)seen->d_from) & (d < (I)seen->d_to)                         \
                        & (h >= (I)seen->h_from) & (h < (I)seen->h_to);                          \
                astray |= ~good & ~(fits & (index == -1));                                       \
                *(mask_##S##_##BYTES *)(to + i) = index | ~good;                                 \
            }                                                                                    \
    }                                                                                            \
    for (int j = 0; j < LANES; j++) any |= astray[j];                                            \
    return any != 0;                                                                             \
}                                                                                                \
static __attribute__((noinline, unused)) int bring_##S##_##BITS##_##BYTES(                       \
    const cypool_seen *seen, I *taken, const int##BITS##_t *indices)                             \
{                                                                                                \
    if (seen->kd == 1 && seen->kh == 3)                                                          \
        return bring_rows_##S##_##BITS##_##BYTES(seen, taken, indices, 1, 3);                    \
    if (seen->kd == 1 && seen->kh == 2)                                                          \
        return bring_rows_##S##_##BITS##_##BYTES(seen, taken, indices, 1, 2);                    \
    return bring_rows_##S##_##BITS##_##BYTES(seen, taken, indices, seen->kd, seen->kh);          \
}
/* The same for pixels: all inner elements of one have the same windows, whose rows are taken off the
   indices from the first on that is not padding. (What is taken off from less is the greater for it.) */
#define CYPOOL_LEAST_OF_f32(BYTES) both_min_u32_##BYTES
#define CYPOOL_LEAST_OF_f64(BYTES) both_min_u64_##BYTES
#define CYPOOL_BRING_PIXELS(S, I, U, BITS, BYTES, LANES)                                         \
static inline __attribute__((always_inline, unused)) int pixels_rows_##S##_##BITS##_##BYTES(     \
    const cypool_seen *seen, I *restrict taken, const int##BITS##_t *restrict indices, int kd,   \
    int kh)                                                                                      \
{                                                                                                \
    typedef U wide_ __attribute__((vector_size(BYTES), aligned(sizeof(I)), may_alias));          \
    const mask_##S##_##BYTES zero = {0};                                                         \
    const wide_ slab = (U)seen->slab - (wide_)zero, row = (U)seen->row - (wide_)zero;            \
    const ptrdiff_t n = seen->n;                                                                 \
    mask_##S##_##BYTES astray = zero, good;                                                      \
    wide_ local, less;                                                                           \
    I any = 0;                                                                                   \
    int64_t at = seen->at + seen->d_from * seen->slab + seen->h_from * seen->row;                \
    int64_t column = seen->column;                                                               \
    ptrdiff_t rows = seen->rows;                                                                 \
    for (; rows > 0; CYPOOL_ADVANCE(taken += seen->to_row, indices += seen->from_row,            \
                                    at += seen->below, column += seen->across)) {                \
        const int64_t first = column < 0 ? -column : 0;                                          \
        const int64_t last = seen->width - column < seen->kw ? seen->width - column : seen->kw;  \
        const U from = (U)(at + first), many = (U)(kd && kh && last > first ? last - first : 0); \
        CYPOOL_EACH_BLOCK(n, LANES) {                                                            \
            const int##BITS##_t *from_i = indices + i;                                           \
            CYPOOL_TAKEN_##S##_##BITS(BYTES, LANES)                                              \
            local = (wide_)index - from;                                                         \
            for (int t = 1; t < kd; t++) {                                                       \
                less = local - slab;                                                             \
                local = CYPOOL_LEAST_OF_##S(BYTES)(local, less);                          \
            }                                                                                    \
            for (int t = 1; t < kh; t++) {                                                       \
                less = local - row;                                                              \
                local = CYPOOL_LEAST_OF_##S(BYTES)(local, less);                          \
            }                                                                                    \
            good = fits & (local < many);                                                        \
            astray |= ~good & ~(fits & (index == -1));                                           \
            *(mask_##S##_##BYTES *)(taken + i) = index | ~good;                                  \
        }                                                                                        \
    }                                                                                            \
    for (int j = 0; j < LANES; j++) any |= astray[j];                                            \
    return any != 0;                                                                             \
}                                                                                                \
static __attribute__((noinline, unused)) int bring_pixels_##S##_##BITS##_##BYTES(                \
    const cypool_seen *seen, I *taken, const int##BITS##_t *indices)                             \
{                                                                                                \
    const int kd = seen->d_to - seen->d_from, kh = seen->h_to - seen->h_from;                    \
    if (kd == 1 && kh == 3)                                                                      \
        return pixels_rows_##S##_##BITS##_##BYTES(seen, taken, indices, 1, 3);                   \
    if (kd == 1 && kh == 2)                                                                      \
        return pixels_rows_##S##_##BITS##_##BYTES(seen, taken, indices, 1, 2);                   \
    return pixels_rows_##S##_##BITS##_##BYTES(seen, taken, indices, kd, kh);                     \
}
/* The same for indices as wide as gradients that are only looked at, of windows with all of their rows:
   whether one may lie outside its own (-1 does). Taken modulo slab and row they are columns. */
#define CYPOOL_STRAYS(S, U, BYTES, LANES)                                                        \
static inline __attribute__((always_inline, unused)) U strays_rows_##S##_##BYTES(                \
    const cypool_seen *seen, const U *indices, int kd, int kh)                                   \
{                                                                                                \
    const vec_##S##_##BYTES zero = {0}, lane = {CYPOOL_LANES##LANES(CYPOOL_SELF)};               \
    const vec_##S##_##BYTES slab = (U)seen->slab - zero, row = (U)seen->row - zero;              \
    const U step = (U)seen->step;                                                                \
    vec_##S##_##BYTES far = zero, right = zero;                                                  \
    U furthest = 0, rightmost = 0;                                                               \
    for (ptrdiff_t p = 0; p < seen->planes; p++)                                                 \
        CYPOOL_EACH_BLOCK(seen->n, LANES) {                                                      \
            const U *from = indices + p * seen->from_plane + i;                                  \
            vec_##S##_##BYTES first = lane * step + ((U)seen->at + (U)i * step);                 \
            vec_##S##_##BYTES column = lane * step + ((U)seen->column + (U)i * step);            \
            ptrdiff_t rows = seen->rows;                                                         \
            for (; rows > 0; CYPOOL_ADVANCE(from += seen->from_row)) {                           \
                vec_##S##_##BYTES local = *(const vec_##S##_##BYTES *)from - first;              \
                for (int t = 1; t < kd; t++)                                                     \
                    local = both_min_##S##_##BYTES(local, local - slab);                         \
                for (int t = 1; t < kh; t++)                                                     \
                    local = both_min_##S##_##BYTES(local, local - row);                          \
                far = both_max_##S##_##BYTES(far, local);                                        \
                right = both_max_##S##_##BYTES(right, column + local);                           \
                first += (U)seen->below;                                                         \
                column += (U)seen->across;                                                       \
            }                                                                                    \
        }                                                                                        \
    for (int j = 0; j < LANES; j++) {                                                            \
        furthest = furthest < far[j] ? far[j] : furthest;                                        \
        rightmost = rightmost < right[j] ? right[j] : rightmost;                                 \
    }                                                                                            \
    return furthest >= (U)seen->kw || rightmost >= (U)seen->width;                               \
}                                                                                                \
static __attribute__((noinline, unused)) int strays_##S##_##BYTES(                               \
    const cypool_seen *seen, const U *indices)                                                   \
{                                                                                                \
    if (seen->kd == 1 && seen->kh == 3) return strays_rows_##S##_##BYTES(seen, indices, 1, 3);   \
    if (seen->kd == 1 && seen->kh == 2) return strays_rows_##S##_##BYTES(seen, indices, 1, 2);   \
    return strays_rows_##S##_##BYTES(seen, indices, seen->kd, seen->kh);                         \
}
#define CYPOOL_STRAYS_TRY(S, BYTES, LANES)                                                       \
    if (seen->n >= LANES) return strays_##S##_##BYTES(seen, indices);
#define CYPOOL_STRAYS_OF(S, U, L64, L32, L16)                                                    \
CYPOOL_WIDTHS(CYPOOL_STRAYS, L64, L32, L16, S, U)                                                \
static inline __attribute__((unused)) int strays_##S(const cypool_seen *seen, const U *indices)  \
{                                                                                                \
    if (seen->d_from != 0 || seen->d_to != seen->kd || seen->h_from != 0                         \
            || seen->h_to != seen->kh)                                                           \
        return 1;                                                                                \
    CYPOOL_WIDTHS(CYPOOL_STRAYS_TRY, L64, L32, L16, S)                                           \
    return 1;                                                                                    \
}
CYPOOL_STRAYS_OF(u32, uint32_t, 16, 8, 4)
CYPOOL_STRAYS_OF(u64, uint64_t, 8, 4, 2)

/* (What is less than the shortest vector is made by one: there is room for it.) */
#define CYPOOL_BRING_OF(S, I, BITS, L64, L32, L16)                                               \
static inline __attribute__((unused)) int bring_##S##_##BITS(                                    \
    const cypool_seen *seen, I *taken, const int##BITS##_t *indices)                             \
{                                                                                                \
    int##BITS##_t few[L16];                                                                      \
    cypool_seen one = *seen;                                                                     \
    int astray = 0;                                                                              \
    CYPOOL_WIDTHS(CYPOOL_BRING_TRY, L64, L32, L16, S, BITS)                                      \
    one.planes = one.rows = 1;                                                                   \
    one.n = L16;                                                                                 \
    for (ptrdiff_t p = 0; p < seen->planes; p++)                                                 \
        for (ptrdiff_t h = 0; h < seen->rows; h++) {                                             \
            const int##BITS##_t *from = indices + p * seen->from_plane + h * seen->from_row;     \
            for (int j = 0; j < L16; j++) few[j] = j < seen->n ? from[j] : -1;                   \
            one.at = seen->at + h * seen->below;                                                 \
            one.column = seen->column + h * seen->across;                                        \
            astray |= bring_##S##_##BITS##_16(                                                   \
                &one, taken + p * seen->to_plane + h * seen->to_row, few);                       \
        }                                                                                        \
    return astray;                                                                               \
}
#define CYPOOL_BRING_TRY(S, BITS, BYTES, LANES)                                                  \
    if (seen->n >= LANES)                                                                        \
        return seen->step == 0 && seen->planes == 1                                              \
            ? bring_pixels_##S##_##BITS##_##BYTES(seen, taken, indices)                          \
            : bring_##S##_##BITS##_##BYTES(seen, taken, indices);

/* Elements, in rows of some planes, or runs of one element's inner ones: `count` rows of windows see
   them, offset[r] from c and from g on. At a distance of two elements come by turns, `even` ones (the
   first is one) and odd ones, whose windows begin `odd` further. An element knows what was taken from
   it by its own index. */
enum { CYPOOL_GATHERED = 16, CYPOOL_GATHERED_BYTES = 2048 };
typedef struct {
    ptrdiff_t planes, rows, n;
    ptrdiff_t plane, row;               /* distances of elements, */
    ptrdiff_t from_plane, from_row;     /* and of their windows */
    ptrdiff_t offset[CYPOOL_GATHERED];
    int64_t at, across, below;          /* index of the first one; to the next one, the next row */
    int count, stride;
    int taps, odd, odd_taps;            /* windows of a row that see even and odd ones */
} cypool_seers;
#define CYPOOL_GATHER_BLOCK(S, T, I, BYTES, LANES)                                               \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES gathered_##S##_##BYTES(   \
    const I *c, const T *g, int count, const ptrdiff_t *offset, mask_##S##_##BYTES own, int taps)\
{                                                                                                \
    vec_##S##_##BYTES all = {0};                                                                 \
    _Pragma("GCC unroll 4")                                                                      \
    for (int r = 0; r < count; r++)                                                              \
        _Pragma("GCC unroll 3")                                                                  \
        for (int m = taps - 1; m >= 0; m--) {                                                    \
            const mask_##S##_##BYTES taken = *(const mask_##S##_##BYTES *)(c + offset[r] - m);   \
            const mask_##S##_##BYTES v = *(const mask_##S##_##BYTES *)(g + offset[r] - m);       \
            all += (vec_##S##_##BYTES)((taken == own) & v);                                      \
        }                                                                                        \
    return all;                                                                                  \
}
/* A few rows of all columns at a time: memory is written about in its order. */
#define CYPOOL_GATHER_ROWS(T, I)                                                                 \
    /* (Of their own: what is written could be any other's.) */                                  \
    ptrdiff_t offset[CYPOOL_GATHERED];                                                           \
    const ptrdiff_t n = seers->n;                                                                \
    const ptrdiff_t few = 1 + CYPOOL_GATHERED_BYTES / (n * (ptrdiff_t)sizeof(T));                \
    _Pragma("GCC unroll 4")                                                                      \
    for (int r = 0; r < count; r++) offset[r] = seers->offset[r];                                \
    for (ptrdiff_t p_ = 0; p_ < seers->planes; p_++)                                             \
        for (ptrdiff_t h_ = 0; h_ < seers->rows; h_ += few) {                                    \
            const ptrdiff_t some = seers->rows - h_ < few ? seers->rows - h_ : few;              \
            const I at = (I)(seers->at + h_ * seers->below);                                     \
            T *y = to + p_ * seers->plane + h_ * seers->row;                                     \
            const I *c = taken + p_ * seers->from_plane + h_ * seers->from_row;                  \
            const T *g = from + p_ * seers->from_plane + h_ * seers->from_row;
#define CYPOOL_GATHER_FOR(NAME, COUNT, TAPS, ODD)                                                \
    if (seers->count == COUNT && seers->taps == TAPS && seers->odd_taps == ODD) {                \
        NAME(seers, to, taken, from, COUNT, TAPS, ODD);                                          \
        return;                                                                                  \
    }
/* (A row of less than a vector is written whole, beyond its end: see CYPOOL_GATHER1_TRY.) */
#define CYPOOL_GATHER1(S, T, I, BYTES, LANES)                                                    \
CYPOOL_BLOCK gather1_strip_##S##_##BYTES(                                                        \
    const cypool_seers *seers, ptrdiff_t rows, T *restrict y, const I *restrict c,               \
    const T *restrict g, I at, int count, const ptrdiff_t *offset, int taps)                     \
{                                                                                                \
    const ptrdiff_t row = seers->row, from_row = seers->from_row;                                \
    const ptrdiff_t written = rows * row * (ptrdiff_t)sizeof(T);                                 \
    const ptrdiff_t read = rows * from_row * (ptrdiff_t)sizeof(T);                               \
    const I below = (I)seers->below;                                                             \
    const mask_##S##_##BYTES lane = {CYPOOL_LANES##LANES(CYPOOL_SELF)};                          \
    mask_##S##_##BYTES own = lane * (I)seers->across + at;                                       \
    for (; rows > 0; CYPOOL_ADVANCE(y += row, c += from_row, g += from_row)) {                   \
        CYPOOL_ASK_BELOW(y, written, 1)                                                          \
        CYPOOL_ASK_BELOW(c, read, 0)                                                             \
        CYPOOL_ASK_BELOW(g, read, 0)                                                             \
        *(vec_##S##_##BYTES *)y = gathered_##S##_##BYTES(c, g, count, offset, own, taps);        \
        own += below;                                                                            \
    }                                                                                            \
}                                                                                                \
CYPOOL_BLOCK gather1_rows_##S##_##BYTES(                                                         \
    const cypool_seers *seers, T *to, const I *taken, const T *from, int count, int taps, int _) \
{                                                                                                \
    CYPOOL_GATHER_ROWS(T, I)                                                                     \
            for (ptrdiff_t i = 0; i < n; i += LANES) {                                           \
                if (i + LANES > n && i > 0) i = n - LANES;                                       \
                gather1_strip_##S##_##BYTES(                                                     \
                    seers, some, y + i, c + i, g + i, (I)(at + i * seers->across), count,        \
                    offset, taps);                                                               \
            }                                                                                    \
        }                                                                                        \
}                                                                                                \
CYPOOL_ROW gather1_##S##_##BYTES(                                                                \
    const cypool_seers *seers, T *to, const I *taken, const T *from)                             \
{                                                                                                \
    CYPOOL_GATHER_FOR(gather1_rows_##S##_##BYTES, 3, 3, 0)                                       \
    CYPOOL_GATHER_FOR(gather1_rows_##S##_##BYTES, 2, 3, 0)                                       \
    CYPOOL_GATHER_FOR(gather1_rows_##S##_##BYTES, 2, 2, 0)                                       \
    gather1_rows_##S##_##BYTES(seers, to, taken, from, seers->count, seers->taps, 0);            \
}
/* The last block overlaps the one before it by an even number of elements, and may have one too
   many: then its second half begins one earlier (`back`). */
#define CYPOOL_TURNS(i) (i) / 2 + (i) % 2 * lanes_
#define CYPOOL_TURNS_ON(i) (lanes_ + (i)) / 2 + (i) % 2 * lanes_
#define CYPOOL_ONE_BACK(i) lanes_ - 1 + (i)
#define CYPOOL_GATHER2(S, T, I, BYTES, LANES)                                                    \
CYPOOL_BLOCK gather2_strip_##S##_##BYTES(                                                        \
    const cypool_seers *seers, ptrdiff_t rows, T *restrict y, const I *restrict c,               \
    const T *restrict g, I at, int count, const ptrdiff_t *offset, int taps, int odd_taps,       \
    int back)                                                                                    \
{                                                                                                \
    enum { lanes_ = LANES };                                                                     \
    const ptrdiff_t row = seers->row, from_row = seers->from_row, odd = seers->odd;              \
    const ptrdiff_t written = rows * row * (ptrdiff_t)sizeof(T);                                 \
    const ptrdiff_t read = rows * from_row * (ptrdiff_t)sizeof(T);                               \
    const I below = (I)seers->below;                                                             \
    const mask_##S##_##BYTES lane = {CYPOOL_LANES##LANES(CYPOOL_SELF)};                          \
    mask_##S##_##BYTES own = lane * 2 + at;                                                      \
    for (; rows > 0; CYPOOL_ADVANCE(y += row, c += from_row, g += from_row)) {                   \
        CYPOOL_ASK_BELOW(y, written, 1)                                                          \
        CYPOOL_ASK_BELOW(c, read, 0)                                                             \
        CYPOOL_ASK_BELOW(g, read, 0)                                                             \
        const vec_##S##_##BYTES evens = gathered_##S##_##BYTES(c, g, count, offset, own, taps);  \
        const vec_##S##_##BYTES odds = gathered_##S##_##BYTES(                                   \
            c + odd, g + odd, count, offset, own + 1, odd_taps);                                 \
        const vec_##S##_##BYTES first = CYPOOL_SHUFFLE(                                          \
            evens, odds, mask_##S##_##BYTES, LANES, CYPOOL_TURNS);                               \
        vec_##S##_##BYTES second = CYPOOL_SHUFFLE(                                               \
            evens, odds, mask_##S##_##BYTES, LANES, CYPOOL_TURNS_ON);                            \
        if (back)                                                                                \
            second = CYPOOL_SHUFFLE(first, second, mask_##S##_##BYTES, LANES, CYPOOL_ONE_BACK);  \
        *(vec_##S##_##BYTES *)y = first;                                                         \
        *(vec_##S##_##BYTES *)(y + LANES - back) = second;                                       \
        own += below;                                                                            \
    }                                                                                            \
}                                                                                                \
CYPOOL_BLOCK gather2_rows_##S##_##BYTES(                                                         \
    const cypool_seers *seers, T *to, const I *taken, const T *from, int count, int taps,        \
    int odd_taps)                                                                                \
{                                                                                                \
    CYPOOL_GATHER_ROWS(T, I)                                                                     \
            for (ptrdiff_t i = 0; i < n; i += 2 * LANES) {                                       \
                if (i + 2 * LANES > n) i = (n + 1) / 2 * 2 - 2 * LANES;                          \
                if (i + 2 * LANES > n)                                                           \
                    gather2_strip_##S##_##BYTES(                                                 \
                        seers, some, y + i, c + i / 2, g + i / 2, (I)(at + i), count, offset,    \
                        taps, odd_taps, 1);                                                      \
                else                                                                             \
                    gather2_strip_##S##_##BYTES(                                                 \
                        seers, some, y + i, c + i / 2, g + i / 2, (I)(at + i), count, offset,    \
                        taps, odd_taps, 0);                                                      \
            }                                                                                    \
        }                                                                                        \
}                                                                                                \
CYPOOL_ROW gather2_##S##_##BYTES(                                                                \
    const cypool_seers *seers, T *to, const I *taken, const T *from)                             \
{                                                                                                \
    CYPOOL_GATHER_FOR(gather2_rows_##S##_##BYTES, 1, 1, 1)                                       \
    CYPOOL_GATHER_FOR(gather2_rows_##S##_##BYTES, 1, 2, 1)                                       \
    CYPOOL_GATHER_FOR(gather2_rows_##S##_##BYTES, 2, 2, 1)                                       \
    CYPOOL_GATHER_FOR(gather2_rows_##S##_##BYTES, 1, 1, 2)                                       \
    CYPOOL_GATHER_FOR(gather2_rows_##S##_##BYTES, 2, 1, 2)                                       \
    gather2_rows_##S##_##BYTES(                                                                  \
        seers, to, taken, from, seers->count, seers->taps, seers->odd_taps);                     \
}

/* Pixels, whose windows each lie at an offset of their own: some vectors of one go side by side, as
   each addition waits for the one before. */
#define CYPOOL_GATHER_PIXELS(S, T, I, BYTES, LANES)                                              \
static inline __attribute__((always_inline, unused)) void gathered_pixel_##S##_##BYTES(          \
    int vectors, T *restrict y, const I *restrict c, const T *restrict g, I at, int count,       \
    const ptrdiff_t *offset)                                                                     \
{                                                                                                \
    const mask_##S##_##BYTES own = at - (mask_##S##_##BYTES){0};                                 \
    vec_##S##_##BYTES all[4];                                                                    \
    CYPOOL_UNROLLED                                                                              \
    for (int u = 0; u < vectors; u++) all[u] = (vec_##S##_##BYTES){0};                           \
    for (int r = 0; r < count; r++) {                                                            \
        const I *taken = c + offset[r];                                                          \
        const T *from = g + offset[r];                                                           \
        CYPOOL_UNROLLED                                                                          \
        for (int u = 0; u < vectors; u++) {                                                      \
            const mask_##S##_##BYTES mine =                                                      \
                *(const mask_##S##_##BYTES *)(taken + u * LANES) == own;                         \
            all[u] += (vec_##S##_##BYTES)(                                                       \
                mine & *(const mask_##S##_##BYTES *)(from + u * LANES));                         \
        }                                                                                        \
    }                                                                                            \
    CYPOOL_UNROLLED                                                                              \
    for (int u = 0; u < vectors; u++) *(vec_##S##_##BYTES *)(y + u * LANES) = all[u];            \
}                                                                                                \
CYPOOL_ROW gather_pixels_##S##_##BYTES(                                                          \
    const cypool_seers *seers, T *y, const I *c, const T *g)                                     \
{                                                                                                \
    const ptrdiff_t n = seers->n;                                                                \
    ptrdiff_t offset[CYPOOL_GATHERED], rows = seers->rows, i;                                    \
    const int count = seers->count;                                                              \
    I at = (I)seers->at;                                                                         \
    for (int r = 0; r < count; r++) offset[r] = seers->offset[r];                                \
    for (; rows > 0; CYPOOL_ADVANCE(y += seers->row, c += seers->from_row, g += seers->from_row, \
                                    at += (I)seers->below)) {                                    \
        for (i = 0; i + 4 * LANES <= n; i += 4 * LANES)                                          \
            gathered_pixel_##S##_##BYTES(4, y + i, c + i, g + i, at, count, offset);             \
        if (i + 2 * LANES <= n) {                                                                \
            gathered_pixel_##S##_##BYTES(2, y + i, c + i, g + i, at, count, offset);             \
            i += 2 * LANES;                                                                      \
        }                                                                                        \
        for (; i < n; i += LANES) {                                                              \
            if (i + LANES > n && i > 0) i = n - LANES;                                           \
            gathered_pixel_##S##_##BYTES(1, y + i, c + i, g + i, at, count, offset);             \
        }                                                                                        \
    }                                                                                            \
}
#define CYPOOL_GATHERS(S, T, I, U, L64, L32, L16)                                                \
CYPOOL_WIDTHS(CYPOOL_BRING, L64, L32, L16, S, I, U, 32)                                          \
CYPOOL_WIDTHS(CYPOOL_BRING, L64, L32, L16, S, I, U, 64)                                          \
CYPOOL_WIDTHS(CYPOOL_BRING_PIXELS, L64, L32, L16, S, I, U, 32)                                   \
CYPOOL_WIDTHS(CYPOOL_BRING_PIXELS, L64, L32, L16, S, I, U, 64)                                   \
CYPOOL_BRING_OF(S, I, 32, L64, L32, L16)                                                         \
CYPOOL_BRING_OF(S, I, 64, L64, L32, L16)                                                         \
CYPOOL_WIDTHS(CYPOOL_GATHER_BLOCK, L64, L32, L16, S, T, I)                                       \
CYPOOL_WIDTHS(CYPOOL_GATHER1, L64, L32, L16, S, T, I)                                            \
CYPOOL_WIDTHS(CYPOOL_GATHER2, L64, L32, L16, S, T, I)                                            \
CYPOOL_WIDTHS(CYPOOL_GATHER_PIXELS, L64, L32, L16, S, T, I)                                      \
static inline __attribute__((unused)) void gather_##S(                                           \
    const cypool_seers *seers, T *y, const I *c, const T *g)                                     \
{                                                                                                \
    cypool_seers last;                                                                           \
    if (seers->stride == 2) { CYPOOL_WIDTHS(CYPOOL_GATHER2_TRY, L64, L32, L16, S) }              \
    else { CYPOOL_WIDTHS(CYPOOL_GATHER1_TRY, L64, L32, L16, S) }                                 \
}
#define CYPOOL_GATHER2_TRY(S, BYTES, LANES)                                                      \
    if (seers->n >= 2 * LANES - 1) { gather2_##S##_##BYTES(seers, y, c, g); return; }
/* Rows of less than a vector are whole ones, where the next row is made after them. */
#define CYPOOL_GATHER1_TRY(S, BYTES, LANES)                                                      \
    if (seers->n >= LANES && seers->across == 0) {                                               \
        gather_pixels_##S##_##BYTES(seers, y, c, g);                                             \
        return;                                                                                  \
    }                                                                                            \
    if (seers->n >= LANES) { gather1_##S##_##BYTES(seers, y, c, g); return; }                    \
    if (2 * seers->n > LANES && seers->row == seers->n && seers->rows > 1) {                     \
        last = *seers;                                                                           \
        last.rows--;                                                                             \
        gather1_##S##_##BYTES(&last, y, c, g);                                                   \
        y += last.rows * last.row;                                                               \
        c += last.rows * last.from_row;                                                          \
        g += last.rows * last.from_row;                                                          \
        last.at += last.rows * last.below;                                                       \
        last.rows = 1;                                                                           \
        seers = &last;                                                                           \
    }
CYPOOL_GATHERS(f32, float, int32_t, uint32_t, 16, 8, 4)
CYPOOL_GATHERS(f64, double, int64_t, uint64_t, 8, 4, 2)

/* What windows see, where to, indices, their bits, gradients (for their type alone) */
#define cypool_bring(seen, to, from, bits, y)                                                    \
    _Generic((y),                                                                                \
        float *: (bits) == 32 ? bring_f32_32(seen, (int32_t *)(to), (const int32_t *)(from))     \
                              : bring_f32_64(seen, (int32_t *)(to), (const int64_t *)(from)),    \
        double *: (bits) == 32 ? bring_f64_32(seen, (int64_t *)(to), (const int32_t *)(from))    \
                               : bring_f64_64(seen, (int64_t *)(to), (const int64_t *)(from)))
/* What windows see, indices, gradients (for their type alone) */
#define cypool_strays(seen, from, y)                                                             \
    _Generic((y), float *: strays_u32(seen, (const uint32_t *)(from)),                           \
        double *: strays_u64(seen, (const uint64_t *)(from)))
/* What sees elements, these, what windows were taken from and their gradients */
#define cypool_gather(seers, y, c, g)                                                            \
    _Generic((y),                                                                                \
        float *: gather_f32(                                                                     \
            seers, (float *)(y), (const int32_t *)(c), (const float *)(g)),                      \
        double *: gather_f64(                                                                    \
            seers, (double *)(y), (const int64_t *)(c), (const double *)(g)))

#endif

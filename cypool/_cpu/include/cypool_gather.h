/* Rows of a selection's gradient where few windows see an element: each element asks these whether
   they were taken from it. What a window was taken from is told by a code, the number of the tap, so
   that a row of windows is compared with one number for each tap; it is -1 where there is none. Codes
   are as wide as the gradients. */
#ifndef CYPOOL_GATHER_H
#define CYPOOL_GATHER_H
#include "cypool_rows.h"

/* Windows, in rows of some planes, or runs of one window's inner elements. Indices count `slab` elements
   a slab and `row` elements a row. */
typedef struct {
    ptrdiff_t planes, rows, n;
    ptrdiff_t from_plane, from_row;     /* distances of indices, */
    ptrdiff_t to_plane, to_row;         /* and of codes */
    int64_t at, step, below;            /* index of the first tap; to the next window, the next row */
    int64_t column, across, width;      /* its column; to that of the next row; how many there are */
    int64_t slab, row;
    int kd, kh, kw;                     /* taps; and which of these are not padding */
    int d_from, d_to, h_from, h_to;
} cypool_seen;

/* A block of indices as wide as codes, of 32 or 64 bits. One of 64 bits that does not fit into 32 is
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

/* Codes of indices, and whether one lies outside its own window. */
#define CYPOOL_CODES(S, I, U, BITS, BYTES, LANES)                                                \
static inline __attribute__((always_inline, unused)) int codes_rows_##S##_##BITS##_##BYTES(      \
    const cypool_seen *seen, I *restrict codes, const int##BITS##_t *restrict indices, int kd,   \
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
        I *to = codes + p * seen->to_plane;                                                      \
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
                    h += over & kw;                                                              \
                }                                                                                \
                w = moved + (I)column + local;                                                   \
                good = fits & ((wide_)local < (U)kw) & ((wide_)w < (U)seen->width);              \
                if (!inside)                                                                     \
                    good &= (d >= (I)seen->d_from) & (d < (I)seen->d_to)                         \
                        & (h >= (I)seen->h_from * kw) & (h < (I)seen->h_to * kw);                \
                astray |= ~good & ~(fits & (index == -1));                                       \
                local += h;                                                                      \
                if (kd > 1) local += d * ((I)kh * kw);                                           \
                *(mask_##S##_##BYTES *)(to + i) = local | ~good;                                 \
            }                                                                                    \
    }                                                                                            \
    for (int j = 0; j < LANES; j++) any |= astray[j];                                            \
    return any != 0;                                                                             \
}                                                                                                \
static __attribute__((noinline, unused)) int codes_##S##_##BITS##_##BYTES(                       \
    const cypool_seen *seen, I *codes, const int##BITS##_t *indices)                             \
{                                                                                                \
    if (seen->kd == 1 && seen->kh == 3)                                                          \
        return codes_rows_##S##_##BITS##_##BYTES(seen, codes, indices, 1, 3);                    \
    if (seen->kd == 1 && seen->kh == 2)                                                          \
        return codes_rows_##S##_##BITS##_##BYTES(seen, codes, indices, 1, 2);                    \
    return codes_rows_##S##_##BITS##_##BYTES(seen, codes, indices, seen->kd, seen->kh);          \
}
/* (What is less than the shortest vector is made by one: there is room for it.) */
#define CYPOOL_CODES_OF(S, I, BITS, L64, L32, L16)                                               \
static inline __attribute__((unused)) int codes_##S##_##BITS(                                    \
    const cypool_seen *seen, I *codes, const int##BITS##_t *indices)                             \
{                                                                                                \
    int##BITS##_t few[L16];                                                                      \
    cypool_seen one = *seen;                                                                     \
    int astray = 0;                                                                              \
    CYPOOL_WIDTHS(CYPOOL_CODES_TRY, L64, L32, L16, S, BITS)                                      \
    one.planes = one.rows = 1;                                                                   \
    one.n = L16;                                                                                 \
    for (ptrdiff_t p = 0; p < seen->planes; p++)                                                 \
        for (ptrdiff_t h = 0; h < seen->rows; h++) {                                             \
            const int##BITS##_t *from = indices + p * seen->from_plane + h * seen->from_row;     \
            for (int j = 0; j < L16; j++) few[j] = j < seen->n ? from[j] : -1;                   \
            one.at = seen->at + h * seen->below;                                                 \
            one.column = seen->column + h * seen->across;                                        \
            astray |= codes_##S##_##BITS##_16(                                                   \
                &one, codes + p * seen->to_plane + h * seen->to_row, few);                       \
        }                                                                                        \
    return astray;                                                                               \
}
#define CYPOOL_CODES_TRY(S, BITS, BYTES, LANES)                                                  \
    if (seen->n >= LANES) return codes_##S##_##BITS##_##BYTES(seen, codes, indices);

/* Elements, in rows of some planes, or runs of one element's inner ones: `count` rows of windows see
   them, offset[r] from c and from g on, by the tap base[r] first. At a distance of two elements come
   by turns, `even` ones (the first is one) and odd ones, whose windows begin `odd` further. */
enum { CYPOOL_GATHERED = 16 };
typedef struct {
    ptrdiff_t planes, rows, n;
    ptrdiff_t plane, row;               /* distances of elements, */
    ptrdiff_t from_plane, from_row;     /* and of their windows */
    ptrdiff_t offset[CYPOOL_GATHERED];
    int64_t base[CYPOOL_GATHERED];
    int count, stride;
    int tap, taps, odd, odd_tap, odd_taps;      /* first tap, and windows, of even and odd ones */
} cypool_seers;
#define CYPOOL_GATHER_BLOCK(S, T, I, BYTES, LANES)                                               \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES gathered_##S##_##BYTES(   \
    const I *c, const T *g, int count, const ptrdiff_t *offset, const I *base, I tap, int taps,  \
    int stride)                                                                                  \
{                                                                                                \
    vec_##S##_##BYTES all = {0};                                                                 \
    _Pragma("GCC unroll 4")                                                                      \
    for (int r = 0; r < count; r++)                                                              \
        _Pragma("GCC unroll 3")                                                                  \
        for (int m = taps - 1; m >= 0; m--) {                                                    \
            const mask_##S##_##BYTES code = *(const mask_##S##_##BYTES *)(c + offset[r] - m);    \
            const mask_##S##_##BYTES v = *(const mask_##S##_##BYTES *)(g + offset[r] - m);       \
            all += (vec_##S##_##BYTES)((code == (I)(base[r] + tap + m * stride)) & v);           \
        }                                                                                        \
    return all;                                                                                  \
}
#define CYPOOL_GATHER_ROWS(T, I)                                                                 \
    /* (Of their own: what is written could be any other's.) */                                  \
    I base[CYPOOL_GATHERED], tap = (I)seers->tap;                                                \
    ptrdiff_t offset[CYPOOL_GATHERED], n = seers->n;                                             \
    _Pragma("GCC unroll 4")                                                                      \
    for (int r = 0; r < count; r++) {                                                            \
        base[r] = (I)seers->base[r];                                                             \
        offset[r] = seers->offset[r];                                                            \
    }                                                                                            \
    for (ptrdiff_t p_ = 0; p_ < seers->planes; p_++)                                             \
        for (ptrdiff_t h_ = 0; h_ < seers->rows; h_++) {                                         \
            T *restrict y = to + p_ * seers->plane + h_ * seers->row;                            \
            const I *restrict c = codes + p_ * seers->from_plane + h_ * seers->from_row;         \
            const T *restrict g = from + p_ * seers->from_plane + h_ * seers->from_row;
#define CYPOOL_GATHER_FOR(NAME, COUNT, TAPS, ODD)                                                \
    if (seers->count == COUNT && seers->taps == TAPS && seers->odd_taps == ODD) {                \
        NAME(seers, to, codes, from, COUNT, TAPS, ODD);                                          \
        return;                                                                                  \
    }
/* (A row of less than a vector is written whole, beyond its end: see CYPOOL_GATHER1_TRY.) */
#define CYPOOL_GATHER1(S, T, I, BYTES, LANES)                                                    \
CYPOOL_BLOCK gather1_rows_##S##_##BYTES(                                                         \
    const cypool_seers *seers, T *to, const I *codes, const T *from, int count, int taps, int _) \
{                                                                                                \
    CYPOOL_GATHER_ROWS(T, I)                                                                     \
            for (ptrdiff_t i = 0; i < n; i += LANES) {                                           \
                if (i + LANES > n && i > 0) i = n - LANES;                                       \
                *(vec_##S##_##BYTES *)(y + i) = gathered_##S##_##BYTES(                          \
                    c + i, g + i, count, offset, base, tap, taps, 1);                            \
            }                                                                                    \
        }                                                                                        \
}                                                                                                \
CYPOOL_ROW gather1_##S##_##BYTES(                                                                \
    const cypool_seers *seers, T *to, const I *codes, const T *from)                             \
{                                                                                                \
    CYPOOL_GATHER_FOR(gather1_rows_##S##_##BYTES, 3, 3, 0)                                       \
    CYPOOL_GATHER_FOR(gather1_rows_##S##_##BYTES, 2, 2, 0)                                       \
    CYPOOL_GATHER_FOR(gather1_rows_##S##_##BYTES, 4, 1, 0)                                       \
    CYPOOL_GATHER_FOR(gather1_rows_##S##_##BYTES, 2, 1, 0)                                       \
    CYPOOL_GATHER_FOR(gather1_rows_##S##_##BYTES, 1, 1, 0)                                       \
    gather1_rows_##S##_##BYTES(seers, to, codes, from, seers->count, seers->taps, 0);            \
}
/* The last block overlaps the one before it by an even number of elements, and may have one too
   many. */
#define CYPOOL_TURNS(i) (i) / 2 + (i) % 2 * lanes_
#define CYPOOL_TURNS_ON(i) (lanes_ + (i)) / 2 + (i) % 2 * lanes_
#define CYPOOL_ONE_BACK(i) lanes_ - 1 + (i)
#define CYPOOL_GATHER2(S, T, I, BYTES, LANES)                                                    \
CYPOOL_BLOCK gather2_rows_##S##_##BYTES(                                                         \
    const cypool_seers *seers, T *to, const I *codes, const T *from, int count, int taps,        \
    int odd_taps)                                                                                \
{                                                                                                \
    enum { lanes_ = LANES };                                                                     \
    CYPOOL_GATHER_ROWS(T, I)                                                                     \
            for (ptrdiff_t i = 0; i < n; i += 2 * LANES) {                                       \
                if (i + 2 * LANES > n) i = (n + 1) / 2 * 2 - 2 * LANES;                          \
                const ptrdiff_t j = i / 2 + seers->odd;                                          \
                const vec_##S##_##BYTES even = gathered_##S##_##BYTES(                           \
                    c + i / 2, g + i / 2, count, offset, base, tap, taps, 2);                    \
                const vec_##S##_##BYTES odd = gathered_##S##_##BYTES(                            \
                    c + j, g + j, count, offset, base, (I)seers->odd_tap, odd_taps, 2);          \
                const vec_##S##_##BYTES first = CYPOOL_SHUFFLE(                                  \
                    even, odd, mask_##S##_##BYTES, LANES, CYPOOL_TURNS);                         \
                vec_##S##_##BYTES second = CYPOOL_SHUFFLE(                                       \
                    even, odd, mask_##S##_##BYTES, LANES, CYPOOL_TURNS_ON);                      \
                *(vec_##S##_##BYTES *)(y + i) = first;                                           \
                if (i + 2 * LANES <= n) {                                                        \
                    *(vec_##S##_##BYTES *)(y + i + LANES) = second;                              \
                    continue;                                                                    \
                }                                                                                \
                second = CYPOOL_SHUFFLE(                                                         \
                    first, second, mask_##S##_##BYTES, LANES, CYPOOL_ONE_BACK);                  \
                *(vec_##S##_##BYTES *)(y + i + LANES - 1) = second;                              \
            }                                                                                    \
        }                                                                                        \
}                                                                                                \
CYPOOL_ROW gather2_##S##_##BYTES(                                                                \
    const cypool_seers *seers, T *to, const I *codes, const T *from)                             \
{                                                                                                \
    CYPOOL_GATHER_FOR(gather2_rows_##S##_##BYTES, 1, 1, 1)                                       \
    CYPOOL_GATHER_FOR(gather2_rows_##S##_##BYTES, 1, 2, 1)                                       \
    CYPOOL_GATHER_FOR(gather2_rows_##S##_##BYTES, 2, 2, 1)                                       \
    CYPOOL_GATHER_FOR(gather2_rows_##S##_##BYTES, 1, 1, 2)                                       \
    CYPOOL_GATHER_FOR(gather2_rows_##S##_##BYTES, 2, 1, 2)                                       \
    gather2_rows_##S##_##BYTES(                                                                  \
        seers, to, codes, from, seers->count, seers->taps, seers->odd_taps);                     \
}

#define CYPOOL_GATHERS(S, T, I, U, L64, L32, L16)                                                \
CYPOOL_WIDTHS(CYPOOL_CODES, L64, L32, L16, S, I, U, 32)                                          \
CYPOOL_WIDTHS(CYPOOL_CODES, L64, L32, L16, S, I, U, 64)                                          \
CYPOOL_CODES_OF(S, I, 32, L64, L32, L16)                                                         \
CYPOOL_CODES_OF(S, I, 64, L64, L32, L16)                                                         \
CYPOOL_WIDTHS(CYPOOL_GATHER_BLOCK, L64, L32, L16, S, T, I)                                       \
CYPOOL_WIDTHS(CYPOOL_GATHER1, L64, L32, L16, S, T, I)                                            \
CYPOOL_WIDTHS(CYPOOL_GATHER2, L64, L32, L16, S, T, I)                                            \
static inline __attribute__((unused)) void gather_##S(                                           \
    const cypool_seers *seers, T *y, const I *c, const T *g)                                     \
{                                                                                                \
    cypool_seers last;                                                                           \
    if (seers->stride == 2) { CYPOOL_WIDTHS(CYPOOL_GATHER2_TRY, L64, L32, L16, S) }             \
    else { CYPOOL_WIDTHS(CYPOOL_GATHER1_TRY, L64, L32, L16, S) }                                 \
}
#define CYPOOL_GATHER2_TRY(S, BYTES, LANES)                                                      \
    if (seers->n >= 2 * LANES - 1) { gather2_##S##_##BYTES(seers, y, c, g); return; }
/* Rows of less than a vector are whole ones, where the next row is made after them. */
#define CYPOOL_GATHER1_TRY(S, BYTES, LANES)                                                      \
    if (seers->n >= LANES) { gather1_##S##_##BYTES(seers, y, c, g); return; }                    \
    if (2 * seers->n > LANES && seers->row == seers->n && seers->rows > 1) {                     \
        last = *seers;                                                                           \
        last.rows--;                                                                             \
        gather1_##S##_##BYTES(&last, y, c, g);                                                   \
        y += last.rows * last.row;                                                               \
        c += last.rows * last.from_row;                                                          \
        g += last.rows * last.from_row;                                                          \
        last.rows = 1;                                                                           \
        seers = &last;                                                                           \
    }
CYPOOL_GATHERS(f32, float, int32_t, uint32_t, 16, 8, 4)
CYPOOL_GATHERS(f64, double, int64_t, uint64_t, 8, 4, 2)

/* What windows see, codes, indices, their bits, gradients (for their type alone) */
#define cypool_codes(seen, to, from, bits, y)                                                    \
    _Generic((y),                                                                                \
        float *: (bits) == 32 ? codes_f32_32(seen, (int32_t *)(to), (const int32_t *)(from))     \
                              : codes_f32_64(seen, (int32_t *)(to), (const int64_t *)(from)),    \
        double *: (bits) == 32 ? codes_f64_32(seen, (int64_t *)(to), (const int32_t *)(from))    \
                               : codes_f64_64(seen, (int64_t *)(to), (const int64_t *)(from)))
/* What sees elements, these, codes and gradients of windows */
#define cypool_gather(seers, y, c, g)                                                            \
    _Generic((y), float *: gather_f32(seers, (float *)(y), (const int32_t *)(c), (const float *)(g)), \
        double *: gather_f64(seers, (double *)(y), (const int64_t *)(c), (const double *)(g)))

#endif

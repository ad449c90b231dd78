/* Windows that are made in one go, straight from the source: small squares, pixels, long rows. */
#ifndef CYPOOL_WINDOWS_H
#define CYPOOL_WINDOWS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "cypool_halves.h"
#include "cypool_shorts.h"

/* Square windows of two or three taps a side, at a distance of one or two, from the source to what
   each makes in one go: nothing between is written. `taps` rows lie under each window, step apart;
   combined by the same tree as by the rows above, first rows, then columns. Columns before `from`
   and from `to` on are padding: what lies there is read, but does not count.
   What is lost where a NaN is about is noted: the sum of all elements is a NaN if one of them is (or
   if infinities of both signs are, which is as well). The result says whether that was so. */
#define CYPOOL_NOTES_max 1
#define CYPOOL_NOTES_min 1
#define CYPOOL_NOTES_sum 0
#define CYPOOL_NOTES_square 0
#define CYPOOL_NOTES_nanmax 0
#define CYPOOL_NOTES_nanmin 0
#define CYPOOL_NOTES_keymax 0
#define CYPOOL_NOTES_keymin 0
#define CYPOOL_NOTES_halves 0
#define CYPOOL_NOTES_bfloats 0
#define CYPOOL_NOTES_bytes 0
#define CYPOOL_NOTES_ubytes 0
#define CYPOOL_NOTES_shorts 0
#define CYPOOL_NOTES_ushorts 0
#define CYPOOL_NOTES(OP, T) (CYPOOL_NOTES_##OP && (T)0.5 != 0)

/* What lies in memory, and how a vector of it, and one element, come from there and go back: sums of
   halves and of integers of 16 bits are made in float32, of 8 bits in 16. */
#define CYPOOL_MEMORY_max plain
#define CYPOOL_MEMORY_min plain
#define CYPOOL_MEMORY_sum plain
#define CYPOOL_MEMORY_square plain
#define CYPOOL_MEMORY_nanmax plain
#define CYPOOL_MEMORY_nanmin plain
#define CYPOOL_MEMORY_keymax plain
#define CYPOOL_MEMORY_keymin plain
#define CYPOOL_MEMORY_halves half
#define CYPOOL_MEMORY_bfloats bfloat
#define CYPOOL_MEMORY_bytes byte
#define CYPOOL_MEMORY_ubytes ubyte
#define CYPOOL_MEMORY_shorts short
#define CYPOOL_MEMORY_ushorts ushort
#define CYPOOL_STORED_plain(T) T
#define CYPOOL_STORED_half(T) int16_t
#define CYPOOL_STORED_bfloat(T) int16_t
#define CYPOOL_STORED_short(T) int16_t
#define CYPOOL_STORED_ushort(T) int16_t
#define CYPOOL_STORED_byte(T) int8_t
#define CYPOOL_STORED_ubyte(T) int8_t
#define CYPOOL_GET_plain(S, BYTES, p) (*(const vec_##S##_##BYTES *)(p))
#define CYPOOL_GET_half(S, BYTES, p) get_half_##BYTES(p)
#define CYPOOL_GET_bfloat(S, BYTES, p) get_bfloat_##BYTES(p)
#define CYPOOL_GET_short(S, BYTES, p) get_short_##BYTES(p)
#define CYPOOL_GET_ushort(S, BYTES, p) get_ushort_##BYTES(p)
#define CYPOOL_GET_byte(S, BYTES, p) get_byte_##BYTES(p)
#define CYPOOL_GET_ubyte(S, BYTES, p) get_ubyte_##BYTES(p)
#define CYPOOL_PUT_plain(S, BYTES, p, v, half)                                                   \
    if (half) memcpy(p, &v, BYTES / 2);                                                          \
    else *(vec_##S##_##BYTES *)(p) = v;
#define CYPOOL_PUT_half(S, BYTES, p, v, half) put_half_##BYTES(p, v, half);
#define CYPOOL_PUT_bfloat(S, BYTES, p, v, half) put_bfloat_##BYTES(p, v, half);
#define CYPOOL_PUT_short(S, BYTES, p, v, half) put_whole_##BYTES(p, v, half);
#define CYPOOL_PUT_ushort(S, BYTES, p, v, half) put_whole_##BYTES(p, v, half);
#define CYPOOL_PUT_byte(S, BYTES, p, v, half) put_byte_##BYTES(p, v, half);
#define CYPOOL_PUT_ubyte(S, BYTES, p, v, half) put_byte_##BYTES(p, v, half);
#define CYPOOL_GET1_plain(v) (v)
#define CYPOOL_GET1_half(v) get_half((uint16_t)(v))
#define CYPOOL_GET1_bfloat(v) cypool_from_bfloat((uint16_t)(v))
#define CYPOOL_GET1_short(v) (v)
#define CYPOOL_GET1_ushort(v) (uint16_t)(v)
#define CYPOOL_GET1_byte(v) (v)
#define CYPOOL_GET1_ubyte(v) (uint8_t)(v)
#define CYPOOL_PUT1_plain(v) (v)
#define CYPOOL_PUT1_half(v) (int16_t)put_half(v)
#define CYPOOL_PUT1_bfloat(v) (int16_t)cypool_to_bfloat(v)
#define CYPOOL_PUT1_short(v) put_whole(v)
#define CYPOOL_PUT1_ushort(v) put_whole(v)
#define CYPOOL_PUT1_byte(v) (int8_t)(v)
#define CYPOOL_PUT1_ubyte(v) (int8_t)(v)
#define CYPOOL_JOIN_NAMES(a, b) a##b
#define CYPOOL_JOINED(a, b) CYPOOL_JOIN_NAMES(a, b)
#define CYPOOL_STORED(OP, T) CYPOOL_JOINED(CYPOOL_STORED_, CYPOOL_MEMORY_##OP)(T)
#define CYPOOL_GET(OP, S, BYTES, p) CYPOOL_JOINED(CYPOOL_GET_, CYPOOL_MEMORY_##OP)(S, BYTES, p)
#define CYPOOL_PUT(OP, S, BYTES, p, v, half)                                                     \
    CYPOOL_JOINED(CYPOOL_PUT_, CYPOOL_MEMORY_##OP)(S, BYTES, p, v, half)
#define CYPOOL_GET1(OP, v) CYPOOL_JOINED(CYPOOL_GET1_, CYPOOL_MEMORY_##OP)(v)
#define CYPOOL_PUT1(OP, v) CYPOOL_JOINED(CYPOOL_PUT1_, CYPOOL_MEMORY_##OP)(v)

/* Of a value that was masked as integers GCC no longer sees that its maximum is one instruction. */
#if defined(__x86_64__)
#define CYPOOL_FORGET(v) __asm__("" : "+x"(v));
#else
#define CYPOOL_FORGET(v)
#endif
/* What of a block's columns counts: those of its first vector and of the one `more` columns on, and
   the one after these; what the others become. */
#define CYPOOL_EDGES(S, T, I, BYTES, LANES)                                                      \
typedef struct {                                                                                 \
    mask_##S##_##BYTES in[2], fill[2];                                                           \
    int clips, end;                                                                              \
} edge_##S##_##BYTES;                                                                            \
static inline __attribute__((always_inline, unused)) void find_edge_##S##_##BYTES(               \
    edge_##S##_##BYTES *edge, ptrdiff_t from, ptrdiff_t to, ptrdiff_t more, ptrdiff_t span,      \
    T nothing)                                                                                   \
{                                                                                                \
    const mask_##S##_##BYTES zero = {0}, lane = {CYPOOL_LANES##LANES(CYPOOL_SELF)};              \
    edge->clips = from > 0 || to < span;                                                         \
    edge->end = to <= 2 * LANES;                                                                 \
    for (int j = 0; j < 2; j++, from -= more, to -= more) {                                      \
        const I first = (I)(from < 0 ? 0 : from > LANES ? LANES : from);                         \
        const I last = (I)(to < 0 ? 0 : to > LANES ? LANES : to);                                \
        vec_##S##_##BYTES none = nothing - (vec_##S##_##BYTES){0};                               \
        edge->in[j] = (lane >= first - zero) & (lane < last - zero);                             \
        edge->fill[j] = (mask_##S##_##BYTES)none & ~edge->in[j];                                 \
    }                                                                                            \
}                                                                                                \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES only_##S##_##BYTES(       \
    vec_##S##_##BYTES v, const edge_##S##_##BYTES *edge, int j)                                  \
{                                                                                                \
    v = (vec_##S##_##BYTES)(((mask_##S##_##BYTES)v & edge->in[j]) | edge->fill[j]);              \
    CYPOOL_FORGET(v)                                                                             \
    return v;                                                                                    \
}
#define CYPOOL_WINDOWS_BLOCKS(OP, S, T, BYTES, LANES)                                            \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES both_##OP##_##S##_##BYTES( \
    vec_##S##_##BYTES a, vec_##S##_##BYTES b)                                                    \
{                                                                                                \
    vec_##S##_##BYTES y;                                                                         \
    const T *p = (const T *)&a, *q = (const T *)&b;                                              \
    T *to = (T *)&y;                                                                             \
    for (int j = 0; j < LANES; j++) to[j] = (T)CYPOOL_OP_##OP(p[j], q[j]);                       \
    return y;                                                                                    \
}                                                                                                \
/* What three rows make, or two. */                                                              \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES under_##OP##_##S##_##BYTES( \
    vec_##S##_##BYTES a, vec_##S##_##BYTES b, vec_##S##_##BYTES c, int taps,                     \
    const edge_##S##_##BYTES *edge, int j)                                                       \
{                                                                                                \
    if (taps > 1) a = both_##OP##_##S##_##BYTES(a, b);                                           \
    if (taps > 2) a = both_##OP##_##S##_##BYTES(a, c);                                           \
    return edge ? only_##S##_##BYTES(a, edge, j) : a;                                            \
}                                                                                                \
/* The columns of a block: `right` lies as far from `left` as windows22 and 32 are made of two   \
   vectors, or two columns on for windows31; `last` comes after them. */                         \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES across22_##OP##_##S##_##BYTES( \
    vec_##S##_##BYTES left, vec_##S##_##BYTES right, T last)                                     \
{                                                                                                \
    return joined_##S##_##BYTES(both_##OP##_##S##_##BYTES(                                       \
        near_evens_##S##_##BYTES(left, right), near_odds_##S##_##BYTES(left, right)));           \
}                                                                                                \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES across32_##OP##_##S##_##BYTES( \
    vec_##S##_##BYTES left, vec_##S##_##BYTES right, T last)                                     \
{                                                                                                \
    vec_##S##_##BYTES even = near_evens_##S##_##BYTES(left, right);                              \
    vec_##S##_##BYTES odd = near_odds_##S##_##BYTES(left, right);                                \
    /* The third taps are the first ones from the second on, and the last. */                    \
    vec_##S##_##BYTES third = CYPOOL_SHUFFLE(                                                    \
        joined_##S##_##BYTES(even), last - (vec_##S##_##BYTES){0}, mask_##S##_##BYTES, LANES,    \
        CYPOOL_NEXT);                                                                            \
    even = joined_##S##_##BYTES(both_##OP##_##S##_##BYTES(even, odd));                           \
    return both_##OP##_##S##_##BYTES(even, third);                                               \
}                                                                                                \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES across31_##OP##_##S##_##BYTES( \
    vec_##S##_##BYTES left, vec_##S##_##BYTES right, T last)                                     \
{                                                                                                \
    enum { lanes_ = LANES, part_ = 16 * LANES / BYTES };                                         \
    /* The second taps are the first ones from the second on, and one of the third ones. */      \
    vec_##S##_##BYTES second = CYPOOL_SHUFFLE(                                                   \
        left, right, mask_##S##_##BYTES, LANES, CYPOOL_BETWEEN);                                 \
    left = both_##OP##_##S##_##BYTES(left, second);                                              \
    return both_##OP##_##S##_##BYTES(left, right);                                               \
}

/* Roots of sums of squares, or of their means. In float32 a square may overflow or lose digits: where
   a root lies outside the range in which neither can have happened, that is noted. (So it is of zeros,
   which may be squares of what is not.) */
#define CYPOOL_LEAST 0x1p-58f
#define CYPOOL_MOST 0x1p+62f
#define CYPOOL_TAKE_square(v, by) ((v) * (v))
#define CYPOOL_ROOT_square(S, BYTES, v, note, by)                                                \
    v = root_##S##_##BYTES(v);                                                                   \
    note = (vec_##S##_##BYTES)((mask_##S##_##BYTES)note | ~(                                     \
        (v >= CYPOOL_LEAST - (vec_##S##_##BYTES){0}) &                                           \
        (v <= CYPOOL_MOST - (vec_##S##_##BYTES){0})));
#define CYPOOL_ROOT1_square(v, note, by)                                                         \
    v = __builtin_sqrtf(v);                                                                      \
    if (!(v >= CYPOOL_LEAST && v <= CYPOOL_MOST)) note = __builtin_nanf("");
#define CYPOOL_ROOTS(S, BYTES, LANES)                                                            \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES root_##S##_##BYTES(       \
    vec_##S##_##BYTES a)                                                                         \
{                                                                                                \
    vec_##S##_##BYTES y;                                                                         \
    const float *p = (const float *)&a;                                                          \
    float *to = (float *)&y;                                                                     \
    for (int j = 0; j < LANES; j++) to[j] = __builtin_sqrtf(p[j]);                               \
    return y;                                                                                    \
}
/* Halves, bit by bit, as keys: `by` says of how many NaN the sign makes others. */
#define CYPOOL_TAKE_keymax(v, by) (CYPOOL_ORDERED(v) - (int16_t)(by))
#define CYPOOL_TAKE_keymin(v, by) (CYPOOL_ORDERED(v) + (int16_t)(by))
#define CYPOOL_ROOT_keymax(S, BYTES, v, note, by) v = v + (int16_t)(by); v = CYPOOL_ORDERED(v);
#define CYPOOL_ROOT_keymin(S, BYTES, v, note, by) v = v - (int16_t)(by); v = CYPOOL_ORDERED(v);
#define CYPOOL_ROOT1_keymax(v, note, by) v = (int16_t)(v + (int16_t)(by)); v = CYPOOL_ORDERED(v);
#define CYPOOL_ROOT1_keymin(v, note, by) v = (int16_t)(v - (int16_t)(by)); v = CYPOOL_ORDERED(v);
#define CYPOOL_TAKE_max(v, by) (v)
#define CYPOOL_ROOT_max(S, BYTES, v, note, by)
#define CYPOOL_ROOT1_max(v, note, by)
#define CYPOOL_TAKE_min(v, by) (v)
#define CYPOOL_ROOT_min(S, BYTES, v, note, by)
#define CYPOOL_ROOT1_min(v, note, by)
#define CYPOOL_TAKE_halves(v, by) (v)
#define CYPOOL_ROOT_halves(S, BYTES, v, note, by)
#define CYPOOL_ROOT1_halves(v, note, by)
#define CYPOOL_TAKE_bfloats(v, by) (v)
#define CYPOOL_ROOT_bfloats(S, BYTES, v, note, by)
#define CYPOOL_ROOT1_bfloats(v, note, by)
#define CYPOOL_TAKE_bytes(v, by) (v)
#define CYPOOL_ROOT_bytes(S, BYTES, v, note, by)
#define CYPOOL_ROOT1_bytes(v, note, by)
#define CYPOOL_TAKE_ubytes(v, by) (v)
#define CYPOOL_ROOT_ubytes(S, BYTES, v, note, by)
#define CYPOOL_ROOT1_ubytes(v, note, by)
#define CYPOOL_TAKE_shorts(v, by) (v)
#define CYPOOL_ROOT_shorts(S, BYTES, v, note, by)
#define CYPOOL_ROOT1_shorts(v, note, by)
#define CYPOOL_TAKE_ushorts(v, by) (v)
#define CYPOOL_ROOT_ushorts(S, BYTES, v, note, by)
#define CYPOOL_ROOT1_ushorts(v, note, by)
#define CYPOOL_TAKE_sum(v, by) (v)
#define CYPOOL_ROOT_sum(S, BYTES, v, note, by)
#define CYPOOL_ROOT1_sum(v, note, by)
#define CYPOOL_TAKE_nanmax(v, by) (v)
#define CYPOOL_ROOT_nanmax(S, BYTES, v, note, by)
#define CYPOOL_ROOT1_nanmax(v, note, by)
#define CYPOOL_TAKE_nanmin(v, by) (v)
#define CYPOOL_ROOT_nanmin(S, BYTES, v, note, by)
#define CYPOOL_ROOT1_nanmin(v, note, by)
#define CYPOOL_FINDS_max 1
#define CYPOOL_FINDS_min 1
#define CYPOOL_FINDS_sum 0
#define CYPOOL_FINDS_nanmax 0
#define CYPOOL_FINDS_nanmin 0
#define CYPOOL_FINDS_keymax 0
#define CYPOOL_FINDS_keymin 0
#define CYPOOL_FINDS_square 1
#define CYPOOL_FINDS_halves 0
#define CYPOOL_FINDS_bfloats 0
#define CYPOOL_FINDS_bytes 0
#define CYPOOL_FINDS_ubytes 0
#define CYPOOL_FINDS_shorts 0
#define CYPOOL_FINDS_ushorts 0
/* What floating sums are divided by, where they become means: a power of two is multiplied by, which
   is the same to the last bit. */
#define CYPOOL_EXACT(by)                                                                         \
    (by > 0 && by < 1048576 && ((int32_t)by & ((int32_t)by - 1)) == 0)
#define CYPOOL_SHARE(OP, S, T, v, by)                                                            \
    if (CYPOOL_SUMS_##OP && (T)0.5 > 0 && by != 1) {                                             \
        if (CYPOOL_EXACT(by)) v = v * (T)(1 / by);                                               \
        else v = v / (T)by;                                                                      \
    }
/* Likewise of what is kept in other types than it is stored in: vectors, or of BYTES 0 one element. */
#define CYPOOL_MEAN(OP, S, BYTES, T, v, by)                                                      \
    CYPOOL_JOINED(CYPOOL_MEAN_, CYPOOL_MEMORY_##OP)(OP, S, BYTES, T, v, by)
#define CYPOOL_MEAN_plain CYPOOL_SHARE_AS
#define CYPOOL_MEAN_half CYPOOL_SHARE_AS
#define CYPOOL_MEAN_bfloat CYPOOL_SHARE_AS
#define CYPOOL_MEAN_short CYPOOL_SHARE_AS
#define CYPOOL_MEAN_ushort CYPOOL_SHARE_AS
#define CYPOOL_SHARE_AS(OP, S, BYTES, T, v, by) CYPOOL_SHARE(OP, S, T, v, by)
#define CYPOOL_MEAN_byte(OP, S, BYTES, T, v, by)                                                 \
    if (by != 1) v = mean_of_bytes_##BYTES(v, (int)by, (uint16_t)((int)(65535 / by) + 1), 128);
#define CYPOOL_MEAN_ubyte(OP, S, BYTES, T, v, by)                                                \
    if (by != 1) v = mean_of_bytes_##BYTES(v, (int)by, (uint16_t)((int)(65535 / by) + 1), 0);
/* A strip: blocks below each other, whose rows that several windows see are read once. Where all of
   a row's columns are in one vector (`one`), the others are made of it. */
#define CYPOOL_WINDOWS_STRIP(K, STRIDE, OP, S, T, BYTES, LANES)                                  \
CYPOOL_BLOCK windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                                    \
    ptrdiff_t rows, CYPOOL_STORED(OP, T) *restrict y, ptrdiff_t sy, const CYPOOL_STORED(OP, T) *restrict a, ptrdiff_t sa, \
    ptrdiff_t step, int taps, int regular, int one, int half, const edge_##S##_##BYTES *edge,    \
    T nothing, double by, vec_##S##_##BYTES *found, T *lost)                                     \
{                                                                                                \
    /* (What a row notes is added up before it is added to what was: these sums wait for each    \
       other.) */                                                                                \
    vec_##S##_##BYTES l0, l1, l2, r0, r1, r2, n0, n1, n2, all = *found;                          \
    T e0, e1, e2, any = *lost;                                                                   \
    l0 = l1 = l2 = r0 = r1 = r2 = (vec_##S##_##BYTES){0};                                        \
    e0 = e1 = e2 = 0;                                                                            \
    if (regular && K > STRIDE) {                                                                 \
        CYPOOL_READ(K, STRIDE, OP, S, BYTES, LANES, 0, a)                                        \
        if (CYPOOL_NOTES_##OP) { all += n0; any += e0; }                                         \
        if (K - STRIDE > 1) {                                                                    \
            CYPOOL_READ(K, STRIDE, OP, S, BYTES, LANES, 1, a + step)                             \
            if (CYPOOL_NOTES_##OP) all += n1;                                                    \
        }                                                                                        \
    }                                                                                            \
    for (; rows > 0; CYPOOL_ADVANCE(y += sy, a += sa)) {                                         \
        if (!regular || K == STRIDE) {                                                           \
            CYPOOL_READ(K, STRIDE, OP, S, BYTES, LANES, 0, a)                                    \
            if (CYPOOL_NOTES_##OP && !regular) { all += n0; any += e0; }                         \
        }                                                                                        \
        if (taps > 1 && (!regular || K - STRIDE < 2)) {                                          \
            CYPOOL_READ(K, STRIDE, OP, S, BYTES, LANES, 1, a + step)                             \
            if (CYPOOL_NOTES_##OP && !regular) { all += n1; any += e1; }                         \
        }                                                                                        \
        if (taps > 2) {                                                                          \
            CYPOOL_READ(K, STRIDE, OP, S, BYTES, LANES, 2, a + 2 * step)                         \
            if (CYPOOL_NOTES_##OP && !regular) { all += n2; any += e2; }                         \
        }                                                                                        \
        if (CYPOOL_NOTES_##OP && regular) {                                                      \
            if (K == STRIDE) n2 = n0;                                                            \
            if (STRIDE == 2) n2 += n1;                                                           \
            all += n2;                                                                           \
            any += e1 + e2;                                                                      \
        }                                                                                        \
        vec_##S##_##BYTES left = under_##OP##_##S##_##BYTES(l0, l1, l2, taps, edge, 0), right;   \
        if (one) right = CYPOOL_SHUFFLE(left, left, mask_##S##_##BYTES, LANES, CYPOOL_AFTER);    \
        else right = under_##OP##_##S##_##BYTES(r0, r1, r2, taps, edge, 1);                      \
        T last = e0;                                                                             \
        if (taps > 1) last = (T)CYPOOL_OP_##OP(last, e1);                                        \
        if (taps > 2) last = (T)CYPOOL_OP_##OP(last, e2);                                        \
        if (edge && edge->end) last = nothing;                                                   \
        left = across##K##STRIDE##_##OP##_##S##_##BYTES(left, right, last);                      \
        CYPOOL_MEAN(OP, S, BYTES, T, left, by)                                                   \
        CYPOOL_ROOT_##OP(S, BYTES, left, all, by)                                                \
        CYPOOL_PUT(OP, S, BYTES, y, left, half)                                                  \
        if (regular && K - STRIDE == 1) { l0 = l2; r0 = r2; e0 = e2; }                           \
        if (regular && K - STRIDE == 2) { l0 = l1; r0 = r1; l1 = l2; r1 = r2; }                  \
    }                                                                                            \
    *found = all;                                                                                \
    *lost = any;                                                                                 \
}
#define CYPOOL_READ(K, STRIDE, OP, S, BYTES, LANES, t, p)                                        \
    l##t = CYPOOL_GET(OP, S, BYTES, p);                                                          \
    n##t = l##t;                                                                                 \
    if (!one) {                                                                                  \
        r##t = CYPOOL_GET(OP, S, BYTES, (p) + (K == 3 && STRIDE == 1 ? 2 : LANES));              \
        n##t += r##t;                                                                            \
    }                                                                                            \
    if (K == 3 && STRIDE == 2) e##t = CYPOOL_GET1(OP, (p)[2 * LANES]);                           \
    l##t = CYPOOL_TAKE_##OP(l##t, by);                                                           \
    if (!one) r##t = CYPOOL_TAKE_##OP(r##t, by);                                                 \
    if (K == 3 && STRIDE == 2) e##t = CYPOOL_TAKE_##OP(e##t, by);

/* What most arrays are of has code of its own for what is rare otherwise: it makes programs long. */
#define CYPOOL_FULL(OP, T) (CYPOOL_LONG(OP, T) && sizeof(CYPOOL_STORED(OP, T)) == 4)
#define CYPOOL_LONG(OP, T)                                                                       \
    ((T)0.5 > 0 && sizeof(CYPOOL_STORED(OP, T)) >= 4 && (CYPOOL_NOTES_##OP || CYPOOL_SUMS_##OP))
/* Rows of windows that are gone through together, block by block across all columns: of arrays beyond
   the nearer caches few, so that memory is read in its order, but what several of them see once; of
   others more, as each block of columns takes its time. Rows that lie a page apart displace each other
   in the nearest cache if these are many, those of results as well if they lie `apart` from the source by
   whole pages, as large arrays do. (Long vectors read and write whole lines of it.) How far away an
   array is: 0, in a processor's own caches; 1, in the nearer ones; more, beyond these. */
static inline __attribute__((unused)) ptrdiff_t cypool_few(
    ptrdiff_t rows, ptrdiff_t n, int lanes, int kernel, int stride, ptrdiff_t bytes, intptr_t apart,
    int far)
{
    enum { page = 4096, line = 64 };
    if (n <= lanes) return rows;
    if (far > 1 && kernel == 2) return 1;
    if (bytes % page == 0) return (uintptr_t)(apart + line) % page < 2 * line ? 2 : 4 / stride;
    if (far < 2) return n <= 2 * lanes ? rows : 8;
    return CYPOOL_VECTOR == 32 ? 4 / stride : 8 / stride;
}
/* A few short rows are read in an order in which nothing is read ahead by itself: as many bytes are
   asked for as these rows have. What comes below long ones is asked for block by block, unless it lies
   so far on that it would not stay at hand: in how many bytes that is, or 0. So it is near by, where
   others may have taken the caches meanwhile, if it takes no time where they have not. */
#define CYPOOL_FETCH(p, bytes) if ((bytes) <= CYPOOL_SHORT) { CYPOOL_ASK(p, bytes) }
#define CYPOOL_BELOW_LONG(K, STRIDE, bytes)                                                      \
    ((bytes) > CYPOOL_SHORT && ((K) == (STRIDE) || (bytes) <= 32768) ? (bytes) : 0)
#define CYPOOL_BELOW_NEAR(bytes) ((bytes) > CYPOOL_SHORT && (bytes) <= 16384 ? (bytes) : 0)
/* Rows of n windows in blocks, the last of which overlaps the one before it, or, where n < LANES,
   goes beyond the row; the edges are those of the first one and of the last one. From one row to the
   next the source moves by sa, from one plane to the next by pa. A few rows of all columns at a
   time: memory is read in its order. */
#define CYPOOL_WINDOWS_PLANES(K, STRIDE, OP, S, T, I, BYTES, LANES)                              \
static inline __attribute__((always_inline, unused)) int                                         \
windows##K##STRIDE##_rows_##OP##_##S##_##BYTES(                                                  \
    ptrdiff_t planes, ptrdiff_t rows, ptrdiff_t n, CYPOOL_STORED(OP, T) *y, ptrdiff_t py, ptrdiff_t sy, const CYPOOL_STORED(OP, T) *a, \
    ptrdiff_t pa, ptrdiff_t sa, ptrdiff_t step, int taps, ptrdiff_t from, ptrdiff_t to,          \
    T nothing, double by, ptrdiff_t few, ptrdiff_t fetched, ptrdiff_t below)                     \
{                                                                                                \
    const ptrdiff_t more = K == 3 && STRIDE == 1 ? 2 : LANES;                                    \
    const int regular = taps == K && sa == STRIDE * step;                                        \
    const int one = K == 3 && STRIDE == 1 && n + 2 <= LANES;                                     \
    const ptrdiff_t width = STRIDE * LANES * (ptrdiff_t)sizeof(CYPOOL_STORED(OP, T));            \
    vec_##S##_##BYTES found = {0};                                                               \
    mask_##S##_##BYTES bad;                                                                      \
    edge_##S##_##BYTES edges[2], *edge;                                                          \
    T lost = 0;                                                                                  \
    I any = 0;                                                                                   \
    find_edge_##S##_##BYTES(                                                                     \
        edges, from, to, more, STRIDE * ((n < LANES ? n : LANES) - 1) + K, nothing);             \
    from -= STRIDE * (n - LANES);                                                                \
    to -= STRIDE * (n - LANES);                                                                  \
    find_edge_##S##_##BYTES(edges + 1, from, to, more, STRIDE * (LANES - 1) + K, nothing);       \
    for (;;) {                                                                                   \
        for (ptrdiff_t h = 0; h < rows; h += few) {                                              \
            CYPOOL_FETCH(a + h * sa, fetched)                                                    \
            for (ptrdiff_t i = 0; i < n; i += LANES) {                                           \
                edge = i == 0 ? edges : 0;                                                       \
                if (i + LANES >= n && i > 0) { i = n - LANES; edge = edges + 1; }                \
                const ptrdiff_t some = rows - h < few ? rows - h : few;                          \
                const CYPOOL_STORED(OP, T) *p = a + h * sa + STRIDE * i;                         \
                CYPOOL_STORED(OP, T) *to = y + h * sy + i;                                       \
                for (ptrdiff_t q = 0; below && q < few * STRIDE; q++)                            \
                    for (ptrdiff_t j = 0; j < width; j += 64)                                    \
                        CYPOOL_ASK_BELOW((uintptr_t)(p + q * step) + (uintptr_t)j, below, 0)     \
                if (one && CYPOOL_FULL(OP, T) && regular && 2 * n <= LANES)                      \
                    windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                             \
                        some, to, sy, p, sa, step, K, 1, K - STRIDE == 2, K - STRIDE == 2, edges, \
                        nothing, by, &found, &lost);                                             \
                else if (one && CYPOOL_FULL(OP, T) && regular)                                   \
                    windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                             \
                        some, to, sy, p, sa, step, K, 1, K - STRIDE == 2, 0, edges, nothing, by, \
                        &found, &lost);                                                          \
                else if (one)                                                                    \
                    windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                             \
                        some, to, sy, p, sa, step, taps, 0, K - STRIDE == 2, 2 * n <= LANES,     \
                        edges, nothing, by, &found, &lost);                                      \
                else if (regular && (!edge || !edge->clips))                                     \
                    windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                             \
                        some, to, sy, p, sa, step, K, 1, 0, 0, 0, nothing, by, &found, &lost);   \
                else if (CYPOOL_FULL(OP, T) && regular)                                          \
                    windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                             \
                        some, to, sy, p, sa, step, K, 1, 0, 0, edge, nothing, by, &found, &lost); \
                else                                                                             \
                    windows##K##STRIDE##_strip_##OP##_##S##_##BYTES(                             \
                        some, to, sy, p, sa, step, taps, 0, 0, 0, edge, nothing, by, &found,     \
                        &lost);                                                                  \
            }                                                                                    \
        }                                                                                        \
        if (--planes <= 0) break;                                                                \
        y += py;                                                                                 \
        a += pa;                                                                                 \
    }                                                                                            \
    bad = found != found;                                                                        \
    for (int j = 0; j < LANES; j++) any |= bad[j];                                               \
    return CYPOOL_FINDS_##OP && (any | (lost != lost));                                          \
}                                                                                                \
static __attribute__((noinline, unused)) int windows##K##STRIDE##_planes_##OP##_##S##_##BYTES(   \
    ptrdiff_t planes, ptrdiff_t rows, ptrdiff_t n, CYPOOL_STORED(OP, T) *y, ptrdiff_t py, ptrdiff_t sy, const CYPOOL_STORED(OP, T) *a, \
    ptrdiff_t pa, ptrdiff_t sa, ptrdiff_t step, int taps, ptrdiff_t from, ptrdiff_t to,          \
    T nothing, double by, int far)                                                               \
{                                                                                                \
    enum { size = sizeof(CYPOOL_STORED(OP, T)) };                                                \
    const ptrdiff_t few = cypool_few(                                                            \
        rows, n, LANES, K, STRIDE, step * size, (intptr_t)y - (intptr_t)a, far);                 \
    const ptrdiff_t bytes = far && few < rows ? few * sa * size : 0;                             \
    const ptrdiff_t below =                                                                      \
        far > 1 ? CYPOOL_BELOW_LONG(K, STRIDE, bytes) : CYPOOL_BELOW_NEAR(bytes);                \
    /* (A loop that asks for nothing does not wait for the question.) */                         \
    if (CYPOOL_LONG(OP, T) && below && taps == K && sa == STRIDE * step)                         \
        return windows##K##STRIDE##_rows_##OP##_##S##_##BYTES(                                   \
            planes, rows, n, y, py, sy, a, pa, sa, step, K, from, to, nothing, by, few, 0, below); \
    return windows##K##STRIDE##_rows_##OP##_##S##_##BYTES(                                       \
        planes, rows, n, y, py, sy, a, pa, sa, step, taps, from, to, nothing, by, few,           \
        far > 1 ? bytes : 0, 0);                                                                 \
}
#define CYPOOL_WINDOWS_TRY(K, STRIDE, OP, S, T, BYTES, LANES)                                    \
    if (LANES == lanes)                                                                          \
        return windows##K##STRIDE##_planes_##OP##_##S##_##BYTES(                                 \
            planes, rows, n, y, py, sy, a, pa, sa, step, taps, from, to, nothing, by, far);
#define CYPOOL_WINDOWS(K, STRIDE, OP, S, T, DO)                                                  \
static inline __attribute__((unused)) int windows##K##STRIDE##_##OP##_##S(                       \
    ptrdiff_t planes, ptrdiff_t rows, ptrdiff_t n, int lanes, CYPOOL_STORED(OP, T) *y, ptrdiff_t py, ptrdiff_t sy, \
    const CYPOOL_STORED(OP, T) *a, ptrdiff_t pa, ptrdiff_t sa, ptrdiff_t step, int taps, ptrdiff_t from, \
    ptrdiff_t to, T nothing, double by, int far)                                                 \
{                                                                                                \
    DO                                                                                           \
    return 0;                                                                                    \
}

/* One column of windows of which `count` columns, `reach` apart, are left (at least one). */
#define CYPOOL_CLIPPED(OP, S, T)                                                                 \
static inline __attribute__((always_inline, unused)) T clipped_rows_##OP##_##S(                  \
    ptrdiff_t rows, CYPOOL_STORED(OP, T) *restrict y, ptrdiff_t sy, const CYPOOL_STORED(OP, T) *restrict a, ptrdiff_t sa, \
    ptrdiff_t step, ptrdiff_t reach, int taps, int count, int kernel, double by)                 \
{                                                                                                \
    T last = 0;                                                                                  \
    for (; rows > 0; CYPOOL_ADVANCE(y += sy, a += sa)) {                                         \
        T all = 0, note = 0;                                                                     \
        for (int j = 0; j < count; j++) {                                                        \
            T v = (T)CYPOOL_TAKE_##OP(CYPOOL_GET1(OP, a[j * reach]), by);                        \
            if (CYPOOL_NOTES_##OP) note += v;                                                    \
            for (int t = 1; t < taps; t++) {                                                     \
                T w = (T)CYPOOL_TAKE_##OP(CYPOOL_GET1(OP, a[j * reach + t * step]), by);         \
                if (CYPOOL_NOTES_##OP) note += w;                                                \
                v = (T)CYPOOL_OP_##OP(v, w);                                                     \
            }                                                                                    \
            /* (Padding adds a zero to a sum.) */                                                \
            if (j == 0 && (!CYPOOL_SUMS_##OP || count == kernel)) all = v;                       \
            else all = (T)CYPOOL_OP_##OP(all, v);                                                \
        }                                                                                        \
        if (CYPOOL_NOTES_##OP) last += note;                                                     \
        CYPOOL_MEAN(OP, S, 0, T, all, by)                                                        \
        CYPOOL_ROOT1_##OP(all, last, by)                                                         \
        *y = CYPOOL_PUT1(OP, all);                                                               \
    }                                                                                            \
    return last;                                                                                 \
}                                                                                                \
static __attribute__((noinline, unused)) int clipped_##OP##_##S(                                 \
    ptrdiff_t rows, CYPOOL_STORED(OP, T) *y, ptrdiff_t sy, const CYPOOL_STORED(OP, T) *a, ptrdiff_t sa, ptrdiff_t step, ptrdiff_t reach, \
    int taps, int count, int kernel, double by)                                                  \
{                                                                                                \
    T last;                                                                                      \
    if (reach != 1)                                                                              \
        last = clipped_rows_##OP##_##S(                                                          \
            rows, y, sy, a, sa, step, reach, taps, count, kernel, by);                           \
    else if (taps == 3 && count == 2)                                                            \
        last = clipped_rows_##OP##_##S(rows, y, sy, a, sa, step, 1, 3, 2, 3, by);                \
    else if (taps == 2 && count == 2 && kernel == 3)                                             \
        last = clipped_rows_##OP##_##S(rows, y, sy, a, sa, step, 1, 2, 2, 3, by);                \
    else                                                                                         \
        last = clipped_rows_##OP##_##S(rows, y, sy, a, sa, step, 1, taps, count, kernel, by);    \
    return CYPOOL_FINDS_##OP && last != last;                                                    \
}
/* Pixels of n values each, windows of K a side, straight from where they lie: rows of a window are
   `step` apart, its columns `reach`. Whether a NaN was met that may be lost. */
#define CYPOOL_PIXELS_OF(OP, S, T, I, BYTES, LANES)                                              \
static inline __attribute__((always_inline, unused)) vec_##S##_##BYTES column_##OP##_##S(        \
    const CYPOOL_STORED(OP, T) *a, ptrdiff_t step, int taps, vec_##S##_##BYTES *note, double by) \
{                                                                                                \
    vec_##S##_##BYTES v = CYPOOL_GET(OP, S, BYTES, a), w, met = v;                               \
    v = CYPOOL_TAKE_##OP(v, by);                                                                 \
    if (taps > 1) {                                                                              \
        w = CYPOOL_GET(OP, S, BYTES, a + step);                                                  \
        met += w;                                                                                \
        v = both_##OP##_##S##_##BYTES(v, CYPOOL_TAKE_##OP(w, by));                               \
    }                                                                                            \
    if (taps > 2) {                                                                              \
        w = CYPOOL_GET(OP, S, BYTES, a + 2 * step);                                              \
        met += w;                                                                                \
        v = both_##OP##_##S##_##BYTES(v, CYPOOL_TAKE_##OP(w, by));                               \
    }                                                                                            \
    if (CYPOOL_NOTES_##OP) *note += met;                                                         \
    return v;                                                                                    \
}                                                                                                \
static inline __attribute__((always_inline, unused)) int noted_##OP##_##S(vec_##S##_##BYTES note) \
{                                                                                                \
    I any = 0;                                                                                   \
    mask_##S##_##BYTES bad = note != note;                                                       \
    for (int j = 0; j < LANES; j++) any |= bad[j];                                               \
    return CYPOOL_FINDS_##OP && any;                                                             \
}                                                                                                \
CYPOOL_PIXELS_DIRECT(2, OP, S, T, BYTES, LANES)                                                  \
CYPOOL_PIXELS_DIRECT(3, OP, S, T, BYTES, LANES)                                                  \
CYPOOL_PIXELS_SLIDE(2, OP, S, T, BYTES, LANES)                                                   \
CYPOOL_PIXELS_SLIDE(3, OP, S, T, BYTES, LANES)                                                   \
static inline __attribute__((unused)) int pixels_##OP##_##S(                                     \
    ptrdiff_t outputs, ptrdiff_t n, CYPOOL_STORED(OP, T) *y, const CYPOOL_STORED(OP, T) *a, ptrdiff_t advance, ptrdiff_t step, \
    ptrdiff_t reach, int taps, int kernel, void *room, double by)                                \
{                                                                                                \
    if (kernel == 2) return pixels2_##OP##_##S(outputs, n, y, a, advance, step, reach, room, by); \
    if (advance != n || reach != n)                                                              \
        return pixels3_##OP##_##S(outputs, n, y, a, advance, step, reach, room, by);             \
    if (taps == 2) return slide2_##OP##_##S(outputs, n, y, a, step, room, by);                   \
    return slide3_##OP##_##S(outputs, n, y, a, step, room, by);                                  \
}                                                                                                \
/* One window, by the place of each of its taps. */                                              \
static inline __attribute__((always_inline, unused)) int pixel_of_##OP##_##S(                    \
    const int kernel, ptrdiff_t n, CYPOOL_STORED(OP, T) *restrict y, const void *const *taps,    \
    double by)                                                                                   \
{                                                                                                \
    vec_##S##_##BYTES note = {0};                                                                \
    CYPOOL_EACH_BLOCK(n, LANES) {                                                                \
        vec_##S##_##BYTES all = {0};                                                             \
        CYPOOL_UNROLLED                                                                          \
        for (int j = 0; j < kernel; j++) {                                                       \
            vec_##S##_##BYTES v = CYPOOL_GET(                                                    \
                OP, S, BYTES, (const CYPOOL_STORED(OP, T) *)taps[j] + i), w;                     \
            if (CYPOOL_NOTES_##OP) note += v;                                                    \
            v = CYPOOL_TAKE_##OP(v, by);                                                         \
            CYPOOL_UNROLLED                                                                      \
            for (int t = 1; t < kernel; t++) {                                                   \
                w = CYPOOL_GET(                                                                  \
                    OP, S, BYTES, (const CYPOOL_STORED(OP, T) *)taps[t * kernel + j] + i);       \
                if (CYPOOL_NOTES_##OP) note += w;                                                \
                v = both_##OP##_##S##_##BYTES(v, CYPOOL_TAKE_##OP(w, by));                       \
            }                                                                                    \
            all = j == 0 ? v : both_##OP##_##S##_##BYTES(all, v);                                \
        }                                                                                        \
        CYPOOL_MEAN(OP, S, BYTES, T, all, by)                                                    \
        CYPOOL_ROOT_##OP(S, BYTES, all, note, by)                                                \
        CYPOOL_PUT(OP, S, BYTES, y + i, all, 0)                                                  \
    }                                                                                            \
    return noted_##OP##_##S(note);                                                               \
}                                                                                                \
static __attribute__((noinline, unused)) int pixel_##OP##_##S(                                   \
    int kernel, ptrdiff_t n, CYPOOL_STORED(OP, T) *y, const void *const *taps, double by)        \
{                                                                                                \
    if (kernel == 2) return pixel_of_##OP##_##S(2, n, y, taps, by);                              \
    return pixel_of_##OP##_##S(3, n, y, taps, by);                                               \
}
/* Of windows of four one column at a time: fewer streams of memory are read at once, in longer runs,
   which is faster where these are long; of nine it is not. */
#define CYPOOL_PIXELS_DIRECT(K, OP, S, T, BYTES, LANES)                                          \
static __attribute__((noinline, unused)) int pixels##K##_##OP##_##S(                             \
    ptrdiff_t outputs, ptrdiff_t n, CYPOOL_STORED(OP, T) *restrict y, const CYPOOL_STORED(OP, T) *restrict a, ptrdiff_t advance, \
    ptrdiff_t step, ptrdiff_t reach, void *restrict room, double by)                             \
{                                                                                                \
    vec_##S##_##BYTES note = {0};                                                                \
    for (; outputs > 0; outputs--, y += n, a += outputs > 0 ? advance : 0) {                     \
        if (K == 2)                                                                              \
            CYPOOL_EACH_BLOCK(n, LANES)                                                          \
                *(vec_##S##_##BYTES *)((T *)room + i) = column_##OP##_##S(a + i, step, K, &note, by); \
        CYPOOL_EACH_BLOCK(n, LANES) {                                                            \
            vec_##S##_##BYTES v;                                                                 \
            if (K == 2)                                                                          \
                v = *(vec_##S##_##BYTES *)((T *)room + i);                                       \
            else                                                                                 \
                v = both_##OP##_##S##_##BYTES(column_##OP##_##S(a + i, step, K, &note, by),      \
                                              column_##OP##_##S(a + i + reach, step, K, &note, by)); \
            v = both_##OP##_##S##_##BYTES(                                                       \
                v, column_##OP##_##S(a + i + (K - 1) * reach, step, K, &note, by));              \
            CYPOOL_MEAN(OP, S, BYTES, T, v, by)                                                  \
            CYPOOL_ROOT_##OP(S, BYTES, v, note, by)                                              \
            CYPOOL_PUT(OP, S, BYTES, y + i, v, 0)                                                \
        }                                                                                        \
    }                                                                                            \
    return noted_##OP##_##S(note);                                                               \
}
/* Three columns at a distance of one, of TAPS rows each: what these rows make of a column is kept in
   `room` (of 3 n values) for the windows that see it next. */
#define CYPOOL_PIXELS_SLIDE(TAPS, OP, S, T, BYTES, LANES)                                        \
static __attribute__((noinline, unused)) int slide##TAPS##_##OP##_##S(                           \
    ptrdiff_t outputs, ptrdiff_t n, CYPOOL_STORED(OP, T) *restrict y, const CYPOOL_STORED(OP, T) *restrict a, ptrdiff_t step, \
    void *restrict room, double by)                                                              \
{                                                                                                \
    vec_##S##_##BYTES note = {0};                                                                \
    T *left = (T *)room, *middle = left + n, *right = middle + n, *swap;                         \
    CYPOOL_EACH_BLOCK(n, LANES) {                                                                \
        *(vec_##S##_##BYTES *)(left + i) = column_##OP##_##S(a + i, step, TAPS, &note, by);      \
        *(vec_##S##_##BYTES *)(middle + i) = column_##OP##_##S(a + n + i, step, TAPS, &note, by); \
    }                                                                                            \
    for (; outputs > 0; outputs--, y += n) {                                                     \
        CYPOOL_EACH_BLOCK(n, LANES) {                                                            \
            vec_##S##_##BYTES v = column_##OP##_##S(a + 2 * n + i, step, TAPS, &note, by), w;    \
            *(vec_##S##_##BYTES *)(right + i) = v;                                               \
            w = both_##OP##_##S##_##BYTES(                                                       \
                *(vec_##S##_##BYTES *)(left + i), *(vec_##S##_##BYTES *)(middle + i));           \
            w = both_##OP##_##S##_##BYTES(w, v);                                                 \
            CYPOOL_MEAN(OP, S, BYTES, T, w, by)                                                  \
            CYPOOL_ROOT_##OP(S, BYTES, w, note, by)                                              \
            CYPOOL_PUT(OP, S, BYTES, y + i, w, 0)                                                \
        }                                                                                        \
        if (outputs > 1) a += n;                                                                 \
        swap = left; left = middle; middle = right; right = swap;                                \
    }                                                                                            \
    return noted_##OP##_##S(note);                                                               \
}

/* What padding adds to sums of pixels, of CYPOOL_INNER values at most. (Not const: it would be in the
   file.) */
#define CYPOOL_INNER 8192
static double cypool_zeros[CYPOOL_INNER] __attribute__((unused));

#define CYPOOL_SUMS_max 0
#define CYPOOL_SUMS_min 0
#define CYPOOL_SUMS_nanmax 0
#define CYPOOL_SUMS_nanmin 0
#define CYPOOL_SUMS_keymax 0
#define CYPOOL_SUMS_keymin 0
#define CYPOOL_SUMS_sum 1
#define CYPOOL_SUMS_square 1
#define CYPOOL_SUMS_halves 1
#define CYPOOL_SUMS_bfloats 1
#define CYPOOL_SUMS_bytes 1
#define CYPOOL_SUMS_ubytes 1
#define CYPOOL_SUMS_shorts 1
#define CYPOOL_SUMS_ushorts 1

/* Extremes of windows of n elements in a row, `step` apart, for as many elements as a vector has and
   more: several vectors of them, and at last the lanes of one. From more than the nearer caches hold
   (`far`), memory is asked for ahead. Whether a NaN was met that may be lost. */
#define CYPOOL_ACROSS(i, by) ((i) ^ (by)) % lanes_
#define CYPOOL_ACROSS32(i) CYPOOL_ACROSS(i, 32)
#define CYPOOL_ACROSS16(i) CYPOOL_ACROSS(i, 16)
#define CYPOOL_ACROSS8(i) CYPOOL_ACROSS(i, 8)
#define CYPOOL_ACROSS4(i) CYPOOL_ACROSS(i, 4)
#define CYPOOL_ACROSS2(i) CYPOOL_ACROSS(i, 2)
#define CYPOOL_ACROSS1(i) CYPOOL_ACROSS(i, 1)
#define CYPOOL_MEET(OP, S, BYTES, LANES, by)                                                     \
    if (LANES > by) {                                                                            \
        other = CYPOOL_SHUFFLE(v[0], v[0], mask_##S##_##BYTES, LANES, CYPOOL_ACROSS##by);        \
        v[0] = both_##OP##_##S##_##BYTES(v[0], other);                                           \
    }
#define CYPOOL_PEAKS(OP, S, T, I, BYTES, LANES)                                                  \
static __attribute__((noinline, unused)) int peaks_##OP##_##S##_##BYTES(                         \
    ptrdiff_t windows, ptrdiff_t n, T *restrict y, const T *restrict a, ptrdiff_t step, int far) \
{                                                                                                \
    enum { lanes_ = LANES };                                                                     \
    vec_##S##_##BYTES notes[4] = {{0}}, v[4], next, other;                                       \
    mask_##S##_##BYTES bad;                                                                      \
    I any = 0;                                                                                   \
    for (; windows > 0; windows--, y++, a += windows > 0 ? step : 0) {                           \
        ptrdiff_t i = 0;                                                                         \
        v[0] = v[1] = v[2] = v[3] = *(const vec_##S##_##BYTES *)a;                               \
        for (; i + 4 * LANES <= n; i += 4 * LANES) {                                             \
            if (far) CYPOOL_ASK(a + i, 4 * BYTES)                                                \
            CYPOOL_UNROLLED                                                                      \
            for (int j = 0; j < 4; j++) {                                                        \
                next = *(const vec_##S##_##BYTES *)(a + i + j * LANES);                          \
                if (CYPOOL_NOTES_##OP) notes[j] += next;                                         \
                v[j] = both_##OP##_##S##_##BYTES(v[j], next);                                    \
            }                                                                                    \
        }                                                                                        \
        for (; i < n; i += LANES) {                                                              \
            next = *(const vec_##S##_##BYTES *)(a + (i + LANES <= n ? i : n - LANES));           \
            if (CYPOOL_NOTES_##OP) notes[0] += next;                                             \
            v[0] = both_##OP##_##S##_##BYTES(v[0], next);                                        \
        }                                                                                        \
        v[0] = both_##OP##_##S##_##BYTES(v[0], v[1]);                                            \
        v[2] = both_##OP##_##S##_##BYTES(v[2], v[3]);                                            \
        v[0] = both_##OP##_##S##_##BYTES(v[0], v[2]);                                            \
        CYPOOL_MEET(OP, S, BYTES, LANES, 32)                                                     \
        CYPOOL_MEET(OP, S, BYTES, LANES, 16)                                                     \
        CYPOOL_MEET(OP, S, BYTES, LANES, 8)                                                      \
        CYPOOL_MEET(OP, S, BYTES, LANES, 4)                                                      \
        CYPOOL_MEET(OP, S, BYTES, LANES, 2)                                                      \
        CYPOOL_MEET(OP, S, BYTES, LANES, 1)                                                      \
        *y = v[0][0];                                                                            \
    }                                                                                            \
    notes[0] += notes[1];                                                                        \
    notes[2] += notes[3];                                                                        \
    notes[0] += notes[2];                                                                        \
    bad = notes[0] != notes[0];                                                                  \
    for (int j = 0; j < LANES; j++) any |= bad[j];                                               \
    return CYPOOL_NOTES_##OP && any;                                                             \
}
#define CYPOOL_PEAKS_TRY(OP, S, T, BYTES, LANES)                                                 \
    if (n >= LANES) return peaks_##OP##_##S##_##BYTES(windows, n, y, a, step, far);
#define CYPOOL_ALL_PEAKS(OP, S, T, I, L64, L32, L16)                                             \
CYPOOL_WIDTHS(CYPOOL_PEAKS, L64, L32, L16, OP, S, T, I)                                          \
static inline __attribute__((unused)) int peaks_##OP##_##S(                                      \
    ptrdiff_t windows, ptrdiff_t n, T *restrict y, const T *restrict a, ptrdiff_t step, int far) \
{                                                                                                \
    CYPOOL_WIDTHS(CYPOOL_PEAKS_TRY, L64, L32, L16, OP, S, T)                                     \
    T lost = 0;                                                                                  \
    for (; windows > 0; windows--, y++, a += windows > 0 ? step : 0) {                           \
        T v = a[0];                                                                              \
        for (ptrdiff_t i = 0; i < n; i++) {                                                      \
            if (CYPOOL_NOTES(OP, T)) lost += a[i];                                               \
            v = (T)CYPOOL_OP_##OP(v, a[i]);                                                      \
        }                                                                                        \
        *y = v;                                                                                  \
    }                                                                                            \
    return CYPOOL_NOTES(OP, T) && lost != lost;                                                  \
}
#define CYPOOL_ALL_WINDOWS(OP, S, T, I, L64, L32, L16)                                           \
CYPOOL_WIDTHS(CYPOOL_WINDOWS_BLOCKS, L64, L32, L16, OP, S, T)                                    \
CYPOOL_EACH_WINDOWS(2, 2, OP, S, T, I, L64, L32, L16)                                            \
CYPOOL_EACH_WINDOWS(3, 2, OP, S, T, I, L64, L32, L16)                                            \
CYPOOL_EACH_WINDOWS(3, 1, OP, S, T, I, L64, L32, L16)                                            \
CYPOOL_WIDEST(CYPOOL_PIXELS_OF, L64, L32, L16, OP, S, T, I)                                      \
CYPOOL_CLIPPED(OP, S, T)
#define CYPOOL_EACH_WINDOWS(K, STRIDE, OP, S, T, I, L64, L32, L16)                               \
CYPOOL_WIDTHS(CYPOOL_WINDOWS_STRIP, L64, L32, L16, K, STRIDE, OP, S, T)                          \
CYPOOL_WIDTHS(CYPOOL_WINDOWS_PLANES, L64, L32, L16, K, STRIDE, OP, S, T, I)                      \
CYPOOL_WINDOWS(K, STRIDE, OP, S, T,                                                              \
    CYPOOL_WIDTHS(CYPOOL_WINDOWS_TRY, L64, L32, L16, K, STRIDE, OP, S, T))
#define CYPOOL_WINDOWS_OF_TYPES(DO, OP)                                                          \
    DO(OP, i8, int8_t, int8_t, 64, 32, 16) DO(OP, u8, uint8_t, int8_t, 64, 32, 16)               \
    DO(OP, i16, int16_t, int16_t, 32, 16, 8) DO(OP, u16, uint16_t, int16_t, 32, 16, 8)           \
    DO(OP, i32, int32_t, int32_t, 16, 8, 4) DO(OP, u32, uint32_t, int32_t, 16, 8, 4)             \
    DO(OP, i64, int64_t, int64_t, 8, 4, 2) DO(OP, u64, uint64_t, int64_t, 8, 4, 2)               \
    DO(OP, f32, float, int32_t, 16, 8, 4) DO(OP, f64, double, int64_t, 8, 4, 2)
CYPOOL_WIDTHS(CYPOOL_EDGES, 64, 32, 16, i8, int8_t, int8_t)
CYPOOL_WIDTHS(CYPOOL_EDGES, 64, 32, 16, u8, uint8_t, int8_t)
CYPOOL_WIDTHS(CYPOOL_EDGES, 32, 16, 8, i16, int16_t, int16_t)
CYPOOL_WIDTHS(CYPOOL_EDGES, 32, 16, 8, u16, uint16_t, int16_t)
CYPOOL_WIDTHS(CYPOOL_EDGES, 16, 8, 4, i32, int32_t, int32_t)
CYPOOL_WIDTHS(CYPOOL_EDGES, 16, 8, 4, u32, uint32_t, int32_t)
CYPOOL_WIDTHS(CYPOOL_EDGES, 8, 4, 2, i64, int64_t, int64_t)
CYPOOL_WIDTHS(CYPOOL_EDGES, 8, 4, 2, u64, uint64_t, int64_t)
CYPOOL_WIDTHS(CYPOOL_EDGES, 16, 8, 4, f32, float, int32_t)
CYPOOL_WIDTHS(CYPOOL_EDGES, 8, 4, 2, f64, double, int64_t)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_WINDOWS, max)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_WINDOWS, min)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_PEAKS, max)
CYPOOL_WINDOWS_OF_TYPES(CYPOOL_ALL_PEAKS, min)
CYPOOL_ALL_WINDOWS(nanmax, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_WINDOWS(nanmax, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_PEAKS(nanmax, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_PEAKS(nanmax, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_WINDOWS(nanmin, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_WINDOWS(nanmin, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_PEAKS(nanmin, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_PEAKS(nanmin, f64, double, int64_t, 8, 4, 2)
CYPOOL_ALL_WINDOWS(sum, i32, int32_t, int32_t, 16, 8, 4) CYPOOL_ALL_WINDOWS(sum, i64, int64_t, int64_t, 8, 4, 2)
CYPOOL_ALL_WINDOWS(sum, f32, float, int32_t, 16, 8, 4) CYPOOL_ALL_WINDOWS(sum, f64, double, int64_t, 8, 4, 2)
CYPOOL_WIDTHS(CYPOOL_ROOTS, 16, 8, 4, f32)
CYPOOL_ALL_WINDOWS(square, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_WINDOWS(halves, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_WINDOWS(bfloats, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_WINDOWS(shorts, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_WINDOWS(ushorts, f32, float, int32_t, 16, 8, 4)
CYPOOL_ALL_WINDOWS(bytes, i16, int16_t, int16_t, 32, 16, 8)
CYPOOL_ALL_WINDOWS(ubytes, i16, int16_t, int16_t, 32, 16, 8)
CYPOOL_ALL_WINDOWS(keymax, i16, int16_t, int16_t, 32, 16, 8)
CYPOOL_ALL_WINDOWS(keymin, i16, int16_t, int16_t, 32, 16, 8)

/* Of roots of squares: 1, one is zero; 2, another is out of range, or a NaN. */
static __attribute__((noinline, unused)) int astray_f32(ptrdiff_t n, const float *a)
{
    uint32_t zero = 0, astray = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        zero |= a[i] == 0 ? (uint32_t)-1 : 0;
        astray |= (a[i] == 0) | ((a[i] >= CYPOOL_LEAST) & (a[i] <= CYPOOL_MOST)) ? 0 : (uint32_t)-1;
    }
    return (zero ? 1 : 0) | (astray ? 2 : 0);
}
/* Roots of values over `by`. */
static __attribute__((noinline, unused)) void roots_f32(ptrdiff_t n, float *restrict y, float by)
{
    if (by == 1) for (ptrdiff_t i = 0; i < n; i++) y[i] = __builtin_sqrtf(y[i]);
    else for (ptrdiff_t i = 0; i < n; i++) y[i] = __builtin_sqrtf(y[i] / by);
}
/* Whether the square of a value vanishes that is not zero. */
static __attribute__((noinline, unused)) int has_tiny_f32(ptrdiff_t n, const float *a)
{
    uint32_t found = 0;
    for (ptrdiff_t i = 0; i < n; i++) found |= (a[i] != 0) & (a[i] * a[i] == 0) ? (uint32_t)-1 : 0;
    return found != 0;
}

/* Sums have windows in the types that they are kept in only. */
static inline __attribute__((unused)) int no_windows(
    ptrdiff_t planes, ptrdiff_t rows, ptrdiff_t n, int lanes, void *y, ptrdiff_t py, ptrdiff_t sy,
    const void *a, ptrdiff_t pa, ptrdiff_t sa, ptrdiff_t step, int taps, ptrdiff_t from,
    ptrdiff_t to, double nothing, double by, int far)
{ return 0; }
static inline __attribute__((unused)) int no_clipped(
    ptrdiff_t rows, void *y, ptrdiff_t sy, const void *a, ptrdiff_t sa, ptrdiff_t step,
    ptrdiff_t reach, int taps, int count, int kernel, double by)
{ return 0; }
static inline __attribute__((unused)) int no_pixels(
    ptrdiff_t outputs, ptrdiff_t n, void *y, const void *a, ptrdiff_t advance, ptrdiff_t step,
    ptrdiff_t reach, int taps, int kernel, void *room, double by)
{ return 0; }
static inline __attribute__((unused)) int no_pixel(
    int kernel, ptrdiff_t n, void *y, const void *const *taps, double by)
{ return 0; }
#define CYPOOL_OF_ORDERED(NAME, NONE, y)                                                         \
    _Generic((y), int8_t *: NAME##_i8, uint8_t *: NAME##_u8, int16_t *: NAME##_i16,              \
        uint16_t *: NAME##_u16, int32_t *: NAME##_i32, uint32_t *: NAME##_u32,                   \
        int64_t *: NAME##_i64, uint64_t *: NAME##_u64, float *: NAME##_f32,                      \
        double *: NAME##_f64, default: NONE)
/* `turned`: whether elements are turned into others on the way and back: squares, or keys; of sums of
   16 bits, 2, if these are of the other kind of halves, and of integers 3 or, without a sign, 4. */
#define CYPOOL_WINDOWS_FOR(NAME, NONE, r, turned, y)                                             \
    _Generic((r), cypool_max *: _Generic((y),                                                    \
            int16_t *: (turned) ? NAME##_keymax_i16 : NAME##_max_i16,                            \
            default: CYPOOL_OF_ORDERED(NAME##_max, NONE, y)),                                    \
        cypool_min *: _Generic((y),                                                              \
            int16_t *: (turned) ? NAME##_keymin_i16 : NAME##_min_i16,                            \
            default: CYPOOL_OF_ORDERED(NAME##_min, NONE, y)),                                    \
        cypool_sum *: _Generic((y), int32_t *: NAME##_sum_i32, int64_t *: NAME##_sum_i64,        \
            int16_t *: (turned) == 4 ? NAME##_ushorts_f32 : (turned) == 3 ? NAME##_shorts_f32    \
                : (turned) == 2 ? NAME##_bfloats_f32 : NAME##_halves_f32,                        \
            int8_t *: (turned) == 4 ? NAME##_ubytes_i16 : NAME##_bytes_i16,                      \
            float *: (turned) ? NAME##_square_f32 : NAME##_sum_f32, double *: NAME##_sum_f64,    \
            default: NONE),                                                                      \
        cypool_nanmax *: _Generic((y), float *: NAME##_nanmax_f32,                               \
            double *: NAME##_nanmax_f64, default: CYPOOL_OF_ORDERED(NAME##_max, NONE, y)),       \
        cypool_nanmin *: _Generic((y), float *: NAME##_nanmin_f32,                               \
            double *: NAME##_nanmin_f64, default: CYPOOL_OF_ORDERED(NAME##_min, NONE, y)))
/* planes, rows, n, lanes of a block (of a vector, its half or its quarter), reducer, whether its sums
   are roots of sums of squares, y, distance of its planes and rows, source, distance of its planes and
   rows and of the rows of a window, taps, from, to, nothing, what sums are divided by, whether the
   source is more than the nearer caches hold */
#define cypool_windows22(planes, rows, n, lanes, r, turned, y, ...)                              \
    CYPOOL_WINDOWS_FOR(windows22, no_windows, r, turned, y)(planes, rows, n, lanes, y, __VA_ARGS__)
#define cypool_windows32(planes, rows, n, lanes, r, turned, y, ...)                              \
    CYPOOL_WINDOWS_FOR(windows32, no_windows, r, turned, y)(planes, rows, n, lanes, y, __VA_ARGS__)
#define cypool_windows31(planes, rows, n, lanes, r, turned, y, ...)                              \
    CYPOOL_WINDOWS_FOR(windows31, no_windows, r, turned, y)(planes, rows, n, lanes, y, __VA_ARGS__)
#define cypool_clipped(rows, r, turned, y, ...)                                                  \
    CYPOOL_WINDOWS_FOR(clipped, no_clipped, r, turned, y)(rows, y, __VA_ARGS__)
/* outputs, n, reducer, y, source, its distance from one window to the next, that of a window's rows
   and columns, taps of a column, kernel, room for 3 n values, what sums are divided by */
#define cypool_pixels(outputs, n, r, turned, y, ...)                                             \
    CYPOOL_WINDOWS_FOR(pixels, no_pixels, r, turned, y)(outputs, n, y, __VA_ARGS__)
/* kernel, n, reducer, y, taps row by row, divisor */
#define cypool_pixel(kernel, n, r, turned, y, ...)                                               \
    CYPOOL_WINDOWS_FOR(pixel, no_pixel, r, turned, y)(kernel, n, y, __VA_ARGS__)
static inline __attribute__((unused)) int no_peaks(
    ptrdiff_t windows, ptrdiff_t n, void *y, const void *a, ptrdiff_t step, int far)
{ return 0; }
/* windows, n, reducer, y, source, its distance from one window to the next, whether the source is more
   than the nearer caches hold */
#define cypool_peaks(windows, n, r, y, ...)                                                      \
    _Generic((r), cypool_max *: CYPOOL_OF_ORDERED(peaks_max, no_peaks, y),                       \
        cypool_min *: CYPOOL_OF_ORDERED(peaks_min, no_peaks, y),                                 \
        cypool_nanmax *: _Generic((y), float *: peaks_nanmax_f32,                                \
            double *: peaks_nanmax_f64, default: CYPOOL_OF_ORDERED(peaks_max, no_peaks, y)),     \
        cypool_nanmin *: _Generic((y), float *: peaks_nanmin_f32,                                \
            double *: peaks_nanmin_f64, default: CYPOOL_OF_ORDERED(peaks_min, no_peaks, y)),     \
        default: no_peaks)(windows, n, y, __VA_ARGS__)

#endif

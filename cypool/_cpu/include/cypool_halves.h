/* Rows of float16 to float32 and back, by the instructions there are for it; a compiler does not find
   them by itself. Without them loops over cypool_from_half and cypool_to_half are vector code as well. */
#ifndef CYPOOL_HALVES_H
#define CYPOOL_HALVES_H
#include "cypool_vectors.h"
#if defined(__AVX2__) || defined(__F16C__)
#include <immintrin.h>
#endif

#if defined(__F16C__)
CYPOOL_BLOCK halves_block(float *restrict y, const uint16_t *restrict a, int n)
{
    uint64_t few;
#if defined(__AVX512F__)
    if (n == 16) {
        _mm512_storeu_ps(y, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)a)));
        return;
    }
#endif
    if (n == 8) {
        _mm256_storeu_ps(y, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)a)));
    } else if (n == 4) {
        memcpy(&few, a, sizeof(few));
        _mm_storeu_ps(y, _mm_cvtph_ps(_mm_cvtsi64_si128((long long)few)));
    } else {
        for (int j = 0; j < n; j++) y[j] = cypool_from_half(a[j]);
    }
}
CYPOOL_BLOCK shares_block(uint16_t *restrict y, const float *restrict a, float by, int n)
{
    uint64_t few;
#if defined(__AVX512F__)
    if (n == 16) {
        _mm256_storeu_si256((__m256i *)y, _mm512_cvtps_ph(
            _mm512_div_ps(_mm512_loadu_ps(a), _mm512_set1_ps(by)), _MM_FROUND_TO_NEAREST_INT));
        return;
    }
#endif
    if (n == 8) {
        _mm_storeu_si128((__m128i *)y, _mm256_cvtps_ph(
            _mm256_div_ps(_mm256_loadu_ps(a), _mm256_set1_ps(by)), _MM_FROUND_TO_NEAREST_INT));
    } else if (n == 4) {
        few = (uint64_t)_mm_cvtsi128_si64(_mm_cvtps_ph(
            _mm_div_ps(_mm_loadu_ps(a), _mm_set1_ps(by)), _MM_FROUND_TO_NEAREST_INT));
        memcpy(y, &few, sizeof(few));
    } else {
        for (int j = 0; j < n; j++) y[j] = cypool_to_half(a[j] / by);
    }
}
#define CYPOOL_HALVES(n, CALL) CYPOOL_OUT_OF_PLACE(float, n, CALL)
#else
CYPOOL_BLOCK halves_block(float *restrict y, const uint16_t *restrict a, int n)
{
    *y = cypool_from_half(*a);
}
CYPOOL_BLOCK shares_block(uint16_t *restrict y, const float *restrict a, float by, int n)
{
    *y = cypool_to_half(*a / by);
}
#define CYPOOL_HALVES(n, CALL) { enum { B_ = 1 }; for (ptrdiff_t i_ = 0; i_ < (n); i_++) { CALL; } }
#endif
/* Vectors of them, as many as a vector of float32 has: in, and out, or the first half of them. (What
   compilers make of conversions to registers of 32 bytes and more is in pieces.) */
#define CYPOOL_HALF_TYPES(S, BYTES, LANES)                                                       \
typedef uint32_t bits_##BYTES __attribute__((vector_size(BYTES), may_alias));                    \
typedef uint16_t short_##BYTES __attribute__((vector_size(BYTES / 2), aligned(2), may_alias));
CYPOOL_WIDTHS(CYPOOL_HALF_TYPES, 16, 8, 4, f32)
#define CYPOOL_WIDE(BYTES, p) __builtin_convertvector(*(const short_##BYTES *)(p), bits_##BYTES)
#define CYPOOL_NARROW(BYTES, r) __builtin_convertvector(r, short_##BYTES)
#if defined(__AVX512F__)
#define CYPOOL_WIDE_64(p) (bits_64)_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(p)))
#define CYPOOL_NARROW_64(r) (short_64)_mm512_cvtepi32_epi16((__m512i)(r))
#else
#define CYPOOL_WIDE_64(p) CYPOOL_WIDE(64, p)
#define CYPOOL_NARROW_64(r) CYPOOL_NARROW(64, r)
#endif
#if defined(__AVX2__)
#define CYPOOL_WIDE_32(p) (bits_32)_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(p)))
#else
#define CYPOOL_WIDE_32(p) CYPOOL_WIDE(32, p)
#endif
#define CYPOOL_WIDE_16(p) CYPOOL_WIDE(16, p)
#define CYPOOL_NARROW_32(r) CYPOOL_NARROW(32, r)
#define CYPOOL_NARROW_16(r) CYPOOL_NARROW(16, r)
#define CYPOOL_BFLOAT_VECTORS(S, BYTES, LANES)                                                   \
static inline __attribute__((always_inline, unused)) void put_short_##BYTES(                     \
    int16_t *p, bits_##BYTES r, int half)                                                        \
{                                                                                                \
    const short_##BYTES to = CYPOOL_NARROW_##BYTES(r);                                           \
    if (half) memcpy(p, &to, BYTES / 4);                                                         \
    else *(short_##BYTES *)p = to;                                                               \
}                                                                                                \
static inline __attribute__((always_inline, unused)) vec_f32_##BYTES get_bfloat_##BYTES(         \
    const int16_t *p)                                                                            \
{ return (vec_f32_##BYTES)(CYPOOL_WIDE_##BYTES(p) << 16); }                                      \
static inline __attribute__((always_inline, unused)) void put_bfloat_##BYTES(                    \
    int16_t *p, vec_f32_##BYTES v, int half)                                                     \
{                                                                                                \
    const bits_##BYTES u = (bits_##BYTES)v, nan = (bits_##BYTES)(v != v);                        \
    const bits_##BYTES r = (u + 0x7fff + (u >> 16 & 1)) >> 16;                                   \
    put_short_##BYTES(p, (r & ~nan) | ((0x7fc0 | (u >> 16 & 0x8000)) & nan), half);              \
}
CYPOOL_WIDTHS(CYPOOL_BFLOAT_VECTORS, 16, 8, 4, f32)
#if defined(__F16C__)
static inline __attribute__((always_inline, unused)) float get_half(uint16_t v)
{ return _cvtsh_ss(v); }
static inline __attribute__((always_inline, unused)) uint16_t put_half(float v)
{ return _cvtss_sh(v, _MM_FROUND_TO_NEAREST_INT); }
#if defined(__AVX512F__)
static inline __attribute__((always_inline, unused)) vec_f32_64 get_half_64(const int16_t *p)
{ return (vec_f32_64)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
static inline __attribute__((always_inline, unused)) void put_half_64(
    int16_t *p, vec_f32_64 v, int half)
{
    const __m256i to = _mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT);
    if (half) _mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(to));
    else _mm256_storeu_si256((__m256i *)p, to);
}
#endif
static inline __attribute__((always_inline, unused)) vec_f32_32 get_half_32(const int16_t *p)
{ return (vec_f32_32)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
static inline __attribute__((always_inline, unused)) void put_half_32(
    int16_t *p, vec_f32_32 v, int half)
{
    const __m128i to = _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT);
    memcpy(p, &to, half ? 8 : 16);
}
static inline __attribute__((always_inline, unused)) vec_f32_16 get_half_16(const int16_t *p)
{
    long long few;
    memcpy(&few, p, sizeof(few));
    return (vec_f32_16)_mm_cvtph_ps(_mm_cvtsi64_si128(few));
}
static inline __attribute__((always_inline, unused)) void put_half_16(
    int16_t *p, vec_f32_16 v, int half)
{
    const __m128i to = _mm_cvtps_ph((__m128)v, _MM_FROUND_TO_NEAREST_INT);
    memcpy(p, &to, half ? 4 : 8);
}
#else
#define get_half cypool_from_half
#define put_half cypool_to_half
/* The same, many at once. */
#define CYPOOL_HALF_VECTORS(S, BYTES, LANES)                                                     \
static inline __attribute__((always_inline, unused)) vec_f32_##BYTES get_half_##BYTES(           \
    const int16_t *p)                                                                            \
{                                                                                                \
    const bits_##BYTES h = CYPOOL_WIDE_##BYTES(p);                                               \
    const vec_f32_##BYTES v = (vec_f32_##BYTES)((h & 0x7fff) << 13) * 0x1p112f;                  \
    const bits_##BYTES most = (bits_##BYTES)((h & 0x7c00) == 0x7c00) & 0x7f800000;               \
    return (vec_f32_##BYTES)((bits_##BYTES)v | most | (h & 0x8000) << 16);                       \
}                                                                                                \
static inline __attribute__((always_inline, unused)) void put_half_##BYTES(                      \
    int16_t *p, vec_f32_##BYTES v, int half)                                                     \
{                                                                                                \
    const bits_##BYTES u = (bits_##BYTES)v & 0x7fffffff;                                         \
    const bits_##BYTES small = (bits_##BYTES)((vec_f32_##BYTES)u + 0.5f) - 0x3f000000;           \
    const bits_##BYTES normal = (u - 0x37fff001 + (u >> 13 & 1)) >> 13;                          \
    const bits_##BYTES is_small = (bits_##BYTES)(u < 0x38800000);                                \
    const bits_##BYTES is_large = (bits_##BYTES)(u >= 0x477ff000);                               \
    const bits_##BYTES nan = (bits_##BYTES)(v != v);                                             \
    bits_##BYTES r = (small & is_small) | (normal & ~is_small);                                  \
    r = (r & ~is_large) | (0x7c00 & is_large);                                                   \
    r = (r & ~nan) | (0x7e00 & nan);                                                             \
    put_short_##BYTES(p, r | ((bits_##BYTES)v >> 16 & 0x8000), half);                            \
}
CYPOOL_WIDTHS(CYPOOL_HALF_VECTORS, 16, 8, 4, f32)
#endif
/* What n halves are. */
CYPOOL_ROW halves_row_f16(ptrdiff_t n, float *restrict y, const uint16_t *restrict a)
{
    CYPOOL_HALVES(n, halves_block(y + i_, a + i_, B_))
}
/* Halves of n values divided by `by`. */
CYPOOL_ROW shares_row_f16(ptrdiff_t n, uint16_t *restrict y, const float *restrict a, float by)
{
    CYPOOL_HALVES(n, shares_block(y + i_, a + i_, by, B_))
}

#endif

/* Vectors of integers of 16 bits as float32, and of 8 bits as integers of 16: in, and out, or the first
   half of them. Means are rounded half to even. */
#ifndef CYPOOL_SHORTS_H
#define CYPOOL_SHORTS_H
#include "cypool_halves.h"

/* A number that float32 holds in its last bits as an integer: it is rounded by the addition. */
#define CYPOOL_WHOLE 12582912.0f
static inline __attribute__((always_inline, unused)) int16_t put_whole(float v)
{ return (int16_t)cypool_float_bits(v + CYPOOL_WHOLE); }
#define CYPOOL_SHORT_VECTORS(S, BYTES, LANES)                                                    \
static inline __attribute__((always_inline, unused)) vec_f32_##BYTES get_ushort_##BYTES(         \
    const int16_t *p)                                                                            \
{ return __builtin_convertvector((mask_f32_##BYTES)CYPOOL_WIDE_##BYTES(p), vec_f32_##BYTES); }   \
static inline __attribute__((always_inline, unused)) vec_f32_##BYTES get_short_##BYTES(          \
    const int16_t *p)                                                                            \
{ return __builtin_convertvector(CYPOOL_SIGNED_##BYTES(p), vec_f32_##BYTES); }                   \
static inline __attribute__((always_inline, unused)) void put_whole_##BYTES(                     \
    int16_t *p, vec_f32_##BYTES v, int half)                                                     \
{ put_short_##BYTES(p, (bits_##BYTES)(v + CYPOOL_WHOLE), half); }
#define CYPOOL_SIGNED(BYTES, p) __builtin_convertvector(                                         \
    *(const int16_##BYTES *)(p), mask_f32_##BYTES)
#if defined(__AVX512F__)
#define CYPOOL_SIGNED_64(p)                                                                      \
    (mask_f32_64)_mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)(p)))
#else
#define CYPOOL_SIGNED_64(p) CYPOOL_SIGNED(64, p)
#endif
#if defined(__AVX2__)
#define CYPOOL_SIGNED_32(p)                                                                      \
    (mask_f32_32)_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(p)))
#else
#define CYPOOL_SIGNED_32(p) CYPOOL_SIGNED(32, p)
#endif
#define CYPOOL_SIGNED_16(p) CYPOOL_SIGNED(16, p)
#define CYPOOL_SHORT_TYPES(S, BYTES, LANES)                                                      \
typedef int16_t int16_##BYTES __attribute__((vector_size(BYTES / 2), aligned(2), may_alias));    \
typedef int8_t int8_##BYTES __attribute__((vector_size(BYTES / 2), aligned(1), may_alias));      \
typedef uint8_t uint8_##BYTES __attribute__((vector_size(BYTES / 2), aligned(1), may_alias));
CYPOOL_WIDTHS(CYPOOL_SHORT_TYPES, 16, 8, 4, f32)
CYPOOL_WIDTHS(CYPOOL_SHORT_VECTORS, 16, 8, 4, f32)

#if defined(__AVX512BW__)
#define CYPOOL_BYTES_64(p)                                                                       \
    (vec_i16_64)_mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(p)))
#define CYPOOL_UBYTES_64(p)                                                                      \
    (vec_i16_64)_mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(p)))
#define CYPOOL_TO_BYTES_64(v) (int8_64)_mm512_cvtepi16_epi8((__m512i)(v))
#else
#define CYPOOL_BYTES_64(p) __builtin_convertvector(*(const int8_64 *)(p), vec_i16_64)
#define CYPOOL_UBYTES_64(p) __builtin_convertvector(*(const uint8_64 *)(p), vec_i16_64)
#define CYPOOL_TO_BYTES_64(v) __builtin_convertvector(v, int8_64)
#endif
#if defined(__AVX2__)
#define CYPOOL_BYTES_32(p)                                                                       \
    (vec_i16_32)_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(p)))
#define CYPOOL_UBYTES_32(p)                                                                      \
    (vec_i16_32)_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(p)))
#else
#define CYPOOL_BYTES_32(p) __builtin_convertvector(*(const int8_32 *)(p), vec_i16_32)
#define CYPOOL_UBYTES_32(p) __builtin_convertvector(*(const uint8_32 *)(p), vec_i16_32)
#endif
#define CYPOOL_BYTES_16(p) __builtin_convertvector(*(const int8_16 *)(p), vec_i16_16)
#define CYPOOL_UBYTES_16(p) __builtin_convertvector(*(const uint8_16 *)(p), vec_i16_16)
#define CYPOOL_TO_BYTES_32(v) __builtin_convertvector(v, int8_32)
#define CYPOOL_TO_BYTES_16(v) __builtin_convertvector(v, int8_16)

/* The upper halves of products of integers without a sign. */
static inline __attribute__((always_inline, unused)) uint16_t upper_u16(uint16_t a, uint16_t b)
{ return (uint16_t)((uint32_t)a * b >> 16); }
#define CYPOOL_BYTE_VECTORS(S, BYTES, LANES)                                                     \
static inline __attribute__((always_inline, unused)) vec_u16_##BYTES upper_u16_##BYTES(          \
    vec_u16_##BYTES a, uint16_t b)                                                               \
{                                                                                                \
    vec_u16_##BYTES y;                                                                           \
    const uint16_t *p = (const uint16_t *)&a;                                                    \
    uint16_t *to = (uint16_t *)&y;                                                               \
    for (int j = 0; j < LANES; j++) to[j] = upper_u16(p[j], b);                                  \
    return y;                                                                                    \
}                                                                                                \
static inline __attribute__((always_inline, unused)) vec_i16_##BYTES get_byte_##BYTES(           \
    const int8_t *p)                                                                             \
{ return CYPOOL_BYTES_##BYTES(p); }                                                              \
static inline __attribute__((always_inline, unused)) vec_i16_##BYTES get_ubyte_##BYTES(          \
    const int8_t *p)                                                                             \
{ return CYPOOL_UBYTES_##BYTES(p); }                                                             \
static inline __attribute__((always_inline, unused)) void put_byte_##BYTES(                      \
    int8_t *p, vec_i16_##BYTES v, int half)                                                      \
{                                                                                                \
    const int8_##BYTES to = CYPOOL_TO_BYTES_##BYTES(v);                                          \
    if (half) memcpy(p, &to, BYTES / 4);                                                         \
    else *(int8_##BYTES *)p = to;                                                                \
}                                                                                                \
/* Sums of n values at least 0 and at most 255, 2 <= n <= 9, over n; each counts from -`below`.  \
   Half of n is added, so that what is cut off does not count. A factor of 2^16 / n, rounded up, \
   gives the quotient as long as the sum times n is below 2^16. Where nothing is cut off of an   \
   even n, a half was, which goes to the even neighbour. */                                      \
static inline __attribute__((always_inline, unused)) vec_i16_##BYTES mean_of_bytes_##BYTES(      \
    vec_i16_##BYTES v, int n, uint16_t part, int below)                                          \
{                                                                                                \
    const vec_u16_##BYTES t = (vec_u16_##BYTES)v + (uint16_t)(n / 2 + below * n);                \
    vec_u16_##BYTES q = upper_u16_##BYTES(t, part);                                              \
    if (n % 2 == 0) q -= (vec_u16_##BYTES)(q * (uint16_t)n == t) & q & 1;                        \
    return (vec_i16_##BYTES)(q - (uint16_t)below);                                               \
}
CYPOOL_WIDTHS(CYPOOL_BYTE_VECTORS, 32, 16, 8, i16)
static inline __attribute__((always_inline, unused)) int16_t mean_of_bytes_0(
    int16_t v, int n, uint16_t part, int below)
{
    const uint16_t t = (uint16_t)(v + n / 2 + below * n);
    uint16_t q = upper_u16(t, part);
    if (n % 2 == 0) q -= (q * n == t) & q & 1;
    return (int16_t)(q - below);
}

#endif

/* Elements that Cython has no words for: the two half precisions, a 128-bit integer, and keys that
   order floating-point numbers as integers. Static inline functions on single elements, written
   without branches so that compilers turn loops over them into vector code. */
#ifndef CYPOOL_ELEMENTS_H
#define CYPOOL_ELEMENTS_H
#include <stdint.h>
#include <string.h>

typedef __int128 cypool_int128;

static inline float cypool_bits_float(uint32_t u) { float f; memcpy(&f, &u, 4); return f; }
static inline uint32_t cypool_float_bits(float f) { uint32_t u; memcpy(&u, &f, 4); return u; }
static inline double cypool_bits_double(uint64_t u) { double f; memcpy(&f, &u, 8); return f; }
static inline uint64_t cypool_double_bits(double f) { uint64_t u; memcpy(&u, &f, 8); return u; }

/* IEEE binary16. The exponent is rebiased by a multiplication, which also normalises subnormals. */
static inline float cypool_from_half(uint16_t h)
{
    uint32_t u = (uint32_t)(h & 0x7fffu) << 13;
    u = cypool_float_bits(cypool_bits_float(u) * 0x1p112f);
    u |= (h & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0u;
    return cypool_bits_float(u | (uint32_t)(h & 0x8000u) << 16);
}

static inline uint16_t cypool_to_half(float f)
{
    uint32_t bits = cypool_float_bits(f), u = bits & 0x7fffffffu;
    /* Below 2^-14: adding 0.5 leaves the subnormal's digits, rounded to even, at the low end. */
    uint32_t small = cypool_float_bits(cypool_bits_float(u) + 0.5f) - 0x3f000000u;
    uint32_t normal = (u - 0x37fff001u + ((u >> 13) & 1u)) >> 13;
    uint32_t r = u < 0x38800000u ? small : normal;
    r = u >= 0x477ff000u ? 0x7c00u : r;
    r = u > 0x7f800000u ? 0x7e00u : r;
    return (uint16_t)(r | (bits >> 16 & 0x8000u));
}

static inline float cypool_from_bfloat(uint16_t h) { return cypool_bits_float((uint32_t)h << 16); }

static inline uint16_t cypool_to_bfloat(float f)
{
    uint32_t u = cypool_float_bits(f);
    uint32_t r = (u + 0x7fffu + (u >> 16 & 1u)) >> 16;
    return (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u | (u >> 16 & 0x8000u) : r);
}

/* Ordered keys: signed integers that compare as the numbers do, both zeros alike, NaN (any) above
   all else. reverse = -1 turns the order round, but for NaN; 0 leaves it. The extreme negative
   integer is never the key of a number: it stands for "no element". */
#define CYPOOL_KEY(BITS)                                                                         \
static inline int##BITS##_t cypool_key##BITS(                                                    \
    uint##BITS##_t u, uint##BITS##_t infinity, int##BITS##_t reverse)                            \
{                                                                                                \
    const uint##BITS##_t sign = (uint##BITS##_t)1 << (BITS - 1), most = (uint##BITS##_t)(sign - 1); \
    uint##BITS##_t size = (uint##BITS##_t)(u & most);                                            \
    int##BITS##_t k = (int##BITS##_t)(u & sign ? (uint##BITS##_t)(0 - size) : size);             \
    k = (int##BITS##_t)(k ^ reverse);                                                            \
    return size > infinity ? (int##BITS##_t)most : k;                                            \
}                                                                                                \
static inline uint##BITS##_t cypool_unkey##BITS(                                                 \
    int##BITS##_t k, uint##BITS##_t nan, int##BITS##_t reverse)                                  \
{                                                                                                \
    const uint##BITS##_t sign = (uint##BITS##_t)1 << (BITS - 1);                                 \
    uint##BITS##_t v = (uint##BITS##_t)(k ^ reverse);                                            \
    uint##BITS##_t u = v & sign ? (uint##BITS##_t)((uint##BITS##_t)(0 - v) | sign) : v;          \
    return (uint##BITS##_t)k == (uint##BITS##_t)(sign - 1) ? nan : u;                            \
}
CYPOOL_KEY(16)
CYPOOL_KEY(32)
CYPOOL_KEY(64)

/* Halves as keys of another kind, which takes less: a zero is above a negative one, and NaN are above
   all else, because those of the negative sign, of which there are `nans`, wrap round to the others. */
#define CYPOOL_ORDERED(v) ((v) ^ ((v) >> 15 & 0x7fff))
static inline int16_t cypool_half_key(uint16_t bits, int16_t nans, int16_t reverse)
{
    const int16_t u = (int16_t)bits;
    return (int16_t)((CYPOOL_ORDERED(u) ^ reverse) - nans);
}
static inline uint16_t cypool_key_half(int16_t key, int16_t nans, int16_t reverse)
{
    const int16_t u = (int16_t)((key + nans) ^ reverse);
    return (uint16_t)CYPOOL_ORDERED(u);
}

/* The cube root of what is not negative, within one unit in the last place, without a call, so that rows
   of them are vector code. A third of the exponent gives five bits, each of Halley's steps three times as
   many, and the last step is so small that only its own rounding shows. */
static inline __attribute__((always_inline)) double cypool_cbrt(double v)
{
    const int small = v < 0x1p-960;
    const double x = small ? v * 0x1p150 : v;
    const uint64_t third = ((cypool_double_bits(x) >> 32) * 0xaaaaaaabu >> 33) + 715094163u;
    double y = cypool_bits_double(third << 32), cube = y * y * y;
    y = y * ((cube + 2 * x) / (2 * cube + x));
    cube = y * y * y;
    y = y * ((cube + 2 * x) / (2 * cube + x));
    y = y - (y * y * y - x) / (3 * (y * y));
    y = small ? y * 0x1p-50 : y;
    return v > 0 && v <= 0x1.fffffffffffffp1023 ? y : v;
}

#endif

/* Rows of float16 to float32 and back, by the instructions there are for it; a compiler does not find
   them by itself. Without them loops over cypool_from_half and cypool_to_half are vector code as well. */
#ifndef CYPOOL_HALVES_H
#define CYPOOL_HALVES_H
#include "cypool_vectors.h"

#if defined(__F16C__)
#include <immintrin.h>
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

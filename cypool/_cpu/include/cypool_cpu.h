/* Which instruction set this processor and its operating system support: 0 baseline, 1 AVX2 with
   FMA and F16C, 2 AVX-512 F, BW, DQ and VL. By cpuid and xgetbv, as __builtin_cpu_supports of some
   compilers does not know f16c. */
#ifndef CYPOOL_CPU_H
#define CYPOOL_CPU_H

#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
#include <cpuid.h>
/* The check itself must run on any processor, also where its file is compiled for a newer one. */
#if defined(__x86_64__)
#define CYPOOL_BASELINE __attribute__((target("arch=x86-64,no-avx"), noinline, unused))
#else
#define CYPOOL_BASELINE __attribute__((target("no-avx"), noinline, unused))
#endif

CYPOOL_BASELINE static int cypool_cpu_level(void)
{
    const unsigned avx = (1u << 28) | (1u << 27) /* OSXSAVE */ | (1u << 12) /* FMA */ | (1u << 29);
    const unsigned avx512 = (1u << 16) | (1u << 17) | (1u << 30) | (1u << 31);
    unsigned a, b, c, d, lo, hi;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & avx) != avx)
        return 0;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    if ((lo & 0x06) != 0x06)        /* the system keeps xmm and ymm */
        return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & (1u << 5)))
        return 0;
    if ((b & avx512) != avx512 || (lo & 0xe0) != 0xe0)      /* and the masks and zmm */
        return 1;
    return 2;
}
#define CYPOOL_LEVELS 3
#else
#define CYPOOL_BASELINE
static int cypool_cpu_level(void) { return 0; }
#define CYPOOL_LEVELS 1
#endif

#endif

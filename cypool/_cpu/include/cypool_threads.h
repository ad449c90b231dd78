/* The few calls of the OpenMP runtime that cypool makes, so that a build without it is serial and
   otherwise the same. No other file includes omp.h (compilers do, behind prange). */
#ifndef CYPOOL_THREADS_H
#define CYPOOL_THREADS_H
#ifdef _OPENMP
#include <omp.h>
#define CYPOOL_OPENMP _OPENMP
static inline int cypool_omp_max_threads(void) { return omp_get_max_threads(); }
static inline int cypool_omp_num_procs(void) { return omp_get_num_procs(); }
static inline int cypool_omp_thread_num(void) { return omp_get_thread_num(); }
/* Ends the team that this thread keeps for later, whichever library opened it. 0: there is none now. */
#if _OPENMP >= 201811 || (defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 9)
static inline int cypool_omp_pause(void) { return omp_pause_resource_all(omp_pause_soft); }
#else
static inline int cypool_omp_pause(void) { return -1; }
#endif
#else
#define CYPOOL_OPENMP 0
static inline int cypool_omp_max_threads(void) { return 1; }
static inline int cypool_omp_num_procs(void) { return 1; }
static inline int cypool_omp_thread_num(void) { return 0; }
static inline int cypool_omp_pause(void) { return 0; }
#endif
#endif

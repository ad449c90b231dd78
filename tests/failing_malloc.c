/* A library to preload (LD_PRELOAD) that makes one allocation fail: the n-th of at least so many bytes
   by modules whose path holds a given part. Also knows how many blocks those modules allocated that nobody has freed. For
   glibc, whose own allocator lies behind the names taken over here; test_out_of_memory.py builds it
   and drives it through ctypes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void __libc_free(void *);

enum { MOST = 1024 };           /* blocks remembered, at most */

static char watched[256];       /* "": nobody is watched */
static size_t least;
static long seen, failing, failed;
static void *held[MOST];
static atomic_flag taken = ATOMIC_FLAG_INIT;

static void lock(void) { while (atomic_flag_test_and_set(&taken)) {} }
static void unlock(void) { atomic_flag_clear(&taken); }

/* From now on the n-th allocation fails, once; 0: none does. */
void failing_malloc_arm(const char *part, size_t bytes, long n)
{
    lock();
    strncpy(watched, part, sizeof watched - 1);
    least = bytes;
    memset(held, 0, sizeof held);
    seen = failed = 0;
    failing = n;
    unlock();
}

long failing_malloc_seen(void) { return seen; }
long failing_malloc_failed(void) { return failed; }

long failing_malloc_held(void)
{
    long count = 0;
    for (int i = 0; i < MOST; i++)
        count += held[i] != NULL;
    return count;
}

static int is_watched(const void *caller, size_t size)
{
    Dl_info info;
    return watched[0] && size >= least && dladdr(caller, &info) && info.dli_fname
        && strstr(info.dli_fname, watched);
}

static int fails(void)
{
    lock();
    int now = ++seen == failing;
    failed += now;
    unlock();
    if (now)
        errno = ENOMEM;
    return now;
}

/* By pointer, not by caller: a free at the end of a function may seem to be its caller's. */
static void replace(void *old, void *new)
{
    lock();
    for (int i = 0; i < MOST; i++)
        if (held[i] == old) {
            held[i] = new;
            break;
        }
    unlock();
}

#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))

void *malloc(size_t size)
{
    int counted = is_watched(CALLER, size);
    if (counted && fails())
        return NULL;
    void *p = __libc_malloc(size);
    if (p && counted)
        replace(NULL, p);
    return p;
}

void *calloc(size_t n, size_t size)
{
    int counted = is_watched(CALLER, n * size);
    if (counted && fails())
        return NULL;
    void *p = __libc_calloc(n, size);
    if (p && counted)
        replace(NULL, p);
    return p;
}

void *realloc(void *old, size_t size)
{
    int counted = is_watched(CALLER, size);
    if (counted && fails())
        return NULL;
    void *p = __libc_realloc(old, size);
    if (p && old && watched[0])
        replace(old, NULL);
    if (p && counted)
        replace(NULL, p);
    return p;
}

void free(void *p)
{
    if (p && watched[0])
        replace(p, NULL);
    __libc_free(p);
}

"""How many threads a call uses. The only module that asks the OpenMP runtime anything.

An explicit `num_threads` argument is obeyed. Otherwise the number is the least of the library's
setting, what the runtime allows (so that OMP_NUM_THREADS and threadpoolctl are obeyed), the
processors this process may use, and the work there is.
"""
import math
import os
from contextlib import contextmanager
from contextvars import ContextVar

cdef extern from "cypool_threads.h":
    const int CYPOOL_OPENMP
    int cypool_omp_max_threads() noexcept nogil
    int cypool_omp_num_procs() noexcept nogil
    int cypool_omp_pause() noexcept nogil

cdef enum:
    # Elements read and written for each thread. With fewer a second one brings some tens of
    # microseconds while it is still awake from the last call, and costs as much, or whole time
    # slices if its processor is taken, where it has to be woken.
    GRAIN = 131072

openmp = CYPOOL_OPENMP

_setting = None
_here = ContextVar("cypool threads", default=None)
cdef bint team_opened = False       # this process has run more than one thread
cdef bint team_kept = False         # one is still there when it forks
cdef bint forked = False            # and this one is its fork


# GNU's OpenMP runtime waits for ever when a fork opens a team after its parent did: this one, or
# another library that shares the runtime. So teams are ended before, if the runtime can do that.
def _before_fork():
    global team_kept
    team_kept = cypool_omp_pause() != 0


def _after_fork():
    global forked
    forked = team_kept and team_opened


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


def _cgroup_quota():
    """Processors that the control group grants, rounded up; None where it sets no limit."""
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        return None if quota == "max" else max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        return None


_quota = False          # not looked up yet


cdef int most_threads() except -1:
    global _quota
    if forked:
        return 1
    # The setting of this context goes before that of the process.
    setting = _here.get()
    if setting is None:
        setting = _setting
    cdef int n = cypool_omp_max_threads()
    if setting is not None and setting < n:
        n = setting
    # (The system is asked only where its answer may change anything.)
    if n > 1:
        n = min(n, cypool_omp_num_procs())
        if _quota is False:
            _quota = _cgroup_quota()
        if _quota is not None and _quota < n:
            n = _quota
    return max(n, 1)


def default_threads():
    """Threads a call may use at most, when it is not told."""
    return most_threads()


cdef int team_size(object num_threads, Py_ssize_t pieces, double work) except -1:
    global team_opened
    cdef Py_ssize_t n
    if pieces < 2 or forked or not CYPOOL_OPENMP:
        return 1
    if num_threads is None:
        if work < 2 * GRAIN:
            return 1
        n = min(<Py_ssize_t>most_threads(), <Py_ssize_t>(work / GRAIN))
    else:
        n = num_threads
    n = max(min(n, pieces), 1)
    # More never help, and where the runtime cannot start them it ends the process.
    if n > 8:
        n = min(n, <Py_ssize_t>4 * cypool_omp_num_procs() + 8)
    if n > 1:
        team_opened = True
    return n


def set_setting(n):
    global _setting
    _setting = n


@contextmanager
def context(n):
    token = _here.set(n)
    try:
        yield
    finally:
        _here.reset(token)

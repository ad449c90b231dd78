# Whether float32 values are whole multiples of one grid, so that sums of them are integers:
# from what is known of their magnitudes. Shared by the driver and the kernels, as either may look.
from libc.math cimport ldexp
from libc.stdint cimport INT32_MAX

from cypool._cpu.axis cimport axis_window
from cypool._cpu.job cimport Axis, Job, Survey

cdef enum:
    RARE = 64               # values that are no multiples of a grid, at most


cdef inline void survey_start(Survey *survey, int bound) noexcept nogil:
    survey.greatest = 0
    survey.least = INT32_MAX
    survey.bound = bound
    survey.below = 0


cdef inline void survey_join(Survey *survey, const Survey *more) noexcept nogil:
    if more.greatest > survey.greatest:
        survey.greatest = more.greatest
    if more.least < survey.least:
        survey.least = more.least
    survey.below += more.below


# The grid times 3 * 2^51, or 0 where there is none; bound: 0, or what else there is to be known.
#
# With a grid of 2^e and values below 2^(e + room), of which no window has more than 2^(62 - room),
# sums fit. Values from 2^(e + 23) on are multiples of the grid. Others err by half of it at most,
# which is nothing beside one value from 2^(e + 29) on: so there may be less than RARE of them, with
# such a value in every window, that is if fewer lie below that bound than any window has taps.
cdef inline double grid_of(const Job *job, const Survey *found, int *bound) noexcept nogil:
    cdef int exponent = found.greatest >> 23 if found.greatest >> 23 > 1 else 1
    cdef int least = found.least >> 23 if found.least >> 23 > 1 else 1
    bound[0] = 0
    if found.greatest >= 0x7f800000:
        return 0
    if least < exponent + 24 - job.room:
        bound[0] = (exponent + 30 - job.room) << 23
    return ldexp(1.5, 52 + exponent - 126 - job.room)


cdef inline bint grid_serves(const Job *job, const Survey *found) noexcept nogil:
    cdef Py_ssize_t taps = least_taps(&job.axis[1]) * least_taps(&job.axis[2])
    return found.below < taps and found.below < RARE


# Elements that the smallest window of an axis has.
cdef inline Py_ssize_t least_taps(const Axis *a) noexcept nogil:
    cdef Py_ssize_t start, first, last
    axis_window(a, 0, &start, &first)
    axis_window(a, a.outputs - 1, &start, &last)
    return first if first < last else last

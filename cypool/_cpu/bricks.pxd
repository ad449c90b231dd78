# How windows lie in scratch that are made side by side. Shared by the driver, which makes room for
# them, and by the kernels.
#
# A brick is what some rows of windows see, with the elements apart that different taps see: one
# block for each tap of the leading axis, each row of taps and each column of them that no other
# window's tap falls on. In a block elements of neighbouring windows are neighbours, whatever the
# windows' distance, so that whatever tap it is, all windows' taps are one run of elements.
from cypool._cpu.job cimport Axis, Job, Bricks


cdef struct Brick:
    Py_ssize_t rows, columns, inner     # windows
    Py_ssize_t slabs, taps_h            # of taps
    Py_ssize_t slots_h, slots_w         # blocks for rows and columns of taps
    Py_ssize_t height, width            # of a block, in rows and in pixels of `inner` elements
    Py_ssize_t block                    # elements
    Py_ssize_t lanes                    # all windows and some that there are not, in whole vectors
    Py_ssize_t sorted, registers        # where rows of sorted taps begin, others,
    Py_ssize_t odd, taps                # and those of the first taps that are NaN or the result
    Py_ssize_t size                     # all elements


# For so many windows that see `slabs` x `taps_h` real rows, in vectors of so many elements. Whether
# it is another one than it was.
cdef inline bint start_brick(
        Brick *brick, const Bricks *bricks, Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t inner,
        Py_ssize_t slabs, Py_ssize_t taps_h, Py_ssize_t vector) noexcept nogil:
    cdef const Axis *h = &bricks.job.axis[1]
    cdef const Axis *w = &bricks.job.axis[2]
    cdef Py_ssize_t reach = (w.kernel - 1) * w.step // w.stride
    if (rows == brick.rows and columns == brick.columns and inner == brick.inner
            and slabs == brick.slabs and taps_h == brick.taps_h):
        return False
    brick.slabs = slabs
    brick.taps_h = taps_h
    brick.rows = rows
    brick.columns = columns
    brick.inner = inner
    brick.slots_h = min(taps_h, bricks.period_h)
    brick.slots_w = min(w.kernel, bricks.period_w)
    brick.height = rows + (taps_h - 1) * h.step // h.stride
    brick.width = columns + reach
    brick.block = brick.height * brick.width * inner
    brick.lanes = (rows * brick.width * inner + vector - 1) // vector * vector
    brick.sorted = slabs * brick.slots_h * brick.slots_w * brick.block
    brick.sorted = (brick.sorted + vector - 1) // vector * vector
    brick.registers = (
        brick.sorted + brick.slots_w * bricks.columns[slabs * taps_h].registers * brick.lanes)
    brick.odd = brick.registers + bricks.windows[slabs * taps_h].registers * brick.lanes
    brick.taps = brick.odd + brick.lanes
    # (The last tap's run ends so many elements behind a row.)
    brick.size = brick.taps + brick.lanes + reach * inner + vector
    return True


# The place of a window's value among those of its n taps in order, by quantile; of none -1.
cdef inline Py_ssize_t rank_of(double quantile, Py_ssize_t n) noexcept nogil:
    if n == 0:
        return -1
    return min(<Py_ssize_t>(quantile * <double>(n - 1)), n - 1)

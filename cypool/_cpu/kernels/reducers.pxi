# The reducers of one instruction set on some types of values, `acc`, as a table. Each module of
# them is this file with its own types, compiled whole with its own flags.
from cpython.pycapsule cimport PyCapsule_New

from cypool._cpu.axis cimport (
    axis_apart, axis_divisor, axis_reached, axis_single, axis_source, axis_window)
from cypool._cpu.grid cimport grid_of, grid_serves, survey_start
from cypool._cpu.job cimport (
    ACC_F32, ACC_F64, ACC_I8, ACC_I16, ACC_I32, ACC_I64, ACC_I128, ACC_U8, ACC_U16, ACC_U32,
    ACC_U64, FAR, FARTHEST, FIRST_TAPS, FLAT_MARGIN, MAX, MIN, NEAR, ROW_TAPS, SLIDING, SUM,
    TABLE_VERSION, VECTOR_LEAST, Array, Axis, Job, ReducerTable, Run, Survey, reduce_fn, survey_fn)
from cypool._cpu.outer cimport outer_offset

include "combine.pxi"
include "work.pxi"
include "fold.pxi"
include "bring.pxi"
include "rows.pxi"
include "running.pxi"
include "columns.pxi"
include "squares.pxi"
include "locate.pxi"
include "reduce.pxi"

cdef ReducerTable table
memset(&table, 0, sizeof(table))
table.version = TABLE_VERSION
table.size = sizeof(ReducerTable)
kernels = PyCapsule_New(&table, "cypool.reducers", NULL)


cdef void enter_extremes(int code, acc *_):
    table.reduce[MAX][code] = <reduce_fn>&reduce_units[Max, acc]
    table.reduce[MIN][code] = <reduce_fn>&reduce_units[Min, acc]

cdef void enter_sums(int code, acc *_):
    table.reduce[SUM][code] = <reduce_fn>&reduce_units[Sum, acc]

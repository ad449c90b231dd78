# What elements come from and go to, gradients, and all else but reducers, for one instruction set,
# as the table that drivers call through. (Reducers are entered in dispatch.)
from cpython.pycapsule cimport PyCapsule_New

from cypool._cpu.axis cimport axis_divisor, axis_source, axis_window
from cypool._cpu.bricks cimport Brick, rank_of, start_brick
from cypool._cpu.job cimport (
    ACC_F32, ACC_F64, ACC_I16, ACC_I32, ACC_I64, ACC_I128, AXES, DT_BF16, DT_F16, DT_F32, DT_F64,
    DT_I8, DT_I16, DT_I32, DT_I64, DT_U8, DT_U16, DT_U32, DT_U64, TABLE, TABLE_VERSION, Array,
    Axis, Bricks, Job, KernelTable, Network, Run, Spot, bricks_fn, lanes_fn, load_fn, scatter_fn,
    store_fn, turn_fn, weights_fn)
from cypool._cpu.outer cimport outer_offset

include "types.pxi"
include "work.pxi"
include "load.pxi"
include "store.pxi"
include "scatter.pxi"
include "gather.pxi"
include "bricks.pxi"
include "ranks.pxi"
include "values.pxi"
include "weights.pxi"

cdef extern from *:
    """
    static const char *const cypool_kernels_name = CYPOOL_STR(CYPOOL_ISA);
    """
    const char *cypool_kernels_name

cdef extern from "cypool_lanes.h":
    lanes_fn cypool_lanes_logsumexp, cypool_lanes_soft, cypool_lanes_expect, cypool_lanes_rank
    weights_fn cypool_weights

cdef extern from "cypool_turn.h":
    turn_fn to_pixels_i8, to_pixels_i16, to_pixels_i32, to_pixels_i64
    turn_fn from_pixels_i8, from_pixels_i16, from_pixels_i32, from_pixels_i64

cdef KernelTable table
memset(&table, 0, sizeof(table))
table.version = TABLE_VERSION
table.size = sizeof(KernelTable)
table.name = cypool_kernels_name
table.logsumexp = cypool_lanes_logsumexp
table.soft = cypool_lanes_soft
table.expect = cypool_lanes_expect
table.rank = cypool_lanes_rank
table.weights = cypool_weights
table.to_pixels = [to_pixels_i8, to_pixels_i16, to_pixels_i32, to_pixels_i64]
table.from_pixels = [from_pixels_i8, from_pixels_i16, from_pixels_i32, from_pixels_i64]


# How each type of element comes into a line and goes out of one.
cdef void enter_element(KernelTable *t, int code, element *_):
    t.pack[code][1] = <load_fn>&load_packed[int128, element]
    t.unpack[code][1] = <store_fn>&store_unpacked[int128, element]
    if element is not int64_t and element is not uint64_t and element is not double:
        t.pack[code][0] = <load_fn>&load_packed[int64_t, element]
        t.unpack[code][0] = <store_fn>&store_unpacked[int64_t, element]
    t.ranks[code] = <bricks_fn>&rank_bricks[element]
    t.power[code] = <load_fn>&load_power[element]
    t.widen[code][ACC_F32] = <load_fn>&load_widened[float, element]
    t.widen[code][ACC_F64] = <load_fn>&load_widened[double, element]
    if element is half or element is bfloat or element is float:
        # (Of values that leave room for the roundings of sums in float64.)
        t.weigh[code] = <bricks_fn>&weigh_bricks[element]
    if element is half or element is bfloat or element is float or element is double:
        t.root[code] = <store_fn>&store_root[element]
        t.narrow[code][ACC_F32] = <store_fn>&store_narrowed[float, element]
        t.narrow[code][ACC_F64] = <store_fn>&store_narrowed[double, element]
        t.average[code][ACC_F32] = <store_fn>&store_average[float, element]
        t.average[code][ACC_F64] = <store_fn>&store_average[double, element]
        t.spread[code][ACC_F32] = <load_fn>&load_spread[float, element]
        t.spread[code][ACC_F64] = <load_fn>&load_spread[double, element]
    else:
        t.widen[code][ACC_I32] = <load_fn>&load_widened[int32_t, element]
        t.widen[code][ACC_I64] = <load_fn>&load_widened[int64_t, element]
        t.widen[code][ACC_I128] = <load_fn>&load_widened[int128, element]
        t.widen[code][code] = <load_fn>&load_copied[element]
        t.narrow[code][ACC_I32] = <store_fn>&store_narrowed[int32_t, element]
        t.narrow[code][ACC_I64] = <store_fn>&store_narrowed[int64_t, element]
        t.narrow[code][code] = <store_fn>&store_copied[element]
        t.average[code][ACC_I32] = <store_fn>&store_average[int32_t, element]
        t.average[code][ACC_I64] = <store_fn>&store_average[int64_t, element]
        t.average[code][ACC_I128] = <store_fn>&store_average[int128, element]
    if element is int8_t or element is uint8_t:
        t.widen[code][ACC_I16] = <load_fn>&load_widened[int16_t, element]
        t.average[code][ACC_I16] = <store_fn>&store_average[int16_t, element]
    if element is float or element is double:
        t.scatter[code] = <scatter_fn>&scatter_in_place[element]
        t.gather[code] = <scatter_fn>&gather_units[element, element]
    if element is float:
        t.scatter_wide[code] = <scatter_fn>&scatter_by_bands[double, element]
    elif element is half or element is bfloat:
        t.scatter_wide[code] = <scatter_fn>&scatter_by_bands[float, element]
        t.gather[code] = <scatter_fn>&gather_units[float, element]

enter_element(&table, DT_I8, <int8_t *>NULL)
enter_element(&table, DT_U8, <uint8_t *>NULL)
enter_element(&table, DT_I16, <int16_t *>NULL)
enter_element(&table, DT_U16, <uint16_t *>NULL)
enter_element(&table, DT_I32, <int32_t *>NULL)
enter_element(&table, DT_U32, <uint32_t *>NULL)
enter_element(&table, DT_I64, <int64_t *>NULL)
enter_element(&table, DT_U64, <uint64_t *>NULL)
enter_element(&table, DT_F32, <float *>NULL)
enter_element(&table, DT_F64, <double *>NULL)
enter_element(&table, DT_F16, <half *>NULL)
enter_element(&table, DT_BF16, <bfloat *>NULL)
table.square = <load_fn>&load_squares
table.key = <load_fn>&load_keys
table.unkey = <store_fn>&store_unkeyed
table.check_index = <scatter_fn>&check_index_units

kernels = PyCapsule_New(&table, "cypool.kernels", NULL)

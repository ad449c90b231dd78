# Reducers of values that are integers of 32 bits and more: elements, sums, values with indices.
include "kernels/types.pxi"

ctypedef fused acc:
    int32_t
    uint32_t
    int64_t
    uint64_t
    int128

ctypedef fused running:
    int32_t
    int64_t

include "kernels/reducers.pxi"

enter_extremes(ACC_I32, <int32_t *>NULL)
enter_extremes(ACC_U32, <uint32_t *>NULL)
enter_extremes(ACC_I64, <int64_t *>NULL)
enter_extremes(ACC_U64, <uint64_t *>NULL)
table.reduce[MAX][ACC_I128] = <reduce_fn>&reduce_units[Max, int128]
enter_sums(ACC_I32, <int32_t *>NULL)
enter_sums(ACC_I64, <int64_t *>NULL)
enter_sums(ACC_I128, <int128 *>NULL)

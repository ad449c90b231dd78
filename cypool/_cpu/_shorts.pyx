# Reducers of values that are integers of 8 and 16 bits: elements, keys of halves, sums of bytes.
include "kernels/types.pxi"

ctypedef fused acc:
    int8_t
    uint8_t
    int16_t
    uint16_t

ctypedef fused running:
    int16_t

include "kernels/reducers.pxi"

enter_extremes(ACC_I8, <int8_t *>NULL)
enter_extremes(ACC_U8, <uint8_t *>NULL)
enter_extremes(ACC_I16, <int16_t *>NULL)
enter_extremes(ACC_U16, <uint16_t *>NULL)
enter_sums(ACC_I8, <int8_t *>NULL)
enter_sums(ACC_I16, <int16_t *>NULL)

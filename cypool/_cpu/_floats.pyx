# Reducers of values that are floating point.
include "kernels/types.pxi"

ctypedef fused acc:
    float
    double

ctypedef fused running:
    double

include "kernels/reducers.pxi"
include "kernels/firsts.pxi"
include "kernels/grids.pxi"
include "kernels/repeats.pxi"
include "kernels/roots.pxi"
include "kernels/totals.pxi"

enter_extremes(ACC_F32, <float *>NULL)
enter_extremes(ACC_F64, <double *>NULL)
enter_sums(ACC_F32, <float *>NULL)
enter_sums(ACC_F64, <double *>NULL)
table.survey = <survey_fn>&survey_rows

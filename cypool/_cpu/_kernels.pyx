# Everything but the reducers.
include "kernels/table.pxi"

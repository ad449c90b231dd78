include "kernels/table.pxi"

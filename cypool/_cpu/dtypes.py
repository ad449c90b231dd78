"""The element types that kernels know, by the codes of job.pxd."""

import sys

import numpy as np

_NAMES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
          "float32", "float64", "float16")
_CODES = {np.dtype(name): code for code, name in enumerate(_NAMES)}
_CODES[np.dtype(bool)] = _CODES[np.dtype("uint8")]
_BFLOAT16 = len(_NAMES)

SUPPORTED = "bool, int8 to int64, uint8 to uint64, float16, bfloat16, float32, float64"


def code_of(dtype: np.dtype) -> int | None:
    """The kernels' code of a dtype, or None where they have none (byte-swapped ones included)."""
    code = _CODES.get(dtype)
    # ml_dtypes is optional: its type is met only when somebody has imported it.
    if (code is None and dtype.name == "bfloat16" and "ml_dtypes" in sys.modules
            and dtype == np.dtype(sys.modules["ml_dtypes"].bfloat16)):
        code = _CODES[dtype] = _BFLOAT16
    return code


def known_code(dtype: np.dtype) -> int:
    """The kernels' code of a dtype that `code_of` was asked about before."""
    return _CODES[dtype]

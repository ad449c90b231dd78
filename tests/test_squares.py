"""Windows of two and three taps a side, which are made in one pass, on rows of every length.

Blocks of a register read beside the rows that they are of and write beyond them: so rows are cut
out of larger arrays or lie at their ends, strides and padding differ by axis, and what lies before
and after the result has to stay as it was.
"""

from __future__ import annotations

import numpy as np
import pytest

import cypool

DTYPES = ["float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64",
          "uint64"]
MARK = 77


def by_taps(x, op, kernel, stride, padding, dilation):
    """Values, and how many elements each window sees."""
    nothing = {"max": -np.inf, "min": np.inf}.get(op, 0)
    pads = ((0, 0), *padding)
    values = np.pad(x.astype(np.float64), pads, constant_values=nothing)
    counts = np.pad(np.ones(x.shape), pads)
    outputs = [(values.shape[i + 1] - (kernel[i] - 1) * dilation[i] - 1) // stride[i] + 1
               for i in range(2)]
    fold = {"max": np.maximum, "min": np.minimum}.get(op, np.add)
    result = count = None
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            first = i * dilation[0], j * dilation[1]
            tap = (slice(None), *(slice(first[a], first[a] + (outputs[a] - 1) * stride[a] + 1,
                                        stride[a]) for a in range(2)))
            result = values[tap] if result is None else fold(result, values[tap])
            count = counts[tap] if count is None else count + counts[tap]
    return result, count


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", ["max", "min", "avg", "sum"])
def test_rows_of_every_length(op, dtype):
    rng = np.random.default_rng([DTYPES.index(dtype), len(op), ord(op[1])])
    tried = 0
    for _ in range(150):
        columns, step = [(2, 2), (3, 2), (3, 1)][rng.integers(3)]
        kernel = (int(rng.integers(1, 4)), columns)
        stride = (int(rng.integers(1, 4)), step)
        dilation = (int(rng.integers(1, 3)), 1)
        most = 9 if rng.random() < 0.1 else columns
        padding = (tuple(int(n) for n in rng.integers(0, kernel[0], 2)),
                   tuple(int(n) for n in rng.integers(0, most, 2)))
        planes, height, width = (int(rng.integers(1, n)) for n in (12, 20, 80))
        if (height + sum(padding[0]) < (kernel[0] - 1) * dilation[0] + 1
                or width + sum(padding[1]) < kernel[1]):
            continue
        larger = np.zeros((planes, height + int(rng.integers(2)), width + int(rng.integers(3))),
                          dtype)
        x = larger[:, :height, :width]
        low = 0 if x.dtype.kind == "u" else -20
        x[...] = rng.integers(low, 20, x.shape)
        if x.dtype.kind == "f" and op in ("max", "min") and rng.random() < 0.3:
            x[rng.random(x.shape) < 0.01] = np.nan
        x = x[::-1] if rng.random() < 0.2 else x[:, ::-1] if rng.random() < 0.2 else x
        expected, count = by_taps(x, op, kernel, stride, padding, dilation)
        more = {"count_include_pad": False} if op == "avg" else {}
        if op == "avg":
            expected = expected / np.maximum(count, 1)
            expected = expected if x.dtype.kind == "f" else np.rint(expected)
        more["axes"] = (1, 2)
        result = cypool.pool(x, op, kernel, stride, padding, dilation, **more)
        around = 1, *rng.integers(0, 2, 2)
        guarded = np.full([n + 2 * a for n, a in zip(expected.shape, around, strict=True)], MARK,
                          result.dtype)
        inside = tuple(slice(a, a + n) for n, a in zip(expected.shape, around, strict=True))
        cypool.pool(x, op, kernel, stride, padding, dilation, out=guarded[inside], **more)
        np.testing.assert_array_equal(guarded[inside], result)
        guarded[inside] = MARK
        assert (guarded == MARK).all()
        seen = count > 0
        np.testing.assert_allclose(result[seen].astype(np.float64), expected[seen], rtol=1e-6)
        tried += 1
    assert tried > 75

"""The exact words of error messages, one of each kind.

What is refused at all, and that nothing is written then, is in test_bad_input.py; here a change
of wording has to be a change of this table.
"""

from __future__ import annotations

import numpy as np
import pytest

import cypool

SUPPORTED = "bool, int8 to int64, uint8 to uint64, float16, bfloat16, float32, float64"

MESSAGES = [
    (
        "max_pool2d(x, 0)",
        ValueError,
        "kernel_size must be at least 1, got 0",
    ),
    (
        "max_pool2d(x, -1)",
        ValueError,
        "kernel_size must be at least 1, got -1",
    ),
    (
        "max_pool2d(x, 2.0)",
        TypeError,
        "kernel_size must be an integer, got 2.0",
    ),
    (
        "max_pool2d(x, (2, 0))",
        ValueError,
        "kernel_size must be at least 1, got 0",
    ),
    (
        "max_pool2d(x, (2, 2, 2))",
        ValueError,
        "kernel_size must be one integer or 2 of them, one per pooled axis, got (2, 2, 2)",
    ),
    (
        "max_pool2d(x, ())",
        ValueError,
        "kernel_size must be one integer or 2 of them, one per pooled axis, got ()",
    ),
    (
        "max_pool1d(x[0], (2, 2))",
        ValueError,
        "kernel_size must be one integer for one pooled axis, got (2, 2)",
    ),
    (
        "max_pool2d(x, None)",
        TypeError,
        "kernel_size must be an integer, got None",
    ),
    (
        "max_pool2d(x, 2**63)",
        ValueError,
        "kernel_size must be at most 9223372036854775807, got 9223372036854775808",
    ),
    (
        "max_pool2d(x, 2, stride=0)",
        ValueError,
        "stride must be at least 1, got 0",
    ),
    (
        "max_pool2d(x, 2, stride=-2)",
        ValueError,
        "stride must be at least 1, got -2",
    ),
    (
        "max_pool2d(x, 2, stride=1.5)",
        TypeError,
        "stride must be an integer, got 1.5",
    ),
    (
        "max_pool2d(x, 2, stride=(1, 2, 3))",
        ValueError,
        "stride must be one integer or 2 of them, one per pooled axis, got (1, 2, 3)",
    ),
    (
        "max_pool2d(x, 2, dilation=0)",
        ValueError,
        "dilation must be at least 1, got 0",
    ),
    (
        "max_pool2d(x, 2, dilation='2')",
        TypeError,
        "dilation must be an integer, got '2'",
    ),
    (
        "avg_pool2d(x, 2, dilation=(1,))",
        ValueError,
        "dilation must be one integer or 2 of them, one per pooled axis, got (1,)",
    ),
    (
        "max_pool2d(x, 2, padding=-1)",
        ValueError,
        "padding must be at least 0, got -1",
    ),
    (
        "max_pool2d(x, 2, padding=0.5)",
        TypeError,
        "padding must be an integer, got 0.5",
    ),
    (
        "max_pool2d(x, 2, padding=((0, 1), (0, -1)))",
        ValueError,
        "padding must be at least 0, got -1",
    ),
    (
        "max_pool2d(x, 2, padding='SAME')",
        ValueError,
        "padding must be one of 'valid', 'same', 'same_lower', an integer, one per pooled "
        "axis, or one (before, after) pair per pooled axis, got 'SAME'",
    ),
    (
        "max_pool2d(x, 2, padding=(1, 2, 3))",
        ValueError,
        "padding must be one integer, 2 of them, or 2 (before, after) pairs for 2 pooled "
        "axes, got (1, 2, 3)",
    ),
    (
        "max_pool1d(x[0], 2, padding=(1, 2))",
        ValueError,
        "padding must be one integer, or ((before, after),) for 1 pooled axis, got (1, 2)",
    ),
    (
        "max_pool2d(x, 2, padding=(1, (1, 2)))",
        ValueError,
        "padding must be one integer, 2 of them, or 2 (before, after) pairs for 2 pooled "
        "axes, got (1, (1, 2))",
    ),
    (
        "max_pool2d(x, 2, padding=None)",
        TypeError,
        "padding must be an integer, got None",
    ),
    (
        "max_pool2d(x, 2, ceil_mode='half')",
        ValueError,
        "ceil_mode must be False, True or 'full', got 'half'",
    ),
    (
        "max_pool2d(x, 2, ceil_mode=1)",
        TypeError,
        "ceil_mode must be False, True or 'full', got 1",
    ),
    (
        "max_pool2d(x, 2, return_indices=1)",
        TypeError,
        "return_indices must be True or False, got 1",
    ),
    (
        "max_pool2d(x, 2, return_indices=True, index_dtype=np.int8)",
        TypeError,
        "index_dtype must be int32 or int64, got <class 'numpy.int8'>",
    ),
    (
        "max_pool2d(x, 2, data_format='NHCW')",
        ValueError,
        "data_format must be 'channels_first', 'channels_last', 'NCHW' or 'NHWC', got 'NHCW'",
    ),
    (
        "max_pool1d(x[0], 2, data_format='NHWC')",
        ValueError,
        "data_format must be 'channels_first', 'channels_last', 'NCL' or 'NLC', got 'NHWC'",
    ),
    (
        "max_pool2d(x, 2, data_format=None)",
        TypeError,
        "data_format must be 'channels_first', 'channels_last', 'NCHW' or 'NHWC', got None",
    ),
    (
        "max_pool2d(x, 2, num_threads=0)",
        ValueError,
        "num_threads must be at least 1, got 0",
    ),
    (
        "max_pool2d(x, 2, num_threads=2.0)",
        TypeError,
        "num_threads must be an integer, got 2.0",
    ),
    (
        "avg_pool2d(x, 2, divisor_override=0)",
        ValueError,
        "divisor_override must be an integer other than 0, got 0",
    ),
    (
        "avg_pool2d(x, 2, divisor_override=1.5)",
        TypeError,
        "divisor_override must be an integer, got 1.5",
    ),
    (
        "avg_pool2d(x, 2, count_include_pad=1)",
        TypeError,
        "count_include_pad must be True or False, got 1",
    ),
    (
        "avg_pool2d(x, 2, dtype=np.complex64)",
        TypeError,
        f"dtype must be one of {SUPPORTED}, got complex64",
    ),
    (
        "avg_pool2d(x, 2, dtype=np.int32)",
        TypeError,
        "dtype must be a numeric dtype that float32 can be cast to (same_kind), got int32",
    ),
    (
        "avg_pool2d(x, 2, dtype='rubbish')",
        TypeError,
        "dtype must be a NumPy dtype, got 'rubbish'",
    ),
    (
        "max_pool2d(x[0, 0], 2)",
        ValueError,
        "x must have shape (N, C, H, W) or (C, H, W), got (6, 6)",
    ),
    (
        "max_pool1d(x, 2, data_format='channels_last')",
        ValueError,
        "x must have shape (N, L, C) or (L, C), got (1, 2, 6, 6)",
    ),
    (
        "max_pool3d(x[0, 0], 2)",
        ValueError,
        "x must have shape (N, C, D, H, W) or (C, D, H, W), got (6, 6)",
    ),
    (
        "max_pool2d(x.astype(complex), 2)",
        TypeError,
        f"x must be of a supported dtype ({SUPPORTED}), got complex128",
    ),
    (
        "max_pool2d(x.astype(object), 2)",
        TypeError,
        f"x must be of a supported dtype ({SUPPORTED}), got object",
    ),
    (
        "max_pool2d(x.astype('S2'), 2)",
        TypeError,
        f"x must be of a supported dtype ({SUPPORTED}), got |S2",
    ),
    (
        "max_pool2d(x.astype('>f4'), 2)",
        TypeError,
        f"x must be of native byte order, got dtype '>f4'; supported are {SUPPORTED}",
    ),
    (
        "avg_pool2d(x > 0, 2)",
        TypeError,
        "x must be numeric for an average unless dtype= is given, got bool",
    ),
    (
        "max_pool2d(np.ma.masked_array(x), 2)",
        TypeError,
        "x must be a plain array, got a masked array; pass its data, and ~mask as mask=",
    ),
    (
        "max_pool2d([[[1.0]]], 1)",
        TypeError,
        "x must be an array or an object that NumPy can view without a copy, got list",
    ),
    (
        "max_pool2d(x[:, :, :0], 2)",
        ValueError,
        "x must have no pooled axis of length 0, got length 0 on axis 2",
    ),
    (
        "max_pool2d(x, (2, 7))",
        ValueError,
        "kernel_size must fit into the padded input, got an effective kernel of 7 "
        "(kernel_size 7, dilation 1) on axis 3 of length 6 with padding (0, 0)",
    ),
    (
        "max_pool2d(x, 3, dilation=3, padding=((0, 0), (0, 0)))",
        ValueError,
        "kernel_size must fit into the padded input, got an effective kernel of 7 "
        "(kernel_size 3, dilation 3) on axis 2 of length 6 with padding (0, 0)",
    ),
    (
        "max_pool2d(x, 3, dilation=2**62)",
        ValueError,
        "kernel_size, stride, padding and dilation must stay within 64 bits together, got "
        "kernel_size 3, stride 3, padding (0, 0) and dilation 4611686018427387904 on axis 2",
    ),
    (
        "max_pool2d(x, 1, stride=1, padding=2**40)",
        ValueError,
        "kernel_size, stride and padding must give a result that fits into memory, got one "
        "of shape (1, 2, 2199023255558, 2199023255558)",
    ),
    (
        "max_pool2d(x, 2, out=np.zeros((1, 2, 2, 2), 'f4'))",
        ValueError,
        "out must have shape (1, 2, 3, 3), got (1, 2, 2, 2)",
    ),
    (
        "max_pool2d(x, 2, out=np.zeros((1, 2, 3, 3)))",
        TypeError,
        "out must have dtype float32, got float64",
    ),
    (
        "max_pool2d(x, 2, out=ro)",
        ValueError,
        "out must be writeable, got a read-only array",
    ),
    (
        "max_pool2d(x, 2, out=x[:, :, :3, :3])",
        ValueError,
        "out must not overlap an input or another output, got an array that does",
    ),
    (
        "max_pool2d(x, 2, out=tied)",
        ValueError,
        "out must not overlap itself, got strides (0, 0, 12, 4)",
    ),
    (
        "max_pool2d(x, 2, out=3)",
        TypeError,
        "out must be a NumPy array, got int",
    ),
    (
        "max_pool2d(x, 2, return_indices=True, out=np.zeros((1, 2, 3, 3), 'f4'))",
        TypeError,
        "out must be a pair (values, indices) where indices are returned, got ndarray",
    ),
    (
        "max_pool2d(x, 2, return_indices=True, out=(None, np.zeros((1, 2, 3, 3), 'f4')))",
        TypeError,
        "out must have dtype int64, got float32",
    ),
    (
        "max_pool2d_backward(g[0], x, 2)",
        ValueError,
        "grad_output must have shape (1, 2, 3, 3), got (2, 3, 3)",
    ),
    (
        "max_pool2d_backward(g.astype(int), x, 2)",
        TypeError,
        "grad_output must be of a floating dtype, got int64",
    ),
    (
        "max_pool2d_backward(g, x.shape, 2)",
        TypeError,
        "x must be an array, not a shape, unless indices= is given, got (1, 2, 6, 6)",
    ),
    (
        "max_pool2d_backward(g, x, 2, indices=np.zeros((1, 2, 3, 2), int))",
        ValueError,
        "indices must have shape (1, 2, 3, 3), got (1, 2, 3, 2)",
    ),
    (
        "max_pool2d_backward(g, x, 2, indices=g)",
        TypeError,
        "indices must be of dtype int32 or int64, got float32",
    ),
    (
        "max_pool2d_backward(g, x, 2, indices=np.full((1, 2, 3, 3), 36))",
        ValueError,
        "indices must be -1 or lie within a plane of 36 elements, got 36",
    ),
    (
        "max_pool2d_backward(g, x.shape, 2, indices=np.full((1, 2, 3, 3), -2))",
        ValueError,
        "indices must be -1 or lie within a plane of 36 elements, got -2",
    ),
    (
        "avg_pool2d_backward(g, (1, 2, 6, -6), 2)",
        ValueError,
        "the shape given as x must be at least 0, got -6",
    ),
    (
        "avg_pool2d_backward(g, (1, 2, 6.0, 6), 2)",
        TypeError,
        "the shape given as x must be an integer, got 6.0",
    ),
    (
        "pool(x, 'maximum', (2, 2))",
        ValueError,
        "op must be one of 'avg', 'gem', 'logsumexp', 'lp', 'max', 'mean', 'median', 'min', "
        "'mode', 'soft', 'stochastic', 'sum', got 'maximum'",
    ),
    (
        "pool(x, 3, (2, 2))",
        TypeError,
        "op must be one of 'avg', 'gem', 'logsumexp', 'lp', 'max', 'mean', 'median', 'min', "
        "'mode', 'soft', 'stochastic', 'sum', got 3",
    ),
    (
        "pool(x, 'max', 2)",
        ValueError,
        "kernel_size must be a tuple of one to three integers where axes are not given, got 2",
    ),
    (
        "pool(x, 'max', (2, 2), divisor_override=2)",
        TypeError,
        "divisor_override must be left out for op 'max' (its own keywords: none), got 2",
    ),
    (
        "pool(x, 'sum', (2, 2), return_indices=True)",
        TypeError,
        "return_indices must be False for op 'sum', which selects no element, got True",
    ),
    (
        "pool(x, 'max', 2, axes=(0, 0))",
        ValueError,
        "axes must be distinct, got (0, 0)",
    ),
    (
        "pool(x, 'max', 2, axes=(0, 4))",
        ValueError,
        "axes must lie within the 4 axes of x, got (0, 4)",
    ),
    (
        "pool(x, 'max', 2, axes=())",
        ValueError,
        "axes must name one to three axes, got ()",
    ),
    (
        "pool(x, 'max', 2, axes=(0, 1, 2, 3))",
        ValueError,
        "axes must name one to three axes, got (0, 1, 2, 3)",
    ),
    (
        "pool(x, 'max', 2, axes=1.0)",
        TypeError,
        "axes must be an integer, got 1.0",
    ),
    (
        "pool(x, 'max', (2, 2), axes=(0, 1, 2))",
        ValueError,
        "kernel_size must be one integer or 3 of them, one per pooled axis, got (2, 2)",
    ),
    (
        "pool(x, 'max', (2, 2), mask=x)",
        TypeError,
        "mask must be of dtype bool, got float32",
    ),
    (
        "pool(x, 'max', (2, 2), mask=np.ones((5, 6), bool))",
        ValueError,
        "mask must be broadcastable to the shape (1, 2, 6, 6) of x, got (5, 6)",
    ),
    (
        "pool_output_size(4, 6)",
        ValueError,
        "kernel_size must fit into the padded input, got an effective kernel of 6 "
        "(kernel_size 6, dilation 1) on the axis of length 4 with padding (0, 0)",
    ),
    (
        "pool_output_size(0, 1)",
        ValueError,
        "length must be at least 1, got 0",
    ),
    (
        "pool_output_size(4.0, 1)",
        TypeError,
        "length must be an integer, got 4.0",
    ),
    (
        "pool_output_size(8, 2, padding=(1, 2))",
        ValueError,
        "padding must be one integer, or ((before, after),) for 1 pooled axis, got (1, 2)",
    ),
    (
        "set_num_threads(0)",
        ValueError,
        "n must be at least 1, got 0",
    ),
    (
        "threads('2')",
        TypeError,
        "n must be an integer, got '2'",
    ),
]


def names() -> dict[str, object]:
    """What the calls above are made with."""
    x, g = np.zeros((1, 2, 6, 6), np.float32), np.ones((1, 2, 3, 3), np.float32)
    ro = np.zeros((1, 2, 3, 3), np.float32)
    ro.flags.writeable = False
    tied = np.lib.stride_tricks.as_strided(np.zeros(9, np.float32), (1, 2, 3, 3), (0, 0, 12, 4))
    return {"np": np, "x": x, "g": g, "ro": ro, "tied": tied}


@pytest.mark.parametrize(("call", "error", "message"), MESSAGES, ids=[m[0] for m in MESSAGES])
def test_message(call, error, message):
    with pytest.raises(error) as caught:
        eval(f"cypool.{call}", {"cypool": cypool, **names()})
    assert str(caught.value) == message

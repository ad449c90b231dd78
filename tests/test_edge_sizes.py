"""The smallest, the emptiest and the most extreme sizes that are still legal."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from arrays import make_values
from judging import assert_matches, assert_same
from registry import NAMED, PARTIAL, dtype_of, with_dtypes

import cypool

INT64_MAX = 2**63 - 1


def spatial(operator, ndim):
    return tuple(range(ndim - operator.ndim, ndim))


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("outer", [(0, 3), (2, 0), (0, 0), (0,)], ids=str)
@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(NAMED))
def test_no_batch_and_no_channels(operator, dtype, outer, layout):
    n = operator.ndim
    *batch, channels = outer
    lengths, counts = (5,) * n, (3,) * n
    first = layout == "channels_first"
    shape = (*batch, channels, *lengths) if first else (*batch, *lengths, channels)
    right = (*batch, channels, *counts) if first else (*batch, *counts, channels)
    x = np.zeros(shape, dtype_of(dtype))
    where = {"stride": 2, "padding": 1, "data_format": layout}
    result = operator.forward(x, 3, **where)
    assert (result.shape, result.dtype) == (right, x.dtype)
    if operator.selects:
        values, indices = operator.forward(x, 3, **where, return_indices=True)
        assert values.shape == indices.shape == right
    gradient = operator.backward(np.zeros(right, np.float32), x, 3, **where)
    assert (gradient.shape, gradient.dtype) == (shape, np.float32)


@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(NAMED))
def test_one_element(operator, dtype):
    x = np.ones((1,) * (operator.ndim + 1), dtype_of(dtype))
    assert_same(operator.forward(x, 1), x)
    assert_same(operator.forward(x[None], 1, padding="same"), x[None])


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_unbatched_is_a_batch_of_one(operator):
    x = make_values((3,) + (7,) * operator.ndim, np.dtype(np.float32), "normal", 1)
    window = {"stride": 2, "padding": 1, "ceil_mode": True}
    assert_same(operator.forward(x, 3, **window), operator.forward(x[None], 3, **window)[0])
    gradient = operator.forward(x, 3, **window)
    assert_same(
        operator.backward(gradient, x, 3, **window),
        operator.backward(gradient[None], x[None], 3, **window)[0],
    )


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_padding_far_beyond_the_kernel(operator):
    side = {1: 1000, 2: 15, 3: 4}[operator.ndim]
    x = make_values((2,) + (3,) * operator.ndim, np.dtype(np.float32), "normal", 1)
    window = {"stride": 1, "padding": side}
    axes = spatial(operator, x.ndim)
    expected = oracle.pool(x, operator.op, 2, **window, axes=axes)
    assert_matches(operator.forward(x, 2, **window), expected)
    if operator.selects:
        _, indices = operator.forward(x, 2, **window, return_indices=True)
        assert_same(indices, expected.indices)


@pytest.mark.parametrize("stride", [7, 2**31, 2**62], ids=str)
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_stride_beyond_the_input(operator, ceil_mode, stride):
    x = make_values((2,) + (6,) * operator.ndim, np.dtype(np.float32), "normal", 1)
    seen = (slice(None),) + (slice(2),) * operator.ndim
    first, axes = x[seen], spatial(operator, x.ndim)
    result = operator.forward(x, 2, stride=stride, ceil_mode=ceil_mode)
    assert_matches(result, oracle.pool(first, operator.op, 2, axes=axes))
    gradient = operator.backward(result, x, 2, stride=stride, ceil_mode=ceil_mode)
    expected = oracle.pool_backward(result, first, operator.op, 2, axes=axes)
    assert_matches(np.ascontiguousarray(gradient[seen]), expected)
    gradient[seen] = 0
    assert not gradient.any()


@pytest.mark.parametrize("dilation", [7, 2**31, 2**60], ids=str)
@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_dilation_beyond_the_input(operator, dilation):
    """Of three taps only the middle one ever meets a real element."""
    x = make_values((2,) + (5,) * operator.ndim, np.dtype(np.float32), "normal", 1)
    result = operator.forward(x, 3, stride=1, padding=dilation, dilation=dilation)
    taps = 3**operator.ndim if operator.op == "avg" else 1
    expected = oracle.pool(
        x,
        operator.op,
        1,
        **({} if taps == 1 else {"divisor_override": taps}),
        axes=spatial(operator, x.ndim),
    )
    assert_matches(result, expected)


FAR_KERNELS = [
    pytest.param(operator, kernel, id=f"{operator.id}-{kernel}")
    for operator in NAMED
    for kernel in (100, 2**20, 2**31, 2**40)
    if operator.op == "max" or kernel**operator.ndim <= INT64_MAX  # the divisor has 64 bits
]


@pytest.mark.parametrize(("operator", "kernel"), FAR_KERNELS)
def test_kernel_far_beyond_the_input(operator, kernel):
    """The work follows the real elements, not the taps; the divisor counts the taps."""
    x = make_values((2,) + (4,) * operator.ndim, np.dtype(np.float32), "distinct", 1)
    axes = spatial(operator, x.ndim)
    result = operator.forward(x, kernel, stride=1, padding="same")
    clipped = {"stride": 1, "padding": 3}  # seven taps see everything from everywhere
    if operator.op == "max":
        assert_same(result, oracle.pool(x, "max", 7, **clipped, axes=axes).values)
        return
    expected = oracle.pool(
        x, "avg", 7, **clipped, axes=axes, divisor_override=kernel**operator.ndim
    )
    assert_matches(result, expected)


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_negative_room_still_has_one_window_in_ceil_mode(operator):
    x = make_values((1,) + (2,) * operator.ndim, np.dtype(np.float32), "normal", 1)
    expected = oracle.pool(x, operator.op, 3, 2, 0, 1, True, axes=spatial(operator, x.ndim))
    assert expected.values.size == 1
    assert_matches(operator.forward(x, 3, stride=2, ceil_mode=True), expected)
    with pytest.raises(ValueError, match=r"^kernel_size must "):
        operator.forward(x, 3, stride=2)


@pytest.mark.parametrize("operator", PARTIAL, ids=lambda operator: operator.id)
def test_every_length_around_the_vector_width(operator):
    """Along each axis in turn: every vector loop, and every tail."""
    n = operator.ndim or 2
    axes = tuple(range(2, n + 2))
    for axis in range(n + 2):
        for length in (*range(1, 20), 31, 32, 33, 47, 63, 64, 65, 70):
            shape = [2, 2] + [3] * n
            shape[axis] = length
            x = make_values(tuple(shape), np.dtype(np.float32), "ties", length)
            arguments = (x, *operator.leading, (2,) * n)
            expected = oracle.pool(x, operator.op, 2, 1, 1, axes=axes)
            assert_matches(operator.forward(*arguments, stride=1, padding=1), expected)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_more_than_two_to_the_31_elements(layout):
    x = np.zeros((1, 2**31 + 64), np.uint8)
    x[0, -3] = 9
    x[0, 2**31] = 5
    data = x if layout == "channels_first" else x.reshape(-1, 1)
    values, indices = cypool.max_pool1d(data, 4, return_indices=True, data_format=layout)
    values, indices = values.ravel(), indices.ravel()
    assert values.size == 2**29 + 16
    assert (int(values[-1]), int(indices[-1])) == (9, 2**31 + 61)
    assert (int(values[2**29]), int(indices[2**29])) == (5, 2**31)
    assert np.count_nonzero(values) == 2


@pytest.mark.parametrize("stride", [2**31, 2**61, 2**62 - 1])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_distances_that_no_plane_has(dtype, stride):
    """The second window of an axis sees nothing, however far away it is."""
    x = make_values((3, 3, 5, 4), np.dtype(dtype), "distinct", 0)
    window = ((5, 3, 2), (4, stride, 1), ((2, 0), (1, 0), (0, 3)), (1, 2, 1))
    near = ((5, 3, 2), (4, 100, 1), ((2, 0), (1, 0), (0, 3)), (1, 2, 1))
    for found, expected in zip(*(
            cypool.pool(x, "max", *w, axes=(0, 2, 3), ceil_mode="full", return_indices=True)
            for w in (window, near)), strict=True):
        assert_same(found, expected)
    assert_same(*(cypool.pool(x, "avg", *w, axes=(0, 2, 3), ceil_mode="full")
                  for w in (window, near)))

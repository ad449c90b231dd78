"""TensorFlow's and Keras' definitions of "SAME" and "VALID", by their published formulas."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from judging import assert_same

import cypool

GEOMETRIES = list(itertools.product(range(1, 12), range(1, 6), range(1, 5)))


@pytest.mark.parametrize("dilation", [1, 2])
def test_lengths(dilation):
    """SAME: ceil(L / s). VALID: ceil((L - e + 1) / s)."""
    for length, kernel, stride in GEOMETRIES:
        extent = (kernel - 1) * dilation + 1
        for word in ("same", "same_lower"):
            for ceil_mode in (False, True, "full"):
                size = cypool.pool_output_size(length, kernel, stride, word, dilation, ceil_mode)
                assert size == math.ceil(length / stride)
        if extent <= length:
            size = cypool.pool_output_size(length, kernel, stride, "valid", dilation)
            assert size == math.ceil((length - extent + 1) / stride)


@pytest.mark.parametrize("word", ["same", "same_lower"])
def test_same_is_the_explicit_padding_of_its_formula(word):
    """Total max(k - s, 0) where s divides L, else max(k - L mod s, 0); the odd one at the end."""
    rng = np.random.default_rng(1)
    for length, kernel, stride in GEOMETRIES:
        left_over = length % stride
        total = max(kernel - (left_over or stride), 0)
        less, more = total // 2, total - total // 2
        pair = (less, more) if word == "same" else (more, less)
        x = rng.standard_normal((2, length))
        for function in (cypool.max_pool1d, cypool.avg_pool1d):
            explicit = function(x, kernel, stride, (pair,))
            assert_same(function(x, kernel, stride, word), explicit)


def test_same_average_leaves_padding_out_of_the_divisor_when_asked():
    """As TensorFlow and Keras do: the mean of ones is one everywhere."""
    ones = np.ones((1, 7, 9))
    arguments = {"padding": "same", "stride": 1}
    assert (cypool.avg_pool2d(ones, 3, **arguments, count_include_pad=False) == 1).all()
    corner = cypool.avg_pool2d(ones, 3, **arguments)[0, 0, 0]
    assert corner == 4 / 9

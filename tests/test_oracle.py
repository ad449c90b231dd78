"""The oracle itself: against PyTorch, and against cases small enough to do by hand."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from judging import assert_matches, assert_same

NAN, INF = float("nan"), float("inf")


def pool(x, op, kernel_size, *args, **kwargs):
    x = np.asarray(x)
    kwargs.setdefault("axes", tuple(range(x.ndim)))
    return oracle.pool(x, op, kernel_size, *args, **kwargs)


@pytest.mark.parametrize(
    ("length", "kernel", "stride", "padding", "dilation", "ceil_mode", "expected"),
    [
        (7, 3, 2, (0, 0), 1, False, (3, 0, 0)),
        (8, 3, 2, (0, 0), 1, False, (3, 0, 0)),
        (8, 3, 2, (0, 0), 1, True, (4, 0, 0)),
        (8, 3, 2, (0, 0), 1, "full", (4, 0, 0)),
        (2, 3, 2, (0, 0), 1, False, (0, 0, 0)),  # floor(-1 / 2) is -1
        (2, 3, 2, (0, 0), 1, True, (1, 0, 0)),
        (4, 1, 3, (0, 2), 1, True, (2, 0, 2)),
        (4, 1, 3, (0, 1), 1, True, (2, 0, 1)),  # the next would start at 6, past 4
        (4, 1, 3, (0, 1), 1, "full", (3, 0, 1)),
        (5, 2, 4, (1, 1), 1, True, (2, 1, 1)),
        (7, 3, 1, (0, 0), 3, False, (1, 0, 0)),
        (10, 3, 2, "valid", 1, True, (5, 0, 0)),
        (10, 3, 1, "same", 1, "full", (10, 1, 1)),
        (10, 2, 1, "same", 1, False, (10, 0, 1)),
        (10, 2, 1, "same_lower", 1, False, (10, 1, 0)),
        (10, 3, 4, "same", 1, True, (3, 0, 1)),
        (10, 1, 4, "same", 1, True, (3, 0, 0)),
    ],
)
def test_output_length(length, kernel, stride, padding, dilation, ceil_mode, expected):
    got = oracle.output_length(length, kernel, stride, padding, dilation, ceil_mode)
    assert got == expected


def test_first_maximum_is_first_in_row_major_order():
    assert pool([[1.0, 5.0], [5.0, 1.0]], "max", 2).indices.tolist() == [[1]]


def test_first_nan_wins():
    x = [[3.0, NAN], [NAN, 9.0]]
    for op in ("max", "min"):
        result = pool(x, op, 2)
        assert np.isnan(result.values).all()
        assert result.indices.tolist() == [[1]]


def test_all_minus_infinity_has_the_first_real_tap():
    result = pool([-INF, -INF, -INF], "max", 3, 1, 1)
    assert result.values.tolist() == [-INF] * 3
    assert result.indices.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("op", "dtype", "empty"),
    [
        ("max", "float32", -INF),
        ("min", "float32", INF),
        ("max", "int8", -128),
        ("min", "uint16", 65535),
        ("max", "bool", False),
        ("sum", "float64", 0),
        ("avg", "int32", 0),
        ("avg", "float16", 0),
    ],
)
def test_window_without_a_real_element(op, dtype, empty):
    result = pool(np.ones(1, dtype), op, 1, 1, 1)
    assert result.values.tolist() == [empty, 1, empty]
    if op in ("max", "min"):
        assert result.indices.tolist() == [-1, 0, -1]


def test_divisor_leaves_out_what_hangs_over_the_padding():
    x = np.arange(1.0, 6.0)
    arguments = (3, 2, ((0, 1),), 1, True)
    assert pool(x, "avg", *arguments).values.tolist() == [2, 4, 2.5]
    without = pool(x, "avg", *arguments, count_include_pad=False)
    assert without.values.tolist() == [2, 4, 5]
    assert pool(x, "avg", *arguments, divisor_override=-3).values.tolist() == [-2, -4, -5 / 3]


def test_window_beyond_the_padding_has_no_divisor():
    result = pool(np.ones(4), "avg", 1, 3, ((0, 1),), 1, "full")
    assert result.values.tolist() == [1, 1, 0]


def test_integer_means_round_halves_to_even_and_saturate():
    x = np.array([1, 2, 2, 3, -1, -2, -2, -3], np.int8)
    assert pool(x, "avg", 2).values.tolist() == [2, 2, -2, -2]
    largest = np.array([127, 127], np.int8)
    assert pool(largest, "avg", 2, divisor_override=1).values.tolist() == [127]
    assert pool(largest, "avg", 2, divisor_override=-1).values.tolist() == [-128]
    wide = np.full(2, np.iinfo(np.uint64).max)
    assert pool(wide, "avg", 2).values.tolist() == [np.iinfo(np.uint64).max]


def test_sums_wrap_as_numpy_does():
    x = np.full(2, np.iinfo(np.int64).max)
    assert pool(x, "sum", 2).values.tolist() == [-2]
    assert pool(np.full(3, 200, np.uint8), "sum", 3).dtype == np.uint64


def test_axes_follow_the_call_and_indices_follow_the_array():
    x = np.arange(24).reshape(2, 3, 4)
    swapped = pool(x, "max", (4, 2), axes=(2, 0))
    assert_same(swapped.values, x.max(axis=(0, 2), keepdims=True))
    assert swapped.indices.ravel().tolist() == [7, 7, 7]  # of a plane of 2 by 4


def test_mask_counts_what_is_valid():
    x = np.array([1.0, 2.0, 6.0, 8.0])
    mask = np.array([True, False, False, False])
    assert pool(x, "avg", 2, mask=mask).values.tolist() == [1, 0]
    result = pool(x, "max", 2, mask=mask)
    assert result.values.tolist() == [1, -INF]
    assert result.indices.tolist() == [0, -1]


def test_gradients_by_hand():
    x = np.array([1.0, 3.0, 3.0, 2.0])
    g = np.array([10.0, 20.0, 40.0])
    arguments = (2, 1)
    by_max = oracle.pool_backward(g, x, "max", *arguments, axes=(0,))
    assert by_max.values.tolist() == [0, 30, 40, 0]
    by_avg = oracle.pool_backward(g, x, "avg", *arguments, axes=(0,))
    assert by_avg.values.tolist() == [5, 15, 30, 20]
    by_sum = oracle.pool_backward(g, x, "sum", *arguments, axes=(0,))
    assert by_sum.values.tolist() == [10, 30, 60, 40]


def test_bound_tells_rounding_from_error():
    x = np.array([1.0, 2.0**-24, 2.0**-24, 2.0**-24], np.float32)
    expected = pool(x, "sum", 4)
    assert_matches(np.array([1.0], np.float32), expected)  # 3 of the 4 units granted
    with pytest.raises(AssertionError):
        assert_matches(np.array([1.0 - 2.0**-22], np.float32), expected)
    with pytest.raises(AssertionError):
        assert_matches(np.array([NAN], np.float32), expected)


def test_agrees_with_pytorch():
    functional = pytest.importorskip("torch.nn.functional", reason="PyTorch is not installed")
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(20)
    compared = 0
    for _ in range(150):
        axes = int(rng.integers(1, 4))
        op = str(rng.choice(["max", "avg"]))
        kernel, stride = rng.integers(1, 5, (2, axes)).tolist()
        lengths = rng.integers(4, 9, axes).tolist()
        dilation = rng.integers(1, 3, axes).tolist() if op == "max" else [1] * axes
        padding = [int(rng.integers(0, k // 2 + 1)) for k in kernel]
        ceil_mode = bool(rng.integers(2))
        spatial = tuple(range(1, 1 + axes))
        x = rng.integers(-3, 4, (2, *lengths)).astype(rng.choice(["float32", "float64"]))
        window = (kernel, stride, padding, dilation, ceil_mode)
        try:
            plan = oracle.Plan(x.shape, spatial, *window)
        except ValueError:
            continue
        if not all(w.real for windows in plan.windows for w in windows):
            continue
        tensor = torch.tensor(x, requires_grad=True)
        if op == "max":
            function = getattr(functional, f"max_pool{axes}d")
            values, indices = function(tensor, *window, return_indices=True)
            params = {}
        else:
            params = {"count_include_pad": bool(rng.integers(2))}
            function = getattr(functional, f"avg_pool{axes}d")
            values, indices = function(tensor, kernel, stride, padding, ceil_mode, **params), None
        gradient = rng.standard_normal(values.shape).astype(x.dtype)
        values.backward(torch.tensor(gradient))
        expected = oracle.pool(x, op, *window, axes=spatial, **params)
        assert_matches(values.detach().numpy(), expected)
        if indices is not None:
            assert_same(indices.numpy(), expected.indices)
        backward = oracle.pool_backward(gradient, x, op, *window, axes=spatial, **params)
        assert_matches(tensor.grad.numpy(), backward)
        compared += 1
    assert compared > 100


def test_bound_holds_among_the_smallest_numbers():
    """Where a quarter of an ulp is below the least float64, half an ulp is still told from one."""
    tiny = np.finfo(np.float64).smallest_subnormal
    expected = pool(np.array([3 * tiny, 4 * tiny]), "avg", 2)  # 3.5
    assert_matches(np.array([3 * tiny]), expected)
    assert_matches(np.array([4 * tiny]), expected)
    for wrong in (2, 5):
        with pytest.raises(AssertionError):
            assert_matches(np.array([wrong * tiny]), expected)

"""Every bad argument is refused by name, with its value, before anything is written.

Each case is a good call with one argument made bad. A message reads "<argument> must be <what
is allowed>, got <the value>". Where `out` is not itself the bad argument it is given, filled
with a mark, and must keep it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from registry import FORMATS, NAMED, OPERATORS, Operator

import cypool

MARK = 77
SIDE = 6  # of every spatial axis of the good call
INT64_MAX = 2**63 - 1


@dataclass(frozen=True)
class Bad:
    """One bad argument of an operator over `n` spatial axes."""

    id: str
    argument: str
    value: Callable[[int], Any]  # from n
    error: type[Exception] | tuple[type[Exception], ...]
    only: str | None = None  # an op
    shown: Any = None  # the part of the value that the message repeats, where not all of it
    text: str | None = None  # how the message writes the value, where not by its repr
    also: dict[str, Any] = field(default_factory=dict)  # arguments that make this one matter
    backward: bool = True  # whether the backward function minds as well


def per_axis(entry: Any, first: Any = 2) -> Callable[[int], tuple[Any, ...]]:
    """A tuple whose last entry is bad."""
    return lambda n: (first,) * (n - 1) + (entry,)


def constant(value: Any) -> Callable[[int], Any]:
    return lambda n: value


WINDOW_ARGUMENTS = ("kernel_size", "stride", "dilation")
CASES = [
    *(
        Bad(f"{name}={value!r}", name, constant(value), error)
        for name in WINDOW_ARGUMENTS
        for value, error in (
            (0, ValueError),
            (-1, ValueError),
            (1.5, TypeError),
            (2.0, TypeError),
            ("2", TypeError),
            (1j, TypeError),
            (2**63, ValueError),
            (10**30, ValueError),
            (np.float32(2), TypeError),
        )
    ),
    *(
        Bad(f"{name}=(.., {value!r})", name, per_axis(value), error, shown=value)
        for name in WINDOW_ARGUMENTS
        for value, error in ((0, ValueError), (-3, ValueError), (2.0, TypeError))
    ),
    *(
        Bad(f"{name} of {what} entries", name, make, ValueError)
        for name in (*WINDOW_ARGUMENTS, "padding")
        for what, make in (
            ("n+1", lambda n: (1,) * (n + 1)),
            ("n-1", lambda n: (1,) * (n - 1) if n > 1 else (1, 1, 1)),
        )
    ),
    Bad("kernel_size=()", "kernel_size", constant(()), ValueError),
    Bad("kernel_size=None", "kernel_size", constant(None), TypeError),
    Bad("dilation=None", "dilation", constant(None), TypeError),
    Bad("padding=None", "padding", constant(None), TypeError),
    Bad("padding=-1", "padding", constant(-1), ValueError),
    Bad("padding=(.., -1)", "padding", per_axis(-1, 0), ValueError, shown=-1),
    Bad("padding=((..), (0, -1))", "padding", per_axis((0, -1), (0, 0)), ValueError, shown=-1),
    Bad("padding of a triple", "padding", per_axis((1, 1, 1), (0, 0)), ValueError),
    Bad("padding of a float", "padding", constant(1.0), TypeError),
    Bad("padding pair of floats", "padding", per_axis((0.5, 1), (0, 0)), TypeError, shown=0.5),
    Bad("padding word", "padding", constant("SAME"), ValueError),
    Bad("padding word reflect", "padding", constant("reflect"), ValueError),
    Bad("padding=2**63", "padding", constant(2**63), ValueError),
    Bad("ceil_mode='half'", "ceil_mode", constant("half"), ValueError),
    Bad("ceil_mode=2", "ceil_mode", constant(2), (TypeError, ValueError)),
    Bad("ceil_mode=None", "ceil_mode", constant(None), (TypeError, ValueError)),
    Bad("data_format=NHCW", "data_format", constant("NHCW"), ValueError),
    Bad("data_format=1", "data_format", constant(1), (TypeError, ValueError)),
    Bad("data_format=None", "data_format", constant(None), (TypeError, ValueError)),
    Bad("data_format of other axes", "data_format", lambda n: other_letters(n), ValueError),
    Bad("num_threads=0", "num_threads", constant(0), ValueError),
    Bad("num_threads=1.0", "num_threads", constant(1.0), TypeError),
    *(
        Bad(
            f"index_dtype={value!r}",
            "index_dtype",
            constant(value),
            TypeError,
            only="max",
            also={"return_indices": True},
            backward=False,
        )
        for value in (np.float64, complex, np.int8, "rubbish", ">i8")
    ),
    Bad("return_indices=1", "return_indices", constant(1), TypeError, only="max", backward=False),
    Bad("count_include_pad=1", "count_include_pad", constant(1), TypeError, only="avg"),
    Bad("count_include_pad=None", "count_include_pad", constant(None), TypeError, only="avg"),
    Bad("divisor_override=0", "divisor_override", constant(0), ValueError, only="avg"),
    Bad("divisor_override=1.5", "divisor_override", constant(1.5), TypeError, only="avg"),
    Bad("divisor_override='2'", "divisor_override", constant("2"), TypeError, only="avg"),
    *(
        Bad(f"dtype={text}", "dtype", constant(value), TypeError, only="avg", text=text)
        for value, text in (
            (np.complex64, "complex64"),
            (object, "object"),
            (bool, "bool"),
            (np.int32, "int32"),  # a mean of floats is no integer
            ("rubbish", "'rubbish'"),
        )
    ),
]


def other_letters(n: int) -> str:
    return FORMATS[n % 3 + 1]["channels_last"]


def good_x(operator: Operator) -> np.ndarray:
    n = operator.ndim or 2
    return np.arange(2 * 3 * SIDE**n, dtype=np.float32).reshape((2, 3) + (SIDE,) * n)


def marked(shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
    return np.full(shape, MARK, dtype)


def forward_with(operator: Operator, **changed: Any) -> None:
    arguments = {"kernel_size": (2,) * (operator.ndim or 2), **changed}
    kernel_size = arguments.pop("kernel_size")
    operator.forward(good_x(operator), *operator.leading, kernel_size, **arguments)


def backward_with(operator: Operator, **changed: Any) -> None:
    n = operator.ndim or 2
    arguments = {"kernel_size": (2,) * n, **changed}
    kernel_size = arguments.pop("kernel_size")
    grad_output = np.ones((2, 3) + (SIDE // 2,) * n, np.float32)
    operator.backward(grad_output, good_x(operator), *operator.leading, kernel_size, **arguments)


APPLICABLE = [
    pytest.param(operator, case, call, id=f"{operator.id}-{case.id}-{call.__name__}")
    for operator in NAMED
    for case in CASES
    if case.only in (None, operator.op)
    for call in ([forward_with, backward_with] if case.backward else [forward_with])
]


@pytest.mark.parametrize(("operator", "case", "call"), APPLICABLE)
def test_bad_argument_is_named(operator, case, call):
    n = operator.ndim
    value = case.value(n)
    results = (2, 3) + (SIDE // 2,) * n
    out = marked(results if call is forward_with else (2, 3) + (SIDE,) * n)
    written = (out, marked(results, np.int64)) if "return_indices" in case.also else out
    shown = case.text or repr(value if case.shown is None else case.shown)
    wanted = rf"^{case.argument} must .+, got {re.escape(shown)}$"
    with pytest.raises(case.error, match=wanted):
        call(operator, out=written, **case.also, **{case.argument: value})
    assert (out == MARK).all()


# ---------------------------------------------------------------- x


@pytest.mark.parametrize(
    "dtype",
    [
        "complex64",
        "complex128",
        "object",
        "S3",
        "U3",
        "datetime64[s]",
        "timedelta64[s]",
        "longdouble",
    ],
)
@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_dtypes_that_cannot_be_pooled(operator, dtype):
    if np.dtype(dtype) == np.float64:
        pytest.skip("long double is float64 here")
    x = np.zeros((2, 3) + (SIDE,) * operator.ndim, dtype)
    with pytest.raises(
        TypeError, match=rf"^x must be .*float32.*, got .*{re.escape(str(x.dtype))}"
    ):
        operator.forward(x, 2)


def test_bool_has_no_average():
    with pytest.raises(TypeError, match=r"^x must be .*, got bool"):
        cypool.avg_pool1d(np.zeros((2, 4), bool), 2)


@pytest.mark.parametrize("dtype", ["float32", "int64", "uint16"])
@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_foreign_byte_order(operator, dtype):
    swapped = np.dtype(dtype).newbyteorder()
    x = np.zeros((2, 3) + (SIDE,) * operator.ndim, swapped)
    with pytest.raises(TypeError, match=rf"^x must be .*, got .*{re.escape(swapped.str)}.*float32"):
        operator.forward(x, 2)


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_masked_arrays_are_sent_to_mask(operator):
    x = np.ma.masked_array(good_x(operator), mask=False)
    with pytest.raises(TypeError, match=r"^x must be .*mask="):
        operator.forward(x, 2)


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
@pytest.mark.parametrize("extra", [-2, -1, 2, 3])
def test_wrong_number_of_dimensions(operator, extra):
    """One axis too few or too many; the message says which shapes are taken."""
    n = operator.ndim
    ndim = n + 1 + extra
    x = np.zeros((4,) * ndim, np.float32)
    with pytest.raises(
        ValueError, match=rf"^x must have shape .*N, C.*, got .*{re.escape(str(x.shape))}"
    ):
        operator.forward(x, 2)


@pytest.mark.parametrize(
    "x", [None, 3, "text", {}, object(), [[1.0, 2.0]]], ids=lambda x: type(x).__name__
)
def test_things_that_are_no_array(x):
    with pytest.raises(TypeError, match=r"^x must be .*, got "):
        cypool.max_pool1d(x, 2)


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_no_window_fits(operator):
    """The message names the axis, its length, the padding and the window's extent."""
    n = operator.ndim
    x = np.zeros((2, 3) + (4,) * n, np.float32)
    window = {"kernel_size": (2,) * (n - 1) + (6,), "padding": ((0, 0),) * (n - 1) + ((1, 0),)}
    with pytest.raises(ValueError, match=r"^kernel_size must ") as caught:
        operator.forward(x, **window)
    text = str(caught.value)
    for part in (f"axis {x.ndim - 1}", "4", "(1, 0)", "6"):
        assert part in text
    with pytest.raises(ValueError, match=r"^kernel_size must "):
        operator.backward(np.zeros((2, 3) + (1,) * n, np.float32), x, **window)


def test_no_window_fits_by_length_alone():
    with pytest.raises(ValueError, match=r"^kernel_size must .*4"):
        cypool.pool_output_size(4, 6)
    with pytest.raises(ValueError, match=r"must be .*, got 0"):
        cypool.pool_output_size(0, 1)
    with pytest.raises(ValueError, match=r"^length must be .*, got -1"):
        cypool.pool_output_size(-1, 1)
    with pytest.raises(TypeError, match=r"^length must be .*, got 4.0"):
        cypool.pool_output_size(4.0, 1)
    with pytest.raises(ValueError, match=r"^padding must be .*, got \(1, 2\)"):
        cypool.pool_output_size(8, 2, padding=(1, 2))


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
@pytest.mark.parametrize("padding", [0, 3, "same"])
def test_pooled_axis_of_no_length(operator, padding):
    n = operator.ndim
    shape = (2, 3) + (4,) * (n - 1) + (0,)
    with pytest.raises(ValueError, match=rf"^x must have .*, got .*0.*axis {len(shape) - 1}"):
        operator.forward(np.zeros(shape, np.float32), 2, padding=padding)


OVERFLOWS = {
    "extent": {"kernel_size": 3, "dilation": 2**62},
    "extent_just": {"kernel_size": 2**32 + 1, "dilation": 2**31},
    "padded_length": {"kernel_size": 1, "stride": 1, "padding": 2**62},
    "outputs": {"kernel_size": 2, "stride": 1, "padding": INT64_MAX // 2},
    "largest_kernel": {"kernel_size": INT64_MAX, "padding": INT64_MAX},
    "same": {"kernel_size": INT64_MAX, "dilation": INT64_MAX, "padding": "same"},
    "stride": {"kernel_size": 1, "stride": INT64_MAX, "padding": INT64_MAX // 2 + 1},
}


@pytest.mark.parametrize("window", OVERFLOWS.values(), ids=OVERFLOWS)
@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_sizes_beyond_64_bits(operator, window):
    with pytest.raises(
        ValueError, match=r"^(kernel_size|dilation|padding|stride)\b.* must .*, got "
    ):
        forward_with(operator, **window)
    with pytest.raises(
        ValueError, match=r"^(kernel_size|dilation|padding|stride)\b.* must .*, got "
    ):
        backward_with(operator, **window)
    with pytest.raises(
        ValueError, match=r"^(kernel_size|dilation|padding|stride)\b.* must .*, got "
    ):
        cypool.pool_output_size(SIDE, **window)


@pytest.mark.parametrize(("ndim", "kernel"), [(2, 2**32), (3, 2**21), (3, 2**31)])
def test_divisor_beyond_64_bits(ndim, kernel):
    """A product of tap counts that 64 bits do not hold is refused, unless it is not used."""
    function, backward = (
        getattr(cypool, f"avg_pool{ndim}d{suffix}") for suffix in ("", "_backward")
    )
    x = np.ones((1,) + (2,) * ndim, np.float32)
    window = {"kernel_size": kernel, "stride": 1, "padding": "same"}
    with pytest.raises(ValueError, match=r"^kernel_size\b.* must .*, got "):
        function(x, **window)
    with pytest.raises(ValueError, match=r"^kernel_size\b.* must .*, got "):
        backward(x, x, **window)
    assert (function(x, **window, count_include_pad=False) == 1).all()
    assert (function(x, **window, divisor_override=2) == 2 ** (ndim - 1)).all()


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_results_too_large_for_any_address_space(operator):
    """Every axis fits 64 bits; the bytes of the result do not, or no memory could hold them."""
    if operator.ndim > 1:
        with pytest.raises(ValueError, match=r"must .*, got "):
            forward_with(operator, kernel_size=1, stride=1, padding=2**40)
    with pytest.raises((MemoryError, ValueError)):
        forward_with(operator, kernel_size=1, stride=1, padding=2**59)


# ---------------------------------------------------------------- backward


def backward_of(operator: Operator, grad_output: Any, x: Any, **more: Any) -> np.ndarray:
    return operator.backward(grad_output, x, *operator.leading, (2,) * (operator.ndim or 2), **more)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_grad_output_of_another_shape(operator):
    n = operator.ndim or 2
    x, out = good_x(operator), marked((2, 3) + (SIDE,) * n)
    right = (2, 3) + (SIDE // 2,) * n
    for shape in (right[:-1], (1, *right), (*right[:-1], SIDE // 2 + 1), (1, *right[1:]), (0,)):
        grad_output = np.ones(shape, np.float32)
        wanted = rf"^grad_output must .*{re.escape(str(right))}.*, got .*{re.escape(str(shape))}"
        with pytest.raises(ValueError, match=wanted):
            backward_of(operator, grad_output, x, out=out)
    assert (out == MARK).all()


@pytest.mark.parametrize(
    "dtype", ["int64", "uint8", "bool", "complex64", "object", ">f4", "longdouble"]
)
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_grad_output_that_is_not_floating(operator, dtype):
    n = operator.ndim or 2
    grad_output = np.ones((2, 3) + (SIDE // 2,) * n, dtype)
    if grad_output.dtype == np.float64:
        pytest.skip("long double is float64 here")
    shown = re.escape(str(grad_output.dtype))
    with pytest.raises(TypeError, match=rf"^grad_output must be .*, got .*{shown}"):
        backward_of(operator, grad_output, good_x(operator))


SELECTING = [operator for operator in OPERATORS if operator.selects]


@pytest.mark.parametrize("where", ["first", "last"])
@pytest.mark.parametrize("bad", [-2, SIDE, 2**31, -(2**40)], ids=str)
@pytest.mark.parametrize("operator", SELECTING, ids=lambda operator: operator.id)
def test_index_out_of_its_plane(operator, bad, where):
    n = operator.ndim or 2
    bad = SIDE**n if bad == SIDE else bad
    x, out = good_x(operator), marked((2, 3) + (SIDE,) * n)
    grad_output = np.ones((2, 3) + (SIDE // 2,) * n, np.float32)
    indices = np.zeros(grad_output.shape, np.int64)
    indices.flat[0 if where == "first" else -1] = bad
    for given in (x, x.shape):
        with pytest.raises(ValueError, match=rf"^indices must be .*, got .*{bad}"):
            backward_of(operator, grad_output, given, indices=indices, out=out)
        assert (out == MARK).all()
    indices.flat[:] = SIDE**n - 1  # the last of the plane is fine
    backward_of(operator, grad_output, x, indices=indices)


@pytest.mark.parametrize("operator", SELECTING, ids=lambda operator: operator.id)
def test_indices_of_another_shape_or_dtype(operator):
    n = operator.ndim or 2
    x = good_x(operator)
    grad_output = np.ones((2, 3) + (SIDE // 2,) * n, np.float32)
    wrong = np.zeros((2, 3) + (SIDE // 2,) * (n - 1) + (1,), np.int64)
    with pytest.raises(ValueError, match=rf"^indices must .*, got .*{re.escape(str(wrong.shape))}"):
        backward_of(operator, grad_output, x, indices=wrong)
    for dtype in ("float64", "bool", "complex128", "object"):
        with pytest.raises(TypeError, match=rf"^indices must be .*, got .*{dtype}"):
            backward_of(operator, grad_output, x, indices=np.zeros(grad_output.shape, dtype))


@pytest.mark.parametrize("operator", SELECTING, ids=lambda operator: operator.id)
def test_a_shape_alone_has_no_winners(operator):
    n = operator.ndim or 2
    grad_output = np.ones((2, 3) + (SIDE // 2,) * n, np.float32)
    with pytest.raises(TypeError, match=r"^x must be .*indices=.*, got "):
        backward_of(operator, grad_output, good_x(operator).shape)


@pytest.mark.parametrize(
    ("shape", "error"),
    [((2, 3, -6), ValueError), ((2, 3, 6.0), TypeError), ((2, 3, 0), ValueError)],
)
def test_shapes_that_no_array_has(shape, error):
    with pytest.raises(error, match=r"^(the shape given as )?x must .+, got "):
        cypool.avg_pool1d_backward(np.ones((2, 3, 3), np.float32), shape, 2)


@pytest.mark.parametrize("op", ["median", "mode", "logsumexp", "soft", "stochastic"])
def test_windows_of_more_taps_than_there_are_addresses(op):
    x = np.broadcast_to(np.int8(1), (2**59,))
    with pytest.raises(MemoryError):
        cypool.pool(x, op, 2**59, axes=0)
    with pytest.raises(MemoryError):
        cypool.global_pool(x, op, axes=0)


def test_more_adaptive_windows_than_there_is_memory():
    with pytest.raises(MemoryError):
        cypool.adaptive_max_pool1d(np.zeros((1, 10), np.int8), 2**58)
    for length, outputs in ((10, 2**40), (2**60, 3), (2**60, 2**58)):
        x = np.zeros((0, length), np.int8)
        assert cypool.adaptive_max_pool1d(x, outputs).shape == (0, outputs)
    with pytest.raises(MemoryError):
        cypool.adaptive_pool_backward(np.ones(3), (2**58,), "avg", 3, axes=0)
    x = np.broadcast_to(np.zeros((0, 1)), (0, 2**50))
    tables = {"sequences": [[0, 5, 2**50]], "axes": 1}
    assert cypool.fractional_pool(x, "max", None, **tables).shape == (0, 2)
    with pytest.raises(MemoryError):
        cypool.fractional_pool_backward(np.ones((1, 2)), (1, 2**50), "avg", None, **tables)


class Contrary:
    """What other libraries' arrays do when NumPy cannot see them."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("call detach() first")


@pytest.mark.parametrize("operator", NAMED, ids=lambda operator: operator.id)
def test_array_likes_that_fail(operator):
    with pytest.raises(TypeError, match=r"x must be an array.*Contrary \(call detach\(\) first"):
        operator.forward(Contrary(), 2)


def test_numbers_of_thousands_of_digits():
    with pytest.raises(ValueError, match="kernel_size must be at most"):
        cypool.max_pool1d(np.ones((1, 4)), 10**5000)
    with pytest.raises(ValueError, match="stride must be at least"):
        cypool.max_pool1d(np.ones((1, 4)), 2, -(10**5000))


@pytest.mark.parametrize("bad", ["float32", "int8", object, 8])
def test_index_dtype_where_no_indices_are_wanted(bad):
    with pytest.raises(TypeError, match="index_dtype must be int32 or int64"):
        cypool.pool(np.ones((1, 4, 4)), "max", (2, 2), index_dtype=bad)


def test_no_warning_becomes_an_error():
    """Of what is not finite or loses digits: it is passed on, whatever NumPy is told to do."""
    x = np.full((2, 3, 4, 4), 1e-38, np.float32)
    mask = np.ones((4, 4), bool)
    with np.errstate(all="raise"):
        y = cypool.pool(x, "avg", (2, 2), mask=mask)
        cypool.pool_backward(y, x, "avg", (2, 2), mask=mask)

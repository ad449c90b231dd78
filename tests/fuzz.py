"""Random calls of every public function, right, wrong and absurd: ``python tests/fuzz.py``.

Nothing but ValueError, TypeError and MemoryError may come out of a call, `out` must be untouched if
one does, inputs must be untouched in any case, and whatever a call returns must be what the oracle
says. Every call follows from the seed and its number alone: `--seed S --only N` makes it again. Not
part of the suite, as it has no end; best run under the sanitizers, see ``.ci/sanitize``.
"""

from __future__ import annotations

import argparse
import array
import contextlib
import faulthandler
import math
import operator as operators
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import oracle
from arrays import MEMORY, flavours, make_values
from judging import assert_matches, assert_same
from registry import FLOATS, PARTIAL, Operator, dtype_of

import cypool

ALLOWED = (ValueError, TypeError, MemoryError)
NOT_MADE = (*ALLOWED, OverflowError, IndexError)  # from NumPy, where an odd array cannot be had
WORK = 3_000_000  # taps of a call, at most: no call may take for ever
JUDGED = 30_000  # taps of a call that the oracle is asked about
MEMORY_LIMIT = 3 << 30
SECONDS_A_CALL = 300
BIG = (2**15, 2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**53, 2**57, 2**60, 2**61, 2**62, 2**63 - 1)
MARK = 77


# ---------------------------------------------------------------- values


class Index:
    """An integer to operator.index alone."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __index__(self) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    def __repr__(self) -> str:
        return f"Index({self.value!r})"


class Subclass(np.ndarray):
    """An ndarray that is not one to `type(x) is ndarray`."""


class Liar(np.ndarray):
    """An array that says it is larger than it is."""

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(2**20 * n for n in np.asarray(self).shape)

    def __repr__(self) -> str:
        return f"Liar({np.asarray(self)!r})"


class Resizing:
    """A kernel size, on asking for which an array changes its shape."""

    def __init__(self, target: np.ndarray, value: int) -> None:
        self.target, self.value = target, value

    def __index__(self) -> int:
        with contextlib.suppress(AttributeError, ValueError):
            self.target.shape = (self.target.size,)
        return self.value


class HasArray:
    """Something with __array__."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __array__(self, *args: Any, **keywords: Any) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def odd_integer(rng: random.Random) -> Any:
    """What may stand where an integer should."""
    big = rng.choice(BIG) + rng.choice((0, 0, -1, 1, rng.randrange(-100, 100)))
    small = rng.randrange(1, 6)
    return rng.choice(
        (
            0,
            -1,
            -2,
            -big,
            big,
            big,
            big,
            2**63,
            -(2**63),
            2**64,
            10**30,
            -(10**30),
            True,
            False,
            np.True_,
            1.0,
            2.5,
            math.nan,
            math.inf,
            1j,
            "2",
            "",
            b"2",
            None,
            (),
            [],
            {},
            ...,
            np.nan,
            np.int8(small),
            np.uint64(2**63),
            np.uint64(small),
            np.array(small),
            np.array([small]),
            np.float32(2),
            np.datetime64(1, "s"),
            Index(small),
            Index(big),
            Index("1"),
            Index(2**70),
            object,
            int,
            slice(None),
            float("1e300"),
            (small,),
            [small] * 2,
            (small,) * 3,
            (small, (small, small)),
            np.array([[1, 1], [1, 1]]),
        )
    )


def odd_array(rng: random.Random, like: np.ndarray) -> Any:
    """What may stand where an array should."""
    plain = np.array(like, subok=False)
    kinds = [
        lambda: plain.astype(rng.choice(("c8", "O", "S3", "U2", "longdouble", "float32", "int64"))),
        lambda: plain.astype(rng.choice((">f4", ">i8", ">f2", ">u2"))),
        lambda: np.zeros(plain.shape, rng.choice(("M8[s]", "m8[s]", "V3", [("a", "f4")], "?"))),
        lambda: plain.tolist(),
        lambda: plain.view(Subclass),
        lambda: np.ma.masked_array(plain),
        lambda: HasArray(plain),
        lambda: HasArray(rng.choice((None, 3, [1], ValueError("no")))),
        lambda: plain[..., None],
        lambda: plain[0] if len(plain.shape) else plain,
        lambda: plain[:0],
        lambda: plain[..., :0],
        lambda: plain.reshape(-1),
        lambda: plain.sum(),
        lambda: None,
        lambda: "an array",
        lambda: 3.0,
        lambda: {},
        lambda: plain.shape,
        lambda: memoryview(plain) if plain.dtype.name != "bfloat16" else b"",
        lambda: plain.tobytes(),
        lambda: bytearray(16),
        lambda: array.array("d", [1.0, 2.0]),
        lambda: np.broadcast_to(plain.ravel()[:1], (rng.choice(BIG[:8]),)),
        lambda: np.broadcast_to(
            plain, (*rng.choice(((2**20,), (2**40,), (0, 2**40))), *plain.shape)
        ),
        lambda: np.lib.stride_tricks.as_strided(
            plain, plain.shape, [rng.choice((0, 0, plain.itemsize)) for _ in plain.shape]
        ),
        lambda: np.matrix(plain) if plain.ndim <= 2 else plain,
        lambda: [plain.shape[0], *plain.shape],
        lambda: tuple(odd_integer(rng) for _ in plain.shape),
        lambda: plain.reshape((1,) * (40 - plain.ndim) + plain.shape),
        lambda: np.moveaxis(plain, 0, -1),
        lambda: np.zeros(()),
        lambda: np.empty((0,) * 3),
    ]
    return rng.choice(kinds)()


# ---------------------------------------------------------------- calls


@dataclass
class Call:
    """One call: what is called, and by which arguments."""

    operator: Operator
    backward: bool
    arguments: dict[str, Any]
    valid: bool = True  # nothing odd was put in

    def __repr__(self) -> str:
        name = self.operator.name + ("_backward" if self.backward else "")
        return f"{name}({', '.join(f'{k}={shown(v)}' for k, v in self.arguments.items())})"

    def __call__(self) -> Any:
        function = self.operator.backward if self.backward else self.operator.forward
        return function(**self.arguments)


def shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        kind = type(value).__name__
        return (
            f"<{kind} {value.dtype} {np.asarray(value).shape} strides {value.strides} "
            f"{np.asarray(value).ravel()[:3] if value.size < 1000 else ''}>"
        )
    return repr(value)[:200]


def memory(rng: random.Random, values: np.ndarray, writeable: bool = False) -> np.ndarray:
    kinds = [
        kind
        for kind in MEMORY
        if not (writeable and kind in ("broadcast", "broadcast_first", "read_only", "misaligned"))
    ]
    kind = rng.choice(kinds)
    return values if values.size == 0 else MEMORY[kind](values)


def some(rng: random.Random, shape: tuple[int, ...], dtype: np.dtype, kinds: Any = None) -> Any:
    return make_values(shape, dtype, rng.choice(kinds or flavours(dtype)), rng.randrange(2**16))


def maybe_one(rng: random.Random, values: list[Any]) -> Any:
    """One number for all axes where they agree."""
    if len(set(values)) == 1 and rng.random() < 0.5:
        return values[0]
    return rng.choice((tuple, list))(values)


def right_call(rng: random.Random) -> Call:
    """A call that has to succeed."""
    operator = rng.choice(PARTIAL)
    n = operator.ndim or rng.randrange(1, 4)
    lengths = [rng.randrange(1, (40, 10, 6)[n - 1]) for _ in range(n)]
    if rng.random() < 0.05:
        lengths[rng.randrange(n)] *= 40
    kernel = [rng.choice((1, 2, 2, 3, 3, 5, rng.randrange(1, 25))) for _ in range(n)]
    stride = [rng.randrange(1, 5) for _ in range(n)]
    dilation = [rng.choice((1, 1, 1, 2, 3, 7)) for _ in range(n)]
    padding: Any = [(rng.randrange(4), rng.randrange(4)) for _ in range(n)]
    for i in range(n):  # every window has to fit
        extent = dilation[i] * (kernel[i] - 1) + 1
        short = max(0, extent - lengths[i] - sum(padding[i]))
        if rng.random() < 0.5:
            lengths[i] += short
        else:
            padding[i] = (padding[i][0] + short // 2, padding[i][1] + short - short // 2)
    if rng.random() < 0.15:  # windows as large as numbers are
        i = rng.randrange(n)
        big = rng.choice(BIG[:-2]) // 4
        kernel[i], dilation[i] = rng.choice(((2 * big, 1), (3, big), (2 * big + 1, 1)))
        padding[i] = (big, big + rng.choice((0, 1, 5)))
        if rng.random() < 0.3:
            stride[i] = rng.choice((big, 2 * big, 3))
        if rng.random() < 0.3:
            padding[i] = (2 * big, 2 * big)
            stride[i] = big
    words = rng.random() < 0.1
    if words:
        padding = rng.choice(("same", "same_lower"))
    outer = [rng.choice((1, 1, 2, 3, rng.choice((0, 17)))) for _ in range(rng.choice((1, 2)))]
    dtype = (
        dtype_of(rng.choice(operator.dtypes))
        if oracle.BFLOAT16
        else dtype_of(rng.choice([name for name in operator.dtypes if name != "bfloat16"]))
    )
    arguments: dict[str, Any] = {}
    last = rng.random() < 0.4
    if operator.ndim is None and rng.random() < 0.6:
        outer = [rng.choice((1, 2, 3, 5)) for _ in range(rng.randrange(4))]
        ndim = n + len(outer)
        axes = rng.sample(range(ndim), n)
        rest = iter(outer)
        where = dict(zip(axes, lengths, strict=True))
        shape = tuple(where[i] if i in where else next(rest) for i in range(ndim))
        arguments["axes"] = tuple(a - rng.choice((0, ndim)) for a in axes)
    else:
        front, back = (outer[:-1], outer[-1:]) if last else (outer, [])
        shape = (*front, *lengths, *back)
        if last:
            arguments["data_format"] = "channels_last"
    x = memory(rng, some(rng, shape, dtype))
    arguments |= {"x": x, "kernel_size": tuple(kernel)}
    if operator.leading:
        arguments["op"] = operator.leading[0]
    if operator.ndim is not None or "axes" in arguments:
        arguments["kernel_size"] = maybe_one(rng, kernel)
    if rng.random() < 0.8 or words or max(kernel) > 100:
        arguments["stride"] = maybe_one(rng, stride)
    if words or any(map(any, padding)):
        arguments["padding"] = padding
    if rng.random() < 0.9 or max(dilation) > 1:
        arguments["dilation"] = maybe_one(rng, dilation)
    if rng.random() < 0.5:
        arguments["ceil_mode"] = rng.choice((False, True, "full"))
    for name, values in operator.keywords.items():
        if rng.random() < 0.4:
            arguments[name] = rng.choice(values)
    if operator.ndim is None and rng.random() < 0.4:
        drop = rng.randrange(len(shape))
        kept = [rng.choice((1, m)) for m in shape[drop:]]
        arguments["mask"] = memory(rng, some(rng, tuple(kept), np.dtype(bool)))
    if rng.random() < 0.4:
        arguments["num_threads"] = rng.choice((1, 2, 3, 7, None))
    if operator.selects and rng.random() < 0.5:
        arguments["return_indices"] = True
        if rng.random() < 0.5:
            arguments["index_dtype"] = rng.choice(("int32", np.int64, "i4", np.dtype("q")))
    call = Call(operator, False, arguments)
    found = geometry_of(call)
    if found is None or math.prod(found.output) > 10**6:
        return right_call(rng)
    return to_backward(rng, call, found) if rng.random() < 0.4 else with_out(rng, call, found)


def with_out(rng: random.Random, call: Call, found: Geometry) -> Call:
    if rng.random() < 0.4:
        dtype = result_dtype(call)
        out = memory(rng, np.full(found.output, MARK).astype(dtype), writeable=True)
        if call.arguments.get("return_indices"):
            kind = np.dtype(call.arguments.get("index_dtype", np.int64))
            index = memory(rng, np.full(found.output, MARK).astype(kind), writeable=True)
            call.arguments["out"] = rng.choice(
                ((out, index), [out, index], (out, None), (None, None))
            )
        else:
            call.arguments["out"] = out
    return call


def to_backward(rng: random.Random, call: Call, found: Geometry) -> Call:
    dtype = dtype_of(rng.choice([name for name in FLOATS if oracle.BFLOAT16 or name != "bfloat16"]))
    # Small whole numbers, so that sums of them have but one value.
    grad = memory(rng, some(rng, found.output, dtype, ("ties",)))
    call.arguments["grad_output"] = grad
    call.backward = True
    x = call.arguments["x"]
    if call.operator.selects and rng.random() < 0.5:
        plane = math.prod(x.shape[a] for a in found.axes)
        kind = rng.choice((np.int32, np.int64))
        values = np.random.default_rng(rng.randrange(2**16)).integers(-1, plane, found.output)
        call.arguments["indices"] = memory(rng, values.astype(kind))
        if rng.random() < 0.5:
            call.arguments["x"] = x.shape
    elif not call.operator.selects and rng.random() < 0.3:
        call.arguments["x"] = x.shape
    if rng.random() < 0.4:
        call.arguments["out"] = memory(rng, np.full(x.shape, MARK).astype(dtype), writeable=True)
    return call


def spoil(rng: random.Random, call: Call, hostile: bool) -> None:
    """Put something odd into one to three arguments."""
    call.valid = False
    arguments = call.arguments
    names = [
        "kernel_size",
        "stride",
        "padding",
        "dilation",
        "ceil_mode",
        "return_indices",
        "num_threads",
        "data_format",
        "index_dtype",
        "divisor_override",
        "count_include_pad",
        "dtype",
        "axes",
        "mask",
        "op",
        "x",
        "out",
        "grad_output",
        "indices",
        "unknown",
    ]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        name = rng.choice([*names, *arguments])
        now = arguments.get(name)
        if isinstance(now, np.ndarray) and rng.random() < 0.9:
            if name == "indices" and now.size and rng.random() < 0.6:
                bad = np.array(now, order="C")
                bad.reshape(-1)[rng.randrange(bad.size)] = rng.choice((-2, 2**31 - 1, -(2**31)))
                arguments[name] = bad
            elif (
                name == "out" and isinstance(arguments.get("x"), np.ndarray) and rng.random() < 0.3
            ):
                arguments[name] = arguments["x"]
            else:
                with contextlib.suppress(*NOT_MADE):
                    arguments[name] = odd_array(rng, now)
        elif isinstance(now, (tuple, list)) and now and rng.random() < 0.6:
            changed: list[Any] = list(now)
            changed[rng.randrange(len(changed))] = odd_integer(rng)
            arguments[name] = type(now)(changed)
        elif name in ("dtype", "index_dtype"):
            arguments[name] = rng.choice(
                (
                    "float16",
                    "float32",
                    "f8",
                    "i1",
                    "i4",
                    "i8",
                    "u8",
                    "u4",
                    "?",
                    "c8",
                    "O",
                    "S",
                    ">i4",
                    ">f8",
                    np.int64,
                    int,
                    float,
                    "nonsense",
                    3,
                    None,
                    [("a", "i4")],
                    np.dtype("V8"),
                )
            )
        elif name == "ceil_mode":
            arguments[name] = rng.choice((*["full", "True"], 0, 1, None, 2.0, [], np.True_))
        elif name == "data_format":
            arguments[name] = rng.choice(("NCHW", "NHWC", "NLC", "NCDHW", "channels", 3, None, b""))
        elif name == "op":
            arguments[name] = rng.choice(("max", "mean", "sum", "Max", "medium", None, 3, ["max"]))
        elif name == "padding" and rng.random() < 0.3:
            arguments[name] = rng.choice(
                ("SAME", "valid", "same", b"same", ((1, 2), 3), ((1, 2, 3),))
            )
        elif name in ("x", "mask", "out", "grad_output", "indices"):
            with contextlib.suppress(*NOT_MADE):
                arguments[name] = odd_array(rng, np.ones((2, 3, 4), np.float32))
        elif name == "unknown":
            arguments[rng.choice(("mask", "indices", "axes", "dtype", "anything"))] = odd_integer(
                rng
            )
        else:
            arguments[name] = odd_integer(rng)
        if rng.random() < 0.1:
            arguments.pop(rng.choice(list(arguments)), None)
    if hostile and rng.random() < 0.1:
        arrays = [name for name, v in arguments.items() if type(v) is np.ndarray]
        if arrays and rng.random() < 0.5:
            name = rng.choice(arrays)
            arguments[name] = arguments[name].view(Liar)
        elif arrays:
            arguments["kernel_size"] = Resizing(arguments[rng.choice(arrays)], rng.randrange(1, 5))


# ---------------------------------------------------------------- what a call means


@dataclass
class Geometry:
    """A call's arguments as the oracle takes them."""

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    windows: dict[str, Any]
    output: tuple[int, ...]
    work: int  # taps of all windows


def integer(value: Any, least: int) -> int:
    if isinstance(value, (bool, np.bool_)):
        raise TypeError
    value = operators.index(value)
    if not least <= value < 2**63:
        raise ValueError
    return value


def is_sequence(value: Any) -> bool:
    return isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def each(value: Any, n: int, least: int) -> list[int]:
    values = list(value) if is_sequence(value) else [value] * n
    if len(values) != n:
        raise ValueError
    return [integer(v, least) for v in values]


def geometry_of(call: Call) -> Geometry | None:
    """None where the arguments do not say windows."""
    try:
        return _geometry_of(call)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        return None


def _geometry_of(call: Call) -> Geometry:
    arguments = call.arguments
    x = arguments["x"]
    if isinstance(x, tuple):
        shape = tuple(integer(n, 0) for n in x)
    else:
        shape = np.asarray(x if hasattr(x, "__array__") else memoryview(x)).shape
    kernel_size, axes = arguments["kernel_size"], arguments.get("axes")
    n = call.operator.ndim
    if n is None and axes is None:
        n = len(kernel_size)
    if n is None or (call.operator.ndim is None and axes is not None):
        given = axes if is_sequence(axes) else (axes,)
        n, ndim = len(given), len(shape)
        axes = tuple(integer(a, -ndim) % ndim for a in given if integer(a, -ndim) < ndim)
        if len(set(axes)) != n or not 1 <= n <= 3:
            raise ValueError
    else:
        form = arguments.get("data_format", "channels_first")
        first = ("channels_first", {1: "NCL", 2: "NCHW", 3: "NCDHW"}[n])
        last = ("channels_last", {1: "NLC", 2: "NHWC", 3: "NDHWC"}[n])
        if form not in (*first, *last) or len(shape) not in (n + 1, n + 2):
            raise ValueError
        start = len(shape) - n - (form in last)
        axes = tuple(range(start, start + n))
    kernel = each(kernel_size, n, 1)
    stride = arguments.get("stride")
    empty = stride is None or (is_sequence(stride) and len(stride) == 0)
    strides = kernel if empty else each(stride, n, 1)
    dilations = each(arguments.get("dilation", 1), n, 1)
    padding = arguments.get("padding", 0)
    if isinstance(padding, str):
        if padding not in ("valid", "same", "same_lower"):
            raise ValueError
    elif is_sequence(padding) and len(padding) and is_sequence(padding[0]):
        padding = [tuple(each(p if is_sequence(p) else (), 2, 0)) for p in padding]
        if len(padding) != n:
            raise ValueError
    else:
        padding = [(p, p) for p in each(padding, n, 0)]
    ceil_mode = arguments.get("ceil_mode", False)
    if isinstance(ceil_mode, (bool, np.bool_)):
        ceil_mode = bool(ceil_mode)
    elif not (isinstance(ceil_mode, str) and ceil_mode == "full"):
        raise TypeError
    output, work = list(shape), 1
    for i, a in enumerate(axes):
        pad = padding if isinstance(padding, str) else padding[i]
        if shape[a] < 1:
            raise ValueError
        count, *_ = oracle.output_length(
            shape[a], kernel[i], strides[i], pad, dilations[i], ceil_mode
        )
        if count < 1:
            raise ValueError
        output[a] = count
        work *= count * min(kernel[i], shape[a])
    for a in range(len(shape)):
        work *= 1 if a in axes else max(shape[a], 1)
    windows = {
        "kernel_size": kernel,
        "stride": strides,
        "padding": padding,
        "dilation": dilations,
        "ceil_mode": ceil_mode,
    }
    return Geometry(shape, axes, windows, tuple(output), max(work, math.prod(shape)))


def result_dtype(call: Call) -> np.dtype:
    asked, dtype = call.arguments.get("dtype"), call.arguments["x"].dtype
    if asked is not None:
        return np.dtype(asked)
    if call.operator.op == "sum" and dtype.kind in "bui":
        return np.dtype(np.uint64 if dtype.kind == "u" else np.int64)
    return dtype


def clipped_windows(
    length: int, kernel: int, stride: int, padding: Any, dilation: int, ceil_mode: Any
) -> list[oracle.Window]:
    """oracle.axis_windows without looking at every tap, of which there may be 2**60."""
    count, before, after = oracle.output_length(
        length, kernel, stride, padding, dilation, ceil_mode
    )
    found = []
    for number in range(count):
        start = number * stride - before
        first = max(0, -(start // dilation))
        real = range(start + first * dilation, min(length, start + kernel * dilation), dilation)
        counted = max(0, (length + after - 1 - start) // dilation + 1)
        found.append(oracle.Window(list(real), min(kernel, counted)))
    return found


def judge(call: Call, found: Geometry, result: Any) -> None:
    """Hold a result against the oracle's."""
    arguments, operator = call.arguments, call.operator
    x = arguments["x"]
    if not isinstance(x, tuple):
        x = np.asarray(x if hasattr(x, "__array__") else memoryview(x))
    op = arguments.get("op", operator.op)
    op = op if op in oracle.FORWARD else operator.op
    params = {
        name: arguments[name]
        for name in ("count_include_pad", "divisor_override", "dtype")
        if name in arguments
    }
    mask = arguments.get("mask")
    shared = {**found.windows, "axes": found.axes, "mask": mask, **params}
    if call.backward:
        indices = arguments.get("indices")
        grad = np.asarray(arguments["grad_output"])
        if indices is not None:
            assert_same(np.asarray(result), gathered(grad, np.asarray(indices), found))
            return
        x = np.zeros(x) if isinstance(x, tuple) else x
        assert_matches(np.asarray(result), oracle.pool_backward(grad, x, op, **shared))
        return
    expected = oracle.pool(x, op, **shared)
    if arguments.get("return_indices"):
        kind = np.dtype(arguments.get("index_dtype", np.int64))
        assert_same(np.asarray(result[1]), expected.indices.astype(kind))
        result = result[0]
    assert_matches(np.asarray(result), expected)


def gathered(grad: np.ndarray, indices: np.ndarray, found: Geometry) -> np.ndarray:
    """Gradients (whole numbers) added up at the given indices."""
    axes = sorted(found.axes)
    last = range(-len(axes), 0)
    plane = [found.shape[a] for a in axes]
    outer = [n for a, n in enumerate(found.shape) if a not in axes]
    total = np.zeros((math.prod(outer), math.prod(plane)))
    windows = math.prod(found.output[a] for a in axes)
    g = np.moveaxis(grad, axes, last).reshape(len(total), windows).astype(np.float64)
    k = np.moveaxis(indices, axes, last).reshape(len(total), windows)
    rows = np.broadcast_to(np.arange(len(total))[:, None], k.shape)
    np.add.at(total, (rows[k >= 0], k[k >= 0]), g[k >= 0])
    return np.moveaxis(total.reshape(*outer, *plane), last, axes).astype(grad.dtype)


# ---------------------------------------------------------------- trying


def arrays_of(call: Call) -> list[tuple[str, np.ndarray]]:
    found = []
    for name, value in call.arguments.items():
        for part in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(part, np.ndarray):
                found.append((name, np.asarray(part)))
    return found


def image(a: np.ndarray) -> bytes | None:
    """What an array holds, if that is little."""
    return a.tobytes() if a.nbytes < 1 << 20 and a.dtype.kind != "O" else None


def attempt(call: Call) -> str:
    """Make the call; what became of it, in a word. Raises AssertionError for a fault."""
    found = geometry_of(call)
    if (
        found is not None
        and (found.work > WORK or math.prod(found.output) > WORK)
        and not (2**50 < math.prod(found.output) < 2**59)
    ):
        # Too long, and there is memory for it.
        return "skipped"
    before = [(name, a, image(a)) for name, a in arrays_of(call)]
    error: BaseException | None = None
    result = None
    try:
        result = call()
    except ALLOWED as e:
        error = e
    for name, a, was in before:
        if was is not None and (name != "out" or error is not None):
            assert image(a) == was, f"{name} was changed{f' before {error!r}' if error else ''}"
    if error is not None:
        if call.valid and not may_be_refused(call, found):
            raise AssertionError(f"refused: {error!r}") from error
        return type(error).__name__
    if any(isinstance(value, Resizing) for value in call.arguments.values()):
        return "not judged"
    assert found is not None, f"accepted, with a result of {shown(result)}"
    if (
        found.work > JUDGED
        or math.prod(found.shape) > JUDGED
        or (call.arguments.get("op") is None and (call.operator.leading))
    ):
        return "not judged"
    judge(call, found, result)
    # Made again, it may go the way of calls that are remembered.
    first = [np.array(value) for value in (result if isinstance(result, tuple) else (result,))]
    result = call()
    for was, value in zip(first, result if isinstance(result, tuple) else (result,), strict=True):
        assert_same(np.asarray(value), was)
    return "right"


def may_be_refused(call: Call, found: Geometry | None) -> bool:
    """Sizes and divisors beyond 64 bits, in a call made of legal arguments."""
    assert found is not None
    w = found.windows
    reach = [
        max(d * (k - 1) + 1, s) + n + (0 if isinstance(w["padding"], str) else sum(p))
        for d, k, s, n, p in zip(
            w["dilation"],
            w["kernel_size"],
            w["stride"],
            [found.shape[a] for a in found.axes],
            w["padding"] if not isinstance(w["padding"], str) else [()] * 3,
            strict=False,
        )
    ]
    if max(reach) >= 2**61:
        return True
    return math.prod(w["kernel_size"]) >= 2**63 and call.operator.op == "avg"


def other_function(rng: random.Random) -> str:
    """The public functions that do not pool."""

    def number() -> Any:
        return rng.randrange(1, 9) if rng.random() < 0.4 else odd_integer(rng)

    kind = rng.randrange(5)
    try:
        if kind == 0:
            given = [number() for _ in range(rng.randrange(1, 6))]
            count = cypool.pool_output_size(*given)
            plain = [given[0], *(given[1:] + [None, 0, 1][len(given) - 2 :])[:4]]
            assert type(count) is int
            assert count >= 1, plain
        elif kind == 1:
            value = number()
            with cypool.threads(value):
                assert 1 <= cypool.get_num_threads() <= operators.index(value)
        elif kind == 2:
            cypool.set_num_threads(number())
        elif kind == 3:
            repr(cypool.show_config())
        else:
            layer = cypool.layers.Pool(
                rng.choice(("max", "min", "avg", "sum", "other")),
                number(),
                number(),
                axes=number(),
                **{"dtype": "f8"} if rng.random() < 0.2 else {},
            )
            repr(layer)
            y = layer(some(rng, (3, 4, 5), np.dtype(np.float32)))
            layer.backward(y)
    except ALLOWED as error:
        return type(error).__name__
    finally:
        cypool.set_num_threads(None)
    return "fine"


# Arguments that the operators beside the oracle's have of their own, right values and wrong ones.
FURTHER: dict[str, dict[str, tuple[Any, ...]]] = {
    "lp": {"p": (1, 2, 3.5, math.inf, 0, -1, math.nan, "2", None)},
    "gem": {"p": (1, 2, 3.5, 0, math.inf, "2"), "eps": (None, 0.5, 1e-6, -1, math.nan, "a")},
    "logsumexp": {"beta": (1.0, -2, 0, math.inf, "1"), "mean": (False, True, 2)},
    "soft": {},
    "median": {"quantile": (0.5, 0, 1, 0.25, 2, -1, math.nan, "0.5")},
    "mode": {},
    "stochastic": {"rng": (0, None, -1, "a"), "training": (True, False)},
}
ODD_SIZES = (-1, 0, 1, 2, 3, 5, True, 2.0, "2", None, np.int64(2), 2**62, 2**63, (), (1, 2),
             (2, 2, 2), [2, "x"], math.nan)


def further_function(rng: random.Random, hostile: bool) -> str:
    """Operators that the oracle does not know: nothing but refusals may come of a wrong call."""
    axes = rng.randrange(1, 4)
    shape = tuple(rng.randrange(1, 9) for _ in range(axes + 2))
    dtype = dtype_of(rng.choice(
        ("float32", "float64", "float16", "uint8", "int16", "int64", "bool")))
    x = memory(rng, some(rng, shape, dtype))
    op = rng.choice((*FURTHER, "max", "min", "avg", "sum"))
    kernel = [rng.randrange(1, n + 1) for n in shape[2:]]
    own = {name: rng.choice(values) for name, values in FURTHER.get(op, {}).items()
           if rng.random() < 0.4}
    layout = rng.choice(("channels_first", "channels_last"))
    kind = rng.randrange(7)
    arguments: dict[str, Any]
    if kind <= 1:
        name = "pool"
        arguments = {"op": op, "kernel_size": kernel, "stride": rng.choice((None, 1, 2)),
                     "padding": rng.choice((0, 1, "same")), "axes": tuple(range(2, axes + 2)),
                     **own}
    elif kind == 2:
        name = f"lp_pool{axes}d"
        arguments = {"norm_type": rng.choice((1, 2, 3.5, math.inf, 0)), "kernel_size": kernel,
                     "data_format": layout}
    elif kind == 3:
        name = "adaptive_pool"
        arguments = {"output_size": [rng.randrange(1, 12) for _ in kernel], "op": op, **own}
    elif kind == 4:
        name = "global_pool"
        arguments = {"op": op, "keepdims": rng.random() < 0.5, **own}
    elif kind == 5:
        name = "spatial_pyramid_pool"
        arguments = {"levels": rng.choice(((1,), (1, 2), (3, 1))), "op": op, "data_format": layout,
                     "windows": rng.choice(("adaptive", "he")), **own}
    else:
        name = "fractional_pool"
        arguments = {"output_size": [rng.randrange(1, n + 1) for n in shape[2:]],
                     "kernel_size": rng.choice((1, 2, kernel)), "op": rng.choice(("max", "avg")),
                     "rng": rng.randrange(9)}
    if rng.random() < 0.5:
        spoilt = rng.choice(list(arguments))
        arguments[spoilt] = rng.choice(ODD_SIZES)
    given: Any = x
    if hostile and rng.random() < 0.1:
        with contextlib.suppress(*NOT_MADE):
            given = odd_array(rng, x)
    before = image(x)
    try:
        y = getattr(cypool, name)(given, **arguments)
        out = np.full(np.shape(y), MARK, y.dtype)
        again = getattr(cypool, name)(given, **arguments, out=out)
        if op != "stochastic" and name != "fractional_pool":    # (drawn anew without a seed)
            assert_same(again, y)
        if dtype.kind == "f" and given is x and hasattr(cypool, f"{name}_backward"):
            grad = some(rng, np.shape(y), np.dtype(np.float32))
            if rng.random() < 0.2:
                grad = grad[..., :-1]
            back = getattr(cypool, f"{name}_backward")(grad, x, **arguments)
            assert np.shape(back) == shape
    except ALLOWED as error:
        return type(error).__name__
    finally:
        assert image(x) == before, f"{name} changed its input"
    return "fine"


def one(seed: int, number: int, hostile: bool, verbose: bool = False) -> str:
    rng = random.Random(f"{seed} {number}")
    if rng.random() < 0.03:
        return other_function(rng)
    if rng.random() < 0.15:
        return further_function(rng, hostile)
    try:
        call = right_call(rng)
        if rng.random() < 0.55:
            spoil(rng, call, hostile)
    except NOT_MADE:    # arrays of odd shapes that there is no memory for, or no addresses
        return "not made"
    if verbose:
        print(call, flush=True)
    try:
        return attempt(call)
    except MemoryError:
        return "not judged"
    except ALLOWED as error:
        raise AssertionError(f"{call}: the judge failed: {error!r}") from error
    except BaseException as error:
        raise type(error)(f"{call}: {error}") from error


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long (default 60)")
    parser.add_argument("--seed", type=int, default=0, help="which calls are made (default 0)")
    parser.add_argument("--only", type=int, metavar="N", help="make call N alone, and show it")
    parser.add_argument("--hostile", action="store_true", help="also with objects that lie")
    options = parser.parse_args()
    faulthandler.enable()
    if "OMP_STACKSIZE" not in os.environ:  # a thousand threads have to fit into the limit below
        os.execve(
            sys.executable, [sys.executable, *sys.argv], {**os.environ, "OMP_STACKSIZE": "256k"}
        )
    if "libasan" not in os.environ.get("LD_PRELOAD", ""):  # which takes terabytes of addresses
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    oracle.axis_windows = clipped_windows
    if options.only is not None:
        print(one(options.seed, options.only, options.hostile, verbose=True))
        return 0
    outcomes: Counter[str] = Counter()
    faults = number = 0
    end = time.monotonic() + options.seconds
    # Left behind by a crash: the number of the call that did it.
    where = Path(tempfile.gettempdir(), f"cypool-fuzz-{os.getpid()}")
    print(f"seed {options.seed}; the number of the call being made is in {where}", flush=True)
    with where.open("w") as last:
        while time.monotonic() < end:
            last.seek(0)
            last.write(f"{number}\n")
            last.flush()
            faulthandler.dump_traceback_later(SECONDS_A_CALL, exit=True)
            try:
                outcomes[one(options.seed, number, options.hostile)] += 1
            except Exception as error:
                faults += 1
                print(f"--- call {number} of seed {options.seed}: {type(error).__name__}: {error}")
                if not isinstance(error, AssertionError):
                    traceback.print_exc(file=sys.stdout)
                sys.stdout.flush()
            number += 1
    faulthandler.cancel_dump_traceback_later()
    where.unlink()
    print(f"{number} calls, {faults} faults: {dict(outcomes.most_common())}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

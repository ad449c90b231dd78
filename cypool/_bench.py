"""Measuring: cases in a few words, ways that take turns, and the speed of a plain copy.

`python -m cypool bench` is the short form: a handful of cases on this machine, within seconds.
`benchmarks/compare.py` of the source tree has the long one, built on what is here.

Every figure is relative to something measured in the same minute, in turns: times of one machine
tell little about another, and on a shared one little about the next minute. The yardstick is the
copy limit: how long a plain copy takes to move the bytes that the pooling moves, its input read
once and its output written once, from and to memory that is as warm in the caches.
"""

import importlib
import math
import os
import platform
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product, repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import cypool

Array = np.ndarray[Any, np.dtype[Any]]

SHORTEST = 5e-4         # seconds of one sample, so that reading the clock costs nothing
ROUNDS = 5
# After a parallel call the threads of most runtimes stay awake for some milliseconds, looking for
# work. What is measured next on all processors should not have to share them.
REST = 0.02


# --- cases ---

@dataclass(frozen=True)
class Case:
    """One pooling of one array. `case` reads it from a few words."""

    name: str
    shape: tuple[int, ...]
    op: str
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    ceil: bool = False
    include_pad: bool = True
    last: bool = False          # channels last
    train: bool = False         # forward, with indices for a maximum, and the gradient back
    dtype: str = "float32"

    @property
    def layout(self) -> str:
        return "channels_last" if self.last else "channels_first"

    @property
    def axes(self) -> tuple[int, ...]:
        first = 1 if self.last else 2
        return tuple(range(first, first + len(self.kernel)))

    @property
    def window(self) -> str:
        words = [self.op, f"{_short(self.kernel)}/{_short(self.stride)}"]
        words += [f"p{_short(self.padding)}"] if any(self.padding) else []
        words += ["ceil"] if self.ceil else []
        words += [] if self.include_pad else ["inside"]
        return " ".join(words)

    @property
    def outputs(self) -> tuple[int, ...]:
        """Number of windows on each pooled axis."""
        return tuple(
            cypool.pool_output_size(self.shape[a], k, s, p, 1, self.ceil)
            for a, k, s, p in zip(self.axes, self.kernel, self.stride, self.padding, strict=True))

    def input(self) -> Array:
        return self._random(self.shape)

    def gradient(self) -> Array:
        shape = list(self.shape)
        for a, length in zip(self.axes, self.outputs, strict=True):
            shape[a] = length
        return self._random(tuple(shape))

    def _random(self, shape: tuple[int, ...]) -> Array:
        rng = np.random.default_rng(len(shape))
        dtype = dtype_of(self.dtype)
        if dtype.kind in "iu":
            least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
            return rng.integers(least, most, shape, dtype, endpoint=True)
        return rng.standard_normal(shape, np.float32).astype(dtype, copy=False)


def case(name: str, shape: str, words: str) -> Case:
    """Read a case: ``case("stem", "1x64x112x112", "max 3/2 p1")``.

    The first word is the operator, the second kernel/stride: one number for all axes or 1x3x3.
    Then, in any order: p1 (padding), ceil, inside (padding is left out of the divisor of an
    average), last (channels last), train, and a dtype.
    """
    lengths = _numbers(shape)
    n = len(lengths) - 2
    op, window, *more = words.split()
    kernel, stride = (_per_axis(part, n) for part in window.split("/"))
    padding: tuple[int, ...] = (0,) * n
    dtype = "float32"
    flags = set()
    for word in more:
        if re.fullmatch(r"p\d+(x\d+)*", word):
            padding = _per_axis(word[1:], n)
        elif word in ("ceil", "inside", "last", "train"):
            flags.add(word)
        else:
            dtype = dtype_of(word).name
    return Case(
        name, lengths, op, kernel, stride, padding, "ceil" in flags, "inside" not in flags,
        "last" in flags, "train" in flags, dtype)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split("x")))


def _per_axis(text: str, n: int) -> tuple[int, ...]:
    numbers = _numbers(text)
    return numbers * n if len(numbers) == 1 else numbers


def _short(numbers: tuple[int, ...]) -> str:
    return times_sign(numbers) if len(set(numbers)) > 1 else str(numbers[0])


def times_sign(numbers: tuple[int, ...]) -> str:
    return "x".join(map(str, numbers))


def dtype_of(name: str) -> np.dtype[Any]:
    if name == "bfloat16":
        return np.dtype(importlib.import_module("ml_dtypes").bfloat16)
    return np.dtype(name)


def is_integer(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "iu"


# --- the ways to a result ---

Function = Callable[[], Any]


def library(case: Case, x: Array) -> tuple[Function, Function]:
    """The library itself: with a fresh result at every call, and into one that is used again."""
    n = len(case.kernel)
    forward = getattr(cypool, f"{case.op}_pool{n}d")
    backward = getattr(cypool, f"{case.op}_pool{n}d_backward")
    kernel, stride, padding = (
        v[0] if len(set(v)) == 1 else v for v in (case.kernel, case.stride, case.padding))
    selects = case.op == "max"
    options: dict[str, Any] = {"ceil_mode": case.ceil, "data_format": case.layout}
    if not selects:
        options["count_include_pad"] = case.include_pad

    if not case.train:
        # Keywords as a caller would write them: none that say what is so anyway.
        plain = {"ceil_mode": False, "data_format": "channels_first", "count_include_pad": True}
        options = {name: value for name, value in options.items() if value != plain[name]}
        y = forward(x, kernel, stride, padding, **options)
        return (lambda: forward(x, kernel, stride, padding, **options),
                lambda: forward(x, kernel, stride, padding, **options, out=y))

    grad = case.gradient()

    def step(out: Any = None, gradient_out: Any = None) -> tuple[Array, Array]:
        if not selects:
            y = forward(x, kernel, stride, padding, **options, out=out)
            return y, backward(
                grad, x.shape, kernel, stride, padding, **options, out=gradient_out)
        y, indices = forward(
            x, kernel, stride, padding, **options, return_indices=True, index_dtype=np.int32,
            out=out)
        return y, backward(
            grad, x.shape, kernel, stride, padding, **options, indices=indices, out=gradient_out)

    out: Any = np.empty_like(grad)
    if selects:
        out = out, np.empty(grad.shape, np.int32)
    gradient_out = np.empty_like(x)
    return step, lambda: step(out, gradient_out)


def bytes_moved(case: Case, results: tuple[Array, ...]) -> int:
    """Bytes of every input, read once, and of every result, written once."""
    moved = math.prod(case.shape) * dtype_of(case.dtype).itemsize + results[0].nbytes
    if case.train:
        y, x_grad = results
        indices = y.size * 8 if case.op == "max" else 0
        moved += 2 * indices + y.nbytes + x_grad.nbytes
    return moved


def numpy_slices(case: Case, x: Array) -> Function | None:
    """The fastest plain NumPy: one strided slice for each tap of the window, combined."""
    ends = [
        (o - 1) * s + k for o, s, k in zip(case.outputs, case.stride, case.kernel, strict=True)]
    pads = [(0, 0)] * x.ndim
    for a, p, end in zip(case.axes, case.padding, ends, strict=True):
        pads[a] = (p, max(end - p - x.shape[a], 0))
    overhangs = any(after > p for (_, after), p in zip(
        (pads[a] for a in case.axes), case.padding, strict=True))
    if case.train or (case.op == "avg" and (overhangs or not case.include_pad)):
        return None
    dtype, taps = x.dtype, math.prod(case.kernel)
    value: Any = 0
    if case.op == "max":
        value = np.iinfo(dtype).min if is_integer(dtype) else -np.inf
    wide: Any = np.int64 if is_integer(dtype) else np.promote_types(dtype, np.float32)

    def pooled() -> Array:
        z = np.pad(x, pads, constant_values=value) if any(map(any, pads)) else x
        y = None
        for start in product(*map(range, case.kernel)):
            place = [slice(None)] * x.ndim
            for a, first, o, s in zip(case.axes, start, case.outputs, case.stride, strict=True):
                place[a] = slice(first, first + (o - 1) * s + 1, s)
            tap = z[tuple(place)]
            if y is None:
                y = tap.copy() if case.op == "max" else tap.astype(wide)
            elif case.op == "max":
                np.maximum(y, tap, out=y)
            else:
                np.add(y, tap, out=y)
        assert y is not None
        return y if case.op == "max" else divided(y, taps, dtype)

    return pooled


def divided(total: Array, taps: int, dtype: np.dtype[Any]) -> Array:
    """The average from a sum that was made for it alone, in the dtype asked for."""
    if is_integer(dtype):
        return np.rint(total / taps).astype(dtype)
    return np.divide(total, taps, out=total).astype(dtype, copy=False)


def torch_tensor(torch: Any, x: Array, last: bool) -> Any:
    """The same memory as a tensor, its axes in PyTorch's order."""
    if x.dtype.name == "bfloat16":
        tensor = torch.from_numpy(x.view(np.int16)).view(torch.bfloat16)
    else:
        tensor = torch.from_numpy(x)
    return tensor.movedim(-1, 1) if last else tensor


def torch_array(torch: Any, tensor: Any, last: bool) -> Array:
    if last:
        tensor = tensor.movedim(1, -1)
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(dtype_of("bfloat16"))
    return tensor.numpy()


def torch_forward(torch: Any, case: Case, tensor: Any) -> Function:
    """PyTorch's forward pooling; gradients must be off."""
    n = len(case.kernel)
    kernel, stride, padding = case.kernel, case.stride, case.padding
    if n == 1 and case.last:
        # Channels last exists from two spatial axes on.
        wide = tensor.unsqueeze(2)
        shape = [(1, *kernel), (1, *stride), (0, *padding)]
        if case.op == "max":
            return lambda: torch.max_pool2d(wide, *shape, 1, case.ceil).squeeze(2)
        average = torch.nn.functional.avg_pool2d
        return lambda: average(wide, *shape, case.ceil, case.include_pad).squeeze(2)
    if case.op == "max":
        largest = getattr(torch, f"max_pool{n}d")
        return lambda: largest(tensor, kernel, stride, padding, 1, case.ceil)
    average = getattr(torch.nn.functional, f"avg_pool{n}d")
    return lambda: average(tensor, kernel, stride, padding, case.ceil, case.include_pad)


def difference(case: Case, ours: tuple[Array, ...], theirs: tuple[Array, ...]) -> str | None:
    """What keeps two results from being the same, in a few words; None if nothing does.

    Maxima are equal. Averages of integers may be rounded the other way, sums of floats made in
    another order.
    """
    for part, mine, other in zip(("result", "gradient"), ours, theirs, strict=False):
        if mine.shape != other.shape:
            return f"{part} of shape {other.shape}"
        if mine.dtype != other.dtype:
            return f"{part} of dtype {other.dtype}"
        if part == "result" and case.op == "max":
            if not np.array_equal(mine, other):
                return f"{part}: {np.mean(mine != other):.1%} of the elements"
            continue
        if is_integer(mine.dtype):
            off = np.maximum(mine, other) - np.minimum(mine, other)
            if off.size and off.max() > 1:
                return f"{part} by {off.max()}"
            continue
        wide = np.promote_types(mine.dtype, np.float32)
        a, b = mine.astype(wide, copy=False), other.astype(wide, copy=False)
        within = _rounding(mine.dtype) * float(np.max(np.abs(a), initial=0))
        off_by = float(np.max(np.abs(a - b), initial=0))
        if not off_by <= within:
            return f"{part} by {off_by:.2g}"
    return None


def _rounding(dtype: np.dtype[Any]) -> float:
    """Allowed difference of sums, relative to the largest."""
    if dtype.itemsize == 2:
        return 2.0 ** (-9 if dtype.kind == "f" else -6)
    # Windows of thousands of taps, added one after the other by some.
    return 256 * float(np.finfo(dtype).eps)


# --- times ---

class Way(NamedTuple):
    """Something to be timed: called with how many times it is to be done."""

    run: Callable[[int], object]
    shortest: float = SHORTEST      # seconds of one sample


def calling(function: Function) -> Way:
    def run(number: int) -> None:
        for _ in repeat(None, number):
            function()

    return Way(run)


def best_times(
    ways: Mapping[str, Way], seconds: float, rounds: int = ROUNDS, rest: float = 0.0
) -> dict[str, float]:
    """Seconds of each way in its best sample, the ways taking turns for `seconds` in all.

    Each has the same share, and one that needs more than that for a call is called once in the
    first two rounds and then sits out. A turn starts with a call that does not count where several
    fit into the share, since what was measured before has taken the caches, and threads may have to
    be woken.
    """
    best = dict.fromkeys(ways, math.inf)
    number = dict.fromkeys(ways, 1)
    spent = dict.fromkeys(ways, 0.0)
    share = seconds / len(ways)
    for turn in range(rounds):
        for name, way in ways.items():
            if turn >= min(2, rounds) and spent[name] >= share:
                continue
            if rest:
                time.sleep(rest)
            start = time.perf_counter()
            if best[name] < share / 4:
                way.run(number[name])
            while True:
                before = time.perf_counter()
                way.run(number[name])
                now = time.perf_counter()
                taken = now - before
                best[name] = min(best[name], taken / number[name])
                if taken < way.shortest:
                    more = 1.25 * way.shortest / max(taken, 1e-9)
                    number[name] = math.ceil(number[name] * min(more, 10.0))
                if now - start >= share / rounds:
                    break
            spent[name] += now - start
    return best


COPY, READ = "copy", "read"


def copies(moved: int, threads: int) -> dict[str, Way]:
    """Copies that move so many bytes, half of them read and half of them written."""
    half = max(moved // 2, 1)
    source, target = np.empty(half, np.uint8), np.empty(half, np.uint8)
    source.fill(1)              # memory that was never written to is not there yet
    target.fill(0)

    def copy(part: slice) -> Function:
        read, written = source[part], target[part]
        return lambda: np.copyto(written, read)

    return _in_parts(COPY, half, threads, copy)


def reads(moved: int, threads: int) -> dict[str, Way]:
    """Maxima of so many bytes: about as fast as memory can be read and nothing be written."""
    source = np.ones(max(moved, 1), np.uint8)
    return _in_parts(READ, source.size, threads, lambda part: source[part].max)


def _in_parts(
    name: str, size: int, threads: int, work: Callable[[slice], Function]
) -> dict[str, Way]:
    """What does the work on one thread, and on `threads` if that is more.

    Both, as a little work is not worth a second thread.
    """
    def share(part: slice, number: int) -> None:
        function = work(part)
        for _ in repeat(None, number):
            function()

    found = {name: Way(lambda number: share(slice(None), number))}
    if threads > 1:
        # Page by page, and no step between one time and the next: threads need not meet.
        cuts = [size * t // threads // 4096 * 4096 for t in range(threads)] + [size]
        parts = [slice(a, b) for a, b in pairwise(cuts) if a < b]
        pool = _pool(threads - 1)

        def run(number: int) -> None:
            others = [pool.submit(share, part, number) for part in parts[1:]]
            share(parts[0], number)
            for other in others:
                other.result()

        found[f"{name}, {threads} threads"] = Way(run, 10 * SHORTEST)
    return found


@lru_cache(maxsize=1)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)


def fastest_limits(times: dict[str, float]) -> dict[str, float]:
    """The times with the copies as one, and the reads: the fastest of each is the limit."""
    found = {name: t for name, t in times.items() if not name.startswith((COPY, READ))}
    for limit in (COPY, READ):
        same = [t for name, t in times.items() if name.startswith(limit)]
        if same:
            found[limit] = min(same)
    return found


# --- the machine ---

def cache_bytes() -> int | None:
    """Size of the last-level cache, as the system tells it."""
    sizes = {}
    for index in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            level = int((index / "level").read_text())
            size = (index / "size").read_text().strip()
            sizes[level] = int(size.rstrip("KMG")) * 1024 ** " KMG".index(size[-1])
        except (OSError, ValueError):
            continue
    if sizes:
        return sizes[max(sizes)]
    for name in ("SC_LEVEL3_CACHE_SIZE", "SC_LEVEL2_CACHE_SIZE"):
        try:
            found = os.sysconf(name)
        except (AttributeError, ValueError, OSError):
            continue
        if found > 0:
            return found
    return None


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def machine(threads: int) -> dict[str, Any]:
    """Where and with what the figures of a run were measured."""
    config = cypool.show_config()
    cache = cache_bytes()
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "processor": processor(),
        "processors": processors(),
        "last_level_cache": cache,
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "threads": threads,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "cypool": config["version"],
        "simd": config["simd"],
        "openmp": config["openmp"],
    }


def heading(found: Mapping[str, Any]) -> list[str]:
    """The machine in three lines."""
    cache = found["last_level_cache"]
    threads = found["threads"]
    built = "" if found["openmp"] or threads == 1 else ", built without OpenMP: serial"
    lines = [
        f"{found['date']}, {found['processor']}, {found['processors']} processors, last-level "
        f"cache {f'{cache / 2**20:.0f} MiB' if cache else 'unknown'}, {found['system']}",
        f"cypool {found['cypool']} ({found['simd']}{built}), NumPy {found['numpy']}, Python "
        f"{found['python']}; {threads} thread{'s' * (threads > 1)}",
    ]
    load = found["load"]
    if load is not None and load > 0.5:
        lines.append(
            f"load {load} when it started: what else runs here disturbs the times")
    return lines


# --- the short form ---

CASES = (
    case("ResNet stem", "1x64x112x112", "max 3/2 p1"),
    case("VGG pool1", "1x64x224x224", "max 2/2"),
    case("Inception block", "1x192x35x35", "avg 3/1 p1"),
    case("channels last", "4x56x56x64", "max 3/1 p1 last"),
    case("photo, large window", "1x1x512x512", "max 31/1 p15"),
    case("photo, bytes", "1x1080x1920x3", "avg 2/2 last uint8"),
    case("LeNet", "1x6x28x28", "max 2/2"),
)


def run(threads: int | None = None, seconds: float = 20.0) -> None:
    """Measure a handful of cases and print a table of them."""
    threads = cypool.get_num_threads() if threads is None else threads
    torch: Any = None
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        other = "PyTorch is not installed"
    else:
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        other = f"PyTorch {torch.__version__}"
    print("\n".join([*heading(machine(threads)), other]))
    print(f"\n{'':<52}{'bytes':>8}{'cypool':>9}{'out=':>9}{'NumPy':>9}{'':>9}{'PyTorch':>9}{'':>9}"
          f"{'of the copy':>14}")
    print(f"{'case':<20} {'array':<14} {'window':<15} {'moved':>8}{'ms':>9}{'ms':>9}{'ms':>9}"
          f"{'':>9}{'ms':>9}{'':>9}{'limit':>14}")
    with cypool.threads(threads):
        for chosen in CASES:
            print(_line(chosen, torch, threads, seconds / len(CASES)), flush=True)
    print("""
Best of several rounds, the ways taking turns; (2.0x): twice the time of cypool. All results were
found to be the same. Copy limit: the time of a plain copy that moves as many bytes, over cypool's
(in brackets: with out=). NumPy: one strided slice for each tap of the window, combined.""")


def _line(chosen: Case, torch: Any, threads: int, seconds: float) -> str:
    x = chosen.input()
    fresh, into = library(chosen, x)
    ours = (fresh(),)
    moved = bytes_moved(chosen, ours)
    ways = {"cypool": calling(fresh), "out": calling(into), **copies(moved, threads)}
    slices = numpy_slices(chosen, x)
    if slices is not None:
        _check("NumPy", chosen, ours, slices())
        ways["NumPy"] = calling(slices)
    if torch is not None:
        theirs = torch_forward(torch, chosen, torch_tensor(torch, x, chosen.last))
        try:
            result = torch_array(torch, theirs(), chosen.last)
        except (RuntimeError, NotImplementedError):
            pass                # a dtype that it does not pool
        else:
            _check("PyTorch", chosen, ours, result)
            ways["PyTorch"] = calling(theirs)
    times = fastest_limits(best_times(ways, seconds, rest=REST if threads > 1 else 0.0))

    def cell(name: str) -> str:
        if name not in times:
            return f"{'-':>9}{'':>9}"
        ratio = f"({times[name] / times['cypool']:.1f}x)"
        return f"{milliseconds(times[name]):>9}{ratio:>9}"

    limit = f"{times[COPY] / times['cypool']:.2f} ({times[COPY] / times['out']:.2f})"
    return (f"{chosen.name:<20} {times_sign(chosen.shape):<14} {chosen.window:<15} "
            f"{in_bytes(moved):>8}{milliseconds(times['cypool']):>9}"
            f"{milliseconds(times['out']):>9}{cell('NumPy')}{cell('PyTorch')}{limit:>14}")


def _check(name: str, chosen: Case, ours: tuple[Array, ...], theirs: Array) -> None:
    found = difference(chosen, ours, (theirs,))
    if found is not None:
        raise RuntimeError(f"{chosen.name}, {chosen.window}: {name} differs in its {found}")


def milliseconds(seconds: float) -> str:
    """Three digits that count, but never less than a nanosecond."""
    value = 1e3 * seconds
    digits = min(max(2 - math.floor(math.log10(value)), 0), 5) if value > 0 else 0
    return f"{value:.{digits}f}"


def in_bytes(number: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            value = number / size
            return f"{value:.0f} {unit}" if value >= 9.95 else f"{value:.1f} {unit}"
    return f"{number} B"

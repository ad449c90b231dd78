"""How fast the operators are that compare.py leaves out, beside those that it measures.

Five tables. The first has every operator of `pool` on the same windows: its time over that of the
maximum and of the average, which share their kernels or their shape of work with it. The second
has window tables (adaptive, global, fractional), norms, and log-sum-exp and softmax-weighted sums
as users make them of exp and avg_pool2d, beside PyTorch, where it is installed, beside a copy of
the bytes they move and beside reading their source once, which is all the memory does where a
window gives one value. The third has medians of images beside OpenCV. The fourth has calls that
find their array in the caches, and calls that find these taken by others, as it happens where
processors share them. The last has calls of more and more work on one thread and on two, one after
the other and each after a rest: where the second one begins to pay is where calls that are not told
should take it.

    python benchmarks/operators.py [--threads N] [--seconds S] [--quick]
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import cypool
from cypool import _bench

WINDOWS = [     # shape, data format, kernel, stride, padding
    ((8, 64, 56, 56), "channels_first", (2, 2), 2, 0),
    ((8, 64, 56, 56), "channels_first", (3, 3), 2, 1),
    ((8, 64, 35, 35), "channels_first", (5, 5), 1, 2),
    ((8, 56, 56, 64), "channels_last", (2, 2), 2, 0),
    ((8, 56, 56, 64), "channels_last", (3, 3), 2, 1),
    ((16, 1, 16000), "channels_first", (25,), 10, 0),
]
TAKEN = [       # operator, then the same
    ("max", (8, 64, 56, 56), "channels_first", (2, 2), 2, 0),
    ("max", (1, 64, 112, 112), "channels_first", (3, 3), 2, 1),
    ("max", (3, 37, 101, 97), "channels_first", (3, 3), 2, 1),
    ("avg", (3, 37, 101, 97), "channels_first", (3, 3), 2, 1),
    ("max", (8, 256, 14, 14), "channels_first", (3, 3), 1, 1),
    ("max", (4, 56, 56, 64), "channels_last", (3, 3), 2, 1),
]
OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "min": ("min", {}), "sum": ("sum", {}), "L1": ("lp", {"p": 1}), "L2": ("lp", {"p": 2}),
    "L3": ("lp", {"p": 3}), "gem 2": ("gem", {"p": 2}), "gem 3": ("gem", {"p": 3}),
    "logsumexp": ("logsumexp", {}), "soft": ("soft", {}), "median": ("median", {}),
    "expected": ("stochastic", {"training": False}),
}

Pair = tuple[Callable[[], Any], Callable[[], Any] | None]


def tables(torch: Any) -> dict[str, tuple[np.ndarray, Pair]]:
    """Poolings that PyTorch has as well: the array, ours, and theirs if it is there."""
    found: dict[str, tuple[np.ndarray, Pair]] = {}

    def add(name: str, shape: tuple[int, ...], ours: Any, theirs: Any, last: bool = False) -> None:
        x = np.random.default_rng(len(shape)).random(shape, np.float32)
        where = {"data_format": "channels_last" if last else "channels_first"}
        other = None
        if torch is not None:
            tensor = _bench.torch_tensor(torch, x, last)

            def other() -> Any:
                return theirs(torch.nn.functional, tensor)
        found[f"{name}{' last' if last else ''} {_bench.times_sign(shape)}"] = (
            x, ((lambda: ours(x, where)), other))

    for size in (1, 6, 7):
        add(f"adaptive avg {size}", (8, 256, 14, 14),
            lambda x, where, size=size: cypool.adaptive_avg_pool2d(x, size, **where),
            lambda f, t, size=size: f.adaptive_avg_pool2d(t, size))
        add(f"adaptive max {size}", (8, 256, 14, 14),
            lambda x, where, size=size: cypool.adaptive_max_pool2d(x, size, **where),
            lambda f, t, size=size: f.adaptive_max_pool2d(t, size))
    for op in ("avg", "max"):
        for shape, last in (((16, 2048, 7, 7), False), ((16, 7, 7, 2048), True),
                            ((4, 64, 112, 112), False), ((4, 112, 112, 64), True)):
            add(f"global {op}", shape,
                lambda x, where, op=op: cypool.global_pool(x, op, **where),
                lambda f, t, op=op: getattr(f, f"adaptive_{op}_pool2d")(t, 1), last)
    add("adaptive avg 7 last", (8, 30, 30, 256),
        lambda x, where: cypool.adaptive_avg_pool2d(x, 7, **where),
        lambda f, t: f.adaptive_avg_pool2d(t, 7), True)
    for p, window in ((2, (2, 2)), (2, (3, 2)), (3, (2, 2))):
        add(f"L{p} {window[0]}/{window[1]}", (8, 64, 56, 56),
            lambda x, where, p=p, w=window: cypool.lp_pool2d(x, p, *w, **where),
            lambda f, t, p=p, w=window: f.lp_pool2d(t, p, *w))
    for window in ((2, 2, 0), (3, 2, 1), (3, 1, 1), (5, 1, 2)):
        kernel, stride, padding = window
        name = f"{kernel}/{stride} p{padding}"
        add(f"logsumexp {name}", (8, 64, 56, 56),
            lambda x, where, w=window: cypool.pool(x, "logsumexp", (w[0], w[0]), *w[1:], **where),
            lambda f, t, w=window: f.avg_pool2d(
                (t - t.amax()).exp(), *w, divisor_override=1).log() + t.amax())
        add(f"soft {name}", (8, 64, 56, 56),
            lambda x, where, w=window: cypool.pool(x, "soft", (w[0], w[0]), *w[1:], **where),
            lambda f, t, w=window: weighted(f, t, (t - t.amax()).exp(), w))
    samples = np.random.default_rng(1).random((8, 64, 2), np.float32)
    add("fractional max 2 -> 20", (8, 64, 32, 32),
        lambda x, where: cypool.fractional_max_pool2d(x, 2, 20, _random_samples=samples),
        lambda f, t: f.fractional_max_pool2d(
            t, 2, 20, _random_samples=torch.from_numpy(samples)))
    return found


def weighted(f: Any, t: Any, weights: Any, window: tuple[int, int, int]) -> Any:
    return f.avg_pool2d(weights * t, *window) / f.avg_pool2d(weights, *window)


def medians(cv2: Any) -> dict[str, tuple[np.ndarray, Pair]]:
    """Those of images that OpenCV has: it takes what is beyond a border for the border itself."""
    found: dict[str, tuple[np.ndarray, Pair]] = {}

    def add(dtype: str, side: int) -> None:
        x = np.random.default_rng(side).integers(0, 256, (1024, 1024)).astype(dtype)
        found[f"median {side}x{side} 1024x1024 {dtype}"] = x, (
            lambda: cypool.pool(x, "median", (side, side), 1, side // 2, axes=(0, 1)),
            None if cv2 is None else (lambda: cv2.medianBlur(x, side)))

    for dtype, sides in (("uint8", (3, 5, 7)), ("float32", (3, 5))):
        for side in sides:
            add(dtype, side)
    return found


def same_inside(y: np.ndarray, other: Any) -> None:
    np.testing.assert_array_equal(y[3:-3, 3:-3], other[3:-3, 3:-3])


def same_as_torch(y: np.ndarray, other: Any) -> None:
    if y.shape != tuple(other.shape):
        other = other.movedim(1, -1)
    np.testing.assert_allclose(y, other.numpy(), rtol=1e-4, atol=1e-4)


def against_each_other(seconds: float, threads: int) -> None:
    print(f"\n{'windows':<42}{'max ms':>9}{'avg ms':>9}   times as long as max (min) or avg")
    for shape, data_format, kernel, stride, padding in WINDOWS:
        x = np.random.default_rng(1).standard_normal(shape, np.float32)

        def pooled(op: str, more: dict[str, Any], x: Any = x, window: Any = (
                kernel, stride, padding), where: str = data_format) -> Callable[[], Any]:
            return lambda: cypool.pool(x, op, *window, data_format=where, **more)

        ways = {name: _bench.calling(pooled(op, more)) for name, (op, more) in OPERATORS.items()}
        ways |= {op: _bench.calling(pooled(op, {})) for op in ("max", "avg")}
        times = _bench.best_times(ways, seconds, rest=_bench.REST if threads > 1 else 0.0)
        label = f"{_bench.times_sign(shape)} {kernel[0]}/{stride} p{padding}"
        ratios = "  ".join(
            f"{name} {times[name] / times['max' if name == 'min' else 'avg']:.2f}"
            for name in OPERATORS)
        print(f"{label:<42}{_bench.milliseconds(times['max']):>9}"
              f"{_bench.milliseconds(times['avg']):>9}   {ratios}", flush=True)


def beside(
    peer: str, pairs: dict[str, tuple[np.ndarray, Pair]], check: Callable[[np.ndarray, Any], None],
    seconds: float, threads: int,
) -> None:
    print(f"\n{'':<42}{'cypool ms':>10}{peer + ' ms':>10}{'ratio':>8}{'of copy':>9}{'of read':>9}")
    for name, (x, (ours, theirs)) in pairs.items():
        y = ours()
        ways = {"cypool": _bench.calling(ours), **_bench.copies(x.nbytes + y.nbytes, threads),
                **_bench.reads(x.nbytes, threads)}
        if theirs is not None:
            check(y, theirs())
            ways[peer] = _bench.calling(theirs)
        times = _bench.fastest_limits(
            _bench.best_times(ways, seconds, rest=_bench.REST if threads > 1 else 0.0))
        theirs_ms = _bench.milliseconds(times[peer]) if peer in times else "-"
        ratio = f"{times[peer] / times['cypool']:.2f}" if peer in times else "-"
        print(f"{name:<42}{_bench.milliseconds(times['cypool']):>10}{theirs_ms:>10}{ratio:>8}"
              f"{times[_bench.COPY] / times['cypool']:>9.2f}"
              f"{times[_bench.READ] / times['cypool']:>9.2f}", flush=True)


def caches_taken(seconds: float) -> None:
    print(f"\n{'caches taken by others':<42}{'cypool ms':>10}{'then':>10}{'times':>8}"
          f"{'read then':>12}{'of read':>9}")
    others = np.ones(4 * (_bench.cache_bytes() or 1 << 24), np.uint8)
    for op, shape, data_format, kernel, stride, padding in TAKEN:
        x = np.random.default_rng(1).standard_normal(shape, np.float32)
        window = (kernel, stride, padding)
        out = np.empty_like(cypool.pool(x, op, *window, data_format=data_format))

        def pooled(x: Any = x, op: str = op, window: Any = window, out: Any = out,
                   where: str = data_format) -> None:
            cypool.pool(x, op, *window, data_format=where, out=out)

        best = _bench.best_times({"": _bench.calling(pooled)}, seconds / 3)[""]
        taken = single(pooled, seconds / 3, others.max)
        read = single(x.view(np.uint8).max, seconds / 3, others.max)
        label = f"{op} {_bench.times_sign(shape)} {kernel[0]}/{stride} p{padding}"
        print(f"{label:<42}{_bench.milliseconds(best):>10}{_bench.milliseconds(taken):>10}"
              f"{taken / best:>8.2f}{_bench.milliseconds(read):>12}{read / taken:>9.2f}",
              flush=True)


def second_thread(seconds: float) -> None:
    windows = {
        "max 2/2": ("max", 2, 2, 0), "max 3/2": ("max", 3, 2, 1), "avg 3/1": ("avg", 3, 1, 1)}
    sizes = [1 << n for n in range(13, 21)]
    print(f"\n{'time on one thread over that on two':<42}" + "".join(f"{n:>9}" for n in sizes)
          + "   elements")
    for name, (op, kernel, stride, padding) in windows.items():
        ratios: dict[str, list[float]] = {"": [], ", after a rest": []}
        for n in sizes:
            x = np.random.default_rng(1).standard_normal((1, n // 1024, 32, 32), np.float32)
            out = np.empty_like(cypool.pool(x, op, (kernel, kernel), stride, padding))

            def pooled(threads: int, x: Any = x, out: Any = out, op: str = op, window: Any = (
                    (kernel, kernel), stride, padding)) -> Callable[[], Any]:
                return lambda: cypool.pool(x, op, *window, out=out, num_threads=threads)

            ways = [pooled(1), pooled(2)]
            times = _bench.best_times(
                {"one": _bench.calling(ways[0]), "two": _bench.calling(ways[1])},
                seconds / len(sizes))
            ratios[""].append(times["one"] / times["two"])
            one, two = (single(way, seconds / len(sizes), rest) for way in ways)
            ratios[", after a rest"].append(one / two)
        for when, found in ratios.items():
            print(f"{name + when:<42}" + "".join(f"{ratio:>9.2f}" for ratio in found), flush=True)


def rest() -> None:
    """Until threads sleep."""
    time.sleep(_bench.REST)


def single(way: Callable[[], Any], seconds: float, before: Callable[[], Any]) -> float:
    """Seconds on average of single calls, each after something else, in so many seconds in all."""
    times = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        before()
        start = time.perf_counter()
        way()
        times.append(time.perf_counter() - start)
    return sum(times) / len(times)


def installed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=1.0, help="for each line (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="hardly measure: that all works")
    given = parser.parse_args(argv)
    seconds = 0.05 if given.quick else given.seconds
    cypool.set_num_threads(given.threads)
    torch, cv2 = installed("torch"), installed("cv2")
    if torch is not None:
        torch.set_num_threads(given.threads)
        torch.set_grad_enabled(False)
    if cv2 is not None:
        cv2.setNumThreads(given.threads)
    print("\n".join(_bench.heading(_bench.machine(given.threads))))
    for name, peer in (("PyTorch", torch), ("OpenCV", cv2)):
        print(f"{name} {peer.__version__}" if peer else f"{name} is not installed")
    against_each_other(seconds, given.threads)
    beside("torch", tables(torch), same_as_torch, seconds, given.threads)
    beside("OpenCV", medians(cv2), same_inside, seconds, given.threads)
    caches_taken(seconds)
    if _bench.processors() > 1:
        second_thread(seconds)


if __name__ == "__main__":
    main(sys.argv[1:])

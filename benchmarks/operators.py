"""How fast the operators are that compare.py leaves out, beside those that it measures.

Four tables. The first has every operator of `pool` on the same windows: its time over that of the
maximum and of the average, which share their kernels or their shape of work with it. The second
has window tables (adaptive, global, fractional) and norms beside PyTorch, where it is installed,
beside a copy of the bytes they move and beside reading their source once, which is all the memory
does where a window gives one value. The third has calls that find their array in the caches, and
calls that find these taken by others, as it happens where processors share them. The last has calls
of more and more work on one thread and on two, one after the other and each after a rest: where the
second one begins to pay is where calls that are not told should take it.

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
    samples = np.random.default_rng(1).random((8, 64, 2), np.float32)
    add("fractional max 2 -> 20", (8, 64, 32, 32),
        lambda x, where: cypool.fractional_max_pool2d(x, 2, 20, _random_samples=samples),
        lambda f, t: f.fractional_max_pool2d(
            t, 2, 20, _random_samples=torch.from_numpy(samples)))
    return found


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


def beside_torch(torch: Any, seconds: float, threads: int) -> None:
    print(f"\n{'':<42}{'cypool ms':>10}{'torch ms':>10}{'ratio':>8}{'of copy':>9}{'of read':>9}")
    for name, (x, (ours, theirs)) in tables(torch).items():
        y = ours()
        ways = {"cypool": _bench.calling(ours), **_bench.copies(x.nbytes + y.nbytes, threads),
                **_bench.reads(x.nbytes, threads)}
        if theirs is not None:
            other = theirs()
            if y.shape != tuple(other.shape):
                other = other.movedim(1, -1)
            np.testing.assert_allclose(y, other.numpy(), rtol=1e-4, atol=1e-4)
            ways["torch"] = _bench.calling(theirs)
        times = _bench.fastest_limits(
            _bench.best_times(ways, seconds, rest=_bench.REST if threads > 1 else 0.0))
        theirs_ms = _bench.milliseconds(times["torch"]) if "torch" in times else "-"
        ratio = f"{times['torch'] / times['cypool']:.2f}" if "torch" in times else "-"
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


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=1.0, help="for each line (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="hardly measure: that all works")
    given = parser.parse_args(argv)
    seconds = 0.05 if given.quick else given.seconds
    cypool.set_num_threads(given.threads)
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        torch = None
    else:
        torch.set_num_threads(given.threads)
        torch.set_grad_enabled(False)
    print("\n".join(_bench.heading(_bench.machine(given.threads))))
    print(f"PyTorch {torch.__version__}" if torch else "PyTorch is not installed")
    against_each_other(seconds, given.threads)
    beside_torch(torch, seconds, given.threads)
    caches_taken(seconds)
    if _bench.processors() > 1:
        second_thread(seconds)


if __name__ == "__main__":
    main(sys.argv[1:])

"""cypool beside other libraries on random shapes, measured as by compare.py.

    python benchmarks/sweep.py                              # 200 cases, one thread
    python benchmarks/sweep.py --seed 7 --cases "train"     # those whose line has a word

Sizes are those of networks, of images and sound, and odd ones; windows, layouts and dtypes all that
libraries share. Prints each case as it is measured: how many times as fast cypool is as the fastest
of the others, the part of the copy limit that it reaches, and milliseconds. At the end come the
least of these, which are what to look at next.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHANNELS = (1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192,
            224, 256, 320, 384, 512, 640, 768, 960, 1024, 1280, 2048)
SIDES = (*range(4, 34), 35, 36, 38, 40, 44, 48, 55, 56, 61, 64, 71, 73, 80, 85, 96, 104, 112, 120,
         128, 149, 150, 160, 191, 208, 224, 256, 299, 300, 320, 384, 416, 512, 640)
ROWS = (50, 97, 128, 300, 1000, 4000, 16000, 48000)
SLABS = (7, 8, 14, 16, 28, 32, 56)
KERNELS = (2, 2, 2, 3, 3, 3, 3, 4, 5, 5, 6, 7, 8, 9, 11, 13)
DTYPES = ("float16", "uint8", "float64", "bfloat16", "int16")
BYTES = (3e4, 2.5e7)        # of an array of float32


def cases(seed: int) -> Iterator[tuple[str, str]]:
    """Shapes and words as `cypool._bench.case` reads them, without end."""
    draw = random.Random(seed)
    dtypes = [d for d in DTYPES if d != "bfloat16" or importlib.util.find_spec("ml_dtypes")]
    while True:
        train, last = draw.random() < 0.25, draw.random() < 0.4
        n = draw.choice([2] * 8 + [1, 3])
        if n == 1:
            plane = [draw.choice(ROWS)]
        elif n == 2:
            plane = [draw.choice(SIDES)] * 2
            if draw.random() < 0.3:
                plane[1] = draw.choice(SIDES)
        else:
            side = draw.choice(SLABS)
            plane = [draw.choice((4, 8, 16, side)), side, side]
        lead, channels = [draw.choice((1, 1, 2, 4, 8, 16, 32))], [draw.choice(CHANNELS)]
        shape = lead + (plane + channels if last else channels + plane)
        kernel = draw.choice(KERNELS)
        stride = min(draw.choice((1, 2, 2, 2, 3, kernel)), kernel)
        padding = draw.choice((0, 0, (kernel - 1) // 2, kernel // 2))
        op = draw.choice(("max", "avg"))
        words = [op, f"{kernel}/{stride}", f"p{padding}"]
        words += ["ceil"] * (draw.random() < 0.2)
        words += ["inside"] * (op == "avg" and draw.random() < 0.3)
        words += ["last"] * last + ["train"] * train
        words.append("float32" if train or draw.random() < 0.7 else draw.choice(dtypes))
        size = 4.0
        for length in shape:
            size *= length
        if BYTES[0] < size < BYTES[1] and kernel <= min(plane) + 2 * padding:
            yield "x".join(map(str, shape)), " ".join(words)


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, metavar="N", help="cases to measure")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random shapes")
    parser.add_argument(
        "--threads", type=int, default=1, metavar="N",
        help="threads for each library; 0: all processors")
    parser.add_argument(
        "--cases", default="", metavar="PATTERN",
        help="only cases in whose line this regular expression is found")
    parser.add_argument(
        "--peers", default="torch|onnx|openvino|opencv", metavar="PATTERN",
        help="only libraries whose name this is found in (default: %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=0.2, metavar="S",
        help="measure each case for about so long, all libraries together (default: %(default)s)")
    given = parser.parse_args(argv)
    if given.count < 1 or given.threads < 0 or not given.seconds > 0:
        parser.error("--count must be at least 1, --threads at least 0, --seconds more than 0")
    return given


def line_of(result: dict[str, Any], words: str) -> str:
    differs = "".join(f"  differs: {name}, {what}" for name, what in result["differs"].items())
    return (f"{result['ratio']:7.2f} {result['of_copy']:6.2f} "
            f"{result['seconds']['cypool'] * 1e3:10.4f} ms  {words:52s} "
            f"{result['fastest']}{differs}")


def main(argv: list[str]) -> int:
    given = arguments(argv)
    import compare
    from cases import Entry, Group

    import cypool
    from cypool import _bench

    given.threads = given.threads or _bench.processors()
    compare.set_environment(given.threads)
    cypool.set_num_threads(given.threads)
    found, _ = compare.installed(given.threads)
    peers = [p for p in found if re.search(given.peers, p.name)]
    versions = list(dict.fromkeys(p.version for p in peers))
    head = _bench.heading(_bench.machine(given.threads))
    print("\n".join([*head, ", ".join(versions)]), flush=True)
    measured: list[tuple[float, str]] = []
    for shape, words in cases(given.seed):
        if not re.search(given.cases, f"{shape} {words}"):
            continue
        entry = Entry(Group("sweep", "", ""), _bench.case("random", shape, words), False)
        result = compare.measure(entry, peers, given.threads, given.seconds, 3)
        if result["ratio"] is not None:
            line = line_of(result, f"{shape} {words}")
            measured.append((result["ratio"], line))
            print(line, flush=True)
        given.count -= 1
        if given.count == 0:
            break
    ratios = [ratio for ratio, _ in measured]
    if ratios:
        print(f"\n{len(ratios)} cases: geometric mean {compare.geometric_mean(ratios):.2f}, "
              f"{sum(r < 1 for r in ratios)} below 1, {sum(r < 1.3 for r in ratios)} below 1.3")
        print("\n".join(line for _, line in sorted(measured)[:20]))
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    sys.exit(main(sys.argv[1:]))

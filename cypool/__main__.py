"""``python -m cypool``: what was built, the library at work on a photograph, its speed here."""

import argparse
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import cypool

Number = TypeVar("Number", int, float)


def positive(kind: Callable[[str], Number]) -> Callable[[str], Number]:
    """A type of argument: a number of that kind, greater than 0."""
    def number(text: str) -> Number:
        value = kind(text)
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"must be greater than 0, got {text}")
        return value

    number.__name__ = "number"      # what argparse calls it where it is none
    return number


def info(arguments: argparse.Namespace) -> None:
    print(cypool.show_config())


def demo(arguments: argparse.Namespace) -> None:
    from cypool import _demo

    try:
        _demo.run(arguments.path, arguments.output)
    except _demo.CannotRun as error:
        raise SystemExit(f"cypool demo: {error}") from None


def bench(arguments: argparse.Namespace) -> None:
    from cypool import _bench

    _bench.run(arguments.threads, arguments.seconds)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m cypool", description="Pooling for NumPy arrays, compiled.")
    top.add_argument("--version", action="version", version=f"cypool {cypool.__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = commands.add_parser(
        "info", help="print what the library was built with and what it uses on this machine",
        description="Print what the library was built with and what it uses on this machine: "
        "instruction set, OpenMP, threads, optional packages.")
    command.set_defaults(run=info)

    command = commands.add_parser(
        "demo", help="pool a photograph, beside NumPy's own ways, and draw the results",
        description="Pool a photograph (max and average, windows that overlap and windows that do "
        "not, forward and the gradient back), check every result against plain NumPy, print "
        "shapes and times, and draw a picture of it all.",
        epilog="Needs Pillow and matplotlib, and scikit-learn for its photograph unless PATH is "
        "given: pip install 'cypool[demo]'.")
    command.add_argument(
        "path", nargs="?", metavar="PATH",
        help="any picture that Pillow reads, scaled down where a side is longer than 1024 pixels; "
        "by default the photograph of a temple that scikit-learn brings along")
    command.add_argument(
        "--output", default="cypool-demo.png", metavar="FILE",
        help="where to draw, in a format that matplotlib writes (default: %(default)s)")
    command.set_defaults(run=demo)

    command = commands.add_parser(
        "bench", help="measure the speed on this machine, beside NumPy's own way and PyTorch",
        description="Measure a handful of cases on this machine beside NumPy's own way and, where "
        "it is installed, PyTorch; and against the time of a plain copy of as many bytes. "
        "benchmarks/compare.py of the source archive measures many more, against more libraries.")
    command.add_argument(
        "--threads", type=positive(int), metavar="N",
        help="use so many threads (default: as many as a call would use by itself)")
    command.add_argument(
        "--seconds", type=positive(float), default=20.0, metavar="S",
        help="measure for about so long in all (default: %(default)g)")
    command.set_defaults(run=bench)
    return top


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    arguments.run(arguments)


if __name__ == "__main__":
    main()

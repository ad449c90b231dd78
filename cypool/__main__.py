"""``python -m cypool``: what was built, and the library at work on a photograph."""

import argparse
from collections.abc import Sequence

import cypool


def info(arguments: argparse.Namespace) -> None:
    print(cypool.show_config())


def demo(arguments: argparse.Namespace) -> None:
    from cypool import _demo

    try:
        _demo.run(arguments.path, arguments.output)
    except _demo.CannotRun as error:
        raise SystemExit(f"cypool demo: {error}") from None


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
    return top


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    arguments.run(arguments)


if __name__ == "__main__":
    main()

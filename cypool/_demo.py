"""The demo: a photograph pooled every common way, beside NumPy's own ways to the same result.

NumPy gets two chances. "slices" goes through the window tap by tap and combines one strided slice
of the picture for each: the fastest plain NumPy. "views" is the line that people usually write: a
reshape where windows do not overlap, `sliding_window_view` where they do. No time is printed before
all results were found to be equal.
"""

import importlib.util
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import cypool

Array = np.ndarray[Any, np.dtype[Any]]

LARGEST = 1024          # pixels of a side, so that plain NumPy ends within seconds
SMALLEST = 32
SECONDS = 0.5           # spent on the rounds of one way, but never fewer than ROUNDS
ROUNDS = 3
# Two sums of as many float32 terms as the largest window has taps, added in different orders.
ROUNDING = 2e-5


class CannotRun(Exception):
    """What keeps the demo from running, in words for its user."""


class Window(NamedTuple):
    """A square window over rows and columns."""

    size: int
    stride: int
    padding: int

    def __str__(self) -> str:
        return f"{self.size}x{self.size}, stride {self.stride}"


WINDOWS = (Window(2, 2, 0), Window(3, 2, 1), Window(15, 1, 7))
OPERATORS = ("max", "avg")


class Result(NamedTuple):
    """One way of pooling the photograph: the picture it gives and the gradient that comes back."""

    op: str
    window: Window
    pooled: Array
    gradient: Array


# --- the library ---

def pooled(x: Array, op: str, window: Window) -> Array:
    if op == "max":
        return cypool.max_pool2d(x, *window, data_format="channels_last")
    return cypool.avg_pool2d(x, *window, count_include_pad=False, data_format="channels_last")


def gradient(grad: Array, x: Array, op: str, window: Window) -> Array:
    if op == "max":
        return cypool.max_pool2d_backward(grad, x, *window, data_format="channels_last")
    return cypool.avg_pool2d_backward(
        grad, x, *window, count_include_pad=False, data_format="channels_last")


# --- NumPy's own ways ---

def padded(x: Array, window: Window, value: int) -> Array:
    p = window.padding
    return np.pad(x, ((p, p), (p, p), (0, 0)), constant_values=value) if p else x


def taps(x: Array, window: Window) -> Iterator[Array]:
    """For every place within a window, what all windows have there."""
    size, stride, _ = window
    rows, columns = ((n - size) // stride * stride + 1 for n in x.shape[:2])
    for i in range(size):
        for j in range(size):
            yield x[i:i + rows:stride, j:j + columns:stride]


def divisors(x: Array, window: Window) -> Array:
    """How many taps of each window lie within the picture."""
    counts = []
    for length in x.shape[:2]:
        stop = length + 2 * window.padding - window.size + 1
        start = np.arange(0, stop, window.stride) - window.padding
        counts.append(np.minimum(start + window.size, length) - np.maximum(start, 0))
    return np.multiply.outer(*counts)[..., np.newaxis]


def mean(total: Array, x: Array, window: Window) -> Array:
    return np.rint(total / divisors(x, window)).astype(x.dtype)


def pooled_by_slices(x: Array, op: str, window: Window) -> Array:
    first, *rest = taps(padded(x, window, 0), window)
    if op == "max":
        y = first.copy()
        for tap in rest:
            np.maximum(y, tap, out=y)
        return y
    y = first.astype(np.int32)
    for tap in rest:
        y += tap
    return mean(y, x, window)


def pooled_by_views(x: Array, op: str, window: Window) -> Array:
    size, stride, _ = window
    if size == stride:
        rows, columns = x.shape[0] // size, x.shape[1] // size
        blocks = x[:rows * size, :columns * size].reshape(rows, size, columns, size, -1)
        inside = (1, 3)
    else:
        blocks = sliding_window_view(padded(x, window, 0), (size, size), (0, 1))[::stride, ::stride]
        inside = (-2, -1)
    if op == "max":
        return blocks.max(axis=inside)
    return mean(blocks.sum(axis=inside, dtype=np.int32), x, window)


def gradient_by_slices(grad: Array, x: Array, op: str, window: Window) -> Array:
    result = padded(np.zeros(x.shape, grad.dtype), window, 0)
    if op == "avg":
        share = grad / divisors(x, window).astype(grad.dtype)
        for target in taps(result, window):
            target += share
    else:
        # Below every pixel, so that padding wins nothing; the first of equals wins.
        first, *rest = taps(padded(x.astype(np.int16), window, -1), window)
        best, winner = first.copy(), np.zeros(first.shape, np.int16)
        for t, tap in enumerate(rest, 1):
            better = tap > best
            np.copyto(best, tap, where=better)
            winner[better] = t
        for t, target in enumerate(taps(result, window)):
            target += np.where(winner == t, grad, 0)
    p = window.padding
    return result[p:p + x.shape[0], p:p + x.shape[1]]


# --- times ---

def best_times(ways: list[Callable[[], Array]]) -> list[float]:
    """Seconds of the best round of each way, the ways taking turns."""
    best = [math.inf] * len(ways)
    spent = [0.0] * len(ways)
    rounds = 0
    while min(spent) < SECONDS or rounds < ROUNDS:
        for i, way in enumerate(ways):
            if rounds < ROUNDS or spent[i] < SECONDS:
                start = time.perf_counter()
                way()
                seconds = time.perf_counter() - start
                best[i] = min(best[i], seconds)
                spent[i] += seconds
        rounds += 1
    return best


def line(label: str, shape: Any, times: list[float]) -> str:
    """A line of the table: milliseconds, and how many times the library's each of NumPy's is."""
    ours, *theirs = times
    cells = [f"{1e3 * ours:9.2f} ms"]
    cells += [f"{1e3 * t:10.2f} ms {f'({t / ours:.1f}x)':>9}" for t in theirs]
    return f"{label:<20} {' x '.join(map(str, shape)):>15} {''.join(cells)}"


def measure(x: Array) -> list[Result]:
    """Pool the photograph every way, hold it against NumPy, print the table."""
    heading = f"{'cypool':>12}{'NumPy, slices':>23}{'NumPy, views':>23}"
    print(f"\n{'':<20} {'result':>15} {heading}")
    results = []
    for window in WINDOWS:
        for op in OPERATORS:
            y = pooled(x, op, window)
            # As if half the sum of squares of the result were to be made smaller.
            grad = y.astype(np.float32)
            back = gradient(grad, x, op, window)
            np.testing.assert_array_equal(y, pooled_by_slices(x, op, window))
            np.testing.assert_array_equal(y, pooled_by_views(x, op, window))
            np.testing.assert_allclose(
                back, gradient_by_slices(grad, x, op, window), rtol=ROUNDING)
            forward = best_times([
                partial(way, x, op, window)
                for way in (pooled, pooled_by_slices, pooled_by_views)])
            print(line(f"{op} {window}", y.shape, forward), flush=True)
            backward = best_times([
                partial(way, grad, x, op, window) for way in (gradient, gradient_by_slices)])
            print(line("   gradient back", back.shape, backward), flush=True)
            results.append(Result(op, window, y, back))
    return results


# --- pictures ---

def photograph(path: str | None) -> tuple[str, Array]:
    """The name of a picture and its pixels: height x width x 3, uint8."""
    from PIL import Image, ImageOps

    if path is None:
        found = importlib.util.find_spec("sklearn")
        if found is None or found.origin is None:
            raise CannotRun(
                "scikit-learn, whose photograph is pooled by default, is not installed; "
                "pip install 'cypool[demo]', or name a picture")
        source = Path(found.origin).parent / "datasets" / "images" / "china.jpg"
    else:
        source = Path(path)
    try:
        with Image.open(source) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise CannotRun(f"cannot read a picture from {source}: {error}") from None
    name = source.name
    if max(picture.size) > LARGEST:
        name += f", scaled down from {picture.height} x {picture.width}"
        picture.thumbnail((LARGEST, LARGEST))
    if min(picture.size) < SMALLEST:
        raise CannotRun(
            f"the picture must be at least {SMALLEST} x {SMALLEST} pixels, got "
            f"{picture.height} x {picture.width}")
    return name, np.asarray(picture)


def most_colourful_square(x: Array, side: int) -> tuple[int, int]:
    """Row and column of the square with most to be seen: colours that vary, brightness less so."""
    colour = x - 0.75 * x.mean(axis=-1, keepdims=True, dtype=np.float32)
    smooth = cypool.pool(colour, "avg", 3, 1, axes=(0, 1))
    mean = cypool.pool(smooth, "avg", side, 1, axes=(0, 1))
    square = cypool.pool(smooth * smooth, "avg", side, 1, axes=(0, 1))
    variance = (square - mean * mean).sum(axis=-1)
    row, column = np.unravel_index(np.argmax(variance), variance.shape)
    return int(row) + 1, int(column) + 1


def draw(name: str, x: Array, results: list[Result], output: str) -> None:
    """The photograph, a detail of it pooled every way, and the gradients that come back."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    height, width = x.shape[:2]
    side = max(SMALLEST, min(height, width) // 6) - 2
    top, left = most_colourful_square(x, side)

    def show(axes: Any, picture: Array, window: Window, title: str, detail: bool = True) -> None:
        # Every result is laid over the pixels that it came from.
        first = (window.size - 1) / 2 - window.padding - window.stride / 2
        rows, columns = picture.shape[:2]
        axes.imshow(
            picture, interpolation="nearest" if detail else "antialiased",
            extent=(first, first + columns * window.stride, first + rows * window.stride, first))
        across, down = (left, top) if detail else (0, 0)
        axes.set_xlim(across - 0.5, across + (side if detail else width) - 0.5)
        axes.set_ylim(down + (side if detail else height) - 0.5, down - 0.5)
        axes.set_title(title, fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])

    pixels = Window(1, 1, 0)
    with mpl.rc_context(mpl.rcParamsDefault):
        wide = 15.0
        tall = wide / 3 * height / width
        figure = Figure(figsize=(wide, tall + 5.6), dpi=120, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        figure.suptitle(f"cypool {cypool.__version__}: {name}", fontsize=13)
        parts: Any = figure.subfigures(2, 1, height_ratios=[tall + 0.6, 5.0])
        above, below = parts
        whole = above.subplots(1, 3)
        show(whole[0], x, pixels, f"the photograph, {height} x {width}", detail=False)
        whole[0].add_patch(Rectangle(
            (left - 0.5, top - 0.5), side, side, fill=False, edgecolor="red", linewidth=1.5))
        for axes, result in zip(whole[1:], results[-2:], strict=True):
            show(axes, result.pooled, result.window, f"{result.op} {result.window}", detail=False)

        details = below.subplots(2, 1 + len(results))
        show(details[0, 0], x, pixels, f"detail, {side} x {side}")
        details[1, 0].axis("off")
        details[1, 0].text(
            0.5, 0.5, "below each result:\nthe gradient\nof ½ Σ result²\nwith respect to\n"
            "the photograph\n(brighter is more)", ha="center", va="center", fontsize=10)
        for column, result in zip(details[:, 1:].T, results, strict=True):
            show(column[0], result.pooled, result.window, f"{result.op} {result.window}")
            part = result.gradient[top:top + side, left:left + side]
            light = result.gradient / max(float(np.quantile(part, 0.99)), 1e-30)
            show(column[1], np.clip(light, 0, 1), pixels, "gradient back")
        try:
            canvas.print_figure(output, format=Path(output).suffix[1:] or "png")
        except (OSError, ValueError) as error:
            raise CannotRun(f"cannot write a picture to {output}: {error}") from None


def run(path: str | None, output: str) -> None:
    """The whole demo; raises CannotRun with what to do about it."""
    missing = [
        name for name, module in (("Pillow", "PIL"), ("matplotlib", "matplotlib"))
        if importlib.util.find_spec(module) is None]
    if missing:
        raise CannotRun(f"{' and '.join(missing)} must be installed; pip install 'cypool[demo]'")
    if not Path(output).parent.is_dir():
        raise CannotRun(f"cannot write a picture to {output}: there is no such folder")
    name, x = photograph(path)
    config = cypool.show_config()
    print(f"cypool {config['version']} ({config['simd']}, threads: {config['threads']}), "
          f"NumPy {np.__version__}")
    print(f"{name}: {' x '.join(map(str, x.shape))}, {x.dtype}")
    results = measure(x)
    print(f"""
Pooled pictures are identical to NumPy's, gradients equal within {ROUNDING:g} of each value.
Times are the best of several rounds, the ways taking turns; (2.0x): twice the time of cypool.
slices: one strided slice for each tap of the window. views: reshape, or sliding_window_view.""")
    draw(name, x, results, output)
    print(f"\nSee {output}.")

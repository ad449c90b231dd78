"""Which windows an axis has: the one place where lengths, padding and ceil rules are decided.

A window table is never as long as its axis: an axis is its rule, and whoever needs a window
computes it. All numbers are checked once, here, so that no arithmetic behind it can overflow.
"""

from typing import NamedTuple

MOST = 2**63 - 1

Pair = tuple[int, int]
Padding = tuple[Pair, ...] | str


class Axis(NamedTuple):
    """One pooled axis: window o has its taps at o * stride - before + t * dilation, t < kernel."""

    length: int
    outputs: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def extended(self) -> int:
        """The length with its padding."""
        return self.length + self.before + self.after


class Adaptive(NamedTuple):
    """One pooled axis: window o is [floor(o L / O), ceil((o + 1) L / O))."""

    length: int
    outputs: int

    @property
    def kernel(self) -> int:
        """Elements of the longest window."""
        size, rest = divmod(self.length, self.outputs)
        return size + (0 if rest == 0 else 1 if self.outputs % rest == 0 else 2)

    @property
    def extended(self) -> int:
        return self.length


class Table(NamedTuple):
    """Windows of one pooled axis that follow no such rule: where each starts, and its elements."""

    length: int
    starts: tuple[int, ...]
    counts: tuple[int, ...]

    @property
    def outputs(self) -> int:
        return len(self.starts)

    @property
    def kernel(self) -> int:
        return max(self.counts)

    @property
    def extended(self) -> int:
        return self.length


Rule = Axis | Adaptive | Table


def adaptive_axis(length: int, outputs: int, name: str) -> Axis | Adaptive:
    """As many windows as asked for, covering everything; of one size and distance if they can."""
    if length < 1:
        raise ValueError(f"x must have no pooled axis of length 0, got length {length} on {name}")
    if length % outputs == 0:
        size = length // outputs
        return Axis(length, outputs, size, size, 1, 0, 0)
    return Adaptive(length, outputs)


def sliding_axis(
    length: int, kernel: int, stride: int, dilation: int, padding: Pair | str,
    ceil_mode: bool | str, name: str,
) -> Axis:
    """The windows of one axis; `name` is what error messages call the axis."""
    extent = dilation * (kernel - 1) + 1
    if length < 1:
        raise ValueError(f"x must have no pooled axis of length 0, got length {length} on {name}")
    if isinstance(padding, str) and padding != "valid":
        outputs = -(-length // stride)
        total = max((outputs - 1) * stride + extent - length, 0)
        less = total // 2
        before, after = (less, total - less) if padding == "same" else (total - less, less)
    else:
        before, after = (0, 0) if isinstance(padding, str) else padding
        room = length + before + after - extent
        outputs = room // stride + 1
        clipped = ceil_mode == "full" or (ceil_mode and outputs * stride < length + before)
        if room % stride and clipped:
            outputs += 1
    if max(extent, stride) + length + before + after > MOST:
        raise ValueError(
            f"kernel_size, stride, padding and dilation must stay within 64 bits together, got "
            f"kernel_size {kernel}, stride {stride}, padding ({before}, {after}) and dilation "
            f"{dilation} on {name}")
    if outputs < 1:
        raise ValueError(
            f"kernel_size must fit into the padded input, got an effective kernel of {extent} "
            f"(kernel_size {kernel}, dilation {dilation}) on {name} of length {length} with "
            f"padding ({before}, {after})")
    return Axis(length, outputs, kernel, stride, dilation, before, after)


def sliding(
    lengths: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...],
    padding: Padding, dilation: tuple[int, ...], ceil_mode: bool | str, axes: tuple[int, ...],
) -> tuple[Axis, ...]:
    """The windows of every pooled axis. Arguments are checked and of equal length."""
    return tuple(
        sliding_axis(
            lengths[i], kernel[i], stride[i], dilation[i],
            padding if isinstance(padding, str) else padding[i], ceil_mode, f"axis {axes[i]}")
        for i in range(len(lengths)))

"""What is measured: poolings of known networks, of images, sound and volumes, and odd sizes.

One line is one case: its name, the shape of its array in the order of its layout, and the words of
`cypool._bench.case`: operator, kernel/stride, padding, `last` for channels last. A star marks the
cases that the README shows. The odd sizes are there so that no loop is tuned to multiples of eight.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cypool._bench import Case, case, times_sign


class Group(NamedTuple):
    """Cases that belong into one table; each line is read with each of the words at its end."""

    name: str
    title: str
    lines: str
    words: tuple[str, ...] = ("",)


CHANNELS_FIRST = """
* ResNet stem            1x64x112x112     max 3/2 p1
* ResNet stem, batch     16x64x112x112    max 3/2 p1
* VGG pool1              8x64x224x224     max 2/2
  VGG pool3              8x256x56x56      max 2/2
* VGG pool5              8x512x14x14      max 2/2
* Inception block        8x192x35x35      avg 3/1 p1
  Inception block        8x192x35x35      max 3/1 p1
  Inception stem         8x64x147x147     max 3/2
  Inception stem         8x192x71x71      max 3/2
  Inception aux          8x768x17x17      avg 5/3
* DenseNet transition    8x256x56x56      avg 2/2
  DenseNet transition    8x512x28x28      avg 2/2
* SPPF                   1x512x20x20      max 5/1 p2
* SPP                    1x512x20x20      max 13/1 p6
  SPP                    1x512x20x20      max 9/1 p4
  SPPF, batch            8x256x40x40      max 5/1 p2
* photo                  1x3x4096x4096    avg 2/2
  photo                  1x3x4096x4096    max 2/2
* AlexNet                8x64x55x55       max 3/2
  AlexNet                8x192x27x27      max 3/2
  AlexNet                8x256x13x13      max 3/2
* GoogLeNet              8x64x112x112     max 3/2 ceil
  GoogLeNet              8x480x28x28      max 3/2 ceil
  GoogLeNet branch       8x480x14x14      max 3/1 p1
  GoogLeNet branch       8x832x7x7        max 3/1 p1
  SqueezeNet             4x96x109x109     max 3/2 ceil
  NASNet cell            4x44x83x83       avg 3/2 p1 inside
  NASNet cell            4x168x21x21      avg 3/1 p1 inside
  ResNet-D shortcut      8x256x56x56      avg 2/2 ceil inside
  ResNet-D shortcut      8x512x7x7        avg 2/2 ceil inside
* MobileNet head         16x1280x7x7      avg 7/7
  EfficientNet head      8x1536x10x10     avg 10/10
  EfficientNet head      8x1792x12x12     avg 12/12
  EfficientNet head      4x2560x19x19     avg 19/19
  SENet squeeze          8x64x56x56       avg 56/56
* UNet level 1           2x64x568x568     max 2/2
  UNet level 2           2x128x280x280    max 2/2
  UNet level 4           2x512x64x64      max 2/2
  PSPNet                 1x2048x60x60     avg 20/20
  GAN, even window       4x128x65x65      avg 4/2 p1
  GAN, even window       4x128x64x64      max 4/2 p1
  CIFAR                  128x32x32x32     max 2/2
  MNIST batch            128x6x28x28      max 2/2
  many small planes      64x512x4x4       max 2/2
  odd                    3x37x101x97      max 3/2 p1
  odd                    3x37x101x97      avg 3/2 p1
  odd                    1x5x1023x769     avg 2/2
  odd                    1x5x1023x769     max 3/3
  odd                    2x17x61x67       max 5/3 p2
  odd                    2x17x61x67       max 7/1 p3
  odd                    1x1x2047x2049    max 3/1 p1
  narrow                 1x64x8191x5      max 3/2 p1
  flat                   1x64x5x8191      max 3/2 p1
"""

CHANNELS_LAST = """
* ResNet stem            1x112x112x64     max 3/2 p1
* ResNet stem, batch     16x112x112x64    max 3/2 p1
* VGG pool1              8x224x224x64     max 2/2
  VGG pool5              8x14x14x512      max 2/2
* Inception block        8x35x35x192      avg 3/1 p1
  Inception block        8x35x35x192      avg 3/1 p1 inside
* DenseNet transition    8x56x56x256      avg 2/2
  SPPF                   1x20x20x512      max 5/1 p2
  SPP                    1x20x20x512      max 13/1 p6
  AlexNet                8x55x55x64       max 3/2
  GoogLeNet              8x28x28x480      max 3/2 ceil
  GoogLeNet branch       8x14x14x480      max 3/1 p1
* MobileNet head         16x7x7x1280      avg 7/7
  EfficientNet head      8x12x12x1792     avg 12/12
  UNet level 1           2x568x568x64     max 2/2
* photo                  1x4096x4096x3    avg 2/2
  photo                  1x1079x1917x3    max 3/2 p1
  photo                  1x1079x1917x3    avg 3/1 p1
  photo, alpha           1x1080x1920x4    avg 4/4
* one channel            1x2047x2049x1    max 2/2
  one channel            1x1024x1024x1    avg 3/1 p1
  two channels           1x512x513x2      max 2/2
  odd                    3x101x97x37      max 3/2 p1
  odd                    2x61x67x17       avg 5/3 p2
"""

TRAIN = """
* ResNet stem            1x64x112x112     max 3/2 p1
* ResNet stem, batch     16x64x112x112    max 3/2 p1
  VGG pool1              4x64x224x224     max 2/2
  AlexNet                8x192x27x27      max 3/2
  GoogLeNet branch       8x480x14x14      max 3/1 p1
  SPPF                   1x512x20x20      max 5/1 p2
* UNet level 2           2x128x280x280    max 2/2
  CIFAR                  128x32x32x32     max 2/2
  LeNet batch            64x6x28x28       max 2/2
  odd                    3x37x101x97      max 3/2 p1
  volume                 1x16x32x56x56    max 2/2
* Inception block        8x192x35x35      avg 3/1 p1
  DenseNet transition    8x256x56x56      avg 2/2
  MobileNet head         16x1280x7x7      avg 7/7
  odd                    2x17x61x67       avg 5/3 p2
* ResNet stem, batch     16x112x112x64    max 3/2 p1 last
  GoogLeNet branch       8x14x14x480      max 3/1 p1 last
  CIFAR                  128x32x32x32     max 2/2 last
  Inception block        8x35x35x192      avg 3/1 p1 last
  DenseNet transition    8x56x56x256      avg 2/2 last
"""

LARGE_WINDOWS = """
  photo                  1x1x1024x1024    max 9/1 p4
  photo                  1x1x1024x1024    max 15/1 p7
* photo                  1x1x1024x1024    max 31/1 p15
  photo                  1x1x1024x1024    max 63/1 p31
* photo                  1x1x1024x1024    max 101/1 p50
  photo                  1x1x1024x1024    avg 9/1 p4
  photo                  1x1x1024x1024    avg 15/1 p7
* photo                  1x1x1024x1024    avg 31/1 p15
  photo                  1x1x1024x1024    avg 63/1 p31
* photo                  1x1x1024x1024    avg 101/1 p50
  odd                    1x1x777x1201     max 45/1 p22
  odd                    1x1x777x1201     avg 45/1 p22
  no padding             1x1x777x1201     max 28/1
  batch                  4x16x128x128     max 21/1 p10
  batch                  4x16x128x128     avg 21/1 p10
  long and low           1x1x1024x1024    max 3x101/1 p1x50
  channels last          1x720x1280x3     max 31/1 p15 last
  channels last          1x720x1280x3     avg 31/1 p15 last
"""

LARGE_STEPS = """
* photo                  1x1x4096x4096    max 16/16
* photo                  1x1x4096x4096    avg 16/16
  photo                  1x1x4096x4096    avg 32/32
  photo                  1x1x4096x4096    avg 64/64
  photo                  1x1x4096x4096    max 128/128
  photo                  1x1x4096x4096    avg 128/128
  odd                    1x3x3000x4001    avg 50/50
  odd                    1x3x3000x4001    max 17/17
  planes                 8x32x512x512     avg 32/32
  planes                 8x64x96x96       max 24/24
  channels last          1x2048x2048x3    avg 16/16 last
  channels last          1x2048x2048x3    max 16/16 last
"""

# Each with every dtype; the first of them is what the others are compared with.
DTYPES = ("float32", "uint8", "int16", "float16", "bfloat16", "float64")
DTYPE_CASES = """
* ResNet stem            4x64x112x112     max 3/2 p1
  VGG pool1              2x64x224x224     max 2/2
  Inception block        4x192x35x35      avg 3/1 p1
* image                  1x2160x3840x3    avg 2/2 last
  image                  1x2160x3840x3    max 3/1 p1 last
  grey image             1x1x2048x2048    avg 2/2
  grey image             1x1x1024x1024    max 31/1 p15
"""

ONE_AND_THREE = """
  sound, M5              8x128x8000       max 4/4
  sound, waveform        16x1x160000      max 4/4
* sound, odd             1x1x1000003      max 5/2 p2
  sound, decimated       1x1x4000000      avg 10/10
* sound, smoothed        4x2x480000       avg 101/1 p50
  text                   32x300x50        max 3/2
  text, over time        32x256x97        max 97/97
  sequence, last         8x8000x128       max 2/2 last
* video, C3D             1x64x16x112x112  max 1x2x2/1x2x2
  video, C3D             1x128x16x56x56   max 2/2
  video, I3D             1x64x16x112x112  max 1x3x3/1x2x2 p0x1x1
  video, I3D branch      1x192x8x28x28    max 3/1 p1
  video, SlowFast        1x64x32x56x56    avg 4x1x1/4x1x1
* volume                 1x1x256x256x256  avg 2/2
  volume, odd            1x4x155x193x149  max 2/2
  volume, smoothed       1x1x128x128x128  avg 5/1 p2
  volume, head           4x512x4x7x7      avg 4x7x7/1
  volume, last           1x16x56x56x128   max 2/2 last
"""

TINY = """
* smallest               1x1x4x4          max 2/2
* LeNet                  1x6x28x28        max 2/2
  LeNet                  1x6x28x28        avg 2/2
  LeNet                  1x16x10x10       max 2/2
  patch                  1x3x8x8          max 3/1 p1
  patch, last            1x8x8x3          avg 3/1 p1 last
  odd                    1x5x7x9          avg 3/2 p1
  LeNet, last            1x28x28x6        max 2/2 last
  head                   1x64x4x4         avg 4/4
  signal                 1x1x64           max 2/2
"""

GROUPS = (
    Group("channels-first", "Channels first, float32, forward", CHANNELS_FIRST),
    Group("channels-last", "Channels last, float32, forward", CHANNELS_LAST, ("last",)),
    Group("train",
          "Training step: forward (maxima with int32 indices) and the gradient back, float32",
          TRAIN, ("train",)),
    Group("large-windows", "Large windows, stride 1, float32", LARGE_WINDOWS),
    Group("large-steps", "Large windows, stride = kernel, float32", LARGE_STEPS),
    Group("dtypes", "Other dtypes, and float32 beside them", DTYPE_CASES, DTYPES),
    Group("1d-3d", "One and three dimensions, float32", ONE_AND_THREE),
    Group("tiny", "Tiny arrays, float32", TINY),
)


class Entry(NamedTuple):
    """A case in its group."""

    group: Group
    case: Case
    shown: bool         # in the README

    @property
    def words(self) -> str:
        """All there is to say of it in one line: what patterns are looked for in."""
        case = self.case
        words = [self.group.name, case.name, times_sign(case.shape), case.window, case.layout]
        return " ".join([*words, *["train"] * case.train, case.dtype])


def entries(without: tuple[str, ...] = ()) -> list[Entry]:
    """Every case, in the order of the groups; those of some dtypes left out."""
    return [
        Entry(group, case(name, shape, f"{window} {words}"), line.startswith("*"))
        for group in GROUPS
        for line in group.lines.strip().splitlines()
        for name, shape, window in [re.split(r"\s{2,}", line.lstrip("* "), maxsplit=2)]
        for words in group.words if words not in without]

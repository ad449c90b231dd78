"""A pyramid of ever smaller images: of a photograph by averages, of a label image by the mode.

Labels are names, not amounts: the average of road and sky is no third thing. The mode of a window
is always one of its labels; how many averages are not is counted, level by level: a table, a
picture.

    python examples/pyramid.py --help
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import cypool

Level = tuple[np.ndarray, np.ndarray, np.ndarray]


def load(path: str | None) -> np.ndarray:
    """A picture as (height, width, 3) in uint8: the one at `path`, or one of scikit-learn's."""
    if path is None:
        from sklearn.datasets import load_sample_image

        return load_sample_image("china.jpg")
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def label(photo: np.ndarray, classes: int) -> np.ndarray:
    """Each pixel by which of some colours it is nearest to: (height, width) in uint8."""
    from sklearn.cluster import KMeans

    pixels = photo.reshape(-1, 3).astype(np.float32)
    some = pixels[:: max(1, len(pixels) // 5000)]
    colours = KMeans(classes, n_init=1, random_state=0).fit(some)
    return colours.predict(pixels).astype(np.uint8).reshape(photo.shape[:2])


def invented(smaller: np.ndarray, labels: np.ndarray) -> float:
    """The share of pixels whose value none of the four labels under them has."""
    height, width = smaller.shape
    blocks = labels[:2 * height, :2 * width].reshape(height, 2, width, 2)
    return float((blocks != smaller[:, None, :, None]).all(axis=(1, 3)).mean())


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("image", nargs="?", help="a picture of your own")
    parser.add_argument("--levels", type=int, default=5, help="images, each half as large")
    parser.add_argument("--classes", type=int, default=6, help="colours that make the labels")
    parser.add_argument("--picture", default="pyramid.png", help="where the pyramid goes")
    given = parser.parse_args(argv)
    photo = load(given.image)
    labels = label(photo, given.classes)
    levels: list[Level] = [(photo, labels, labels)]
    rows = []
    print(f"{'image':>12}{'labels':>8}{'averages that are no label there':>36}{'modes':>8}")
    for _ in range(given.levels - 1):
        photo, labels, _ = levels[-1]
        if min(labels.shape) < 2:
            break
        by_mode = cypool.pool(labels, "mode", 2, axes=(0, 1))
        by_average = cypool.pool(labels, "avg", 2, axes=(0, 1))
        levels.append((cypool.pool(photo, "avg", 2, axes=(0, 1)), by_mode, by_average))
        rows.append({
            "shape": by_mode.shape, "labels": len(np.unique(by_mode)),
            "average": invented(by_average, labels), "mode": invented(by_mode, labels)})
        size = "x".join(map(str, by_mode.shape))
        print(f"{size:>12}{rows[-1]['labels']:>8}{rows[-1]['average']:>36.1%}"
              f"{rows[-1]['mode']:>8.1%}")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.2 * len(levels), 5), layout="constrained")
    for row, (name, axes) in enumerate(zip(
            ("photograph, averages", "labels, mode", "labels, averages"),
            figure.subplots(3, len(levels), squeeze=False), strict=True)):
        for shown, level in zip(axes, levels, strict=True):
            more = {} if row == 0 else {"cmap": "tab10", "vmin": 0, "vmax": 9}
            shown.imshow(level[row], interpolation="nearest", **more)
            shown.set(xticks=[], yticks=[])
        axes[0].set_ylabel(name)
    figure.savefig(given.picture, dpi=120)
    return rows


if __name__ == "__main__":
    main()

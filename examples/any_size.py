"""One classifier for images of different sizes: spatial pyramid pooling gives them all one length.

Handwritten digits (those of scikit-learn, 8 x 8) are drawn larger and smaller. A network learns
from three of the sizes, mixed, and is asked at these and at sizes it never saw: a table, a picture.

    python examples/any_size.py --help
"""

from __future__ import annotations

import argparse

import numpy as np
from digits_cnn import Convolution, Dense, Network, load

from cypool import layers

LEVELS = (1, 2, 4)
LEARNT = (8, 12, 16)
ASKED = (7, 8, 10, 12, 14, 16, 20)


def at_size(images: np.ndarray, size: int) -> np.ndarray:
    """(N, 1, 8, 8) as (N, 1, size, size), by straight lines between pixels."""
    from scipy.ndimage import zoom

    scale = size / images.shape[-1]
    return zoom(images, (1, 1, scale, scale), order=1, grid_mode=True, mode="nearest")


def main(argv: list[str] | None = None) -> dict[int, float]:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=12, help="passes over the data")
    parser.add_argument("--seed", type=int, default=0, help="what weights and order start from")
    parser.add_argument("--picture", default="any_size.png", help="where the plot goes")
    given = parser.parse_args(argv)
    x, y, unseen, answers = load()
    sizes = {size: at_size(x, size) for size in LEARNT}
    rng = np.random.default_rng(given.seed)
    channels = 32
    network = Network([
        Convolution(rng, 1, 16), Convolution(rng, 16, channels),
        layers.SpatialPyramidPool(LEVELS),
        Dense(rng, channels * sum(n * n for n in LEVELS))])
    steps = given.epochs * -(-len(x) // 64)
    for _ in range(given.epochs):
        order = rng.permutation(len(x))
        for at in range(0, len(x), 64):
            batch = order[at:at + 64]
            size = LEARNT[int(rng.integers(len(LEARNT)))]       # one size a batch
            network.learn(sizes[size][batch], y[batch], 0.004 * (1 - network.step / steps))
    found = {}
    print(f"{'size':>8}{'digits read':>14}")
    for size in ASKED:
        found[size] = network.accuracy(at_size(unseen, size), answers)
        note = "" if size in LEARNT else "   never seen in training"
        print(f"{size:>3} x {size:<3}{found[size]:13.1%}{note}")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    for learnt, style in ((True, "o"), (False, "s")):
        of = [size for size in ASKED if (size in LEARNT) == learnt]
        left.plot(of, [found[size] for size in of], style,
                  label="learnt from" if learnt else "never seen")
    left.set(xlabel="pixels a side", ylabel="digits read")
    left.legend()
    right.imshow(at_size(unseen[:1], max(ASKED))[0, 0], cmap="gray_r")
    right.set(title=f"{max(ASKED)} x {max(ASKED)}", xticks=[], yticks=[])
    figure.savefig(given.picture, dpi=120)
    return found


if __name__ == "__main__":
    main()

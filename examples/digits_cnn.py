"""A small convolutional network in NumPy, with cypool's layers, that reads handwritten digits.

Trains on three quarters of the digits that scikit-learn brings (8 x 8, 1,797 of them), says how
many of the others it reads, and compares ways of pooling over several seeds: a table, a picture.

    python examples/digits_cnn.py --help
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from cypool import layers


class Convolution:
    """3 x 3 filters with a border of zeros, and a rectifier."""

    def __init__(self, rng: np.random.Generator, inputs: int, outputs: int) -> None:
        scale = np.sqrt(2 / (9 * inputs))
        self.weights = [(rng.standard_normal((inputs * 9, outputs)) * scale).astype(np.float32),
                        np.zeros(outputs, np.float32)]

    def forward(self, x: np.ndarray) -> np.ndarray:
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        taps = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        self.columns = taps.transpose(0, 2, 3, 1, 4, 5).reshape(-1, x.shape[1] * 9)
        self.shape = x.shape
        y = self.columns @ self.weights[0] + self.weights[1]
        self.live = y > 0
        y = (y * self.live).reshape(len(x), *x.shape[2:], -1)
        return np.ascontiguousarray(y.transpose(0, 3, 1, 2))

    def backward(self, grad: np.ndarray) -> np.ndarray:
        flat = grad.transpose(0, 2, 3, 1).reshape(len(self.columns), -1) * self.live
        self.gradients = [self.columns.T @ flat, flat.sum(axis=0)]
        n, c, h, w = self.shape
        taps = (flat @ self.weights[0].T).reshape(n, h, w, c, 3, 3)
        padded = np.zeros((n, c, h + 2, w + 2), np.float32)
        for i in range(3):
            for j in range(3):
                padded[:, :, i:i + h, j:j + w] += taps[..., i, j].transpose(0, 3, 1, 2)
        return padded[:, :, 1:-1, 1:-1]


class Dense:
    """All features to ten scores."""

    def __init__(self, rng: np.random.Generator, inputs: int) -> None:
        self.weights = [(rng.standard_normal((inputs, 10)) / np.sqrt(inputs)).astype(np.float32),
                        np.zeros(10, np.float32)]

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.shape, self.x = x.shape, x.reshape(len(x), -1)
        return self.x @ self.weights[0] + self.weights[1]

    def backward(self, grad: np.ndarray) -> np.ndarray:
        self.gradients = [self.x.T @ grad, grad.sum(axis=0)]
        return (grad @ self.weights[0].T).reshape(self.shape)


class Network:
    """Layers one after the other, the last of which scores ten digits; learns by Adam."""

    def __init__(self, layers: list[Any]) -> None:
        self.layers = layers
        self.weighted = [layer for layer in layers if hasattr(layer, "weights")]
        self.moments = [[(np.zeros_like(w), np.zeros_like(w)) for w in layer.weights]
                        for layer in self.weighted]
        self.step = 0

    def forward(self, x: np.ndarray) -> np.ndarray:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def accuracy(self, x: np.ndarray, y: np.ndarray) -> float:
        return float((self.forward(x).argmax(axis=1) == y).mean())

    def learn(self, x: np.ndarray, y: np.ndarray, rate: float) -> None:
        out = self.forward(x)
        share = np.exp(out - out.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        grad = (share - np.eye(10, dtype=np.float32)[y]) / len(x)
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        self.step += 1
        for layer, kept in zip(self.weighted, self.moments, strict=True):
            for w, g, (m, v) in zip(layer.weights, layer.gradients, kept, strict=True):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                w -= rate * (m / (1 - 0.9**self.step)) / (
                    np.sqrt(v / (1 - 0.999**self.step)) + 1e-8)


def train(data: Any, pooling: Any, seed: int, epochs: int) -> float:
    """Train a network; the share of unseen digits that it reads."""
    x, y, unseen, answers = data
    rng = np.random.default_rng(seed)
    features = [Convolution(rng, 1, 16), pooling(), Convolution(rng, 16, 32), pooling()]
    shape = x[:1]
    for layer in features:
        shape = layer.forward(shape)
    network = Network([*features, Dense(rng, shape.size)])
    steps = epochs * -(-len(x) // 64)
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for at in range(0, len(x), 64):
            batch = order[at:at + 64]
            network.learn(x[batch], y[batch], 0.004 * (1 - network.step / steps))
    return network.accuracy(unseen, answers)


WAYS = {
    "max 2/2": lambda: layers.MaxPool2d(2),
    "max 3/2, overlapping": lambda: layers.MaxPool2d(3, 2, 1),
    "average 2/2": lambda: layers.AvgPool2d(2),
    "average 3/2, overlapping": lambda: layers.AvgPool2d(3, 2, 1, count_include_pad=False),
    "L2 (root mean square) 2/2": lambda: layers.Pool("gem", (2, 2), p=2),
}


def load() -> tuple[np.ndarray, ...]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.images))
    x = (digits.images[order, None] / 16).astype(np.float32)
    y = digits.target[order]
    return x[:1347], y[:1347], x[1347:], y[1347:]


def main(argv: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=20, help="passes over the data")
    parser.add_argument("--seeds", type=int, default=3, help="networks for each way of pooling")
    parser.add_argument("--picture", default="digits_cnn.png", help="where the plot goes")
    given = parser.parse_args(argv)
    data = load()
    start = time.perf_counter()
    accuracy = train(data, WAYS["max 2/2"], 0, given.epochs)
    print(f"{accuracy:.1%} of {len(data[2])} unseen digits, after "
          f"{time.perf_counter() - start:.1f} s of training")
    found = {name: [train(data, way, seed, given.epochs) for seed in range(given.seeds)]
             for name, way in WAYS.items()}
    print(f"\n{'pooling':28}{'mean':>8}{'least':>8}{'most':>8}   over {given.seeds} seeds")
    for name, shares in found.items():
        print(f"{name:28}{np.mean(shares):8.2%}{min(shares):8.2%}{max(shares):8.2%}")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    for row, shares in enumerate(found.values()):
        axes.plot(shares, [row] * len(shares), "o", alpha=0.6)
        axes.plot(np.mean(shares), row, "k|", markersize=14)
    axes.set(yticks=range(len(found)), yticklabels=list(found), xlabel="digits read")
    figure.savefig(given.picture, dpi=120)
    return accuracy


if __name__ == "__main__":
    main()

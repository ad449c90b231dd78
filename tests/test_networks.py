"""Networks of comparisons: each finds what it says."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from cypool._cpu import networks

INCLUDE = Path(networks.__file__).parent / "include"


def run(network: networks.Network, rows: list[np.ndarray]) -> list[np.ndarray]:
    """What a network makes of rows; of what is in registers at first, nothing is known."""
    found = dict(enumerate(rows))
    for i in range(0, len(network.steps), networks.STEP):
        what, a, b, least, most = network.steps[i:i + networks.STEP]
        assert not {least, most} & {a, b}
        v, w = found[a], found[b]
        if what != networks.GREATEST:
            found[least] = np.minimum(v, w)
        if what != networks.LEAST:
            found[most] = np.maximum(v, w)
    return [found[row] for row in network.outputs]


def ranked(x: np.ndarray, rank: int) -> np.ndarray:
    """By the networks of windows: x is of taps, columns and windows."""
    taps, columns = x.shape[:2]
    column, window = networks.of_window(taps, columns, rank)
    made = [run(column, list(x[:, i])) for i in range(columns)]
    rows = [made[i][tap] for tap in range(taps) for i in range(columns)]
    found, = run(window, rows)
    return found


@pytest.mark.parametrize(("taps", "columns"), [
    (1, 1), (2, 2), (3, 3), (1, 9), (9, 1), (2, 5), (4, 3), (1, 16), (13, 1), (3, 5), (2, 8)])
def test_ranks_of_zeros_and_ones(taps, columns):
    """A network of comparisons is right if it is for all zeros and ones (D. E. Knuth, 5.3.4 Z)."""
    windows = np.array(list(itertools.product((0, 1), repeat=taps * columns)), np.int8).T
    x = windows.reshape(taps, columns, -1)
    for rank in range(taps * columns):
        np.testing.assert_array_equal(ranked(x, rank), np.sort(windows, axis=0)[rank])


@pytest.mark.parametrize(("taps", "columns"), [(5, 5), (7, 7), (4, 9), (1, 60), (60, 1), (15, 15)])
def test_ranks_of_many(taps, columns):
    rng = np.random.default_rng(taps)
    x = rng.integers(0, 90, (taps, columns, 50))
    ordered = np.sort(x.reshape(taps * columns, -1), axis=0)
    for rank in {0, 1, taps * columns // 3, (taps * columns - 1) // 2, taps * columns - 1}:
        np.testing.assert_array_equal(ranked(x, rank), ordered[rank])


def test_networks_that_are_compiled_are_these():
    header = INCLUDE / "cypool_medians.h"
    if not header.exists():
        pytest.skip("the library's sources are not here")
    assert header.read_text(encoding="utf-8") == networks.header()


def test_a_network_has_nothing_that_nobody_needs():
    """The median of nine, its columns sorted: in 16 comparisons that write one value each."""
    steps = networks.of_window(3, 3, 4)[1].steps
    written = [1 + (what == networks.EXCHANGE) for what in steps[::networks.STEP]]
    assert sum(written) == 16
    assert networks.of_window(3, 3, 0)[1].outputs
    assert len(networks.of_window(3, 3, 0)[1].steps) == 2 * networks.STEP

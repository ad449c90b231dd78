"""Small calls that are made again go a shorter way, which must be the same call."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from judging import assert_same

import cypool


def test_again_and_again_the_same():
    rng = np.random.default_rng(1)
    for dtype in ("float32", "int16", "float64", "float32"):
        for shape in ((1, 2, 6, 8), (2, 6, 8), (1, 2, 8, 6)):
            for _ in range(3):
                x = (rng.standard_normal(shape) * 100).astype(dtype)
                blocks = x.reshape(*shape[:-2], shape[-2] // 2, 2, shape[-1] // 2, 2)
                assert_same(cypool.max_pool2d(x, 2), blocks.max(axis=(-3, -1)))


@pytest.mark.parametrize("wrong", [True, 2.0, np.float64(2), "2", None])
def test_equal_is_not_the_same(wrong):
    x = np.ones((1, 1, 4, 4), np.float32)
    cypool.max_pool2d(x, 1)
    cypool.max_pool2d(x, 2)
    with pytest.raises((TypeError, ValueError), match="kernel_size"):
        cypool.max_pool2d(x, wrong)
    cypool.avg_pool2d(x, 2, count_include_pad=True)
    with pytest.raises(TypeError, match="count_include_pad"):
        cypool.avg_pool2d(x, 2, count_include_pad=1)


def test_other_layouts_are_not_mistaken():
    x = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
    right = cypool.max_pool2d(x, 2)
    for view in (x[:, :, ::-1], x.transpose(0, 1, 3, 2), np.asfortranarray(x), x[:, :, :, ::-1]):
        again = cypool.max_pool2d(np.ascontiguousarray(view), 2)
        assert_same(cypool.max_pool2d(view, 2), again)
    assert_same(cypool.max_pool2d(x, 2), right)
    swapped = x.astype(">f4")
    with pytest.raises(TypeError, match="byte order"):
        cypool.max_pool2d(swapped, 2)
    misaligned = np.empty(x.nbytes + 1, np.uint8)[1:].view(np.float32).reshape(x.shape)
    misaligned[...] = x
    assert_same(cypool.max_pool2d(misaligned, 2), right)


def test_out_is_checked_again():
    x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    right = cypool.avg_pool2d(x, 2)
    out = np.empty_like(right)
    for _ in range(2):
        assert cypool.avg_pool2d(x, 2, out=out) is out
        assert_same(out, right)
    with pytest.raises(ValueError, match="out must have shape"):
        cypool.avg_pool2d(x, 2, out=np.empty((1, 1, 2, 3), np.float32))
    with pytest.raises(TypeError, match="out must have dtype"):
        cypool.avg_pool2d(x, 2, out=np.empty((1, 1, 2, 2), np.float64))
    with pytest.raises(ValueError, match="overlap"):
        cypool.avg_pool2d(x, 2, out=x.reshape(-1)[:4].reshape(1, 1, 2, 2))
    out.flags.writeable = False
    with pytest.raises(ValueError, match="writeable"):
        cypool.avg_pool2d(x, 2, out=out)
    assert_same(out, right)


def test_unpickled_arrays():
    x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    for _ in range(100):
        assert_same(cypool.max_pool2d(pickle.loads(pickle.dumps(x)), 2),
                    np.array([[[[5, 7], [13, 15]]]], np.float32))


CALLS = {
    "adaptive_max_pool2d": (lambda x, n, **k: cypool.adaptive_max_pool2d(x, n, **k), "max"),
    "adaptive_avg_pool2d": (lambda x, n, **k: cypool.adaptive_avg_pool2d(x, n, **k), "mean"),
    "adaptive_pool": (lambda x, n, **k: cypool.adaptive_pool(x, "min", (n, n), **k), "min"),
    "pool": (lambda x, n, **k: cypool.pool(x, "max", (8 // n, 8 // n), **k), "max"),
    "pool, sums": (lambda x, n, **k: cypool.pool(x, "sum", (8 // n, 8 // n), **k), "sum"),
    "global_pool": (lambda x, n, **k: cypool.global_pool(x, "avg", **k), "mean"),
}


@pytest.mark.parametrize("name", CALLS)
def test_other_names_are_remembered_too(name):
    call, op = CALLS[name]
    rng = np.random.default_rng(3)
    for again in range(4):
        for dtype in ("float32", "float64", "float32"):
            for n in (1, 2, 4):
                if name == "global_pool" and n > 1:
                    continue
                x = rng.integers(-100, 100, (2, 3, 8, 8)).astype(dtype)
                blocks = x.reshape(2, 3, n, 8 // n, n, 8 // n)
                right = getattr(blocks, op)(axis=(3, 5))
                out = np.empty_like(right) if again % 2 else None
                actual = call(x, n, out=out)
                assert_same(actual, right)
                assert out is None or actual is out
    with pytest.raises(ValueError, match="data_format"):
        call(x, 1, data_format="last")


@pytest.mark.parametrize("wrong", [True, 2.0, "2", (2, 2, 2), 0])
def test_equal_sizes_are_not_the_same(wrong):
    x = np.ones((1, 1, 4, 4), np.float32)
    for size in (1, 2, (2, 2)):
        cypool.adaptive_max_pool2d(x, size)
        cypool.adaptive_avg_pool2d(x, size)
    for call in (cypool.adaptive_max_pool2d, cypool.adaptive_avg_pool2d):
        with pytest.raises((TypeError, ValueError), match="output_size"):
            call(x, wrong)
    with pytest.raises(ValueError, match="op must be"):
        cypool.pool(x, "most", (2, 2))

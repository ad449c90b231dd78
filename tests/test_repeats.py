"""Calls that are made again go a shorter way, which must be the same call."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from judging import assert_same

import cypool
from cypool import _call


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


@pytest.mark.parametrize("name", [
    "avg_pool2d", "max_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "sum", "global"])
def test_a_gradient_is_never_written_over_what_was_pooled(name):
    x = np.random.default_rng(0).standard_normal((1, 2, 4, 4))
    backward = {
        "sum": lambda *a, **k: cypool.pool_backward(*a[:2], "sum", (2, 2), **k),
        "global": lambda *a, **k: cypool.global_pool_backward(*a[:2], **k),
    }.get(name) or getattr(cypool, name + "_backward")
    shape = (1, 2, 1, 1) if name == "global" else (1, 2, 2, 2)
    more = {}
    if "max" in name:
        _, more["indices"] = getattr(cypool, name)(x, 2, return_indices=True)
    kept = x.copy()
    for _ in range(3):
        for out in (x, x[:, :, ::-1], x.reshape(1, 4, 2, 4)[:, :2].reshape(1, 2, 2, 4)):
            with pytest.raises(ValueError, match="out must"):
                backward(np.ones(shape), x, 2, out=out, **more)
        assert_same(x, kept)
        out = np.empty_like(x)
        assert backward(np.ones(shape), x, 2, out=out, **more) is out


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


FORWARD = {
    "max with indices": lambda x, **k: cypool.max_pool2d(x, 3, 2, 1, return_indices=True, **k),
    "max with short indices": lambda x, **k: cypool.max_pool2d(
        x, 2, ceil_mode=True, return_indices=True, index_dtype=np.int32, **k),
    "max, dilated, threads": lambda x, **k: cypool.max_pool2d(
        x, 2, 1, 1, 2, num_threads=2, return_indices=True, **k),
    "average, unpadded": lambda x, **k: cypool.avg_pool2d(
        x, 3, 2, 1, count_include_pad=False, **k),
    "average over 7": lambda x, **k: cypool.avg_pool2d(x, 3, 2, divisor_override=7, **k),
    "norm": lambda x, **k: cypool.lp_pool2d(x, 2, 3, 2, **k),
    "greatest of absolute values": lambda x, **k: cypool.lp_pool2d(x, np.inf, 2, **k),
    "generalised mean": lambda x, **k: cypool.pool(x, "gem", (2, 2), p=2.0, **k),
    "minimum with indices": lambda x, **k: cypool.pool(
        x, "min", (2, 3), 1, return_indices=True, **k),
    "adaptive with indices": lambda x, **k: cypool.adaptive_max_pool2d(
        x, (3, 4), return_indices=True, **k),
    "adaptive by name": lambda x, **k: cypool.adaptive_pool(x, "lp", (3, 4), p=1, **k),
    "global with indices": lambda x, **k: cypool.global_pool(x, "max", return_indices=True, **k),
    "global norm": lambda x, **k: cypool.global_pool(x, "gem", p=2, **k),
}


def filled(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * 50).astype(dtype)


def spaced(x: np.ndarray) -> np.ndarray:
    """The same values with a gap after each: these are never remembered."""
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def assert_all_same(actual, right):
    for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (actual, right)), strict=True):
        assert_same(a, b)


@pytest.mark.parametrize("name", FORWARD)
@pytest.mark.parametrize("n", [2, 40])
def test_all_that_is_remembered(name, n):
    call = FORWARD[name]
    for again in range(3):
        for dtype in ("float32", "float16", "float64"):
            x = filled((n, 3, 12, 10), dtype, again)
            right = call(spaced(x))
            assert_all_same(call(x), right)
            pair = isinstance(right, tuple)
            out = tuple([np.zeros_like(v) for v in right]) if pair else np.zeros_like(right)
            found = call(x, out=out)
            assert_all_same(found, right)
            assert all(a is b for a, b in zip(found, out, strict=True)) if pair else found is out


@pytest.mark.parametrize("name", FORWARD)
def test_calls_go_the_shorter_way(name, monkeypatch):
    x = filled((2, 3, 12, 10), "float32", 1)
    right = FORWARD[name](x)
    monkeypatch.delattr(_call, "forward")
    assert_all_same(FORWARD[name](x), right)
    with pytest.raises(AttributeError, match="forward"):
        FORWARD[name](spaced(x))


def test_pairs_to_write_to_are_checked_again():
    x = filled((1, 2, 6, 8), "float32", 0)
    right = cypool.max_pool2d(x, 2, return_indices=True)
    values, indices = np.empty_like(right[0]), np.empty_like(right[1])
    found = cypool.max_pool2d(x, 2, return_indices=True, out=[None, indices])
    assert_all_same(found, right)
    assert found[1] is indices
    found = cypool.max_pool2d(x, 2, return_indices=True, out=(values, None))
    assert_all_same(found, right)
    assert found[0] is values
    with pytest.raises(TypeError, match="pair"):
        cypool.max_pool2d(x, 2, return_indices=True, out=values)
    with pytest.raises(TypeError, match="dtype"):
        cypool.max_pool2d(x, 2, return_indices=True, out=(values, indices.astype(np.int32)))
    with pytest.raises(ValueError, match="shape"):
        cypool.max_pool2d(x, 2, return_indices=True, out=(values, indices[..., :2]))
    room = np.zeros(64, np.int64)
    for start in (0, 8):
        view = room.view(np.float32)[start:start + 24].reshape(right[0].shape)
        with pytest.raises(ValueError, match="overlap"):
            cypool.max_pool2d(x, 2, return_indices=True,
                              out=(view, room[:24].reshape(right[1].shape)))
    inside = x.view(np.int64).reshape(-1)[:24].reshape(right[1].shape)
    with pytest.raises(ValueError, match="overlap"):
        cypool.max_pool2d(x, 2, return_indices=True, out=(values, inside))
    indices.flags.writeable = False
    with pytest.raises(ValueError, match="writeable"):
        cypool.max_pool2d(x, 2, return_indices=True, out=(values, indices))
    with pytest.raises(TypeError, match="return_indices"):
        cypool.max_pool2d(x, 2, return_indices=1)
    with pytest.raises(TypeError, match="index_dtype"):
        cypool.max_pool2d(x, 2, return_indices=True, index_dtype=np.int16)
    with pytest.raises((TypeError, ValueError), match="num_threads"):
        cypool.max_pool2d(x, 2, return_indices=True, num_threads=0)


BACKWARD = {
    "max": (lambda x: cypool.max_pool2d(x, 3, 2, 1, return_indices=True),
            lambda g, x, i, **k: cypool.max_pool2d_backward(g, x, 3, 2, 1, indices=i, **k)),
    "max, anywhere": (lambda x: cypool.max_pool2d(x, 7, 1, 3, return_indices=True),
                      lambda g, x, i, **k: cypool.max_pool2d_backward(
                          g, x, 7, 1, 3, indices=i, **k)),
    "average": (lambda x: (cypool.avg_pool2d(x, 3, 2, 1), None),
                lambda g, x, i, **k: cypool.avg_pool2d_backward(g, x, 3, 2, 1, **k)),
    "sum": (lambda x: (cypool.pool(x, "sum", (2, 3)), None),
            lambda g, x, i, **k: cypool.pool_backward(g, x, "sum", (2, 3), **k)),
    "minimum": (lambda x: cypool.pool(x, "min", (2, 2), return_indices=True),
                lambda g, x, i, **k: cypool.pool_backward(g, x, "min", (2, 2), indices=i, **k)),
    "adaptive max": (lambda x: cypool.adaptive_max_pool2d(x, (3, 4), return_indices=True),
                     lambda g, x, i, **k: cypool.adaptive_max_pool2d_backward(
                         g, x, (3, 4), indices=i, **k)),
    "adaptive average": (lambda x: (cypool.adaptive_avg_pool2d(x, 4), None),
                         lambda g, x, i, **k: cypool.adaptive_avg_pool2d_backward(g, x, 4, **k)),
    "adaptive by name": (lambda x: (cypool.adaptive_pool(x, "avg", (3, 4)), None),
                         lambda g, x, i, **k: cypool.adaptive_pool_backward(
                             g, x, "avg", (3, 4), **k)),
    "global": (lambda x: cypool.global_pool(x, "max", return_indices=True),
               lambda g, x, i, **k: cypool.global_pool_backward(g, x, "max", indices=i, **k)),
}


@pytest.mark.parametrize("name", BACKWARD)
@pytest.mark.parametrize("n", [2, 40])
def test_gradients_are_remembered_too(name, n):
    forward, backward = BACKWARD[name]
    for again in range(3):
        for dtype in ("float32", "float16", "float64"):
            x = filled((n, 3, 12, 10), dtype, again)
            y, indices = forward(x)
            grad = filled(y.shape, dtype, again + 10)
            right = backward(spaced(grad), x.shape, indices)
            for given in (x, x.shape, spaced(x)):
                assert_same(backward(grad, given, indices), right)
            if indices is not None:
                assert_same(backward(grad, x, indices.astype(np.int32)), right)
                assert_same(backward(grad, x, spaced(indices)), right)
            out = np.ones_like(x)
            assert backward(grad, x, indices, out=out) is out
            assert_same(out, right)


@pytest.mark.parametrize("name", BACKWARD)
def test_gradients_go_the_shorter_way(name, monkeypatch):
    forward, backward = BACKWARD[name]
    x = filled((2, 3, 12, 10), "float32", 1)
    y, indices = forward(x)
    right = backward(y, x, indices)
    monkeypatch.delattr(_call, "backward")
    assert_same(backward(y, x.shape, indices), right)
    with pytest.raises(AttributeError, match="backward"):
        backward(spaced(y), x, indices)


@pytest.mark.parametrize("name", BACKWARD)
def test_gradients_are_checked_again(name):
    forward, backward = BACKWARD[name]
    x = filled((2, 3, 12, 10), "float32", 5)
    y, indices = forward(x)
    grad = filled(y.shape, "float32", 6)
    right = backward(grad, x, indices)
    assert_same(backward(grad, x, indices), right)
    with pytest.raises(TypeError, match="complex"):
        backward(grad, x.astype(complex), indices)
    with pytest.raises((TypeError, ValueError), match="x must"):
        backward(grad, (2, 3, 12.0, 10), indices)
    with pytest.raises(ValueError, match="grad_output must have shape"):
        backward(grad[:1], x, indices)
    with pytest.raises(TypeError, match="grad_output"):
        backward(grad.astype(int), x, indices)
    out = np.ones_like(x)
    with pytest.raises(ValueError, match="overlap"):
        backward(x.reshape(-1)[:grad.size].reshape(grad.shape), x.shape, indices, out=x)
    with pytest.raises(TypeError, match="out must have dtype"):
        backward(grad, x, indices, out=out.astype(np.float64))
    if indices is not None:
        with pytest.raises(TypeError, match="indices"):
            backward(grad, x, indices.astype(np.int16))
        with pytest.raises(ValueError, match="indices must have shape"):
            backward(grad, x, indices[..., :1, :0])
        for wrong in (-2, 120):
            bad = indices.copy()
            bad[-1, -1, -1, -1] = wrong
            with pytest.raises(ValueError, match="indices must be -1 or lie within"):
                backward(grad, x, bad)
            with pytest.raises(ValueError, match="indices must be -1 or lie within"):
                backward(grad, x, bad, out=out)
            assert (out == 1).all()


def test_keywords_that_are_equal_are_not_the_same():
    x = filled((1, 2, 6, 8), "float32", 0)
    for _ in range(2):
        one = cypool.pool(x, "avg", (2, 2), divisor_override=1)
        assert_same(one, cypool.pool(x, "sum", (2, 2)))
        assert_same(cypool.pool(x, "gem", (2, 2), p=1), cypool.pool(x, "gem", (2, 2), p=1.0))
    for wrong in (True, 1.0):
        with pytest.raises(TypeError, match="divisor_override"):
            cypool.pool(x, "avg", (2, 2), divisor_override=wrong)
    with pytest.raises(TypeError, match="p must"):
        cypool.pool(x, "gem", (2, 2), p=True)
    with pytest.raises(TypeError, match="norm_type"):
        cypool.lp_pool2d(x, True, 2)
    assert cypool.lp_pool2d(x, 1, 2) is not None
    y, indices = cypool.pool(x, "max", (2, 2), return_indices=True)
    grad = np.ones_like(y)
    for _ in range(2):      # with the indices, and without: the maxima are found again then
        assert_same(cypool.pool_backward(grad, x, "max", (2, 2), indices=indices),
                    cypool.pool_backward(grad, x, "max", (2, 2)))


def test_setting_threads_reaches_calls_that_are_remembered():
    x = filled((16, 64, 32, 32), "float32", 0)
    right = cypool.max_pool2d(x, 3, 1, 1)
    before = cypool.get_num_threads()
    try:
        for n in (1, 2, 3):
            cypool.set_num_threads(n)
            assert_same(cypool.max_pool2d(x, 3, 1, 1), right)
            with cypool.threads(2):
                assert_same(cypool.max_pool2d(x, 3, 1, 1), right)
    finally:
        cypool.set_num_threads(before)

"""Fractional windows: PyTorch's own, TensorFlow's sequences, and the bounds of both."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from arrays import make_values
from judging import assert_same

import cypool


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_like_pytorch(n, dtype):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(n)
    function = getattr(torch.nn.functional, f"fractional_max_pool{n}d")
    for lengths, kernel, size in (
            ((9, 11, 8)[:n], 2, 5), ((16, 7, 9)[:n], (3, 2, 2)[:n], (6, 5, 4)[:n]),
            ((5, 5, 5)[:n], 1, 4), ((6, 8, 7)[:n], 3, 1)):
        x = rng.standard_normal((2, 3, *lengths)).astype(dtype)
        samples = rng.random((2, 3, n)).astype(dtype)
        tensor = torch.from_numpy(x).requires_grad_(True)
        theirs, places = function(tensor, kernel, size, return_indices=True,
                                  _random_samples=torch.from_numpy(samples))
        ours = getattr(cypool, f"fractional_max_pool{n}d")
        values, indices = ours(x, kernel, size, None, True, samples)
        assert_same(values, theirs.detach().numpy())
        assert_same(indices, places.numpy())
        last = ours(np.ascontiguousarray(np.moveaxis(x, 1, -1)), kernel, size, None, True, samples,
                    data_format="channels_last")
        assert_same(np.moveaxis(last[0], -1, 1), values)
        grad = rng.standard_normal(values.shape).astype(dtype)
        theirs.backward(torch.from_numpy(grad))
        back = getattr(cypool, f"fractional_max_pool{n}d_backward")
        for got in (back(grad, x.shape, kernel, size, indices=indices),
                    back(grad, x, kernel, size, None, False, samples)):
            np.testing.assert_allclose(got, tensor.grad.numpy(), rtol=1e-6, atol=1e-7)


def test_windows_and_means_cell_by_cell():
    rng = np.random.default_rng(2)
    for dtype in (np.float64, np.uint8, np.int64):
        x = (rng.standard_normal((2, 3, 9, 7)) * 50).astype(dtype)
        samples = rng.random((2, 3, 2))
        means = cypool.fractional_pool(x, "avg", (3, 2), (4, 5), None, False, samples)
        grad = rng.standard_normal(means.shape)
        expected = np.zeros(x.shape)
        for n, c in itertools.product(range(2), range(3)):
            starts = []
            for length, k, o, u in ((9, 3, 4, samples[n, c, 1]), (7, 2, 5, samples[n, c, 0])):
                alpha = (length - k) / (o - 1)
                starts.append([int((i + u) * alpha) - int(u * alpha) for i in range(o - 1)]
                              + [length - k])
            for (i, h), (j, w) in itertools.product(*map(enumerate, starts)):
                mean = x[n, c, h:h + 3, w:w + 2].astype(np.float64).mean()
                if dtype == np.float64:
                    assert means[n, c, i, j] == pytest.approx(mean, rel=1e-13)
                else:
                    assert means[n, c, i, j] == np.rint(mean)
                expected[n, c, h:h + 3, w:w + 2] += grad[n, c, i, j] / 6
        got = cypool.fractional_pool_backward(
            grad, x.shape, "avg", (3, 2), (4, 5), None, False, samples)
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [
    "float16", "float32", "float64", "int8", "uint16", "int64", "uint64", "bool"])
@pytest.mark.parametrize("axes", [(1,), (2, 0), (0, 1, 3)], ids=str)
def test_maxima_of_every_dtype_along_any_axes(axes, dtype):
    """Window by window, in any memory, by any number of threads."""
    kind = np.dtype(dtype)
    shape, lengths, kernel, sizes = (7, 6, 5, 8), (7, 6, 5, 8), (2, 3, 2), (3, 2, 4)
    n = len(axes)
    flavour = "nan" if kind.kind == "f" else "edges"
    x = np.asfortranarray(make_values(shape, kind, flavour, 3))
    others = [a for a in range(4) if a not in axes]
    samples = np.random.default_rng(1).random([shape[a] for a in others] + [n])
    values, indices = cypool.fractional_pool(
        x, "max", kernel[:n], sizes[:n], None, True, samples, axes=axes, num_threads=3)
    assert_same(cypool.fractional_pool(
        x[::-1][::-1].copy(), "max", kernel[:n], sizes[:n], None, False, samples, axes=axes,
        num_threads=1), values)
    order = sorted(range(n), key=axes.__getitem__)
    pooled = [axes[i] for i in order]
    planes = np.moveaxis(x, pooled, range(-n, 0)).reshape(-1, *(lengths[a] for a in pooled))
    draws = samples.reshape(-1, n)
    got, places = (np.moveaxis(v, pooled, range(-n, 0)).reshape(
        len(planes), *(sizes[i] for i in order)) for v in (values, indices))
    for plane, u in enumerate(draws):
        starts = []
        for j, i in enumerate(order):
            room, many = lengths[axes[i]] - kernel[i], sizes[i]
            one = u[n - 1 - j] if n == 2 else u[j]
            alpha = room / (many - 1)
            starts.append([int((o + one) * alpha) - int(one * alpha) for o in range(many - 1)]
                          + [room])
        for at in np.ndindex(got.shape[1:]):
            corner = [s[o] for s, o in zip(starts, at, strict=True)]
            taps = list(itertools.product(*(
                range(c, c + kernel[i]) for c, i in zip(corner, order, strict=True))))
            found = [planes[plane][t].item() for t in taps]
            bad = [k for k, v in enumerate(found) if v != v]
            best = bad[0] if bad else found.index(max(found))
            flat = np.ravel_multi_index(taps[best], planes.shape[1:])
            assert places[(plane, *at)] == flat
            assert got[(plane, *at)] == found[best] or bad


@pytest.mark.parametrize("overlapping", [False, True])
@pytest.mark.parametrize("op", ["max", "avg"])
def test_sequences(op, overlapping):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2, 3, 10, 13))
    rows, columns = [0, 1, 3, 4, 6, 7, 9, 10], [0, 2, 3, 5, 8, 13]
    got = cypool.fractional_pool(x, op, None, sequences=(rows, columns), overlapping=overlapping)
    grad = rng.standard_normal(got.shape)
    expected = np.zeros(x.shape)
    for i, j in itertools.product(range(7), range(5)):
        block = (..., slice(rows[i], rows[i + 1] + overlapping),
                 slice(columns[j], columns[j + 1] + overlapping))
        part = x[block].reshape(2, 3, -1)
        np.testing.assert_allclose(got[..., i, j], getattr(part, {"avg": "mean"}.get(op, op))(-1))
        share = np.full(part.shape, 1 / part.shape[-1]) if op == "avg" else (
            part == part.max(-1, keepdims=True))
        expected[block] += (share * grad[..., i, j, None]).reshape(x[block].shape)
    back = cypool.fractional_pool_backward(
        grad, x, op, None, sequences=(rows, columns), overlapping=overlapping)
    np.testing.assert_allclose(back, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("pseudo_random", [False, True])
def test_boundaries(pseudo_random):
    for length, output in ((10, 7), (100, 71), (7, 7), (12, 4), (5, 1), (33, 20)):
        for seed in range(20):
            bounds = cypool.fractional_sequence(
                length, output, pseudo_random=pseudo_random, rng=seed)
            assert bounds[0] == 0
            assert bounds[-1] == length
            assert len(bounds) == output + 1
            steps = np.diff(bounds)
            assert set(steps.tolist()) <= {length // output, length // output + 1}
    same = cypool.fractional_sequence(100, 71, rng=3)
    assert_same(cypool.fractional_sequence(100, 71, rng=3), same)


def test_nan_ties_and_out():
    x = np.array([1.0, np.nan, 3, 3, np.nan, 2])
    zero = np.zeros(1)
    values, indices = cypool.fractional_pool(x, "max", 2, 3, None, True, zero, axes=0)
    np.testing.assert_array_equal(values, [np.nan, 3, np.nan])
    np.testing.assert_array_equal(indices, [1, 2, 4])
    out = np.empty(3), np.empty(3, np.int64)
    got = cypool.fractional_pool(x, "max", 2, 3, None, True, zero, axes=0, out=out)
    assert got[0] is out[0]
    assert got[1] is out[1]
    np.testing.assert_array_equal(out[1], indices)


@pytest.mark.parametrize(("arguments", "error", "text"), [
    ({"op": "min", "kernel_size": 2, "output_size": 2}, ValueError, "op must be 'max' or 'avg'"),
    ({"op": "max", "kernel_size": 2}, ValueError, "output_size must be given"),
    ({"op": "max", "kernel_size": 2, "output_size": 2, "output_ratio": 0.5}, ValueError,
     "output_size must be given"),
    ({"op": "max", "kernel_size": 4, "output_size": 4}, ValueError, "must fit into each axis"),
    ({"op": "max", "kernel_size": 2, "output_ratio": 1.5}, ValueError, "output_ratio must be"),
    ({"op": "max", "kernel_size": 2, "output_ratio": 0.01}, ValueError, "output_ratio must leave"),
    ({"op": "max", "kernel_size": 2, "output_size": 2, "_random_samples": np.ones(1)}, ValueError,
     "_random_samples must lie"),
    ({"op": "max", "kernel_size": 2, "output_size": 2, "_random_samples": np.ones(2)}, ValueError,
     "_random_samples must have shape"),
    ({"op": "max", "kernel_size": None, "sequences": [[0, 2, 2, 6]]}, ValueError,
     "sequences must increase"),
    ({"op": "max", "kernel_size": 2, "sequences": [[0, 6]]}, ValueError, "kernel_size must be"),
    ({"op": "avg", "kernel_size": 2, "output_size": 2, "return_indices": True}, TypeError,
     "return_indices must be False"),
    ({"op": "max", "kernel_size": 2, "output_size": 2, "overlapping": True}, ValueError,
     "overlapping must be False without sequences, got True"),
    ({"op": "max", "kernel_size": None, "sequences": [[0, 6]], "output_size": 1}, ValueError,
     "output_size must be None with sequences, got 1"),
    ({"op": "max", "kernel_size": None, "sequences": [[0, 6]], "output_ratio": 0.5}, ValueError,
     "output_ratio must be None with sequences, got 0.5"),
    ({"op": "avg", "kernel_size": None, "sequences": [[0, 6]], "rng": 3}, ValueError,
     "rng must be None with sequences, got 3"),
    ({"op": "max", "kernel_size": 2, "output_size": 2, "_random_samples": np.zeros(1),
      "rng": "no"}, TypeError, "rng must be"),
    ({"op": "max", "kernel_size": 2, "output_size": 2, "index_dtype": "float32"}, TypeError,
     "index_dtype must be"),
])
def test_bad_arguments(arguments, error, text):
    with pytest.raises(error, match=text):
        cypool.fractional_pool(np.ones(6), axes=0, **arguments)


def test_places_that_a_short_float_cannot_count():
    """float16 samples over an axis whose places float16 has no numbers for."""
    x = np.arange(5000.0)
    values, indices = cypool.fractional_pool(
        x, "max", 3, 1500, None, True, np.array([0.5], np.float16), axes=0)
    assert (np.diff(indices) > 0).all()
    assert indices[-1] == 4999
    np.testing.assert_array_equal(values, x[indices])


def test_means_of_many_elements_lose_few_digits():
    x = np.full(20001, np.float32(0.1))
    mean = cypool.fractional_pool(x, "avg", 20000, 2, None, False, np.array([0.5]), axes=0)
    np.testing.assert_array_equal(mean, np.full(2, np.float32(0.1)))
    large = np.full(3, 1e308)
    mean = cypool.fractional_pool(large, "avg", 3, 1, None, False, np.array([0.5]), axes=0)
    np.testing.assert_allclose(mean, [1e308], rtol=1e-15)


def test_gradients_of_nothing():
    grad = np.ones((0, 3, 2, 2), np.float32)
    for op in ("max", "avg"):
        x = np.ones((0, 3, 5, 5), np.float32)
        back = cypool.fractional_pool_backward(grad, x, op, (2, 2), 2, rng=1)
        assert back.shape == x.shape

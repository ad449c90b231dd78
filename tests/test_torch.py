"""PyTorch as a judge from outside: random geometries that it takes, values, indices, gradients.

Left out, because the library's answer differs by intention: several NaNs in one window (the last
one's index there), windows without a real element, and means of integers (truncated there, so
integers are compared by their sums).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import oracle
import pytest

import cypool

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
functional = pytest.importorskip("torch.nn.functional", reason="PyTorch is not installed")

TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
DTYPES = ("float32", "float64", "int64", "uint8")


def draw_window(rng: np.random.Generator, axes: int, op: str) -> dict[str, Any]:
    """Windows as PyTorch takes them, over lengths that hold at least one."""
    most = (9, 6, 4)[axes - 1]
    kernel = rng.integers(1, most, axes)
    dilation = rng.integers(1, 4, axes) if op == "max" else np.ones(axes, int)
    extent = dilation * (kernel - 1) + 1
    padding = rng.integers(0, kernel // 2 + 1)
    least = np.maximum(extent - 2 * padding, 1)
    lengths = least + rng.integers(0, (60, 14, 6)[axes - 1], axes)
    return {
        "lengths": lengths.tolist(),
        "kernel_size": kernel.tolist(),
        "stride": rng.integers(1, 6, axes).tolist(),
        "padding": padding.tolist(),
        "dilation": dilation.tolist(),
        "ceil_mode": bool(rng.integers(2)),
    }


def draw_array(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    match rng.integers(4):
        case 0:  # many ties
            return rng.integers(0, 3, shape).astype(dtype)
        case 1 if dtype.startswith("float"):
            x = rng.standard_normal(shape).astype(dtype)
            x.flat[rng.integers(x.size)] = np.nan
            return x
        case 2 if dtype.startswith("float"):
            return rng.choice([-np.inf, 0.0, 1.0, -0.0], shape).astype(dtype)
    if dtype.startswith("float"):
        return rng.standard_normal(shape).astype(dtype)
    return rng.integers(0, 200, shape).astype(dtype)


def has_empty_window(window: dict[str, Any], axes: int) -> bool:
    plan = oracle.Plan(
        tuple(window["lengths"]),
        tuple(range(axes)),
        *(window[k] for k in ("kernel_size", "stride", "padding", "dilation", "ceil_mode")),
    )
    return not all(one.real for windows in plan.windows for one in windows)


def compare_one(rng: np.random.Generator) -> bool:
    """Compare one random call; False if PyTorch does not take it."""
    axes = int(rng.integers(1, 4))
    op = str(rng.choice(["max", "avg"]))
    dtype = str(rng.choice(DTYPES))
    window = draw_window(rng, axes, op)
    lengths = window.pop("lengths")
    if has_empty_window({**window, "lengths": lengths}, axes):
        return False
    outer = rng.integers(1, 4, 2).tolist() if rng.integers(4) else rng.integers(1, 4, 1).tolist()
    x = draw_array(rng, (*outer, *lengths), dtype)
    if op == "avg" and np.isinf(x).any():
        x = np.where(np.isinf(x), 0, x).astype(dtype)
    if op == "avg":
        del window["dilation"]
        window["count_include_pad"] = bool(rng.integers(2))
        if axes > 1 and rng.integers(3) == 0:
            window["divisor_override"] = int(rng.integers(1, 9))
        if not dtype.startswith("float"):
            if axes == 1:
                return False
            window["divisor_override"] = 1
            dtype = "int64"
            x = x.astype(dtype)
    floating = dtype.startswith("float")
    name = f"{op}_pool{axes}d"
    tensor = torch.tensor(x, requires_grad=floating)
    more = {"return_indices": True} if op == "max" else {}
    try:
        theirs = getattr(functional, name)(tensor, **window, **more)
    except (RuntimeError, NotImplementedError):
        return False
    ours = getattr(cypool, name)(x, **window, **more)
    context = f"{name} of {dtype} {x.shape}, {window}"
    tolerance = TOLERANCE.get(dtype, 0)
    if op == "max":
        np.testing.assert_array_equal(ours[1], theirs[1].numpy(), context)
        ours, theirs = ours[0], theirs[0]
    np.testing.assert_allclose(
        ours, theirs.detach().numpy(), rtol=tolerance, atol=tolerance, err_msg=context
    )
    assert ours.dtype == x.dtype
    if floating:
        gradient = rng.standard_normal(ours.shape).astype(dtype)
        theirs.backward(torch.tensor(gradient))
        ours = getattr(cypool, f"{name}_backward")(gradient, x, **window)
        np.testing.assert_allclose(
            ours, tensor.grad.numpy(), rtol=tolerance, atol=tolerance, err_msg=context
        )
    return True


def sweep(geometries: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    compared = tried = 0
    while compared < geometries:
        compared += compare_one(rng)
        tried += 1
        assert tried < 20 + 2 * geometries, "PyTorch refuses more than it takes"


def test_random_geometries(request):
    sweep(request.config.getoption("--geometries"), seed=1)


@pytest.mark.slow
def test_ten_thousand_random_geometries():
    sweep(10_000, seed=2)


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("op", ["max", "avg"])
def test_channels_last_tensors(op, ndim):
    """Our channels-last arrays against PyTorch's memory format of that name."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2, 17) + (9,) * ndim).astype(np.float32)
    memory_format = torch.channels_last if ndim == 2 else torch.channels_last_3d
    tensor = torch.tensor(x).contiguous(memory_format=memory_format)
    theirs = getattr(functional, f"{op}_pool{ndim}d")(tensor, 3, 2, 1).numpy()
    last = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    ours = getattr(cypool, f"{op}_pool{ndim}d")(last, 3, 2, 1, data_format="channels_last")
    np.testing.assert_allclose(np.moveaxis(ours, -1, 1), theirs, rtol=2e-5, atol=2e-5)


def drawn_maps(rng: np.random.Generator, axes: int, dtype: str) -> np.ndarray:
    lengths = rng.integers(1, (60, 16, 8)[axes - 1], axes).tolist()
    return draw_array(rng, (*rng.integers(1, 4, 2).tolist(), *lengths), dtype)


def finite(x: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(x), x, 1).astype(x.dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", ["max", "avg"])
def test_random_adaptive_windows(op, dtype):
    rng = np.random.default_rng([5, len(dtype), len(op)])
    tolerance = TOLERANCE[dtype]
    for _ in range(60):
        axes = int(rng.integers(1, 4))
        x = finite(drawn_maps(rng, axes, dtype))
        sizes = [int(rng.integers(1, 2 * n)) for n in x.shape[2:]]
        name = f"adaptive_{op}_pool{axes}d"
        tensor = torch.tensor(x, requires_grad=True)
        more = {"return_indices": True} if op == "max" else {}
        theirs = getattr(functional, name)(tensor, sizes, **more)
        ours = getattr(cypool, name)(x, sizes, **more)
        context = f"{name} of {x.shape} to {sizes}"
        if op == "max":
            np.testing.assert_array_equal(ours[1], theirs[1].numpy(), context)
            ours, theirs = ours[0], theirs[0]
        np.testing.assert_allclose(
            ours, theirs.detach().numpy(), rtol=tolerance, atol=tolerance, err_msg=context)
        gradient = rng.standard_normal(ours.shape).astype(dtype)
        theirs.backward(torch.tensor(gradient))
        ours = getattr(cypool, f"{name}_backward")(gradient, x, sizes)
        np.testing.assert_allclose(
            ours, tensor.grad.numpy(), rtol=tolerance, atol=tolerance, err_msg=context)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_norms(dtype):
    """Of values above zero: of others PyTorch takes the power as they are."""
    rng = np.random.default_rng([6, len(dtype)])
    tolerance = TOLERANCE[dtype]
    for _ in range(60):
        axes = int(rng.integers(1, 4))
        x = np.abs(drawn_maps(rng, axes, "float64")) + 0.1
        x = finite(x).astype(dtype)
        p = float(rng.choice([1, 2, 3, 2.5]))
        kernel = [int(rng.integers(1, min(n, 6) + 1)) for n in x.shape[2:]]
        stride = [int(rng.integers(1, 4)) for _ in kernel]
        name = f"lp_pool{axes}d"
        tensor = torch.tensor(x, requires_grad=True)
        theirs = getattr(functional, name)(
            tensor, p, kernel if axes > 1 else kernel[0], stride if axes > 1 else stride[0])
        ours = getattr(cypool, name)(x, p, kernel, stride)
        context = f"{name} of {x.shape}, p {p}, {kernel}, {stride}"
        np.testing.assert_allclose(
            ours, theirs.detach().numpy(), rtol=tolerance, atol=tolerance, err_msg=context)
        gradient = rng.standard_normal(ours.shape).astype(dtype)
        theirs.backward(torch.tensor(gradient))
        ours = getattr(cypool, f"{name}_backward")(gradient, x, p, kernel, stride)
        np.testing.assert_allclose(
            ours, tensor.grad.numpy(), rtol=tolerance, atol=tolerance, err_msg=context)


@pytest.mark.parametrize("axes", [2, 3])
def test_random_fractional_windows(axes):
    """From the same random samples, which PyTorch takes as an argument."""
    rng = np.random.default_rng([7, axes])
    name = f"fractional_max_pool{axes}d"
    for _ in range(40):
        lengths = rng.integers(4, (0, 0, 20, 10)[axes], axes).tolist()
        shape = (*rng.integers(1, 4, 2).tolist(), *lengths)
        x = rng.standard_normal(shape)
        kernel = [int(rng.integers(1, 4)) for _ in lengths]
        # (In three dimensions PyTorch refuses what covers all there is.)
        outputs = [int(rng.integers(1, n - k + 4 - axes))
                   for n, k in zip(lengths, kernel, strict=True)]
        samples = rng.random((*shape[:2], axes))
        tensor = torch.tensor(x, requires_grad=True)
        theirs, where = getattr(functional, name)(
            tensor, kernel, output_size=outputs, return_indices=True,
            _random_samples=torch.tensor(samples))
        ours, indices = getattr(cypool, name)(
            x, kernel, outputs, return_indices=True, _random_samples=samples)
        context = f"{name} of {shape} by {kernel} to {outputs}"
        np.testing.assert_array_equal(ours, theirs.detach().numpy(), context)
        np.testing.assert_array_equal(indices, where.numpy(), context)
        gradient = rng.standard_normal(ours.shape)
        theirs.backward(torch.tensor(gradient))
        back = getattr(cypool, f"{name}_backward")(
            gradient, x, kernel, outputs, indices=indices)
        np.testing.assert_allclose(back, tensor.grad.numpy(), rtol=1e-12, err_msg=context)

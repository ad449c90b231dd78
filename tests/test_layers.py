"""Layers: a function with its arguments kept, and its gradient for the last forward pass."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from arrays import make_values
from judging import assert_same
from registry import NAMED, Operator

layers = pytest.importorskip("cypool.layers", reason="cypool has no layers yet")

FLOAT = np.dtype(np.float32)


SELECTIONS_BY_NAME = [operator for operator in NAMED if operator.selects]


def layer_class(operator: Operator) -> type:
    """MaxPool2d for max_pool2d."""
    kind, rest = operator.name.split("_")
    return getattr(layers, kind.capitalize() + rest.capitalize())


def image(operator: Operator, seed: int = 1) -> np.ndarray:
    return make_values((2, 3) + (9,) * operator.ndim, FLOAT, "normal", seed)


@pytest.fixture(params=NAMED, ids=lambda operator: operator.id)
def operator(request) -> Operator:
    return request.param


def test_forward_is_the_function(operator):
    x = image(operator)
    layer = layer_class(operator)(3, stride=2, padding=1, ceil_mode=True)
    expected = operator.forward(x, 3, stride=2, padding=1, ceil_mode=True)
    assert_same(layer(x), expected)
    assert_same(layer.forward(x), expected)


def test_kernel_stride_and_padding_go_by_position(operator):
    x = image(operator)
    assert_same(layer_class(operator)(3, 2, 1)(x), operator.forward(x, 3, 2, 1))


def test_backward_is_of_the_last_forward_pass(operator):
    layer = layer_class(operator)(3, stride=2, data_format="channels_last")
    for seed in (1, 2):
        x = image(operator, seed)
        gradient = make_values(layer(x).shape, FLOAT, "normal", 3)
        expected = operator.backward(gradient, x, 3, stride=2, data_format="channels_last")
        assert_same(layer.backward(gradient), expected)
        assert_same(layer.backward(gradient), expected)


def test_gradient_is_of_x_as_it_was(operator):
    """Nothing of x is kept that a later change of x could reach."""
    x = image(operator)
    layer = layer_class(operator)(3)
    gradient = make_values(layer(x).shape, FLOAT, "normal", 3)
    expected = operator.backward(gradient, x.copy(), 3)
    x[...] = -x
    assert_same(layer.backward(gradient), expected)


def test_backward_needs_a_forward_pass(operator):
    layer = layer_class(operator)(2)
    with pytest.raises(RuntimeError, match="forward"):
        layer.backward(np.ones((2, 3) + (4,) * operator.ndim, np.float32))


def test_repr_can_be_typed_in_again(operator):
    cls = layer_class(operator)
    layer = cls(3, stride=2, padding=1)
    text = repr(layer)
    assert text.startswith(f"{cls.__name__}(")
    again = eval(text, {cls.__name__: cls, "np": np})
    assert repr(again) == text
    x = image(operator)
    assert_same(again(x), layer(x))


def test_layers_are_copied_and_pickled(operator):
    layer = layer_class(operator)(3, stride=2)
    x = image(operator)
    expected = layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert_same(other(x), expected)


@pytest.mark.parametrize("selection", SELECTIONS_BY_NAME, ids=lambda operator: operator.id)
def test_indices_on_request(selection):
    operator = selection
    x = image(operator)
    layer = layer_class(operator)(3, return_indices=True)
    values, indices = layer(x)
    expected = operator.forward(x, 3, return_indices=True)
    assert_same(values, expected[0])
    assert_same(indices, expected[1])
    gradient = np.ones_like(values)
    assert_same(layer.backward(gradient), operator.backward(gradient, x, 3))


@pytest.mark.parametrize("argument", [0, -1, 1.5, "2"], ids=repr)
def test_bad_arguments_are_refused_when_the_layer_is_made_or_used(operator, argument):
    with pytest.raises((TypeError, ValueError), match=r"^kernel_size must "):
        layer_class(operator)(argument)(image(operator))


@pytest.mark.parametrize("op", ["max", "min", "avg", "sum"])
def test_general_layer(op):
    import cypool

    x = make_values((4, 5, 6, 7), FLOAT, "normal", 1)
    layer = layers.Pool(op, (2, 3), axes=(0, 2))
    expected = cypool.pool(x, op, (2, 3), axes=(0, 2))
    assert_same(layer(x), expected)
    gradient = make_values(expected.shape, FLOAT, "normal", 2)
    assert_same(
        layer.backward(gradient), cypool.pool_backward(gradient, x, op, (2, 3), axes=(0, 2))
    )


@pytest.mark.parametrize(
    ("layer", "name", "arguments"),
    [
        *((f"LPPool{n}d", f"lp_pool{n}d", (2.5, 2)) for n in (1, 2, 3)),
        *((f"Adaptive{kind}Pool{n}d", f"adaptive_{kind.lower()}_pool{n}d", (3,))
          for kind in ("Max", "Avg") for n in (1, 2, 3)),
        ("AdaptivePool", "adaptive_pool", ("median", (2, 3))),
        ("AdaptivePool", "adaptive_pool", ("soft", (2, 3))),
        ("GlobalPool", "global_pool", ("gem",)),
        ("GlobalPool", "global_pool", ("max",)),
        ("Pool", "pool", ("logsumexp", (2, 2))),
        ("Pool", "pool", ("median", (3, 3), 2)),
        ("SpatialPyramidPool", "spatial_pyramid_pool", ((1, 3),)),
    ],
)
def test_other_layers_are_their_functions(layer, name, arguments):
    import cypool

    n = int(name[-2]) if name.endswith("d") else 2
    x = make_values((2, 3) + (9,) * n, FLOAT, "normal", 1)
    made = getattr(layers, layer)(*arguments)
    expected = getattr(cypool, name)(x, *arguments)
    assert_same(made(x), expected)
    gradient = make_values(expected.shape, FLOAT, "normal", 2)
    right = getattr(cypool, f"{name}_backward")(gradient, x, *arguments)
    assert_same(made.backward(gradient), right)
    assert repr(eval(repr(made), dict(vars(layers)))) == repr(made)


@pytest.mark.parametrize("rng", [None, 7, "generator"])
def test_gradients_of_drawn_elements_follow_the_draws(rng):
    """Without indices to keep, the gradient draws again what the forward pass drew."""
    import cypool

    x = np.abs(make_values((2, 3, 8, 8), FLOAT, "normal", 1)) + 1
    generator = np.random.default_rng(3) if rng == "generator" else rng
    layer = layers.SpatialPyramidPool((1, 3), "stochastic", rng=generator)
    for seed in (1, 2):
        values = layer(x)
        gradient = make_values(values.shape, FLOAT, "normal", seed)
        back = layer.backward(gradient)
        assert_same(layer.backward(gradient), back)
        # What was drawn is where the gradient goes: all of it, and nowhere else.
        np.testing.assert_allclose(
            (back * x).sum(), (gradient * values).sum(), rtol=1e-4, atol=1e-4)
    if rng is None or rng == "generator":
        assert not np.array_equal(layer(x), values)     # (other draws each time)
    layer = layers.Pool("stochastic", (2, 2), rng=np.random.default_rng(5))
    values = layer(x)
    expected, indices = cypool.pool(
        x, "stochastic", (2, 2), return_indices=True, rng=np.random.default_rng(5))
    assert_same(values, expected)
    gradient = make_values(values.shape, FLOAT, "normal", 2)
    assert_same(layer.backward(gradient), cypool.pool_backward(
        gradient, x.shape, "stochastic", (2, 2), indices=indices))


@pytest.mark.parametrize(("make", "error", "text"), [
    (lambda: layers.Pool("avg", (2, 2), return_indices=True), TypeError,
     "return_indices must be False for op 'avg'"),
    (lambda: layers.Pool("max", (2, 2), return_indices=2), TypeError, "return_indices must be"),
    (lambda: layers.Pool("max", (2, 2), p=2), TypeError, "p must be left out for op 'max'"),
    (lambda: layers.AdaptivePool("max", 2, beta=1), TypeError, "beta must be left out"),
    (lambda: layers.GlobalPool("sum", quantile=1), TypeError, "quantile must be left out"),
    (lambda: layers.SpatialPyramidPool((1,), "avg", p=2), TypeError, "p must be left out"),
    (lambda: layers.Pool("stochastic", (2, 2), return_indices=True, training=False), TypeError,
     "return_indices must be False for op 'stochastic' without training"),
])
def test_what_an_operator_cannot_do_is_refused_when_the_layer_is_made(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_arrays_among_arguments_are_shown():
    samples = np.array([[[0.25, 0.5]]])
    layer = layers.FractionalMaxPool2d(2, 3, _random_samples=samples)
    assert "_random_samples=array([[[0.25, 0.5 ]]])" in repr(layer)

"""Documentation that is true: every example runs, every argument is described."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import cypool
from cypool import layers

SECTIONS = ("Parameters", "Returns", "Raises", "Examples")
FUNCTIONS = sorted(
    name
    for name in cypool.__all__
    if callable(getattr(cypool, name)) and not inspect.isclass(getattr(cypool, name))
)


def modules() -> list[str]:
    found = [cypool.__name__]
    for module in pkgutil.walk_packages(cypool.__path__, "cypool."):
        # Other instruction sets may not load here, and __main__ is a program.
        if not module.name.endswith("__main__") and not module.name.startswith("cypool.cuda"):
            found.append(module.name)
    return found


def importable(name: str) -> object:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        pytest.skip(f"{name} does not load here: {error}")


@pytest.mark.parametrize("name", modules())
def test_examples_of_a_module(name):
    failed, _ = doctest.testmod(importable(name))
    assert failed == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_example_of_a_function(name):
    """One by one, since doctest does not look into compiled or re-exported functions."""
    function = getattr(cypool, name)
    examples = doctest.DocTestParser().get_doctest(
        function.__doc__ or "", {"cypool": cypool}, name, None, None
    )
    assert examples.examples, f"{name} has no example"
    runner = doctest.DocTestRunner()
    runner.run(examples)
    assert runner.failures == 0


def sections(name: str) -> dict[str, list[str]]:
    """The lines of each section of a docstring in numpydoc form."""
    lines = (inspect.getdoc(getattr(cypool, name)) or "").splitlines()
    found: dict[str, list[str]] = {"": []}
    current = ""
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if following and set(following) == {"-"}:
            current = line
            found[current] = []
        elif set(line) != {"-"}:
            found[current].append(line)
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_is_described(name):
    arguments = set(inspect.signature(getattr(cypool, name)).parameters)
    described = {
        argument.strip(" *")
        for line in sections(name).get("Parameters", [])
        if line and not line.startswith(" ")
        for argument in line.split(" : ")[0].split(",")
    }
    assert described == arguments


LAYERS = sorted(layers.__all__)


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_is_described(name):
    text = inspect.getdoc(getattr(layers, name)) or ""
    assert text
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    assert example.examples, f"{name} has no example"
    runner = doctest.DocTestRunner()
    runner.run(example)
    assert runner.failures == 0


POOLING = [name for name in FUNCTIONS if "pool" in name]


@pytest.mark.parametrize("name", POOLING)
def test_sections_of_an_operator(name):
    assert set(SECTIONS) <= set(sections(name))

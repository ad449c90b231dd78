"""Documentation that is true: every example runs, every argument is described."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import cypool
import pytest

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


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_is_described(name):
    function = getattr(cypool, name)
    text = inspect.getdoc(function) or ""
    arguments = [p for p in inspect.signature(function).parameters.values()]
    lines = text.splitlines()
    sections = [one for one, rule in zip(lines, lines[1:], strict=False) if set(rule) == {"-"}]
    if arguments:
        assert "Parameters" in sections
    described = " ".join(
        line.split(":")[0] for line in lines if line and not line.startswith(" ") and ":" in line
    )
    for argument in arguments:
        assert argument.name in described.replace(",", " ").replace("*", "").split()


POOLING = [name for name in FUNCTIONS if "pool" in name]


@pytest.mark.parametrize("name", POOLING)
def test_sections_of_an_operator(name):
    lines = (inspect.getdoc(getattr(cypool, name)) or "").splitlines()
    sections = [one for one, rule in zip(lines, lines[1:], strict=False) if set(rule) == {"-"}]
    assert set(SECTIONS) <= set(sections)

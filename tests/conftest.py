"""Options, markers and Hypothesis profiles of the suite."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

import cypool

COMMON = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
    "print_blob": True,
}
settings.register_profile("local", max_examples=25, **COMMON)
settings.register_profile("ci", max_examples=12, derandomize=True, database=None, **COMMON)
# For where everything takes ten times as long.
settings.register_profile("short", max_examples=4, derandomize=True, database=None, **COMMON)
settings.register_profile("thorough", max_examples=300, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "local"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--geometries",
        type=int,
        default=int(os.environ.get("CYPOOL_TEST_GEOMETRIES", "500")),
        help="random geometries to compare with PyTorch (default 500)",
    )
    parser.addoption("--slow", action="store_true", help="run the tests marked slow as well")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow") or "slow" in (config.getoption("-m") or ""):
        return
    skip = pytest.mark.skip(reason="slow: run with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _default_threads() -> Iterator[None]:
    """No test leaves another number of threads behind."""
    before = cypool.get_num_threads()
    yield
    assert cypool.get_num_threads() == before

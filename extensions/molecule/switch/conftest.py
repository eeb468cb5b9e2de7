# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of one Production. They run in this order, and each begins where the last one ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

TESTS = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "scenarios")]  # scripts of this checkout, and no installed package

from street import Street  # noqa: E402

LONGER = ("test_an_act_comes_on_at_its_time", "test_a_request_may_take_longer_than_the_idle_time")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what waits too long for CI. CAMPAIGN=1 runs it, too."""
    longer = [item for item in items if item.name in LONGER and not os.environ.get("CAMPAIGN")]
    config.hook.pytest_deselected(items=longer)
    items[:] = [item for item in items if item not in longer]


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Street:
    for host in Street.hosts:
        host.put()
    street = Street(Path(__file__).parent / "inventory", tmp_path_factory.mktemp("plays"))
    street.play()
    return street

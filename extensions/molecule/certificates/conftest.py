# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of one Production with TLS, in their order: each goes on from where the last one left it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

TESTS = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "scenarios")]  # scripts of this checkout, and no installed package

from faults.host import PLACE  # noqa: E402
from secured import Secured  # noqa: E402

LONGER = ("test_1_more_modes", "test_3_by_dns")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes too long for CI. Molecule names every file, so collect_ignore would not do."""
    longer = [item for item in items if item.path.stem in LONGER and not os.environ.get("CAMPAIGN")]
    config.hook.pytest_deselected(items=longer)
    items[:] = [item for item in items if item not in longer]


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Secured:
    for host in Secured.hosts:
        host.put()
        for path in sorted((TESTS / "scenarios" / "on_host").iterdir()):
            if path.is_file():
                host.write(f"{PLACE}/{path.name}", path.read_text(), "755")
    street = Secured(Path(__file__).parent / "inventory", tmp_path_factory.mktemp("plays"))
    street.play()
    return street

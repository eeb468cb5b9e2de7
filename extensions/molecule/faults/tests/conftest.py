# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"))

from faults.house import House, scenario

FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Return the Production of this scenario. The modules of a good run are kept on its host."""
    found = House(scenario("faults"), "h1", tmp_path_factory.mktemp("runs"))
    found.host.put()
    assert found.keep("info", "status").code == 0
    assert found.keep("good").code == 0
    return found


@pytest.fixture
def house(stage: House, request: pytest.FixtureRequest) -> Iterator[House]:
    """Return the Production before a fault. After a test that failed, the good run restores it for the next test."""
    yield stage
    if request.node.stash.get(FAILED, False):
        stage.good()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
    return report

# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"))

from faults.house import House, scenario


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The Production of this scenario as it plays before anything goes wrong."""
    found = House(scenario("faults"), "h1", tmp_path_factory.mktemp("runs"))
    found.host.put()
    assert found.keep("info", "status").code == 0
    return found

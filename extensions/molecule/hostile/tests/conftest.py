# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"))

from hostile.stranger import Stranger


@pytest.fixture(scope="session", params=["h1", "h2"])
def stranger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    found = Stranger(request.param, tmp_path_factory.mktemp(request.param))
    found.settle()
    return found

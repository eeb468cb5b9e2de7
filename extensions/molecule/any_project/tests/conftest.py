# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller of these tests uses the test index and git server, and no keys or caches of its user."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
sys.path[:0] = [str(CHECKOUT / "tests" / folder) for folder in ("", "acts", "corpus", "scenarios")]

from bed import Bed  # noqa: E402


@pytest.fixture(scope="session")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Bed:
    return Bed(CHECKOUT, tmp_path_factory.mktemp("runs"))

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


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Street:
    for host in Street.hosts:
        host.put()
    street = Street(Path(__file__).parent / "inventory", tmp_path_factory.mktemp("plays"))
    street.play()
    return street

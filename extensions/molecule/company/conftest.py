# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of one Production, in their order: each goes on from where the last one left it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

TESTS = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "scenarios")]  # scripts of this checkout, and no installed package

from company import Company  # noqa: E402


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return Company(tmp_path_factory.mktemp("plays"))


@pytest.fixture(scope="module")
def sending(company: Company) -> Iterator[ExitStack]:
    """Jobs that are sent during the tests of a module; its last test closes this, and so counts them."""
    with ExitStack() as stack:
        stack.enter_context(company.jobs())
        yield stack

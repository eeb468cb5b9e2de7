# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit tests see nothing of the machine that they run on: they run in namespaces of their own (apart.py)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Callable

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import apart


def pytest_configure(config: pytest.Config) -> None:
    """Before any test is imported. Of pytest-xdist only the workers run tests, and each is started by apart.py."""
    assert os.geteuid() == 0, "run these tests as root"
    if config.option.collectonly or apart.OUTSIDE in os.environ:
        return
    if config.getoption("tx", None):
        assert all("apart.py" in worker for worker in config.getoption("tx")), "use make units, not -n: see Makefile"
        return
    try:
        apart.move_out()
    except OSError as why:
        pytest.exit(str(why.strerror), returncode=1)


@pytest.fixture(scope="session")
def outside() -> Callable[[], None]:
    """For a child that fetches packages, before it is executed: the machine's network."""
    return apart.enter_outside

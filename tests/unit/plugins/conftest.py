# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the plugins share: real files, users and sockets in places that go with the test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _as_root() -> None:
    """They chown, drop to other users and make devices, as the modules do on a host."""
    assert os.geteuid() == 0, "run these tests as root"


@pytest.fixture
def place() -> Iterator[Path]:
    """A short directory that other users may enter, unlike tmp_path: a socket's path holds 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="bs-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)

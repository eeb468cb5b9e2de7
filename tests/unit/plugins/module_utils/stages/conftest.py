# SPDX-License-Identifier: GPL-3.0-or-later
"""An emperor, and a systemd, for tests of the Stage manager."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.host import process
from ansible_collections.backstage.django.plugins.module_utils.stages import limits

from ...emperors import Emperor
from ...house import House
from ...systemds import Systemd
from .test_http_servers import FILES


@pytest.fixture
def emperor(crewed: House) -> Iterator[Emperor]:
    acts.prepare(crewed.act())
    found = Emperor(Path(crewed.host.vassals), Path(crewed.host.stats), log=Path(crewed.act().log))
    with found:
        yield found


@pytest.fixture
def systemd(crewed: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    """A host with systemd, with the role's files, and with gunicorn in the environment of the releases."""
    acts.prepare(crewed.act())
    shutil.copytree(FILES, crewed.host.wrapper)
    (crewed.root / "run").mkdir()
    monkeypatch.setattr(limits, "SYSTEMD", str(crewed.root / "run"))
    monkeypatch.setattr(process, "PATH", f"{crewed.root}/systemd:{process.PATH}")
    environment = Path(crewed.paths.environment("e" * 16), "bin")
    environment.mkdir(parents=True)
    python = environment / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    with Systemd(crewed.root / "systemd", Path(crewed.host.units)) as found:
        yield found

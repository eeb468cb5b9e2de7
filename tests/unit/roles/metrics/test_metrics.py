# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the role: it has all modules that it needs, and no more, and runs with nothing but Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.backstage.django.plugins.plugin_utils import library

ROLES = Path(__file__).parents[4] / "roles"
LIBRARY = yaml.safe_load((ROLES / "metrics/vars/main.yml").read_text(encoding="utf-8"))["__metrics_library"]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that other users may enter."""
    path = Path(tempfile.mkdtemp(prefix="bs-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def program(place: Path) -> Path:
    """The program as the role lays it down."""
    for name, text in library.texts_of(LIBRARY["modules"]).items():
        target = place / "library" / library.PACKAGE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return Path(shutil.copy(ROLES / "metrics/files/backstage_metrics.py", place / "library"))


def test_on_a_host_without_anything(program: Path, place: Path) -> None:
    """Without a stage it says that there is no emperor; the file is whole, and nothing else is left."""
    (place / "to").mkdir()
    target = place / "to" / "backstage.prom"
    subprocess.run(["/usr/bin/python3", "-IBS", program, target], check=True, env={})
    lines = target.read_text().splitlines()
    assert "backstage_emperor_up 0" in lines
    assert any(line.startswith("backstage_metrics_seconds 1") for line in lines)
    assert target.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in target.parent.iterdir()] == ["backstage.prom"]
    assert list(program.parent.rglob("__pycache__")) == []


def test_it_writes_as_the_owner_of_the_directory(program: Path, place: Path) -> None:
    """Who owns the directory may exchange what is in it, and gets nothing of root's by that."""
    folder, target = place / "to", place / "to" / "backstage.prom"
    folder.mkdir()
    victim = place / "victim"
    victim.write_text("root's")
    target.symlink_to(victim)
    os.chown(folder, 65534, 65534)
    subprocess.run(["/usr/bin/python3", "-IBS", program, target], check=True, env={})
    assert (target.stat().st_uid, target.is_symlink()) == (65534, False)
    assert victim.read_text() == "root's"
    os.chown(folder, 0, 0)
    folder.chmod(0o755)
    shutil.rmtree(folder)
    os.symlink(place, folder)
    os.chown(place, 65534, 65534)
    subprocess.run(["/usr/bin/python3", "-IBS", program, target], check=True, env={})
    assert target.stat().st_uid == 65534

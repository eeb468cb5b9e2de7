# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the way of Backstage's emperor, in the directory that it watches."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import emperors, packages, processes

INI = "/etc/backstage/emperor.ini"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A Sess that plays, one that is being made, and something that no emperor starts."""
    path = tmp_path / "vassals"
    path.mkdir()
    (path / "backstage.jazz.kittens.0123456789ab.1.ini").symlink_to("/srv/backstage/jazz/acts/kittens/uwsgi.ini")
    (path / "README").touch()
    (path / ".backstage.new.ini").touch()
    return path


def test_what_plays(directory: Path) -> None:
    assert emperors.playing(str(directory)) == ["backstage.jazz.kittens.0123456789ab.1.ini"]
    assert emperors.playing(str(directory / "none")) == []
    assert emperors.refusals(str(directory), INI) == []


def test_a_foreign_vassal_is_refused(directory: Path) -> None:
    (directory / "blog.ini").touch()
    (refusal,) = emperors.refusals(str(directory), INI)
    assert refusal.startswith(f"{directory}/blog.ini in stage_vassals is not Backstage's: ")


ARGUMENTS = [
    ["--emperor", "{vassals}"],
    ["--emperor={vassals}"],
    ["--emperor", "{vassals}/*.ini"],
    ["--master", "--vassals-dir", "{vassals}/"],
    ["{ini}"],
    ["--ini", "{ini}"],
    ["--ini={ini}"],
]


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_another_emperor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, directory: Path, arguments: list[str]
) -> None:
    """However it was told, an emperor that watches our directory is named; ours is not."""
    ini = tmp_path / "theirs.ini"
    ini.write_text(f"[uwsgi]\nemperor = {directory}\n", encoding="utf-8")
    running = {
        1: ["/sbin/init"],
        2: ["/usr/bin/uwsgi", *(argument.format(vassals=directory, ini=ini) for argument in arguments)],
        3: ["/usr/bin/uwsgi-core", "--ini", INI],
        4: ["/usr/bin/uwsgi-core", "--emperor", "/etc/uwsgi/vassals"],
    }
    monkeypatch.setattr(processes, "here", lambda: iter(running))
    monkeypatch.setattr(processes, "arguments", running.__getitem__)
    (refusal,) = emperors.refusals(str(directory), INI)
    assert refusal.startswith(f"Another emperor watches {directory}: process 2 (/usr/bin/uwsgi ")
    assert refusal.endswith("Stop and disable it, or set stage_vassals to another directory.")


def test_the_packaged_emperor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, directory: Path) -> None:
    """Debian's own emperor is named though it doesn't run yet: it would at the next boot."""
    packaged = tmp_path / "emperor.ini"
    packaged.write_text(f"[uwsgi]\nautoload = true\nemperor = {directory}\n", encoding="utf-8")
    monkeypatch.setattr(emperors, "PACKAGED", str(packaged))
    monkeypatch.setattr(packages, "missing", lambda wanted: [])
    assert emperors.others(str(directory), INI) == [f"the package uwsgi-emperor ({packaged})"]
    monkeypatch.setattr(packages, "missing", lambda wanted: wanted)
    assert emperors.others(str(directory), INI) == []


@pytest.mark.parametrize("name", ["vassals", "/etc/vassals;", "/etc/my vassals", "/etc/va\nssals", "/@(exec)", ""])
def test_a_directory_stays_a_directory(name: str) -> None:
    """Its name stands in an ini file, a unit and a shell script: it must mean nothing to them."""
    (refusal,) = emperors.refusals(name, INI)
    assert refusal.startswith(f"stage_vassals is {name!r}: give an absolute path")

# SPDX-License-Identifier: GPL-3.0-or-later
"""The files with the users of Venues: what differs, who may read them, and when they go."""

from __future__ import annotations

import grp
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import passwords
from ansible_collections.backstage.django.plugins.module_utils.bookings.passwords import Passwords
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Auth, Venue

from ...house import House

NAME = "kittens.example.com"
OLD, NEW = "$6$salt$old", "$6$salt$new"


def of(house: House, **users: str) -> Passwords:
    return Passwords("jazz", house.host, {NAME: Venue(NAME, auth=Auth(users))})


@pytest.fixture
def file(house: House) -> Path:
    return Path(house.host.passwords, f"jazz.{NAME}.users")


def test_who_may_read_a_file_of_passwords(house: House, file: Path) -> None:
    of(house, ada=OLD).write()
    found = file.stat()
    assert (stat.S_IMODE(found.st_mode), grp.getgrgid(found.st_gid).gr_name, found.st_uid) == (0o640, "www-data", 0)
    assert file.read_text() == f"# {files.OWNERSHIP}\nada:{OLD}\n"
    assert passwords.of_venue("jazz", NAME, house.host) == {"ada": OLD}


def test_steps_name_users_and_no_hash(house: House) -> None:
    assert [(s.name, s.verb, s.before, s.after) for s in of(house, ada=OLD).steps()] == [
        (NAME, "set passwords", None, ["ada"])
    ]
    of(house, ada=OLD, eve=OLD).write()
    assert of(house, ada=OLD, eve=OLD).steps() == []
    (step,) = of(house, ada=NEW).steps()
    assert (step.before, step.after) == (["eve"], ["ada"])


def test_what_nginx_refuses_is_taken_back(house: House, file: Path) -> None:
    told = of(house, ada=OLD)
    told.put_back(told.write())
    assert not file.exists()
    told.write()
    new = of(house, ada=NEW)
    new.put_back(new.write())
    assert OLD in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_files_that_no_server_uses_are_removed(house: House, file: Path) -> None:
    """Nobody else's: another Production's stay, and what a hand wrote."""
    host = house.host
    others = [Path(host.passwords, name) for name in ("jazz2.a.users", "jazz.by-hand")]
    others[0].write_text(f"# {files.OWNERSHIP}\n")
    others[1].write_text("ada:x\n")
    of(house, ada=OLD).write()
    house.book(Venue(NAME, auth=Auth({"ada": OLD})))
    of(house).sweep()
    assert file.exists()
    os.unlink(Path(host.venues, f"jazz.{NAME}.conf"))
    of(house).sweep()
    assert not file.exists()
    assert [other.exists() for other in others] == [True, True]

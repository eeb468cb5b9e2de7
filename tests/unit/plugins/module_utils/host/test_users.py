# SPDX-License-Identifier: GPL-3.0-or-later
"""The system users of a Production: made once, marked as ours, and a stranger of that name is met with a refusal."""

from __future__ import annotations

import grp
import pwd
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import names, users

from ...conftest import Crew
from ...told import told


@pytest.fixture
def name() -> Iterator[str]:
    """The longest name that useradd takes, and nobody else has."""
    found = ("u" + secrets.token_hex(5)).ljust(32, "x")
    yield found
    if users.find(found):
        users.remove(found)


def test_made_once(name: str) -> None:
    assert users.find(name) is None
    made = users.ensure(name, "/nonexistent", "a test")
    entry = pwd.getpwnam(name)
    assert users.ensure(name, "/elsewhere", "another purpose") == made == users.find(name)
    assert pwd.getpwnam(name) == entry
    assert (entry.pw_shell, entry.pw_dir, entry.pw_gecos) == ("/usr/sbin/nologin", "/nonexistent", "Backstage a test")
    assert (grp.getgrgid(entry.pw_gid).gr_name, entry.pw_uid < 1000) == (name, True)


@pytest.fixture
def full() -> Iterator[None]:
    """A host whose numbers for system users are all given."""
    settings = Path("/etc/login.defs")
    before = settings.read_text()
    taken = pwd.getpwnam("daemon").pw_uid
    lines = [f"SYS_{kind}_{end} {taken}\n" for kind in ("UID", "GID") for end in ("MIN", "MAX")]
    settings.write_text(before + "".join(lines))
    yield
    settings.write_text(before)


@pytest.mark.usefixtures("full")
def test_more_users_than_debian_has_numbers_for(name: str) -> None:
    made = users.ensure(name, "/nonexistent", "a test")
    assert 66000 <= made.uid < 100000
    assert grp.getgrgid(made.gid).gr_name == name


def test_removed_once(name: str) -> None:
    users.ensure(name, "/nonexistent", "a test")
    for _again in range(2):
        users.remove(name)
        assert users.find(name) is None
    with pytest.raises(KeyError):
        grp.getgrnam(name)


@pytest.mark.parametrize("call", [users.find, users.remove, lambda name: users.ensure(name, "/", "a test")])
def test_fault_38_a_foreign_user_of_that_name(call: object) -> None:
    assert callable(call)
    said = told(call, "daemon")
    assert said.startswith("the system user 'daemon' exists and is not Backstage's (its comment says 'daemon")
    assert said.endswith("; rename the Act or remove that user")
    assert pwd.getpwnam("daemon").pw_uid == 1


@pytest.mark.parametrize("which", [names.builder, names.player])
def test_fault_38_neither_user_is_made_where_one_name_is_taken(which: Callable[[str, str], str]) -> None:
    """What was made before the refusal would stay for ever."""
    production = "u" + secrets.token_hex(5)
    taken = which(production, "kittens")
    subprocess.run(["useradd", "--system", "--comment", "somebody", taken], check=True)
    said = told(users.ensure_act, production, "kittens", "/nonexistent")
    found = [entry.pw_name for entry in pwd.getpwall() if production in entry.pw_name]
    subprocess.run(["userdel", taken], check=True)
    assert said.startswith(f"the system user '{taken}' exists and is not Backstage's")
    assert found == [taken]


def test_what_useradd_refuses_is_said() -> None:
    said = told(users.ensure, "x" * 33, "/nonexistent", "a test")
    assert said.startswith(f"the user '{'x' * 33}' could not be made: ")
    assert "useradd" in said


def test_the_player_is_in_the_builders_group_and_never_the_other_way(crew: Crew) -> None:
    assert crew.builder.gid in crew.player.groups
    assert crew.player.gid not in crew.builder.groups
    assert list(crew.builder.groups) == [crew.builder.gid]
    assert sorted(crew.player.groups) == sorted([crew.player.gid, crew.builder.gid])
    users.ensure_act(crew.production, "kittens", "/nonexistent")
    assert crew.player.name == names.player(crew.production, "kittens")

# SPDX-License-Identifier: GPL-3.0-or-later
"""Back to code that is older than the database, with a real Django and its SQLite."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.acts.databases import Databases
from ansible_collections.backstage.django.plugins.module_utils.host import names, process
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.stages import rollbacks

from ... import projects
from ...house import A, B, House, wanted
from ...told import told

KEY = "e" * 16
SECOND = projects.EMPTY.format(before="0001_initial")
GRAPH: dict[str, list[str]] = {"cats.0001_initial": []}
NEWER = {**GRAPH, "cats.0002_second": []}


def want(release: str) -> acts.Want:
    return replace(wanted(), release=release, play=release)


@pytest.fixture
def stage(crewed: House, django: Path) -> Iterator[House]:
    """A and B are built, and B, which has one migration more, migrated the database."""
    acts.prepare(crewed.act())
    os.symlink(django, crewed.paths.environment(KEY))
    for release, graph, more in ((A, GRAPH, {}), (B, NEWER, {"cats___migrations___0002_second__py": SECOND})):
        crewed.build(release, graph=graph, migrated=["default"])
        code = Path(crewed.act().release(release).code)
        projects.write(code, kittens___settings__py=projects.settings("INSTALLED_APPS = ['cats']"), **more)
        for path in (code, *code.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    migrate(crewed, A)
    migrate(crewed, B)
    yield crewed
    os.unlink(crewed.paths.environment(KEY))


def migrate(house: House, release: str) -> None:
    known = Databases(house.production, house.host)
    for change in acts.plan(want(release), house.state(), house.host, known, "migrate", {}):
        if change.step.verb == "migrate":
            assert change.make
            change.make()


def query(house: House, sql: str) -> None:
    with sqlite3.connect(house.act().data + "/db.sqlite3") as database:
        database.execute(sql)
    database.close()


def back(house: House, release: str) -> str:
    return told(rollbacks.need_known_migrations, want(release), house.state(), house.host)


def test_fault_18_code_that_is_older_than_the_database(stage: House) -> None:
    """It says which migrations, what undoes them, and how to go back nevertheless; and it changes nothing."""
    before = stage.seen()
    assert back(stage, A) == (
        f"act kittens: release {A} does not know migrations that the database has: cats.0002_second; undo them first,"
        " which deletes what they added: backstage.django.manage -e act=kittens -e 'run=\"migrate cats 0001_initial\"';"
        " or, if the older code works with them, roll back with -e migrations=keep"
    )
    assert back(stage, B) == ""
    assert stage.seen() == before


def test_migrations_undone_by_hand_do_not_prevent_a_rollback(stage: House) -> None:
    query(stage, "DELETE FROM django_migrations WHERE app = 'cats' AND name = '0002_second'")
    assert back(stage, A) == ""


def test_a_database_that_does_not_tell(stage: House) -> None:
    Path(stage.act().data, "db.sqlite3").write_text("no database at all, but long enough to be looked at" * 50)
    with pytest.raises(BackstageError) as failure:
        rollbacks.need_known_migrations(want(A), stage.state(), stage.host)
    assert failure.value.message.startswith("its database does not say which migrations it has: ")
    assert failure.value.message.endswith("; or roll back with -e migrations=keep, which asks nobody")


@pytest.fixture
def never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollback is urgent, and a question costs the start of the Act's Python."""

    def ask(*_args: Any, **_more: Any) -> None:
        pytest.fail("the database was asked")

    monkeypatch.setattr(acts, "ask", ask)


def test_the_database_is_asked_only_if_needed(house: House, never_asked: None) -> None:
    house.build(A, graph=NEWER, migrated=["default"])
    house.build(B, graph=NEWER, migrated=["default"])
    for release in (A, B):
        house.log({"event": "migrated", "release": release, "applied": [*NEWER]})
    assert back(house, A) == back(house, B) == ""


def test_a_release_of_an_earlier_backstage(house: House, never_asked: None) -> None:
    """Nothing is known of its migrations, as before."""
    house.build(A)
    house.log({"event": "migrated", "release": B, "applied": [*NEWER]})
    assert back(house, A) == ""


def test_the_player_asks(stage: House) -> None:
    """Nobody but the Act's own user opens its database."""
    assert process.User.named(names.player(stage.production, "kittens")).uid != 0
    os.chmod(stage.act().data + "/db.sqlite3", 0)
    assert "does not say which migrations it has" in back(stage, A)

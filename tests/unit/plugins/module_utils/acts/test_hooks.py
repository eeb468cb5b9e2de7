# SPDX-License-Identifier: GPL-3.0-or-later
"""Hooks, with management commands of a real Django: their order, what a failure does, and after a switch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import hooks
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.acts.databases import Databases
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Hooks, Seed
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Change

from ...house import KITTENS, House, wanted
from ...projects import settings, write

# writes down what it was called with, who runs it, and whether the table is there
COMMAND = """
import os
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
class Command(BaseCommand):
    requires_system_checks = []
    def add_arguments(self, parser):
        parser.add_argument("word")
    def handle(self, *args, word, **options):
        tables = "cats_cat" in connection.introspection.table_names()
        with open(os.environ["BACKSTAGE_DATA"] + "/notes", "a") as notes:
            notes.write(f"{word}, {os.environ['KITTENS_KEY']}, {os.getuid()}, {tables}\\n")
        if word == "breaks" and not os.path.exists(os.environ["BACKSTAGE_DATA"] + "/mended"):
            raise CommandError("the search index does not answer")
"""
SECRETS = {"KITTENS_KEY": "purr-purr"}


def act(**lines: list[str]) -> Act:
    return replace(KITTENS, secrets=SECRETS, hooks=Hooks(**lines))


@pytest.fixture
def built(crewed: House, django: Path) -> House:
    """The Act's release is there, and its database is not."""
    acts.prepare(crewed.act())
    release = crewed.build(wanted(act()).release)
    Path(crewed.paths.environment("e" * 16)).symlink_to(django)
    texts: dict[str, Any] = {"cats___management___commands___note__py": COMMAND, "kittens___settings__py": settings()}
    write(Path(crewed.act().release(release).code), 0, **texts)
    crewed.as_made("kittens")
    return crewed


def changes(house: House, of: Act) -> list[Change]:
    known = Databases(house.production, house.host, planning=True)
    found = acts.plan(wanted(of), house.state(), house.host, known, "migrate", {})
    return [change for change in found if change.step.verb in ("hook", "migrate", "seed")]


def make(found: list[Change]) -> None:
    for change in found:
        assert change.make
        change.make()


def notes(house: House) -> list[str]:
    path = Path(house.act().data, "notes")
    return path.read_text().splitlines() if path.exists() else []


def test_around_the_migrations(built: House) -> None:
    """In the order of their lists, as the player, once for each release."""
    of = replace(
        act(before_migrate=["note early"], after_migrate=["note 'one two'", "note three"]),
        seed=[Seed("s", "note seed")],
    )
    found = changes(built, of)
    assert [(change.step.verb, change.step.after) for change in found] == [
        ("hook", "before_migrate: note early"),
        ("migrate", wanted(of).release),
        ("hook", "after_migrate: note 'one two'"),
        ("hook", "after_migrate: note three"),
        ("seed", "s"),
    ]
    make(found)
    player = Path(built.act().data).stat().st_uid
    words = [("early", False), ("one two", True), ("three", True), ("seed", True)]
    assert notes(built) == [f"{word}, purr-purr, {player}, {tables}" for word, tables in words]
    assert changes(built, of) == []
    (event,) = [event for event in built.state().history.events if event["event"] == "migrated"]
    assert "cats.0001_initial" in event["applied"]


def test_a_release_that_was_migrated_already(built: House) -> None:
    """New hooks of the manifest wait for their time."""
    make(changes(built, act()))
    assert changes(built, act(before_migrate=["note early"], after_migrate=["note late"])) == []


@pytest.mark.parametrize("when", ["before_migrate", "after_migrate"])
def test_one_that_fails(built: House, when: str) -> None:
    """Nothing after it is done, and the next run tries all of it again."""
    of = act(**{"after_migrate": ["note late"], when: ["note breaks", "note late"]})
    found = changes(built, of)
    with pytest.raises(BackstageError, match="note breaks") as failure:
        make(found)
    said = failure.value.message
    assert said.startswith("'note breaks' failed: ")
    assert "the search index does not answer" in said
    assert ("(applied before it: " in said) is (when == "after_migrate")
    assert failure.value.step == when
    assert [change.step for change in changes(built, of)] == [change.step for change in found]
    Path(built.act().data, "mended").touch()
    make(changes(built, of))
    assert notes(built)[-1].startswith("late")
    assert changes(built, of) == []


def test_after_a_switch(built: House) -> None:
    """In the world of the Sess that plays."""
    make(changes(built, act()))
    built.record(wanted(act()))
    built.play(wanted(act()))
    (change,) = hooks.after_switch(act(after_switch=["note warm"]), built.production)
    assert (change.step.verb, change.step.after) == ("hook", "after_switch: note warm")
    make([change])
    assert notes(built)[0].startswith("warm, purr-purr, ")


def test_one_that_fails_after_a_switch(built: House) -> None:
    make(changes(built, act()))
    built.record(wanted(act()))
    built.play(wanted(act()))
    with pytest.raises(BackstageError, match="note breaks") as failure:
        make(hooks.after_switch(act(after_switch=["note breaks"]), built.production))
    assert failure.value.message == (
        "'note breaks' ended with status 1: CommandError: the search index does not answer; the new Sess plays, and no"
        " run repeats the hook"
    )
    assert failure.value.step == "after_switch"

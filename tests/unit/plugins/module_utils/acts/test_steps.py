# SPDX-License-Identifier: GPL-3.0-or-later
"""Migrations and what runs once, in a real Django: what stands after a failure, and what each failure says."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ...projects import BROKEN, EMPTY, Make, Text, settings


def test_migrate_says_what_it_applied(project: Make) -> None:
    made = project()
    applied = made.run("migrate")["applied"]
    assert ("cats.0001_initial" in applied, applied[0]) == (True, "contenttypes.0001_initial")
    assert made.run("migrate")["applied"] == []


MIGRATIONS: list[tuple[dict[str, Text], str]] = [
    # (migrations behind the first, which of them stand)
    ({"0002_broken": BROKEN}, "(applied before it: "),
    ({"0002_more": EMPTY, "0003_broken": BROKEN, "0004_never": EMPTY}, "cats.0002_more)"),
]


@pytest.mark.parametrize(("migrations", "standing"), MIGRATIONS)
def test_fault_14_a_migration_that_fails(project: Make, migrations: dict[str, Text], standing: str) -> None:
    texts, before = {}, "0001_initial"
    for name, text in migrations.items():
        texts[f"cats___migrations___{name}__py"] = (text or "").format(before=before)
        before = name
    made = project(**texts)
    failure = made.failure("migrate")
    assert failure.step == "migrate"
    assert standing in failure.message
    assert "cats.0001_initial" in failure.message
    assert "_never" not in failure.message
    assert "_broken" not in failure.message.split("(applied before it: ")[1]
    assert "nothing" not in made.failure("migrate").message, "what stands, stands"


HALF = """
from django.db import migrations
class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [("cats", "0001_initial")]
    operations = [
        migrations.RunSQL("ALTER TABLE cats_cat ADD COLUMN age int"),
        migrations.RunSQL("ALTER TABLE nonesuch ADD COLUMN x"),
    ]
"""


@pytest.mark.parametrize("atomic", [True, False])
def test_fault_15_a_migration_that_is_half_applied(project: Make, atomic: bool) -> None:
    """It can't be repeated: the column is there. A person has to look, so it is said."""
    made = project(cats___migrations___0002_half__py=HALF.format(atomic=atomic))
    said = made.failure("migrate").message
    assert said.endswith("cats.0001_initial)") is atomic
    half = "; cats.0002_half is not atomic: what it did before it failed may stand, so look at its tables before you"
    assert (half in said) is (not atomic)
    assert ("duplicate column" in made.failure("migrate").message) is (not atomic)


def test_a_second_failure_has_applied_nothing(project: Make) -> None:
    made = project(cats___migrations___0002_broken__py=BROKEN.format(before="0001_initial"))
    made.failure("migrate")
    assert "applied before it" not in made.failure("migrate").message


def test_a_database_that_only_this_host_has(project: Make) -> None:
    """An Act on several hosts would have another database on each; nothing is migrated."""
    made = project()
    failure = made.failure("migrate", shared=True)
    assert failure.message.startswith("migrate failed: the database 'default' is the SQLite file /")
    cure = "of this host, and the Act plays on several hosts: use a database that all of them reach"
    assert failure.message.endswith(cure)
    assert made.run("migrate")["applied"]


def test_no_database_and_no_place_for_one(project: Make) -> None:
    made = project(kittens___settings__py=settings("DATABASES = {}", "INSTALLED") + "INSTALLED_APPS = []\n")
    assert made.run("migrate")["applied"] == []


def test_a_database_that_cannot_be_written(project: Make, place: Path) -> None:
    made = project()
    os.chown(place / "data", 0, 0)
    said = made.failure("migrate").message
    assert said.startswith("the database file can't be written: name it in 'writable', or put it into BACKSTAGE_DATA")


def test_fault_16_a_migration_that_waits_for_a_worker(project: Make, place: Path) -> None:
    """SQLite has one writer: a job that writes for longer than Django waits keeps migrations out."""
    wait = "DATABASES['default']['OPTIONS'] = {'timeout': 0.1}"
    made = project(kittens___settings__py=settings(wait))
    made.run("migrate")
    (made.code / "cats" / "migrations" / "0002_more.py").write_text(EMPTY.format(before="0001_initial"))
    with closing(sqlite3.connect(place / "data" / "db.sqlite3")) as worker:
        worker.execute("BEGIN IMMEDIATE")
        failure = made.failure("migrate")
        worker.rollback()
    assert failure.message.startswith("the database file is locked: ")
    assert made.run("migrate")["applied"] == ["cats.0002_more"]


CREATE = ["createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.com"]


def test_run_once_and_again(project: Make) -> None:
    made = project()
    made.env["DJANGO_SUPERUSER_PASSWORD"] = "purr-purr-purr"
    made.run("migrate")
    made.run("run", words=CREATE)
    failure = made.failure("run", words=CREATE)
    assert failure.step == "createsuperuser"
    assert "already taken" in failure.log
    assert "already taken" in failure.message
    assert "purr-purr" not in str(failure)


RUNS = [(["nonesuch"], "Unknown command: 'nonesuch'"), (["loaddata", "nonesuch.json"], "nonesuch")]


@pytest.mark.parametrize(("words", "sentence"), RUNS)
def test_a_run_that_fails(project: Make, words: list[str], sentence: str) -> None:
    made = project()
    made.run("migrate")
    failure = made.failure("run", words=words)
    assert (failure.step, sentence in failure.message) == (words[0], True), failure.message

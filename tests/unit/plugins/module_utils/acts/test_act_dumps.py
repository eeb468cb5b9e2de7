# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases dumped and restored inside the Act's own Python: real SQLite, and what is in the way."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import act_dumps, dumps, steps
from ansible_collections.backstage.django.plugins.module_utils.acts.dumps import Sink

from ...projects import EMPTY, Make, Project, settings

NOISE = settings('print("hello"); INSTALLED_APPS = ["cats"]')
TWO = """
INSTALLED_APPS = ["cats"]
DATABASES["archive"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BACKSTAGE_DATA"] + "/a.sqlite3"}
class Router:
    def db_for_write(self, model, **hints):
        return "archive"
DATABASE_ROUTERS = [Router()]
"""


@pytest.fixture
def cats(project: Make) -> Project:
    """A migrated database of a project that prints something while it is loaded."""
    made = project(kittens___settings__py=NOISE)
    made.run("migrate")
    return made


def database(made: Project, name: str = "db.sqlite3") -> Path:
    return Path(made.env["BACKSTAGE_DATA"], name)


def query(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path, isolation_level=None)) as found:
        return found.execute(sql).fetchall()


def dumped(made: Project, path: Path, alias: str = "default") -> dict[str, Any]:
    """Dump a database into a file, as the module does."""
    with path.open("wb") as file:
        sink = Sink(file.fileno())
        said = made.run("dump", alias=alias, clients=dumps.CLIENTS, into=sink)
    assert {key: said[key] for key in ("size", "digest")} == sink.report()
    assert sink.report() == {"size": path.stat().st_size, "digest": hashlib.sha256(path.read_bytes()).hexdigest()}
    return said


def restored(made: Project, path: Path, alias: str = "default") -> None:
    with path.open("rb") as file:
        lent = [file.fileno()]
        made.run("restore", alias=alias, clients=dumps.CLIENTS, source=lent[0], lent=lent)


def test_what_a_survey_finds(project: Make) -> None:
    made = project(kittens___settings__py=settings(TWO))
    nothing = {"vendor": "sqlite", "size": 0, "tables": 0, "pending": 0, "owned": True}
    found = made.run("survey")
    assert found["databases"] == [{"alias": "default", **nothing}, {"alias": "archive", **nothing}]
    assert os.listdir(made.env["BACKSTAGE_DATA"]) == [], "it makes no file"
    made.run("migrate")
    (made.code / "cats" / "migrations" / "0002_more.py").write_text(EMPTY.format(before="0001_initial"))
    found = made.run("survey")
    sizes = [database(made, name).stat().st_size for name in ("db.sqlite3", "a.sqlite3")]
    assert [(one["size"], one["tables"], one["pending"]) for one in found["databases"]] == [
        (size, 2, 1) for size in sizes
    ]
    assert found["applied"] == [["cats", "0001_initial"], ["archive/cats", "0001_initial"]]


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_there_and_back(cats: Project, tmp_path: Path, mode: str) -> None:
    """Into the same file: who has it open sees the restored rows; and nothing else is left in the data directory."""
    path = database(cats)
    assert query(path, f"PRAGMA journal_mode = {mode}") == [(mode.lower(),)]
    query(path, "INSERT INTO cats_cat (name) VALUES ('tom')")
    dumped(cats, tmp_path / "dump")
    assert query(tmp_path / "dump", "SELECT name FROM cats_cat") == [("tom",)]
    query(path, "ALTER TABLE cats_cat RENAME TO dogs")
    with closing(sqlite3.connect(path)) as before:
        assert before.execute("SELECT name FROM dogs").fetchall() == [("tom",)]
        restored(cats, tmp_path / "dump")
        assert before.execute("SELECT name FROM cats_cat").fetchall() == [("tom",)]
    assert query(path, "PRAGMA journal_mode") == [(mode.lower(),)]
    assert [name for name in os.listdir(path.parent) if not name.startswith("db.sqlite3")] == []
    assert path.stat().st_uid == 1


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Somebody writes all the time, two rows at a time."""
    over = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(path, timeout=30)) as found:
            while not over.is_set():
                with found:
                    found.execute("INSERT INTO cats_cat (name) VALUES ('a')")
                    found.execute("INSERT INTO cats_cat (name) VALUES ('b')")
                time.sleep(0.001)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_dump_while_somebody_writes(cats: Project, tmp_path: Path, mode: str) -> None:
    """A copy of the file would miss what is not in it yet."""
    query(database(cats), f"PRAGMA journal_mode = {mode}")
    with writing(database(cats)):
        dumped(cats, tmp_path / "dump")
    assert query(tmp_path / "dump", "PRAGMA integrity_check") == [("ok",)]
    counts = query(tmp_path / "dump", "SELECT name, count(*) FROM cats_cat GROUP BY name")
    assert len({count for _name, count in counts}) == 1, "whole transactions"


def test_a_restore_of_what_somebody_writes_to(cats: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused after seconds, and changes nothing."""
    patience = f"OTHERS_SECONDS = {act_dumps.OTHERS_SECONDS}\n"
    assert patience in steps.SCRIPT
    monkeypatch.setattr(steps, "SCRIPT", steps.SCRIPT.replace(patience, "OTHERS_SECONDS = 1\n"))
    dumped(cats, tmp_path / "dump")
    query(database(cats), "INSERT INTO cats_cat (name) VALUES ('tom')")
    with closing(sqlite3.connect(database(cats))) as other:
        other.execute("BEGIN IMMEDIATE")
        with (tmp_path / "dump").open("rb") as file:
            lent = [file.fileno()]
            failure = cats.failure("restore", alias="default", clients="", source=lent[0], lent=lent)
    assert failure.step == "restore"
    assert "another connection has used the database for 1 s: end it first" in failure.message
    assert query(database(cats), "SELECT name FROM cats_cat") == [("tom",)]


def test_what_a_killed_dump_has_left(cats: Project, tmp_path: Path) -> None:
    for end in ("", "-wal"):
        left = database(cats, ".backstage-dump" + end)
        left.write_text("half of it")
        os.chown(left, 1, 1)
    dumped(cats, tmp_path / "dump")
    assert os.listdir(database(cats).parent) == ["db.sqlite3"]


def test_a_damaged_dump_changes_nothing(cats: Project, tmp_path: Path) -> None:
    (tmp_path / "dump").write_text("no database at all, but long enough to be looked at" * 50)
    with (tmp_path / "dump").open("rb") as file:
        lent = [file.fileno()]
        failure = cats.failure("restore", alias="default", clients="", source=lent[0], lent=lent)
    assert "file is not a database" in failure.message
    assert query(database(cats), "SELECT count(*) FROM cats_cat") == [(0,)]

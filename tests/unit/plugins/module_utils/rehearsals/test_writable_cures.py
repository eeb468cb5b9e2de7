# SPDX-License-Identifier: GPL-3.0-or-later
"""Cures for files and directories that an Act may not write."""

from __future__ import annotations

from typing import Any

import pytest

from .cases import CODE, WHY, case, cure, cured


def sqlite(*names: str, engine: str = "django.db.backends.sqlite3") -> dict[str, Any]:
    return {"databases": {str(number): {"engine": engine, "name": name} for number, name in enumerate(names)}}


def test_databases_inside_the_code() -> None:
    record = sqlite(f"{CODE}/site/db.sqlite3", f"{CODE}/site/data/two.db", "/var/lib/three.db")
    files = {"site/manage.py": "", "site/data/cats.json": ""}
    made = case(files=files, item={"source": {"path": "/kittens", "subdir": "site"}}, record=record)
    cure("read-only database", made)
    assert made.draft.item["writable"] == ["db.sqlite3", "data/two.db"]
    assert made.draft.because["writable"] == [WHY]
    spatial = sqlite(f"{CODE}/geo.db", engine="django.contrib.gis.db.backends.spatialite")
    assert cured("read-only database", case(record=spatial)) == {"writable": ["geo.db"]}
    assert cured("read-only database", case(record={})) == {}


def test_a_database_that_comes_along() -> None:
    """A laptop's, with the users that somebody made there."""
    made = case(files={"manage.py": "", "db.sqlite3": ""}, record=sqlite(f"{CODE}/db.sqlite3"))
    assert cured("database in the code", made) == {"writable": ["db.sqlite3"]}
    begins = (
        "it begins as a copy of the source's 'db.sqlite3', users and all: move that away to begin with an empty one"
    )
    assert made.draft.because["writable"] == [f"{WHY}; {begins}"]


@pytest.mark.parametrize("name", [f"{CODE}/db/db.sqlite3", "db/db.sqlite3"])
def test_a_database_whose_directory_is_not_in_the_source(name: str) -> None:
    assert cured("database directory missing", case(name)) == {"writable": ["db/"]}
    assert cured("read-only database", case(record=sqlite(name))) == {"writable": ["db/"]}
    there = case(name, files={"manage.py": "", "db/cats.json": ""})
    assert cured("database directory missing", there) == {"writable": ["db/db.sqlite3"]}


FILES: list[tuple[str, str, list[str], list[str]]] = [
    # (cause, path, what is writable, what is then)
    ("read-only file", f"{CODE}/logs/a.log", [], ["logs/a.log"]),
    ("read-only file", f"{CODE}/logs/b.log", ["logs/a.log", "x"], ["x", "logs/"]),
    ("read-only file", f"{CODE}/logs/a.log", ["logs/a.log"], ["logs/"]),
    ("read-only file", f"{CODE}/index", ["index"], ["index"]),
    ("read-only file", "search_index", [], ["search_index"]),
    ("read-only file", "/etc/passwd", [], []),
    ("directory not made", f"{CODE}/media", [], ["media/"]),
    ("directory not made", f"{CODE}/media/user", ["x"], ["x", "media/user/"]),
    ("directory not made", f"{CODE}/media", ["media"], ["media/"]),
    ("directory missing", f"{CODE}/media/a.png", ["media", "media/b.png"], ["media/"]),
    ("directory missing", f"{CODE}/logs/a.log", [], ["logs/"]),
    ("directory missing", "logs/a.log", [], ["logs/"]),
    ("directory missing", "/var/log/a.log", [], []),
]


@pytest.mark.parametrize(("name", "path", "before", "after"), FILES)
def test_what_it_writes_in_its_code(name: str, path: str, before: list[str], after: list[str]) -> None:
    made = case(path, item={"writable": before})
    cure(name, made)
    assert made.draft.item["writable"] == after

# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases and secrets in a rehearsal: what must not be written or read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act

from ...house import House
from .managers import EXACT, IN_THE_CODE, POSTGRES, SQLITE, contents, rehearse


def test_what_plays_and_should_not_play_so(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both at once, and asked of the release that plays: with another line it is another release."""
    weak = ["security.W009: Your SECRET_KEY is weak."]

    def looks(act: Act) -> dict[str, Any]:
        return {"warnings": [] if "SECRET_KEY =" in contents(act) else weak, "pending": ["a.0001"]}

    def record(act: Act) -> dict[str, Any]:
        return {"debug": "DEBUG = False" not in contents(act)}

    found, managers = rehearse(stage, monkeypatch, None, None, looks=looks, record=record)
    content = found["act"]["files"][0]["content"]
    assert "DEBUG = False" in content
    assert 'SECRET_KEY = os.environ["SECRET_KEY"]' in content
    assert len([order for order in managers.orders if order.through == "build"]) == 2
    assert (found["tried"], found["missing"]) == ([], [])
    assert managers.asked == [None, None], "each release once"
    assert found["pending"] == [], "a directory has no database that anything could be pending for"


STANDS = "SECRET_KEY stands in kittens/settings.py, for everybody who can read the source: give it in 'secrets'"


def test_a_strong_key_that_stands_in_the_code(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Django finds nothing wrong with it, and whoever has the source can sign with it."""

    def record(act: Act) -> dict[str, Any]:
        return {"warnings": [] if "SECRET_KEY =" in contents(act) else [STANDS, "and something else"]}

    found, _managers = rehearse(stage, monkeypatch, None, None, record=record)
    assert 'SECRET_KEY = os.environ["SECRET_KEY"]' in found["act"]["files"][0]["content"]
    assert found["because"]["secrets"] == [STANDS]


ELSEWHERE = {"engine": "django.db.backends.sqlite3", "name": "file:/var/lib/cats.db?mode=rw"}


@pytest.mark.parametrize("database", [ELSEWHERE, {**ELSEWHERE, "name": "/var/lib/cats.db"}])
def test_a_file_that_lies_elsewhere_is_not_migrated(
    stage: House, monkeypatch: pytest.MonkeyPatch, database: dict[str, str]
) -> None:
    found, _managers = rehearse(
        stage, monkeypatch, None, looks={"pending": ["a.0001"]}, record={"databases": {"default": database}}
    )
    assert f"its database '{database['name']}' is not the rehearsal's own" in found["error"]


def test_a_database_of_somebody_elses_is_not_migrated(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = {"pending": [f"a.{number:04}" for number in range(7)]}
    found, managers = rehearse(stage, monkeypatch, None, looks=looks, record={"databases": {"default": POSTGRES}})
    assert not found["plays"]
    assert found["error"] == (
        "its database 'live' is not the rehearsal's own, and lacks 7 migrations"
        " (a.0000, a.0001, a.0002, a.0003, a.0004 ...), so no page was asked for"
    )
    assert [order.through for order in managers.orders if not order.strike] == ["build"]


def test_a_database_of_somebody_elses_that_lacks_nothing(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "name": "kittens",
        "source": {"path": "/kittens"},
        "fixtures": ["a.json"],
        "seed": [{"name": "a", "run": "b"}],
    }
    found, managers = rehearse(
        stage, monkeypatch, None, record={"databases": {"default": POSTGRES}}, more={"acts": [given]}
    )
    assert found["plays"]
    act = managers.orders[2].manifest.acts["kittens"]
    assert (act.migrate, act.fixtures, act.seed) == (False, [], [])


@pytest.mark.parametrize(
    ("database", "item"),
    [
        ({"engine": "", "name": ""}, {}),
        ({"engine": "django.db.backends.dummy", "name": ""}, {}),
        (SQLITE, {}),
        ({"engine": "django.db.backends.sqlite3", "name": ":memory:"}, {}),
        ({"engine": "django.db.backends.sqlite3", "name": "file:cats?mode=memory&cache=shared"}, {}),
        ({**SQLITE, "name": f"file:{SQLITE['name']}?mode=rwc"}, {}),
        ({**SQLITE, "engine": "django.contrib.gis.db.backends.spatialite"}, {}),
        ({**SQLITE, "engine": "kittens.faster_sqlite", "vendor": "sqlite"}, {}),
        (POSTGRES, {"database": {"engine": "postgresql"}}),
    ],
)
def test_a_database_of_its_own_is_migrated(
    stage: House, monkeypatch: pytest.MonkeyPatch, database: dict[str, str], item: dict[str, Any]
) -> None:
    given = {"name": "kittens", "source": {"path": "/kittens"}, **item}
    more = {"acts": [given]}
    found, managers = rehearse(stage, monkeypatch, None, record={"databases": {"default": database}}, more=more)
    assert found["plays"]
    assert managers.orders[2].manifest.acts["kittens"].migrate


@pytest.mark.parametrize("database", [IN_THE_CODE, {**IN_THE_CODE, "name": "db.sqlite3"}])
@pytest.mark.parametrize("given", [{}, EXACT])
def test_a_database_in_the_code(
    stage: House, monkeypatch: pytest.MonkeyPatch, database: dict[str, str], given: dict[str, Any]
) -> None:
    """Pages can be read from it, and nobody could log in: it plays, and not so."""
    record = {"databases": {"default": database}, "project": "."}
    found, managers = rehearse(stage, monkeypatch, None, None, record=record, more=given)
    assert (found["plays"], found["act"]["writable"]) == (True, ["db.sqlite3"])
    assert found["because"]["writable"] == ["the database file 'db.sqlite3' lies in the code, which is sealed"]
    assert found["lacking"] == (["writable"] if given else [])
    assert managers.orders[2].manifest.acts["kittens"].migrate, "it is the rehearsal's own"


@pytest.mark.parametrize("writable", ["db.sqlite3", "data/"])
def test_a_database_in_the_code_that_may_be_written(
    stage: House, monkeypatch: pytest.MonkeyPatch, writable: str
) -> None:
    name = writable if writable.endswith("3") else "data/db.sqlite3"
    given = {"name": "kittens", "source": {"path": "/kittens"}, "writable": [writable]}
    record = {"databases": {"default": {**SQLITE, "name": "{code}/" + name}}, "project": "."}
    found, _managers = rehearse(stage, monkeypatch, None, record=record, more={"acts": [given]})
    assert (found["plays"], found["act"]["writable"], found["because"]) == (True, [writable], {})

# SPDX-License-Identifier: GPL-3.0-or-later
"""Migrations of releases compared with those of databases."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import graphs
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.acts.databases import Databases
from ansible_collections.backstage.django.plugins.module_utils.acts.graphs import Graph

from ...house import A, B, House, wanted

ONE: Graph = {"shop.0001": []}
TWO: Graph = {**ONE, "shop.0002": []}
THREE: Graph = {**TWO, "shop.0003": []}
BESIDE: Graph = {**THREE, "shop.0001_squashed": ["shop.0001", "shop.0002", "shop.0003"]}
SQUASHED: Graph = {"shop.0001_squashed": ["shop.0001", "shop.0002", "shop.0003"]}
SECOND: Graph = {"shop.0001": [], "shop.0001 (logs)": []}

NEWER: list[tuple[str, set[str], Graph, list[Graph], list[str]]] = [
    # (what, applied, what the release knows, other releases, what it does not know)
    ("all is known", set(TWO), TWO, [], []),
    ("the code is newer", set(ONE), TWO, [], []),
    ("the code is older", set(THREE), ONE, [THREE], ["shop.0002", "shop.0003"]),
    ("squashed, and its files are gone", {*BESIDE}, SQUASHED, [], []),
    ("back from squashed to what was squashed", {*BESIDE}, THREE, [SQUASHED], []),
    ("squashed more than the older code has", {*BESIDE}, TWO, [SQUASHED], ["shop.0001_squashed", "shop.0003"]),
    ("an app that is gone from all code", {*ONE, "old.0001"}, ONE, [], ["old.0001"]),
    ("of another database, too", {*SECOND, "shop.0002 (logs)"}, SECOND, [], ["shop.0002 (logs)"]),
    ("of a database that it does not migrate", {*ONE, "shop.0009 (logs)"}, ONE, [], []),
]


@pytest.mark.parametrize(("applied", "known", "others", "found"), [row[1:] for row in NEWER], ids=[r[0] for r in NEWER])
def test_fault_18_what_the_code_does_not_know(
    applied: set[str], known: Graph, others: list[Graph], found: list[str]
) -> None:
    assert graphs.newer(applied, known, [*others, None]) == found


PENDING: list[tuple[str, set[str], Graph, list[str]]] = [
    ("an empty database", set(), TWO, ["shop.0001", "shop.0002"]),
    ("one is missing", set(ONE), TWO, ["shop.0002"]),
    ("all are there", set(TWO), TWO, []),
    ("squashed instead of what it replaces", {"shop.0001_squashed"}, BESIDE, []),
    ("replaced ones instead of squashed", set(THREE), SQUASHED, []),
    ("squashed, and only a part is there", set(ONE), SQUASHED, ["shop.0001_squashed"]),
]


@pytest.mark.parametrize(("applied", "known", "found"), [row[1:] for row in PENDING], ids=[row[0] for row in PENDING])
def test_what_a_database_lacks(applied: set[str], known: Graph, found: list[str]) -> None:
    assert graphs.pending(applied, known) == found


UNDOING: list[tuple[list[str], Graph, list[str]]] = [
    (["shop.0002", "shop.0003"], ONE, ["migrate shop 0001"]),
    (["cart.0001", "shop.0002"], ONE, ["migrate cart zero", "migrate shop 0001"]),
    (["shop.0002 (logs)"], SECOND, ["migrate shop 0001 --database logs"]),
]


@pytest.mark.parametrize(("names", "known", "commands"), UNDOING)
def test_what_undoes_them(names: list[str], known: Graph, commands: list[str]) -> None:
    assert graphs.undoing(names, known) == commands


WRITTEN = [("shop", "0001", "shop.0001"), ("logs/shop", "0001", "shop.0001 (logs)"), ("a/b/shop", "x", "shop.x (a/b)")]


@pytest.mark.parametrize(("app", "name", "text"), WRITTEN)
def test_how_a_migration_is_written(app: str, name: str, text: str) -> None:
    assert graphs.written(app, name) == text


def test_the_migrations_of_a_release() -> None:
    release: dict[str, Any] = {"graph": {"shop.2": ["shop.1"]}, "migrated": ["default", "logs"]}
    assert graphs.of_release(release) == {"shop.2": ["shop.1"], "shop.2 (logs)": ["shop.1 (logs)"]}
    assert graphs.of_release({"migrated": ["default"]}) is None
    assert graphs.of_release({"graph": None}) is None


def test_what_runs_applied(house: House) -> None:
    """What a release has that is gone by now, too; and nothing of another database."""
    house.build(A, graph=ONE)
    house.log(
        {"event": "migrated", "release": A, "applied": []},
        {"event": "migrated", "release": B, "applied": ["shop.0002"]},
        {"event": "migrated", "release": B, "applied": ["shop.0003"], "database": "sqlite"},
    )
    assert graphs.supposed(house.state(), "") == {"shop.0001", "shop.0002"}
    assert graphs.supposed(house.state(), "sqlite") == {"shop.0003"}


def planned(house: House) -> Any:
    """What the plan says of the migrations."""
    known = Databases(house.production, house.host, planning=True)
    changes = acts.plan(wanted(), house.state(), house.host, known, "play", {})
    (after,) = [change.step.after for change in changes if change.step.verb == "migrate"]
    return after


def test_a_plan_names_pending_migrations(house: House) -> None:
    """Those of a release that is built; before, and where a person migrated by hand, nobody knows them."""
    release = wanted().release
    house.build(A, graph=ONE, migrated=["default"])
    house.log({"event": "migrated", "release": A, "applied": [*ONE]})
    assert planned(house) == release
    house.build(release, graph=THREE, migrated=["default"])
    assert planned(house) == {"release": release, "pending": ["shop.0002", "shop.0003"]}
    house.log({"event": "migrated by hand"})
    assert planned(house) == release

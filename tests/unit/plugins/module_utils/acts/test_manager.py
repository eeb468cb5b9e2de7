# SPDX-License-Identifier: GPL-3.0-or-later
"""The Act manager's plans: retention, what runs once, sweeping, holds; and directories as documented."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.acts.databases import Databases
from ansible_collections.backstage.django.plugins.module_utils.host import names, process
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Seed
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Change

from ...conftest import Crew
from ...house import KITTENS, A, B, C, D, E, F, House, wanted
from ...told import told

WANT = wanted()
NEW = WANT.release
Event = dict[str, Any]


def changes(
    house: House, want: acts.Want = WANT, through: str = "play", answers: Optional[dict[str, str]] = None
) -> list[Change]:
    known = Databases(house.production, house.host, planning=True)
    return acts.plan(want, house.state(), house.host, known, through, answers or {})


def plan(house: House, want: acts.Want = WANT, through: str = "play", **answers: str) -> list[str]:
    found = [change.step for change in changes(house, want, through, answers)]
    return [f"{step.verb} {step.before or step.after}" for step in found]


def discarded(house: House, want: acts.Want = WANT, **more: Any) -> list[str]:
    return [line.split(" ")[1] for line in plan(house, want, **more) if line.startswith("discard ")]


def keeping(number: int, **more: Any) -> acts.Want:
    return wanted(replace(KITTENS, keep_releases=number), **more)


# (keep_releases, releases on disk with the oldest first, those that played in their order, what goes)
KEPT: list[tuple[int, list[str], list[str], list[str]]] = [
    (5, [A, B, C], [A, B, C], []),
    (1, [], [], []),
    (3, [A, B, C], [A, B, C], [A]),  # with the new one there are four
    (2, [A, B, C], [A, B, C], [B, A]),
    # what never played goes first, whenever it was built; then what played longest ago
    (3, [A, B, C], [B, C], [A]),
    (2, [A, B, C], [A, C], [A, B]),
    (4, [A, B, C, D], [B, C], [A]),
    # rolled back and played again: recently played stays
    (3, [A, B, C], [A, B, C, A], [B]),
]


@pytest.mark.parametrize(("keep", "built", "played", "gone"), KEPT)
def test_retention(house: House, keep: int, built: list[str], played: list[str], gone: list[str]) -> None:
    for number, release in enumerate(built):
        house.build(release, built=f"2026-01-0{number + 1}T00:00:00Z")
    house.played(*played)
    if played:
        live_at(house, played[-1])
    # the live one always stays: it may be what a failing run goes back to
    assert sorted(discarded(house, keeping(keep))) == sorted(set(gone) - {played[-1] if played else ""})


def live_at(house: House, release: str, *older: str) -> None:
    """This release plays, and serves the static files of those that played before."""
    sess = house.act().sess(f"{release}.{house.numbers[release]}")
    os.makedirs(sess.older)
    for number, name in enumerate(older, 1):
        os.symlink(house.act().release(name).static, os.path.join(sess.older, str(number)))
    os.symlink(f"sesses/{release}.{house.numbers[release]}", house.act().live)


def test_the_live_one_and_the_held_one_stay(house: House) -> None:
    for release in (A, B, C, D):
        house.build(release)
    house.played(A, B, C, D, A)
    live_at(house, A)
    Path(house.act().hold).write_text(f'{{"release": "{B}"}}')
    assert discarded(house, keeping(1)) == [D, C]
    assert sorted(discarded(house, keeping(1, unhold=True))) == [B, C, D]


@pytest.mark.parametrize("through", ["build", "migrate", "play"])
def test_static_files_that_are_served_stay(house: House, through: str) -> None:
    """Old hashed names answer for the kept releases: also while a new one is only built, or keep_releases shrank."""
    for release in (A, B, C, D, E):
        house.build(release)
    house.played(A, B, C, D, E)
    live_at(house, E, D, C, B, A)
    if through != "play":
        assert discarded(house, keeping(5), through=through) == []
    assert discarded(house, keeping(2, play=E, release=E, held=True), through=through) == []


def test_nothing_is_discarded_that_is_wanted(house: House) -> None:
    house.build(NEW)
    for release in (A, B, C, D, E, F):
        house.build(release)
    house.played(NEW, A, B, C, D, E, F)
    live_at(house, F)
    gone = discarded(house, keeping(1))
    assert NEW not in gone
    assert F not in gone


SEEDS = [Seed("late", "a"), Seed("early", "b", before_migrate=True)]
DONE: list[Event] = [{"event": "seed done", "seed": name} for name in ("fixture f.json", "late", "early")]
STARTED: Event = {"event": "seed started", "seed": "late"}
MIGRATED: Event = {"event": "migrated", "release": NEW}
# (history, answers, through, what is done to the database)
DATABASE: list[tuple[list[Event], dict[str, str], str, list[str]]] = [
    ([], {}, "play", ["seed early", f"migrate {NEW}", "seed fixture f.json", "seed late"]),
    ([], {}, "migrate", ["seed early", f"migrate {NEW}", "seed fixture f.json", "seed late"]),
    ([], {}, "build", []),
    ([*DONE, MIGRATED], {}, "play", []),
    (DONE, {}, "play", [f"migrate {NEW}"]),
    ([*DONE, {"event": "migrated", "release": A}], {}, "play", [f"migrate {NEW}"]),
    ([*DONE[:1], DONE[2], MIGRATED], {}, "play", ["seed late"]),
    # interrupted, and answered
    ([*DONE[:1], DONE[2], MIGRATED, STARTED], {"late": "done"}, "play", ["seed late, said to be done"]),
    ([*DONE[:1], DONE[2], MIGRATED, STARTED], {"late": "again"}, "play", ["seed late"]),
    ([*DONE, MIGRATED], {"late": "done"}, "play", []),
]


@pytest.mark.parametrize(("events", "answers", "through", "done"), DATABASE)
def test_database(house: House, events: list[Event], answers: dict[str, str], through: str, done: list[str]) -> None:
    want = wanted(replace(KITTENS, seed=SEEDS, fixtures=["f.json"]))
    assert want.release == NEW, "seeds make no release"
    house.build(NEW)
    house.record(want)
    house.log(*events)
    assert plan(house, want, through, **answers) == done


POSTGRESQL = wanted(replace(KITTENS, database="postgresql"))
MADE = "create database jazz-kittens"
# (history, through, what is done): the manifest's database is made before it is migrated, and not by a build
MANIFESTS: list[tuple[list[Event], str, list[str]]] = [
    ([], "build", []),
    ([], "migrate", [MADE, f"migrate {NEW}"]),
    ([], "play", [MADE, f"migrate {NEW}"]),
    # this release migrated another database: SQLite, or one that somebody dropped
    ([MIGRATED], "play", [MADE, f"migrate {NEW}"]),
    ([{**MIGRATED, "database": "postgresql"}], "play", [MADE, f"migrate {NEW}"]),
]


@pytest.mark.parametrize(("events", "through", "done"), MANIFESTS)
def test_the_manifests_database(house: House, events: list[Event], through: str, done: list[str]) -> None:
    assert POSTGRESQL.release == NEW, "the database makes no release"
    house.build(NEW)
    house.record(POSTGRESQL)
    house.log(*events)
    assert plan(house, POSTGRESQL, through) == done


def test_sqlite_is_made_by_migrate(house: House) -> None:
    want = wanted(replace(KITTENS, database="sqlite"))
    house.build(NEW)
    house.record(want)
    assert plan(house, want) == [f"migrate {NEW}"]
    house.log({**MIGRATED, "database": "sqlite"})
    assert plan(house, want) == []


LIVE: list[tuple[str, dict[str, Any], dict[str, Any], list[Event]]] = [
    # (what differs, of the live release, of what is wanted, what was migrated)
    ("nothing", {}, {}, [{"event": "migrated", "release": A}]),
    ("the migrations", {"migrations": "other"}, {}, [{"event": "migrated", "release": A}]),
    ("nobody knows", {"migrations": ""}, {}, [{"event": "migrated", "release": A}]),
    ("a secret", {}, {"secrets": {"DATABASE_URL": "sqlite:////other"}}, [{"event": "migrated", "release": A}]),
    ("a variable", {}, {"env": {"DB": "other"}}, [{"event": "migrated", "release": A}]),
    ("it was not migrated", {}, {}, []),
]


@pytest.mark.parametrize(("live", "act", "events"), [row[1:] for row in LIVE], ids=[row[0] for row in LIVE])
def test_the_migrations_of_the_live_release_are_not_run_again(
    house: House, monkeypatch: pytest.MonkeyPatch, live: dict[str, Any], act: dict[str, Any], events: list[Event]
) -> None:
    given = replace(KITTENS, env={"WHERE": "{code}"}, secrets={"DATABASE_URL": "sqlite:////one"})
    house.build(A, **{"migrations": "same", **live})
    house.play(wanted(given, release=A, play=A))
    house.build(NEW, migrations=live.get("migrations", "same") and "same")
    house.log(*events)
    ran: list[str] = []

    def run(_manager: Any, mode: str, *_more: Any) -> dict[str, Any]:
        ran.append(mode)
        return {"applied": ["a.1"]}

    monkeypatch.setattr(acts._Manager, "_run", run)
    want = wanted(replace(given, **act), release=NEW, play=NEW)
    (change,) = (change for change in changes(house, want) if change.step.verb == "migrate")
    assert change.make
    change.make()
    event = house.state().history.events[-1]
    alone = events and not live and not act
    assert (ran, event["applied"]) == (([], []) if alone else (["migrate"], ["a.1"]))
    assert (event["event"], event["release"]) == ("migrated", NEW)


def test_an_interrupted_seed_is_refused_until_it_is_answered(house: House) -> None:
    want = wanted(replace(KITTENS, seed=SEEDS))
    house.log(*DONE[:1], DONE[2], STARTED)
    assert "it was interrupted" in told(plan, house, want) or "its end is not known" in told(plan, house, want)
    for change in changes(house, want, answers={"late": "done"}):
        if change.step.verb == "seed" and change.make:
            change.make()
    assert "seed late" not in plan(house, want), "the answer is kept"


RECORDS: list[tuple[Optional[acts.Want], acts.Want, list[tuple[str, Any, Any]]]] = [
    # (act.json, what is wanted, the step: verb, before, after)
    (WANT, WANT, []),
    (WANT, wanted(replace(KITTENS, keep_releases=3)), [("change", {"keep_releases": 5}, {"keep_releases": 3})]),
    (WANT, wanted(replace(KITTENS, secrets={"A": "purrpurr"})), []),
]


@pytest.mark.parametrize(("before", "want", "steps"), RECORDS)
def test_what_an_act_was_told(
    house: House, before: acts.Want, want: acts.Want, steps: list[tuple[str, Any, Any]]
) -> None:
    house.build(NEW)
    house.log(MIGRATED)
    house.record(before)
    found = [change.step for change in changes(house, want)]
    assert [(step.verb, step.before, step.after) for step in found] == steps


def test_no_secret_is_recorded() -> None:
    seed = Seed("s", "a", secrets={"PW": "meowmeow"})
    told_of = str(acts.record_of(wanted(replace(KITTENS, secrets={"KEY": "purrpurr"}, seed=[seed]))))
    assert "purrpurr" not in told_of
    assert "meowmeow" not in told_of


def test_what_a_killed_build_left_is_swept(house: House) -> None:
    for release in (A, NEW):
        os.makedirs(house.act().release(release).code)
    house.log(MIGRATED)
    assert plan(house)[0] == f"sweep {A}"
    assert f"sweep {NEW}" not in plan(house), "it is built anew, which removes it first"
    os.makedirs(house.act().workshop)
    assert "sweep workshop" not in plan(house)
    house.build(B)
    assert plan(house, wanted(release=B))[:3] == [f"sweep {NEW}", f"sweep {A}", "sweep workshop"]


def test_needs_source(house: House) -> None:
    assert acts.needs_source(WANT, house.state()) is True
    assert acts.needs_source(replace(WANT, held=True), house.state()) is False
    assert acts.needs_source(wanted(replace(KITTENS, state="absent")), house.state()) is False
    house.build(NEW)
    assert acts.needs_source(WANT, house.state()) is False


SECRETS = [
    # (the manifest's, those of the Sess that plays, found)
    ({"A": "one"}, {"A": "two"}, {"A": "one"}),
    ({}, {"A": "two"}, {}),
    (None, {"A": "two"}, {"A": "two"}),
    (None, {}, {}),
]


@pytest.mark.parametrize(("given", "played", "found"), SECRETS)
def test_secrets_of(house: House, given: Any, played: dict[str, str], found: dict[str, str]) -> None:
    want = wanted(replace(KITTENS, secrets=played, env={"PLAIN": "x"}))
    house.build(want.release)
    house.play(want)
    assert acts.secrets_of(replace(KITTENS, secrets=given), house.state()) == found


def test_prepare_makes_the_documented_layout(crewed: House, crew: Crew) -> None:
    before = os.umask(0o077)
    try:
        for _again in range(2):
            acts.prepare(crewed.act())
    finally:
        os.umask(before)
    root, act = crewed.paths, crewed.act()
    www = process.group_id(names.WWW_GROUP)
    expected = {
        root.root: (0o755, 0, 0),
        root.acts: (0o755, 0, 0),
        root.environments: (0o755, 0, 0),
        act.root: (0o711, 0, 0),
        act.releases: (0o711, 0, 0),
        act.sesses: (0o711, 0, 0),
        act.media: (0o2750, crew.player.uid, www),
        act.data: (0o700, crew.player.uid, crew.player.gid),
    }
    found = {path: os.stat(path) for path in expected}
    assert {path: (stat.S_IMODE(s.st_mode), s.st_uid, s.st_gid) for path, s in found.items()} == expected

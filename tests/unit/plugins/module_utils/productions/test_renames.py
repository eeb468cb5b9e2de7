# SPDX-License-Identifier: GPL-3.0-or-later
"""Acts that get another name: everything that they have goes along, and nothing of the old name is left."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import digests, relinking
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.acts.databases import Databases
from ansible_collections.backstage.django.plugins.module_utils.host import files, names, process, users
from ansible_collections.backstage.django.plugins.module_utils.host.layout import SEAL
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options, renames
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Order, Outcome
from ansible_collections.backstage.django.plugins.module_utils.stages import crew as crews
from ansible_collections.backstage.django.plugins.module_utils.stages import timers
from waiting import eventually

from ...conftest import _house
from ...crews import ROLE, Jobs
from ...emperors import Emperor
from ...house import House, wanted
from ...manifests import COMMIT, Item, act, booked, git
from ...servers import Postgres

WAS = {"name": "cats", "was": "kittens"}


@pytest.fixture
def moving(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """An empty host of a Production of the test's own, whose users go with it."""
    found = _house(place, monkeypatch, "m" + secrets.token_hex(5))
    yield found
    for entry in pwd.getpwall():
        if entry.pw_name.startswith(found.production):
            users.remove(entry.pw_name)


def given(house: House, **more: Any) -> Order:
    """One Act that plays without a Venue, and whatever differs of it."""
    through = more.pop("through", "play")
    one = act(source=git(), secrets={}, health={"timeout": 5}, timeout=5, **more)
    alone: Item = {"production": house.production, "acts": [one], "sesses": [{"act": one["name"]}]}
    resolved = {one["name"]: {"content": COMMIT, "label": "v1"}}
    return options.for_production(booked(**alone, venues=[], gigs=[], resolved=resolved, through=through))


@pytest.fixture
def playing(moving: House) -> Iterator[House]:
    """kittens plays, and has data, a release with symlinks to it, rotated logs, and a history."""
    acts.prepare(moving.act())
    order = given(moving)
    release = wanted(order.manifest.acts["kittens"]).release
    moving.build(release, inputs=wanted(order.manifest.acts["kittens"]).inputs)
    built = moving.act().release(release)
    for path, target in (("db", f"{moving.act().data}/db"), ("static", built.static), ("own", "db")):
        os.symlink(target, Path(built.code, path))
    digests.record(built.root, SEAL)
    files.write(built.seal, files.read(built.seal) or "", 0o640, os.lstat(built.seal).st_gid)
    moving.settle(order)
    data = Path(moving.act().data, "db")
    data.write_text("visitors")
    player = pwd.getpwnam(names.player(moving.production, "kittens"))
    os.chown(data, player.pw_uid, player.pw_gid)
    logs = Path(moving.paths.logs)
    logs.mkdir(exist_ok=True)
    for name in ("kittens.log", "kittens.log.2.gz", "kittens.crew.log", "kittens2.log"):
        (logs / name).write_text(name)
        (logs / name).chmod(0o640)
        os.chown(logs / name, 0, process.group_id(names.LOG_GROUP))
    with Emperor(Path(moving.host.vassals), Path(moving.host.stats)):
        yield moving


def run(house: House, **more: Any) -> Outcome:
    return production.reconcile(given(house, **more))


def steps(outcome: Outcome) -> list[tuple[str, str, str]]:
    return [(step.noun, step.name, step.verb) for step in outcome.steps]


def left(house: House, name: str = "kittens") -> list[str]:
    """What anything on the host still calls by this name."""
    found = [str(path) for path in house.root.rglob("*") if name in path.name.split(".")]
    found += [str(path) for path in house.root.rglob("*") if path.is_symlink() and f"/{name}/" in os.readlink(path)]
    people = [f"{house.production}-{name}", f"{house.production}_{name}"]
    return found + [entry.pw_name for entry in pwd.getpwall() if entry.pw_name in people]


RENAMED = [("act", "cats", "rename"), ("sess", "cats", "play"), ("act", "cats", "change")]


def is_cats(house: House, uid: int, release: str) -> None:
    """Everything of kittens is that of cats."""
    assert left(house) == []
    state = house.state("cats")
    assert (state.live_release, list(state.releases)) == (release, [release])
    assert Path(state.paths.data, "db").read_text() == "visitors"
    player = pwd.getpwnam(names.player(house.production, "cats"))
    assert (player.pw_uid, player.pw_dir) == (uid, state.paths.data)
    assert os.stat(state.paths.data).st_uid == uid
    assert Path(state.paths.release(release).code, "db").read_text() == "visitors"
    root = state.paths.release(release).root
    assert (digests.changed(root, SEAL), digests.newer(root, SEAL)) == ([], [])
    logs = {path.name: path.read_text() for path in Path(house.paths.logs).iterdir()}
    assert logs.pop("kittens2.log") == "kittens2.log", "another Act's"
    assert (logs["cats.log.2.gz"], logs["cats.crew.log"]) == ("kittens.log.2.gz", "kittens.crew.log")
    assert logs["cats.log"].startswith("kittens.log")
    events = [event["event"] for event in state.history.events]
    assert events.count("renamed") == 1
    assert "played" in events[: events.index("renamed")], "its history goes on"


def test_fault_35_an_act_gets_another_name(playing: House) -> None:
    release = playing.state().live_release or ""
    uid = os.stat(playing.act().data).st_uid
    before = playing.seen()
    assert steps(production.check(given(playing, **WAS))) == RENAMED
    assert playing.seen() == before
    outcome = run(playing, **WAS)
    assert (steps(outcome), outcome.errors) == (RENAMED, [])
    is_cats(playing, uid, release)
    assert run(playing, **WAS).steps == [], "the old name may stay in the manifest"
    assert steps(run(playing, name="cats")) == [("act", "cats", "change")]


def test_fault_35_workers_and_timers_come_along(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the worker has begun is done, and what waits in its queue is done under the new name; each job once."""
    cron = playing.root / "cron.d"
    cron.mkdir()
    for name, value in (("CRON", str(cron)), ("SYSTEMD", "/nonexistent"), ("CRON_PROGRAM", "/bin/true")):
        monkeypatch.setattr(timers, name, value)
    monkeypatch.setattr(crews, "STEADY", 0.3)
    jobs = Jobs(playing)
    shutil.copy(ROLE / "backstage_timer.py", playing.host.wrapper)
    company: Item = {
        "workers": [{"name": "work", "run": "work 0.4", "grace": 20}],
        "timers": [{"name": "nightly", "run": "work 1", "at": "03:05"}],
    }
    assert run(playing, **company).errors == []
    jobs.send(5)
    eventually(jobs.done)
    outcome = run(playing, **WAS, **company)
    assert (steps(outcome), outcome.errors) == ([*RENAMED, ("timer", "cats/nightly", "add")], [])
    state = playing.state("cats")
    crew = crews.Crew(playing.host, state.paths, state.live or "")
    eventually(lambda: crew.working() == ["work"])
    done = Path(state.paths.data, "queue", "done")
    eventually(lambda: len(done.read_text().splitlines()) == 5)
    assert len({line.split()[0] for line in done.read_text().splitlines()}) == 5
    assert [path.name for path in cron.iterdir()] == [f"backstage_{playing.production}_cats_nightly"]
    assert left(playing) == []
    assert run(playing, **WAS, **company).steps == []
    assert run(playing, **WAS).errors == []
    assert crew.working() == []


class Killed(BaseException):
    pass


KILLS: list[tuple[str, Callable[[pytest.MonkeyPatch, Any], None]]] = [
    ("before the logs", lambda patch, kill: patch.setattr(renames, "rename_logs", kill)),
    ("before the database", lambda patch, kill: patch.setattr(Databases, "rename", kill)),
    ("before the users", lambda patch, kill: patch.setattr(users, "rename", kill)),
    ("before the symlinks", lambda patch, kill: patch.setattr(relinking, "relink", kill)),
    ("before the directory", lambda patch, kill: patch.setattr(files, "sync_directory", kill)),
]


@pytest.mark.parametrize("patch", [row[1] for row in KILLS], ids=[row[0] for row in KILLS])
def test_fault_02_a_rename_that_is_killed(playing: House, patch: Callable[[pytest.MonkeyPatch, Any], None]) -> None:
    """The next run goes on."""
    release = playing.state().live_release or ""
    uid = os.stat(playing.act().data).st_uid

    def kill(*_args: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patch(patched, kill)
        with pytest.raises(Killed):
            run(playing, **WAS)
    outcome = run(playing, **WAS)
    assert outcome.errors == []
    if ("act", "cats", "rename") in steps(outcome):
        is_cats(playing, uid, release)


def test_a_rename_that_is_killed_between_two_users(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or between the group and the user."""
    release = playing.state().live_release or ""
    uid = os.stat(playing.act().data).st_uid
    ran = process.run

    def run_once(argv: list[str], *args: Any, **more: Any) -> process.Result:
        done = ran(argv, *args, **more)
        if argv[0].endswith(("groupmod", "usermod")):
            raise Killed
        return done

    with monkeypatch.context() as patched:
        patched.setattr(process, "run", run_once)
        for _attempt in range(4):
            with pytest.raises(Killed):
                run(playing, **WAS)
    assert run(playing, **WAS).errors == []
    is_cats(playing, uid, release)


def refusal(house: House, **more: Any) -> str:
    (error,) = run(house, **more).errors
    return error.message


def test_both_are_on_the_host(playing: House) -> None:
    """Nothing of either is touched."""
    acts.prepare(playing.act("cats"))
    live = playing.state().live
    said = "it is on this host, and so is 'kittens', whose name it should take over: remove 'was' from it"
    assert refusal(playing, **WAS) == said
    assert playing.state().live == live


@pytest.mark.parametrize("through", ["build", "migrate"])
def test_a_run_that_switches_nothing(playing: House, through: str) -> None:
    """It would stop the Act."""
    live = playing.state().live
    assert refusal(playing, through=through, **WAS) == (
        "it is renamed from 'kittens', for which it stops: first run without 'through'"
    )
    assert playing.state().live == live


def test_a_user_that_has_the_name(playing: House) -> None:
    """It is told before the Act stops."""
    live = playing.state().live
    users.ensure(names.player(playing.production, "cats"), "/nonexistent", "other")
    assert "both exist; remove one of them" in refusal(playing, **WAS)
    assert playing.state().live == live


def test_its_database_goes_along(cluster: Postgres, moving: House) -> None:
    """With what is in it, whoever is connected."""
    moving.host = replace(moving.host, has_database=True)
    acts.prepare(moving.act())
    known = Databases(moving.production, moving.host)
    for change in known.plan("kittens"):
        assert change.make
        change.make()
    old, new = (names.player(moving.production, name) for name in ("kittens", "cats"))
    uid = pwd.getpwnam(old).pw_uid
    cluster.ask("CREATE TABLE songs AS SELECT 'yesterday' AS title", old, uid)
    known = Databases(moving.production, moving.host)
    known.need_free("kittens", "cats")
    known.rename("kittens", "cats")
    users.rename(old, new, "/nonexistent", "test")
    assert cluster.ask("SELECT title FROM songs", new, uid) == "yesterday"
    fresh = Databases(moving.production, moving.host)
    assert (fresh.has("kittens"), fresh.has("cats"), fresh.plan("cats")) == (False, True, [])
    known.rename("kittens", "cats")
    assert cluster.ask("SELECT title FROM songs", new, uid) == "yesterday", "a second time does nothing"


def test_a_database_that_has_the_name(cluster: Postgres, moving: House) -> None:
    moving.host = replace(moving.host, has_database=True)
    acts.prepare(moving.act())
    for name in ("kittens", "cats"):
        for change in Databases(moving.production, moving.host).plan(name):
            assert change.make
            change.make()
    name = names.player(moving.production, "cats")
    with pytest.raises(Exception, match=f"the database or the PostgreSQL role '{name}' exists already"):
        Databases(moving.production, moving.host).need_free("kittens", "cats")

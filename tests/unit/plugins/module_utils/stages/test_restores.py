# SPDX-License-Identifier: GPL-3.0-or-later
"""An Act whose databases are restored: whole runs with a real Django, in SQLite and PostgreSQL, and small emperor."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import dumps
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options, reports
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Outcome
from ansible_collections.backstage.django.plugins.module_utils.stages import rollbacks

from ...emperors import Emperor
from ...house import A, B, C, House
from ...manifests import act, booked, git
from ...servers import Variables
from ...told import told
from ...troupe import NEWER, Troupe

HALF = """
from django.db import migrations
class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cats", "0001_initial")]
    operations = [
        migrations.RemoveField("cat", "name"),
        migrations.RunSQL("CREATE TABLE half (x int)"),
        migrations.RunSQL("SELECT 1 FROM nonesuch"),
    ]
"""
BACK = f"backstage.django.restore -e act=kittens -e release={A}"


@pytest.fixture(params=["sqlite", "postgresql"])
def troupe(request: pytest.FixtureRequest, crewed: House, django: Path) -> Iterator[Troupe]:
    """B, which has migrated, plays; both engines."""
    cluster = None
    if request.param == "postgresql":
        request.getfixturevalue("peers")
        cluster = request.getfixturevalue("cluster")
        Path(crewed.root, "etc", "database.json").write_text(json.dumps({"database_port": 5432}))
        crewed.host = crewed.host.read()
    yield from troupe_with(Troupe(crewed, django, cluster))


@pytest.fixture
def light(crewed: House, django: Path) -> Iterator[Troupe]:
    """The same in SQLite, where the engine does not matter."""
    yield from troupe_with(Troupe(crewed, django))


def troupe_with(found: Troupe) -> Iterator[Troupe]:
    house = found.house
    found.run(B)
    house.record(found.want(B))
    state = house.state()
    files.remove(house.act().live)
    for name in files.names_in(house.host.vassals):
        files.remove(os.path.join(house.host.vassals, name))
    for sess in state.sesses:
        files.remove_tree(house.act().sess(sess).root)
    with Emperor(Path(house.host.vassals), Path(house.host.stats), log=Path(house.act().log)) as emperor:
        found.emperor = emperor
        assert run(found, start="kittens").errors == []
        assert found.house.state().live_release == B
        yield found
    os.unlink(house.paths.environment("e" * 16))


def given(troupe: Troupe, **verb: Any) -> Any:
    engine = {"engine": troupe.act.database}
    kittens = act(source=git(), health={"timeout": 5}, timeout=5, database=engine, dump=True)
    alone = {"production": troupe.house.production, "acts": [kittens], "sesses": [{"act": "kittens"}]}
    return options.for_production(booked(**alone, **verb, venues=[], gigs=[]))


def run(troupe: Troupe, **verb: Any) -> Outcome:
    """Carry an order out, on a host without nginx."""
    return production.reconcile(given(troupe, **verb))


def checked(troupe: Troupe, **verb: Any) -> Outcome:
    return production.check(given(troupe, **verb))


def restored(troupe: Troupe, release: str = A) -> Outcome:
    return run(troupe, restore="kittens", release=release)


def events(troupe: Troupe) -> list[str]:
    known = ("dumped", "migrated", "stopped", "played", "restore started", "restored", "restore failed", "held")
    return [event["event"] for event in troupe.house.state().history.events if event["event"] in known]


def test_fault_18_data_that_a_migration_deleted_is_back(troupe: Troupe) -> None:
    """With the release that it belongs to; what was there instead is kept, too, and the second run does nothing."""
    troupe.write("INSERT INTO cats_cat (id) VALUES (77)")
    planned = checked(troupe, restore="kittens", release=A)
    assert [(step.noun, step.verb) for step in planned.steps] == [("act", "restore"), ("sess", "roll back")]
    assert planned.steps[0].before == {"release": B}
    assert planned.steps[0].after["release"] == A
    assert troupe.house.state().live_release == B, "checked is not done"
    before = len(events(troupe))
    outcome = restored(troupe)
    assert outcome.errors == []
    assert (troupe.cats(), troupe.migrations()) == ("tom", "0001_initial")
    state = troupe.house.state()
    assert (state.live_release, state.hold["release"]) == (A, B)
    assert events(troupe)[before:] == ["stopped", "dumped", "restore started", "restored", "played", "held"]
    assert troupe.dumps() == [f"{A}.1", f"{B}.2"]
    troupe.write("INSERT INTO cats_cat (name) VALUES ('tim')")
    assert restored(troupe).steps == []
    assert troupe.cats() == "tim\ntom"
    assert troupe.house.state().history.migrated(B, troupe.act.database) is False, "it would be migrated again"


def test_a_restore_is_taken_back_by_another_one(troupe: Troupe) -> None:
    troupe.write("INSERT INTO cats_cat (id) VALUES (77)")
    assert restored(troupe).errors == []
    assert restored(troupe, B).errors == []
    assert troupe.ask("SELECT max(id) FROM cats_cat") == "77"
    assert troupe.house.state().live_release == B
    assert troupe.house.state().history.migrated(B, troupe.act.database)


def test_fault_15_a_migration_that_stands_half_done(light: Troupe) -> None:
    """Its release never played: the one that plays is stopped and played again, and nothing is held."""
    assert restored(light).errors == []
    light.build(C, NEWER, cats___migrations___0002_nameless__py=HALF)
    with pytest.raises(BackstageError, match="0002_nameless is not atomic") as failure:
        light.run(C)
    assert failure.value.message.endswith(BACK)
    assert "no such column" in light.cats()
    before = light.house.state().live
    assert restored(light).errors == []
    state = light.house.state()
    assert (light.cats(), "half" in light.ask("SELECT name FROM sqlite_master")) == ("tom", False)
    assert (state.live_release, state.live != before, state.hold["release"]) == (A, True, B)
    assert restored(light).steps == []


def oops(_asked: Variables) -> str:
    return "HTTP/1.1 500 Oops\r\n\r\n"


def test_what_fails_leaves_the_databases_and_plays_again(troupe: Troupe) -> None:
    """Here the restore itself: somebody has spoiled the dump after it was checked."""
    (wrong,) = Path(troupe.house.act().dumps, f"{A}.1").glob("1.*")
    wrong.write_bytes(b"no dump at all" * 100)
    seen = troupe.cats()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dumps, "check", lambda _dump: None)
        (error,) = restored(troupe).errors
    assert error.step == "restore"
    state = troupe.house.state()
    assert (state.live_release, state.hold, troupe.cats()) == (B, {}, seen)
    assert events(troupe)[-3:] == ["restore started", "restore failed", "played"]
    assert run(troupe).errors == [], "and deploys go on"


def test_a_dump_that_was_changed_is_refused_before_anything_stops(light: Troupe) -> None:
    live = light.house.state().live
    Path(light.house.act().dumps, f"{A}.1", "1.sqlite3").write_text("other")
    assert "is damaged" in told(restored, light)
    assert light.house.state().live == live


def test_the_gate_refuses_the_old_release(light: Troupe) -> None:
    """The databases are restored; nothing plays, and the same command tries again, without another restore."""
    light.emperor.answer = oops
    (error,) = restored(light).errors
    assert error.step == "gate"
    state = light.house.state()
    assert (state.live, state.hold["release"], light.cats()) == (None, B, "tom")
    light.emperor.answer = lambda _asked: "HTTP/1.1 200 OK\r\n\r\npurr"
    outcome = restored(light)
    assert ([step.verb for step in outcome.steps], outcome.errors) == (["roll back"], [])
    assert light.house.state().live_release == A


def test_an_interrupted_restore_is_finished_by_the_same_command(light: Troupe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else plays or migrates meanwhile, because nobody knows what the databases have."""

    class Killed(BaseException):
        pass

    def killed(*_args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(dumps, "restore", killed)
        with pytest.raises(Killed):
            restored(light)
    again = f"a restore of its databases was interrupted; finish it: {BACK}"
    (error,) = run(light).errors
    assert (error.message, error.step) == (again, "restore")
    for verb in ("start", "restart", "rollback"):
        assert told(run, light, **{verb: "kittens"}) == again
    assert light.house.state().live is None
    assert restored(light).errors == []
    assert (light.house.state().live_release, light.cats()) == (A, "tom")
    assert run(light).errors == []


def test_what_else_runs_of_the_act_is_ended(light: Troupe) -> None:
    """A command that was begun before would write into the restored database."""
    uid = light.file.stat().st_uid
    with subprocess.Popen(["/bin/sleep", "600"], user=uid, group=uid, extra_groups=[uid], cwd="/") as command:
        assert restored(light).errors == []
        assert command.wait(100) == -9


def test_fault_18_a_refused_rollback_names_the_dump(light: Troupe) -> None:
    (dump,) = dumps.known(light.house.act())
    back = replace(light.want(A), play=A)
    said = told(rollbacks.need_known_migrations, back, light.house.state(), light.house.host)
    assert f"; or restore the dump of {dump.at}: {BACK}; or, if the older code" in said


def test_another_engine_since(light: Troupe) -> None:
    path = Path(light.house.act().dumps, f"{A}.1", dumps.SEAL)
    path.write_text(path.read_text().replace('"engine": "sqlite"', '"engine": ""'))
    said = "the dump is of the project's own database, and its database is now sqlite; restore it by hand"
    assert told(restored, light) == f"act kittens: {said}"


def test_refused(light: Troupe) -> None:
    (dump,) = dumps.known(light.house.act())
    known = f"known: {A} ({dump.at})"
    assert told(restored, light, C) == f"act kittens: there is no dump of release {C}; {known}"
    assert told(restored, light, "") == f"act kittens: say which release: -e release=; {known}"
    dumps.remove_of(light.house.act(), A)
    assert told(restored, light) == (
        "act kittens: it has no dump on this host; Backstage makes one before migrations if the Act has 'dump: true'"
    )


def test_dumps_are_shown(light: Troupe) -> None:
    (dump,) = dumps.known(light.house.act())
    assert reports.report(light.house.production)["acts"]["kittens"]["dumps"] == [
        {"release": A, "at": dump.at, "size": dump.size, "path": dump.path}
    ]
    assert dump.size > 0

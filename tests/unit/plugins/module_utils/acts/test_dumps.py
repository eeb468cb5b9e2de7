# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps before migrations, with a real Django in SQLite and PostgreSQL: made, sealed, kept and removed."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import dumps, final_dumps, removal
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.acts.databases import Databases
from ansible_collections.backstage.django.plugins.module_utils.host import files, users
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Hooks, Seed
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Phase

from ...house import A, B, C, House
from ...told import told
from ...troupe import FAILS, GRAPH, NEWER, Troupe


@pytest.fixture(params=["sqlite", "postgresql"])
def troupe(request: pytest.FixtureRequest, crewed: House, django: Path) -> Iterator[Troupe]:
    """Both engines."""
    cluster = None
    if request.param == "postgresql":
        request.getfixturevalue("peers")
        cluster = request.getfixturevalue("cluster")
        crewed.host = replace(crewed.host, has_database=True)
    found = Troupe(crewed, django, cluster)
    yield found
    os.unlink(crewed.paths.environment("e" * 16))


@pytest.fixture
def light(crewed: House, django: Path) -> Iterator[Troupe]:
    """SQLite, where the engine does not matter."""
    yield Troupe(crewed, django)
    os.unlink(crewed.paths.environment("e" * 16))


def test_fault_15_a_dump_is_complete_before_the_first_statement(
    troupe: Troupe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it has what the migration deletes. Nobody but root can read it."""
    assert troupe.verbs(B) == ["dump", "migrate"]
    before: list[list[str]] = []
    run = acts._Manager._run

    def watched(manager: Any, mode: str, *more: Any, **others: Any) -> dict[str, Any]:
        if mode == "migrate":
            before.append([dump.name for dump in dumps.known(troupe.house.act())])
        return run(manager, mode, *more, **others)

    monkeypatch.setattr(acts._Manager, "_run", watched)
    troupe.run(B)
    assert before == [[f"{A}.1"]]
    assert "name" in troupe.cats(), "the column is gone"
    (dump,) = dumps.known(troupe.house.act())
    assert (dump.release, dump.engine, dump.applied) == (A, troupe.act.database, ["cats.0001_initial"])
    dumps.check(dump)
    for path in [dump.path, os.path.dirname(dump.path), *map(str, Path(dump.path).iterdir())]:
        about = os.lstat(path)
        assert (about.st_uid, stat.S_IMODE(about.st_mode) & 0o077) == (0, 0), path
    (event,) = [event for event in troupe.house.state().history.events if event["event"] == "dumped"]
    assert (event["dump"], event["release"]) == (f"{A}.1", A)
    assert troupe.verbs(B) == []
    assert os.listdir(troupe.house.act().data) == ([] if troupe.cluster else ["db.sqlite3"])


def test_there_and_back(troupe: Troupe) -> None:
    """Whatever was made since is gone, too."""
    troupe.run(B)
    troupe.write("CREATE TABLE later (x int)")
    (dump,) = dumps.known(troupe.house.act())
    dumps.restore(
        dump, lambda *args, **more: acts.ask(troupe.want(A), troupe.house.state(), troupe.house.host, *args, **more)
    )
    assert troupe.cats() == "tom"
    assert troupe.migrations() == "0001_initial"
    assert "later" in troupe.ask("SELECT * FROM later"), "there is no such table"
    troupe.write("INSERT INTO cats_cat (name) VALUES ('tim')")
    assert troupe.cats() == "tim\ntom", "its sequence goes on"


NONE: list[tuple[str, dict[str, Any]]] = [
    ("the manifest asks for none", {"dump": False}),
    ("it runs no migrations", {"migrate": False}),
]


@pytest.mark.parametrize("changes", [row[1] for row in NONE], ids=[row[0] for row in NONE])
def test_no_dump(light: Troupe, changes: dict[str, Any]) -> None:
    light.act = replace(light.act, **changes)
    light.run(B)
    assert light.dumps() == []


def test_nothing_is_pending(light: Troupe) -> None:
    """The record of the build says so before; or else the database does."""
    light.build(C, GRAPH)
    assert light.verbs(C) == ["migrate"]
    light.house.log({"event": "migrated by hand", "run": "migrate cats zero"})
    assert light.verbs(C) == ["dump", "migrate"]
    light.run(C)
    assert light.dumps() == []


def test_the_first_deploy_has_nothing_to_dump(crewed: House, django: Path) -> None:
    first = Troupe(crewed, django)
    events = [event["event"] for event in crewed.state().history.events]
    assert (first.dumps(), events.count("dumped")) == ([], 0)
    os.unlink(crewed.paths.environment("e" * 16))


def test_a_dump_comes_before_all_that_may_change_data(light: Troupe) -> None:
    light.act = replace(
        light.act, hooks=Hooks(before_migrate=["check"]), seed=[Seed("s", "check", before_migrate=True)]
    )
    known: Any = None
    planned = acts.plan(light.want(B), light.house.state(), light.house.host, known, "migrate", {})
    assert [change.step.verb for change in planned if change.phase == Phase.MIGRATE] == [
        "dump",
        "seed",
        "hook",
        "migrate",
    ]


def test_fault_15_a_migration_that_fails_says_how_to_go_back(light: Troupe) -> None:
    light.build(C, NEWER, cats___migrations___0002_nameless__py=FAILS)
    with pytest.raises(BackstageError) as failure:
        light.run(C)
    assert failure.value.message.endswith(
        f"; to restore the databases as they were before: backstage.django.restore -e act=kittens -e release={A}"
    )
    assert light.dumps() == [f"{A}.1"]
    assert light.verbs(C) == ["dump", "migrate"]


def test_of_several_attempts_the_first_and_the_last_stay(light: Troupe) -> None:
    """The first one is before anything that a failed migration may have left."""
    light.build(C, NEWER, cats___migrations___0002_nameless__py=FAILS)
    for _attempt in range(4):
        told(light.run, C)
    assert light.dumps() == [f"{A}.1", f"{A}.4"]
    light.run(B)
    assert light.dumps() == [f"{A}.1", f"{A}.5"]


def test_dumps_go_with_their_release(light: Troupe) -> None:
    light.run(B)
    light.house.play(light.want(B))
    light.act = replace(light.act, keep_releases=1)
    known: Any = None
    planned = acts.plan(light.want(B), light.house.state(), light.house.host, known, "play", {}, switches=True)
    (discard,) = [change for change in planned if change.step.verb == "discard"]
    assert discard.make
    discard.make()
    assert light.dumps() == []


def test_fault_04_no_room_for_a_dump(light: Troupe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then there is no migration either."""
    monkeypatch.setattr(files, "SPARE", 2**60)
    said = told(light.run, B)
    assert said.startswith("the disk is full: a dump of its databases needs ")
    assert (light.dumps(), light.migrations()) == ([], "0001_initial")


def test_fault_04_the_disk_fills_up_meanwhile(light: Troupe, monkeypatch: pytest.MonkeyPatch) -> None:
    """/dev/full is a file that no byte has room in."""
    opened = os.open

    def full(path: str, flags: int, *mode: int, **more: Any) -> int:
        is_dump = str(path).endswith(f"{A}.1/1.sqlite3")
        return opened("/dev/full", os.O_WRONLY) if is_dump else opened(path, flags, *mode, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", full)
        with pytest.raises(OSError, match="No space left"):
            light.run(B)
    assert (light.dumps(), light.migrations()) == ([], "0001_initial")
    assert os.listdir(light.house.act().data) == ["db.sqlite3"]


def test_a_dump_that_is_not_sealed_is_swept(light: Troupe) -> None:
    """A killed run left it; nothing restores it."""
    left = Path(light.house.act().dumps, f"{A}.7")
    left.mkdir(parents=True)
    (left / "1.sqlite3").write_text("half of it")
    copy = Path(light.house.act().data, ".backstage-dump-wal")
    copy.write_text("half of it")
    assert light.verbs(A) == ["sweep"]
    assert dumps.known(light.house.act()) == []
    light.run(A)
    assert (light.dumps(), copy.exists()) == ([], False)


def test_a_dump_that_somebody_changed(light: Troupe) -> None:
    light.run(B)
    (dump,) = dumps.known(light.house.act())
    with Path(dump.path, "1.sqlite3").open("ab") as file:
        file.write(b"x")
    assert told(dumps.check, dump) == f"the dump {A}.1 is damaged: {dump.path}/1.sqlite3 was changed"
    Path(dump.path, "1.sqlite3").unlink()
    assert told(dumps.check, dump) == f"the dump {A}.1 is not complete: {dump.path}/1.sqlite3 is missing"


def test_a_database_that_backstage_cannot_dump(light: Troupe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is migrated: the manifest wants no migration without a dump."""
    found = {
        "databases": [{"alias": "default", "vendor": "mysql", "size": 1, "tables": 1, "pending": 1, "owned": True}]
    }
    assert told(dumps.make, light.house.state(), "", A, None, found) == (
        "Backstage can't dump the database 'default' (mysql): remove 'dump' from the Act, and dump it yourself before"
        " you deploy"
    )


def test_a_record_of_a_dump(light: Troupe) -> None:
    light.run(B)
    record = json.loads(Path(light.house.act().dumps, f"{A}.1", dumps.SEAL).read_text())
    (one,) = record["databases"]
    assert (one["alias"], one["vendor"], one["file"]) == ("default", "sqlite", "1.sqlite3")
    assert set(record) == {"at", "engine", "applied", "databases", "replaced"}


@pytest.fixture
def backups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(final_dumps, "ROOT", str(tmp_path / "backups"))
    return tmp_path / "backups"


def delete(troupe: Troupe, at_once: bool = True) -> list[Any]:
    """Remove the Act with its data, in one run or in two; return what the plan says of the data."""
    house, said = troupe.house, []
    for name in files.names_in(house.host.vassals):  # it was stopped before
        files.remove(os.path.join(house.host.vassals, name))
    for with_data in [True] if at_once else [False, True]:
        known = Databases(house.production, house.host)
        for change in removal.plan("kittens", house.state(), known, with_data):
            said += [change.step.after] if change.step.verb == "delete data" else []
            assert change.make
            change.make()
    return said


@pytest.mark.parametrize("at_once", [True, False])
def test_fault_34_a_last_dump_before_data_goes(troupe: Troupe, backups: Path, at_once: bool) -> None:
    """Also of an Act whose code went earlier. The second run has nothing to do."""
    house, engine = troupe.house, troupe.act.database
    house.record(troupe.want(A))
    file = {"sqlite": "1.sqlite3", "postgresql": "postgresql.dump"}[engine]
    assert delete(troupe, at_once) == [{"last dump": f"{backups}/{house.production}.kittens.*"}]
    (dump,) = backups.iterdir()
    assert sorted(path.name for path in dump.iterdir()) == sorted([file, dumps.SEAL])
    assert {stat.S_IMODE(path.stat().st_mode) for path in [backups, dump]} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in dump.iterdir()} == {0o600}
    content = (dump / file).read_bytes()
    assert (b"tom" in content) if engine == "sqlite" else content.startswith(b"PGDMP")
    assert not os.path.exists(house.act().root)
    assert delete(troupe) == []
    users.ensure_act(house.production, "kittens", "/nonexistent")  # those of the session


def test_no_last_dump_of_an_act_without_dumps(light: Troupe, backups: Path) -> None:
    light.act = replace(light.act, dump=False)
    light.house.record(light.want(A))
    assert delete(light) == [None]
    assert not backups.exists()
    users.ensure_act(light.house.production, "kittens", "/nonexistent")


def test_a_last_dump_that_fails_keeps_all(light: Troupe, backups: Path) -> None:
    light.house.record(light.want(A))
    light.file.write_bytes(light.file.read_bytes()[:16] + b"x" * 4096)
    with pytest.raises(BackstageError, match="so nothing was deleted: ") as failure:
        delete(light)
    assert str(light.file) in failure.value.message
    assert light.file.exists()
    assert list(backups.iterdir()) == []

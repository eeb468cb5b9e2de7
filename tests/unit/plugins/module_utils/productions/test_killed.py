# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps, restores and renames that are killed at every write: the next run ends like one that nobody killed."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import dumps
from ansible_collections.backstage.django.plugins.module_utils.state.read import read

from ...house import A, B, House
from ...killing import play, points
from ...troupe import Troupe
from ..stages.test_restores import restored, troupe_with
from .test_renames import WAS, is_cats, left, moving, playing, run

__all__ = ["moving", "playing"]


def test_fault_02_a_rename_killed_at_every_write(playing: House) -> None:
    """There and back again for each of them."""
    back = {"name": "kittens", "was": "cats"}
    release = playing.state().live_release or ""
    uid = os.stat(playing.act().data).st_uid
    writes = play(lambda: run(playing, **WAS), playing.root)
    is_cats(playing, uid, release)
    assert run(playing, **back).errors == []
    for at in points(writes, 3):
        play(lambda: run(playing, **WAS), playing.root, at)
        said = writes[at - 1]
        assert run(playing, **WAS).errors == [], said
        assert left(playing) == [], said
        state = playing.state("cats")
        assert state.live_release == release, said
        assert Path(state.paths.data, "db").read_text() == "visitors", said
        assert pwd.getpwuid(uid).pw_name == f"{playing.production}-cats", said
        assert run(playing, **WAS).steps == [], said
        assert run(playing, **back).errors == [], said


@pytest.fixture
def light(crewed: House, django: Path) -> Iterator[Troupe]:
    yield Troupe(crewed, django)
    os.unlink(crewed.paths.environment("e" * 16))


def test_fault_15_a_dump_killed_at_every_write(light: Troupe) -> None:
    """There is no migration without a complete dump, and no incomplete one is left by the next run."""
    history, file = Path(light.house.act().history), light.file
    before = history.read_text(), file.read_bytes()

    def again() -> None:
        history.write_text(before[0])
        file.write_bytes(before[1])
        shutil.rmtree(light.house.act().dumps)

    writes = play(lambda: light.run(B), light.house.root)
    again()
    for at in points(writes, 2):
        play(lambda: light.run(B), light.house.root, at)
        said = writes[at - 1]
        there = [dump.name for dump in dumps.known(light.house.act())]
        assert there or light.migrations() == "0001_initial", said
        light.run(B)
        assert dumps.unsealed(light.house.act()) == [], said
        for dump in dumps.known(light.house.act()):
            dumps.check(dump)
        assert b"tom" in (Path(light.house.act().dumps, light.dumps()[0]) / "1.sqlite3").read_bytes(), said
        assert light.migrations() == "0001_initial 0002_nameless", said
        assert os.listdir(light.house.act().data) == ["db.sqlite3"], said
        again()


@pytest.fixture
def restoring(crewed: House, django: Path) -> Iterator[Troupe]:
    yield from troupe_with(Troupe(crewed, django))


def test_fault_18_a_restore_killed_at_every_write(restoring: Troupe) -> None:
    """There and back again for each of them."""
    house = restoring.house
    writes = play(lambda: restored(restoring), house.root)
    assert (restoring.cats(), house.state().live_release) == ("tom", A)
    assert restored(restoring, B).errors == []
    for at in points(writes, 1):
        play(lambda: restored(restoring), house.root, at)
        said = writes[at - 1]
        assert restored(restoring).errors == [], said
        assert (restoring.cats(), house.state().live_release) == ("tom", A), said
        state = read(house.production, house.host).act("kittens")
        assert (state.started, state.sesses) == ([state.live], [state.live]), said
        assert restored(restoring).steps == [], said
        assert restored(restoring, B).errors == [], said
        assert house.state().live_release == B, said

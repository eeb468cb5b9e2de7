# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of an Act: each fact from its own place on the host, and the same facts as a table."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import names
from ansible_collections.backstage.django.plugins.module_utils.productions import status
from ansible_collections.backstage.django.plugins.module_utils.productions.traffic import Traffic
from ansible_collections.backstage.django.plugins.module_utils.stages.emperor import Stats, Vassal
from ansible_collections.backstage.django.plugins.module_utils.stages.interface import Look
from ansible_collections.backstage.django.plugins.module_utils.stages.systemd import Unit

from ...house import A, House, wanted

WANT = wanted()
SINCE = "2026-01-01T00:00:01Z"
TRAFFIC = Traffic(120, 2, datetime(2026, 11, 30, 9, 0, tzinfo=timezone.utc))


@pytest.fixture
def playing(house: House) -> House:
    """Kittens plays a release with two migrations, one of which was applied."""
    house.build(WANT.release, graph={"cats.0001_initial": [], "cats.0002_tail": []}, apps=["kittens"])
    house.record(WANT)
    house.log({"event": "migrated", "release": A, "database": "", "applied": ["cats.0001_initial"]})
    house.play(WANT)
    return house


def of(house: House, state: str = "playing", pid: int = 0) -> status.Status:
    act = house.state()
    look = Look(house.host)
    look.emperor = Stats({names.vassal(house.production, "kittens", act.live or ""): Vassal(pid, True, False, 0)}, {})
    return status.of(act, house.host, look, state, TRAFFIC)


def test_all_of_an_act(playing: House) -> None:
    found = of(playing)
    assert found.pop("set")["apps"] == ["kittens"]
    assert found == {
        "state": "playing",
        "release": WANT.release,
        "source": "v1",
        "sess": f"{WANT.release}.1",
        "since": SINCE,
        "by": "ada",
        "processes": 0,
        "memory": 0,
        "requests": 120,
        "errors": 2,
        "counted_since": "2026-11-30T09:00:00Z",
        "last_error": None,
        "pending": ["cats.0002_tail"],
        "held": None,
        "stopped": None,
    }


def test_processes_and_memory_are_those_of_its_vassal(playing: House) -> None:
    argv = [sys.executable, "-c", "print('ready', flush=True); input()"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as vassal:
        assert vassal.stdout
        assert vassal.stdout.readline() == b"ready\n"
        found = of(playing, pid=vassal.pid)
        vassal.kill()
    assert found["processes"] == 1
    assert 1_000_000 < found["memory"] < 100_000_000


def test_those_of_a_sess_that_systemd_runs(playing: House) -> None:
    act = playing.state()
    act.live_record["stage"] = "gunicorn"
    look, unit = Look(playing.host), names.unit(playing.production, "kittens", act.live or "")
    look.units = {unit: Unit("active", os.getpid())}
    found = status.of(act, playing.host, look, "playing", TRAFFIC)
    assert found["processes"] >= 1
    assert found["memory"] > 1_000_000


def test_an_act_that_does_not_play(house: House) -> None:
    house.build(A)
    house.record(wanted(release=A))
    found = of(house, state="")
    keys = ("state", "release", "sess", "since", "by", "processes", "pending", "set")
    assert [found[key] for key in keys] == ["not playing", None, None, None, None, 0, None, None]
    Path(house.act().stopped).write_text('{"at": "2026-01-01T00:00:00Z", "by": "ada"}')
    assert of(house, state="")["state"] == "stopped"


def test_what_somebody_chose_to_migrate_nobody_knows(playing: House) -> None:
    playing.log({"event": "migrated by hand"})
    assert of(playing)["pending"] is None


def test_the_table() -> None:
    one = {"state": "playing", "release": A, "source": "v1", "since": SINCE, "by": "ada", "sess": f"{A}.1"}
    one |= {"processes": 3, "memory": 61 * 2**20, "requests": 120, "errors": 0, "pending": ["a.1", "a.2"]}
    other: dict[str, Any] = dict.fromkeys(one) | {"state": "not playing", "requests": 0, "errors": 0}
    unknown = {**one, "pending": None}
    lines = status.table({"kittens": one, "dogs": other, "birds": unknown})
    assert lines[0].split() == [title for _key, title in status.COLUMNS]
    assert lines[1].split() == ["kittens", "playing", A, "v1", SINCE, "ada", "3", "61", "MiB", "120", "0", "2"]
    assert lines[2].split() == ["dogs", "not", "playing", *["-"] * 6, "0", "0", "-"]
    assert lines[3].split()[-1] == "?"
    assert status.table({}) == []


REMARKS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"pending": ["cats.0002_tail"]}, ["pending migrations: cats.0002_tail"]),
    (
        {"set": {"unpinned_since": "2026-01-02T00:00:00Z"}},
        ["its requirements are not pinned; its packages are of 2026-01-02T00:00:00Z"],
    ),
    ({"last_error": {"at": None, "text": "KeyError"}}, ["last error: KeyError"]),
    ({"last_error": {"at": "2026-02-01T00:00:00Z", "text": "E"}}, ["last error: E (2026-02-01T00:00:00Z)"]),
    ({"last_error": {"at": "2025-02-01T00:00:00Z", "text": "of an earlier Sess"}}, []),
]


@pytest.mark.parametrize(("change", "lines"), REMARKS)
def test_what_somebody_should_look_at(change: dict[str, Any], lines: list[str]) -> None:
    known = {"pending": [], "set": None, "last_error": None, "since": SINCE, **change}
    assert status.remarks({"kittens": known}) == [f"act kittens: {line}" for line in lines]


def test_it_changes_nothing(playing: House) -> None:
    before = playing.seen()
    of(playing)
    assert playing.seen() == before
    assert os.listdir(playing.host.vassals)

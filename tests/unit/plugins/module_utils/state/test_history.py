# SPDX-License-Identifier: GPL-3.0-or-later
"""History: what it answers after runs that ended well, were killed, or died after the switch."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.state.history import History, who

A, B, C = "a" * 12, "b" * 12, "c" * 12
Event = dict[str, Any]


def played(release: str, number: int, at: str = "2026-01-01T00:00:00Z") -> Event:
    return {"event": "played", "release": release, "sess": f"{release}.{number}", "at": at}


def stopped(release: str, number: int) -> Event:
    return {"event": "stopped", "sess": f"{release}.{number}"}


def seed(event: str, name: str = "superuser") -> Event:
    return {"event": f"seed {event}", "seed": name}


def history(tmp_path: Path, *events: Event, live: Optional[str] = None, since: float = 0) -> History:
    path = tmp_path / "history.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return History.read(str(path), live, since)


PLAYED: list[tuple[list[Event], Optional[str], list[str]]] = [
    ([], None, []),
    ([played(A, 1)], f"{A}.1", [A]),
    ([played(A, 1), played(B, 1)], f"{B}.1", [B, A]),
    # rolled back: the order is that of last playing, each once
    ([played(A, 1), played(B, 1), played(A, 2)], f"{A}.2", [A, B]),
    ([played(A, 1), played(B, 1), played(C, 1), played(B, 2)], f"{B}.2", [B, C, A]),
    # a new secret: another Sess of the same release
    ([played(A, 1), played(A, 2)], f"{A}.2", [A]),
    # killed after the switch and before it was written down: the link is the truth
    ([played(A, 1)], f"{B}.1", [B, A]),
    ([], f"{A}.1", [A]),
    ([played(A, 1), stopped(A, 1)], f"{A}.2", [A]),
    ([played(A, 1), stopped(A, 1)], None, [A]),
    # a Sess that started and never played
    ([played(A, 1), {"event": "started", "release": B, "sess": f"{B}.1"}], f"{A}.1", [A]),
]


@pytest.mark.parametrize(("events", "live", "releases"), PLAYED)
def test_played(tmp_path: Path, events: list[Event], live: Optional[str], releases: list[str]) -> None:
    assert history(tmp_path, *events, live=live).played() == releases


def test_a_switch_that_was_not_written_down_is_with_the_next_event(tmp_path: Path) -> None:
    found = history(tmp_path, played(A, 1), live=f"{B}.1", since=1_800_000_000.7)
    assert found.since(f"{B}.1") == "2027-01-15T08:00:00Z"
    assert len(Path(found.path).read_text().splitlines()) == 1, "reading writes nothing"
    found.add("built", release=C)
    found.add("built", release=C)
    written = [json.loads(line) for line in Path(found.path).read_text().splitlines()]
    assert [line["event"] for line in written] == ["played", "played", "built", "built"]
    assert (written[1]["sess"], written[1]["at"]) == (f"{B}.1", "2027-01-15T08:00:00Z")
    assert History.read(found.path, f"{B}.1", 0).unwritten is None


SINCE = [
    ([played(A, 1, "t1")], f"{A}.1", "t1"),
    ([played(A, 1, "t1"), played(B, 1, "t2"), played(A, 2, "t3")], f"{A}.2", "t3"),
    ([played(A, 1, "t1"), played(A, 1, "t2")], f"{A}.1", "t2"),
    ([], f"{A}.1", None),
]


@pytest.mark.parametrize(("events", "sess", "since"), SINCE)
def test_since(tmp_path: Path, events: list[Event], sess: str, since: Optional[str]) -> None:
    assert history(tmp_path, *events).since(sess) == since


NUMBERS: list[tuple[list[Event], int]] = [
    ([], 0),
    ([played(A, 1), played(A, 2)], 2),
    ([played(A, 10), played(A, 9)], 10),
    ([played(B, 7)], 0),
    ([stopped(A, 4)], 4),
    # never live: the emperor remembers the failure by this name
    ([played(A, 1), {"event": "started", "release": A, "sess": f"{A}.5"}], 5),
    ([{"event": "played", "sess": None}, {"event": "built", "release": A}], 0),
]


@pytest.mark.parametrize(("events", "number"), NUMBERS)
def test_last_number(tmp_path: Path, events: list[Event], number: int) -> None:
    assert history(tmp_path, *events).last_number(A) == number


MIGRATED: list[tuple[list[Event], bool]] = [
    ([], False),
    ([{"event": "migrated", "release": A}], True),
    ([{"event": "migrated", "release": B}], False),
    ([{"event": "built", "release": A}], False),
    ([{"event": "migrated", "release": A, "database": "postgresql"}], False),
    ([{"event": "migrated", "release": A}, {"event": "migrated by hand"}], False),
    ([{"event": "migrated by hand"}, {"event": "migrated", "release": A}], True),
]


@pytest.mark.parametrize(("events", "done"), MIGRATED)
def test_migrated(tmp_path: Path, events: list[Event], done: bool) -> None:
    assert history(tmp_path, *events).migrated(A, "") is done


def test_another_database_is_migrated_anew(tmp_path: Path) -> None:
    found = history(tmp_path, {"event": "migrated", "release": A}, {"event": "migrated", "release": A, "database": "x"})
    assert [found.migrated(A, database) for database in ("", "x", "y")] == [True, True, False]


SEEDED: list[tuple[list[Event], bool]] = [
    ([], False),
    ([seed("started", "other"), seed("done", "other")], False),
    ([seed("started"), seed("done")], True),
    ([seed("started"), seed("done"), played(A, 1)], True),
    ([seed("done")], True),
    ([seed("started"), seed("started"), seed("done")], True),
]


@pytest.mark.parametrize(("events", "done"), SEEDED)
def test_seeded(tmp_path: Path, events: list[Event], done: bool) -> None:
    assert history(tmp_path, *events).seeded("superuser") is done


INTERRUPTED = [[seed("started")], [seed("started"), seed("done"), seed("started")], [seed("started"), played(A, 1)]]


@pytest.mark.parametrize("events", INTERRUPTED)
def test_a_seed_that_was_interrupted_is_refused_with_both_answers(tmp_path: Path, events: list[Event]) -> None:
    with pytest.raises(BackstageError) as refusal:
        history(tmp_path, *events).seeded("superuser")
    said = str(refusal.value)
    assert "'superuser' was started and its end is not known" in said
    answer = """-e '{"backstage_seed": {"superuser": "done"}}'"""
    assert said.endswith(f"""look at the data, then answer with {answer}, or "again" instead of "done\"""")


def test_the_answer_can_be_typed_whatever_the_seed_is_called(tmp_path: Path) -> None:
    name = """Ada's "friends" älter"""
    with pytest.raises(BackstageError) as refusal:
        history(tmp_path, {"event": "seed started", "seed": name}).seeded(name)
    typed = shlex.split(str(refusal.value).partition("answer with ")[2].partition(", or ")[0])
    assert (typed[0], json.loads(typed[1])) == ("-e", {"backstage_seed": {name: "done"}})


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_the_last_line_of_a_killed_run(tmp_path: Path, cut: int) -> None:
    """It is not read, and it does not spoil the line that the next run appends."""
    path = tmp_path / "history.jsonl"
    path.write_text(json.dumps(played(A, 1)) + "\n" + json.dumps(played(B, 1))[:cut])
    found = History.read(str(path), f"{A}.1", 0)
    assert found.played() == [A]
    found.add("seed started", seed="superuser")
    again = History.read(str(path), f"{A}.1", 0)
    assert [event["event"] for event in again.events] == ["played", "seed started"]


def test_events_say_when_and_by_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ada")
    found = history(tmp_path)
    found.add("built", release=A, source="v1 ä\n")
    (line,) = Path(found.path).read_text().splitlines()
    event = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event.pop("at"))
    assert event == {"event": "built", "by": "ada", "release": A, "source": "v1 ä\n"}
    assert found.events == [json.loads(line)]
    monkeypatch.delenv("SUDO_USER")
    monkeypatch.setenv("LOGNAME", "root")
    assert who() == "root"

# SPDX-License-Identifier: GPL-3.0-or-later
"""Following a module: what it writes down is printed while it runs, by a real shell, and nothing depends on it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.backstage.django.plugins.module_utils.host import run_log
from ansible_collections.backstage.django.plugins.plugin_utils import following
from waiting import eventually


@dataclass
class Clock:
    """The clock by which phases are measured; it goes on only when a test says so."""

    now: float = 100.0

    def monotonic(self) -> float:
        return self.now


class Action:
    """As much of an action plugin as a follower uses: its connection is a shell of this machine."""

    def __init__(self, fails: bool = False, check_mode: bool = False, phase: Callable[[], None] = lambda: None) -> None:
        self.fails, self.phase = fails, phase
        self._task = SimpleNamespace(check_mode=check_mode)
        self.asked: list[dict[str, Any]] = []
        self._connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), become=None)

    def _execute_module(self, module_args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(dict(module_args))
        with run_log.written(module_args.get("run", "")):
            run_log.phase("kittens", "packages")
            self.phase()
        return {"changed": True}

    def _low_level_execute_command(self, command: str, sudoable: bool) -> dict[str, Any]:
        assert sudoable
        if self.fails:
            raise AnsibleConnectionFailure("no second channel")
        return {"stdout": subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    for module in (run_log, following):
        monkeypatch.setattr(module, "time", found)
    return found


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[str]:
    """What was printed. A module is followed from its beginning."""
    texts: list[str] = []
    monkeypatch.setattr(following, "Display", lambda: SimpleNamespace(display=texts.append, vv=texts.append))
    monkeypatch.setattr(run_log, "FOLDER", str(tmp_path))
    monkeypatch.setattr(following, "BEGIN_AFTER", 0)
    return texts


Work = Callable[[following.Follower], None]


def follow(action: Any, work: Work, heading: str = "") -> following.Follower:
    with following.Follower(action, "a1", heading) as follower, run_log.written("a1"):
        work(follower)
    follower._thread.join()
    return follower


def is_read(follower: following.Follower, questions: int) -> bool:
    """Whether a shell of this question holds the file open."""
    if follower.questions < questions:
        return False
    held = []
    for path in Path("/proc").glob("[0-9]*/fd/3"):
        with contextlib.suppress(OSError):
            held.append(os.readlink(path))
    return run_log.place("a1") in held


def test_what_it_does_is_printed_while_it_runs(shown: list[str], clock: Clock) -> None:
    def work(_follower: following.Follower) -> None:
        run_log.phase("kittens", "packages")
        clock.now += 1.2
        run_log.note("kittens", "line written: settings")
        run_log.phase("kittens", "check")
        eventually(lambda: shown)

    follow(Action(), work, "h1: ")
    assert shown == ["h1: kittens: packages: 1 s", "h1: kittens: line written: settings"]


def test_a_phase_that_takes_long_is_told_before_it_ends(shown: list[str]) -> None:
    lines = following.Lines()
    assert lines.told(['{"act": "a", "began": "packages"}'], 10.0) == []
    assert lines.told([], 10.0 + following.PATIENCE) == ["a: packages ..."]
    assert lines.told([], 30.0) == []
    assert lines.told(['{"act": "a", "ended": "packages", "seconds": 21.4}', "over"], 32.0) == ["a: packages: 21 s"]


def test_a_phase_that_has_ended_is_not_told_as_one_that_runs(shown: list[str]) -> None:
    """Where the answer came late."""
    lines = following.Lines()
    assert lines.told(['{"act": "a", "began": "packages"}'], 10.0) == []
    answer = ['{"act": "a", "ended": "packages", "seconds": 5}', '{"act": "a", "note": "n"}']
    assert lines.told(answer, 30.0) == ["a: packages: 5 s", "a: n"]


def test_what_is_no_event_is_nothing(shown: list[str]) -> None:
    assert following.Lines().told(["Welcome to h1", "3", '{"act": "", "ended": "x", "seconds": 0.1}'], 1.0) == []


def test_a_module_that_has_nothing_to_do_is_not_asked(shown: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "BEGIN_AFTER", 60)
    assert follow(Action(), lambda _follower: None).questions == 0
    assert shown == []


def test_without_a_second_channel_the_run_goes_on(shown: list[str]) -> None:
    def work(_follower: following.Follower) -> None:
        run_log.phase("kittens", "packages")
        eventually(lambda: shown)

    follower = follow(Action(fails=True), work)
    assert follower.questions == 1
    assert shown == ["what the module does can't be followed: no second channel"]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question waits for longer than a test."""
    monkeypatch.setattr(following, "PATIENCE", 60)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("tells", [True, False])
def test_the_last_question_ends_with_the_module(shown: list[str], tells: bool) -> None:
    """The file has gone: no question waits for more."""

    def work(follower: following.Follower) -> None:
        if tells:
            run_log.phase("kittens", "packages")
        eventually(lambda: is_read(follower, 2 if tells else 1))

    began = time.monotonic()
    follow(Action(), work)
    assert time.monotonic() - began < 50


VARIABLES = {"inventory_hostname": "h1", "ansible_play_hosts_all": ["h1", "h2"]}


def test_a_module_is_followed_while_people_watch(shown: list[str], clock: Clock) -> None:
    """Each line names its host where there are several."""

    def phase() -> None:
        clock.now += 1.2
        run_log.phase("kittens", "check")
        eventually(lambda: shown)

    action: Any = Action(phase=phase)
    assert following.run(action, {"production": "jazz"}, VARIABLES, True) == {"changed": True}
    (asked,) = action.asked
    assert asked["run"].isalnum()
    assert shown == ["h1: kittens: packages: 1 s"]


@pytest.mark.parametrize(("watched", "check_mode"), [(False, False), (True, True)])
def test_nobody_is_told_without_people_or_in_check_mode(shown: list[str], watched: bool, check_mode: bool) -> None:
    action: Any = Action(check_mode=check_mode)
    assert following.run(action, {"production": "jazz"}, VARIABLES, watched) == {"changed": True}
    assert (action.asked, shown) == ([{"production": "jazz"}], [])


@pytest.mark.usefixtures("patient")
def test_a_run_that_does_nothing_for_long_is_not_held_up(shown: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The question that waits on the host is not waited for where nothing was told."""
    asked = threading.Event()

    class Waiting(Action):
        def _low_level_execute_command(self, command: str, sudoable: bool) -> dict[str, Any]:
            asked.wait()
            return {"stdout": "over"}

    with following.Follower(Waiting(), "a1") as follower:  # type: ignore[arg-type]
        eventually(lambda: follower.questions == 1)
        joined: list[float] = []
        monkeypatch.setattr(follower._thread, "join", joined.append)
    assert (follower._thread.is_alive(), joined) == (True, [])
    asked.set()
    threading.Thread.join(follower._thread)
    assert shown == []


def test_what_comes_right_before_the_end_is_told(shown: list[str], clock: Clock) -> None:
    """Such as a failure: the file has gone when the question has its answer, but the question still holds it open."""

    def work(follower: following.Follower) -> None:
        run_log.phase("kittens", "gate")
        eventually(lambda: is_read(follower, 2))
        clock.now += 1.2
        run_log.note("kittens", "FAILED: gate: it hisses")

    follow(Action(), work)
    assert shown == ["kittens: gate: 1 s", "kittens: FAILED: gate: it hisses"]


def test_no_control_character_gets_through(shown: list[str]) -> None:
    def work(_follower: following.Follower) -> None:
        run_log.note("kittens", "FAILED: \x1b[2J")
        eventually(lambda: shown)

    follow(Action(), work)
    assert shown == ["kittens: FAILED: ?[2J"]

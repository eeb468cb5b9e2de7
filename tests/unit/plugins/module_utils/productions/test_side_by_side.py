# SPDX-License-Identifier: GPL-3.0-or-later
"""Acts are built side by side: each in its order, one failure is its own, and the run knows what they did."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import environments
from ansible_collections.backstage.django.plugins.module_utils.host import children, locks
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.productions import side_by_side
from ansible_collections.backstage.django.plugins.module_utils.productions.playbill import Done
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Change, Phase, Step
from ansible_collections.backstage.django.plugins.module_utils.state.read import read
from waiting import eventually

from ...house import A, House

ACTS = ("cats", "dogs", "owls")
Failed = dict[str, BackstageError]


class Made:
    """A run whose changes write down when they began and ended, and in which process."""

    def __init__(self, house: House, monkeypatch: pytest.MonkeyPatch, at_once: int = 2) -> None:
        for name in ACTS:
            house.build(A, name)
        self.house, self.failed = house, Failed()
        self.state, self.warnings = read(house.production, house.host), ["earlier"]
        self.log = house.root / "done"
        self.done_for = Done(seconds={"cats": 1.0})
        monkeypatch.setattr(side_by_side, "at_once", lambda: at_once)

    def change(
        self, act: str, verb: str, phase: Phase = Phase.BUILD, then: Callable[[], None] = lambda: None
    ) -> Change:
        return Change(Step("act", act, verb), phase, act, partial(self._make, act, verb, then))

    def _make(self, act: str, verb: str, then: Callable[[], None]) -> None:
        began = time.monotonic()
        time.sleep(0.3)
        then()
        with self.log.open("a") as log:
            log.write(f"{act} {verb}|{began}|{time.monotonic()}|{os.getpid()}\n")
        self.state.act(act).history.add("built", release=verb)

    def make(self, changes: list[Change], failed: Failed) -> None:
        """As the Production manager does."""
        for change in changes:
            if change.act not in failed and change.make:
                try:
                    change.make()
                    self.done_for.built[change.act] = change.step.verb
                    self.done_for.seconds[change.act] = self.done_for.seconds.get(change.act, 0) + 1
                except BackstageError as error:
                    failed[change.act] = BackstageError(error.message, f"act {change.act}", change.step.verb, error.log)

    def run(self, *changes: Change) -> None:
        run = side_by_side.Run(self.state, self.warnings, self.done_for, self.make)
        side_by_side.make(run, sorted(changes, key=lambda change: change.phase), self.failed)

    def done(self) -> dict[str, tuple[float, float, int]]:
        lines = [line.split("|") for line in self.log.read_text().splitlines()]
        return {what: (float(began), float(end), int(pid)) for what, began, end, pid in lines}


def test_each_in_its_order_and_two_at_once(crewed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(crewed, monkeypatch)

    def meets(name: str) -> None:
        """The first two are there at the same time."""
        (crewed.root / f"{name}.began").touch()
        eventually(lambda: all((crewed.root / f"{one}.began").exists() for one in ACTS[:2]))

    changes = [made.change(name, "build", then=partial(meets, name)) for name in ACTS]
    made.run(*changes, *(made.change(name, "migrate", Phase.MIGRATE) for name in ACTS))
    done = made.done()
    assert made.failed == {}
    assert all(done[f"{name} build"][1] <= done[f"{name} migrate"][0] for name in ACTS)
    assert done["dogs build"][0] < done["cats build"][1], "two at once"
    assert min(done["cats migrate"][1], done["dogs migrate"][1]) <= done["owls build"][0], "and not three"
    processes = {name: {done[f"{name} {verb}"][2] for verb in ("build", "migrate")} for name in ACTS}
    assert [len(found) for found in processes.values()] == [1, 1, 1]
    assert os.getpid() not in set().union(*processes.values())


def test_the_run_knows_what_they_did(crewed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes that come later have a reference to the state of the Act."""
    made = Made(crewed, monkeypatch)
    kept = made.state.act("cats")
    made.run(made.change("cats", "one"), made.change("dogs", "two"))
    assert made.state.act("cats") is kept
    assert [event["release"] for event in kept.history.events] == ["one"]
    assert A in kept.releases


def test_a_failure_is_its_acts_own(crewed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(crewed, monkeypatch)

    def fails() -> None:
        made.warnings.append("act cats: a warning")
        raise BackstageError("no such module", log="the log")

    def dies() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    made.run(
        made.change("cats", "build", then=fails),
        made.change("cats", "migrate", Phase.MIGRATE),
        made.change("dogs", "build", then=dies),
        made.change("owls", "build"),
    )
    assert {name: (error.message, error.subject, error.step, error.log) for name, error in made.failed.items()} == {
        "cats": ("no such module", "act cats", "build", "the log"),
        "dogs": ("the process that built it ended with status -9", "act dogs", "build", ""),
    }
    assert list(made.done()) == ["owls build"]
    assert made.warnings == ["earlier", "act cats: a warning"]


def test_what_databases_share_is_done_before_one_by_one(crewed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(crewed, monkeypatch)
    steps = [made.change(name, "create database", Phase.MIGRATE) for name in ACTS]
    made.run(*(made.change(name, "build") for name in ACTS), *steps)
    done = made.done()
    assert {done[f"{name} create database"][2] for name in ACTS} == {os.getpid()}
    assert max(done[f"{name} create database"][1] for name in ACTS) <= min(done[f"{name} build"][0] for name in ACTS)


@pytest.mark.parametrize(("at_once", "acts"), [(1, ACTS), (2, ACTS[:1])])
def test_one_alone_is_made_in_the_module(
    crewed: House, monkeypatch: pytest.MonkeyPatch, at_once: int, acts: tuple[str, ...]
) -> None:
    made = Made(crewed, monkeypatch, at_once)
    made.run(*(made.change(name, "build") for name in acts))
    assert {pid for _began, _end, pid in made.done().values()} == {os.getpid()}


def test_as_many_as_processors() -> None:
    assert side_by_side.at_once() == min(len(os.sched_getaffinity(0)), 4)


def test_one_environment_at_a_time(crewed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shared builder's processes are ended before and after each; and what two Acts want is made once."""
    log = Path(crewed.root, "done")

    def make(paths: object, wanted: environments.Wanted, uv: str, maker: object) -> str:
        assert locks.is_held(crewed.paths.environments_lock)
        time.sleep(0.3)
        place = Path(crewed.paths.environment(wanted.key))
        place.mkdir(parents=True, exist_ok=True)
        (place / environments.SEAL).touch()
        with log.open("a") as file:
            file.write(f"{wanted.key}\n")
        return wanted.key

    monkeypatch.setattr(environments, "_make", make)
    monkeypatch.setattr(environments, "_shared", lambda paths: None)
    texts = {"cats": "Django==5.2.15", "dogs": "Django==5.2.15", "owls": "Django==5.2.14"}
    jobs = {name: partial(_key, crewed, name, environments.Wanted(requirements=text)) for name, text in texts.items()}
    keys = {name: answer["key"] for name, answer in children.run(jobs, 3).items()}
    assert keys["cats"] == keys["dogs"] != keys["owls"]
    assert sorted(log.read_text().split()) == sorted({keys["cats"], keys["owls"]})


def _key(house: House, act: str, wanted: environments.Wanted) -> children.Answer:
    return {"key": environments.make(house.act(act), wanted, "/bin/true", "")}

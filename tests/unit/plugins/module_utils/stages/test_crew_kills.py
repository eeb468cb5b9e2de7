# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed at the writes of a switch with workers: the next run ends it, and no job is lost."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Worker
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Health
from ansible_collections.backstage.django.plugins.module_utils.stages import crew as crews
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses
from ansible_collections.backstage.django.plugins.module_utils.stages.crew import Crew
from waiting import eventually

from ...crews import Jobs
from ...emperors import Emperor
from ...house import KITTENS, A, B, House, wanted
from .wishes import SESS, carry_out, fronted, on_the_host

WATCH = Path(__file__).parents[4] / "faults" / "on_host" / "watch" / "sitecustomize.py"
FULL = bool(os.environ.get("FAULTS_FULL"))  # at every kind of write, and not at as many as a CI can wait for
MOST = 4
ACT = replace(
    KITTENS,
    secrets={},
    timeout=5,
    health=Health(timeout=5),
    workers=[Worker("work", "work 0.2", grace=20), Worker("beat", "beat", once=True, grace=20)],
)
OF_WORKERS = re.compile(r"crew|/once|/live$")
SMALL = re.compile(r"^(os\.(chown|chmod|mkdir|rmdir)|fcntl)")  # between these little can be seen from outside


@pytest.fixture
def jobs(crewed: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    monkeypatch.setattr(crews, "STEADY", 0.3)
    for release in (A, B):
        crewed.build(release)
    found = Jobs(crewed)
    with Emperor(Path(crewed.host.vassals), Path(crewed.host.stats), log=Path(crewed.act().log)):
        yield found


@pytest.fixture
def watch(crewed: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the scenario killed has a module's interpreter load."""
    spec = importlib.util.spec_from_file_location("watch", WATCH)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    monkeypatch.setattr(found, "PLACES", (str(crewed.root),))
    return found


def plays_next(house: House) -> sesses.Want:
    """The switch to the release that does not play."""
    release = B if (house.state().live or "").startswith(A) else A
    return sesses.Want(SESS, wanted(ACT, play=release))


def killed(house: House, watch: Any, wish: sesses.Want, number: int) -> list[str]:
    """Play in a process of its own that is killed at this write, 0 for none: its writes."""
    log = house.root / "writes"
    log.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        try:
            watch.Watch({"at": number, "log": str(log)})
            carry_out(house, wish)
        finally:
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) is bool(number)
    assert not number or os.WTERMSIG(status) == signal.SIGKILL
    return [line.split(" ", 1)[1] for line in log.read_text().splitlines()]


def points(lines: list[str]) -> list[int]:
    """The first write of each kind that concerns workers."""
    first: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if OF_WORKERS.search(line) and (FULL or not SMALL.search(line)):
            first.setdefault(re.sub(r"[0-9a-f]{12}\.\d+", "<sess>", line), number)
    found = sorted(first.values())
    return found if FULL else [found[index * len(found) // MOST] for index in range(MOST)]


def test_fault_02_killed_at_the_writes_of_workers(crewed: House, jobs: Jobs, watch: Any) -> None:
    carry_out(crewed, plays_next(crewed))
    lines = killed(crewed, watch, plays_next(crewed), 0)
    for number in points(lines):
        wish = plays_next(crewed)
        jobs.send()
        *_before, last = killed(crewed, watch, wish, number)
        carry_out(crewed, wish)
        live = crewed.state().live
        assert live
        crew = Crew(crewed.host, crewed.act(), live)
        eventually(lambda own=crew: sorted(own.working()) == ["beat", "work"])
        assert on_the_host(crewed) == (live, [live], [live]), last
        assert (crewed.state().crews, crew.wanted()) == ([live], "run"), last
        assert live.partition(".")[0] == wish.act.play, last
        assert sesses.plan(wish, crewed.state(), crewed.host, print, fronted()) == [], last
    eventually(lambda: len(jobs.done()) >= jobs.sent and jobs.beats()[-1:] == ["begins"])
    assert sorted(name for name, _release in jobs.done()) == [f"{number:04}.job" for number in range(1, jobs.sent + 1)]
    beats = jobs.beats()
    assert beats == ["begins", *["ends", "begins"] * (len(beats) // 2)]

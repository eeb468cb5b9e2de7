# SPDX-License-Identifier: GPL-3.0-or-later
"""A Production whose Act has workers, on both hosts of the garage; its jobs, which are counted."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from faults.controller import Controller, Run
from faults.host import PLACE
from faults.house import House, scenario

FULL = bool(os.environ.get("CAMPAIGN"))  # ten switches, and every kill on both hosts
HOSTS = ("h1", "h2")
ACT, VENUE = "jobs", "jobs.example.org"
ROOT = f"/srv/backstage/company/acts/{ACT}"
CREW_LOG = f"/var/log/backstage/company/{ACT}.crew.log"
KINDS = ("celery", "huey", "q", "rq", "tasks")
WORKERS = ["beat", "celery", "huey", "qcluster", "rq", "tasks"]
ON_HOST = Path(__file__).parent / "on_host"

Kept = TypeVar("Kept")


class Company:
    """Every play is of both hosts at once; what is looked at is looked at on both at once, too."""

    def __init__(self, work: Path) -> None:
        for name in (*HOSTS, "both"):
            (work / name).mkdir()
        self.houses = [House(scenario("company"), name, work / name) for name in HOSTS]
        self._controller = Controller(scenario("company") / "inventory", work / "both", ",".join(HOSTS))
        self.acts: dict[str, Any] = {ACT: {}}  # laid over the inventory's
        self.last = int(time.time())  # job that was sent; a second run on the same hosts has others
        self.on_each(self._put)

    def _put(self, house: House) -> None:
        house.host.put()
        for path in ON_HOST.glob("*.py"):
            house.host.write(f"{PLACE}/{path.name}", path.read_text(), "755")

    def on_each(self, look: Callable[[House], Kept]) -> list[Kept]:
        with ThreadPoolExecutor(len(self.houses)) as pool:
            return list(pool.map(look, self.houses))

    def try_to_play(self, playbook: str = "deploy", **extra: Any) -> Run:
        changes = self.houses[0].with_changes(acts=self.acts)
        return self._controller.play(playbook, **{**changes, **extra})

    def play(self, playbook: str = "deploy", **extra: Any) -> list[dict[str, Any]]:
        """Play, and return the plan, which both hosts have in common."""
        run = self.try_to_play(playbook, **extra)
        assert run.code == 0, run.printed[-3000:]
        return plan(run)

    def workers(self) -> list[dict[str, Any]]:
        """The processes of the workers on each host."""
        return self.on_each(workers)

    def live(self) -> list[str]:
        return [found["sess"] for found in self.workers()]

    def notes(self, word: str) -> list[list[list[str]]]:
        """What management commands wrote down on each host: user id and release."""
        return self.on_each(lambda house: [line[2:] for line in notes(house) if line[:2] == ["note", word]])

    @contextmanager
    def jobs(self, dark: bool = False) -> Iterator[None]:
        """Jobs that are sent meanwhile, on both hosts; each of them has to be done exactly once afterwards.

        Args:
            dark: whether the Act may be away for a moment. Nobody knows whether a request that failed has sent its job.
        """
        first = self.last + 1
        words = ("/usr/bin/python3", f"{PLACE}/send.py", VENUE, str(first))
        pipe = subprocess.PIPE
        senders = [
            subprocess.Popen(house.host.command(*words), stdin=pipe, stdout=pipe, text=True) for house in self.houses
        ]
        for sender in senders:
            assert sender.stdout
            assert sender.stdout.readline() == "open\n"
        try:
            yield
        finally:
            said = [json.loads(sender.communicate("", timeout=120)[0]) for sender in senders]
        assert dark or [one["failed"] for one in said] == [{}, {}]
        self.last = max(one["last"] for one in said)
        sent = {
            house.host.name: {str(job) for job in range(first, one["last"] + 1)} - set(one["failed"])
            for house, one in zip(self.houses, said)
        }
        self.on_each(lambda house: _done_once(house, sent[house.host.name]))


def plan(run: Run) -> list[dict[str, Any]]:
    first, *others = (line["result"]["plan"] for line in run.results if "plan" in line["result"])
    assert [words(other) for other in others] == [words(first)]
    return list(first)


def words(of: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(step["verb"], step["name"]) for step in of]


def hooks(of: list[dict[str, Any]]) -> list[str]:
    return [step["after"] for step in of if step["verb"] == "hook"]


def workers(house: House) -> dict[str, Any]:
    found: dict[str, Any] = house.host.script("workers.py", "company", ACT)
    return found


def notes(house: House) -> list[list[str]]:
    return [line.split() for line in house.host.read(f"{ROOT}/data/notes").splitlines()]


def begins_at_once(house: House) -> None:
    """All workers work, within seconds."""
    assert house.within(30, lambda: sorted(workers(house)["working"]) == WORKERS), (house.host.name, workers(house))


def _done_once(house: House, jobs: set[str]) -> None:
    wanted = {(kind, job) for kind in KINDS for job in jobs}

    def counted(word: str) -> Counter[tuple[str, str]]:
        return Counter((line[1], line[2]) for line in notes(house) if line[0] == word)

    def missing() -> set[tuple[str, str]]:
        return wanted - set(counted("done"))

    def is_done(job: tuple[str, str]) -> bool:
        return job not in missing()

    while left := missing():  # one after the other: on a loaded machine some wait in their queue for long
        if not house.within(60, partial(is_done, min(left))):
            break
    said: dict[str, list[str]] = house.host.script("dropped.py", ROOT)
    dropped = {(kind, job) for kind, listed in said.items() for job in listed}
    lost, begun = missing() - dropped, missing() & set(counted("began"))
    assert (sorted(lost), sorted(begun)) == ([], []), house.host.name
    assert len(missing()) < 3, f"{house.host.name}: more than chance: {missing()}"
    assert {job: number for job, number in counted("done").items() if number > 1} == {}
    assert {job: number for job, number in counted("began").items() if number > 1} == {}

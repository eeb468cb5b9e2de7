# SPDX-License-Identifier: GPL-3.0-or-later
"""A Production of two buskers on both hosts of the garage, which tests change under the eyes of visitors."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Optional

import effects
import house
from faults.controller import Controller, Run, Running
from faults.host import Host
from faults.visitors import Seen, Visitors

PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
SOURCE = {"git": str(PROJECT / ".garage" / "scenarios" / "busker"), "version": "v1"}
CORNER, SQUARE = "corner.example.com", "square.example.com"
FIRST_KEY, SECOND_KEY, THIRD_KEY = "the-first-key-77d1", "the-second-key-b19e", "the-third-key-4c82"

Crowd = list[dict[str, Seen]]


class Street:
    """Its manifest is written by tests as they please; every play is of both hosts at once."""

    hosts = (Host("h1"), Host("h2"))

    def __init__(self, inventory: Path, work: Path, production: str = "street") -> None:
        self._inventory, self._work = inventory, work
        self._controllers: dict[str, Controller] = {}
        self.production = production
        self.acts: dict[str, Any] = {
            "busker": {"source": dict(SOURCE), "secrets": {"SECRET_KEY": FIRST_KEY}},
            "juggler": {"source": dict(SOURCE), "secrets": {"SECRET_KEY": "the-key-of-the-juggler-03fa"}},
        }
        self.sesses: dict[str, Any] = {"busker": {"processes": 2}, "juggler": {"processes": 1}}
        self.venues: dict[str, Any] = {CORNER: {}, SQUARE: {}}
        self.gigs: dict[str, Any] = {CORNER: {"act": "busker"}, SQUARE: {"act": "juggler"}}
        self.more_gigs: list[Any] = []  # beside the one of each Venue

    def controller(self, *hosts: Host) -> Controller:
        """One that plays on these hosts; on all where none is named."""
        names = ",".join(host.name for host in hosts or self.hosts)
        if names not in self._controllers:
            work = self._work / names
            work.mkdir()
            self._controllers[names] = Controller(self._inventory, work, names)
        return self._controllers[names]

    def manifest(self) -> dict[str, Any]:
        manifest = {
            "backstage_production": self.production,
            "backstage_acts": [{"name": name, **act} for name, act in self.acts.items()],
            "backstage_sesses": [{"act": name, **sess} for name, sess in self.sesses.items()],
            "backstage_venues": [{"name": name, **venue} for name, venue in self.venues.items()],
            "backstage_gigs": [{"venue": venue, **gig} for venue, gig in self.gigs.items()] + self.more_gigs,
        }
        return deepcopy(manifest)

    def start(self, playbook: str, *options: str, on: Optional[Host] = None, **extra: Any) -> Running:
        """Begin to play on one host, or on all."""
        hosts = [on] if on else []
        return self.controller(*hosts).start(playbook, *options, **self.manifest(), **extra)

    def try_to_play(self, playbook: str = "deploy", *options: str, on: Optional[Host] = None, **extra: Any) -> Run:
        return self.start(playbook, *options, on=on, **extra).end()

    def play(self, playbook: str = "deploy", **options: Any) -> list[str]:
        """Play, and return the plan, which both hosts have in common."""
        run = self.try_to_play(playbook, **options)
        assert run.code == 0, run.printed[-3000:]
        plans = {line["host"]: line["result"]["plan"] for line in run.results if "plan" in line["result"]}
        assert set(plans) == {host.name for host in self.hosts}
        first, *others = (effects.words(plan) for plan in plans.values())
        assert others == [first] * len(others)
        return first

    @contextmanager
    def visited(self, *places: str) -> Iterator[Crowd]:
        """Visitors on both hosts; afterwards, for each host, what those of each Venue saw."""
        seen: Crowd = []
        with ExitStack() as stack:
            crowd = [stack.enter_context(Visitors(host, *places)) for host in self.hosts]
            yield seen
        seen += [visitors.seen for visitors in crowd]

    def live(self, act: str) -> list[str]:
        """The Sess of an Act that plays on each host; empty where none does."""
        link = f"/srv/backstage/{self.production}/acts/{act}/live"
        return [host.run("readlink", link, check=False).strip().rpartition("/")[2] for host in self.hosts]

    def ask(self, venue: str, path: str = "/") -> list[house.Answer]:
        """One request to each host."""
        return [house.ask(_address(host), venue, path) for host in self.hosts]

    def files_with(self, text: str) -> list[str]:
        """Every file of the hosts that holds a text."""
        places = ["/etc", "/home", "/opt", "/root", "/run", "/srv", "/tmp", "/usr/local", "/var"]  # noqa: S108
        look = ["grep", "-rlsF", "--devices=skip", "-e", text, *places]
        return [line for host in self.hosts for line in host.run(*look, check=False).splitlines()]


@cache
def _address(host: Host) -> str:
    garage = [str(PROJECT / "tests" / "garage" / "garage.sh"), "address", host.name]
    return subprocess.run(garage, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def pleased(crowd: Crowd, *venues: str, requests: int = 50) -> None:
    """Not one of their requests failed, of enough to say so."""
    for seen in crowd:
        for venue in venues:
            assert seen[venue].failed == []
            assert seen[venue].requests >= requests


def read(crowd: Crowd, venue: str, key: str) -> list[list[str]]:
    """What a Venue's pages said of themselves on each host, one page after another."""
    return [re.findall(rf'"{key}": "?([^",}}]*)', "\n".join(seen[venue].pages)) for seen in crowd]

# SPDX-License-Identifier: GPL-3.0-or-later
"""A Production on both hosts of the garage, which tests change while visitors ask for pages."""

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
    """Tests change the manifest through its attributes. A run is for both hosts at once."""

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
        self.more_gigs: list[Any] = []  # besides the Gig of each Venue

    def controller(self, *hosts: Host) -> Controller:
        """Return a controller for these hosts, or for all of them if none is given."""
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
        """Start a playbook on one host, or on all."""
        hosts = [on] if on else []
        return self.controller(*hosts).start(playbook, *options, **self.manifest(), **extra)

    def try_to_play(self, playbook: str = "deploy", *options: str, on: Optional[Host] = None, **extra: Any) -> Run:
        return self.start(playbook, *options, on=on, **extra).end()

    def play(self, playbook: str = "deploy", **options: Any) -> list[str]:
        """Run a playbook, which must succeed, and return the plan, which must be the same on both hosts."""
        run = self.try_to_play(playbook, **options)
        assert run.code == 0, run.printed[-3000:]
        plans = {line["host"]: line["result"]["plan"] for line in run.results if "plan" in line["result"]}
        assert set(plans) == {host.name for host in self.hosts}
        first, *others = (effects.words(plan) for plan in plans.values())
        assert others == [first] * len(others)
        return first

    @contextmanager
    def visited(self, *places: str) -> Iterator[Crowd]:
        """Send requests on both hosts meanwhile. Afterwards the list has the answers of each Venue for each host."""
        seen: Crowd = []
        with ExitStack() as stack:
            crowd = [stack.enter_context(Visitors(host, *places)) for host in self.hosts]
            yield seen
        seen += [visitors.seen for visitors in crowd]

    def live(self, act: str) -> list[str]:
        """Return the live Sess of an Act on each host; empty if none plays."""
        link = f"/srv/backstage/{self.production}/acts/{act}/live"
        return [host.run("readlink", link, check=False).strip().rpartition("/")[2] for host in self.hosts]

    def ask(self, venue: str, path: str = "/") -> list[house.Answer]:
        """Send one request to each host."""
        return [house.ask(_address(host), venue, path) for host in self.hosts]

    def files_with(self, text: str) -> list[str]:
        """Return every file of the hosts that has a text in it."""
        places = ["/etc", "/home", "/opt", "/root", "/run", "/srv", "/tmp", "/usr/local", "/var"]  # noqa: S108
        look = ["grep", "-rlsF", "--devices=skip", "-e", text, *places]
        return [line for host in self.hosts for line in host.run(*look, check=False).splitlines()]


@cache
def _address(host: Host) -> str:
    garage = [str(PROJECT / "tests" / "garage" / "garage.sh"), "address", host.name]
    return subprocess.run(garage, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def pleased(crowd: Crowd, *venues: str, requests: int = 50) -> None:
    """Assert that no request failed, and that there were enough requests."""
    for seen in crowd:
        for venue in venues:
            assert seen[venue].failed == []
            assert seen[venue].requests >= requests


def read(crowd: Crowd, venue: str, key: str) -> list[list[str]]:
    """Return the values of a key in the pages of a Venue on each host, in their order."""
    return [re.findall(rf'"{key}": "?([^",}}]*)', "\n".join(seen[venue].pages)) for seen in crowd]

# SPDX-License-Identifier: GPL-3.0-or-later
"""A Production of two buskers on both hosts, which the tests change under the eyes of visitors."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
sys.path[:0] = [str(PROJECT / "tests"), str(PROJECT / "tests" / "scenarios")]

import effects  # noqa: E402 - they are scripts of this checkout, and no installed package
from faults.controller import Controller, Run  # noqa: E402
from faults.host import Host  # noqa: E402
from faults.visitors import Seen, Visitors  # noqa: E402

CORNER, SQUARE = "corner.example.com", "square.example.com"
FIRST_KEY = "the-first-key-of-the-busker-77d1"
SOURCE = {"git": str(PROJECT / ".garage" / "scenarios" / "busker"), "version": "v1"}


class Street:
    """What its manifest says is written by a test; every play is of both hosts at once."""

    hosts = (Host("h1"), Host("h2"))

    def __init__(self, work: Path, production: str = "street") -> None:
        inventory = Path(__file__).parent / "inventory"
        self._controller = Controller(inventory, work, ",".join(host.name for host in self.hosts))
        self.production = production
        self.acts: dict[str, Any] = {
            "busker": {"source": dict(SOURCE), "secrets": {"SECRET_KEY": FIRST_KEY}},
            "juggler": {"source": dict(SOURCE), "secrets": {"SECRET_KEY": "the-only-key-of-the-juggler-03fa"}},
        }
        self.sesses: dict[str, Any] = {"busker": {"processes": 2}, "juggler": {"processes": 1}}
        self.venues: dict[str, Any] = {CORNER: {}, SQUARE: {}}
        self.gigs: dict[str, Any] = {CORNER: {"act": "busker"}, SQUARE: {"act": "juggler"}}

    def try_to_play(self, playbook: str = "deploy", **options: Any) -> Run:
        manifest = {
            "backstage_production": self.production,
            "backstage_acts": [{"name": name, **act} for name, act in self.acts.items()],
            "backstage_sesses": [{"act": name, **sess} for name, sess in self.sesses.items()],
            "backstage_venues": [{"name": name, **venue} for name, venue in self.venues.items()],
            "backstage_gigs": [{"venue": venue, **gig} for venue, gig in self.gigs.items()],
        }
        return self._controller.play(playbook, **deepcopy(manifest), **options)

    def play(self, playbook: str = "deploy", **options: Any) -> list[str]:
        """Play, and return the plan, which both hosts have in common."""
        run = self.try_to_play(playbook, **options)
        assert run.code == 0, run.printed[-3000:]
        plans = {line["host"]: effects.words(line["result"]["plan"]) for line in run.results if "plan" in line["result"]}
        assert set(plans) == {host.name for host in self.hosts}
        assert len({tuple(plan) for plan in plans.values()}) == 1, plans
        return next(iter(plans.values()))

    @contextmanager
    def visited(self, *places: str) -> Iterator[list[dict[str, Seen]]]:
        """Visitors on both hosts; afterwards, for each host, what those of each Venue saw."""
        seen: list[dict[str, Seen]] = []
        with ExitStack() as stack:
            crowd = [stack.enter_context(Visitors(host, *places)) for host in self.hosts]
            yield seen
        for visitors in crowd:
            seen.append(visitors.seen)

    def live(self, act: str) -> list[str]:
        """What plays of an Act on each host: its Sess."""
        return [host.run("readlink", f"/srv/backstage/{self.production}/acts/{act}/live").strip() for host in self.hosts]


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Street:
    for host in Street.hosts:
        host.put()
    return Street(tmp_path_factory.mktemp("plays"))

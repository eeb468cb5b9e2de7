# SPDX-License-Identifier: GPL-3.0-or-later
"""A Production that plays, and what has to be so when something goes wrong with the sources of one of its Acts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import house
from bed import Bed, failures
from faults.controller import Run, Running

HOST = "h1"
SHAKY, STEADY = "shaky.example.com", "steady.example.com"

Lines = dict[str, Any]


class Mishaps:
    """Two Acts of one host: whatever befalls "shaky", it plays on as it was, and so does "steady"."""

    def __init__(self, bed: Bed, repository: str, host: str = HOST) -> None:
        self.bed = bed
        self.host = host
        self.good: Lines = {"source": {"git": repository, "version": "v1"}}

    def manifest(self, acts: dict[str, Lines]) -> dict[str, Any]:
        """ "shaky" with other lines, and more Acts, which are not booked."""
        steady = {"source": {"path": str(self.bed.checkout / "tests/corpus/base")}}
        every = {"steady": steady, "shaky": self.good, **acts}
        return {
            "backstage_production": "mishaps",
            "backstage_act_defaults": {"index": {"url": f"{self.bed.stock['url']}/simple/"}},
            "backstage_sess_defaults": {"processes": 1, "hosts": self.host},
            "backstage_sesses": [],
            "backstage_acts": [{"name": name, **lines} for name, lines in every.items()],
            "backstage_venues": [{"name": STEADY}, {"name": SHAKY}],
            "backstage_gigs": [{"act": "steady", "venue": STEADY}, {"act": "shaky", "venue": SHAKY}],
        }

    def start(self, playbook: str = "deploy", *options: str, **acts: Lines) -> Running:
        named = {name.replace("_", "-"): lines for name, lines in acts.items()}
        return self.bed.controller(self.host).start(playbook, *options, **self.manifest(named))

    def play(self, playbook: str = "deploy", *options: str, **acts: Lines) -> Run:
        return self.start(playbook, *options, **acts).end()

    def page(self, venue: str = SHAKY) -> str:
        return house.ask(self.bed.addresses[self.host], venue).text

    def refused(self, run: Run, *words: str, act: str = "shaky") -> None:
        """The run failed with one line about this Act that says all of this; what played plays."""
        assert run.code != 0, run.printed[-3000:]
        line = told(run, act)
        assert [word for word in words if word not in line] == [], line
        self.plays_on()

    def plays_on(self) -> None:
        assert "first plays" in self.page()
        assert "plain plays" in self.page(STEADY)

    def converges(self) -> None:
        """When the cause is gone, the next run is like any other."""
        run = self.play()
        assert run.code == 0, run.printed[-3000:]
        assert failures(run) == {}
        self.plays_on()


def told(run: Run, act: str) -> str:
    """The line of a failed run about an Act."""
    lines = [line for result in run.results for line in str(result["result"].get("msg", "")).splitlines()]
    found = [line for line in lines if re.match(rf"act {act},|backstage_acts\[{act}\]", line)]
    assert found, run.printed[-3000:]
    return found[0]


def mirrors(bed: Bed) -> list[Path]:
    """The controller's copies of repositories."""
    return sorted(bed.cache.glob("*.git"))

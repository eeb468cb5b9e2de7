# SPDX-License-Identifier: GPL-3.0-or-later
"""Two Acts of one source: glutton takes what it is asked to, and nibbler is its neighbour."""

from __future__ import annotations

import statistics
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machine import Machine

SOURCE = Path(__file__).parent / "acts" / "guest"
LIMITS = {"memory": "256M", "cpu": "25%", "tasks": 40}
GLUTTON, NIBBLER = "glutton.test", "nibbler.test"
PAUSE = 0.05


def manifest(limits: dict[str, Any], breakfast: int = 0) -> dict[str, Any]:
    """What plays.

    Args:
        limits: glutton's.
        breakfast: megabytes that it takes while it is loaded.
    """
    # the gate has time: processors are emulated
    common = {"source": {"path": str(SOURCE)}, "migrate": False, "static": "none", "health": {"timeout": 300}}
    secrets = {"SECRET_KEY": "the-key-of-a-guest-4d1f"}
    env = {"BREAKFAST": str(breakfast)}
    return {
        "backstage_production": "feast",
        "backstage_act_defaults": {**common, "secrets": secrets},
        "backstage_acts": [{"name": "glutton", "env": env}, {"name": "nibbler"}],
        "backstage_sesses": [{"act": "glutton", "processes": 4, "limits": limits}, {"act": "nibbler"}],
        "backstage_venues": [{"name": GLUTTON}, {"name": NIBBLER}],
        "backstage_gigs": [{"act": "glutton", "venue": GLUTTON}, {"act": "nibbler", "venue": NIBBLER}],
    }


def wait_for(machine: Machine) -> None:
    """Until both Acts answer: the emperor is ready before they are."""
    deadline = time.monotonic() + 300
    for venue in (GLUTTON, NIBBLER):
        while machine.get(venue)[0] != 200:
            assert time.monotonic() < deadline, f"{venue} does not answer"
            time.sleep(1)


@dataclass
class Visitor:
    """Asks a Venue for its page, one request after the other, while the block is entered."""

    machine: Machine
    venue: str
    failed: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    def __enter__(self) -> Visitor:
        self._leaves = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._leaves.set()
        self._thread.join()

    def _visit(self) -> None:
        while not self._leaves.wait(PAUSE):
            since = time.monotonic()
            try:
                status, _body = self.machine.get(self.venue)
                if status != 200:
                    self.failed.append(str(status))
            except OSError as error:
                self.failed.append(repr(error))
            self.took.append(1000 * (time.monotonic() - since))

    @property
    def p50(self) -> float:
        return statistics.median(self.took)

    @property
    def p99(self) -> float:
        return sorted(self.took)[int(len(self.took) * 0.99)]

    def __str__(self) -> str:
        return f"{len(self.took)} requests, {len(self.failed)} failed, p50 {self.p50:.0f} ms, p99 {self.p99:.0f} ms"


def burn(machine: Machine, seconds: float) -> Visitor:
    """All workers of glutton take a CPU; how its neighbour fares meanwhile."""
    path = f"/burn/?seconds={seconds:.0f}"
    burners = [threading.Thread(target=machine.get, args=(GLUTTON, path), daemon=True) for _worker in range(4)]
    for burner in burners:
        burner.start()
    time.sleep(1)
    with Visitor(machine, NIBBLER) as neighbour:
        time.sleep(seconds - 3)
    for burner in burners:
        burner.join()
    return neighbour

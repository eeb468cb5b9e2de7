# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"))

from faults.house import House, scenario
from faults.killing import FULL, Killings, keep_calls, kill_everywhere

# Both hosts work at the same time, a core each. If one run can't do all, Debian 12 and 13 share the cycles.
CYCLES = {
    "h1": {
        "coming and going": {"first deploy": ["unpack", "collectstatic", "migrate", "start"]},
        "a company": {"workers come": ["work"]},
    },
    "h2": {
        "forth and back": {"redeploy": ["unpack", "collectstatic", "start"], "rollback": ["start"]},
        "another environment": {"redeploy with its environment": ["environment"]},
    },
}
if FULL:
    CYCLES["h2"]["migrated and restored"] = {
        "redeploy with a dump": ["dump", "migrate"],
        "restore": ["dump", "copy", "start"],
    }
    CYCLES = {host: {name: extra for cycles in CYCLES.values() for name, extra in cycles.items()} for host in CYCLES}


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, House]:
    return {name: House(scenario("killed"), name, tmp_path_factory.mktemp(name)) for name in CYCLES}


@pytest.fixture(scope="session")
def killings(houses: dict[str, House]) -> dict[str, Future[list[Killings]]]:
    """Start every cycle on its host, both hosts at once."""
    pool = ThreadPoolExecutor(len(houses))
    return {name: pool.submit(everything, found, CYCLES[name]) for name, found in houses.items()}


@pytest.fixture(scope="session")
def house(houses: dict[str, House], request: pytest.FixtureRequest) -> House:
    """Return a host on which all cycles have ended."""
    if any("killings" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("killings")["h1"].exception()
    houses["h1"].host.put()
    assert houses["h1"].keep("info", "status").code == 0
    return houses["h1"]


def everything(house: House, cycles: dict[str, dict[str, list[str]]]) -> list[Killings]:
    keep_calls(house)
    return [kill_everywhere(house, cycle, extra) for cycle, extra in cycles.items()]

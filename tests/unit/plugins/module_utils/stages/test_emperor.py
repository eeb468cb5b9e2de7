# SPDX-License-Identifier: GPL-3.0-or-later
"""The emperor's stats, read from a real socket in the words of uWSGI 2.0.21 and 2.0.28."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.stages import emperor
from ansible_collections.backstage.django.plugins.module_utils.stages.emperor import Stats, Vassal

from ...costs import steps
from ...servers import listening
from ...told import told

ID = "/etc/backstage/vassals/backstage.jazz.kittens.0123456789ab.1.ini"
NAME = "backstage.jazz.kittens.0123456789ab.1.ini"
VASSAL = {
    "id": NAME,
    "pid": 4711,
    "born": 1795000000,
    "last_mod": 1795000000,
    "last_heartbeat": 0,
    "loyal": 0,
    "ready": 1,
    "accepting": 1,
    "last_loyal": 0,
    "last_ready": 1795000000,
    "last_accepting": 1795000000,
    "last_run": 1795000000,
    "first_run": 1795000000,
    "cursed": 0,
    "on_demand": "",
    "uid": 0,
    "gid": 0,
    "monitor": "/etc/backstage/vassals",
    "respawns": 0,
}
PID = 4000
EMPEROR = {
    "version": "2.0.21-debian",
    "pid": PID,
    "uid": 0,
    "gid": 0,
    "cwd": "/",
    "emperor": ["/etc/backstage/vassals"],
    "emperor_tyrant": 0,
    "throttle_level": 0,
    "vassals": [],
    "blacklist": [],
}
LISTED: dict[str, Any] = {"id": ID, "throttle_level": 3000, "attempt": 2, "first_attempt": 1, "last_attempt": 2}

LOOKS: list[tuple[dict[str, Any], Stats]] = [
    ({}, Stats({}, {}, PID)),
    ({"vassals": [VASSAL]}, Stats({NAME: Vassal(4711, True, False, 0)}, {}, PID)),
    ({"vassals": [{**VASSAL, "id": ID}]}, Stats({NAME: Vassal(4711, True, False, 0)}, {}, PID)),
    ({"vassals": [{**VASSAL, "accepting": 0}]}, Stats({NAME: Vassal(4711, False, False, 0)}, {}, PID)),
    ({"vassals": [{**VASSAL, "cursed": 1795000001}]}, Stats({NAME: Vassal(4711, True, True, 0)}, {}, PID)),
    ({"vassals": [{**VASSAL, "pid": -1, "respawns": 3}]}, Stats({NAME: Vassal(-1, True, False, 3)}, {}, PID)),
    ({"blacklist": [LISTED]}, Stats({}, {NAME: 2}, PID)),
]


def look(place: Path, said: bytes, vassal: str = "") -> Stats:
    def serve(client: socket.socket) -> None:
        half = len(said) // 2
        client.sendall(said[:half])
        client.sendall(said[half:])

    with listening(place / "stats", serve):
        return emperor.look(str(place / "stats"), vassal)


@pytest.mark.parametrize(("said", "found"), LOOKS)
def test_look(place: Path, said: dict[str, Any], found: Stats) -> None:
    assert look(place, json.dumps({**EMPEROR, **said}).encode()) == found


@pytest.mark.parametrize(("said", "found"), LOOKS)
@pytest.mark.parametrize("indent", [None, 4])
def test_look_for_one(place: Path, said: dict[str, Any], found: Stats, indent: int) -> None:
    """Among others whose names are longer or shorter; nothing else is told."""
    others = [{**VASSAL, "id": name, "pid": 1} for name in ("x" + NAME, NAME + "x", ID + ".door", NAME[1:])]
    mixed = {**EMPEROR, **said, "vassals": [*others[:2], *said.get("vassals", []), *others[2:]]}
    mixed["blacklist"] = [{**LISTED, "id": "x" + NAME}, *said.get("blacklist", [])]
    assert look(place, json.dumps(mixed, indent=indent).encode(), NAME) == found


def test_the_others_are_not_read() -> None:
    """A switch looks thirty times in a second."""

    def cost(others: int) -> int:
        vassals = [{**VASSAL, "id": f"{number}.ini"} for number in range(others)]
        said = json.dumps({**EMPEROR, "vassals": [*vassals, VASSAL]}).encode()
        return steps(lambda: emperor._parse(emperor._only(said, NAME)))

    cost(1)  # the pattern is made once
    assert cost(300) == cost(3)


def test_a_hundred_vassals(place: Path) -> None:
    vassals = [{**VASSAL, "id": f"{number}.ini"} for number in range(300)]
    assert len(look(place, json.dumps({**EMPEROR, "vassals": vassals}, indent=4).encode()).vassals) == 300


@pytest.mark.parametrize("said", [b"", b'{"vassals": [', b"HTTP/1.1 400\r\n\r\n"])
@pytest.mark.parametrize("vassal", ["", NAME])
def test_what_is_no_answer(place: Path, said: bytes, vassal: str) -> None:
    error = told(look, place, said, vassal)
    assert error.startswith(f"the emperor does not answer at {place}/stats (")
    assert error.endswith("); start the service backstage-emperor")


def test_nobody_is_there(place: Path) -> None:
    error = told(emperor.look, str(place / "stats"))
    assert "No such file or directory" in error
    assert "start the service backstage-emperor" in error
    assert emperor.try_look(str(place / "stats")) is None


@pytest.fixture
def running() -> Iterator[None]:
    """A process with the name and the arguments of the emperor."""
    argv = ["uwsgi-core", "-c", "import sys; sys.stdin.read()", "--ini", emperor.INI]
    with subprocess.Popen(argv, executable=sys.executable, stdin=subprocess.PIPE) as process:
        while emperor.INI not in Path(f"/proc/{process.pid}/cmdline").read_text():
            time.sleep(0.01)  # it is executed, and its arguments come a moment later
        yield
        process.kill()


@pytest.mark.usefixtures("running")
def test_one_that_runs_needs_a_restart(place: Path) -> None:
    """It lost its socket, runs an old configuration, or answers nothing that is an answer: a start changes nothing."""
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(place / "stale"))
    stale.close()
    for error in (
        told(emperor.look, str(place / "none")),
        told(emperor.look, str(place / "stale")),
        told(look, place, b"HTTP/1.1 400"),
    ):
        assert "start the service" not in error.replace("restart the service", "")
        assert "with -e stage_restart_emperor=true" in error
        assert "an outage of a few seconds" in error

# SPDX-License-Identifier: GPL-3.0-or-later
"""An Act changes its Stage kind and back, beside visitors who never stop asking: no request fails."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from faults.host import PLACE
from faults.house import within
from street import CORNER, SQUARE, Street, pleased, read

FULL = bool(os.environ.get("CAMPAIGN"))
SWITCHES = 11 if FULL else 3
CLIENTS = 10
SLOW = f"{CORNER}/slow/?seconds=1.5"
WSGI: dict[str, dict[str, Any]] = {
    **({"gevent": {"stage": "gunicorn", "worker_class": "gevent"}} if FULL else {}),
    **({"sync": {"stage": "gunicorn", "worker_class": "sync", "processes": 4}} if FULL else {}),
    "gthread": {"stage": "gunicorn", "threads": 4},
}
WORKER = {"name": "waits", "run": "python -c 'import time; time.sleep(9e5)'", "grace": 5}


def deploy(street: Street, **sess: Any) -> list[str]:
    street.sesses["busker"] = {"processes": 2, **sess}
    return street.play()


@contextmanager
def chats(street: Street) -> Iterator[list[dict[str, Any]]]:
    """WebSockets to the busker on both hosts; afterwards, for each host, what they saw."""
    seen: list[dict[str, Any]] = []
    with ExitStack() as stack:
        clients = []
        for host in street.hosts:
            command = host.command("/usr/bin/python3", f"{PLACE}/chat.py", CORNER, "/chat", str(CLIENTS))
            client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            clients.append(stack.enter_context(client))
            assert client.stdout
            assert client.stdout.readline() == "open\n"
        yield seen
        seen += [json.loads(client.communicate("", timeout=60)[0]) for client in clients]


@pytest.mark.parametrize("kind", WSGI)
def test_to_gunicorn_and_switches(street: Street, kind: str) -> None:
    """Another kind is another release, whose environment has the server; nginx speaks HTTP with it."""
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        plan = deploy(street, **WSGI[kind])
        for _switch in range(SWITCHES - 1):
            assert street.play("restart", act="busker") == ["play sess busker (restart)"]
    assert "play sess busker (release)" in plan or kind == "gthread"
    pleased(seen, CORNER, SQUARE)
    pleased(slow, CORNER, requests=SWITCHES)


def test_nothing_is_left_to_be_done(street: Street) -> None:
    assert street.play() == []
    said = street.try_to_play("status").printed
    assert said.count("busker: playing") == len(street.hosts)
    assert "drift:" not in said


def test_to_asgi_and_websockets_through_switches(street: Street) -> None:
    """They are closed with 1012, "service restart", and are back at the first try."""
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        deploy(street, stage="asgi")
        with chats(street) as talked:
            for _switch in range(SWITCHES):
                street.play("restart", act="busker")
    pleased(seen, CORNER, SQUARE)
    pleased(slow, CORNER, requests=SWITCHES)
    for host in talked:
        assert host["failed"] == []
        assert set(host["closes"]) <= {"1012", "1006"}
        assert sum(host["closes"].values()) == CLIENTS * SWITCHES
        assert host["closes"]["1012"] > 0.8 * CLIENTS * SWITCHES, "who was sending meanwhile may get a reset instead"
        assert host["longest"] < 5, "a second where the machine has nothing else to do"


def test_a_rollback_to_another_kind_and_back(street: Street) -> None:
    """The release that played before has gunicorn, whatever the manifest says today."""
    with street.visited(f"{CORNER}/") as seen, street.visited(SLOW) as slow:
        plan = street.play("rollback", act="busker")
        for host, sess in zip(street.hosts, street.live("busker")):
            record = json.loads(host.read(f"/srv/backstage/stages/acts/busker/sesses/{sess}/sess.json"))
            assert record["stage"] == "gunicorn"
        street.play(backstage_unhold=["busker"])
    assert plan == ["roll back sess busker (release)"]
    pleased(seen, CORNER)
    pleased(slow, CORNER, requests=3)


def test_workers_beside_a_service(street: Street) -> None:
    street.acts["busker"]["workers"] = [WORKER]
    assert set(street.play()) == {"change act busker", "play sess busker (worker waits added)"}
    said = street.try_to_play("status").printed
    assert said.count("worker: act busker, waits: working since") == len(street.hosts)


KILLED = [
    # (what is killed, a shell's words for its processes)
    ("main", "systemctl show -P MainPID {unit}"),
    ("worker", "pgrep -P $(systemctl show -P MainPID {unit}) | head -1"),
    ("all", "pgrep -u stages-busker -f gunicorn"),
]


@pytest.mark.parametrize(("what", "which"), KILLED)
def test_kill_9(street: Street, what: str, which: str) -> None:
    """PID 1 keeps the door: only what is being answered is lost."""
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen:
        for host, sess in zip(street.hosts, street.live("busker")):
            unit = f"backstage.stages.busker.{sess}.service"
            host.sh(f"kill -9 $({which.format(unit=unit)})")
        assert within(20, lambda: {answer.status for answer in street.ask(CORNER)} == {200})
    pleased(seen, SQUARE)
    for host_seen in seen:  # who waits in the door longer than the visitors' patience has lost nothing
        lost = [said for said in host_seen[CORNER].failed if "timed out" not in said]
        assert len(lost) <= 2, (what, lost)


def test_back_to_uwsgi(street: Street) -> None:
    del street.acts["busker"]["workers"]
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        deploy(street)
    pleased(seen, CORNER, SQUARE)
    pleased(slow, CORNER, requests=3)
    assert set(read(seen, CORNER, "act")[0]) == {"busker"}
    assert street.play() == []
    for host in street.hosts:
        assert host.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "backstage.stages.*") == ""
        assert host.sh("ls /etc/systemd/system | grep '^backstage.stages' || true") == ""

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
KINDS: dict[str, dict[str, Any]] = {
    "gunicorn": {"stage": "gunicorn", "threads": 4},
    "asgi": {"stage": "asgi"},
    **({"sync": {"stage": "gunicorn", "worker_class": "sync", "processes": 4}} if FULL else {}),
    **({"gevent": {"stage": "gunicorn", "worker_class": "gevent"}} if FULL else {}),
}
WORKER = {"name": "waits", "run": "python -c 'import time; time.sleep(9e5)'", "grace": 5}


def deploy(street: Street, **sess: Any) -> list[str]:
    street.sesses["busker"] = {"processes": 2, **sess}
    plan = street.play()
    assert street.play() == [], "nothing is left to be done"
    return plan


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


def test_from_uwsgi_to_gunicorn(street: Street) -> None:
    """Another kind is another release, whose environment has the server; nginx speaks HTTP with it."""
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        plan = deploy(street, **KINDS["gunicorn"])
    assert {"build act busker", "play sess busker (release)"} <= set(plan)
    pleased(seen, CORNER, SQUARE)
    pleased(slow, CORNER, requests=3)
    said = street.try_to_play("status").printed
    assert "busker: playing" in said
    assert "drift:" not in said


@pytest.mark.parametrize("kind", KINDS)
def test_switches_under_load(street: Street, kind: str) -> None:
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        deploy(street, **KINDS[kind])
        for _switch in range(SWITCHES - 1):
            assert street.play("restart", act="busker") == ["play sess busker (restart)"]
    pleased(seen, CORNER, SQUARE)
    pleased(slow, CORNER, requests=SWITCHES)


def test_websockets_through_switches(street: Street) -> None:
    """They are closed with 1012, "service restart", and are back at the first try."""
    deploy(street, **KINDS["asgi"])
    with chats(street) as seen:
        for _switch in range(SWITCHES):
            street.play("restart", act="busker")
    for host in seen:
        assert host["failed"] == []
        assert set(host["closes"]) <= {"1012", "1006"}
        assert sum(host["closes"].values()) == CLIENTS * SWITCHES
        assert host["closes"]["1012"] > 0.8 * CLIENTS * SWITCHES, "who was sending meanwhile may get a reset instead"
        assert host["messages"] > 100
        assert host["longest"] < 5, "one second where the machine has nothing else to do"


def test_a_rollback_to_another_kind(street: Street) -> None:
    """The release that played before has gunicorn or uwsgi, whatever the manifest says today."""
    deploy(street, **KINDS["gunicorn"])
    deploy(street, **KINDS["asgi"])
    with street.visited(f"{CORNER}/") as seen, street.visited(SLOW) as slow:
        plan = street.play("rollback", act="busker")
        assert street.play() == []
    assert plan == ["roll back sess busker (release)"]
    pleased(seen, CORNER)
    pleased(slow, CORNER, requests=3)
    for host, sess in zip(street.hosts, street.live("busker")):
        record = json.loads(host.read(f"/srv/backstage/stages/acts/busker/sesses/{sess}/sess.json"))
        assert record["stage"] == "gunicorn"
    with street.visited(f"{CORNER}/") as seen:
        street.play(backstage_unhold=["busker"])
    pleased(seen, CORNER)


def test_workers_beside_a_service(street: Street) -> None:
    street.acts["busker"]["workers"] = [WORKER]
    deploy(street, **KINDS["gunicorn"])
    said = street.try_to_play("status").printed
    assert said.count("worker: act busker, waits: working since") == len(street.hosts)
    del street.acts["busker"]["workers"]
    deploy(street, **KINDS["gunicorn"])


KILLED = [
    # (what is killed, a shell's words for its processes)
    ("main", "systemctl show -P MainPID {unit}"),
    ("worker", "pgrep -P $(systemctl show -P MainPID {unit}) | head -1"),
    ("all", "pgrep -u stages-busker"),
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
    for host_seen in seen:
        assert len(host_seen[CORNER].failed) <= 2, what


def test_back_to_uwsgi(street: Street) -> None:
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        deploy(street)
    pleased(seen, CORNER, SQUARE)
    pleased(slow, CORNER, requests=3)
    assert set(read(seen, CORNER, "act")[0]) == {"busker"}
    for host in street.hosts:
        assert host.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "backstage.stages.*") == ""
        assert host.sh("ls /etc/systemd/system | grep '^backstage.stages' || true") == ""

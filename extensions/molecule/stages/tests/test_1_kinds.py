# SPDX-License-Identifier: GPL-3.0-or-later
"""An Act changes its Stage kind and back, beside visitors who never stop asking: no request fails."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest
from chats import assert_back_at_once, chats
from faults.house import within
from restarts import restart
from street import CORNER, SQUARE, Crowd, Street, pleased, read

FULL = bool(os.environ.get("CAMPAIGN"))
SWITCHES = 11 if FULL else 3
SLOW = f"{CORNER}/slow/?seconds=1.5"
ACTS = "/srv/backstage/stages/acts"
KINDS: dict[str, dict[str, Any]] = {
    "gthread": {"stage": "gunicorn", "threads": 4},
    "sync": {"stage": "gunicorn", "worker_class": "sync", "processes": 4},
    "gevent": {"stage": "gunicorn", "worker_class": "gevent"},
    "asgi": {"stage": "asgi"},
}
WSGI = ["gthread", "sync", "gevent"] if FULL else ["gthread"]
KILLS = [*WSGI, "asgi"] if FULL else ["asgi"]
LIMITS = {"memory": "1G", "cpu": "150%", "tasks": 200}
HELD = {"MemoryMax": str(1 << 30), "MemorySwapMax": "0", "TasksMax": "200"}
EXPOSURE = 2.0
WORKER = {"name": "waits", "run": "python -c 'import time; time.sleep(9e5)'", "grace": 5}


def deploy(street: Street, kind: str = "", **more: Any) -> list[str]:
    street.sesses["busker"] = {"processes": 2, **KINDS.get(kind, {}), **more}
    return street.play()


def units(street: Street) -> list[str]:
    """Return the service of the busker on each host."""
    return [f"backstage.stages.busker.{sess}.service" for sess in street.live("busker")]


def stages(street: Street) -> set[str]:
    """Return the kinds that the busker plays by."""
    lives = zip(street.hosts, street.live("busker"))
    return {json.loads(host.read(f"{ACTS}/busker/sesses/{sess}/sess.json"))["stage"] for host, sess in lives}


def assert_pleased(seen: Crowd, slow: Crowd, about: str) -> None:
    for host, fast, late in zip(Street.hosts, seen, slow):
        asked = {venue: one.requests for venue, one in fast.items()}
        print(f"{host.name}, {about}: requests: {asked}, slow: {late[CORNER].requests}")
    pleased(seen, CORNER, SQUARE)
    pleased(slow, CORNER, requests=3)


@pytest.mark.parametrize("kind", WSGI)
def test_to_gunicorn_and_switches(street: Street, kind: str) -> None:
    """Another kind is another release, whose environment has the server; nginx speaks HTTP with it."""
    street.acts["busker"]["workers"] = [WORKER]
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        plan = deploy(street, kind, limits=LIMITS)
        restart(street, "busker", SWITCHES - 1)
    assert ("play sess busker (release)" in plan) == (kind != "sync"), "gthread and sync are one release"
    assert_pleased(seen, slow, kind)


def test_its_service_has_a_sandbox_and_limits(street: Street) -> None:
    """The kernel of the host decides whether it enforces them; systemd is told in any case."""
    for host, unit in zip(street.hosts, units(street)):
        said = host.run("systemd-analyze", "security", "--no-pager", unit)
        print(host.name, found := re.findall(r"level for \S+: ([0-9.]+)", said))
        assert [score for score in found if float(score) > EXPOSURE] == []
        assert len(found) == 1
        shown = host.run("systemctl", "show", f"--property=CPUQuotaPerSecUSec,{','.join(HELD)}", unit)
        held = dict(line.split("=", 1) for line in shown.splitlines())
        assert float(held.pop("CPUQuotaPerSecUSec").removesuffix("s")) == 1.5
        assert held == HELD


def test_nothing_is_left_to_be_done(street: Street) -> None:
    """The worker is a vassal of the emperor, and works beside the service."""
    assert street.play() == []
    said = street.try_to_play("status").printed
    assert said.count("busker: playing") == len(street.hosts)
    assert said.count("worker: act busker, waits: working since") == len(street.hosts)
    assert "drift:" not in said


def test_to_asgi_and_websockets_through_switches(street: Street) -> None:
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        deploy(street, "asgi")
        with chats(street) as talked:
            restart(street, "busker", SWITCHES)
    assert_pleased(seen, slow, "asgi")
    assert_back_at_once(talked, SWITCHES)


KILLED = {
    # what is killed: how a shell does it where $main is the service's main process
    "main": "kill -9 $main",
    "worker": "kill -9 $(pgrep -P $main | head -1)",
    "all": "pkill -9 -u stages-busker -f gunicorn",
}
# after the kill before this one systemd may not have started the server again, or the server no worker
KILL = """
for n in $(seq 600); do
  main=$(systemctl show -P MainPID {unit})
  if [ "$main" != 0 ] && {how}; then exit 0; fi
  sleep 0.1
done
exit 1
"""


@pytest.mark.parametrize(("kind", "what"), [(kind, what) for kind in KILLS for what in KILLED])
def test_kill_9(street: Street, kind: str, what: str) -> None:
    """PID 1 keeps the door: only what is being answered is lost."""
    if FULL and what == next(iter(KILLED)):
        deploy(street, kind)
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen:
        for host, unit in zip(street.hosts, units(street)):
            host.sh(KILL.format(unit=unit, how=KILLED[what]))
        assert within(60, lambda: {answer.status for answer in street.ask(CORNER)} == {200})
    pleased(seen, SQUARE, requests=1)  # a worker is soon replaced
    for on_host in seen:
        lost = on_host[CORNER].failed
        print(f"kill -9 of {what}, {kind}: {on_host[CORNER].requests} requests, lost: {lost}")
        assert len(lost) <= 2, (what, lost)


def test_back_to_uwsgi(street: Street) -> None:
    del street.acts["busker"]["workers"]
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        deploy(street)
    assert_pleased(seen, slow, "uwsgi")
    assert set(read(seen, CORNER, "act")[0]) == {"busker"}
    assert_no_units(street)


def test_a_rollback_to_another_kind_and_back(street: Street) -> None:
    """The release that played before was built for ASGI, and plays by it, whatever the manifest says today."""
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        plan = street.play("rollback", act="busker")
        kinds = stages(street)
        street.play(backstage_unhold=["busker"])
    assert plan == ["roll back sess busker (release)"]
    assert kinds == {"asgi"}
    assert stages(street) == {"uwsgi"}
    assert_pleased(seen, slow, "rollback to asgi, and uwsgi again")
    assert_no_units(street)
    assert street.play() == []


def assert_no_units(street: Street) -> None:
    for host in street.hosts:
        assert host.sh("ls /etc/systemd/system | grep '^backstage.stages.busker' || true") == ""
        running = host.run("systemctl", "list-units", "--plain", "--no-legend", "backstage.stages.busker.*")
        assert [line for line in running.splitlines() if " active " in line] == []

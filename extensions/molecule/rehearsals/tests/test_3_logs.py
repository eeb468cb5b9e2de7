# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook logs shows what an Act and its Venues logged. Rotation loses nothing."""

from __future__ import annotations

import re
import time
from typing import Any

from faults.controller import Run
from street import CORNER, SQUARE, Street

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} - "


def logs(street: Street, host: int = 0, **extra: Any) -> Run:
    run = street.try_to_play("logs", on=street.hosts[host], act="busker", **extra)
    assert run.code == 0, run.printed
    return run


def lines(run: Run) -> dict[str, list[str]]:
    return {log["title"]: log["lines"] for log in run.last["logs"]}


def test_logs_of_an_act_and_its_venues(street: Street) -> None:
    """The traceback of a failing request begins with its time and its page. Requests to other Acts are not shown."""
    street.ask(CORNER, "/slow/")  # it lacks an argument: KeyError
    street.ask(SQUARE, "/neighbour/")
    for number in (0, 1):
        found = lines(logs(street, number))
        own = "\n".join(found["busker"])
        assert re.search(STAMP + "GET '/slow/' failed\nTraceback", own)
        assert re.search(STAMP + "spawned uWSGI worker 1", own)
        assert any('"GET /slow/ HTTP/1.1" 500' in line for line in found[f"{CORNER}, requests"])
        assert not any("neighbour" in line for log in found.values() for line in log)
        assert street.acts["busker"]["secrets"]["SECRET_KEY"] not in str(found)


def test_the_last_lines_and_the_lines_since_a_time(street: Street) -> None:
    time.sleep(2)
    now = street.hosts[0].run("date", "+%Y-%m-%dT%H:%M:%S").strip()
    street.ask(CORNER, "/nowhere/")
    since = lines(logs(street, since=now))
    assert not any(re.match(STAMP, line) for line in since["busker"]), "what has no time may be of this one"
    (request,) = since[f"{CORNER}, requests"]
    assert '"GET /nowhere/ HTTP/1.1" 404' in request
    last = logs(street, lines=2)
    assert {len(log["lines"]) for log in last.last["logs"]} <= {0, 1, 2}
    assert lines(last)[f"{CORNER}, requests"][-1] == request
    assert "the last 2 lines\n" in last.printed
    assert len(lines(logs(street, since="1h"))["busker"]) > 5


def test_rotation_loses_nothing(street: Street) -> None:
    """Both logs are still written, keep their owners and modes, and the playbook reads the rotated files, too."""
    for number, host in enumerate(street.hosts):
        own, requests = "/var/log/backstage/street/busker.log", f"/var/log/nginx/backstage.street.{CORNER}.log"
        modes = host.sh(f"stat -c '%U:%G %a' {own} {requests}")
        before = lines(logs(street, number, lines=10000))
        host.sh("logrotate -f /etc/logrotate.conf")
        time.sleep(1)
        street.ask(CORNER, "/slow/")
        assert host.sh(f"stat -c '%U:%G %a' {own} {requests}") == modes
        assert host.run("grep", "-c", "GET '/slow/' failed", own).strip() == "1"
        assert host.run("head", "-c", "4", own).startswith("20"), "a hole, where the log was before"
        assert host.run("wc", "-l", requests).startswith("1 ")
        after = lines(logs(street, number, lines=10000))
        for title in ("busker", f"{CORNER}, requests"):
            assert after[title][: len(before[title])] == before[title]
            assert len(after[title]) > len(before[title])


def test_known_causes_are_named(street: Street) -> None:
    street.acts["busker"]["timeout"] = 1
    street.play()
    street.ask(CORNER, "/slow/?seconds=4")
    run = logs(street, since="2m")
    assert "known by sight: the request GET /slow/?seconds=4 took longer than 'timeout'" in run.printed
    street.acts["busker"].pop("timeout")
    street.play()

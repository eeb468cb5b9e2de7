# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests of the last hour, counted for the Act that plays at their path."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import server_block
from ansible_collections.backstage.django.plugins.module_utils.host import access_logs
from ansible_collections.backstage.django.plugins.module_utils.productions import traffic
from ansible_collections.backstage.django.plugins.module_utils.stages import door

VENUES: dict[str, Any] = {
    "a.example": {"gigs": [{"path": "/", "act": "kittens"}, {"path": "/dogs", "act": "dogs"}]},
    "b.example": {"gigs": [{"path": "/", "act": "kittens"}]},
    "c.example": {"gigs": []},
}
PORTS: dict[str, Any] = {"birds": {"path": "/", "port": 8001}}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(server_block, "LOGS", str(tmp_path))
    return tmp_path


def line(path: str, status: int = 200, ago: float = 60, agent: str = "Mozilla/5.0") -> str:
    at = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(time.time() - ago))
    return f'192.0.2.7 - - [{at}] "GET {path} HTTP/1.1" {status} 12 "-" "{agent}" 0123 0.001 0.001\n'


def write(venue: str, *lines: str) -> Path:
    path = Path(server_block.access_log("jazz", venue))
    path.write_text("".join(lines))
    return path


def counted() -> dict[str, tuple[int, int]]:
    return {act: (found.requests, found.errors) for act, found in traffic.of("jazz", VENUES, PORTS).items()}


def test_requests_belong_to_the_act_at_their_path() -> None:
    write("a.example", line("/"), line("/dogs"), line("/dogs?x=/", 500), line("/dogsled", 404), line("/", 502))
    write("b.example", line("/x"))
    write(server_block.port_name("birds"), line("/", 503))
    assert counted() == {"kittens": (4, 1), "dogs": (2, 1), "birds": (1, 1)}


def test_only_the_last_hour_counts() -> None:
    write("a.example", line("/", ago=4000), line("/", ago=3700), line("/", ago=3500), line("/"))
    assert counted()["kittens"] == (2, 0)
    since = traffic.of("jazz", VENUES, {})["kittens"].since
    assert since
    assert 3500 < (datetime.now(timezone.utc) - since).total_seconds() < 3700


def test_our_own_questions_are_no_visitors() -> None:
    write("a.example", line("/", agent=door.AGENT), line("/", agent="x " + door.AGENT))
    assert counted()["kittens"] == (1, 0)


def test_what_is_no_line_of_ours_is_nothing() -> None:
    """A visitor chooses the path and the user agent, and the end of a long log may begin inside a line."""
    write("a.example", "no line\n", line("/x\\x22 500 7 "), line("/", agent="\\x22 500 "), line("\\x16\\x03", 400))
    assert counted()["kittens"] == (2, 0)


def test_of_a_long_log_it_is_told_since_when_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a.example", *[line("/", ago=1000 - number) for number in range(100)])
    monkeypatch.setattr(access_logs, "MOST", path.stat().st_size // 2)
    found = traffic.of("jazz", VENUES, {})["kittens"]
    assert 45 < found.requests < 51
    assert found.since
    assert 900 < (datetime.now(timezone.utc) - found.since).total_seconds() < 1060


def test_an_act_at_several_venues_is_counted_since_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a.example", *[line("/", ago=1000 - number) for number in range(100)])
    monkeypatch.setattr(access_logs, "MOST", path.stat().st_size // 2)
    write("b.example", line("/"))
    found = traffic.of("jazz", VENUES, {})["kittens"]
    assert found.entry()["counted_since"]
    assert found.since
    assert (datetime.now(timezone.utc) - found.since).total_seconds() < 1060


def test_without_a_log_there_were_none() -> None:
    assert counted() == {"kittens": (0, 0), "dogs": (0, 0), "birds": (0, 0)}
    assert traffic.Traffic().entry() == {"requests": 0, "errors": 0, "counted_since": None}

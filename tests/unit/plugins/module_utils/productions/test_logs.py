# SPDX-License-Identifier: GPL-3.0-or-later
"""What an Act and its Venues logged, over rotated files and with the times of uWSGI and nginx."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Optional

import pytest
import yaml
from ansible_collections.backstage.django.plugins.module_utils.bookings import server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.server_block import Booked
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Venue
from ansible_collections.backstage.django.plugins.module_utils.productions import logs
from ansible_collections.backstage.django.plugins.modules import backstage_log_info

from ...house import KITTENS, House, wanted
from ...told import told

SECRET = "purr-purr-purr"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)
# as uWSGI, nginx's access log and its error log write them; between them what an Act prints
STARTED = "2026-11-21T10:00:00+0000 - spawned uWSGI worker 1 (pid: 4907, cores: 1)"
RESPAWNED = "2026-11-21T06:30:00-0500 - Respawned uWSGI worker 1 (new pid: 4913)"
TRACEBACK = ["Traceback (most recent call last):", '  File "a.py", line 1', f"KeyError: 'API_KEY' {SECRET}"]
REQUESTS = [
    '127.0.0.1 - - [21/Nov/2026:10:59:59 +0000] "GET /one/ HTTP/1.1" 200 4 "-" "curl"',
    '127.0.0.1 - - [21/Nov/2026:12:00:01 +0100] "GET /two/ HTTP/1.1" 200 4 "-" "curl"',
]
ERROR = '2026/11/21 {} [error] 7#7: *1 connect() failed, client: 127.0.0.1, server: {}, request: "GET / HTTP/1.1"'


@pytest.fixture
def somewhere() -> Iterator[None]:
    """A host whose clock is nine hours ahead of Greenwich."""
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    yield
    del os.environ["TZ"]
    time.tzset()


@pytest.fixture
def playing(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """kittens at two Venues, with logs; dogs at another one."""
    for module, name, value in (
        (server_block, "LOGS", str(house.root / "nginx")),
        (logs, "NGINX_ERRORS", str(house.root / "nginx" / "error.log")),
    ):
        monkeypatch.setattr(module, name, value)
    want = wanted(replace(KITTENS, secrets={"KEY": SECRET}))
    house.build(want.release)
    house.record(want)
    house.play(want)
    booked = Booked("kittens", "/", ("/static/",), (), 60)
    house.book(Venue("a.example", ["www.a.example"]), booked)
    house.book(Venue("b.example"), booked)
    house.book(Venue("d.example"), replace(booked, act="dogs"))
    house.record(wanted(Act("dogs", source=KITTENS.source)))
    (house.root / "nginx").mkdir()
    os.makedirs(house.paths.logs)
    write(house.act().log, STARTED, *TRACEBACK, RESPAWNED, "after it")
    write(server_block.access_log("jazz", "a.example"), *REQUESTS)
    names = ("a.example", "www.a.example", "d.example", "x-a.example", "b.example")
    write(logs.NGINX_ERRORS, *(ERROR.format(f"20:0{number}:00", name) for number, name in enumerate(names)))
    return house


def write(path: str, *lines: str) -> None:
    Path(path).write_text("".join(line + "\n" for line in lines))


def lines(found: dict[str, object]) -> dict[str, list[str]]:
    return {log["title"]: log["lines"] for log in found["logs"]}  # type: ignore[attr-defined]


def test_what_runs_did_is_shown(playing: House) -> None:
    write(playing.act().run_log, "2026-11-21T11:00:00+0000 ada: packages: 3.0 s", "2026-11-21T12:00:00+0000 ada: gate")
    assert lines(logs.report("jazz", "kittens", 100, None))["kittens, runs"][0].endswith("packages: 3.0 s")
    since = logs.since("2026-11-21T11:30Z")
    assert lines(logs.report("jazz", "kittens", 100, since))["kittens, runs"] == ["2026-11-21T12:00:00+0000 ada: gate"]


def test_all_of_an_act(playing: House, somewhere: None) -> None:
    found = logs.report("jazz", "kittens", 100, None)
    kittens, requests, none, errors = found["logs"]
    assert kittens["lines"] == [STARTED, *TRACEBACK[:2], "KeyError: 'API_KEY' ********", RESPAWNED, "after it"]
    assert (requests["title"], requests["lines"]) == ("a.example, requests", REQUESTS)
    assert (none["title"], none["lines"]) == ("b.example, requests", [])
    assert errors["title"] == "a.example, b.example, errors"
    assert [line.split("server: ")[1].split(",")[0] for line in errors["lines"]] == [
        "a.example",
        "www.a.example",
        "b.example",
    ]
    assert found["causes"] == ["the environment variable API_KEY is missing: add it to 'env' or 'secrets'"]
    assert f"==> kittens ({playing.act().log})\n{STARTED}\n" in found["stdout"]
    assert "b.example.log): nothing" in found["stdout"]
    assert found["stdout"].endswith(f"known by sight: {found['causes'][0]}")
    assert SECRET not in str(found)
    assert {*yaml.safe_load(backstage_log_info.RETURN)} == {*found}


def test_a_port_of_its_own(playing: House) -> None:
    """Its server has no name; another Act's port, and a request without a Host, are not its own."""
    playing.listen(8001, Booked("dogs", "/", (), (), 60))
    asked = [f'{ERROR.format("20:05:00", "")}, host: "{host}"' for host in ("localhost:8001", "localhost:8002", "a:80")]
    write(logs.NGINX_ERRORS, ERROR.format("20:04:00", "d.example"), *asked, ERROR.format("20:06:00", ""))
    write(server_block.access_log("jazz", "_dogs"), *REQUESTS)
    found = lines(logs.report("jazz", "dogs", 100, None))
    assert list(found) == ["dogs", "d.example, requests", "port 8001, requests", "d.example, port 8001, errors"]
    assert found["port 8001, requests"] == REQUESTS
    assert found["d.example, port 8001, errors"] == [ERROR.format("20:04:00", "d.example"), asked[0]]


def test_the_last_lines(playing: House) -> None:
    found = logs.report("jazz", "kittens", 1, None)
    assert lines(found)["kittens"] == ["after it"]
    assert [log["more"] for log in found["logs"]] == [True, True, False, True]
    assert f"==> kittens ({playing.act().log}): the last 1 lines\nafter it\n" in found["stdout"]


SINCE = [
    # (since, of the Act's own log, of the requests): never too little, in whatever zone a line was written
    ("2026-11-21 10:59Z", [*TRACEBACK, RESPAWNED, "after it"], REQUESTS),
    ("2026-11-21 11:00:00+00:00", [*TRACEBACK, RESPAWNED, "after it"], REQUESTS[1:]),
    ("2026-11-21T11:31Z", ["after it"], []),
    ("2026-11-21 09:00Z", [STARTED, *TRACEBACK, RESPAWNED, "after it"], REQUESTS),
]


@pytest.mark.parametrize(("text", "own", "requests"), SINCE)
def test_since(playing: House, text: str, own: list[str], requests: list[str]) -> None:
    found = lines(logs.report("jazz", "kittens", 100, logs.since(text)))
    assert [line.replace("********", SECRET) for line in found["kittens"]] == own
    assert found["a.example, requests"] == requests


def test_the_error_log_has_the_hosts_clock(playing: House, somewhere: None) -> None:
    found = logs.report("jazz", "kittens", 100, logs.since("2026-11-21 20:02"))
    assert len(lines(found)["a.example, b.example, errors"]) == 1
    assert found == logs.report("jazz", "kittens", 100, logs.since("2026-11-21T11:02:00Z"))


def test_what_was_rotated_away(playing: House) -> None:
    path = server_block.access_log("jazz", "a.example")
    write(path, REQUESTS[1])
    write(path + ".1", REQUESTS[0])
    with gzip.open(path + ".2.gz", "wt") as packed:
        packed.write("one\ntwo\n")
    log = logs.Log("requests", path, logs.requested)
    assert log.last(100, None) == (["one", "two", *REQUESTS], False)
    assert log.last(3, None) == (["two", *REQUESTS], True)
    assert log.last(100, logs.since("2026-11-21 11:00Z")) == (REQUESTS[1:], False)
    os.unlink(path)  # between two steps of a rotation
    assert log.last(1, None) == (REQUESTS[:1], True)


@pytest.mark.parametrize("size", [1, 5, 1000, logs._BLOCK - 1, logs._BLOCK, 3 * logs._BLOCK])
def test_long_lines_are_whole(tmp_path: Path, size: int) -> None:
    texts = [letter * size for letter in "abc"]
    write(str(tmp_path / "log"), *texts)
    assert logs.Log("log", str(tmp_path / "log"), logs.stamped).last(100, None) == (texts, False)
    with (tmp_path / "log").open("a") as file:
        file.write("unfinished")
    assert logs.Log("log", str(tmp_path / "log"), logs.stamped).last(2, None) == ([texts[-1], "unfinished"], True)


@pytest.mark.parametrize("text", ["", "\n", "\n\n", "a\n\nb\n", "\na", "a\n\n"])
def test_empty_lines_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """As they do in what was rotated away and packed."""
    (tmp_path / "log").write_text(text)
    with gzip.open(tmp_path / "packed.gz", "wt") as packed:
        packed.write(text)
    for block in (1, 2, 1 << 16):
        monkeypatch.setattr(logs, "_BLOCK", block)
        assert [*logs._lines(str(tmp_path / "log"))] == [*logs._lines(str(tmp_path / "packed.gz"))]
        assert [*logs._lines(str(tmp_path / "log"))] == text.splitlines()[::-1]


def test_a_log_is_read_so_far_and_no_farther(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_MOST", 10)
    write(str(tmp_path / "log"), "aaaa", "bbbb", "cccc")
    assert logs.Log("log", str(tmp_path / "log"), logs.stamped).last(100, None) == (["bbbb", "cccc"], False)


WHEN: list[tuple[str, Optional[str]]] = [
    ("30m", "2026-11-21T11:30:00+00:00"),
    ("2h", "2026-11-21T10:00:00+00:00"),
    ("1 d", "2026-11-20T12:00:00+00:00"),
    ("90s", "2026-11-21T11:58:30+00:00"),
    ("1w", "2026-11-14T12:00:00+00:00"),
    ("2026-11-21", "2026-11-20T15:00:00+00:00"),
    ("2026-11-21 10:00", "2026-11-21T01:00:00+00:00"),
    ("2026-11-21T10:00:05", "2026-11-21T01:00:05+00:00"),
    ("2026-11-21 10:00Z", "2026-11-21T10:00:00+00:00"),
    ("2026-11-21T10:00:00.5+02:00", "2026-11-21T08:00:00+00:00"),
    ("yesterday", None),
    ("2026-13-41 10:00", None),
    ("10:00", None),
    ("-1h", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "when"), WHEN)
def test_when(somewhere: None, text: str, when: Optional[str]) -> None:
    if when is None:
        assert "write how long ago" in told(logs.since, text, NOW)
    else:
        assert logs.since(text, NOW).isoformat() == when


STAMPS = [
    ("2026-11-21T10:00:00+0000 - spawned", True),
    ("2026-11-21T10:00:00Z GET /a/ failed:", True),
    ("2026-11-21 10:00:00,123 ERROR of the Act's own logging, in its own zone", False),
    ("2026-99-21T10:00:00+0000 - no time at all", False),
    ("Traceback (most recent call last):", False),
]


@pytest.mark.parametrize(("line", "known"), STAMPS)
def test_stamps_of_an_act(line: str, known: bool) -> None:
    assert (logs.stamped(line) is not None) is known


@pytest.mark.parametrize("count", [0, -1])
def test_no_lines(playing: House, count: int) -> None:
    said = f"lines: {count}: give how many are shown of each log, 1 or more"
    assert told(logs.report, "jazz", "kittens", count, None) == said


def test_an_act_that_is_not_there(playing: House) -> None:
    assert told(logs.report, "jazz", "birds", 1, None).endswith("known: dogs, kittens")
    assert told(logs.report, "swing", "birds", 1, None).endswith("known: none")


def test_an_act_that_was_removed_has_its_log_still(playing: House) -> None:
    assert lines(logs.report("jazz", "dogs", 1, None)) == {
        "dogs": [],
        "d.example, requests": [],
        "d.example, errors": [ERROR.format("20:02:00", "d.example")],
    }

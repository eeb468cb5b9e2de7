# SPDX-License-Identifier: GPL-3.0-or-later
"""Doors: requests as nginx makes them, and whether one is queued or being answered, by the kernel's own list."""

from __future__ import annotations

import os
import pwd
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.stages import door
from waiting import eventually

from ...servers import Variables, listening, read_request
from ...told import told

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"

ANSWERS = [
    # (what the door sends before it closes, what the gate makes of it)
    (OK + b"purr", (200, "", "purr")),
    (OK, (200, "", "")),
    (b"HTTP/1.1 302 Found\r\nA: b\r\nlocation:  /a?b:c \r\n\r\n", (302, "/a?b:c", "")),
    (b"HTTP/1.0 500 Internal Server Error\r\n\r\n<h1>", (500, "", "<h1>")),
    (b"HTTP/1.1 200\r\n\r\n", (200, "", "")),
    (OK + b"a\r\n\r\nb \xff", (200, "", "a\r\n\r\nb \ufffd")),
]
NO_ANSWERS = [b"", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\r\n\r\n", b"garbage"]


@contextmanager
def act(path: Path, answer: bytes) -> Iterator[list[Variables]]:
    """An Act that gives the same answer to all; what it was asked."""
    asked: list[Variables] = []

    def serve(client: socket.socket) -> None:
        asked.append({**read_request(client), "uid": str(peer_uid(client))})
        client.sendall(answer)

    with listening(path, serve):
        yield asked


def peer_uid(client: socket.socket) -> int:
    found: tuple[int, int, int] = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return found[1]


def ask(path: Path, url: str = "/", host: str = "a.example", scheme: str = "http", **more: Any) -> door.Answer:
    return door.ask(door.Door(str(path)), url, host, scheme, **{"timeout": 5, **more})


@pytest.mark.parametrize(("answer", "found"), ANSWERS)
def test_answer(place: Path, answer: bytes, found: tuple[int, str, str]) -> None:
    with act(place / "s", answer):
        assert ask(place / "s")[:3] == found


@pytest.mark.parametrize("answer", NO_ANSWERS)
def test_no_answer(place: Path, answer: bytes) -> None:
    with act(place / "s", answer):
        assert told(ask, place / "s") == "the answer was empty: the worker ended while it answered"


ASKED = [
    # (url, host, scheme, what the Act meets)
    ("/", "a.example", "http", {"PATH_INFO": "/", "QUERY_STRING": "", "SERVER_PORT": "80"}),
    ("/up/?a=1&b=%20", "a.example", "http", {"PATH_INFO": "/up/", "QUERY_STRING": "a=1&b=%20"}),
    ("/%C3%A4/", "a.example", "http", {"PATH_INFO": "/\u00e4/", "REQUEST_URI": "/%C3%A4/"}),  # decoded, as nginx does
    ("/", "a.example", "https", {"HTTP_X_FORWARDED_PROTO": "https", "SERVER_PORT": "443"}),
    (
        "/",
        "a.example:8080",
        "http",
        {
            "HTTP_HOST": "a.example:8080",
            "HTTP_X_FORWARDED_HOST": "a.example:8080",
            "SERVER_NAME": "a.example",
            "SERVER_PORT": "8080",
        },
    ),
]


@pytest.mark.parametrize(("url", "host", "scheme", "met"), ASKED)
def test_asked_as_nginx_asks(place: Path, url: str, host: str, scheme: str, met: Variables) -> None:
    with act(place / "s", OK) as asked:
        ask(place / "s", url, host, scheme)
    (found,) = asked
    always = {"REQUEST_METHOD": "GET", "REQUEST_URI": url, "HTTP_HOST": host, "SERVER_PROTOCOL": "HTTP/1.1"}
    always |= {"uid": str(pwd.getpwnam("www-data").pw_uid), "REMOTE_ADDR": "127.0.0.1"}
    assert {key: found[key] for key in {**always, **met}} == {**always, **met}


@pytest.mark.parametrize(("prefix", "url", "asked_for"), [("/blog", "/up/?a=1", "/blog/up/?a=1"), ("", "/up/", "/up/")])
def test_asked_below_a_path(place: Path, prefix: str, url: str, asked_for: str) -> None:
    with act(place / "s", OK) as asked:
        ask(place / "s", url, prefix=prefix)
    (found,) = asked
    assert (found.get("SCRIPT_NAME", ""), found["PATH_INFO"], found["REQUEST_URI"]) == (prefix, "/up/", asked_for)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
HTTP_ANSWERS = [
    # (what an HTTP door sends before it closes, the body)
    (OK + b"purr", "purr"),
    (CHUNKED + b"4\r\npurr\r\nA;x=y\r\n and again\r\n0\r\n\r\n", "purr and again"),
    (CHUNKED + b"4\r\npurr\r\nff\r\ncut", "purrcut"),
    (CHUNKED + b"no number\r\n", ""),
    (CHUNKED + b"-4\r\npurr", ""),
    (CHUNKED, ""),
]


@contextmanager
def http_act(path: Path, answer: bytes) -> Iterator[list[bytes]]:
    """An Act behind a door that speaks HTTP; what it was asked."""
    asked: list[bytes] = []

    def serve(client: socket.socket) -> None:
        asked.append(client.recv(1 << 16))
        client.sendall(answer)

    with listening(path, serve):
        yield asked


@pytest.mark.parametrize(("answer", "body"), HTTP_ANSWERS)
def test_answer_by_http(place: Path, answer: bytes, body: str) -> None:
    with http_act(place / "h", answer):
        found = door.ask(door.Door(str(place / "h"), "http"), "/", "a.example", "http", 5)
    assert (found.status, found.body) == (200, body)


def test_asked_by_http_as_nginx_asks(place: Path) -> None:
    with http_act(place / "h", OK) as asked:
        door.ask(door.Door(str(place / "h"), "http"), "/up/?a=%20", "a.example:8080", "https", 5, "/blog", "k=v")
    lines = asked[0].decode().split("\r\n")
    assert lines[0] == "GET /up/?a=%20 HTTP/1.1"
    assert sorted(lines[1:]) == [
        "",
        "",
        "Connection: close",
        "Cookie: k=v",
        "Host: a.example:8080",
        "User-Agent: Backstage health check",
        "X-Backstage-Prefix: /blog",
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Host: a.example:8080",
        "X-Forwarded-Proto: https",
        "X-Real-IP: 127.0.0.1",
    ]


def test_a_long_body_ends_somewhere(place: Path) -> None:
    with act(place / "s", OK + b"x" * (5 << 20)):
        answer = door.ask(door.Door(str(place / "s")), "/", "a.example", "http", 20)
    assert 1 << 19 < len(answer.body) < 2 << 20


@pytest.mark.parametrize("sends", [b"", OK[:20], OK + b"drop by drop"])
def test_fault_20_an_act_that_hangs(place: Path, sends: bytes) -> None:
    over = threading.Event()

    def serve(client: socket.socket) -> None:
        client.sendall(sends)
        over.wait(100)

    start = time.monotonic()
    with listening(place / "s", serve):
        assert told(ask, place / "s", timeout=0.3) == "no answer within 0 s"
        assert time.monotonic() - start < 60
        over.set()


def test_one_deadline_for_an_act_that_drips(place: Path) -> None:
    over = threading.Event()

    def serve(client: socket.socket) -> None:
        while not over.wait(0.05):
            try:
                client.sendall(b"x")
            except OSError:
                return

    start = time.monotonic()
    with listening(place / "s", serve):
        assert "no answer" in told(ask, place / "s", timeout=0.4)
        assert time.monotonic() - start < 60
        over.set()


def test_nobody_is_there(place: Path) -> None:
    assert "No such file" in told(ask, place / "s")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(place / "s"))
    (place / "s").chmod(0o666)
    assert "refused" in told(ask, place / "s")


def test_only_nginx_may_ask(place: Path) -> None:
    """The child that asks is www-data: a door that nginx could not use is found out here, not by visitors."""
    with act(place / "s", OK):
        (place / "s").chmod(0o600)
        assert "Permission denied" in told(ask, place / "s")


@contextmanager
def connected(path: Path, queued: int = 0, answered: int = 0) -> Iterator[None]:
    """A real listener with that many connections queued and accepted."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket(socket.AF_UNIX))
        server.bind(str(path))
        server.listen(16)
        for _number in range(answered + queued):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(str(path))
        for _number in range(answered):
            stack.enter_context(server.accept()[0])
        yield


BUSY = [(0, 0, False), (1, 0, True), (0, 1, True), (3, 2, True)]


@pytest.mark.parametrize(("queued", "answered", "busy"), BUSY)
def test_is_busy(place: Path, queued: int, answered: int, busy: bool) -> None:
    with connected(place / "s", queued, answered):
        assert door.is_busy(str(place / "s")) is busy
    assert door.is_busy(str(place / "s")) is False


def test_a_client_that_went_away_is_still_being_answered(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place / "s"))
        server.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(place / "s"))
            worker, _peer = server.accept()
        with worker:
            assert door.is_busy(str(place / "s")) is True
        assert door.is_busy(str(place / "s")) is False


def test_another_door_is_another_door(place: Path) -> None:
    for name in ("a", "a/b", "b", "with space"):
        (place / name).mkdir()
    with connected(place / "a" / "b" / "s", 1), connected(place / "with space" / "s", 1):
        assert door.is_busy(str(place / "a" / "b" / "s")) is True
        assert door.is_busy(str(place / "with space" / "s")) is True
        for other in (place / "b" / "s", place / "s", place / "a" / "b" / "s2", place / "a" / "b", Path("/b/s")):
            assert door.is_busy(str(other)) is False


def test_wait_idle(place: Path) -> None:
    (place / "door").mkdir()
    (place / "live").symlink_to("door")
    path = place / "door" / "s"
    with connected(path, answered=1):
        assert door.wait_idle(str(path), 0.3) is False
        assert door.wait_idle(str(place / "live" / "s"), 0.1) is False  # the kernel knows the real path only
    start = time.monotonic()
    assert door.wait_idle(str(path), 100) is True
    assert 0.2 <= time.monotonic() - start < 60


def test_wait_until_nothing_is_queued(place: Path) -> None:
    """Where the end of a Sess is graceful, what is being answered is not waited for."""
    with connected(place / "s", answered=1):
        assert door.wait_idle(str(place / "s"), 100, queued_only=True) is True
    os.unlink(place / "s")
    with connected(place / "s", queued=1):
        assert door.wait_idle(str(place / "s"), 0.3, queued_only=True) is False


def test_wait_idle_until_what_is_queued_was_answered(place: Path) -> None:
    end = threading.Event()

    def hold() -> None:
        with connected(place / "s", queued=1):
            end.wait(100)

    thread = threading.Thread(target=hold)
    thread.start()
    eventually(lambda: door.is_busy(str(place / "s")))
    start = time.monotonic()
    threading.Timer(0.4, end.set).start()
    assert door.wait_idle(str(place / "s"), 100) is True
    assert time.monotonic() - start > 0.5
    thread.join()
    os.unlink(place / "s")


class Jumping:
    """A clock on a machine so busy that each sleep of ours takes a second, of which something happens meanwhile."""

    def __init__(self, meanwhile: Iterator[Callable[[], object]]) -> None:
        self.now = 0.0
        self.meanwhile = meanwhile

    def monotonic(self) -> float:
        return self.now

    def sleep(self, _seconds: float) -> None:
        self.now += 1.0
        next(self.meanwhile, lambda: None)()


def test_a_door_that_was_busy_at_the_last_look_is_not_idle(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However late the process wakes: it takes two idle looks, and none between them that is busy."""
    path = place / "s"
    looks: list[bool] = []
    look = door.is_busy
    with ExitStack() as stack:
        request = stack.enter_context(connected(path, answered=1))
        assert request is None
        clock = Jumping(iter([lambda: None, lambda: None, stack.close]))
        monkeypatch.setattr(door, "time", clock)
        monkeypatch.setattr(door, "is_busy", lambda *asked: looks.append(look(*asked)) or looks[-1])
        assert door.wait_idle(str(path), 60) is True
    assert looks == [True, True, True, False, False]


def test_one_idle_look_is_not_enough(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that comes while the process sleeps is seen by the look after it."""
    path = place / "s"
    with ExitStack() as stack:
        monkeypatch.setattr(door, "time", Jumping(iter([lambda: stack.enter_context(connected(path, answered=1))])))
        assert door.wait_idle(str(path), 0.5) is False

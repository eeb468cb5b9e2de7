# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's nginx, a real one: tested before it is told, told without a request that meets the old configuration."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx
from waiting import eventually

from ...servers import Nginx, checker, free_port
from ...told import told

SERVER = "server {{ listen {port}; server_name a.example; return 200 {answer}; }}\n"
BROKEN = "server { listen 1; server_name a.example; nonsense on; }\n"


@pytest.fixture
def server(place: Path, nginx_program: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nginx]:
    """A running nginx with one file, which answers "old"."""
    monkeypatch.setattr(nginx, "_PID", str(place / "nginx.pid"))
    (place / "venues").mkdir()
    port = free_port()
    (place / "venues" / "a.conf").write_text(SERVER.format(port=port, answer="old"))
    with Nginx.running(nginx_program, place, str(place / "venues"), port) as running:
        yield running


@pytest.mark.usefixtures("nginx_program")
@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"a.conf": SERVER.format(port=1, answer="x")}, ""),
        ({}, ""),
        ({"a.conf": BROKEN}, "nginx refuses a.conf"),
        ({"a.conf": SERVER.format(port=1, answer="x"), "b.conf": BROKEN}, "nginx refuses a.conf, b.conf"),
        ({"a.conf": "server {"}, "nginx refuses a.conf"),
        ({"a.conf": f"server {{ server_name {'a' * 63}.example; }}"}, ""),  # as the http level allows it
    ],
)
def test_check_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: dict[str, str], said: str) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    assert told(nginx.check_alone, texts, "/dev/null").partition(": ")[0] == said
    assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.usefixtures("nginx_program")
def test_a_refusal_carries_nginxs_own_words() -> None:
    with pytest.raises(nginx.BackstageError) as refusal:
        nginx.check_alone({"a.conf": BROKEN}, "/dev/null")
    assert 'unknown directive "nonsense"' in refusal.value.log
    assert refusal.value.step == "nginx"


def test_check_of_another_main_file(server: Nginx) -> None:
    assert told(nginx.check, "its present configuration", str(server.main)) == ""
    (server.root / "venues" / "b.conf").write_text(BROKEN)
    said = told(nginx.check, "its present configuration", str(server.main))
    assert said == (
        f'nginx refuses its present configuration: unknown directive "nonsense" in {server.root}/venues/b.conf:1'
    )
    assert server.get("a.example")[2] == "old"


def test_after_a_reload_no_request_meets_the_old_configuration(server: Nginx) -> None:
    for answer in ("one", "two", "three"):
        (server.root / "venues" / "a.conf").write_text(SERVER.format(port=server.port, answer=answer))
        nginx.reload()
        assert {server.get("a.example")[2] for _request in range(40)} == {answer}


def is_accepted(client: socket.socket) -> bool:
    """Whether a worker has the connection: in the queue of the listener, it has no inode yet."""
    port = f":{client.getsockname()[1]:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[9] != "0" for row in rows if row[2].endswith(port)] == [True]


def test_a_reload_waits_for_no_request_that_is_being_answered(server: Nginx) -> None:
    """An old worker that is shutting down takes none; what it still answers may be a long download."""
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: a.ex")
        eventually(lambda: is_accepted(slow))
        (server.root / "venues" / "a.conf").write_text(SERVER.format(port=server.port, answer="new"))
        start = time.monotonic()
        nginx.reload()
        assert time.monotonic() - start < 25
        assert server.get("a.example")[2] == "new"
        slow.sendall(b"ample\r\nConnection: close\r\n\r\n")
        assert slow.makefile("rb").read().endswith(b"old")


def test_a_configuration_that_nginx_refuses_is_not_taken_up_for_ever(
    server: Nginx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The master keeps its workers: said, after a while, instead of waited for."""
    (server.root / "venues" / "a.conf").write_text(BROKEN)
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() * 20)
    assert told(nginx.reload) == "nginx did not take up its configuration within 30 s; see its error log"
    assert server.get("a.example")[2] == "old"


@pytest.mark.parametrize("text", [None, "", "abc", "0", "-1", "999999999"])
def test_nginx_is_not_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(nginx, "_PID", str(tmp_path / "pid"))
    if text is not None:
        (tmp_path / "pid").write_text(text)
    assert nginx.master() is None
    assert told(nginx.reload) == "nginx is not running: start the service nginx"
    assert nginx.is_stale(str(tmp_path)) is False


def test_the_pid_of_another_program_is_not_nginx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pid file that was left over: a SIGHUP would end whoever has this number now."""
    monkeypatch.setattr(nginx, "_PID", str(tmp_path / "pid"))
    (tmp_path / "pid").write_text(str(os.getpid()))
    assert nginx.master() is None


def test_is_stale(server: Nginx) -> None:
    """A run that was killed between writing and reloading: the next one knows."""
    venues = server.root / "venues"
    wait_a_tick()
    assert nginx.is_stale(str(venues)) is False
    for change in (
        lambda: (venues / "a.conf").write_text(SERVER.format(port=server.port, answer="new")),
        lambda: os.replace(venues / "a.conf", venues / "b.conf"),
        (venues / "b.conf").unlink,
    ):
        change()
        assert nginx.is_stale(str(venues)) is True
        nginx.reload()
        wait_a_tick()
        assert nginx.is_stale(str(venues)) is False


def wait_a_tick() -> None:
    """A process's start is known in ticks of 10 ms."""
    threading.Event().wait(0.05)


def test_read(server: Nginx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx, "_PROGRAM", checker(server.root, server.program, server.main))
    found = nginx.read()
    assert (found.fault, found.path, told(found.need_accepted, set())) == ("", "", "")
    assert {name for one in found.servers for name in one.names} == {"a.example"}
    path = str(server.root / "by-hand.conf")
    Path(path).write_text("# of somebody else\nnonsense;\n")
    found = nginx.read()
    assert (found.fault, found.path, found.servers) == (f'unknown directive "nonsense" in {path}:2', path, ())
    said = f'nginx refuses its configuration: unknown directive "nonsense" in {path}:2: mend it, then run again'
    assert told(found.need_accepted, set()) == said
    assert told(found.need_accepted, {path}) == "", "what will be written anew is no obstacle"


def test_read_a_configuration_that_is_long(server: Nginx, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand Venues are some megabytes, and what is by hand stands before them."""
    monkeypatch.setattr(nginx, "_PROGRAM", checker(server.root, server.program, server.main))
    (server.root / "by-hand.conf").write_text("# filling\n" * 100_000)
    assert {name for one in nginx.read().servers for name in one.names} == {"a.example"}


def test_read_where_nginx_was_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx, "_PROGRAM", "/nonexistent/nginx")
    assert nginx.read().fault == "/nonexistent/nginx is missing: run the playbook backstage.django.site first"

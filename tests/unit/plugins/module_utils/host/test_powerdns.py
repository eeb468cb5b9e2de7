# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role producer is told of its host."""

from __future__ import annotations

import ipaddress
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import powerdns

from ...powerdns import PowerDns

ALL = str(ipaddress.IPv4Address(0))
EVERYWHERE = [ALL, "::"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(powerdns, "DATABASE", str(tmp_path / "pdns.sqlite3"))
    monkeypatch.setattr(powerdns, "CONFIGURATION", str(tmp_path))
    (tmp_path / "pdns.d").mkdir()
    return tmp_path


def read(place: Path, listen: list[str], leaving: bool = False) -> tuple[dict[str, Any], list[str]]:
    asked = {"listen": listen, "ours": [str(place / "pdns.d/backstage.conf")], "key": str(place / "key")}
    return powerdns.read(asked, leaving)


def tables(place: Path, *zones: str) -> None:
    with closing(sqlite3.connect(place / "pdns.sqlite3")) as database:
        database.execute("CREATE TABLE domains (name)")
        database.executemany("INSERT INTO domains VALUES (?)", [(zone,) for zone in zones])
        database.commit()


def test_an_empty_host(place: Path) -> None:
    assert read(place, EVERYWHERE) == ({"database": False, "key": False, "zones": []}, [])


def test_what_was_made(place: Path) -> None:
    (place / "pdns.sqlite3").touch()
    (place / "key").touch()
    assert read(place, EVERYWHERE)[0] == {"database": False, "key": True, "zones": []}, "it has no tables yet"
    tables(place, "b.test", "a.test")
    assert read(place, EVERYWHERE)[0] == {"database": True, "key": True, "zones": ["a.test", "b.test"]}


def test_a_host_that_still_answers_is_not_left(place: Path) -> None:
    tables(place)
    assert read(place, EVERYWHERE, leaving=True)[1] == []
    (place / "pdns.sqlite3").unlink()
    tables(place, "a.test")
    assert "Still answering here for a.test. Remove them first" in read(place, EVERYWHERE, leaving=True)[1][0]


@pytest.mark.parametrize("text", ["launch=bind\n", "api=yes\nlaunch+=bind\n", " launch = bind\n"])
@pytest.mark.parametrize("name", ["pdns.conf", "pdns.d/mine.conf"])
def test_somebody_elses_server(name: str, text: str, place: Path) -> None:
    (place / name).write_text(text)
    assert f"{place / name} launches bind: this PowerDNS is somebody else's" in read(place, EVERYWHERE)[1][0]


@pytest.mark.parametrize(
    ("name", "text"), [("pdns.conf", "launch=\n# launch=bind\n"), ("pdns.d/backstage.conf", "launch=x")]
)
def test_what_launches_nothing_of_others(name: str, text: str, place: Path) -> None:
    (place / name).write_text(text)
    assert read(place, EVERYWHERE)[1] == []


def test_ports_of_a_powerdns_that_runs(tmp_path: Path, place: Path) -> None:
    """Whoever has them: the kernel does not say it of another user's process."""
    with PowerDns.running(tmp_path / "running", "127.0.0.1"):
        assert read(place, EVERYWHERE)[1] == []


@pytest.mark.parametrize(
    ("taken", "port", "listen", "refused"),
    [
        ("127.0.0.53", 53, EVERYWHERE, True),
        ("127.0.0.53", 53, ["192.0.2.1"], False),
        (ALL, 53, ["192.0.2.1"], True),
        ("127.0.0.1", 8081, ["192.0.2.1"], True),
    ],
)
def test_ports_of_others(taken: str, port: int, listen: list[str], refused: bool, place: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((taken, port))
        other.listen()
        found = read(place, listen)[1]
    assert bool(found) == refused
    assert not refused or f"Port {port} is taken by " in found[0]

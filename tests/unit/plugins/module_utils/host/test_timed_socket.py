# SPDX-License-Identifier: GPL-3.0-or-later
"""One deadline for a whole answer, whoever sends it a byte at a time (real sockets)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import visit
from ansible_collections.backstage.django.plugins.module_utils.stages import emperor

from ...house import House
from ...told import told


@contextmanager
def dripping(family: int, address: Any, begin: bytes) -> Iterator[Any]:
    """A server that sends the beginning, and then a byte whenever somebody might lose patience."""
    over = threading.Event()
    with socket.socket(family) as server:
        server.bind(address)
        server.listen()

        def serve() -> None:
            client, _peer = server.accept()
            with client:
                client.sendall(begin)
                while not over.wait(0.1):
                    try:
                        client.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()
        finally:
            over.set()
            thread.join()


BEGINNINGS = [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"]


@pytest.mark.parametrize("begin", BEGINNINGS)
def test_a_page_that_drips(house: House, begin: bytes) -> None:
    with dripping(socket.AF_INET, ("127.0.0.1", 0), begin) as (_host, port):
        start = time.monotonic()
        said = told(visit.get, replace(house.host, http_port=port), "a.example", "/", 0.5)
        assert time.monotonic() - start < 60
    assert said == f"http://a.example:{port}/ does not answer on this host (timed out)"


def test_an_emperor_that_drips(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emperor, "_WITHIN", 0.5)
    with dripping(socket.AF_UNIX, str(place / "s"), b"{"):
        start = time.monotonic()
        assert "does not answer at" in told(emperor.look, str(place / "s"))
        assert time.monotonic() - start < 60

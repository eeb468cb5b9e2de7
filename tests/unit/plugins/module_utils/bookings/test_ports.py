# SPDX-License-Identifier: GPL-3.0-or-later
"""Who listens on a port, by real sockets on every kind of address."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import ports
from ansible_collections.backstage.django.plugins.module_utils.host import processes

OWN = f"{Path('/proc/self/comm').read_text().strip()} (process {os.getpid()})"
ADDRESSES = [
    # (address, whether it is in the way of a listener on loopback)
    ("127.0.0.1", True),
    ("0.0.0.0", True),  # noqa: S104
    ("::1", True),
    ("::", True),
    ("::ffff:127.0.0.1", True),
    ("127.0.0.2", False),
]


@pytest.mark.parametrize(("address", "is_in_the_way"), ADDRESSES)
def test_holder(address: str, is_in_the_way: bool) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as server:
        server.bind((address, 0))
        port = server.getsockname()[1]
        assert ports.holder(port) == "", "bound, and not listening yet"
        server.listen()
        assert ports.holder(port) == (OWN if is_in_the_way else "")
    assert ports.holder(port) == ""


def test_a_connection_is_no_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert ports.holder(client.getsockname()[1]) == ""


def test_a_process_of_another_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its socket is in the list, and nobody's: as in a container that shares the host's network."""
    line = (
        "   0: 0100007F:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0"
    )
    monkeypatch.setattr(processes, "text_of", lambda path: f"header\n{line}\n" if path == "/proc/net/tcp" else "")
    assert ports.holder(8001) == "a process that can't be seen from here"
    assert ports.holder(8002) == ""

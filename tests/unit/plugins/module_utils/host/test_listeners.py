# SPDX-License-Identifier: GPL-3.0-or-later
"""Who listens on a port, by real sockets and by the kernel's table."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import listeners

COMM = Path("/proc/self/comm").read_text().strip()
ADDRESSES = [(socket.AF_INET, "127.0.0.2", listeners.TABLES[0]), (socket.AF_INET6, "::1", listeners.TABLES[1])]


@pytest.mark.parametrize(("family", "address", "table"), ADDRESSES)
def test_who_has_a_port(family: socket.AddressFamily, address: str, table: str) -> None:
    with socket.create_server((address, 0), family=family) as server:
        found = listeners.sockets(server.getsockname()[1], table)
        assert len(found) == 1
        assert listeners.holder(found, "nginx") == f"{COMM} (process {os.getpid()})"
        assert listeners.holder(found, COMM) == COMM
    assert listeners.sockets(server.fileno(), table) == set()


def test_nobody_has_it() -> None:
    assert listeners.holder(set(), "nginx") == ""
    assert listeners.holder({"socket:[0]"}, "nginx") == listeners.UNSEEN


def test_the_kernels_table(tmp_path: Path) -> None:
    """Only listening sockets count, only by their local port, and only on the addresses that are asked for."""
    table = tmp_path / "tcp"
    table.write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1\n"
        "   1: 0100007F:0050 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 222 1\n"
        "   2: 0100007F:D431 0100007F:0050 0A 00000000:00000000 00:00000000 00000000     0        0 333 1\n",
        encoding="utf-8",
    )
    assert listeners.sockets(80, str(table)) == {"socket:[111]"}
    assert listeners.sockets(80, str(table), {"0100007F"}) == set()

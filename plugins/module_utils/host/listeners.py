# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The processes that listen on a TCP port of this host, from the kernel's tables."""

from __future__ import annotations

import os
from collections.abc import Container
from typing import Optional

from . import processes

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
UNSEEN = "a process that can't be seen from here"
_LISTEN = "0A"  # the column st


def sockets(port: int, table: str, addresses: Optional[Container[str]] = None) -> set[str]:
    """Return the sockets of a table that listen on a port, as the links in /proc/PID/fd name them.

    Args:
        port: the port.
        table: one of TABLES.
        addresses: the addresses that count, as the table writes them; all addresses if it is None.
    """
    found = set()
    for line in processes.text_of(table).splitlines()[1:]:
        fields = line.split()
        address, _colon, number = fields[1].partition(":")
        if fields[3] == _LISTEN and int(number, 16) == port and (addresses is None or address in addresses):
            found.add(f"socket:[{fields[9]}]")
    return found


def holder(wanted: set[str], known: str) -> str:
    """Return the program that has one of these sockets, such as "apache2 (process 4711)"; empty if none has.

    Args:
        wanted: the sockets.
        known: a program that is returned without the number of its process.
    """
    for pid in filter(str.isdigit, os.listdir("/proc") if wanted else []):
        name = _holding(pid, wanted)
        if name:
            return name if name == known else f"{name} (process {pid})"
    return UNSEEN if wanted else ""


def _holding(pid: str, wanted: set[str]) -> str:
    """Return the name of a process if it has one of these sockets; else empty."""
    directory = f"/proc/{pid}/fd"
    try:
        if any(os.readlink(os.path.join(directory, name)) in wanted for name in os.listdir(directory)):
            return processes.text_of(f"/proc/{pid}/comm").strip()
    except OSError:
        pass  # the process has ended
    return ""

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who listens on a TCP port of this host, by the kernel's own list."""

from __future__ import annotations

import os

from ..host import files

NGINX = "nginx"
_LISTEN = "0A"  # the column st of /proc/net/tcp
# every address, and loopback: whoever has one of these is in the way of a listener on loopback
_IN_THE_WAY = {
    "/proc/net/tcp": {"00000000", "0100007F"},
    "/proc/net/tcp6": {"0" * 32, "0" * 24 + "01000000", "0" * 16 + "FFFF00000100007F"},
}


def holder(port: int) -> str:
    """Who listens on a port of loopback, such as "redis-server (process 4711)"; empty where nobody does."""
    sockets = {f"socket:[{inode}]" for table, addresses in _IN_THE_WAY.items() for inode in _on(port, table, addresses)}
    if not sockets:
        return ""
    for process in filter(str.isdigit, os.listdir("/proc")):
        name = _holding(process, sockets)
        if name:
            return NGINX if name == NGINX else f"{name} (process {process})"
    return "a process that can't be seen from here"


def _on(port: int, table: str, addresses: set[str]) -> list[str]:
    """The inodes of the sockets that listen there."""
    found = []
    for line in (files.read(table) or "").splitlines()[1:]:
        fields = line.split()
        address, _colon, number = fields[1].partition(":")
        if fields[3] == _LISTEN and int(number, 16) == port and address in addresses:
            found.append(fields[9])
    return found


def _holding(process: str, sockets: set[str]) -> str:
    """The name of a process that has one of these sockets; else empty."""
    directory = f"/proc/{process}/fd"
    try:
        if any(os.readlink(os.path.join(directory, name)) in sockets for name in os.listdir(directory)):
            return (files.read(f"/proc/{process}/comm") or "").strip()
    except OSError:
        pass  # it ended meanwhile
    return ""

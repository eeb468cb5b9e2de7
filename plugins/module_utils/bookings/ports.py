# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other programs that have the port of a Sess, which nginx opens on loopback."""

from __future__ import annotations

from ..host import listeners

NGINX = "nginx"
# every address, and loopback: whoever has one of these is in the way of a listener on loopback
_IN_THE_WAY = {
    "/proc/net/tcp": {"00000000", "0100007F"},
    "/proc/net/tcp6": {"0" * 32, "0" * 24 + "01000000", "0" * 16 + "FFFF00000100007F"},
}


def holder(port: int) -> str:
    """Return who listens on a port of loopback, such as "redis-server (process 4711)"; empty if nobody does."""
    found: set[str] = set()
    for table, addresses in _IN_THE_WAY.items():
        found |= listeners.sockets(port, table, addresses)
    return listeners.holder(found, NGINX)

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PowerDNS on this host: what the role producer has made, and what of somebody else's is in its way."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable
from typing import Any, Optional

from . import files, listeners, processes

DATABASE = "/var/lib/powerdns/pdns.sqlite3"
CONFIGURATION = "/etc/powerdns"
_PROGRAM = "pdns_server"
_PORTS = (53, 8081)
_ALL = (str(ipaddress.IPv4Address(0)), str(ipaddress.IPv6Address(0)))
_ALL_IN_TABLE = ("0" * 8, "0" * 32)
_LAUNCH = re.compile(r"^[ \t]*launch\+?[ \t]*=[ \t]*(\S+)", re.MULTILINE)


def read(asked: dict[str, Any], leaving: bool) -> tuple[dict[str, Any], list[str]]:
    """What the role has made, and what keeps it from running."""
    zones = zones_of(DATABASE)
    found = {"database": zones is not None, "key": os.path.exists(asked["key"]), "zones": zones or []}
    if leaving:
        cure = "Remove them first (pdnsutil delete-zone ZONE): nobody would answer for them."
        return found, [f"Still answering here for {', '.join(zones)}. {cure}"] if zones else []
    return found, [*_others(asked["ours"]), *_taken(asked["listen"])]


def zones_of(path: str) -> Optional[list[str]]:
    """The zones in a database of PowerDNS; None where it has no tables yet."""
    import sqlite3
    from contextlib import closing

    if not os.path.exists(path):
        return None
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'domains'").fetchall():
            return None
        return [name for (name,) in database.execute("SELECT name FROM domains ORDER BY name")]


def _others(ours: Iterable[str]) -> list[str]:
    """Somebody else's back ends: with them it is somebody else's server."""
    folder = f"{CONFIGURATION}/pdns.d"
    paths = [f"{CONFIGURATION}/pdns.conf", *(f"{folder}/{name}" for name in files.names_in(folder))]
    found = {path: _LAUNCH.search(files.read(path) or "") for path in paths if path not in ours}
    return [
        f"{path} launches {launch[1]}: this PowerDNS is somebody else's. Take the host out of backstage_producer, and "
        "give the URL and the key of its API in backstage_dns; or take the line out."
        for path, launch in found.items()
        if launch
    ]


def _taken(listen: Iterable[str]) -> list[str]:
    """Other programs on the ports of PowerDNS. One that has only its own address is in the way of all addresses.

    While PowerDNS runs, they are its own. The kernel may not show whose they are: it runs as another user.
    """
    if any(
        processes.text_of(f"/proc/{pid}/comm").strip() == _PROGRAM for pid in filter(str.isdigit, os.listdir("/proc"))
    ):
        return []
    everywhere = any(address in _ALL for address in listen)
    found = []
    for port in _PORTS:
        narrow = None if everywhere or port != 53 else _ALL_IN_TABLE
        sockets = {one for table in listeners.TABLES for one in listeners.sockets(port, table, narrow)}
        who = listeners.holder(sockets, _PROGRAM)
        if who:
            cure = ", or set producer_listen to other addresses" if port == 53 else ""
            found.append(f"Port {port} is taken by {who}. Stop it{cure}.")
    return found

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Sess that sleeps: the emperor listens at its door, starts it at a request, and keeps the door when it ends.

Beside its vassal, a file with the ending ``.door`` names the door (emperor-on-demand-extension of the role's ini). The
emperor never reports such a vassal as accepting, and reports the number of its last process when it has none.
"""

from __future__ import annotations

import os
import socket
import time
from typing import Optional

from ..host import caller, files
from ..host.errors import BackstageError
from . import door, emperor
from .emperor import Stats

ENDING = ".door"
ENDED = "the Sess ended while it started"


def file_of(link: str) -> str:
    """Return the file that names the door of a vassal."""
    return link + ENDING


def sleeps(link: str) -> bool:
    """Return whether a vassal is started at a request only."""
    return os.path.exists(file_of(link))


def hang(link: str, path: str) -> None:
    """Name the door of a vassal that the emperor does not have yet. uWSGI reads the whole file: no newline."""
    files.draft(file_of(link), path, 0o600)


def unhang(link: str) -> None:
    files.remove(file_of(link))


def sweep(vassals: str, prefix: str) -> None:
    """Remove the files that a killed run left without their vassal."""
    for name in files.names_in(vassals):
        if name.startswith(prefix) and name.endswith(".ini" + ENDING):
            link = os.path.join(vassals, name.removesuffix(ENDING))
            if not os.path.lexists(link):
                files.remove(os.path.join(vassals, name))


def is_awake(stats: Optional[Stats], name: str) -> bool:
    """Return whether a process of the vassal lives. The number may belong to another process by now."""
    found = stats.vassals.get(name) if stats else None
    return bool(stats and found and emperor.is_child(found.pid, stats.pid))


def wake(stats: str, name: str, path: str, timeout: float) -> None:
    """Have the emperor start a vassal, and wait until one of its workers takes a connection.

    Args:
        stats: the emperor's socket.
        name: the vassal.
        path: its door.
        timeout: seconds until it answers.

    Raises:
        BackstageError: it ended, was refused, or took too long. Its log shows the cause.
    """
    deadline = time.monotonic() + timeout
    _wait_for_door(stats, name, path, deadline)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(timeout)
        client.connect(path)
        _wait_for_worker(stats, name, path, deadline)


def _wait_for_door(stats: str, name: str, path: str, deadline: float) -> None:
    while time.monotonic() < deadline:
        seen = emperor.look(stats, name)
        if name in seen.blacklist:
            raise BackstageError(ENDED, step="start")
        if name in seen.vassals and os.path.exists(path):
            return
        time.sleep(0.03)
    raise BackstageError("the emperor did not open its door in time", step="start")


def _wait_for_worker(stats: str, name: str, path: str, deadline: float) -> None:
    """Wait until nobody is queued at the door: the one who is, is this run's own connection."""
    pid = 0
    while time.monotonic() < deadline:
        caller.check()
        if not door.is_queued(path):
            return
        seen = emperor.look(stats, name)
        found = seen.vassals.get(name)
        now = found.pid if found else 0
        # a vassal that ends while somebody waits is started again at once, under another number
        if name in seen.blacklist or (pid and (now != pid or not is_awake(seen, name))):
            raise BackstageError(ENDED, step="start")
        pid = now if is_awake(seen, name) else 0
        time.sleep(0.03)
    raise BackstageError("the Sess was not ready in time: raise health.timeout", step="start")

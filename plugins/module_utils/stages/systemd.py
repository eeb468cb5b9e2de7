# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""systemd as the runner of Sesses: what it says of their services, and what it is told."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..host import process, programs
from ..host.errors import BackstageError
from . import limits

_SHOWN = "--property=Id,ActiveState,MainPID"
ENDING = ".service"
WANTED_BY = {"socket": "sockets.target", "service": "multi-user.target"}
"""Unit -> the target that starts it at a boot."""


@dataclass(frozen=True)
class Unit:
    """One service.

    Args:
        state: its ActiveState.
        pid: its main process; 0 if it has none.
    """

    state: str
    pid: int


def runs() -> bool:
    """Return whether systemd is PID 1 of this host."""
    return os.path.isdir(limits.SYSTEMD)


def need(stage: str) -> None:
    """Refuse a host on which systemd is not PID 1.

    Raises:
        BackstageError: it names the kind.
    """
    if not runs():
        message = f"stage '{stage}' needs systemd, which is not PID 1 of this host: use stage 'uwsgi'"
        raise BackstageError(message, step="stage")


def services(pattern: str = "backstage.*") -> dict[str, Unit]:
    """Return the services of Sesses that systemd knows, by their names."""
    if not runs():
        return {}
    shown = programs.ask("systemctl", "show", _SHOWN, pattern + ENDING).out
    found = {}
    for block in shown.split("\n\n"):
        known = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        name = known.get("Id", "")
        if name.endswith(ENDING):
            found[name.removesuffix(ENDING)] = Unit(known.get("ActiveState", ""), int(known.get("MainPID") or 0))
    return found


def call(verb: str, *units: str, timeout: float, options: tuple[str, ...] = ()) -> process.Result:
    """Run systemctl for these units, and wait for its end."""
    return process.run(["systemctl", *options, verb, *units], timeout=timeout)

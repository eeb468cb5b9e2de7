# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""supervisor as the runner of Sesses: what it says of its programs, and what it is told."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass

from ..host import process
from ..host.errors import BackstageError

CONFIGURATION = "/etc/supervisor/supervisord.conf"
"""supervisorctl would look for one in its working directory first."""
_PROGRAM = "supervisorctl"
_STATUS = re.compile(r"^(backstage\.\S+):\S+\s+([A-Z]+)(?:\s+pid (\d+),)?", re.MULTILINE)
QUICK = 60
"""Seconds for what takes supervisor no time."""


@dataclass(frozen=True)
class Program:
    """One program.

    Args:
        state: its state, such as RUNNING or BACKOFF.
        pid: its process; 0 if it has none.
    """

    state: str
    pid: int


def need() -> None:
    """Refuse a host without supervisor.

    Raises:
        BackstageError: it is not installed.
    """
    if not (shutil.which(_PROGRAM, path=process.PATH) and os.path.exists(CONFIGURATION)):
        message = "manager 'supervisor' is not installed on this host: add its package, supervisor, to 'packages'"
        raise BackstageError(message, step="stage")


def programs(name: str = "") -> dict[str, Program]:
    """Return the programs of Sesses that supervisor has, by their names.

    Args:
        name: if given, only this one.
    """
    if not shutil.which(_PROGRAM, path=process.PATH):
        return {}
    said = _call("status", *([f"{name}:*"] if name else []), timeout=QUICK).out
    return {name: Program(state, int(pid or 0)) for name, state, pid in _STATUS.findall(said)}


def update(name: str, timeout: float) -> bool:
    """Have supervisor read its configuration, and start or stop a program as that says.

    Args:
        name: the program.
        timeout: the maximum number of seconds until a stopped program has ended.

    Returns:
        Whether that was in time.

    Raises:
        BackstageError: supervisor does not answer, or refuses its configuration.
    """
    for words in (("reread",), ("update", name)):
        done = _call(*words, timeout=timeout)
        if done.late:
            return False
        if not done.ok or "ERROR" in done.said:
            said = done.said.strip().splitlines() or ["it said nothing"]
            raise BackstageError(f"supervisor does not take its configuration: {said[-1]}", step="supervisor")
    return True


def kill(name: str) -> None:
    _call("signal", "KILL", f"{name}:*", timeout=QUICK)


def _call(*words: str, timeout: float) -> process.Result:
    return process.run([_PROGRAM, "-c", CONFIGURATION, *words], timeout=timeout)

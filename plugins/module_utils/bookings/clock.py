# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What starts the program backstage-bookings every minute: a timer of systemd, or cron where PID 1 is not systemd.

The role writes the units, and they are enabled on hosts with a Venue that has a schedule alone.
"""

from __future__ import annotations

import os

from ..host import files, process, programs
from ..host.errors import BackstageError
from ..host.facts import Host
from ..stages import timers
from ..state.plan import Step

NAME = "backstage-bookings"
TIMER = f"{NAME}.timer"
_CRON = """\
# {ownership}
SHELL=/bin/sh
PATH={path}
* * * * * root {program}
"""


def is_on(host: Host) -> bool:
    """Whether the program is started every minute, now and after a boot."""
    if os.path.isdir(timers.SYSTEMD):
        return _is_there() and programs.ask("systemctl", "is-active", "--quiet", TIMER).ok
    return files.read(_cron_path()) == _cron(host)


def _is_there() -> bool:
    if os.path.isdir(timers.SYSTEMD):
        return os.path.lexists(os.path.join(timers.UNITS, "timers.target.wants", TIMER))
    return os.path.lexists(_cron_path())


def _is_as(host: Host, is_used: bool) -> bool:
    return is_on(host) if is_used else not _is_there()


def steps(host: Host, is_used: bool) -> list[Step]:
    """The step after which it is started, or not any more."""
    if _is_as(host, is_used):
        return []
    return [Step("venue", "all", "start timer" if is_used else "stop timer", None, NAME)]


def apply(host: Host, is_used: bool) -> None:
    """Have it started, or not any more.

    Raises:
        BackstageError: something that it needs is missing on this host.
    """
    if _is_as(host, is_used):
        return
    if os.path.isdir(timers.SYSTEMD):
        _ask("enable" if is_used else "disable", "--now", "--quiet", TIMER)
    elif is_used:
        if not os.path.exists(timers.CRON_PROGRAM):
            said = "PID 1 is not systemd, and cron is missing: install the package cron"
            raise BackstageError(said, step="calendar")
        files.write(_cron_path(), _cron(host))
    else:
        files.remove(_cron_path())


def _cron_path() -> str:
    return os.path.join(timers.CRON, NAME)


def _cron(host: Host) -> str:
    return _CRON.format(ownership=files.OWNERSHIP, path=process.PATH, program=host.bookings)


def _ask(*words: str) -> None:
    found = programs.ask("systemctl", *words)
    if not found.ok:
        raise BackstageError(f"systemctl {' '.join(words)} failed: {found.said}", step="calendar")

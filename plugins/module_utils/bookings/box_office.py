# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show what is on now: link the server block that each Venue's schedule asks for, and have nginx read it.

A timer of the host runs this every minute, and nginx's unit before nginx starts. It needs no controller, and decides by
the clock alone: after a reboot, a clock change or a missed minute, the next run links what is right then.

On disk, below the directory ``calendar`` of the host's facts, each Venue has::

    PRODUCTION.VENUE/schedule.json    when which Act is on
    PRODUCTION.VENUE/ACT.conf         a server block for each variant, written and tested by a deploy
    PRODUCTION.VENUE/closed.html      the page while nobody is on, with what is on next
    PRODUCTION.VENUE/reopening.conf   the header Retry-After of that page

and ``venues/PRODUCTION.VENUE.conf`` is a link to one of the blocks.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import sys
from dataclasses import dataclass, field
from typing import Callable, Optional

from ..host import files, locks
from ..host.errors import BackstageError
from ..host.facts import Host
from ..host.layout import HOST_LOCK
from . import closed_page, nginx, schedule
from .schedule import Schedule

_PATIENCE = 10
"""Seconds to wait for a deploy; nginx waits for this program when it starts."""
_NOTICE = "<5>"
"""The prefix that gives a line its priority in the journal. The timer's unit logs nothing below it."""


@dataclass
class BoxOffice:
    """The Venues of a host whose Gigs have windows.

    Args:
        host: the host's facts.
        now: the moment that decides.
        say: takes a line for the log.
        moved: the links that this run changed, and their earlier targets.
    """

    host: Host
    now: dt.datetime
    say: Callable[[str], None]
    moved: dict[str, str] = field(default_factory=dict)

    def run(self) -> bool:
        """Link what is on, and have nginx read it; return whether all of it worked."""
        names = [name for name in files.names_in(self.host.calendar) if self._is_used(name)]
        results = [self._try(name) for name in names]
        return self._take_up(names, changed=True in results) and None not in results

    def _try(self, name: str) -> Optional[bool]:
        """Return whether something changed at a Venue; None if it failed. Other Venues are not affected."""
        try:
            return self._look(name)
        except (BackstageError, OSError, ValueError) as error:
            self.say(f"{name}: {error}; what is on there stays as it was")
            return None

    def _path(self, name: str, file: str = "") -> str:
        return os.path.join(self.host.calendar, name, file)

    def _link(self, name: str) -> str:
        return os.path.join(self.host.venues, f"{name}.conf")

    def _is_used(self, name: str) -> bool:
        """Return whether a deploy has finished a Venue's directory. nginx reads nothing there before that."""
        return os.path.lexists(self._path(name, schedule.FILE)) or (
            os.path.isdir(self._path(name)) and os.path.lexists(self._link(name))
        )

    def _look(self, name: str) -> bool:
        data = files.read_json(self._path(name, schedule.FILE))
        found = Schedule.of(data)
        acts = found.on(self.now)
        block = self._path(name, schedule.file_name(acts))
        if not os.path.exists(block):
            raise BackstageError(f"{block} is missing: deploy the Venue again")
        is_rewritten = None in acts and closed_page.write(self._path(name), self.host.pages, found, self.now)
        target = os.path.relpath(block, self.host.venues)
        before = files.link_target(self._link(name))
        if before == target:
            return is_rewritten
        if before is None:
            raise BackstageError(f"{self._link(name)} is no link: deploy the Venue again")
        files.link(self._link(name), target)
        self.moved[name] = before
        self.say(f"{name}: {', '.join(act for act in acts if act) or 'nobody'} is on")
        return True

    def _take_up(self, names: list[str], changed: bool) -> bool:
        if nginx.master() is None:
            return True  # nginx reads the links when it starts
        directories = [self.host.venues, *(self._path(name) for name in names)]
        if not changed and not any(nginx.is_stale(directory) for directory in directories):
            return True
        try:
            nginx.check("its configuration with what is on now")
            nginx.reload()
        except BackstageError as error:
            for name, target in self.moved.items():
                files.link(self._link(name), target)
            self.say(f"{error.message}; what is on stays as it was, and the next run tries again")
            return False
        return True


def main() -> int:
    """Run the program backstage-bookings; return its exit code."""
    host = Host.read()
    if not files.names_in(host.calendar):
        return 0  # before nginx starts, on a host without a calendar
    mark = _NOTICE if "JOURNAL_STREAM" in os.environ else ""

    def say(line: str) -> None:
        sys.stdout.write(f"{mark}{line}\n")
        sys.stdout.flush()

    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locks.held(HOST_LOCK, "backstage-bookings", _PATIENCE))
        except BackstageError as error:
            say(f"{error.message.partition(';')[0]}; the next run looks again")
            return 0
        return 0 if BoxOffice(host, dt.datetime.now(dt.timezone.utc), say).run() else 1

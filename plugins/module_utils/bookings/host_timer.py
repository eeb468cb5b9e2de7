# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start a program of the host at fixed times: by a timer of systemd, or by cron if PID 1 is not systemd.

The role writes the units. A deploy enables them on the hosts where a Production needs them.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass

from ..host import files, process, programs
from ..host.errors import BackstageError
from ..stages import timers

_CRON = """\
# {ownership}
SHELL=/bin/sh
PATH={path}
MAILTO=""
{fields} root {program} 2>&1 | logger -t {name}
"""


@dataclass(frozen=True)
class HostTimer:
    """A timer of the host.

    Args:
        name: the name of its units, without their suffix.
        program: what it starts.
        fields: when cron starts it.
        step: the step that a failure names.
    """

    name: str
    program: str
    fields: str
    step: str

    @property
    def is_on(self) -> bool:
        """Return whether the program is started, now and after a boot."""
        if os.path.isdir(timers.SYSTEMD):
            return self._is_there and programs.ask("systemctl", "is-active", "--quiet", f"{self.name}.timer").ok
        return files.read(self._cron_file) == self._cron

    @property
    def _is_there(self) -> bool:
        if os.path.isdir(timers.SYSTEMD):
            return os.path.lexists(os.path.join(timers.UNITS, "timers.target.wants", f"{self.name}.timer"))
        return os.path.lexists(self._cron_file)

    def is_as(self, on: bool) -> bool:
        """Return whether nothing has to be done to have it on or off."""
        return self.is_on if on else not self._is_there

    def switch(self, on: bool) -> None:
        """Start the program from now on, or no longer.

        Raises:
            BackstageError: something that it needs is missing on this host.
        """
        if self.is_as(on):
            return
        if os.path.isdir(timers.SYSTEMD):
            words = ("enable" if on else "disable", "--now", "--quiet", f"{self.name}.timer")
            found = programs.ask("systemctl", *words)
            if not found.ok:
                raise BackstageError(f"systemctl {' '.join(words)} failed: {found.said}", step=self.step)
            if not on:  # what systemd remembers of its last start
                files.remove(os.path.join(timers.STAMPS, f"stamp-{self.name}.timer"))
        elif not on:
            files.remove(self._cron_file)
        elif not os.path.exists(timers.CRON_PROGRAM):
            said = "PID 1 is not systemd, and cron is missing: install the package cron"
            raise BackstageError(said, step=self.step)
        else:
            files.write(self._cron_file, self._cron)

    @property
    def _cron_file(self) -> str:
        return os.path.join(timers.CRON, self.name)

    @property
    def _cron(self) -> str:
        told = {"path": process.PATH, "fields": self.fields, "program": self.program, "name": self.name}
        return _CRON.format(ownership=files.OWNERSHIP, **told)


def minute_of_host() -> int:
    """Return a minute of the hour that differs between hosts, so that they do not all ask an authority at once."""
    return zlib.crc32(os.uname().nodename.encode()) % 60

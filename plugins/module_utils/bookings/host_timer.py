# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What starts a program of the host from time to time: a timer of systemd, or cron where PID 1 is not systemd.

The role writes the units. They are enabled on hosts that need them alone, whichever Production that is.
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
        name: that of its units, without their suffix.
        program: what it starts.
        fields: when cron starts it.
    """

    name: str
    program: str
    fields: str

    @property
    def is_on(self) -> bool:
        if os.path.isdir(timers.SYSTEMD):
            return os.path.lexists(os.path.join(timers.UNITS, "timers.target.wants", f"{self.name}.timer"))
        return files.read(self._cron_file) == self._cron

    def switch(self, on: bool) -> None:
        """Have the program started, or not any more.

        Raises:
            BackstageError: something that it needs is missing on this host.
        """
        if on == self.is_on:
            return
        if os.path.isdir(timers.SYSTEMD):
            words = ("enable" if on else "disable", "--now", "--quiet", f"{self.name}.timer")
            found = programs.ask("systemctl", *words)
            if not found.ok:
                raise BackstageError(f"systemctl {' '.join(words)} failed: {found.said}", step="certificate")
            if not on:  # what systemd remembers of its last start
                files.remove(os.path.join(timers.STAMPS, f"stamp-{self.name}.timer"))
        elif not on:
            files.remove(self._cron_file)
        elif not os.path.exists(timers.CRON_PROGRAM):
            said = "PID 1 is not systemd, and cron is missing: install the package cron"
            raise BackstageError(said, step="certificate")
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
    """A minute of the hour that differs from host to host: authorities would rather not be asked by all at once."""
    return zlib.crc32(os.uname().nodename.encode()) % 60

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services of the host, with or without systemd: whether they run, and with which files."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, field
from typing import Any

from . import processes, programs

_SHOWN = "--property=LoadState,ActiveState,UnitFileState,MainPID,NeedDaemonReload"
_LEAVING = "shutting down"


@dataclass(frozen=True)
class Service:
    """A service that a role keeps.

    Args:
        name: its name.
        pidfile: its PID file, used if PID 1 is not systemd.
        files: the files that it reads at its start.
        workers: a part of the titles of the processes that read them, if these are its children.
    """

    name: str
    pidfile: str = ""
    files: list[str] = field(default_factory=list)
    workers: str = ""

    def state(self, systemd: bool) -> dict[str, Any]:
        """Return whether it is known, enabled and running, and whether it runs with its current files."""
        found = self._of_systemd() if systemd else self._of_script()
        pid = found.pop("pid")
        readers = serving(pid, self.workers) if self.workers else [pid]
        stale = found["running"] and any(processes.is_older(reader, self.files) for reader in readers)
        return {**found, "stale": stale}

    def _of_systemd(self) -> dict[str, Any]:
        shown = programs.ask("systemctl", "show", _SHOWN, self.name).out
        properties = {key: value for key, _equals, value in (line.partition("=") for line in shown.splitlines())}
        return {
            "known": properties.get("LoadState") == "loaded",
            "enabled": properties.get("UnitFileState") == "enabled",
            "running": properties.get("ActiveState") in ("active", "reloading"),
            "reread": properties.get("NeedDaemonReload") == "yes",
            "pid": int(properties.get("MainPID") or 0),
        }

    def _of_script(self) -> dict[str, Any]:
        script, pid = f"/etc/init.d/{self.name}", processes.text_of(self.pidfile).strip()
        known = os.path.exists(script)
        return {
            "known": known,
            "enabled": bool(glob.glob(f"/etc/rc[2-5].d/S[0-9][0-9]{self.name}")),
            "running": known and programs.ask(script, "status").ok,
            "reread": False,
            "pid": int(pid) if pid.isdigit() else 0,
        }


def serving(master: int, workers: str) -> list[int]:
    """Return the working children of a process, except those that shut down. A reload of nginx starts new ones."""
    found = processes.children(master)
    return [child for child, title in found.items() if workers in title and _LEAVING not in title]

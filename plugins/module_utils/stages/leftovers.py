# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that a stopped Sess has left: daemons of the Act, and workers that hang and lost their master.

An old and a new Sess run as the same user, and so do management commands. All their processes have a parent of another
user: the emperor or a module. A process that a Sess has left has no such parent: the first process above it with
another user is PID 1. Everything is read from files that root can read without CAP_SYS_PTRACE.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from typing import Callable, Optional

from ..host import files, names
from ..host.facts import Host
from ..host.process import User
from ..state.read import ActState
from . import kinds
from .interface import Look

TRIES = 200


@dataclass(frozen=True)
class Process:
    """A process in /proc.

    Args:
        pid: its number.
        parent: that of its parent.
        uids: its user ids.
        name: its name.
        is_alive: whether it is not a zombie.
        is_contained: whether it is in a container of this host, where its uid belongs to another user.
    """

    pid: int
    parent: int
    uids: frozenset[int]
    name: str
    is_alive: bool
    is_contained: bool

    @property
    def title(self) -> str:
        """Return its command line. uWSGI starts it with the name of the Sess."""
        return _text(self.pid, "cmdline").replace("\0", " ")

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


@dataclass(frozen=True)
class Left:
    """The conditions for a process that a Sess has left.

    Args:
        user: the player.
        emperor: the pid of the emperor, in whose service the Sesses run.
        before: it started before this moment, in the unit of started(); None for any time.
        title: or its title starts with this text.
        scope: or it is in the cgroup of the limits, whose name is this one and the number of a process.
    """

    user: User
    emperor: int
    before: Optional[int] = None
    title: str = ""
    scope: str = ""

    def find(self) -> list[Process]:
        """Return the processes that are left now."""
        every = {process.pid: process for process in _processes()}
        service = cgroup(self.emperor)
        return [
            process
            for process in every.values()
            if self._is_own(process) and _is_lost(process, every, self.user.uid) and self._is_meant(process, service)
        ]

    def _is_own(self, process: Process) -> bool:
        return self.user.uid in process.uids and process.is_alive and not process.is_contained

    def _is_meant(self, process: Process, service: str) -> bool:
        """Return whether it belonged to a stopped Sess. An administrator may run other services as this user."""
        own = cgroup(process.pid)
        if self.scope and os.path.basename(own).startswith(self.scope + "-"):
            return True
        if service.strip("/") and not (own + "/").startswith(service + "/"):
            return False
        if self.before is None or started(process.pid) < self.before:
            return True
        return bool(self.title) and process.title.startswith(self.title)

    def end(self) -> list[str]:
        """Kill them and return their names. A process that does not end is marked."""
        ended: dict[int, str] = {}
        found: list[Process] = []
        for _try in range(TRIES):
            found = self.find()
            if not found:
                break
            for number in (signal.SIGSTOP, signal.SIGKILL):  # a stopped process can't fork
                for process in found:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process.pid, number)
            ended.update((process.pid, str(process)) for process in found)
            time.sleep(0.01)
        alive = {process.pid for process in found}
        return [name + (", which does not end" if pid in alive else "") for pid, name in sorted(ended.items())]


def kill(sess: str, state: ActState, host: Host, warn: Callable[[str], None]) -> None:
    """Kill the processes that a stopped Sess has left in the emperor's service, with a warning that names them.

    Args:
        sess: the stopped Sess.
        state: its Act on disk.
        host: the host's facts.
        warn: takes the warning.
    """
    look, before = Look(host), None
    if look.emperor is None:
        return
    if state.live and state.live != sess:
        record = files.read_json(state.paths.sess(state.live).record) or {}
        stage = kinds.of_sess(record, host, state.paths)
        pid = stage.pid(state.live, look)
        if not pid and not stage.is_asleep(state.live, look):
            return  # nobody tells which processes are those of the Sess that plays
        before = started(pid) if pid else 0
    production, act = state.paths.production.name, state.paths.name
    left = Left(
        user=User.named(names.player(production, act)),
        emperor=look.emperor.pid,
        before=before,
        title=f"{production}/{act}/{sess} ",
        scope=names.scope(production, act, sess),
    )
    found = left.end()
    if found:
        warn(f"act {act}: Sess {sess} left processes, which were killed: {', '.join(found)}")


def started(pid: int) -> int:
    """Return when a process started, in the kernel's ticks since the boot; 0 if it has ended."""
    words = _text(pid, "stat").rpartition(")")[2].split()
    return int(words[19]) if len(words) > 19 else 0


def cgroup(pid: int) -> str:
    """Return the service of a process, from its cgroup; empty if it is not known."""
    for line in _text(pid, "cgroup").splitlines():
        _number, controllers, path = line.split(":", 2)
        if controllers in ("", "name=systemd"):
            return path
    return ""


def _is_lost(process: Process, every: dict[int, Process], uid: int) -> bool:
    """Return whether the first process above it with another user is PID 1."""
    above = every.get(process.parent)
    while above and above.pid != 1 and uid in above.uids:
        above = every.get(above.parent)
    return above is not None and above.pid == 1


def _processes() -> list[Process]:
    found = [_read(int(entry)) for entry in os.listdir("/proc") if entry.isdigit()]
    return [process for process in found if process]


def _read(pid: int) -> Optional[Process]:
    """Return a process; None if it has ended."""
    known = dict(line.split(":", 1) for line in _text(pid, "status").splitlines() if ":" in line)
    if "Uid" not in known:
        return None
    return Process(
        pid=pid,
        parent=int(known["PPid"]),
        uids=frozenset(map(int, known["Uid"].split())),
        name=known["Name"].strip(),
        is_alive=known["State"].split()[0] not in ("Z", "X"),
        is_contained=len(known.get("NSpid", "").split()) > 1,
    )


def _text(pid: int, name: str) -> str:
    """Return the text of a file of a process; empty if it has ended."""
    try:
        with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""

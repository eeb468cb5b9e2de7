# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and kill the processes of a system user.

Everything is read from /proc/PID/status and /proc/PID/uid_map, which root can read without
CAP_SYS_PTRACE (proc_pid_status(5), user_namespaces(7)). Root in a container often lacks it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time

from .errors import BackstageError
from .process import User
from .processes import text_of

_ATTEMPTS = 300
_PAUSE = 0.01


def end_all(user: User) -> None:
    """Kill every process of a user on this host.

    They are killed one by one. kill(-1) would also reach processes with the same uid in the containers
    of this host, where that uid belongs to somebody else.

    Raises:
        BackstageError: they do not end.
    """
    for _attempt in range(_ATTEMPTS):
        found = of(user.uid)
        if not found:
            return
        for number in (signal.SIGSTOP, signal.SIGKILL):  # a stopped process can't fork
            for pid in found:
                _send(pid, user.uid, number)
        time.sleep(_PAUSE)
    raise BackstageError(f"processes of the user '{user.name}' do not end: {', '.join(map(str, of(user.uid)))}")


def of(uid: int) -> list[int]:
    """Return the processes with a uid as their real, effective, saved or file system uid, except in containers."""
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _is_of(pid, uid)]


def _is_of(pid: int, uid: int) -> bool:
    status = _status(pid)
    if str(uid) not in status.get("Uid", "").split() or status.get("State", "").startswith("Z"):
        return False
    return not _is_in_container(pid, status)


def _is_in_container(pid: int, status: dict[str, str]) -> bool:
    """Return whether a process is in another PID namespace but in our user namespace. Only root makes such a container.

    A user without root needs a new user namespace to make a PID namespace. If it can't be determined, the process
    counts as one of this host.
    """
    nested = len(status.get("NSpid", "").split()) > 1
    return nested and _uid_map(str(pid)) == _uid_map("self") != ""


def _uid_map(pid: str) -> str:
    return " ".join(text_of(f"/proc/{pid}/uid_map").split())


def _status(pid: int) -> dict[str, str]:
    """Return the fields of a process; none if it has ended."""
    lines = (line.partition(":") for line in text_of(f"/proc/{pid}/status").splitlines())
    return {name: value.strip() for name, _colon, value in lines}


def _send(pid: int, uid: int, number: signal.Signals) -> None:
    """Send a signal to a process if it still belongs to the user, because its number may have been reused."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            if _is_of(pid, uid):
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)

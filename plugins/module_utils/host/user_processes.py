# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The processes of a system user: found and ended.

Everything is read from /proc/PID/status and /proc/PID/uid_map, which root can read without
CAP_SYS_PTRACE (proc_pid_status(5), user_namespaces(7)); a container's root often lacks that.
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

    One by one and not with kill(-1): that would reach the processes of the same uid in the containers
    of this host, where it belongs to somebody else.

    Raises:
        BackstageError: they do not end.
    """
    for _attempt in range(_ATTEMPTS):
        found = of(user.uid)
        if not found:
            return
        for number in (signal.SIGSTOP, signal.SIGKILL):  # what is stopped can't fork away
            for pid in found:
                _send(pid, user.uid, number)
        time.sleep(_PAUSE)
    raise BackstageError(f"processes of the user '{user.name}' do not end: {', '.join(map(str, of(user.uid)))}")


def of(uid: int) -> list[int]:
    """The processes that have a uid as their real, effective, saved or file system's, but for a container's."""
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _is_of(pid, uid)]


def _is_of(pid: int, uid: int) -> bool:
    status = _status(pid)
    if str(uid) not in status.get("Uid", "").split() or status.get("State", "").startswith("Z"):
        return False
    return not _is_in_container(pid, status)


def _is_in_container(pid: int, status: dict[str, str]) -> bool:
    """Whether a process is in another PID namespace, and in our user namespace: only root makes such a container.

    Who makes a PID namespace without being root needs a user namespace of its own for it. What can't be told
    counts as a process of this host.
    """
    nested = len(status.get("NSpid", "").split()) > 1
    return nested and _uid_map(str(pid)) == _uid_map("self") != ""


def _uid_map(pid: str) -> str:
    return " ".join(text_of(f"/proc/{pid}/uid_map").split())


def _status(pid: int) -> dict[str, str]:
    """The fields of a process; none where it has ended."""
    lines = (line.partition(":") for line in text_of(f"/proc/{pid}/status").splitlines())
    return {name: value.strip() for name, _colon, value in lines}


def _send(pid: int, uid: int, number: signal.Signals) -> None:
    """Send a signal to a process that is still the user's: its number may be another one's by now."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            if _is_of(pid, uid):
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)

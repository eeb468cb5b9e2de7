# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out whether the caller still waits for this module's result: a run ends with its connection.

Every wait of a run calls `check` at least once a second. A check ends a run only while it waits. An exception from a
signal handler could end it in the middle of a change.
"""

from __future__ import annotations

import os
import select
import signal
from types import FrameType
from typing import Any, Optional

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
CLEAN_UP = 60
"""The seconds that an abandoned run has to remove what it was making, before it is killed."""


class Abandoned(BaseException):
    """Nobody waits for this run any more.

    It derives from BaseException, so no handler turns it into the failure of one Act. Clean-up code runs.
    """


class _Watch:
    """What is known about the caller of this module. Before `watch` is called, nothing is checked."""

    def __init__(self) -> None:
        self.on = False
        self.signalled = ""
        self.before: dict[int, Any] = {}


_watch = _Watch()


def watch() -> None:
    """Start watching. The main function of a module that changes something calls this."""
    forget()
    _watch.on, _watch.signalled = True, ""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            _watch.before[number] = signal.signal(number, _note)


def forget() -> None:
    """Stop watching, in a child process, which its parent ends, and after the result is known."""
    if _watch.on:
        _watch.on = False
        while _watch.before:
            signal.signal(*_watch.before.popitem())


def check() -> None:
    """Check whether the run goes on.

    Raises:
        Abandoned: nobody waits for it. This is raised once, because clean-up code may wait, too, for a limited time.
    """
    why = _watch.on and (_watch.signalled or _gone())
    if why:
        forget()
        signal.alarm(CLEAN_UP)
        raise Abandoned(f"the run was ended on this host: {why}")


def _gone() -> str:
    """Return why the caller is gone: its pipe has no reader, or its terminal hung up. Output to a file never ends."""
    output = select.poll()
    output.register(1, 0)
    events = {event for _descriptor, event in output.poll(0)}
    return "its parent has gone" if any(event & (select.POLLERR | select.POLLHUP) for event in events) else ""


def _note(number: int, _frame: Optional[FrameType]) -> None:
    """Record the first signal, and restore the default action, so that a second one kills the module."""
    _watch.signalled = f"it was sent {signal.Signals(number).name}"
    signal.signal(number, signal.SIG_DFL)


def origin() -> str:
    """Return where this run comes from: the controller's address, or this host.

    sudo removes the variable of the ssh session, but a parent process still has it. Some hosts hide it from root.
    """
    pid, known = os.getpid(), True
    while pid > 1:
        address = _address(pid)
        if address:
            return f"from {address}"
        known = known and address is not None
        pid = _parent(pid)
    return "started on this host" if known else "from an address that this host does not show"


def _address(pid: int) -> Optional[str]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as environ:
            variables = dict(item.partition(b"=")[::2] for item in environ.read().split(b"\0"))
    except OSError:
        return None
    address, *_rest = variables.get(b"SSH_CONNECTION", b"").decode("ascii", "replace").split() or [""]
    return address


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0

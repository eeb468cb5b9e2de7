# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The processes of this host, read from /proc."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from typing import Optional

_TICKS = os.sysconf("SC_CLK_TCK")
_START = 19
"""The index of the start time among the fields of /proc/PID/stat after the name (proc_pid_stat(5))."""


def text_of(path: str) -> str:
    """Return the text of a file; empty if it can't be read, because files in /proc vanish with their process."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def here() -> Iterator[int]:
    """Yield the processes of this host, without those of containers, which /proc shows, too.

    A container's process has a number in more than one PID namespace (proc_pid_status(5), NSpid). Root can read that
    without CAP_SYS_PTRACE, which it lacks in most containers.
    """
    for entry in filter(str.isdigit, os.listdir("/proc")):
        numbers = re.search(r"^NSpid:(.*)$", text_of(f"/proc/{entry}/status"), re.MULTILINE)
        if numbers and len(numbers.group(1).split()) == 1:
            yield int(entry)


def arguments(pid: int) -> list[str]:
    """Return the command line of a process."""
    return text_of(f"/proc/{pid}/cmdline").rstrip("\0").split("\0")


def children(pid: int) -> dict[int, str]:
    """Return the children of a process, with their command lines."""
    found = text_of(f"/proc/{pid}/task/{pid}/children").split()
    return {int(child): " ".join(arguments(int(child))) for child in found}


def started(pid: int) -> Optional[float]:
    """Return when a process started, by the clock that stamps files; None if it has ended."""
    fields = text_of(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if len(fields) <= _START:
        return None
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return boot + int(fields[_START]) / _TICKS


def is_older(pid: int, paths: Iterable[str]) -> bool:
    """Return whether a process started before one of the files that it reads was last written."""
    since = started(pid)
    written = [os.stat(path).st_mtime for path in paths if os.path.exists(path)]
    # a time in the future, from a clock that was set back, would count as newer for ever
    return since is not None and any(since < moment <= time.time() for moment in written)

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many processes a Sess has, and how much memory they use."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import processes

_PRIVATE = re.compile(r"^(?:Pss|RssAnon):\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class Usage:
    """What a process and all its descendants use.

    Args:
        processes: their number.
        memory: in bytes. What several of them share is divided among them, where the kernel tells root so. Root of a
            container may lack that right (CAP_SYS_PTRACE): then what they share is counted for each of them.
    """

    processes: int
    memory: int


def of(pid: int) -> Usage:
    """Return what a process and its descendants use; nothing if there is none."""
    found = [one for one in _family(pid) if processes.text_of(f"/proc/{one}/status")] if pid > 1 else []
    return Usage(len(found), sum(map(_memory, found)))


def _family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    found, left = [], [pid]
    while left:
        one = left.pop()
        found.append(one)
        left += [child for child in processes.children(one) if child not in found]
    return found


def _memory(pid: int) -> int:
    for name in ("smaps_rollup", "status"):
        match = _PRIVATE.search(processes.text_of(f"/proc/{pid}/{name}"))
        if match:
            return int(match.group(1)) * 1024
    return 0

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of a Sess: what its start is told of them, and what the kernel says that it holds.

The role's backstage_limits.py puts a vassal under them. Nothing is remembered of that: whether they hold is read from
the process's cgroup, or from its own limits.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ..host import files
from ..host.processes import text_of
from ..manifest.checks import UNITS
from ..manifest.nouns import Limits
from . import emperor

PROC = "/proc"
CGROUPS = "/sys/fs/cgroup"
SYSTEMD = "/run/systemd/system"
EMPEROR_INI = emperor.INI
SLICE = "system.slice/system-backstage.slice"
CGROUP, RLIMITS, NONE = "cgroup", "rlimits", "none"
_CONTROLLERS = {"memory": "memory", "cpu": "cpu", "tasks": "pids"}
_RESTART = "run the playbook backstage.django.site with -e stage_restart_emperor=true"
_NO_SYSTEMD = "systemd is not PID 1 of this host"
_REACHED = {
    "memory": "processes of the Sess were killed since it started: {}; raise limits.memory, or find what takes so much",
    "tasks": "starts of processes or threads were refused since it started: {}; raise limits.tasks, or find what starts"
    " so many",
}


@dataclass(frozen=True)
class Held:
    """One limit as it is on the host.

    Args:
        key: memory, cpu or tasks.
        asked: as the manifest says.
        by: what holds it: cgroup, rlimits or none.
        why: why nothing does.
        used: bytes, or tasks, now; of cpu how much of its time it had to wait, in percent. None where nobody counts.
        reached: how often it was reached since the Sess started: processes that were killed, periods in which it had to
            wait, forks that were refused. None where nobody counts.
    """

    key: str
    asked: str
    by: str
    why: str = ""
    used: Optional[int] = None
    reached: Optional[int] = None

    def entry(self) -> dict[str, Any]:
        return {"asked": self.asked, "held_by": self.by, "why": self.why, "used": self.used, "reached": self.reached}

    def __str__(self) -> str:
        if self.used is None:
            return f"{self.key} {self.asked}"
        used = {"memory": f"{self.used >> 20}M used", "cpu": f"reached in {self.used}% of its time"}
        return f"{self.key} {self.asked}, {used.get(self.key, f'{self.used} used')}"


def numbers(limits: Limits) -> dict[str, int]:
    """The limits as the kernel counts: bytes, percent of one core, tasks."""
    found: dict[str, int] = {}
    if limits.memory:
        found["memory"] = int(limits.memory[:-1]) * UNITS[limits.memory[-1]]
    if limits.cpu:
        found["cpu"] = int(limits.cpu[:-1])
    if limits.tasks is not None:
        found["tasks"] = limits.tasks
    return found


def differences(wanted: Limits, before: Mapping[str, Any]) -> list[str]:
    """What differs from the limits that a record has, as a plan says it."""
    asked = wanted.given()
    keys = [key for key in sorted({*asked, *before}) if asked.get(key) != before.get(key)]
    return [f"limits.{key}: {before.get(key, 'none')} -> {asked.get(key, 'none')}" for key in keys]


def record(limits: Limits, scope: str, uid: int) -> str:
    """What the start of a Sess is told.

    Args:
        limits: what it may use.
        scope: what its cgroup is called.
        uid: its player.
    """
    return files.to_json({"scope": scope, "uid": uid, **numbers(limits)})


def look(asked: Mapping[str, Any], pid: int, emperor_pid: int) -> list[Held]:
    """What holds the limits of a Sess.

    Args:
        asked: the limits, as its record has them.
        pid: its first process; below 2 where there is none.
        emperor_pid: that of the emperor.
    """
    wanted = numbers(Limits(**asked))
    group = _cgroup(pid)
    return [_held(key, str(asked[key]), number, group, pid, emperor_pid) for key, number in wanted.items()]


def kills() -> int:
    """How many processes were killed for the memory limits of all Sesses of this host together: it only grows."""
    return _field(os.path.join(CGROUPS, SLICE), "memory.events", "oom_kill") or 0


def lines(act: str, held: list[Held]) -> list[str]:
    """For people: what holds the limits of an Act's Sess, what does not, and which were reached."""
    subject = f"limits: act {act}"
    by = {how: [one for one in held if one.by == how] for how in (CGROUP, RLIMITS)}
    found = [f"{subject}: held by {how}: {'; '.join(map(str, ones))}" for how, ones in by.items() if ones]
    if by[RLIMITS]:
        found[-1] += ", and as many more as the Act had when it started"
    found += [f"{subject}: not held: {what}: {why}" for what, why in _unheld(held, "{0.key} {0.asked}")]
    return found + [f"{subject}: {said}" for said in reached(held)]


def reached(held: Iterable[Held]) -> list[str]:
    """What happened at the limits, a sentence each with its cure. Waiting for the CPU is no event."""
    events = [one for one in held if one.reached and one.key in _REACHED]
    return [f"{one.key} {one.asked} was reached, and {_REACHED[one.key].format(one.reached)}" for one in events]


def warning(held: list[Held]) -> str:
    """What nothing holds, in one line; empty where all is held."""
    found = "; ".join(f"{what}: {why}" for what, why in _unheld(held, "limits.{0.key}"))
    return f"nothing on this host holds {found}" if found else ""


def _unheld(held: list[Held], form: str) -> Iterator[tuple[str, str]]:
    """What nothing holds, those together that have one reason."""
    whys = dict.fromkeys(one.why for one in held if one.by == NONE)
    for why in whys:
        yield ", ".join(form.format(one) for one in held if one.by == NONE and one.why == why), why


def _held(key: str, asked: str, number: int, group: str, pid: int, emperor_pid: int) -> Held:
    if pid < 2:
        return Held(key, asked, NONE, "it does not play")
    if group and _CHECKS[key](group, number):
        used, count = _USES[key](group)
        return Held(key, asked, CGROUP, used=used, reached=count)
    if key == "tasks" and _most_tasks(pid) != _most_tasks(emperor_pid):
        return Held(key, asked, RLIMITS)
    return Held(key, asked, NONE, _why(key, emperor_pid))


def _why(key: str, emperor_pid: int) -> str:
    """Why nothing holds a limit of a Sess that plays."""
    if not os.path.isdir(SYSTEMD):
        counted = ", and the kernel counts the tasks of the same user in other containers, too"
        return _NO_SYSTEMD + (counted if key == "tasks" else "")
    controllers = files.read(os.path.join(CGROUPS, "cgroup.controllers"))
    if controllers is None:
        return "this host has no cgroup v2"
    if _CONTROLLERS[key] not in controllers.split():
        return f"the kernel has no controller '{_CONTROLLERS[key]}' for this host"
    if "emperor-wrapper-override" not in (files.read(EMPEROR_INI) or ""):
        return f"this host's stage is of an earlier Backstage; {_RESTART}"
    if _started(emperor_pid) < os.stat(EMPEROR_INI).st_mtime:
        return f"the emperor started before it was told of limits; {_RESTART}"
    return "its start failed to get it a cgroup: the emperor's log says why"


def _cgroup(pid: int) -> str:
    """The directory of a process in cgroup v2; empty where it has none."""
    for line in text_of(os.path.join(PROC, str(pid), "cgroup")).splitlines():
        if line.startswith("0::/"):
            return os.path.join(CGROUPS, line[len("0::/") :])
    return ""


def _is_held_memory(group: str, number: int) -> bool:
    most = text_of(os.path.join(group, "memory.max")).strip()
    return most.isdigit() and int(most) <= number  # the kernel rounds it down to whole pages


def _is_held_cpu(group: str, number: int) -> bool:
    quota, period = (*text_of(os.path.join(group, "cpu.max")).split(), "", "")[:2]
    return quota.isdigit() and period.isdigit() and int(quota) * 100 <= number * int(period)


def _is_held_tasks(group: str, number: int) -> bool:
    most = text_of(os.path.join(group, "pids.max")).strip()
    return most.isdigit() and int(most) <= number


def _use_of_memory(group: str) -> tuple[Optional[int], Optional[int]]:
    return _number(group, "memory.current"), _field(group, "memory.events", "oom_kill")


def _use_of_cpu(group: str) -> tuple[Optional[int], Optional[int]]:
    periods, waited = _field(group, "cpu.stat", "nr_periods"), _field(group, "cpu.stat", "nr_throttled")
    return round(100 * (waited or 0) / periods) if periods else 0, waited


def _use_of_tasks(group: str) -> tuple[Optional[int], Optional[int]]:
    return _number(group, "pids.current"), _field(group, "pids.events", "max")


_CHECKS = {"memory": _is_held_memory, "cpu": _is_held_cpu, "tasks": _is_held_tasks}
_USES = {"memory": _use_of_memory, "cpu": _use_of_cpu, "tasks": _use_of_tasks}


def _number(group: str, name: str) -> Optional[int]:
    text = text_of(os.path.join(group, name)).strip()
    return int(text) if text.isdigit() else None


def _field(group: str, name: str, field: str) -> Optional[int]:
    for line in text_of(os.path.join(group, name)).splitlines():
        key, _blank, value = line.partition(" ")
        if key == field:
            return int(value)
    return None


def _most_tasks(pid: int) -> str:
    """The process's own limit of its user's tasks (RLIMIT_NPROC)."""
    for line in text_of(os.path.join(PROC, str(pid), "limits")).splitlines():
        if line.startswith("Max processes"):
            return line.split()[2]
    return ""


def _started(pid: int) -> float:
    """When a process was started, in seconds since 1970."""
    words = text_of(os.path.join(PROC, str(pid), "stat")).rpartition(")")[2].split()
    boot = _field(PROC, "stat", "btime") or 0
    return boot + int(words[19]) / os.sysconf("SC_CLK_TCK") if len(words) > 19 else 0.0

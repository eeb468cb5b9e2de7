# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of a Sess: what its start reads about them, and which of them the kernel enforces.

The role's backstage_limits.py applies them to a vassal. Whether they are enforced is always read from the process's
cgroup, or from its own limits.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ..host import files, names, process
from ..host.layout import Act as ActPaths
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
    """The state of one limit on the host.

    Args:
        key: memory, cpu or tasks.
        asked: the limit in the manifest.
        by: what enforces it: cgroup, rlimits or none.
        why: why nothing enforces it.
        used: bytes or tasks in use; for cpu the percentage of its time in which it had to wait. None if uncounted.
        reached: how often it was reached since the Sess started: killed processes, periods in which it had to wait, or
            refused forks. None if nothing counts it.
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
    """Return the limits in the kernel's units: bytes, percent of one core, tasks."""
    found: dict[str, int] = {}
    if limits.memory:
        found["memory"] = int(limits.memory[:-1]) * UNITS[limits.memory[-1]]
    if limits.cpu:
        found["cpu"] = int(limits.cpu[:-1])
    if limits.tasks is not None:
        found["tasks"] = limits.tasks
    return found


def differences(wanted: Limits, before: Mapping[str, Any]) -> list[str]:
    """Return the differences from the recorded limits, in the form of a plan."""
    asked = wanted.given()
    keys = [key for key in sorted({*asked, *before}) if asked.get(key) != before.get(key)]
    return [f"limits.{key}: {before.get(key, 'none')} -> {asked.get(key, 'none')}" for key in keys]


def record(limits: Limits, scope: str, uid: int) -> str:
    """Return the record that the start of a Sess reads.

    Args:
        limits: its limits.
        scope: the name of its cgroup.
        uid: the uid of its player.
    """
    return files.to_json({"scope": scope, "uid": uid, **numbers(limits)})


def record_of(limits: Limits, act: ActPaths, sess: str) -> Optional[str]:
    """Return the record of a Sess; None if it has no limits."""
    if not limits.given():
        return None
    production = act.production.name
    player = process.User.named(names.player(production, act.name))
    return record(limits, names.scope(production, act.name, sess), player.uid)


def look(asked: Mapping[str, Any], pid: int, emperor_pid: Optional[int]) -> list[Held]:
    """Return what enforces the limits of a Sess.

    Args:
        asked: the limits as recorded.
        pid: its first process; below 2 if there is none.
        emperor_pid: the pid of the emperor; None for a Sess that systemd runs.
    """
    wanted = numbers(Limits(**asked))
    group = _cgroup(pid)
    return [_held(key, str(asked[key]), number, group, pid, emperor_pid) for key, number in wanted.items()]


def kills() -> int:
    """Return the number of processes killed for the memory limits of all Sesses of this host. It only grows."""
    return _field(os.path.join(CGROUPS, SLICE), "memory.events", "oom_kill") or 0


def lines(act: str, held: list[Held]) -> list[str]:
    """Return lines for people: what enforces a Sess's limits, what is not enforced, and which were reached."""
    subject = f"limits: act {act}"
    by = {how: [one for one in held if one.by == how] for how in (CGROUP, RLIMITS)}
    found = [f"{subject}: held by {how}: {'; '.join(map(str, ones))}" for how, ones in by.items() if ones]
    if by[RLIMITS]:
        found[-1] += ", and as many more as the Act had when it started"
    found += [f"{subject}: not held: {what}: {why}" for what, why in _unheld(held, "{0.key} {0.asked}")]
    return found + [f"{subject}: {said}" for said in reached(held)]


def reached(held: Iterable[Held]) -> list[str]:
    """Return one sentence with its cure for each limit that was reached, except cpu."""
    events = [one for one in held if one.reached and one.key in _REACHED]
    return [f"{one.key} {one.asked} was reached, and {_REACHED[one.key].format(one.reached)}" for one in events]


def warning(held: list[Held]) -> str:
    """Return in one line what is not enforced; empty if all limits are."""
    found = "; ".join(f"{what}: {why}" for what, why in _unheld(held, "limits.{0.key}"))
    return f"nothing on this host holds {found}" if found else ""


def _unheld(held: list[Held], form: str) -> Iterator[tuple[str, str]]:
    """Yield the limits that nothing enforces, grouped by reason."""
    whys = dict.fromkeys(one.why for one in held if one.by == NONE)
    for why in whys:
        yield ", ".join(form.format(one) for one in held if one.by == NONE and one.why == why), why


def _held(key: str, asked: str, number: int, group: str, pid: int, emperor_pid: Optional[int]) -> Held:
    if pid < 2:
        return Held(key, asked, NONE, "it does not play")
    if group and _CHECKS[key](group, number):
        used, count = _USES[key](group)
        return Held(key, asked, CGROUP, used=used, reached=count)
    if key == "tasks" and emperor_pid is not None and _most_tasks(pid) != _most_tasks(emperor_pid):
        return Held(key, asked, RLIMITS)
    return Held(key, asked, NONE, _why(key, emperor_pid))


def _why(key: str, emperor_pid: Optional[int]) -> str:
    """Return why a limit of a Sess that plays is not enforced."""
    if not os.path.isdir(SYSTEMD):
        counted = ", and the kernel counts the tasks of the same user in other containers, too"
        return _NO_SYSTEMD + (counted if key == "tasks" else "")
    controllers = files.read(os.path.join(CGROUPS, "cgroup.controllers"))
    if controllers is None:
        return "this host has no cgroup v2"
    if _CONTROLLERS[key] not in controllers.split():
        return f"the kernel has no controller '{_CONTROLLERS[key]}' for this host"
    if emperor_pid is None:
        return "systemd did not apply it: 'systemctl status' of its service says why"
    if "emperor-wrapper-override" not in (files.read(EMPEROR_INI) or ""):
        return f"this host's stage is of an earlier Backstage; {_RESTART}"
    if _started(emperor_pid) < os.stat(EMPEROR_INI).st_mtime:
        return f"the emperor started before its configuration had limits; {_RESTART}"
    return "its start could not create a cgroup: the emperor's log says why"


def _cgroup(pid: int) -> str:
    """Return the cgroup v2 directory of a process; empty if it has none."""
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
    """Return the process's limit of tasks of its user (RLIMIT_NPROC)."""
    for line in text_of(os.path.join(PROC, str(pid), "limits")).splitlines():
        if line.startswith("Max processes"):
            return line.split()[2]
    return ""


def _started(pid: int) -> float:
    """Return when a process started, in seconds since 1970."""
    words = text_of(os.path.join(PROC, str(pid), "stat")).rpartition(")")[2].split()
    boot = _field(PROC, "stat", "btime") or 0
    return boot + int(words[19]) / os.sysconf("SC_CLK_TCK") if len(words) > 19 else 0.0

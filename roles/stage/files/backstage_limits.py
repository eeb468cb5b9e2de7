# Managed by Backstage (backstage.django): changes are overwritten.
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a vassal under the limits of its Sess, before it becomes uWSGI and forks workers.

backstage_limits.py PID LIMITS: run as root by backstage_vassal. LIMITS is a file that only root writes:

{"scope": "backstage-jazz-kittens-018ea27b9e62.2", "uid": 998, "memory": 536870912, "cpu": 50, "tasks": 100}

Where systemd runs and the kernel has cgroup v2, systemd makes a scope of its own for the process: a cgroup that all of
its children are in, and that goes when the last of them has ended. Without systemd the number of tasks is a limit of
the process (RLIMIT_NPROC). What can't be held is no reason not to play: it is said in the emperor's log, and the
playbook status reads from the kernel what holds.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

CONTROLLERS = "/sys/fs/cgroup/cgroup.controllers"
SYSTEMD = "/run/systemd/system"
SLICE = "system-backstage.slice"
MANAGER = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
PATIENCE = 20
"""Seconds for systemd: while the host boots it has much to do, and while the emperor stops it makes no scope."""
MOST_TASKS = 32768
FIRST_PIDS, FIRST_USERS = "pid:[4026531836]", "user:[4026531837]"  # linux/proc_ns.h: of the machine itself


def properties(limits: dict[str, Any], pid: int) -> list[str]:
    """What systemd is told of the scope, as busctl writes it."""
    found = [
        ("PIDs", "au", "1", str(pid)),
        ("Slice", "s", SLICE),
        ("Description", "s", f"{limits['scope']} under its limits"),
        # a kernel that kills one process for its memory leaves the master, which starts another worker
        ("OOMPolicy", "s", "continue"),
        # at shutdown the emperor lets its vassals finish first
        ("Before", "as", "1", "backstage-emperor.service"),
        ("CollectMode", "s", "inactive-or-failed"),
        # as in the emperor's own service
        ("DevicePolicy", "s", "closed"),
        ("TasksMax", "t", str(limits.get("tasks", MOST_TASKS))),
    ]
    if "memory" in limits:
        found += [("MemoryMax", "t", str(limits["memory"])), ("MemorySwapMax", "t", "0")]
    if "cpu" in limits:
        found.append(("CPUQuotaPerSecUSec", "t", str(limits["cpu"] * 10_000)))
    return [str(len(found)), *(word for one in found for word in one)]


def enter_scope(limits: dict[str, Any], pid: int) -> str:
    """Have systemd move the process into a scope with these limits; what went wrong, or nothing."""
    name = f"{limits['scope']}-{pid}.scope"
    until = time.monotonic() + PATIENCE
    refused = ask_systemd("StartTransientUnit", "ssa(sv)a(sa(sv))", name, "fail", *properties(limits, pid), "0")
    if refused:
        return refused
    while time.monotonic() < until:  # it answers before it has done it
        if cgroup(pid).endswith("/" + name):
            return ""
        time.sleep(0.02)
    # later it would move this process alone, whose workers are forked by then
    refused = ask_systemd("StopUnit", "ss", name, "replace")
    return "; ".join(filter(None, [f"systemd did not move it into its scope within {PATIENCE} s", refused]))


def ask_systemd(*words: str) -> str:
    """Call a method of its manager; what went wrong, or nothing."""
    call = ["busctl", f"--timeout={PATIENCE}", "--quiet", "call", *MANAGER, *words]
    try:
        asked = subprocess.run(call, capture_output=True, text=True, check=False, timeout=2 * PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"systemd could not be asked: {error}"
    return f"systemd made no scope: {asked.stderr.strip()}" if asked.returncode else ""


def cgroup(pid: int) -> str:
    """The path of a process in cgroup v2."""
    with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
        return next((line.strip()[3:] for line in file if line.startswith("0::")), "")


def limit_tasks(limits: dict[str, Any], pid: int) -> str:
    """Let the user have as many tasks more than it has now; what went wrong, or nothing.

    The kernel counts all tasks of a user: the Sess that plays, and a command beside it, must not keep a new one from
    starting.
    """
    if os.readlink("/proc/self/ns/pid") != FIRST_PIDS and os.readlink("/proc/self/ns/user") == FIRST_USERS:
        return "tasks can't be counted here: the kernel counts those of the same user in other containers, too"
    most = limits["tasks"] + tasks_of(limits["uid"])
    _soft, hard = resource.prlimit(pid, resource.RLIMIT_NPROC)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.prlimit(pid, resource.RLIMIT_NPROC, (most, most))
    return ""


def tasks_of(uid: int) -> int:
    """The processes and threads of a user."""
    found = 0
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/status", encoding="utf-8", errors="replace") as file:
                known = dict(line.split(":", 1) for line in file)
        except OSError:
            continue  # it ended meanwhile
        if int(known["Uid"].split()[0]) == uid:
            found += int(known.get("Threads", "1"))
    return found


def hold(limits: dict[str, Any], pid: int) -> str:
    """Put the process under its limits; what is not held, or nothing."""
    if not os.path.isdir(SYSTEMD):
        said = "without systemd nothing holds memory and cpu" if {"memory", "cpu"} & limits.keys() else ""
        return "; ".join(filter(None, [said, limit_tasks(limits, pid) if "tasks" in limits else ""]))
    if not os.path.exists(CONTROLLERS):
        return "this host has no cgroup v2"
    return enter_scope(limits, pid)


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as record:
        wanted = json.load(record)
    try:
        problem = hold(wanted, int(sys.argv[1]))
    except OSError as error:
        problem = str(error)
    if problem:
        print(f"{wanted['scope']}: its limits are not all held: {problem}", file=sys.stderr, flush=True)

# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of a kernel as is asked what holds the limits of a Sess: files below a temporary root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.stages import limits

EMPEROR = 1234
SCOPE = "backstage-jazz-kittens-aaaaaaaaaaaa.1"
FULL = {
    "memory.max": "536870912\n",
    "memory.current": "137363456\n",
    "memory.events": "low 0\nhigh 0\nmax 12\noom 3\noom_kill 3\n",
    "cpu.max": "50000 100000\n",
    "cpu.stat": "usage_usec 1000\nnr_periods 200\nnr_throttled 24\nthrottled_usec 99\n",
    "pids.max": "100\n",
    "pids.current": "7\n",
    "pids.events": "max 0\n",
}


class Kernel:
    """As much of /proc, /sys/fs/cgroup and /run as is asked."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, pid: int) -> None:
        self.root = root
        self.pid = pid
        self.group = root / "cgroup" / "system.slice" / "system-backstage.slice" / f"{SCOPE}-{pid}.scope"
        (root / "systemd").mkdir()
        (root / "cgroup").mkdir()
        (root / "cgroup" / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
        self.ini = root / "emperor.ini"
        self.ini.write_text("[uwsgi]\nemperor-wrapper-override = /usr/local/lib/backstage/vassal/backstage_vassal\n")
        for number in (pid, EMPEROR):
            (root / "proc" / str(number)).mkdir(parents=True)
            self.most(number, "unlimited")
        (root / "proc" / "stat").write_text("cpu 1\nbtime 1700000000\n")
        self.emperor_started(1_800_000_000)
        self.put({})
        places = {"PROC": "proc", "CGROUPS": "cgroup", "SYSTEMD": "systemd", "EMPEROR_INI": "emperor.ini"}
        for name, place in places.items():
            monkeypatch.setattr(limits, name, str(root / place))

    def most(self, pid: int, number: str) -> None:
        text = f"Limit           Soft Limit   Hard Limit   Units\nMax processes   {number}   {number}   processes\n"
        (self.root / "proc" / str(pid) / "limits").write_text(text)

    def emperor_started(self, at: int) -> None:
        ticks = (at - 1_700_000_000) * os.sysconf("SC_CLK_TCK")
        os.utime(self.ini, (1_800_000_000, 1_800_000_000))
        text = f"{EMPEROR} (uwsgi core) S {'0 ' * 18}{ticks} 0 0\n"
        (self.root / "proc" / str(EMPEROR) / "stat").write_text(text)

    def put(self, files: dict[str, str], group: bool = False) -> None:
        """The process into a cgroup with these files; without one it is the emperor's."""
        where = "/" + str(self.group.relative_to(self.root / "cgroup")) if group else "/system.slice/emperor.service"
        (self.root / "proc" / str(self.pid) / "cgroup").write_text(f"1:name=systemd:/\n0::{where}\n")
        self.group.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (self.group / name).write_text(text)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits of a Sess: what the Stage is told of them, and what the kernel says that it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Limits
from ansible_collections.backstage.django.plugins.module_utils.stages import limits

from ...kernels import EMPEROR, FULL, SCOPE, Kernel

PID = 4321
ALL = {"memory": "512M", "cpu": "50%", "tasks": 100}


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(tmp_path, monkeypatch, PID)


def look(asked: dict[str, Any]) -> dict[str, limits.Held]:
    return {one.key: one for one in limits.look(asked, PID, EMPEROR)}


def told(asked: dict[str, Any]) -> list[str]:
    return limits.lines("kittens", limits.look(asked, PID, EMPEROR))


def test_what_the_stage_is_told() -> None:
    text = limits.record(Limits(memory="2G", cpu="150%", tasks=100), SCOPE, 998)
    assert json.loads(text) == {"scope": SCOPE, "uid": 998, "memory": 2147483648, "cpu": 150, "tasks": 100}
    assert json.loads(limits.record(Limits(memory="33K"), SCOPE, 998)) == {"scope": SCOPE, "uid": 998, "memory": 33792}


def test_all_of_them_are_held_by_a_cgroup(kernel: Kernel) -> None:
    kernel.put(FULL, group=True)
    assert {key: (one.by, one.used, one.reached) for key, one in look(ALL).items()} == {
        "memory": ("cgroup", 137363456, 3),
        "cpu": ("cgroup", 12, 24),
        "tasks": ("cgroup", 7, 0),
    }
    assert told(ALL) == [
        "limits: act kittens: held by cgroup: memory 512M, 131M used; cpu 50%, reached in 12% of its time; tasks 100,"
        " 7 used",
        "limits: act kittens: memory 512M was reached, and processes of the Sess were killed since it started: 3; raise"
        " limits.memory, or find what takes so much",
    ]


def test_refused_forks_are_told(kernel: Kernel) -> None:
    kernel.put({**FULL, "pids.events": "max 41\n", "memory.events": "oom_kill 0\n"}, group=True)
    assert told({"tasks": 100}) == [
        "limits: act kittens: held by cgroup: tasks 100, 7 used",
        "limits: act kittens: tasks 100 was reached, and starts of processes or threads were refused since it started:"
        " 41; raise limits.tasks, or find what starts so many",
    ]


ROUNDED = [("memory", "33K", "memory.max", "32768"), ("cpu", "33%", "cpu.max", "33000 100000")]


@pytest.mark.parametrize(("key", "asked", "name", "found"), ROUNDED)
def test_what_the_kernel_rounds_is_held(kernel: Kernel, key: str, asked: str, name: str, found: str) -> None:
    kernel.put({**FULL, name: found}, group=True)
    assert look({key: asked})[key].by == "cgroup"


@pytest.mark.parametrize(("name", "found"), [("memory.max", "max"), ("memory.max", "999999999"), ("cpu.max", "max 1")])
def test_a_cgroup_that_allows_more_holds_nothing(kernel: Kernel, name: str, found: str) -> None:
    kernel.put({**FULL, name: found}, group=True)
    assert look(ALL)[name.partition(".")[0]].by == "none"


def test_without_the_controller_of_memory(kernel: Kernel) -> None:
    kernel.put({name: text for name, text in FULL.items() if not name.startswith("memory")}, group=True)
    (kernel.root / "cgroup" / "cgroup.controllers").write_text("cpu pids\n")
    assert told(ALL) == [
        "limits: act kittens: held by cgroup: cpu 50%, reached in 12% of its time; tasks 100, 7 used",
        "limits: act kittens: not held: memory 512M: the kernel has no controller 'memory' for this host",
    ]


def test_without_cgroup_v2(kernel: Kernel) -> None:
    (kernel.root / "cgroup" / "cgroup.controllers").unlink()
    assert told(ALL) == [
        "limits: act kittens: not held: memory 512M, cpu 50%, tasks 100: this host has no cgroup v2",
    ]


def test_without_systemd(kernel: Kernel) -> None:
    (kernel.root / "systemd").rmdir()
    assert told(ALL) == [
        "limits: act kittens: not held: memory 512M, cpu 50%: systemd is not PID 1 of this host",
        "limits: act kittens: not held: tasks 100: systemd is not PID 1 of this host, and the kernel counts the tasks"
        " of the same user in other containers, too",
    ]
    kernel.most(PID, "107")
    assert look(ALL)["tasks"].by == "rlimits"
    assert told({"tasks": 100}) == [
        "limits: act kittens: held by rlimits: tasks 100, and as many more as the Act had when it started",
    ]


def test_an_emperor_that_was_not_told(kernel: Kernel) -> None:
    restart = "run the playbook backstage.django.site with -e stage_restart_emperor=true"
    kernel.emperor_started(1_799_999_000)
    assert look(ALL)["cpu"].why == f"the emperor started before its configuration had limits; {restart}"
    kernel.ini.write_text("[uwsgi]\n")
    assert look(ALL)["cpu"].why == f"this host's stage is of an earlier Backstage; {restart}"


def test_a_scope_that_was_not_made(kernel: Kernel) -> None:
    kernel.emperor_started(1_800_000_100)
    assert look(ALL)["cpu"].why == "its start could not create a cgroup: the emperor's log says why"


def test_a_service_whose_limits_systemd_did_not_apply(kernel: Kernel) -> None:
    """A Sess that systemd runs has no emperor, whose configuration could be the reason."""
    kernel.ini.unlink()
    found = limits.look(ALL, PID, None)
    why = "systemd did not apply it: 'systemctl status' of its service says why"
    assert {(one.by, one.why) for one in found} == {("none", why)}
    kernel.put(FULL, group=True)
    assert {one.by for one in limits.look(ALL, PID, None)} == {"cgroup"}


def test_a_sess_that_does_not_play(kernel: Kernel) -> None:
    assert {one.why for one in limits.look(ALL, 0, EMPEROR)} == {"it does not play"}
    (kernel.root / "proc" / str(PID) / "cgroup").unlink()
    assert {one.by for one in limits.look(ALL, PID, EMPEROR)} == {"none"}


def test_kills_are_counted_for_all_sesses_together(kernel: Kernel) -> None:
    assert limits.kills() == 0
    (kernel.group.parent / "memory.events").write_text("oom 4\noom_kill 5\n")
    assert limits.kills() == 5


def test_what_is_not_held_is_one_warning(kernel: Kernel) -> None:
    kernel.put(FULL, group=True)
    assert limits.warning(limits.look(ALL, PID, EMPEROR)) == ""
    (kernel.root / "cgroup" / "cgroup.controllers").unlink()
    kernel.put({})
    assert limits.warning(limits.look(ALL, PID, EMPEROR)) == (
        "nothing on this host holds limits.memory, limits.cpu, limits.tasks: this host has no cgroup v2"
    )
    (kernel.root / "systemd").rmdir()
    assert limits.warning(limits.look(ALL, PID, EMPEROR)) == (
        "nothing on this host holds limits.memory, limits.cpu: systemd is not PID 1 of this host; limits.tasks: systemd"
        " is not PID 1 of this host, and the kernel counts the tasks of the same user in other containers, too"
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""A Sess with limits: what its start is told, what a change of them does, and what is said where nothing holds them."""

from __future__ import annotations

import json
import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.host import names
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Health, Limits, Sess
from ansible_collections.backstage.django.plugins.module_utils.productions import logs, reports
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses

from ...emperors import Emperor, purr
from ...house import KITTENS, A, House, wanted
from ...kernels import FULL, Kernel
from ...servers import Variables
from .wishes import asked_by

ACT = replace(KITTENS, secrets={}, timeout=5, health=Health(timeout=2))
NO_CGROUP = "act kittens: nothing on this host holds limits.memory: this host has no cgroup v2"


@pytest.fixture
def emperor(crewed: House) -> Iterator[Emperor]:
    acts.prepare(crewed.act())
    with Emperor(Path(crewed.host.vassals), Path(crewed.host.stats), log=Path(crewed.act().log)) as found:
        yield found


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(tmp_path, monkeypatch, os.getpid())


def play(house: House, limits: Limits) -> tuple[list[str], list[str]]:
    """Play with these limits; why that was needed, and the warnings."""
    warnings: list[str] = []
    wish = sesses.Want(Sess("kittens", limits=limits), wanted(ACT, play=A))
    changes = sesses.plan(wish, house.state(), house.host, warnings.append, asked_by(house))
    for change in changes:
        assert change.make
        change.make()
    return [line for change in changes for line in change.step.after["because"]], warnings


@pytest.mark.usefixtures("emperor")
def test_a_sess_with_limits(crewed: House, kernel: Kernel) -> None:
    crewed.build(A)
    kernel.put(FULL, group=True)
    asked = Limits(memory="512M", cpu="50%", tasks=100)
    assert play(crewed, asked) == (["nothing plays"], [])
    path = Path(crewed.act().sess(f"{A}.1").limits)
    about = path.stat()
    assert (stat.S_IMODE(about.st_mode), about.st_uid) == (0o600, 0)
    player = pwd.getpwnam(names.player(crewed.production, "kittens"))
    assert json.loads(path.read_text()) == {
        "scope": f"backstage-{crewed.production}-kittens-{A}.1",
        "uid": player.pw_uid,
        "memory": 512 << 20,
        "cpu": 50,
        "tasks": 100,
    }
    assert play(crewed, asked) == ([], []), "and nothing is left to be done"


@pytest.mark.usefixtures("emperor")
def test_a_change_of_limits_is_another_sess(crewed: House, kernel: Kernel) -> None:
    crewed.build(A)
    kernel.put(FULL, group=True)
    assert play(crewed, Limits()) == (["nothing plays"], [])
    assert not os.path.exists(crewed.act().sess(f"{A}.1").limits)
    because, _warnings = play(crewed, Limits(memory="512M", tasks=100))
    assert because == ["limits.memory: none -> 512M", "limits.tasks: none -> 100"]
    assert play(crewed, Limits(memory="1G")) == (["limits.memory: 512M -> 1G", "limits.tasks: 100 -> none"], [])
    assert crewed.state().live == f"{A}.3"


@pytest.mark.usefixtures("emperor", "kernel")
def test_a_sess_of_an_earlier_backstage_plays_on(crewed: House) -> None:
    crewed.build(A)
    play(crewed, Limits())
    record = Path(crewed.act().sess(f"{A}.1").record)
    known = json.loads(record.read_text())
    assert known.pop("limits") == {}
    record.write_text(json.dumps(known))
    assert play(crewed, Limits()) == ([], [])


@pytest.mark.usefixtures("emperor")
def test_limits_that_a_hand_has_changed(crewed: House, kernel: Kernel) -> None:
    crewed.build(A)
    kernel.put(FULL, group=True)
    play(crewed, Limits(tasks=100))
    path = Path(crewed.act().sess(f"{A}.1").limits)
    path.write_text(path.read_text().replace("100", "1000"))
    assert play(crewed, Limits(tasks=100)) == (["limits.json"], [])
    Path(crewed.act().sess(f"{A}.2").limits).unlink()
    assert play(crewed, Limits(tasks=100)) == (["limits.json"], [])


@pytest.mark.usefixtures("emperor")
def test_a_host_that_can_not_hold_them(crewed: House, kernel: Kernel) -> None:
    """It warns in one line and plays; status says it as long as it is so, and the change is told once."""
    crewed.build(A)
    (kernel.root / "cgroup" / "cgroup.controllers").unlink()
    assert play(crewed, Limits(memory="512M")) == (["nothing plays"], [NO_CGROUP])
    assert play(crewed, Limits(memory="512M")) == ([], [])
    found = reports.report(crewed.production)
    assert found["sesses"]["kittens"]["limits"] == {
        "memory": {
            "asked": "512M", "held_by": "none", "why": "this host has no cgroup v2", "used": None, "reached": None
        }
    }  # fmt: skip
    assert found["limits"] == ["limits: act kittens: not held: memory 512M: this host has no cgroup v2"]
    assert found["limits"][0] in reports.shown(found)["stdout_lines"]


@pytest.mark.usefixtures("emperor")
def test_killed_processes_are_reported(crewed: House, kernel: Kernel) -> None:
    crewed.build(A)
    kernel.put(FULL, group=True)
    play(crewed, Limits(memory="512M"))
    said = (
        "memory 512M was reached, and processes of the Sess were killed since it started: 3; raise limits.memory, or"
        " find what takes so much"
    )
    assert f"limits: act kittens: {said}" in reports.report(crewed.production)["limits"]
    assert logs.report(crewed.production, "kittens", 10, None)["causes"] == [said]


def test_a_sess_that_is_killed_while_it_starts(crewed: House, kernel: Kernel, emperor: Emperor) -> None:
    crewed.build(A)
    kernel.put(FULL, group=True)
    events = kernel.group.parent / "memory.events"
    events.write_text("oom_kill 7\n")

    def killed(_asked: Variables) -> str:
        events.write_text("oom_kill 8\n")
        return ""

    emperor.answer = killed
    said = "limits.memory (64M) was reached, and the kernel killed it: raise limits.memory"
    with pytest.raises(BackstageError, match="was reached") as failure:
        play(crewed, Limits(memory="64M"))
    assert failure.value.message == said
    with pytest.raises(BackstageError, match="the answer was empty"):
        play(crewed, Limits(tasks=100))
    emperor.answer = purr
    assert play(crewed, Limits(tasks=100)) == (["nothing plays"], [])

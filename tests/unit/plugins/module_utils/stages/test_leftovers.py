# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Sess has left, told from what plays and from what an administrator runs, with real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import process
from ansible_collections.backstage.django.plugins.module_utils.stages import leftovers
from ansible_collections.backstage.django.plugins.module_utils.stages.leftovers import Left, started
from waiting import eventually

from ...conftest import Crew

DAEMON = "(setsid sleep 71 & echo $!)"  # its parent ends at once
CHILD = "sleep 71 & echo $!; wait"


@contextlib.contextmanager
def run(user: process.User, script: str) -> Iterator[int]:
    """Run a script as this user; the process that it names."""
    who: dict[str, Any] = {"user": user.uid, "group": user.gid, "extra_groups": [user.gid]}
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True, cwd="/", **who) as shell:
        assert shell.stdout
        found = int(shell.stdout.readline())
        try:
            eventually(lambda: Path(f"/proc/{found}/comm").read_text() == "sleep\n")
            if not script.endswith("wait"):
                shell.wait()  # else it is still the parent on a busy machine
            yield found
        finally:
            shell.kill()
            with contextlib.suppress(ProcessLookupError):
                os.kill(found, signal.SIGKILL)


def lives(pid: int) -> bool:
    stat = leftovers._text(pid, "stat")
    return bool(stat) and stat.rpartition(")")[2].split()[0] != "Z"


def test_a_daemon_is_ended(crew: Crew) -> None:
    with run(crew.player, DAEMON) as pid, run(crew.builder, DAEMON) as other:
        assert Left(crew.player, 0).end() == [f"sleep (pid {pid})"]
        assert (lives(pid), lives(other)) == (False, True), "another user's process is nobody's business"


def test_a_process_with_a_parent_stays(crew: Crew) -> None:
    """A management command below a module, and a worker below the emperor: the process above them is root's."""
    with run(crew.player, CHILD) as pid:
        assert Left(crew.player, 0).end() == []
        assert lives(pid)


def test_below_a_daemon(crew: Crew) -> None:
    """Its children are left as well, whatever they did to their session."""
    with run(crew.player, f"(setsid sh -c '{CHILD}' & )") as pid:
        assert len(Left(crew.player, 0).end()) == 2
        assert not lives(pid)


def test_processes_of_the_sess_that_plays_stay(crew: Crew) -> None:
    with run(crew.player, DAEMON) as old:
        time.sleep(0.1)
        with run(crew.player, DAEMON) as new:
            assert started(old) < started(new)
            assert Left(crew.player, 0, before=started(new)).end() == [f"sleep (pid {old})"]
            assert lives(new)


def test_a_worker_of_the_sess_that_failed(crew: Crew) -> None:
    """It came after the one that plays, and its title names its Sess."""
    hung = "(exec -a 'jazz/kittens/aaaaaaaaaaaa.2 uWSGI worker 1' sleep 71 & echo \\$!)"
    with run(crew.player, f'bash -c "{hung}"') as pid, run(crew.player, DAEMON) as other:
        left = Left(crew.player, 0, before=0, title="jazz/kittens/aaaaaaaaaaaa.2 ")
        assert left.end() == [f"sleep (pid {pid})"]
        assert lives(other)


SERVICES = [
    # (the service of the Stage, that of the process, whether it may have come from a Sess)
    ("/system.slice/backstage-emperor.service", "/system.slice/backstage-emperor.service", True),
    ("/system.slice/backstage-emperor.service", "/system.slice/backstage-emperor.service/sess", True),
    ("/system.slice/backstage-emperor.service", "/system.slice/celery.service", False),
    ("/system.slice/backstage-emperor.service", "/system.slice/backstage-emperor.service.d", False),
    ("/", "/", True),
    ("", "/user.slice", True),
]


@pytest.mark.parametrize(("stage", "own", "ended"), SERVICES)
def test_an_administrators_service_is_not_left(
    crew: Crew, monkeypatch: pytest.MonkeyPatch, stage: str, own: str, ended: bool
) -> None:
    """A unit that runs as the player is below PID 1 as well; this machine has no service manager to run one."""
    monkeypatch.setattr(leftovers, "cgroup", lambda pid: stage if pid == 4711 else own)
    with run(crew.player, DAEMON) as pid:
        assert bool(Left(crew.player, 4711).end()) is ended
        assert lives(pid) is not ended


SCOPES = [
    # (the cgroup of a process that came after the one that plays, whether the Sess that was stopped left it)
    ("/system.slice/system-backstage.slice/backstage-jazz-kittens-aaaaaaaaaaaa.1-77.scope", True),
    ("/system.slice/system-backstage.slice/backstage-jazz-kittens-aaaaaaaaaaaa.11-78.scope", False),
    ("/system.slice/system-backstage.slice/backstage-jazz-kittens-bbbbbbbbbbbb.1-79.scope", False),
]


@pytest.mark.parametrize(("own", "ended"), SCOPES)
def test_the_cgroup_of_limits_tells_whose_it_is(
    crew: Crew, monkeypatch: pytest.MonkeyPatch, own: str, ended: bool
) -> None:
    """A scope of its own is not below the emperor's service; this machine has no service manager to make one."""
    stage = "/system.slice/backstage-emperor.service"
    monkeypatch.setattr(leftovers, "cgroup", lambda pid: stage if pid == 4711 else own)
    with run(crew.player, DAEMON) as pid:
        left = Left(crew.player, 4711, before=0, scope="backstage-jazz-kittens-aaaaaaaaaaaa.1")
        assert bool(left.end()) is ended
        assert lives(pid) is not ended


def test_cgroup() -> None:
    assert leftovers.cgroup(os.getpid()) in Path("/proc/self/cgroup").read_text()
    assert (leftovers.cgroup(1 << 22), started(1 << 22)) == ("", 0)


def test_a_process_in_a_container_is_somebody_elses(crew: Crew) -> None:
    """Where its user has the same number by chance."""
    script = "import os, time; os.fork() and os._exit(0); os.setsid(); time.sleep(71)"
    argv = ["unshare", "--pid", "--fork", "--kill-child", "setpriv", f"--reuid={crew.player.uid}", "--clear-groups"]
    with subprocess.Popen([*argv, "python3", "-c", script + " # contained"]) as container:
        time.sleep(0.5)
        try:
            assert Left(crew.player, 0).find() == []
        finally:
            container.kill()

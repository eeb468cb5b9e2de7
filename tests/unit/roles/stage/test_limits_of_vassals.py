# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a vassal comes under its limits; that systemd holds them is proven on machines of their own (tests/vm)."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import backstage_limits
import pytest
from test_roles import ROLES, render

PROGRAM = ROLES / "stage/files/backstage_limits.py"
LIMITS: dict[str, Any] = {"scope": "backstage-jazz-kittens-aaaaaaaaaaaa.1", "uid": 2001, "tasks": 12}
NEW_USERS = 0x10000000
BREEDS = """
import os, sys, time
os.setgid(2001)
os.setuid(2001)
born = []
try:
    while len(born) < 100:
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
        born.append(pid)
except OSError:
    pass
for pid in born:
    os.kill(pid, 9)
print(len(born))
"""


def test_what_systemd_is_told() -> None:
    told = backstage_limits.properties({**LIMITS, "memory": 1 << 29, "cpu": 150}, 77)
    assert " ".join(told).startswith("11 PIDs au 1 77 Slice s system-backstage.slice Description s ")
    for words in (
        "MemoryMax t 536870912 MemorySwapMax t 0",
        "CPUQuotaPerSecUSec t 1500000",
        "TasksMax t 12",
        "OOMPolicy s continue",
        "Before as 1 backstage-emperor.service",
        "DevicePolicy s closed",
    ):
        assert words in " ".join(told)


def test_a_limit_that_is_not_given_is_none() -> None:
    """Of tasks as many are left as the emperor's own service has: systemd's default is less."""
    told = " ".join(backstage_limits.properties({"scope": "s", "uid": 1}, 77))
    assert "Memory" not in told
    assert "CPU" not in told
    assert "TasksMax t 32768" in told


def run(limits: dict[str, Any], folder: Path) -> str:
    """What the program says, which never fails."""
    (folder / "limits.json").write_text(json.dumps(limits))
    waiting = subprocess.Popen(["sleep", "60"])
    words = [sys.executable, "-I", "-S", str(PROGRAM), str(waiting.pid), str(folder / "limits.json")]
    try:
        return subprocess.run(words, check=True, capture_output=True, text=True).stderr
    finally:
        waiting.kill()
        waiting.wait()


def test_without_systemd_memory_and_cpu_are_not_held(tmp_path: Path) -> None:
    said = run({**LIMITS, "memory": 1 << 29}, tmp_path)
    assert said == (
        f"{LIMITS['scope']}: its limits are not all held: without systemd nothing holds memory and cpu; tasks can't be"
        " counted here: the kernel counts those of the same user in other containers, too\n"
    )


def test_without_cgroup_v2(tmp_path: Path) -> None:
    """This test has a /run of its own, and no cgroup v2 either where its machine has none."""
    Path("/run/systemd/system").mkdir(parents=True)
    try:
        said = run(LIMITS, tmp_path)
    finally:
        os.removedirs("/run/systemd/system")
    expected = "systemd" if os.path.exists(backstage_limits.CONTROLLERS) else "this host has no cgroup v2"
    assert said.startswith(f"{LIMITS['scope']}: its limits are not all held: {expected}")


def test_tasks_are_counted_beside_those_that_run_already(tmp_path: Path) -> None:
    """Where users are this host's own, a fork bomb ends, and a second Sess of the Act has its room beside it."""
    (tmp_path / "limits.json").write_text(json.dumps(LIMITS))
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(tmp_path / "born", os.O_WRONLY | os.O_CREAT, 0o666), 1)
        ctypes.CDLL(None).unshare(NEW_USERS)
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os.setgid(0)
        os.setuid(0)
        beside = "import os, time; os.setuid(2001); print(flush=True); time.sleep(60)"
        argv = [sys.executable, "-c", beside]
        others = [subprocess.Popen(argv, stdout=subprocess.PIPE) for _number in range(3)]
        for other in others:
            assert other.stdout
            other.stdout.readline()
        words = [sys.executable, "-I", "-S", str(PROGRAM), str(os.getpid()), str(tmp_path / "limits.json")]
        subprocess.run(words, check=True)
        subprocess.run([sys.executable, "-c", BREEDS], check=True)
        for other in others:
            other.kill()
        os._exit(0)
    os.read(ready[0], 1)
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{child}/{name}").write_text("0 0 65536\n")
    os.write(go[1], b"x")
    assert os.waitpid(child, 0)[1] == 0
    assert (tmp_path / "born").read_text() == "11\n", "with their parent they are twelve"


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """The emperor's program, with echo in place of uWSGI and of the program that knows limits."""
    script = tmp_path / "backstage_vassal"
    text = render("stage", "vassal.sh.j2").replace("/usr/bin/uwsgi-core", "echo uwsgi $$")
    script.write_text(text.replace("/usr/bin/python3 -I -S", "echo"))
    script.chmod(0o755)
    return script


@pytest.mark.parametrize("ini", ["uwsgi.ini", "crew.ini"])
@pytest.mark.parametrize("limited", [True, False])
def test_fault_59_the_emperors_start_of_a_vassal(start: Path, tmp_path: Path, limited: bool, ini: str) -> None:
    """The workers of a Sess have a vassal of their own, and the same limits."""
    sess, vassals = tmp_path / "sesses" / "1", tmp_path / "vassals"
    for folder in (sess, vassals):
        folder.mkdir(parents=True)
    (sess / ini).touch()
    (vassals / "a.ini").symlink_to(sess / ini)
    if limited:
        (sess / "limits.json").touch()
    done = subprocess.run([start, "--ini", "a.ini"], cwd=vassals, capture_output=True, text=True, check=True)
    *before, last = done.stdout.splitlines()
    assert last.split()[2:] == ["--ini", "a.ini"]
    program = "/usr/local/lib/backstage/vassal/backstage_limits.py"
    assert before == ([f"{program} {last.split()[1]} {sess}/limits.json"] if limited else [])


def test_a_vassal_starts_whatever_goes_wrong_with_its_limits(start: Path, tmp_path: Path) -> None:
    (tmp_path / "uwsgi.ini").touch()
    (tmp_path / "limits.json").touch()
    start.write_text(start.read_text().replace("|| echo", "|| false"))
    done = subprocess.run([start, "--ini", "uwsgi.ini"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[2:] == ["--ini", "uwsgi.ini"]


def test_a_scope_that_comes_too_late_is_called_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later it would have the first process alone: its workers are forked by then."""
    busctl = tmp_path / "busctl"
    busctl.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n')
    busctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(backstage_limits, "PATIENCE", 2)
    assert backstage_limits.enter_scope(LIMITS, os.getpid()) == "systemd did not move it into its scope within 2 s"
    started, stopped = (tmp_path / "asked").read_text().splitlines()
    assert " StartTransientUnit ssa(sv)a(sa(sv)) " in started
    assert stopped.endswith(f" StopUnit ss {LIMITS['scope']}-{os.getpid()}.scope replace")


def test_systemd_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "busctl").write_text("#!/bin/sh\necho Access denied >&2\nexit 1\n")
    (tmp_path / "busctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert backstage_limits.enter_scope(LIMITS, os.getpid()) == "systemd made no scope: Access denied"


def test_a_vassals_environment_is_the_emperors(tmp_path: Path) -> None:
    """The shell between them adds nothing of its own."""
    script = tmp_path / "backstage_vassal"
    script.write_text(render("stage", "vassal.sh.j2").replace("/usr/bin/uwsgi-core", "/usr/bin/env #"))
    script.chmod(0o755)
    (tmp_path / "uwsgi.ini").touch()
    words = [script, "--ini", "uwsgi.ini"]
    done = subprocess.run(words, cwd=tmp_path, env={"LANG": "C"}, capture_output=True, text=True, check=True)
    assert done.stdout == "LANG=C\n"

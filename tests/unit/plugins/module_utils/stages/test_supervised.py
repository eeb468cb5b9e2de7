# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Sess as a program of a real supervisor, with a real gunicorn that runs as the Act's player."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import drift
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.host import names, process
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Health, Limits, Manifest, Sess
from ansible_collections.backstage.django.plugins.module_utils.productions import inspection
from ansible_collections.backstage.django.plugins.module_utils.stages import door, kinds, supervisor
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses
from ansible_collections.backstage.django.plugins.module_utils.stages.interface import Look
from waiting import eventually

from ...house import KITTENS, A, B, House, wanted
from .test_http_servers import FILES
from .test_units import PART, SESS, built
from .wishes import carry_out, fails, fronted, on_the_host

ACT = replace(KITTENS, secrets={"KEY": "purrpurr"}, timeout=5, health=Health(timeout=30), settings="band.settings")
MAIN = """
[unix_http_server]
file={root}/supervisor.sock
[supervisord]
logfile={root}/supervisord.log
pidfile={root}/supervisord.pid
childlogdir={root}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{root}/supervisor.sock
[include]
files = {root}/supervisor/*.conf
"""


def want(release: str = A, **more: Any) -> sesses.Want:
    sess = Sess("kittens", stage="gunicorn", manager="supervisor", **more)
    return sesses.Want(sess, wanted(ACT, play=release))


@dataclass
class Supervisor:
    """A host with supervisor, whose environment any user can run."""

    house: House

    def name(self, sess: str) -> str:
        return names.unit(self.house.production, "kittens", sess)

    @property
    def stage(self) -> Any:
        return kinds.of("gunicorn", self.house.host, self.house.act(), "supervisor")

    def pid(self, sess: str) -> int:
        return int(self.stage.pid(sess, Look(self.house.host)))

    def status(self, sess: str) -> int:
        return door.ask(self.stage.door(sess), "/", "localhost", "http", 30).status


@pytest.fixture
def runner(crewed: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    acts.prepare(crewed.act())
    shutil.copytree(FILES, crewed.host.wrapper)
    root, tools = crewed.root, Path(sys.prefix)
    (root / "tools").mkdir()
    subprocess.run(["mount", "-n", "--bind", tools, root / "tools"], check=True)  # else only root can read it
    environment = Path(crewed.paths.environment("e" * 16), "bin")
    environment.mkdir(parents=True)
    for path in (environment.parents[1], environment.parent, environment):
        path.chmod(0o755)
    (environment / "python").write_text(f'#!/bin/sh\nexec {root}/tools/bin/python "$@"\n')
    (environment / "python").chmod(0o755)
    (root / "programs").mkdir()
    program = root / "programs" / "supervisorctl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m supervisor.supervisorctl "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(process, "PATH", f"{root}/programs:{process.PATH}")
    Path(crewed.host.supervisor).mkdir()
    (root / "supervisord.conf").write_text(MAIN.format(root=root))
    monkeypatch.setattr(supervisor, "CONFIGURATION", str(root / "supervisord.conf"))
    argv = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", root / "supervisord.conf"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as running:
        try:
            eventually(lambda: is_answered(root / "supervisor.sock"))
            yield Supervisor(crewed)
        finally:
            running.terminate()
            running.wait(60)
            # also while a process that was left still ends: what is removed next must not be the tools
            subprocess.run(["umount", "-n", "--lazy", root / "tools"], check=True)


def is_answered(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def test_the_program(house: House) -> None:
    found = kinds.of("asgi", house.host, house.act(), "supervisor").files(replace(PART, stage="asgi"), SESS)
    (text,) = [file.text for name, file in found.items() if file and name.endswith(".conf")]
    lines = text.splitlines()
    own = house.act().sess(SESS)
    assert f"socket=unix://{own.http_socket}" in lines
    assert {"socket_owner=root:www-data", "socket_mode=0660", "user=jazz-kittens", "stopwaitsecs=70"} <= set(lines)
    (command,) = [line for line in lines if line.startswith("command=")]
    assert command.startswith("command=/usr/bin/setpriv --no-new-privs -- /usr/bin/python3 -IS ")
    assert command.endswith(" backstage_http:asgi() --bind fd://0")
    assert "purrpurr" not in text
    assert found["limits.json"] is None


@pytest.mark.parametrize("project", ["/srv/a b", "/srv/%h", "/srv/x\nuser=root", "/srv/x;y"])
def test_no_value_breaks_out_of_a_program(house: House, project: str) -> None:
    with pytest.raises(BackstageError, match="can't be written"):
        kinds.of("gunicorn", house.host, house.act(), "supervisor").files(replace(PART, project=project), SESS)


def test_a_switch(crewed: House, runner: Supervisor) -> None:
    for release in (A, B):
        built(crewed, release)
    assert carry_out(crewed, want(limits=Limits(memory="512M"))) == [
        "act kittens: nothing on this host holds limits.memory: supervisor has no limits"
    ]
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])
    assert sesses.plan(want(limits=Limits(memory="512M")), crewed.state(), crewed.host, print, fronted()) == []
    assert runner.stage.is_playing(f"{A}.1", Look(crewed.host))
    about = os.stat(runner.stage.door(f"{A}.1").path)
    assert (about.st_uid, about.st_mode & 0o777) == (0, 0o660), "the player can't replace it"
    user = Path(f"/proc/{runner.pid(f'{A}.1')}/status").read_text()
    assert f"Uid:\t{crewed_player(crewed).uid}\t" in user
    assert "NoNewPrivs:\t1" in user

    assert carry_out(crewed, want(B)) == []
    assert on_the_host(crewed) == (f"{B}.1", [f"{B}.1"], [f"{B}.1"])
    assert (runner.stage.remembered(), os.listdir(crewed.host.supervisor)) == (
        [f"{B}.1"],
        [runner.name(f"{B}.1") + ".conf"],
    )
    assert not Path(crewed.act().sess(f"{A}.1").root).exists()
    sesses.stop_all(crewed.state(), crewed.host, print)
    assert (on_the_host(crewed), supervisor.programs()) == ((None, [], []), {})


def crewed_player(house: House) -> process.User:
    return process.User.named(names.player(house.production, "kittens"))


def test_an_import_error(crewed: House, runner: Supervisor) -> None:
    """supervisor starts it again and again until the run ends it."""
    built(crewed, A, **{"band/urls.py": "import brass\n"})
    error = fails(crewed, want())
    assert "brass" in error.message + error.log
    assert (on_the_host(crewed), supervisor.programs(), os.listdir(crewed.host.supervisor)) == ((None, [], []), {}, [])


def test_its_main_process_is_killed(crewed: House, runner: Supervisor) -> None:
    built(crewed, A)
    carry_out(crewed, want())
    killed = runner.pid(f"{A}.1")
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: runner.pid(f"{A}.1") not in (0, killed))
    assert runner.status(f"{A}.1") == 200
    sesses.stop_all(crewed.state(), crewed.host, print)


def test_one_that_ignores_its_signal_is_killed(crewed: House, runner: Supervisor) -> None:
    """As a request that does not end keeps a worker."""
    built(crewed, A)
    carry_out(crewed, want())
    pid = runner.pid(f"{A}.1")
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    runner.stage.stop(f"{A}.1", 0.5)
    assert (supervisor.programs(), time.monotonic() - began < 60) == ({}, True)


def test_another_manager_is_another_sess(crewed: House, runner: Supervisor) -> None:
    built(crewed, A)
    carry_out(crewed, want())
    wish = replace(want(), sess=Sess("kittens", stage="gunicorn"))
    (change,) = sesses.plan(wish, crewed.state(), crewed.host, print, fronted())
    assert change.step.after == {"release": A, "because": ["manager: supervisor -> default"]}
    sesses.stop_all(crewed.state(), crewed.host, print)


def test_a_file_that_a_hand_has_changed(crewed: House, runner: Supervisor) -> None:
    built(crewed, A)
    carry_out(crewed, want())
    path = Path(crewed.act().sess(f"{A}.1").root, runner.name(f"{A}.1") + ".conf")
    path.write_text(path.read_text() + "user=root\n")
    path.chmod(0o666)
    found = [one.line() for one in inspection._of_sess(crewed.state(), crewed.host)]
    assert (
        f"drift: act kittens: {path}: changed by hand, or made by an earlier Backstage; the playbook deploy mends it"
        in found
    )
    assert any(str(path) in one.line() for one, _place in drift.of_places(crewed.state()))
    sesses.stop_all(crewed.state(), crewed.host, print)


def test_somebody_elses_file_is_broken(crewed: House, runner: Supervisor) -> None:
    """supervisor takes nothing anew then, of nobody."""
    built(crewed, A)
    Path(crewed.host.supervisor, "other.conf").write_text("[program:x]\n")
    error = fails(crewed, want())
    assert "supervisor does not take its configuration: " in error.message
    assert on_the_host(crewed) == (None, [], [])


def test_a_host_without_supervisor(crewed: House) -> None:
    manifest = Manifest(crewed.production, sesses={"kittens": Sess("kittens", stage="asgi", manager="supervisor")})
    (error,) = list(kinds.refusals(manifest, crewed.host).values())
    said = "manager 'supervisor' is not installed on this host: add its package, supervisor, to 'packages'"
    assert error.message == said

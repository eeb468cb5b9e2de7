# SPDX-License-Identifier: GPL-3.0-or-later
"""The Stage kind uwsgi: its ini as a whole, and its life against an emperor whose answers are told one by one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.manifest import checks
from ansible_collections.backstage.django.plugins.module_utils.stages import uwsgi
from ansible_collections.backstage.django.plugins.module_utils.stages.interface import Part
from ansible_collections.backstage.django.plugins.module_utils.stages.uwsgi import Uwsgi

from ...house import A, House
from ...servers import listening
from ...told import told

SESS = f"{A}.1"
PART = Part(
    release=A,
    project=f"/srv/backstage/jazz/acts/kittens/releases/{A}/code/site",
    environment="/srv/backstage/jazz/environments/" + "e" * 16,
    variables={"KEY": "purrpurr", "EVIL": "@(exec://touch /tmp/x)\nuid = root"},
    secrets=frozenset({"KEY"}),
    processes=3,
    threads=4,
    timeout=60,
)
VASSAL = f"backstage.jazz.kittens.{SESS}.ini"


@pytest.fixture
def stage(house: House) -> Uwsgi:
    os.makedirs(house.act().sess(SESS).root)
    Path(house.act().sess(SESS).ini).write_text("[uwsgi]\n")
    os.makedirs(house.paths.logs)
    return Uwsgi(house.host, house.act())


def options(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith((";", "["))]
    return dict(line.split(" = ", 1) for line in lines)


def test_the_whole_ini(stage: Uwsgi, house: House) -> None:
    """As HOST.md's reference has it; whatever is not here is uWSGI's default."""
    text = stage.render(PART, SESS)
    assert text.splitlines()[:2] == [f"; {files.OWNERSHIP}", "[uwsgi]"]
    own = house.act().sess(SESS)
    found = options(text)
    assert next(iter(found)) == "uid", "a truncated file would run as root"
    assert found == {
        "uid": "jazz-kittens",
        "gid": "jazz-kittens",
        "strict": "true",
        "plugin": "python3",
        "master": "true",
        "single-interpreter": "true",
        "need-app": "true",
        "enable-threads": "true",
        "py-call-uwsgi-fork-hooks": "true",
        "no-orphans": "true",
        "die-on-term": "true",
        "umask": "027",
        "processes": "3",
        "threads": "4",
        "thunder-lock": "true",
        "listen": str(min(1024, int(Path("/proc/sys/net/core/somaxconn").read_text()))),
        "chmod-socket": "660",
        "chown-socket": "root:www-data",
        "socket": own.socket,
        "buffer-size": "65535",
        "max-vars": "1100",
        "harakiri": "60",
        "worker-reload-mercy": "65",
        "reload-mercy": "70",
        "envdir": own.env,
        "chdir": PART.project,
        "virtualenv": PART.environment,
        "pythonpath": house.host.wrapper,
        "module": "backstage_wrapper:application",
        "procname-prefix-spaced": f"jazz/kittens/{SESS}",
        "disable-logging": "true",
        "log-date": "%%Y-%%m-%%dT%%H:%%M:%%S%%z",
        "logto2": house.act().log,
    }


def test_no_variable_is_in_the_ini(stage: Uwsgi) -> None:
    text = stage.render(PART, SESS)
    assert not [word for word in ("purrpurr", "KEY", "EVIL", "@(", "$(", "exec") if word in text]


def test_fault_41_what_is_code_in_an_ini_is_no_directory() -> None:
    """The one free text of the manifest that reaches the ini is the project's directory."""
    evil = ["a%d", "$(HOME)", "@(/etc/shadow)", "a\nuid = root", "a\n[uwsgi]", "a ", ";a"]
    assert [name for name in evil if checks.directory(name) is None] == []


@pytest.mark.parametrize(("somaxconn", "listen"), [("128\n", "128"), ("4096\n", "1024"), (None, "1024")])
def test_the_backlog_is_what_the_kernel_allows(
    stage: Uwsgi, monkeypatch: pytest.MonkeyPatch, somaxconn: Optional[str], listen: str
) -> None:
    monkeypatch.setattr(uwsgi, "_somaxconn", uwsgi._somaxconn.__wrapped__)  # it is asked once a run
    monkeypatch.setattr(files, "read", lambda path: somaxconn if path.endswith("somaxconn") else None)
    assert options(stage.render(PART, SESS))["listen"] == listen


State = dict[str, Any]


def vassal(pid: int = 4711, accepting: int = 0, cursed: int = 0, respawns: int = 0) -> State:
    return {"vassals": [{"id": VASSAL, "pid": pid, "accepting": accepting, "cursed": cursed, "respawns": respawns}]}


OLD = SESS[:-1] + "9"
LISTED: State = {"blacklist": [{"id": VASSAL, "attempt": 1}]}
OTHER: State = {"vassals": [{"id": VASSAL.replace("1.ini", "2.ini"), "pid": 1, "accepting": 1}]}


@contextmanager
def emperor(house: House, *states: Any) -> Iterator[list[State]]:
    """An emperor that gives these answers in turn, the last one again and again; an answer may be called."""
    left = list(states)
    given: list[State] = []

    def serve(client: socket.socket) -> None:
        state = left.pop(0) if len(left) > 1 else left[0]
        given.append(state() if callable(state) else state)
        client.sendall(json.dumps(given[-1]).encode())

    with listening(Path(house.host.stats), serve):
        yield given


def test_names_that_the_emperor_remembers(stage: Uwsgi, house: House) -> None:
    """Those of this Act, also when nothing of them is left: it would not start one of the same name."""
    others = ["backstage.jazz.kittens2.aaaaaaaaaaaa.9.ini", "backstage.jazz2.kittens.aaaaaaaaaaaa.9.ini", "x.ini"]
    remembered = {"blacklist": [{"id": f"/v/{name}", "attempt": 1} for name in [VASSAL, *others]]}
    assert stage.remembered() == []
    with emperor(house, {**OTHER, **remembered}):
        assert sorted(stage.remembered()) == [SESS, SESS[:-1] + "2"]


ENDED = "the Sess ended while it started"
READY: list[tuple[str, list[State], str]] = [
    ("at once", [vassal(accepting=1)], ""),
    ("after a while", [{}, vassal(pid=-1), vassal(), vassal(), vassal(accepting=1)], ""),
    ("not while it is cursed", [vassal(accepting=1, cursed=1), vassal(accepting=1)], ""),
    ("others are none of ours", [OTHER, vassal(accepting=1)], ""),
    ("its pid is gone", [vassal(), {}], ENDED),
    ("another pid", [vassal(), vassal(pid=4712, accepting=1)], ENDED),
    ("respawned", [vassal(), vassal(respawns=1)], ENDED),
    ("no pid, and on the blacklist", [{}, LISTED], ENDED),
    ("blacklisted while it is there", [{**vassal(), **LISTED}], ENDED),
    ("cursed for ever", [vassal(accepting=1, cursed=1)], "the Sess was not ready within 0 s: raise health.timeout"),
    ("never", [vassal()], "the Sess was not ready within 0 s: raise health.timeout"),
    ("never even seen", [{}], "the Sess was not ready within 0 s: raise health.timeout"),
]


@pytest.mark.parametrize(("states", "said"), [row[1:] for row in READY], ids=[row[0] for row in READY])
def test_ready(stage: Uwsgi, house: House, states: list[State], said: str) -> None:
    with emperor(house, *states):
        assert told(stage.ready, SESS, 0.4 if "not ready" in said else 100) == said


def test_fault_12_an_end_is_known_at_once(stage: Uwsgi, house: House) -> None:
    start = time.monotonic()
    with emperor(house, vassal(), {}):
        told(stage.ready, SESS, 60)
    assert time.monotonic() - start < 50


def test_no_emperor(stage: Uwsgi, house: House) -> None:
    assert "start the service backstage-emperor" in told(stage.ready, SESS, 100)
    stage.start(SESS)
    stage.stop(SESS, 100)
    assert os.listdir(house.host.vassals) == []


def test_start_links_in_one_step(stage: Uwsgi, house: House) -> None:
    assert stage.is_started(SESS) is False
    stage.start(SESS)
    assert os.listdir(house.host.vassals) == [VASSAL]
    assert os.readlink(os.path.join(house.host.vassals, VASSAL)) == house.act().sess(SESS).ini
    assert (stage.is_started(SESS), stage.is_started(f"{A}.2")) == (True, False)


def test_start_without_a_stage(stage: Uwsgi, house: House) -> None:
    os.rmdir(house.host.vassals)
    assert "is missing; run the playbook backstage.django.site first" in told(stage.start, SESS)


def test_stop_waits_until_the_emperor_let_it_finish(stage: Uwsgi, house: House) -> None:
    stage.start(SESS)
    with emperor(house, vassal(cursed=1), vassal(cursed=1), OTHER) as given:
        stage.stop(SESS, 100)
    assert (given[-1], os.listdir(house.host.vassals)) == (OTHER, [])


def test_nobody_waits_for_the_exit_of_what_is_idle(stage: Uwsgi, house: House) -> None:
    """The emperor is asked once, for it looks at its directory then."""
    stage.start(SESS)
    with emperor(house, vassal(accepting=1)) as given:
        stage.stop(SESS, None)
    assert (len(given), os.listdir(house.host.vassals)) == (1, [])


def test_stop_ends_an_import_that_hangs(stage: Uwsgi, house: House) -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        living: Callable[[], State] = lambda: {} if child.poll() is not None else vassal(pid=child.pid)  # noqa: E731
        with emperor(house, living):
            stage.stop(SESS, 0.2)
        assert child.wait(100) == -signal.SIGKILL


@pytest.mark.parametrize("pid", [-1, 0, 1])
def test_stop_never_kills_more_than_the_vassal(
    stage: Uwsgi, house: House, monkeypatch: pytest.MonkeyPatch, pid: int
) -> None:
    """The emperor has vassals without a process, whose pid is -1: to kill, that is everything on the host."""
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append(pid))
    monkeypatch.setattr(time, "monotonic", iter(range(0, 10_000, 5)).__next__)
    with emperor(house, vassal(pid=pid)):
        told(stage.stop, SESS, 1)
    assert killed == []


LOGS = [
    # (before, since, what is shown)
    ("old\n", "new\n", "new"),
    ("", "one\ntwo\n*** no app loaded. GAME OVER ***\nthe respawn\nGAME OVER", "one\ntwo\n*** no app loaded."),
    ("old\n", "", ""),
    ("", "\n".join(str(number) for number in range(100)), "\n".join(str(number) for number in range(75, 100))),
    ("", "\udcff", "\ufffd"),
]


@pytest.mark.parametrize(("before", "since", "shown"), LOGS)
def test_log_since(stage: Uwsgi, house: House, before: str, since: str, shown: str) -> None:
    log = Path(house.act().log)
    stage = Uwsgi(replace(stage.host, emperor_log=str(house.root / "emperor.log")), stage.act)
    assert stage.log_since(stage.log_ends()) == ""
    log.write_text(before)
    ends = stage.log_ends()
    with log.open("ab") as file:
        file.write(since.encode(errors="surrogateescape"))
    assert stage.log_since(ends) == shown
    log.write_text("")  # rotated by copying
    assert stage.log_since(ends) == ""
    (house.root / "emperor.log").write_text("unrecognized option '--nonesuch'\n")  # before the drop of privileges
    assert stage.log_since(ends) == "unrecognized option '--nonesuch'"

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that runs a timer of an Act, with real commands: what they see, overlaps, failures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import backstage_timer
import pytest
from test_roles import ROLES
from waiting import eventually

PROGRAM = ROLES / "stage/files/backstage_timer.py"
SHOWS = """#!/usr/bin/python3
import json, os, sys
json.dump([sys.argv[1:], os.getcwd(), dict(os.environ)], open(os.environ["OUT"], "w"))
"""


@dataclass
class Act:
    """The directory of an Act that plays."""

    root: Path

    def __post_init__(self) -> None:
        for name in ("timers/said", "data", "media"):
            (self.root / name).mkdir(parents=True)
        (self.root / "timers/nightly.lock").touch()
        self.programs.mkdir(parents=True)
        (self.programs / "shows").write_text(SHOWS)
        (self.programs / "shows").chmod(0o755)
        for name in ("sh", "python"):
            (self.programs / name).symlink_to("/bin/sh" if name == "sh" else sys.executable)

    @property
    def programs(self) -> Path:
        return self.root.parents[1] / "environments" / "e" / "bin"

    def plays(self, release: str, manage: str = "manage.py") -> None:
        code = self.root / "releases" / release / "code" / "site"
        code.mkdir(parents=True)
        (code / "manage.py").write_text(SHOWS)
        seal = {"environment": "e", "project": "site", "manage": manage}
        (code.parents[1] / "release.json").write_text(json.dumps(seal))
        env = self.root / "sesses" / f"{release}.1" / "env"
        env.mkdir(parents=True)
        for name, value in (("OUT", str(self.root / "out")), ("KEY", " a\nb"), ("BACKSTAGE_TOKEN", "secret")):
            (env / name).write_text(value + "\n")
        (env.parent / "release").symlink_to(code.parents[1])
        (self.root / "live.new").symlink_to(f"sesses/{release}.1")
        os.replace(self.root / "live.new", self.root / "live")

    def has(self, kind: str, *words: str) -> None:
        (self.root / "timers/nightly.json").write_text(json.dumps({"kind": kind, "words": words}))

    def start(self, log: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
        words = [sys.executable, "-E", "-s", str(PROGRAM), str(self.root), "nightly"]
        return subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, text=True)

    def run(self) -> tuple[int, str]:
        running = self.start()
        said, _nothing = running.communicate(timeout=100)
        return running.returncode, said

    def shown(self) -> Any:
        return json.loads((self.root / "out").read_text())

    def said(self) -> dict[str, Any]:
        path = self.root / "timers/said/nightly.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found


@pytest.fixture
def act(tmp_path: Path) -> Act:
    return Act(tmp_path / "acts" / "kittens")


def test_what_a_command_sees(act: Act) -> None:
    act.plays("aaaa")
    act.has("run", "shows", "two words", "{data}/x", "{other}", "*")
    code, said = act.run()
    assert code == 0, said
    words, cwd, variables = act.shown()
    assert words == ["two words", f"{act.root}/data/x", "{other}", "*"]
    assert cwd == str(act.root / "releases/aaaa/code/site")
    home = act.programs.parent
    path = f"{home}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    expected = {"PATH": path, "LC_ALL": "C.UTF-8", "VIRTUAL_ENV": str(home), "KEY": " a\nb"}
    assert {name: value for name, value in variables.items() if name not in ("OUT", "LC_CTYPE")} == expected


def test_a_management_command_of_what_plays_now(act: Act) -> None:
    act.has("manage", "clearsessions", "-v0")
    for release in ("aaaa", "bbbb"):
        act.plays(release)
        assert act.run()[0] == 0
        words, cwd, _variables = act.shown()
        assert (words, cwd) == (["clearsessions", "-v0"], str(act.root / f"releases/{release}/code/site"))


MANAGED = [
    ("manage.py", ["/e/bin/python", "manage.py", "go"]),
    ("-m django", ["/e/bin/python", "-m", "django", "go"]),
    ("kittens-admin", ["/e/bin/kittens-admin", "go"]),
]


@pytest.mark.parametrize(("manage", "argv"), MANAGED)
def test_how_the_act_is_managed(manage: str, argv: list[str]) -> None:
    assert backstage_timer.managed(manage, "/e", ["go"]) == argv


def test_the_next_one_is_left_out_while_one_runs(act: Act) -> None:
    act.plays("aaaa")
    act.has("run", "sh", "-c", f"echo works; touch {act.root}/works; sleep 600")
    first = act.start()
    eventually((act.root / "works").exists)
    code, said = act.run()
    assert code == 0
    assert said.endswith("timer nightly is left out this time: the last one still runs\n")
    assert "ended" not in act.said()
    first.terminate()  # as systemd and a reboot do
    out, _nothing = first.communicate(timeout=100)
    assert first.returncode == 128 + signal.SIGTERM
    assert "works\n" in out
    assert act.said()["ended"]["status"] == -signal.SIGTERM


def test_one_that_fails(act: Act) -> None:
    act.plays("aaaa")
    act.has("run", "sh", "-c", "echo no such table >&2; exit 3")
    code, said = act.run()
    assert code == 3
    assert "no such table\n" in said
    assert "timer nightly ended with status 3 after " in said
    assert act.said()["ended"]["status"] == 3


def test_fault_92_a_disk_that_is_full_of_logs(act: Act) -> None:
    act.plays("aaaa")
    act.has("run", "shows")
    with open("/dev/full", "w", encoding="utf-8") as log:
        assert act.start(log).wait(60) == 0
    assert act.shown()[0] == []
    assert act.said()["ended"]["status"] == 0


def test_a_program_that_is_not_there(act: Act) -> None:
    act.plays("aaaa")
    act.has("run", "celery")
    code, said = act.run()
    assert code == 127
    assert "timer nightly can't be started" in said
    assert act.said()["ended"]["status"] == 127


def test_fault_93_an_upgrade_takes_its_python_away(act: Act) -> None:
    """It fails and is told, until a deploy makes another environment, or Python is back."""
    act.plays("aaaa")
    act.has("manage", "clearsessions")
    python = act.programs / "python"
    python.rename(act.programs / "gone")
    code, said = act.run()
    assert (code, act.said()["ended"]["status"]) == (127, 127)
    assert f"timer nightly can't be started: [Errno 2] No such file or directory: '{python}'" in said
    (act.programs / "gone").rename(python)
    assert act.run()[0] == 0


def test_nothing_plays(act: Act) -> None:
    act.has("manage", "clearsessions")
    code, said = act.run()
    assert (code, act.said()) == (0, {})
    assert said.endswith("timer nightly is left out this time: nothing plays\n")


def test_one_that_hangs(act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    act.plays("aaaa")
    act.has("run", "sh", "-c", "trap '' TERM; sleep 600")
    monkeypatch.setattr(backstage_timer, "LONGEST", 1)
    assert backstage_timer.Timer(str(act.root), "nightly").run() == backstage_timer.KILLED
    assert act.said()["ended"]["status"] == backstage_timer.KILLED

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that keeps the workers of a Sess running, with real workers: what it starts, and how they end."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import pytest
from test_roles import ROLES
from waiting import eventually

PROGRAM = ROLES / "stage/files/backstage_worker.py"
# works on a job, has a child in its pool, and ends after the job when it is told to
WORKER = """
import os, signal, sys, time
place, signals = sys.argv[1], sys.argv[2:]
def note(line):
    with open(place, "a") as file:
        file.write(line + "\\n")
told = []
def tell(number, _frame):
    told.append(number)
    note(f"told {signal.Signals(number).name}")
for name in signals:
    signal.signal(getattr(signal, name), tell)
note(f"began {os.getpid()}")
if os.fork() == 0:
    for name in signals:
        signal.signal(getattr(signal, name), lambda *_: note("pool told"))
    while os.getppid() != 1 and os.getsid(0) == os.getppid():
        time.sleep(0.05)
    os._exit(0)
while not told:
    time.sleep(0.02)
time.sleep(0.5)
note("job done")
"""


@dataclass
class Crew:
    """The directory of a crew, and the program that keeps it."""

    place: Path
    workers: list[dict[str, Any]] = field(default_factory=list)
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("env", "said", "code"):
            (self.place / name).mkdir(parents=True)
        (self.place / "env" / "KEY").write_text(" two\nlines\r\n")
        (self.place / "env" / "BACKSTAGE_TOKEN").write_text("secret\n")

    def has(self, name: str, argv: list[str], **more: Any) -> Path:
        """One more worker; its lock."""
        lock = self.place / f"{name}.lock"
        lock.touch()
        found = {"name": name, "argv": argv, "stop": "TERM", "grace": 20, "locks": [str(lock)], **more}
        self.workers.append(found)
        return lock

    def works(self, name: str, *signals: str, **more: Any) -> Path:
        """One more worker that notes what becomes of it, and ends after its job when it is told by these signals."""
        argv = [sys.executable, "-c", WORKER, str(self.notes(name)), *(signals or ["SIGTERM"])]
        return self.has(name, argv, **more)

    def notes(self, name: str) -> Path:
        return self.place / f"{name}.notes"

    def noted(self, name: str) -> list[str]:
        path = self.notes(name)
        return path.read_text().splitlines() if path.exists() else []

    def tell(self, word: str) -> None:
        (self.place / "wanted.new").write_text(word + "\n")
        os.replace(self.place / "wanted.new", self.place / "wanted")

    def start(self, log: str = "") -> subprocess.Popen[str]:
        """Start the program; it writes to its own log, or to this device."""
        crew = {"cwd": str(self.place / "code"), "env": str(self.place / "env"), "enter": {"VIRTUAL_ENV": "/e"}}
        (self.place / "crew.json").write_text(json.dumps({**crew, "workers": self.workers}))
        if not (self.place / "wanted").exists():
            self.tell("run")
        words = [sys.executable, "-I", str(PROGRAM), str(self.place)]
        with (Path(log) if log else self.place / "log").open("a") as file:
            self.running.append(subprocess.Popen(words, stdout=file, stderr=file, text=True))
        return self.running[-1]

    def said(self, name: str) -> dict[str, Any]:
        """The report of a worker; empty before the first one, which comes after the worker itself."""
        path = self.place / "said" / f"{name}.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def log(self) -> str:
        return (self.place / "log").read_text()

    def pids(self, name: str) -> list[int]:
        return [int(line.split()[1]) for line in self.noted(name) if line.startswith("began")]


def is_held(lock: Path) -> bool:
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], Crew]]:
    made: list[Crew] = []

    def crew(name: str = "crew") -> Crew:
        made.append(Crew(tmp_path / name))
        return made[-1]

    yield crew
    for one in made:
        for running in one.running:
            running.kill()
            running.wait()
        for path in one.place.glob("*.notes"):
            for pid in one.pids(path.stem):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)


@pytest.fixture
def crew(make: Callable[[str], Crew]) -> Crew:
    return make("crew")


def test_what_a_worker_sees(crew: Crew) -> None:
    told = crew.place / "told.json"
    program = "import json, os, sys, time; json.dump([dict(os.environ), os.getcwd(), os.getsid(0) == os.getpid()],"
    crew.has("shows", [sys.executable, "-c", f"{program} open({str(told)!r}, 'w')); time.sleep(60)"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UWSGI_RELOADS", "1")
        patch.setenv("INVOCATION_ID", "of the emperor's service")
        crew.start()
    eventually(lambda: told.exists() and told.read_text().endswith("]"))
    variables, cwd, leads = json.loads(told.read_text())
    variables.pop("LC_CTYPE", None)  # Python's own
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert variables == {"PATH": path, "LC_ALL": "C.UTF-8", "KEY": " two\nlines\r", "VIRTUAL_ENV": "/e"}
    assert (cwd, leads) == (str(crew.place / "code"), True)


@pytest.mark.parametrize("number", ["TERM", "INT", "QUIT"])
def test_it_ends_after_its_job(crew: Crew, number: str) -> None:
    """One signal, to its first process alone; what it has forked is told nothing."""
    lock = crew.works("jobs", f"SIG{number}", stop=number)
    crew.start()
    eventually(lambda: crew.noted("jobs"))
    assert is_held(lock)
    eventually(lambda: crew.said("jobs").get("since"))
    crew.tell("drain")
    eventually(lambda: not is_held(lock))
    _began, *rest = crew.noted("jobs")
    assert rest == [f"told SIG{number}", "job done"]
    eventually(lambda: crew.said("jobs") == {"since": None, "restarts": 0, "ended": None})
    crew.tell("run")
    eventually(lambda: len(crew.pids("jobs")) == 2)
    assert is_held(lock)


def test_its_time_to_end_is_over(crew: Crew) -> None:
    deaf = crew.place / "deaf"
    script = f"trap '' TERM; touch {deaf}; sleep 600 & while :; do sleep 1; done"
    lock = crew.has("deaf", ["sh", "-c", script], grace=1)
    crew.start()
    eventually(deaf.exists)
    crew.tell("drain")
    eventually(lambda: not is_held(lock))
    eventually(lambda: "worker deaf has not ended within 1 s, and was killed" in crew.log())


def test_fault_22_one_that_dies_is_started_again_more_and_more_slowly(crew: Crew) -> None:
    crew.has("dies", ["sh", "-c", "exit 3"])
    works = crew.works("works")
    crew.start()
    eventually(lambda: crew.log().count("worker dies ended with status 3") == 3)
    assert [f"started again in {pause} s" in crew.log() for pause in (1, 2, 4)] == [True] * 3
    eventually(lambda: crew.said("dies")["restarts"] == 3)
    said = crew.said("dies")
    assert (said["since"], said["restarts"], said["ended"]["status"]) == (None, 3, 3)
    assert is_held(works), "another one goes on"
    assert len(crew.pids("works")) == 1


def test_a_program_that_is_not_there(crew: Crew) -> None:
    crew.has("none", ["/nonexistent/celery"])
    crew.start()
    eventually(lambda: "worker none can't be started" in crew.log())
    eventually((crew.place / "said" / "none.json").exists)
    assert crew.said("none")["ended"]["status"] == 127


def test_fault_92_a_disk_that_is_full_of_logs(crew: Crew) -> None:
    """Workers work on, also those that have to be started again."""
    lock = crew.works("jobs")
    crew.has("dies", ["sh", "-c", "exit 3"])
    running = crew.start(log="/dev/full")
    eventually(lambda: crew.noted("jobs"))
    eventually(lambda: crew.said("dies").get("restarts") == 2)
    assert running.poll() is None
    assert len(crew.pids("jobs")) == 1
    crew.tell("drain")
    eventually(lambda: not is_held(lock))
    assert crew.noted("jobs")[1:] == ["told SIGTERM", "job done"]


def test_fault_93_an_upgrade_takes_its_python_away(crew: Crew) -> None:
    """What works works on. What ends is told with its reason, until a deploy brings another Sess, or Python is back."""
    python = crew.place / "python"
    python.symlink_to(sys.executable)
    crew.works("jobs")
    crew.workers[0]["argv"][0] = str(python)
    crew.start()
    eventually(lambda: crew.noted("jobs"))
    python.unlink()
    os.kill(crew.pids("jobs")[0], signal.SIGKILL)
    eventually(lambda: f"No such file or directory: '{python}'" in crew.log())
    eventually(lambda: crew.said("jobs")["ended"]["status"] == 127)
    python.symlink_to(sys.executable)
    eventually(lambda: len(crew.pids("jobs")) == 2)


def test_fault_86_a_worker_that_is_killed(crew: Crew) -> None:
    lock = crew.works("jobs")
    crew.start()
    eventually(lambda: crew.noted("jobs"))
    os.kill(crew.pids("jobs")[0], signal.SIGKILL)
    eventually(lambda: len(crew.pids("jobs")) == 2)
    assert is_held(lock)
    assert crew.said("jobs")["ended"]["status"] == -signal.SIGKILL


def test_fault_86_the_program_is_killed(crew: Crew) -> None:
    """The worker ends after its job, and the next one waits for that: never two."""
    lock = crew.works("jobs")
    crew.start()
    eventually(lambda: crew.noted("jobs"))
    crew.running[0].kill()
    crew.start()
    eventually(lambda: len(crew.pids("jobs")) == 2)
    _first, *rest = crew.noted("jobs")
    assert rest[:2] == ["told SIGTERM", "job done"]
    assert rest[2].startswith("began")
    assert is_held(lock)


def test_the_program_is_told_to_end(crew: Crew) -> None:
    """By uWSGI, when the emperor stops it: at a reboot nothing that is at work is killed."""
    lock = crew.works("jobs")
    running = crew.start()
    eventually(lambda: crew.noted("jobs"))
    for _second in range(3):  # again and again, as uWSGI does
        running.terminate()
        time.sleep(0.1)
    assert running.wait(100) == 0
    assert crew.noted("jobs")[1:] == ["told SIGTERM", "job done"]
    eventually(lambda: not is_held(lock))  # its pool sees a moment later that it has ended


def test_once(make: Callable[[str], Crew], tmp_path: Path) -> None:
    """Of two Sesses of an Act one has it: the new one's begins when the old one's has ended."""
    shared = tmp_path / "beat"
    shared.touch()
    old, new = make("old"), make("new")
    for one in (old, new):
        lock = str(one.place / "beat.lock")
        one.works("beat", locks=[lock, str(shared)])
    old.start()
    eventually(lambda: old.noted("beat"))
    new.start()
    time.sleep(1)
    assert new.noted("beat") == []
    assert not is_held(new.place / "beat.lock")
    old.tell("drain")
    eventually(lambda: new.noted("beat"))
    assert old.noted("beat")[-1] == "job done"
    assert not is_held(old.place / "beat.lock")
    assert is_held(shared)


def test_its_restarts_are_counted_on(crew: Crew) -> None:
    (crew.place / "said" / "jobs.json").write_text('{"since": "x", "restarts": 4, "ended": {"at": "y", "status": 1}}')
    crew.works("jobs")
    crew.start()
    eventually(lambda: crew.said("jobs")["since"] not in (None, "x"))
    assert crew.said("jobs")["restarts"] == 4

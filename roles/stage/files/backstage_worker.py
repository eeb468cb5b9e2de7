# Managed by Backstage (backstage.django): changes are overwritten.
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the workers of one Sess running: uWSGI's attach-daemon2 runs it as the Act's player.

    python3 -I backstage_worker.py CREW

CREW is a directory of root's that the player reads:

crew.json   cwd, env (a directory with a file for each variable), enter (more variables), and the workers: name, argv,
            stop (a signal), grace (seconds), locks
wanted      "run" or "drain": root renames another file to it, and it is read four times a second
said/       the player's own directory: a file for each worker says since when it works and how it ended

uWSGI alone would send its signals to the whole group of processes, once a second. Here each worker has a session of its
own, and its first process alone gets one signal. The worker and what it forks hold its locks, and this program does
not: the kernel tells everybody whether it still works.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

LOOK = 0.25
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
STEADY = 60.0
"""A worker that lived for so many seconds is started again after the first pause."""
NOT_THE_ACTS = ("BACKSTAGE_TOKEN",)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SET_PARENT_DEATH_SIGNAL = 1  # sys/prctl.h
LIBC = ctypes.CDLL(None, use_errno=True)


def environment(directory: str, more: dict[str, str]) -> dict[str, str]:
    """The variables of a Sess, and nothing of the service that this program is in."""
    found = {"PATH": PATH, "LC_ALL": "C.UTF-8"}
    for name in os.listdir(directory):
        if name not in NOT_THE_ACTS:
            with open(os.path.join(directory, name), encoding="utf-8", errors="surrogateescape", newline="") as file:
                found[name] = file.read().removesuffix("\n")
    return {**found, **more}


def said_at(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(seconds))


def log(text: str) -> None:
    """Write a line to the log. If its disk is full, the line is lost, and the work goes on."""
    with contextlib.suppress(OSError):
        os.write(1, f"{said_at(time.time())} - backstage: {text}\n".encode())


def end_with(parent: int, number: int) -> None:
    """Have this process get a signal when its parent is gone."""
    LIBC.prctl(SET_PARENT_DEATH_SIGNAL, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


class Worker:
    """One worker and the time between two of them.

    Args:
        crew: what all workers of the Sess have in common.
        own: what crew.json says of this one.
        place: the directory of its Sess's crew.
    """

    def __init__(self, crew: dict[str, Any], own: dict[str, Any], place: str) -> None:
        self.crew, self.own = crew, own
        self.name: str = own["name"]
        self.stop = getattr(signal, "SIG" + own["stop"])
        self.report = os.path.join(place, "said", self.name + ".json")
        self.child: subprocess.Popen[bytes] | None = None
        self.group = 0
        self.began = self.told = self.not_before = 0.0
        self.pause = FIRST_PAUSE
        self.killed = False
        self.said: dict[str, Any] = {**self._said_before(), "since": None}

    def _said_before(self) -> dict[str, Any]:
        """What this program said when it ran before, for the same Sess."""
        try:
            with open(self.report, encoding="utf-8") as file:
                before = json.load(file)
            return {"restarts": int(before["restarts"]), "ended": before["ended"]}
        except (OSError, ValueError, KeyError, TypeError):
            return {"restarts": 0, "ended": None}

    def look(self, drains: bool) -> None:
        """Do what is due now.

        Args:
            drains: whether it should end after what it is doing, and not be started again.
        """
        now = time.monotonic()
        status = self.child.poll() if self.child else None
        if status is not None:
            self._ended(status, now)
        if self.child is None and not drains and now >= self.not_before:
            self._start(now)
        elif self.child and drains and not self.told:
            self.log(f"is told to end by SIG{self.own['stop']}, within {self.own['grace']} s")
            self.told = now
            self.child.send_signal(self.stop)
        if self.told and not self.killed and now - self.told > self.own["grace"]:
            self._kill()

    def _start(self, now: float) -> None:
        handles = self._locked()
        if not handles:
            return
        try:
            self.child = subprocess.Popen(
                self.own["argv"],
                cwd=self.crew["cwd"],
                env=environment(self.crew["env"], self.crew["enter"]),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=handles,
                preexec_fn=self._prepare(os.getpid()),  # noqa: PLW1509 -- this program has one thread
            )
        except OSError as error:
            self.log(f"can't be started: {error}")
            self.not_before, self.pause = now + self.pause, min(2 * self.pause, LONGEST_PAUSE)
            self._say(ended={"at": said_at(time.time()), "status": 127})
            return
        finally:
            for handle in handles:
                os.close(handle)
        self.group, self.began, self.told, self.killed = self.child.pid, now, 0.0, False
        self.log(f"started, pid {self.child.pid}")
        self._say(since=said_at(time.time()))

    def _prepare(self, parent: int) -> Any:
        def prepare() -> None:
            end_with(parent, self.stop)  # when this program is killed, its worker ends after what it is doing
            signal.pthread_sigmask(signal.SIG_SETMASK, [])

        return prepare

    def _locked(self) -> list[int]:
        """Its locks, all of them; none while another process has one."""
        handles: list[int] = []
        for path in self.own["locks"]:
            handles.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            try:
                fcntl.flock(handles[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                for handle in handles:
                    os.close(handle)
                return []
        return handles

    def _ended(self, status: int, now: float) -> None:
        self.child, lived = None, now - self.began
        if self.told:
            self.log(f"ended with status {status}, {now - self.told:.1f} s after it was told")
            self.pause, self.not_before = FIRST_PAUSE, 0.0
            self._say(since=None)
            return
        self.pause = FIRST_PAUSE if lived > STEADY else self.pause
        self.log(f"ended with status {status} after {lived:.1f} s; it is started again in {self.pause:.0f} s")
        self.not_before, self.pause = now + self.pause, min(2 * self.pause, LONGEST_PAUSE)
        ended = {"at": said_at(time.time()), "status": status}
        self._say(since=None, ended=ended, restarts=self.said["restarts"] + 1)

    def _kill(self) -> None:
        """Kill it and the processes of its group: its time to end is over."""
        self.killed = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)
            self.log(f"has not ended within {self.own['grace']} s, and was killed")

    def log(self, text: str) -> None:
        log(f"worker {self.name} {text}")

    def _say(self, **more: Any) -> None:
        self.said.update(more)
        try:
            with open(self.report + ".new", "w", encoding="utf-8") as file:
                json.dump(self.said, file)
            os.replace(self.report + ".new", self.report)
        except OSError as error:
            self.log(f"can't be reported: {error}")


def wanted(place: str) -> str:
    try:
        with open(os.path.join(place, "wanted"), encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return "drain"


def main(place: str) -> None:
    leaving: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: leaving.append(received))
    end_with(os.getppid(), signal.SIGTERM)  # uWSGI has set SIGKILL
    with open(os.path.join(place, "crew.json"), encoding="utf-8") as file:
        crew = json.load(file)
    workers = [Worker(crew, own, place) for own in crew["workers"]]
    while not (leaving and all(worker.child is None for worker in workers)):
        drains = bool(leaving) or wanted(place) != "run"
        for worker in workers:
            worker.look(drains)
        time.sleep(LOOK)


if __name__ == "__main__":
    main(sys.argv[1])

# Managed by Backstage (backstage.django): changes are overwritten.
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one timer of an Act, with the release that plays; systemd or cron starts it as the Act's player.

    python3 -E -s backstage_timer.py ACT NAME

ACT is the Act's directory. It reads these files there:

live                what plays; it is followed once, so a switch changes nothing for a command that runs
timers/NAME.json    the command: manage or run, with words
timers/NAME.lock    held while the command runs, so that it never runs twice at the same time
timers/said/        the player's own directory: NAME.json has the last start and the last end
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from backstage_worker import PATH, end_with, environment, log, said_at

LONGEST = 86400
"""Seconds after which a command is killed: a command that hangs would keep the next ones from starting."""
TRIES = 5
BUSY, KILLED, MISSING = 0, 124, 127


@dataclass(frozen=True)
class Command:
    """A command in the world of the Sess that plays."""

    argv: list[str]
    cwd: str
    env: dict[str, str]


def read_json(*path: str) -> Any:
    with open(os.path.join(*path), encoding="utf-8") as file:
        return json.load(file)


def command(act: str, name: str) -> Command:
    """Return the command with the code and the variables of the Sess that plays now."""
    sess = os.path.realpath(os.path.join(act, "live"))
    release = os.path.realpath(os.path.join(sess, "release"))
    seal, timer = read_json(release, "release.json"), read_json(act, "timers", name + ".json")
    home = os.path.normpath(os.path.join(act, "..", "..", "environments", seal["environment"]))
    places = {"code": os.path.join(release, "code"), "static": os.path.join(release, "static")}
    places.update(data=os.path.join(act, "data"), media=os.path.join(act, "media"))
    words = [filled(word, places) for word in timer["words"]]
    return Command(
        argv=managed(seal["manage"], home, words) if timer["kind"] == "manage" else program(home, words),
        cwd=os.path.normpath(os.path.join(places["code"], seal["project"])),
        env=environment(os.path.join(sess, "env"), {"PATH": f"{home}/bin:{PATH}", "VIRTUAL_ENV": home}),
    )


def filled(word: str, places: dict[str, str]) -> str:
    for name, path in places.items():
        word = word.replace("{" + name + "}", path)
    return word


def program(home: str, words: list[str]) -> list[str]:
    return [os.path.join(home, "bin", words[0]), *words[1:]]


def managed(manage: str, home: str, words: list[str]) -> list[str]:
    """Return the command line of a management command."""
    if manage.startswith("-m "):
        return program(home, ["python", "-m", manage[3:], *words])
    return program(home, ["python", manage, *words] if manage.endswith(".py") else [manage, *words])


class Timer:
    """One run of a timer."""

    def __init__(self, act: str, name: str) -> None:
        self.act, self.name = act, name
        self.report = os.path.join(act, "timers", "said", name + ".json")

    def run(self) -> int:
        """Run the command to its end and return its exit status."""
        lock = os.open(os.path.join(self.act, "timers", self.name + ".lock"), os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.log("is left out this time: the last one still runs")
            return BUSY
        found = self._command()
        if found is None:
            self.log("is left out this time: nothing plays")
            return BUSY
        began = time.time()
        self._say({"since": said_at(began)})
        status = self._run(found, lock)
        self.log(f"ended with status {status} after {time.time() - began:.1f} s")
        self._say({"since": said_at(began), "ended": {"at": said_at(time.time()), "status": status}})
        return status if status >= 0 else 128 - status

    def _command(self) -> Command | None:
        """Return the command; a switch may remove the old Sess while its files are read, so try again then."""
        for _try in range(TRIES):
            try:
                return command(self.act, self.name)
            except FileNotFoundError:
                time.sleep(0.2)
        return None

    def _run(self, found: Command, lock: int) -> int:
        parent = os.getpid()
        try:
            child = subprocess.Popen(
                found.argv,
                cwd=found.cwd,
                env=found.env,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(lock,),
                preexec_fn=lambda: end_with(parent, signal.SIGTERM),  # noqa: PLW1509 -- this program has one thread
            )
        except OSError as error:
            self.log(f"can't be started: {error}")
            return MISSING
        self.log(f"started, pid {child.pid}")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _frame: os.killpg(child.pid, received))
        try:
            return child.wait(LONGEST)
        except subprocess.TimeoutExpired:
            self.log(f"has not ended within {LONGEST} s, and was killed")
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return KILLED

    def log(self, text: str) -> None:
        log(f"timer {self.name} {text}")

    def _say(self, said: dict[str, Any]) -> None:
        try:
            with open(self.report + ".new", "w", encoding="utf-8") as file:
                json.dump(said, file)
            os.replace(self.report + ".new", self.report)
        except OSError as error:
            self.log(f"can't be reported: {error}")


if __name__ == "__main__":
    os.umask(0o027)
    sys.exit(Timer(*sys.argv[1:]).run())

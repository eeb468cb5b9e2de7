# SPDX-License-Identifier: GPL-3.0-or-later
"""An Act's queue in its data directory, a worker that takes jobs from it, and what is counted of them."""

from __future__ import annotations

import os
import pwd
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.host import names

from .house import House

ROLE = Path(__file__).parents[3] / "roles" / "stage" / "files"
# takes one job after the other, and ends after the one that it has when it is told to. A job takes some seconds, or is
# held until it is let go.
WORKER = """#!/usr/bin/python3
import os, signal, sys, time
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(1))
queue = os.path.join(os.environ["HOME"], "queue")
print("begins,", os.environ["BACKSTAGE_RELEASE"], flush=True)
while not told:
    for name in sorted(name for name in os.listdir(queue) if name.endswith(".job")):
        try:
            os.rename(os.path.join(queue, name), os.path.join(queue, name + "." + str(os.getpid())))
        except FileNotFoundError:
            continue
        if sys.argv[1] == "held":
            while not os.path.exists(os.path.join(queue, "go")):
                time.sleep(0.02)
        else:
            time.sleep(float(sys.argv[1]))
        with open(os.path.join(queue, "done"), "a") as done:
            done.write(name + " " + os.environ["BACKSTAGE_RELEASE"] + "\\n")
        break
    else:
        time.sleep(0.05)
"""
# is there, and notes when it begins and ends
BEAT = """#!/usr/bin/python3
import os, signal, time
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(1))
def note(word):
    with open(os.path.join(os.environ["HOME"], "queue", "beats"), "a") as beats:
        beats.write(word + "\\n")
note("begins")
while not told:
    time.sleep(0.02)
time.sleep(0.3)
note("ends")
"""
DIES = "#!/bin/sh\necho \"ModuleNotFoundError: No module named 'PIL'\"\nexit 1\n"


@dataclass
class Jobs:
    """The queue of the Act kittens."""

    house: House
    sent: int = 0
    programs: dict[str, str] = field(default_factory=lambda: {"work": WORKER, "beat": BEAT, "dies": DIES})

    def __post_init__(self) -> None:
        acts.prepare(self.house.act())
        os.makedirs(self.house.host.wrapper)
        shutil.copy(ROLE / "backstage_worker.py", self.house.host.wrapper)
        programs = Path(self.house.paths.environment("e" * 16), "bin")
        programs.mkdir(parents=True)
        for name, text in self.programs.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        self.queue.mkdir()
        player = pwd.getpwnam(names.player(self.house.production, "kittens"))
        os.chown(self.queue, player.pw_uid, player.pw_gid)

    @property
    def queue(self) -> Path:
        return Path(self.house.act().data, "queue")

    def send(self, count: int = 1) -> None:
        for _job in range(count):
            self.sent += 1
            (self.queue / f"{self.sent:04}.job").touch()

    def let_go(self) -> None:
        """End the jobs that are held."""
        (self.queue / "go").touch()

    def done(self) -> list[tuple[str, str]]:
        """What was done, and by which release."""
        path = self.queue / "done"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(job, release) for job, _space, release in (line.partition(" ") for line in lines)]

    def beats(self) -> list[str]:
        path = self.queue / "beats"
        return path.read_text().splitlines() if path.exists() else []

    def log(self) -> str:
        path = Path(self.house.act().crew_log)
        return path.read_text() if path.exists() else ""

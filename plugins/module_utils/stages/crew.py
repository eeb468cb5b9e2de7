# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The crew of a Sess: its workers, as one more vassal of the emperor beside that of its web processes.

The vassal has no door: uWSGI keeps the role's backstage_worker.py running, which keeps the workers running. A worker
and its child processes hold a lock as long as one of them lives. Root asks the kernel whether the lock is held.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterable, Mapping
from typing import Any

from ..host import caller, files, locks, names, process
from ..host.errors import BackstageError
from ..host.facts import SITE, Host
from ..host.layout import Act as ActPaths
from ..manifest.jobs import Worker
from ..manifest.nouns import summary
from . import emperor, logs
from .crew_reports import Report
from .interface import Part

PROGRAM = "backstage_worker.py"
RUN, DRAIN = "run", "drain"
AT_ONCE = 60
"""The number of seconds that a switch waits for workers to end. A later run removes those that take longer."""
STEADY = 3
"""The number of seconds that new workers have to live to count as started."""
HAND_OVER = 2
"""The number of seconds that a switch waits for the old Sess's idle workers to end before it switches."""
MARGIN = 5
_INI = """\
; {ownership}
[uwsgi]
; first of all: without uid a truncated file would run as root
uid = {player}
gid = {player}
strict = true
master = true
; a master with a daemon and no workers of its own
processes = 0
no-orphans = true
die-on-term = true
umask = 027
reload-mercy = {mercy}
chdir = /
procname-prefix-spaced = {production}/{act}/{sess}/crew
log-date = %%Y-%%m-%%dT%%H:%%M:%%S%%z
; not logto2: without a socket the privileges are dropped before that is opened
logto = {log}
; exec: otherwise a shell between them would get the signal for the end of uWSGI
attach-daemon2 = cmd=exec {python} -I {program} {crew},stopsignal=15,freq=3
"""
_PYTHON = "/usr/bin/python3"


class Crew:
    """The workers of one Sess.

    Args:
        host: the host's facts.
        act: the directories of its Act.
        sess: its id.
    """

    def __init__(self, host: Host, act: ActPaths, sess: str) -> None:
        self.host, self.act, self.sess = host, act, sess
        self.paths = act.sess(sess)
        self.vassal = names.crew_vassal(act.production.name, act.name, sess)
        self.link = os.path.join(host.vassals, self.vassal)

    def texts(self, part: Part) -> dict[str, str]:
        """Return the contents of its files by path; none if there are no workers."""
        if not part.workers:
            return {}
        from ..acts import environments

        workers = [one for worker in part.workers for one in self._instances(worker, part)]
        record = {
            "cwd": part.project,
            "env": self.paths.env,
            "enter": environments.entered(part.environment),
            "workers": workers,
        }
        ini = _INI.format(
            ownership=files.OWNERSHIP,
            player=names.player(self.act.production.name, self.act.name),
            mercy=max(worker.grace for worker in part.workers) + MARGIN,
            production=self.act.production.name,
            act=self.act.name,
            sess=self.sess,
            log=self.act.crew_log,
            python=_PYTHON,
            program=os.path.join(self.host.wrapper, PROGRAM),
            crew=self.paths.crew,
        )
        return {self.paths.crew_ini: ini, self._record: files.to_json(record)}

    def _instances(self, worker: Worker, part: Part) -> list[dict[str, Any]]:
        from ..acts import commands, world

        places = world.Places.of_player(self.act, part.release)
        words = [world.expand({"word": word}, places)["word"] for word in shlex.split(worker.run or worker.manage)]
        if worker.run:
            argv = [os.path.join(part.environment, "bin", words[0]), *words[1:]]
        else:
            argv = commands.argv(part.manage, part.environment, words)
        named = [worker.name] if worker.count == 1 else [f"{worker.name}.{n}" for n in range(1, worker.count + 1)]
        shared = [os.path.join(self.act.once, worker.name)] if worker.once else []
        told = {"argv": argv, "stop": worker.stop, "grace": worker.grace}
        return [{"name": name, "locks": [self._lock(name), *shared], **told} for name in named]

    @property
    def _record(self) -> str:
        return os.path.join(self.paths.crew, "crew.json")

    @property
    def _wanted(self) -> str:
        return os.path.join(self.paths.crew, "wanted")

    def _lock(self, name: str) -> str:
        return os.path.join(self.paths.crew, f"{name}.lock")

    def write(self, part: Part, player: process.User) -> None:
        """Write its files before the emperor gets its vassal."""
        texts = self.texts(part)
        if not texts:
            return
        files.directory(self.paths.crew, 0o711)
        files.directory(os.path.join(self.paths.crew, "said"), 0o750, player.uid, player.gid)
        files.directory(self.act.once, 0o711)
        files.draft(self._wanted, RUN + "\n", 0o644)
        for path, text in texts.items():
            files.draft(path, text, 0o640, player.gid)
        for worker in self.known():
            for lock in worker["locks"]:
                files.draft(lock, "", 0o640, player.gid)

    def _need_programs(self) -> None:
        program = os.path.join(self.host.wrapper, PROGRAM)
        if not os.path.exists(program):
            raise BackstageError(f"this host's stage is of an earlier Backstage ({program} is missing); {SITE}")
        for worker in self.known():
            found = worker["argv"][0]
            if not os.path.exists(found):
                raise BackstageError(
                    f"worker {worker['name']}: the environment has no program '{os.path.basename(found)}': add its"
                    " package to the requirements",
                    step="worker",
                )

    def known(self) -> list[dict[str, Any]]:
        """Return the workers that it was started with."""
        return list((files.read_json(self._record) or {}).get("workers", []))

    @property
    def grace(self) -> int:
        return max((worker["grace"] for worker in self.known()), default=0)

    def working(self) -> list[str]:
        """Return the names of the workers that live now."""
        return [worker["name"] for worker in self.known() if locks.is_held(self._lock(worker["name"]))]

    def is_started(self) -> bool:
        return files.link_target(self.link) is not None

    def is_draining(self) -> bool:
        """Return whether its workers finish their jobs, so that a run leaves it alone."""
        return self.wanted() == DRAIN and self.is_started() and bool(self.working())

    def wanted(self) -> str:
        return (files.read(self._wanted) or "").strip()

    def tell(self, word: str) -> None:
        """Tell its workers to run, or to end after their current jobs."""
        if self.known() and self.wanted() != word:
            files.write(self._wanted, word + "\n", 0o644)

    def lacks(self) -> list[str]:
        """Return why the workers of a live Sess do not run: a run was killed, or somebody changed it by hand."""
        if not self.known():
            return []
        found = [] if self.is_started() else ["its workers are not started"]
        return found + (["its workers were told to end"] if self.wanted() != RUN else [])

    def resume(self) -> None:
        """Start the workers of the live Sess again."""
        self.tell(RUN)
        if not self.is_started():
            files.link(self.link, self.paths.crew_ini)
        emperor.try_look(self.host.stats)

    def begin(self, timeout: float) -> None:
        """Start the workers and wait until all of them live. A worker with `once` may still wait for the old one.

        Args:
            timeout: the maximum number of seconds until they live.

        Raises:
            BackstageError: one of them ended, did not start in time, or has no program.
        """
        if not self.known():
            return
        from ..diagnosis import lookup

        self._need_programs()
        make_log(self.act)
        end = os.path.getsize(self.act.crew_log)
        files.link(self.link, self.paths.crew_ini)
        try:
            self._ready(timeout)
        except BackstageError as error:
            log = logs.since(self.act.crew_log, end).strip()
            cause = lookup.find(log) or lookup.unknown(log)
            said = error.message + (f": {cause}" if cause else "")
            raise BackstageError(said, step="worker", log=lookup.tail(log)) from None

    def _ready(self, timeout: float) -> None:
        needed = {worker["name"] for worker in self.known() if len(worker["locks"]) == 1}
        deadline = time.monotonic() + timeout + STEADY
        since = 0.0
        while time.monotonic() < deadline:
            stats = emperor.look(self.host.stats, self.vassal)
            for name, report in self.reports().items():
                if report.ended:
                    raise BackstageError(f"worker {name} ended with status {report.status} while it started")
            if self.vassal in stats.blacklist:
                raise BackstageError("the vassal of the workers ended while it started")
            found = stats.vassals.get(self.vassal)
            missing = sorted(needed - {*self.working()})
            if found and found.pid > 1 and not missing:
                since = since or time.monotonic()
                if time.monotonic() - since >= STEADY:
                    return
            else:
                since = 0.0
            time.sleep(0.1)
        told = f"the workers {', '.join(missing)} were" if missing else "the vassal of the workers was"
        raise BackstageError(f"{told} not started within {timeout:.0f} s: raise health.timeout")

    def reports(self) -> dict[str, Report]:
        """Return what their program reports: since when they live, and how they ended."""
        folder = os.path.join(self.paths.crew, "said")
        return {worker["name"]: Report.read(os.path.join(folder, worker["name"] + ".json")) for worker in self.known()}

    def hand_over(self) -> None:
        """Tell the workers to take no more jobs: their old code may not know the jobs of the new Sess."""
        self.tell(DRAIN)
        try:
            self.wait_idle(HAND_OVER)
        except caller.Abandoned:
            self.tell(RUN)
            raise

    def wait_idle(self, timeout: float) -> bool:
        """Wait until no worker lives, and return whether that happened in time."""
        deadline = time.monotonic() + timeout
        while self.working():
            if time.monotonic() > deadline:
                return False
            caller.check()
            time.sleep(0.1)
        return True

    def end(self, wait: bool) -> bool:
        """Wait for the workers to finish their jobs, then stop their vassal.

        Args:
            wait: whether to wait until the end of `grace`; otherwise a minute at most.

        Returns:
            Whether the vassal is stopped. Otherwise workers still finish their jobs.
        """
        if not self.known() and not self.is_started():
            return True
        self.tell(DRAIN)
        grace = self.grace + MARGIN
        at_most = grace if wait else min(grace, AT_ONCE + MARGIN)
        if not self.wait_idle(at_most) and at_most < grace:
            return False
        emperor.dismiss(self.host.stats, self.link, 3 * MARGIN, f"the vassal of the workers of the Sess {self.sess}")
        return True


def differences(wanted: Iterable[Worker], before: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the differences from the workers in a record, as a plan shows them."""
    now = {worker.name: summary(worker) for worker in wanted}
    then = {str(worker["name"]): dict(worker) for worker in before}
    said = []
    for name in {**then, **now}:
        if now.get(name) != then.get(name):
            what = "added" if name not in then else "removed" if name not in now else "changed"
            said.append(f"worker {name} {what}")
    return said


def make_log(act: ActPaths) -> None:
    """Create the log of an Act's workers and timers."""
    files.directory(act.production.logs, 0o750, 0, process.group_id(names.LOG_GROUP))
    handle = os.open(act.crew_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o640)
    os.fchown(handle, 0, process.group_id(names.LOG_GROUP))
    os.close(handle)

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Stage kind "uwsgi": a Sess is a vassal of Backstage's own emperor.

A Stage kind is this interface: render, start, ready, idle, stop.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ..host import files, names, process
from ..host.errors import BackstageError
from ..host.facts import SITE, Host
from ..host.layout import Act as ActPaths
from ..manifest.nouns import Limits, Worker
from . import emperor, sleep
from .limits import Held, look, record

LISTEN = 1024
_MOST = 1 << 18
_INI = """\
; {ownership}
[uwsgi]
; first of all: without uid a truncated file would run as root
uid = {player}
gid = {player}
strict = true
plugin = python3
master = true
single-interpreter = true
need-app = true
enable-threads = true
; a worker is a fork: without these a thread that ran then may keep the interpreter's lock for ever
py-call-uwsgi-fork-hooks = true
no-orphans = true
die-on-term = true
umask = 027
processes = {processes}
threads = {threads}
{door}; what nginx takes of a request fits in: headers of 32 kB, and a thousand of them
buffer-size = 65535
max-vars = 1100
harakiri = {timeout}
worker-reload-mercy = {worker_mercy}
reload-mercy = {mercy}
envdir = {env}
chdir = {project}
virtualenv = {environment}
pythonpath = {wrapper}
module = backstage_wrapper:application
procname-prefix-spaced = {production}/{act}/{sess}
disable-logging = true
; with the zone: it is the Act's own TIME_ZONE as soon as Django is there
log-date = %%Y-%%m-%%dT%%H:%%M:%%S%%z
{logging} = {log}
"""
_DOOR = """\
thunder-lock = true
listen = {listen}
chmod-socket = 660
; also delays the drop of privileges until after the bind
chown-socket = root:{www}
socket = {socket}
"""
_NO_DOOR = """\
; the emperor has its door, starts it at a request, and is told when nobody has asked for so many seconds
idle = {idle}
die-on-idle = true
"""


@dataclass(frozen=True)
class Part:
    """What a Sess plays. It has no id yet, and is compared by content with what is on disk.

    Args:
        release: the id of the release.
        project: the working directory.
        environment: the virtual environment.
        variables: the whole environment of the process, secrets included.
        secrets: the names of those that are secret.
        processes: uWSGI workers.
        threads: threads of each worker.
        timeout: the longest request, in seconds.
        limits: what it may use of the host.
        manage: how the Act is managed.
        workers: its workers.
        idle: seconds without a request after which it sleeps; 0 if it never does.
        standby: minutes that it stays beside the Sess of another release that replaces it.
    """

    release: str
    project: str
    environment: str
    variables: dict[str, str]
    secrets: frozenset[str]
    processes: int
    threads: int
    timeout: int
    limits: Limits = field(default_factory=Limits)
    manage: str = ""
    workers: tuple[Worker, ...] = ()
    idle: int = 0
    standby: int = 0


class Uwsgi:
    """Sesses of one Act as vassals."""

    def __init__(self, host: Host, act: ActPaths) -> None:
        self.host = host
        self.act = act

    def render(self, part: Part, sess: str) -> str:
        """Return the vassal's configuration. Every value is a checked scalar, because an ini value can run code."""
        paths = self.act.sess(sess)
        return _INI.format(
            ownership=files.OWNERSHIP,
            player=names.player(self.act.production.name, self.act.name),
            processes=part.processes,
            threads=part.threads,
            door=self._door(part, paths.socket),
            # without a socket the privileges are dropped before logto2 is opened
            logging="logto" if part.idle else "logto2",
            timeout=part.timeout,
            worker_mercy=part.timeout + 5,
            mercy=part.timeout + 10,
            env=paths.env,
            project=part.project,
            environment=part.environment,
            wrapper=self.host.wrapper,
            production=self.act.production.name,
            act=self.act.name,
            sess=sess,
            log=self.act.log,
        )

    def _door(self, part: Part, path: str) -> str:
        if part.idle:
            return _NO_DOOR.format(idle=part.idle)
        return _DOOR.format(listen=min(LISTEN, _somaxconn()), www=names.WWW_GROUP, socket=path)

    def door_file(self, part: Part, sess: str) -> Optional[str]:
        """Return what the file beside the vassal should say; None if there should be none."""
        return self.act.sess(sess).socket if part.idle else None

    def limits_record(self, part: Part, sess: str) -> Optional[str]:
        """Return what the start of a Sess reads about its limits; None if it has none."""
        if not part.limits.given():
            return None
        production, act = self.act.production.name, self.act.name
        player = process.User.named(names.player(production, act))
        return record(part.limits, names.scope(production, act, sess), player.uid)

    def held(self, sess: str, asked: Mapping[str, Any], stats: Optional[emperor.Stats] = None) -> list[Held]:
        """Return what enforces the limits of a started Sess; nothing while it sleeps.

        The emperor is asked unless its stats are given.
        """
        stats = stats or (emperor.try_look(self.host.stats) if asked else None)
        if self.is_asleep(sess, stats):
            return []
        found = stats.vassals.get(self.vassal(sess)) if stats else None
        return look(asked, found.pid if found else 0, stats.pid if stats else 0)

    def is_asleep(self, sess: str, stats: Optional[emperor.Stats]) -> bool:
        """Return whether it waits for a request without a process."""
        return sleep.sleeps(self.link(sess)) and not sleep.is_awake(stats, self.vassal(sess))

    def vassal(self, sess: str) -> str:
        return names.vassal(self.act.production.name, self.act.name, sess)

    def link(self, sess: str) -> str:
        return os.path.join(self.host.vassals, self.vassal(sess))

    def start(self, sess: str) -> None:
        """Let the emperor start the Sess: link its vassal under a name that the emperor ignores, then rename it."""
        if not os.path.isdir(self.host.vassals):
            raise BackstageError(f"{self.host.vassals} is missing; {SITE}", step="start")
        if (files.read_json(self.act.sess(sess).record) or {}).get("idle"):
            sleep.hang(self.link(sess), self.act.sess(sess).socket)
        files.link(self.link(sess), self.act.sess(sess).ini)

    def ready(self, sess: str, timeout: float) -> None:
        """Wait until the Sess accepts requests.

        Raises:
            BackstageError: it ended, was refused, or took too long. Its log shows the cause.
        """
        name, deadline = self.vassal(sess), time.monotonic() + timeout
        if sleep.sleeps(self.link(sess)):
            sleep.wake(self.host.stats, name, self.act.sess(sess).socket, timeout)
            return
        pid: Optional[int] = None
        while time.monotonic() < deadline:
            stats = emperor.look(self.host.stats, name)
            found = stats.vassals.get(name)
            if name in stats.blacklist or (pid and (found is None or found.pid != pid or found.respawns)):
                raise BackstageError(sleep.ENDED, step="start")
            if found and found.pid > 0:
                pid = found.pid
                if found.accepting and not found.cursed:
                    return
            time.sleep(0.03)
        raise BackstageError(f"the Sess was not ready within {timeout:.0f} s: raise health.timeout", step="start")

    def idle(self, sess: str, timeout: float) -> bool:
        """Wait until no request is queued or answered, and return whether that came in time."""
        from . import door

        return door.wait_idle(self.act.sess(sess).socket, timeout)

    def stop(self, sess: str, grace: Optional[float]) -> None:
        """Remove the vassal's symlink and wait until the emperor has let it finish.

        Args:
            sess: its id.
            grace: seconds for open requests, then it is killed. None if it answers nothing any more: nothing waits for
                its exit then, which takes uWSGI's master up to a second.
        """
        sleep.unhang(self.link(sess))  # first: the emperor keeps no door of what is gone
        emperor.dismiss(self.host.stats, self.link(sess), grace, f"the Sess {sess}")

    def end_left(self, sess: str, playing: Optional[str]) -> list[str]:
        """Kill the processes that a stopped Sess has left, and return their names.

        Args:
            sess: the stopped Sess.
            playing: the Sess that plays. Processes that are newer than its start may be its own.
        """
        from .leftovers import Left, started

        stats = emperor.try_look(self.host.stats)
        plays = stats.vassals.get(self.vassal(playing)) if stats and playing else None
        asleep = bool(playing) and self.is_asleep(playing or "", stats)
        if stats is None or (playing and not asleep and (plays is None or plays.pid <= 1)):
            return []
        production, act = self.act.production.name, self.act.name
        left = Left(
            user=process.User.named(names.player(production, act)),
            emperor=stats.pid,
            before=started(plays.pid) if plays and not asleep else 0 if asleep else None,
            title=f"{production}/{act}/{sess} ",
            scope=names.scope(production, act, sess),
        )
        return left.end()

    def remembered(self) -> list[str]:
        """Return the Sesses that the emperor has or had. It remembers the names of failed ones as long as it runs."""
        stats = emperor.try_look(self.host.stats)
        before, after = self.vassal("").split("..")
        names_ = [*stats.vassals, *stats.blacklist] if stats else []
        return [name[len(before) + 1 : -len(after) - 1] for name in names_ if name.startswith(before + ".")]

    def is_started(self, sess: str) -> bool:
        return files.link_target(self.link(sess)) is not None

    def log_ends(self) -> dict[str, int]:
        """Return where the Act's log and the emperor's end now. Time stamps would depend on the Act's TIME_ZONE."""
        logs = (self.act.log, self.host.emperor_log)
        return {log: os.path.getsize(log) if os.path.exists(log) else 0 for log in logs}

    def log_since(self, ends: dict[str, int]) -> str:
        """Return what the Sess logged since then, until its first end.

        What fails before the privileges are dropped, such as an unknown option, is only in the emperor's log.
        """
        from ..diagnosis import lookup

        return lookup.tail(self.printed_since(ends))

    def printed_since(self, ends: dict[str, int]) -> str:
        """Return everything that it printed since then; of a very long output only the beginning and the end."""
        for log, end in ends.items():
            text = read_from(log, end).split("GAME OVER")[0].strip()
            if text:
                return text
        return ""


def sweep_drafts(production: str, vassals: str) -> None:
    """Remove the vassals that a killed run did not rename. The emperor ignores them."""
    for name in files.names_in(vassals):
        if name.startswith(f"backstage.{production}.") and name.endswith(".ini.new"):
            files.remove(os.path.join(vassals, name))
    sleep.sweep(vassals, f"backstage.{production}.")


def read_from(path: str, offset: int) -> str:
    """What a log has got since it was so long; of very much only the beginning and the end."""
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            log.seek(offset)
            text = log.read(_MOST)
            rest = os.fstat(log.fileno()).st_size - offset - _MOST
            if rest > 0:
                log.seek(offset + _MOST + max(0, rest - _MOST))
                text += log.read()
            return text
    except FileNotFoundError:
        return ""


@functools.cache
def _somaxconn() -> int:
    return int(files.read("/proc/sys/net/core/somaxconn") or LISTEN)

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Stage kind "uwsgi": a Sess is a vassal of Backstage's own emperor."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Mapping
from typing import Any, Optional

from ..host import files, names
from ..host.errors import BackstageError
from ..host.facts import SITE, Host
from ..host.layout import Act as ActPaths
from . import door as doors
from . import emperor, limits, logs, sleep
from .interface import Look, Part, Text

LISTEN = 1024
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


class Uwsgi:
    """Sesses of one Act as vassals."""

    runner = "the emperor"

    def __init__(self, host: Host, act: ActPaths) -> None:
        self.host = host
        self.act = act

    def files(self, part: Part, sess: str) -> dict[str, Optional[Text]]:
        limited = self.limits_record(part, sess)
        return {
            "limits.json": Text(limited, 0o600) if limited else None,
            "uwsgi.ini": Text(self.render(part, sess), 0o640, for_player=True),
        }

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

    def limits_record(self, part: Part, sess: str) -> Optional[str]:
        """Return what the start of a Sess reads about its limits; None if it has none."""
        return limits.record_of(part.limits, self.act, sess)

    def held(self, sess: str, asked: Mapping[str, Any], look: Look) -> list[limits.Held]:
        """Return what holds the limits of a started Sess; nothing while it sleeps."""
        stats = look.emperor if asked else None
        if self.is_asleep(sess, look):
            return []
        return limits.look(asked, self.pid(sess, look) if stats else 0, stats.pid if stats else 0)

    def is_asleep(self, sess: str, look: Look) -> bool:
        """Return whether the emperor waits for a request to it, and it has no process."""
        is_here = self._seen(sess, look) is not None
        return is_here and sleep.sleeps(self.link(sess)) and not sleep.is_awake(look.emperor, self.vassal(sess))

    def _seen(self, sess: str, look: Look) -> Optional[emperor.Vassal]:
        return look.emperor.vassals.get(self.vassal(sess)) if look.emperor else None

    def vassal(self, sess: str) -> str:
        return names.vassal(self.act.production.name, self.act.name, sess)

    def link(self, sess: str) -> str:
        return os.path.join(self.host.vassals, self.vassal(sess))

    def links(self, sess: str) -> dict[str, str]:
        return {self.link(sess): self.act.sess(sess).ini}

    def beside(self, part: Part, sess: str) -> dict[str, Optional[str]]:
        return {sleep.file_of(self.link(sess)): self.act.sess(sess).socket if part.idle else None}

    def door(self, sess: str) -> doors.Door:
        return doors.Door(self.act.sess(sess).socket)

    def need(self) -> None:
        if not os.path.isdir(self.host.vassals):
            raise BackstageError(f"{self.host.vassals} is missing; {SITE}", step="start")

    def start(self, sess: str) -> None:
        """Let the emperor start the Sess: link its vassal under a name that the emperor ignores, then rename it."""
        self.need()
        if (files.read_json(self.act.sess(sess).record) or {}).get("idle"):
            sleep.hang(self.link(sess), self.act.sess(sess).socket)
        for path, target in self.links(sess).items():
            files.link(path, target)

    def ready(self, sess: str, timeout: float) -> None:
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
        """Wait until nothing is queued or answered; return whether that came in time."""
        return doors.wait_idle(self.act.sess(sess).socket, timeout)

    def stop(self, sess: str, grace: Optional[float]) -> None:
        """Remove the vassal's symlink and wait until the emperor has let it finish.

        Args:
            sess: its id.
            grace: seconds for open requests, then it is killed. None if it answers nothing any more: nothing waits for
                its exit then, which takes uWSGI's master up to a second.
        """
        sleep.unhang(self.link(sess))  # first: the emperor keeps no door of what is gone
        emperor.dismiss(self.host.stats, self.link(sess), grace, f"the Sess {sess}")

    def pid(self, sess: str, look: Look) -> int:
        found = self._seen(sess, look)
        return found.pid if found and found.pid > 1 and not self.is_asleep(sess, look) else 0

    def remembered(self) -> list[str]:
        """Return the Sesses that the emperor has or had. It remembers the names of failed ones as long as it runs."""
        stats = emperor.try_look(self.host.stats)
        before, after = self.vassal("").split("..")
        names_ = [*stats.vassals, *stats.blacklist] if stats else []
        return [name[len(before) + 1 : -len(after) - 1] for name in names_ if name.startswith(before + ".")]

    def is_started(self, sess: str) -> bool:
        return files.link_target(self.link(sess)) is not None

    def is_playing(self, sess: str, look: Look) -> bool:
        vassal = self._seen(sess, look)
        if vassal and sleep.sleeps(self.link(sess)):  # the emperor curses it while it falls asleep
            return sleep.is_awake(look.emperor, self.vassal(sess))
        return bool(vassal and vassal.accepting and not vassal.cursed)

    def log_ends(self) -> dict[str, int]:
        """Return where the Act's log and the emperor's end now. Time stamps would depend on the Act's TIME_ZONE."""
        return logs.ends([self.act.log, self.host.emperor_log])

    def log_since(self, ends: dict[str, int]) -> str:
        """Return what the Sess logged since then, until its first end.

        What fails before the privileges are dropped, such as an unknown option, is only in the emperor's log.
        """
        from ..diagnosis import lookup

        return lookup.tail(self.printed_since(ends))

    def printed_since(self, ends: dict[str, int]) -> str:
        """Return everything that it printed since then; of a very long output only the beginning and the end."""
        return logs.first_since(ends, until="GAME OVER")


@functools.cache
def _somaxconn() -> int:
    return int(files.read("/proc/sys/net/core/somaxconn") or LISTEN)

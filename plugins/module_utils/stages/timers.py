# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The timers of an Act: commands at a time, by systemd's timers if PID 1 is systemd, and by cron otherwise.

No unit and no cron file names a release. The role's backstage_timer.py follows ``live`` at every start, so a switch
changes nothing here.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from functools import partial

from ..host import files, locks, names, process, programs
from ..host.errors import BackstageError
from ..host.facts import SITE, Host
from ..host.layout import Act as ActPaths
from ..manifest.jobs import Timer
from ..state.plan import Change, Phase, Step
from ..state.read import ActState
from .crew import make_log
from .crew_reports import Report

PROGRAM = "backstage_timer.py"
UNITS = "/etc/systemd/system"
STAMPS = "/var/lib/systemd/timers"
CRON = "/etc/cron.d"
CRON_PROGRAM = "/usr/sbin/cron"
SYSTEMD = "/run/systemd/system"
_PYTHON = "/usr/bin/python3 -E -s"
# (systemd's OnCalendar, cron's five fields)
EVERY = {
    "minute": ("*-*-* *:*:00", "* * * * *"),
    "quarter": ("*-*-* *:00/15:00", "*/15 * * * *"),
    "hour": ("*-*-* *:00:00", "0 * * * *"),
    "day": ("*-*-* 00:00:00", "0 0 * * *"),
    "week": ("Mon *-*-* 00:00:00", "0 0 * * 1"),
    "month": ("*-*-01 00:00:00", "0 0 1 * *"),
    "year": ("*-01-01 00:00:00", "0 0 1 1 *"),
}
_SERVICE = """\
# {ownership}
[Unit]
Description=Backstage: timer {timer} of {production}/{act}
After=network.target

[Service]
Type=oneshot
User={player}
Group={player}
UnsetEnvironment=USER LOGNAME SHELL
ExecStart={python} {program} {root} {timer}
StandardOutput=append:{log}
StandardError=inherit
# The program ends its command by itself, after a day.
TimeoutStartSec=infinity
KillMode=mixed
Nice=5

# As in the emperor's service, for a command that runs as this user from its start.
NoNewPrivileges=true
CapabilityBoundingSet=
ProtectSystem=strict
ReadWritePaths={root}/data {root}/media {root}/timers/said
ProtectHome=true
PrivateTmp=true
PrivateDevices=true
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectKernelLogs=true
ProtectControlGroups=true
ProtectClock=true
ProtectHostname=true
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
LockPersonality=true
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""
_TIMER = """\
# {ownership}
[Unit]
Description=Backstage: when {timer} of {production}/{act} runs

[Timer]
OnCalendar={calendar}
# What was missed while the host was down is done once when it is up.
Persistent=true
AccuracySec=1s

[Install]
WantedBy=timers.target
"""
_CRON = """\
# {ownership}
SHELL=/bin/sh
PATH={path}
{fields} root setpriv --reuid={player} --regid={player} --init-groups --no-new-privs {python} {program} {root} {timer} \
>>{log} 2>&1
"""


class Timers:
    """The timers of one Act on this host.

    Args:
        act: the directories of the Act.
        host: the host's facts.
    """

    def __init__(self, act: ActPaths, host: Host) -> None:
        self.act, self.host = act, host
        self.systemd = os.path.isdir(SYSTEMD)

    def known(self) -> list[str]:
        """Return the names of those that are there."""
        return [name.removesuffix(".json") for name in files.names_in(self.act.timers) if name.endswith(".json")]

    def record(self, name: str) -> str:
        return os.path.join(self.act.timers, name + ".json")

    def lock(self, name: str) -> str:
        return os.path.join(self.act.timers, name + ".lock")

    def unit(self, name: str, kind: str) -> str:
        return f"backstage.{self.act.production.name}.{self.act.name}.{name}.{kind}"

    def places(self, name: str) -> list[str]:
        """Return the files that start it, of systemd and of cron: no name has an underscore."""
        cron = f"backstage_{self.act.production.name}_{self.act.name}_{name}"  # cron ignores names with a dot
        units = [os.path.join(UNITS, self.unit(name, kind)) for kind in ("service", "timer")]
        return [*units, os.path.join(CRON, cron)]

    def texts(self, timer: Timer) -> dict[str, str]:
        """Return what its files should be, by their paths; its record is first."""
        calendar, fields = _when(timer)
        words = shlex.split(timer.run or timer.manage)
        kind = "run" if timer.run else "manage"
        told = {"kind": kind, "words": words, "when": timer.when}
        service, unit, cron = self.places(timer.name)
        known = {
            "ownership": files.OWNERSHIP,
            "timer": timer.name,
            "production": self.act.production.name,
            "act": self.act.name,
            "player": names.player(self.act.production.name, self.act.name),
            "python": _PYTHON,
            "program": os.path.join(self.host.wrapper, PROGRAM),
            "root": self.act.root,
            "log": self.act.crew_log,
            "path": process.PATH,
            "calendar": calendar,
            "fields": fields,
        }
        found = {self.record(timer.name): files.to_json(told)}
        if self.systemd:
            return {**found, service: _SERVICE.format(**known), unit: _TIMER.format(**known)}
        return {**found, cron: _CRON.format(**known)}

    def _enabled(self, name: str) -> str:
        """Return the link that has systemd start it at boot; it is made last, so that a killed run is repeated."""
        return os.path.join(UNITS, "timers.target.wants", self.unit(name, "timer"))

    def is_as(self, timer: Timer) -> bool:
        """Return whether its files are as they should be, and systemd has it enabled.

        Neither systemd nor cron starts it without a directory for its log.
        """
        texts = self.texts(timer)
        is_enabled = not self.systemd or os.path.lexists(self._enabled(timer.name))
        has_log = os.path.exists(self.act.crew_log)
        return is_enabled and has_log and all(files.read(path) == text for path, text in texts.items())

    def install(self, timer: Timer) -> None:
        """Write its files and have it started at its times.

        Raises:
            BackstageError: something that it needs is missing on this host.
        """
        self._need_programs()
        player = process.User.named(names.player(self.act.production.name, self.act.name))
        files.directory(self.act.timers, 0o711)
        files.directory(os.path.join(self.act.timers, "said"), 0o750, player.uid, player.gid)
        make_log(self.act)
        files.draft(self.lock(timer.name), "", 0o640, player.gid)
        if self.systemd:
            files.remove(self._enabled(timer.name))
        (record, text), *others = self.texts(timer).items()
        files.write(record, text, 0o640, player.gid)
        for path, text in others:
            files.write(path, text)
        if self.systemd:
            _ask("daemon-reload")
            _ask("restart", self.unit(timer.name, "timer"))
            _ask("enable", "--quiet", self.unit(timer.name, "timer"))

    def _need_programs(self) -> None:
        program = os.path.join(self.host.wrapper, PROGRAM)
        if not os.path.exists(program):
            message = f"this host's stage is of an earlier Backstage ({program} is missing); {SITE}"
            raise BackstageError(message, step="timer")
        if not self.systemd and not os.path.exists(CRON_PROGRAM):
            raise BackstageError("PID 1 is not systemd, and cron is missing: install the package cron", step="timer")

    def remove(self, name: str) -> None:
        """Have it started no more, and end what runs of it; its record goes last, so that a killed run is repeated."""
        places = [path for path in self.places(name) if os.path.lexists(path)]
        if self.systemd and places:
            _ask("disable", "--now", "--quiet", self.unit(name, "timer"))
            _ask("stop", self.unit(name, "service"))
            programs.ask("systemctl", "reset-failed", self.unit(name, "service"))  # it says so if it never failed
        for path in places:
            files.remove(path)
        if self.systemd:
            _ask("daemon-reload")
            files.remove(os.path.join(STAMPS, "stamp-" + self.unit(name, "timer")))
        for path in (os.path.join(self.act.timers, "said", name + ".json"), self.lock(name), self.record(name)):
            files.remove(path)

    def is_running(self, name: str) -> bool:
        return locks.is_held(self.lock(name))

    def report(self, name: str) -> Report:
        """Return what its program says of its last run."""
        return Report.read(os.path.join(self.act.timers, "said", name + ".json"))

    def when(self, name: str) -> str:
        return str((files.read_json(self.record(name)) or {}).get("when", ""))


def plan(wanted: Sequence[Timer], state: ActState, host: Host) -> list[Change]:
    """Return the changes after which an Act has exactly these timers.

    Args:
        wanted: the timers of the manifest; none if nothing of the Act should play.
        state: the Act on disk.
        host: the host's facts.
    """
    own = Timers(state.paths, host)
    known, act = own.known(), state.paths.name
    named = {timer.name for timer in wanted}
    changes = [
        Change(_step(act, name, "remove", own.when(name), None), Phase.SWITCHED, act, partial(own.remove, name))
        for name in known
        if name not in named
    ]
    for timer in wanted:
        if timer.name not in known or not own.is_as(timer):
            is_known = timer.name in known
            before = own.when(timer.name) if is_known else None
            step = _step(act, timer.name, "change" if is_known else "add", before, timer.when)
            changes.append(Change(step, Phase.SWITCHED, act, partial(own.install, timer)))
    return changes


def _step(act: str, name: str, verb: str, before: object, after: object) -> Step:
    return Step("timer", f"{act}/{name}", verb, before, after)


def _when(timer: Timer) -> tuple[str, str]:
    if timer.every:
        return EVERY[timer.every]
    hour, minute = timer.at.split(":")
    return f"*-*-* {timer.at}:00", f"{int(minute)} {int(hour)} * * *"


def _ask(*words: str) -> None:
    found = programs.ask("systemctl", *words)
    if not found.ok:
        raise BackstageError(f"systemctl {' '.join(words)} failed: {found.said}", step="timer")

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Sess as two units of systemd: the socket is its door, and the service its server.

PID 1 makes the door, so the server needs no root, and requests wait in the door while the server starts again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Optional

from ..host import files, names
from ..host.errors import BackstageError
from ..host.facts import SITE, Host
from ..host.layout import Act as ActPaths
from . import door as doors
from . import limits, logs, systemd
from .interface import Look, Part, Text

SLICE = "system-backstage.slice"
PROGRAM = "backstage_env.py"
KILL_WITHIN = 10
"""Seconds for the end of a killed service."""
_PLAIN = re.compile(r"[A-Za-z0-9._/:=,()@+~-]+\Z")
_SOCKET = """\
# {ownership}
[Unit]
Description=Backstage door {name}
CollectMode=inactive-or-failed

[Socket]
ListenStream={door}
SocketUser=root
SocketGroup={www}
SocketMode=0660
DirectoryMode=0750
Backlog=1024
# a Sess that dies again and again keeps its door
TriggerLimitIntervalSec=0
RemoveOnStop=true

[Install]
WantedBy=sockets.target
"""
_SERVICE = """\
# {ownership}
[Unit]
Description=Backstage Sess {name}
Requires={unit}.socket
After={unit}.socket network.target
StartLimitIntervalSec=0
CollectMode=inactive-or-failed

[Service]
# the server says READY after the import: an import error ends the start
Type=notify
NotifyAccess=main
Slice={slice}
User={player}
Group={player}
WorkingDirectory={project}
ExecStart={command}
StandardInput=null
StandardOutput=append:{log}
StandardError=inherit
# a deploy has its own limit: health.timeout
TimeoutStartSec=3600
Restart=always
RestartSec=100ms
KillMode=mixed
KillSignal=SIGTERM
TimeoutStopSec={stop}
# a worker that the kernel kills for its memory is started again by the server
OOMPolicy=continue
{limits}
NoNewPrivileges=true
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
# of Backstage's files it sees its own only
TemporaryFileSystem=/srv/backstage:ro
BindReadOnlyPaths={env} {code} {static} {environment}
BindPaths={media} {data}
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
RemoveIPC=true
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0027

[Install]
WantedBy=multi-user.target
"""


class Units:
    """Sesses of one Act as a socket and a service each. A kind adds its name and its command."""

    name = ""
    runner = "systemd"

    def __init__(self, host: Host, act: ActPaths) -> None:
        self.host = host
        self.act = act

    def command(self, part: Part, sess: str) -> list[str]:
        """Return the server's command line. It has no value of the manifest but checked scalars."""
        raise NotImplementedError

    def unit(self, sess: str) -> str:
        return names.unit(self.act.production.name, self.act.name, sess)

    def files(self, part: Part, sess: str) -> dict[str, Optional[Text]]:
        unit, paths, release = self.unit(sess), self.act.sess(sess), self.act.release(part.release)
        common = {
            "ownership": files.OWNERSHIP,
            "name": f"{self.act.production.name}/{self.act.name}/{sess}",
            "unit": unit,
        }
        program = os.path.join(self.host.wrapper, PROGRAM)
        argv = ["/usr/bin/python3", "-IS", program, paths.env, *self.command(part, sess)]
        socket = _SOCKET.format(**common, door=paths.http_socket, www=names.WWW_GROUP)
        service = _SERVICE.format(
            **common,
            slice=SLICE,
            player=names.player(self.act.production.name, self.act.name),
            project=word(part.project),
            command=" ".join(map(word, argv)),
            log=self.act.log,
            stop=part.timeout + 10,
            limits=_limits(part),
            env=paths.env,
            code=release.code,
            static=release.static,
            environment=part.environment,
            media=self.act.media,
            data=self.act.data,
        )
        # its workers are a vassal of the emperor, whose start reads them
        limited = limits.record_of(part.limits, self.act, sess) if part.workers else None
        return {
            "limits.json": Text(limited, 0o600) if limited else None,
            f"{unit}.socket": Text(socket, 0o644),
            f"{unit}.service": Text(service, 0o644),
        }

    def links(self, sess: str) -> dict[str, str]:
        unit, root, found = self.unit(sess), self.act.sess(sess).root, {}
        for ending, target in systemd.WANTED_BY.items():
            found[os.path.join(self.host.units, f"{unit}.{ending}")] = os.path.join(root, f"{unit}.{ending}")
            found[os.path.join(self.host.units, f"{target}.wants", f"{unit}.{ending}")] = f"../{unit}.{ending}"
        return found

    def beside(self, part: Part, sess: str) -> dict[str, Optional[str]]:
        return {}

    def door(self, sess: str) -> doors.Door:
        return doors.Door(self.act.sess(sess).http_socket, "http")

    def need(self) -> None:
        systemd.need(self.name)
        self.need_program()

    def need_program(self) -> None:
        program = os.path.join(self.host.wrapper, PROGRAM)
        if not os.path.exists(program):
            message = f"this host's stage is of an earlier Backstage ({program} is missing); {SITE}"
            raise BackstageError(message, step="stage")

    def start(self, sess: str) -> None:
        """Link the units, so that every boot starts them. ``ready`` starts them now."""
        self.need()
        for path, target in self.links(sess).items():
            files.directory(os.path.dirname(path))
            files.link(path, target)

    def ready(self, sess: str, timeout: float) -> None:
        """Start the units as one job, whose end is READY or the server's end.

        Units with a new name are read from disk, so systemd needs no daemon-reload.
        """
        started = systemd.call("start", *self._units(sess), timeout=timeout)
        if started.late:
            raise BackstageError(f"the Sess was not ready within {timeout:.0f} s: raise health.timeout", step="start")
        if not started.ok:
            raise BackstageError("the Sess ended while it started", step="start")

    def idle(self, sess: str, timeout: float) -> bool:
        """Wait until no request is queued. The server finishes open ones after SIGTERM."""
        return doors.wait_idle(self.door(sess).path, timeout, queued_only=True)

    def stop(self, sess: str, grace: Optional[float]) -> None:
        """Stop the service, then the door, and remove the symlinks.

        The symlinks go last, so that the next run finds a Sess whose stop was interrupted.
        """
        units = self._units(sess)
        if systemd.runs():
            self._stop(sess, units, grace)
        for path in self.links(sess):
            files.remove(path)

    def _stop(self, sess: str, units: tuple[str, str], grace: Optional[float]) -> None:
        if grace is None:
            systemd.call("stop", *units, timeout=KILL_WITHIN, options=("--no-block",))
        elif systemd.call("stop", *units, timeout=grace).late:
            systemd.call("kill", units[1], timeout=KILL_WITHIN, options=("--signal=KILL",))
            if systemd.call("stop", *units, timeout=KILL_WITHIN).late:
                raise BackstageError(f"the Sess {sess} does not end", step="stop")

    def is_started(self, sess: str) -> bool:
        """Return whether any of its symlinks exists: a killed run may have left some of them."""
        return any(files.link_target(path) is not None for path in self.links(sess))

    def is_playing(self, sess: str, look: Look) -> bool:
        unit = look.units.get(self.unit(sess))
        return unit is not None and unit.state == "active"

    def is_asleep(self, sess: str, look: Look) -> bool:
        return False

    def pid(self, sess: str, look: Look) -> int:
        unit = look.units.get(self.unit(sess))
        return unit.pid if unit else 0

    def held(self, sess: str, asked: Mapping[str, Any], look: Look) -> list[limits.Held]:
        return limits.look(asked, self.pid(sess, look) if asked else 0, None)

    def remembered(self) -> list[str]:
        """Return the Sesses whose units systemd still has in its memory, with the files of then."""
        before = self.unit("")
        return [unit.removeprefix(before) for unit in systemd.services(before + "*")]

    def log_ends(self) -> dict[str, int]:
        return logs.ends([self.act.log])

    def log_since(self, ends: dict[str, int]) -> str:
        from ..diagnosis import lookup

        return lookup.tail(self.printed_since(ends))

    def printed_since(self, ends: dict[str, int]) -> str:
        return logs.first_since(ends)

    def _units(self, sess: str) -> tuple[str, str]:
        unit = self.unit(sess)
        return f"{unit}.socket", f"{unit}.service"


def word(word: str) -> str:
    """Return a word as systemd reads it in a command line or a path.

    Raises:
        BackstageError: it has a character that would need quotes.
    """
    if not _PLAIN.match(word):
        raise BackstageError(f"{word!r} can't be written into a unit of systemd", step="start")
    return word


def _limits(part: Part) -> str:
    wanted = limits.numbers(part.limits)
    lines = []
    if "memory" in wanted:
        lines += [f"MemoryMax={wanted['memory']}", "MemorySwapMax=0"]
    if "cpu" in wanted:
        lines.append(f"CPUQuota={wanted['cpu']}%")
    if "tasks" in wanted:
        lines.append(f"TasksMax={wanted['tasks']}")
    return "".join(line + "\n" for line in lines)

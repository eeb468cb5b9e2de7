# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Stage kinds of gunicorn below supervisor: a Sess is a program whose socket supervisor makes.

The door and the server's command are those of ``units``. What differs: supervisor tells nothing when the Act is
imported, its programs have no sandbox and no limits, and the door is made anew when the whole program ends.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, Optional

from ..host import caller, files, names
from ..host.errors import BackstageError
from . import limits, supervisor
from .gunicorn import Asgi, Gunicorn
from .interface import Look, Part, Text
from .units import KILL_WITHIN, PROGRAM, Units, word

_RUNS, _ENDED = ("RUNNING",), ("BACKOFF", "EXITED", "FATAL", "STOPPED", "UNKNOWN")
_CONFIGURATION = """\
; {ownership}
[fcgi-program:{unit}]
command={command}
socket=unix://{door}
socket_owner=root:{www}
socket_mode=0660
socket_backlog=1024
process_name=sess
numprocs=1
directory={project}
user={player}
umask=027
autostart=true
autorestart=true
startsecs=1
startretries=1000000
stopsignal=TERM
stopwaitsecs={stop}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=0
"""


class Supervised(Units):
    """Sesses of one Act as a program of supervisor each. A kind adds its name and its command."""

    runner = "supervisor"

    def files(self, part: Part, sess: str) -> dict[str, Optional[Text]]:
        unit, paths = self.unit(sess), self.act.sess(sess)
        program = os.path.join(self.host.wrapper, PROGRAM)
        player = ["/usr/bin/setpriv", "--no-new-privs", "--", "/usr/bin/python3", "-IS", program, paths.env]
        text = _CONFIGURATION.format(
            ownership=files.OWNERSHIP,
            unit=unit,
            command=" ".join(map(word, [*player, *self.command(part, sess), "--bind", "fd://0"])),
            door=paths.http_socket,
            www=names.WWW_GROUP,
            project=word(part.project),
            player=names.player(self.act.production.name, self.act.name),
            stop=part.timeout + 10,
            log=self.act.log,
        )
        limited = limits.record_of(part.limits, self.act, sess) if part.workers else None
        return {"limits.json": Text(limited, 0o600) if limited else None, f"{unit}.conf": Text(text, 0o644)}

    def links(self, sess: str) -> dict[str, str]:
        name = f"{self.unit(sess)}.conf"
        return {os.path.join(self.host.supervisor, name): os.path.join(self.act.sess(sess).root, name)}

    def need(self) -> None:
        supervisor.need()
        self.need_program()

    def ready(self, sess: str, timeout: float) -> None:
        """Start the program, and wait until it has run for a second. Whether the Act answers, only the gate tells."""
        name, deadline = self.unit(sess), time.monotonic() + timeout
        supervisor.update(name, timeout)
        while time.monotonic() < deadline:
            caller.check()
            found = supervisor.programs(name).get(name)
            if found and found.state in _RUNS:
                return
            if found is None or found.state in _ENDED:
                raise BackstageError("the Sess ended while it started", step="start")
            time.sleep(0.1)
        raise BackstageError(f"the Sess was not ready within {timeout:.0f} s: raise health.timeout", step="start")

    def stop(self, sess: str, grace: Optional[float]) -> None:
        """Remove the symlink, and have supervisor stop the program. supervisorctl waits for its end."""
        name = self.unit(sess)
        for path in self.links(sess):
            files.remove(path)
        within = self.host.longest_request + KILL_WITHIN if grace is None else grace
        if name not in supervisor.programs(name) or supervisor.update(name, within):
            return
        supervisor.kill(name)
        if not supervisor.update(name, supervisor.QUICK):
            raise BackstageError(f"the Sess {sess} does not end", step="stop")

    def is_playing(self, sess: str, look: Look) -> bool:
        found = look.programs.get(self.unit(sess))
        return found is not None and found.state in _RUNS

    def pid(self, sess: str, look: Look) -> int:
        found = look.programs.get(self.unit(sess))
        return found.pid if found else 0

    def held(self, sess: str, asked: Mapping[str, Any], look: Look) -> list[limits.Held]:
        return [limits.Held(key, str(value), limits.NONE, "supervisor has no limits") for key, value in asked.items()]

    def remembered(self) -> list[str]:
        """Return the Sesses that supervisor still has, with the configuration of then."""
        before = self.unit("")
        return [name.removeprefix(before) for name in supervisor.programs() if name.startswith(before)]


class SupervisedGunicorn(Supervised, Gunicorn):
    """WSGI, with gunicorn's own workers."""


class SupervisedAsgi(Supervised, Asgi):
    """ASGI, with uvicorn as gunicorn's worker."""

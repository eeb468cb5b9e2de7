# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of an emperor as the Stage manager meets: asked, it looks at its directory, and its vassals answer."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from ansible_collections.backstage.django.plugins.module_utils.host import process

from .servers import Variables, listening, read_request

sys.path.insert(0, str(Path(__file__).parents[3] / "roles" / "stage" / "files"))

from backstage_questions import Asked

Answer = Callable[[Variables], str]


def purr(_asked: Variables) -> str:
    return "HTTP/1.1 200 OK\r\n\r\npurr"


@dataclass
class Emperor:
    """Starts what is linked and stops what is not.

    Args:
        vassals: its directory.
        answer: what the Acts answer.
        says: what a Sess prints when it dies at its start; empty for one that comes up.
        ready_says: what a Sess prints that comes up.
        log: where it prints that.
        ready: whether a Sess that came up accepts requests.
        cursed: since when the emperor wants them to end.
    """

    vassals: Path
    stats: Path
    answer: Answer = purr
    says: str = ""
    ready_says: str = ""
    log: Path = Path("/dev/null")
    ready: bool = True
    cursed: int = 0
    playing: dict[str, ExitStack] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)
    call: str = ""
    called: int = 0

    def __enter__(self) -> Emperor:
        self._socket = listening(self.stats, self._tell)
        self._socket.__enter__()
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.__exit__(None, None, None)
        for vassal in self.playing.values():
            vassal.close()

    def _tell(self, client: socket.socket) -> None:
        names = {name for name in os.listdir(self.vassals) if name.endswith(".ini")}
        for name in sorted(names - {*self.playing} - self.dead):
            self.seen.append(name)
            if self.says:
                self.dead.add(name)
                with self.log.open("a") as log:
                    log.write(self.says)
            else:
                with self.log.open("a") as log:
                    log.write(self.ready_says)
                self.playing[name] = self._start(name)
        for name in sorted({*self.playing} - names):
            self.playing.pop(name).close()
        vassals = [
            {"id": name, "pid": os.getpid(), "accepting": int(self.ready), "cursed": self.cursed, "respawns": 0}
            for name in self.playing
        ]
        blacklist = [{"id": name, "attempt": 1} for name in self.dead]
        client.sendall(json.dumps({"vassals": vassals, "blacklist": blacklist}).encode())

    def _start(self, name: str) -> ExitStack:
        ini = (self.vassals / name).read_text()
        told = dict(line.split(" = ", 1) for line in ini.splitlines() if " = " in line)
        vassal = ExitStack()
        if "attach-daemon2" in told:
            vassal.callback(self._keep(told))
            return vassal
        door = told["socket"]
        token = Path(door).parents[1] / "env" / "BACKSTAGE_TOKEN"
        asked = Asked(purr_to_all, token.read_text().strip() if token.exists() else "")
        vassal.enter_context(listening(Path(door), lambda client: self._serve(client, asked)))
        return vassal

    def _keep(self, told: dict[str, str]) -> Callable[[], None]:
        """Start a daemon as uWSGI does; what stops it."""
        command = told["attach-daemon2"].removeprefix("cmd=exec ").partition(",")[0].split()
        player = process.User.named(told["uid"])
        who: dict[str, Any] = {"user": player.uid, "group": player.gid, "extra_groups": list(player.groups)}
        with open(told["logto"], "a", encoding="utf-8") as log:
            running = subprocess.Popen(command, stdout=log, stderr=log, cwd=told["chdir"], umask=0o027, **who)

        def stop() -> None:
            running.terminate()
            running.wait(30)

        return stop

    def _serve(self, client: socket.socket, asked: Asked) -> None:
        """Answer as the wrapper does: one request a worker of a roll call, and a proof to who may ask for it."""
        variables = read_request(client)
        head, _blank, body = self.answer(variables).partition("\r\n\r\n")
        if not head:
            return
        more = asked.proof(variables.get("HTTP_X_BACKSTAGE_QUESTION", ""))
        if "BACKSTAGE_ROLL_CALL" in variables:
            self.called = self.called + 1 if variables["BACKSTAGE_ROLL_CALL"] == self.call else 1
            self.call = variables["BACKSTAGE_ROLL_CALL"]
            more.append(("X-Backstage-Worker", str(self.called)))
        lines = [head, *(f"{name}: {value}" for name, value in more)]
        client.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())


def purr_to_all(_environ: object, _start_response: object) -> list[bytes]:
    return [b"purr"]

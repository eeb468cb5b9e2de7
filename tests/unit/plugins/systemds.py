# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of systemd as the Sess of a socket and a service needs: unit tests have no PID 1 of their own.

A program called systemctl asks this process. It reads the units that are linked, makes their sockets, and starts their
real commands, but not under another user and not in a sandbox.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HANDED_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""
SYSTEMCTL = """#!{python} -IS
import json, socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.connect({path!r})
    client.sendall(json.dumps(sys.argv[1:]).encode() + b"\\n")
    code, said = json.loads(b"".join(iter(lambda: client.recv(65536), b"")))
print(said, end="")
sys.exit(code)
"""


@dataclass
class Service:
    """A service that was started."""

    listener: socket.socket
    process: Any
    is_ready: bool = False

    @property
    def state(self) -> str:
        if self.process.poll() is not None:
            return "failed"
        return "active" if self.is_ready else "activating"


@dataclass
class Systemd:
    """Starts and stops units.

    Args:
        root: a directory of its own, in which others may look for a file.
        units: where units are linked.
    """

    root: Path
    units: Path
    services: dict[str, Service] = field(default_factory=dict)
    calls: list[list[str]] = field(default_factory=list)

    def __enter__(self) -> Systemd:
        self.root.mkdir()
        self.units.mkdir(exist_ok=True)
        path = self.root / "private"
        program = self.root / "systemctl"
        program.write_text(SYSTEMCTL.format(python="/usr/bin/python3", path=str(path)))
        program.chmod(0o755)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for name in [*self.services]:
            self.services[name].process.kill()
            self._end(name)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the end of the test
            while True:
                client, _peer = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(BrokenPipeError):
            asked = json.loads(client.makefile().readline())
            self.calls.append(asked)
            words = [word for word in asked if not word.startswith("--")]
            verb, units = words[0], words[1:]
            client.sendall(json.dumps(getattr(self, f"_{verb}")(*units)).encode())

    def _start(self, *units: str) -> tuple[int, str]:
        name = units[1].removesuffix(".service")
        (door,) = _values(self.units / f"{name}.socket", "ListenStream")
        (command,) = _values(self.units / f"{name}.service", "ExecStart")
        (log,) = _values(self.units / f"{name}.service", "StandardOutput")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(door)
        Path(door).chmod(0o666)
        listener.listen(128)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        told = self.root / f"notify.{len(self.calls)}"
        notify.bind(str(told))
        notify.settimeout(0.05)
        with notify, open(log.removeprefix("append:"), "ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-c", HANDED_OVER, str(listener.fileno()), *shlex.split(command)],
                cwd=_values(self.units / f"{name}.service", "WorkingDirectory")[0],
                env={"NOTIFY_SOCKET": str(told)},
                stdout=output,
                stderr=output,
                pass_fds=[listener.fileno()],
            )
            self.services[name] = Service(listener, process)
            while process.poll() is None:
                with contextlib.suppress(TimeoutError):
                    notify.recv(4096)
                    self.services[name].is_ready = True
                    return 0, ""
        return 1, "Job failed."

    def _stop(self, *units: str) -> tuple[int, str]:
        for unit in units:
            name, _dot, ending = unit.rpartition(".")
            if ending == "service" and name in self.services:
                self.services[name].process.send_signal(signal.SIGTERM)
                self._end(name)
        return 0, ""

    def _kill(self, *units: str) -> tuple[int, str]:
        for unit in units:
            self.services[unit.removesuffix(".service")].process.kill()
        return 0, ""

    def _show(self, pattern: str) -> tuple[int, str]:
        before = pattern.partition("*")[0]
        shown = [
            f"Id={name}.service\nMainPID={service.process.pid}\nActiveState={service.state}\n"
            for name, service in self.services.items()
            if name.startswith(before)
        ]
        return 0, "\n".join(shown)

    def _end(self, name: str) -> None:
        service = self.services[name]
        service.process.wait()
        service.listener.close()
        self.services.pop(name, None)


def _values(path: Path, key: str) -> list[str]:
    return [line.removeprefix(f"{key}=") for line in path.read_text().splitlines() if line.startswith(f"{key}=")]

# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of the garage, reached through the same ssh connection as Ansible, and the programs that tests copy there."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

PROJECT = Path(os.environ.get("MOLECULE_PROJECT_DIRECTORY", Path(__file__).parents[2]))
ON_HOST = Path(__file__).parent / "on_host"
PLACE = "/opt/backstage-faults"
INTERPRETER = PLACE + "/python3"


class Failed(Exception):
    """A command on a host failed. The message ends with its output."""


class Host:
    """One host, by its name in the garage's ssh_config."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ssh_config = PROJECT / ".garage" / "ssh_config"

    def command(self, *words: str) -> list[str]:
        """Return the command line that runs a command on the host."""
        return ["ssh", "-F", str(self.ssh_config), self.name, shlex.join(words)]

    def run(self, *words: str, text: str | None = None, check: bool = True, timeout: float = 600) -> str:
        done = subprocess.run(
            self.command(*words),
            input=text or "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            raise Failed(f"{self.name}: {shlex.join(words)}: exit code {done.returncode}\n{done.stdout[-4000:]}")
        return done.stdout

    def sh(self, script: str, check: bool = True) -> str:
        return self.run("sh", "-euc", script, check=check)

    def ok(self, script: str) -> bool:
        command = self.command("sh", "-euc", script)
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0

    def read(self, path: str) -> str:
        return self.run("cat", path)

    def write(self, path: str, text: str, mode: str = "644") -> None:
        self.run("install", "-D", "-m", mode, "/dev/stdin", path, text=text)

    def put_bytes(self, source: Path, path: str) -> None:
        """Copy a file, which may be binary."""
        command = self.command("install", "-D", "-m", "644", "/dev/stdin", path)
        with source.open("rb") as file:
            subprocess.run(command, stdin=file, check=True, capture_output=True)

    def put(self) -> None:
        """Copy the programs of the tests."""
        for path in sorted(ON_HOST.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                self.write(f"{PLACE}/{path.relative_to(ON_HOST)}", path.read_text(), "755")

    def script(self, name: str, *words: str) -> Any:
        """Run one of them, and return the JSON that it prints."""
        return self.script_at(f"{PLACE}/{name}", *words)

    def script_at(self, path: str, *words: str) -> Any:
        """Run a Python program of the host, and return the JSON that it prints."""
        return json.loads(self.run("/usr/bin/python3", path, *words))

    def garage(self, verb: str) -> None:
        """Have the garage do something to this host, such as reboot it."""
        subprocess.run([str(PROJECT / "tests/garage/garage.sh"), verb, self.name], check=True, capture_output=True)

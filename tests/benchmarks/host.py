# SPDX-License-Identifier: GPL-3.0-or-later
"""The host that is measured: commands, files and loads on it, over the connection that Ansible uses, too."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import generator
from generator import Load, Span

PLACE = "/opt/backstage-bench"
PROGRAM = PLACE + "/load"
RECORDS = PLACE + "/records"
INTERPRETER = PLACE + "/python3"
MODULES = PLACE + "/modules"
UV = "/usr/local/lib/backstage/tools/bin/uv"

# Ansible's interpreter on the host: tells when each module began and ended there, whatever the controller adds.
TIMED_PYTHON = f"""#!/bin/sh
began=$(date +%s.%N)
/usr/bin/python3 "$@"
status=$?
echo "$began $(date +%s.%N)" >>{MODULES}
exit $status
"""


@dataclass(frozen=True)
class Host:
    """One host, by its name in an ssh_config."""

    name: str
    address: str
    ssh_config: Path

    def ssh(self, *command: str) -> list[str]:
        """The command line that runs this one there."""
        return ["ssh", "-F", str(self.ssh_config), self.name, shlex.join(command)]

    def run(self, *command: str, text: str | None = None) -> str:
        return subprocess.run(self.ssh(*command), check=True, stdout=subprocess.PIPE, input=text, text=True).stdout

    def read(self, path: str) -> bytes:
        return subprocess.run(self.ssh("cat", path), check=True, stdout=subprocess.PIPE).stdout

    def write(self, path: str, content: bytes) -> None:
        place = self.ssh("install", "-D", "-m", "755", "/dev/stdin", path)
        subprocess.run(place, check=True, input=content)

    def prepare(self, program: Path) -> None:
        self.write(PROGRAM, program.read_bytes())
        self.write(INTERPRETER, TIMED_PYTHON.encode())
        self.run("truncate", "--size=0", MODULES)

    def python(self, script: Path, *arguments: str) -> str:
        """Run a script of on_host/ there."""
        return self.run("/usr/bin/python3", "-", *arguments, text=script.read_text())

    @contextmanager
    def counted(self, program: str) -> Iterator[list[int]]:
        """Run things while a program of the host is watched; afterwards, how often it was run."""
        real, calls = program + ".real", PLACE + "/calls"
        self.run("mv", program, real)
        self.write(program, f'#!/bin/sh\necho >>{calls}\nexec {real} "$@"\n'.encode())
        self.write(calls, b"")
        self.run("chmod", "666", calls)  # whoever runs it
        found: list[int] = []
        try:
            yield found
        finally:
            self.run("mv", real, program)
            found.append(len(self.read(calls).splitlines()))

    def modules(self, span: Span) -> list[Span]:
        """When Ansible's modules began and ended on the host, of those that began in this span of time."""
        lines = [line.split() for line in self.read(MODULES).decode().splitlines()]
        calls = [(float(began), float(ended)) for began, ended in lines]
        return [call for call in calls if span[0] <= call[0] < span[1]]


class RunningLoad:
    """A load on the host's own loopback. It ends with its standard input: also when the harness dies."""

    def __init__(self, host: Host, arguments: list[str], seconds: int) -> None:
        self._host = host
        command = [PROGRAM, "--stdin", "--seconds", str(seconds), "--records", RECORDS, *arguments]
        self._process = subprocess.Popen(host.ssh(*command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        if self._process.poll() is not None:
            raise RuntimeError(f"the load didn't start: exit code {self._process.returncode}")

    def stop(self) -> Load:
        accounts, _nothing = self._process.communicate("")
        if self._process.returncode:
            raise RuntimeError(f"the load ended with exit code {self._process.returncode}")
        return generator.read(accounts, self._host.read(RECORDS))

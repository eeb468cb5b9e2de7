# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the collection's playbooks with Ansible as a user does, and keep what they returned and printed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .host import INTERPRETER, PROJECT

HERE = Path(__file__).parent
LONGEST = 900
"""Seconds after which a run is killed. Beside other tests one takes ten times as long as alone."""


@dataclass
class Run:
    """A run of ansible-playbook that has ended.

    Args:
        code: its exit code.
        printed: what the user saw.
        results: what each task returned: task, host, status and result.
    """

    code: int
    printed: str
    results: list[dict[str, Any]] = field(default_factory=list)

    @property
    def last(self) -> dict[str, Any]:
        """Return what the last task returned that was not skipped."""
        ran = [line["result"] for line in self.results if line["status"] != "skipped"]
        return ran[-1] if ran else {}

    @property
    def changed(self) -> int:
        return sum(bool(line["result"].get("changed")) for line in self.results if line["status"] == "ok")

    @property
    def message(self) -> str:
        """Return the first line of the error."""
        return str(self.last.get("msg", "")).partition("\n")[0]

    @property
    def log(self) -> str:
        """Return the end of the log, which follows the error."""
        return str(self.last.get("msg", "")).partition("\n--- end of the log ---\n")[2]


class Running:
    """A run of ansible-playbook in progress."""

    def __init__(self, command: list[str], environ: dict[str, str], record: Path) -> None:
        self._record = record
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 (lives as long as this)
        self.process = subprocess.Popen(
            command,
            env=environ,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def kill(self) -> Run:
        """Kill it and all its forks with SIGKILL."""
        os.killpg(self.process.pid, signal.SIGKILL)
        return self.end()

    def end(self, timeout: float = LONGEST) -> Run:
        """Wait until it has ended."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._output.seek(0)
        lines = self._record.read_text().splitlines() if self._record.exists() else []
        return Run(code, self._output.read(), [json.loads(line) for line in lines])


class Controller:
    """Runs playbooks with the inventory of a scenario, limited to some hosts."""

    def __init__(self, inventory: Path, work: Path, host: str) -> None:
        self.inventory = inventory
        self.host = host
        self._work = work
        self._count = 0

    def start(
        self, playbook: str, *options: str, kill_at_task: int = 0, watched: bool = False, **extra: Any
    ) -> Running:
        """Start a playbook. The extra variables override the manifest of the inventory.

        Args:
            playbook: of this collection, without its namespace.
            options: more of ansible-playbook.
            kill_at_task: the number of the task at whose start the run kills itself; 0 for none.
            watched: whether the host's interpreter is the tests' own, which counts, stops or kills.
            extra: variables.
        """
        self._count += 1
        record = self._work / f"run-{self._count}.jsonl"
        variables = self._work / f"run-{self._count}.json"
        if watched:
            extra["ansible_python_interpreter"] = INTERPRETER
        variables.write_text(json.dumps(extra))
        command = ["ansible-playbook", "-i", str(self.inventory), "--limit", self.host, f"--extra-vars=@{variables}"]
        environ = {
            **os.environ,
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callbacks"),
            "ANSIBLE_CALLBACKS_ENABLED": "record",
            "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / ".ansible" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
            "ANSIBLE_SSH_ARGS": f"-F '{PROJECT / '.garage' / 'ssh_config'}'",
            "FAULTS_RECORD": str(record),
            "FAULTS_KILL_AT_TASK": str(kill_at_task),
        }
        return Running([*command, *options, f"backstage.django.{playbook}"], environ, record)

    def play(self, playbook: str, *options: str, **extra: Any) -> Run:
        return self.start(playbook, *options, **extra).end()

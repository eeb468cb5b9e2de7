# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible as a user runs it: public playbooks by name, timed from outside."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator import Span

HERE = Path(__file__).parent
LONGEST = 3600  # seconds; a hundred first deploys


class Failed(Exception):
    """A command of the controller failed; the message ends with what it printed last."""


@dataclass(frozen=True)
class Run:
    """One command of the controller, by its clock."""

    began: float
    ended: float
    cpu: float  # of the controller's processes, in seconds
    changed: int
    tasks: list[dict[str, Any]]

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def span(self) -> Span:
        return self.began, self.ended


class Controller:
    """Runs ansible and ansible-playbook from PATH in a directory of its own."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._tempo = work / "tempo.jsonl"
        self._environ = {
            **os.environ,
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callbacks"),
            "ANSIBLE_CALLBACKS_ENABLED": "tempo",
            "ANSIBLE_HOST_KEY_CHECKING": "false",
            "ANSIBLE_LIBRARY": str(HERE / "library"),
            "ANSIBLE_NOCOLOR": "1",
            "BENCH_TEMPO": str(self._tempo),
        }

    def play(self, playbook: str, inventory: Path, gently: bool = False, **extra: Any) -> Run:
        """One of the collection's playbooks. Gently: at the lowest priority, because beside a load the controller
        shares the host's cores here, and in life it doesn't."""
        variables = ["--extra-vars", json.dumps(extra)] if extra else []
        command = ["ansible-playbook", "-i", str(inventory), f"backstage.django.{playbook}", *variables]
        return self._run([*(["nice", "-n", "19"] if gently else []), *command])

    def fake(self, inventory: Path) -> Run:
        """What deploys of this inventory would have left on its host (library/fake_acts.py)."""
        lists = ("production", "acts", "venues", "gigs", "act_defaults", "sess_defaults", "venue_defaults")
        options = {key: f"{{{{ backstage_{key} | default(omit) }}}}" for key in lists}
        play = {"hosts": "backstage_stage", "gather_facts": False, "tasks": [{"fake_acts": options}]}
        playbook = self._work / "fake.json"
        playbook.write_text(json.dumps([play]))
        return self._run(["ansible-playbook", "-i", str(inventory), str(playbook)])

    def ping(self, inventory: Path) -> Run:
        return self._run(["ansible", "backstage_stage", "-i", str(inventory), "-m", "ansible.builtin.ping"])

    def _run(self, command: list[str]) -> Run:
        self._tempo.unlink(missing_ok=True)
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
        done = subprocess.run(
            command,
            cwd=self._work,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        ended, after = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise Failed(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-6000:]}")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        lines = [json.loads(line) for line in self._tempo.read_text().splitlines()] if self._tempo.exists() else []
        recaps = [host for line in lines for host in line.get("recap", {}).values()]
        changed = sum(int(recap["changed"]) for recap in recaps)
        return Run(began, ended, cpu, changed, [line for line in lines if "task" in line])

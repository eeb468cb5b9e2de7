# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks play: a project from a git repository on the controller, under one or many names."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from host import INTERPRETER, Host

TESTS = Path(__file__).resolve().parents[1]
SECRET = "not a secret: a benchmark's SECRET_KEY 0123456789"


@dataclass(frozen=True)
class Project:
    """A Django project, and how it is played.

    Args:
        place: its directory.
        package: holds `wsgi`, and `edition`, whose one line makes another release.
        settings: with which its own steps run by hand.
        lines: of the manifest.
    """

    place: Path
    package: str
    settings: str
    lines: dict[str, Any] = field(default_factory=dict)


ENCORE = Project(
    Path(__file__).parent / "acts" / "encore", "encore", "encore.settings", {"secrets": {"SECRET_KEY": SECRET}}
)


def wagtail() -> Project:
    """What tests/acts makes, with its lines, and nothing seeded."""
    made = yaml.safe_load((TESTS / "acts" / "manifest.yml").read_text())["made_acts"]["wagtail"]
    lines = {key: value for key, value in made.items() if key not in ("name", "source", "seed")}
    place = TESTS / "acts" / ".made" / "wagtail" / "project"
    return Project(place, "mysite", "mysite.settings.production", lines)


class Repository:
    """A repository with a project, and one commit for each edition of it."""

    def __init__(self, place: Path, project: Project = ENCORE) -> None:
        self.place = place
        self.project = project
        shutil.copytree(project.place, place, ignore=shutil.ignore_patterns("__pycache__"))
        self._edition = place / project.package / "edition.py"
        if not self._edition.exists():
            self._edition.write_text('EDITION = ""\n')
        self._git("init", "--quiet", "--initial-branch=main")

    def edition(self, name: str) -> str:
        """Commit the project with this EDITION, a change of one line of code; the full commit id."""
        if not re.fullmatch(r"[a-z0-9-]{1,40}", name):
            raise ValueError(name)
        source = self._edition
        text, changed = re.subn(r'^EDITION = ".*"$', f'EDITION = "{name}"', source.read_text(), flags=re.MULTILINE)
        if changed != 1:
            raise ValueError(f"{source}: EDITION isn't there once")
        source.write_text(text)
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", f"--message=edition {name}")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str) -> str:
        nobody = {"GIT_AUTHOR_NAME": "bench", "GIT_AUTHOR_EMAIL": "bench@localhost"}
        nobody |= {
            "GIT_COMMITTER_NAME": "bench",
            "GIT_COMMITTER_EMAIL": "bench@localhost",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        command = ["git", "-C", str(self.place), *arguments]
        return subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **nobody}
        ).stdout


@dataclass(frozen=True)
class Production:
    """A Production of one project; `names` are Acts, each with a Venue of its own."""

    name: str
    repository: Path
    version: str
    names: tuple[str, ...] = ("encore",)
    processes: int = 2
    threads: int = 1
    rehearsed: bool = True  # False: without encore's second of import, where many Acts are wanted and not slow ones
    project: Project = ENCORE
    idle: int = 0  # seconds without a request after which its Acts sleep

    def venue(self, act: str = "") -> str:
        return f"{act or self.names[0]}.{self.name}.example.com"  # a name is booked by one Production

    def manifest(self) -> dict[str, Any]:
        env = {} if self.rehearsed else {"ENCORE_REHEARSAL": "0"}
        return {
            "backstage_production": self.name,
            "backstage_act_defaults": {
                **self.project.lines,
                "source": {"git": self.repository.as_uri(), "version": self.version},
                "env": env,
                "keep_releases": 5,
                "timeout": 60,
            },
            "backstage_sess_defaults": {"processes": self.processes, "threads": self.threads, **self._sleep()},
            "backstage_acts": [{"name": act} for act in self.names],
            "backstage_venues": [{"name": self.venue(act)} for act in self.names],
            "backstage_gigs": [{"act": act, "venue": self.venue(act), "path": "/"} for act in self.names],
        }

    def _sleep(self) -> dict[str, Any]:
        return {"state": "asleep", "idle": self.idle} if self.idle else {}

    def write(self, work: Path, host: Host) -> Path:
        """The inventory directory of this Production."""
        inventory = work / self.name
        (inventory / "group_vars").mkdir(parents=True, exist_ok=True)
        member = {"hosts": {host.name: {"ansible_host": host.address}}}
        hosts = {
            "all": {
                "vars": {
                    "ansible_ssh_common_args": f"-F '{host.ssh_config}'",
                    "ansible_pipelining": True,
                    "ansible_python_interpreter": INTERPRETER,
                },
                "children": {"backstage_stage": member, "backstage_front_of_house": member},
            },
        }
        (inventory / "hosts.json").write_text(json.dumps(hosts))
        (inventory / "group_vars" / "all.json").write_text(json.dumps(self.manifest()))
        return inventory

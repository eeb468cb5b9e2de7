# SPDX-License-Identifier: GPL-3.0-or-later
"""The test bed of scenario any_project: its hosts, its index and git server, and a controller that trusts them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.controller import Controller, Run
from faults.host import Host
from repository import git

FULL = bool(os.environ.get("CAMPAIGN"))  # every project on both Debians, each rehearsed by itself
HOSTS = ("h1", "h2")
FAILURE = re.compile(r"^act (?P<act>\S+), (?P<step>.+?) on (?P<host>\S+): (?P<said>.+)$", re.MULTILINE)


class Bed:
    """Everything that the tests of any project play with.

    Args:
        checkout: the project.
        work: where the runs keep their notes.
    """

    def __init__(self, checkout: Path, work: Path) -> None:
        self.checkout = checkout
        self.state = checkout / ".garage"
        self.stock: dict[str, str] = json.loads((self.state / "supplies/stock.json").read_text(encoding="utf-8"))
        self.hosts = {name: Host(name) for name in HOSTS}
        self.addresses = {name: self.garage("address", name) for name in HOSTS}
        self.git = self.state / "supplies/git"
        place = self.state / "controller"
        self.cache = place / "cache/backstage/git"
        os.environ["PATH"] = f"{place}/bin:{os.environ['PATH']}"
        os.environ["XDG_CONFIG_HOME"] = str(place / "config")
        os.environ["XDG_CACHE_HOME"] = str(place / "cache")
        os.environ["SSL_CERT_FILE"] = str(place / "authorities.pem")
        inventory = checkout / "extensions/molecule/any_project/inventory"
        self._controllers = {names: Controller(inventory, work, names) for names in (*HOSTS, ",".join(HOSTS))}

    def garage(self, *words: str) -> str:
        script = str(self.checkout / "tests/garage/garage.sh")
        return subprocess.run([script, *words], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def controller(self, *hosts: str) -> Controller:
        """The one that plays on these hosts; on all where none is named."""
        return self._controllers[",".join(hosts or HOSTS)]

    def url(self, repository: str) -> str:
        return f"{self.stock['url']}/git/{repository}.git"

    @contextmanager
    def dark(self) -> Iterator[None]:
        """Index and git server are gone for a while, and so is every connection to them."""
        self.garage("exec", "supplies", "systemctl", "kill", "--signal=KILL", "nginx")
        try:
            yield
        finally:
            self.garage("exec", "supplies", "systemctl", "restart", "nginx")

    def fork(self, name: str, of: str = "open/plain") -> Repository:
        """A repository of a test's own, on the git server."""
        target = self.git / f"{name}.git"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.git / f"{of}.git", target)
        return Repository(target, self.url(name))


@dataclass(frozen=True)
class Repository:
    """A repository on the git server, changed from behind as others would by pushing."""

    place: Path
    url: str

    def commit(self, files: dict[str, str | bytes], branch: str = "main", force: bool = False) -> str:
        """Commit files; by force, as the only commit of the branch. Returns its id."""
        with tempfile.TemporaryDirectory() as scratch:
            work = Path(scratch) / "work"
            git(self.place, "clone", "--quiet", "--branch", "main", str(self.place), str(work))
            if force:
                git(work, "checkout", "--quiet", "--orphan", "anew")
            for name, content in files.items():
                path = work / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
            git(work, "add", "--all")
            git(work, "commit", "--quiet", "--allow-empty", "--message=Another edition")
            git(work, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
            return git(work, "rev-parse", "HEAD").strip()

    def edition(self, name: str, branch: str = "main", force: bool = False) -> str:
        """Commit the project under another name, which its page tells."""
        settings = git(self.place, "show", "main:club/settings.py")
        text = re.sub('CLUB = ".*"', f'CLUB = "{name}"', settings)
        return self.commit({"club/settings.py": text}, branch, force)

    def tag(self, name: str, commit: str) -> None:
        git(self.place, "tag", "--force", name, commit)


def failures(run: Run) -> dict[tuple[str, str], tuple[str, str]]:
    """What a run says of each Act that failed: (Act, host) -> (step, sentence)."""
    texts = [str(line["result"].get("msg", "")) for line in run.results if line["status"] == "failed"]
    found = (match for text in texts for match in FAILURE.finditer(text))
    return {(match["act"], match["host"]): (match["step"], match["said"]) for match in found}


def returned(run: Run, key: str) -> dict[str, Any]:
    """What the last module on each host returned under a key."""
    return {line["host"]: line["result"][key] for line in run.results if key in line["result"]}

# SPDX-License-Identifier: GPL-3.0-or-later
"""The Production of this scenario on both of its hosts. One test after the other changes it."""

from __future__ import annotations

import os
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

TESTS = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "scenarios")]  # scripts of this checkout, and no installed package

from faults.controller import Controller, Run  # noqa: E402
from faults.host import Host  # noqa: E402

INVENTORY = Path(__file__).parent / "inventory"


class Forked:
    """The manifest, and both hosts."""

    hosts = (Host("h1"), Host("h2"))

    def __init__(self, work: Path) -> None:
        self._controller = Controller(INVENTORY, work, "h1,h2")
        self.manifest: dict[str, Any] = yaml.safe_load((INVENTORY / "group_vars" / "all.yml").read_text())

    def act(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(act for act in self.manifest["backstage_acts"] if act["name"] == name)
        return found

    def play(self, playbook: str = "deploy", **extra: Any) -> Run:
        return self._controller.play(playbook, **deepcopy(self.manifest), **extra)

    def plays(self, **extra: Any) -> Run:
        run = self.play(**extra)
        assert run.code == 0, run.printed[-3000:]
        return run

    def refused(self) -> set[str]:
        """Deploy, which must fail on both hosts, and return the error lines without the hosts' names."""
        run = self.play()
        assert run.code != 0
        said = [str(line["result"]["msg"]) for line in run.results if line["status"] == "failed"]
        assert len(said) == len(self.hosts), run.printed[-3000:]
        return {text.partition("\n")[0].partition(": ")[2] for text in said}

    def warned(self, run: Run) -> list[list[str]]:
        """Return the warnings of the run on each host."""
        found = {line["host"]: line["result"].get("warnings", []) for line in run.results if "plan" in line["result"]}
        return [found[host.name] for host in self.hosts]  # either host may end first

    def live(self, act: str) -> list[str]:
        link = f"/srv/backstage/forked/acts/{act}/live"
        return [host.run("readlink", link, check=False).strip().rpartition("/")[2] for host in self.hosts]

    def processes(self, act: str) -> list[list[str]]:
        """Return the command lines of an Act's user on each host, without those that have ended and wait for init."""
        look = f"ps -o args= -u forked-{act} | grep -v '<defunct>' || true"
        return [sorted(line.strip() for line in host.sh(look).splitlines()) for host in self.hosts]


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Forked:
    for host in Forked.hosts:
        host.put()
    return Forked(tmp_path_factory.mktemp("plays"))

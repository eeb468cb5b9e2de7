# SPDX-License-Identifier: GPL-3.0-or-later
"""The Production of this scenario, and its two name servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "scenarios")]  # scripts of this checkout, and no installed package

from faults.host import PROJECT, Host  # noqa: E402
from faults.house import House, scenario  # noqa: E402

ZONE = "example.test"
NAMES = (f"hall.{ZONE}", f"www.hall.{ZONE}")

LONGER = ("test_3_longer", "test_4_turned")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes too long for CI. Molecule names every file, so collect_ignore would not do."""
    longer = [item for item in items if item.path.stem in LONGER and not os.environ.get("CAMPAIGN")]
    config.hook.pytest_deselected(items=longer)
    items[:] = [item for item in items if item not in longer]


class Almanac(House):
    """One Act on h1, which is the primary name server, too; h2 is the secondary."""

    servers = (Host("h1"), Host("h2"))

    @property
    def address(self) -> str:
        """The address of h1, where the names point."""
        garage = [str(PROJECT / "tests/garage/garage.sh"), "address", "h1"]
        return subprocess.run(garage, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def records(self, server: Host) -> list[str]:
        """The address records of the zone at a name server: name, type and address."""
        words = [line.split() for line in server.sh(f"pdnsutil list-zone {ZONE}").splitlines()]
        return sorted(f"{word[0]} {word[3]} {word[4]}" for word in words if len(word) == 5 and word[3] in ("A", "AAAA"))

    def status(self) -> str:
        """What the playbook status prints."""
        run = self.play(playbook="status")
        assert run.code == 0, run.printed[-3000:]
        return run.printed

    def write(self, server: Host, **options: Any) -> dict[str, Any]:
        """Run the module backstage_dns on a name server, which must succeed, and return what it returns."""
        argv = ["ansible", server.name, "-i", str(self.controller.inventory), "-m", "backstage.django.backstage_dns"]
        environ = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / ".ansible" / "collections"),
            "ANSIBLE_SSH_ARGS": f"-F '{PROJECT / '.garage' / 'ssh_config'}'",
            "ANSIBLE_NOCOLOR": "1",
        }
        done = subprocess.run(
            [*argv, "-a", json.dumps(options)], env=environ, cwd=PROJECT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout.partition(" => ")[2])
        return found

    @contextmanager
    def away(self, *servers: Host, frozen: bool = False) -> Iterator[None]:
        """Stop PowerDNS on these hosts for a while, or freeze it: then it takes connections and answers nothing."""
        leave, come = ("kill --signal=STOP", "kill --signal=CONT") if frozen else ("stop", "start")
        for server in servers:
            server.sh(f"systemctl {leave} pdns")
        try:
            yield
        finally:
            for server in servers:
                server.sh(f"systemctl {come} pdns")


@pytest.fixture(scope="session")
def almanac(tmp_path_factory: pytest.TempPathFactory) -> Almanac:
    found = Almanac(scenario("producer"), "h1", tmp_path_factory.mktemp("runs"))
    found.host.put()
    return found

# SPDX-License-Identifier: GPL-3.0-or-later
"""The Production of this scenario, and its two name servers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

TESTS = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "scenarios")]  # scripts of this checkout, and no installed package

from faults.host import Host  # noqa: E402
from faults.house import House, scenario  # noqa: E402


class Almanac(House):
    """One Act on h1, which is the primary, too; h2 is the secondary."""

    def records(self, host: str) -> list[str]:
        """The addresses in the zone, as a name server has it: name, type and address."""
        lines = Host(host).sh("pdnsutil list-zone example.test").splitlines()
        words = [line.split() for line in lines]
        return sorted(f"{word[0]} {word[3]} {word[4]}" for word in words if len(word) == 5 and word[3] in ("A", "AAAA"))

    def edition(self) -> str:
        """With what the Act plays."""
        return str(self.get("hall.example.test", "/variables/")["page"])


@pytest.fixture(scope="session")
def almanac(tmp_path_factory: pytest.TempPathFactory) -> Almanac:
    found = Almanac(scenario("producer"), "h1", tmp_path_factory.mktemp("runs"))
    found.host.put()
    return found

# SPDX-License-Identifier: GPL-3.0-or-later
"""The Production of this scenario on both hosts: every play is of both at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "scenarios")]  # scripts of this checkout, and no installed package

from faults.controller import Controller, Run  # noqa: E402
from faults.house import House, scenario  # noqa: E402


@dataclass(frozen=True)
class Choir:
    """Two hosts with the same Acts, and the controller that plays them."""

    houses: tuple[House, House]
    controller: Controller

    def play(self, *options: str, playbook: str = "deploy", **changes: Any) -> Run:
        manifest = self.houses[0].with_changes(**changes)
        return self.controller.play(playbook, *options, **manifest)

    def plays(self, **changes: Any) -> list[str]:
        """The plan of a play that must end well, which both hosts have in common."""
        run = self.play(**changes)
        assert run.code == 0, run.printed[-3000:]
        plans = [line["result"]["plan"] for line in run.results if "plan" in line["result"]]
        first, *others = [[f"{step['noun']} {step['name']}: {step['verb']}" for step in plan] for plan in plans]
        assert others == [first] * len(others)
        return first

    def refusals(self, run: Run) -> list[list[str]]:
        """What a play that failed says of each host, one line an Act; logs are left out."""
        assert run.code != 0
        said = [str(line["result"]["msg"]) for line in run.results if line["status"] == "failed"]
        assert len(said) == len(self.houses), run.printed[-3000:]
        return [[line for line in text.splitlines() if line.startswith("act ")] for text in said]

    def info(self) -> list[dict[str, Any]]:
        """What the playbook status reads of each host."""
        return [line["result"] for line in self.play(playbook="status").results if "answers" in line["result"]]

    def sh(self, script: str) -> list[str]:
        return [house.host.sh(script).strip() for house in self.houses]

    def ask(self, sql: str, database: str = "postgres", user: str = "postgres") -> list[str]:
        """What PostgreSQL tells a user of each host."""
        psql = f'psql --no-psqlrc --no-align --tuples-only --dbname="{database}" --command="$(cat)" 2>&1'
        command = f"cd /; cat <<'SQL' | runuser -u {user} -- {psql} || true\n{sql}\nSQL"
        return self.sh(command)

    def statuses(self, act: str) -> list[int]:
        return [int(house.get(f"{act}.example.com")["status"]) for house in self.houses]

    def soon(self, holds: Callable[[House], bool], seconds: float) -> bool:
        return all(house._within(seconds, lambda house=house: holds(house)) for house in self.houses)

    def answer(self, act: str, seconds: float = 10) -> bool:
        """Whether an Act answers on both hosts, in time."""
        return self.soon(lambda house: house.get(f"{act}.example.com")["status"] == 200, seconds)


@pytest.fixture(scope="session")
def choir(tmp_path_factory: pytest.TempPathFactory) -> Choir:
    work = tmp_path_factory.mktemp("runs")
    houses = House(scenario("databases"), "h1", work), House(scenario("databases"), "h2", work)
    for house in houses:
        house.host.put()
    return Choir(houses, Controller(scenario("databases") / "inventory", work, "h1,h2"))

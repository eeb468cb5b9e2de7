# SPDX-License-Identifier: GPL-3.0-or-later
"""The Production of this scenario on one of its hosts, and PostgreSQL there."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "scenarios")]  # scripts of this checkout, and no installed package

from faults.controller import Run  # noqa: E402
from faults.house import House, scenario  # noqa: E402


class Choir(House):
    """Three Acts: alto and bass use PostgreSQL, tenor uses SQLite."""

    def plays(self, *options: str, **changes: Any) -> list[dict[str, Any]]:
        """Deploy, which must succeed, and return the plan."""
        run = self.play(*options, **changes)
        assert run.code == 0, run.printed[-3000:]
        plan: list[dict[str, Any]] = run.last["plan"]
        return plan

    def verbs(self, **changes: Any) -> list[str]:
        return [f"{step['noun']} {step['name']}: {step['verb']}" for step in self.plays(**changes)]

    def refused(self, run: Run) -> list[str]:
        """Return the error lines of a run that failed, one for each Act, without logs."""
        assert run.code != 0
        return [line for line in str(run.last["msg"]).splitlines() if line.startswith("act ")]

    def told(self) -> dict[str, Any]:
        """Return what the playbook status reads."""
        (found,) = [line["result"] for line in self.play(playbook="status").results if "answers" in line["result"]]
        return dict(found)

    def ask(self, sql: str, database: str = "postgres", user: str = "postgres") -> str:
        """Run SQL as a user, and return the rows or the error."""
        psql = f'psql --no-psqlrc --no-align --tuples-only --dbname="{database}" --command="$(cat)" 2>&1'
        return self.host.sh(f"cd /; cat <<'SQL' | runuser -u {user} -- {psql} || true\n{sql}\nSQL").strip()

    def status(self, act: str) -> int:
        return int(self.get(f"{act}.example.com")["status"])

    def left(self) -> str:
        """Return the Acts' databases and roles."""
        return self.ask(
            "SELECT string_agg(found.name, ' ' ORDER BY found.name) FROM (SELECT datname AS name FROM pg_database"
            " UNION ALL SELECT rolname FROM pg_roles) AS found WHERE found.name ~ '^choir'"
        )


@pytest.fixture(scope="session")
def choir(tmp_path_factory: pytest.TempPathFactory) -> Choir:
    found = Choir(scenario("databases"), "h2", tmp_path_factory.mktemp("runs"))
    found.host.put()
    return found

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster of PostgreSQL is meant, and whether one is missing."""

from __future__ import annotations

import subprocess
from typing import Any, Optional

import database_survey
import pytest

MAIN = "15  main    5432 online postgres /var/lib/postgresql/15/main /var/log/postgresql/postgresql-15-main.log\n"
DOWN = MAIN.replace("online", "down")
SECOND = MAIN.replace("main    5432", "other   5433")
UPGRADED = "17  main    5433 online postgres /var/lib/postgresql/17/main /var/log/postgresql/postgresql-17-main.log\n"
REMOVED = DOWN.replace("down", "down,binaries_missing")
STANDBY = MAIN.replace("online", "online,recovery")


def cluster(version: str = "15", name: str = "main", port: int = 5432, online: bool = True) -> dict[str, Any]:
    return {"version": version, "name": name, "port": port, "online": online}


NONE = cluster("", "", 5432, False)
NO_CLUSTER = ["PostgreSQL is installed, and has no cluster. Make one: pg_createcluster VERSION main --start."]
# (what pg_lsclusters lists; None where it is not there, the cluster, the refusals)
LISTED: list[tuple[Optional[str], dict[str, Any], list[str]]] = [
    (None, NONE, []),
    ("", NONE, NO_CLUSTER),
    (MAIN, cluster(), []),
    (DOWN, cluster(online=False), []),
    (SECOND + MAIN, cluster(), []),
    (UPGRADED + REMOVED, cluster("17", port=5433), []),
    (REMOVED, NONE, NO_CLUSTER),
    (STANDBY, cluster(), []),
]


@pytest.mark.parametrize(("listed", "found", "refusals"), LISTED)
def test_which_cluster(
    monkeypatch: pytest.MonkeyPatch, listed: Optional[str], found: dict[str, Any], refusals: list[str]
) -> None:
    said = subprocess.CompletedProcess(["pg_lsclusters"], 127 if listed is None else 0, listed or "", "")
    monkeypatch.setattr(database_survey, "run", lambda *argv: said)
    answer = database_survey.database({"state": "present"})
    assert answer == {"refusals": refusals, "cluster": found, "kept": []}


KEPT = [
    # (state, psql's status and output, the Acts whose databases stay)
    ("present", 0, "jazz-kittens\n", []),
    ("absent", 0, "", []),
    ("absent", 0, "jazz-kittens\njazz-puppies\n", ["jazz-kittens", "jazz-puppies"]),
    ("absent", 2, "", ["those of a PostgreSQL that doesn't answer"]),
]


@pytest.mark.parametrize(("state", "status", "said", "kept"), KEPT)
def test_whose_databases_stay(
    monkeypatch: pytest.MonkeyPatch, state: str, status: int, said: str, kept: list[str]
) -> None:
    def run(*argv: str) -> subprocess.CompletedProcess[str]:
        if argv[0] == "pg_lsclusters":
            return subprocess.CompletedProcess(argv, 0, SECOND, "")
        assert "--port=5433" in argv
        return subprocess.CompletedProcess(argv, status, said, "")

    monkeypatch.setattr(database_survey, "run", run)
    assert database_survey.database({"state": state})["kept"] == kept

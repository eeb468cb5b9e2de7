# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster of PostgreSQL is meant, and whose databases are in it."""

from __future__ import annotations

from typing import Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import clusters, process, programs
from ansible_collections.backstage.django.plugins.module_utils.host.clusters import Cluster

MAIN = "15  main    5432 online postgres /var/lib/postgresql/15/main /var/log/postgresql/postgresql-15-main.log\n"
DOWN = MAIN.replace("online", "down")
SECOND = MAIN.replace("main    5432", "other   5433")
UPGRADED = "17  main    5433 online postgres /var/lib/postgresql/17/main /var/log/postgresql/postgresql-17-main.log\n"
REMOVED = DOWN.replace("down", "down,binaries_missing")
STANDBY = MAIN.replace("online", "online,recovery")

LISTED: list[tuple[Optional[str], Cluster, list[str]]] = [
    # (what pg_lsclusters lists; None where it is not installed, the cluster, what is wrong)
    (None, Cluster(), []),
    ("", Cluster(), [clusters.NO_CLUSTER]),
    (MAIN, Cluster("15", "main", 5432, True), []),
    (DOWN, Cluster("15", "main", 5432, False), []),
    (SECOND + MAIN, Cluster("15", "main", 5432, True), []),
    (UPGRADED + REMOVED, Cluster("17", "main", 5433, True), []),
    (REMOVED, Cluster(), [clusters.NO_CLUSTER]),
    (STANDBY, Cluster("15", "main", 5432, True), []),
]


@pytest.mark.parametrize(("listed", "found", "wrong"), LISTED)
def test_which_cluster(
    monkeypatch: pytest.MonkeyPatch, listed: Optional[str], found: Cluster, wrong: list[str]
) -> None:
    told = process.Result(programs.MISSING if listed is None else 0, listed or "", "")
    monkeypatch.setattr(programs, "ask", lambda *_argv: told)
    assert clusters.find() == (found, wrong)


ACTS = [
    # (psql's exit code and output, the Acts whose databases are there)
    (0, "", []),
    (0, "jazz-kittens\njazz-puppies\n", ["jazz-kittens", "jazz-puppies"]),
    (2, "", [clusters.UNKNOWN]),
]


@pytest.mark.parametrize(("code", "said", "found"), ACTS)
def test_acts(monkeypatch: pytest.MonkeyPatch, code: int, said: str, found: list[str]) -> None:
    def ask(*argv: str) -> process.Result:
        assert "--port=5433" in argv
        return process.Result(code, said, "")

    monkeypatch.setattr(programs, "ask", ask)
    assert Cluster("15", "other", 5433, True).acts() == found
    assert Cluster().acts() == []

# SPDX-License-Identifier: GPL-3.0-or-later
"""A module is killed at every write. What played plays on, and the next run ends like one that was not killed."""

from __future__ import annotations

from concurrent.futures import Future

import pytest
from conftest import CYCLES
from faults.killing import MOST, OTHERWISE, Killings, report

# operation -> the hosts that try it
TRIED = [
    (operation, host)
    for operation, cycle in {
        "first deploy": "coming and going",
        "removal": "coming and going",
        "redeploy": "forth and back",
        "rollback": "forth and back",
        "redeploy with its environment": "another environment",
        "redeploy with a dump": "migrated and restored",
        "restore": "migrated and restored",
        "workers come": "a company",
        "workers go": "a company",
    }.items()
    for host, cycles in CYCLES.items()
    if cycle in cycles
]


@pytest.mark.parametrize(("operation", "host"), TRIED)
def test_fault_02_killed_at_every_write(
    killings: dict[str, Future[list[Killings]]], operation: str, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = next(one for one in killings[host].result() if operation in one.found)
    points = found.found[operation]
    with capsys.disabled():
        print(f"\n{host}, {report(found, operation)}")
    assert not [line for line in points if line["problems"]], report(found, operation)
    due = [line for line in points if line["point"]]
    assert len(due) >= min(MOST.get(operation, OTHERWISE), len(found.writes[operation]))
    assert all(line["killed"] for line in due), [line["point"] for line in due if not line["killed"]]


@pytest.mark.parametrize("host", sorted(CYCLES))
def test_fault_02_visitors_notice_no_kill(killings: dict[str, Future[list[Killings]]], host: str) -> None:
    for found in killings[host].result():
        found.visitors.all_pleased()

# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of a Sess under a kernel that holds them, with a neighbour who is to notice nothing.

The tests of one machine follow each other as a day does, and print what they measured.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from guests import GLUTTON, LIMITS, NIBBLER, Visitor, burn, manifest
from machine import Machine

SLICE = "/sys/fs/cgroup/system.slice/system-backstage.slice"
BURN = 40
NOTICED = 0.75
"""With a quarter of a core for the other one a neighbour waits clearly less than without: 0.2 and 0.46 as measured."""


def told(machine: Machine) -> list[str]:
    """What status says of limits."""
    played = machine.controller.play("status", manifest(LIMITS))
    assert played.code == 0, played.printed
    return [line for line in played.printed.splitlines() if line.startswith("limits: ")]


def scopes(machine: Machine, count: int = 1) -> list[str]:
    """The cgroups of Sesses with limits, when there are so many: that of an old Sess goes when uWSGI's master has."""
    deadline = time.monotonic() + 120
    while True:
        found = machine.ask(f"cd {SLICE} && ls -d */ || true").split()
        if len(found) == count:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(1)


def deployed(machine: Machine, limits: dict[str, Any], *options: str) -> str:
    """Play with other limits, under the eyes of visitors of both Acts; what was printed."""
    with Visitor(machine, GLUTTON) as first, Visitor(machine, NIBBLER) as second:
        played = machine.controller.play("deploy", manifest(limits), *options)
    print(f"\nswitch to {limits}: {played.seconds:.0f} s; glutton: {first}; nibbler: {second}")
    assert played.code == 0, played.printed
    assert first.failed == second.failed == []
    return played.printed


def pages(machine: Machine) -> dict[str, int]:
    """Who answers for glutton: its master's pid."""
    status, body = machine.get(GLUTTON)
    assert status == 200, body
    found: dict[str, int] = json.loads(body)
    return found


def test_they_hold_after_a_boot_without_a_run(machine: Machine) -> None:
    pages(machine)
    (line,) = told(machine)
    pattern = r"held by cgroup: memory 256M, \d+M used; cpu 25%, reached in \d+% of its time; tasks 40, \d+ used"
    assert re.fullmatch(f"limits: act glutton: {pattern}", line), line
    (scope,) = scopes(machine)
    assert scope.startswith("backstage-feast-glutton-")
    print(f"\n{line}")


def test_a_fork_bomb_stops_at_tasks(machine: Machine) -> None:
    with Visitor(machine, NIBBLER) as neighbour:
        status, body = machine.get(GLUTTON, "/breed/?processes=200")
    assert status == 200, body
    bred = json.loads(body)
    print(f"\n{bred}; nibbler: {neighbour}")
    assert bred["refused"] == "Resource temporarily unavailable"
    assert 30 <= bred["born"] < 40
    assert neighbour.failed == []
    assert any("tasks 40 was reached" in line for line in told(machine))


def test_a_memory_bomb_is_killed_alone(machine: Machine) -> None:
    before = pages(machine)
    with Visitor(machine, NIBBLER) as neighbour:
        assert machine.get(GLUTTON, "/eat/?megabytes=100")[0] == 200
        assert machine.get(GLUTTON, "/eat/?megabytes=1000")[0] == 502
    assert pages(machine)["master"] == before["master"], "its master starts another worker"
    (line,) = (line for line in told(machine) if "was killed" in line or "were killed" in line)
    print(f"\n{line}; nibbler: {neighbour}")
    assert neighbour.failed == []
    logs = machine.controller.play("logs", manifest(LIMITS), "-e", "act=glutton", "-e", "lines=5")
    assert "known by sight: memory 256M was reached" in logs.printed or "memory 256M was reached" in logs.printed


def test_a_change_is_a_switch_and_a_neighbour_is_spared(machine: Machine) -> None:
    with Visitor(machine, NIBBLER) as before:
        time.sleep(BURN - 3)
    held = burn(machine, BURN)
    printed = deployed(machine, {}, "--diff")
    assert '"limits.cpu: 25% -> none"' in printed
    assert scopes(machine, 0) == []
    unheld = burn(machine, BURN)
    for name, seen in (("before", before), ("while glutton burns, cpu 25%", held), ("without limits", unheld)):
        print(f"nibbler {name}: {seen}; p50 x {seen.p50 / before.p50:.1f}, p99 x {seen.p99 / before.p99:.1f}")
    assert held.failed == unheld.failed == []
    assert held.p50 < NOTICED * unheld.p50
    assert told(machine) == []


def test_what_a_sess_has_left_is_ended(machine: Machine) -> None:
    """A daemon stays in its cgroup, which tells whose it is: the emperor's service has it no more."""
    deployed(machine, {"tasks": 50})
    assert machine.get(GLUTTON, "/haunt/")[0] == 200
    printed = deployed(machine, {"memory": "200M", "tasks": 50})
    assert "left processes, which were killed" in printed
    assert scopes(machine)


def test_a_sess_that_needs_more_never_plays(machine: Machine) -> None:
    with Visitor(machine, GLUTTON) as visitor:
        played = machine.controller.play("deploy", manifest({"memory": "64M"}, breakfast=100))
    assert played.code != 0
    assert "limits.memory (64M) was reached, and the kernel killed it: raise limits.memory" in played.printed
    assert visitor.failed == []
    assert scopes(machine)


def test_they_hold_whatever_becomes_of_the_emperor(machine: Machine) -> None:
    (first,) = scopes(machine)
    for command in ("systemctl kill --signal=KILL --kill-who=main", "systemctl restart"):
        machine.ask(f"{command} backstage-emperor")
        deadline = time.monotonic() + 120
        while scopes(machine) == [first] or machine.get(GLUTTON)[0] != 200:
            assert time.monotonic() < deadline, "it did not come back"
            time.sleep(1)
        (first,) = scopes(machine)
        assert machine.ask(f"cat {SLICE}/{first}memory.max {SLICE}/{first}pids.max").split() == ["209715200", "50"]


def test_nothing_is_left_of_it(machine: Machine) -> None:
    played = machine.controller.play(
        "strike", manifest(LIMITS), "-e", '{"backstage_delete_data": ["glutton", "nibbler"]}'
    )
    assert played.code == 0, played.printed
    assert scopes(machine, 0) == []
    assert machine.ask("systemctl list-units --all --plain --no-legend 'backstage-feast*'") == ""

# SPDX-License-Identifier: GPL-3.0-or-later
"""A secondary copies its zones, and what it has of its own is not lost by that."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.producers import copies, manager

from ...powerdns import PowerDns
from ...told import told
from .conftest import PRIMARY, SECONDARY, ZONE, order, planned, run

THERE = {"api": f"http://{SECONDARY}:8081", "name_servers": {}}


def test_a_copy_is_made_once_and_follows_its_primary(secondary: PowerDns) -> None:
    options: dict[str, Any] = {**THERE, "primaries": [PRIMARY]}
    assert planned(manager.check(order({}, **options))) == [f"copy {ZONE}"]
    assert secondary.ask("GET", f"/zones/{ZONE}.")[0] == 404, "a plan changes nothing"
    assert planned(run({}, **options)) == [f"copy {ZONE}"]
    assert run({}, **options).steps == []
    moved = run({}, **THERE, primaries=["127.0.0.55"])
    assert (moved.steps[0].before, moved.steps[0].after) == (PRIMARY, "127.0.0.55")
    assert run({}, **THERE, primaries=["127.0.0.55"]).steps == []
    assert run({}, **options, state="absent").steps == []


def test_a_zone_with_records_of_its_own_is_no_copy(secondary: PowerDns) -> None:
    run({f"bar.{ZONE}": ["192.0.2.7"]}, api=THERE["api"], name_servers={"ns1.elsewhere.test": [SECONDARY]})
    before = secondary.zone(ZONE)
    assert "is no copy at http://127.0.0.54:8081, and would be lost" in told(run, {}, **THERE, primaries=[PRIMARY])
    assert secondary.zone(ZONE) == before


@pytest.mark.parametrize("told_as", ["192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53"])
def test_a_port_is_no_part_of_an_address(told_as: str) -> None:
    assert copies._plain(told_as) in ("192.0.2.1", "2001:db8::1")

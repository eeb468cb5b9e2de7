# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of a host: two services, and every Sess as its Act's own user."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import house
import pytest

testinfra_hosts = ["ansible://backstage_stage"]

PRODUCTION = "jazz"
ACTS = ["ballot", "busker", "jamsession", "polls", "wagtail"]


@pytest.mark.parametrize("name", ["backstage-emperor", "nginx"])
def test_a_service_runs_now_and_at_every_boot(host: Any, name: str) -> None:
    service = host.service(name)
    assert service.is_running
    assert service.is_enabled


def test_no_unit_failed(host: Any) -> None:
    assert house.lines(host, "systemctl", "--failed", "--no-legend") == []


def test_exactly_the_acts_of_the_manifest_play(host: Any) -> None:
    assert sorted(house.acts(host, PRODUCTION)) == ACTS
    vassals = house.lines(host, "find", "/etc/backstage/vassals", "-type", "l", "-printf", "%f\n")
    playing = house.acts(host, PRODUCTION).values()
    assert set(vassals) == {f"backstage.{PRODUCTION}.{act.name}.{act.sess}.ini" for act in playing}


@pytest.mark.parametrize("name", ACTS)
def test_a_sess_runs_as_its_player(host: Any, name: str) -> None:
    act = house.acts(host, PRODUCTION)[name]
    said = house.lines(host, "ps", "-eo", "user:40=,args=")
    title = re.compile(rf"(\S+)\s+{PRODUCTION}/{name}/{re.escape(act.sess)} uWSGI (master|worker \d+)")
    found = [match for match in map(title.match, said) if match]
    assert {match[1] for match in found} == {act.player}
    assert Counter(match[2] for match in found) == {"master": 1, "worker 1": 1, "worker 2": 1}


def test_no_builder_runs_a_process(host: Any) -> None:
    builders = {f"{PRODUCTION}_{name}" for name in ACTS} | {f"{PRODUCTION}__build"}
    assert builders.isdisjoint(line.split()[0] for line in house.lines(host, "ps", "-eo", "user:40="))


def test_one_emperor_runs_as_root(host: Any) -> None:
    said = house.lines(host, "ps", "-eo", "user:40=,args=")
    assert [line.split()[0] for line in said if "--emperor" in line or "emperor.ini" in line] == ["root"]

# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's facts: what the roles wrote, and what a plan takes for granted on a host without roles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import facts as host

from ...told import told

STAGE = {"vassals": "/v", "stats": "/s", "longest_request": 400, "uv": "/uv", "wrapper": "/w"}
FRONT = {"http_port": 8080, "ipv6": False, "venues": "/n", "params": "/p", "pages": "/h"}
FRONT.update({"visitors": "/dev/null", "passwords": "/dev"})
EXTRA = {"managed_by": "backstage.django", "format": 1, "of a later Backstage": True}
DEFAULT = {"vassals": "/etc/backstage/vassals", "http_port": 80, "longest_request": 300, "ipv6": True}


def read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: Any = None, front: Any = None, database: Any = None
) -> host.Host:
    for name, data in (("STAGE", stage), ("FRONT_OF_HOUSE", front), ("DATABASE", database)):
        monkeypatch.setattr(host, name, str(tmp_path / name))
        if data is not None:
            (tmp_path / name).write_text(data if isinstance(data, str) else json.dumps(data))
    return host.Host.read()


CASES = [
    # (stage.json, front_of_house.json, facts, has a stage, has a front of house)
    (None, None, DEFAULT, False, False),
    ({**STAGE, **EXTRA}, None, {**STAGE, "http_port": 80}, True, False),
    (None, {**FRONT, **EXTRA}, {**FRONT, "vassals": DEFAULT["vassals"]}, False, True),
    (STAGE, FRONT, {**STAGE, **FRONT}, True, True),
    ('{"vassals": ', FRONT, {**FRONT, "vassals": DEFAULT["vassals"]}, False, True),
]


@pytest.mark.parametrize(("stage", "front", "facts", "has_stage", "has_front"), CASES)
def test_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: Any,
    front: Any,
    facts: Any,
    has_stage: bool,
    has_front: bool,
) -> None:
    found = read(tmp_path, monkeypatch, stage, front)
    assert {key: getattr(found, key) for key in facts} == facts
    assert (found.has_stage, found.has_front_of_house) == (has_stage, has_front)
    assert (told(found.need_stage) == "", told(found.need_front_of_house) == "") == (has_stage, has_front)


def test_what_is_missing_is_said_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(tmp_path, monkeypatch)
    for need, what in ((found.need_stage, "stage"), (found.need_front_of_house, "front of house")):
        said = told(need)
        assert said.startswith(f"this host has no {what} ({tmp_path}/")
        assert said.endswith(" is missing); run the playbook backstage.django.site first")


@pytest.mark.parametrize("fact", ["visitors", "passwords"])
def test_a_front_of_house_of_an_earlier_backstage(fact: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files lack what a Venue's file includes now: said before nginx refuses it."""
    missing = f"{tmp_path}/{fact}"
    said = told(read(tmp_path, monkeypatch, STAGE, {**FRONT, fact: missing}).need_front_of_house)
    assert said == (
        f"this host's front of house is of an earlier Backstage ({missing} is missing); run the playbook"
        " backstage.django.site first"
    )


def test_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = read(tmp_path, monkeypatch)
    assert (bare.has_database, bare.database_port) == (False, 5432)
    assert told(bare.need_database) == (
        f"this host has no PostgreSQL for Acts ({tmp_path}/DATABASE is missing); put it into the inventory group"
        " backstage_database, and run the playbook backstage.django.site first"
    )
    found = read(tmp_path, monkeypatch, database={**EXTRA, "database_port": 5433})
    assert (found.has_database, found.database_port, told(found.need_database)) == (True, 5433, "")

# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory's variables: a slip in one of ours is named with what was meant, and the user's own are let through."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec
from ansible_collections.backstage.django.plugins.module_utils.manifest.problems import Problems
from ansible_collections.backstage.django.plugins.plugin_utils import variables

PLAYBOOKS = Path(__file__).parents[4] / "playbooks"
NO_VARIABLE = "no variable of Backstage; did you mean {}? Else give it another name"
MISSPELLED = [
    ("backstage_actz", "backstage_acts"),
    ("backstage_act", "backstage_acts"),
    ("backstage_atcs", "backstage_acts"),
    ("Backstage_acts", "backstage_acts"),
    ("BACKSTAGE_ACTS", "backstage_acts"),
    ("backstage_gig", "backstage_gigs"),
    ("backstage_sess", "backstage_sesses"),
    ("backstage_seses", "backstage_sesses"),
    ("backstage_venue", "backstage_venues"),
    ("backstage_veunes", "backstage_venues"),
    ("backstage_version", "backstage_versions"),
    ("backstage_seeds", "backstage_seed"),
    ("backstage_productoin", "backstage_production"),
    ("backstage_acts_defaults", "backstage_act_defaults"),
    ("backstage_act_default", "backstage_act_defaults"),
    ("backstage_lock_timout", "backstage_lock_timeout"),
    ("backstage_delete_date", "backstage_delete_data"),
    ("backstage_unhld", "backstage_unhold"),
    ("backstage_venue_default", "backstage_venue_defaults"),
]
OWN = [
    *["backstage_password", "backstage_stage", "backstage_database", "backstage_front_of_house", "backstage_address"],
    *[
        "backstage_",
        "backstage_acts_of_the_club",
        "backstage_git",
        "backstage_left",
        "my_backstage_actz",
        "backstageacts",
    ],
    *["backstage_info", "backstage_registered", "stage_longest_request", "__backstage_acts", "acts"],
]


@pytest.mark.parametrize(("name", "meant"), MISSPELLED)
def test_misspelled(name: str, meant: str) -> None:
    problems = Problems()
    variables.check({name: "purrpurr", meant: [], "ansible_host": "x"}, problems)
    assert problems.lines == [f"{name}: {NO_VARIABLE.format(meant)}"]


@pytest.mark.parametrize(
    "name", [*OWN, *(known for known in variables.KNOWN if known not in (*variables.NOT_BUILT, variables.DNS))]
)
def test_let_through(name: str) -> None:
    problems = Problems()
    variables.check({name: 1}, problems)
    assert problems.lines == []


@pytest.mark.parametrize("name", variables.NOT_BUILT)
def test_not_built(name: str) -> None:
    problems = Problems()
    for nothing in (None, {}, []):
        variables.check({name: nothing}, problems)
    assert problems.lines == []
    variables.check({name: {"state": "closed"}}, problems)
    assert problems.lines == [f"{name}: this is not built yet; remove it"]


def test_every_variable_that_the_playbooks_read_is_known() -> None:
    """And nothing that they register or define looks like one of ours."""
    modules = {f"backstage_{name}" for name in ("production", "info", "manage", "log_info", "rehearsal", "dns")} - {
        variables.DNS
    }
    groups = {"backstage_stage", "backstage_front_of_house", "backstage_database", "backstage_producer"} | {
        "backstage_address"
    }
    for path in PLAYBOOKS.rglob("*.yml"):
        found = set(re.findall(r"(?<![_.\w])backstage_\w+", path.read_text())) - modules - groups
        assert found <= {*variables.KNOWN, "backstage_left"}, path


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"zones": ["example.test"], "ttl": 60, "name_servers": [{"name": "ns1.a", "addresses": ["192.0.2.1"]}]}, ""),
        ({"zones": ["example.test"], "prune": True}, "backstage_dns: unknown key prune"),
        ({"ttl": 60}, "backstage_dns.zones: is missing"),
        ({"zones": ["example.test"], "dnssec": "perhaps"}, "backstage_dns.dnssec: 'perhaps': use true or false"),
    ],
)
def test_the_dictionary_of_dns(given: dict[str, Any], said: str) -> None:
    problems = Problems()
    variables.check({variables.DNS: given, "groups": {"backstage_producer": ["ns1"]}}, problems)
    assert problems.lines == ([said] if said else [])


@pytest.mark.parametrize(
    ("given", "producers", "said"),
    [
        ({}, ["ns1"], ""),
        ({"api": None}, ["ns1"], ""),
        ({"api": "https://dns.example", "key": "k"}, [], ""),
        ({"api": "https://dns.example"}, [], "backstage_dns.key: is missing; give the key of the API"),
        ({}, [], "backstage_dns: no host would write the records: put one into the group backstage_producer"),
        ({"api": "https://dns.example", "key": "k"}, ["ns1"], "backstage_dns.api: ns1 of group backstage_producer"),
    ],
)
def test_who_writes_the_records(given: dict[str, Any], producers: list[str], said: str) -> None:
    problems = Problems()
    groups = {"backstage_producer": producers}
    variables.check({variables.DNS: {"zones": ["a.test"], **given}, "groups": groups}, problems)
    assert [line[: len(said)] for line in problems.lines] == ([said] if said else [])


def test_every_variable_is_an_option() -> None:
    assert set(variables.OPTIONS) <= set(spec.production())


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        *[("", "", 0), ("acts", "acts", 0), ("", "acts", 4), ("acts", "", 4), ("acts", "actz", 1), ("act", "acts", 1)],
        *[("atcs", "acts", 1), ("caats", "acts", 2), ("stca", "acts", 3), ("venues", "values", 2), ("abc", "ca", 3)],
    ],
)
def test_distance(one: str, other: str, distance: int) -> None:
    for words in ((one, other), (other, one)):
        assert variables.distance(*words) == distance

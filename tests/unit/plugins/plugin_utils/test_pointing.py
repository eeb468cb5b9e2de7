# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the names of Venues point, by the manifest and the inventory alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Gig, Manifest, Sess, Venue
from ansible_collections.backstage.django.plugins.module_utils.manifest.problems import Problems
from ansible_collections.backstage.django.plugins.plugin_utils import pointing

GROUPS = {"all": ["h1", "h2"], "backstage_stage": ["h1"]}
HOSTS: dict[str, dict[str, Any]] = {
    "h1": {"backstage_public_address": "192.0.2.1"},
    "h2": {"backstage_public_address": ["192.0.2.2", "2001:db8::2"]},
}


def names(venue: Venue, *acts: str, hosts: Any = None) -> tuple[dict[str, list[str]], list[str]]:
    """Where they point, where these Acts are booked there, each on the host of its name or else on the Stage."""
    problems = Problems()
    wanted = Manifest(
        "cats",
        {act: Act(act) for act in acts},
        {act: Sess(act, hosts=act) for act in acts if act in GROUPS["all"]},
        {venue.name: venue},
        [Gig(act, venue.name, f"/{act}/") for act in acts],
    )
    found = pointing.names(wanted, GROUPS, HOSTS if hosts is None else hosts, problems)
    return {one["name"]: one["addresses"] for one in found}, problems.lines


VENUE = Venue("a.test", ["www.a.test"])


@pytest.mark.parametrize(
    ("venue", "acts", "found"),
    [
        (VENUE, ["kittens"], {"a.test": ["192.0.2.1"], "www.a.test": ["192.0.2.1"]}),
        (Venue("a.test"), ["h2"], {"a.test": ["192.0.2.2", "2001:db8::2"]}),
        (Venue("a.test"), ["kittens", "h2"], {"a.test": ["192.0.2.1", "192.0.2.2", "2001:db8::2"]}),
        (Venue("a.test", state="closed"), ["kittens"], {"a.test": ["192.0.2.1"]}),
        (Venue("a.test", state="absent"), [], {"a.test": []}),
        (Venue("a.test", dns=False), ["kittens"], {}),
        (Venue("a.test"), [], {}),
    ],
)
def test_names(venue: Venue, acts: list[str], found: dict[str, list[str]]) -> None:
    assert names(venue, *acts) == (found, [])


def test_a_host_that_does_not_say_where_it_is_reached() -> None:
    """Never by ansible_host: that may be private, or a jump host."""
    found = names(Venue("a.test"), "kittens", hosts={"h1": {"ansible_host": "10.0.0.1"}})[1]
    assert found[0].startswith("backstage_public_address of h1: is missing; write the addresses at which visitors")
    assert names(Venue("a.test", dns=False), "kittens", hosts={})[1] == []


def test_an_address_that_is_none() -> None:
    hosts = {"h1": {"backstage_public_address": ["web1.example", "192.0.2.1"]}}
    found = names(Venue("a.test"), "kittens", hosts=hosts)[1]
    assert found == [
        "backstage_public_address of h1: 'web1.example': is no address; use one such as 192.0.2.7 or 2001:db8::7"
    ]


@pytest.mark.parametrize(("defaults", "told"), [({}, ["a.test"]), ({"dns": False}, [])])
def test_what_is_laid_under_every_venue(defaults: dict[str, Any], told: list[str]) -> None:
    """Only the controller reads the manifest; the module hears of names and addresses."""
    acts = [{"name": "kittens", "source": {"path": "kittens"}}]
    gigs = [{"act": "kittens", "venue": "a.test"}]
    options = {"production": "cats", "acts": acts, "venues": [{"name": "a.test"}], "gigs": gigs}
    task_vars = {"groups": {**GROUPS, "backstage_stage": ["h1"]}, "hostvars": HOSTS}
    found = pointing.with_names({**options, "venue_defaults": defaults}, task_vars)
    assert [name["name"] for name in found["names"]] == told
    assert set(found) == {"production", "names"}

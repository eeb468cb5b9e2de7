# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Acts play on which hosts, by the manifest and by variables that nobody has checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.acme import Acme
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import (
    Act,
    Gig,
    Manifest,
    Sess,
    Tls,
    Venue,
)
from ansible_collections.backstage.django.plugins.module_utils.manifest.problems import Problems
from ansible_collections.backstage.django.plugins.plugin_utils import placing

GROUPS = {
    "all": ["edge", "three", "one", "two"],
    "backstage_stage": ["one", "two", "three"],
    "both": ["two", "one"],
    "empty": [],
}


def placed(*hosts: str, **act: Any) -> tuple[list[str], list[str]]:
    """Return the hosts of the kittens, and what is wrong with them."""
    problems = Problems()
    wanted = Manifest("jazz", {"kittens": Act("kittens", **act)}, {"kittens": Sess("kittens", hosts=[*hosts])})
    found = placing.placed(wanted, GROUPS, problems)["kittens"]
    return found, problems.lines


@pytest.mark.parametrize(
    ("hosts", "found"),
    [
        (["one"], ["one"]),
        (["both"], ["one", "two"]),
        (["three", "both", "one"], ["one", "two", "three"]),
        (["edge", "one"], ["one", "edge"]),
    ],
)
def test_hosts_in_the_order_of_plays(hosts: list[str], found: list[str]) -> None:
    assert placed(*hosts, media="external") == (found, [])


@pytest.mark.parametrize("place", ["backstage_stag", "empty"])
def test_a_place_without_a_host(place: str) -> None:
    said = f"backstage_sesses[kittens].hosts: '{place}': is no group or host of the inventory; use one, such as"
    assert placed("one", place) == (["one"], [f"{said} backstage_stage"])


def test_what_lies_on_one_host() -> None:
    """A database of its own, and uploads; an Act on one host may have both, and one that is leaving is not asked."""
    _hosts, said = placed("both", database="postgresql")
    plays = "and the Act plays on 2 hosts (one, two)"
    assert said == [
        f"backstage_acts[kittens].database.engine: 'postgresql': is a database of one host, {plays}: name a database"
        " that all of them reach in secrets (DATABASE_URL), and leave 'database' out",
        f"backstage_acts[kittens].media: 'local': keeps uploads on the host that got them, {plays}: use 'external'"
        " (a storage that all of them reach, such as S3) or 'none' (no uploads)",
    ]
    assert placed("one", database="sqlite")[1] == []
    assert placed("both", database="sqlite", state="absent")[1] == []


@pytest.mark.parametrize(
    ("sesses", "defaults", "found"),
    [
        (None, None, ["one", "two", "three"]),
        ([{"act": "kittens", "hosts": "two"}], None, ["two"]),
        ([{"act": "kittens", "hosts": "two,one"}], {}, ["one", "two"]),
        ([{"act": "kittens", "hosts": ["edge", "both"]}], {}, ["one", "two", "edge"]),
        ([{"act": "kittens", "hosts": None}, {"act": "dogs", "hosts": "one"}], {"hosts": "three"}, ["three"]),
        ([{"act": "kittens", "port": 8001}], {"hosts": ["both"]}, ["one", "two"]),
        ([], {"hosts": "nowhere"}, []),
    ],
)
def test_variables(sesses: Optional[list[Any]], defaults: Optional[dict[str, Any]], found: list[str]) -> None:
    assert placing.hosts_of("kittens", sesses, defaults, GROUPS) == found
    acts = [{"name": "kittens"}, {"name": "none"}]
    here = placing.acts_on(acts, "two", sesses, defaults, GROUPS)
    assert ({"name": "kittens"} in here) == ("two" in found)
    assert placing.acts_on(None, "two", sesses, defaults, GROUPS) == []


def test_acts_that_take_turns_play_on_the_same_hosts() -> None:
    """Another host would be closed while the other Act is on."""
    gigs = [Gig("kittens", "a.example", when=("Fri",)), Gig("dogs", "a.example", when=("Sat",))]

    def said(dogs: str, *gigs: Gig) -> list[str]:
        sesses = {"kittens": Sess("kittens", hosts=["two"]), "dogs": Sess("dogs", hosts=[dogs])}
        problems = Problems()
        placing.placed(Manifest("jazz", {}, sesses, gigs=[*gigs]), GROUPS, problems)
        return problems.lines

    assert said("one", *gigs) == [
        "backstage_gigs[dogs at a.example]: 'kittens' plays at a.example/ at other times, on two, and this Act on one;"
        " give both the same hosts (backstage_sesses)"
    ]
    assert said("one", gigs[0], replace(gigs[1], path="/dogs")) == []
    assert said("one", gigs[0], replace(gigs[1], state="absent")) == []
    assert said("two", *gigs) == []


def test_hosts_of_a_venue_need_one_account() -> None:
    """An authority asks one of them, which has to know the answer to what another one asked for."""

    def said(key: str = "", challenge: str = "http-01", mode: str = "acme", **venue: Any) -> list[str]:
        sesses = {"kittens": Sess("kittens", hosts=["two"]), "dogs": Sess("dogs", hosts=["one"])}
        gigs = [Gig("kittens", "a.example"), Gig("dogs", "a.example", path="/dogs"), Gig("kittens", "b.example")]
        venues = {name: Venue(name, tls=Tls(mode, challenge=challenge), **venue) for name in ("a.example", "b.example")}
        problems = Problems()
        wanted = Manifest("jazz", {}, sesses, venues, gigs, Acme(account_key=key))
        placing.placed(wanted, GROUPS, problems)
        return problems.lines

    assert said() == [
        "backstage_acme.account_key: is missing, and a.example gets certificates from an authority on 2 hosts (one,"
        " two): the authority may ask any of them, so they need one key; make one with openssl genpkey -algorithm EC"
        " -pkeyopt ec_paramgen_curve:prime256v1, encrypt it with ansible-vault, or use"
        " backstage_venues[a.example].tls.challenge: dns-01"
    ]
    assert said(key="one for all") == []
    assert said(challenge="dns-01") == []
    assert said(mode="selfsigned") == []
    assert said(state="absent") == []

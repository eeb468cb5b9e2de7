# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that are let in, and those that are not, by a real nginx."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import server_block, visit
from ansible_collections.backstage.django.plugins.module_utils.bookings.options import access
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Health, Venue

from ....told import told
from .conftest import GIG, NAME, Serve

PATHS = ("/", "/static/now.css", "/media/cat.txt")


def test_only_those_who_are_allowed(serve: Serve) -> None:
    place = serve(Venue(NAME, allow=["127.0.0.0/30", "2001:db8::/32"], deny=["127.0.0.2"]))
    for path in PATHS:
        assert place.status(path) == 200
        assert place.status(path, "127.0.0.2") == 403, "deny wins over allow"
        assert place.status(path, "127.0.0.9") == 403


def test_all_but_those_who_are_denied(serve: Serve) -> None:
    place = serve(Venue(NAME, deny=["127.0.0.2"]))
    assert [place.status(path, source) for path in PATHS for source in ("127.0.0.2", "127.0.0.9")] == [403, 200] * 3


def test_a_closed_venue_shows_its_page_to_everybody(serve: Serve) -> None:
    assert serve(Venue(NAME, state="closed", allow=["192.0.2.1"])).ask()[::2] == (503, "page closed")


@pytest.mark.parametrize(("denied", "status", "said"), [("127.0.0.1", 403, ""), ("127.0.0.2", 200, "purr")])
def test_a_deploy_accepts_the_403_of_a_venue_that_denies_its_host(
    serve: Serve, denied: str, status: int, said: str
) -> None:
    """A host that is not let in can't ask through nginx; where it is, the Act's page has to be right."""
    venue = Venue(NAME, deny=[denied])
    house = serve(venue).house
    block = server_block.data("jazz", venue, [GIG])
    at = visit.at_venue(block, block["gigs"][0])
    found = told(visit.ask, Act("kittens", health=Health(text="purr")), at, house.host, house.act())
    assert (found != "", said in found) == (bool(said), True)
    assert [(one["status"], one["error"]) for one in visit.urls("jazz", house.host, {})] == [(status, "")]


@pytest.mark.parametrize(
    ("venue", "words"),
    [
        (Venue(NAME), []),
        (Venue(NAME, deny=["192.0.2.1"]), ["deny 192.0.2.1;"]),
        (Venue(NAME, allow=["::1"], deny=["192.0.2.1"]), ["deny 192.0.2.1;", "allow ::1;", "deny all;"]),
    ],
)
def test_lines(venue: Venue, words: list[str]) -> None:
    found = access.lines(venue)
    assert found.location.split("\n")[:-1] == [f"        {word}" for word in words]
    assert (found.before, found.server, found.door) == ("", "", "")

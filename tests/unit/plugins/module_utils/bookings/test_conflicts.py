# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, ports and URLs that somebody else has. test_manager.py has them with a real nginx."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import conflicts, server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.conflicts import Others
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Manifest, Venue

from ...house import House
from ...servers import free_port


@pytest.fixture
def others(house: House) -> Others:
    """The Production blues has a Venue and a port on this host."""
    blues = House(house.root, "blues", house.host)
    blues.book(Venue("b.example", ["www.b.example"]))
    blues.listen(8001, Booked("cats", "/", (), (), 60))
    return Others("jazz", house.host)


def test_a_name_of_another_production(others: Others) -> None:
    venues = [Venue("a.example"), Venue("c.example", ["www.b.example"]), Venue("b.example", state="absent")]
    found = conflicts.names(Manifest("jazz", venues={venue.name: venue for venue in venues}), others)
    assert list(found) == ["c.example"]
    assert "the name www.b.example belongs to the Production blues already" in found["c.example"].message


def test_ports(others: Others) -> None:
    ports = {"kittens": 8001, "dogs": free_port(), "owls": others.host.http_port}
    wanted = {act: server_block.port_data("jazz", act, port, "/") for act, port in ports.items()}
    found = {act: error.message for act, error in conflicts.own_ports(wanted, {}, others).items()}
    assert sorted(found) == ["kittens", "owls"]
    assert "port 8001 of this host belongs to the Act cats of the Production blues already" in found["kittens"]
    assert "belongs to all Venues (front_of_house_http_port)" in found["owls"]


def test_two_acts_that_want_the_same_port(others: Others) -> None:
    port = free_port()
    wanted = {act: server_block.port_data("jazz", act, port, "/") for act in ("kittens", "dogs")}
    before = {"dogs": wanted["dogs"]}
    assert list(conflicts.own_ports(wanted, before, others)) == ["kittens"], "who had it keeps it"


URLS: list[tuple[list[Booked], dict[str, str]]] = [
    ([Booked("kittens", "/", ("/static/",), (), 60), Booked("dogs", "/b", ("/b/static/",), (), 60)], {}),
    (
        [Booked("kittens", "/", ("/static/",), (), 60), Booked("dogs", "/b", ("/static/",), (), 60)],
        {"dogs": "the URL /static/ at a.example belongs to the Act kittens already"},
    ),
    ([Booked("kittens", "/", ("/s/",), ("/s/",), 60)], {"kittens": "it claims the URL /s/ twice"}),
]


@pytest.mark.parametrize(("booked", "expected"), URLS)
def test_urls(booked: list[Booked], expected: dict[str, str]) -> None:
    found = conflicts.urls("a.example", booked)
    assert {act: error.message[: len(expected.get(act, ""))] for act, error in found.items()} == expected

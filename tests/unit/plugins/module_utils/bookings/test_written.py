# SPDX-License-Identifier: GPL-3.0-or-later
"""What nginx's files say of themselves; and others' are told apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ansible_collections.backstage.django.plugins.module_utils.bookings import written
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Venue

from ...house import House

ON = Booked("kittens", "/", (), (), 60)


def test_blocks(house: House) -> None:
    own = house.book(Venue("a.example"), ON)
    replace(house, production="jazz2").book(Venue("b.example"))
    for name, text in {
        "jazz.c.example.conf": "server { server_name c.example; }",
        "jazz.d.example.conf.new": own.read_text(),
        "jazzy.conf": own.read_text(),
        "README": "",
    }.items():
        Path(house.host.venues, name).write_text(text)
    found = written.blocks("jazz", house.host)
    assert list(found) == ["a.example"]
    assert found["a.example"]["gigs"] == [{"act": "kittens", "path": "/"}]
    assert written.blocks("blues", house.host) == {}
    assert written.blocks("jazz", replace(house.host, venues="/nowhere")) == {}
    house.listen(8001, ON)
    venues, ports = written.booked("jazz", house.host)
    assert (list(venues), ports) == (
        ["a.example"],
        {"kittens": {"production": "jazz", "act": "kittens", "port": 8001, "path": "/"}},
    )


def test_other_productions(house: House) -> None:
    house.book(Venue("a.example"), ON)
    other = replace(house, production="blues")
    other.book(Venue("b.example", ["www.b.example"]))
    Path(house.host.venues, "by-hand.conf").write_text("server_name c.example;")
    house.listen(8001, ON)
    other.listen(8002, ON)
    said = dict.fromkeys(("b.example", "www.b.example"), "the Production blues")
    said["port 8002"] = "the Act kittens of the Production blues"
    assert written.other_productions("jazz", house.host) == said

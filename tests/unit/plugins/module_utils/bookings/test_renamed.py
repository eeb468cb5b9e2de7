# SPDX-License-Identifier: GPL-3.0-or-later
"""Venues and Acts that get other names, with a real nginx: one reload, and the old host name leads to the new one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.bookings.manager import Bookings
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Gig, Manifest, Venue
from ansible_collections.backstage.django.plugins.module_utils.state import read as state

from ...house import KITTENS, House, wanted
from ...manifests import VENUE, act, booked, git, parse, refused
from ...servers import Nginx, listening

OLD, NEW = "old.example", "new.example"
RENAMED = Venue(NEW, aliases=[OLD], was=OLD)


def bookings(house: House, venue: Venue = RENAMED, *gigs: Gig, acts: tuple[Act, ...] = (KITTENS,)) -> Bookings:
    known = {act.name: act for act in acts}
    manifest = Manifest("jazz", known, {}, {venue.name: venue}, list(gigs or [Gig("kittens", venue.name)]))
    return Bookings(manifest, state.read("jazz", house.host), house.host)


def test_the_old_name_is_an_alias() -> None:
    (venue,) = list(parse(venues=[{"name": NEW, "was": OLD}], gigs=[{"act": "kittens", "venue": NEW}]).venues.values())
    assert venue == RENAMED
    (venue,) = list(parse(venues=[{"name": NEW, "was": OLD, "aliases": [OLD, "b.example"]}]).venues.values())
    assert venue.aliases == [OLD, "b.example"]


def test_fault_35_the_plan(house: House) -> None:
    """The Gig stays what it is."""
    house.book(Venue(OLD), Booked("kittens", "/", (), (), 60))
    steps = [change.step for change in bookings(house).plan()]
    assert [(step.name, step.verb) for step in steps] == [(NEW, "rename"), (NEW, "change")]
    assert (steps[0].before, steps[0].after) == (OLD, NEW)
    assert steps[1].after == {"aliases": [OLD]}
    assert bookings(house).unlisted() == []


def test_what_is_booked_for_an_act_of_another_name(house: House) -> None:
    house.book(Venue(OLD), Booked("kittens", "/", (), (), 60), Booked("kittens", "/more", (), (), 60))
    cats = replace(KITTENS, name="cats", was="kittens")
    found = bookings(house, Venue(OLD), Gig("cats", OLD), acts=(cats,))
    assert found.wanted()[OLD]["gigs"] == [{"act": "cats", "path": "/"}]
    found.left = {"cats"}
    assert [gig["act"] for gig in found.wanted()[OLD]["gigs"]] == ["kittens", "kittens"], "it failed: all stays"


def test_both_are_on_the_host(house: House) -> None:
    for name in (OLD, NEW):
        house.book(Venue(name), Booked("kittens", "/", (), (), 60))
    (error,) = list(bookings(house).refused().values())
    assert error.message == (
        f"{NEW} is on this host, and so is '{OLD}', whose name it should take over: remove 'was' from it"
    )
    assert [change.step.verb for change in bookings(house).plan()] == []


@pytest.fixture
def playing(open_house: House) -> Iterator[House]:
    want = wanted()
    open_house.build(want.release)
    open_house.record(want)
    live = open_house.play(want)
    with listening(Path(open_house.act().sess(live).socket), lambda _client: None):
        yield open_house


def test_fault_35_visitors_of_the_old_name(playing: House, nginx_program: str, tmp_path: Path) -> None:
    """They are led to the new one; the log of the Venue goes along."""
    venue = Venue(OLD)
    first = bookings(playing, venue)
    first.state.act("kittens").live = None
    first.apply()
    log = Path(server_block.access_log("jazz", OLD))
    log.write_text("yesterday\n")
    Path(f"{log}.2.gz").write_text("last week")
    second = bookings(playing)
    second.state.act("kittens").live = None
    assert second.apply() == {}
    running = Nginx(nginx_program, playing.root, playing.host.http_port)
    status, headers, _page = running.get(OLD, "/songs?page=2")
    assert (status, headers["Location"]) == (301, f"http://{NEW}:{playing.host.http_port}/songs?page=2")
    assert not log.exists()
    assert Path(server_block.access_log("jazz", NEW)).read_text().startswith("yesterday\n")
    assert Path(server_block.access_log("jazz", NEW) + ".2.gz").read_text() == "last week"
    assert sorted(path.name for path in Path(playing.host.venues).iterdir()) == [f"jazz.{NEW}.conf"]
    assert bookings(playing).plan() == []


NOBODYS = "an old name is nobody's, so remove one of the two"
REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"acts": [act(source=git(), was="dogs"), {"name": "dogs", "source": git()}]},
        f"backstage_acts[kittens].was: 'dogs': is an Act of the manifest; {NOBODYS}",
    ),
    (
        {"acts": [act(source=git(), was="dogs"), {"name": "birds", "source": git(), "was": "dogs"}]},
        "backstage_acts[birds].was: 'dogs': is the old name of 'kittens', too; keep one",
    ),
    (
        {"acts": [act(source=git(), was="../dogs")]},
        "backstage_acts[kittens].was: '../dogs': use a letter, then up to 31 lower-case letters, digits and hyphens",
    ),
    (
        {"venues": [{"name": VENUE, "was": "Old.example"}]},
        f"backstage_venues[{VENUE}]: 'Old.example': write it as 'old.example'",
    ),
]


@pytest.mark.parametrize(("more", "said"), REFUSED)
def test_refused(more: dict[str, Any], said: str) -> None:
    assert refused(booked(**more)) == [said]


def test_an_old_name_that_is_a_venue() -> None:
    said = refused(booked(venues=[{"name": VENUE, "was": OLD}, {"name": OLD}]))
    assert f"backstage_venues[{VENUE}].was: '{OLD}': is a Venue of the manifest; {NOBODYS}" in said

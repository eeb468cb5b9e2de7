# SPDX-License-Identifier: GPL-3.0-or-later
"""A Venue from its first day to its last: each state is a row of the plan, an answer, and a line of status."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx, visit
from ansible_collections.backstage.django.plugins.module_utils.bookings.manager import Bookings
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Gig, Manifest, Venue
from ansible_collections.backstage.django.plugins.module_utils.state import read as state

from ...house import House
from ...servers import Nginx
from .conftest import ACTS

V = "a.example"


def booked(house: House, venue: Venue, *acts: str) -> Bookings:
    """A manifest in which these Acts have Gigs, and the others none."""
    gigs = [Gig(name, V, state="present" if name in acts else "absent") for name in ACTS]
    return Bookings(Manifest("jazz", ACTS, {}, {V: venue}, gigs), state.read("jazz", house.host), house.host)


def page(house: House) -> Any:
    try:
        return Nginx("", house.root, house.host.http_port).get(V)
    except OSError:
        return (444, {}, "")


def shown(house: House) -> list[tuple[str, str]]:
    return [(one["state"], one["act"] or "") for one in visit.urls("jazz", house.host, {})]


OPEN, CLOSED, ABSENT = (Venue(V, state=name) for name in ("open", "closed", "absent"))
LIFE = [
    # (the manifest, rows of the plan, what a visitor gets, what status shows)
    ((OPEN,), ["venue add"], (404, ""), [("open", "")]),
    ((OPEN, "kittens"), ["gig book"], (200, "kittens"), [("open", "kittens")]),
    ((OPEN, "dogs"), ["gig rebook"], (200, "dogs"), [("open", "dogs")]),
    ((CLOSED, "dogs"), ["venue close"], (503, ""), [("closed", "dogs")]),
    ((CLOSED, "kittens"), ["gig rebook"], (503, ""), [("closed", "kittens")]),
    ((OPEN, "kittens"), ["venue open"], (200, "kittens"), [("open", "kittens")]),
    ((OPEN,), ["gig cancel"], (404, ""), [("open", "")]),
    ((ABSENT,), ["venue remove"], (444, ""), []),
]


def test_a_venue_goes_through_all_its_states(playing: House) -> None:
    (playing.root / "pages" / "closed.html").write_text("closed")
    for manifest, rows, (status, text), listed in LIFE:
        found = booked(playing, *manifest)
        assert [f"{one.step.noun} {one.step.verb}" for one in found.plan()] == rows, manifest
        assert found.apply() == {}
        assert booked(playing, *manifest).plan() == []
        answered = page(playing)
        assert (answered[0], shown(playing)) == (status, listed), manifest
        assert answered[2] == text or not text
        assert (status == 503) == ("Retry-After" in answered[1])


def test_a_venue_is_rebooked_in_one_change(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor gets one Act or the other, and nothing between."""
    booked(playing, OPEN, "kittens").apply()
    reloads: list[int] = []
    reload = nginx.reload
    monkeypatch.setattr(nginx, "reload", lambda: (reloads.append(1), reload()))
    seen: list[tuple[int, str]] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            status, _headers, text = page(playing)
            seen.append((status, text))

    visitor = threading.Thread(target=ask)
    visitor.start()
    for name in ("dogs", "kittens"):
        assert booked(playing, OPEN, name).apply() == {}
    over.set()
    visitor.join()
    assert (set(seen), len(reloads)) == ({(200, "kittens"), (200, "dogs")}, 2)

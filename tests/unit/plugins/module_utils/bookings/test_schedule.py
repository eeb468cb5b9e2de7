# SPDX-License-Identifier: GPL-3.0-or-later
"""The schedule of a Venue: who is on at its paths together, and which server blocks that needs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import schedule
from ansible_collections.backstage.django.plugins.module_utils.bookings.schedule import Schedule

FRIDAY = dt.datetime(2026, 12, 4, 12, tzinfo=dt.timezone.utc)


def gig(act: str, *when: str, path: str = "/") -> dict[str, Any]:
    return {"act": act, "path": path, "when": list(when)}


def of(*gigs: dict[str, Any], zone: str = "UTC") -> Schedule:
    return Schedule.of({"venue": "a.example", "timezone": zone, "gigs": list(gigs)})


CLUB = [gig("jazz", "Fri"), gig("hiphop", "Sat")]


@pytest.mark.parametrize(
    ("gigs", "variants"),
    [
        ([], [()]),
        ([gig("jazz", "Fri")], [("jazz",), (None,)]),
        (CLUB, [("jazz",), ("hiphop",), (None,)]),
        ([*CLUB, gig("resident")], [("jazz",), ("hiphop",), ("resident",)]),
        ([gig("jazz", "Fri", "2026-12-31")], [("jazz",), (None,)]),
        (
            [*CLUB, gig("blog", path="/blog")],
            [("jazz", "blog"), ("hiphop", "blog"), (None, "blog")],
        ),
    ],
)
def test_one_variant_for_all_that_can_be_on_together(gigs: list[dict[str, Any]], variants: list[object]) -> None:
    assert of(*gigs).variants() == variants


def test_the_paths_of_a_venue_change_together() -> None:
    found = of(*CLUB, gig("blog", path="/blog"))
    assert [(f"{at:%a %H:%M}", acts) for at, acts in found.coming(FRIDAY)] == [
        ("Fri 12:00", ("jazz", "blog")),
        ("Sat 00:00", ("hiphop", "blog")),
        ("Sun 00:00", (None, "blog")),
        ("Fri 00:00", ("jazz", "blog")),
    ]
    assert {acts for _at, acts in found.coming(FRIDAY)} <= set(found.variants())


SUNDAY = FRIDAY + dt.timedelta(days=2)


@pytest.mark.parametrize(
    ("when", "opening"),
    [
        ("Fri", "2026-12-11 00:00"),
        ("2027-11-30 20:00-22:00", "2027-11-30 20:00"),
        ("2029-01-01", ""),
        ("2020-01-01", ""),
    ],
)
def test_when_a_closed_venue_opens(when: str, opening: str) -> None:
    found = of(gig("jazz", when)).opening(SUNDAY)
    assert (f"{found[0]:%Y-%m-%d %H:%M}" if found else "") == opening


def test_names_of_blocks() -> None:
    assert schedule.file_name(("jazz",)) == "jazz.conf"
    assert schedule.file_name((None,)) == "_.conf"
    assert schedule.file_name((None, "blog")) == "_+blog.conf"


@pytest.mark.parametrize("data", [None, {}, {"venue": "a.example", "timezone": "UTC", "gigs": [{"act": "jazz"}]}, []])
def test_data_that_is_not_a_schedule(data: Any) -> None:
    with pytest.raises(ValueError, match="it is not a schedule"):
        Schedule.of(data)

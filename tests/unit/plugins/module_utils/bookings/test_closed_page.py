# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a Venue while it is closed: what is on next, and the header Retry-After."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import closed_page
from ansible_collections.backstage.django.plugins.module_utils.bookings.schedule import Schedule

NOW = dt.datetime(2026, 12, 6, 12, tzinfo=dt.timezone.utc)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("venue", "pages"):
        (tmp_path / name).mkdir()
    (tmp_path / "pages" / closed_page.PAGE).write_text(f"<h1>closed</h1>{closed_page.NEXT}")
    return tmp_path


def write(place: Path, *when: str) -> bool:
    gigs = [{"act": "jazz", "path": "/", "when": list(when)}]
    found = Schedule.of({"venue": "a.example", "timezone": "Europe/Berlin", "gigs": gigs})
    return closed_page.write(str(place / "venue"), str(place / "pages"), found, NOW)


def page(place: Path) -> tuple[str, str]:
    """Return the page and the header, without their other lines."""
    text, header = ((place / "venue" / name).read_text() for name in (closed_page.PAGE, closed_page.HEADER))
    return text.removeprefix("<h1>closed</h1>"), header.partition("\n")[2]


def test_the_next_opening_is_told_in_the_time_of_the_venue(place: Path) -> None:
    assert write(place, "Fri 20:00-23:00")
    assert page(place) == (
        "<p>Next: jazz, Friday 2026-12-11 20:00 (Europe/Berlin)</p>",
        'add_header Retry-After "Fri, 11 Dec 2026 19:00:00 GMT" always;\n',
    )
    assert not write(place, "Fri 20:00-23:00"), "nothing is new"
    assert write(place, "Fri 21:00-23:00")


def test_a_venue_that_never_opens_again(place: Path) -> None:
    write(place, "2020-01-01")
    assert page(place) == ("", "")


def test_a_host_without_a_page(place: Path) -> None:
    (place / "pages" / closed_page.PAGE).unlink()
    write(place, "Fri")
    assert page(place)[0] == ""

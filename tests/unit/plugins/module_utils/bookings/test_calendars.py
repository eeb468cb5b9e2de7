# SPDX-License-Identifier: GPL-3.0-or-later
"""A Venue whose Gigs have times, as a deploy leaves it: a server block for all that can be on, and a link to one."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import calendars, nginx, visit
from ansible_collections.backstage.django.plugins.module_utils.bookings.box_office import BoxOffice
from ansible_collections.backstage.django.plugins.module_utils.bookings.manager import Bookings
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Gig, Health, Manifest, Venue
from ansible_collections.backstage.django.plugins.module_utils.stages import timers
from ansible_collections.backstage.django.plugins.module_utils.state import read as state

from ...house import House
from ...servers import Nginx
from .conftest import ACTS

V = "a.example"
FRIDAY, SATURDAY, SUNDAY = (dt.datetime(2026, 12, day, 19, tzinfo=dt.timezone.utc) for day in (4, 5, 6))
FRI, SAT = Gig("kittens", V, when=("Fri",)), Gig("dogs", V, when=("Sat 18:00-04:00",))
CLUB = Venue(V, timezone="Europe/Berlin")
ALL = ["_.conf", "closed.html", "dogs.conf", "kittens.conf", "reopening.conf", "schedule.json"]


@pytest.fixture(autouse=True)
def _cron(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without systemd, with a cron of its own."""
    (house.root / "cron.d").mkdir()
    monkeypatch.setattr(timers, "CRON", str(house.root / "cron.d"))
    monkeypatch.setattr(timers, "CRON_PROGRAM", "/bin/true")


def booked(house: House, *gigs: Gig, now: dt.datetime = FRIDAY, venue: Venue = CLUB, **more: Any) -> Bookings:
    manifest = Manifest("jazz", ACTS, {}, {V: venue}, list(gigs))
    return Bookings(manifest, state.read("jazz", house.host), house.host, now=now, **more)


def rows(found: Bookings) -> list[str]:
    return [f"{one.step.noun} {one.step.name} {one.step.verb}" for one in found.plan()]


def page(house: House, path: str = "/") -> tuple[int, str]:
    status, _headers, text = Nginx("", house.root, house.host.http_port).get(V, path)
    return status, text


def link(house: House) -> Path:
    return Path(house.host.venues, f"jazz.{V}.conf")


def directory(house: House) -> Path:
    return Path(house.host.calendar, f"jazz.{V}")


def look(house: House, now: dt.datetime) -> bool:
    return BoxOffice(house.host, now, print).run()


def test_a_deploy_shows_what_is_on_and_the_program_goes_on_from_there(playing: House) -> None:
    (playing.root / "pages" / "closed.html").write_text("closed <!-- what is on next -->")
    found = booked(playing, FRI, SAT)
    assert rows(found) == [
        f"venue {V} add",
        f"gig dogs at {V}/ book",
        f"gig kittens at {V}/ book",
        f"venue {V} schedule",
        "venue all start timer",
    ]
    (week,) = [one.step.after for one in found.plan() if one.step.verb == "schedule"]
    assert week == [
        "now kittens",
        "Sat 2026-12-05 00:00 closed",
        "Sat 2026-12-05 18:00 dogs",
        "Sun 2026-12-06 04:00 closed",
        "Fri 2026-12-11 00:00 kittens",
    ]
    assert found.apply() == {}
    assert (page(playing), link(playing).readlink().name) == ((200, "kittens"), "kittens.conf")
    assert booked(playing, FRI, SAT).plan() == []
    assert look(playing, SATURDAY)
    assert page(playing) == (200, "dogs")
    assert booked(playing, FRI, SAT, now=SATURDAY).plan() == []
    assert look(playing, SUNDAY)
    assert page(playing) == (503, "closed <p>Next: kittens, Friday 2026-12-11 00:00 (Europe/Berlin)</p>")
    assert sorted(os.listdir(directory(playing))) == ALL
    assert booked(playing, FRI, SAT, now=SUNDAY).plan() == []


def test_a_deploy_while_nobody_is_on(playing: House) -> None:
    (playing.root / "pages" / "closed.html").write_text("closed <!-- what is on next -->")
    assert booked(playing, FRI, SAT, now=SUNDAY).apply() == {}
    assert page(playing)[0] == 503
    assert "Next: kittens" in page(playing)[1]
    assert look(playing, FRIDAY)
    assert page(playing) == (200, "kittens")


def test_an_act_is_asked_only_while_it_is_on(playing: House) -> None:
    """a deploy asks nothing of an Act that its Venue does not show now."""
    (playing.root / "pages" / "502.html").write_text("tuning up")
    os.unlink(playing.root / "dogs")
    assert booked(playing, FRI, SAT).apply() == {}
    assert page(playing) == (200, "kittens")
    found = booked(playing, FRI, SAT, now=SATURDAY).apply()
    assert [*found] == ["dogs"]
    assert page(playing)[0] == 502, "the Gig was there before: it stays"


def ask(house: House, name: str) -> None:
    visit.ask_booked(replace(ACTS[name], health=Health(text=name)), house.act(name), house.host)


def test_the_question_after_a_switch_is_for_the_venues_that_show_the_act(playing: House) -> None:
    booked(playing, FRI, SAT).apply()
    for name in ("kittens", "dogs"):
        ask(playing, name)
    (playing.root / "pages" / "502.html").write_text("tuning up")
    os.unlink(playing.root / "dogs")
    ask(playing, "dogs")
    assert look(playing, SATURDAY)
    with pytest.raises(BackstageError, match="answers 502"):
        ask(playing, "dogs")


def test_an_act_that_leaves_while_it_is_asked(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The minute of a change: another Act answers, and the switch is not taken back for that."""
    booked(playing, FRI, SAT).apply()
    asked = visit.ask

    def late(*question: Any) -> None:
        assert look(playing, SATURDAY)
        asked(*question)

    monkeypatch.setattr(visit, "ask", late)
    ask(playing, "kittens")


def test_a_block_that_nginx_has_not_read(playing: House) -> None:
    """FAULTS 2: a run was killed before nginx took it up."""
    booked(playing, FRI, SAT).apply()
    time.sleep(0.05)
    path = directory(playing) / "dogs.conf"
    files.write(str(path), path.read_text())
    assert rows(booked(playing, FRI, SAT)) == ["venue all reload"]
    assert booked(playing, FRI, SAT).apply() == {}
    assert booked(playing, FRI, SAT).plan() == []


def test_status_shows_what_is_on(playing: House) -> None:
    booked(playing, FRI, SAT).apply()

    def shown() -> list[tuple[int, str, str]]:
        return [(one["status"], one["state"], one["act"]) for one in visit.urls("jazz", playing.host, {})]

    assert shown() == [(200, "open", "kittens")]
    look(playing, SUNDAY)
    assert shown() == [(503, "closed", None)]


TIMES = [
    # (the manifest, rows of the plan)
    ([FRI, SAT], ["gig dogs at a.example/ book", "gig kittens at a.example/ schedule", "venue a.example schedule"]),
    ([FRI], ["gig kittens at a.example/ schedule", "venue a.example schedule"]),
    ([Gig("kittens", V)], []),
    ([SAT], ["gig dogs at a.example/ book", "venue a.example schedule"]),
    ([Gig("dogs", V)], ["gig dogs at a.example/ rebook"]),
]


@pytest.mark.parametrize(("gigs", "expected"), TIMES)
def test_gigs_get_times(playing: House, gigs: list[Gig], expected: list[str]) -> None:
    booked(playing, Gig("kittens", V)).apply()
    found = booked(playing, *gigs)
    assert [row for row in rows(found) if "timer" not in row] == expected
    assert found.apply() == {}
    assert booked(playing, *gigs).plan() == []
    assert page(playing)[0] == 200


def test_gigs_lose_their_times(playing: House) -> None:
    """The directory and what starts the program go with the last Gig that has times."""
    booked(playing, FRI, SAT, now=SUNDAY).apply()
    assert calendars.timer(playing.host).is_on
    found = booked(playing, Gig("kittens", V), now=SUNDAY, prune=True)
    assert rows(found) == [
        f"gig dogs at {V}/ cancel",
        f"gig kittens at {V}/ schedule",
        f"venue {V} schedule",
        "venue all stop timer",
    ]
    assert found.apply() == {}
    assert (page(playing), link(playing).is_symlink()) == ((200, "kittens"), False)
    assert (os.listdir(playing.host.calendar), calendars.timer(playing.host).is_on) == ([], False)
    assert booked(playing, Gig("kittens", V), now=SUNDAY, prune=True).plan() == []


@pytest.mark.parametrize("state_", ["closed", "absent"])
def test_a_venue_that_closes_or_goes(playing: House, state_: str) -> None:
    booked(playing, FRI, SAT).apply()
    gigs = [FRI, SAT] if state_ == "closed" else []
    assert booked(playing, *gigs, venue=Venue(V, state=state_)).apply() == {}
    assert (os.listdir(playing.host.calendar), calendars.timer(playing.host).is_on) == ([], False)
    assert (link(playing).exists(), link(playing).is_symlink()) == (state_ == "closed", False)
    assert look(playing, FRIDAY)


def test_a_production_that_is_struck(playing: House) -> None:
    """Its blocks, its links and what starts the program go with it."""
    booked(playing, FRI, SAT).apply()
    struck = Bookings(Manifest("jazz"), state.read("jazz", playing.host), playing.host, prune=True)
    assert rows(struck)[-1] == "venue all stop timer"
    assert struck.apply() == {}
    assert [os.listdir(place) for place in (playing.host.calendar, playing.host.venues)] == [[], []]
    assert not calendars.timer(playing.host).is_on


def test_what_others_have_in_the_calendar_stays(playing: House) -> None:
    """Another Production's Venue, and the timer that it needs."""
    others = Path(playing.host.calendar, "jazz2.b.example")
    others.mkdir()
    (others / "schedule.json").write_text("{}")
    booked(playing, FRI).apply()
    booked(playing, venue=Venue(V, state="absent")).apply()
    assert os.listdir(playing.host.calendar) == ["jazz2.b.example"]
    assert calendars.timer(playing.host).is_on


def test_files_of_acts_that_left_go(playing: House) -> None:
    booked(playing, FRI, SAT).apply()
    booked(playing, FRI, prune=True, now=SUNDAY).apply()
    assert sorted(os.listdir(directory(playing))) == [name for name in ALL if name != "dogs.conf"]


def test_a_missed_minute_is_made_up_by_a_deploy(playing: House) -> None:
    """No timer has run, and the clock says that another Act is on."""
    booked(playing, FRI, SAT).apply()
    late = booked(playing, FRI, SAT, now=SATURDAY)
    (change,) = late.plan()
    assert (change.step.verb, change.step.before, change.step.after) == ("show", "kittens", "dogs")
    assert late.apply() == {}
    assert page(playing) == (200, "dogs")


def test_fault_95_an_edited_block_that_is_not_on(playing: House) -> None:
    booked(playing, FRI, SAT).apply()
    (directory(playing) / "dogs.conf").write_text("# by hand\n")
    assert rows(booked(playing, FRI, SAT)) == [f"venue {V} rewrite"]
    booked(playing, FRI, SAT).apply()
    assert "# by hand" not in (directory(playing) / "dogs.conf").read_text()


def test_fault_88_what_nginx_refuses_is_taken_back(playing: House) -> None:
    """A fault that nginx finds with the others on the host."""
    booked(playing, Gig("kittens", V)).apply()
    before = playing.seen()
    master = nginx.check
    try:
        nginx.check = fault  # type: ignore[assignment]
        with pytest.raises(BackstageError, match="refused"):
            booked(playing, FRI, SAT).apply()
    finally:
        nginx.check = master
    logs = {path for path, _content in playing.seen()} - {path for path, _content in before}
    assert [one for one in playing.seen() if one[0] not in logs] == before
    assert os.listdir(playing.host.calendar) == []
    assert page(playing) == (200, "kittens")


def fault(_whose: str, configuration: str = "") -> None:
    if not configuration:
        raise BackstageError("refused", step="nginx")


def test_a_block_that_nginx_refuses_fails_only_its_venue(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it would be on at another time."""
    monkeypatch.setattr("ansible_collections.backstage.django.plugins.module_utils.bookings.locations.CLOSED", "/a; b")
    found = booked(playing, FRI, SAT).apply()
    assert {name: "nginx refuses" in error.message for name, error in found.items()} == {"kittens": True, "dogs": True}
    assert os.listdir(playing.host.venues) == []


PATHS = [Gig("kittens", V, "/", ("Fri",)), Gig("dogs", V, "/dogs", ("Sat", "Fri 20:00-22:00"))]


def test_each_path_of_a_venue_has_its_times(playing: House) -> None:
    (playing.root / "pages" / "closed.html").write_text("closed <!-- what is on next -->")
    assert booked(playing, *PATHS).apply() == {}
    assert (page(playing), page(playing, "/dogs/")) == ((200, "kittens"), (200, "dogs"))
    assert look(playing, SATURDAY)
    assert page(playing) == (503, "closed <p>Next: kittens, Friday 2026-12-11 00:00 (Europe/Berlin)</p>")
    assert page(playing, "/dogs/") == (200, "dogs")
    assert look(playing, SUNDAY)
    assert (page(playing)[0], page(playing, "/dogs")[0], page(playing, "/dogs/a")[0]) == (503, 503, 503)
    assert json.loads((directory(playing) / "schedule.json").read_text())["timezone"] == "Europe/Berlin"


def test_a_zone_that_the_host_does_not_know_leaves_the_venue_as_it_is(playing: House) -> None:
    booked(playing, Gig("kittens", V)).apply()
    found = booked(playing, FRI, venue=Venue(V, timezone="Mars/Base")).refused()
    assert "the time zone 'Mars/Base' of a.example: this machine knows no such time zone" in found["kittens"].message
    assert rows(booked(playing, FRI, venue=Venue(V, timezone="Mars/Base"))) == []


def test_acts_of_other_times_have_the_venues_name(playing: House) -> None:
    """whoever is booked there at any time knows its names."""
    addresses = booked(playing, FRI, SAT).addresses()
    assert {act: [venue.name for venue in found.venues] for act, found in addresses.items()} == {
        "kittens": [V],
        "dogs": [V],
    }
    assert addresses["kittens"].beside == frozenset()


def test_without_cron_nothing_would_move_the_link(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "CRON_PROGRAM", "/missing")
    with pytest.raises(BackstageError, match="cron is missing: install the package cron"):
        booked(playing, FRI).apply()


def test_the_line_of_cron(playing: House) -> None:
    booked(playing, FRI).apply()
    assert (playing.root / "cron.d" / "backstage-bookings").read_text().splitlines() == [
        f"# {files.OWNERSHIP}",
        "SHELL=/bin/sh",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        'MAILTO=""',
        f"* * * * * root {playing.host.bookings} 2>&1 | logger -t backstage-bookings",
    ]

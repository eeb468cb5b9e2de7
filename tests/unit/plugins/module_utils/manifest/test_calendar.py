# SPDX-License-Identifier: GPL-3.0-or-later
"""When Gigs are booked: what a window may be, which Act is on, when that changes, and which bookings clash."""

from __future__ import annotations

import datetime as dt
import hashlib
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest import calendar

UTC = dt.timezone.utc
BERLIN = "Europe/Berlin"
MONDAY = dt.datetime(2026, 11, 30, tzinfo=UTC)
ALL = frozenset(range(7))

WINDOWS: list[tuple[str, tuple[int, int, frozenset[int]]]] = [
    ("Fri", (0, 1440, frozenset({4}))),
    ("friday", (0, 1440, frozenset({4}))),
    ("Sat,Sun", (0, 1440, frozenset({5, 6}))),
    ("Mon..Fri", (0, 1440, frozenset(range(5)))),
    ("Fri..Mon", (0, 1440, frozenset({4, 5, 6, 0}))),
    ("daily", (0, 1440, ALL)),
    ("18:00-23:00", (1080, 300, ALL)),
    ("Sat 18:00-04:00", (1080, 600, frozenset({5}))),
    ("Sat 18:00-24:00", (1080, 360, frozenset({5}))),
]


@pytest.mark.parametrize(("text", "expected"), WINDOWS)
def test_windows_of_weekdays(text: str, expected: tuple[int, int, frozenset[int]]) -> None:
    found = calendar.parse(text)
    assert (found.start, found.length, found.days) == expected


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-12-31", dt.date(2026, 12, 31), dt.date(2026, 12, 31)),
        ("2026-12-24..2027-01-01 20:00-06:00", dt.date(2026, 12, 24), dt.date(2027, 1, 1)),
    ],
)
def test_windows_of_dates(text: str, first: dt.date, last: dt.date) -> None:
    found = calendar.parse(text)
    assert (found.first, found.last, found.days) == (first, last, frozenset())


WRONG = [
    ("", "use a day, a time, or both, such as 'Fri'"),
    ("Frday", "'frday' is not a day; use Mon, Tue"),
    ("Fr", "'fr' is not a day"),
    ("Fri,", "'' is not a day"),
    ("Mon..Tue..Wed", "'mon..tue..wed' is not a day"),
    ("Fri at noon", "use a day, a time, or both"),
    ("18:00", "'18:00' is not a day; use Mon, Tue"),
    ("18:00", "write times as 09:00-17:00"),
    ("Fri 9:00-10:00", "use a day, a time, or both"),
    ("Fri 25:00-26:00", "25:00-26:00 is not a time; use 00:00 to 23:59"),
    ("Fri 10:60-11:00", "10:60-11:00 is not a time"),
    ("Sat 18:00-24:01", "18:00-24:01 is not a time"),
    ("Fri 24:00-02:00", "24:00-02:00 is not a time"),
    ("Fri 10:00-10:00", "10:00-10:00 is empty; leave the times out for a whole day"),
    ("2026-02-30", "2026-02-30 is not a date of the calendar"),
    ("2026-12-31..2026-12-01", "ends before it begins; write 2026-12-01..2026-12-31"),
    ("9999-12-31", "9999-12-31 is not a year of this calendar"),
    ("٢٠٢٦-١٢-٣١", "is not a day"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_wrong_window_is_refused_with_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(calendar.Wrong) as refusal:
        calendar.parse(text)
    assert said in str(refusal.value)


def local(text: str, zone: str = BERLIN, fold: int = 0) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


WEEK = [("jazz", ["Fri"]), ("hiphop", ["Sat 18:00-04:00", "2026-12-31 20:00-06:00"])]
RESIDENT = [*WEEK, ("resident", [])]
ON = [
    (WEEK, "2026-12-03 23:59", None),
    (WEEK, "2026-12-04 00:00", "jazz"),
    (WEEK, "2026-12-04 23:59", "jazz"),
    (WEEK, "2026-12-05 00:00", None),
    (WEEK, "2026-12-05 18:00", "hiphop"),
    (WEEK, "2026-12-06 03:59", "hiphop"),
    (WEEK, "2026-12-06 04:00", None),
    (RESIDENT, "2026-12-06 04:00", "resident"),
    (WEEK, "2027-01-01 00:00", "hiphop"),  # a Friday: the date of the day before goes before it
    (WEEK, "2027-01-01 06:00", "jazz"),
    ([], "2027-01-01 06:00", None),
]


@pytest.mark.parametrize(("gigs", "moment", "act"), ON)
def test_which_act_is_on(gigs: list[tuple[str, list[str]]], moment: str, act: str | None) -> None:
    assert calendar.on(calendar.bookings(gigs), local(moment), BERLIN) == act


def shown(gigs: list[tuple[str, list[str]]], moment: dt.datetime, zone: str, days: int) -> list[tuple[str, str | None]]:
    found = calendar.changes(calendar.bookings(gigs), moment, zone, days)
    return [(f"{one.moment.astimezone(ZoneInfo(zone)):%a %H:%M %Z}", one.act) for one in found]


def test_the_coming_week() -> None:
    assert shown(WEEK, MONDAY, BERLIN, 7) == [
        ("Mon 01:00 CET", None),
        ("Fri 00:00 CET", "jazz"),
        ("Sat 00:00 CET", None),
        ("Sat 18:00 CET", "hiphop"),
        ("Sun 04:00 CET", None),
    ]


SPRING, AUTUMN = local("2027-03-27 20:00"), local("2027-10-30 20:00")
CLOCKS = [
    # 02:00 to 03:00 does not exist on 28 March
    (["Sun 02:00-03:00"], SPRING, [("Sat 20:00 CET", None)]),
    (["Sun 02:30-05:00"], SPRING, [("Sat 20:00 CET", None), ("Sun 03:00 CEST", "a"), ("Sun 05:00 CEST", None)]),
    # 02:00 to 03:00 exists twice on 31 October
    (
        ["Sun 02:00-02:30"],
        AUTUMN,
        [
            ("Sat 20:00 CEST", None),
            ("Sun 02:00 CEST", "a"),
            ("Sun 02:30 CEST", None),
            ("Sun 02:00 CET", "a"),
            ("Sun 02:30 CET", None),
        ],
    ),
]


@pytest.mark.parametrize(("when", "moment", "expected"), CLOCKS)
def test_days_on_which_the_clock_is_moved(when: list[str], moment: dt.datetime, expected: list[object]) -> None:
    assert shown([("a", when)], moment, BERLIN, 1) == expected


def test_a_clock_that_is_moved_by_half_an_hour_at_half_past() -> None:
    zone = "Australia/Lord_Howe"
    found = shown([("a", ["Sun 02:15-05:00"])], local("2027-10-02 20:00", zone), zone, 1)
    assert found == [("Sat 20:00 +1030", None), ("Sun 02:30 +11", "a"), ("Sun 05:00 +11", None)]


CLASHES = [
    ([("a", ["Fri"]), ("b", ["Mon..Fri 23:00-01:00"])], "Fri 00:00"),
    ([("a", ["Sun 22:00-02:00"]), ("b", ["Mon 01:00-03:00"])], "Mon 01:00"),
    ([("a", ["Mon 01:00-03:00"]), ("b", ["Sun 22:00-02:00"])], "Mon 01:00"),
    ([("a", ["Sun 22:00-02:00"]), ("b", ["Sun 23:00-01:00"])], "Sun 23:00"),
    ([("a", ["2026-12-31 20:00-04:00"]), ("b", ["2027-01-01"])], "2027-01-01 00:00"),
    (
        [("a", ["2026-12-01..2026-12-31 08:00-09:00"]), ("b", ["2026-12-20..2027-01-01 08:30-10:00"])],
        "2026-12-20 08:30",
    ),
    ([("a", ["2026-12-31 20:00-06:00"]), ("b", ["2026-12-01..2027-02-01 04:00-05:00"])], "2027-01-01 04:00"),
    ([("a", []), ("b", [])], ""),
    ([("a", ["Fri 10:00-12:00"]), ("b", ["Fri 12:00-14:00"])], None),
    ([("a", ["Fri"]), ("b", ["2026-12-04"])], None),
    ([("a", ["Fri"]), ("b", [])], None),
    ([("a", ["Fri", "Fri 10:00-12:00"])], None),
    ([("a", ["2026-12-01"]), ("b", ["2026-12-03"])], None),
]


@pytest.mark.parametrize(("gigs", "moment"), CLASHES)
def test_two_acts_at_the_same_time(gigs: list[tuple[str, list[str]]], moment: str | None) -> None:
    expected = [] if moment is None else [calendar.Clash("a", "b", moment)]
    assert calendar.clashes(calendar.bookings(gigs)) == expected


@pytest.mark.parametrize("name", ["UTC", BERLIN, "America/Argentina/Ushuaia"])
def test_zones_that_there_are(name: str) -> None:
    assert calendar.zone(name) is None


@pytest.mark.parametrize("name", ["", "Mars/Base", "Europe", "/etc/passwd", "../Berlin", "Europe/Berlin\n", "a\0b"])
def test_zones_that_there_are_not(name: str) -> None:
    assert "use a name such as 'Europe/Berlin'" in (calendar.zone(name) or "")


ZONES = [
    # (a zone, a day before its clock is moved)
    (BERLIN, "2027-03-27"),
    (BERLIN, "2027-10-30"),
    ("America/New_York", "2027-03-13"),
    ("America/New_York", "2027-11-06"),
    ("Australia/Lord_Howe", "2027-04-03"),  # by 30 minutes
    ("Australia/Lord_Howe", "2027-10-02"),
    ("Asia/Kathmandu", "2027-03-27"),  # never, and 5:45 from UTC
]


DAYS = ["Mon", "Tue,Sun", "Sat..Sun", "daily", "Sun", "2027-03-28", "2027-10-03..2027-10-31"]


def some_gigs(seed: str) -> list[tuple[str, list[str]]]:
    """Three Acts at times that only the seed tells."""
    found = []
    for act in "abc":
        numbers = hashlib.sha256(f"{seed} {act}".encode()).digest()
        start = numbers[0] % 48 * 30
        end = (start + (numbers[1] % 47 + 1) * 30) % 1440
        times = f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
        found.append((act, [f"{DAYS[numbers[2] % len(DAYS)]} {times}"]))
    return found


@pytest.mark.parametrize(("zone", "day"), ZONES)
@pytest.mark.parametrize("seed", range(4))
def test_changes_tell_what_is_on_at_every_moment(zone: str, day: str, seed: int) -> None:
    found = calendar.bookings(some_gigs(f"{zone} {day} {seed}"))
    start = local(day, zone).astimezone(UTC)
    listed = calendar.changes(found, start, zone, 3)
    for minutes in range(0, 3 * 1440, 5):
        moment = start + dt.timedelta(minutes=minutes)
        expected = [one.act for one in listed if one.moment <= moment][-1]
        assert calendar.on(found, moment, zone) == expected, moment


@pytest.mark.parametrize("seed", range(40))
def test_a_clash_is_told_with_the_first_moment_of_the_week_at_which_it_begins(seed: int) -> None:
    """What is found to clash clashes, and what is not does not."""
    found = [one for one in calendar.bookings(some_gigs(str(seed))) if one.rank == 1]
    start = dt.datetime(2024, 1, 1)
    moments = [start + dt.timedelta(minutes=minutes) for minutes in range(0, 7 * 1440, 30)]
    held = [{one.act for one in found if one.holds(moment)} for moment in moments]
    expected = {}
    for number, one in enumerate(found):
        for other in found[number + 1 :]:
            both = [{one.act, other.act} <= acts for acts in held]
            begins = [at for at, now, before in zip(moments, both, [both[-1], *both]) if now and not before]
            if begins:
                expected[one.act, other.act] = f"{begins[0]:%a %H:%M}"
    assert {(one.act, one.other): one.moment for one in calendar.clashes(found)} == expected

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When Gigs are booked: which Act is on at a moment, and when that changes.

Pure functions that import nothing but the standard library, because a program on the host uses them, too.

A window is compared with the local time of the Venue, as a clock on the wall shows it. A local time that is skipped in
spring is therefore never on, and one that is repeated in autumn is on twice.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Optional
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FORMS = "'Fri', 'Sat+Sun 18:00-04:00', 'Mon..Fri 09:00-17:00' or '2026-12-31 20:00-06:00'"
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAYS = {name[:length]: number for number, name in enumerate(_NAMES) for length in (3, len(name))}
_TIMES = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")
_DATES = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.\.([0-9]{4}-[0-9]{2}-[0-9]{2}))?")
_DAY, _WEEK, _MINUTE = dt.timedelta(days=1), dt.timedelta(days=7), dt.timedelta(minutes=1)
_WHOLE_DAY = 24 * 60
_SOME_MONDAY = dt.date(2024, 1, 1)
_OFFSETS_LAST = dt.timedelta(minutes=15)
"""The clock changes of all time zones are at a full quarter of an hour in UTC."""
_LAST_YEAR = 9990
"""Python's calendar ends in 9999, and a window may reach beyond its last day."""


class Wrong(ValueError):
    """A text is not a window; the message says what would be right."""


@dataclass(frozen=True)
class Window:
    """A part of certain days.

    Args:
        start: minutes after midnight.
        length: minutes; a window may end on the next day.
        days: the weekdays, Monday is 0; empty if dates are given.
        first: the first date; None if weekdays are given.
        last: the last date.
    """

    start: int
    length: int
    days: frozenset[int] = frozenset()
    first: Optional[dt.date] = None
    last: Optional[dt.date] = None

    def begins_on(self, day: dt.date) -> bool:
        if self.first and self.last:
            return self.first <= day <= self.last
        return day.weekday() in self.days

    def spans(self, first: dt.date, last: dt.date) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """Return the beginnings and ends, in local time, that touch the days from first to last."""
        day = first - _DAY  # it may reach over midnight
        while day <= last:
            if self.begins_on(day):
                start = dt.datetime.combine(day, dt.time()) + self.start * _MINUTE
                yield start, start + self.length * _MINUTE
            day += _DAY


@dataclass(frozen=True)
class Booking:
    """The windows of one Act at one place that have the same rank. Without windows, the Act is always on.

    A date takes precedence over a weekday, and a weekday over an Act without windows.
    """

    act: str
    windows: tuple[Window, ...] = ()

    @property
    def rank(self) -> int:
        return 0 if not self.windows else 2 if self.windows[0].first else 1

    def holds(self, local: dt.datetime) -> bool:
        """Return whether the Act is booked at a local time."""
        spans = (span for window in self.windows for span in window.spans(local.date(), local.date()))
        return not self.windows or any(start <= local < end for start, end in spans)


@dataclass(frozen=True)
class Clash:
    """Two Acts that are booked at the same time; moment is the first such time, empty for always."""

    act: str
    other: str
    moment: str


@dataclass(frozen=True)
class Change:
    """This Act is on from a moment on. If it is None, the place is closed."""

    moment: dt.datetime
    act: Optional[str]


def parse(text: str) -> Window:
    """Read a window: ``[DAYS or DATE[..DATE]] [HH:MM-HH:MM]``.

    Raises:
        Wrong: the text is not a window.
    """
    words = text.split()
    times = words.pop() if words and _TIMES.fullmatch(words[-1]) else ""
    start, length = _times(times) if times else (0, _WHOLE_DAY)
    if len(words) > 1 or not (words or times):
        raise Wrong(f"use a day, a time, or both, such as {FORMS}")
    days = words[0] if words else "daily"
    dates = _DATES.fullmatch(days)
    if dates:
        first, last = _date(dates[1]), _date(dates[2] or dates[1])
        if last < first:
            raise Wrong(f"{days} ends before it begins; write {last}..{first}")
        return Window(start, length, first=first, last=last)
    return Window(start, length, days=_weekdays(days))


def fault(text: str) -> Optional[str]:
    """Return what is wrong with the text of a window; empty if nothing is."""
    try:
        parse(text)
    except Wrong as wrong:
        return str(wrong)
    return None


def _times(text: str) -> tuple[int, int]:
    """Return the start and the length in minutes."""
    hours, minutes, end_hours, end_minutes = (int(part) for part in re.split("[:-]", text))
    start, end = hours * 60 + minutes, end_hours * 60 + end_minutes
    if max(minutes, end_minutes) > 59 or start >= _WHOLE_DAY or end > _WHOLE_DAY:
        raise Wrong(f"{text} is not a time; use 00:00 to 23:59, and 24:00 for the end of a day")
    if start == end:
        raise Wrong(f"{text} is empty; leave the times out for a whole day")
    return start, end - start if end > start else end + _WHOLE_DAY - start


def _date(text: str) -> dt.date:
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        raise Wrong(f"{text} is not a date of the calendar") from None
    if not 2000 <= found.year <= _LAST_YEAR:
        raise Wrong(f"{text} is not a year of this calendar; use 2000 to {_LAST_YEAR}")
    return found


def _weekdays(text: str) -> frozenset[int]:
    if text.lower() == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.lower().split("+"):
        ends = [_WEEKDAYS.get(name, -1) for name in part.split("..")]
        if -1 in ends or len(ends) > 2:
            hint = (
                "; write times as 09:00-17:00" if ":" in part else "; join days by a plus sign" if "," in part else ""
            )
            raise Wrong(f"'{part}' is not a day; use Mon, Tue, ... Sun, Mon..Fri, daily, or {FORMS}{hint}")
        first, last = ends[0], ends[-1]
        found.update((first + step) % 7 for step in range((last - first) % 7 + 1))
    return frozenset(found)


def zone(name: str) -> Optional[str]:
    """Return what is wrong with the name of a time zone, which this machine has to know."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown; a path outside; a directory of zones
        return "this machine knows no such time zone; use a name such as 'Europe/Berlin' or 'UTC', and install tzdata"
    return None


def bookings(gigs: Iterable[tuple[str, Sequence[str]]]) -> list[Booking]:
    """Return the bookings of one place: for each Act, one of each rank.

    Args:
        gigs: each Act with the texts of its windows; none: always.
    """
    found = []
    for act, texts in gigs:
        windows = [parse(text) for text in texts]
        dated = tuple(window for window in windows if window.first)
        weekly = tuple(window for window in windows if not window.first)
        found += [Booking(act, some) for some in (dated, weekly) if some]
        if not windows:
            found.append(Booking(act))
    return found


def combinations(gigs: Iterable[tuple[str, Sequence[str]]]) -> int:
    """Return how many different Acts can be on at a place. If it can be closed, that counts as one more."""
    found = list(gigs)
    return len({act for act, _when in found}) + all(when for _act, when in found)


def clashes(found: Sequence[Booking]) -> list[Clash]:
    """Return the Acts that are booked at the same time by bookings of the same rank, each pair once."""
    result: dict[tuple[str, str], Clash] = {}
    for number, one in enumerate(found):
        for other in found[number + 1 :]:
            if one.act == other.act or one.rank != other.rank:
                continue
            moment = _meeting(one, other)
            if moment is not None:
                result.setdefault((one.act, other.act), Clash(one.act, other.act, moment))
    return list(result.values())


def _meeting(one: Booking, other: Booking) -> Optional[str]:
    """Return when two bookings of one rank hold at the same time for the first time; empty if they always do."""
    if not one.windows:
        return ""
    meetings = [found for a in one.windows for b in other.windows for found in _common(a, b)]
    return min(meetings).strftime("%Y-%m-%d %H:%M" if one.rank == 2 else "%a %H:%M") if meetings else None


def _common(one: Window, other: Window) -> list[dt.datetime]:
    """Return the first local times at which two windows of one kind begin to hold at the same time."""
    first, last = _SOME_MONDAY, _SOME_MONDAY + _WEEK
    if one.first and other.first and one.last and other.last:
        first = max(one.first, other.first)
        # a window ends a day later at most, and what repeats daily needs no second look
        last = min(one.last, other.last, first + _DAY) + _DAY
    ours, theirs = list(one.spans(first, last)), list(other.spans(first, last))
    begins = [max(a, c) for a, b in ours for c, d in theirs if max(a, c) < min(b, d)]
    # the day before Monday is the Sunday that is in the week already
    return [begin for begin in begins if one.first or begin.date() >= first]


def on(found: Sequence[Booking], moment: dt.datetime, zone: str) -> Optional[str]:
    """Return which Act is on at a moment; None if the place is closed.

    Args:
        found: the bookings of one place.
        moment: with its time zone.
        zone: the time zone of the Venue.
    """
    local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    holding = [booking for booking in found if booking.holds(local)]
    return max(holding, key=lambda booking: booking.rank).act if holding else None


def changes(found: Sequence[Booking], moment: dt.datetime, zone: str, days: int = 7) -> list[Change]:
    """Return what is on from a moment on. The first item is what is on at that moment.

    Args:
        found: the bookings of one place.
        moment: with its time zone.
        zone: the time zone of the Venue.
        days: how far to look.
    """
    until = moment + days * _DAY
    result: list[Change] = []
    for candidate in sorted({moment, *_boundaries(found, moment, zone, days), *_jumps(moment, until, zone)}):
        if moment <= candidate <= until:
            act = on(found, candidate, zone)
            if not result or result[-1].act != act:
                result.append(Change(candidate, act))
    return result


def _boundaries(found: Sequence[Booking], moment: dt.datetime, zone: str, days: int) -> Iterator[dt.datetime]:
    """Return the moments at which windows begin and end: two of them if the clock shows a local time twice."""
    tz = ZoneInfo(zone)
    today = moment.astimezone(tz).date()
    for window in [window for booking in found for window in booking.windows]:
        for span in window.spans(today - _DAY, today + (days + 1) * _DAY):
            for local in span:
                for fold in (0, 1):
                    yield local.replace(tzinfo=tz, fold=fold).astimezone(dt.timezone.utc)


def _jumps(moment: dt.datetime, until: dt.datetime, zone: str) -> Iterator[dt.datetime]:
    """Return the moments of clock changes; there is at most one a day."""
    tz = ZoneInfo(zone)
    at = moment.astimezone(dt.timezone.utc).replace(minute=0, second=0, microsecond=0)
    while at <= until:
        before, end = at.astimezone(tz).utcoffset(), at + _DAY
        if end.astimezone(tz).utcoffset() != before:
            while at.astimezone(tz).utcoffset() == before:
                at += _OFFSETS_LAST
            yield at
        at = end

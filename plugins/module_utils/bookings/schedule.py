# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schedule of a Venue: which Acts are on at its paths, as data, and which server block shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Optional
from zoneinfo import ZoneInfo

from ..manifest import calendar

FILE = "schedule.json"

Acts = tuple[Optional[str], ...]
"""Which Act is on at each path of a Venue, in the order of the paths; None if no Act is."""
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ABBREVIATED = 3
_NEAR, _FAR = 8, 400
"""The days in which the next opening is looked for. Weekdays need a week, and dates rarely more than a year."""


@dataclass(frozen=True)
class Schedule:
    """When which Act is on at a Venue.

    Args:
        venue: its name.
        zone: its time zone.
        places: the bookings of each path.
    """

    venue: str
    zone: str
    places: Mapping[str, list[calendar.Booking]]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Schedule:
        """Make it from its data: venue, timezone, and gigs, each with act, path and when.

        Raises:
            ValueError: the data is not that of a schedule.
        """
        try:
            gigs = [(gig["path"], gig["act"], gig["when"]) for gig in data["gigs"]]
            venue, zone = data["venue"], data["timezone"]
        except (KeyError, TypeError) as error:
            raise ValueError(f"it is not a schedule: {error}") from None
        problem = calendar.zone(zone)
        if problem:
            raise ValueError(f"the time zone {zone!r}: {problem}")
        return cls.made(venue, zone, gigs)

    @classmethod
    def made(cls, venue: str, zone: str, gigs: Iterable[tuple[str, str, Sequence[str]]]) -> Schedule:
        """Make it from Gigs, each with its path, its Act and its times."""
        places: dict[str, list[tuple[str, Sequence[str]]]] = {}
        for path, act, when in sorted(gigs, key=lambda gig: gig[0]):
            places.setdefault(path, []).append((act, when))
        return cls(venue, zone, {path: calendar.bookings(found) for path, found in places.items()})

    def data(self, gigs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the data of which ``of`` makes it.

        Args:
            gigs: the Gigs of which it was made.
        """
        listed = [{"act": gig["act"], "path": gig["path"], "when": list(gig.get("when", []))} for gig in gigs]
        return {"venue": self.venue, "timezone": self.zone, "gigs": listed}

    def on(self, moment: dt.datetime) -> Acts:
        """Return which Acts are on at a moment."""
        return tuple(calendar.on(found, moment, self.zone) for found in self.places.values())

    def coming(self, moment: dt.datetime, days: int = 7) -> list[tuple[dt.datetime, Acts]]:
        """Return which Acts are on from a moment on, and each change after it."""
        listed = [calendar.changes(found, moment, self.zone, days) for found in self.places.values()]
        result: list[tuple[dt.datetime, Acts]] = []
        for at in sorted({moment, *(change.moment for changes in listed for change in changes)}):
            acts = self.on(at)
            if not result or result[-1][1] != acts:
                result.append((at, acts))
        return result

    def opening(self, moment: dt.datetime) -> Optional[tuple[dt.datetime, Acts]]:
        """Return when a path opens that is closed at a moment, and for which Act; None if that is too far away."""
        closed = [number for number, act in enumerate(self.on(moment)) if act is None]
        for days in (_NEAR, _FAR):
            for at, acts in self.coming(moment, days):
                opened = tuple(acts[number] for number in closed)
                if any(opened):
                    return at, opened
        return None

    def week(self, now: dt.datetime) -> list[str]:
        """Return which Acts are on now, and what changes in the coming week, in the local time of the Venue."""
        (_now, acts), *later = self.coming(now)
        lines = [f"now {self._names(acts)}"]
        return lines + [f"{moment(at.astimezone(ZoneInfo(self.zone)))} {self._names(on)}" for at, on in later]

    def _names(self, acts: Acts) -> str:
        if len(acts) == 1:
            return acts[0] or "closed"
        return ", ".join(f"{path} {act or 'closed'}" for path, act in zip(self.places, acts))

    def next_of(self, act: str, now: dt.datetime) -> Optional[dt.datetime]:
        """Return when an Act is on next, in the local time of the Venue; None if that is too far away."""
        for days in (_NEAR, _FAR):
            for at, acts in self.coming(now, days):
                if act in acts:
                    return at.astimezone(ZoneInfo(self.zone))
        return None

    def variants(self) -> list[Acts]:
        """Return all combinations of Acts that can be on. A server block is prepared for each."""
        choices: list[list[Optional[str]]] = []
        for found in self.places.values():
            acts: list[Optional[str]] = list(dict.fromkeys(booking.act for booking in found))
            choices.append(acts if any(booking.rank == 0 for booking in found) else [*acts, None])
        return list(product(*choices))


def file_name(acts: Acts) -> str:
    """Return the file name of a variant's server block. No name of an Act has a plus sign or an underscore."""
    return "+".join(act or "_" for act in acts) + ".conf"


def shown_by(name: str) -> Acts:
    """Return which Acts are on by the file name of a server block."""
    return tuple(None if act == "_" else act for act in name.removesuffix(".conf").split("+"))


def moment(local: dt.datetime, whole: bool = False) -> str:
    """Return a local time for people; names of days do not depend on the host's language.

    Args:
        local: the time.
        whole: whether the name of the day is not shortened.
    """
    day = _DAYS[local.weekday()]
    return f"{day if whole else day[:_ABBREVIATED]} {local:%Y-%m-%d %H:%M}"

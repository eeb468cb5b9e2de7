# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schedule of a Venue: which Acts are on at its paths, as data, and which server block shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Optional

from ..manifest import calendar

Acts = tuple[Optional[str], ...]
"""Who is on at each path of a Venue, in the order of the paths; None: nobody."""
_NEAR, _FAR = 8, 400
"""How many days ahead the next opening is looked for: weekdays need a week, dates are rarely more than a year away."""


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
        paths = sorted({path for path, _act, _when in gigs})
        return cls(
            venue, zone, {path: calendar.bookings((a, when) for p, a, when in gigs if p == path) for path in paths}
        )

    def on(self, moment: dt.datetime) -> Acts:
        """Who is on at a moment."""
        return tuple(calendar.on(found, moment, self.zone) for found in self.places.values())

    def coming(self, moment: dt.datetime, days: int = 7) -> list[tuple[dt.datetime, Acts]]:
        """Who is on from a moment on, and each change after it."""
        listed = [calendar.changes(found, moment, self.zone, days) for found in self.places.values()]
        result: list[tuple[dt.datetime, Acts]] = []
        for at in sorted({moment, *(change.moment for changes in listed for change in changes)}):
            acts = self.on(at)
            if not result or result[-1][1] != acts:
                result.append((at, acts))
        return result

    def opening(self, moment: dt.datetime) -> Optional[tuple[dt.datetime, Acts]]:
        """When somebody is on for the next time, after a moment at which nobody is; None if that is too far away."""
        for days in (_NEAR, _FAR):
            for at, acts in self.coming(moment, days):
                if any(acts):
                    return at, acts
        return None

    def variants(self) -> list[Acts]:
        """All that can be on at the same time; one server block is prepared for each."""
        choices: list[list[Optional[str]]] = []
        for found in self.places.values():
            acts: list[Optional[str]] = list(dict.fromkeys(booking.act for booking in found))
            choices.append(acts if any(booking.rank == 0 for booking in found) else [*acts, None])
        return list(product(*choices))


def file_name(acts: Acts) -> str:
    """What the server block of a variant is called; no Act has a plus sign or an underscore in its name."""
    return "+".join(act or "_" for act in acts) + ".conf"

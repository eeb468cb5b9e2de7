# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calendar of a host: the Venues whose Gigs have times, with a server block for all that can be on together."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from typing import Any, Optional

from ..host import files
from ..host.errors import BackstageError
from ..host.facts import Host
from ..host.layout import Production
from ..manifest import calendar
from ..manifest.nouns import Manifest
from ..state.plan import Step
from . import addresses, blocks, schedule, server_block, server_files
from .blocks import Block
from .host_timer import HostTimer
from .locations import Booked
from .schedule import Acts
from .server_files import ServerFiles


def refused(manifest: Manifest, host: Host) -> dict[str, BackstageError]:
    """Return the Venues whose time zone this host does not know. They stay as they are."""
    if not host.has_front_of_house:
        return {}
    scheduled = {gig.venue for gig in manifest.gigs if gig.when and gig.state == "present"} & manifest.venues.keys()
    zones = {name: manifest.venues[name].timezone for name in sorted(scheduled)}
    faults = {name: calendar.zone(zone) for name, zone in zones.items()}
    return {
        name: BackstageError(f"the time zone {zones[name]!r} of {name}: {fault}", step="calendar")
        for name, fault in faults.items()
        if fault
    }


def prepared(paths: Production, block: Block, booked: list[Booked], host: Host, now: dt.datetime) -> ServerFiles:
    """Return the files of a Venue with a schedule.

    Args:
        paths: the Production.
        block: the Venue.
        booked: its Acts, in the order of its Gigs.
        host: the host's facts.
        now: the moment that decides who is on.
    """
    found, venue = blocks.schedule(block), addresses.venue(block)
    place = server_files.directory(host, server_block.file_name(paths.name, venue.name))

    def shown(acts: Acts) -> server_block.Shown:
        on = [(gig["act"], gig["path"]) for gig in blocks.on(block, acts)]
        closed = [path for path, act in zip(found.places, acts) if act is None]
        return server_block.Shown([gig for gig in booked if (gig.act, gig.path) in on], closed, place)

    texts = {
        schedule.file_name(acts): server_block.render(paths, venue, booked, host, shown(acts))
        for acts in found.variants()
    }
    on = schedule.file_name(found.on(now))
    return ServerFiles(texts[on], on, {schedule.FILE: files.to_json(found.data(block["gigs"])), **texts})


def steps(name: str, before: Optional[Block], after: Optional[Block], now: dt.datetime) -> list[Step]:
    """Return the step that changes the coming week of a Venue."""
    if _told(before) == _told(after):
        return []
    return [Step("venue", name, "schedule", _week(before, now), _week(after, now))]


def _told(block: Optional[Block]) -> Any:
    return (block.get("timezone"), block["gigs"]) if block and blocks.has_schedule(block) else None


def _week(block: Optional[Block], now: dt.datetime) -> Optional[list[str]]:
    if not block or not blocks.has_schedule(block):
        return None
    found = blocks.schedule(block)
    # a host without a front of house may have no time zones yet
    return None if calendar.zone(found.zone) else found.week(now)


def lines(venues: Mapping[str, Block], now: dt.datetime) -> list[str]:
    """Return what is on at each Venue with a schedule, and in the coming week, for people."""
    found = {name: _week(block, now) for name, block in sorted(venues.items())}
    zones = {name: block.get("timezone", "UTC") for name, block in venues.items()}
    return [f"calendar: {name} ({zones[name]}): {'; '.join(week)}" for name, week in found.items() if week]


def is_used(host: Host, production: str, wanted: Iterable[Block]) -> bool:
    """Return whether the host needs the program that moves the links, for this or another Production."""
    others = [name for name in files.names_in(host.calendar) if not name.startswith(production + ".")]
    return any(map(blocks.has_schedule, wanted)) or any(
        os.path.exists(os.path.join(host.calendar, name, schedule.FILE)) for name in others
    )


def timer(host: Host) -> HostTimer:
    """Return what starts the program that moves the links."""
    return HostTimer("backstage-bookings", host.bookings, "* * * * *", step="calendar")


def timer_steps(host: Host, is_used: bool) -> list[Step]:
    """Return the step after which the program is started every minute, or no longer."""
    own = timer(host)
    if own.is_as(is_used):
        return []
    return [Step("venue", "all", "start timer" if is_used else "stop timer", None, own.name)]

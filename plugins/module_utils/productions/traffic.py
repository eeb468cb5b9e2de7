# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests of the last hour for each Act, from the ends of the access logs of its Venues and of its own port."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

from ..bookings import server_block
from ..bookings.blocks import Block
from ..stages import door
from . import logs

MOST = 2**20
"""The number of bytes read of each log. A Venue with more of them in an hour is told from when they are counted."""
HOUR = timedelta(hours=1)
_LINE = re.compile(r'\] "(?:[A-Z]+ )?(?P<path>[^ "]*)[^"]*" (?P<status>\d{3}) ')

_OWN = f'"{door.AGENT}"'
"""The user agent of requests by Backstage itself, which are not counted."""


@dataclass
class Traffic:
    """Requests of one Act.

    Args:
        requests: their number.
        errors: the number of those that were answered with a status of 500 or more.
        since: the first moment from which all were counted.
    """

    requests: int = 0
    errors: int = 0
    since: Optional[datetime] = None

    def entry(self) -> dict[str, Any]:
        since = self.since.strftime("%Y-%m-%dT%H:%M:%SZ") if self.since else None
        return {"requests": self.requests, "errors": self.errors, "counted_since": since}


def of(production: str, venues: Mapping[str, Block], ports: Mapping[str, Block]) -> dict[str, Traffic]:
    """Return the requests of the last hour by Act.

    Args:
        production: the Production.
        venues: what nginx has of its Venues.
        ports: what nginx has of its Sesses' own ports.
    """
    start = datetime.now(timezone.utc) - HOUR
    found: dict[str, Traffic] = {}
    for name, block in venues.items():
        acts = {gig["path"]: gig["act"] for gig in block["gigs"]}
        _count(server_block.access_log(production, name), acts, start, found)
    for act, block in ports.items():
        _count(server_block.access_log(production, server_block.port_name(act)), {block["path"]: act}, start, found)
    return found


def _count(path: str, acts: dict[str, str], start: datetime, found: dict[str, Traffic]) -> None:
    """Count the requests in a log for the Acts at their paths there."""
    since, lines = _recent(path, start)
    for name in acts.values():
        traffic = found.setdefault(name, Traffic(since=since))
        traffic.since = max(filter(None, [traffic.since, since]))
    for line in lines:
        match = None if _OWN in line else _LINE.search(line)
        act = _act_at(match.group("path"), acts) if match else None
        if match and act:
            found[act].requests += 1
            found[act].errors += match.group("status") >= "500"


def _recent(path: str, start: datetime) -> tuple[datetime, list[str]]:
    """Return the lines since a moment, or those at the end of a long log, and the moment since which they are all."""
    text, is_whole = _end(path)
    found: list[str] = []
    since = start
    for line in reversed(text.splitlines()):
        at = logs.requested(line)
        if at is None:
            continue
        if at < start:
            return start, found
        found.append(line)
        since = at
    return (start if is_whole else since), found


def _end(path: str) -> tuple[str, bool]:
    """Return the end of a file, and whether it is all of it."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MOST))
            return file.read().decode("utf-8", "replace"), size <= MOST
    except OSError:
        return "", True


def _act_at(path: str, acts: Mapping[str, str]) -> Optional[str]:
    """Return the Act that plays at a path of a Venue: that of the longest path above it."""
    above: Iterable[str] = (place for place in acts if path == place or path.startswith(place.rstrip("/") + "/"))
    place = max(above, key=len, default=None)
    return acts[place] if place else None

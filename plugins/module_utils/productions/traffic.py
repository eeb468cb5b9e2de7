# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests of the last hour for each Act, from the ends of the access logs of its Venues and of its own port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Optional

from ..bookings import server_block
from ..bookings.blocks import Block
from ..host import access_logs


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
    found: dict[str, Traffic] = {}
    for name, block in venues.items():
        acts = {gig["path"]: gig["act"] for gig in block["gigs"]}
        _count(server_block.access_log(production, name), acts, found)
    for act, block in ports.items():
        _count(server_block.access_log(production, server_block.port_name(act)), {block["path"]: act}, found)
    return found


def _count(path: str, acts: dict[str, str], found: dict[str, Traffic]) -> None:
    """Count the requests in a log for the Acts at their paths there."""
    recent = access_logs.recent(path)
    for name in acts.values():
        traffic = found.setdefault(name, Traffic(since=recent.since))
        traffic.since = max(filter(None, [traffic.since, recent.since]))
    for asked, status in recent.requests:
        act = _act_at(asked, acts)
        if act:
            found[act].requests += 1
            found[act].errors += status >= 500


def _act_at(path: str, acts: Mapping[str, str]) -> Optional[str]:
    """Return the Act that plays at a path of a Venue: that of the longest path above it."""
    above: Iterable[str] = (
        place for place in acts if path == place or path.startswith((place.rstrip("/") + "/", place + "?"))
    )
    place = max(above, key=len, default=None)
    return acts[place] if place else None

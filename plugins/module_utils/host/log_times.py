# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The times of lines in logs: of nginx, of uWSGI, of Backstage and of the Acts themselves."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Optional

_MONTHS = dict(zip(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], range(1, 13)))
WRITTEN = re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_REQUESTED = re.compile(r"\[(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\]")


def written(line: str) -> Optional[datetime]:
    """Return the time at the start of a line. Without a zone it is the host's, as in nginx's error log."""
    match = WRITTEN.match(line)
    if not match:
        return None
    *numbers, zone = match.groups()
    return _time([int(number or 0) for number in numbers], zone)


def stamped(line: str) -> Optional[datetime]:
    """Return the time at the start of an Act's line. Its zone is the Act's own, so the line has to name it."""
    match = WRITTEN.match(line)
    return written(line) if match and match.group(7) else None


def requested(line: str) -> Optional[datetime]:
    """Return the time of a request in nginx's access log."""
    match = _REQUESTED.search(line)
    if not match or match.group(2) not in _MONTHS:
        return None
    day, month, year, *clock, zone = match.groups()
    return _time([int(year), _MONTHS[month], int(day), *map(int, clock)], zone)


def _time(numbers: list[int], zone: Optional[str]) -> Optional[datetime]:
    year, month, day, hour, minute, second = numbers
    try:
        found = datetime(year, month, day, hour, minute, second)
        if zone:
            known = datetime.strptime("+0000" if zone == "Z" else zone.replace(":", ""), "%z").tzinfo
            found = found.replace(tzinfo=known)
        return found.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None  # the Act printed something that looks like a time

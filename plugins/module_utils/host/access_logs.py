# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests of the last hour in an access log of nginx."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from . import log_times, names

MOST = 2**20
"""The number of bytes read of a log. If the last hour has more, its requests are counted from a later moment."""
HOUR = timedelta(hours=1)
_LINE = re.compile(r'\] "(?:[A-Z]+ )?(?P<path>[^ "]*)[^"]*" (?P<status>\d{3}) ')
_OWN = f'"{names.AGENT}"'


@dataclass(frozen=True)
class Recent:
    """The requests of visitors in a log. Those of Backstage itself are left out.

    Args:
        since: the moment since which it has all of them.
        requests: path and status of each.
    """

    since: datetime
    requests: list[tuple[str, int]]

    @property
    def errors(self) -> int:
        return len([status for _path, status in self.requests if status >= 500])


def recent(path: str) -> Recent:
    """Return the requests of the last hour."""
    start = datetime.now(timezone.utc) - HOUR
    text, is_whole = _end(path)
    found: list[tuple[str, int]] = []
    since = start
    for line in reversed(text.splitlines()):
        at = log_times.requested(line)
        if at is None:
            continue
        if at < start:
            return Recent(start, found)
        since = at
        match = None if _OWN in line else _LINE.search(line)
        if match:
            found.append((match.group("path"), int(match.group("status"))))
    return Recent(start if is_whole else since, found)


def _end(path: str) -> tuple[str, bool]:
    """Return the end of a file, and whether it is all of it."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MOST))
            return file.read().decode("utf-8", "replace"), size <= MOST
    except OSError:
        return "", True

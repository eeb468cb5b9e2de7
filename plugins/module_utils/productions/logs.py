# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what an Act and its Venues logged: the last lines, or those since a time, with rotated files.

A line without a time, such as most lines that an Act prints, may be as late as the next line with one. So the result
for a time may contain too much, but never too little.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, BinaryIO, Callable, Optional

from ..bookings import server_block
from ..bookings.written import booked
from ..diagnosis import lookup
from ..host import log_times, masks
from ..host.errors import BackstageError, Refusal
from ..host.facts import Host
from ..host.log_times import requested, stamped, written
from ..stages import kinds, limits
from ..stages.interface import Look
from ..state.read import ActState, read

NGINX_ERRORS = server_block.LOGS + "/error.log"
_MOST = 64 * 2**20
"""The maximum number of bytes read of one log."""
_BLOCK = 1 << 16
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

Clock = Callable[[str], Optional[datetime]]


def since(text: str, now: Optional[datetime] = None) -> datetime:
    """Return the time that a user gives: an age, or a time by the host's clock.

    Raises:
        Refusal: it is neither.
    """
    now = now or datetime.now(timezone.utc)
    ago = re.match(r"(\d{1,6})\s*([smhdw])\Z", text.strip())
    if ago:
        return now - timedelta(**{_UNITS[ago.group(2)]: int(ago.group(1))})
    day = text.strip() + "T00:00" if re.match(r"\d{4}-\d\d-\d\d\Z", text.strip()) else text.strip()
    found = written(day) if log_times.WRITTEN.fullmatch(day) else None
    if found is None:
        raise Refusal(
            f"since: {text!r}: write how long ago, such as '30m', '2h' or '1d', or when, as '2026-11-21 10:00'"
        )
    return found


@dataclass(frozen=True)
class Log:
    """One log of an Act.

    Args:
        title: its name for people.
        path: the file; its rotated files are beside it.
        clock: returns the time of a line.
        about: only lines that match; None for all.
    """

    title: str
    path: str
    clock: Clock
    about: Optional[re.Pattern[str]] = None

    def last(self, count: int, since: Optional[datetime]) -> tuple[list[str], bool]:
        """Return the last lines, oldest first, and whether that time has more lines."""
        found: list[str] = []
        for line in self._backwards():
            at = self.clock(line) if since else None
            if since and at and at < since:
                return found[::-1], False
            if self.about and not self.about.search(line):
                continue
            if len(found) == count:
                return found[::-1], True
            found.append(line)
        return found[::-1], False

    def _backwards(self) -> Iterator[str]:
        left = _MOST
        for path in _rotated(self.path):
            for line in _lines(path):
                left -= len(line) + 1
                if left < 0:
                    return
                yield line


def _rotated(path: str) -> Iterator[str]:
    """Yield the file and its rotated files, newest first."""
    yield path
    number = 1
    while True:
        older = [name for name in (f"{path}.{number}", f"{path}.{number}.gz") if os.path.exists(name)]
        if not older:
            return
        yield older[0]
        number += 1


def _lines(path: str) -> Iterator[str]:
    """Yield the lines of a file, last first."""
    try:
        if path.endswith(".gz"):
            with gzip.open(path) as packed:
                yield from reversed(packed.read(_MOST).decode("utf-8", "replace").splitlines())
            return
        with open(path, "rb") as file:
            yield from _from_the_end(file)
    except (OSError, EOFError):
        return  # it was rotated meanwhile


def _from_the_end(file: BinaryIO) -> Iterator[str]:
    place, rest = file.seek(0, os.SEEK_END), b""
    if not place:
        return
    file.seek(place - 1)
    place -= file.read(1) == b"\n"
    while place:
        size = min(place, _BLOCK)
        place -= size
        file.seek(place)
        rest, *whole = (file.read(size) + rest).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in reversed(whole))
    yield rest.decode("utf-8", "replace")


def of(production: str, act: str, host: Host) -> list[Log]:
    """Return the logs of an Act: its own, then those of its Venues and of its Sess's own port.

    Raises:
        BackstageError: there is no such Act on this host.
    """
    state = _known(production, act, host)
    found = [Log(act, state.paths.log, stamped)]
    if os.path.exists(state.paths.crew_log):
        found.append(Log(f"{act}, workers and timers", state.paths.crew_log, stamped))
    if os.path.exists(state.paths.run_log):
        found.append(Log(f"{act}, runs", state.paths.run_log, stamped))
    blocks, ports = booked(production, host)
    venues = {name: data for name, data in blocks.items() if any(gig["act"] == act for gig in data["gigs"])}
    places = {name: name for name in sorted(venues)}
    told = [f"server: {re.escape(name)}," for data in venues.values() for name in (data["name"], *data["aliases"])]
    if act in ports:
        port = ports[act]["port"]
        places[f"port {port}"] = server_block.port_name(act)
        told.append(f'server: ,.* host: "[^"]*:{port}"')  # the server has no name
    for place, name in places.items():
        found.append(Log(f"{place}, requests", server_block.access_log(production, name), requested))
    if told:
        found.append(Log(f"{', '.join(places)}, errors", NGINX_ERRORS, written, re.compile("|".join(told))))
    return found


def _known(production: str, act: str, host: Host) -> ActState:
    found = read(production, host)
    if act not in found.acts or not found.acts[act].has_data:
        known = ", ".join(sorted(found.acts)) or "none"
        raise BackstageError(
            f"it is no Act of the Production '{production}' here; known: {known}", f"act {act}", "logs"
        )
    return found.acts[act]


def report(production: str, act: str, count: int, start: Optional[datetime]) -> dict[str, Any]:
    """Return the module's result: the lines of each log, and the known causes in them.

    Current secrets of the Act are masked.

    Raises:
        Refusal: the number of lines is below 1.
    """
    if count < 1:
        raise Refusal(f"lines: {count}: give how many are shown of each log, 1 or more")
    host = Host.read()
    state = _known(production, act, host)
    logs: list[dict[str, Any]] = []
    shown: list[str] = []
    for log in of(production, act, host):
        lines, more = log.last(count, start)
        lines = [masks.mask(line, state.hidden) for line in lines]
        logs.append({"title": log.title, "path": log.path, "lines": lines, "more": more})
        said = f"the last {count} lines" if more else "" if lines else "nothing"
        shown += [f"==> {log.title} ({log.path})" + (f": {said}" if said else ""), *lines, ""]
    causes = lookup.all_in("\n".join(line for log in logs for line in log["lines"]))
    asked = state.live_record.get("limits") or {}
    stage = kinds.of_sess(state.live_record, host, state.paths)
    causes += limits.reached(stage.held(state.live or "", asked, Look(host)))
    shown += [f"known by sight: {cause}" for cause in causes]
    text = "\n".join(shown).rstrip("\n")
    return {"logs": logs, "causes": causes, "stdout": text, "stdout_lines": text.splitlines()}

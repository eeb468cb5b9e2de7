# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of nginx for a Venue or a Sess's own port: one file, or a link to one of several prepared files.

With a schedule, the files are in the Venue's directory in the calendar, and the program backstage-bookings moves the
link.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from ..host import files
from ..host.facts import Host
from . import closed_page, schedule
from .schedule import Schedule


@dataclass(frozen=True)
class ServerFiles:
    """The files of one Venue or port.

    Args:
        text: what nginx reads.
        on: the name of the server block to which the link leads; empty without a schedule.
        prepared: the files beside it: name -> text.
    """

    text: str
    on: str = ""
    prepared: Mapping[str, str] = field(default_factory=dict)

    def shown(self) -> str:
        """Return them as one text, for a diff."""
        return "".join(f"# {name}\n{text}" for name, text in self.prepared.items()) or self.text


def directory(host: Host, name: str) -> str:
    """Return the directory in the calendar of the Venue whose file has this name."""
    return os.path.join(host.calendar, name.removesuffix(".conf"))


def read(host: Host, name: str) -> Optional[ServerFiles]:
    """Return what nginx has by the name of a file; None if there is none."""
    path = os.path.join(host.venues, name)
    text, target = files.read(path), files.link_target(path)
    if target is None:
        return None if text is None else ServerFiles(text)
    return ServerFiles(text or "", os.path.basename(target), _prepared(directory(host, name)))


def _prepared(place: str) -> dict[str, str]:
    names = [name for name in files.names_in(place) if name not in (closed_page.PAGE, closed_page.HEADER)]
    return {name: files.read(os.path.join(place, name)) or "" for name in names}


def write(host: Host, name: str, wanted: Optional[ServerFiles], now: dt.datetime) -> None:
    """Write what differs. The link, or the file, is written last. ``sweep`` removes files that nothing uses.

    Args:
        host: the host's facts.
        name: the name of the file, or of the link.
        wanted: what should be; None for nothing.
        now: the moment for the page that says what is on next.
    """
    path = os.path.join(host.venues, name)
    if wanted is None:
        files.remove(path)
        files.sync_directory(host.venues)
    elif not wanted.on:
        files.write(path, wanted.text)
    else:
        place = directory(host, name)
        files.directory(place)
        for file, text in wanted.prepared.items():
            if files.read(os.path.join(place, file)) != text:
                files.write(os.path.join(place, file), text)
        if None in schedule.shown_by(wanted.on):
            found = Schedule.of(json.loads(wanted.prepared[schedule.FILE]))
            closed_page.write(place, host.pages, found, now)
        files.link(path, os.path.relpath(os.path.join(place, wanted.on), host.venues))


def candidates(new: Mapping[str, ServerFiles]) -> list[dict[str, dict[str, str]]]:
    """Yield sets of files that nginx can test together, with one server block of each Venue: file -> name -> text."""
    blocks = {name: _blocks(found) for name, found in new.items()}
    sets: list[dict[str, dict[str, str]]] = []
    for number in range(max(map(len, blocks.values()), default=0)):
        sets.append({name: {name: texts[number]} for name, texts in blocks.items() if number < len(texts)})
    return sets


def _blocks(found: ServerFiles) -> list[str]:
    return [text for name, text in found.prepared.items() if name != schedule.FILE] or [found.text]


def sweep(host: Host, production: str) -> None:
    """Remove the Production's own files in the calendar that nothing uses any more."""
    for venue in files.names_in(host.calendar):
        if not venue.startswith(production + "."):
            continue
        place = os.path.join(host.calendar, venue)
        found = files.read_json(os.path.join(place, schedule.FILE))
        if found is None or files.link_target(os.path.join(host.venues, f"{venue}.conf")) is None:
            files.remove_tree(place)
            continue
        used = {schedule.FILE, *map(schedule.file_name, Schedule.of(found).variants())}
        for name in set(_prepared(place)) - used:
            files.remove(os.path.join(place, name))

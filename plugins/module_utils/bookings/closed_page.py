# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of a Venue while nobody is on there: what is on next, and when browsers may ask again."""

from __future__ import annotations

import datetime as dt
import html
import os
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from ..host import files
from .schedule import Acts, Schedule, moment

PAGE, HEADER = "closed.html", "reopening.conf"
NEXT = "<!-- what is on next -->"
"""The text in the host's closed page that the next opening replaces."""


def write(directory: str, pages: str, found: Schedule, now: dt.datetime) -> bool:
    """Write the page with what is on next; return whether it changed.

    Args:
        directory: the Venue's own in the calendar.
        pages: the directory with the pages of the host.
        found: the Venue's schedule.
        now: the moment at which nobody is on.
    """
    opening = found.opening(now)
    page = files.read(os.path.join(pages, PAGE)) or ""
    said, header = "", ""
    if opening:
        said = f"<p>{html.escape(_announcement(*opening, found.zone))}</p>"
        header = f'add_header Retry-After "{format_datetime(opening[0], usegmt=True)}" always;\n'
    texts = {PAGE: page.replace(NEXT, said), HEADER: f"# {files.OWNERSHIP}\n{header}"}
    new = {file: text for file, text in texts.items() if files.read(os.path.join(directory, file)) != text}
    for file, text in new.items():
        files.write(os.path.join(directory, file), text)
    return bool(new)


def _announcement(opening: dt.datetime, acts: Acts, zone: str) -> str:
    who = ", ".join(act for act in acts if act)
    return f"Next: {who}, {moment(opening.astimezone(ZoneInfo(zone)), whole=True)} ({zone})"

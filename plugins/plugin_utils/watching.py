# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the callback plugin ``playbill`` and the actions of one run of Ansible know of each other.

The callback lives in Ansible's main process, and every action in a fork of it. So an action knows whether the callback
is there, and leaves the playbill of its host in a file of the run for it. A failed task shows its whole result, and so
has no playbill in it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from ..module_utils.host import tables
from . import run_cache

_FILE = "playbill"
TITLE = "PLAYBILL"
COLUMNS = (
    ("host", "HOST"),
    ("venue", "VENUE"),
    ("act", "ACT"),
    ("release", "RELEASE"),
    ("state", "STATE"),
    ("health", "HEALTH"),
    ("seconds", "SECONDS"),
)


@dataclass
class _Watch:
    is_on: bool = False


_watch = _Watch()


def watch() -> None:
    """Have actions print their progress and leave their playbills, because there is a callback that shows them."""
    _watch.is_on = True


def is_watched() -> bool:
    return _watch.is_on


def keep(host: str, result: dict[str, Any]) -> None:
    """Leave the playbill of a host for the callback. That of a failed task is taken out of its result."""
    bill = result.pop("playbill", None) if result.get("failed") else result.get("playbill")
    if not bill or not _watch.is_on:
        return
    with run_cache.lock(_FILE) as path, open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps({"host": host, **bill}) + "\n")


def kept() -> list[dict[str, Any]]:
    """Return the playbills of all hosts of this run of Ansible, in the order in which they ended."""
    path = os.path.join(run_cache.directory(), "backstage-" + _FILE)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def lines(bills: list[dict[str, Any]]) -> list[str]:
    """Return the playbills as one table for people, with a column for the host if there are several."""
    rows = [
        {"host": bill["host"], **row}
        for bill in sorted(bills, key=lambda bill: str(bill["host"]))
        for row in bill["rows"]
    ]
    several = len({bill["host"] for bill in bills}) > 1
    columns = [column for column in COLUMNS if several or column[0] != "host"]
    found = tables.lines(columns, rows, ["seconds"]) if rows else []
    others = sum(bill["others"] for bill in bills)
    if others:
        found.append(f"{'and ' if rows else ''}{others} more, for which this run did nothing")
    return found

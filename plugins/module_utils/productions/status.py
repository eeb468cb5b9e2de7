# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status of each Act in one place: what its table, its page and its metrics are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..acts import graphs, sets
from ..host import tables, usage
from ..host.facts import Host
from ..stages import kinds
from ..stages.interface import Look
from ..state.read import ActState
from . import last_errors, sizes
from .traffic import Traffic

COLUMNS = (
    ("act", "ACT"),
    ("state", "STATE"),
    ("release", "RELEASE"),
    ("source", "SOURCE"),
    ("since", "SINCE"),
    ("by", "BY"),
    ("processes", "PROCESSES"),
    ("memory", "MEMORY"),
    ("requests", "REQUESTS/H"),
    ("errors", "5XX/H"),
    ("pending", "PENDING"),
)
"""The columns of the table. What else there is to say of an Act has a line of its own; see ``remarks``."""
NUMBERS = ("processes", "memory", "requests", "errors", "pending")

Status = dict[str, Any]


def of(act: ActState, host: Host, look: Look, state: str, traffic: Traffic) -> Status:
    """Return all that is known of one Act on this host. Nothing is asked or run for it.

    Args:
        act: the Act on disk.
        host: the host's facts.
        look: one look at what runs Sesses on this host.
        state: what its Sess is called; empty without one.
        traffic: the requests of the last hour.
    """
    live = act.live or ""
    release = act.releases.get(act.live_release or "", {})
    played = next((line for line in reversed(act.history.events) if live and line.get("sess") == live), {})
    used = _used(act, host, look)
    return {
        "state": state or ("stopped" if act.stopped else "not playing"),
        "release": act.live_release,
        "source": release.get("source"),
        "sess": act.live,
        "since": act.history.since(live),
        "by": played.get("by"),
        "processes": used.processes,
        "memory": used.memory,
        **traffic.entry(),
        "last_error": last_errors.of(act.paths.log, act.hidden),
        "pending": graphs.pending_of(act),
        "set": sets.of(act.paths, release) if release else None,
        "held": act.hold.get("release"),
        "stopped": act.stopped or None,
    }


def _used(act: ActState, host: Host, look: Look) -> usage.Usage:
    if not act.live:
        return usage.of(0)
    return usage.of(kinds.of_sess(act.live_record, host, act.paths).pid(act.live, look))


def table(found: Mapping[str, Status]) -> list[str]:
    """Return the statuses of all Acts as a table for people."""
    rows = [{**status, **_shown(status), "act": name} for name, status in found.items()]
    return tables.lines(COLUMNS, rows, NUMBERS) if rows else []


def _shown(status: Status) -> dict[str, Any]:
    pending = status["pending"]
    return {
        "processes": status["processes"] or None,
        "memory": sizes.text(status["memory"]) if status["memory"] else None,
        "pending": "?" if pending is None and status["sess"] else len(pending or []) or None,
    }


def remarks(found: Mapping[str, Status]) -> list[str]:
    """Return one line for each thing that somebody should look at."""
    lines = []
    for name, status in found.items():
        for said in _remarks(status):
            lines.append(f"act {name}: {said}")
    return lines


def _remarks(status: Status) -> list[str]:
    found = []
    if status["pending"]:
        found.append(f"pending migrations: {', '.join(status['pending'])}")
    if status["set"] and status["set"]["unpinned_since"]:
        found.append(f"its requirements are not pinned; its packages are of {status['set']['unpinned_since']}")
    error = status["last_error"]
    if error and (error["at"] or "~") > (status["since"] or ""):  # of the Sess that plays, or nobody knows
        found.append(f"last error: {error['text']}" + (f" ({error['at']})" if error["at"] else ""))
    return found

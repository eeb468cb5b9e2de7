# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps from what nginx has of a Venue or of a Sess's own port to what it should have."""

from __future__ import annotations

from typing import Optional

from ..state.plan import Step, differing
from .blocks import Block


def of_venue(name: str, before: Optional[Block], after: Optional[Block]) -> list[Step]:
    """Return the steps that turn one Venue's data into another's."""
    if before == after:
        return []
    steps: list[Step] = []
    if before is None and after is not None:
        steps.append(Step("venue", name, "add", None, {**_settings(after), "state": after["state"]}))
    if before is not None and after is not None:
        if before["state"] != after["state"]:
            verb = {"open": "open", "closed": "close"}[after["state"]]
            steps.append(Step("venue", name, verb, before["state"], after["state"]))
        shown = differing(_settings(before), _settings(after))
        if shown["before"] or shown["after"]:
            steps.append(Step("venue", name, "change", shown["before"], shown["after"]))
    shared = {path for gigs in (_gigs(before), _gigs(after)) for path, acts in gigs.items() if len(acts) > 1}
    steps += _of_gigs(name, _alone(before, shared), _alone(after, shared))
    steps += _of_times(name, before, after, shared)
    if after is None:
        steps.append(Step("venue", name, "remove", _settings(before or {}), None))
    return steps


def _of_gigs(venue: str, before: dict[str, str], after: dict[str, str]) -> list[Step]:
    """Return the steps from the Acts by their paths to others, where each path has one."""
    moved = {path: old for path, act in after.items() for old in before if before[old] == act and old not in after}
    moved = {path: old for path, old in moved.items() if before.get(path) != after[path]}
    steps = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        name = f"{new or old} at {venue}{path}"
        if old == new or (new is None and path in moved.values()):
            continue
        if path in moved:
            if old is not None:
                steps.append(Step("gig", f"{old} at {venue}{path}", "cancel", old, None))
            steps.append(Step("gig", name, "move", moved[path], path))
        else:
            verb = "book" if old is None else "cancel" if new is None else "rebook"
            steps.append(Step("gig", name, verb, old, new))
    return steps


def of_port(act: str, before: Optional[Block], after: Optional[Block]) -> list[Step]:
    """Return the step after which nginx listens for a Sess, at another port, or no longer."""
    if before == after:
        return []
    return [Step("sess", act, "unlisten" if after is None else "listen", _where(before), _where(after))]


def _where(block: Optional[Block]) -> Optional[str]:
    return f"localhost:{block['port']}{block['path']}" if block else None


def _of_times(venue: str, before: Optional[Block], after: Optional[Block], shared: set[str]) -> list[Step]:
    """Return the steps of Gigs with other times, and of those that share a path."""
    old, new = _gigs(before), _gigs(after)
    steps = []
    for path in sorted({*old, *new}):
        was, will = old.get(path, {}), new.get(path, {})
        for act in sorted({*was, *will}):
            name = f"{act} at {venue}{path}"
            if act in was and act in will and was[act] != will[act]:
                steps.append(Step("gig", name, "schedule", was[act] or "always", will[act] or "always"))
            elif path in shared and (act in was) != (act in will):
                verb = "book" if act in will else "cancel"
                steps.append(Step("gig", name, verb, act if act in was else None, act if act in will else None))
    return steps


def _alone(block: Optional[Block], shared: set[str]) -> dict[str, str]:
    """Return the Act of each path that has one, before and after."""
    return {path: act for path, acts in _gigs(block).items() if path not in shared for act in acts}


def _gigs(block: Optional[Block]) -> dict[str, dict[str, list[str]]]:
    """Return the Acts of each path, with their times."""
    found: dict[str, dict[str, list[str]]] = {}
    for gig in (block or {}).get("gigs", []):
        found.setdefault(gig["path"], {})[gig["act"]] = gig.get("when", [])
    return found


def _settings(block: Block) -> Block:
    return {
        **{key: block[key] for key in ("aliases", "tls", "hsts", "timezone") if key in block},
        **block.get("options", {}),
    }

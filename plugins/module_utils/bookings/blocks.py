# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blocks: the data that a file of nginx has about its Venue or port, and functions of this data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional

from ..acts import url_prefixes
from ..certificates.due import ACME
from ..host.facts import Host
from ..manifest.nouns import ASLEEP, WAITING, Act, Sess
from ..state.read import ActState
from .locations import Left
from .schedule import Acts, Schedule

Block = dict[str, Any]
Gig = dict[str, Any]


def staying(block: Block, paths: dict[str, str], gone: Iterable[str] = ()) -> Block:
    """Return a Venue without the Gigs of Acts that now have another path or another name."""
    known = [gig for gig in block["gigs"] if gig["act"] not in gone]
    gigs = [gig for gig in known if paths.get(gig["act"], gig["path"]) == gig["path"]]
    return {**block, "gigs": gigs}


def with_tls(block: Block) -> Block:
    """Return a Venue as it is when it has its certificate."""
    return {**block, "tls": ACME} if block.get("tls") == WAITING else block


def acts(block: Block) -> list[str]:
    """Return the Acts that play there at any time."""
    return [block["act"]] if "port" in block else [gig["act"] for gig in block["gigs"]]


def has_schedule(block: Block) -> bool:
    """Return whether a Venue shows different things at different times. A closed one does not."""
    return block.get("state") == "open" and has_times(block)


def has_times(block: Block) -> bool:
    return any("when" in gig for gig in block.get("gigs", []))


def schedule(block: Block) -> Schedule:
    """Return the schedule of a Venue."""
    gigs = [(gig["path"], gig["act"], gig.get("when", [])) for gig in block["gigs"]]
    return Schedule.made(block["name"], block.get("timezone", "UTC"), gigs)


def on(block: Block, shown: Acts) -> list[Gig]:
    """Return the Gigs of a Venue with a schedule that are on.

    Args:
        block: the Venue.
        shown: who is on at each of its paths.
    """
    found = dict(zip(schedule(block).places, shown))
    return [gig for gig in block["gigs"] if found.get(gig["path"]) == gig["act"]]


def together(block: Block) -> list[list[Gig]]:
    """Return the Gigs of a Venue that can be on at the same time."""
    if not has_times(block):
        return [block["gigs"]]
    return [on(block, variant) for variant in schedule(block).variants()]


def left(state: ActState, served: list[str], path: str) -> tuple[Left, ...]:
    """Return earlier paths of an Act for which nginx still serves the files of releases."""
    found: dict[str, list[tuple[list[str], list[str]]]] = {}
    for release in [state.releases[name] for name in served]:
        built = url_prefixes.built_for(release)
        if built != path:
            found.setdefault(built, []).append(url_prefixes.moving_urls(release, built))
    return tuple(Left(where, *(unique(lists) for lists in zip(*urls))) for where, urls in sorted(found.items()))


def unique(lists: Iterable[list[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(url for urls_ in lists for url in urls_))


def longest_request(sess: Optional[Sess], act: Optional[Act], state: ActState, host: Host) -> int:
    """Return the longest request of an Act, in seconds. One that wakes a sleeping Sess waits for its start, too.

    Args:
        sess: its Sess, if the manifest has one.
        act: the Act, if the manifest has it; else what is on disk counts.
        state: the Act on disk.
        host: the host's facts.
    """
    record = state.record.get("act", {})
    timeout: int = act.timeout if act else record.get("timeout", host.longest_request)
    if not (sess.state == ASLEEP if sess else state.live_record.get("idle")):
        return timeout
    start: int = act.health.timeout if act else record.get("health", {}).get("timeout", 0)
    return max(timeout, start)

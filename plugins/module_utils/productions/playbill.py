# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbill of a run: what plays where at its end, and what the run did for it. Nothing is asked or read for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from ..host.facts import Host
from ..manifest.nouns import Manifest, Venue
from ..state.read import ActState, HostState

MOST = 25
"""The most rows of a playbill. If there are more, those of Acts for which the run did nothing are only counted."""

Row = dict[str, Any]


@dataclass
class Done:
    """What a run did, by Act.

    Args:
        seconds: how long its steps took.
        built: the release that was built.
        switched: those of which a new Sess plays, which has passed the gate.
        failed: the step that failed; of a Venue, too.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    built: dict[str, str] = field(default_factory=dict)
    switched: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)

    def concerns(self, name: str) -> bool:
        return name in self.seconds or name in self.failed


def of(manifest: Manifest, state: HostState, host: Host, done: Done, act: str = "") -> dict[str, Any]:
    """Return the playbill: its rows, and the number of Gigs and Acts for which it has none.

    Args:
        manifest: what the run asked for on this host.
        state: the host after the run.
        host: its facts.
        done: what the run did.
        act: the only Act that the run was about; empty for all.
    """
    places = [(one, venue) for one, venue in _places(manifest, done) if act in ("", one)]
    shown = places
    if len(places) > MOST:
        shown = [(one, venue) for one, venue in places if done.concerns(one) or (venue and done.concerns(venue[0]))]
    rows = [_row(one, venue, manifest, state, host, done) for one, venue in shown]
    return {"rows": rows, "others": len(places) - len(rows)}


def _places(manifest: Manifest, done: Done) -> list[tuple[str, tuple[str, ...]]]:
    """Return each Gig as its Act, Venue and path, and each Act without a Gig; then the Acts that were removed."""
    gigs = [gig for gig in manifest.gigs if gig.state == "present" and gig.act in manifest.acts]
    booked = {gig.act for gig in gigs}
    found: list[tuple[str, tuple[str, ...]]] = [(gig.act, (gig.venue, gig.path)) for gig in gigs]
    found += [(name, ()) for name, act in manifest.acts.items() if name not in booked and act.state == "present"]
    absent = [name for name in done.seconds if name not in manifest.acts or manifest.acts[name].state != "present"]
    return found + [(name, ()) for name in absent if name]


def _row(
    name: str, place: tuple[str, ...], manifest: Manifest, state: HostState, host: Host, done: Done
) -> Row:  # fmt: skip
    venue = manifest.venues.get(place[0]) if place else None
    act = state.act(name)
    seconds = done.seconds.get(name)
    return {
        "venue": _url(venue, place[1], host) if venue else "",
        "act": name,
        "release": act.live_release,
        "state": _state(name, act, venue, done),
        "health": _health(name, place, done),
        "seconds": None if seconds is None else round(seconds, 1),
    }


def _url(venue: Venue, path: str, host: Host) -> str:
    return host.origin(venue.scheme, venue.name) + path


def _state(name: str, act: ActState, venue: Optional[Venue], done: Done) -> str:
    """Return what became of an Act, in a few words."""
    if act.live:
        said = ["new" if name in done.switched else "playing"]
    elif act.stopped:
        said = ["stopped"]
    else:
        said = ["not playing" if act.exists else "removed"]
    built = done.built.get(name)
    if built and built != act.live_release:
        said.append(f"{built} built")
    if act.hold:
        said.append(f"{act.hold.get('release')} held")
    if venue and venue.state == "closed":
        said.append("Venue closed")
    return ", ".join(said)


def _health(name: str, place: tuple[str, ...], done: Done) -> str:
    """Return what the run found out of it; empty if it asked nothing."""
    failed = done.failed.get(name) or (done.failed.get(place[0]) if place else None)
    if failed:
        return f"FAILED: {failed}"
    return "answers" if name in done.switched else ""

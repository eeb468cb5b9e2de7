# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who has a host name, a port or a URL already: refused by its owner before nginx is told anything."""

from __future__ import annotations

from typing import Any

from . import front, locations, nginx, ports
from .errors import BackstageError
from .host import Host
from .locations import Booked
from .nouns import Manifest

Block = dict[str, Any]


def names(manifest: Manifest, before: dict[str, Block], host: Host) -> dict[str, BackstageError]:
    """The Venues one of whose names somebody else's server has already.

    Args:
        manifest: what should be.
        before: the Venues of this Production that nginx has.
        host: the host's facts.
    """
    ours = {name for block in before.values() for name in [block["name"], *block["aliases"]]}
    claimed = {name for venue in manifest.venues.values() for name in venue.names} - ours
    owners = {**nginx.owners(claimed, host.venues), **front.other_productions(manifest.production, host)}
    return {
        venue.name: BackstageError(
            f"the name {name} belongs to {owners[name]} already; rename one of them", step="booking"
        )
        for venue in manifest.venues.values()
        for name in venue.names
        if name in claimed and name in owners
    }


def own_ports(
    wanted: dict[str, Block], before: dict[str, Block], production: str, host: Host
) -> dict[str, BackstageError]:
    """The Acts for whose Sess somebody else listens already.

    Args:
        wanted: the ports of Sesses as they should be, by Act.
        before: those that nginx has.
        production: whose they are.
        host: the host's facts.
    """
    new = {act: block["port"] for act, block in wanted.items() if block["port"] != before.get(act, {}).get("port")}
    others = front.other_productions(production, host) if new else {}
    ours = {block["port"] for block in before.values()}
    found = {}
    for act, port in new.items():
        owner = next((f"the Act {other}" for other in wanted if other != act and wanted[other]["port"] == port), "")
        owner = owner or others.get(f"port {port}") or ("" if port in ours else _listener(port, host))
        if owner:
            message = f"port {port} of this host belongs to {owner} already; choose another one for the Sess"
            found[act] = BackstageError(message, step="booking")
    return found


def _listener(port: int, host: Host) -> str:
    """Who is not of Backstage and listens on a port."""
    if port == host.http_port:
        return "all Venues (front_of_house_http_port)"
    held = ports.holder(port)
    by_hand = nginx.listening(port, host.venues)
    return by_hand or ("nginx" if held == ports.NGINX else held)


def urls(venue: str, booked: list[Booked]) -> dict[str, BackstageError]:
    """The Acts of a Venue that need a URL prefix that is another one's already, or twice their own.

    Args:
        venue: its name.
        booked: the Acts there; who comes first keeps what both claim.
    """
    owners: dict[str, str] = {}
    found = {}
    for gig in booked:
        for url in locations.claims(gig):
            owner = owners.setdefault(url, gig.act)
            if owner != gig.act:
                message = (
                    f"the URL {url} at {venue} belongs to the Act {owner} already: make STATIC_URL and MEDIA_URL of one"
                    f" of them relative, such as 'static/', so that they lie below its own path"
                )
                found[gig.act] = BackstageError(message, step="booking")
        own = locations.claims(gig)
        for url in [url for url in own if own.count(url) > 1][:1]:
            message = f"it claims the URL {url} twice: give its path, STATIC_URL, MEDIA_URL and static_urls one each"
            found[gig.act] = BackstageError(message, step="booking")
    return found

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host names, ports and URLs that somebody else has. They are refused before nginx gets anything."""

from __future__ import annotations

import functools
import os

from ..host.errors import BackstageError
from ..host.facts import Host
from ..manifest.nouns import Manifest
from . import locations, nginx, written
from .blocks import Block
from .locations import Booked


class Others:
    """What others have on this host. It is read once, when it is first needed."""

    def __init__(self, production: str, host: Host) -> None:
        self.production = production
        self.host = host

    @functools.cached_property
    def nginx(self) -> nginx.Configuration:
        """The present configuration of nginx; an empty one if there is no nginx yet."""
        return nginx.read(self.host.venues) if self.host.has_front_of_house else nginx.Configuration()

    @functools.cached_property
    def productions(self) -> dict[str, str]:
        """The names, and ports as "port 8001", that other Productions have."""
        return written.other_productions(self.production, self.host)

    @functools.cached_property
    def _by_hand(self) -> tuple[dict[str, str], dict[int, str]]:
        """The names on the ports of Venues, and the ports, of other servers, each with its file."""
        names: dict[str, str] = {}
        ports: dict[int, str] = {}
        ours = {self.host.http_port, self.host.https_port}
        for server in self.nginx.servers:
            if os.path.realpath(server.path).startswith((self.host.venues + "/", self.host.calendar + "/")):
                continue
            for name, path in server.names.items() if ours & server.ports.keys() else ():
                names.setdefault(name, path)
            for port, path in server.ports.items():
                ports.setdefault(port, path)
        return names, ports

    def name(self, name: str) -> str:
        """Return who has a name on a port of the Venues; empty if nobody does."""
        return self.productions.get(name) or self._by_hand[0].get(name, "")

    def port(self, port: int) -> str:
        """Return who has nginx listen on a port; empty if nobody does."""
        if port == self.host.http_port:
            return "all Venues (front_of_house_http_port)"
        if port == self.host.https_port:
            return "all Venues (front_of_house_https_port)"
        return self.productions.get(f"port {port}") or self._by_hand[1].get(port, "")


def names(manifest: Manifest, others: Others) -> dict[str, BackstageError]:
    """Return the Venues with a name that somebody else's server has, even if the Venue was booked first.

    nginx itself only warns, and serves the first.

    Args:
        manifest: what should be.
        others: what others have.
    """
    found = {}
    for venue in manifest.venues.values():
        for name in venue.names if venue.state != "absent" else []:
            owner = others.name(name)
            if owner:
                message = f"the name {name} belongs to {owner} already; rename one of them"
                found[venue.name] = BackstageError(message, step="booking")
    return found


def own_ports(wanted: dict[str, Block], before: dict[str, Block], others: Others) -> dict[str, BackstageError]:
    """Return the Acts whose port somebody else has.

    Args:
        wanted: the ports of Sesses as they should be, by Act.
        before: those that nginx has.
        others: what others have.
    """
    ours = {block["port"] for block in before.values()}
    claimed: dict[int, list[str]] = {}
    for act, block in wanted.items():
        claimed.setdefault(block["port"], []).append(act)
    found = {}
    for act, port in ((act, block["port"]) for act, block in wanted.items()):
        is_new = port != before.get(act, {}).get("port")
        owner = next((f"the Act {one}" for one in claimed[port] if is_new and one != act), "")
        owner = owner or others.port(port) or ("" if port in ours else _holder(port))
        if owner:
            message = f"port {port} of this host belongs to {owner} already; choose another one for the Sess"
            found[act] = BackstageError(message, step="booking")
    return found


def _holder(port: int) -> str:
    from . import ports

    return ports.holder(port)


def urls(venue: str, booked: list[Booked]) -> dict[str, BackstageError]:
    """Return the Acts of a Venue that need a URL prefix of another Act, or the same one twice.

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

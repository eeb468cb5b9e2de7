# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate: the requests that a new Sess has to answer at its own door before visitors reach it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional

from ..acts import world
from ..diagnosis import lookup
from ..host.errors import BackstageError
from ..host.facts import STANDARD, Host
from ..manifest.nouns import Act
from . import door, roll_call
from .door import Door
from .pages import Answer, Page, Site, Walk, assets, judge, missing
from .served import Served

LOST = "does not live in the workers: start it"
"""A part of the line in which the wrapper names a thread that the fork ended."""


@dataclass(frozen=True)
class Gate:
    """The gate of one Sess.

    Args:
        act: the Act.
        address: where it is reached.
        door: that of the Sess.
        crew: its workers.
        served: the files that nginx will serve.
        host: the host's facts.
        log: the end of the output of the Sess.
        threads: one sentence for each thread that the fork ended.
    """

    act: Act
    address: world.Address
    door: Door
    crew: roll_call.Crew
    served: Served
    host: Host
    log: Callable[[], str]
    threads: Callable[[], list[str]]

    def let_through(self) -> None:
        """Request the page with every name of the Act, and with the first name from every worker.

        Raises:
            BackstageError: an answer does not match the Act's health.
        """
        for number, host in enumerate(hosts(self.act, self.address)):
            self._visit(host, self.crew if number == 0 else None)

    def _visit(self, host: str, crew: Optional[roll_call.Crew]) -> None:
        """Request the page as one visitor, follow its redirects, and judge the last answer."""
        site = self._site(host)
        walk = Walk(site, lambda page, cookies: self._fetch(page, cookies, host, crew))
        try:
            answer = judge(walk, self.act.health, Page(site.name, self.address.prefix + self.act.health.path), self.log)
            for kind, asset in assets(walk.pages[-1], answer, site) if answer else []:
                status = self._status(asset, host)
                if status >= 400:
                    raise BackstageError(missing(walk.pages[-1], kind, asset, status))
        except BackstageError as error:
            raise BackstageError(error.message, step="gate") from None

    def _site(self, host: str) -> Site:
        name, _colon, port = host.partition(":")
        aliases = next((tuple(venue.aliases) for venue in self.address.venues if venue.name == host), ())
        scheme = scheme_of(host, self.address)
        ports = (int(port),) if port else (None, STANDARD[scheme], self.host.port(scheme))
        return Site(name, aliases, self.address.path, ports, self.address.beside, scheme)

    def _fetch(self, page: Page, cookies: str, host: str, crew: Optional[roll_call.Crew]) -> Answer:
        scheme = scheme_of(host, self.address)
        if page.name != host.partition(":")[0]:
            return Answer(301, f"{scheme}://{host}{page.uri}")  # nginx answers this at an alias
        prefix, timeout = self.address.prefix, self.act.health.timeout
        below = page.uri[len(prefix) :]
        try:
            if crew is None:
                return door.ask(self.door, below or "/", host, scheme, timeout, prefix, cookies)
            given = door.variables(below or "/", host, scheme, prefix, cookies)
            return roll_call.ask(self.door, given, timeout, crew)
        except BackstageError as error:
            cause = lookup.find(self.log()) or "; ".join([error.message, *self.threads()])
            raise BackstageError(f"{page.uri} was asked: {cause}") from None

    def _status(self, asset: Page, host: str) -> int:
        """Return the status of a style sheet or script. One that neither nginx nor this Act serves is not requested."""
        found = self.served.status(asset.path)
        if found is not None:
            return found
        if not asset.path.startswith(self.address.prefix + "/"):
            return 200
        return self._fetch(asset, "", host, None).status


def hosts(act: Act, address: world.Address) -> list[str]:
    """Return the host names to request: those of all open Venues, and localhost with the Sess's own port."""
    if act.health.host:
        return [act.health.host]
    named = [venue.name for venue in address.venues if venue.state == "open"]
    named += [f"localhost:{port}" for port in address.ports]
    return named or world.hosts(act, address)[:1]


def scheme_of(host: str, address: world.Address) -> str:
    """How visitors ask by a name: as at its Venue; by a name that the Act's health says, as at all of its Venues."""
    if ":" in host:
        return "http"
    schemes = {venue.scheme for venue in address.venues if host in venue.names}
    return min(schemes or {venue.scheme for venue in address.venues}, default="http")


def lost_threads(log: str) -> list[str]:
    """Return one sentence for each thread that the fork ended, as the wrapper names it."""
    lines = [line.partition(" - backstage: ")[2] for line in log.splitlines() if LOST in line]
    return list(dict.fromkeys(line[:300] for line in lines if line.startswith("the thread ")))[:5]

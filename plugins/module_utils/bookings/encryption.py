# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates of Venues with TLS. They must be there before nginx reads the files of the Venues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from ..certificates import checks, pairs
from ..certificates.pairs import FILES, Pairs
from ..host.errors import BackstageError
from ..host.facts import Host
from ..manifest.acme import Acme
from ..manifest.nouns import Venue
from ..manifest.venue_checks import CAREFUL_DAYS
from ..state.plan import Step
from . import addresses
from .blocks import Block
from .issued import Issued, Prepare, is_issued


def is_encrypted(block: Block) -> bool:
    """Return whether a Venue's file has TLS."""
    return block.get("tls", "none") != "none"


class Encryption:
    """The certificates of a Production's Venues.

    Args:
        production: its name.
        host: the host's facts.
        venues: the Venues of the manifest, some with certificates of their own.
        before: the data of each Venue's file.
        acme: what the manifest says of an authority.
    """

    def __init__(
        self,
        production: str,
        host: Host,
        venues: Mapping[str, Venue],
        before: Mapping[str, Block],
        acme: Optional[Acme] = None,
    ) -> None:
        self.production, self.host, self._before = production, host, before
        self.issued = Issued(production, host, venues, acme)
        self._careful = {name: venue for name, venue in venues.items() if venue.state != "absent"}
        self._given = {
            name: venue for name, venue in venues.items() if venue.tls.mode == FILES and venue.state != "absent"
        }

    def refused(self) -> dict[str, BackstageError]:
        """Return the Venues whose certificate or HSTS this host refuses: they stay as they are."""
        if not self.host.has_front_of_house:
            return {}
        found = {name: self._refused(venue) for name, venue in self._careful.items()}
        refused = {name: BackstageError(fault, step="certificate") for name, fault in found.items() if fault}
        return {**self.issued.refused(), **refused}

    def _refused(self, venue: Venue) -> str:
        is_proven = self._before.get(venue.name, {}).get("tls") == FILES or self.issued.is_trusted(venue.name)
        if venue.tls.hsts > CAREFUL_DAYS and not is_proven:
            days = f"the HSTS of {venue.name} is for {venue.tls.hsts} days, and HTTPS is not proven there"
            return f"{days}: begin with {CAREFUL_DAYS}, and raise it in a later run"
        fault = checks.fault(venue.tls.pair, venue.names) if venue.name in self._given and self._is_new(venue) else ""
        return f"the certificate of {venue.name} is refused: {fault}" if fault else ""

    def _is_new(self, venue: Venue) -> bool:
        return bool(self._of(venue.name).given_fault(venue.tls.pair, venue.names))

    def doubts(self) -> list[str]:
        """Return warnings of certificates of the manifest that end soon or have ended. Nothing renews them."""
        staying = {name: venue for name, venue in sorted(self._given.items()) if not self._is_new(venue)}
        found = {name: self._of(name).end() for name in staying}
        return [
            f"the certificate of {name} ends on {end}; deploy another one (backstage_venues[{name}].tls)"
            for name, end in found.items()
            if end
        ]

    def places(self, blocks: dict[str, Block]) -> set[str]:
        """Return the directories with the certificates of these Venues. nginx names one if it can't load it."""
        return {self._of(name).root for name, block in blocks.items() if is_encrypted(block)}

    def links(self, blocks: dict[str, Block]) -> set[str]:
        """Return the paths that nginx has to read again if they changed."""
        return {self._of(name).live for name, block in blocks.items() if addresses.venue(block).scheme == "https"}

    def steps(self, wanted: dict[str, Block]) -> list[Step]:
        """Return a step for each Venue that needs another certificate."""
        own = {name: f"{_KINDS[wanted[name]['tls']]}, because {fault}" for name, fault in self._faults(wanted).items()}
        found = [
            Step("venue", name, "certify", None, what)
            for name, what in sorted({**own, **self.issued.reasons(wanted)}.items())
        ]
        accounts = self.issued.steps_of_account(wanted)
        return [*(Step("production", self.production, "register", None, why) for why in accounts), *found]

    def make(self, wanted: dict[str, Block], prepare: Prepare) -> None:
        """Make or install the missing certificates, and note which ones an authority is asked for.

        Raises:
            BackstageError: the host is not prepared for TLS, or openssl failed.
        """
        if any(map(is_encrypted, wanted.values())):
            self.host.need_tls()
        for name in self._faults(wanted):
            block = wanted[name]
            if block["tls"] == FILES:
                self._of(name).install(self._given[name].tls.pair, _names(block))
            else:
                self._of(name).make_selfsigned(_names(block))
        self.issued.make(wanted, prepare)

    def sweep(self, left: dict[str, Block]) -> None:
        """Remove the certificates of Venues that nginx serves without TLS, or no longer."""
        self.issued.sweep(left)
        pairs.sweep(self.host, self.production, {name for name, block in left.items() if is_encrypted(block)})

    def _of(self, venue: str) -> Pairs:
        return Pairs.of(self.host, self.production, venue)

    def _faults(self, wanted: dict[str, Block]) -> dict[str, str]:
        refused = self.refused()
        found = {name: self._fault(block) for name, block in wanted.items() if is_encrypted(block)}
        return {name: fault for name, fault in found.items() if fault and name not in refused}

    def _fault(self, block: Block) -> str:
        """Return why a Venue needs another certificate. A Venue that the manifest does not name keeps its own."""
        if is_issued(block):
            return ""
        if block["tls"] != FILES:
            return self._of(block["name"]).selfsigned_fault(_names(block))
        venue = self._given.get(block["name"])
        return self._of(block["name"]).given_fault(venue.tls.pair, _names(block)) if venue else ""


_KINDS = {"selfsigned": "self-signed", FILES: "that of the manifest"}


def _names(block: Block) -> list[str]:
    return [block["name"], *block["aliases"]]

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Venues whose certificates come from an authority: what is wanted, as files, and the result.

Only the program backstage-certificates asks the authority. A deploy starts it, and so does its timer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Callable, Optional

from ..certificates import account, checks, due, wishes
from ..certificates.due import ACME
from ..certificates.pairs import Pairs
from ..certificates.wishes import Wish
from ..host import files, process, users
from ..host.errors import BackstageError
from ..host.facts import Host
from ..manifest.acme import Acme
from ..manifest.nouns import WAITING, Venue
from .blocks import Block
from .host_timer import HostTimer, minute_of_host

TIMER = "backstage-certificates"
DNS = "dns-01"
_A_WHILE = 600
"""Seconds after a refusal before a deploy has the authority asked again."""
_LONGEST = 3600
Prepare = Callable[[Block], Mapping[str, str]]
"""Gives the files of nginx with TLS, by path."""


def is_issued(block: Block) -> bool:
    """Return whether a Venue's certificate comes from an authority."""
    return block.get("tls") in (ACME, WAITING)


class Issued:
    """The Venues of a Production whose certificates an authority gives.

    Args:
        production: its name.
        host: the host's facts.
        venues: the Venues of the manifest.
        acme: what the manifest says of the authority; None where it says nothing, so that all stays as it is.
    """

    def __init__(self, production: str, host: Host, venues: Mapping[str, Venue], acme: Optional[Acme]) -> None:
        self.production, self.host, self._acme = production, host, acme
        own = {name: venue for name, venue in venues.items() if venue.tls.mode == ACME and venue.state != "absent"}
        self._named = {name: venue.tls.challenge for name, venue in own.items()}
        self.asking: set[str] = set()

    @property
    def by_dns(self) -> set[str]:
        """The Venues whose names are proven by records in DNS."""
        return {name for name, challenge in self._named.items() if challenge == DNS}

    def refused(self) -> dict[str, BackstageError]:
        """Return the Venues that can't have a certificate with this account."""
        try:
            if self._named and self._acme and self._acme.account_key:
                account.thumbprint(self._acme.account_key)
        except BackstageError as error:
            return dict.fromkeys(self._named, error)
        has_key = bool(self._acme and self._acme.tsig_key) or os.path.exists(account.tsig(self.host, self.production))
        found = {}
        for name, challenge in self._named.items():
            if challenge == DNS and not has_key:
                said = f"{name} is proven by {DNS}, and this host has no key for it: give backstage_acme.tsig_key"
                found[name] = BackstageError(said, step="certificate")
        return found

    def settled(self, block: Block, before: Optional[Block]) -> Block:
        """Return a Venue's block. If the Venue has no TLS yet, it gets TLS with its certificate, not before."""
        was_plain = before is not None and before.get("tls", "none") in ("none", WAITING)
        is_waiting = is_issued(block) and was_plain and not self.is_trusted(block["name"])
        return {**block, "tls": WAITING} if is_waiting else block

    def is_trusted(self, venue: str) -> bool:
        """Return whether the certificate in use is from an authority."""
        return bool(self._of(venue).sealed().get("kind") == ACME)

    def reasons(self, wanted: Mapping[str, Block]) -> dict[str, str]:
        """Return the Venues for which the authority will be asked, and why."""
        found = {name: self._reason(block) for name, block in wanted.items() if name in self._named}
        return {name: f"from {self._authority(wanted[name])}, because {why}" for name, why in found.items() if why}

    def _reason(self, block: Block) -> str:
        wish, pairs, now = self._wish(block), self._of(block["name"]), time.time()
        state = pairs.state()
        why = due.reason(wish, pairs.sealed(), {**state, "next": 0}, now)
        if not why:
            fault = pairs.unloadable()
            return f"nginx can't load it: {fault}" if fault and block["tls"] != WAITING else ""
        before = wishes.read(self.host, self.production, block["name"])
        is_new = before is None or replace(before, prepared={}) != wish
        return why if is_new or not 0 <= now - state.get("asked", 0) < _A_WHILE else ""

    def _authority(self, block: Block) -> str:
        return self._wish(block).directory.partition("//")[2].partition("/")[0]

    def doubts(self, wanted: Mapping[str, Block]) -> list[str]:
        """Return the state of the certificates that are not `ok`, and that this run does not ask for."""
        asking = self.reasons(wanted)
        found = (self.doubt(name) for name, block in wanted.items() if is_issued(block) and name not in asking)
        return [doubt for doubt in found if doubt]

    def doubt(self, venue: str) -> str:
        """Return the state of a certificate; empty if it is `ok`."""
        state = self._of(venue).state()
        if state.get("state", due.OK) == due.OK:
            return ""
        return f"the certificate of {venue}: {told(state)}"

    def make(self, wanted: Mapping[str, Block], prepare: Prepare) -> None:
        """Write on the host what is wanted, and note for which Venues the authority has to be asked.

        Raises:
            BackstageError: the host is not prepared for it.
        """
        issued = {name: block for name, block in wanted.items() if is_issued(block)}
        if not issued:
            return
        self.host.need_acme(bool(self.by_dns))
        self.asking |= self.reasons(issued).keys()
        users.ensure(account.USER, "/nonexistent", "certificates")
        account.ensure(self.host, self.production, self._acme.account_key if self._acme else "")
        if self._acme and self._acme.tsig_key:
            account.write_tsig(self.host, self.production, self._acme.tsig_key)
        for name, block in issued.items():
            if block["tls"] != WAITING and self._of(name).unloadable():
                self._of(name).make_selfsigned([name, *block["aliases"]])
            wish = replace(self._wish(block), prepared=prepare(block) if block["tls"] == WAITING else {})
            if wishes.read(self.host, self.production, name) != wish:
                wishes.write(self.host, wish)

    def steps_of_account(self, wanted: Mapping[str, Block]) -> list[str]:
        """Return why the account has to be written; nothing if it is as it should be, or if no Venue needs it."""
        if not any(map(is_issued, wanted.values())):
            return []
        fault = account.fault(self.host, self.production, self._acme.account_key if self._acme else "")
        return [fault] if fault else []

    def _wish(self, block: Block) -> Wish:
        known = wishes.read(self.host, self.production, block["name"])
        acme = asdict(self._acme) if self._acme else asdict(known or self._any_wish() or Acme())
        settings = {key: acme[key] for key in ("directory", "contact", "ca", "profile")}
        settings["challenge"] = self._named.get(block["name"]) or (known.challenge if known else Wish.challenge)
        return Wish(self.production, (block["name"], *block["aliases"]), **settings)

    def _any_wish(self) -> Optional[Wish]:
        own = [name for name in wishes.names(self.host) if name.startswith(self.production + ".")]
        found = (wishes.read(self.host, self.production, name.partition(".")[2]) for name in own)
        return next((wish for wish in found if wish), None)

    def _of(self, venue: str) -> Pairs:
        return Pairs.of(self.host, self.production, venue)

    def sweep(self, left: Mapping[str, Block]) -> None:
        """Remove what was kept for Venues that need no authority any more."""
        kept = {name for name, block in left.items() if is_issued(block)}
        wishes.sweep(self.host, self.production, kept)
        if not kept:
            account.remove(self.host, self.production)
        if not wishes.names(self.host):
            timer(self.host).switch(False)
            files.remove(wishes.LOCK)
        if not kept and not files.names_in(self.host.accounts) and users.find(account.USER):
            users.remove(account.USER)


def timer(host: Host) -> HostTimer:
    """Return what starts the program."""
    return HostTimer(TIMER, host.certifier, f"{minute_of_host()} * * * *", step="certificate")


def ask(host: Host, production: str, venues: Iterable[str]) -> list[str]:
    """Have an authority asked for these Venues now, and for all by the timer; return what failed.

    The program reloads nginx, so the caller must not hold the host's lock.

    Raises:
        BackstageError: the timer can't be started.
    """
    names, found = [f"{production}.{venue}" for venue in sorted(venues)], []
    if names:
        result = process.run([host.certifier, "--now", *names], timeout=_LONGEST)
        own = Issued(production, host, {}, None)
        found = [doubt for doubt in map(own.doubt, sorted(venues)) if doubt]
        if not result.ok and not found:
            found = [f"{os.path.basename(host.certifier)}: {result.said.strip()[-300:] or result.code}"]
    timer(host).switch(True)
    return found


def lines(host: Host, production: str, blocks: Mapping[str, Block]) -> list[str]:
    """Return the state of each certificate from an authority, one line each."""
    found = []
    for name in sorted(name for name, block in blocks.items() if is_issued(block)):
        state = Pairs.of(host, production, name).state()
        ok = f"ok, until {checks.day(state['ends'])}" if state.get("state") == due.OK else ""
        found.append(f"certificate: {name}: {ok or (told(state) if state else 'not asked for yet')}")
    return found


def told(state: Mapping[str, object]) -> str:
    """Return a state that is not `ok` as a text for people."""
    parts = [str(state["state"])]
    if state.get("error"):
        parts.append(f": {state['error']}")
    missing = state.get("missing")
    if isinstance(missing, dict) and missing:
        parts.append("; it lacks " + ", ".join(f"{name} ({why})" for name, why in missing.items()))
    if state["state"] == due.WAITING:
        parts.append(f"; the Venue goes on {'with a self-signed one' if 'names' in state else 'by HTTP'} meanwhile")
    if state["state"] == due.FAILING and isinstance(state.get("ends"), (int, float)):
        parts.append(f"; the one in use ends on {checks.day(float(str(state['ends'])))}")
    if isinstance(state.get("next"), (int, float)):
        parts.append(f"; the host asks again after {checks.day(float(str(state['next'])))}")
    return "".join(parts)

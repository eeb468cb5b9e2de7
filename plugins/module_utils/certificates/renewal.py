# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One Venue's certificate from an authority: kept, renewed, or waited for.

Whatever fails, and whenever this is killed, the certificate in use stays in use. A wrong clock changes nothing either:
only a pair that nginx could not load is replaced by a self-signed one.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..host import files
from ..host.errors import BackstageError
from ..manifest.nouns import Pair
from . import checks, due
from .authority import Authority, Refused
from .due import ACME, DAY, FAILING, OK, PARTLY, WAITING
from .pairs import SELFSIGNED, Pairs
from .wishes import Wish

_ASK_AGAIN = 6 * 3600


@dataclass(frozen=True)
class Done:
    """What a look at a certificate led to.

    Args:
        changed: whether another pair is in use.
        state: how it stands, as ``state.json`` has it.
    """

    changed: bool
    state: dict[str, Any]


class Renewal:
    """The certificate of one Venue.

    Args:
        wish: what is wanted.
        pairs: what is there.
        authority: who is asked.
        now: the moment, in seconds since 1970.
    """

    def __init__(self, wish: Wish, pairs: Pairs, authority: Authority, now: float) -> None:
        self.wish, self.pairs, self.authority, self.now = wish, pairs, authority, now

    def run(self, at_once: bool = False) -> Done:
        """Do what is due.

        Args:
            at_once: ask also if the last refusal is not long ago.

        Raises:
            BackstageError: the Venue has no certificate at all, and none could be made.
        """
        changed = self.pairs.adopt(self.wish.names) or self._make_usable()
        self.pairs.sweep()
        state = self.pairs.state()
        self._ask_for_window(state)
        why = self.why(state, at_once)
        if why and (at_once or due.is_time(state, self.now)):
            done = self._renew(state, why)
            changed, state = changed or done.changed, done.state
        elif not why:
            state = self._settled(state)
        if state != self.pairs.state():
            files.write(self.pairs.state_file, files.to_json(state), 0o600)
        return Done(changed, state)

    def why(self, state: due.Data, at_once: bool = False) -> str:
        """Why the authority should be asked now or later; empty where it should not."""
        told = {**state, "next": 0} if at_once else state
        return due.reason(self.wish, self.pairs.sealed(), told, self.now)

    def _make_usable(self) -> bool:
        """Replace what would keep nginx from starting, and with it every other site."""
        if self.wish.prepared or not self.pairs.unloadable():
            return False
        self.pairs.make_selfsigned(self.wish.names)
        return True

    def _ask_for_window(self, state: dict[str, Any]) -> None:
        """Ask from time to time when the authority suggests to renew, and keep its answer in the state."""
        known = state.get("window", {})
        is_known = known.get("asked", 0) <= self.now < known.get("asked", 0) + known.get("again", _ASK_AGAIN)
        if self.pairs.sealed().get("kind") != ACME or is_known:
            return
        chain = files.read(self.pairs.certificate) or ""
        try:
            found = due.spread(self.authority.window(chain), _share(chain))
        except Refused:
            found = {"again": _ASK_AGAIN}  # a third of its lifetime decides meanwhile
        state["window"] = {**found, "asked": int(self.now)}

    def _settled(self, state: dict[str, Any]) -> dict[str, Any]:
        """The state of a certificate that will do."""
        sealed = self.pairs.sealed()
        missing = due.still_missing(self.wish, sealed)
        keys = ("window", "asked", "why", *(("next", "failures") if missing else ()))
        kept = {key: state[key] for key in keys if key in state}
        return {
            **kept,
            **self._facts(),
            "state": PARTLY if missing else OK,
            **({"missing": missing} if missing else {}),
        }

    def _facts(self) -> dict[str, Any]:
        return {key: self.pairs.sealed()[key] for key in ("ends", "names") if key in self.pairs.sealed()}

    def _renew(self, state: dict[str, Any], why: str) -> Done:
        try:
            self._obtain()
        except (BackstageError, OSError, ValueError) as error:
            return Done(False, self._refused(state, why, error))
        return Done(True, {**self._settled({}), "asked": int(self.now), "why": why})

    def _refused(self, state: dict[str, Any], why: str, error: Exception) -> dict[str, Any]:
        sealed = self.pairs.sealed()
        missing = due.still_missing(self.wish, sealed)
        is_only_partly = sealed.get("kind") == ACME and missing and why.startswith("it lacks")
        how = PARTLY if is_only_partly else FAILING if sealed.get("kind", SELFSIGNED) != SELFSIGNED else WAITING
        failures = int(state.get("failures", 0)) + 1
        return {
            **{key: state[key] for key in ("window",) if key in state},
            **self._facts(),
            **({"missing": missing} if missing else {}),
            "state": how,
            "why": why,
            "error": str(getattr(error, "message", error)),
            "failures": failures,
            "since": state.get("since") or int(self.now),
            "asked": int(self.now),
            "next": int(due.next_try(failures, self.now, getattr(error, "wait", 0))),
        }

    def _obtain(self) -> None:
        """Get a certificate with a key of its own, and use it.

        Raises:
            BackstageError: there is none; nothing of the try is left.
        """
        version = self.pairs.draft()
        try:
            names, missing = list(self.wish.names), {}
            try:
                chain = self._ask(version, names)
            except Refused as refused:
                names, missing = self._without(refused), refused.names
                chain = self._ask(version, names)
            key = files.read(f"{version}/privkey.pem") or ""
            fault = checks.fault(Pair(chain, key), names)
            if fault:
                raise BackstageError(f"the authority's certificate can't be used: {fault}", step="certificate")
        except BaseException:
            files.remove_tree(version)
            raise
        self.pairs.finish(version, chain, {"names": names, "directory": self.wish.directory, "missing": missing})

    def _ask(self, version: str, names: Sequence[str]) -> str:
        sealed = self.pairs.sealed()
        is_same = sealed.get("kind") == ACME and sealed["names"] == list(names)
        replaces = (files.read(self.pairs.certificate) or "") if is_same else ""
        return self.authority.certificate(self.pairs.request(version, names), names, replaces)

    def _without(self, refused: Refused) -> list[str]:
        """The names to ask for again after some were refused; raises the refusal where that would not help.

        The Venue's own name is needed. What the certificate in use covers is not given up before its last day, and a
        certificate that covers no more than it is not asked for.
        """
        names = self.wish.names
        rest = [name for name in names if name not in refused.names]
        sealed = self.pairs.sealed()
        covered = [name for name in sealed["names"] if name in names] if sealed.get("kind") == ACME else []
        is_ending = bool(covered) and sealed["ends"] - self.now < DAY
        is_loss = bool(set(covered) - set(rest)) and not is_ending
        is_nothing_new = bool(covered) and set(rest) == set(sealed["names"]) and not self._is_old()
        if not refused.names or names[0] not in rest or is_loss or is_nothing_new:
            raise refused
        return rest

    def _is_old(self) -> bool:
        """Whether the certificate in use has to be renewed for its age."""
        sealed = {**self.pairs.sealed(), "missing": {}}
        same = Wish(self.wish.production, tuple(sealed["names"]), self.wish.directory)
        return bool(due.reason(same, sealed, self.pairs.state(), self.now))


def _share(chain: str) -> float:
    """A number from 0 to 1 that differs for each host and certificate."""
    digest = hashlib.sha256(f"{socket.gethostname()}\0{chain}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32

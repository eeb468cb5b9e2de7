# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking a certificate authority: by a program of its own, as a user who can read no key but the account's."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, Optional

from ..host import process
from ..host.errors import BackstageError
from ..host.facts import Host
from . import account
from .wishes import Wish

PROGRAM = "backstage_acme.py"
PYTHON: Sequence[str] = ("/usr/bin/python3", "-I")
_LONGEST = 600
_ANSWER = 2**20


class Refused(BackstageError):
    """The authority gave no certificate.

    Args:
        message: why.
        names: the names that it refused, each with the reason.
        wait: the seconds for which it wants to be left alone.
    """

    def __init__(self, message: str, names: dict[str, str], wait: float) -> None:
        super().__init__(message, step="certificate")
        self.names, self.wait = names, wait


class Authority:
    """The authority of a wish.

    Args:
        host: the host's facts.
        wish: what is wanted.
        silent: the authorities that did not answer in this run, each with the reason: they are not waited for again.
    """

    def __init__(self, host: Host, wish: Wish, silent: Optional[dict[str, str]] = None) -> None:
        self.host, self.wish = host, wish
        self._silent = {} if silent is None else silent

    def certificate(self, csr: str, names: Sequence[str], replaces: str) -> str:
        """Get a certificate, as PEM text with its chain.

        Args:
            csr: the request, signed with the certificate's key.
            names: what it is for.
            replaces: the certificate in use, if it is the authority's; else empty.

        Raises:
            Refused: there is none.
        """
        return str(self._ask("certificate", csr=csr, names=list(names), replaces=replaces))

    def window(self, chain: str) -> dict[str, float]:
        """When the authority suggests to renew a certificate of its own.

        Raises:
            Refused: it does not answer.
        """
        found: dict[str, float] = self._ask("window", chain=chain)
        return found

    def _ask(self, what: str, **more: Any) -> Any:
        wish = self.wish
        if wish.directory in self._silent:
            raise Refused(self._silent[wish.directory], {}, 0)
        question = {
            "ask": what,
            "directory": wish.directory,
            "ca": wish.ca,
            "contact": wish.contact,
            "profile": wish.profile,
            "challenge": wish.challenge,
            "account": account.path(self.host, wish.production),
            "tsig": account.tsig(self.host, wish.production),
            **more,
        }
        program = os.path.join(self.host.house, PROGRAM)
        user = process.User.named(account.USER)
        result = process.run(
            [*PYTHON, program], user=user, stdin=json.dumps(question), report=_ANSWER, timeout=_LONGEST
        )
        if not result.out:
            said = result.err.strip()[-300:] or f"it ended with status {result.code}"
            raise Refused(f"{program} gave no answer: {said}", {}, 0)
        found = json.loads(result.out)
        if found.get("silent"):
            self._silent[wish.directory] = found["refused"]
        if "refused" in found:
            raise Refused(found["refused"], found["names"], found["wait"])
        return found["answer"]

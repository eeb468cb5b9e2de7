# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority that signs by openssl whatever it is asked for, or refuses as a test says."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Optional

from ansible_collections.backstage.django.plugins.module_utils.certificates.authority import Authority, Refused
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Pair

from . import certs


@lru_cache
def _authority() -> Pair:
    """The authority's own certificate and key, the same for all tests."""
    return certs.signed([], "", "3650")


@dataclass
class Signer(Authority):
    """An authority that signs what it is asked for.

    Args:
        days: for how long its certificates are valid.
        dead: the names that it refuses.
        down: why it does not answer.
        asked: the names of each order.
        replaced: the certificate that each order replaces.
    """

    days: int = 90
    dead: Sequence[str] = ()
    down: str = ""
    wait: float = 0
    start: Optional[float] = None
    asked: list[list[str]] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)

    def certificate(self, csr: str, names: Sequence[str], replaces: str) -> str:
        self.asked.append(list(names))
        self.replaced.append(replaces)
        if self.down:
            raise Refused(self.down, {}, self.wait)
        dead = {name: "no address" for name in names if name in self.dead}
        if dead:
            raise Refused("; ".join(f"{name}: no address" for name in dead), dead, 0)
        own = _authority()
        with tempfile.TemporaryDirectory() as place:
            alternative = "subjectAltName=" + ",".join(f"DNS:{one}" for one in names)
            for name, text in (("csr", csr), ("key", own.key), ("own", own.certificate), ("ext", alternative)):
                Path(place, name).write_text(text)
            signing = ["x509", "-req", "-in", f"{place}/csr", "-CA", f"{place}/own", "-CAkey", f"{place}/key"]
            return certs.openssl(*signing, "-days", str(self.days), "-extfile", f"{place}/ext") + own.certificate

    def window(self, chain: str) -> dict[str, float]:
        if self.start is None:
            raise Refused("it does not answer", {}, 0)
        return {"start": self.start, "end": self.start + 1, "again": 3600}

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove that a Sess of ours answered. Only that Sess knows its token."""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass, field

from ..host import files
from ..host.layout import Act as ActPaths
from .pages import Answer

HEADER = "X-Backstage-Question"
FOREIGN = "another server of nginx answers for this name: look for it with 'nginx -T', and rename or remove it"
# pages that nginx itself answers, on behalf of any server
_NGINX = (429, 502, 503, 504)


def new() -> str:
    """Return a token for a new Sess."""
    return secrets.token_hex(16)


def token(act: ActPaths) -> str:
    """Return the token of the Sess that plays; empty if none plays, or if it is older than tokens."""
    record = files.read_json(os.path.join(act.live, "sess.json")) or {}
    return str(record.get("token", ""))


@dataclass(frozen=True)
class Question:
    """A question that only the Sess with this token can answer, and that only a holder of the token can ask."""

    token: str
    word: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def header(self) -> str:
        return f"{self.word}.{self._sign('question')}"

    def is_foreign(self, answer: Answer) -> bool:
        """Return whether another server answered."""
        return bool(self.token) and not self.is_answered(answer) and answer.status not in _NGINX

    def is_answered(self, answer: Answer) -> bool:
        """Return whether the Sess itself answered."""
        given = answer.header("x-backstage-answer").encode()
        return bool(self.token) and hmac.compare_digest(given, self._sign("answer").encode())

    def _sign(self, what: str) -> str:
        return hmac.new(self.token.encode(), f"{what}:{self.word}".encode(), "sha256").hexdigest()

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collecting what is wrong with a manifest, so that one run names it all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

from ..host.errors import Refusal
from .checks import may_hold_credentials

LONGEST = 80  # a digest is not cut
SHOWN = 60
"""As much of a longer value is repeated in a message: enough to find it."""


def shortened(text: str) -> str:
    """The text, or its beginning and how long it is."""
    return text if len(text) <= LONGEST else f"{text[:SHOWN]}... ({len(text)} characters)"


def _words_shortened(text: str) -> str:
    """A text on one line, in which no single word is long: names of the manifest may be anything."""
    plain = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return re.sub(rf"[^\s\[\].,']{{{LONGEST + 1},}}", lambda word: shortened(word[0]), plain)


class Problems:
    """What was found wrong, a line each."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, where: str, value: Any, what: str) -> None:
        """Add a line; what may hold a password is not repeated, and what is long is cut."""
        told = None if isinstance(value, str) and may_hold_credentials(value) else value
        shown = f" {shortened(repr(told))}:" if told is not None else ""
        line = f"{_words_shortened(where)}:{shown} {_words_shortened(what)}"
        if line not in self.lines:
            self.lines.append(line)

    def check(self, where: str, value: Any, what: Optional[str], secret: bool = False) -> None:
        if what:
            self.add(where, None if secret else value, what)

    def take(self, others: Problems) -> None:
        """What was found elsewhere, too."""
        self.lines += [line for line in others.lines if line not in self.lines]

    def refuse(self) -> None:
        if self.lines:
            raise Refusal("\n".join(self.lines))


def one_of(what: str, known: Mapping[str, Any]) -> str:
    return f"{what}; known: {', '.join(sorted(known)) or 'none'}"

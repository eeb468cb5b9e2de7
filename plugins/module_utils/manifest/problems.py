# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collect the mistakes of a manifest, so that one run reports all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

from ..host.errors import Refusal
from .checks import may_hold_credentials

LONGEST = 80  # a digest is not cut
SHOWN = 60
"""How many characters of a long value a message repeats: enough to find it."""


def shortened(text: str) -> str:
    """Return the text, or its beginning and how long it is."""
    return text if len(text) <= LONGEST else f"{text[:SHOWN]}... ({len(text)} characters)"


def _words_shortened(text: str) -> str:
    """Return a text on one line without long words. A name in a manifest may be any text."""
    plain = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return re.sub(rf"[^\s\[\].,']{{{LONGEST + 1},}}", lambda word: shortened(word[0]), plain)


class Problems:
    """The mistakes that were found, one line each."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, where: str, value: Any, what: str) -> None:
        """Add a line. It does not repeat a value that may contain a password, and it shortens a long one."""
        told = None if isinstance(value, str) and may_hold_credentials(value) else value
        shown = f" {shortened(repr(told))}:" if told is not None else ""
        line = f"{_words_shortened(where)}:{shown} {_words_shortened(what)}"
        if line not in self.lines:
            self.lines.append(line)

    def check(self, where: str, value: Any, what: Optional[str], secret: bool = False) -> None:
        if what:
            self.add(where, None if secret else value, what)

    def take(self, others: Problems) -> None:
        """Add mistakes that were collected elsewhere."""
        self.lines += [line for line in others.lines if line not in self.lines]

    def refuse(self) -> None:
        if self.lines:
            raise Refusal("\n".join(self.lines))


def one_of(what: str, known: Mapping[str, Any]) -> str:
    return f"{what}; known: {', '.join(sorted(known)) or 'none'}"

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Causes and cures: from what a failing Act printed or answered to the one line that was missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

from . import debian
from .causes import ROWS, Row

LINES = 25


@dataclass(frozen=True)
class Cause:
    """A row that fits.

    Args:
        row: which one.
        words: what its groups found: a name, a path, a number.
        packages: the Debian packages that were missing, as the sentence names them.
    """

    row: Row
    words: tuple[str, ...]
    packages: str = ""

    @property
    def sentence(self) -> str:
        return self.row.sentence.format(*self.words, packages=self.packages)


def look(text: str) -> Optional[Cause]:
    """The first known cause in a text."""
    return next(_looked(text), None)


def _looked(text: str) -> Iterator[Cause]:
    unwrapped = re.sub(r"\s*\n\s*", " ", text.strip())  # uv breaks its lines in the middle of a sentence
    built = re.search(r"Failed to build `([^`]+)`", unwrapped)
    for row in ROWS:
        match = re.search(row.pattern, text, re.MULTILINE) or re.search(row.pattern, unwrapped)
        if match:
            words = tuple(group for group in match.groups() if group)
            yield Cause(row, words, debian.said([*words, built.group(1) if built else ""]))


def find(text: str) -> str:
    """The sentence of the first known cause in a text; empty where none is."""
    cause = look(text)
    return cause.sentence if cause else ""


def all_in(text: str) -> list[str]:
    """The sentences of all known causes in a text, each once."""
    return list(dict.fromkeys(cause.sentence for cause in _looked(text)))


def recall(sentence: str) -> Optional[Cause]:
    """The cause that a sentence tells, with its words."""
    for row in ROWS:
        match = re.search(_told(row), sentence, re.DOTALL)
        if match:
            found = match.groupdict()
            packages = found.pop("packages", "")
            return Cause(row, tuple(found[name] for name in sorted(found)), packages)
    return None


def _told(row: Row) -> str:
    """A pattern for the sentence of a row."""
    seen: set[str] = set()

    def blank(found: re.Match[str]) -> str:
        name = found.group(1)
        name = name if name == "packages" else f"word{name}"
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>.+?)"

    told = re.sub(r"\\\{(\w+)\\\}", blank, re.escape(row.sentence))
    return told + (r"\Z" if row.sentence.endswith("}") else "")


def explain(step: str, error: str, log: str) -> str:
    """One sentence for a failed step: the known cause, else the error itself."""
    return find(error) or find(log) or f"{step} failed: {error.splitlines()[0] if error else 'no message'}"


def answer(status: int, path: str, host: str, log: str) -> str:
    """One sentence for an answer that the gate does not accept."""
    if status in (400, 404):
        return find(f"{path} answers {status} to the host '{host}'")
    known = find(log)
    return f"{path} answers {status}" + (f": {known}" if known else "")


def tail(text: str, lines: int = LINES) -> str:
    """The last lines of a log."""
    return "\n".join(text.strip().splitlines()[-lines:])

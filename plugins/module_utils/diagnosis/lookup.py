# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find causes and cures in what a failing Act printed or answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

from ..host import debian
from . import build_tools
from .causes import ROWS
from .package_names import PACKAGES
from .rows import Row

LINES = 25
_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):$", re.MULTILINE)
_FOLLOWS = (
    "\nThe above exception was the direct cause of the following exception:\n\n",
    "\nDuring handling of the above exception, another exception occurred:\n\n",
)
_FRAME = re.compile(r'^  File "([^"]+)", line (\d+)', re.MULTILINE)
# the project's code: no package, not Python, and not the program that starts it
_OWN = re.compile(r"/(?!usr/)(?!.*/(?:site|dist)-packages/)(?!.*/manage\.py\Z).*/code/")


@dataclass(frozen=True)
class Cause:
    """A row that matches.

    Args:
        row: the row.
        words: what its groups matched: a name, a path, a number.
        packages: the missing Debian packages, as the sentence names them.
    """

    row: Row
    words: tuple[str, ...]
    packages: str = ""

    @property
    def sentence(self) -> str:
        package = PACKAGES.get(self.words[0], "") if self.words else ""
        tools = build_tools.said(self.words)
        return self.row.sentence.format(*self.words, packages=self.packages, package=package, tools=tools)


def look(text: str) -> Optional[Cause]:
    """Return the first known cause in a text."""
    return next(_looked(text), None)


def _looked(text: str) -> Iterator[Cause]:
    unwrapped = re.sub(r"\s*\n\s*", " ", text.strip())  # uv wraps its lines within a sentence
    built = re.search(r"Failed to build `([^`]+)`", unwrapped)
    for row in ROWS:
        match = re.search(row.pattern, text, re.MULTILINE) or re.search(row.pattern, unwrapped)
        if match:
            words = tuple(" ".join(group.split()) for group in match.groups() if group)
            yield Cause(row, words, debian.said([*words, built.group(1) if built else ""]))


def find(text: str) -> str:
    """Return the sentence of the first known cause in a text; empty if there is none."""
    cause = look(text)
    return cause.sentence if cause else ""


def all_in(text: str) -> list[str]:
    """Return the sentences of all known causes in a text, each once."""
    return list(dict.fromkeys(cause.sentence for cause in _looked(text)))


def recall(sentence: str) -> Optional[Cause]:
    """Return the cause that a sentence was made from, with its words."""
    for row in ROWS:
        match = re.search(_told(row), sentence, re.DOTALL)
        if match:
            found = match.groupdict()
            packages = found.pop("packages", "")
            for name in ("package", "tools"):
                found.pop(name, None)
            return Cause(row, tuple(found[name] for name in sorted(found)), packages)
    return None


def _told(row: Row) -> str:
    """Return a pattern that matches the sentence of a row."""
    seen: set[str] = set()

    def blank(found: re.Match[str]) -> str:
        name = found.group(1)
        name = name if name in ("package", "packages", "tools") else f"word{name}"
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>.+?)"

    told = re.sub(r"\\\{(\w+)\\\}", blank, re.escape(row.sentence))
    return told + (r"\Z" if row.sentence.endswith("}") else "")


def explain(step: str, error: str, log: str, at: str = "") -> str:
    """Return one sentence for a failed step: the known cause, or the error itself with the project's line it came from.

    Args:
        step: what was being done.
        error: the error's own words.
        log: what was printed.
        at: file and line in the project's code, if they are known.
    """
    known = find(error) or find(log)
    if known:
        return known
    said = error.splitlines()[0].strip().rstrip(":") if error.strip() else ""
    if said:
        return f"{step} failed: {said}" + (f" ({at})" if at else "")
    return f"{step} failed: {unknown(log) or 'it printed no reason'}"


def unknown(log: str) -> str:
    """Return the exception at the end of a log with the project's line it came from; empty without a traceback."""
    _before, mark, traceback = log.rpartition("Traceback (most recent call last):\n")
    if not mark:
        return ""
    raised = re.search(r"^(?![ \t])[\w.]*\w(?:: .*)?$", traceback, re.MULTILINE)
    if not raised:
        return ""
    own = [(path, line) for path, line in _FRAME.findall(traceback[: raised.start()]) if _OWN.match(path)]
    places = [f" ({re.sub(r'^.*?/code/', '', path)}:{line})" for path, line in own]
    return raised.group().strip() + (places[-1] if places else "")


def answer(status: int, path: str, host: str, log: str) -> str:
    """Return one sentence for an answer that the gate does not accept."""
    if status in (400, 404):
        return find(f"{path} answers {status} to the host '{host}'")
    known = find(log) or unknown(log)
    return f"{path} answers {status}" + (f": {known}" if known else "")


def chain(text: str) -> str:
    """Return the last traceback in a text, with those of the exceptions that led to it; empty if there is none."""
    for found in reversed(list(_TRACEBACK.finditer(text))):
        if not text[: found.start()].endswith(_FOLLOWS):
            return text[found.start() :]
    return ""


def tail(text: str, lines: int = LINES) -> str:
    """Return the last lines of a log."""
    return "\n".join(text.strip().splitlines()[-lines:])

# SPDX-License-Identifier: GPL-3.0-or-later
"""A loop of requests to live Venues, from the host's own loopback, beside whatever a test does."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from types import TracebackType

from .host import PLACE, Host


@dataclass
class Seen:
    """What the visitors of one Venue met.

    Args:
        requests: how many they made.
        slowest: the longest, in seconds.
        failed: every one without a whole answer of 2xx or 3xx: when, and what it was.
        pages: the different pages, in the order of their first appearance one after another.
    """

    requests: int
    slowest: float
    failed: list[str]
    pages: list[str]


class Visitors:
    """``with Visitors(host, "a.example.com/") as visitors: ...``; then ``visitors.seen``."""

    def __init__(self, host: Host, *places: str) -> None:
        self.seen: dict[str, Seen] = {}
        self._command = host.command("/usr/bin/python3", f"{PLACE}/visit.py", *places)

    def __enter__(self) -> Visitors:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "open\n", "the visitors did not come"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        said, _nothing = self._process.communicate("", timeout=30)
        if kind is None:
            self.seen = {venue: Seen(**found) for venue, found in json.loads(said).items()}

    def all_pleased(self) -> None:
        """Not one request failed, and enough were made to say so."""
        for venue, seen in self.seen.items():
            assert not seen.failed, f"{venue}: {len(seen.failed)} of {seen.requests} requests failed: {seen.failed[:5]}"
            assert seen.requests > 5, f"{venue}: only {seen.requests} requests were made"

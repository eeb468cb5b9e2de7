# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to live Venues in a loop, from the host's loopback address, while a test runs."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from types import TracebackType

from .host import PLACE, Host


@dataclass
class Seen:
    """The answers of one Venue.

    Args:
        requests: the number of requests.
        slowest: the seconds of the slowest one.
        failed: each request without a complete answer of 2xx or 3xx: its time, and the failure.
        pages: the pages, without repetitions of the page before.
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
        said, _nothing = self._process.communicate("", timeout=90)
        if kind is None:
            self.seen = {venue: Seen(**found) for venue, found in json.loads(said).items()}

    def all_pleased(self) -> None:
        """Assert that no request failed, and that there were enough requests."""
        for venue, seen in self.seen.items():
            assert not seen.failed, f"{venue}: {len(seen.failed)} of {seen.requests} requests failed: {seen.failed[:5]}"
            assert seen.requests > 5, f"{venue}: only {seen.requests} requests were made"

# SPDX-License-Identifier: GPL-3.0-or-later
"""Send one request after another to each Venue until standard input ends, then print the results as JSON.

The last request begins after that: it meets what plays at the end, however short the test was. Each request has its own
connection and is never repeated. It has failed if there is no complete answer of 2xx or 3xx.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time

PATIENCE = 30.0
"""Seconds after which a request is lost. A machine that is busy with other tests answers late."""
PAUSE = 0.01


class Visitor(threading.Thread):
    """Sends requests to one Venue in a loop."""

    def __init__(self, venue: str, path: str, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.venue, self.path, self.over = venue, path, over
        self.requests = 0
        self.slowest = 0.0
        self.failed: list[str] = []
        self.pages: list[str] = []

    def run(self) -> None:
        is_over = False
        while not is_over:
            is_over = self.over.is_set()
            began = time.monotonic()
            try:
                self._ask()
            except (OSError, http.client.HTTPException) as error:
                self._fail(f"{type(error).__name__}: {error}")
            self.requests += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
            time.sleep(PAUSE)

    def _ask(self) -> None:
        client = http.client.HTTPConnection("127.0.0.1", 80, timeout=PATIENCE)
        try:
            client.request("GET", self.path, headers={"Host": self.venue, "Connection": "close"})
            answer = client.getresponse()
            page = answer.read().decode("utf-8", "replace").strip()
        finally:
            client.close()
        if not 200 <= answer.status < 400:
            self._fail(str(answer.status))
        elif page not in self.pages[-1:]:
            self.pages.append(page[:200])

    def _fail(self, what: str) -> None:
        # if nobody answers for minutes, a few failures are enough
        if len(self.failed) < 1000:
            self.failed.append(f"{time.time():.3f} {what}")


def main(*places: str) -> None:
    over = threading.Event()
    visitors = [Visitor(*place.partition("/")[::2], over) for place in places]
    for visitor in visitors:
        visitor.path = "/" + visitor.path
        visitor.start()
    print("open", flush=True)
    sys.stdin.read()
    over.set()
    for visitor in visitors:
        visitor.join(2 * PATIENCE + 1)
    keys = ("requests", "slowest", "failed", "pages")
    print(json.dumps({v.venue: {key: getattr(v, key) for key in keys} for v in visitors}))


if __name__ == "__main__":
    main(*sys.argv[1:])

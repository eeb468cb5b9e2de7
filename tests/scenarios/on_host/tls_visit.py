# SPDX-License-Identifier: GPL-3.0-or-later
"""Visitors by HTTPS and HTTP until standard input ends: tls_visit.py TRUSTED KIND=URL..., then what they saw, as JSON.

TRUSTED is a file of certificates that they trust, or - for any certificate. KIND is keep (one connection for all
requests) or new (one for each). A request failed if there was no whole answer of 2xx or 3xx within five seconds. One on
a reused connection that closed before the first byte of its answer is sent once more (RFC 9110, 9.2.2), and counted.
The last one begins after the end of standard input: it meets what nginx serves at the end, however short the test was.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
import threading
import time
from urllib.parse import urlsplit

PATIENCE = 5.0
PAUSE = 0.005
CLOSED = (
    http.client.RemoteDisconnected,
    ConnectionResetError,
    BrokenPipeError,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
)


class Visitor(threading.Thread):
    """Asks for one page over and over."""

    def __init__(self, what: str, trusted: str, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.what, self.over = what, over
        kind, _equals, url = what.partition("=")
        self.keeps, self.url = kind == "keep", urlsplit(url)
        self.context = ssl.create_default_context(cafile=None if trusted == "-" else trusted)
        if trusted == "-":
            self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.client: http.client.HTTPConnection | None = None
        self.requests = self.resent = 0
        self.failed: list[str] = []
        self.statuses: dict[str, int] = {}
        self.certificates: set[str] = set()

    def run(self) -> None:
        is_over = False
        while not is_over:
            is_over = self.over.is_set()
            self.requests += 1
            try:
                self._ask()
            except (OSError, http.client.HTTPException) as error:
                self._fail(f"{type(error).__name__}: {error}")
            time.sleep(PAUSE)

    def _ask(self) -> None:
        is_reused = self.client is not None
        try:
            status = self._once()
        except CLOSED:
            if not is_reused:
                raise
            self.resent += 1
            status = self._once()
        self.statuses[str(status)] = self.statuses.get(str(status), 0) + 1
        if not 200 <= status < 400:
            self._fail(str(status))

    def _once(self) -> int:
        client = self.client or self._connected()
        self.client = None  # what fails is not used again
        client.request("GET", self.url.path, headers={"Host": self.url.netloc})
        answer = client.getresponse()
        answer.read()
        if self.keeps and not answer.will_close:
            self.client = client
        else:
            client.close()
        return answer.status

    def _connected(self) -> http.client.HTTPConnection:
        is_tls = self.url.scheme == "https"
        client = http.client.HTTPConnection("127.0.0.1", 443 if is_tls else 80, timeout=PATIENCE)
        plain = socket.create_connection((client.host, client.port), PATIENCE)
        client.sock = plain
        if is_tls:
            client.sock = secured = self.context.wrap_socket(plain, server_hostname=self.url.netloc)
            self.certificates.add(str(hash(secured.getpeercert(True))))
        return client

    def _fail(self, what: str) -> None:
        if len(self.failed) < 1000:
            self.failed.append(f"{time.time():.3f} {what}")


def main(trusted: str, *wanted: str) -> None:
    over = threading.Event()
    visitors = [Visitor(what, trusted, over) for what in wanted]
    for visitor in visitors:
        visitor.start()
    print("open", flush=True)
    sys.stdin.read()
    over.set()
    for visitor in visitors:
        visitor.join(2 * PATIENCE + 1)
    keys = ("requests", "resent", "failed", "statuses")
    said = {v.what: {**{key: getattr(v, key) for key in keys}, "certificates": len(v.certificates)} for v in visitors}
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])

# SPDX-License-Identifier: GPL-3.0-or-later
"""slow.py ADDRESS HOST SECONDS KIND=COUNT...: many connections that take their time; what became of them, as JSON.

KIND is "headers" (a line every 2 s), "body" (a byte every 2 s), "idle" (a body that never comes) or "read" (ten bytes
every 2 s of a long answer). It runs on a host, against another one of the same garage, and for a bounded time.
"""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import sys
import time
from typing import Any

Told = dict[str, Any]
REQUESTS = {
    "headers": "GET / HTTP/1.1\r\nHost: {host}\r\n",
    "body": "POST /upload/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000\r\n\r\n",
    "idle": "POST /upload/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000\r\n\r\n",
    "read": "GET /big/?megabytes=2 HTTP/1.1\r\nHost: {host}\r\n\r\n",
}
DROPS = {"headers": b"X-A: b\r\n", "body": b"x", "idle": b"", "read": b""}


class Client:
    """One connection, and when it was closed by the other side."""

    def __init__(self, address: str, request: bytes, kind: str) -> None:
        self.kind = kind
        self.answer = b""
        self.closed = 0.0
        self.socket = socket.socket()
        if kind == "read":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.socket.settimeout(5)
        self.socket.connect((address, 80))
        self.socket.sendall(request)
        self.socket.setblocking(False)

    def drip(self, began: float) -> None:
        """Read what is there, or a little of it, and send a little."""
        try:
            with contextlib.suppress(BlockingIOError):
                if not self._read(10 if self.kind == "read" else 65536):
                    self.close(began)
                    return
            if DROPS[self.kind]:
                self.socket.sendall(DROPS[self.kind])
        except OSError:
            self.close(began)

    def _read(self, size: int) -> bool:
        part = self.socket.recv(size)
        self.answer += part
        return bool(part)

    def close(self, began: float) -> None:
        self.closed = time.monotonic() - began
        self.socket.close()


def come(address: str, host: str, seconds: float, kinds: dict[str, int]) -> dict[str, Told]:
    """Open all connections, let them drip, and tell of each kind."""
    clients = list[Client]()
    for kind, count in kinds.items():
        request = REQUESTS[kind].format(host=host).encode()
        clients += [Client(address, request, kind) for _number in range(count)]
    print("open", flush=True)
    began = time.monotonic()  # on a loaded machine seconds after the first of them was open
    while time.monotonic() - began < seconds and any(not client.closed for client in clients):
        for client in clients:
            if not client.closed:
                client.drip(began)
        time.sleep(2)
    _drain([client for client in clients if client.kind == "read" and not client.closed], began)
    return {kind: _told([client for client in clients if client.kind == kind]) for kind in kinds}


def _told(clients: list[Client]) -> Told:
    statuses = [client.answer[9:12].decode() for client in clients]
    return {
        "closed": sum(bool(client.closed) for client in clients),
        "last": max(client.closed for client in clients),
        "statuses": {status: statuses.count(status) for status in sorted(set(statuses))},
    }


def _drain(clients: list[Client], began: float) -> None:
    """Whether the other side is gone shows only behind what it had sent."""
    for client in clients:
        client.socket.settimeout(1)
        with contextlib.suppress(TimeoutError):
            try:
                while client._read(1 << 20):
                    client.answer = client.answer[:12]
            except TimeoutError:
                raise
            except OSError:
                pass  # a reset
            client.close(began)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    where, name, long, *wanted = sys.argv[1:]
    counts = {kind: int(count) for kind, _is, count in (word.partition("=") for word in wanted)}
    print(json.dumps(come(where, name, float(long), counts)), flush=True)

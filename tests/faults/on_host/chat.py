# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSockets: clients of one Venue that send a message after the other, until standard input ends; then what they saw.

chat.py VENUE PATH CLIENTS. A client whose socket is closed opens another one at once. What it prints is JSON: messages
that came back, the closes by their code (1006: without a close frame), openings that failed, and the longest time that
a client was without a socket.
"""

from __future__ import annotations

import base64
import collections
import json
import os
import select
import socket
import struct
import sys
import threading
import time

PAUSE = 0.02
PATIENCE = 30.0
"""Seconds for an answer."""
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Closed(Exception):
    """The server has closed the socket."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Client(threading.Thread):
    """One client."""

    def __init__(self, venue: str, path: str, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.venue, self.path, self.over = venue, path, over
        self.messages = 0
        self.longest = 0.0
        self.closes: collections.Counter[int] = collections.Counter()
        self.failed: list[str] = []

    def run(self) -> None:
        closed = 0.0
        while not self.over.is_set():
            try:
                with connected(self.venue, self.path, PATIENCE) as client:
                    self.longest = max(self.longest, time.monotonic() - closed if closed else 0)
                    self._talk(client)
            except Closed as end:
                self.closes[end.code] += 1
                closed = time.monotonic()
            except OSError as error:
                self.failed.append(f"{time.time():.3f} {error!r}")
                time.sleep(PAUSE)

    def _talk(self, client: socket.socket) -> None:
        while not self.over.is_set():
            text = str(self.messages).encode()
            try:
                send(client, TEXT, text)
                self.messages += self._text(client) == text
                # a message that is sent to a socket which was closed meanwhile would take the close frame with it
                if select.select([client], [], [], PAUSE)[0]:
                    frame(client)
            except (BrokenPipeError, ConnectionResetError):
                raise Closed(1006) from None

    def _text(self, client: socket.socket) -> bytes:
        while True:
            kind, data = frame(client)
            if kind == TEXT:
                return data


def connected(venue: str, path: str, patience: float, origin: str = "") -> socket.socket:
    """Open a WebSocket.

    Raises:
        ConnectionRefusedError: the answer is another one; the error is its first line.
    """
    client = socket.create_connection(("127.0.0.1", 80), patience)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: {venue}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Origin: http://{origin}"] * bool(origin)
    lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
    try:
        client.sendall("\r\n".join(lines).encode())
        said = b""
        while not said.endswith(b"\r\n\r\n"):
            byte = client.recv(1)
            if not byte:
                raise ConnectionResetError("closed before it was opened")
            said += byte
        if b" 101 " not in said.splitlines()[0]:
            raise ConnectionRefusedError(said.splitlines()[0].decode())
    except OSError:
        client.close()
        raise
    return client


def send(client: socket.socket, kind: int, data: bytes) -> None:
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
    client.sendall(struct.pack("!BB", 0x80 | kind, 0x80 | len(data)) + mask + masked)


def frame(client: socket.socket) -> tuple[int, bytes]:
    """Read one frame. A ping is answered, as the server closes who does not.

    Raises:
        Closed: it closes the socket.
    """
    first, second = _exactly(client, 2)
    kind, data = first & 15, _exactly(client, second & 127)
    if kind == CLOSE:
        raise Closed(struct.unpack("!H", data[:2])[0] if data else 1005)
    if kind == PING:
        send(client, PONG, data)
    return kind, data


def _exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = client.recv(size - len(data))
        if not chunk:
            raise ConnectionResetError
        data += chunk
    return data


def main(venue: str, path: str, number: str) -> None:
    over = threading.Event()
    clients = [Client(venue, path, over) for _number in range(int(number))]
    for client in clients:
        client.start()
    while not all(client.messages for client in clients) and not any(client.failed for client in clients):
        time.sleep(PAUSE)
    print("open", flush=True)
    sys.stdin.read()
    over.set()
    for client in clients:
        client.join(PATIENCE + 1)
    closes: collections.Counter[int] = sum((client.closes for client in clients), collections.Counter())
    found = {
        "messages": sum(client.messages for client in clients),
        "closes": closes,
        "failed": [what for client in clients for what in client.failed],
        "longest": max(client.longest for client in clients),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])

# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP server that breaks off in every way a load generator must tell apart, and counts what it was asked."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable

HELLO = b"HTTP/1.1 200 OK\r\nX-Edition: 7\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = CHUNKED + b'5;note="a b"\r\nhello\r\n00A\r\n0123456789\r\n0\r\nX-End: yes\r\n\r\n'
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


def reset(peer: socket.socket) -> None:
    """Close with RST instead of FIN."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def slice_by_slice(peer: socket.socket, data: bytes) -> None:
    """Send byte by byte, so that every boundary of a parser is met."""
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in data:
        peer.sendall(bytes([byte]))


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


# What a connection does when asked for a path. True: it stays open for the next request.
Behaviour = Callable[[socket.socket, int], bool]


def says(data: bytes, stays: bool = True) -> Behaviour:
    def behave(peer: socket.socket, number: int) -> bool:
        peer.sendall(data)
        return stays

    return behave


def breaks(data: bytes) -> Behaviour:
    def behave(peer: socket.socket, number: int) -> bool:
        peer.sendall(data)
        time.sleep(0.01)  # what was sent arrives before the RST
        reset(peer)
        return False

    return behave


def sliced(data: bytes) -> Behaviour:
    def behave(peer: socket.socket, number: int) -> bool:
        slice_by_slice(peer, data)
        return True

    return behave


def second_unanswered(end: Callable[[socket.socket], None]) -> Behaviour:
    """Answers the first request of each connection and closes instead of answering the second."""

    def behave(peer: socket.socket, number: int) -> bool:
        if number == 1:
            peer.sendall(HELLO)
            return True
        end(peer)
        return False

    return behave


def second_broken_off(peer: socket.socket, number: int) -> bool:
    peer.sendall(HELLO if number == 1 else HELLO[:40])
    return number == 1


def silent(peer: socket.socket, number: int) -> bool:
    time.sleep(30)
    return False


def slow(peer: socket.socket, number: int) -> bool:
    time.sleep(0.3)
    peer.sendall(HELLO)
    return True


BEHAVIOURS: dict[str, Behaviour] = {
    "/": says(HELLO),
    "/sliced": sliced(HELLO),
    "/chunks": says(CHUNKS),
    "/chunks-sliced": sliced(CHUNKS),
    "/empty": says(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "/redirect": says(answer("302 Found", b"", "Location: /")),
    "/not-modified": says(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"),
    "/last": says(answer("200 OK", b"bye", "Connection: close"), stays=False),
    "/old": says(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", stays=False),
    "/502": says(answer("502 Bad Gateway", b"no upstream")),
    "/503-chunks": says(CHUNKS.replace(b"200 OK", b"503 Closed")),
    "/404": says(answer("404 Not Found", b"nothing here")),
    "/eof": says(b"", stays=False),
    "/reset": breaks(b""),
    "/truncated": says(LONG + b"x" * 70000, stays=False),
    "/truncated-head": says(b"HTTP/1.1 200 OK\r\nContent-Le", stays=False),
    "/truncated-chunk": says(CHUNKS[:-20], stays=False),
    "/truncated-end": says(CHUNKS[:-2], stays=False),
    "/reset-within": breaks(LONG + b"x" * 500),
    "/silent": silent,
    "/slow": slow,
    "/second-eof": second_unanswered(lambda peer: None),
    "/second-reset": second_unanswered(reset),
    "/second-broken-off": second_broken_off,
    "/unframed": says(b"HTTP/1.1 200 OK\r\n\r\nhow long is this", stays=False),
    "/more": says(HELLO + b"more"),
    "/two-lengths": says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    "/both-framings": says(CHUNKS.replace(b"Transfer", b"Content-Length: 3\r\nTransfer")),
    "/bad-chunk": says(CHUNKS.replace(b"00A", b"00G")),
    "/not-http": says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "/endless-head": says(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: yes\r\n" * 2000 + b"\r\n"),
}


class Server:
    """Serves BEHAVIOURS on a loopback port, a thread a connection; `asked` counts whole requests by method and path."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.connections = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                peer, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        try:
            with peer, peer.makefile("rb") as stream:
                number = 0
                while head := self._head(stream):
                    number += 1
                    method, path = head.split(" ")[:2]
                    if path == "/early":  # answers without having read the body
                        peer.sendall(answer("413 Too Large", b"", "Connection: close"))
                        return
                    if length := re.search(r"content-length: (\d+)", head, re.IGNORECASE):
                        stream.read(int(length[1]))
                    with self._lock:
                        self.asked[f"{method} {path}"] += 1
                    if not BEHAVIOURS[path](peer, number) or "Connection: close" in head:
                        return
        except OSError:
            return

    @staticmethod
    def _head(stream: object) -> str:
        lines = []
        for line in iter(stream.readline, b""):  # type: ignore[attr-defined]
            if line == b"\r\n":
                return "".join(lines)
            lines.append(line.decode())
        return ""

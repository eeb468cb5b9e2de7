# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests as bytes, also such as no HTTP library would send."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass


@dataclass
class Answer:
    """What came back.

    Args:
        status: 0 where the connection was closed, or reset, without an answer.
        head: the status line and the headers.
        body: what followed.
        seconds: how long it took.
    """

    status: int
    head: str
    body: bytes
    seconds: float


def ask(address: str, request: bytes, port: int = 80, timeout: float = 15) -> Answer:
    """Send a request, and read until the other side closes: it should have "Connection: close"."""
    began, said = time.monotonic(), b""
    with socket.create_connection((address, port), timeout=timeout) as client:
        try:
            client.sendall(request)
            while part := client.recv(65536):
                said += part
        except ConnectionError:
            pass  # what came before it counts
    head, _blank, body = said.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    status = int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/") else 0
    return Answer(status, head.decode("latin-1"), body, time.monotonic() - began)


def get(address: str, host: str, path: str = "/", *lines: str, method: str = "GET", port: int = 80) -> Answer:
    """An ordinary request with more header lines."""
    head = "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *lines, "Connection: close", "", ""])
    return ask(address, head.encode("latin-1"), port)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Small real servers on unix sockets: one that speaks the uwsgi protocol, and one that answers whoever connects."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

Variables = dict[str, str]


@contextmanager
def listening(path: Path, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """Call serve with each connection to a socket that everybody may connect to, one after the other."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o666)
        server.listen(16)
        server.settimeout(0.05)
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                try:
                    client, _peer = server.accept()
                except TimeoutError:
                    continue
                with client, contextlib.suppress(OSError):  # the client went away
                    client.settimeout(None)
                    serve(client)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(5)


def exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = client.recv(size - len(data))
        assert chunk, "the client closed in the middle"
        data += chunk
    return data


def read_request(client: socket.socket) -> Variables:
    """One uwsgi packet: modifier 0, a size, then lengths and texts in pairs."""
    modifier, size, _other = struct.unpack("<BHB", exactly(client, 4))
    assert modifier == 0
    data = exactly(client, size)
    texts: list[str] = []
    while data:
        (length,) = struct.unpack("<H", data[:2])
        texts.append(data[2 : 2 + length].decode())
        data = data[2 + length :]
    return dict(zip(texts[::2], texts[1::2]))

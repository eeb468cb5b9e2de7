# SPDX-License-Identifier: GPL-3.0-or-later
"""The largest upload, by a real nginx."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Venue
from waiting import eventually

from .conftest import NAME, Place, Serve


@pytest.mark.parametrize(("upload", "status"), [("10k", 413), ("100k", 200)])
def test_a_body_that_is_too_large_is_refused(serve: Serve, upload: str, status: int) -> None:
    assert serve(Venue(NAME, upload=upload)).ask(body=50_000)[0] == status


def test_an_upload_without_a_length_and_without_an_end(serve: Serve) -> None:
    """Refused while it is sent, and what was kept of it is gone."""
    place = serve(Venue(NAME, upload="100k"))
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    with socket.create_connection(("127.0.0.1", place.server.port)) as client:
        client.sendall(f"POST / HTTP/1.1\r\nHost: {NAME}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        sent = 0
        said = b""
        while not said and sent < 1000:
            client.settimeout(0.01 if sent < 100 else 1)  # nginx may be late, but not by a hundred seconds
            client.sendall(chunk)
            sent += 1
            try:
                said = client.recv(12)
            except TimeoutError:
                continue
    assert said == b"HTTP/1.1 413"
    assert sent < 200, "it is refused at its size, and not when it ends"
    eventually(lambda: not kept(place))  # nginx sees that the client has gone a moment later


def kept(place: Place) -> list[Path]:
    return [one for one in (place.server.root / "client_body").rglob("*") if one.is_file()]

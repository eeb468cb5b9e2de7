# SPDX-License-Identifier: GPL-3.0-or-later
"""A Venue with options, served by a real nginx: an Act, static files, uploads, and visitors of many addresses."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Venue

from ....house import A, House
from ....servers import Nginx, exactly, free_port, listening, read_request, uwsgi_params

NAME = "kittens.example.com"
GIG = Booked("kittens", "/", ("/static/",), ("/media/",), 60)
PARAMS = uwsgi_params(
    PATH_INFO="$document_uri",
    REQUEST_METHOD="$request_method",
    REMOTE_ADDR="$remote_addr",
    CONTENT_LENGTH="$content_length",
)


@dataclass(frozen=True)
class Place:
    """Where the Venue is served."""

    server: Nginx
    house: House

    def ask(
        self, path: str = "/", name: str = NAME, source: str = "127.0.0.1", body: int = 0, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """What a visitor gets who comes from this address of the host's own."""
        client = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60, source_address=(source, 0))
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        try:
            client.request("POST" if body else "GET", path, "x" * body or None, {"Host": name, **named})
            answer = client.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            client.close()

    def status(self, path: str = "/", source: str = "127.0.0.1", **headers: str) -> int:
        return self.ask(path, NAME, source, **headers)[0]


Serve = Callable[..., Place]


@pytest.fixture
def serve(house: House, nginx_program: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serve a Venue with what its options say."""
    monkeypatch.setattr(server_block, "LOGS", str(house.root / "log"))
    port = free_port()
    house.host = replace(house.host, http_port=port, ipv6=False)
    paths = house.act()
    own = paths.sess(f"{A}.1")
    texts = {
        f"{paths.release(A).static}/now.css": "now",
        f"{paths.media}/cat.txt": "cat",
        house.host.params: PARAMS,
        **{f"{house.host.pages}/{page}.html": f"page {page}" for page in ("closed", "502", "503", "504")},
    }
    for name, text in texts.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    for directory in (own.door, own.older):
        os.makedirs(directory)
    os.symlink(house.root / "s", own.socket)
    os.symlink(paths.release(A).static, own.static)
    files.link(paths.live, f"sesses/{A}.1")
    with ExitStack() as stack:

        def start(venue: Venue, gig: Optional[Booked] = GIG) -> Place:
            house.book(venue, *([gig] if gig else []))
            stack.enter_context(listening(house.root / "s", answer))
            running = Nginx.running(nginx_program, house.root, house.host.venues, port)
            return Place(stack.enter_context(running), house)

        yield start


def answer(client: socket.socket) -> None:
    """The Act says what it was told."""
    asked = read_request(client)
    exactly(client, int(asked["CONTENT_LENGTH"] or 0))
    said = json.dumps(asked)
    client.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{said}".encode())

# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 81: nginx starts and serves a Venue although no name can be resolved, because its files name no other host."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Auth, Proxies, Rate, Venue

from .options.conftest import NAME, Serve, serve

__all__ = ["serve"]

RESOLVER = Path("/etc/resolv.conf")
PLAIN = Venue(NAME, ["www.kittens.example.com"])
WITH_OPTIONS = Venue(
    NAME,
    ["www.kittens.example.com"],
    auth=Auth({"ada": "$apr1$12345678$QkpnYZEJEhAKyQ1GcB8vb1"}),
    allow=["127.0.0.0/8"],
    deny=["192.0.2.0/24"],
    rate=Rate("5/s", 20),
    upload="2g",
    proxies=Proxies(["192.0.2.0/24"]),
)


@pytest.fixture
def asked() -> Iterator[socket.socket]:
    """The only name server that this machine knows; it answers nobody."""
    before = RESOLVER.read_text()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        server.setblocking(False)
        RESOLVER.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        yield server
        RESOLVER.write_text(before)


@pytest.mark.parametrize(("venue", "status"), [(PLAIN, 200), (WITH_OPTIONS, 401)])
def test_nginx_asks_for_no_name(serve: Serve, asked: socket.socket, venue: Venue, status: int) -> None:
    assert serve(venue).status() == status
    with pytest.raises(BlockingIOError):
        asked.recv(512)


def test_this_name_server_would_be_asked(asked: socket.socket) -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("elsewhere.example.com", 80)
    assert b"elsewhere" in asked.recv(512)

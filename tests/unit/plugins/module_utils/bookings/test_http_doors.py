# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a door that speaks HTTP gets to know of a request, by a real nginx with the role's own parameters."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import locations, server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.bookings.options.lines import Lines
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Venue

from ...house import A, House
from ...servers import Nginx, free_port, listening, read_http, role_text

NAME = "a.example"
BLOG = Booked("blog", "/my.blog", (), (), 60, protocol="http")
ROOT = Booked("root", "/", (), (), 60, protocol="http")
ALWAYS = {
    "host": NAME,
    "x-forwarded-proto": "http",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-host": NAME,
    "x-real-ip": "127.0.0.1",
    "connection": "close",
}


def answer(client: socket.socket, name: str) -> None:
    first, found = read_http(client)
    headers = [(name, value.lower()) for name, value in found]
    body = json.dumps({"act": name, "asked": first, "headers": headers})
    client.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


@pytest.fixture
def served(house: House, nginx_program: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nginx]:
    monkeypatch.setattr(server_block, "LOGS", str(house.root / "log"))
    house.host = replace(house.host, http_port=free_port(), ipv6=False)
    Path(house.host.proxy_params).write_text(role_text("proxy.params"))
    with ExitStack() as stack:
        for booked in (BLOG, ROOT):
            own = house.act(booked.act).sess(f"{A}.1")
            os.makedirs(own.door)
            os.symlink(house.root / booked.act, own.http_socket)
            files.link(house.act(booked.act).live, f"sesses/{A}.1")
            serve = partial(answer, name=booked.act)
            stack.enter_context(listening(house.root / booked.act, serve))
        house.book(Venue(NAME), ROOT, BLOG)
        yield stack.enter_context(Nginx.running(nginx_program, house.root, house.host.venues, house.host.http_port))


def ask(nginx: Nginx, url: str, headers: str = "") -> tuple[str, str, dict[str, str]]:
    """Who answers, what it was asked, and the headers that it met."""
    with socket.create_connection(("127.0.0.1", nginx.port)) as client:
        client.sendall(f"GET {url} HTTP/1.1\r\nHost: {NAME}\r\n{headers}Connection: close\r\n\r\n".encode())
        said = b"".join(iter(lambda: client.recv(1 << 16), b""))
    found = json.loads(said.partition(b"\r\n\r\n")[2])
    names = [name for name, _value in found["headers"]]
    assert len(names) == len(set(names)), "each header once"
    return found["act"], found["asked"], dict(found["headers"])


ASKED = [
    # (URL, who answers, what it is asked, its prefix)
    ("/", "root", "GET / HTTP/1.1", None),
    ("/a/b?c=%20&d", "root", "GET /a/b?c=%20&d HTTP/1.1", None),
    ("/my.blog/", "blog", "GET / HTTP/1.1", "/my.blog"),
    ("/my.blog/a/?b=c", "blog", "GET /a/?b=c HTTP/1.1", "/my.blog"),
    ("/my.blog/my.blog/", "blog", "GET /my.blog/ HTTP/1.1", "/my.blog"),
    # as nginx reads a URI to choose the location: who is asked for one path must not be told another
    ("/x/../my.blog/a", "blog", "GET /a HTTP/1.1", "/my.blog"),
    ("/my.blog/../a", "root", "GET /a HTTP/1.1", None),
    ("/my.blog/%2e%2e/a", "root", "GET /a HTTP/1.1", None),
    ("/my.blog//a", "blog", "GET /a HTTP/1.1", "/my.blog"),
    # what a visitor escaped stays a part of the path
    ("/my.blog/%C3%A4%3Fx%0Ay", "blog", "GET /%C3%A4%3Fx%0Ay HTTP/1.1", "/my.blog"),
    ("/a%2520b%0d%0aX:y", "root", "GET /a%2520b%0D%0AX:y HTTP/1.1", None),
]


def test_what_a_door_is_asked(served: Nginx) -> None:
    for url, act, asked, prefix in ASKED:
        found = ask(served, url)
        assert (found[0], found[1], found[2].get("x-backstage-prefix")) == (act, asked, prefix)
        assert found[2].items() >= ALWAYS.items()


FORGED = (
    "X-Backstage-Prefix: /admin\r\nX-Backstage-Roll-Call: 1 99999999\r\nRemote-User: root\r\nProxy: evil\r\n"
    "X-Forwarded-Proto: https\r\nX-Forwarded-For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n"
    "X_Real_IP: 6.6.6.6\r\nX-Original-URL: /admin\r\n"
)


def test_a_visitor_forges_nothing(served: Nginx) -> None:
    _act, _asked, found = ask(served, "/", FORGED)
    assert found.items() >= ALWAYS.items()
    assert set(found) - set(ALWAYS) == {"x-forwarded-port", "x-request-id"}


def test_a_websocket_is_passed_on(served: Nginx) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket"
        client.sendall(f"GET /chat HTTP/1.1\r\nHost: {NAME}\r\n{upgrade}\r\n\r\n".encode())
        body = client.recv(1 << 16).partition(b"\r\n\r\n")[2]
    headers = dict(json.loads(body)["headers"])
    assert (headers["upgrade"], headers["connection"]) == ("websocket", "upgrade")


def test_nginx_has_nothing_to_say_about_the_parameters(served: Nginx, house: House) -> None:
    """It warns of a hash that is too small, for one."""
    assert "[warn]" not in (house.root / "error.log").read_text()


def test_a_header_that_an_option_hides(house: House) -> None:
    """A password is nginx's, and no Act's."""
    text = locations.render(house.paths, [ROOT], house.host, Lines(hidden=("Authorization",)))
    assert '        proxy_set_header Authorization "";\n' in text
    text = locations.render(house.paths, [replace(ROOT, protocol="uwsgi")], house.host, Lines(hidden=("A-B",)))
    assert '        uwsgi_param HTTP_A_B "";\n' in text

# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that an Act has nginx send to the visitors whom it knows: by a real nginx, and never those of another Act."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Venue

from ...house import A, House
from ...servers import Nginx, free_port, listening, read_http, read_request, role_text, uwsgi_params

V = "a.example"
ACTS = (Booked("kittens", "/", (), ("/media/",), 60), Booked("dogs", "/dogs", (), ("/dogs/media/",), 60))


def answer(client: socket.socket, protocol: str) -> None:
    """An Act that sends whatever is asked for: the query is the header."""
    uri = read_http(client)[0].split()[1] if protocol == "http" else "?" + read_request(client)["QUERY_STRING"]
    said = uri.partition("?")[2]
    client.sendall(f"HTTP/1.1 200 OK\r\nX-Accel-Redirect: {said}\r\n\r\nnever seen".encode())


@pytest.fixture(params=["uwsgi", "http"])
def served(
    house: House, nginx_program: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Nginx]:
    monkeypatch.setattr(server_block, "LOGS", str(house.root / "log"))
    house.host = replace(house.host, http_port=free_port(), ipv6=False)
    Path(house.host.params).write_text(uwsgi_params(QUERY_STRING="$query_string"))
    Path(house.host.proxy_params).write_text(role_text("proxy.params"))
    for name in ("kittens", "dogs"):
        paths = house.act(name)
        private = Path(paths.media, ".private")
        os.makedirs(private / "letters")
        (private / f"{name}.txt").write_text(f"of {name}")
        (private / "letters" / "page.html").write_text("<script>")
        Path(paths.media, "cat.jpg").write_text("cat")
        os.symlink("/etc/passwd", private / "passwd.txt")
        os.symlink(house.act("kittens").media, private / "kittens")
        os.makedirs(paths.sess(f"{A}.1").door)
        own = paths.sess(f"{A}.1")
        os.symlink(house.root / name, own.socket if request.param == "uwsgi" else own.http_socket)
        files.link(paths.live, f"sesses/{A}.1")
    house.book(Venue(V), *(replace(gig, protocol=request.param) for gig in ACTS))
    with ExitStack() as stack:
        for name in ("kittens", "dogs"):
            stack.enter_context(listening(house.root / name, partial(answer, protocol=request.param)))
        yield stack.enter_context(Nginx.running(nginx_program, house.root, house.host.venues, house.host.http_port))


P = "/backstage-private/"
SENT = [
    # (the Act's path, what it names, the answer)
    ("/", P + "kittens.txt", (200, "of kittens")),
    ("/dogs/", P + "dogs.txt", (200, "of dogs")),
    ("/", P + "letters/page.html", (200, "<script>")),
    ("/", P + "missing.txt", (404, "")),
    # of another Act at the same Venue
    ("/dogs/", P + "kittens.txt", (404, "")),
    ("/dogs/", P + "../../kittens/media/.private/kittens.txt", (404, "")),
    ("/dogs/", P + "%2e%2e/%2e%2e/%2e%2e/kittens/media/.private/kittens.txt", (404, "")),
    ("/dogs/", P + "kittens/.private/kittens.txt", (404, "")),
    # links of its making
    ("/", P + "passwd.txt", (403, "")),
    ("/dogs/", P + "kittens/cat.jpg", (404, "")),
]


@pytest.mark.parametrize(("path", "named", "expected"), SENT)
def test_what_an_act_names(served: Nginx, path: str, named: str, expected: tuple[int, str]) -> None:
    status, headers, text = served.get(V, f"{path}?{named}")
    assert (status, text if status == 200 else "") == expected
    if status == 200:
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", [P + "kittens.txt", "/media/.private/kittens.txt", "/dogs/media/.private/dogs.txt"])
def test_a_visitor_who_asks_for_it_without_the_act(served: Nginx, path: str) -> None:
    """FAULTS 68: an internal URL, and a directory whose name begins with a dot."""
    assert served.get(V, path)[0] == 404

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Static files that an Act answers itself, by a real nginx, and the older names behind it."""

from __future__ import annotations

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
from ...servers import Nginx, free_port, listening, read_http, read_request, role_text

ROOT, BLOG = "root.example", "blog.example"
GIGS = {
    ROOT: Booked("root", "/", (), (), 60, app=("/static/",)),
    BLOG: Booked("blog", "/b", (), (), 60, app=("/b/static/",)),
}
OWN = {"/static/new.css", "/"}


def answer(client: socket.socket, protocol: str) -> None:
    """Answer what the Act has; its name of a file is that without the path at which it plays."""
    asked = read_http(client)[0].split()[1] if protocol == "http" else read_request(client)["PATH_INFO"]
    status, body = ("200 OK", f"act {asked}") if asked in OWN else ("404 Not Found", "the act has none")
    client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


@pytest.fixture(params=["uwsgi", "http"])
def served(
    house: House, nginx_program: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Nginx]:
    monkeypatch.setattr(server_block, "LOGS", str(house.root / "log"))
    house.host = replace(house.host, http_port=free_port(), ipv6=False)
    for name, path in (("uwsgi.params", house.host.params), ("proxy.params", house.host.proxy_params)):
        Path(path).write_text(role_text(name))
    with ExitStack() as stack:
        for venue, gig in GIGS.items():
            own = house.act(gig.act).sess(f"{A}.1")
            for place, names in ((own.static, ("new.css", "kept.sqlite3")), (own.older + "/1", ("old.css", "new.css"))):
                os.makedirs(place)
                for name in names:
                    Path(place, name).write_text(f"file {os.path.basename(place)}/{name}")
            os.makedirs(own.door)
            door = own.socket if request.param == "uwsgi" else own.http_socket
            stack.enter_context(listening(house.root / gig.act, partial(answer, protocol=request.param)))
            os.symlink(house.root / gig.act, door)
            files.link(house.act(gig.act).live, f"sesses/{A}.1")
            house.book(Venue(venue), replace(gig, protocol=request.param))
        yield stack.enter_context(Nginx.running(nginx_program, house.root, house.host.venues, house.host.http_port))


ASKED = [
    ("new.css", 200, "act /static/new.css"),
    ("old.css", 200, "file 1/old.css"),
    ("gone.css", 404, ""),
    ("kept.sqlite3", 404, ""),
    ("../new.css", 404, ""),
]


@pytest.mark.parametrize(("name", "status", "body"), ASKED)
@pytest.mark.parametrize(("venue", "prefix"), [(ROOT, "/static/"), (BLOG, "/b/static/")])
def test_what_answers(served: Nginx, venue: str, prefix: str, name: str, status: int, body: str) -> None:
    """A file of an earlier release never stands in for one that the Act has."""
    found, headers, text = served.get(venue, prefix + name)
    assert (found, text if found == 200 else "") == (status, body)
    if body.startswith("act"):
        assert "Cache-Control" not in headers, "the Act says how long a file is kept"


def test_visitors_can_not_request_the_internal_location(served: Nginx) -> None:
    for path in ("/backstage-files/static/static/old.css", "/backstage-files/static/old.css"):
        assert served.get(ROOT, path)[0] == 404


def test_from_files_to_the_act_and_back(house: House) -> None:
    """While an Act changes, what it plays may still leave its files to nginx, so both are there."""
    both = replace(GIGS[ROOT], static=("/static/",))
    assert locations.claims(both).count("/static/") == 1
    text = locations.render(house.paths, [both], house.host, Lines())
    assert text == locations.render(house.paths, [GIGS[ROOT]], house.host, Lines())

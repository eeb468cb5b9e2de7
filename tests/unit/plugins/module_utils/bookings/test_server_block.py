# SPDX-License-Identifier: GPL-3.0-or-later
"""A Venue's file: its text in each state, read and served by a real nginx with a real uwsgi door behind it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx, server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Tls, Venue

from ...house import A, B, House
from ...servers import Nginx, free_port, listening, read_request, uwsgi_params
from ...told import told

NAME, WWW = "kittens.example.com", "www.kittens.example.com"
GIG = Booked("kittens", "/", ("/static/",), ("/media/",), 60)
PARAMS = uwsgi_params(
    PATH_INFO="$document_uri",
    HTTP_HOST="$http_host",
    REQUEST_METHOD="$request_method",
)

STATES: list[tuple[str, Venue, list[Booked]]] = [
    ("open", Venue(NAME), [GIG]),
    ("open with aliases", Venue(NAME, [WWW, "a.example"]), [GIG]),
    ("open, nothing on", Venue(NAME), []),
    ("closed", Venue(NAME, [WWW], state="closed"), [GIG]),
    ("no static files", Venue(NAME), [replace(GIG, static=(), media=())]),
    ("two prefixes while one replaces the other", Venue(NAME), [replace(GIG, static=("/static/", "/assets.v2/"))]),
    ("the longest names", Venue("a" * 63 + ".example", ["b" * 63 + ".example"]), [GIG]),
]


@pytest.mark.usefixtures("nginx_program")
@pytest.mark.parametrize("ipv6", [True, False])
@pytest.mark.parametrize(("venue", "gigs"), [row[1:] for row in STATES], ids=[row[0] for row in STATES])
def test_nginx_accepts_it_and_it_tells_of_itself(house: House, venue: Venue, gigs: list[Booked], ipv6: bool) -> None:
    Path(house.host.params).write_text(PARAMS)
    text = server_block.render(house.paths, venue, gigs, replace(house.host, http_port=free_port(), ipv6=ipv6))
    assert told(nginx.check_alone, {"a.conf": text}, house.host.http) == ""
    assert ("[::]" in text) is ipv6
    assert server_block.parse(text) == server_block.data("jazz", venue, gigs)
    assert text.splitlines()[0] == f"# {files.OWNERSHIP}"


NOT_OURS: list[Any] = [
    None,
    "",
    "server {}",
    f"# {files.OWNERSHIP}",
    f"# {files.OWNERSHIP}\nserver {{}}\n",
    f"# {files.OWNERSHIP}\n# backstage: {{\n",
    '# mine\n# backstage: {"name": "a.example"}\n',
    f'# {files.OWNERSHIP}\nserver {{}}\n# backstage: {{"name": "a.example"}}\n',
]


@pytest.mark.parametrize("text", NOT_OURS)
def test_files_of_others(text: str) -> None:
    assert server_block.parse(text) is None


def test_names() -> None:
    assert server_block.file_name("jazz", NAME) == f"jazz.{NAME}.conf"
    assert server_block.access_log("jazz", NAME) == f"/var/log/nginx/backstage.jazz.{NAME}.log"


def test_the_file_has_no_value_of_a_release(house: House) -> None:
    """A deploy that keeps its URLs never touches nginx."""
    text = server_block.render(house.paths, Venue(NAME), [GIG], house.host)
    assert house.act().live + "/door/s;" in text
    assert "releases" not in text
    assert "sesses" not in text


Served = tuple[Nginx, House]


@pytest.fixture
def served(house: House, nginx_program: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The Venue NAME and, closed and empty, two others; behind it an Act that says what it was asked."""
    monkeypatch.setattr(server_block, "LOGS", str(house.root / "log"))
    port = free_port()
    house.host = replace(house.host, http_port=port, ipv6=False)
    lay_down(house)
    house.book(Venue(NAME, [WWW]), replace(GIG, static=("/static/", "/assets.v2/")))
    house.book(Venue("closed.example", state="closed"), GIG)
    house.book(Venue("empty.example"))
    house.book(Venue("dark.example"), Booked("dark", "/", (), (), 60))
    with ExitStack() as stack:
        stack.enter_context(listening(house.root / "s", answer))
        yield stack.enter_context(Nginx.running(nginx_program, house.root, house.host.venues, port)), house


def answer(client: socket.socket) -> None:
    asked = read_request(client)
    told = f"{asked['REQUEST_METHOD']} {asked['HTTP_HOST']} {asked['PATH_INFO']}"
    status = "500 Oops" if asked["PATH_INFO"] == "/oops" else "200 OK"
    client.sendall(f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\n\r\n{told}".encode())


def lay_down(house: House) -> None:
    paths = house.act()
    texts = {
        f"{paths.release(A).static}/now.css": "now",
        f"{paths.release(A).static}/both.css": "new",
        f"{paths.release(A).static}/.hidden": "hidden",
        f"{paths.release(B).static}/before.css": "before",
        f"{paths.release(B).static}/both.css": "old",
        f"{paths.media}/cat.html": "<script>",
        f"{paths.media}/cat.sqlite3": "secret",
        f"{paths.media}/database.png": "a picture",
        f"{paths.data}/secret": "secret",
        house.host.params: PARAMS,
        **{f"{house.host.pages}/{page}.html": f"page {page}" for page in ("closed", "502", "503", "504")},
    }
    for name, text in texts.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    own = paths.sess(f"{A}.1")
    for directory in (own.door, own.older):
        os.makedirs(directory)
    os.symlink(house.root / "s", own.socket)
    os.symlink(paths.release(A).static, own.static)
    os.symlink(paths.release(B).static, own.older + "/1")
    os.symlink(paths.data + "/secret", paths.release(A).static + "/link.css")
    os.lchown(paths.release(A).static + "/link.css", 1, 1)
    os.symlink(paths.data + "/secret", paths.media + "/link.txt")
    files.link(paths.live, f"sesses/{A}.1")


ASKED: list[tuple[str, str, int, str]] = [
    # (name, path, status, a part of the body)
    (NAME, "/", 200, "GET kittens.example.com /"),
    (NAME, "/%C3%A4?a=b", 200, "GET kittens.example.com /\u00e4"),
    (NAME, "/oops", 500, "/oops"),  # an Act's own answer stays
    (NAME, "/static/now.css", 200, "now"),
    (NAME, "/assets.v2/now.css", 200, "now"),
    (NAME, "/assetsXv2/now.css", 200, "/assetsXv2/now.css"),
    (NAME, "/static/both.css", 200, "new"),
    (NAME, "/static/before.css", 200, "before"),  # of the release that played before
    (NAME, "/static/next.css", 404, ""),
    (NAME, "/static/now.css%0a", 404, ""),
    (NAME, "/static/", 404, ""),
    (NAME, "/static/../release.json", 200, "/release.json"),
    (NAME, "/static/%2e%2e/release.json", 200, "/release.json"),
    (NAME, "/static/link.css", 404, ""),
    (NAME, "/static/.hidden", 404, ""),
    (NAME, "/.git/config", 404, ""),
    (NAME, "/.well-known/acme", 200, "/.well-known/acme"),
    (NAME, "/media/cat.html", 200, "<script>"),
    (NAME, "/media/link.txt", 403, ""),
    (NAME, "/media/cat.sqlite3", 404, ""),
    (NAME, "/media/database.png", 200, "a picture"),
    (NAME, "/logs/cat.sqlite3", 200, "/logs/cat.sqlite3"),  # an Act's own
    (NAME, "/media/../data/secret", 200, "/data/secret"),  # asked of the Act, not of the disk
    (NAME, "/media", 200, "/media"),
    (WWW, "/a/?b=c", 301, ""),
    ("closed.example", "/a", 503, "page closed"),
    ("closed.example", "/static/now.css", 503, "page closed"),
    ("empty.example", "/", 404, ""),
    ("dark.example", "/", 502, "page 502"),
]


def test_every_answer(served: Served) -> None:
    server, _house = served
    wrong = []
    for name, path, status, part in ASKED:
        found, _headers, body = server.get(name, path)
        if found != status or part not in body:
            wrong.append((name, path, found, body))
    assert wrong == []


HEADERS: list[tuple[str, str, dict[str, str]]] = [
    (WWW, "/a/?b=c", {"Location": "http://kittens.example.com:{port}/a/?b=c"}),
    ("closed.example", "/a", {"Retry-After": "3600", "Cache-Control": "no-store"}),
    ("dark.example", "/", {"Retry-After": "5", "Cache-Control": "no-store"}),
    (NAME, "/static/now.css", {"X-Content-Type-Options": "nosniff"}),
    (NAME, "/media/cat.html", {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; "}),
]


def test_headers(served: Served) -> None:
    server, _house = served
    for name, path, headers in HEADERS:
        found = server.get(name, path)[1]
        for header, value in headers.items():
            assert found.get(header, "").startswith(value.format(port=server.port)), (path, found)
        assert found["Server"] == "nginx", "its version is nobody's business"


def test_a_large_upload_is_refused(served: Served) -> None:
    server, _house = served
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(f"POST / HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {11 << 20}\r\n\r\n".encode())
        assert client.recv(12) == b"HTTP/1.1 413"


def test_a_switch_is_one_rename(served: Served) -> None:
    server, house = served
    assert server.get(NAME, "/")[0] == 200
    files.link(house.act().live, "sesses/none")
    assert server.get(NAME, "/")[0] == 502
    files.link(house.act().live, f"sesses/{A}.1")
    assert server.get(NAME, "/")[0] == 200


def test_all_modes_of_tls_have_the_same_servers(house: House) -> None:
    """A change of the mode changes the certificate; with an authority there is also the answer to it."""
    house.build(A)
    one, other, third = (
        server_block.render(house.paths, Venue(NAME, [WWW], Tls(mode)), [GIG], house.host).splitlines()
        for mode in ("selfsigned", "files", "acme")
    )
    assert one[2:] == other[2:]
    more = [line.strip() for line in third[2:] if line not in one[2:]]
    include, led = f"include {house.host.challenges}/jazz.conf;", f"return 301 https://{NAME}$request_uri;"
    assert more == [include, f"location / {{ {led} }}"], "by HTTP alone"

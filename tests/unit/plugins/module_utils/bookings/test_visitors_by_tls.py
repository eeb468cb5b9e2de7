# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 63 to 69 by HTTPS, with a real nginx. The scenario visitors has the same by HTTP, with Django."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.certificates.pairs import Pairs
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Tls, Venue
from waiting import eventually

from ...house import A, House
from ...servers import Nginx, exactly, free_port, listening, read_request, role_text

V, WWW = "a.example", "www.a.example"
GIG = Booked("kittens", "/", ("/static/",), ("/media/",), 60)
HTTP = """
client_header_timeout 1s; client_body_timeout 1s; send_timeout 1s;
server {{
    listen {port} ssl default_server;
    underscores_in_headers off;
    ssl_reject_handshake on;
    location / {{ return 421; }}
}}
"""
"""What the role has for all servers, with shorter times."""


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 is none."""

    status: int
    head: str
    body: bytes

    def has(self, line: str) -> bool:
        return line in self.head.split("\r\n")


@dataclass(frozen=True)
class Door:
    """Where nginx serves the Venue by TLS."""

    house: House

    def connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.house.host.https_port), timeout=30)

    def opened(self, name: str = V) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=Pairs.of(self.house.host, "jazz", V).certificate)
        return context.wrap_socket(self.connected(), server_hostname=name)

    def send(self, request: bytes) -> Answer:
        said = b""
        with self.opened() as client:
            try:
                client.sendall(request)
                while part := client.recv(1 << 16):
                    said += part
            except (ConnectionError, ssl.SSLError):
                pass  # what came before it counts
        head, _blank, body = said.partition(b"\r\n\r\n")
        found = re.match(rb"HTTP/1\.1 (\d+) ", head)
        return Answer(int(found[1]) if found else 0, head.decode("latin-1"), body)

    def get(self, path: str = "/", *lines: str, method: str = "GET") -> Answer:
        head = [f"{method} {path} HTTP/1.1", f"Host: {V}", *lines, "Connection: close", "", ""]
        return self.send("\r\n".join(head).encode())


@pytest.fixture
def door(house: House, nginx_program: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(server_block, "LOGS", str(house.root / "log"))
    host = house.host = replace(house.host, http_port=free_port(), https_port=free_port(), ipv6=False)
    paths = house.act()
    own = paths.sess(f"{A}.1")
    texts = {
        host.params: role_text("uwsgi.params"),
        f"{house.root}/by-hand.conf": HTTP.format(port=host.https_port),
        f"{paths.media}/page.html": "<script>",
        f"{paths.media}/.env": "KEY=secret",
        **{f"{paths.release(A).static}/{name}": "x" for name in ("now.css", "tour.py", "tour.sqlite3", ".git/config")},
        **{f"{host.pages}/{status}.html": f"page {status}" for status in ("502", "503", "504")},
    }
    for name, text in texts.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    for directory in (own.door, own.older):
        os.makedirs(directory)
    os.symlink(house.root / "s", own.socket)
    os.symlink(paths.release(A).static, own.static)
    files.link(paths.live, f"sesses/{A}.1")
    Pairs.of(host, "jazz", V).make_selfsigned([V, WWW])
    house.book(Venue(V, [WWW], Tls("selfsigned")), GIG)
    with Nginx.running(nginx_program, house.root, host.venues, host.http_port):
        yield Door(house)


@pytest.fixture
def act(door: Door) -> Iterator[None]:
    """An Act that says what it was told."""
    with listening(door.house.root / "s", answer):
        yield


def answer(client: socket.socket) -> None:
    asked = read_request(client)
    exactly(client, int(asked["CONTENT_LENGTH"] or 0))
    client.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{json.dumps(asked)}".encode())


def test_fault_63_names_that_no_venue_has(door: Door) -> None:
    """The handshake is refused, also without a name; nobody sees the certificate of a Venue."""
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        door.opened("nosuch.example")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        context.wrap_socket(door.connected())
    request = "GET / HTTP/1.1\r\nHost: nosuch.example\r\nConnection: close\r\n\r\n"
    assert door.send(request.encode()).status == 421


CLAIMS = [
    "X-Forwarded-Proto: http", "X-Forwarded-Ssl: off", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: evil.example",
    "X-Forwarded-Port: 80", "X-Real-IP: 192.0.2.1", "Forwarded: for=192.0.2.1;host=evil.example;proto=http",
    "Proxy: http://evil.example", "Remote-User: root", "X-SSL-Client-Verify: SUCCESS", "REMOTE_USER: root",
    "HTTP_REMOTE_USER: root", "UWSGI_SCRIPT: evil", "SCRIPT_NAME: /evil", "HTTPS: off", "X-Scheme: http",
]  # fmt: skip


def told(answered: Answer) -> dict[str, str]:
    """What the Act was told, without what differs between two requests."""
    found: dict[str, str] = json.loads(answered.body[answered.body.index(b"{") : answered.body.rindex(b"}") + 1])
    return {key: value for key, value in found.items() if key not in ("REMOTE_PORT", "HTTP_X_REQUEST_ID")}


@pytest.mark.usefixtures("act")
def test_fault_64_headers_that_a_visitor_forges(door: Door) -> None:
    """The Act is told the same as without them, and that the visitor came by HTTPS."""
    plain, claimed = (told(door.get("/", *lines)) for lines in ((), CLAIMS))
    assert claimed == plain
    assert (plain["HTTPS"], plain["REQUEST_SCHEME"], plain["HTTP_X_FORWARDED_PROTO"]) == ("on", "https", "https")
    assert plain["HTTP_X_FORWARDED_PORT"] == str(door.house.host.https_port)


@pytest.mark.usefixtures("act")
def test_fault_65_bodies_that_are_too_large(door: Door) -> None:
    """Refused, whole and endless, and nothing of them is kept."""
    head = f"POST / HTTP/1.1\r\nHost: {V}\r\nConnection: close\r\n"
    assert door.send(f"{head}Content-Length: 11534336\r\n\r\n".encode() + b"x" * 11534336).status == 413
    endless = b"100000\r\n" + b"x" * 2**20 + b"\r\n"
    assert door.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + endless * 12).status == 413
    bodies = door.house.root / "client_body"
    eventually(lambda: not [path for path in bodies.rglob("*") if path.is_file()])  # once nginx sees that we have gone
    assert door.send(f"{head}Content-Length: 9\r\n\r\n".encode() + b"x" * 9).status == 200


SLOW = {
    "no handshake": b"",
    "half a handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_fault_66_a_handshake_that_never_ends(door: Door, sent: bytes) -> None:
    with door.connected() as client:
        client.sendall(sent)
        assert client.recv(1024) == b"", "nginx closes it"


@pytest.mark.usefixtures("act")
@pytest.mark.parametrize(
    "request_", ["GET / HTTP/1.1\r\nHost: ", f"POST / HTTP/1.1\r\nHost: {V}\r\nContent-Length: 9\r\n\r\n"]
)
def test_fault_66_a_request_that_never_ends(door: Door, request_: str) -> None:
    """The connection is closed, while others are answered."""
    with door.opened() as client:
        client.sendall(request_.encode())
        assert door.get().status == 200
        said = b""
        try:
            while part := client.recv(1024):
                said += part
        except (ConnectionError, ssl.SSLError):
            pass
        assert said == b"" or b" 408 " in said.partition(b"\r\n")[0]


ODD = [
    (b"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    (b"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nfour", {400}),
    (b"GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n", {400}),
    (b"GET / HTTP/1.1\r\n\r\n", {400}),
    (b"GET /a\x00b HTTP/1.1\r\nHost: {host}\r\n\r\n", {400}),
    (b"GET /a%00b HTTP/1.1\r\nHost: {host}\r\n\r\n", {400}),
    (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: {host}\r\n\r\n", {400}),
    (b"GET /static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: {host}\r\n\r\n", {400}),
    (b"TRACE / HTTP/1.1\r\nHost: {host}\r\n\r\n", {405}),
    (b"GET / HTTP/1.1\r\nHost: {host}\r\nX-A: " + b"x" * 31000 + b"\r\n\r\n", {400}),
    (b"GET / HTTP/1.1\r\nHost: {host}\r\nX-A: " + b"x" * 8000 + b"\r\n\r\n", {200}),
    (b"GET / HTTP/9.9\r\nHost: {host}\r\n\r\n", {400, 505}),
]


@pytest.mark.usefixtures("act")
@pytest.mark.parametrize(("request_", "statuses"), ODD)
def test_fault_67_odd_requests(door: Door, request_: bytes, statuses: set[int]) -> None:
    text = request_.replace(b"{host}", V.encode()).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    assert door.send(text).status in statuses


@pytest.mark.usefixtures("act")
def test_fault_67_a_line_feed_in_a_path_makes_no_header(door: Door) -> None:
    assert "\nx-evil" not in door.get("/a%0d%0aX-Evil:%20y").head.lower()


def test_fault_68_private_files_are_not_served(door: Door) -> None:
    for path in ("/static/tour.py", "/static/tour.sqlite3", "/static/.git/config", "/media/.env"):
        assert door.get(path).status in (403, 404), path
    assert door.get("/static/now.css").status == 200
    page = door.get("/media/page.html")
    assert (page.status, page.has("X-Content-Type-Options: nosniff")) == (200, True)
    assert "Content-Security-Policy: sandbox; default-src 'none'" in page.head


def test_fault_69_error_pages_of_nginx(door: Door) -> None:
    """Nobody answers at the door of the Act."""
    found = door.get()
    assert (found.status, found.body) == (502, b"page 502")
    assert found.has("Retry-After: 5")
    assert found.has("Server: nginx")

# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a Venue as a visitor would, and reading which ones nginx has."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts.world import Address
from ansible_collections.backstage.django.plugins.module_utils.bookings import visit
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.bookings.visit import Place
from ansible_collections.backstage.django.plugins.module_utils.host.timed_socket import TimedSocket
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Health, Venue

from ...emperors import Asked, purr_to_all
from ...house import KITTENS, A, House, wanted
from ...servers import free_port
from ...told import told

ON = Booked("kittens", "/", (), (), 60)
TOKEN = "t" * 32
LEADS = {"/in/": "/", "/lost/": "/lost/gone/", "/round/": "/round/"}
PAGES = {
    "/": 200,
    "/styled/": 200,
    "/up/": 204,
    "/blog/up/": 204,
    "/login/": 302,
    "/gone/": 404,
    "/broken/": 500,
    "/host/": 400,
}


class Nginx(BaseHTTPRequestHandler):
    token = ""
    asked: list[tuple[str, str]] = []  # noqa: RUF012 (the server makes one of us for each request)

    def do_GET(self) -> None:
        self.asked.append((self.headers["Host"], self.path))
        if self.path == "/hangs-up/":
            return
        leads = LEADS.get(self.path)
        self.send_response(302 if leads else PAGES.get(self.path, 404))
        if leads:
            self.send_header("Location", leads)
        if self.path == "/styled/":
            self.send_header("Content-Type", "text/html")
        for name, value in Asked(purr_to_all, self.token).proof(self.headers.get("X-Backstage-Question", "")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"<script src='/gone.js'></script>" if self.path == "/styled/" else b"purr \xff")

    def log_message(self, *args: Any) -> None:
        """Keep the tests' output quiet."""


@pytest.fixture
def house_asked(house: House) -> Iterator[House]:
    """A host on whose port somebody answers."""
    Nginx.asked.clear()
    Nginx.token = ""
    with ThreadingHTTPServer(("127.0.0.1", 0), Nginx) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        house.host = replace(house.host, http_port=server.server_port)
        yield house
        server.shutdown()


def test_get(house_asked: House) -> None:
    assert visit.get(house_asked.host, "a.example", "/?a=b", 5)[:3] == (404, "", "purr \ufffd")
    assert visit.get(house_asked.host, "a.localhost", "/up/", 5)[0] == 204
    port = house_asked.host.http_port
    assert Nginx.asked == [(f"a.example:{port}", "/?a=b"), (f"a.localhost:{port}", "/up/")]


def test_the_usual_port_is_not_in_the_name(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser sends none for 80, and Django would make links of what it is sent."""
    sent: list[bytes] = []
    with listener() as (port, asked):
        connect = TimedSocket.connect
        monkeypatch.setattr(TimedSocket, "connect", lambda self, address: connect(self, ("127.0.0.1", port)))
        told(visit.get, house.host, "a.example", "/", 5)
        sent += asked
    assert b"Host: a.example\r\n" in sent[0]


@contextmanager
def listener() -> Iterator[tuple[int, list[bytes]]]:
    asked: list[bytes] = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def accept() -> None:
            client, _peer = server.accept()
            with client:
                asked.append(client.recv(1 << 16))

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1], asked
        thread.join()


def test_nobody_answers(house: House, house_asked: House) -> None:
    said = told(visit.get, house_asked.host, "a.example", "/hangs-up/", 5)
    assert said.startswith(f"http://a.example:{house_asked.host.http_port}/hangs-up/ does not answer on this host (")
    nobody = replace(house.host, http_port=free_port())
    assert "refused" in told(visit.get, nobody, "a.example", "/", 5)


ASKED = [
    # (health, what is wrong)
    (Health("/"), ""),
    (Health("/up/"), ""),
    (Health("/login/"), ""),
    (Health("/gone/"), "nothing at /gone/ (404): set health.path to a page that the Act has"),
    (Health("/gone/", status=(404,)), ""),
    (Health("/", status=(301,)), "/ answers 200"),
    (Health("/broken/"), "/broken/ answers 500"),
    (
        Health("/host/"),
        "the Act answers 400 to the host 'a.example': add the name to ALLOWED_HOSTS (it is in BACKSTAGE_HOSTS)",
    ),
]


@pytest.mark.parametrize(("health", "said"), ASKED)
def test_ask(house_asked: House, health: Health, said: str) -> None:
    assert (
        told(visit.ask, Act("kittens", health=health), Place("a.example"), house_asked.host, house_asked.act()) == said
    )


def play(house: House) -> None:
    """A Sess that plays and has a token, with a style sheet."""
    static = {"url": "/static/", "root": "own", "relative": True}
    house.build(A, static=static)
    sess = house.act().sess(house.play(wanted(KITTENS, address=Address(), play=A)))
    record = json.loads(Path(sess.record).read_text()) if Path(sess.record).exists() else {}
    Path(sess.record).write_text(json.dumps({**record, "token": TOKEN}))
    Path(house.act().release(A).static, "here.css").touch()


ANSWERED = [
    # (the page, who answers, what is said)
    ("/", TOKEN, ""),
    ("/", "", "/ answers 200 at a.example: another server of nginx answers for this name: look for it with"),
    ("/", "u" * 32, "/ answers 200 at a.example: another server"),
    ("/gone/", "", "/gone/ answers 404 at a.example: another server"),
    ("/broken/", TOKEN, "/broken/ answers 500"),
    ("/static/here.css", "", "nothing at /static/here.css (404)"),  # from nginx, or nobody knows
]


@pytest.mark.parametrize(("page", "token", "said"), ANSWERED)
def test_our_act_has_to_answer(house_asked: House, page: str, token: str, said: str) -> None:
    play(house_asked)
    Nginx.token = token
    found = told(
        visit.ask, Act("kittens", health=Health(page)), Place("a.example"), house_asked.host, house_asked.act()
    )
    assert found.startswith(said)
    assert bool(found) is bool(said)
    house_asked.book(Venue("a.example"), ON)
    (answer,) = visit.urls("jazz", house_asked.host, {})
    foreign = token != TOKEN
    assert ("another server of nginx" in answer["error"], answer["status"]) == (foreign, 0 if foreign else 200)


FOLLOWED = [
    # (the page, what is said)
    ("/in/", ""),
    ("/lost/", "/lost/ leads to /lost/gone/: nothing at /lost/gone/ (404): set health.path to a page that the Act has"),
    ("/round/", "/round/ leads to /round/, and so on without end: correct the redirect, or set health.path to"),
    ("/styled/", "/styled/ names the script /gone.js, which answers 404: is it in the static files of an app"),
]


@pytest.mark.parametrize(("page", "said"), FOLLOWED)
def test_redirects_are_followed(house_asked: House, page: str, said: str) -> None:
    place = Place("a.example", aliases=("www.a.example",))
    found = told(visit.ask, Act("kittens", health=Health(page)), place, house_asked.host, house_asked.act())
    assert found.startswith(said)
    assert bool(found) is bool(said)


def test_the_status_says_where_a_page_leads_to(house_asked: House) -> None:
    house_asked.book(Venue("a.example"), replace(ON, path="/lost"))
    (answer,) = visit.urls("jazz", house_asked.host, {})
    assert (answer["status"], answer["error"]) == (302, "/lost/ leads to /lost/gone/: it answers 404")


def test_ask_below_a_path(house_asked: House) -> None:
    place = Place("a.example", "/blog")
    visit.ask(Act("kittens", health=Health("/up/")), place, house_asked.host, house_asked.act())
    said = told(visit.ask, Act("kittens", health=Health("/")), place, house_asked.host, house_asked.act())
    assert said == "nothing at /blog/ (404): set health.path to a page that the Act has"


def test_ask_a_port(house_asked: House) -> None:
    """By localhost, or by the name that the Act's health says, whatever the Venues' port."""
    port = house_asked.host.http_port
    nobody = replace(house_asked.host, http_port=free_port())
    data = {"act": "kittens", "port": port, "path": "/"}
    for health in (Health("/up/"), Health("/up/", host="up.example")):
        act = Act("kittens", health=health)
        visit.ask(act, visit.at_port(act, data), nobody, house_asked.act())
    assert Nginx.asked == [(f"localhost:{port}", "/up/"), (f"up.example:{port}", "/up/")]


def test_ask_booked_asks_every_open_venue(house_asked: House) -> None:
    house_asked.book(Venue("a.example"), ON)
    house_asked.book(Venue("b.example", ["www.b.example"]), ON)
    house_asked.book(Venue("closed.example", state="closed"), ON)
    house_asked.book(Venue("empty.example"))
    house_asked.book(Venue("dogs.example"), replace(ON, act="dogs"))
    visit.ask_booked(Act("kittens", health=Health("/up/")), house_asked.act(), house_asked.host)
    port = house_asked.host.http_port
    assert sorted(Nginx.asked) == [(f"{name}.example:{port}", "/up/") for name in ("a", "b")]
    assert "404" in told(visit.ask_booked, Act("kittens", health=Health("/x/")), house_asked.act(), house_asked.host)


def test_ask_booked_asks_at_its_own_path_and_port(house_asked: House) -> None:
    house_asked.book(Venue("a.example"), replace(ON, act="dogs"), replace(ON, path="/blog"))
    port = house_asked.host.http_port
    house_asked.listen(port, replace(ON, path="/blog"))
    visit.ask_booked(Act("kittens", health=Health("/up/")), house_asked.act(), house_asked.host)
    assert Nginx.asked == [(f"a.example:{port}", "/blog/up/"), (f"localhost:{port}", "/blog/up/")]


def test_urls(house_asked: House) -> None:
    port = house_asked.host.http_port
    house_asked.book(Venue("b.example", state="closed"))
    house_asked.book(Venue("a.example"), ON)
    house_asked.book(Venue("c.example"), ON, replace(ON, act="dogs", path="/blog"))
    house_asked.listen(port, ON)
    asked = [
        ("a.example", "/", 200, "open", "kittens"),
        ("b.example", "/", 200, "closed", None),
        ("c.example", "/", 200, "open", "kittens"),
        ("c.example", "/blog/up/", 204, "open", "dogs"),
        ("localhost", "/", 200, "local", "kittens"),
    ]
    pages = {"kittens": "/up/", "dogs": "/up/"}  # asked for only where nothing is at the front
    assert visit.urls("jazz", house_asked.host, pages) == [
        {"url": f"http://{name}:{port}{path}", "status": status, "state": state, "error": "", "act": act}
        for name, path, status, state, act in asked
    ]
    nobody = replace(house_asked.host, http_port=free_port())
    first = visit.urls("jazz", nobody, {})[0]
    assert (first["status"], "does not answer on this host" in first["error"]) == (0, True)

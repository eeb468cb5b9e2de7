# SPDX-License-Identifier: GPL-3.0-or-later
"""A probe passes only what the recipe promises, asked of a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import probe
import pytest

HOST = "kittens.example.com"
PAGES = {
    "/": (200, {"Content-Type": "text/html"}, '<link href="/static/cat.0f.css"> Purr'),
    "/static/cat.0f.css": (200, {"Content-Type": "text/css; charset=utf-8"}, "cat {}"),
    "/admin/": (302, {"Location": "/login/?next=/admin/"}, ""),
    "/elsewhere/": (302, {"Location": f"http://{HOST}/login/"}, ""),
}


class Kittens(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/hangs-up/":
            return
        status, headers, body = PAGES.get(self.path, (404, {}, "Not found"))
        if self.headers["Host"] != HOST:
            status, headers, body = 400, {}, "Bad Host"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: Any) -> None:
        """Keep the tests' output quiet."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Kittens) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


FIND = 'href="(/static/cat[^"]*)"'
CASES = [
    ({"path": "/", "status": 200, "text": "Purr"}, []),
    ({"path": "/", "status": 404}, ["/: status is 200, not 404"]),
    ({"path": "/", "status": 200, "text": "Bark"}, ["/: 'Bark' is not in the page"]),
    ({"path": "/nonesuch/", "status": 404}, []),
    ({"path": "/admin/", "status": 302, "location": "/login/?next=/admin/"}, []),
    ({"path": "/elsewhere/", "status": 302, "location": "/login/"}, []),
    (
        {"path": "/admin/", "status": 302, "location": "/"},
        ["/admin/: it leads to '/login/?next=/admin/', not to '/'"],
    ),
    ({"path": "/", "status": 200, "ctype": "text/css"}, ["/: it is 'text/html', not 'text/css'"]),
    ({"path": "/", "find": FIND, "status": 200, "ctype": "text/css"}, []),
    (
        {"path": "/", "find": FIND, "status": 200, "text": "dog"},
        ["/static/cat.0f.css: 'dog' is not in the page"],
    ),
    ({"path": "/", "find": "(dog)", "status": 200}, ["/: nothing matches (dog)"]),
    (
        {"path": "/hangs-up/", "status": 200},
        ["/hangs-up/: Remote end closed connection without response"],
    ),
]


@pytest.mark.parametrize(("asked", "wrong"), CASES)
def test_one_probe(url: str, asked: probe.Probe, wrong: list[str]) -> None:
    assert probe.check(url, HOST, asked) == wrong


def test_the_host_is_the_venue(url: str) -> None:
    asked = {"path": "/", "status": 200}
    assert probe.check(url, "dogs.example.com", asked) == ["/: status is 400, not 200"]


def test_nobody_listens() -> None:
    (wrong,) = probe.check("http://127.0.0.1:9", HOST, {"path": "/", "status": 200})
    assert "refused" in wrong


def test_a_recipe_is_all_its_probes(url: str) -> None:
    recipe = {
        "probes": [{"path": "/", "status": 200}, {"path": "/", "status": 500}],
        "static_probes": [{"path": "/static/dog.css", "status": 200}],
    }
    assert probe.failures(url, HOST, recipe) == [
        "/: status is 200, not 500",
        "/static/dog.css: status is 404, not 200",
    ]

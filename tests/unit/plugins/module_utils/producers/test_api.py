# SPDX-License-Identifier: GPL-3.0-or-later
"""What answers at the URL of the API may be anything. PowerDNS itself is in test_manager."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from ansible_collections.backstage.django.plugins.module_utils.producers import api

from ...told import told


@contextmanager
def answering(*answers: tuple[int, bytes]) -> Iterator[tuple[str, list[str]]]:
    """A server that gives these answers in turn, the last one for ever; its URL, and what it was asked."""
    left, asked = list(answers), list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, text = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_PATCH(self) -> None:
            self.do_GET()

        def log_message(self, *_arguments: object) -> None:
            """Tests are silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


ZONE = b'{"name": "a.", "kind": "Native", "serial": 1, "rrsets": []}'


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (200, b"<html>It works!</html>", "is not PowerDNS: correct the URL"),
        (200, b"[]", "is not PowerDNS"),
        (200, b'{"name": "a."}', "is not PowerDNS"),
        (302, b"", "with 302"),
        (401, b"Unauthorized", "with 401: the API key is not this server's: Unauthorized"),
        (403, b"", "with 403: its webserver-allow-from does not allow this address"),
        (500, b'{"error": "disk full"}', "with 500: disk full"),
    ],
)
def test_what_is_no_answer(status: int, text: bytes, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_PAUSE", 0)
    with answering((status, text)) as (url, _asked):
        message = told(api.Api(url, "secret-key", 5).zone, "a.")
    assert said in message
    assert "secret-key" not in message


def test_reading_is_tried_again_and_writing_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_PAUSE", 0)
    with answering((503, b""), (500, b""), (200, ZONE)) as (url, asked):
        assert api.Api(url, "key", 5).zone("a.")
        assert len(asked) == 3
    with answering((503, b""), (200, b"")) as (url, asked):
        assert "with 503" in told(api.Api(url, "key", 5).change, "a.", [])
        assert len(asked) == 1


def test_a_server_without_the_zone() -> None:
    with answering((404, b"Not Found")) as (url, _asked):
        assert api.Api(url, "key", 5).zone("a.") is None


def test_a_zone() -> None:
    with answering((200, ZONE)) as (url, asked):
        assert api.Api(url, "key", 5).zone("a.") == {"name": "a.", "kind": "Native", "serial": 1, "rrsets": []}
        assert asked == ["/api/v1/servers/localhost/zones/a."]

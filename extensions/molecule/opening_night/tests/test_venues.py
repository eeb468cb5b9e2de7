# SPDX-License-Identifier: GPL-3.0-or-later
"""What visitors get: every Act through its host's own nginx."""

from __future__ import annotations

import re
import socket
import time
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import house
import make_acts
import probe
import pytest

testinfra_hosts = ["ansible://backstage_stage"]

VENUES = {
    "jamsession.localhost": "Jam Session",
    "polls.localhost": None,
    "ballot.example.com": None,
    "wagtail.example.com": "Welcome to your new Wagtail site",
    "busker.example.com": '"edition": "one"',
}
START = 30  # seconds from the start of a host until everything answers (fault_84)


@pytest.fixture(scope="module")
def address(host: Any) -> str:
    """The host's address, once all its Acts answer."""
    place = house.address(host)
    started = float(host.check_output("stat --format=%Y /proc/1"))
    deadline = max(started + START, time.time() + 2)
    while [venue for venue in VENUES if not answers(place, venue)]:
        assert time.time() < deadline, f"not everything answers {START} s after the start"
        time.sleep(0.2)
    return place


def answers(place: str, venue: str) -> bool:
    try:
        return ask(place, venue)[0].status < 400
    except OSError:
        return False


def ask(place: str, venue: str, path: str = "/", body: bytes | None = None, **headers: str) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(place, timeout=30)
    try:
        method = "GET" if body is None else "POST"
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Host": venue, **names})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("venue", VENUES)
def test_a_venue_answers(address: str, venue: str) -> None:
    response, body = ask(address, venue)
    assert response.status in (200, 302)
    assert (VENUES[venue] or "") in body.decode()
    assert response.getheader("Server") == "nginx"


@pytest.mark.parametrize(("act", "venue"), [("polls", "ballot.example.com"), ("wagtail", "wagtail.example.com")])
def test_an_act_keeps_what_its_recipe_promises(address: str, act: str, venue: str) -> None:
    assert probe.failures(f"http://{address}", venue, make_acts.load()[act]) == []


def test_an_alias_leads_to_the_name(address: str) -> None:
    response, _body = ask(address, "www.wagtail.example.com", "/search/?query=a")
    assert response.status == 301
    assert response.getheader("Location") == "http://wagtail.example.com/search/?query=a"


def test_the_fixture_is_loaded_once(address: str) -> None:
    assert '"songs": 2' in ask(address, "busker.example.com")[1].decode()


def test_an_upload_comes_back_and_is_no_page_of_the_site(address: str) -> None:
    photo = b"\x89PNG\r\n\x1a\n" + b"<script>alert(1)</script>"
    response, page = ask(address, "jamsession.localhost")
    cookie = (response.getheader("Set-Cookie") or "").partition(";")[0]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.decode())
    assert token
    parts = {"csrfmiddlewaretoken": token[1], "name": "Ella", "message": "A night to remember"}
    form = "".join(
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in parts.items()
    )
    form += '--edge\r\nContent-Disposition: form-data; name="photo"; filename="x.html"\r\nContent-Type: text/html\r\n\r\n'
    body = form.encode() + photo + b"\r\n--edge--\r\n"
    headers = {"Content_Type": "multipart/form-data; boundary=edge", "Cookie": cookie}
    assert ask(address, "jamsession.localhost", "/", body, **headers)[0].status == 302
    places = re.findall(r"/media/guests/\w+\.png", ask(address, "jamsession.localhost")[1].decode())
    response, back = ask(address, "jamsession.localhost", places[0])
    assert (response.status, back) == (200, photo)
    assert response.getheader("Content-Type") == "image/png"
    assert response.getheader("X-Content-Type-Options") == "nosniff"
    assert "sandbox" in (response.getheader("Content-Security-Policy") or "")


@pytest.mark.parametrize(
    "request_head",
    [
        "GET / HTTP/1.1\r\nHost: nobody.example.com\r\n",
        "GET / HTTP/1.1\r\nHost: {address}\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n",
        "GET / HTTP/1.0\r\n",
    ],
    ids=["unknown", "address", "localhost", "none"],
)
def test_who_asks_for_no_venue_gets_no_answer(address: str, request_head: str) -> None:
    with socket.create_connection((address, 80), timeout=10) as client:
        client.sendall(request_head.format(address=address).encode() + b"\r\n")
        assert client.recv(1000) == b""

# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that visitors get from every Act, through nginx of its host."""

from __future__ import annotations

import re
import socket

import make_acts
import probe
import pytest
from conftest import VENUES
from house import ask

testinfra_hosts = ["ansible://backstage_stage"]


@pytest.mark.parametrize("venue", VENUES)
def test_a_venue_answers(address: str, venue: str) -> None:
    path, text = VENUES[venue]
    answer = ask(address, venue, path)
    assert answer.status == 200
    assert text in answer.text
    assert answer.headers["Server"] == "nginx"


@pytest.mark.parametrize(("act", "venue"), [("polls", "ballot.example.com"), ("wagtail", "wagtail.example.com")])
def test_an_act_answers_as_its_recipe_says(address: str, act: str, venue: str) -> None:
    assert probe.failures(f"http://{address}", venue, make_acts.load()[act]) == []


def test_an_alias_redirects_to_the_name(address: str) -> None:
    answer = ask(address, "www.wagtail.example.com", "/search/?query=a")
    assert answer.status == 301
    assert answer.headers["Location"] == "http://wagtail.example.com/search/?query=a"


def test_the_fixture_is_loaded_once(address: str) -> None:
    assert '"songs": 2' in ask(address, "busker.example.com").text


def test_an_upload_is_served_but_not_as_a_page_of_the_site(address: str) -> None:
    photo = b"\x89PNG\r\n\x1a\n" + b"<script>alert(1)</script>"
    page = ask(address, "jamsession.localhost")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    headers = {"Content_Type": "multipart/form-data; boundary=edge", "Cookie": page.headers["Set-Cookie"].split(";")[0]}
    form = {"csrfmiddlewaretoken": token[1], "name": "Ella", "message": "A night to remember"}
    assert ask(address, "jamsession.localhost", "/", multipart(form, photo), **headers).status == 302
    places = re.findall(r"/media/guests/\w+\.png", ask(address, "jamsession.localhost").text)
    back = ask(address, "jamsession.localhost", places[0])
    assert (back.status, back.body) == (200, photo)
    assert back.headers["Content-Type"] == "image/png"
    assert back.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in back.headers["Content-Security-Policy"]


def multipart(form: dict[str, str], photo: bytes) -> bytes:
    """Return a form as a browser sends it, with a photograph that claims to be a page."""
    begin = '--edge\r\nContent-Disposition: form-data; name="'
    parts = "".join(f'{begin}{name}"\r\n\r\n{text}\r\n' for name, text in form.items())
    parts += f'{begin}photo"; filename="x.html"\r\nContent-Type: text/html\r\n\r\n'
    return parts.encode() + photo + b"\r\n--edge--\r\n"


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
def test_a_request_for_no_venue_gets_no_answer(address: str, request_head: str) -> None:
    with socket.create_connection((address, 80), timeout=10) as client:
        client.sendall(request_head.format(address=address).encode() + b"\r\n")
        assert client.recv(1000) == b""

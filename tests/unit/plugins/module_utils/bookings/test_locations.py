# SPDX-License-Identifier: GPL-3.0-or-later
"""Where URLs lead, by a real nginx: below a Gig's path, to static files of two releases, and to the manifest's own."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import url_prefixes
from ansible_collections.backstage.django.plugins.module_utils.bookings import locations, server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Venue

from ...house import NONE, A, B, House
from ...servers import Nginx, free_port, listening, read_request, uwsgi_params

ALONE, BOTH = "alone.example", "both.example"
BLOG = Booked("blog", "/my.blog", ("/my.blog/static/",), ("/my.blog/media/",), 60, ("/assets/", "/assets/v1.2/"))
ROOT = Booked("root", "/", ("/static/",), (), 60)
# while the root's files become the blog's: both answer
SHARED = replace(BLOG, static=("/my.blog/static/", "/static/"))
PARAMS = uwsgi_params(
    PATH_INFO="$document_uri",
    REQUEST_URI="$request_uri",
    QUERY_STRING="$query_string",
    REQUEST_METHOD="$request_method",
)


@pytest.fixture
def served(house: House, nginx_program: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nginx]:
    monkeypatch.setattr(server_block, "LOGS", str(house.root / "log"))
    house.host = replace(house.host, http_port=free_port(), ipv6=False)
    Path(house.host.params).write_text(PARAMS)
    for name in ("blog", "root"):
        lay_down(house, name)
    house.book(Venue(ALONE), BLOG)
    house.book(Venue(BOTH), ROOT, SHARED)
    with ExitStack() as stack:
        for name in ("blog", "root"):
            stack.enter_context(listening(house.root / name, lambda client, name=name: answer(client, name)))
        yield stack.enter_context(Nginx.running(nginx_program, house.root, house.host.venues, house.host.http_port))


def answer(client: socket.socket, name: str) -> None:
    asked = read_request(client)
    said = [name, *(asked.get(key, "") for key in ("SCRIPT_NAME", "PATH_INFO", "REQUEST_URI", "QUERY_STRING"))]
    client.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{'|'.join(said)}".encode())


def lay_down(house: House, name: str) -> None:
    paths = house.act(name)
    for release, word in ((A, "now"), (B, "before")):
        root = Path(paths.release(release).static)
        for place in ("", url_prefixes.place("/assets/"), url_prefixes.place("/assets/v1.2/")):
            (root / place).mkdir(parents=True, exist_ok=True)
            (root / place / f"{word}.css").write_text(f"{name} {word} {place}")
        (root / f"{name}.css").write_text(name)
    (root / "same.css").write_text(name)
    Path(paths.media).mkdir()
    Path(paths.media, "cat.jpg").write_text("cat")
    own = paths.sess(f"{A}.1")
    for directory in (own.door, own.older):
        os.makedirs(directory)
    os.symlink(house.root / name, own.socket)
    os.symlink(paths.release(A).static, own.static)
    os.symlink(paths.release(B).static, own.older + "/1")
    files.link(paths.live, f"sesses/{A}.1")


AT_ROOT = Booked("root", "/", ("/static/",), (), 60)
CAME = Booked("blog", "/news", ("/news/static/",), ("/news/media/",), 60)
GONE = locations.Left("/blog", ("/blog/static/",), ("/blog/media/",))
LEFT: list[tuple[str, list[Booked], dict[str, list[str]], dict[str, str]]] = [
    # (what, who plays, URL prefix -> whose files in their order, URL prefix -> whose uploads)
    ("nothing left", [CAME], {"/news/static/": ["blog"]}, {"/news/media/": "blog"}),
    (
        "pages of the path that it left",
        [AT_ROOT, replace(CAME, left=(GONE,))],
        {"/static/": ["root"], "/news/static/": ["blog"], "/blog/static/": ["blog"]},
        {"/news/media/": "blog", "/blog/media/": "blog"},
    ),
    (
        "where another one plays now: its files are looked for first",
        [replace(CAME, left=(GONE,)), Booked("new", "/blog", ("/blog/static/",), (), 60)],
        {"/news/static/": ["blog"], "/blog/static/": ["new", "blog"]},
        {"/news/media/": "blog"},
    ),
    (
        "where another one plays that has none",
        [replace(CAME, left=(GONE,)), Booked("new", "/blog", (), (), 60)],
        {"/news/static/": ["blog"]},
        {"/news/media/": "blog"},
    ),
    (
        "from the root",
        [AT_ROOT, replace(CAME, left=(locations.Left("/", ("/static/",), ("/media/",)),))],
        {"/static/": ["root", "blog"], "/news/static/": ["blog"]},
        {"/news/media/": "blog"},
    ),
]


@pytest.mark.parametrize(("booked", "found", "uploads"), [row[1:] for row in LEFT], ids=[row[0] for row in LEFT])
def test_what_an_act_left(booked: list[Booked], found: dict[str, list[str]], uploads: dict[str, str]) -> None:
    urls = locations._sorted(booked)
    assert {url: [act for act, _inside in who] for url, who in urls.files.items()} == found
    assert urls.media == uploads


ASKED: list[tuple[str, str, int, str]] = [
    # (name, URL, status, body or Location)
    (ALONE, "/my.blog/", 200, "blog|/my.blog|/|/my.blog/|"),
    (ALONE, "/my.blog/a/?b=c", 200, "blog|/my.blog|/a/|/my.blog/a/?b=c|b=c"),
    # what a visitor escaped arrives as WSGI wants it, and is part of the path
    (ALONE, "/my.blog/%C3%A4%3Fx%0Ay", 200, "blog|/my.blog|/\u00e4?x\ny|/my.blog/%C3%A4%3Fx%0Ay|"),
    (ALONE, "/my.blog/a%2520b", 200, "blog|/my.blog|/a%20b|/my.blog/a%2520b|"),
    (ALONE, "/my.blog//a", 200, "blog|/my.blog|/a|/my.blog//a|"),
    (ALONE, "/my.blog/my.blog/", 200, "blog|/my.blog|/my.blog/|/my.blog/my.blog/|"),
    (ALONE, "/my.blog", 301, "/my.blog/"),
    (ALONE, "/my.blog?a=%0d%0aX:y&b", 301, "/my.blog/?a=%0d%0aX:y&b"),
    (ALONE, "/my.blogs", 404, ""),
    (ALONE, "/my-blog/", 404, ""),
    (ALONE, "/", 404, ""),
    (ALONE, "/index.html", 404, ""),
    (ALONE, "/my.blog/.git/config", 404, ""),
    (ALONE, "/my.blog/static/now.css", 200, "blog now "),
    (ALONE, "/my.blog/static/before.css", 200, "blog before "),
    (ALONE, "/my.blog/static/nothing.css", 404, ""),
    (ALONE, "/my.blog/media/cat.jpg", 200, "cat"),
    # of the manifest's static_urls
    (ALONE, "/assets/now.css", 200, "blog now .backstage/,assets,"),
    (ALONE, "/assets/before.css", 200, "blog before .backstage/,assets,"),
    (ALONE, "/assets/v1.2/now.css", 200, "blog now .backstage/,assets,v1.2,"),
    (ALONE, "/assets/nothing.css", 404, ""),
    (ALONE, "/my.blog/static/.backstage/,assets,/now.css", 404, ""),
    (BOTH, "/my.blog/a", 200, "blog|/my.blog|/a|/my.blog/a|"),
    (BOTH, "/my.blogs", 200, "root||/my.blogs|/my.blogs|"),
    (BOTH, "/my.blog/static/now.css", 200, "blog now "),
    (BOTH, "/static/now.css", 200, "root now "),
    (BOTH, "/static/root.css", 200, "root"),
    (BOTH, "/static/blog.css", 200, "blog"),
    (BOTH, "/static/nothing.css", 404, ""),
]


def test_every_answer(served: Nginx) -> None:
    wrong = []
    for name, url, status, said in ASKED:
        found, headers, body = served.get(name, url)
        if (found, headers["Location"] if found == 301 else body if found == 200 else "") != (status, said):
            wrong.append((name, url, found, headers.get("Location"), body))
    assert wrong == []


CLAIMS: list[tuple[dict[str, Any], str, list[str]]] = [
    # (a release's record, where it plays, the URLs that it needs)
    ({"static": NONE, "media": NONE}, "/", ["/"]),
    ({"static": NONE, "media": NONE}, "/blog", ["/blog/"]),
    ({"static": {"url": "/static/", "relative": True}, "media": NONE}, "/blog", ["/blog/", "/blog/static/"]),
    ({"static": {"url": "/static/", "relative": False}, "media": NONE}, "/blog", ["/blog/", "/static/"]),
    ({"static": {"url": "/static/"}, "media": {"url": "/m/", "relative": True}}, "/", ["/", "/static/", "/m/"]),
    ({"static": NONE, "media": NONE, "static_urls": [{"url": "/a/"}]}, "/blog", ["/blog/", "/a/"]),
]


@pytest.mark.parametrize(("record", "path", "claimed"), CLAIMS)
def test_claims(record: dict[str, Any], path: str, claimed: list[str]) -> None:
    static, media, others = (tuple(urls) for urls in url_prefixes.urls(record, path))
    assert locations.claims(Booked("kittens", path, static, media, 60, others)) == claimed


KEPT: list[tuple[str, str]] = [
    # (a static file, how long a browser keeps it)
    ("a.0123456789ab.css", "public, max-age=31536000, immutable"),  # as Django's ManifestStaticFilesStorage names it
    ("a.1a2b3c4d.chunk.js", "public, max-age=31536000, immutable"),
    ("a.css", "no-cache"),
    ("a.20260102.css", "no-cache"),  # a date
    ("a.deadbeef.css", "no-cache"),  # a word
    ("a.0123456.css", "no-cache"),
    ("a.0123456789ab.css/none", "no-cache"),
    ("none.0123456789ab.css", "no-cache"),  # 404: a release that has it may come in a second
]


def test_what_a_browser_keeps(served: Nginx, house: House) -> None:
    root = Path(house.act("root").release(A).static)
    for name, _kept in KEPT:
        if "none" not in name:
            (root / name).write_text(name)
    found = [(name, served.get(BOTH, f"/static/{name}")[1].get("Cache-Control")) for name, _kept in KEPT]
    assert found == KEPT
    assert served.get(BOTH, "/page")[1].get("Cache-Control") is None, "an Act says itself how long its answers are kept"


@pytest.mark.parametrize(
    ("asked", "accepts", "text", "encoding"),
    [
        ("now.css", "gzip, br", "packed", "gzip"),
        ("now.css", "", "blog now ", None),
        ("before.css", "gzip", "packed before", "gzip"),  # of the release before
        ("same.css", "gzip", "blog", None),
    ],
)
def test_what_a_project_packed(
    served: Nginx, house: House, asked: str, accepts: str, text: str, encoding: str | None
) -> None:
    """The packed file beside the one that is asked for, never that of another release."""
    now, before = (Path(house.act("blog").release(release).static) for release in (A, B))
    (now / "now.css.gz").write_text("packed")
    (before / "before.css.gz").write_text("packed before")
    (now / "same.css").write_text("blog")
    (before / "same.css.gz").write_text("packed, earlier")
    client = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    client.request("GET", f"/my.blog/static/{asked}", headers={"Host": ALONE, "Accept-Encoding": accepts})
    answered = client.getresponse()
    assert (answered.read().decode(), answered.getheader("Content-Encoding")) == (text, encoding)
    assert answered.getheader("Vary") == (None if asked == "same.css" else "Accept-Encoding")
    assert answered.getheader("Content-Type") == "text/plain"
    client.close()

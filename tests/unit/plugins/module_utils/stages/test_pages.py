# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks of a visitor, as tables: what a site answers, and how the walk ends."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Health
from ansible_collections.backstage.django.plugins.module_utils.stages import pages as visits
from ansible_collections.backstage.django.plugins.module_utils.stages.pages import Answer, Page, Site, Walk

HTML = (("content-type", "text/html; charset=utf-8"),)
LOGIN = {"/": "/login/", "/login/": 200}
SITE = Site("a.example", ("www.a.example",))
AUTH = ": set health.path to a page that everybody may read, or health.status to what it answers"


def site(pages: dict[str, Any]) -> visits.Walk:
    """A site of these pages: a status, where one leads to, or an answer; nginx leads from an alias to the name."""

    def fetch(page: Page, cookies: str) -> Answer:
        if page.name == "www.a.example":
            return Answer(301, f"http://a.example{page.uri}")
        assert page.name == "a.example"
        found = pages.get(page.uri, 404)
        found = found(cookies) if callable(found) else found
        if isinstance(found, Answer):
            return found
        return Answer(302, found) if isinstance(found, str) else Answer(found, "", "purr")

    return Walk(SITE, fetch)


def with_cookie(cookies: str) -> Answer:
    """A page that looks whether cookies come back."""
    if cookies == "seen=yes":
        return Answer(200)
    return Answer(302, "/", "", (("set-cookie", "seen=yes; Path=/; HttpOnly"), ("set-cookie", "no=1; Secure")))


WALKS = [
    # (pages, health, why it is refused; empty where it is accepted)
    ({"/": 200}, Health(), ""),
    (LOGIN, Health(), ""),
    ({"/": "http://a.example/login/", "/login/": 200}, Health(), ""),
    ({"/": "login/?next=/", "/login/?next=/": 200}, Health(), ""),
    ({"/": "//a.example:80/login/#top", "/login/": 200}, Health(), ""),
    ({"/": with_cookie}, Health(), ""),
    ({"/": "/login/", "/login/": 500}, Health(), "/ leads to /login/: /login/ answers 500"),
    (
        {"/": "/login/"},
        Health(),
        "/ leads to /login/: nothing at /login/ (404): set health.path to a page that the Act has",
    ),
    ({"/": 403}, Health(), "/ answers 403" + AUTH),
    ({"/": "/x/", "/x/": 401}, Health(), "/ leads to /x/: /x/ answers 401" + AUTH),
    ({"/": 403}, Health(status=(403,)), ""),
    ({"/": "/login/", "/login/": 500}, Health(status=(302,)), ""),
    ({"/": "/login/", "/login/": 500}, Health(status=(200,)), "/ answers 302"),
    (LOGIN, Health(text="purr"), ""),
    (LOGIN, Health(text="Meow"), "/login/ answers 200 without the text 'Meow'"),
    (LOGIN, Health(status=(302,), text="purr"), ""),
    # what leaves the site
    ({"/": "https://login.example.org/"}, Health(), ""),
    ({"/": "http://b.example/"}, Health(), ""),
    ({"/": "http://a.example:8001/"}, Health(), ""),
    ({"/": "http://[/"}, Health(), ""),
    ({"/": "ftp://a.example/"}, Health(), ""),
    ({"/": "/" + "x" * 5000}, Health(), ""),
    ({"/": Answer(302)}, Health(), ""),
    # what no visitor would ever get past
    (
        {"/": "/x/", "/x/": "https://a.example/x/"},
        Health(),
        "the page /x/ leads to https, and this Venue speaks http: set SECURE_SSL_REDIRECT = False",
    ),
    (
        {"/": "https://www.a.example/"},
        Health(),
        "the page / leads to https, and this Venue speaks http: set SECURE_SSL_REDIRECT = False",
    ),
    ({"/": "https://a.example/"}, Health(status=(302,)), ""),
    (
        {"/": "http://www.a.example/"},
        Health(),
        "/ leads to www.a.example, and nginx redirects back to a.example without end: set PREPEND_WWW = False,"
        " or make www.a.example the Venue's name and a.example its alias",
    ),
    (
        {"/": "/"},
        Health(),
        "/ leads to /, and so on without end: correct the redirect, or set health.path to another page",
    ),
    (
        {"/": "/b/", "/b/": "/c/", "/c/": "/b/"},
        Health(),
        "/ leads to /b/, /c/, and so on without end: correct the redirect, or set health.path to another page",
    ),
    (
        {"/": "/1", **{f"/{number}": f"/{number + 1}" for number in range(99)}},
        Health(),
        "/ leads to /1, /2, /3, /4, /5, /6, /7, /8, /9, and so on without end: correct the redirect, or set health.path"
        " to another page",
    ),
]


@pytest.mark.parametrize(("pages", "health", "said"), WALKS)
def test_judge(pages: dict[str, Any], health: Health, said: str) -> None:
    walk = site(pages)
    found = ""
    try:
        visits.judge(walk, health, Page("a.example", "/"), str)
    except BackstageError as error:
        found = error.message
    assert found == said
    assert len(walk.pages) <= visits.STEPS + 1


@pytest.mark.parametrize(("target", "asked"), [("/blog/x/", True), ("/blog", True), ("/blogs/", False), ("/", False)])
def test_a_walk_stays_below_its_path(target: str, asked: bool) -> None:
    """What lies beside it is another Act's."""
    walk = Walk(
        Site("a.example", path="/blog"), lambda page, _c: Answer(302, target) if page.uri == "/blog/" else Answer(200)
    )
    visits.judge(walk, Health(), Page("a.example", "/blog/"), str)
    assert (len(walk.pages) == 2) is asked


BESIDE = [("/blog/", False), ("/blog", False), ("/blogs/", True), ("/blog/s/a.css", False), ("/a/", True)]


@pytest.mark.parametrize(("target", "own"), BESIDE)
def test_another_act_at_the_same_name(target: str, own: bool) -> None:
    """What is below its path is its business, where it leads to as well as what is named."""
    pages = {"/": Answer(302, target)}
    beside = Site("a.example", beside=frozenset({"/blog"}))
    walk = Walk(beside, lambda page, _cookies: pages.get(page.uri, Answer(200)))
    visits.judge(walk, Health(), Page("a.example", "/"), str)
    assert (len(walk.pages) == 2) is own
    answer = Answer(200, "", f"<script src='{target}'>", HTML)
    assert (len(list(visits.assets(Page("a.example", "/"), answer, beside))) == 1) is own
    # and what plays below a path has all that is longer
    below = Site("a.example", path="/blog", beside=frozenset({"/"}))
    assert len(list(visits.assets(Page("a.example", "/blog/"), answer, below))) == 1


def test_what_is_asked_for_is_written_as_a_url() -> None:
    """A Location of an Act never ends a line of ours."""
    walk = site({"/": "/\u00e4 b\r\nX: y/?q=\u00e4 b", "/%C3%A4%20bX:%20y/?q=%C3%A4%20b": 200})
    visits.judge(walk, Health(), Page("a.example", "/"), str)
    assert walk.pages[-1].uri == "/%C3%A4%20bX:%20y/?q=%C3%A4%20b"


COOKIES = [
    (["a=1", "b=2; Path=/"], "a=1; b=2"),
    (["a=1", "a=; expires=Thu, 01 Jan 1970 00:00:00 GMT"], ""),
    (["a=1", "a=2; Max-Age=0"], ""),
    (["a=1; SECURE; HttpOnly"], ""),
    (["a=\u00e4", "b=\x01", "c=" + "x" * 5000], ""),
    ([f"c{number}=1" for number in range(50)], "; ".join(f"c{number}=1" for number in range(9))),
]


@pytest.mark.parametrize(("given", "sent"), COOKIES)
def test_cookies(given: list[str], sent: str) -> None:
    got: list[str] = []

    def fetch(page: Page, cookies: str) -> Answer:
        got.append(cookies)
        return Answer(302, "/b/", "", tuple(("set-cookie", text) for text in given)) if page.uri == "/" else Answer(200)

    visits.judge(Walk(SITE, fetch), Health(), Page("a.example", "/"), str)
    assert got == ["", sent]


ASSETS = [
    # (the page, what it names)
    ('<link rel="stylesheet" href="/s/a.css">', [("style sheet", "/s/a.css")]),
    ('<LINK REL="preload StyleSheet" HREF=a.css>', [("style sheet", "/x/a.css")]),
    ('<link rel="icon" href="/i.png"><link rel="stylesheet"><script>1</script><img src="/b.png">', []),
    ("<script src='../a.js?v=1' defer></script>", [("script", "/a.js?v=1")]),
    ('<script src="http://www.a.example/a.js">', [("script", "/a.js")]),
    ('<script src="https://a.example/a.js"><script src="//cdn.example/a.js"><script src="data:,1">', []),
    ('<script src="http://[/a.js"><script src="http://a.example:8001/a.js">', []),
    ('<base href="/y/"><script src="a.js">', [("script", "/y/a.js")]),
    ('<base href="http://cdn.example/"><script src="a.js">', []),
    ('<script src="/a.js"><script src="/a.js">', [("script", "/a.js")]),
    ('<!-- <script src="/a.js"> --><p', []),
]


@pytest.mark.parametrize(("body", "named"), ASSETS)
def test_assets(body: str, named: list[tuple[str, str]]) -> None:
    found = visits.assets(Page("a.example", "/x/"), Answer(200, "", body, HTML), SITE)
    assert [(kind, page.uri) for kind, page in found] == named


@pytest.mark.parametrize(("headers", "count"), [(HTML, visits.ASSETS), ((("content-type", "text/plain"),), 0), ((), 0)])
def test_not_more_assets_than_that(headers: Any, count: int) -> None:
    body = "".join(f'<script src="/{number}.js"></script>' for number in range(100))
    assert len(list(visits.assets(Page("a.example", "/"), Answer(200, "", body, headers), SITE))) == count


def test_what_is_missing_is_told_with_its_cures() -> None:
    said = visits.missing(Page("a.example", "/login/"), "style sheet", Page("a.example", "/static/a.css?1"), 404)
    assert said.startswith("/login/ names the style sheet /static/a.css, which answers 404: ")
    assert [word for word in ("after_static", "health: {status: [200]}") if word not in said] == []


SECURE = Site("a.example", ("www.a.example",), ports=(None, 443), scheme="https")
SECURE_WAYS = [
    # (where / leads to, the pages that are asked)
    ("https://a.example/b", ["/", "/b"]),
    ("/b", ["/", "/b"]),
    ("http://a.example/b", ["/", "/b"]),  # nginx leads from there to https
    ("http://a.example:8080/b", ["/", "/b"]),
    ("https://b.example/b", ["/"]),
    ("https://a.example:8443/b", ["/"]),
]


@pytest.mark.parametrize(("target", "pages"), SECURE_WAYS)
def test_a_walk_with_tls(target: str, pages: list[str]) -> None:
    walk = Walk(SECURE, lambda page, _cookies: Answer(302, target) if page.uri == "/" else Answer(200))
    walk.follow(walk.ask(Page("a.example", "/")))
    assert [page.uri for page in walk.pages] == pages


@pytest.mark.parametrize(("site", "cookies"), [(SECURE, "session=1"), (SITE, "")])
def test_a_secure_cookie_comes_back_with_tls_only(site: Site, cookies: str) -> None:
    sent: list[str] = []

    def fetch(_page: Page, cookies: str) -> Answer:
        sent.append(cookies)
        return (
            Answer(302, "/b", "", (("set-cookie", "session=1; Secure; HttpOnly"),)) if len(sent) == 1 else Answer(200)
        )

    walk = Walk(site, fetch)
    walk.follow(walk.ask(Page("a.example", "/")))
    assert sent == ["", cookies]

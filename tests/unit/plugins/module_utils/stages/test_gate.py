# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate of a new Sess: which requests it gets, and why it does not pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts.world import Address
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Health, Venue
from ansible_collections.backstage.django.plugins.module_utils.stages import gate
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses

from ...emperors import Emperor, purr
from ...house import A, B, House, wanted
from ...servers import Variables
from .wishes import ACT, CLOSED, OPEN, SESS, carry_out, fails, on_the_host, want


def oops(_asked: Variables) -> str:
    return "HTTP/1.1 500 Oops\r\n\r\nKeyError: 'THEME'"


def elsewhere(asked: Variables) -> str:
    return f"HTTP/1.1 301 Moved\r\nLocation: https://{asked['HTTP_HOST']}/\r\n\r\n"


def nothing(_asked: Variables) -> str:
    return ""


GATES = [
    # (what the new one answers, its health, what is said)
    (oops, {}, "/ answers 500: the environment variable THEME is missing: add it to 'env' or 'secrets'"),
    (nothing, {}, "/ was asked: the answer was empty: the worker ended while it answered"),
    (elsewhere, {}, "the page / leads to https, and this Venue speaks http: set SECURE_SSL_REDIRECT = False"),
    (None, {"status": (301,)}, "/ answers 200"),
    (None, {"text": "Meow"}, "/ answers 200 without the text 'Meow'"),
]


@pytest.mark.parametrize(("answer", "health", "said"), GATES)
def test_fault_19_the_gate(crewed: House, emperor: Emperor, answer: Any, health: dict[str, Any], said: str) -> None:
    """The old one never noticed, and what failed is gone; its name is never used again."""
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want())
    emperor.answer = answer or emperor.answer
    failure = fails(crewed, want(replace(ACT, health=Health(timeout=2, **health)), B))
    assert (failure.message, failure.step) == (said, "gate")
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])
    assert crewed.state().next_sess(B) == f"{B}.2"


LEADS = [
    # a page that leads elsewhere is good, where somebody says that it is, too
    ("https://login.example.org/", {}),
    ("http://kittens.example.com/en/", {}),
    ("https://kittens.example.com/", {"status": (301,)}),
]


@pytest.mark.parametrize(("location", "health"), LEADS)
def test_a_page_that_leads_elsewhere(crewed: House, emperor: Emperor, location: str, health: dict[str, Any]) -> None:
    crewed.build(A)
    moved = f"HTTP/1.1 301 Moved\r\nLocation: {location}\r\n\r\n"
    emperor.answer = lambda asked: moved if asked["PATH_INFO"] == "/" else purr(asked)
    venue = Venue("kittens.example.com")
    carry_out(crewed, want(replace(ACT, health=Health(timeout=2, **health)), venues=(venue,)))
    assert on_the_host(crewed)[0] == f"{A}.1"


def test_every_worker_is_asked(crewed: House, emperor: Emperor) -> None:
    """One that fails is found, whichever it is, and one that does not answer is named."""
    crewed.build(A)
    emperor.answer = lambda asked: oops(asked) if emperor.called % 3 == 2 else purr(asked)
    assert fails(crewed, want()).message.startswith("/ answers 500: the environment variable THEME is missing")
    emperor.answer = lambda asked: nothing(asked) if emperor.called == 2 else purr(asked)
    lost = "the thread 'tick' was started while the Act was loaded, and does not live in the workers: start it soon"
    emperor.ready_says = f"2026-01-01T00:00:00+0000 - backstage: {lost}\n"
    failure = fails(crewed, want())
    said = "/ was asked: worker 3 of 3 does not answer: the answer was empty: the worker ended while it answered"
    assert failure.message == f"{said}; {lost}"
    emperor.answer = purr
    assert carry_out(crewed, want()) == [f"act kittens: {lost}"]


PRINTED = [
    # (what the Act prints, what it answers, what is said): the page itself says nothing, or fails for the same reason
    (
        'OperationalError: connection to server at "::1", port 5432 failed: Connection refused',
        "HTTP/1.1 500 Oops\r\n\r\n<h1>Server Error (500)</h1>",
        "/ answers 500: the database does not answer: start it, or correct where DATABASE_URL or DATABASES says it is",
    ),
    (
        "ImproperlyConfigured: settings.DATABASES is improperly configured. Please supply the ENGINE value",
        "",
        "/ was asked: the settings name no database: write 'database' in the manifest, which exports DATABASE_URL, or"
        " give what they read for one in 'env'",
    ),
]


@pytest.mark.parametrize(("printed", "answer", "said"), PRINTED)
def test_fault_90_the_gate_says_what_the_act_printed(
    crewed: House, emperor: Emperor, printed: str, answer: str, said: str
) -> None:
    crewed.build(A)

    def broken(_asked: Variables) -> str:
        with emperor.log.open("a") as log:
            log.write(printed + "\n")
        return answer

    emperor.answer = broken
    assert fails(crewed, want()).message == said


HOSTS = [
    ((), None, ["localhost"]),
    ((), "up.example", ["up.example"]),
    ((OPEN,), None, ["a.example"]),
    ((OPEN, Venue("c.example")), None, ["a.example", "c.example"]),
    ((OPEN, CLOSED), None, ["a.example"]),
    ((CLOSED,), None, ["b.example"]),
    ((OPEN,), "up.example", ["up.example"]),
]


@pytest.mark.parametrize(("venues", "host", "asked"), HOSTS)
def test_gate_hosts(venues: tuple[Venue, ...], host: Optional[str], asked: list[str]) -> None:
    act = replace(ACT, health=Health(host=host))
    assert gate.hosts(act, want(act, venues=venues).act.address) == asked
    # a port of its own is one more place where it is asked for
    more = sesses.Want(SESS, wanted(act, address=Address(venues, ports=(8001,)), play=A))
    opened = [venue.name for venue in venues if venue.state == "open"]
    assert gate.hosts(act, more.act.address) == ([host] if host else [*opened, "localhost:8001"])


@pytest.mark.usefixtures("emperor")
def test_the_gate_asks_below_the_path(crewed: House, emperor: Emperor) -> None:
    crewed.build(A)
    asked: list[Variables] = []

    def answer(found: Variables) -> str:
        asked.append(found)
        return "HTTP/1.1 404 Not Found\r\n\r\n" if found["SCRIPT_NAME"] == "/news" else "HTTP/1.1 200 OK\r\n\r\n"

    emperor.answer = answer
    act = replace(ACT, health=Health("/up/", timeout=2))
    for path in ("/blog", "/news"):
        address = Address((OPEN, Venue("c.example")), path)
        wish = sesses.Want(SESS, wanted(act, address=address, play=A))
        if path == "/blog":
            carry_out(crewed, wish)
        else:
            failure = fails(crewed, wish)
            assert failure.message == "nothing at /news/up/ (404): set health.path to a page that the Act has"
    found = [(one["HTTP_HOST"], one["SCRIPT_NAME"], one["PATH_INFO"], one["REQUEST_URI"]) for one in asked]
    # each of three workers, for the first name
    names_ = ["a.example"] * 3 + ["c.example"]
    assert found[:4] == [(name, "/blog", "/up/", "/blog/up/") for name in names_]
    assert crewed.state().live_env["BACKSTAGE_PREFIX"] == "/blog", "the path is the Sess's own"

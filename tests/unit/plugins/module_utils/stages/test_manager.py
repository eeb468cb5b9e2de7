# SPDX-License-Identifier: GPL-3.0-or-later
"""The Stage manager at work with real files, users and doors: start, gate, switch, drain; and the ways back."""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.acts.world import Address
from ansible_collections.backstage.django.plugins.module_utils.bookings import visit
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.host import names, process
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest import inputs
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Health, Sess, Venue
from ansible_collections.backstage.django.plugins.module_utils.stages import door, gate
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Phase

from ...conftest import Crew
from ...emperors import Emperor, purr
from ...house import KITTENS, A, B, House, wanted
from ...servers import Variables, free_port

ACT = replace(KITTENS, secrets={"KEY": "purrpurr"}, timeout=5, health=Health(timeout=2))
SESS = Sess("kittens", processes=3)


@pytest.fixture
def emperor(crewed: House) -> Iterator[Emperor]:
    acts.prepare(crewed.act())
    found = Emperor(Path(crewed.host.vassals), Path(crewed.host.stats), log=Path(crewed.act().log))
    with found:
        yield found


def want(act: Act = ACT, release: str = A, hold: Any = None, venues: tuple[Venue, ...] = ()) -> sesses.Want:
    return sesses.Want(SESS, wanted(act, venues, play=release), hold)


def asked_by(house: House) -> Callable[[Act], None]:
    """What asks an Act through nginx, as the Production manager does."""
    return lambda act: visit.ask_booked(act, house.act(act.name), house.host)


def carry_out(house: House, wish: sesses.Want) -> list[str]:
    """Make what is planned; the warnings."""
    warnings: list[str] = []
    for change in sesses.plan(wish, house.state(), house.host, warnings.append, asked_by(house)):
        assert change.make
        change.make()
    return warnings


def fails(house: House, wish: sesses.Want) -> BackstageError:
    with pytest.raises(BackstageError) as failure:
        carry_out(house, wish)
    return failure.value


def events(house: House) -> list[tuple[str, Optional[str]]]:
    return [(event["event"], event.get("sess")) for event in house.state().history.events]


def on_the_host(house: House) -> tuple[Optional[str], list[str], list[str]]:
    """What plays, and the directories and vassals that there are."""
    state = house.state()
    return state.live, state.sesses, state.started


@pytest.mark.usefixtures("emperor")
def test_a_first_sess(crewed: House, crew: Crew) -> None:
    crewed.build(A)
    assert carry_out(crewed, want()) == []
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])
    assert events(crewed) == [("started", f"{A}.1"), ("played", f"{A}.1")]
    assert carry_out(crewed, want()) == []
    assert len(events(crewed)) == 2, "and nothing is left to be done"
    own = crewed.act().sess(f"{A}.1")
    www = process.group_id(names.WWW_GROUP)
    assert {name: about(getattr(own, name)) for name in ("root", "env", "door", "ini", "record")} == {
        "root": (0o711, 0, 0),
        "env": (0o750, 0, crew.player.gid),
        "door": (0o750, 0, www),
        "ini": (0o640, 0, crew.player.gid),
        "record": (0o600, 0, 0),
    }
    assert about(own.env + "/KEY") == (0o640, 0, crew.player.gid)
    assert "purrpurr" not in Path(own.record).read_text() + Path(own.ini).read_text()
    assert (os.readlink(own.static), os.readlink(own.release)) == (
        crewed.act().release(A).static,
        crewed.act().release(A).root,
    )


def about(path: str) -> tuple[int, int, int]:
    found = os.stat(path)
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


@pytest.mark.usefixtures("emperor")
def test_a_switch(crewed: House) -> None:
    for release in (A, B):
        crewed.build(release)
        carry_out(crewed, want(release=release))
    assert on_the_host(crewed) == (f"{B}.1", [f"{B}.1"], [f"{B}.1"])
    older = crewed.act().sess(f"{B}.1").older
    assert {name: os.readlink(os.path.join(older, name)) for name in os.listdir(older)} == {
        "1": crewed.act().release(A).static
    }
    carry_out(crewed, want(replace(ACT, secrets={"KEY": "meowmeow"}), B))
    assert on_the_host(crewed)[0] == f"{B}.2", "a new secret is a new Sess of the same release"
    assert crewed.state().live_env["KEY"] == "meowmeow"
    older = crewed.act().sess(f"{B}.2").older
    assert [os.readlink(os.path.join(older, name)) for name in os.listdir(older)] == [crewed.act().release(A).static]


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


def test_a_token_is_no_difference(crewed: House, emperor: Emperor) -> None:
    crewed.build(A)
    for key in ("purrpurr", "meowmeow"):
        carry_out(crewed, want(replace(ACT, secrets={"KEY": key})))
    state = crewed.state()
    token = state.live_record["token"]
    assert len(emperor.seen) == 2
    assert Path(crewed.act().sess(f"{A}.2").env, "BACKSTAGE_TOKEN").read_text() == token + "\n"
    assert ("BACKSTAGE_TOKEN" in state.live_env, sorted(state.hidden)) == (False, sorted(["meowmeow", token]))


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


@pytest.mark.parametrize(("writable", "said"), [([], True), (["db.sqlite3"], False)])
@pytest.mark.usefixtures("emperor")
def test_a_database_that_nobody_can_write(crewed: House, writable: list[str], said: bool) -> None:
    """Pages may be read from it, so the gate does not notice."""
    database = {"engine": "django.db.backends.sqlite3", "name": "db.sqlite3"}
    crewed.build(A, databases={"default": database}, project=".")
    warnings: list[str] = []
    wish = want(replace(ACT, writable=writable))
    for change in sesses.plan(wish, crewed.state(), crewed.host, warnings.append, asked_by(crewed)):
        assert change.make
        change.make()
    known = "act kittens: its database 'db.sqlite3' lies in the code, and can't be written: name it in 'writable'"
    assert warnings == ([known] if said else [])


def test_fault_11_a_sess_that_ends_while_it_starts(crewed: House, emperor: Emperor) -> None:
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want())
    emperor.says = "Traceback\nModuleNotFoundError: No module named 'PIL'\n*** GAME OVER ***\nthe respawn\n"
    start = time.monotonic()
    failure = fails(crewed, want(replace(ACT, health=Health(timeout=60)), B))
    assert time.monotonic() - start < 5, "seconds, not the timeout"
    assert failure.message == "the module 'PIL' is missing: add its package, Pillow, to the requirements"
    assert failure.log.splitlines()[:2] == ["Traceback", "ModuleNotFoundError: No module named 'PIL'"]
    assert "the respawn" not in failure.log
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])


def test_a_release_for_another_python(crewed: House, emperor: Emperor) -> None:
    """After an upgrade of Debian, in a rollback: uWSGI would say that Django is missing."""
    crewed.build(A, abi=inputs.abi())
    carry_out(crewed, want())
    crewed.build(B, abi="cpython-39-x86_64-linux-gnu")
    failure = fails(crewed, want(release=B))
    assert "was built for another Python" in failure.message
    assert failure.step == "start"
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])


def test_fault_20_a_sess_that_is_never_ready(crewed: House, emperor: Emperor) -> None:
    crewed.build(A)
    emperor.ready = False
    failure = fails(crewed, want(replace(ACT, health=Health(timeout=1))))
    assert failure.message == "the Sess was not ready within 1 s: raise health.timeout"
    assert on_the_host(crewed) == (None, [], [])


@pytest.mark.usefixtures("emperor")
@pytest.mark.parametrize("hold", [None, {"release": A, "digest": "0" * 64}])
def test_what_only_nginx_shows_moves_live_back(crewed: House, hold: Optional[dict[str, str]]) -> None:
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want())
    crewed.host = replace(crewed.host, http_port=free_port())
    crewed.book(Venue("a.example"), Booked("kittens", "/", (), (), 60))
    failure = fails(crewed, want(release=B, hold=hold))
    assert "does not answer on this host" in failure.message
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])
    assert crewed.state().hold == {}, "what plays is not held"
    assert crewed.state().history.played() == [A]


@pytest.mark.usefixtures("emperor")
def test_a_rollback_holds_what_it_left(crewed: House) -> None:
    for release in (A, B):
        crewed.build(release)
        carry_out(crewed, want(release=release))
    hold = {"release": B, "digest": "0" * 64}
    carry_out(crewed, want(hold=hold))
    assert (crewed.state().live, crewed.state().hold) == (f"{A}.2", hold)
    played = [event for event in crewed.state().history.events if event["event"] == "played"]
    assert played[-1]["because"] == f"rolled back from {B}"


@pytest.mark.usefixtures("emperor")
def test_what_is_being_answered_is_finished(crewed: House) -> None:
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want())
    path = crewed.act().sess(f"{A}.1").socket
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(path)
        thread = threading.Thread(target=carry_out, args=(crewed, want(release=B)))
        thread.start()
        while crewed.state().live != f"{B}.1":
            time.sleep(0.02)
        time.sleep(0.4)
        assert on_the_host(crewed) == (f"{B}.1", [f"{A}.1", f"{B}.1"], [f"{A}.1", f"{B}.1"])
    thread.join(10)
    assert on_the_host(crewed) == (f"{B}.1", [f"{B}.1"], [f"{B}.1"])


@pytest.mark.usefixtures("emperor")
def test_a_request_that_never_ends_is_said(crewed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want())
    waited: list[float] = []
    monkeypatch.setattr(door, "wait_idle", lambda path, timeout: bool(waited.append(timeout)))
    said = f"act kittens: Sess {A}.1 was still answering after 10 s and was stopped"
    assert (carry_out(crewed, want(release=B)), waited) == ([said], [10])
    assert on_the_host(crewed) == (f"{B}.1", [f"{B}.1"], [f"{B}.1"])


@pytest.mark.usefixtures("emperor")
def test_stopped_and_started_again(crewed: House) -> None:
    crewed.build(A)
    carry_out(crewed, want())
    carry_out(crewed, replace(want(), sess=replace(SESS, state="stopped")))
    assert on_the_host(crewed) == (None, [], [])
    assert events(crewed)[-1] == ("stopped", f"{A}.1")
    carry_out(crewed, want())
    assert on_the_host(crewed) == (f"{A}.2", [f"{A}.2"], [f"{A}.2"])


OPEN, CLOSED = Venue("a.example", ["www.a.example"]), Venue("b.example", state="closed")
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


@pytest.mark.usefixtures("emperor")
def test_a_place_that_is_left(crewed: House) -> None:
    """First the Sess that answers at both; when nginx knows, the one that does not."""
    crewed.build(A)
    both, after = Address((OPEN, CLOSED), "/blog", (8001,)), Address((OPEN,), "/blog")
    wish = sesses.Want(SESS, wanted(ACT, address=both, play=A), after=after)
    changes = sesses.plan(wish, crewed.state(), crewed.host, print, asked_by(crewed))
    assert [(change.phase, change.step.after["because"]) for change in changes] == [
        (Phase.PLAY, ["nothing plays"]),
        (Phase.LEAVE, ["venues left", "ports left"]),
    ]
    told = ("a.example,www.a.example,b.example,localhost,127.0.0.1", "a.example,www.a.example")
    for change, hosts in zip(changes, told):
        assert change.make
        change.make()
        assert crewed.state().live_env["BACKSTAGE_HOSTS"] == hosts

# SPDX-License-Identifier: GPL-3.0-or-later
"""Several Acts at one Venue, one Act at several, paths that change, and ports: by a real nginx where it counts."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts.world import Address
from ansible_collections.backstage.django.plugins.module_utils.bookings import server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.booked_acts import Coming
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.bookings.manager import Bookings
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import (
    Act,
    Gig,
    Health,
    Manifest,
    Sess,
    Venue,
)
from ansible_collections.backstage.django.plugins.module_utils.state import read as state
from waiting import eventually

from ...house import KITTENS, NONE, A, B, House, wanted
from ...servers import Nginx, free_port, listening, read_request

V, W = Venue("a.example"), Venue("b.example")
NAMES = ("kittens", "dogs")
ACTS = {name: replace(KITTENS, name=name) for name in NAMES}
Gigs = list[tuple[str, str]]


def booked(house: House, *gigs: Gig, sesses: tuple[Sess, ...] = (), **more: Any) -> Bookings:
    acts = more.pop("acts", ACTS)
    venues = more.pop("venues", (V,))
    manifest = Manifest(
        "jazz", acts, {sess.act: sess for sess in sesses}, {venue.name: venue for venue in venues}, list(gigs)
    )
    return Bookings(manifest, state.read("jazz", house.host), house.host, **more)


def at(act: str, path: str = "/", venue: Venue = V, **more: Any) -> Gig:
    return Gig(act, venue.name, path, **more)


GIGS: list[tuple[str, Gigs, list[Gig], dict[str, Any], Gigs]] = [
    ("two Acts", [], [at("dogs", "/b"), at("kittens")], {}, [("kittens", "/"), ("dogs", "/b")]),
    ("beside one that is not said", [("kittens", "/")], [at("dogs", "/b")], {}, [("kittens", "/"), ("dogs", "/b")]),
    ("a move", [("dogs", "/b")], [at("dogs", "/n")], {}, [("dogs", "/n")]),
    ("a said move", [("dogs", "/b")], [at("dogs", "/b", state="absent"), at("dogs", "/n")], {}, [("dogs", "/n")]),
    ("a cancelled one", [("kittens", "/"), ("dogs", "/b")], [at("dogs", "/b", state="absent")], {}, [("kittens", "/")]),
    ("a swap", [("kittens", "/a"), ("dogs", "/b")], [at("kittens", "/b"), at("dogs", "/a")], {},
     [("dogs", "/a"), ("kittens", "/b")]),
    ("a move that failed", [("dogs", "/b")], [at("dogs", "/n")], {"left": {"dogs"}}, [("dogs", "/b")]),
    ("and is pruned", [("dogs", "/b")], [at("dogs", "/n")], {"left": {"dogs"}, "prune": True}, [("dogs", "/b")]),
    ("one that failed gives its place up", [("dogs", "/")], [at("dogs", "/n"), at("kittens")],
     {"left": {"dogs"}, "prune": True}, [("kittens", "/")]),
    ("pruned", [("kittens", "/"), ("dogs", "/b")], [at("dogs", "/b")], {"prune": True}, [("dogs", "/b")]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "gigs", "more", "after"), [row[1:] for row in GIGS], ids=[row[0] for row in GIGS])
def test_gigs(house: House, before: Gigs, gigs: list[Gig], more: dict[str, Any], after: Gigs) -> None:
    house.book(V, *[Booked(act, path, (), (), 60) for act, path in before])
    found = booked(house, *gigs, **more).wanted()[V.name]["gigs"]
    assert [(gig["act"], gig["path"]) for gig in found] == after


def test_an_act_that_moves_leaves_venues_that_the_manifest_does_not_name(house: House) -> None:
    """It has one path: at the other one its pages would ask for static files in vain."""
    house.book(W, Booked("dogs", "/b", (), (), 60))
    assert booked(house, at("dogs", "/n")).wanted()[W.name]["gigs"] == []
    assert booked(house, at("dogs", "/b")).wanted()[W.name]["gigs"] == [{"act": "dogs", "path": "/b"}]


STARTED = Sess("dogs", port=8001)
LISTENING: list[tuple[str, dict[str, Any], dict[str, int]]] = [
    # (what, what the manifest says, who listens where; before it dogs did on 8001)
    ("the same", {"sesses": (STARTED,)}, {"dogs": 8001}),
    ("another", {"sesses": (Sess("dogs", port=8002),)}, {"dogs": 8002}),
    ("none", {"sesses": (Sess("dogs"),)}, {}),
    ("0 is none", {"sesses": (Sess("dogs", port=0),)}, {}),
    ("stopped", {"sesses": (Sess("dogs", port=8001, state="stopped"),)}, {"dogs": 8001}),
    ("absent", {"sesses": (Sess("dogs", port=8001, state="absent"),)}, {}),
    ("not said", {}, {"dogs": 8001}),
    ("not said, and pruned", {"prune": True}, {}),
    ("an absent Act", {"acts": {"dogs": Act("dogs", state="absent")}}, {}),
    ("a second one", {"sesses": (STARTED, Sess("kittens", port=8002))}, {"dogs": 8001, "kittens": 8002}),
    ("the Act failed", {"sesses": (Sess("dogs", port=8002),), "left": {"dogs"}}, {"dogs": 8001}),
    ("a new one failed", {"sesses": (Sess("kittens", port=8002),), "left": {"kittens"}}, {"dogs": 8001}),
    ("failed and pruned", {"sesses": (Sess("dogs"),), "left": {"dogs"}, "prune": True}, {"dogs": 8001}),
    ("handed over", {"sesses": (Sess("dogs", port=8002), Sess("kittens", port=8001))}, {"dogs": 8002, "kittens": 8001}),
]


@pytest.mark.parametrize(("said", "after"), [row[1:] for row in LISTENING], ids=[row[0] for row in LISTENING])
def test_ports(house: House, said: dict[str, Any], after: dict[str, int]) -> None:
    house.listen(8001, Booked("dogs", "/", (), (), 60))
    found = booked(house, **said)
    assert {act: block["port"] for act, block in found.wanted_ports().items()} == after
    assert found.refused() == {}


def test_a_port_answers_at_the_path_of_the_act(house: House) -> None:
    found = booked(house, at("dogs", "/b"), sesses=(STARTED,))
    assert (found.wanted_ports()["dogs"]["path"], found.addresses()["dogs"]) == ("/b", Address((V,), "/b", (8001,)))
    house.book(V, Booked("dogs", "/b", (), (), 60))
    assert booked(house, sesses=(STARTED,)).wanted_ports()["dogs"]["path"] == "/b", "where it is not said"
    gone = booked(house, at("dogs", "/b", state="absent"), sesses=(STARTED,))
    assert gone.wanted_ports()["dogs"]["path"] == "/"


MEANWHILE: list[tuple[str, dict[str, Any], Address, Address]] = [
    # (what, the manifest; before it dogs play at V/b and on 8001; then, meanwhile)
    ("the same", {"gigs": [at("dogs", "/b")], "sesses": (STARTED,)},
     Address((V,), "/b", (8001,)), Address((V,), "/b", (8001,))),
    ("a move", {"gigs": [at("dogs", "/n")], "sesses": (STARTED,)},
     Address((V,), "/n", (8001,)), Address((V,), "/n", (8001,))),
    ("to another Venue", {"gigs": [at("dogs", "/n", W), at("dogs", "/b", state="absent")], "sesses": (STARTED,)},
     Address((W,), "/n", (8001,)), Address((V, W), "/n", (8001,))),
    ("no Gig any more", {"gigs": [at("dogs", "/b", state="absent")], "sesses": (STARTED,)},
     Address((), "/", (8001,)), Address((V,), "/b", (8001,))),
    ("another port", {"gigs": [at("dogs", "/b")], "sesses": (Sess("dogs", port=8002),)},
     Address((V,), "/b", (8002,)), Address((V,), "/b", (8001, 8002))),
    ("nothing", {"gigs": [at("dogs", "/b", state="absent")], "sesses": (Sess("dogs"),)},
     Address(), Address((V,), "/b", (8001,))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "then", "meanwhile"), [row[1:] for row in MEANWHILE], ids=[row[0] for row in MEANWHILE]
)
def test_addresses(house: House, said: dict[str, Any], then: Address, meanwhile: Address) -> None:
    """Until nginx knows better, an Act answers where it was reached before, too."""
    house.book(V, Booked("dogs", "/b", (), (), 60))
    house.listen(8001, Booked("dogs", "/b", (), (), 60))
    found = booked(house, *said["gigs"], sesses=said["sesses"], venues=(V, W))
    assert (found.addresses().get("dogs", Address()), found.addresses_meanwhile()["dogs"]) == (then, meanwhile)


def refusal(found: Bookings, act: str = "dogs") -> str:
    error = found.refused().get(act)
    return error.message if error else ""


def test_fault_24_a_port_of_somebody_else(open_house: House) -> None:
    house = open_house
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        own = f"{Path('/proc/self/comm').read_text().strip()} (process {os.getpid()})"
        said = f"port {port} of this host belongs to {own} already; choose another one for the Sess"
        assert refusal(booked(house, sesses=(Sess("dogs", port=port),))) == said
    assert refusal(booked(house, sesses=(Sess("dogs", port=port),))) == ""
    theirs = Booked("cats", "/", (), (), 60)
    replace(house, production="blues").listen(8001, theirs)
    said = "belongs to the Act cats of the Production blues already"
    assert said in refusal(booked(house, sesses=(STARTED,)))
    house.listen(8002, theirs)
    assert "belongs to the Act cats already" in refusal(booked(house, sesses=(Sess("dogs", port=8002),)))
    assert refusal(booked(house, sesses=(Sess("dogs", port=8002),), prune=True)) == ""
    venues_port = Sess("dogs", port=house.host.http_port)
    assert "belongs to all Venues (front_of_house_http_port)" in refusal(booked(house, sesses=(venues_port,)))
    by_hand = house.root / "by-hand.conf"
    by_hand.write_text("server { listen 127.0.0.1:8003; }\n")
    assert f"belongs to {by_hand} already" in refusal(booked(house, sesses=(Sess("dogs", port=8003),)))


def released(house: House, act: str, release: str, **web: Any) -> None:
    house.build(release, act, **web)
    files = house.act(act).record
    Path(files).write_text(f'{{"release": "{release}"}}')


STATIC = {"url": "/static/", "root": "own"}
URLS: list[tuple[str, dict[str, Any], str]] = [
    # (what the dogs at /b have beside the kittens' /static/, what is said)
    ("relative", {"static": {**STATIC, "relative": True}}, ""),
    ("absolute", {"static": STATIC}, "the URL /static/ at a.example belongs to the Act kittens already"),
    ("uploads", {"static": NONE, "media": STATIC}, "the URL /static/ at a.example belongs to the Act kittens already"),
    ("the manifest's", {"static": NONE, "static_urls": [{"url": "/static/"}]}, "belongs to the Act kittens already"),
    ("the other's path", {"static": {"url": "/", "root": "own"}}, "belongs to the Act kittens already"),
    ("its own path", {"static": {"url": "/b/", "root": "own"}}, "it claims the URL /b/ twice"),
    ("twice", {"static": STATIC | {"url": "/s/"}, "media": STATIC | {"url": "/s/"}}, "it claims the URL /s/ twice"),
]


@pytest.mark.parametrize(("web", "said"), [row[1:] for row in URLS], ids=[row[0] for row in URLS])
def test_urls_of_two_acts(house: House, web: dict[str, Any], said: str) -> None:
    released(house, "kittens", A, static={**STATIC, "relative": True})
    released(house, "dogs", B, **web)
    found = booked(house, at("dogs", "/b"), at("kittens")).clashes()
    assert set(found) == ({"dogs"} if said else set())
    assert said in (found["dogs"].message if found else "")


def test_who_was_first_keeps_a_url(house: House) -> None:
    for act, release in zip(NAMES, (A, B)):
        released(house, act, release, static=STATIC)
    house.book(V, Booked("dogs", "/b", ("/static/",), (), 60))
    assert set(booked(house, at("dogs", "/b"), at("kittens")).clashes()) == {"kittens"}
    house.build(A.replace("a", "f"), "dogs", static=STATIC)
    house.book(V, Booked("kittens", "/", (), (), 60), Booked("dogs", "/b", (), (), 60))
    coming = {"dogs": Coming(A.replace("a", "f"), "/b")}
    assert set(booked(house, at("dogs", "/b"), at("kittens"), coming=coming).clashes()) == {"dogs"}
    unbuilt = {"dogs": Coming("0" * 12, "/b")}
    assert booked(house, at("dogs", "/b"), at("kittens"), coming=unbuilt).clashes() == {}, "not known yet"


@pytest.fixture
def playing(open_house: House) -> Iterator[House]:
    """Two Acts that play, each saying who it is and what it was asked, and their static files."""
    with ExitStack() as stack:
        for name in NAMES:
            want = wanted(ACTS[name], address=Address(path={"kittens": "/", "dogs": "/b"}[name]))
            open_house.build(want.release, name, inputs=want.inputs)
            open_house.record(want)
            sess = open_house.act(name).sess(open_house.play(want, Sess(name)))
            Path(open_house.act(name).release(want.release).static, f"{name}.css").write_text(name)
            os.symlink(open_house.act(name).release(want.release).static, sess.static)
            os.symlink(open_house.root / name, sess.socket)
            stack.enter_context(listening(open_house.root / name, lambda client, name=name: answer(client, name)))
        yield open_house


def answer(client: socket.socket, name: str) -> None:
    asked = read_request(client)
    said = f"{name} {asked.get('SCRIPT_NAME', '')} {asked['PATH_INFO']} {asked['HTTP_HOST']}"
    status = "404 Not Found" if asked["PATH_INFO"] == "/missing/" else "200 OK"
    client.sendall(f"HTTP/1.1 {status}\r\n\r\n{said}".encode())


def page(house: House, url: str, port: int = 0, name: str = V.name) -> tuple[int, str]:
    try:
        status, _headers, body = Nginx("", house.root, port or house.host.http_port).get(name, url)
    except OSError:
        return 0, ""
    return status, body


def test_two_acts_at_one_venue(playing: House) -> None:
    assert booked(playing, at("kittens"), at("dogs", "/b")).apply() == {}
    assert page(playing, "/up/") == (200, "kittens  /up/ a.example")
    assert page(playing, "/b/up/") == (200, "dogs /b /up/ a.example")
    assert page(playing, "/static/kittens.css") == (200, "kittens")
    assert page(playing, "/b/static/dogs.css") == (200, "dogs")
    assert page(playing, "/b/static/kittens.css")[0] == page(playing, "/static/dogs.css")[0] == 404
    assert booked(playing, at("kittens"), at("dogs", "/b")).plan() == []


def test_one_act_at_two_venues(playing: House) -> None:
    gigs = [at("kittens"), at("kittens", "/", W)]
    assert booked(playing, *gigs, venues=(V, W)).apply() == {}
    for venue in (V, W):
        assert page(playing, "/up/", name=venue.name) == (200, f"kittens  /up/ {venue.name}")
        assert page(playing, "/static/kittens.css", name=venue.name) == (200, "kittens")


def test_a_gig_that_does_not_answer_does_not_affect_its_neighbour(playing: House) -> None:
    """Both are new at their Venue: one is taken back, the other goes on."""
    acts = {**ACTS, "dogs": replace(ACTS["dogs"], health=Health("/missing/"))}
    failed = booked(playing, at("kittens"), at("dogs", "/b"), acts=acts).apply()
    assert {name: error.message for name, error in failed.items()} == {
        "dogs": "nothing at /b/missing/ (404): set health.path to a page that the Act has"
    }
    assert page(playing, "/up/") == (200, "kittens  /up/ a.example")
    assert page(playing, "/b/up/") == (200, "kittens  /b/up/ a.example")


def test_what_is_coming_is_served_beside_what_plays(playing: House) -> None:
    """Before a switch to another path: pages of both Sesses find their style sheets, and nothing is booked yet."""
    booked(playing, at("kittens"), at("dogs", "/b")).apply()
    release = playing.state("dogs").live_release or ""
    coming = {"dogs": Coming(release, "/n")}
    assert booked(playing, venues=(), coming=coming).apply() == {}
    assert page(playing, "/b/up/")[0] == page(playing, "/b/static/dogs.css")[0] == 200
    assert page(playing, "/n/static/dogs.css") == (200, "dogs")
    assert page(playing, "/n/up/") == (200, "kittens  /n/up/ a.example")
    (change,) = booked(playing, at("kittens"), at("dogs", "/b")).plan()
    assert (change.step.verb, change.step.name) == ("rewrite", V.name)


def test_a_sess_that_was_told_another_path_finds_its_files(playing: House) -> None:
    """Its switch came about, and its booking did not: its pages ask for them there."""
    live = playing.act("kittens").sess(playing.state("kittens").live or "")
    Path(live.env, "BACKSTAGE_PREFIX").write_text("/n\n")
    booked(playing, at("kittens")).apply()
    assert (page(playing, "/n/static/kittens.css"), page(playing, "/static/kittens.css")) == ((200, "kittens"),) * 2


def test_after_a_move_pages_of_before_find_their_style_sheets(playing: House) -> None:
    """As long as a release is served that was built for the path that was left; then never again."""
    before = playing.state("dogs").live_release or ""
    want = wanted(ACTS["dogs"], address=Address(path="/n"))
    playing.build(want.release, "dogs", inputs=want.inputs)
    playing.record(want)
    booked(playing, at("kittens"), at("dogs", "/b")).apply()
    os.rename(playing.root / "dogs", playing.root / "dogs.old")
    sess = playing.act("dogs").sess(playing.play(want, Sess("dogs"), older=(before,)))
    os.symlink(playing.act("dogs").release(want.release).static, sess.static)
    os.symlink(playing.root / "dogs.old", sess.socket)
    now = [at("kittens"), at("dogs", "/n")]
    assert booked(playing, *now).apply() == {}
    assert (page(playing, "/n/static/dogs.css"), page(playing, "/b/static/dogs.css")) == ((200, "dogs"),) * 2
    assert page(playing, "/b/up/") == (200, "kittens  /b/up/ a.example")
    assert booked(playing, *now).plan() == []
    os.unlink(playing.act("dogs").live)
    assert booked(playing, *now).plan() == [], "stopped"
    acts = {**ACTS, "dogs": replace(ACTS["dogs"], keep_releases=1)}
    (change,) = booked(playing, *now, acts=acts).plan()
    assert change.step.verb == "rewrite"
    booked(playing, *now, acts=acts).apply()
    assert page(playing, "/b/static/dogs.css") == (200, "kittens  /b/static/dogs.css a.example")


def test_two_acts_that_change_places_serve_one_url_together(playing: House) -> None:
    booked(playing, at("kittens", "/k"), at("dogs", "/b")).apply()
    release = playing.state("dogs").live_release or ""
    assert booked(playing, venues=(), coming={"dogs": Coming(release, "/k")}).apply() == {}
    assert page(playing, "/k/static/kittens.css") == (200, "kittens")
    assert page(playing, "/k/static/dogs.css") == (200, "dogs")
    assert page(playing, "/k/static/nothing.css")[0] == 404


def test_a_port(playing: House) -> None:
    port, other = free_port(), free_port()
    sess = Sess("dogs", port=port)
    assert booked(playing, venues=(), sesses=(sess,)).apply() == {}
    assert page(playing, "/up/", port, "localhost") == (200, "dogs  /up/ localhost")
    assert page(playing, "/static/dogs.css", port) == (200, "dogs")
    assert page(playing, "/up/")[0] == 0, "no Venue answers for it"
    log = Path(server_block.access_log("jazz", "_dogs"))
    eventually(lambda: " /up/ " in log.read_text())  # a worker writes its line after it has answered
    assert booked(playing, venues=(), sesses=(sess,)).plan() == []
    assert booked(playing, venues=(), sesses=(replace(sess, port=other),)).apply() == {}
    assert (page(playing, "/", port)[0], page(playing, "/", other)[0]) == (0, 200)
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [address for _number, address, _remote, state, *_rest in sockets if state == "0A"]
    assert [address for address in listening if address.endswith(f":{other:04X}")] == [f"0100007F:{other:04X}"]
    path = Path(playing.host.venues, "jazz._dogs.conf")
    path.write_text(path.read_text() + "# edited\n")
    (change,) = booked(playing, venues=(), sesses=(replace(sess, port=other),)).plan()
    assert (change.step.noun, change.step.name, change.step.verb) == ("sess", "dogs", "rewrite")
    assert booked(playing, venues=(), sesses=(Sess("dogs"),)).apply() == {}
    assert (page(playing, "/", other)[0], path.exists()) == (0, False)


def test_a_port_below_a_path(playing: House) -> None:
    port = free_port()
    assert booked(playing, at("dogs", "/b"), sesses=(Sess("dogs", port=port),)).apply() == {}
    assert page(playing, "/b/up/", port, "localhost")[1] == "dogs /b /up/ localhost"
    assert (page(playing, "/up/", port)[0], page(playing, "/", port)[0]) == (404, 404)


def test_a_port_that_does_not_answer_is_taken_back(playing: House) -> None:
    acts = {**ACTS, "dogs": replace(ACTS["dogs"], health=Health("/missing/"))}
    port = free_port()
    failed = booked(playing, venues=(), sesses=(Sess("dogs", port=port),), acts=acts).apply()
    assert set(failed) == {"dogs"}
    assert (page(playing, "/", port)[0], os.listdir(playing.host.venues)) == (0, [])

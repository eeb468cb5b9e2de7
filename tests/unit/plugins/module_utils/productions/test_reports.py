# SPDX-License-Identifier: GPL-3.0-or-later
"""What plays, for people: status, history and the playbill of a host as it is on disk."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import visit
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Venue
from ansible_collections.backstage.django.plugins.module_utils.productions import reports
from ansible_collections.backstage.django.plugins.module_utils.stages.pages import Answer

from ...emperors import Emperor
from ...house import KITTENS, A, House, wanted
from ...servers import listening

WANT = wanted(replace(KITTENS, secrets={"KEY": "purrpurr"}))
SINCE = "2026-01-01T00:00:01Z"
PLAYING = f"release {WANT.release} (v1) since {SINCE}"


@pytest.fixture
def playing(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """kittens plays at one Venue; another is closed, and nothing is on at a third; dogs is built only."""
    answers = {"a.example": 200, "b.example": 503, "c.example": 404}
    monkeypatch.setattr(visit, "get", lambda host, name, *_rest: Answer(answers[name]))
    house.build(WANT.release)
    house.record(WANT)
    house.play(WANT)
    on = Booked("kittens", "/", ("/static/",), (), 60)
    house.book(Venue("a.example", ["www.a.example"]), on)
    house.book(Venue("b.example", state="closed"), on)
    house.book(Venue("c.example"))
    house.build(A, "dogs", pinned=False)
    house.record(wanted(Act("dogs", source=KITTENS.source)))
    return house


def test_productions(house: House) -> None:
    for name in ("jazz", "blues", "not-one", "UPPER"):
        os.makedirs(house.root / "srv" / name)
    Path(house.root / "srv" / "file").write_text("")
    assert reports.productions() == ["blues", "jazz"]


def test_a_report(playing: House) -> None:
    before = playing.seen()
    found = reports.report("jazz")
    kittens = found["acts"]["kittens"]
    assert (kittens["release"], kittens["live"], kittens["held"], kittens["has_data"]) == (
        WANT.release,
        WANT.release,
        None,
        True,
    )
    assert kittens["releases"] == {WANT.release: {"source": "v1", "built": "2026-01-01T00:00:00Z", "pinned": True}}
    assert [event["event"] for event in kittens["history"]] == ["played"]
    assert found["acts"]["dogs"]["live"] is None
    assert found["venues"]["a.example"]["aliases"] == ["www.a.example"]
    assert [answer["status"] for answer in found["answers"]] == [200, 503, 404]
    assert "purrpurr" not in str(found)
    assert playing.seen() == before


def test_an_empty_host(house: House) -> None:
    assert reports.report("jazz") == {
        "acts": {},
        "sesses": {},
        "venues": {},
        "answers": [],
        "playbill": [],
        "workers": [],
        "timers": [],
        "limits": [],
        "drift": [],
    }


STATES: list[tuple[dict[str, Any], str]] = [
    # (what the emperor sees, what a Sess is called)
    ({}, "playing"),
    ({"ready": False}, "dark"),
    ({"cursed": 1}, "dark"),
    ({"says": "it crashed"}, "dark"),
]


@pytest.mark.parametrize(("emperor", "called"), STATES)
def test_fault_22_a_sess_that_does_not_answer_is_dark(playing: House, emperor: dict[str, Any], called: str) -> None:
    with Emperor(Path(playing.host.vassals), Path(playing.host.stats), **emperor):
        sess = reports.report("jazz")["sesses"]["kittens"]
    assert sess == {
        "sess": f"{WANT.release}.1",
        "release": WANT.release,
        "since": SINCE,
        "state": called,
        "processes": 2,
        "threads": 1,
        "port": None,
        "limits": {},
        "workers": {},
    }


def test_without_an_emperor_all_is_dark(playing: House) -> None:
    assert reports.report("jazz")["sesses"]["kittens"]["state"] == "dark"
    with listening(Path(playing.host.stats), lambda client: client.sendall(b'{"vassals": []}')):
        assert reports.report("jazz")["sesses"]["kittens"]["state"] == "dark"


def test_the_playbill(playing: House) -> None:
    with Emperor(Path(playing.host.vassals), Path(playing.host.stats)):
        lines = reports.report("jazz")["playbill"]
    assert lines == [
        f"http://a.example/  200  open  kittens: playing, {PLAYING}",
        f"http://b.example/  503  closed  kittens: playing, {PLAYING}",
        "http://c.example/  404  open  nothing on",
        "(no Venue)  dogs: not playing",
    ]


def test_the_playbill_has_paths_and_ports(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line for each Gig and port; an Act with a port alone is reached, too."""
    monkeypatch.setattr(visit, "get", lambda *_given: Answer(200))
    playing.book(
        Venue("c.example"), Booked("dogs", "/", (), (), 60), Booked("kittens", "/blog", ("/blog/static/",), (), 60)
    )
    playing.listen(8001, Booked("birds", "/", (), (), 60))
    playing.listen(8002, Booked("kittens", "/blog", (), (), 60))
    found = reports.report("jazz")
    assert [line.partition(",")[0] for line in found["playbill"][2:]] == [
        "http://c.example/  200  open  dogs: not playing",
        "http://c.example/blog/  200  open  kittens: dark",
        "http://localhost:8001/  200  local  birds: not playing",
        "http://localhost:8002/blog/  200  local  kittens: dark",
    ]
    assert found["sesses"]["kittens"]["port"] == 8002


def test_the_playbill_says_what_is_held_and_what_is_not_pinned(playing: House) -> None:
    Path(playing.act().hold).write_text(f'{{"release": "{A}"}}')
    seal = Path(playing.act().release(WANT.release).seal)
    seal.write_text(seal.read_text().replace('"pinned": true', '"pinned": false'))
    line = reports.report("jazz")["playbill"][0]
    assert line.endswith(f"kittens: dark, {PLAYING}, {A} held, requirements not pinned")


SHOWN: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"productions": ["jazz"], "playbill": ["http://a.example/  200", "(no Venue)  dogs"]},
        ["http://a.example/  200", "(no Venue)  dogs"],
    ),
    ({"productions": ["funk"], "playbill": []}, ["nothing of this Production is here"]),
    ({"productions": ["funk", "jazz"]}, ["funk", "jazz"]),
    ({"productions": []}, ["no Production is here"]),
]


@pytest.mark.parametrize(("found", "lines"), SHOWN)
def test_what_is_shown(found: dict[str, Any], lines: list[str]) -> None:
    """Never nothing: who asked sees that there was an answer."""
    assert reports.shown(found) == {"stdout": "\n".join(lines), "stdout_lines": lines}

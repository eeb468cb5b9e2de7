# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether nginx can be told: known before anything is built, for whoever needs it, and for nobody else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx, readiness, server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.conflicts import Others
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.bookings.manager import Bookings
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Gig, Manifest, Sess, Venue
from ansible_collections.backstage.django.plugins.module_utils.state import read as state
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Change, Phase, Step

from ...house import KITTENS, House

V = "a.example"
BROKEN = nginx.Configuration('unknown directive "x" in /etc/nginx/a:3', "/etc/nginx/a")
SAID = 'nginx refuses its configuration: unknown directive "x" in /etc/nginx/a:3: mend it, then run again'


def booked(house: House, found: nginx.Configuration) -> Bookings:
    """The kittens at a Venue, and the dogs nowhere."""
    others = Others("jazz", house.host)
    others.__dict__["nginx"] = found  # as it was read
    acts = {name: replace(KITTENS, name=name) for name in ("kittens", "dogs")}
    manifest = Manifest("jazz", acts, {}, {V: Venue(V)}, [Gig("kittens", V)])
    return Bookings(manifest, state.read("jazz", house.host), house.host, known=others)


def change(phase: Phase, act: str = "") -> Change:
    return Change(Step("act", act, "build"), phase, act)


BUILD, BOOK = change(Phase.BUILD, "kittens"), change(Phase.BOOK)
NEEDS = [
    # (what a run is about to do, who waits)
    ([], []),
    ([BUILD], []),
    ([BUILD, change(Phase.PLAY, "kittens")], ["kittens"]),
    ([BUILD, change(Phase.STOP, "kittens")], ["kittens"]),
    ([change(Phase.PLAY, "dogs")], []),
    ([change(Phase.PLAY, "dogs"), BUILD, BOOK], ["kittens"]),
    ([BOOK], [""]),
]


@pytest.mark.parametrize(("changes", "waiting"), NEEDS)
def test_fault_88_who_waits_for_a_configuration_that_nginx_refuses(
    house: House, monkeypatch: pytest.MonkeyPatch, changes: list[Change], waiting: list[str]
) -> None:
    monkeypatch.setattr(server_block, "LOGS", str(house.root))
    found = readiness.refusals(changes, booked(house, BROKEN), planning=False)
    assert {act: error.message for act, error in found.items()} == dict.fromkeys(
        waiting, f"{SAID}; nothing was changed"
    )
    assert readiness.refusals(changes, booked(house, nginx.Configuration()), planning=False) == {}


def test_fault_95_a_file_of_ours_is_mended(house: House) -> None:
    house.book(Venue(V), Booked("kittens", "/", (), (), 60))
    ours = replace(BROKEN, path=str(Path(house.host.venues, f"jazz.{V}.conf")))
    assert readiness.refusals([change(Phase.PLAY, "kittens")], booked(house, ours), planning=False) == {}


def test_a_plan_for_a_host_without_nginx(house: House) -> None:
    """Check mode on an empty host: the role is going to bring it."""
    house.host = replace(house.host, has_front_of_house=False)
    assert readiness.refusals([BOOK], booked(house, nginx.Configuration()), planning=True) == {}
    error = readiness.refusals([BOOK], booked(house, nginx.Configuration()), planning=False)[""]
    assert error.message.startswith("this host has no front of house (")


def test_warnings_of_a_run_that_changes_nothing(house: House) -> None:
    found = booked(house, BROKEN)
    assert readiness.doubts(found, set()) == [
        "nginx plays on, and would not start again: it refuses its configuration: "
        'unknown directive "x" in /etc/nginx/a:3'
    ]
    assert readiness.doubts(found, {"kittens"}) == [], "said already"
    assert readiness.doubts(booked(house, nginx.Configuration()), set()) == []


def test_fault_5_a_directory_that_is_gone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_block, "LOGS", str(house.root / "gone"))
    error = readiness.refusals([BOOK], booked(house, nginx.Configuration()), planning=False)[""]
    assert error.message == (
        f"{house.root}/gone is missing; run the playbook backstage.django.site first; nothing was changed"
    )


def test_fault_4_no_room(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_block, "LOGS", str(house.root))
    monkeypatch.setattr(files, "SPARE", 2**60)  # no machine has that
    error = readiness.refusals([BOOK], booked(house, nginx.Configuration()), planning=True)[""]
    assert error.message.startswith("the disk is full: what nginx reads needs ")
    assert error.message.endswith("; nothing was changed")


@pytest.mark.parametrize(
    ("stage", "state_", "waits"), [("asgi", "started", True), ("asgi", "stopped", False), ("uwsgi", "started", False)]
)
def test_a_host_whose_role_is_older_than_doors_of_http(house: House, stage: str, state_: str, waits: bool) -> None:
    """Else nginx would refuse the file of the Venue after everything was built."""
    found = booked(house, nginx.Configuration())
    found.manifest.sesses["kittens"] = Sess("kittens", stage=stage, state=state_)
    play = [change(Phase.PLAY, "kittens")]
    said = f"this host's front of house is of an earlier Backstage ({house.host.proxy_params} is missing)"
    refused = readiness.refusals(play, found, planning=False)
    assert [error.message.startswith(said) for error in refused.values()] == [True] * waits
    Path(house.host.proxy_params).touch()
    assert readiness.refusals(play, found, planning=False) == {}

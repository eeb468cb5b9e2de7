# SPDX-License-Identifier: GPL-3.0-or-later
"""The switch from one Sess to another, and the way back if visitors do not reach the new one."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Venue
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses

from ...house import A, B, House
from ...servers import free_port
from .wishes import ACT, asked_by, carry_out, fails, on_the_host, want


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


@pytest.mark.usefixtures("emperor")
@pytest.mark.parametrize("hold", [None, {"release": A, "digest": "0" * 64}])
def test_a_failure_behind_nginx_restores_live(crewed: House, hold: Optional[dict[str, str]]) -> None:
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
def test_a_rollback_holds_the_release_that_it_left(crewed: House) -> None:
    for release in (A, B):
        crewed.build(release)
        carry_out(crewed, want(release=release))
    hold = {"release": B, "digest": "0" * 64}
    carry_out(crewed, want(hold=hold))
    assert (crewed.state().live, crewed.state().hold) == (f"{A}.2", hold)
    played = [event for event in crewed.state().history.events if event["event"] == "played"]
    assert played[-1]["because"] == f"rolled back from {B}"

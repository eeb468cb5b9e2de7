# SPDX-License-Identifier: GPL-3.0-or-later
"""Acts as nginx has to know them: before, during and after a switch to another release, path or protocol."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings.booked_acts import BookedActs, Coming
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Manifest, Sess
from ansible_collections.backstage.django.plugins.module_utils.state import read as state

from ...house import KITTENS, A, B, House, wanted

NEW = {"url": "/new/", "root": "own"}


@pytest.fixture
def playing(house: House) -> House:
    """A plays at /, and B is built. B names another URL for its files."""
    house.build(A)
    house.build(B, static=NEW)
    house.record(wanted(release=A))
    house.play(wanted(release=A, play=A), Sess("kittens"))
    return house


def booked(house: House, coming: Any = None, **acts: Any) -> BookedActs:
    return BookedActs(Manifest("jazz", acts), state.read("jazz", house.host), house.host, coming or {})


def test_an_act_without_a_release_is_not_served(house: House) -> None:
    assert booked(house).now("kittens", "/") is None
    assert booked(house).finally_("kittens", "/") is None


def test_an_act_that_plays(playing: House) -> None:
    found = booked(playing, kittens=KITTENS).now("kittens", "/")
    assert found
    assert (found.act, found.path, found.static, found.media, found.timeout) == (
        "kittens",
        "/",
        ("/static/",),
        (),
        KITTENS.timeout,
    )
    assert found.protocol == "uwsgi"


def test_during_a_switch_the_files_of_both_releases_are_served(playing: House) -> None:
    coming = {"kittens": Coming(B, "/", "http")}
    found = booked(playing, coming, kittens=KITTENS)
    now, later = found.now("kittens", "/"), found.finally_("kittens", "/")
    assert now
    assert later
    assert (now.static, now.protocol) == (("/static/", "/new/"), "http")
    assert later.static == ("/new/",)


def test_a_release_that_is_not_built_yet_changes_nothing(playing: House) -> None:
    coming = {"kittens": Coming("0" * 12, "/b")}
    found = booked(playing, coming, kittens=KITTENS).now("kittens", "/")
    assert found == booked(playing, kittens=KITTENS).now("kittens", "/")

# SPDX-License-Identifier: GPL-3.0-or-later
"""A Sess to play, and what the Stage manager does with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import visit
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Health, Sess, Venue
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses
from ansible_collections.backstage.django.plugins.module_utils.stages.interface import Front

from ...house import KITTENS, A, House, wanted

ACT = replace(KITTENS, secrets={"KEY": "purrpurr"}, timeout=5, health=Health(timeout=2))
SESS = Sess("kittens", processes=3)
OPEN, CLOSED = Venue("a.example", ["www.a.example"]), Venue("b.example", state="closed")


def want(act: Act = ACT, release: str = A, hold: Any = None, venues: tuple[Venue, ...] = ()) -> sesses.Want:
    return sesses.Want(SESS, wanted(act, venues, play=release), hold)


def asked_by(house: House) -> Front:
    """What asks an Act through nginx, as the Production manager does; nginx is not told anything."""
    return fronted(lambda act: visit.ask_booked(act, house.act(act.name), house.host))


def fronted(ask: Callable[[Act], None] = lambda _act: None) -> Front:
    """A front of which nothing is expected but an answer."""

    def lead(act: str, _release: str, _path: str, protocol: str) -> None:
        raise AssertionError(f"nginx is told to speak {protocol} with {act}")

    return Front(ask, lead)


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

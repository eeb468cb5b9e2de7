# SPDX-License-Identifier: GPL-3.0-or-later
"""Which other Acts play where an Act is reached."""

from __future__ import annotations

from typing import Any

from ansible_collections.backstage.django.plugins.module_utils.bookings import addresses


def block(name: str, **gigs: str) -> dict[str, Any]:
    booked = [{"act": act, "path": path} for act, path in gigs.items()]
    return {"name": name, "aliases": [], "tls": "none", "state": "open", "gigs": booked}


def test_the_paths_of_other_acts() -> None:
    """At all Venues of an Act, before a move and after it."""
    venues = {"a.example": block("a.example", kittens="/", dogs="/dogs"), "b.example": block("b.example", kittens="/")}
    now = addresses.reached(venues, {}, [])
    assert {act: sorted(address.beside) for act, address in now.items()} == {"kittens": ["/dogs"], "dogs": ["/"]}
    venues["b.example"] = block("b.example", kittens="/", birds="/birds")
    del venues["a.example"]["gigs"][1]
    then = addresses.reached(venues, {}, [])
    between = addresses.meanwhile(now, then, [])
    assert sorted(between["kittens"].beside) == ["/birds", "/dogs"]
    assert between["kittens"] == addresses.meanwhile(then, then, [])["kittens"], "it is no difference between Sesses"

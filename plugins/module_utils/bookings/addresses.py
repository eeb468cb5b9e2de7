# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where each Act is reached, by what nginx has or should have: now, then, and on the way between."""

from __future__ import annotations

from collections.abc import Iterable

from ..acts.world import Address
from ..manifest.nouns import Tls, Venue
from . import venue_options
from .blocks import Block


def venue(block: Block) -> Venue:
    """The Venue that a file of nginx is of."""
    return Venue(
        block["name"],
        block["aliases"],
        Tls(block["tls"], hsts=block.get("hsts", 0)),
        block["state"],
        **venue_options.of_block(block),
    )


def others(block: Block, act: str) -> set[str]:
    """The paths of other Acts at a Venue."""
    return {gig["path"] for gig in block["gigs"] if gig["act"] != act}


def reached(venues: dict[str, Block], ports: dict[str, Block], known: list[str]) -> dict[str, Address]:
    """The address of every Act that is booked or has a port.

    Args:
        venues: the data of each Venue's file.
        ports: the data of each Sess's own port, by Act.
        known: the Venues of the manifest, in its order.
    """
    booked: dict[str, dict[str, Venue]] = {}
    paths = {act: block["path"] for act, block in ports.items()}
    beside: dict[str, set[str]] = {}
    for name, block in venues.items():
        for gig in block["gigs"]:
            booked.setdefault(gig["act"], {})[name] = venue(block)
            paths[gig["act"]] = gig["path"]
            beside.setdefault(gig["act"], set()).update(others(block, gig["act"]))
    found, order = {}, _order(known)
    for act, path in paths.items():
        own = (ports[act]["port"],) if act in ports else ()
        found[act] = Address(_in_order(booked.get(act, {}).values(), order), path, own, frozenset(beside.get(act, ())))
    return found


def meanwhile(now: dict[str, Address], then: dict[str, Address], known: list[str]) -> dict[str, Address]:
    """Where each Act will be reached, and where nginx still passes something to it."""
    found, order = {}, _order(known)
    for act in {**now, **then}:
        old, new = now.get(act, Address()), then.get(act, Address())
        staying = {one.name for one in new.venues}
        venues = [*new.venues, *(one for one in old.venues if one.name not in staying)]
        # an Act has one path: until its last Gig is cancelled, that one's
        path = new.path if new.venues or not old.venues else old.path
        ports = tuple(sorted({*old.ports, *new.ports}))
        found[act] = Address(_in_order(venues, order), path, ports, old.beside | new.beside)
    return found


def _order(known: list[str]) -> dict[str, int]:
    """The place of each Venue in the manifest: made once for all Acts, of which there may be as many."""
    return {name: number for number, name in enumerate(known)}


def _in_order(venues: Iterable[Venue], place: dict[str, int]) -> tuple[Venue, ...]:
    """The manifest's order, then by name: the same variables whether an Act stays at a Venue or leaves it."""
    return tuple(sorted(venues, key=lambda one: (place.get(one.name, len(place)), one.name)))

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses of each Act, from what nginx has or should have: before, during and after a run."""

from __future__ import annotations

from collections.abc import Iterable

from ..acts.world import Address
from ..manifest.nouns import Tls, Venue
from . import blocks, venue_options
from .blocks import Block


def venue(block: Block) -> Venue:
    """Return the Venue of a file of nginx."""
    return Venue(
        block["name"],
        block["aliases"],
        Tls(block["tls"], hsts=block.get("hsts", 0)),
        block["state"],
        block.get("timezone", Venue.timezone),
        **venue_options.of_block(block),
    )


def others(block: Block, act: str) -> set[str]:
    """Return the paths of other Acts at a Venue. An Act with other times may have the same path."""
    own = {gig["path"] for gig in block["gigs"] if gig["act"] == act}
    return {gig["path"] for gig in block["gigs"]} - own


def reached(venues: dict[str, Block], ports: dict[str, Block], known: list[str]) -> dict[str, Address]:
    """Return the address of every Act that is booked or has a port.

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
            # one that waits for its certificate has TLS sooner or later, without another Sess
            booked.setdefault(gig["act"], {})[name] = venue(blocks.with_tls(block))
            paths[gig["act"]] = gig["path"]
            beside.setdefault(gig["act"], set()).update(others(block, gig["act"]))
    found, order = {}, _order(known)
    for act, path in paths.items():
        own = (ports[act]["port"],) if act in ports else ()
        found[act] = Address(_in_order(booked.get(act, {}).values(), order), path, own, frozenset(beside.get(act, ())))
    return found


def meanwhile(now: dict[str, Address], then: dict[str, Address], known: list[str]) -> dict[str, Address]:
    """Return where each Act will be reached, and where nginx still passes requests to it."""
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
    """Return the place of each Venue in the manifest. It is made once, because there may be many Acts."""
    return {name: number for number, name in enumerate(known)}


def _in_order(venues: Iterable[Venue], place: dict[str, int]) -> tuple[Venue, ...]:
    """Return them in the order of the manifest, then by name, so that a Venue that leaves changes no order."""
    return tuple(sorted(venues, key=lambda one: (place.get(one.name, len(place)), one.name)))

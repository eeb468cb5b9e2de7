# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Request a page at every place of nginx's new files that is on now, as a visitor does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..host.errors import BackstageError
from ..host.facts import Host
from ..manifest.nouns import Act, Manifest
from ..state.read import HostState
from . import blocks, schedule
from .blocks import Block
from .server_files import ServerFiles

if TYPE_CHECKING:
    from .visit import Place

Failures = dict[str, dict[str, BackstageError]]


def failures(
    written: Mapping[str, ServerFiles], wanted: Mapping[str, Block], manifest: Manifest, state: HostState, host: Host
) -> Failures:
    """Return the new Gigs that do not answer: file -> Act -> why.

    Args:
        written: what nginx has just got.
        wanted: the data of every file.
        manifest: how each Act's health is asked for.
        state: the Acts that play.
        host: the host's facts.
    """
    from . import visit

    failed: Failures = {}
    for name, found in written.items():
        for act, place in _places(wanted[name], found, manifest, state):
            try:
                visit.ask(act, place, host, state.paths.act(act.name))
            except BackstageError as error:
                failed.setdefault(name, {})[act.name] = error
    return failed


def _places(block: Block, found: ServerFiles, manifest: Manifest, state: HostState) -> list[tuple[Act, Place]]:
    """Return where the Acts that play can be asked now. The gate has asked the others at their doors."""
    from . import visit

    known = {act: manifest.acts[act] for act in blocks.acts(block) if act in manifest.acts}
    live = {name: act for name, act in known.items() if state.act(name).live}
    if "port" in block:
        return [(act, visit.at_port(act, block)) for act in live.values()]
    gigs = block["gigs"] if block["state"] == "open" else []
    if found.on:
        gigs = blocks.on(block, schedule.shown_by(found.on))
    return [(live[gig["act"]], visit.at_venue(block, gig)) for gig in gigs if gig["act"] in live]

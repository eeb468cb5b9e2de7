# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blocks: what a file of nginx says of a Venue or of a port, as data, and what follows from that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..acts import url_prefixes
from ..certificates.due import ACME
from ..manifest.nouns import WAITING
from ..state.read import ActState
from .locations import Left

Block = dict[str, Any]


def staying(block: Block, paths: dict[str, str]) -> Block:
    """A Venue without the Gigs of Acts that now play at another path."""
    gigs = [gig for gig in block["gigs"] if paths.get(gig["act"], gig["path"]) == gig["path"]]
    return {**block, "gigs": gigs}


def with_tls(block: Block) -> Block:
    """A Venue as it is when it does not wait for its certificate any more."""
    return {**block, "tls": ACME} if block.get("tls") == WAITING else block


def acts(block: Block) -> list[str]:
    """Who plays there."""
    return [block["act"]] if "port" in block else [gig["act"] for gig in block["gigs"]]


def left(state: ActState, served: list[str], path: str) -> tuple[Left, ...]:
    """The other paths that releases were built for whose files nginx still serves."""
    found: dict[str, list[tuple[list[str], list[str]]]] = {}
    for release in [state.releases[name] for name in served]:
        built = url_prefixes.built_for(release)
        if built != path:
            found.setdefault(built, []).append(url_prefixes.moving_urls(release, built))
    return tuple(Left(where, *(unique(lists) for lists in zip(*urls))) for where, urls in sorted(found.items()))


def unique(lists: Iterable[list[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(url for urls_ in lists for url in urls_))

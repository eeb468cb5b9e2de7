# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a Venue: as lines of nginx, and as the data that its file has of itself."""

from __future__ import annotations

from typing import Any

from ..manifest.nouns import Proxies, Rate, Venue, summary
from .blocks import Block
from .options import access, proxies, rate, upload
from .options.lines import Lines

KEYS = ("allow", "deny", "rate", "upload", "proxies")
_NONE = Venue("")


def lines(production: str, venue: Venue) -> Lines:
    """What a Venue's options add to its file."""
    return upload.lines(venue) + proxies.lines(venue) + access.lines(venue) + rate.lines(production, venue)


def given(venue: Venue) -> dict[str, Any]:
    """The options that say something, as plain data without secrets."""
    return {key: summary(getattr(venue, key)) for key in KEYS if getattr(venue, key) != getattr(_NONE, key)}


def of_block(block: Block) -> dict[str, Any]:
    """The same options as values of a Venue."""
    found = dict(block.get("options", {}))
    for key, kind in (("rate", Rate), ("proxies", Proxies)):
        if key in found:
            found[key] = kind(**found[key])
    return found


def guards(block: Block) -> tuple[int, ...]:
    """The statuses with which a Venue's options keep visitors out."""
    found = block.get("options", {})
    return (403,) if found.get("allow") or found.get("deny") else ()

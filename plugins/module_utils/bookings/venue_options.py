# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a Venue, as lines of nginx and as data in its file."""

from __future__ import annotations

from typing import Any

from ..host.facts import Host
from ..manifest.nouns import Auth, Proxies, Rate, Venue, summary
from .blocks import Block
from .options import access, auth, hsts, proxies, rate, upload
from .options.lines import Lines

KEYS = ("auth", "allow", "deny", "rate", "upload", "proxies")
_NONE = Venue("")


def lines(production: str, venue: Venue, host: Host) -> Lines:
    """Return what a Venue's options add to its file."""
    guards = access.lines(venue) + auth.lines(host.passwords, production, venue)
    return upload.lines(venue) + proxies.lines(venue) + guards + rate.lines(production, venue) + hsts.lines(venue)


def given(venue: Venue) -> dict[str, Any]:
    """Return the options that are not the default, as plain data without secrets."""
    found = {key: summary(getattr(venue, key)) for key in KEYS if getattr(venue, key) != getattr(_NONE, key)}
    if "auth" in found:
        found["auth"]["users"] = sorted(venue.auth.users)
    return found


def of_block(block: Block) -> dict[str, Any]:
    """Return the same options as values of a Venue. Of passwords it has only the users."""
    found = dict(block.get("options", {}))
    for key, kind in (("rate", Rate), ("proxies", Proxies)):
        if key in found:
            found[key] = kind(**found[key])
    if "auth" in found:
        found["auth"] = Auth(dict.fromkeys(found["auth"]["users"], ""), found["auth"]["realm"])
    return found


def guards(block: Block) -> tuple[int, ...]:
    """Return the statuses with which a Venue's options keep visitors out."""
    found = block.get("options", {})
    return (401,) * ("auth" in found) + (403,) * ("allow" in found or "deny" in found)

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which addresses may see a Venue. The lines are in locations, because a `return` of the server ignores them."""

from __future__ import annotations

from ...manifest.nouns import Venue
from .lines import Lines


def lines(venue: Venue) -> Lines:
    """Refuse those in ``deny``, even if ``allow`` has them. With ``allow``, refuse everybody else, too."""
    words = [f"deny {address}" for address in venue.deny] + [f"allow {address}" for address in venue.allow]
    if venue.allow:
        words.append("deny all")
    return Lines(location="".join(f"        {word};\n" for word in words))

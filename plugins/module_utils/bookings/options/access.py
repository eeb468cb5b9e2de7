# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which addresses are let in. The lines stand in locations: a `return` of the server itself passes them over."""

from __future__ import annotations

from ...manifest.nouns import Venue
from .lines import Lines


def lines(venue: Venue) -> Lines:
    """Those in ``deny`` are refused, also where ``allow`` has them; with ``allow``, so is everybody else."""
    words = [f"deny {address}" for address in venue.deny] + [f"allow {address}" for address in venue.allow]
    if venue.allow:
        words.append("deny all")
    return Lines(location="".join(f"        {word};\n" for word in words))

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The largest body of a request. nginx answers a larger one with 413, and the Act does not get it."""

from __future__ import annotations

from ...manifest.nouns import Venue
from .lines import Lines


def lines(venue: Venue) -> Lines:
    return Lines(server=f"    client_max_body_size {venue.upload};\n")

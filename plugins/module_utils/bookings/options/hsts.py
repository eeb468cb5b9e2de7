# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether browsers are told to come by HTTPS alone, and for how long."""

from __future__ import annotations

from ...manifest.nouns import Venue
from .lines import Lines

_DAY = 86400


def lines(venue: Venue) -> Lines:
    """Send the header once in every answer by HTTPS, and drop the Act's own."""
    if not venue.tls.hsts or venue.scheme == "http":
        return Lines()
    header = f"        add_header Strict-Transport-Security max-age={venue.tls.hsts * _DAY} always;\n"
    return Lines(headers=header, dropped=("Strict-Transport-Security",))

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Load balancers and CDNs in front of a Venue, which tell the visitor's address."""

from __future__ import annotations

from ...manifest.nouns import Venue
from .lines import Lines


def lines(venue: Venue) -> Lines:
    """Take the last address in the header that is not a proxy's. From anybody else the header is ignored."""
    if not venue.proxies.addresses:
        return Lines()
    words = [f"set_real_ip_from {address}" for address in venue.proxies.addresses]
    words += [f"real_ip_header {venue.proxies.header}", "real_ip_recursive on"]
    return Lines(server="".join(f"    {word};\n" for word in words))

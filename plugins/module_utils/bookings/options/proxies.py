# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A balancer or a CDN in front: whose word on the visitor's address is believed."""

from __future__ import annotations

from ...manifest.nouns import Venue
from .lines import Lines


def lines(venue: Venue) -> Lines:
    """The last address in the header that is no proxy's own; from anybody else the header means nothing."""
    if not venue.proxies.addresses:
        return Lines()
    words = [f"set_real_ip_from {address}" for address in venue.proxies.addresses]
    words += [f"real_ip_header {venue.proxies.header}", "real_ip_recursive on"]
    return Lines(server="".join(f"    {word};\n" for word in words))

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many requests an address may send to the Acts; files that nginx serves are not counted."""

from __future__ import annotations

from ...manifest.nouns import Venue
from .lines import Lines


def lines(production: str, venue: Venue) -> Lines:
    """Count requests in a zone of the Venue. Requests of the host itself are not counted, as for connections."""
    if not venue.rate.requests:
        return Lines()
    number, _slash, unit = venue.rate.requests.partition("/")
    zone = f"backstage.rate.{production}.{venue.name}"
    burst = f" burst={venue.rate.burst} nodelay" if venue.rate.burst else ""
    return Lines(
        before=f"limit_req_zone $backstage_visitor zone={zone}:2m rate={number}r/{unit};\n",
        server="    limit_req_status 429;\n    limit_req_log_level info;\n",
        door=f"        limit_req zone={zone}{burst};\n",
    )

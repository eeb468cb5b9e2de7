# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options of a Venue may be: each value ends in a file of nginx."""

from __future__ import annotations

import ipaddress
import re
from typing import Optional

from . import checks
from .nouns import Proxies, Venue
from .problems import Problems

MOST_REQUESTS = 10_000
MOST_AT_ONCE = 10_000


def check(venue: Venue, where: str, problems: Problems) -> None:
    """Check the options of a Venue."""
    for key, values in (("allow", venue.allow), ("deny", venue.deny), ("proxies.addresses", venue.proxies.addresses)):
        for value in values:
            problems.check(f"{where}.{key}", value, addresses(value))
    problems.check(f"{where}.upload", venue.upload, size(venue.upload))
    problems.check(f"{where}.proxies.header", venue.proxies.header, header(venue.proxies.header))
    if venue.proxies != Proxies() and not venue.proxies.addresses:
        problems.add(f"{where}.proxies.addresses", None, "is missing; name the proxies whose header is believed")
    _check_rate(venue, f"{where}.rate", problems)


def _check_rate(venue: Venue, where: str, problems: Problems) -> None:
    if venue.rate.requests:
        problems.check(f"{where}.requests", venue.rate.requests, rate(venue.rate.requests))
    elif venue.rate.burst:
        problems.add(f"{where}.requests", None, "is missing; write how many of an address, such as 5/s or 100/m")
    problems.check(f"{where}.burst", venue.rate.burst, checks.between(venue.rate.burst, 0, MOST_AT_ONCE))


def addresses(value: str) -> Optional[str]:
    """An address, or a network, of either version."""
    try:
        ipaddress.ip_network(value)
    except ValueError:
        try:
            return f"a network begins with its first address; write {ipaddress.ip_network(value, strict=False)}"
        except ValueError:
            return "use an address or a network, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32"
    return "an address with a zone is one of this host's own; use one without %" if "%" in value else None


def size(value: str) -> Optional[str]:
    return None if re.match(r"[1-9][0-9]{0,3}[kmg]\Z", value) else "use a number and k, m or g, such as 100k, 10m or 2g"


def rate(value: str) -> Optional[str]:
    match = re.match(r"([1-9][0-9]*)/[sm]\Z", value)
    if not match:
        return "use a number of requests and s or m, such as 5/s or 100/m"
    return checks.between(int(match.group(1)), 1, MOST_REQUESTS)


def header(value: str) -> Optional[str]:
    """A header with an address, or several, as nginx reads them."""
    if value.lower() == "forwarded":
        return "nginx can't read the form of this one; have the proxy send X-Forwarded-For, too"
    if not re.match(r"[A-Za-z][A-Za-z0-9-]{0,63}\Z", value):
        return "use the name of a header, such as X-Forwarded-For or CF-Connecting-IP"
    return None

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options of a Venue may be. Each value is written into a file of nginx."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Optional

from . import calendar, checks
from .acme import Acme
from .nouns import Proxies, Tls, Venue
from .problems import Problems

MOST_REQUESTS = 10_000
MOST_AT_ONCE = 10_000
MOST_ROUNDS = 10_000
"""The most rounds of SHA-crypt. nginx computes the hash at every request, and answers nobody meanwhile."""
MOST_COST = 8
"""The highest cost of bcrypt. Each step doubles the time."""
MOST_DAYS = 730
CAREFUL_DAYS = 60
"""The most days of HSTS. If HTTPS does not work, visitors are locked out for so long."""
_TSIG_KEY = (
    r'key\s+"?[A-Za-z0-9.-]{1,200}"?\s*\{\s*algorithm\s+"?hmac-[a-z0-9-]{3,16}"?\s*;'
    r'\s*secret\s+"[A-Za-z0-9+/]{16,128}={0,2}"\s*;\s*\}\s*;\s*\Z'
)
_HASH = re.compile(
    r"\$(?:5|6)\$(?:rounds=(?P<rounds>[0-9]{1,9})\$)?[./A-Za-z0-9]{1,16}\$(?:[./A-Za-z0-9]{43}|[./A-Za-z0-9]{86})"
    r"|\$2[aby]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{53}"
    r"|\$apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}"
)


def check(venue: Venue, where: str, problems: Problems) -> None:
    """Check the options of a Venue."""
    for key, values in (("allow", venue.allow), ("deny", venue.deny), ("proxies.addresses", venue.proxies.addresses)):
        for value in values:
            problems.check(f"{where}.{key}", value, addresses(value))
    if venue.timezone != Venue.timezone:
        problems.check(f"{where}.timezone", venue.timezone, calendar.zone(venue.timezone))
    problems.check(f"{where}.upload", venue.upload, size(venue.upload))
    problems.check(f"{where}.proxies.header", venue.proxies.header, header(venue.proxies.header))
    if venue.proxies != Proxies() and not venue.proxies.addresses:
        problems.add(f"{where}.proxies.addresses", None, "is missing; name the proxies whose header is believed")
    problems.check(f"{where}.tls.hsts", venue.tls.hsts, hsts(venue.tls))
    if venue.tls.mode == "files" and venue.state != "absent":
        problems.check(f"{where}.tls.certificate", None, pem(venue.tls.certificate, "CERTIFICATE"))
        problems.check(f"{where}.tls.key", None, pem(venue.tls.key, "PRIVATE KEY"))
    _check_auth(venue, f"{where}.auth", problems)
    _check_rate(venue, f"{where}.rate", problems)


def check_acme(acme: Acme, problems: Problems) -> None:
    """Check what is said of an authority."""
    where = "backstage_acme"
    if not re.match(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?\Z", acme.directory):
        problems.add(f"{where}.directory", acme.directory, "use the https URL of an authority's directory")
    if acme.contact and not re.match(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}\Z", acme.contact):
        problems.add(f"{where}.contact", acme.contact, "use a mail address, such as ada@example.com")
    if acme.profile and not re.match(r"[A-Za-z0-9._-]{1,64}\Z", acme.profile):
        problems.add(f"{where}.profile", acme.profile, "use the name of a profile, such as tlsserver")
    if acme.ca:
        problems.check(f"{where}.ca", None, pem(acme.ca, "CERTIFICATE"))
    if acme.account_key:
        problems.check(f"{where}.account_key", None, pem(acme.account_key, "PRIVATE KEY"))
    if acme.tsig_key and not re.match(_TSIG_KEY, acme.tsig_key):
        problems.add(f"{where}.tsig_key", None, "is no key of nsupdate; make one with tsig-keygen")


def _check_auth(venue: Venue, where: str, problems: Problems) -> None:
    if venue.auth.realm:
        problems.check(f"{where}.realm", venue.auth.realm, realm(venue.auth.realm))
        if not venue.auth.users:
            problems.add(f"{where}.users", None, "is missing; name who may come in")
    for name, password in venue.auth.users.items():
        problems.check(f"{where}.users", name, user(name))
        problems.check(f"{where}.users.{name}", None, password_hash(password), secret=True)


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


def hsts(tls: Tls) -> Optional[str]:
    """Days. A browser that was told so does not use HTTP before they are over."""
    if tls.hsts and tls.mode == "none":
        return "without HTTPS nobody could visit it any more; set tls.mode, or leave hsts out"
    if tls.hsts > CAREFUL_DAYS and tls.mode == "selfsigned":
        return f"a self-signed certificate is for trying; use at most {CAREFUL_DAYS} days"
    wrong = checks.between(tls.hsts, 0, MOST_DAYS)
    return f"{wrong} (days)" if wrong else None


def pem(text: str, what: str) -> Optional[str]:
    """A PEM text. Messages do not repeat it, because it may be a key."""
    cure = "read the file with lookup('ansible.builtin.file', ...)"
    if not text:
        return f"is missing; {cure}"
    return None if re.search(rf"-----BEGIN ([A-Z]+ )*{what}-----", text) else f"is no PEM text of a {what}; {cure}"


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


def user(name: str) -> Optional[str]:
    return (
        None if re.match(r"[A-Za-z0-9._@+-]{1,64}\Z", name) else "use letters, digits and . _ @ + - for a user's name"
    )


def realm(text: str) -> Optional[str]:
    return (
        None
        if re.match(r"[A-Za-z0-9 .,:_'-]{1,64}\Z", text)
        else "use up to 64 letters, digits, spaces and . , : _ ' -"
    )


def password_hash(value: Any) -> Optional[str]:
    """A hash that nginx knows, and that is cheap: nginx computes it at every request."""
    match = _HASH.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return "use a hash of the password, as 'openssl passwd -6' prints one; in YAML it stands in quotes"
    if int(match["rounds"] or 0) > MOST_ROUNDS:
        cure = "password_hash('sha512', rounds=5000)"
    elif int(match["cost"] or 0) > MOST_COST:
        cure = "'htpasswd -nB', or password_hash('bcrypt', rounds=5)"
    else:
        return None
    return f"nginx computes it at every request, and this one takes too long; make it with {cure}"

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of nginx for a Venue, or for a Sess's own port. It is written as a whole, from checked values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Optional

from ..certificates import account
from ..certificates.due import ACME
from ..certificates.pairs import Pairs
from ..host import files
from ..host.facts import Host
from ..host.layout import Production
from ..manifest.nouns import WAITING, Venue
from . import closed_page, locations, venue_options
from .locations import Booked
from .options.lines import Lines

_DATA = "# backstage: "
LOGS = "/var/log/nginx"
RETRY_AFTER = 3600


def file_name(production: str, venue: str) -> str:
    return f"{production}.{venue}.conf"


def access_log(production: str, venue: str) -> str:
    return f"{LOGS}/backstage.{production}.{venue}.log"


def port_name(act: str) -> str:
    """Return the name that a Sess's own port has instead of a Venue's. No host name has an underscore."""
    return "_" + act


def data(production: str, venue: Venue, booked: list[Booked]) -> dict[str, Any]:
    """Return the data that the file has about itself, so that the rest of it is never parsed."""
    options = venue_options.given(venue)
    return {
        **({"options": options} if options else {}),
        "production": production,
        "name": venue.name,
        "aliases": venue.aliases,
        "tls": venue.tls.mode,
        **({"hsts": venue.tls.hsts} if venue.tls.hsts else {}),
        "state": venue.state,
        **({"timezone": venue.timezone} if venue.timezone != Venue.timezone else {}),
        "gigs": [
            {"act": gig.act, "path": gig.path, **({"when": list(gig.when)} if gig.when else {})} for gig in booked
        ],
    }


def parse(text: Optional[str]) -> Optional[dict[str, Any]]:
    """Return the data of a file that Backstage wrote; None if it is another file."""
    lines = (text or "").splitlines()[:2]
    if len(lines) < 2 or files.OWNERSHIP not in lines[0] or not lines[1].startswith(_DATA):
        return None
    try:
        found: dict[str, Any] = json.loads(lines[1][len(_DATA) :])
    except ValueError:
        return None
    return found


@dataclass(frozen=True)
class Shown:
    """What a Venue with a schedule shows.

    Args:
        booked: the Acts that are on.
        closed: the paths where nobody is on.
        directory: where the page lies that says so.
    """

    booked: list[Booked]
    closed: list[str]
    directory: str


def render(paths: Production, venue: Venue, booked: list[Booked], host: Host, shown: Optional[Shown] = None) -> str:
    """Return the whole file of a Venue.

    Args:
        paths: the Production.
        venue: the Venue.
        booked: the Acts that have Gigs there.
        host: the host's facts.
        shown: what is on with a schedule; without one, all of them are.
    """
    about = json.dumps(data(paths.name, venue, booked), sort_keys=True)
    lines = venue_options.lines(paths.name, venue, host)
    blocks = [f"# {files.OWNERSHIP}\n{_DATA}{about}\n{lines.before}"]
    if venue.scheme == "https":
        blocks.append(_redirect(paths, venue, venue.names, _listen(host), host, lines, _challenge(paths, venue, host)))
    address = f"{_address(paths, venue, host, lines)}\n    server_name {venue.name};"
    challenge = _challenge(paths, venue, host) if venue.scheme == "http" else ""
    inside = _scheduled(paths, shown, host, lines) if shown else _body(paths, venue, booked, host, lines)
    body = challenge + lines.server + inside
    blocks.append(_block(paths, venue.name, address, body, host))
    if venue.aliases:
        where = _address(paths, venue, host, lines)
        blocks.append(_redirect(paths, venue, venue.aliases, where, host, lines, challenge))
    return "\n".join(blocks)


def port_data(production: str, act: str, port: int, path: str) -> dict[str, Any]:
    """Return the data that the file of a Sess's own port has about itself."""
    return {"production": production, "act": act, "port": port, "path": path}


def render_port(paths: Production, port: int, booked: Booked, host: Host) -> str:
    """Return the whole file of a port: the same as a Venue with only this Act, for other services of this host."""
    about = json.dumps(port_data(paths.name, booked.act, port, booked.path), sort_keys=True)
    addresses = ["127.0.0.1", "[::1]"] if host.ipv6 else ["127.0.0.1"]
    listen = "\n".join(f"    listen {address}:{port} backlog=4096;" for address in addresses)
    lines = venue_options.lines(paths.name, Venue(""), host)
    body = lines.server + _pages(host, lines) + locations.render(paths, [booked], host, lines)
    return f"# {files.OWNERSHIP}\n{_DATA}{about}\n\n" + _block(paths, port_name(booked.act), listen, body, host)


def _listen(host: Host, scheme: str = "http") -> str:
    how = (" ssl" + " http2" * host.http2_listen) if scheme == "https" else ""
    lines = [f"    listen {host.port(scheme)}{how};"]
    if host.ipv6:
        lines.append(f"    listen [::]:{host.port(scheme)}{how};")
    return "\n".join(lines)


def _address(paths: Production, venue: Venue, host: Host, lines: Lines) -> str:
    """Return where a server of the Venue listens, with the lines for TLS. They are the same for every mode."""
    if venue.scheme == "http":
        return _listen(host)
    pair = Pairs.of(host, paths.name, venue.name)
    headers = lines.headers.replace("        ", "    ").rstrip("\n")
    names = "|".join(name.replace(".", "\\.") for name in venue.names)
    return f"""{_listen(host, "https")}
    include {host.tls};
    ssl_certificate {pair.certificate};
    ssl_certificate_key {pair.key};
    # a request for another site over this connection: the browser opens one of its own
    if ($ssl_server_name !~* "^({names})\\z") {{ return 421; }}""" + (f"\n{headers}" if headers else "")


def _challenge(paths: Production, venue: Venue, host: Host) -> str:
    """Return the location in which an authority looks for an answer by http. It comes before all others."""
    return f"    include {account.challenge(host, paths.name)};\n" if venue.tls.mode in (ACME, WAITING) else ""


def _block(paths: Production, name: str, address: str, body: str, host: Host) -> str:
    return f"""server {{
{address}
    server_tokens off;
    access_log {access_log(paths.name, name)} backstage;
    include {host.visitors};
{body}}}
"""


def _redirect(
    paths: Production, venue: Venue, names: list[str], address: str, host: Host, lines: Lines, challenge: str
) -> str:
    """Return a server that redirects to the Venue's own name: from aliases, and from http if the Venue has TLS."""
    target = f"return 301 {host.origin(venue.scheme, venue.name)}$request_uri;"
    return f"""server {{
{address}
    server_name {" ".join(names)};
    server_tokens off;
    access_log {access_log(paths.name, venue.name)} backstage;
    include {host.visitors};
{challenge}{lines.server}    {f"location / {{ {target} }}" if challenge else target}
}}
"""


def _body(paths: Production, venue: Venue, booked: list[Booked], host: Host, lines: Lines) -> str:
    if venue.state == "closed":
        return f"""
    error_page 503 {locations.CLOSED};
    location / {{ return 503; }}
    location = {locations.CLOSED} {{
        internal;
        alias {host.pages}/closed.html;
        add_header Retry-After {RETRY_AFTER} always;
        add_header Cache-Control no-store always;
{lines.headers}    }}
"""
    if not booked:
        return "\n    # nothing is on tonight\n    location / { return 404; }\n"
    return _pages(host, lines) + locations.render(paths, booked, host, lines)


def _scheduled(paths: Production, shown: Shown, host: Host, lines: Lines) -> str:
    """Return the locations of what is on now, and the page for the rest, with a header that the program writes."""
    page = f"""
    location = {locations.CLOSED} {{
        internal;
        alias {shown.directory}/{closed_page.PAGE};
        include {shown.directory}/{closed_page.HEADER.replace(".", "[.]")};
        add_header Cache-Control no-store always;
{lines.headers}    }}
"""
    acts = locations.render(paths, shown.booked, host, lines, shown.closed)
    return _pages(host, lines) + (page if shown.closed else "") + acts


def _pages(host: Host, lines: Lines) -> str:
    """Return nginx's own pages, for answers that no Act gave (uwsgi_intercept_errors is off)."""
    parts = []
    for status in ("502", "503", "504"):
        parts.append(f"""
    error_page {status} /backstage-{status}.html;
    location = /backstage-{status}.html {{
        internal;
        alias {host.pages}/{status}.html;
        add_header Retry-After 5 always;
        add_header Cache-Control no-store always;
{lines.headers}    }}
""")
    return "".join(parts)

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Venue, or a Sess's own port, as nginx reads it: one file with its servers, written whole from checked values."""

from __future__ import annotations

import json
from typing import Any, Optional

from ..certificates.pairs import Pairs
from ..host import files
from ..host.facts import Host
from ..host.layout import Production
from ..manifest.nouns import Venue
from . import locations, venue_options
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
    """What the file of a Sess's own port is called in place of a Venue: no host name holds an underscore."""
    return "_" + act


def data(production: str, venue: Venue, booked: list[Booked]) -> dict[str, Any]:
    """What the file says about itself, so that generated text is never parsed back."""
    options = venue_options.given(venue)
    return {
        **({"options": options} if options else {}),
        "production": production,
        "name": venue.name,
        "aliases": venue.aliases,
        "tls": venue.tls.mode,
        **({"hsts": venue.tls.hsts} if venue.tls.hsts else {}),
        "state": venue.state,
        "gigs": [{"act": gig.act, "path": gig.path} for gig in booked],
    }


def parse(text: Optional[str]) -> Optional[dict[str, Any]]:
    """The data of a file that Backstage wrote; None where it is not one."""
    lines = (text or "").splitlines()[:2]
    if len(lines) < 2 or files.OWNERSHIP not in lines[0] or not lines[1].startswith(_DATA):
        return None
    try:
        found: dict[str, Any] = json.loads(lines[1][len(_DATA) :])
    except ValueError:
        return None
    return found


def render(paths: Production, venue: Venue, booked: list[Booked], host: Host) -> str:
    """The whole file of a Venue."""
    about = json.dumps(data(paths.name, venue, booked), sort_keys=True)
    lines = venue_options.lines(paths.name, venue, host)
    blocks = [f"# {files.OWNERSHIP}\n{_DATA}{about}\n{lines.before}"]
    if venue.scheme == "https":
        blocks.append(_redirect(paths, venue, venue.names, _listen(host), host, lines))
    address = f"{_address(paths, venue, host, lines)}\n    server_name {venue.name};"
    body = lines.server + _body(paths, venue, booked, host, lines)
    blocks.append(_block(paths, venue.name, address, body, host))
    if venue.aliases:
        blocks.append(_redirect(paths, venue, venue.aliases, _address(paths, venue, host, lines), host, lines))
    return "\n".join(blocks)


def port_data(production: str, act: str, port: int, path: str) -> dict[str, Any]:
    """What the file of a Sess's own port says about itself."""
    return {"production": production, "act": act, "port": port, "path": path}


def render_port(paths: Production, port: int, booked: Booked, host: Host) -> str:
    """The whole file of a port: what a Venue of the Act alone would be, for other services of this host."""
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
    """Where a server of the Venue listens, with what TLS needs: the same text for every mode of it."""
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


def _block(paths: Production, name: str, address: str, body: str, host: Host) -> str:
    return f"""server {{
{address}
    server_tokens off;
    access_log {access_log(paths.name, name)} backstage;
    include {host.visitors};
{body}}}
"""


def _redirect(paths: Production, venue: Venue, names: list[str], address: str, host: Host, lines: Lines) -> str:
    """Return a server that redirects to the Venue's own name: from aliases, and from http if the Venue has TLS."""
    return f"""server {{
{address}
    server_name {" ".join(names)};
    server_tokens off;
    access_log {access_log(paths.name, venue.name)} backstage;
    include {host.visitors};
{lines.server}    return 301 {host.origin(venue.scheme, venue.name)}$request_uri;
}}
"""


def _body(paths: Production, venue: Venue, booked: list[Booked], host: Host, lines: Lines) -> str:
    if venue.state == "closed":
        return f"""
    error_page 503 /backstage-closed.html;
    location / {{ return 503; }}
    location = /backstage-closed.html {{
        internal;
        alias {host.pages}/closed.html;
        add_header Retry-After {RETRY_AFTER} always;
        add_header Cache-Control no-store always;
{lines.headers}    }}
"""
    if not booked:
        return "\n    # nothing is on tonight\n    location / { return 404; }\n"
    return _pages(host, lines) + locations.render(paths, booked, host, lines)


def _pages(host: Host, lines: Lines) -> str:
    """nginx's own pages, for answers that no Act gave (uwsgi_intercept_errors is off)."""
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

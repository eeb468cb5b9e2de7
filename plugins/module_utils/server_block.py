# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Venue as nginx reads it: one file with its server blocks, written whole from checked values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Optional

from . import files
from .host import Host
from .layout import Production
from .nouns import Venue

_DATA = "# backstage: "
LOGS = "/var/log/nginx"
RETRY_AFTER = 3600
LARGEST_BODY = "10m"
_MEDIA_POLICY = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Booked:
    """A Gig at this Venue, with what nginx has to know of its Act.

    Args:
        act: the Act that plays.
        path: the URL path below which it plays.
        static: URL prefixes of its static files.
        media: URL prefixes of its uploads.
        timeout: its longest request, in seconds.
    """

    act: str
    path: str
    static: tuple[str, ...]
    media: tuple[str, ...]
    timeout: int


def file_name(production: str, venue: str) -> str:
    return f"{production}.{venue}.conf"


def access_log(production: str, venue: str) -> str:
    return f"{LOGS}/backstage.{production}.{venue}.log"


def data(production: str, venue: Venue, booked: list[Booked]) -> dict[str, Any]:
    """What the file says about itself, so that generated text is never parsed back."""
    return {
        "production": production,
        "name": venue.name,
        "aliases": venue.aliases,
        "tls": venue.tls,
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
    blocks = [f"# {files.OWNERSHIP}\n{_DATA}{about}\n", _server(paths, venue, _body(paths, venue, booked, host), host)]
    if venue.aliases:
        blocks.append(_redirect(paths, venue, host))
    return "\n".join(blocks)


def _listen(host: Host) -> str:
    lines = [f"    listen {host.http_port};"]
    if host.ipv6:
        lines.append(f"    listen [::]:{host.http_port};")
    return "\n".join(lines)


def _server(paths: Production, venue: Venue, body: str, host: Host) -> str:
    return f"""server {{
{_listen(host)}
    server_name {venue.name};
    server_tokens off;
    access_log {access_log(paths.name, venue.name)} combined;
    client_max_body_size {LARGEST_BODY};
{body}}}
"""


def _redirect(paths: Production, venue: Venue, host: Host) -> str:
    port = "" if host.http_port == 80 else f":{host.http_port}"
    return f"""server {{
{_listen(host)}
    server_name {" ".join(venue.aliases)};
    server_tokens off;
    access_log {access_log(paths.name, venue.name)} combined;
    return 301 $scheme://{venue.name}{port}$request_uri;
}}
"""


def _body(paths: Production, venue: Venue, booked: list[Booked], host: Host) -> str:
    if venue.state == "closed":
        return f"""
    error_page 503 /backstage-closed.html;
    location / {{ return 503; }}
    location = /backstage-closed.html {{
        internal;
        alias {host.pages}/closed.html;
        add_header Retry-After {RETRY_AFTER} always;
        add_header Cache-Control no-store always;
    }}
"""
    if not booked:
        return "\n    # nothing is on tonight\n    location / { return 404; }\n"
    hidden = "\n    location ~ /\\.(?!well-known/) { return 404; }\n"
    return _pages(host) + hidden + "".join(_gig(paths, gig, host) for gig in booked)


def _pages(host: Host) -> str:
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
    }}
""")
    return "".join(parts)


def _gig(paths: Production, gig: Booked, host: Host) -> str:
    act = paths.act(gig.act)
    parts = [_static(prefix, act.live) for prefix in gig.static]
    parts += [_media(prefix, act.media) for prefix in gig.media]
    parts.append(f"""
    # a door that does not answer is not tried twice: the request may have had its effect
    location {gig.path} {{
        include {host.params};
        uwsgi_pass unix:{act.live}/door/s;
        uwsgi_buffer_size 32k;
        uwsgi_buffers 8 32k;
        uwsgi_connect_timeout 5s;
        uwsgi_read_timeout {gig.timeout + 5}s;
        uwsgi_send_timeout {gig.timeout + 5}s;
        uwsgi_next_upstream off;
    }}
""")
    return "".join(parts)


def _static(prefix: str, live: str) -> str:
    """Static files of the release that plays, then of those that played before it."""
    older = " ".join(f"/older/{number}$uri" for number in range(1, 5))
    # z, not the dollar sign: with that, a trailing %0a would match, too
    return f"""
    location {prefix} {{
        rewrite ^{_escape(prefix)}(.*)\\z /$1 break;
        root {live};
        disable_symlinks if_not_owner from={live}/;
        try_files /static$uri {older} =404;
        open_file_cache max=1000 inactive=60s;
        open_file_cache_valid 5s;
        open_file_cache_errors off;
        add_header X-Content-Type-Options nosniff always;
    }}
"""


def _media(prefix: str, media: str) -> str:
    """Uploads: whatever a visitor sent must not become a page of this site."""
    return f"""
    location {prefix} {{
        alias {media}/;
        disable_symlinks on from={media}/;
        add_header X-Content-Type-Options nosniff always;
        add_header Content-Security-Policy "{_MEDIA_POLICY}" always;
    }}
"""


def _escape(prefix: str) -> str:
    return prefix.replace(".", "\\.")

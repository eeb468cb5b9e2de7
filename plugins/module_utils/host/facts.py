# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles prepared on this host, read from the files in which they recorded it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Optional

from . import files
from .errors import BackstageError

STAGE = "/etc/backstage/stage.json"
FRONT_OF_HOUSE = "/etc/backstage/front_of_house.json"
DATABASE = "/etc/backstage/database.json"
STANDARD = {"http": 80, "https": 443}
"""The port of a URL that names none."""
SITE = "run the playbook backstage.django.site first"
_ACME = "/usr/lib/python3/dist-packages/acme/client.py", "this host lacks the package python3-acme"
_NSUPDATE = "/usr/bin/nsupdate", "this host lacks the package bind9-dnsutils"

# the roles' defaults, for a plan on a host that has no stage yet
_DEFAULTS: dict[str, Any] = {
    "vassals": "/etc/backstage/vassals",
    "units": "/etc/systemd/system",
    "supervisor": "/etc/supervisor/conf.d",
    "stats": "/run/backstage/emperor.stats",
    "longest_request": 300,
    "emperor_log": "/var/log/backstage/emperor.log",
    "uv": "/usr/local/lib/backstage/tools/bin/uv",
    "wrapper": "/usr/local/lib/backstage/wrapper",
    "http_port": 80,
    "https_port": 443,
    "http2_listen": False,
    "tls": "/etc/nginx/backstage/tls.conf",
    "certificates": "/var/lib/backstage/certificates",
    "accounts": "/var/lib/backstage/acme",
    "challenges": "/etc/nginx/backstage/acme",
    "wishes": "/etc/backstage/certificates",
    "house": "/usr/local/lib/backstage/house",
    "certifier": "/usr/local/sbin/backstage-certificates",
    "ipv6": True,
    "venues": "/etc/nginx/backstage/venues",
    "params": "/etc/nginx/backstage/uwsgi.params",
    "proxy_params": "/etc/nginx/backstage/proxy.params",
    "http": "/etc/nginx/backstage/http.conf",
    "visitors": "/etc/nginx/backstage/visitors.conf",
    "passwords": "/etc/nginx/backstage/passwords",
    "calendar": "/etc/nginx/backstage/calendar",
    "bookings": "/usr/local/lib/backstage/bookings/backstage-bookings",
    "pages": "/usr/local/share/backstage/pages",
    "database_port": 5432,
}


@dataclass(frozen=True)
class Host:
    """The facts of the host. None of them comes from a manifest."""

    vassals: str
    units: str
    supervisor: str
    stats: str
    longest_request: int
    emperor_log: str
    uv: str
    wrapper: str
    http_port: int
    https_port: int
    http2_listen: bool
    tls: str
    certificates: str
    accounts: str
    challenges: str
    wishes: str
    house: str
    certifier: str
    ipv6: bool
    venues: str
    params: str
    proxy_params: str
    http: str
    visitors: str
    passwords: str
    calendar: str
    bookings: str
    pages: str
    database_port: int
    has_stage: bool
    has_front_of_house: bool
    has_database: bool

    def port(self, scheme: str) -> int:
        """Where nginx answers for Venues, with TLS or without."""
        return self.https_port if scheme == "https" else self.http_port

    def origin(self, scheme: str, name: str, port: Optional[int] = None) -> str:
        """What a URL begins with, with a port where it is not the scheme's own."""
        port = port or self.port(scheme)
        return f"{scheme}://{name}" + ("" if port == STANDARD[scheme] else f":{port}")

    @classmethod
    def read(cls) -> Host:
        stage = files.read_json(STAGE) or {}
        front = files.read_json(FRONT_OF_HOUSE) or {}
        database = files.read_json(DATABASE) or {}
        facts = {**_DEFAULTS, **stage, **front, **database}
        known = {key: facts[key] for key in _DEFAULTS}
        return cls(**known, has_stage=bool(stage), has_front_of_house=bool(front), has_database=bool(database))

    def need_stage(self) -> None:
        if not self.has_stage:
            raise BackstageError(f"this host has no stage ({STAGE} is missing); {SITE}", step="stage")

    def need_front_of_house(self) -> None:
        if not self.has_front_of_house:
            raise BackstageError(f"this host has no front of house ({FRONT_OF_HOUSE} is missing); {SITE}", step="nginx")
        for path in (self.visitors, self.passwords):
            if not os.path.exists(path):
                message = f"this host's front of house is of an earlier Backstage ({path} is missing); {SITE}"
                raise BackstageError(message, step="nginx")

    def need_tls(self) -> None:
        if not self.https_port:
            message = "nginx of this host does not listen for TLS: set front_of_house_https_port"
            raise BackstageError(f"{message}, and {SITE}", step="nginx")
        if not os.path.exists(self.tls):
            message = f"this host's front of house is of an earlier Backstage ({self.tls} is missing); {SITE}"
            raise BackstageError(message, step="nginx")

    def need_calendar(self) -> None:
        for path in (self.calendar, self.bookings):
            if not os.path.exists(path):
                message = f"this host's front of house is of an earlier Backstage ({path} is missing); {SITE}"
                raise BackstageError(message, step="nginx")

    def need_acme(self, by_dns: bool) -> None:
        """Refuse to go on where a program is missing that certificates from an authority need."""
        needed = [(self.certifier, "this host's front of house is of an earlier Backstage"), _ACME]
        for path, what in [*needed, *([_NSUPDATE] if by_dns else [])]:
            if not os.path.exists(path):
                raise BackstageError(f"{what} ({path} is missing); {SITE}", step="nginx")

    def need_http_doors(self) -> None:
        if not os.path.exists(self.proxy_params):
            message = f"this host's front of house is of an earlier Backstage ({self.proxy_params} is missing); {SITE}"
            raise BackstageError(message, step="nginx")

    def need_database(self) -> None:
        if not self.has_database:
            raise BackstageError(
                f"this host has no PostgreSQL for Acts ({DATABASE} is missing); put it into the inventory group"
                f" backstage_database, and {SITE}",
                step="database",
            )

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment variables that an Act's code gets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Optional

from ..host.facts import Host
from ..host.layout import Act as ActPaths
from ..manifest.database import URL as DATABASE_URL
from ..manifest.nouns import Act, Venue
from . import databases

LOCAL = ("localhost", "127.0.0.1")
"""The host names for a Sess's own port."""


@dataclass(frozen=True)
class Address:
    """Where an Act is reached.

    Args:
        venues: the Venues where it is booked.
        path: its URL path, which is the same everywhere.
        ports: the ports of the host on which nginx serves it.
        beside: the paths of other Acts at its Venues.
    """

    venues: tuple[Venue, ...] = ()
    path: str = "/"
    ports: tuple[int, ...] = ()
    beside: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def prefix(self) -> str:
        """Return the path in WSGI's form, SCRIPT_NAME, which is empty for the root."""
        return self.path.rstrip("/")


def path(variables: Mapping[str, str]) -> str:
    """Return the URL path that a Sess was given."""
    return variables.get("BACKSTAGE_PREFIX") or "/"


@dataclass(frozen=True)
class Places:
    """The Act's own directories for the user that runs it."""

    code: str
    static: str
    media: str
    data: str

    @classmethod
    def of_player(cls, paths: ActPaths, release: str) -> Places:
        built = paths.release(release)
        return cls(built.code, built.static, paths.media, paths.data)

    @classmethod
    def of_builder(cls, paths: ActPaths, release: str) -> Places:
        """Return the builder's directories, in a temporary home."""
        built = paths.release(release)
        # not "media", so that a MEDIA_ROOT inside BACKSTAGE_DATA can be recognized
        return cls(built.code, built.static, paths.workshop + "/.backstage-media", paths.workshop)


def hosts(act: Act, address: Address) -> list[str]:
    """Return the host names of the Act; without a Venue, the name that the gate uses."""
    return list(dict.fromkeys([*_public(act, address), *(LOCAL if address.ports else ())]))


def _public(act: Act, address: Address) -> list[str]:
    """Return the names of its Venues; without one, its other names, without the ports of the host."""
    names = [name for venue in address.venues for name in venue.names]
    if names or (address.ports and not act.health.host):
        return names
    return [act.health.host or "localhost"]


def _origins(act: Act, address: Address, host: Host) -> list[str]:
    """Where a form that it is sent may come from: never from a site without TLS where the Venue has it."""
    schemes = {name: venue.scheme for venue in address.venues for name in venue.names}
    origins = [host.origin(schemes.get(name, "http"), name) for name in _public(act, address)]
    return origins + [f"http://{name}:{port}" for port in address.ports for name in LOCAL]


def variables(
    act: Act,
    production: str,
    release: str,
    settings: str,
    places: Places,
    address: Address,
    host: Host,
) -> dict[str, str]:
    """Return all variables except the secrets."""
    own = {
        "HOME": places.data,
        "LC_ALL": "C.UTF-8",
        "BACKSTAGE_PRODUCTION": production,
        "BACKSTAGE_ACT": act.name,
        "BACKSTAGE_RELEASE": release,
        "BACKSTAGE_HOSTS": ",".join(hosts(act, address)),
        "BACKSTAGE_ORIGINS": ",".join(_origins(act, address, host)),
        "BACKSTAGE_STATIC_ROOT": places.static,
        "BACKSTAGE_MEDIA_ROOT": places.media,
        "BACKSTAGE_DATA": places.data,
    }
    if address.prefix:
        own["BACKSTAGE_PREFIX"] = address.prefix
    if settings:
        own["DJANGO_SETTINGS_MODULE"] = settings
    database = databases.placeholders(act, production, places.data, host.database_port)
    if database and DATABASE_URL not in act.env:
        own[DATABASE_URL] = database["database_url"]
    return {**expand(act.env, places, database), **own}


def given(act: Act, secrets: Iterable[str]) -> list[str]:
    """Return the variables with values from the manifest. TZ is Django's own, which sets it to TIME_ZONE.

    Args:
        act: the Act in the manifest.
        secrets: the names of its current secrets.
    """
    own = {"DJANGO_SETTINGS_MODULE": act.settings, "DATABASE_URL": act.database}
    told = [name for name, value in own.items() if value]
    return sorted({*act.env, *secrets, *told, "BACKSTAGE_HOSTS", "BACKSTAGE_ORIGINS", "BACKSTAGE_DATA"} - {"TZ"})


def expand(values: Mapping[str, str], places: Places, database: Optional[Mapping[str, str]] = None) -> dict[str, str]:
    """Replace {code}, {data}, {media}, {static} and the placeholders of a database. Other braces stay."""
    named = {key: getattr(places, key) for key in ("code", "data", "media", "static")}
    known = {"{" + key + "}": value for key, value in {**named, **(database or {})}.items()}
    pattern = re.compile("|".join(map(re.escape, known)))
    return {name: pattern.sub(lambda found: known[found.group()], value) for name, value in values.items()}

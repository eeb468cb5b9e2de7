# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Act's world: the environment variables that its code meets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .layout import Act as ActPaths
from .nouns import Act, Venue


@dataclass(frozen=True)
class Places:
    """Where an Act's own directories are for whoever runs it."""

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
        """The builder has a throw-away home in place of the Act's own directories."""
        built = paths.release(release)
        # not "media": a project with MEDIA_ROOT in BACKSTAGE_DATA is to be told apart
        return cls(built.code, built.static, paths.workshop + "/.backstage-media", paths.workshop)


def hosts(act: Act, venues: list[Venue]) -> list[str]:
    """The names that the Act is asked by; without a Venue, the one that the gate uses."""
    names = [name for venue in venues for name in venue.names]
    return names or [act.health.host or "localhost"]


def variables(
    act: Act,
    production: str,
    release: str,
    settings: str,
    places: Places,
    venues: list[Venue],
    http_port: int,
) -> dict[str, str]:
    """All variables but the secrets."""
    names = hosts(act, venues)
    port = "" if http_port == 80 else f":{http_port}"
    own = {
        "HOME": places.data,
        "LC_ALL": "C.UTF-8",
        "BACKSTAGE_PRODUCTION": production,
        "BACKSTAGE_ACT": act.name,
        "BACKSTAGE_RELEASE": release,
        "BACKSTAGE_HOSTS": ",".join(names),
        "BACKSTAGE_ORIGINS": ",".join(f"http://{name}{port}" for name in names),
        "BACKSTAGE_STATIC_ROOT": places.static,
        "BACKSTAGE_MEDIA_ROOT": places.media,
        "BACKSTAGE_DATA": places.data,
    }
    if settings:
        own["DJANGO_SETTINGS_MODULE"] = settings
    return {**expand(act.env, places), **own}


def expand(values: Mapping[str, str], places: Places) -> dict[str, str]:
    """Fill {code}, {data}, {media} and {static} in; every other brace stays."""
    known = {"{" + key + "}": getattr(places, key) for key in ("code", "data", "media", "static")}
    pattern = re.compile("|".join(map(re.escape, known)))
    return {name: pattern.sub(lambda found: known[found.group()], value) for name, value in values.items()}

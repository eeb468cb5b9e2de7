# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates that a host gets from an authority: one file for each Venue says what is wanted.

A deploy writes them, and the program backstage-certificates, which a timer starts, needs nothing else: no controller,
and no manifest.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Optional

from ..host import files
from ..host.facts import Host

LOCK = "/run/backstage-certificates.lock"
"""Held by a run of the program, of which there is one at a time."""


@dataclass(frozen=True)
class Wish:
    """What certificate a Venue is to have.

    Args:
        production: the Production of the Venue.
        names: the Venue's name, then its aliases.
        directory: the URL of the authority.
        contact: the mail address that the authority gets; empty for none.
        ca: the PEM text of authorities that vouch for the authority's own server; empty for those of the system.
        profile: the kind of certificate, as the authority calls it; empty for its default.
        challenge: how the names are proven.
        prepared: files of nginx to write as soon as the certificate is there, by path: until then the Venue has no TLS.
    """

    production: str
    names: tuple[str, ...]
    directory: str
    contact: str = ""
    ca: str = ""
    profile: str = ""
    challenge: str = "http-01"
    prepared: Mapping[str, str] = field(default_factory=dict)

    @property
    def venue(self) -> str:
        return self.names[0]

    @property
    def text(self) -> str:
        return files.to_json({**asdict(self), "managed_by": files.OWNERSHIP})

    def without_files(self) -> Wish:
        """The same after the files were written."""
        return replace(self, prepared={})

    @classmethod
    def of(cls, data: Any) -> Wish:
        """Make it from the data of its file.

        Raises:
            ValueError: the data is not that of a wish.
        """
        try:
            found = {key: data[key] for key in cls.__dataclass_fields__}
            return cls(**{**found, "names": tuple(found["names"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"it does not say what certificate is wanted: {error}") from None


def path(host: Host, production: str, venue: str) -> str:
    return os.path.join(host.wishes, f"{production}.{venue}.json")


def read(host: Host, production: str, venue: str) -> Optional[Wish]:
    """The wish for a Venue; None where there is none, or none that can be read."""
    try:
        return Wish.of(files.read_json(path(host, production, venue)))
    except ValueError:
        return None


def write(host: Host, wish: Wish) -> None:
    files.write(path(host, wish.production, wish.venue), wish.text, 0o600)


def names(host: Host) -> list[str]:
    """What has a wish on this host, as PRODUCTION.VENUE."""
    return [name.removesuffix(".json") for name in files.names_in(host.wishes) if name.endswith(".json")]


def sweep(host: Host, production: str, keep: set[str]) -> None:
    """Remove the wishes of a Production for Venues that get no certificate from an authority any more."""
    for name in names(host):
        if name.startswith(production + ".") and name.partition(".")[2] not in keep:
            files.remove(os.path.join(host.wishes, f"{name}.json"))

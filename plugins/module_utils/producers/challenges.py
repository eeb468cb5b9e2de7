# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones of challenges: there hosts prove to a certificate authority that a name is theirs (dns-01).

The authority asks for the TXT record `_acme-challenge.NAME`. A CNAME leads it to `NAME.acme.ZONE`, which is in another
zone. A host writes there by DNS UPDATE (RFC 2136) with a TSIG key that counts in this zone alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ..host.errors import BackstageError
from ..state.plan import Step
from .api import Api
from .records import Key, Records, Wanted, home, is_copy

ALGORITHM = "hmac-sha256"
KEYS_ARE_CALLED = "backstage-"
"""What the name of a host's key begins with: PowerDNS has one list of keys, which may hold keys of others."""
_LONGEST_NAME = 253
_TTL = 3600
_ALLOWED, _FROM, _OURS = "TSIG-ALLOW-DNSUPDATE", "ALLOW-DNSUPDATE-FROM", "X-backstage-"
_EVERYWHERE = ["0.0.0.0/0", "::/0"]
"""The key decides who writes: a host behind NAT does not know the address it comes from."""
_SOA = "1 10800 3600 604800 1"
"""The last number is for how many seconds resolvers, and PowerDNS itself, may remember that a value is not there."""
_KEY_FILE = re.compile(
    r'\s*key\s+"?(?P<name>[a-z0-9.-]{1,200})"?\s*\{\s*algorithm\s+"?hmac-sha256"?\s*;'
    r'\s*secret\s+"(?P<secret>[A-Za-z0-9+/]{16,128}={0,2})"\s*;\s*\}\s*;\s*\Z'
)


@dataclass(frozen=True)
class TsigKey:
    """The key of a host."""

    name: str
    secret: str = field(repr=False)


def parse(text: str) -> Optional[TsigKey]:
    """Read a key file of nsupdate; return None if it is none with hmac-sha256."""
    found = _KEY_FILE.match(text)
    return TsigKey(found["name"], found["secret"]) if found else None


def zone_of(zone: str) -> str:
    """Return the name of the zone of challenges of a zone."""
    return f"acme.{zone}"


def owner(name: str) -> str:
    """Return where an authority looks for the challenge of a host name."""
    return f"_acme-challenge.{name}."


def is_too_long(name: str, zone: str) -> bool:
    return len(f"{name}.{zone_of(zone)}".rstrip(".")) > _LONGEST_NAME


def lead(want: Mapping[str, Wanted], names: Iterable[str], ttl: int) -> None:
    """Add the CNAMEs that lead an authority to the zones of challenges."""
    for name in names:
        zone = home(name, want)
        if zone:
            where = owner(name)
            want[zone].names.add(where)
            want[zone].records[where, "CNAME"] = Records(ttl, (f"{name}.{zone_of(zone)}",))


def delegation(zone: str, server: str) -> tuple[Key, Records]:
    """Return the record by which a zone says who answers for its challenges: the primary, which is never behind."""
    return (zone_of(zone), "NS"), Records(_TTL, (f"{server}.",))


@dataclass(frozen=True)
class Place:
    """A zone of challenges: what the server has, and which keys are to count there.

    Args:
        zone: its name, with the final dot.
        production: the Production whose keys these are.
        server: the host name of the primary.
        exists: whether there is such a zone.
        allowed: the names of the keys that count there now.
        is_open: whether a key counts from every address.
        ours: the names of this Production's keys among them, as it left them.
        others: the names of other Productions' keys.
        keys: the keys that are to count.
        known: the secrets that the server has of these keys.
    """

    zone: str
    production: str
    server: str
    exists: bool
    allowed: list[str]
    is_open: bool
    ours: list[str]
    others: list[str]
    keys: list[TsigKey]
    known: dict[str, str] = field(repr=False)

    @property
    def wanted(self) -> list[str]:
        """The names of the keys that are to count, with those that somebody else has allowed."""
        kept = set(self.allowed) - set(self.ours)
        return sorted({*kept, *self.others, *self._own})

    @property
    def gone(self) -> list[str]:
        """The names of this Production's keys that count no more."""
        return sorted(set(self.ours) - set(self.wanted))

    @property
    def _own(self) -> list[str]:
        return sorted(key.name for key in self.keys)

    @property
    def _unlike(self) -> list[TsigKey]:
        return [key for key in self.keys if self.known.get(key.name) != key.secret]

    def steps(self) -> list[Step]:
        name = self.zone.rstrip(".")
        found = []
        if not self.exists:
            found.append(Step("zone", name, "create", None, self.server))
        for key in self._unlike:
            found.append(
                Step("key", key.name, "write", "another secret" if key.name in self.known else None, ALGORITHM)
            )
        if self._differs:
            found.append(Step("zone", name, "allow", self._told(self.allowed), self._told(self.wanted)))
        return found + [Step("key", gone, "remove", ALGORITHM) for gone in self.gone]

    @property
    def _differs(self) -> bool:
        return sorted(self.allowed) != self.wanted or sorted(self.ours) != self._own or not self.is_open

    @staticmethod
    def _told(names: Iterable[str]) -> Optional[str]:
        return ", ".join(sorted(names)) or None

    def make(self, api: Api, account: str) -> None:
        """Apply it. What is ours is noted last, so that a killed run is finished by the next one."""
        if not self.exists:
            api.create(self._new(account))
            api.forget(self.zone)
        for key in self._unlike:
            api.write_key(key.name, ALGORITHM, key.secret, key.name in self.known)
        if self._differs:
            api.write_metadata(self.zone, _FROM, _EVERYWHERE)
            api.write_metadata(self.zone, _ALLOWED, self.wanted)
        for name in self.gone:
            if not _is_used(name, self, api):
                api.remove_key(name)
        if sorted(self.ours) != self._own:
            api.write_metadata(self.zone, _OURS + self.production, self._own)

    def _new(self, account: str) -> dict[str, Any]:
        contents = {"SOA": f"{self.server}. hostmaster.{self.zone} {_SOA}", "NS": f"{self.server}."}
        return {
            "name": self.zone,
            "kind": "Native",
            "account": account,
            "soa_edit_api": "DEFAULT",
            "rrsets": [
                {"name": self.zone, "type": kind, "ttl": _TTL, "records": [{"content": text, "disabled": False}]}
                for kind, text in contents.items()
            ],
        }


def read(zone: str, production: str, server: str, account: str, keys: list[TsigKey], api: Api) -> Optional[Place]:
    """Read the zone of challenges of a zone; return None if there is none, and no key is to count.

    Raises:
        BackstageError: the zone is somebody else's.
    """
    name = zone_of(zone)
    data = api.zone(name)
    is_foreign = data is not None and (data.get("account") != account or is_copy(str(data["kind"])))
    if not keys and (data is None or is_foreign):
        return None
    if is_foreign:
        problem = f"DNS: the zone {name.rstrip('.')} is somebody else's, and challenges of {zone.rstrip('.')} need it"
        raise BackstageError(f"{problem}. Nothing was changed. Remove it, or use another challenge than dns-01.")
    found = {} if data is None else api.metadata(name)
    ours = found.get(_OURS + production, [])
    others = [key for kind, listed in found.items() for key in listed if _is_of_another(kind, production)]
    secrets = {key.name: api.secret(key.name) for key in keys}
    return Place(
        name,
        production,
        server,
        data is not None,
        found.get(_ALLOWED, []),
        sorted(found.get(_FROM, [])) == _EVERYWHERE,
        ours,
        others,
        keys,
        {key: secret for key, secret in secrets.items() if secret is not None},
    )


def _is_of_another(kind: str, production: str) -> bool:
    return kind.startswith(_OURS) and kind != _OURS + production


def _is_used(key: str, place: Place, api: Api) -> bool:
    """Whether a key still counts in any other zone of challenges of this server."""
    zones = [name for name in api.zones() if name.startswith(zone_of("")) and name != place.zone]
    return any(key in api.metadata(zone).get(_ALLOWED, []) for zone in zones)

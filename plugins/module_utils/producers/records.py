# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of a Production: present and wanted ones, and the difference. Pure functions, without requests."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ..state.plan import Step

Key = tuple[str, str]
"""A name with its final dot, and a type."""
COMMENT = "managed by Backstage"
_ALIASES = ("CNAME", "ALIAS", "DNAME")
"""Types that decide alone where a name points."""
_SECONDARY = ("slave", "secondary", "consumer")
_TYPES = {4: "A", 6: "AAAA"}


@dataclass(frozen=True)
class Records:
    """All records of one name and type.

    Args:
        ttl: the seconds for which resolvers keep them.
        contents: sorted, as PowerDNS writes them.
    """

    ttl: int
    contents: tuple[str, ...]

    def lines(self, key: Key) -> str:
        """Return them as lines of a zone file."""
        return "".join(f"{key[0]} {self.ttl} {key[1]} {one}\n" for one in self.contents)


@dataclass(frozen=True)
class Zone:
    """A zone on the server.

    Args:
        name: its name.
        kind: PowerDNS's name for its kind, such as Master.
        serial: the serial that its name servers should answer.
        signed: whether it is signed with DNSSEC.
        ours: the records of this Production.
        foreign: those of everybody else.
        shared: those of the foreign ones that Backstage wrote for all Productions.
    """

    name: str
    kind: str = "Master"
    serial: int = 0
    signed: bool = False
    ours: Mapping[Key, Records] = field(default_factory=dict)
    foreign: Mapping[Key, Records] = field(default_factory=dict)
    shared: frozenset[Key] = frozenset()

    @classmethod
    def of(cls, data: Mapping[str, Any], mark: str) -> Zone:
        """Make it from the API's answer. A record is ours if a comment has our mark."""
        ours: dict[Key, Records] = {}
        foreign: dict[Key, Records] = {}
        shared = set()
        for rrset in data["rrsets"]:
            key = rrset["name"].lower(), rrset["type"]
            contents = sorted(_canonical(key[1], one["content"]) for one in rrset["records"] if not one["disabled"])
            accounts = {comment.get("account") for comment in rrset.get("comments", [])}
            (ours if mark in accounts else foreign)[key] = Records(rrset["ttl"], tuple(contents))
            if mark.partition(":")[0] in accounts:
                shared.add(key)
        serial = data.get("edited_serial", data["serial"])
        return cls(data["name"], data["kind"], serial, bool(data.get("dnssec")), ours, foreign, frozenset(shared))

    @property
    def is_copy(self) -> bool:
        """Whether it is copied from another server, and can only be changed there."""
        return is_copy(self.kind)


def is_copy(kind: str) -> bool:
    return kind.lower() in _SECONDARY


def _canonical(kind: str, content: str) -> str:
    return str(ipaddress.ip_address(content)) if kind in _TYPES.values() else content


@dataclass(frozen=True)
class Wanted:
    """The wanted content of a zone.

    Args:
        names: the listed names; records of ours at these names that are not wanted are removed.
        records: the records.
    """

    names: set[str] = field(default_factory=set)
    records: dict[Key, Records] = field(default_factory=dict)


def home(name: str, zones: Iterable[str]) -> str:
    """Return the zone in which a host name lies: the longest one that it ends with; empty if there is none."""
    full = f"{name}."
    return max((zone for zone in zones if full == zone or full.endswith(f".{zone}")), key=len, default="")


def wanted(names: Mapping[str, Iterable[str]], zones: Iterable[str], ttl: int) -> tuple[dict[str, Wanted], list[str]]:
    """Return what should be in each zone, and the names that none of them has."""
    found, homeless = {zone: Wanted() for zone in zones}, []
    for name, addresses in names.items():
        zone = home(name, found)
        if zone:
            found[zone].names.add(f"{name}.")
            found[zone].records.update(_address_records(f"{name}.", addresses, ttl))
        else:
            homeless.append(name)
    return found, homeless


def _address_records(name: str, addresses: Iterable[str], ttl: int) -> dict[Key, Records]:
    sorted_in: dict[str, list[str]] = {}
    for address in addresses:
        sorted_in.setdefault(_TYPES[ipaddress.ip_address(address).version], []).append(address)
    return {(name, kind): Records(ttl, tuple(sorted(found))) for kind, found in sorted_in.items()}


@dataclass(frozen=True)
class Change:
    """A change of the records of one name and type."""

    key: Key
    before: Optional[Records]
    after: Optional[Records]

    def step(self) -> Step:
        verb = "write" if self.after else "remove"
        texts = [records.lines(self.key).rstrip("\n") if records else None for records in (self.before, self.after)]
        return Step("record", f"{self.key[0].rstrip('.')} {self.key[1]}", verb, *texts)

    def rrset(self, mark: str) -> dict[str, Any]:
        """Return the change in the API's form."""
        told: dict[str, Any] = {"name": self.key[0], "type": self.key[1], "changetype": "DELETE"}
        if self.after:
            told["changetype"] = "REPLACE"
            told["ttl"] = self.after.ttl
            told["records"] = [{"content": content, "disabled": False} for content in self.after.contents]
            told["comments"] = [{"content": COMMENT, "account": mark}]
        return told


@dataclass(frozen=True)
class ZonePlan:
    """The difference of a zone.

    Args:
        changes: to records of this Production; removals come first.
        conflicts: records of others that are in the way, a sentence each.
        unlisted: names with records of this Production that are not listed.
    """

    changes: list[Change]
    conflicts: list[str]
    unlisted: list[str]


def plan(zone: Zone, want: Wanted, prune: bool) -> ZonePlan:
    """Return the difference. Records of others are never changed."""
    changes, conflicts = [], []
    for key, after in sorted(want.records.items()):
        if zone.foreign.get(key) == after:
            continue  # a foreign record has the same content
        in_the_way = _in_the_way(key, zone)
        if in_the_way:
            conflicts.append(in_the_way)
        elif zone.ours.get(key) != after:
            changes.append(Change(key, zone.ours.get(key), after))
    left = [key for key in zone.ours if key not in want.records]
    gone = [key for key in left if prune or key[0] in want.names]
    removed = [Change(key, zone.ours[key], None) for key in sorted(gone)]
    unlisted = sorted({name.rstrip(".") for name, kind in left if (name, kind) not in gone})
    return ZonePlan(removed + changes, conflicts, unlisted)


def _in_the_way(key: Key, zone: Zone) -> str:
    """Return the foreign record that prevents ours; empty if there is none."""
    name, kind = key
    for (other, foreign), records in sorted(zone.foreign.items()):
        contents = ", ".join(records.contents)
        if other == name and (foreign == kind or foreign in _ALIASES or kind in _ALIASES):
            return f"{name.rstrip('.')} has a record {foreign} {contents} that is not this Production's"
        below = name == other or name.endswith(f".{other}")
        if below and other != zone.name and foreign in ("NS", "DNAME"):
            return f"{name.rstrip('.')} lies in {other.rstrip('.')}, which a record {foreign} gives to {contents}"
    return ""

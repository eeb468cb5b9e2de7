# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of a Production: what is there, what should be there, and how these differ. Nothing here asks anybody."""

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
"""Types that say by themselves where a name points."""
_SECONDARY = ("slave", "secondary", "consumer")
_TYPES = {4: "A", 6: "AAAA"}


@dataclass(frozen=True)
class Records:
    """All records of one name and type.

    Args:
        ttl: for how many seconds resolvers keep them.
        contents: sorted, as PowerDNS writes them.
    """

    ttl: int
    contents: tuple[str, ...]

    def lines(self, key: Key) -> str:
        """As a zone file has them."""
        return "".join(f"{key[0]} {self.ttl} {key[1]} {one}\n" for one in self.contents)


@dataclass(frozen=True)
class Zone:
    """A zone as the server has it.

    Args:
        name: its name.
        kind: as PowerDNS calls it, such as Master.
        serial: the one that its name servers are to answer.
        signed: whether it has DNSSEC.
        ours: the records of this Production.
        foreign: those of everybody else.
    """

    name: str
    kind: str = "Master"
    serial: int = 0
    signed: bool = False
    ours: Mapping[Key, Records] = field(default_factory=dict)
    foreign: Mapping[Key, Records] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any], mark: str) -> Zone:
        """From what the API answers; ours are those with our mark in a comment."""
        ours: dict[Key, Records] = {}
        foreign: dict[Key, Records] = {}
        for rrset in data["rrsets"]:
            key = rrset["name"].lower(), rrset["type"]
            contents = sorted(_canonical(key[1], one["content"]) for one in rrset["records"] if not one["disabled"])
            mine = any(comment.get("account") == mark for comment in rrset.get("comments", []))
            (ours if mine else foreign)[key] = Records(rrset["ttl"], tuple(contents))
        serial = data.get("edited_serial", data["serial"])
        return cls(data["name"], data["kind"], serial, bool(data.get("dnssec")), ours, foreign)

    @property
    def is_copy(self) -> bool:
        """Whether it comes from another server, and can only be changed there."""
        return is_copy(self.kind)


def is_copy(kind: str) -> bool:
    return kind.lower() in _SECONDARY


def _canonical(kind: str, content: str) -> str:
    return str(ipaddress.ip_address(content)) if kind in _TYPES.values() else content


@dataclass(frozen=True)
class Wanted:
    """What should be in a zone.

    Args:
        names: the names that are spoken of; nothing of ours that is not wanted stays there.
        records: the records.
    """

    names: set[str] = field(default_factory=set)
    records: dict[Key, Records] = field(default_factory=dict)


def wanted(names: Mapping[str, Iterable[str]], zones: Iterable[str], ttl: int) -> tuple[dict[str, Wanted], list[str]]:
    """What should be in each zone, and the names that none of them has. The longest zone has a name."""
    found, homeless = {zone: Wanted() for zone in zones}, []
    for name, addresses in names.items():
        full = f"{name}."
        homes = [zone for zone in found if full == zone or full.endswith(f".{zone}")]
        if not homes:
            homeless.append(name)
            continue
        home = found[max(homes, key=len)]
        home.names.add(full)
        home.records.update(_address_records(full, addresses, ttl))
    return found, homeless


def _address_records(name: str, addresses: Iterable[str], ttl: int) -> dict[Key, Records]:
    sorted_in: dict[str, list[str]] = {}
    for address in addresses:
        sorted_in.setdefault(_TYPES[ipaddress.ip_address(address).version], []).append(address)
    return {(name, kind): Records(ttl, tuple(sorted(found))) for kind, found in sorted_in.items()}


@dataclass(frozen=True)
class Change:
    """What is done to the records of one name and type."""

    key: Key
    before: Optional[Records]
    after: Optional[Records]

    def step(self) -> Step:
        verb = "write" if self.after else "remove"
        texts = [records.lines(self.key).rstrip("\n") if records else None for records in (self.before, self.after)]
        return Step("record", f"{self.key[0].rstrip('.')} {self.key[1]}", verb, *texts)

    def rrset(self, mark: str) -> dict[str, Any]:
        """As the API wants to be told."""
        told: dict[str, Any] = {"name": self.key[0], "type": self.key[1], "changetype": "DELETE"}
        if self.after:
            told["changetype"] = "REPLACE"
            told["ttl"] = self.after.ttl
            told["records"] = [{"content": content, "disabled": False} for content in self.after.contents]
            told["comments"] = [{"content": COMMENT, "account": mark}]
        return told


@dataclass(frozen=True)
class ZonePlan:
    """How a zone differs.

    Args:
        changes: to records of this Production; what is removed comes first.
        conflicts: records of others that are in the way, a sentence each.
        unlisted: names that have records of this Production, and that nobody asks for.
    """

    changes: list[Change]
    conflicts: list[str]
    unlisted: list[str]


def plan(zone: Zone, want: Wanted, prune: bool) -> ZonePlan:
    """The differences. What is not ours is never touched."""
    changes, conflicts = [], []
    for key, after in sorted(want.records.items()):
        if zone.foreign.get(key) == after:
            continue  # somebody's own record says the same
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
    """The record of somebody else that keeps ours from being written; empty where there is none."""
    name, kind = key
    for (other, foreign), records in sorted(zone.foreign.items()):
        contents = ", ".join(records.contents)
        if other == name and (foreign == kind or foreign in _ALIASES):
            return f"{name.rstrip('.')} has a record {foreign} {contents} that is not this Production's"
        below = name == other or name.endswith(f".{other}")
        if below and other != zone.name and foreign in ("NS", "DNAME"):
            return f"{name.rstrip('.')} lies in {other.rstrip('.')}, which a record {foreign} gives to {contents}"
    return ""

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where names point, as their zones' own name servers answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import questions

RIGHT, DIFFERS, UNKNOWN = "right", "differs", "unknown"
_MOST_ALIASES = 8


@dataclass(frozen=True)
class Pointed:
    """What one name server answers about a name.

    Args:
        name: the name; empty if nothing was asked about names, because the server does not answer at all.
        server: the name and the address of the name server.
        state: right, differs or unknown.
        line: all of it, for people.
        addresses: what the server answers, sorted.
    """

    name: str
    server: str
    state: str
    line: str
    addresses: list[str] = field(default_factory=list)


def ask(wanted: Mapping[str, list[str]], name_servers: Mapping[str, list[str]]) -> list[Pointed]:
    """Ask every name server about every name. Where several are right, one line is enough.

    Args:
        wanted: names, and the addresses at which they should point.
        name_servers: names of name servers, and their addresses.
    """
    found: dict[str, list[Pointed]] = {name: [] for name in wanted}
    silent: list[Pointed] = []
    for server, address in [(server, address) for server, all_of in name_servers.items() for address in all_of]:
        try:
            for name, addresses in wanted.items():
                found[name].append(_one(name, sorted(addresses), server, address))
        except questions.Silent as why:
            line = f"DNS name server {server} ({address}): {why}"
            silent.append(Pointed("", f"{server} ({address})", UNKNOWN, line))
    return [one for answers in found.values() for one in _shortened(answers)] + silent


def _shortened(answers: list[Pointed]) -> list[Pointed]:
    right = [one for one in answers if one.state == RIGHT]
    return right[:1] + [one for one in answers if one.state != RIGHT]


def _one(name: str, wanted: list[str], server: str, address: str) -> Pointed:
    place = f"({server}, {address})"
    where = f"{server} ({address})"
    try:
        found = addresses(address, name)
    except questions.Silent:
        raise
    except questions.NoAnswer as why:
        return Pointed(name, where, UNKNOWN, f"DNS {name}: {why} {place}")
    told = ", ".join(found) or "no address"
    if found == wanted:
        return Pointed(name, where, RIGHT, f"DNS {name}: {told}", found)
    line = f"DNS {name}: {told} instead of {', '.join(wanted) or 'no address'} {place}"
    return Pointed(name, where, DIFFERS, line, found)


def addresses(server: str, name: str) -> list[str]:
    """Where a name points. An alias is followed as far as this server knows it; the rest is named.

    Raises:
        NoAnswer: the server says nothing, or nothing useful.
    """
    found: set[str] = set()
    for kind in (questions.A, questions.AAAA):
        owner = f"{name}."
        answers = questions.ask(server, owner, kind)
        aliases = {one.owner: str(one.value) for one in answers if one.kind == questions.CNAME}
        for _hop in range(_MOST_ALIASES):
            owner = aliases.get(owner, owner)
        here = {str(one.value) for one in answers if one.owner == owner and one.kind == kind}
        found |= here
        alias = f"CNAME {owner.rstrip('.')}" if aliases else ""
    return sorted(found) or ([alias] if alias else [])

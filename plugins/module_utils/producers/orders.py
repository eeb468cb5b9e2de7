# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checked options of the module backstage_dns, as plain data."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ..host.errors import BackstageError
from ..manifest import checks
from ..manifest.problems import Problems
from . import challenges, records
from .challenges import TsigKey

SHORTEST_TTL, LONGEST_TTL = 1, 86400
LONGEST_WAIT = 600
ACCOUNT = "backstage"
COPIES = "a server with primaries copies its records; give the names to the primary"
_API = re.compile(r"https?://([A-Z0-9._-]+|\[[0-9A-F:.]+\])(:[0-9]+)?(/[^\s?#\\]*)?\Z", re.IGNORECASE | re.ASCII)
_KEY = re.compile(r"[!-~]+\Z")
_KEY_LINE = re.compile(r"^\s*api-key\s*=\s*(\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Order:
    """What is asked of a Producer.

    Args:
        production: whose records they are.
        api: the URL of PowerDNS's API, without /api/v1.
        key: the key of the API; empty in check mode if PowerDNS is not installed yet.
        timeout: the seconds that one answer of the API may take.
        zones: the zones in which names may be written, each with its final dot.
        name_servers: the name servers of a new zone, which are asked after a change: name -> addresses.
        primaries: the servers from which the zones are copied; none if this server is the primary.
        names: host names -> the addresses where they point; none if their records are removed.
        ttl: the seconds for which resolvers may keep the records.
        dnssec: whether the zones are signed.
        prune: whether records of this Production at other names are removed.
        leaving: whether all records of this Production are removed.
        wait: the seconds for which name servers may lag behind.
        challenges: the host names whose challenges (dns-01) are answered in zones of challenges.
        keys: the keys of the hosts that write there.
    """

    production: str
    api: str
    key: str
    timeout: int
    zones: list[str]
    name_servers: dict[str, list[str]]
    names: dict[str, list[str]]
    primaries: list[str] = field(default_factory=list)
    ttl: int = 300
    dnssec: bool = False
    prune: bool = False
    leaving: bool = False
    wait: int = 15
    challenges: list[str] = field(default_factory=list)
    keys: list[TsigKey] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """Return the account in the comment of each record of this Production."""
        return f"{ACCOUNT}:{self.production}"


def read(options: dict[str, Any], check_mode: bool = False) -> Order:
    """Check the options of the module backstage_dns.

    Args:
        options: the options of the module.
        check_mode: whether the key may be missing, because PowerDNS is not installed yet.

    Raises:
        Refusal: what is wrong with them, all of it.
        BackstageError: the key can't be read.
    """
    problems = Problems()
    problems.check("production", options["production"], checks.production(options["production"]))
    problems.check("api", options["api"], None if _API.match(options["api"]) else "use a URL without credentials")
    problems.check("ttl", options["ttl"], checks.between(options["ttl"], SHORTEST_TTL, LONGEST_TTL))
    problems.check("timeout", options["timeout"], checks.between(options["timeout"], 1, LONGEST_WAIT))
    problems.check("wait", options["wait"], checks.between(options["wait"], 0, LONGEST_WAIT))
    for zone in options["zones"]:
        problems.check("zones", zone, checks.host_name(zone))
    names, servers = _names_and_servers(options, problems)
    primaries = _canonical_all(options["primaries"], "primaries", problems)
    if primaries and names:
        problems.add("names", None, COPIES)
    keys = _challenge_keys(options, problems)
    _check_challenges(options, servers, names, problems)
    problems.refuse()
    return Order(
        options["production"],
        options["api"].rstrip("/"),
        _key(options["key"], options["key_file"], check_mode),
        options["timeout"],
        [f"{zone}." for zone in dict.fromkeys(options["zones"])],
        servers,
        names,
        primaries,
        options["ttl"],
        options["dnssec"],
        options["prune"],
        options["state"] == "absent",
        options["wait"],
        list(dict.fromkeys(options["challenges"])),
        keys,
    )


def _challenge_keys(options: dict[str, Any], problems: Problems) -> list[TsigKey]:
    found: dict[str, TsigKey] = {}
    for text in options["challenge_keys"]:
        key = challenges.parse(text)
        if key is None:
            problems.add("challenge_keys", None, f"one is no key with {challenges.ALGORITHM}; make it with tsig-keygen")
        elif not key.name.startswith(challenges.KEYS_ARE_CALLED):
            cure = f"make one with tsig-keygen {challenges.KEYS_ARE_CALLED}NAME"
            problems.add("challenge_keys", key.name, f"could be the name of somebody else's key; {cure}")
        elif found.setdefault(key.name, key) != key:
            problems.add("challenge_keys", key.name, "is there twice; give each host a key with a name of its own")
    return sorted(found.values(), key=lambda key: key.name)


def _check_challenges(
    options: dict[str, Any], servers: dict[str, list[str]], names: dict[str, list[str]], problems: Problems
) -> None:
    """Refuse challenges that could not be answered, and names that would not be found because of them."""
    asked, zones = options["challenges"], options["zones"]
    if not asked:
        return
    if options["primaries"]:
        problems.add("challenges", None, COPIES)
    if not servers:
        problems.add("name_servers", None, "name the primary, which answers the challenges")
    if not options["challenge_keys"]:
        problems.add("challenge_keys", None, "give the key of each host that answers the challenges")
    for name in asked:
        zone = records.home(name, [f"{zone}." for zone in zones]).rstrip(".")
        problems.check("challenges", name, checks.host_name(name))
        if challenges.is_too_long(name, zone):
            problems.add(
                "challenges", name, f"is too long for a challenge: it is asked for in {challenges.zone_of(zone)}"
            )
    for zone in zones:
        _check_place(zone, zones, {"challenges": asked, "names": names}, problems)


def _check_place(zone: str, zones: list[str], listed: Mapping[str, Iterable[str]], problems: Problems) -> None:
    """Refuse names in the zone of challenges of a zone, where nobody would find them."""
    place = challenges.zone_of(zone)
    if place in zones:
        problems.add("zones", place, f"it is the zone of challenges of {zone}; leave it out")
    for where, names in listed.items():
        for name in names:
            if records.home(name, [f"{place}."]):
                problems.add(where, name, f"lies in the zone of challenges {place}; use another name")


def questions(options: dict[str, Any]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the names and the name servers of the module backstage_dns_info, each with its addresses.

    Raises:
        Refusal: what is wrong with them, all of it.
    """
    problems = Problems()
    found = _names_and_servers(options, problems)
    problems.refuse()
    return found


def _names_and_servers(
    options: dict[str, Any], problems: Problems
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    servers = _addresses(options["name_servers"], "name_servers", problems)
    for name, addresses in servers.items():
        problems.check(f"name_servers[{name}].addresses", None, None if addresses else "give at least one address")
    return _addresses(options["names"], "names", problems), servers


def _addresses(listed: Iterable[dict[str, Any]], where: str, problems: Problems) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in listed:
        name = one["name"]
        problems.check(where, name, checks.host_name(name))
        if name in found:
            problems.add(where, name, "is there twice; give all of its addresses at once")
        found[name] = _canonical_all(one["addresses"], f"{where}[{name}].addresses", problems)
    return found


def _canonical_all(texts: Iterable[str], where: str, problems: Problems) -> list[str]:
    found = []
    for text in texts:
        address = canonical(text)
        if address:
            found.append(address)
        else:
            problems.add(where, text, "is no address; use one such as 192.0.2.7 or 2001:db8::7")
    return list(dict.fromkeys(found))


def canonical(text: str) -> Optional[str]:
    """Return an address as PowerDNS writes it, so that equal ones compare as equal; None if it is no address."""
    try:
        return str(ipaddress.ip_address(text)) if "%" not in text else None
    except ValueError:
        return None


def _key(given: Optional[str], path: str, check_mode: bool) -> str:
    """Return the key. A file may hold the key alone, or a line of PowerDNS's configuration."""
    if given is None:
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            if check_mode and isinstance(error, FileNotFoundError):
                return ""
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            cure = "playbook backstage.django.site makes it on the hosts of backstage_producer; else give a key"
            raise BackstageError(f"DNS: {path}, which holds the key of PowerDNS's API: {why}; {cure}") from None
        line = _KEY_LINE.search(text)
        given = line[1] if line else text.strip()
    if not _KEY.match(given):
        raise BackstageError("DNS: the key of PowerDNS's API is empty, or holds blanks; give the key that it was told")
    return given

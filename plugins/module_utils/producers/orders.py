# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of a Producer, checked, as plain data."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Optional

from ..host.errors import BackstageError
from ..manifest import checks
from ..manifest.problems import Problems

SHORTEST_TTL, LONGEST_TTL = 1, 86400
LONGEST_WAIT = 600
ACCOUNT = "backstage"
_API = re.compile(r"https?://([A-Z0-9._-]+|\[[0-9A-F:.]+\])(:[0-9]+)?(/[^\s?#\\]*)?\Z", re.IGNORECASE | re.ASCII)
_KEY = re.compile(r"[!-~]+\Z")
_KEY_LINE = re.compile(r"^\s*api-key\s*=\s*(\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Order:
    """What is asked of a Producer.

    Args:
        production: whose records they are.
        api: the URL of PowerDNS's API, without a path of its own.
        key: what the API wants to be told; empty in check mode where there is no PowerDNS yet.
        timeout: how many seconds one answer of the API may take.
        zones: the zones that may be written to, each with its final dot.
        name_servers: the name servers of a new zone, and whom to ask afterwards: name -> addresses.
        primaries: the servers that the zones are copied from; none where this one is the primary.
        names: host names -> the addresses where they point; none where their records go.
        ttl: how many seconds resolvers may keep them.
        dnssec: whether the zones are to be signed.
        prune: whether records of ours that nobody asks for are removed.
        leaving: whether all records of this Production are removed.
        wait: for how many seconds the name servers may lag behind.
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

    @property
    def mark(self) -> str:
        """What stands in the comment of each of our records."""
        return f"{ACCOUNT}:{self.production}"


def read(options: dict[str, Any], check_mode: bool = False) -> Order:
    """Check the options of the module backstage_dns.

    Args:
        options: all of them.
        check_mode: whether the key may be missing, as on a host where PowerDNS is not installed yet.

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
        problems.add("names", None, "a server with primaries copies its records; give the names to the primary")
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
    )


def questions(options: dict[str, Any]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The names and the name servers of the module backstage_dns_info, each with its addresses.

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
    """An address as PowerDNS writes it, so that the same ones compare as the same; None where it is none."""
    try:
        return str(ipaddress.ip_address(text)) if "%" not in text else None
    except ValueError:
        return None


def _key(given: Optional[str], path: str, check_mode: bool) -> str:
    """The key itself, or what a file holds: the key alone, or a line of PowerDNS's configuration."""
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

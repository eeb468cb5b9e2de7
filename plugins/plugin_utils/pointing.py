# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses of the Venues' names: the public addresses of the hosts where they are booked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils.host.errors import Refusal
from ..module_utils.manifest import parse as manifest
from ..module_utils.manifest.nouns import Manifest, Sess
from ..module_utils.manifest.problems import Problems
from ..module_utils.producers import dns_specs
from ..module_utils.producers.orders import canonical
from . import placing

ADDRESS = "backstage_public_address"
Name = dict[str, Any]


def with_names(options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
    """Return the options with the names of the manifest in place of the manifest.

    Raises:
        Refusal: the manifest is wrong, or a host has no public address.
    """
    sent = {key: value for key, value in options.items() if key not in dns_specs.MANIFEST}
    if not options.get("venues") or options.get("state") == "absent":
        return sent
    problems = Problems()
    wanted = manifest.read({**options, "checked": False}, problems)
    found = names(wanted, task_vars.get("groups") or {}, task_vars.get("hostvars") or {}, problems)
    problems.refuse()
    sent["names"] = [*(options.get("names") or []), *found]
    if "challenge_keys" in sent:
        sent.update(_challenges(wanted, [one["name"] for one in found if one["addresses"]], sent["challenge_keys"]))
    return sent


def _challenges(wanted: Manifest, pointed: list[str], keys: Any) -> Name:
    """Return the names that hosts prove by DNS, and the keys. Without a key in the manifest there are none."""
    by_dns = [venue for venue in wanted.venues.values() if (venue.tls.mode, venue.tls.challenge) == ("acme", "dns-01")]
    found = [name for venue in by_dns for name in venue.names if name in pointed]
    return {"challenges": found if keys else [], "challenge_keys": keys if found else []}


def carry_out(action: ActionBase, result: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
    """Run the module of an action with the names in place of the manifest, and return the result with what it says."""
    try:
        options = with_names(dict(action._task.args), task_vars)
    except Refusal as refusal:
        return {**result, "failed": True, "msg": str(refusal)}
    return {**result, **action._execute_module(module_args=options, task_vars=task_vars)}


def names(
    wanted: Manifest, groups: Mapping[str, list[str]], hostvars: Mapping[str, Mapping[str, Any]], problems: Problems
) -> list[Name]:
    """Return each name of a Venue with ``dns``, and its addresses, which are none if the Venue is absent.

    A Venue without a Gig is booked nowhere. It is left out, and its records stay as they are.

    Args:
        wanted: the manifest.
        groups: of the inventory.
        hostvars: the variables of all hosts.
        problems: takes hosts without a public address.
    """
    found: list[Name] = []
    for venue in wanted.venues.values():
        hosts = _hosts(wanted, venue.name, groups)
        if venue.dns and (hosts or venue.state == "absent"):
            told = [] if venue.state == "absent" else _addresses(hosts, hostvars, problems)
            found += [{"name": name, "addresses": told} for name in venue.names]
    return found


def _hosts(wanted: Manifest, venue: str, groups: Mapping[str, list[str]]) -> list[str]:
    acts = [gig.act for gig in wanted.gigs if gig.venue == venue and gig.state == "present"]
    places = [wanted.sesses[act].hosts if act in wanted.sesses else Sess(act).hosts for act in acts]
    return placing.expand([place for several in places for place in several], groups)


def _addresses(hosts: list[str], hostvars: Mapping[str, Mapping[str, Any]], problems: Problems) -> list[str]:
    found: list[str] = []
    for host in hosts:
        told = hostvars.get(host, {}).get(ADDRESS)
        where = f"{ADDRESS} of {host}"
        if not told:
            cure = "write the addresses at which visitors reach it, or dns: false for its Venues"
            problems.add(where, None, f"is missing; {cure}")
        for text in [told] if isinstance(told, str) else told or []:
            if canonical(str(text)) is None:
                problems.add(where, text, "is no address; use one such as 192.0.2.7 or 2001:db8::7")
            found.append(str(text))
    return found

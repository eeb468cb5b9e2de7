# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the names of a manifest's Venues point: at the public addresses of the hosts where they are booked."""

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

ADDRESS = "backstage_public_address"
Name = dict[str, Any]


def with_names(options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
    """The options with the names of the manifest in place of it.

    Raises:
        Refusal: the manifest is wrong, or a host does not say where visitors reach it.
    """
    sent = {key: value for key, value in options.items() if key not in dns_specs.MANIFEST}
    if not options.get("venues") or options.get("state") == "absent":
        return sent
    problems = Problems()
    wanted = manifest.read({**options, "checked": False}, problems)
    found = names(wanted, task_vars.get("groups") or {}, task_vars.get("hostvars") or {}, problems)
    problems.refuse()
    return {**sent, "names": [*(options.get("names") or []), *found]}


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
    """Each name of a Venue that has ``dns``, and its addresses; none where the Venue is absent.

    A Venue without a Gig is booked nowhere, and so is not spoken of: its records stay as they are.

    Args:
        wanted: the manifest.
        groups: of the inventory.
        hostvars: the variables of all hosts.
        problems: takes hosts that do not say where visitors reach them.
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
    return list(dict.fromkeys(host for place in places for host in groups.get(place, [place])))


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

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of an inventory that the playbooks read, and those that were meant to be one of them.

A misspelled ``backstage_actz`` would be a Production without Acts, and no module hears of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..module_utils.manifest import values
from ..module_utils.manifest.problems import Problems
from ..module_utils.producers import dns_specs

PREFIX = "backstage_"
OPTIONS = {
    "production": "backstage_production",
    "acts": "backstage_acts",
    "sesses": "backstage_sesses",
    "venues": "backstage_venues",
    "gigs": "backstage_gigs",
    "act_defaults": "backstage_act_defaults",
    "sess_defaults": "backstage_sess_defaults",
    "venue_defaults": "backstage_venue_defaults",
    "versions": "backstage_versions",
    "unhold": "backstage_unhold",
    "seeds": "backstage_seed",
    "prune": "backstage_prune",
    "delete_data": "backstage_delete_data",
    "lock_timeout": "backstage_lock_timeout",
    "longest_request": "stage_longest_request",
}
"""Options of backstage_production -> the variable that says each in the playbooks."""
NOT_BUILT = ("backstage_acme",)
DNS = "backstage_dns"
PRODUCER = "backstage_producer"
KNOWN = (*(name for name in OPTIONS.values() if name.startswith(PREFIX)), DNS, *NOT_BUILT)


def check(variables: Mapping[str, Any], problems: Problems) -> None:
    """Refuse what is not built yet, and names that are nearly one of ours; others are their user's own."""
    for name in NOT_BUILT:
        if variables.get(name) not in (None, "", [], {}):
            problems.add(name, None, "this is not built yet; remove it")
    if variables.get(DNS) not in (None, "", [], {}):
        values.check_value(variables[DNS], {"type": "dict", "options": dns_specs.variable()}, DNS, problems)
        _check_producer(variables, problems)
    for name in sorted(_ours(variables)):
        meant = [known for known in KNOWN if name != known and _is_near(name, known)]
        if meant and name not in KNOWN:
            problems.add(name, None, f"no variable of Backstage; did you mean {meant[0]}? Else give it another name")


def _check_producer(variables: Mapping[str, Any], problems: Problems) -> None:
    """Refuse records that no name server would get, or two would."""
    api = isinstance(variables[DNS], Mapping) and variables[DNS].get("api")
    hosts = (variables.get("groups") or {}).get(PRODUCER)
    if api and hosts:
        others = f"{', '.join(hosts)} of group {PRODUCER}"
        problems.add(f"{DNS}.api", None, f"{others} would write the records, too; give either an api or this group")
    if api and not variables[DNS].get("key"):
        problems.add(f"{DNS}.key", None, "is missing; give the key of the API")
    if not api and not hosts:
        cure = f"put one into the group {PRODUCER}, or give api and key"
        problems.add(DNS, None, f"no host would write the records: {cure}")


def _ours(names: Iterable[Any]) -> list[str]:
    return [str(name) for name in names if str(name).lower().startswith(PREFIX)]


def _is_near(name: str, known: str) -> bool:
    """Return whether two words differ by one typing error, or by two in a longer word."""
    word, right = name[len(PREFIX) :].lower(), known[len(PREFIX) :]
    return distance(word, right) <= (1 if len(right) < 6 else 2)


def distance(one: str, other: str) -> int:
    """Return how many letters were omitted, added, replaced or swapped with the next one."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one):
        last, before, row = before, row, [i + 1]
        for j, wanted in enumerate(other):
            cost = min(before[j + 1] + 1, row[j] + 1, before[j] + (letter != wanted))
            if i and j and (letter, one[i - 1]) == (other[j - 1], wanted):
                cost = min(cost, last[j - 1] + 1)
            row.append(cost)
    return row[-1]

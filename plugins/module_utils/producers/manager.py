# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Producer manager: the records of a Production in PowerDNS, by one read and at most one change of each zone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from ..host.errors import BackstageError
from ..state.plan import Step
from . import copies, questions, records
from .api import Api, NoServer
from .orders import ACCOUNT, Order
from .records import Wanted, Zone, ZonePlan

_SOA = "1 10800 3600 604800 300"
_SLOW_TTL = 3600
_PAUSE = 0.3
_ONCE_MORE = 5.0


@dataclass
class Outcome:
    """What was planned, or done.

    Args:
        steps: every change.
        serials: of each zone, once its records are as they should be.
        behind: name servers that do not have these yet, a sentence each.
        unlisted: names with records of this Production that nobody asks for.
        homeless: names that none of the zones has.
    """

    steps: list[Step] = field(default_factory=list)
    serials: dict[str, int] = field(default_factory=dict)
    behind: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    homeless: list[str] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """As the module returns it."""
        return {
            "changed": bool(self.steps),
            "plan": [step.entry() for step in self.steps],
            "diff": [step.diff() for step in self.steps],
            "serials": self.serials,
            "behind": self.behind,
            "unlisted": self.unlisted,
            "homeless": self.homeless,
        }

    def warnings(self) -> list[str]:
        found = [f"DNS: {sentence}" for sentence in self.behind]
        if self.homeless:
            found.append(f"DNS: none of the zones has {', '.join(self.homeless)}: nothing is written for them")
        if self.unlisted:
            left = ", ".join(self.unlisted)
            found.append(
                f"DNS: not in the manifest any more: {left}; remove their records with -e backstage_prune=true"
            )
        return found


@dataclass(frozen=True)
class _Work:
    """What is to be done to a zone."""

    zone: Zone
    is_new: bool
    signs: bool
    plan: ZonePlan

    def steps(self, order: Order) -> list[Step]:
        found = []
        if self.is_new:
            found.append(Step("zone", self.zone.name.rstrip("."), "create", None, ", ".join(order.name_servers)))
        if self.signs:
            found.append(Step("zone", self.zone.name.rstrip("."), "sign", "not signed", "signed"))
        return found + [change.step() for change in self.plan.changes]


def check(order: Order) -> Outcome:
    """What would be done."""
    if order.primaries:
        return Outcome([copy.step() for copy in copies.plan(order, _api(order))])
    return _outcome(order, _plan(order, _api(order)))


def reconcile(order: Order) -> Outcome:
    """Make the records as they should be, and see that every name server has them.

    Raises:
        BackstageError: records of others are in the way, before anything was changed; or PowerDNS refuses.
    """
    api = _api(order)
    if order.primaries:
        return _copy(order, api)
    work = _plan(order, api)
    outcome = _outcome(order, work)
    for one in work:
        _apply(one, order, api)
    for one in work:
        _confirm(one, order, api, outcome)
    return outcome


def _copy(order: Order, api: Api) -> Outcome:
    found = copies.plan(order, api)
    for copy in found:
        copy.make(api)
    return Outcome([copy.step() for copy in found])


def _api(order: Order) -> Api:
    return NoServer() if not order.key else Api(order.api, order.key, order.timeout)


def _outcome(order: Order, work: list[_Work]) -> Outcome:
    return Outcome(
        [step for one in work for step in one.steps(order)],
        unlisted=[name for one in work for name in one.plan.unlisted],
        homeless=records.wanted(order.names, order.zones, order.ttl)[1],
    )


def _plan(order: Order, api: Api) -> list[_Work]:
    """All zones are read, and everything that is in the way is named, before the first is changed."""
    want, _homeless = records.wanted({} if order.leaving else order.names, order.zones, order.ttl)
    work, conflicts = [], list[str]()
    for name in order.zones:
        data = api.zone(name)
        if data is None and order.leaving:
            continue
        zone = Zone(name) if data is None else Zone.of(data, order.mark)
        _refuse(zone, data is None, want[name], order)
        plan = records.plan(zone, want[name], order.prune or order.leaving)
        conflicts += plan.conflicts
        work.append(_Work(zone, data is None, order.dnssec and not zone.signed and not order.leaving, plan))
    if conflicts:
        cure = "Nothing was changed. Remove what is in the way, or leave the name out."
        raise BackstageError(f"DNS: {'; '.join(conflicts)}. {cure}")
    return work


def _refuse(zone: Zone, is_new: bool, want: Wanted, order: Order) -> None:
    name = zone.name.rstrip(".")
    if is_new and not order.name_servers:
        raise BackstageError(
            f"DNS: there is no zone {name} at {order.api}: make it, or give name_servers to make it with"
        )
    if zone.is_copy and (want.records or zone.ours):
        raise BackstageError(f"DNS: the zone {name} is a copy at {order.api}: give the API of its primary")


def _apply(work: _Work, order: Order, api: Api) -> None:
    zone = work.zone
    if work.is_new:
        api.create(_new_zone(zone.name, order))
    if work.signs:
        api.sign(zone.name)
    if work.is_new or work.signs:
        api.forget(zone.name)
    if work.plan.changes:
        api.change(zone.name, [change.rrset(order.mark) for change in work.plan.changes])


def _new_zone(zone: str, order: Order) -> dict[str, Any]:
    """Its SOA, its name servers, and the addresses of those whose names lie in it."""
    first = next(iter(order.name_servers))
    own, _others = records.wanted(order.name_servers, [zone], _SLOW_TTL)
    addresses = [records.Change(key, None, found).rrset(ACCOUNT) for key, found in own[zone].records.items()]
    return {
        "name": zone,
        "kind": "Master",
        "account": ACCOUNT,
        "soa_edit_api": "DEFAULT",
        "api_rectify": True,
        "rrsets": [
            _own(zone, "SOA", [f"{first}. hostmaster.{zone} {_SOA}"]),
            _own(zone, "NS", [f"{name}." for name in order.name_servers]),
            *addresses,
        ],
    }


def _own(zone: str, kind: str, contents: list[str]) -> dict[str, Any]:
    listed = [{"content": content, "disabled": False} for content in contents]
    return {"name": zone, "type": kind, "ttl": _SLOW_TTL, "records": listed}


def _confirm(work: _Work, order: Order, api: Api, outcome: Outcome) -> None:
    """Tell the secondaries of a change, and wait until every name server has it."""
    zone, changed = work.zone, bool(work.steps(order))
    data = api.zone(zone.name) if changed else None
    if data is not None:
        zone = Zone.of(data, order.mark)
    outcome.serials[zone.name.rstrip(".")] = zone.serial
    tells = zone.kind.lower() in ("master", "primary", "producer")
    if changed and tells:
        api.notify(zone.name)
    late = _late(zone, order, order.wait if changed else 0)
    if late and tells:  # one that was away is told once more, which changes nothing
        api.notify(zone.name)
        late = _late(zone, order, min(order.wait, _ONCE_MORE))
    outcome.behind += [
        f"name server {server} has not got the zone {zone.name.rstrip('.')} with the serial {zone.serial}: it {why}"
        for server, why in late.items()
    ]


def _late(zone: Zone, order: Order, seconds: float) -> dict[str, str]:
    """The name servers that do not have a zone as it is now, after so many seconds, and what they say."""
    end = time.monotonic() + seconds
    waiting = {f"{name} ({address})": address for name, all_of in order.name_servers.items() for address in all_of}
    late: dict[str, str] = {}
    while waiting:
        late = {}
        for server, address in waiting.items():
            why = _lag(address, zone)
            if why:
                late[server] = why
        waiting = {server: waiting[server] for server in late}
        if time.monotonic() >= end:
            break
        time.sleep(_PAUSE if waiting else 0)
    return late


def _lag(address: str, zone: Zone) -> str:
    try:
        found = questions.serial(address, zone.name)
    except questions.NoAnswer as error:
        return str(error)
    return "" if questions.is_reached(found, zone.serial) else f"has the serial {found}"

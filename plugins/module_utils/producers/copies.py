# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones of a secondary name server, which are copies of those of the primary."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, Optional

from ..host.errors import BackstageError
from ..state.plan import Step
from .api import Api
from .orders import ACCOUNT, Order
from .records import is_copy


@dataclass(frozen=True)
class Copy:
    """A zone that this server has to copy.

    Args:
        zone: its name, with the final dot.
        before: the servers that it is copied from now; None if there is no such zone.
        after: the servers that it has to be copied from.
    """

    zone: str
    before: Optional[list[str]]
    after: list[str]

    def step(self) -> Step:
        before = None if self.before is None else ", ".join(self.before)
        return Step("zone", self.zone.rstrip("."), "copy", before, ", ".join(self.after))

    def make(self, api: Api) -> None:
        """Have the server copy the zone. The content comes at once, or with the primary's next notification."""
        if self.before is None:
            api.create({"name": self.zone, "kind": "Slave", "masters": self.after, "account": ACCOUNT})
        else:
            api.copy_from(self.zone, self.after)


def plan(order: Order, api: Api) -> list[Copy]:
    """Return the zones that are missing, or are copied from other servers.

    Raises:
        BackstageError: this server has records of its own in one of them; nothing was changed.
    """
    found = []
    for zone in [] if order.leaving else order.zones:  # strike leaves zones as they are
        data = api.zone(zone)
        if data is not None and not is_copy(str(data["kind"])):
            problem = f"DNS: the zone {zone.rstrip('.')} is no copy at {order.api}, and would be lost if it became one"
            raise BackstageError(f"{problem}. Nothing was changed. Remove it there, or write its records there.")
        before = None if data is None else _masters(data)
        if before is None or sorted(before) != sorted(order.primaries):
            found.append(Copy(zone, before, order.primaries))
    return found


def _masters(data: dict[str, Any]) -> list[str]:
    return [_plain(one) for one in data.get("masters") or []]


def _plain(master: str) -> str:
    """Return an address without the port that PowerDNS may add."""
    try:
        return str(ipaddress.ip_address(master))
    except ValueError:
        return master.rpartition(":")[0].strip("[]")

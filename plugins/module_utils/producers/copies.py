# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones of a secondary name server: copies of what the primary has."""

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
        before: from whom it is copied now; None where there is no such zone.
        after: from whom it is to be copied.
    """

    zone: str
    before: Optional[list[str]]
    after: list[str]

    def step(self) -> Step:
        before = None if self.before is None else ", ".join(self.before)
        return Step("zone", self.zone.rstrip("."), "copy", before, ", ".join(self.after))

    def make(self, api: Api) -> None:
        """It arrives when the primary tells of a change, or at once where the primary has it."""
        if self.before is None:
            api.create({"name": self.zone, "kind": "Slave", "masters": self.after, "account": ACCOUNT})
        else:
            api.copy_from(self.zone, self.after)


def plan(order: Order, api: Api) -> list[Copy]:
    """The zones that are missing, or come from elsewhere.

    Raises:
        BackstageError: this server is somebody's primary for one of them; nothing was changed.
    """
    found = []
    for zone in [] if order.leaving else order.zones:  # what is struck leaves zones as they are
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
    """Without the port that PowerDNS may add."""
    try:
        return str(ipaddress.ip_address(master))
    except ValueError:
        return master.rpartition(":")[0].strip("[]")

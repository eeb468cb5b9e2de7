# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bookings of which nobody is told: an Act that rehearses knows its Venues, and they know nothing of it."""

from __future__ import annotations

from .bookings import Bookings
from .plan import Change


class Unbooked(Bookings):
    """What a manifest books, for an Act's variables; nginx is left alone, whoever has the names."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.taken, self.taken_ports = {}, {}

    def plan(self) -> list[Change]:
        return []

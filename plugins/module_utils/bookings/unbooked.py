# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bookings that nginx does not get: an Act that rehearses knows its Venues, and is not reached there."""

from __future__ import annotations

from ..state.plan import Change
from .manager import Bookings


class Unbooked(Bookings):
    """The bookings of a manifest, for an Act's variables. nginx does not change, so names of others do not matter."""

    def find_taken(self) -> None:
        """Find nothing, because nginx is asked for nothing."""

    def plan(self) -> list[Change]:
        return []

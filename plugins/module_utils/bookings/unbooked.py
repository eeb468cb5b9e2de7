# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bookings of which nobody is told: an Act that rehearses knows its Venues, and they know nothing of it."""

from __future__ import annotations

from ..state.plan import Change
from .manager import Bookings


class Unbooked(Bookings):
    """What a manifest books, for an Act's variables; nginx is left alone, whoever has the names."""

    def find_taken(self) -> None:
        """Nobody has what is not asked for."""

    def plan(self) -> list[Change]:
        return []

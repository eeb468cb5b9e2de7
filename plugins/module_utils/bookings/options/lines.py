# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of nginx, and where in a Venue's file they stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lines:
    """What the options of a Venue add to its file.

    Args:
        before: above its servers, at the level of http.
        server: in each of its servers.
        location: in each location from which something is served.
        door: in the locations of Acts alone.
        headers: in each server with TLS, and in each of its locations with headers of its own, which inherits none.
        hidden: headers of a request that no Act gets.
        dropped: headers of an Act's answer that no visitor gets.
    """

    before: str = ""
    server: str = ""
    location: str = ""
    door: str = ""
    headers: str = ""
    hidden: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    def __add__(self, other: Lines) -> Lines:
        return Lines(
            self.before + other.before,
            self.server + other.server,
            self.location + other.location,
            self.door + other.door,
            self.headers + other.headers,
            self.hidden + other.hidden,
            self.dropped + other.dropped,
        )

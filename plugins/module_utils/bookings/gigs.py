# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Gigs that a Venue should have: those of the manifest, and those on disk that can stay beside them."""

from __future__ import annotations

from collections.abc import Container

from ..manifest import calendar
from ..manifest.nouns import Gig


def merged(said: list[Gig], before: list[Gig], failed: Container[str], prune: bool) -> list[Gig]:
    """Return the Gigs that should be.

    Args:
        said: those of the manifest at the Venue, also cancelled ones.
        before: those on disk.
        failed: Acts that failed in this run: what they had stays.
        prune: whether what left the manifest goes.
    """
    gigs = [gig for gig in said if gig.state == "present" and gig.act not in failed]
    cancelled = {(gig.act, gig.path) for gig in said if gig.state == "absent"}
    staying = {gig.act for gig in said if gig.state == "present" and gig.act in failed}
    for gig in before:
        is_kept = not prune or gig.act in staying
        if is_kept and (gig.act, gig.path) not in cancelled and not _is_replaced(gig, gigs):
            gigs.append(gig)
    return sorted(gigs, key=lambda gig: (gig.path, gig.act))


def _is_replaced(gig: Gig, gigs: list[Gig]) -> bool:
    """Return whether another Gig at the same path has the same Act, or the same time."""
    beside = [other for other in gigs if other.path == gig.path]
    if not beside or any(other.act == gig.act for other in beside):
        return bool(beside)
    return bool(calendar.clashes(calendar.bookings((other.act, other.when) for other in [gig, *beside])))

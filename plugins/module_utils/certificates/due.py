# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When an authority is asked for another certificate, and when it is asked again after it refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .wishes import Wish

ACME = "acme"
OK, PARTLY, WAITING, FAILING, BROKEN = "ok", "partly", "waiting", "failing", "broken"
"""How a certificate stands."""
DAY = 86400
FIRST_WAIT, LONGEST_WAIT = 600, DAY / 2
_FAR = 2 * DAY
"""Seconds: who is to wait longer was told so by a wrong clock."""

Data = Mapping[str, Any]


def reason(wish: Wish, sealed: Data, state: Data, now: float) -> str:
    """Why another certificate is needed; empty where the one in use will do.

    Args:
        wish: what is wanted.
        sealed: what the certificate in use says of itself.
        state: what happened to the Venue's certificate before.
        now: the moment, in seconds since 1970.
    """
    if sealed.get("kind") != ACME:
        return "there is none from the authority yet"
    missing = still_missing(wish, sealed)
    if {*sealed["names"], *missing} != set(wish.names):
        return "it is for other names"
    if sealed["directory"] != wish.directory:
        return "it is from another authority"
    if now > sealed["ends"] - (sealed["ends"] - sealed["begins"]) / 3:
        return "it ends soon"
    if now >= state.get("window", {}).get("start", now + 1):
        return "the authority asks for it"
    if missing and now >= state.get("next", sealed["begins"] + DAY):
        return f"it lacks {', '.join(missing)}"
    return ""


def still_missing(wish: Wish, sealed: Data) -> dict[str, str]:
    """The wanted names that the certificate in use does not cover, because the authority refused them; and why."""
    return {name: why for name, why in sealed.get("missing", {}).items() if name in wish.names}


def is_time(state: Data, now: float) -> bool:
    """Whether the last refusal is long enough ago."""
    after = state.get("next", 0)
    return not now < after <= now + _FAR


def next_try(failures: int, now: float, at_least: float) -> float:
    """When the authority is asked again after so many refusals in a row; it may have said how long to wait."""
    return now + max(min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT), min(at_least, _FAR - 60))


def spread(window: Data, share: float) -> dict[str, float]:
    """The moment within the time that the authority suggests, which differs from host to host.

    Args:
        window: its answer: start and end, and after how many seconds to ask again.
        share: of this host and certificate, from 0 to 1.
    """
    found = {"again": window["again"]}
    if "start" in window:
        found["start"] = window["start"] + (window["end"] - window["start"]) * share
    return found

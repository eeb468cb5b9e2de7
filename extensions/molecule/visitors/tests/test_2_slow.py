# SPDX-License-Identifier: GPL-3.0-or-later
"""Visitors who take their time, from one address: the others are answered."""

from __future__ import annotations

import time

from conftest import Street


def ordinary(street: Street) -> None:
    """Visitors from elsewhere are answered, each within three seconds.

    When all come at once, Debian's nginx has no connection left for a moment, and a browser tries again.
    """
    for path in ("/", "/static/hall/hall.css") * 3:
        began = time.monotonic()
        while (answer := street.visit(path)).status == 0 and time.monotonic() - began < 3:
            time.sleep(0.1)
        assert (answer.status, time.monotonic() - began < 3) == (200, True), answer


def test_fault_66_slow_bodies(street: Street) -> None:
    """Many more than nginx has connections, and a byte of each now and then: all but 128 are sent away at once."""
    with street.attacked(9, body=1700) as attack:
        ordinary(street)
        time.sleep(4)
        ordinary(street)
    assert attack["body"]["statuses"] == {"": 128, "429": 1572}
    assert attack["body"]["closed"] >= 1572
    ordinary(street)


def test_fault_66_slow_visitors_are_closed(street: Street) -> None:
    """Headers that never end, bodies that never come, and answers that nobody reads."""
    with street.attacked(19, headers=1000, idle=60, read=60) as attack:
        ordinary(street)
        time.sleep(4)
        ordinary(street)
    for kind, count in (("headers", 1000), ("idle", 60), ("read", 60)):
        assert attack[kind]["closed"] == count, attack
        assert attack[kind]["last"] < 25, attack
    ordinary(street)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Visitors who take their time, from one address: the others are answered."""

from __future__ import annotations

import time

from conftest import Street


def ordinary(street: Street) -> None:
    """Visitors from elsewhere are answered, each within three seconds."""
    for path in ("/", "/static/hall/hall.css") * 3:
        answer = street.visit(path)
        assert (answer.status, answer.seconds < 3) == (200, True), answer


def test_fault_66_slow_bodies(street: Street) -> None:
    """Many more than nginx has connections, and a byte of each now and then: all but 128 are sent away.

    When all come at once, every connection of Debian's nginx is taken for a moment; after that others are answered.
    """
    with street.attacked(14, body=1700) as attack:
        time.sleep(4)
        ordinary(street)
        time.sleep(4)
        ordinary(street)
    assert attack["body"]["statuses"]["429"] > 1000, attack
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

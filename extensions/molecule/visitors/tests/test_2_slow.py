# SPDX-License-Identifier: GPL-3.0-or-later
"""Slow connections from one address. Visitors from other addresses are answered."""

from __future__ import annotations

import time

from conftest import Street


def ordinary(street: Street) -> None:
    """Assert that visitors from other addresses are answered within three seconds each."""
    for path in ("/", "/static/hall/hall.css") * 3:
        answer = street.visit(path)
        assert (answer.status, answer.seconds < 3) == (200, True), answer


def test_fault_66_slow_bodies(street: Street) -> None:
    """More connections than nginx has, each with a byte now and then. nginx refuses all but 128.

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
    """Headers that never end, bodies that are never sent, and answers that are never read."""
    with street.attacked(19, headers=1000, idle=60, read=60) as attack:
        ordinary(street)
        time.sleep(4)
        ordinary(street)
    for kind, count in (("headers", 1000), ("idle", 60), ("read", 60)):
        assert attack[kind]["closed"] == count, attack
        assert attack[kind]["last"] < 25, attack
    ordinary(street)

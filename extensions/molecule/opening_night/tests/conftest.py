# SPDX-License-Identifier: GPL-3.0-or-later
"""The Venues of this scenario. Tests of a host begin when all of them answer, because it may have been rebooted."""

from __future__ import annotations

import time
from typing import Any

import house
import pytest
from faults.house import within

# Venue -> a page that reads the database, and a text of this page
VENUES = {
    "jamsession.localhost": ("/", "Jam Session"),
    "polls.localhost": ("/polls/", "Who should open the next Production?"),
    "ballot.example.com": ("/polls/", "Does it deploy?"),
    "wagtail.example.com": ("/", "Welcome to your new Wagtail site"),
    "busker.example.com": ("/", '"edition": "one"'),
}
START = 30  # seconds from the start of a host until everything answers (fault_84)


@pytest.fixture(scope="module", autouse=True)
def address(host: Any) -> str:
    """Return the host's address as soon as all its Acts answer."""
    place = house.address(host)
    started = float(host.check_output("stat --format=%Y /proc/1"))
    left = max(started + START - time.time(), 2)
    assert within(left, lambda: all_answer(place)), f"not everything answers {START} s after the start"
    return place


def all_answer(place: str) -> bool:
    time.sleep(0.2)
    return all(answers(place, venue) for venue in VENUES)


def answers(place: str, venue: str) -> bool:
    try:
        return house.ask(place, venue, VENUES[venue][0]).status == 200
    except OSError:
        return False

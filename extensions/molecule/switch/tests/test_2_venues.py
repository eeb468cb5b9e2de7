# SPDX-License-Identifier: GPL-3.0-or-later
"""Venues are booked, closed and opened. nginx reloads, and visitors of other Venues notice nothing."""

from __future__ import annotations

from street import CORNER, SQUARE, Crowd, Street, pleased, read


def turned(seen: Crowd, venue: str) -> list[tuple[str, str]]:
    """Return the first and the last Act that answered. During a reload an old worker may answer after a new one."""
    assert all(set(acts) == {"busker", "juggler"} for acts in read(seen, venue, "act"))
    return [(acts[0], acts[-1]) for acts in read(seen, venue, "act")]


def test_a_venue_booked_to_another_act(street: Street) -> None:
    street.gigs[CORNER]["act"] = "juggler"
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen:
        plan = street.play()
    assert f"rebook gig juggler at {CORNER}/" in plan
    pleased(seen, CORNER, SQUARE)
    assert turned(seen, CORNER) == [("busker", "juggler")] * 2
    assert read(seen, SQUARE, "act") == [["juggler"] * len(pages) for pages in read(seen, SQUARE, "act")]


def test_two_acts_exchange_their_venues(street: Street) -> None:
    street.gigs[CORNER]["act"], street.gigs[SQUARE]["act"] = "busker", "juggler"
    street.play()
    street.gigs[CORNER]["act"], street.gigs[SQUARE]["act"] = "juggler", "busker"
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen:
        plan = street.play()
    assert {f"rebook gig juggler at {CORNER}/", f"rebook gig busker at {SQUARE}/"} <= set(plan)
    pleased(seen, CORNER, SQUARE)
    assert turned(seen, CORNER) == [("busker", "juggler")] * 2
    assert turned(seen, SQUARE) == [("juggler", "busker")] * 2
    street.gigs[CORNER]["act"], street.gigs[SQUARE]["act"] = "busker", "juggler"
    street.play()


def test_an_alias(street: Street) -> None:
    street.venues[CORNER]["aliases"] = ["www.corner.example.com"]
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen:
        street.play()
    pleased(seen, CORNER, SQUARE)
    assert [answer.status for answer in street.ask("www.corner.example.com")] == [301, 301]


def test_a_closed_venue_answers_503_and_its_sess_plays_on(street: Street) -> None:
    live = street.live("juggler")
    street.venues[SQUARE]["state"] = "closed"
    with street.visited(f"{CORNER}/") as seen:
        plan = street.play()
    assert plan == [f"close venue {SQUARE}"]
    pleased(seen, CORNER)
    for answer in street.ask(SQUARE):
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "nginx" not in answer.text
    assert street.live("juggler") == live


def test_a_venue_that_opens_again(street: Street) -> None:
    street.venues[SQUARE]["state"] = "open"
    with street.visited(f"{CORNER}/") as seen:
        plan = street.play()
    assert plan == [f"open venue {SQUARE}"]
    pleased(seen, CORNER)
    assert [answer.status for answer in street.ask(SQUARE)] == [200, 200]


def test_a_sess_that_is_stopped_drains(street: Street) -> None:
    """Requests in progress are answered. Later requests get a page with a time to wait."""
    street.sesses["juggler"]["state"] = "stopped"
    with street.visited(f"{CORNER}/") as seen, street.visited(f"{SQUARE}/slow/?seconds=1.5") as slow:
        plan = street.play()
    assert plan == ["stop sess juggler"]
    pleased(seen, CORNER)
    for visitors in slow:
        assert len(visitors[SQUARE].pages) == 1
        assert {line.partition(" ")[2] for line in visitors[SQUARE].failed} <= {"502"}
    for answer in street.ask(SQUARE):
        assert answer.status == 502
        assert int(answer.headers["Retry-After"]) > 0
    assert street.live("juggler") == ["", ""]


def test_a_sess_that_starts_again(street: Street) -> None:
    street.sesses["juggler"]["state"] = "started"
    with street.visited(f"{CORNER}/") as seen:
        plan = street.play()
    assert plan == ["play sess juggler (nothing plays)"]
    pleased(seen, CORNER)
    assert [answer.status for answer in street.ask(SQUARE)] == [200, 200]

# SPDX-License-Identifier: GPL-3.0-or-later
"""A Venue with a calendar: the hosts change its Acts by the clock, while visitors never stop asking.

In a campaign (CAMPAIGN=1) they change 20 times, and once the tests wait for the clock. In CI they change 4 times.
"""

from __future__ import annotations

import datetime as dt
import os
import time

import pytest
from faults.host import Host
from faults.house import _waited_for_a_cpu
from house import Answer
from street import CORNER, Street, pleased, read

CLUB = "club.example.com"
TIMER, SERVICE = "backstage-bookings.timer", "backstage-bookings.service"
CALENDAR = "/etc/nginx/backstage/calendar"
LINK = f"/etc/nginx/backstage/venues/street.{CLUB}.conf"
PROGRAM = "/usr/local/lib/backstage/house/backstage-bookings"
LOOK = """
import datetime, sys
sys.path.insert(0, "/usr/local/lib/backstage/house")
from backstage.bookings.box_office import BoxOffice
from backstage.host.facts import Host
sys.exit(not BoxOffice(Host.read(), datetime.datetime.fromisoformat(sys.argv[1]), print).run())
"""
SWITCHES = 20 if os.environ.get("CAMPAIGN") else 4
TODAY = dt.datetime.now(dt.timezone.utc).replace(hour=12, minute=0, second=0, microsecond=0)
YESTERDAY = TODAY - dt.timedelta(days=1)


def look(host: Host, moment: dt.datetime) -> None:
    """Run the program as if it were another time."""
    host.run("/usr/bin/python3", "-IBS", "-c", LOOK, moment.isoformat())


def book(street: Street, busker: list[str], juggler: list[str]) -> None:
    street.venues[CLUB] = {}
    gigs = {"busker": busker, "juggler": juggler}
    street.more_gigs = [{"act": act, "venue": CLUB, **({"when": when} if when else {})} for act, when in gigs.items()]


def shown(street: Street) -> list[str]:
    return [answer.json()["act"] if answer.status == 200 else str(answer.status) for answer in street.ask(CLUB)]


def within(seconds: float, street: Street, expected: str) -> bool:
    """Whether both hosts show it in time; the time for which this machine was busy does not count."""
    began, stalled = time.monotonic(), _waited_for_a_cpu()
    while shown(street) != [expected] * 2:
        if time.monotonic() - began - min(_waited_for_a_cpu() - stalled, 3 * seconds) > seconds:
            return False
        time.sleep(0.2)
    return True


def pause(host: Host) -> None:
    """Stop the timer until the next boot or deploy, and wait for a run in progress: it would look at the real time."""
    host.run("systemctl", "stop", TIMER)
    host.run("systemctl", "start", SERVICE)


def now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def test_an_act_comes_on_at_its_time(street: Street) -> None:
    """By the host alone, within a minute; nobody who asks meanwhile misses an answer."""
    book(street, [], [f"{YESTERDAY:%Y-%m-%d}"])
    began = now()
    street.play()
    # a full minute that comes after the next deploy, on a slow machine, too
    start = (now() + 2 * (now() - began) + dt.timedelta(seconds=75)).replace(second=0, microsecond=0)
    end = start + dt.timedelta(minutes=30)
    book(street, [], [f"{start:%H:%M}-{end:%H:%M}"])
    plan = street.play()
    assert f"schedule gig juggler at {CLUB}/" in plan
    assert shown(street) == ["busker"] * 2
    with street.visited(f"{CLUB}/", f"{CORNER}/") as seen:
        assert within((start - now()).total_seconds() + 60, street, "juggler")
        assert now() >= start
        # beside the visitors: a new worker of nginx may have answered, and the old one may answer once more
        assert street.play() == []
    pleased(seen, CLUB, CORNER)
    # while nginx reloads, an old worker may answer after a new one
    assert all(acts[0] == "busker" and set(acts) == {"busker", "juggler"} for acts in read(seen, CLUB, "act"))
    for host in street.hosts:
        assert "juggler is on" in host.run("journalctl", "-u", "backstage-bookings", "-o", "cat")


def test_acts_change_again_and_again(street: Street) -> None:
    book(street, [f"{YESTERDAY:%Y-%m-%d}"], [f"{TODAY:%Y-%m-%d}..{TODAY + dt.timedelta(days=1):%Y-%m-%d}"])
    street.play()
    for host in street.hosts:
        pause(host)
    with street.visited(f"{CLUB}/", f"{CORNER}/") as seen:
        for _number in range(SWITCHES // 2):
            for moment in (YESTERDAY, TODAY):
                for host in street.hosts:
                    look(host, moment)
    pleased(seen, CLUB, CORNER)
    for acts in read(seen, CLUB, "act"):
        changes = [one for one, before in zip(acts, ["", *acts]) if one != before]
        assert len(changes) >= SWITCHES, changes
    for host in street.hosts:
        look(host, YESTERDAY)
        host.run("systemctl", "start", SERVICE)
        assert "juggler" in host.run("readlink", LINK), "the timer's service looks at the real time"
    assert street.play() == ["start timer venue all"], "stopped by a hand: the next deploy starts it"
    for host in street.hosts:
        assert host.run("systemctl", "is-active", TIMER).strip() == "active"


def test_a_deploy_of_an_act_that_is_not_on(street: Street) -> None:
    """It is gated at its own door; its Venue shows the other one, and goes on."""
    before = street.live("busker")
    street.acts["busker"]["secrets"] = {"SECRET_KEY": "another-key-of-the-busker-5d1a"}
    with street.visited(f"{CLUB}/") as seen:
        plan = street.play()
    assert plan == ["play sess busker (secret SECRET_KEY changed)"]
    pleased(seen, CLUB)
    assert all(set(acts) == {"juggler"} for acts in read(seen, CLUB, "act"))
    assert street.live("busker") != before


def test_while_nobody_is_on(street: Street) -> None:
    """FAULTS 69: the page is nginx's own, names what is next, and says when to ask again."""
    tomorrow = TODAY + dt.timedelta(days=1)
    book(street, [f"{tomorrow:%Y-%m-%d} 12:00-13:00"], [f"{YESTERDAY:%Y-%m-%d}"])
    street.play()

    def check(answer: Answer) -> None:
        assert answer.status == 503
        assert f"Next: busker, {tomorrow:%A %Y-%m-%d} 12:00 (UTC)" in answer.text
        assert answer.headers["Retry-After"] == f"{tomorrow:%a, %d %b %Y} 12:00:00 GMT"
        assert answer.text.startswith("<!-- Managed by Backstage")
        assert "<title>Our own page</title>" in answer.text

    for answer in street.ask(CLUB):
        check(answer)
    run = street.try_to_play("status")
    assert f"calendar: {CLUB} (UTC): now closed; {tomorrow:%a %Y-%m-%d} 12:00 busker" in run.printed


@pytest.mark.parametrize("host", Street.hosts, ids=lambda host: host.name)
def test_fault_84_nginx_starts_with_what_is_on(street: Street, host: Host) -> None:
    """The host was down when an Act should have come on: no visitor sees what was on before."""
    if host is street.hosts[0]:
        book(street, [f"{YESTERDAY:%Y-%m-%d}"], [f"{TODAY:%Y-%m-%d}..{TODAY + dt.timedelta(days=1):%Y-%m-%d}"])
        street.play()
    pause(host)
    look(host, YESTERDAY)
    assert "busker" in host.run("readlink", LINK)
    host.garage("reboot")
    assert "juggler" in host.run("readlink", LINK)
    assert "juggler is on" in host.run("journalctl", "-b", "-u", "nginx", "-o", "cat")
    assert host.run("systemctl", "is-active", TIMER).strip() == "active"


def test_the_calendar_goes_with_its_last_venue(street: Street) -> None:
    street.venues[CLUB]["state"] = "absent"
    for gig in street.more_gigs:
        gig["state"] = "absent"
    plan = street.play()
    assert {f"remove venue {CLUB}", "stop timer venue all"} <= set(plan)
    for host in street.hosts:
        assert host.run("ls", CALENDAR) == ""
        assert host.run("systemctl", "is-enabled", TIMER, check=False).strip() == "disabled"
        assert not host.ok(f"test -e {LINK}")
        assert host.run(PROGRAM) == ""

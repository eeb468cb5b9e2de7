# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on now: linked by the clock alone, and taken up by a real nginx."""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx
from ansible_collections.backstage.django.plugins.module_utils.bookings.box_office import BoxOffice
from ansible_collections.backstage.django.plugins.module_utils.bookings.closed_page import NEXT
from waiting import eventually

from ...house import House
from ...servers import WORKERS, Nginx

V = "a.example"
ZONE = "Europe/Berlin"
FRIDAY, SATURDAY, SUNDAY = (dt.datetime(2026, 12, day, 12, tzinfo=dt.timezone.utc) for day in (4, 5, 6))
GIGS = [{"act": "jazz", "path": "/", "when": ["Fri"]}, {"act": "hiphop", "path": "/", "when": ["Sat 18:00-04:00"]}]
BLOCK = 'server {{ listen {port}; server_name {name}; return 200 "{act}"; }}\n'
CLOSED = """server {{
    listen {port};
    server_name {name};
    error_page 503 /closed.html;
    location / {{ return 503; }}
    location = /closed.html {{ internal; root {directory}; include {directory}/reopening.conf; }}
}}
"""


def prepare(house: House, name: str = V, on: str = "_", gigs: Any = None) -> Path:
    """What a deploy would have written for a Venue; the closed page is made by a test's first run."""
    directory = Path(house.host.calendar, f"jazz.{name}")
    directory.mkdir()
    port = house.host.http_port
    for act in ("jazz", "hiphop"):
        (directory / f"{act}.conf").write_text(BLOCK.format(port=port, name=name, act=act))
    (directory / "_.conf").write_text(CLOSED.format(port=port, name=name, directory=directory))
    (directory / "reopening.conf").touch()
    (directory / "schedule.json").write_text(json.dumps({"venue": name, "timezone": ZONE, "gigs": gigs or GIGS}))
    Path(house.host.pages, "closed.html").write_text(f"<main>Closed tonight {NEXT}</main>")
    os.symlink(f"../calendar/jazz.{name}/{on}.conf", Path(house.host.venues, f"jazz.{name}.conf"))
    return directory


def look(house: House, now: dt.datetime) -> tuple[bool, list[str]]:
    said: list[str] = []
    return BoxOffice(house.host, now, said.append).run(), said


def answer(house: House, name: str = V) -> tuple[int, dict[str, str], str]:
    return Nginx("", house.root, house.host.http_port).get(name)


def linked(house: House, name: str = V) -> str:
    return Path(house.host.venues, f"jazz.{name}.conf").readlink().name


def test_each_act_is_on_in_its_time(open_house: House) -> None:
    prepare(open_house)
    assert look(open_house, FRIDAY) == (True, [f"jazz.{V}: jazz is on"])
    assert answer(open_house)[::2] == (200, "jazz")
    assert look(open_house, SATURDAY + dt.timedelta(hours=6)) == (True, [f"jazz.{V}: hiphop is on"])
    assert answer(open_house)[::2] == (200, "hiphop")
    assert look(open_house, SUNDAY) == (True, [f"jazz.{V}: nobody is on"])
    status, headers, page = answer(open_house)
    assert (status, headers["Retry-After"]) == (503, "Thu, 10 Dec 2026 23:00:00 GMT")
    assert page == f"<main>Closed tonight <p>Next: jazz, Friday 2026-12-11 00:00 ({ZONE})</p></main>"


def test_a_second_look_changes_nothing(open_house: House) -> None:
    prepare(open_house)
    for now in (FRIDAY, SUNDAY):
        look(open_house, now)
        eventually(lambda: len(nginx._workers(nginx.master() or 0)) == WORKERS)  # a reload waits for the first of them
        workers, before = nginx._workers(nginx.master() or 0), open_house.seen()
        assert look(open_house, now + dt.timedelta(minutes=1)) == (True, [])
        assert (nginx._workers(nginx.master() or 0), open_house.seen()) == (workers, before)


def test_a_closed_page_of_the_hosts_own_without_a_place_for_what_is_next(open_house: House) -> None:
    prepare(open_house)
    Path(open_house.host.pages, "closed.html").write_text("see you")
    look(open_house, SUNDAY)
    assert answer(open_house)[2] == "see you"


def test_a_venue_that_never_opens_again_says_no_date(open_house: House) -> None:
    prepare(open_house, gigs=[{"act": "jazz", "path": "/", "when": ["2020-01-01"]}])
    look(open_house, SUNDAY)
    status, headers, page = answer(open_house)
    assert (status, "Retry-After" in headers, page) == (503, False, "<main>Closed tonight </main>")


def test_no_request_fails_while_acts_change(open_house: House) -> None:
    prepare(open_house)
    look(open_house, FRIDAY)
    seen: list[tuple[int, str]] = []
    over = threading.Event()

    def visit() -> None:
        while not over.is_set():
            status, _headers, text = answer(open_house)
            seen.append((status, text))

    visitors = [threading.Thread(target=visit) for _number in range(2)]
    for visitor in visitors:
        visitor.start()
    for _number in range(4):
        look(open_house, SATURDAY + dt.timedelta(hours=6))
        look(open_house, FRIDAY)
    over.set()
    for visitor in visitors:
        visitor.join()
    assert set(seen) == {(200, "jazz"), (200, "hiphop")}


def test_fault_88_of_somebody_else_leaves_on_what_is_on(open_house: House) -> None:
    prepare(open_house)
    look(open_house, FRIDAY)
    foreign = open_house.root / "by-hand.conf"
    foreign.write_text("nonsense;\n")
    worked, said = look(open_house, SUNDAY)
    assert (worked, linked(open_house), answer(open_house)[2]) == (False, "jazz.conf", "jazz")
    assert said[-1].endswith("what is on stays as it was, and the next run tries again")
    assert f'unknown directive "nonsense" in {foreign}:1' in said[-1]
    foreign.unlink()
    assert look(open_house, SUNDAY)[0]
    assert answer(open_house)[0] == 503


BROKEN = [
    ("schedule.json", None, "it is not a schedule"),
    ("schedule.json", '{"venue": ', "it is not a schedule"),
    (
        "schedule.json",
        '{"venue": "a", "timezone": "Mars/Base", "gigs": [{"act": "a", "path": "/", "when": []}]}',
        "Mars",
    ),
    ("jazz.conf", None, "jazz.conf is missing: deploy the Venue again"),
]


@pytest.mark.parametrize(("file", "text", "reason"), BROKEN)
def test_a_broken_venue_does_not_keep_others_from_changing(
    open_house: House, file: str, text: str | None, reason: str
) -> None:
    broken = prepare(open_house)
    prepare(open_house, "b.example")
    look(open_house, SUNDAY)
    (broken / file).unlink()
    if text is not None:
        (broken / file).write_text(text)
    worked, said = look(open_house, FRIDAY)
    assert (worked, answer(open_house)[0], answer(open_house, "b.example")[2]) == (False, 503, "jazz")
    assert reason in said[0]
    assert said[0].startswith(f"jazz.{V}: ")
    assert said[1:] == ["jazz.b.example: jazz is on"]


def test_a_venue_whose_file_is_no_link_is_left_alone(open_house: House) -> None:
    prepare(open_house)
    path = Path(open_house.host.venues, f"jazz.{V}.conf")
    path.unlink()
    path.write_text("# by hand\n")
    worked, said = look(open_house, FRIDAY)
    assert (worked, path.read_text()) == (False, "# by hand\n")
    assert "is no link: deploy the Venue again" in said[0]


def test_fault_2_a_run_killed_before_nginx_was_told_is_finished_by_the_next(open_house: House) -> None:
    prepare(open_house)
    look(open_house, SUNDAY)
    time.sleep(0.05)
    path = Path(open_house.host.venues, f"jazz.{V}.conf")
    path.unlink()
    os.symlink(f"../calendar/jazz.{V}/jazz.conf", path)
    assert answer(open_house)[0] == 503
    assert look(open_house, FRIDAY) == (True, [])
    assert answer(open_house)[2] == "jazz"


def test_fault_84_before_nginx_starts_the_links_are_all_that_it_needs(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a boot, no visitor sees the Act of the day before."""
    monkeypatch.setattr(nginx, "_PID", str(house.root / "no-pid"))
    prepare(house, on="hiphop")
    assert look(house, FRIDAY) == (True, [f"jazz.{V}: jazz is on"])
    assert linked(house) == "jazz.conf"


def test_fault_78_a_clock_that_is_set_back_and_forth(open_house: House) -> None:
    """A year off: what is on is wrong as long as the clock is, and nothing of it is kept."""
    prepare(open_house)
    seen = []
    for off in (dt.timedelta(0), dt.timedelta(days=365, hours=8), -dt.timedelta(days=365), dt.timedelta(0)):
        assert look(open_house, FRIDAY + off)[0]
        seen.append(linked(open_house))
    assert seen == ["jazz.conf", "hiphop.conf", "_.conf", "jazz.conf"]


def test_a_missed_boundary_in_a_night_of_daylight_saving(open_house: House) -> None:
    """Spring skips the beginning of a window, and autumn repeats its end: each run decides by the clock on the wall."""
    gigs = [{"act": "jazz", "path": "/", "when": ["Sun 02:30-05:00"]}]
    prepare(open_house, gigs=gigs)
    seen = []
    for day, hours in (("2027-03-28", (0, 1, 2, 3)), ("2027-10-31", (0, 1, 2, 3, 4))):
        for hour in hours:
            look(open_house, dt.datetime.fromisoformat(f"{day}T0{hour}:45+00:00"))
            seen.append(linked(open_house).removesuffix(".conf"))
    assert seen == ["_", "jazz", "jazz", "_", "jazz", "jazz", "jazz", "jazz", "_"]


def test_a_host_without_calendars(house: House) -> None:
    os.rmdir(house.host.calendar)
    assert look(house, FRIDAY) == (True, [])

# SPDX-License-Identifier: GPL-3.0-or-later
"""Timers follow what plays, never run twice at once, and their failure is seen."""

from __future__ import annotations

import json

from company import ACT, ROOT, WORKERS, Company, notes
from faults.house import House

PROGRAM = "/usr/local/lib/backstage/wrapper/backstage_timer.py"


def unit(name: str) -> str:
    return f"backstage.company.{ACT}.{name}"


def noted(house: House, word: str) -> list[list[str]]:
    return [line[2:] for line in notes(house) if line[:2] == ["note", word]]


def test_it_plays_with_what_plays(company: Company) -> None:
    """As the player; and it has run by itself since the first deploy."""
    company.on_each(lambda house: house.host.run("systemctl", "start", unit("nightly")))
    player = company.on_each(lambda house: house.host.run("id", "-u", "company-jobs").strip())
    expected = [[[uid, sess[:12]]] for uid, sess in zip(player, company.live())]
    assert company.notes("nightly") == expected
    assert all(company.on_each(lambda house: house.within(75, lambda: bool(noted(house, "minutely-ended")))))
    assert [{uid for uid, _release in on_host} for on_host in company.notes("minutely")] == [{uid} for uid in player]


def _twice(house: House) -> str:
    """Start a long one twice, and by its program as cron does."""
    start = ("systemctl", "start", "--no-block", f"{unit('long')}.service")
    house.host.run(*start)
    assert house.within(30, lambda: bool(noted(house, "long")))
    house.host.run(*start)
    as_player = "setpriv --reuid=company-jobs --regid=company-jobs --init-groups --no-new-privs"
    said = house.host.sh(f"{as_player} /usr/bin/python3 -E -s {PROGRAM} {ROOT} long")
    assert house.within(60, lambda: bool(noted(house, "long-ended")))
    return said


def test_it_never_runs_twice_at_once(company: Company) -> None:
    for said in company.on_each(_twice):
        assert "timer long is left out this time: the last one still runs" in said
    assert [len(on_host) for on_host in company.notes("long")] == [1, 1]


def test_a_failure_is_seen(company: Company) -> None:
    """By status, by logs, and by systemd's own list of what failed."""
    for house in company.houses:
        assert not house.host.ok(f"systemctl start {unit('failing')}.service")
        failed = house.host.run("systemctl", "list-units", "--failed", "--plain", "--no-legend", "backstage.*")
        assert [line.split()[0] for line in failed.splitlines()] == [f"{unit('failing')}.service"]
    status = company.try_to_play("status").printed
    failing = f"timer: act {ACT}, failing, at 04:29: note failing --fail: FAILED, ended with status 1, "
    assert status.count(failing) == len(company.houses)
    assert status.count("note nightly: ended with status 0, ") == len(company.houses)
    for name in WORKERS:
        assert status.count(f"worker: act {ACT}, {name}: working since ") == len(company.houses), status
    assert "drift: " not in status
    logs = company.try_to_play("logs", act=ACT, lines=100).results
    told = [line["host"] for line in logs if "failing fails because it was told to" in json.dumps(line["result"])]
    assert sorted(told) == sorted(house.host.name for house in company.houses)

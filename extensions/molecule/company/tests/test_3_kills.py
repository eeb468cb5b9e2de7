# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever is killed, the workers work again within seconds, and no job is lost but that of a killed worker."""

from __future__ import annotations

import time
from typing import Any

import pytest
from company import ACT, FULL, VENUE, WORKERS, Company, begins_at_once, notes, workers
from faults.house import House

KINDS = ["beat", "supervisors", "masters", "emperors"]
# what is killed on which host: Debian 12 and 13 take turns where a run can't take all
KILLS = {"h1": KINDS if FULL else ["beat", "emperors"], "h2": KINDS if FULL else ["supervisors", "masters"]}
STAMP = f"/var/lib/systemd/timers/stamp-backstage.company.{ACT}.nightly.timer"


def killed(house: House, what: str) -> list[dict[str, Any]]:
    """Kill a worker, or one of those that keep them: what is seen from then on, until all work again."""
    before = workers(house)
    (pid,) = before[what] if what in before else [before["working"][what]]
    house.host.sh(f"kill -KILL {pid}")
    looks = []

    def all_work_again() -> bool:
        looks.append(now := workers(house))
        again = [what] if what in WORKERS else WORKERS
        kept = all(len(now[who]) == 1 for who in ("supervisors", "masters", "emperors"))
        return kept and all(now["working"].get(name) not in (None, before["working"][name]) for name in again)

    assert house.within(30, all_work_again), (house.host.name, what, looks[-1])
    assert sorted(looks[-1]["working"]) == WORKERS
    return looks


@pytest.fixture(scope="module")
def killings(company: Company) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Every kill on its host, both hosts at once, while jobs are sent: each of them is done once."""
    with company.jobs(dark=True):
        found = company.on_each(lambda house: {what: killed(house, what) for what in KILLS[house.host.name]})
    return {house.host.name: looks for house, looks in zip(company.houses, found)}


TRIED = [pytest.param(host, what, id=f"{what}-{host}") for host, kinds in KILLS.items() for what in kinds]


@pytest.mark.parametrize(("host", "what"), TRIED)
def test_fault_85_86_killed_workers_and_those_that_keep_them(killings: Any, host: str, what: str) -> None:
    """There are never two of a worker of which one runs at a time (85: the emperor, 86: the rest)."""
    assert [look["beats"] for look in killings[host][what] if len(look["beats"]) > 1] == []


def test_fault_86_a_killed_worker_with_children(company: Company) -> None:
    """Celery's: its children end, too, before another one starts."""
    company.on_each(lambda house: killed(house, "celery"))


def _broker_down(house: House) -> None:
    house.host.run("systemctl", "stop", "redis-server")
    time.sleep(5)
    house.host.run("systemctl", "start", "redis-server")
    begins_at_once(house)


if FULL:

    def test_fault_90_the_broker_is_down_for_a_while(company: Company) -> None:
        """The workers go on by themselves when it is back."""
        company.on_each(_broker_down)
        with company.jobs():
            time.sleep(10)


def _booted(house: House) -> None:
    nightly = [line for line in notes(house) if line[:2] == ["note", "nightly"]]
    house.host.sh(f"touch --date='2 days ago' {STAMP}")
    house.host.garage("reboot")
    begins_at_once(house)
    assert house.answers_within(VENUE, 30)
    ended = ["note", "nightly-ended"]
    assert house.within(30, lambda: [line[:2] for line in notes(house)].count(ended) > len(nightly))
    again = [line for line in notes(house) if line[:2] == ["note", "nightly"]]
    assert len(again) == len(nightly) + 1


def test_fault_84_reboot(company: Company) -> None:
    """The workers begin with the host, without Ansible; and a timer whose time the host missed runs once."""
    company.on_each(_booted)
    assert company.play() == []

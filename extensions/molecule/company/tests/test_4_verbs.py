# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop and start with workers and timers, and what is left of them when their Act goes."""

from __future__ import annotations

from company import ACT, FULL, ROOT, Company, begins_at_once, words
from faults.controller import Run
from faults.house import House

TIMERS = ["failing", "long", "minutely", "nightly"]
GONE = {"backstage_acts": [], "backstage_venues": [], "backstage_gigs": []}
PLACES = "/etc /srv /usr/local /var/lib"


def processes(house: House) -> str:
    return house.host.run("pgrep", "-a", "-u", "company-jobs", check=False)


def active(house: House) -> list[str]:
    """The timers that systemd has started."""
    said = house.host.run("systemctl", "list-units", "--plain", "--no-legend", "--type=timer", "backstage.*")
    return sorted(line.split()[0].split(".")[3] for line in said.splitlines())


def test_stop(company: Company) -> None:
    plan = words(company.play("stop", act=ACT))
    assert sorted(plan) == [*(("remove", f"{ACT}/{name}") for name in TIMERS), ("stop", ACT)]
    assert company.on_each(processes) == ["", ""]
    assert company.on_each(active) == [[], []]


def test_start(company: Company) -> None:
    plan = words(company.play("start", act=ACT))
    assert sorted(plan) == [*(("add", f"{ACT}/{name}") for name in TIMERS), ("hook", ACT), ("play", ACT)]
    company.on_each(begins_at_once)
    assert company.on_each(active) == [TIMERS, TIMERS]


def _played(run: Run) -> None:
    assert run.code == 0, run.printed[-3000:]


def _nothing_left(house: House) -> None:
    ours = f"-name '*company*{ACT}*' -o -path '{ROOT}*'"
    logs = f"ls -d /var/log/backstage/company/{ACT}* 2>/dev/null || true"  # strike removes the directory, too
    assert house.host.sh(f"find {PLACES} {ours}; {logs}").split() == []
    assert house.host.ok("! getent passwd company-jobs company_jobs")
    assert active(house) == []


def _prune(house: House) -> None:
    """Nothing of it is in the manifest any more."""
    _played(house.play(**GONE, backstage_prune=True, backstage_delete_data=[ACT]))
    _nothing_left(house)


def _strike(house: House) -> None:
    """All of the Production goes while its workers work."""
    _played(house.play(playbook="strike", backstage_delete_data=[ACT]))
    _nothing_left(house)
    assert not house.host.ok("test -e /srv/backstage/company")


def test_fault_34_nothing_is_left_of_workers_and_timers(company: Company) -> None:
    """One host prunes the Act, the other strikes the Production; with CAMPAIGN=1 each does both."""
    if FULL:
        company.on_each(_prune)
        company.play()
        company.on_each(begins_at_once)
    pruning = [] if FULL else company.houses[:1]
    company.on_each(lambda house: _prune(house) if house in pruning else _strike(house))

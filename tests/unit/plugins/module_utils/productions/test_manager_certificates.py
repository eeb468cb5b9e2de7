# SPDX-License-Identifier: GPL-3.0-or-later
"""After the bookings a run has authorities asked; what does not come of it is told, and fails nobody's Act."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.certificates import wishes
from ansible_collections.backstage.django.plugins.module_utils.certificates.wishes import Wish
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options
from ansible_collections.backstage.django.plugins.module_utils.stages import timers

from ...house import House
from .runs import VENUE, given

PROGRAM = '#!/bin/sh\necho "$@" >> {log}\n{then}\n'


@pytest.fixture
def run(house: House, monkeypatch: pytest.MonkeyPatch) -> production._Run:
    (house.root / "cron.d").mkdir()
    monkeypatch.setattr(timers, "SYSTEMD", "/nonexistent")
    monkeypatch.setattr(timers, "CRON", str(house.root / "cron.d"))
    monkeypatch.setattr(timers, "CRON_PROGRAM", "/bin/true")
    wishes.write(house.host, Wish("jazz", (VENUE,), "https://ca.example/dir"))
    found = production._Run(options.for_production(given()))
    found.host = replace(house.host, certifier=str(house.root / "backstage-certificates"))
    return found


def asked(run: production._Run, house: House, then: str = "") -> tuple[list[str], dict[str, BackstageError]]:
    """The words that the program got, and what failed."""
    program, log = Path(run.host.certifier), house.root / "asked"
    program.write_text(PROGRAM.format(log=log, then=then))
    program.chmod(0o755)
    failed: dict[str, BackstageError] = {}
    run._certify(failed)
    return log.read_text().splitlines() if log.exists() else [], failed


def test_it_asks_for_those_that_are_due(house: House, run: production._Run) -> None:
    run.certifying = {VENUE, "b.example"}
    assert asked(run, house) == ([f"--now jazz.b.example jazz.{VENUE}"], {})
    assert run.warnings == []
    assert len(list((house.root / "cron.d").iterdir())) == 1


def test_it_leaves_those_that_wait_for_records(house: House, run: production._Run) -> None:
    """The timer is on all the same: if nobody asks for them, it does."""
    run.certifying, run.asking_later = {VENUE, "b.example"}, {VENUE}
    assert asked(run, house) == (["--now jazz.b.example"], {})
    run.certifying = {VENUE}
    (house.root / "asked").unlink()
    assert asked(run, house) == ([], {})
    assert len(list((house.root / "cron.d").iterdir())) == 1


def test_it_asks_for_nothing(house: House, run: production._Run) -> None:
    assert asked(run, house) == ([], {})


def test_what_does_not_come_of_it_is_a_warning(house: House, run: production._Run) -> None:
    run.certifying = {VENUE}
    _words, failed = asked(run, house, "echo nobody there >&2; exit 1")
    assert (run.warnings, failed) == (["backstage-certificates: nobody there"], {})


def test_a_timer_that_can_not_be_started_fails_the_run(
    house: House, run: production._Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "CRON_PROGRAM", "/nonexistent")
    run.certifying = {VENUE}
    _words, failed = asked(run, house)
    assert "cron is missing" in failed["certificates"].message

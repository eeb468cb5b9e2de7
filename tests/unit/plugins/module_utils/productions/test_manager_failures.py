# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever one Act's step raises is that Act's failure; the end of the run itself is nobody's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import caller, run_log
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.host.layout import Production
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Change, Phase, Step

from ...house import House
from ...manifests import act, git
from .test_manager import DOGS, SECRET, given

RAISED: list[tuple[Exception, str]] = [
    (BackstageError("it broke"), "it broke"),
    (OSError(5, "Input/output error", "/srv"), "[Errno 5] Input/output error: '/srv'"),
    (KeyError("purrpurr"), "a bug of Backstage: KeyError: '********'; please report it with the lines below"),
    (TypeError("no int"), "a bug of Backstage: TypeError: no int; please report it with the lines below"),
    (RecursionError("deep"), "a bug of Backstage: RecursionError: deep; please report it with the lines below"),
]


def made(house: House, error: BaseException) -> tuple[list[str], dict[str, BackstageError]]:
    """Kittens' step raises, dogs' does not."""
    run = production._Run(options.for_production(given(acts=[act(source=git(), **SECRET), DOGS])))
    run.plan()
    done: list[str] = []

    def fail() -> None:
        raise error

    failed: dict[str, BackstageError] = {}
    steps = {"kittens": fail, "dogs": lambda: done.append("dogs")}
    changes = [Change(Step("act", name, "build"), Phase.BUILD, name, make) for name, make in steps.items()]
    run._make(changes, failed)
    return done, failed


@pytest.mark.parametrize(("error", "said"), RAISED)
def test_one_acts_failure_is_its_own(house: House, error: Exception, said: str) -> None:
    done, failed = made(house, error)
    assert (done, [*failed]) == (["dogs"], ["kittens"])
    assert (failed["kittens"].message, failed["kittens"].subject, failed["kittens"].step) == (
        said,
        "act kittens",
        "build",
    )
    assert ("Traceback" in failed["kittens"].log) == ("a bug" in said)
    assert "purrpurr" not in str(failed["kittens"])


def test_fault_51_a_failure_is_in_the_log_of_runs_without_secrets(house: House, tmp_path: Path) -> None:
    log = tmp_path / "log" / "kittens.run.log"
    with run_log.kept("ada", {"kittens": str(log)}.get):
        made(house, KeyError("purrpurr"))
    assert " ada: FAILED: build: a bug of Backstage: KeyError: '********'" in log.read_text()
    assert "purrpurr" not in log.read_text()


def test_fault_30_an_abandoned_run_makes_nothing_more(house: House) -> None:
    with pytest.raises(caller.Abandoned):
        made(house, caller.Abandoned("it was sent SIGTERM"))


def test_fault_30_an_abandoned_run_leaves_no_source(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    order = options.for_production(given())
    paths = Production(order.manifest.production)

    def abandon(_run: object) -> None:
        os.makedirs(paths.spool)
        raise caller.Abandoned("it was sent SIGTERM")

    monkeypatch.setattr(production._Run, "plan", abandon)
    with pytest.raises(caller.Abandoned):
        production.carry_out(order)
    assert not os.path.exists(paths.spool)

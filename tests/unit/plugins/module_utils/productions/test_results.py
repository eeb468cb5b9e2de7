# SPDX-License-Identifier: GPL-3.0-or-later
"""From an outcome to what a module returns, through a real AnsibleModule."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, Callable

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args
from ansible_collections.backstage.django.plugins.module_utils.host import caller
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError, Refusal
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Manifest
from ansible_collections.backstage.django.plugins.module_utils.productions import results
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Order, Outcome
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Step

ORDER = Order(Manifest("jazz"))
STEP = Step("act", "kittens", "build", None, "0123456789ab")
PLAYING = {"kittens": {"release": "0123456789ab"}}


@pytest.fixture(autouse=True)
def _process() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)
    caller.forget()


def carried_out(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    do: Callable[[Order], Outcome],
    check_mode: bool = False,
) -> tuple[int, dict[str, Any]]:
    """A module's exit code and result, where carrying the order out does this."""
    monkeypatch.setattr(results, "check" if check_mode else "reconcile", do)
    with patch_module_args({"_ansible_check_mode": check_mode}):
        module = basic.AnsibleModule(argument_spec={}, supports_check_mode=True)
        with pytest.raises(SystemExit) as end:
            results.carry_out(module, lambda: ORDER)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return int(end.value.code or 0), found


def test_what_was_told_is_not_told_back(monkeypatch: Any, capsys: Any) -> None:
    """The lists of a manifest with a thousand Acts cost the controller more than all the rest of a result."""
    given = {"production": "jazz", "prune": True, "acts": [{"name": "kittens", "source": {"path": "kittens"}}]}
    for outcome in (Outcome(), Outcome(errors=[BackstageError("it hisses")])):
        monkeypatch.setattr(results, "reconcile", lambda _order, outcome=outcome: outcome)
        with patch_module_args({**given, "resolved": {"kittens": {"content": "0" * 40, "label": "v1"}}}):
            module = basic.AnsibleModule(argument_spec=spec.production(), supports_check_mode=True)
            with pytest.raises(SystemExit):
                results.carry_out(module, lambda: ORDER)
        told = json.loads(capsys.readouterr().out)["invocation"]["module_args"]
        assert (told["production"], told["prune"]) == ("jazz", True)
        assert not {"acts", "resolved"} & {*told}


CHANGED = [
    # (outcome, changed in a run, changed in check mode)
    (Outcome(), False, False),
    (Outcome(steps=[STEP]), True, True),
    (Outcome(steps=[STEP], missing=["kittens"]), False, True),  # the second call will change it
]


@pytest.mark.parametrize(("outcome", "in_run", "in_check"), CHANGED)
def test_changed(monkeypatch: Any, capsys: Any, outcome: Outcome, in_run: bool, in_check: bool) -> None:
    for check_mode, changed in ((False, in_run), (True, in_check)):
        code, found = carried_out(monkeypatch, capsys, lambda order: outcome, check_mode)
        assert (code, found["changed"], found["missing"]) == (0, changed, outcome.missing)


def test_what_is_returned(monkeypatch: Any, capsys: Any) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda self, text: warnings.append(text))
    outcome = Outcome([STEP], playing=PLAYING, warnings=["held"], unlisted=["act dogs", "venue a.example"])
    warnings: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda module, text: warnings.append(text))
    _code, found = carried_out(monkeypatch, capsys, lambda order: outcome)
    assert found["plan"] == [STEP.entry()]
    assert found["diff"] == [{"prepared": "  1. kittens: build release 0123456789ab\n"}]
    assert found["playing"] == PLAYING
    assert found["unlisted"] == ["act dogs", "venue a.example"]
    left = "not in the manifest any more: act dogs, venue a.example; take it down with -e backstage_prune=true"
    assert warnings == ["held", left]


def test_one_acts_failure(monkeypatch: Any, capsys: Any) -> None:
    """Every failed Act's own sentence and the end of its log; what plays is told all the same."""
    errors = [
        BackstageError("it broke", "act kittens", "gate", "Traceback\nKeyError"),
        BackstageError("it is full", "act dogs", "build"),
    ]
    code, found = carried_out(monkeypatch, capsys, lambda order: Outcome([STEP], errors=errors, playing=PLAYING))
    lines = found["msg"].splitlines()
    assert (code, found["playing"]) == (1, PLAYING)
    assert lines[0].startswith("act kittens, gate on ")
    assert lines[0].endswith(": it broke")
    assert lines[1:4] == ["--- end of the log ---", "Traceback", "KeyError"]
    assert lines[4].endswith(": it is full")


def test_one_acts_refusal_does_not_keep_the_sources_of_others(monkeypatch: Any, capsys: Any) -> None:
    """The first call of a run asks for them; what is wrong is said by the second one, and by check mode."""
    refused = Outcome([STEP], missing=["dogs"], errors=[BackstageError("it is away", "act kittens", "database")])
    assert carried_out(monkeypatch, capsys, lambda order: refused)[0] == 0
    assert carried_out(monkeypatch, capsys, lambda order: refused, check_mode=True)[0] == 1


ENDS = [
    (Refusal("backstage_production: use a letter"), "backstage_production: use a letter"),
    (BackstageError("it broke", step="lock"), ": it broke"),
    (OSError(28, "No space left on device", "/srv/backstage"), "the disk is full: /srv/backstage can't be written"),
]


@pytest.mark.parametrize(("error", "said"), ENDS)
def test_nothing_could_be_done(monkeypatch: Any, capsys: Any, error: Exception, said: str) -> None:
    def fail(order: Order) -> Outcome:
        raise error

    for check_mode in (False, True):
        code, found = carried_out(monkeypatch, capsys, fail, check_mode)
        assert (code, found["failed"]) == (1, True)
        assert said in found["msg"]


def test_a_refused_order_touches_nothing(monkeypatch: Any, capsys: Any) -> None:
    def refuse() -> Order:
        raise Refusal("backstage_acts: no")

    monkeypatch.setattr(results, "reconcile", lambda order: pytest.fail("it was carried out"))
    with patch_module_args({}), pytest.raises(SystemExit):
        results.carry_out(basic.AnsibleModule(argument_spec={}), refuse)
    assert json.loads(capsys.readouterr().out)["msg"] == "backstage_acts: no"


def test_what_is_made_can_be_read_whatever_roots_umask(monkeypatch: Any, capsys: Any) -> None:
    seen: list[int] = []

    def make(order: Order) -> Outcome:
        seen.append(os.umask(0o022))
        return Outcome()

    carried_out(monkeypatch, capsys, make)
    assert seen == [0o022]


def test_fault_30_an_abandoned_run_says_why_it_ended(monkeypatch: Any, capsys: Any) -> None:
    def abandon(order: Order) -> Outcome:
        raise caller.Abandoned("the run was ended on this host: it was sent SIGTERM")

    monkeypatch.setattr(caller, "watch", lambda: None)  # these tests are no module
    code, found = carried_out(monkeypatch, capsys, abandon)
    assert (code, found["msg"]) == (1, "the run was ended on this host: it was sent SIGTERM")


def test_fault_30_a_run_that_changes_something_is_watched(monkeypatch: Any, capsys: Any) -> None:
    watched: list[bool] = []
    monkeypatch.setattr(caller, "watch", lambda: watched.append(True))
    for check_mode, times in ((True, 0), (False, 1)):
        carried_out(monkeypatch, capsys, lambda order: Outcome(), check_mode)
        assert len(watched) == times

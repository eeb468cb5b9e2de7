# SPDX-License-Identifier: GPL-3.0-or-later
"""A deploy to several hosts: build everywhere, then switch; a host that fails stops those that follow."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Optional

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.backstage.django.plugins.module_utils.host.errors import Refusal
from ansible_collections.backstage.django.plugins.plugin_utils import run_cache
from ansible_collections.backstage.django.plugins.plugin_utils.rolling import Roll

Result = dict[str, Any]
PLAN: Result = {"changed": True, "plan": [{"noun": "act", "name": "kittens", "verb": "build"}], "diff": ["a diff"]}
NOTHING: Result = {"changed": False, "plan": [], "diff": []}


@pytest.fixture(autouse=True)
def a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_cache, "directory", lambda: str(tmp_path))


class Module:
    """A host's module, with its answers in turn; an error is raised."""

    def __init__(self, *answers: Result | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Result, Optional[bool]]] = []

    def __call__(self, options: Result, is_plan: Optional[bool] = None) -> Result:
        self.asked.append((copy.deepcopy(options), is_plan))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_host_that_shares_nothing_is_not_asked_twice() -> None:
    found = Roll("h1", []).build({}, False, Module())
    assert (found["skipped"], found["changed"]) == (True, False)
    module = Module(PLAN)
    assert Roll("h1", []).play({"only": []}, module) == PLAN
    assert len(module.asked) == 1


def test_only_what_is_shared_is_built_first() -> None:
    module = Module(PLAN, {"changed": True, "plan": []})
    options = {"only": [], "prune": True, "delete_data": ["dogs"], "unhold": ["kittens"], "through": "play"}
    found = Roll("h1", ["kittens"]).build(options, False, module)
    assert (found["shared"], found["changed"]) == (["kittens"], True)
    (plan, is_plan), (build, is_planned) = module.asked
    assert (plan, is_plan, is_planned) == (options, True, False)
    assert build == {"only": ["kittens"], "prune": False, "delete_data": [], "unhold": [], "through": "build"}
    assert Roll("h1", ["kittens"]).play(options, Module(NOTHING)) == NOTHING


def test_a_run_for_one_act_builds_no_other() -> None:
    module = Module(PLAN, NOTHING)
    Roll("h1", ["kittens", "dogs"]).build({"only": ["dogs", "cats"]}, False, module)
    assert module.asked[1][0]["only"] == ["dogs"]
    module = Module(PLAN)
    Roll("h2", ["kittens"]).build({"only": ["cats"]}, False, module)
    assert len(module.asked) == 1


@pytest.mark.parametrize(("check_mode", "planned"), [(False, NOTHING), (True, PLAN)])
def test_the_plan_is_the_whole_answer(check_mode: bool, planned: Result) -> None:
    """If nothing is to be done, and in check mode, the host is asked once."""
    found = Roll("h1", ["kittens"]).build({}, check_mode, Module(planned))
    assert (found["changed"], found["diff"]) == (False, [])
    assert Roll("h1", ["kittens"]).play({}, Module()) == planned


def test_the_warnings_of_a_plan_are_kept() -> None:
    """Since ansible-core 2.19 a warning of a module is an object, which JSON has no word for."""
    warning = SimpleNamespace(event=SimpleNamespace(msg="act kittens: release a1 is held"))
    planned = {**NOTHING, "warnings": [warning, "a plain one"]}
    Roll("h1", ["kittens"]).build({}, False, Module(planned))
    found = Roll("h1", ["kittens"]).play({}, Module())
    assert found["warnings"] == ["act kittens: release a1 is held", "a plain one"]


@pytest.mark.parametrize("fails", [{"failed": True, "msg": "no"}, RuntimeError("no")])
def test_a_host_that_fails_stops_the_others(fails: Any) -> None:
    for module in (Module(fails), Module(PLAN, fails)):
        failing = Roll("h1", ["kittens"])
        if isinstance(fails, dict):
            assert failing.build({}, False, module)["failed"]
        else:
            with pytest.raises(RuntimeError):
                failing.build({}, False, module)
        with pytest.raises(Refusal, match="act kittens: nothing is switched on h2, because h1 failed in this run"):
            Roll("h2", ["kittens"]).play({}, Module())
        assert Roll("h3", ["dogs"]).play({}, Module(PLAN)) == PLAN


def test_a_host_that_fails_while_it_plays_stops_the_others() -> None:
    assert Roll("h1", ["kittens"]).play({}, Module({"failed": True}))["failed"]
    with pytest.raises(Refusal, match="because h1 failed"):
        Roll("h2", ["kittens"]).play({}, Module())


def test_a_host_that_can_not_be_reached_is_left_out() -> None:
    """Before anything is switched. One that is lost while it plays stops the others: the new code may be to blame."""
    with pytest.raises(AnsibleConnectionFailure):
        Roll("h1", ["kittens"]).build({}, False, Module(AnsibleConnectionFailure("gone")))
    assert Roll("h2", ["kittens"]).play({}, Module(PLAN)) == PLAN
    with pytest.raises(AnsibleConnectionFailure):
        Roll("h3", ["kittens"]).play({}, Module(AnsibleConnectionFailure("gone")))
    with pytest.raises(Refusal, match="because h3 failed"):
        Roll("h4", ["kittens"]).play({}, Module())


def plays(since: str, version: str) -> Result:
    return {
        "changed": True,
        "plan": [],
        "diff": ["a diff"],
        "playing": {"kittens": {"since": since, "version": version}},
    }


def test_several_hosts_leave_the_version_that_was_switched_to_last() -> None:
    """After a roll that ended half-way the others play what is gone back to."""
    back = {"rollback": "kittens"}
    hosts = [("h1", plays("2026-11-30T10:00:00Z", "new")), ("h2", plays("2026-11-29T10:00:00Z", "old"))]
    for host, answer in [*hosts, ("h3", {"plan": [], "playing": {}})]:
        found = Roll(host, ["kittens"]).look("kittens", back, Module(answer))
        assert (found["changed"], found["diff"], found["shared"]) == (False, [], ["kittens"])
    assert Roll("h2", ["kittens"]).leaving(back) == {"rollback": "kittens", "leaving": "new"}
    assert Roll("h2", ["kittens"]).leaving({"restart": "kittens"}) == {"restart": "kittens"}


def test_one_host_leaves_what_it_plays() -> None:
    assert Roll("h1", []).look("kittens", {}, Module())["skipped"]
    assert Roll("h1", []).leaving({"rollback": "kittens"}) == {"rollback": "kittens"}
    assert Roll("h1", ["kittens"]).leaving({"rollback": "kittens"}) == {"rollback": "kittens"}

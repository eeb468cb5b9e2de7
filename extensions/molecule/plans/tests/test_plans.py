# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans that are true. For each change of tests/scenarios/changes.yml the plan of check mode, the plan of the run,
and the difference on the host are the same list, and a second run changes nothing."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import changes
import effects
import pytest

PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
RECORD = PROJECT / ".garage" / "scenarios" / "plans.jsonl"
STEPS = changes.load(str(PROJECT / ".garage" / "scenarios" / "busker"))
VERBS = {
    "act": {"add", "change", "mend", "build", "migrate", "seed", "discard", "sweep", "unhold", "remove", "delete data"},
    "sess": {"play", "roll back", "listen", "rewrite", "unlisten", "stop", "sweep", "remove"},
    "venue": {"add", "open", "close", "change", "rewrite", "reload", "remove"},
    "gig": {"book", "rebook", "move", "cancel"},
    "production": {"strike"},
}


@cache
def recorded() -> dict[str, Any]:
    """Return the result of each task by its name. A change that was not made has none."""
    lines = [json.loads(line) for line in RECORD.read_text(encoding="utf-8").splitlines()]
    return {line["task"]: line["result"] for line in lines}


def result(step: dict[str, Any], what: str) -> dict[str, Any]:
    found: dict[str, Any] = recorded()[f"{what} {step['id']}"]
    assert not found.get("failed"), found.get("msg")
    return found


def answer(step: dict[str, Any], what: str) -> dict[str, Any]:
    """Return what the module returned. A module that refused has no plan."""
    found = result(step, what)
    assert "plan" in found, found.get("msg")
    return found


def look(step: dict[str, Any], moment: str) -> effects.Look:
    """Return what was on the host. Before a change, this is what was there after the previous one."""
    if moment == "before" and not step["look"]:
        step, moment = STEPS[STEPS.index(step) - 1], "after"
    seen = json.loads(result(step, f"seen {moment}")["stdout"])
    return {"production": step["production"], "info": result(step, f"info {moment}"), "seen": seen}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step['id']} {step['name']}")
def test_plan_run_and_state_are_the_same_list(step: dict[str, Any]) -> None:
    planned, made, again = (answer(step, what) for what in ("planned", "made", "again"))
    assert sorted(effects.words(planned["plan"])) == sorted(step["plan"])
    assert made["plan"] == planned["plan"]
    before, after = look(step, "before"), look(step, "after")
    assert effects.ordered(effects.effects(before, after)) == effects.visible(made["plan"])
    assert planned["changed"] == made["changed"] == bool(step["plan"])
    assert planned["unlisted"] == made["unlisted"] == step["unlisted"]
    assert again["plan"] == []
    assert not again["changed"]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step['id']} {step['name']}")
def test_the_words_are_the_plan(step: dict[str, Any]) -> None:
    """One numbered line for each step, in its order, and the same of check mode and run."""
    planned, made = answer(step, "planned"), answer(step, "made")
    assert made["diff"] == planned["diff"]
    told = "".join(part.get("prepared", "") for part in planned["diff"]).splitlines()
    if step["module"] == "backstage_production" and told:
        assert told.pop(0) == f"The plan of {step['host']}, in its order:"
    numbered = [line for line in told if not line.startswith("       ")]
    assert len(numbered) == len(planned["plan"])
    for number, (line, entry) in enumerate(zip(numbered, planned["plan"]), 1):
        about = "nginx" if entry["name"] == "all" else entry["name"].split(" at ")[-1].split("/")[0]
        assert line.startswith(f"{number:>3}. {about}: "), (line, entry)


def test_the_changes_cover_every_verb_of_every_noun() -> None:
    plans = [entry for step in STEPS for entry in result(step, "made")["plan"]]
    assert {noun: {entry["verb"] for entry in plans if entry["noun"] == noun} for noun in VERBS} == VERBS
    assert len(STEPS) >= 30


def test_no_secret_is_in_any_answer() -> None:
    text = RECORD.read_text(encoding="utf-8")
    assert not [value for value in changes.secrets(STEPS) if value in text]

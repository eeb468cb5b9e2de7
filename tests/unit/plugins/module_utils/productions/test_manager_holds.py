# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollbacks and holds of a Production: where "back" is, what is held, and what ends a hold."""

from __future__ import annotations

import json
from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.manifest import inputs
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Outcome

from ...house import A, B, C, House, wanted
from ...manifests import COMMIT, VENUE, Item, act, booked, git
from ...told import told

OTHER = COMMIT.replace("0", "f")


def given(content: str = COMMIT, **more: Any) -> Item:
    resolved = {"kittens": {"content": content, "label": "v1"}}
    return booked(**{"acts": [act(source=git())], "resolved": resolved, **more})


def checked(content: str = COMMIT, **more: Any) -> Outcome:
    return production.check(options.for_production(given(content, **more)))


def verbs(outcome: Outcome) -> list[str]:
    return [f"{step.noun} {step.name}: {step.verb}" for step in outcome.steps]


def the_act() -> Act:
    return options.for_production(given()).manifest.acts["kittens"]


@pytest.fixture
def live(house: House) -> str:
    """The release that plays at its Venue; A, B and C played before, in this order."""
    for release in (A, B, C):
        house.build(release)
    house.played(A, B, C)
    house.settle(options.for_production(given()))
    return wanted(the_act()).release


def test_a_rollback_is_a_switch(house: House, live: str) -> None:
    """Hooks after it are run, and those of migrations are not."""
    hooks = {"before_migrate": ["a"], "after_migrate": ["b"], "after_switch": ["warm"]}
    back, hook = checked(rollback="kittens", resolved={}, acts=[act(source=git(), hooks=hooks)]).steps
    assert (back.verb, hook.verb, hook.after) == ("roll back", "hook", "after_switch: warm")
    assert house.state().live_release == live


def hold(house: House, release: str, digest: Optional[str] = None) -> None:
    known = digest or inputs.digest(inputs.release_inputs(the_act(), COMMIT))
    files.write(house.act().hold, json.dumps({"release": release, "digest": known}), 0o600)


BACK: list[tuple[Item, str]] = [
    ({}, C),
    ({"release": A}, A),
    ({"release": B}, B),
]


@pytest.mark.parametrize(("more", "target"), BACK)
def test_fault_32_where_back_is(house: House, live: str, more: Item, target: str) -> None:
    before = house.seen()
    (step,) = checked(rollback="kittens", resolved={}, **more).steps
    assert (step.verb, step.before, step.after["release"]) == ("roll back", {"release": live}, target)
    assert house.seen() == before


REFUSED: list[tuple[Item, str]] = [
    ({"release": "0" * 12}, "act kittens: there is no release 000000000000 on this host; known: "),
    (
        {"sesses": [{"act": "kittens", "state": "stopped"}]},
        "act kittens: it has no started Sess that could be rolled back",
    ),
]


@pytest.mark.parametrize(("more", "said"), REFUSED)
def test_fault_32_refused(house: House, live: str, more: Item, said: str) -> None:
    assert told(checked, rollback="kittens", **more).startswith(said)


def test_fault_32_nothing_to_go_back_to(house: House) -> None:
    said = "act kittens: it does not play, so there is nothing to roll back"
    assert told(checked, rollback="kittens") == said
    house.settle(options.for_production(given()))
    assert told(checked, rollback="kittens") == "act kittens: there is no earlier release to roll back to"


def test_back_is_read_from_history_and_from_the_disk(house: House, live: str) -> None:
    files.remove_tree(house.act().release(C).root)  # retention took it
    (step,) = checked(rollback="kittens").steps
    assert step.after["release"] == B


def test_a_second_rollback_goes_further_back(house: House, live: str) -> None:
    replay(house, live)
    (step,) = checked(rollback="kittens").steps
    assert step.after["release"] == B, "not forward to what was rolled back, which played just before"


def test_rolling_forward_to_what_the_manifest_wants_ends_the_hold(house: House, live: str) -> None:
    replay(house, live)
    found = verbs(checked(rollback="kittens", release=live))
    assert found == ["sess kittens: play", "act kittens: unhold"]


def replay(house: House, live: str) -> None:
    """Rolled back: C plays, with today's variables, and the live one of before is held."""
    files.remove(house.act().live)
    for name in files.names_in(house.act().sesses):
        files.remove_tree(house.act().sess(name).root)
    for name in files.names_in(house.host.vassals):
        files.remove(f"{house.host.vassals}/{name}")
    venues = tuple(options.for_production(given()).manifest.venues.values())
    house.play(wanted(the_act(), venues, play=C))
    hold(house, live)


def test_a_held_release_is_not_played_again(house: House, live: str) -> None:
    """No cron job brings an outage back; it is said instead."""
    replay(house, live)
    outcome = checked()
    assert verbs(outcome) == []
    assert outcome.missing == []
    assert outcome.warnings == [
        f"act kittens: release {live} was rolled back and is held; it plays again when the manifest names another"
        " source, or with -e backstage_unhold=kittens"
    ]


HELD: list[tuple[str, Item, list[str]]] = [
    (
        "a rotated secret still lands",
        {"acts": [act(source=git(), secrets={"KEY": "purrpurr"})]},
        ["sess kittens: play"],
    ),
    ("processes, too", {"sesses": [{"act": "kittens", "processes": 5}]}, ["sess kittens: play"]),
    (
        "no input of the release",
        {"acts": [act(source=git(), keep_releases=9)]},
        ["act kittens: change"],
    ),
]


@pytest.mark.parametrize(("more", "plan"), [row[1:] for row in HELD], ids=[row[0] for row in HELD])
def test_while_held_todays_configuration_plays(house: House, live: str, more: Item, plan: list[str]) -> None:
    replay(house, live)
    outcome = checked(**more)
    assert verbs(outcome) == plan
    for step in outcome.steps:
        assert step.noun != "sess" or step.after["release"] == C


ENDS: list[tuple[str, str, Item]] = [
    ("another source", OTHER, {}),
    ("another input", COMMIT, {"acts": [act(source=git(), env={"A": "b"})]}),
    ("unhold", COMMIT, {"unhold": ["kittens"]}),
]


@pytest.mark.parametrize(("content", "more"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_what_ends_a_hold(house: House, live: str, content: str, more: Item) -> None:
    replay(house, live)
    found = verbs(checked(content, **more))
    assert "act kittens: unhold" in found
    assert "sess kittens: play" in found
    assert found.index("sess kittens: play") < found.index("act kittens: unhold"), "it ends when it has come true"


def test_a_held_act_moves_without_what_is_held(house: House, live: str) -> None:
    """Another path is another release of the same code: no reason to play it again."""
    replay(house, live)
    path = {"act": "kittens", "venue": VENUE, "path": "/blog"}
    outcome = checked(gigs=[path])
    assert verbs(outcome) == ["sess kittens: play", "act kittens: change", f"gig kittens at {VENUE}/blog: move"]
    (played,) = [step for step in outcome.steps if step.verb == "play"]
    assert played.after == {"release": C, "because": ["variable BACKSTAGE_PREFIX changed"]}


def test_a_run_that_does_not_play_keeps_the_hold(house: House, live: str) -> None:
    replay(house, live)
    assert "act kittens: unhold" not in verbs(checked(OTHER, through="build"))


def test_a_hold_of_another_digest_is_over(house: House, live: str) -> None:
    hold(house, A, "0" * 64)
    assert verbs(checked()) == ["act kittens: unhold"]


def test_rollback_needs_no_source(house: House, live: str) -> None:
    outcome = checked(rollback="kittens", resolved={})
    assert (outcome.missing, verbs(outcome)) == ([], ["sess kittens: roll back"])


def test_a_rollback_of_one_says_nothing_about_others(house: House, live: str) -> None:
    acts = [act(source=git()), {"name": "dogs", "source": git()}]
    assert verbs(checked(rollback="kittens", acts=acts)) == ["sess kittens: roll back"]

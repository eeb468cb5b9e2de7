# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to one Act alone: restart, stop and start, and what a deploy does with an Act that was stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.productions import disk, options, reports
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Outcome
from ansible_collections.backstage.django.plugins.module_utils.productions.planner import Planner
from ansible_collections.backstage.django.plugins.module_utils.stages import rollbacks

from ...emperors import Emperor, purr
from ...house import A, B, House, wanted
from ...manifests import COMMIT, VENUE, Item, act, booked, git
from ...servers import Variables
from ...told import told

OTHER = COMMIT.replace("0", "f")
MARK = {"at": "2026-01-01T00:00:00Z", "by": "ada"}
STOPPED = "act kittens: it was stopped at 2026-01-01T00:00:00Z by ada; the playbook start plays it again"


def given(content: str = COMMIT, **more: Any) -> Item:
    resolved = {"kittens": {"content": content, "label": "v1"}}
    return booked(**{"acts": [act(source=git())], "resolved": resolved, **more})


def checked(content: str = COMMIT, **more: Any) -> Outcome:
    return production.check(options.for_production(given(content, **more)))


def steps(outcome: Outcome) -> list[tuple[str, str, Any]]:
    return [(f"{step.noun} {step.name}", step.verb, step.after) for step in outcome.steps]


@pytest.fixture
def live(house: House) -> str:
    """The release that plays at its Venue; A and B played before."""
    for release in (A, B):
        house.build(release)
    house.played(A, B)
    order = options.for_production(given())
    house.settle(order)
    return wanted(order.manifest.acts["kittens"]).release


def stop(house: House) -> None:
    """As the playbook stop leaves an Act."""
    files.write(house.act().stopped, json.dumps(MARK), 0o600)
    live = house.state().live or ""
    files.remove(house.act().live)
    files.remove_tree(house.act().sess(live).root)
    for name in files.names_in(house.host.vassals):
        files.remove(os.path.join(house.host.vassals, name))
    house.log({"event": "stopped", "sess": live})


def test_a_restart_plays_the_same_release(house: House, live: str) -> None:
    before = house.seen()
    assert steps(checked(restart="kittens", resolved={})) == [
        ("sess kittens", "play", {"release": live, "because": ["restart"]})
    ]
    assert house.seen() == before


def test_a_restart_takes_todays_configuration_and_nothing_of_a_new_release(house: House, live: str) -> None:
    acts = [act(source=git(), env={"THEME": "tabby"}, secrets={"KEY": "purrpurr"})]
    (step,) = checked(OTHER, restart="kittens", acts=acts).steps
    assert step.after == {
        "release": live,
        "because": ["restart", "secret KEY changed", "variable THEME changed"],
    }


def test_a_stop_and_a_second_one(house: House, live: str) -> None:
    outcome = checked(stop="kittens", resolved={})
    assert steps(outcome) == [("sess kittens", "stop", {"until": "it is started"})]
    assert outcome.steps[0].before == {"release": live}
    stop(house)
    assert (steps(checked(stop="kittens")), checked(stop="kittens").warnings) == ([], [])


def test_an_interrupted_stop_is_ended_by_the_next_run(house: House, live: str) -> None:
    files.write(house.act().stopped, json.dumps(MARK), 0o600)
    assert [step.verb for step in checked(stop="kittens").steps] == ["stop"]
    assert steps(checked()) == [("sess kittens", "stop", None)]


def test_a_deploy_leaves_a_stopped_act_stopped(house: House, live: str) -> None:
    stop(house)
    outcome = checked()
    assert (steps(outcome), outcome.warnings) == ([], [STOPPED])


def test_a_deploy_builds_and_migrates_what_is_stopped(house: House, live: str) -> None:
    stop(house)
    outcome = checked(OTHER, shipped={"kittens": {"path": "x", "sha256": "x"}})
    assert [(noun, verb) for noun, verb, _after in steps(outcome)] == [
        ("act kittens", "build"),
        ("act kittens", "migrate"),
        ("act kittens", "change"),
    ]


def test_only_runs_that_would_play_it_warn(house: House, live: str) -> None:
    stop(house)
    assert checked(through="migrate").warnings == []


def test_a_start_plays_what_was_deployed_last(house: House, live: str) -> None:
    stop(house)
    started = ("sess kittens", "play", {"release": live, "because": ["nothing plays"]})
    assert steps(checked(start="kittens", resolved={})) == [started]


RELEASES: list[tuple[str, str]] = [
    # what there is of the release that was deployed last, and what starts
    ("built and migrated", OTHER),
    ("built", COMMIT),
    ("held", COMMIT),
    ("nothing", COMMIT),
]


@pytest.mark.parametrize(("there", "content"), RELEASES)
def test_which_release_starts(house: House, live: str, there: str, content: str) -> None:
    stop(house)
    kittens = options.for_production(given()).manifest.acts["kittens"]
    venues = tuple(options.for_production(given()).manifest.venues.values())
    deployed, expected = wanted(kittens, venues, OTHER), wanted(kittens, venues, content)
    if there != "nothing":
        house.build(deployed.release, inputs=deployed.inputs)
    if there in ("built and migrated", "held"):
        house.log({"event": "migrated", "release": deployed.release, "database": ""})
    if there == "held":
        files.write(house.act().hold, json.dumps({"release": deployed.release, "digest": "x"}), 0o600)
    house.record(deployed)
    (step,) = checked(start="kittens").steps
    assert step.after["release"] == expected.release


def test_a_start_of_what_plays_does_nothing(house: House, live: str) -> None:
    assert steps(checked(OTHER, start="kittens")) == []


def test_a_start_ends_a_stop_that_was_interrupted(house: House, live: str) -> None:
    files.write(house.act().stopped, json.dumps(MARK), 0o600)
    (step,) = checked(start="kittens").steps
    assert step.after == {"release": live, "because": ["start"]}


def test_a_start_of_what_the_emperor_was_not_told_of(house: House, live: str) -> None:
    for name in files.names_in(house.host.vassals):
        files.remove(os.path.join(house.host.vassals, name))
    (step,) = checked(start="kittens").steps
    assert step.after == {"release": live, "because": ["start", "it is not started"]}


REFUSED: list[tuple[Item, str]] = [
    ({"restart": "dogs"}, "restart: 'dogs' is no Act of this Production on this host"),
    ({"restart": "kittens", "stop": "kittens"}, "stop: it can't be done together with restart; leave one of them out"),
    (
        {"start": "kittens", "release": A},
        "release: it can't be given with start; it is what a rollback or a restore goes back to",
    ),
    (
        {"start": "kittens", "sesses": [{"act": "kittens", "state": "stopped"}]},
        "act kittens: in the manifest it has the state stopped; change that, and deploy",
    ),
    (
        {"restart": "kittens", "gigs": [], "venues": []},
        "act kittens: in the manifest it has no Sess and no Gig; change that, and deploy",
    ),
]


@pytest.mark.parametrize(("more", "said"), REFUSED)
def test_refused(house: House, live: str, more: Item, said: str) -> None:
    assert told(checked, **more) == said


NOTHING: list[tuple[str, str]] = [
    ("restart", "act kittens: it does not play, so it can't be restarted; the playbook start plays it"),
    ("stop", "act kittens: it is not on this host, so it can't be stopped"),
    ("start", "act kittens: there is no release on this host that could be started; deploy it"),
]


@pytest.mark.parametrize(("verb", "said"), NOTHING)
def test_refused_on_an_empty_host(house: House, verb: str, said: str) -> None:
    assert told(checked, **{verb: "kittens"}) == said


def test_fault_18_a_rollback_asks_before_anything_is_changed(house: House, live: str, monkeypatch: Any) -> None:
    """And not at all where its user says that the older code works with the newer database."""
    asked: list[str] = []
    monkeypatch.setattr(rollbacks, "need_known_migrations", lambda want, _state, _host: asked.append(want.play))
    assert [step.verb for step in checked(rollback="kittens").steps] == ["roll back"]
    assert asked == [B]
    assert [step.verb for step in checked(rollback="kittens", migrations="keep").steps] == ["roll back"]
    assert asked == [B]


GRAPH: dict[str, list[str]] = {"cats.0001": []}
OLDER = "act kittens: release {} does not know migrations that were applied: cats.0002; if its code does not work with"


def test_fault_18_a_deploy_of_older_code_says_so(house: House, live: str) -> None:
    """It is asked for by name, in the manifest, so it is not refused."""
    kittens = options.for_production(given()).manifest.acts["kittens"]
    older = wanted(kittens, content=OTHER)
    house.build(older.release, inputs=older.inputs, graph=GRAPH, migrated=["default"])
    for release, applied in ((older.release, "cats.0001"), (live, "cats.0002")):
        house.log({"event": "migrated", "release": release, "database": "", "applied": [applied]})
    outcome = checked(OTHER)
    assert [step.verb for step in outcome.steps] == ["play", "change"]
    (warning,) = outcome.warnings
    assert warning.startswith(OLDER.format(older.release))
    house.log({"event": "migrated by hand"})
    assert checked(OTHER).warnings == [], "nobody knows what is applied"


def test_a_verb_says_nothing_about_other_acts(house: House, live: str) -> None:
    acts = [act(source=git()), {"name": "dogs", "source": git()}]
    assert [step.name for step in checked(restart="kittens", acts=acts).steps] == ["kittens"]


def test_an_act_that_is_stopped_is_shown_so(house: House, live: str) -> None:
    stop(house)
    found = reports.report("jazz")
    assert found["acts"]["kittens"]["stopped"] == MARK["at"]
    assert any(line.endswith("kittens: stopped at 2026-01-01T00:00:00Z by ada") for line in found["playbill"])
    assert disk.options("jazz")["sesses"] == {}, "and modules for one noun know nothing that plays"
    assert VENUE in disk.options("jazz")["venues"]


@pytest.fixture
def emperor(crewed: House) -> Iterator[Emperor]:
    acts.prepare(crewed.act())
    crewed.build(A)
    kittens = options.for_production(given()).manifest.acts["kittens"]
    crewed.record(wanted(kittens, release=A))
    crewed.log({"event": "migrated", "release": A, "database": ""})
    with Emperor(Path(crewed.host.vassals), Path(crewed.host.stats), log=Path(crewed.act().log)) as found:
        yield found


def run(house: House, **verb: str) -> Outcome:
    """Carry an order out, on a host without nginx."""
    kittens = act(source=git(), health={"timeout": 2}, timeout=5)
    sess = {"act": "kittens", "processes": 3}
    alone = given(production=house.production, **verb, acts=[kittens], sesses=[sess], venues=[], gigs=[])
    return production.reconcile(options.for_production(alone))


def there(house: House) -> tuple[Optional[str], bool, list[str]]:
    state = house.state()
    return state.live, bool(state.stopped), state.started


def oops(_asked: Variables) -> str:
    return "HTTP/1.1 500 Oops\r\n\r\n"


def test_start_restart_stop(crewed: House, emperor: Emperor) -> None:
    """Each is done once, and what fails at the gate leaves all as it was."""
    assert run(crewed, start="kittens").errors == []
    assert there(crewed) == (f"{A}.1", False, [f"{A}.1"])
    assert run(crewed, restart="kittens").errors == []
    assert there(crewed) == (f"{A}.2", False, [f"{A}.2"])
    emperor.answer = oops
    (error,) = run(crewed, restart="kittens").errors
    assert error.step == "gate"
    assert there(crewed) == (f"{A}.2", False, [f"{A}.2"])
    assert run(crewed, stop="kittens").errors == []
    assert there(crewed) == (None, True, [])
    assert run(crewed, stop="kittens").steps == []
    (error,) = run(crewed, start="kittens").errors
    assert there(crewed) == (None, True, []), "what does not start stays stopped"
    emperor.answer = purr
    assert run(crewed, start="kittens").errors == []
    assert there(crewed) == (f"{A}.5", False, [f"{A}.5"])
    assert run(crewed, start="kittens").steps == []
    events = [line["event"] for line in crewed.state().history.events if line["event"] not in ("migrated", "started")]
    assert events == ["played", "played", "stopped", "played"]


def test_only_nginx_shows_it_and_it_stays_stopped(crewed: House, emperor: Emperor, monkeypatch: Any) -> None:
    """nginx is not there to answer otherwise than the Sess does: it is said instead that it did."""
    run(crewed, start="kittens")
    run(crewed, stop="kittens")

    def refuse(_planner: Any, _act: Any) -> None:
        raise BackstageError("nginx says otherwise", step="switch")

    monkeypatch.setattr(Planner, "_ask", refuse)
    assert [error.message for error in run(crewed, start="kittens").errors] == ["nginx says otherwise"]
    assert there(crewed) == (None, True, [])

# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsals of an Act in the manifest, and the warnings about an Act that plays."""

from __future__ import annotations

import os
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import commands
from ansible_collections.backstage.django.plugins.module_utils.host import layout
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Outcome
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import rehearsal as rehearsals

from ...house import House
from .managers import EXACT, FILES, Managers, options, rehearse


def test_what_is_said_of_an_act_that_plays(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that the fork ends, say."""
    made = Managers(stage, [None], warnings=["act kittens: the thread 'x' was started while the Act was loaded"])
    monkeypatch.setattr(production, "carry_out", made.carry_out)
    monkeypatch.setattr(production, "ask", made.ask)
    assert rehearsals.Rehearsal(options(stage)).run().warnings == made.warnings


def test_what_a_deploy_would_warn_of(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(production, "check", lambda order: Outcome(warnings=["act kittens: the release is held"]))
    monkeypatch.setattr(production, "carry_out", Managers(stage, [None]).carry_out)
    monkeypatch.setattr(production, "ask", Managers(stage, [None]).ask)
    assert rehearsals.Rehearsal(options(stage, **EXACT)).run().warnings == ["act kittens: the release is held"]


@pytest.mark.parametrize(("text", "warned"), [("Django\nuWSGI==2.0.28\n", 1), ("Django\nuwsgi-tools\n", 0)])
def test_a_server_among_the_requirements(stage: House, monkeypatch: pytest.MonkeyPatch, text: str, warned: int) -> None:
    monkeypatch.setitem(FILES, "requirements.txt", text)
    monkeypatch.setattr(production, "carry_out", Managers(stage, [None]).carry_out)
    monkeypatch.setattr(production, "ask", Managers(stage, [None]).ask)
    found = rehearsals.Rehearsal(options(stage)).run()
    assert found.warnings == [f"act kittens: {rehearsals.SUPERFLUOUS}"] * warned


def test_an_act_of_the_manifest(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan is the real Production's, and what is pending is so for the live Act's database."""
    monkeypatch.setattr(commands, "applied_migrations", lambda production, act: [[production, act]])
    looks = {"pending": ["a.0002"], "warnings": ["security.W009: weak"]}
    found, managers = rehearse(stage, monkeypatch, None, looks=looks, record={"debug": True}, more=EXACT)
    assert (found["plays"], found["lacking"], found["pending"]) == (True, [], ["a.0002"])
    assert managers.asked == [[["cats", "kittens"]]]
    assert [(step["noun"], step["verb"]) for step in found["plan"]] == [
        ("act", "build"),
        ("act", "migrate"),
        ("sess", "play"),
        ("act", "add"),
        ("venue", "add"),
        ("gig", "book"),
    ]
    assert not os.path.exists(layout.Production("cats").root)


def test_a_deploy_that_would_be_refused(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Act plays, and could not be booked: somebody else has its name."""
    planned = Outcome(errors=[BackstageError("the name belongs to another", "act kittens", "booking")])
    monkeypatch.setattr(production, "check", lambda order: planned)
    found, _managers = rehearse(stage, monkeypatch, None, more=EXACT)
    assert (found["plays"], found["error"]) == (True, "the name belongs to another")
    assert "act kittens, booking on " in found["missing"][0]


def test_an_act_that_does_not_play_yet(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, managers = rehearse(stage, monkeypatch, None, more=EXACT)
    assert (found["plays"], found["pending"], managers.asked) == (True, [], [None])


def test_a_manifest_that_lacks_a_line(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ("gate", "/ answers 400 to the host 'kittens.example.com'")
    other = {"name": "dogs", "source": {"path": "/dogs"}}
    given = {"name": "kittens", "source": {"path": "/kittens"}, "writable": ["x"]}
    found, _managers = rehearse(stage, monkeypatch, refused, None, more={**EXACT, "acts": [other, given]})
    assert found["plays"]
    assert {*found["lacking"]} == {"files", "settings"}
    assert found["verdict"].startswith("act kittens: it plays with lines that the manifest lacks (")
    assert "ALLOWED_HOSTS" in found["verdict"]


def test_a_manifests_database_is_not_changed_for_another(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ("migrate", 'connection to server at "db", port 5432 failed: Connection refused')
    found, _managers = rehearse(stage, monkeypatch, refused, more=EXACT)
    assert (found["plays"], found["lacking"]) == (False, [])
    assert found["error"].startswith("the database does not answer")
    found, _managers = rehearse(stage, monkeypatch, refused, None)
    assert found["act"]["database"] == {"engine": "sqlite"}


def test_a_seed_that_failed_is_tried_again(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the next line, and only that one: others would be there twice."""
    stage.log({"event": "seed started", "seed": "one"}, {"event": "seed started", "seed": "fixture a.json"})
    stage.log({"event": "seed started", "seed": "two"}, {"event": "seed done", "seed": "two"})
    seeds = [{"name": name, "run": "x"} for name in ("one", "two", "three")]
    given = {"name": "kittens", "source": {"path": "/kittens"}, "fixtures": ["a.json"], "seed": seeds}
    _found, managers = rehearse(stage, monkeypatch, None, more={"acts": [given]})
    assert managers.orders[2].seeds == {"one": "again", "fixture a.json": "again"}


def test_django_that_can_not_be_asked(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_args: Any) -> dict[str, Any]:
        raise BackstageError("it has its own ideas", step="check")

    managers = Managers(stage, [None])
    monkeypatch.setattr(production, "carry_out", managers.carry_out)
    monkeypatch.setattr(production, "ask", ask)
    found = rehearsals.Rehearsal(options(stage, **EXACT)).run()
    assert found.plays
    assert found.missing == ["Django could not be asked for its warnings: it has its own ideas"]

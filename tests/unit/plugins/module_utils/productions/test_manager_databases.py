# SPDX-License-Identifier: GPL-3.0-or-later
"""A Production whose Acts have databases: what is planned, what an absent PostgreSQL stops, and what it does not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import databases
from ansible_collections.backstage.django.plugins.module_utils.acts.databases import Databases
from ansible_collections.backstage.django.plugins.module_utils.host import names
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Outcome

from ...house import House
from ...manifests import COMMIT, VENUE, Item, act, booked, git
from ...servers import Postgres

ENGINE = {"database": {"engine": "postgresql"}}
KITTENS = act(source=git(), secrets={}, **ENGINE)
DOGS = {"name": "dogs", "source": git(), "secrets": {}}
ABSENT: Item = {"acts": [act(state="absent")], "gigs": [], "venues": [], "delete_data": ["kittens"]}


@pytest.fixture
def known(crewed: House) -> House:
    """A host whose role has said that it has PostgreSQL."""
    Path(crewed.root, "etc", "database.json").write_text(json.dumps({"database_port": 5432}))
    return crewed


@pytest.fixture
def never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_args: Any) -> None:
        raise AssertionError("PostgreSQL was asked")

    monkeypatch.setattr(databases, "_psql", ask)


def given(house: House, **more: Any) -> Item:
    resolved = {name: {"content": COMMIT, "label": "v1"} for name in ("kittens", "dogs")}
    return {**booked(**{"acts": [KITTENS], "resolved": resolved, **more}), "production": house.production}


def checked(house: House, **more: Any) -> Outcome:
    return production.check(options.for_production(given(house, **more)))


def settled(house: House, **more: Any) -> None:
    house.host = house.host.read()
    house.settle(options.for_production(given(house, **more)))


def verbs(outcome: Outcome) -> list[str]:
    return [f"{step.noun} {step.name}: {step.verb}" for step in outcome.steps]


def make(house: House) -> str:
    for change in Databases(house.production, house.host.read()).plan("kittens"):
        assert change.make
        change.make()
    return names.player(house.production, "kittens")


FIRST = ["act kittens: build", "act kittens: create database", "act kittens: migrate", "sess kittens: play"]


def test_fault_36_an_empty_host(crewed: House, never_asked: None) -> None:
    """Without PostgreSQL, which the same playbook installs."""
    assert verbs(checked(crewed))[:4] == FIRST
    assert "act kittens: create database" not in verbs(checked(crewed, through="build"))


def test_a_host_without_the_role(crewed: House, never_asked: None) -> None:
    """Nothing of the Act is built in vain."""
    os.makedirs(crewed.paths.root)
    with pytest.raises(BackstageError, match="put it into the inventory group backstage_database"):
        raise production.reconcile(options.for_production(given(crewed, acts=[KITTENS], resolved={}))).errors[0]


def test_the_second_run(cluster: Postgres, known: House) -> None:
    assert verbs(checked(known))[:4] == FIRST
    make(known)
    settled(known)
    assert verbs(checked(known)) == []


def test_nobody_is_asked_without_need(known: House, never_asked: None) -> None:
    """SQLite, databases of the project's own, and removals that keep the data."""
    acts = [act(source=git(), secrets={}, database={"engine": "sqlite"}), DOGS]
    settled(known, acts=acts)
    assert verbs(checked(known, acts=acts)) == []
    assert "act kittens: remove" in verbs(checked(known, **{**ABSENT, "delete_data": []}))
    changed = [{**KITTENS, "env": {"A": "b"}}]
    assert "act kittens: build" in verbs(checked(known, through="build", acts=changed)), "a build needs none"


def test_an_engine_that_changes(cluster: Postgres, known: House) -> None:
    """No new release: another database, migrated, and a Sess that is told of it."""
    settled(known, acts=[act(source=git(), secrets={})])
    outcome = checked(known)
    assert verbs(outcome) == [*FIRST[1:], "act kittens: change"]
    (played,) = [step.after for step in outcome.steps if step.noun == "sess"]
    assert played["because"] == ["variable DATABASE_URL changed"]


def test_somebody_dropped_it(cluster: Postgres, known: House) -> None:
    cluster.ask(f'DROP DATABASE "{make(known)}"')
    settled(known)
    assert verbs(checked(known)) == FIRST[1:3]


def test_fault_90_postgresql_is_down(cluster: Postgres, known: House) -> None:
    """The Act that needs it is left alone with one sentence, and the others are played."""
    make(known)
    settled(known)
    changed = [{**KITTENS, "env": {"A": "b"}}, DOGS]
    cluster.stop()
    try:
        outcome = checked(known, acts=changed, sesses=[{"act": "dogs"}])
        (error,) = outcome.errors
        assert str(error).startswith(f"act kittens, database on {os.uname().nodename}: PostgreSQL does not answer on")
        assert "\n" not in str(error)
        assert [verb for verb in verbs(outcome) if "kittens:" in verb] == []
        assert outcome.missing == ["dogs"], "its source is not fetched in vain"
        assert "sess dogs: play" in verbs(outcome)
    finally:
        cluster.start()
    again = checked(known, acts=changed, sesses=[{"act": "dogs"}])
    assert again.errors == []
    assert "sess kittens: play" in verbs(again)


def test_its_data_goes_with_its_database(cluster: Postgres, known: House) -> None:
    settled(known, gigs=[], venues=[])
    (step,) = [step for step in checked(known, **ABSENT).steps if step.verb == "delete data"]
    assert step.before == "data and media"
    make(known)
    (step,) = [step for step in checked(known, **ABSENT).steps if step.verb == "delete data"]
    assert step.before == "data, media and database"


def test_what_is_left_of_it_goes_by_name(cluster: Postgres, known: House) -> None:
    """Its directories were lost: its database is still known."""
    name = make(known)
    os.makedirs(known.paths.root)
    outcome = production.reconcile(options.for_production(given(known, **ABSENT)))
    assert (verbs(outcome), outcome.errors) == (["act kittens: delete data"], [])
    assert name not in cluster.ask("SELECT array_agg(rolname) FROM pg_roles")
    assert verbs(checked(known, **ABSENT)) == []


def test_a_strike_without_postgresql(cluster: Postgres, known: House) -> None:
    """All or nothing: what the Acts share would go while this one stays. Without data nobody is asked."""
    make(known)
    settled(known)
    cluster.stop()
    try:
        with pytest.raises(BackstageError, match="PostgreSQL does not answer"):
            checked(known, state="absent", delete_data=["kittens"])
        assert "production " + known.production + ": strike" in verbs(checked(known, state="absent"))
        assert VENUE in str(verbs(checked(known, state="absent")))
    finally:
        cluster.start()

# SPDX-License-Identifier: GPL-3.0-or-later
"""What check mode says is what a run says and does: compared key by key, and with what is on the host before and after.

The run is real, against an emperor of the test. The scenario `plans` compares more kinds of changes on hosts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options, results
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Order

from ...emperors import Emperor
from ...house import B, House, wanted
from ...manifests import Item, act, git
from .runs import given

TIMEOUTS = {"health": {"timeout": 2}, "timeout": 5}


@pytest.fixture
def played(crewed: House) -> Iterator[House]:
    """Kittens plays. Another release was built and never played, and an interrupted run left a Sess of it."""
    acts.prepare(crewed.act())
    want = wanted(order(crewed).manifest.acts["kittens"])
    for release in (want.release, B):
        crewed.build(release)
    crewed.record(want)
    crewed.log({"event": "migrated", "release": want.release, "database": ""})
    with Emperor(Path(crewed.host.vassals), Path(crewed.host.stats), log=Path(crewed.act().log)):
        production.reconcile(order(crewed))
        Path(crewed.act().sess(f"{B}.1").root).mkdir()
        yield crewed


def order(house: House, **more: Any) -> Order:
    """An order for kittens alone, on a host without nginx."""
    kittens = {**TIMEOUTS, **more.pop("kittens", {})}
    sess = {"act": "kittens", "processes": 1, **more.pop("sess", {})}
    lists = {"acts": [act(source=git(), **kittens)], "sesses": [sess], "venues": [], "gigs": []}
    return options.for_production(given(production=house.production, **{**lists, **more}))


ORDERS: list[tuple[str, Item, list[str]]] = [
    ("nothing but what is left", {}, ["sess sweep"]),
    ("another Sess", {"sess": {"processes": 2}}, ["sess sweep", "sess play"]),
    ("a stop by the manifest", {"sess": {"state": "stopped"}}, ["sess sweep", "sess stop"]),
    ("fewer releases", {"kittens": {"keep_releases": 1}}, ["sess sweep", "act change", "act discard"]),
    ("a restart", {"restart": "kittens"}, ["sess sweep", "sess play"]),
    ("a stop", {"stop": "kittens"}, ["sess sweep", "sess stop"]),
    ("a rollback", {"rollback": "kittens", "release": B}, ["sess sweep", "sess roll back"]),
    ("pruned", {"acts": [], "sesses": [], "prune": True}, ["sess remove", "act remove"]),
    (
        "pruned with its data",
        {"acts": [], "sesses": [], "prune": True, "delete_data": ["kittens"]},
        ["sess remove", "act remove", "act delete data"],
    ),
]


@pytest.mark.parametrize(("name", "what", "steps"), ORDERS)
def test_a_plan_is_what_the_run_does(played: House, name: str, what: Item, steps: list[str]) -> None:
    before = played.seen()
    planned = results.as_result(production.check(order(played, **what)))
    assert played.seen() == before, "planning changes nothing"
    assert sorted(f"{step['noun']} {step['verb']}" for step in planned["plan"]) == sorted(steps)
    outcome = production.reconcile(order(played, **what))
    assert outcome.errors == []
    made = results.as_result(outcome)
    assert len(made["plan"]) == len(planned["plan"])
    for done, said in zip(made["plan"], planned["plan"]):
        for key in said:
            assert done[key] == said[key], (name, said["verb"], key)
    assert made["diff"] == planned["diff"], "and both tell it in the same words"
    assert (made["changed"], planned["changed"]) == (True, True)
    assert Path(played.act().run_log).exists() == bool(played.state().has_data), "a log goes with the data"
    again = production.check(order(played, **{key: value for key, value in what.items() if key != "restart"}))
    assert [step.verb for step in again.steps] == [], "and then there is nothing to do"

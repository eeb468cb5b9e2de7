# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run costs that has nothing to do: with twice as many Acts twice as much, and each file is read once."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx
from ansible_collections.backstage.django.plugins.module_utils.manifest import parse
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options as orders
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Outcome

from ...costs import opened, steps
from ...house import House
from ...manifests import COMMIT, Item, git, options

SECRET = "purrpurr"
SIZES = (10, 20, 40)


def crowd(count: int, first: int = 0) -> Item:
    """As many Acts, from the first one on, each with a secret, a Venue and a port."""
    names = [f"kitten{number}" for number in range(first, count)]
    return options(
        acts=[{"name": name, "secrets": {"KEY": SECRET}} for name in names],
        act_defaults={"source": git()},
        sesses=[{"act": name, "port": 20000 + number} for number, name in enumerate(names, first)],
        venues=[{"name": f"{name}.example.com"} for name in names],
        gigs=[{"act": name, "venue": f"{name}.example.com"} for name in names],
        resolved={name: {"content": COMMIT, "label": "v1"} for name in names},
    )


def settled(house: House, count: int) -> Item:
    """They play, and nobody has touched anything since."""
    known = len(os.listdir(house.paths.acts)) if os.path.isdir(house.paths.acts) else 0
    house.settle(orders.for_production(crowd(count, known)))
    given = crowd(count)
    for item in given["acts"]:
        found = house.act(item["name"])
        Path(found.sess(os.path.basename(os.readlink(found.live))).record).touch()
    time.sleep(0.02)  # the kernel's clock of files has ticks of 4 or 10 ms
    return given


def idle(given: Item) -> Outcome:
    outcome = production.check(orders.for_production(given))
    assert (outcome.steps, outcome.errors) == ([], [])
    return outcome


def is_proportional(costs: list[int]) -> bool:
    """Whether the cost of twice as many is twice what is not the same for all."""
    few, more, most = costs
    return most - more <= 2.02 * (more - few)


def test_a_manifest_is_checked_in_proportion() -> None:
    parse.parse(crowd(1))  # what is made once is made
    costs = [steps(partial(parse.parse, crowd(count))) for count in SIZES]
    assert is_proportional(costs), costs


def test_a_plan_is_made_in_proportion(house: House) -> None:
    costs = []
    for count in SIZES:  # each has the Acts of the one before it
        given = settled(house, count)
        idle(given)
        costs.append(steps(partial(idle, given)))
    assert is_proportional(costs), costs


def test_each_file_is_opened_once(house: House) -> None:
    """And no variable's: they are as the Sess was given them."""
    given = settled(house, 3)
    with opened() as files:
        idle(given)
    own = [path for path in files if path.startswith((house.paths.root, house.host.venues))]
    assert sorted(set(own)) == sorted(own)
    names = {"act.json", "history.jsonl", "hold", "stopped", "release.json", "sess.json", "limits.json", "uwsgi.ini"}
    assert {os.path.basename(path) for path in own if "/kitten0/" in path} == names


CHANGES: list[tuple[str, Any]] = [
    ("changed", lambda env: (env / "KEY").write_text("meowmeow\n")),
    ("added", lambda env: (env / "MORE").write_text("x\n")),
    ("removed", lambda env: (env / "KEY").unlink()),
    ("replaced by an older one", lambda env: replaced(env / "KEY")),
]


def replaced(path: Path) -> None:
    """Another file that says that it is old."""
    new = path.with_name("NEW")
    new.write_text("meowmeow\n")
    os.utime(new, (1, 1))
    new.rename(path)


@pytest.mark.parametrize(("how", "change"), CHANGES)
def test_a_variable_that_a_hand_changed_is_noticed(house: House, how: str, change: Any) -> None:
    given = settled(house, 1)
    act = house.act("kitten0")
    change(Path(act.live, "env"))
    steps = production.check(orders.for_production(given)).steps
    assert ("sess", "play") in [(step.noun, step.verb) for step in steps], how


def test_nginx_is_asked_once_and_not_for_our_own_servers(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(nginx, "read", lambda ours: asked.append(ours) or nginx.Configuration())
    idle(settled(house, 3))
    assert asked == [house.host.venues]

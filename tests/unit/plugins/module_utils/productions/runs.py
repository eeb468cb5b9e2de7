# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests of the tests, and the plans of the Production manager for them."""

from __future__ import annotations

from typing import Any

from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options as orders
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Outcome

from ...house import House
from ...manifests import COMMIT, VENUE, Item, act, booked, git

WWW = "www." + VENUE
NEXT = COMMIT.replace("0", "f")
GIG = f"kittens at {VENUE}/"
SECRET = {"secrets": {"KEY": "purrpurr"}}
DOGS = {"name": "dogs", "source": git()}


def gig(path: str, act: str = "kittens", venue: str = VENUE) -> Item:
    return {"act": act, "venue": venue, "path": path}


def given(**more: Any) -> Item:
    """Kittens, played at its Venue, from a source that is resolved."""
    contents = {"kittens": COMMIT, "dogs": COMMIT, **more.pop("contents", {})}
    resolved = {name: {"content": content, "label": "v1"} for name, content in contents.items()}
    return booked(**{"acts": [act(source=git(), **SECRET)], "resolved": resolved, **more})


def settled(house: House, **more: Any) -> Item:
    before = given(**more)
    house.settle(orders.for_production(before))
    return before


def checked(**more: Any) -> Outcome:
    return production.check(orders.for_production(given(**more)))


def verbs(outcome: Outcome) -> list[str]:
    return [f"{step.noun} {step.name}: {step.verb}" for step in outcome.steps]


PLAY = "sess kittens: play"
BOOKED = [f"venue {VENUE}: add", f"gig {GIG}: book"]

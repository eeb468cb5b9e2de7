# SPDX-License-Identifier: GPL-3.0-or-later
"""What a build found is said in each run that builds or plays the release, and in no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options
from ansible_collections.backstage.django.plugins.module_utils.state import read as state

from ...house import House
from ...manifests import COMMIT, act, booked, git
from .test_manager import SECRET


def order(**more: Any) -> Any:
    resolved = {"kittens": {"content": COMMIT, "label": "v1"}}
    return options.for_production(booked(acts=[act(source=git(), **SECRET, **more)], resolved=resolved))


@pytest.mark.parametrize(
    ("more", "said"),
    [({}, []), ({"timeout": 61}, ["act kittens: mind the gap"]), ({"keep_releases": 9}, [])],
    ids=["nothing is to be done", "it is played anew", "it plays on"],
)
def test_warnings_of_a_release(house: House, more: dict[str, Any], said: list[str]) -> None:
    house.settle(order())
    (seal,) = Path(house.paths.acts).glob("kittens/releases/*/release.json")
    seal.write_text(json.dumps({**json.loads(seal.read_text()), "warnings": ["mind the gap"]}))
    run = production._Run(order(**more))
    run.plan()
    run._warn_of_releases(state.read(house.paths.name, house.host))
    assert run.warnings == said

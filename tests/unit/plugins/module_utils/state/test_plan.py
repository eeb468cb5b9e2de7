# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans as users see them: entries, Ansible's diff form, and the order of phases."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Change, Phase, Step, differing

DIFFERING = [
    ({}, {}, {}, {}),
    ({"a": 1}, {"a": 1}, {}, {}),
    ({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b": 2}, {"b": 3}),
    ({"a": 1}, {}, {"a": 1}, {}),
    ({}, {"a": None}, {}, {}),
    ({"a": None}, {"a": 1}, {"a": None}, {"a": 1}),
    ({"a": {"x": 1}}, {"a": {"x": 2}}, {"a": {"x": 1}}, {"a": {"x": 2}}),
]
TEXTS = [(None, ""), ("v1", "v1\n"), ({"b": 1, "a": [2]}, '{\n  "a": [\n    2\n  ],\n  "b": 1\n}\n')]


@pytest.mark.parametrize(("before", "after", "old", "new"), DIFFERING)
def test_differing(before: Any, after: Any, old: Any, new: Any) -> None:
    assert differing(before, after) == {"before": old, "after": new}


@pytest.mark.parametrize(("value", "text"), TEXTS)
def test_diff(value: Any, text: str) -> None:
    shown = Step("act", "kittens", "change", value, value).diff()
    assert (shown["before"], shown["after"]) == (text, text)
    assert shown["before_header"] == shown["after_header"] == "act kittens (change)"


def test_entry() -> None:
    entry = Step("gig", "kittens at a.b/", "book", None, "kittens").entry()
    assert entry == {"noun": "gig", "name": "kittens at a.b/", "verb": "book", "before": None, "after": "kittens"}


def test_phases_are_made_in_the_order_of_the_design() -> None:
    """What clears comes first; nginx hears of what plays; nothing is stopped that nginx still names."""
    told = [Phase.TIDY, Phase.STOP, Phase.BOOK, Phase.PLAY, Phase.MIGRATE, Phase.REMOVE, Phase.BUILD, Phase.CLEAR]
    changes = sorted((Change(Step("act", phase.name, ""), phase) for phase in told), key=lambda change: change.phase)
    order = [change.step.name for change in changes]
    assert order == ["CLEAR", "BUILD", "MIGRATE", "PLAY", "BOOK", "STOP", "REMOVE", "TIDY"]

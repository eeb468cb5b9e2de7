# SPDX-License-Identifier: GPL-3.0-or-later
"""Collecting what is wrong: a line each, refused together, a secret without its value."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.errors import Refusal
from ansible_collections.backstage.django.plugins.module_utils.problems import Problems, one_of


def test_lines() -> None:
    problems = Problems()
    problems.check("a.b", 1, None)
    problems.refuse()  # nothing is wrong so far
    problems.check("a.b", "c\n", "use a letter")
    problems.check("a.key", "purrpurr", "it is too short", secret=True)
    problems.add("a.c", None, "is missing")
    with pytest.raises(Refusal) as refusal:
        problems.refuse()
    assert str(refusal.value).splitlines() == ["a.b: 'c\\n': use a letter", "a.key: it is too short", "a.c: is missing"]


@pytest.mark.parametrize(("known", "said"), [({}, "no Act; known: none"), ({"b": 1, "a": 2}, "no Act; known: a, b")])
def test_one_of(known: dict[str, int], said: str) -> None:
    assert one_of("no Act", known) == said

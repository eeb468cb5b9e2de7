# SPDX-License-Identifier: GPL-3.0-or-later
"""Collecting what is wrong: a line each, refused together, a secret without its value."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host.errors import Refusal
from ansible_collections.backstage.django.plugins.module_utils.manifest.problems import Problems, one_of


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


LONG = "x" * 200000
LINES = [
    # (where, value, what, the line)
    ("a", LONG, "is long", f"a: '{'x' * 59}... (200002 characters): is long"),
    ("a", [LONG], "is long", f"a: ['{'x' * 58}... (200004 characters): is long"),
    (f"a[{LONG}].b", None, "is long", f"a[{'x' * 60}... (200000 characters)].b: is long"),
    ("a", None, f"write it as '{LONG}'", f"a: write it as '{'x' * 60}... (200000 characters)'"),
    ("a[b\nc]", "d\ne", "is two lines", "a[b\\nc]: 'd\\ne': is two lines"),
    ("a", "https://reader:purrpurr@b.example/", "no", "a: no"),
    ("a", "https:/purrpurr@b.example", "no", "a: no"),
    ("a", "git@b.example:c.git", "no", "a: 'git@b.example:c.git': no"),
]


@pytest.mark.parametrize(("where", "value", "what", "line"), LINES)
def test_a_line(where: str, value: object, what: str, line: str) -> None:
    """Short, on one line, and without a password."""
    problems = Problems()
    problems.add(where, value, what)
    assert problems.lines == [line]


def test_a_problem_is_reported_once() -> None:
    problems = Problems()
    for _again in range(2):
        problems.add("a", 1, "is wrong")
    assert problems.lines == ["a: 1: is wrong"]


@pytest.mark.parametrize(("known", "said"), [({}, "no Act; known: none"), ({"b": 1, "a": 2}, "no Act; known: a, b")])
def test_one_of(known: dict[str, int], said: str) -> None:
    assert one_of("no Act", known) == said

# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan in words: each step by its number, in its order, for people."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.state import words
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Step

from ...house import A, B

PLUGINS = Path(words.__file__).parents[1]
NOT_OF_A_PRODUCTION = {"producers"}
"""Folders whose steps are never in the plan of a Production."""
SAID: list[tuple[Step, str]] = [
    (Step("act", "kittens", "build", None, A), f"build release {A}"),
    (Step("act", "kittens", "build", A, B), f"build release {B}; {A} plays on meanwhile"),
    (
        Step("act", "kittens", "migrate", None, A),
        f"migrate the database for release {A}; which migrations are pending is not known before",
    ),
    (
        Step("act", "kittens", "migrate", None, {"release": A, "pending": ["cats.0002_tail", "cats.0003_coat"]}),
        "migrate the database: cats.0002_tail, cats.0003_coat",
    ),
    (
        Step("act", "kittens", "migrate", None, {"release": A, "pending": []}),
        "migrate the database: nothing is pending",
    ),
    (Step("act", "kittens", "hook", None, "after_switch: warm"), "run the hook after_switch: warm"),
    (Step("act", "kittens", "seed", None, "superuser"), "run the seed superuser"),
    (Step("act", "kittens", "rename", "cats", "kittens"), "rename it, with its data, from cats"),
    (
        Step("act", "kittens", "restore", {"release": B}, {"release": A, "at": "2026-11-30T10:00:00+00:00"}),
        f"restore the databases from the dump of release {A}, made 2026-11-30T10:00:00+00:00",
    ),
    (Step("act", "kittens", "delete data", "data and media"), "delete its data and media, and its users"),
    (
        Step("sess", "kittens", "play", None, {"release": A, "because": ["nothing plays"]}),
        f"start release {A}, and ask it for its page; then visitors come to it",
    ),
    (
        Step("sess", "kittens", "play", {"release": A}, {"release": B, "because": ["release"]}),
        f"switch from release {A} to {B}: start it, ask it for its page, switch visitors, drain the old one"
        " (because: release)",
    ),
    (
        Step("sess", "kittens", "play", {"release": A}, {"release": A, "because": ["secret KEY changed", "threads"]}),
        f"switch to another Sess of release {A}: start it, ask it for its page, switch visitors, drain the old one"
        " (because: secret KEY changed, threads)",
    ),
    (
        Step("sess", "kittens", "roll back", {"release": A}, {"release": B, "because": ["release"]}),
        f"roll back from release {A} to {B}, and hold {A}: start it, ask it for its page, switch visitors, drain the"
        " old one (because: release)",
    ),
    (
        Step("sess", "kittens", "stop", {"release": A}, {"until": "it is started"}),
        f"finish the requests of release {A}, and stop it until it is started",
    ),
    (Step("sess", "kittens", "stop", {"release": A}), f"finish the requests of release {A}, and stop it"),
    (Step("timer", "kittens/nightly", "add", None, "at 03:00: clear"), "add the timer nightly, at 03:00: clear"),
    (
        Step("venue", "a.b", "add", None, {"aliases": ["www.a.b"], "tls": "none", "state": "open", "hsts": 0}),
        "create the Venue (aliases: www.a.b, tls: none, state: open)",
    ),
    (Step("venue", "a.b", "set passwords", ["bob"], ["ada"]), "passwords: set those of ada; remove bob"),
    (Step("venue", "a.b", "set passwords", None, ["ada"]), "passwords: set those of ada"),
    (Step("venue", "a.b", "certify", None, "own, because it ends"), "new certificate: own, because it ends"),
    (Step("gig", "kittens at a.b/blog", "book", None, "kittens"), "book kittens at /blog"),
    (Step("gig", "dogs at a.b/", "rebook", "kittens", "dogs"), "book dogs at / in the place of kittens"),
    (Step("gig", "kittens at a.b/new", "move", "/old", "/new"), "move it from /old to /new"),
    (
        Step("venue", "a.b", "schedule", None, ["now: jazz", "Saturday 18:00: hiphop"]),
        "follow the calendar: now: jazz; Saturday 18:00: hiphop",
    ),
    (Step("venue", "a.b", "schedule", ["now: jazz"], None), "follow no calendar any more"),
    (
        Step("gig", "jazz at a.b/", "schedule", "always", "friday"),
        "play at / at other times: friday; before: always",
    ),
]


@pytest.mark.parametrize(("step", "text"), SAID)
def test_what_is_said_of_a_step(step: Step, text: str) -> None:
    assert words.said(step) == text


def test_a_step_without_words_is_told_by_its_values() -> None:
    """A new verb is never hidden, and never an error."""
    assert words.said(Step("act", "kittens", "dump", None, "a.dump")) == "dump act: a.dump"
    assert words.said(Step("moon", "full", "rise")) == "rise moon"


SUBJECTS = [
    (Step("gig", "kittens at a.b/blog", "book"), "a.b"),
    (Step("venue", "all", "reload"), "nginx"),
    (Step("venue", "a.b", "add"), "a.b"),
    (Step("timer", "kittens/nightly", "add"), "kittens"),
    (Step("sess", "kittens", "play"), "kittens"),
]


@pytest.mark.parametrize(("step", "about"), SUBJECTS)
def test_what_a_step_is_about(step: Step, about: str) -> None:
    assert words.subject(step) == about


def test_lines_are_numbered_and_changes_follow_with_their_values() -> None:
    before = {"health": {"path": "/", "text": None}, "keep_releases": 5, "env": {}}
    after = {"health": {"path": "/up/", "text": None}, "keep_releases": 3, "env": {"A": ""}, "build": ["npm ci"]}
    steps = [Step("act", "kittens", "build", None, A), Step("act", "kittens", "change", before, after)]
    assert words.lines(steps) == [
        f"  1. kittens: build release {A}",
        "  2. kittens: record what the manifest says of the Act now",
        "       health.path: / -> /up/",
        "       keep_releases: 5 -> 3",
        "       env.A: nothing -> ''",
        "       build: nothing -> npm ci",
    ]


def test_no_value_obeys_or_breaks_a_line() -> None:
    steps = [
        Step("act", "kittens", "seed", None, "a\n  9. dogs: \x1b[2Jremove"),
        Step("act", "a", "change", {"x": "1"}, {"x": "2\n3"}),
    ]
    assert words.lines(steps) == [
        "  1. kittens: run the seed a?  9. dogs: ?[2Jremove",
        "  2. a: record what the manifest says of the Act now",
        "       x: 1 -> 2?3",
    ]


def test_the_diff_is_the_words_and_the_lines_of_files() -> None:
    rewrite = Step("venue", "a.b", "rewrite", "old;\nsame;\n", "new;\nsame;\n")
    build = Step("act", "kittens", "build", None, A)
    assert words.diff([build, rewrite]) == [
        {"prepared": f"  1. kittens: build release {A}\n  2. a.b: write nginx's file of the Venue again\n"},
        rewrite.diff(),
    ]
    assert words.diff([]) == []


def written_in_code() -> set[tuple[str, str]]:
    """Noun and verb of each Step that the managers make with both written out."""
    found = set()
    for path in sorted(PLUGINS.rglob("*.py")):
        if NOT_OF_A_PRODUCTION & {*path.relative_to(PLUGINS).parts}:
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Step":
                found.add((value(call.args[0]), value(call.args[2])))
    return {(str(noun), str(verb)) for noun, verb in found if noun and verb}


def value(node: Any) -> Any:
    return node.value if isinstance(node, ast.Constant) else None


def test_each_step_that_the_managers_make_has_words() -> None:
    found = written_in_code()
    assert len(found) > 15
    assert found - words.known() == set()

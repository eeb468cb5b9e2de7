# SPDX-License-Identifier: GPL-3.0-or-later
"""Each verb of Venues, Gigs and ports: what is and what should be -> the steps."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import steps as booking_steps

V = "a.example"


def block(gigs: Any = (), state: str = "open", aliases: tuple[str, ...] = ()) -> dict[str, Any]:
    told = {"production": "jazz", "name": V, "tls": "none", "gigs": list(gigs)}
    return {**told, "aliases": list(aliases), "state": state}


def on(act: str = "", **paths: str) -> list[dict[str, str]]:
    """Gigs of an Act at the root, and of others by the first letters of their paths."""
    at_root = [{"act": act, "path": "/"}] if act else []
    return at_root + [{"act": other, "path": f"/{path}"} for path, other in paths.items()]


SETTINGS = {"aliases": [], "tls": "none"}
STEPS: list[tuple[Optional[dict[str, Any]], Optional[dict[str, Any]], list[tuple[str, str, str, Any, Any]]]] = [
    # (before, after, the steps: noun, name, verb, before, after)
    (None, None, []),
    (block(), block(), []),
    (None, block(), [("venue", V, "add", None, {**SETTINGS, "state": "open"})]),
    (None, block(state="closed"), [("venue", V, "add", None, {**SETTINGS, "state": "closed"})]),
    (
        None,
        block(on("kittens")),
        [
            ("venue", V, "add", None, {**SETTINGS, "state": "open"}),
            ("gig", f"kittens at {V}/", "book", None, "kittens"),
        ],
    ),
    (block(), None, [("venue", V, "remove", SETTINGS, None)]),
    (
        block(on("kittens")),
        None,
        [("gig", f"kittens at {V}/", "cancel", "kittens", None), ("venue", V, "remove", SETTINGS, None)],
    ),
    (block(), block(state="closed"), [("venue", V, "close", "open", "closed")]),
    (block(state="closed"), block(), [("venue", V, "open", "closed", "open")]),
    (block(), block(aliases=("b",)), [("venue", V, "change", {"aliases": []}, {"aliases": ["b"]})]),
    (
        {**block(), "options": {"upload": "1g"}},
        {**block(), "options": {"deny": ["::1"]}},
        [("venue", V, "change", {"upload": "1g"}, {"deny": ["::1"]})],
    ),
    (block(aliases=("b",)), block(), [("venue", V, "change", {"aliases": ["b"]}, {"aliases": []})]),
    (block(), block(on("kittens")), [("gig", f"kittens at {V}/", "book", None, "kittens")]),
    (block(on("kittens")), block(), [("gig", f"kittens at {V}/", "cancel", "kittens", None)]),
    (block(on("kittens")), block(on("dogs")), [("gig", f"dogs at {V}/", "rebook", "kittens", "dogs")]),
    (
        block(on("kittens")),
        block(on("dogs"), "closed", ("b",)),
        [
            ("venue", V, "close", "open", "closed"),
            ("venue", V, "change", {"aliases": []}, {"aliases": ["b"]}),
            ("gig", f"dogs at {V}/", "rebook", "kittens", "dogs"),
        ],
    ),
    # paths
    (block(on("dogs")), block(on("dogs", a="cats")), [("gig", f"cats at {V}/a", "book", None, "cats")]),
    (block(on(a="cats")), block(on(b="cats")), [("gig", f"cats at {V}/b", "move", "/a", "/b")]),
    (block(on(a="cats")), block(on("cats")), [("gig", f"cats at {V}/", "move", "/a", "/")]),
    (block(on("dogs", a="cats")), block(on("cats")), [
        ("gig", f"dogs at {V}/", "cancel", "dogs", None),
        ("gig", f"cats at {V}/", "move", "/a", "/"),
    ]),
    (block(on(a="cats", b="dogs")), block(on(a="dogs", b="cats")), [
        ("gig", f"dogs at {V}/a", "rebook", "cats", "dogs"),
        ("gig", f"cats at {V}/b", "rebook", "dogs", "cats"),
    ]),
    (block(on(a="cats")), None, [
        ("gig", f"cats at {V}/a", "cancel", "cats", None),
        ("venue", V, "remove", SETTINGS, None),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "steps"), STEPS)
def test_of_venue(before: Any, after: Any, steps: list[tuple[str, str, str, Any, Any]]) -> None:
    found = booking_steps.of_venue(V, before, after)
    assert [(step.noun, step.name, step.verb, step.before, step.after) for step in found] == steps


def port(number: int, path: str = "/") -> dict[str, Any]:
    return {"production": "jazz", "act": "kittens", "port": number, "path": path}


PORTS = [
    (None, None, []),
    (port(8001), port(8001), []),
    (None, port(8001), [("listen", None, "localhost:8001/")]),
    (port(8001), port(8002), [("listen", "localhost:8001/", "localhost:8002/")]),
    (port(8001), port(8001, "/blog"), [("listen", "localhost:8001/", "localhost:8001/blog")]),
    (port(8001), None, [("unlisten", "localhost:8001/", None)]),
]


@pytest.mark.parametrize(("before", "after", "steps"), PORTS)
def test_of_port(before: Any, after: Any, steps: list[tuple[str, Any, Any]]) -> None:
    found = booking_steps.of_port("kittens", before, after)
    assert [(step.verb, step.before, step.after) for step in found] == steps
    assert {(step.noun, step.name) for step in found} <= {("sess", "kittens")}

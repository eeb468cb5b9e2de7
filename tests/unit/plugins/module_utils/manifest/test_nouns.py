# SPDX-License-Identifier: GPL-3.0-or-later
"""The nouns: what they answer about each other, and that no summary holds a secret."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Seed
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import (
    Act,
    File,
    Gig,
    Health,
    Manifest,
    Sess,
    Source,
    Venue,
    summary,
)

JAZZ = Manifest(
    "jazz",
    {name: Act(name) for name in ("kittens", "dogs", "birds")},
    {name: Sess(name) for name in ("kittens", "dogs")},
    {name: Venue(name) for name in ("c.example", "b.example", "a.example")},
    [
        Gig("kittens", "a.example"),
        Gig("kittens", "c.example"),
        Gig("dogs", "b.example"),
        Gig("birds", "b.example", state="absent"),
    ],
)


@pytest.mark.parametrize(("act", "gigs"), [("kittens", 2), ("dogs", 1), ("birds", 0), ("cats", 0)])
def test_gigs_of(act: str, gigs: int) -> None:
    """An absent Gig is none."""
    assert len(JAZZ.gigs_of(act)) == gigs


@pytest.mark.parametrize(
    ("acts", "sesses", "venues", "gigs"),
    [
        (set(), [], [], 0),
        ({"kittens"}, ["kittens"], ["c.example", "a.example"], 2),
        # an absent Gig names its Venue, too: it is to be cancelled there
        ({"birds"}, [], ["b.example"], 1),
        ({"kittens", "dogs"}, ["kittens", "dogs"], ["c.example", "b.example", "a.example"], 3),
    ],
)
def test_only(acts: set[str], sesses: list[str], venues: list[str], gigs: int) -> None:
    found = JAZZ.only(acts)
    assert (set(found.acts), list(found.sesses), list(found.venues)) == (acts, sesses, venues)
    assert (found.production, len(found.gigs), len(JAZZ.gigs)) == ("jazz", gigs, 4)


@pytest.mark.parametrize(
    ("status", "answer", "accepted"),
    [
        ((), 200, True),
        ((), 204, True),
        ((), 302, True),
        ((), 399, True),
        ((), 199, False),
        ((), 400, False),
        ((), 500, False),
        ((403,), 403, True),
        ((403,), 200, False),
        ((200, 401), 401, True),
    ],
)
def test_health(status: tuple[int, ...], answer: int, accepted: bool) -> None:
    assert Health(status=status).accepts(answer) is accepted


@pytest.mark.parametrize(
    ("source", "label"), [(Source("git", "https://a/b", "v1"), "v1"), (Source("path", "acts/kittens"), "acts/kittens")]
)
def test_label(source: Source, label: str) -> None:
    assert source.label == label


def test_names_of_a_venue() -> None:
    assert Venue("a.example", ["www.a.example"]).names == ["a.example", "www.a.example"]


def test_no_summary_and_no_repr_holds_a_secret() -> None:
    seed = Seed("s", "run", env={"A": "b"}, secrets={"PW": "meowmeow"})
    act = Act("kittens", secrets={"KEY": "purrpurr"}, seed=[seed], files=[File("a", "b")], health=Health(status=(200,)))
    told = summary(act)
    assert told["seed"] == [{"name": "s", "run": "run", "before_migrate": False, "env": {"A": "b"}}]
    assert (told["files"], told["health"]["status"]) == ([{"path": "a", "content": "b"}], [200])
    assert "secrets" not in told
    for text in (str(told), repr(act), repr(Manifest("jazz", {"kittens": act}))):
        assert "purrpurr" not in text
        assert "meowmeow" not in text

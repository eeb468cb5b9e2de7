# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import blocks

VENUE: dict[str, Any] = {
    "name": "a.example",
    "gigs": [{"act": "kittens", "path": "/"}, {"act": "dogs", "path": "/dogs"}],
}


@pytest.mark.parametrize(
    ("block", "acts"), [(VENUE, ["kittens", "dogs"]), ({"port": 8001, "act": "kittens"}, ["kittens"])]
)
def test_acts(block: blocks.Block, acts: list[str]) -> None:
    assert blocks.acts(block) == acts


@pytest.mark.parametrize(
    ("paths", "acts"),
    [({}, ["kittens", "dogs"]), ({"kittens": "/cats"}, ["dogs"]), ({"kittens": "/", "dogs": "/d"}, ["kittens"])],
)
def test_gigs_that_stay_where_they_are(paths: dict[str, str], acts: list[str]) -> None:
    assert blocks.acts(blocks.staying(VENUE, paths)) == acts


def test_unique_keeps_the_order() -> None:
    assert blocks.unique([["/b/", "/a/"], ["/a/", "/c/"]]) == ("/b/", "/a/", "/c/")

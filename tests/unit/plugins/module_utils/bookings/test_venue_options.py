# SPDX-License-Identifier: GPL-3.0-or-later
"""A Venue's options as the data of its file, and back."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import addresses, server_block, venue_options
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Proxies, Rate, Venue

NAME = "kittens.example.com"
OPTIONS: list[tuple[Venue, dict[str, Any]]] = [
    (Venue(NAME), {}),
    (Venue(NAME, upload="10m", rate=Rate()), {}),
    (Venue(NAME, upload="1g"), {"upload": "1g"}),
    (Venue(NAME, allow=["::1"], deny=["192.0.2.1"]), {"allow": ["::1"], "deny": ["192.0.2.1"]}),
    (Venue(NAME, rate=Rate("5/s", 3)), {"rate": {"requests": "5/s", "burst": 3}}),
    (
        Venue(NAME, proxies=Proxies(["192.0.2.1"])),
        {"proxies": {"addresses": ["192.0.2.1"], "header": "X-Forwarded-For"}},
    ),
]


@pytest.mark.parametrize(("venue", "data"), OPTIONS)
def test_data_and_back(venue: Venue, data: dict[str, Any]) -> None:
    assert venue_options.given(venue) == data
    block = server_block.data("jazz", venue, [])
    assert ("options" in block) is bool(data), "a file from before there were options is the same"
    assert addresses.venue(block) == venue

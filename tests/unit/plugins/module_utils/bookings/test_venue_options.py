# SPDX-License-Identifier: GPL-3.0-or-later
"""A Venue's options as the data of its file, and back."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import addresses, server_block, venue_options
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Auth, Proxies, Rate, Venue

NAME = "kittens.example.com"
OPTIONS: list[tuple[Venue, dict[str, Any]]] = [
    (Venue(NAME), {}),
    (Venue(NAME, upload="10m", rate=Rate()), {}),
    (Venue(NAME, upload="1g"), {"upload": "1g"}),
    (Venue(NAME, allow=["::1"], deny=["192.0.2.1"]), {"allow": ["::1"], "deny": ["192.0.2.1"]}),
    (
        Venue(NAME, auth=Auth({"eve": "", "ada": ""}, "the house")),
        {"auth": {"users": ["ada", "eve"], "realm": "the house"}},
    ),
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


def test_no_hash_is_in_the_data() -> None:
    """The file of a Venue may be read by everybody."""
    assert "$6$" not in str(server_block.data("jazz", Venue(NAME, auth=Auth({"ada": "$6$salt$hash"})), []))


GUARDS = [({}, ()), ({"deny": ["::1"]}, (403,)), ({"auth": {}, "allow": ["::1"]}, (401, 403)), ({"upload": "1g"}, ())]


@pytest.mark.parametrize(("options", "statuses"), GUARDS)
def test_what_keeps_visitors_out(options: dict[str, Any], statuses: tuple[int, ...]) -> None:
    assert venue_options.guards({"options": options}) == statuses

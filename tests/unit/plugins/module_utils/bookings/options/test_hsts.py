# SPDX-License-Identifier: GPL-3.0-or-later
"""HSTS in the text of a Venue's file: nginx inherits no header into a location that has one of its own."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import server_block
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import WAITING, Tls, Venue

from ....house import A, House
from .conftest import GIG, NAME

HEADER = "add_header Strict-Transport-Security max-age=2592000 always;"


@pytest.mark.parametrize(("state", "places"), [("open", 6), ("closed", 1)])
def test_every_place_with_headers_has_it(house: House, state: str, places: int) -> None:
    """FAULTS 79: nginx's own pages, static files and uploads."""
    venue = Venue(NAME, ["www." + NAME], Tls("selfsigned", hsts=30), state)
    house.build(A)
    text = server_block.render(house.paths, venue, [GIG], house.host)
    locations = re.findall(r"^    location .*?^    }$", text, re.MULTILINE | re.DOTALL)
    with_headers = [location for location in locations if "add_header" in location]
    assert len(with_headers) == places
    assert [location for location in with_headers if location.count(HEADER) != 1] == []
    plain, *secure = text.split("server {\n")[1:]
    assert "Strict-Transport-Security" not in plain
    assert [server.count("\n    " + HEADER) for server in secure] == [1, 1]


def test_without_hsts_no_header_is_sent(house: House) -> None:
    text = server_block.render(house.paths, Venue(NAME, [], Tls("selfsigned")), [GIG], house.host)
    assert "Strict-Transport-Security" not in text


def test_a_venue_that_waits_for_its_certificate_sends_no_header(house: House) -> None:
    house.build(A)
    text = server_block.render(house.paths, Venue(NAME, [], Tls(WAITING, hsts=30)), [GIG], house.host)
    assert "Strict-Transport-Security" not in text


@pytest.mark.parametrize(("protocol", "module"), [("uwsgi", "uwsgi"), ("http", "proxy")])
def test_the_acts_own_header_is_dropped(house: House, protocol: str, module: str) -> None:
    venue = Venue(NAME, [], Tls("selfsigned", hsts=30))
    text = server_block.render(house.paths, venue, [replace(GIG, protocol=protocol)], house.host)
    assert text.count(f"        {module}_hide_header Strict-Transport-Security;\n") == text.count(
        f"{module}_next_upstream"
    )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose word on the visitor's address is believed, by a real nginx."""

from __future__ import annotations

import json

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings.options import proxies
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Proxies, Venue

from .conftest import NAME, Serve

ASKED: list[tuple[str, str, str]] = [
    # (from where, the header, who the Act sees)
    ("127.0.0.1", "192.0.2.9", "192.0.2.9"),
    ("127.0.0.1", "192.0.2.66, 192.0.2.9", "192.0.2.9"),  # what a visitor claims is before what the proxy saw
    ("127.0.0.1", "192.0.2.9, 127.0.0.2", "192.0.2.9"),  # two proxies behind each other
    ("127.0.0.1", "nonsense", "127.0.0.1"),
    ("127.0.0.9", "192.0.2.9", "127.0.0.9"),  # no proxy
]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "CF-Connecting-IP"])
def test_who_the_act_sees(serve: Serve, header: str) -> None:
    place = serve(Venue(NAME, proxies=Proxies(["127.0.0.0/30"], header)))
    for source, said, seen in ASKED:
        body = place.ask(source=source, **{header: said})[2]
        assert json.loads(body)["REMOTE_ADDR"] == seen, (source, said)
    assert json.loads(place.ask(X_Real_IP="192.0.2.9")[2])["REMOTE_ADDR"] == "127.0.0.1", "another header"


def test_an_address_that_is_not_allowed_behind_a_proxy(serve: Serve) -> None:
    place = serve(Venue(NAME, proxies=Proxies(["127.0.0.1"]), deny=["192.0.2.9"]))
    assert (place.status(), place.status(X_Forwarded_For="192.0.2.9")) == (200, 403)


def test_lines() -> None:
    words = ["set_real_ip_from 192.0.2.0/24;", "real_ip_header X-Forwarded-For;", "real_ip_recursive on;"]
    assert proxies.lines(Venue(NAME, proxies=Proxies(["192.0.2.0/24"]))).server.split() == " ".join(words).split()
    assert proxies.lines(Venue(NAME)).server == ""

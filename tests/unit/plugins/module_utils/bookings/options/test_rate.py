# SPDX-License-Identifier: GPL-3.0-or-later
"""How many requests an address may send, by a real nginx."""

from __future__ import annotations

from ansible_collections.backstage.django.plugins.module_utils.bookings.options import rate
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Proxies, Rate, Venue

from .conftest import NAME, Serve

LIMITED = Venue(NAME, rate=Rate("1/m", 2), proxies=Proxies(["127.0.0.1"]))


def test_what_one_address_may_send(serve: Serve) -> None:
    place = serve(LIMITED)
    first = [place.status(X_Forwarded_For="192.0.2.1") for _number in range(6)]
    assert first == [200] * 3 + [429] * 3, "one, and a burst of two"
    assert place.status(X_Forwarded_For="192.0.2.2") == 200, "another visitor is not told off for it"
    assert place.status("/static/now.css", X_Forwarded_For="192.0.2.1") == 200, "files are not counted"
    assert place.status("/media/cat.txt", X_Forwarded_For="192.0.2.1") == 200


def test_the_host_itself_is_not_counted(serve: Serve) -> None:
    """Else a run that asks through nginx would be refused."""
    place = serve(LIMITED)
    assert {place.status() for _number in range(6)} == {200}


def test_lines() -> None:
    found = rate.lines("jazz", Venue("a.example", rate=Rate("100/m")))
    assert found.before == "limit_req_zone $backstage_visitor zone=backstage.rate.jazz.a.example:2m rate=100r/m;\n"
    assert found.door == "        limit_req zone=backstage.rate.jazz.a.example;\n"
    assert rate.lines("jazz", Venue("a.example")).before == ""

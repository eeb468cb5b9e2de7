# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords before a Venue shows anything, by a real nginx."""

from __future__ import annotations

import base64
import json
import subprocess

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import server_block, visit
from ansible_collections.backstage.django.plugins.module_utils.bookings.options import auth
from ansible_collections.backstage.django.plugins.module_utils.bookings.passwords import Passwords
from ansible_collections.backstage.django.plugins.module_utils.manifest import venue_checks
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Auth, Venue

from ....told import told
from .conftest import GIG, NAME, Place, Serve

PATHS = ("/", "/static/now.css", "/media/cat.txt")


def hashed(password: str, kind: str = "-6") -> str:
    return subprocess.run(
        ["openssl", "passwd", kind, password], check=True, text=True, capture_output=True
    ).stdout.strip()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def guarded(serve: Serve, kind: str = "-6", state: str = "open") -> Place:
    venue = Venue(NAME, state=state, auth=Auth({"ada": hashed("lovelace", kind)}))
    place = serve(venue)
    Passwords("jazz", place.house.host, {NAME: venue}).write()
    return place


@pytest.mark.parametrize("kind", ["-6", "-5", "-apr1"])
def test_who_is_let_in(serve: Serve, kind: str) -> None:
    assert venue_checks.password_hash(hashed("lovelace", kind)) is None
    place = guarded(serve, kind)
    for path in PATHS:
        assert place.status(path) == 401
        assert place.status(path, Authorization=basic("ada", "byron")) == 401
        assert place.status(path, Authorization=basic("eve", "lovelace")) == 401
        assert place.status(path, Authorization=basic("ada", "lovelace")) == 200
    assert place.ask()[1]["WWW-Authenticate"] == f'Basic realm="{NAME}"'


def test_the_act_gets_no_authorization_header(serve: Serve) -> None:
    told_to_the_act = json.loads(guarded(serve).ask(Authorization=basic("ada", "lovelace"))[2])
    assert "HTTP_AUTHORIZATION" not in told_to_the_act


def test_a_closed_venue_shows_its_page_to_everybody(serve: Serve) -> None:
    assert guarded(serve, state="closed").ask()[::2] == (503, "page closed")


def test_a_deploy_accepts_the_401_of_a_venue_with_passwords(serve: Serve) -> None:
    house = guarded(serve).house
    block = server_block.data("jazz", Venue(NAME, auth=Auth({"ada": ""})), [GIG])
    assert told(visit.ask, Act("kittens"), visit.at_venue(block, block["gigs"][0]), house.host, house.act()) == ""
    assert [(one["status"], one["error"]) for one in visit.urls("jazz", house.host, {})] == [(401, "")]


def test_lines() -> None:
    found = auth.lines("/p", "jazz", Venue(NAME, auth=Auth({"ada": "$6$"}, "the house")))
    assert found.location.splitlines() == [
        '        auth_basic "the house";',
        f"        auth_basic_user_file /p/jazz.{NAME}.users;",
    ]
    assert auth.lines("/p", "jazz", Venue(NAME)).location == ""

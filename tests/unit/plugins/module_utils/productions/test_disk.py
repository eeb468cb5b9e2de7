# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest that a host's disk amounts to: what was settled comes back as it was said, without its secrets."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.certificates.pairs import Pairs
from ansible_collections.backstage.django.plugins.module_utils.manifest import parse as manifest
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import summary
from ansible_collections.backstage.django.plugins.module_utils.productions import disk, options

from ... import certs
from ...house import House
from ...manifests import COMMIT, VENUE, Item, act, booked, git

RESOLVED = {"kittens": {"content": COMMIT, "label": "v1"}}
FULL = act(
    source=git(subdir="site"),
    refresh="2026-07",
    requirements=["r.txt"],
    settings="kittens.settings",
    application="kittens.wsgi:application",
    manage="-m kittens",
    chdir="src",
    files=[{"path": "a", "content": "b"}],
    env={"A": "b"},
    secrets={"KEY": "purrpurr"},
    writable=["db.sqlite3", "index/"],
    packages=["sassc"],
    build=["npm ci"],
    static="none",
    after_static=["compress"],
    fixtures=["a.json"],
    seed=[{"name": "s", "run": "a", "before_migrate": True, "env": {"B": "c"}, "secrets": {"PW": "meowmeow"}}],
    health={"path": "/up/", "status": [200, 301], "text": "Purr", "host": "a.example", "timeout": 9},
    timeout=90,
    keep_releases=3,
    timers=[
        {"name": "nightly", "manage": "clearsessions", "at": "03:00"},
        {"name": "often", "run": "celery x", "every": "quarter"},
    ],
    hooks={"before_migrate": ["a"], "after_migrate": ["b 'c d'"], "after_switch": ["e"]},
    workers=[
        {"name": "celery", "run": "celery -A kittens worker", "stop": "INT", "grace": 9, "count": 2},
        {"name": "beat", "manage": "beat", "once": True},
    ],
)
SAID: list[tuple[str, Item]] = [
    ("the smallest", {}),
    ("everything of an Act", {"acts": [FULL]}),
    ("no migrations", {"acts": [act(source=git(), migrate=False)]}),
    ("a path", {"acts": [act()]}),
    ("a Sess", {"sesses": [{"act": "kittens", "processes": 3, "threads": 5}]}),
    ("limits", {"sesses": [{"act": "kittens", "limits": {"memory": "512M", "tasks": 100}}]}),
    ("a Venue", {"venues": [{"name": VENUE, "aliases": ["www." + VENUE], "tls": {"mode": "none"}}]}),
    (
        "a Venue with options",
        {
            "venues": [
                {
                    "name": VENUE,
                    "auth": {"users": {"ada": "$6$salt$" + "h" * 86}, "realm": "the house"},
                    "allow": ["192.0.2.0/24"],
                    "deny": ["192.0.2.66"],
                    "rate": {"requests": "5/s", "burst": 10},
                    "upload": "1g",
                    "proxies": {"addresses": ["::1"], "header": "X-Real-IP"},
                }
            ]
        },
    ),
    ("a Venue with HTTPS", {"venues": [{"name": VENUE, "tls": {"mode": "selfsigned", "hsts": 30}}]}),
    ("a closed Venue", {"venues": [{"name": VENUE, "state": "closed"}]}),
]


def settled(house: House, **more: Any) -> Item:
    given = booked(**{"acts": [act(source=git())], "resolved": RESOLVED, **more})
    house.settle(options.for_production(given))
    return given


@pytest.mark.parametrize("more", [row[1] for row in SAID], ids=[row[0] for row in SAID])
def test_what_was_said_comes_back(house: House, more: Item) -> None:
    given = settled(house, **more)
    known = disk.options("jazz")
    lists = {key: list(known[key].values()) for key in ("acts", "sesses", "venues", "gigs")}
    assert summary(manifest.parse({**known, **lists})) == summary(manifest.parse(given))


def test_a_certificate_of_the_manifest_comes_back(house: House) -> None:
    """A module for one noun leaves it as it is."""
    pair = certs.signed([VENUE])
    tls = {"mode": "files", "certificate": pair.certificate, "key": pair.key}
    settled(house, venues=[{"name": VENUE, "tls": tls}])
    Pairs.of(house.host, "jazz", VENUE).install(pair, [VENUE])
    known = disk.options("jazz")
    lists = {key: list(known[key].values()) for key in ("acts", "sesses", "venues", "gigs")}
    assert manifest.parse({**known, **lists}).venues[VENUE].tls.pair == pair


def test_no_secret_comes_back(house: House) -> None:
    settled(house, acts=[FULL])
    said = str(disk.options("jazz"))
    assert "purrpurr" not in said
    assert "meowmeow" not in said


def test_an_empty_host(house: House) -> None:
    known = disk.options("jazz")
    assert [known[key] for key in ("acts", "sesses", "venues", "gigs")] == [{}] * 4
    assert (known["production"], known["longest_request"]) == ("jazz", 300)


def test_another_productions_nouns_are_not_ours(house: House) -> None:
    settled(house)
    assert disk.options("jaz")["venues"] == {}
    assert disk.options("jazz2")["acts"] == {}

# SPDX-License-Identifier: GPL-3.0-or-later
"""The Act's world: the whole table of variables for a player and a builder, at any Venues and any port."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import world
from ansible_collections.backstage.django.plugins.module_utils.host import layout
from ansible_collections.backstage.django.plugins.module_utils.host.facts import Host
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Health, Tls, Venue

PATHS = layout.Production("jazz").act("kittens")
ACT = "/srv/backstage/jazz/acts/kittens"
RELEASE = "0123456789ab"
BUILT = f"{ACT}/releases/{RELEASE}"
PLAYER = world.Places.of_player(PATHS, RELEASE)
BUILDER = world.Places.of_builder(PATHS, RELEASE)
A, B = Venue("a.example", ["www.a.example"]), Venue("b.example", state="closed")

ALWAYS = {
    "HOME": f"{ACT}/data",
    "LC_ALL": "C.UTF-8",
    "BACKSTAGE_PRODUCTION": "jazz",
    "BACKSTAGE_ACT": "kittens",
    "BACKSTAGE_RELEASE": RELEASE,
    "BACKSTAGE_HOSTS": "localhost",
    "BACKSTAGE_ORIGINS": "http://localhost",
    "BACKSTAGE_STATIC_ROOT": f"{BUILT}/static",
    "BACKSTAGE_MEDIA_ROOT": f"{ACT}/media",
    "BACKSTAGE_DATA": f"{ACT}/data",
}


def host(port: int = 80, database_port: int = 5432) -> Host:
    return replace(Host.read(), http_port=port, https_port=port + 363, database_port=database_port)


def variables(
    act: Act = Act("kittens"),  # noqa: B008 (frozen)
    places: world.Places = PLAYER,
    address: world.Address = world.Address(),  # noqa: B008 (frozen)
    port: int = 80,
    settings: str = "",
) -> dict[str, str]:
    return world.variables(act, "jazz", RELEASE, settings, places, address, host(port))


def test_the_whole_table() -> None:
    assert variables() == ALWAYS


def test_settings_are_named_where_they_are_known() -> None:
    assert variables(settings="kittens.settings") == {**ALWAYS, "DJANGO_SETTINGS_MODULE": "kittens.settings"}


def test_a_builder_has_a_throw_away_home() -> None:
    workshop = f"{ACT}/workshop"
    found = variables(places=BUILDER)
    assert {key for key in found if found[key] != ALWAYS[key]} == {"HOME", "BACKSTAGE_DATA", "BACKSTAGE_MEDIA_ROOT"}
    assert (found["HOME"], found["BACKSTAGE_DATA"]) == (workshop, workshop)
    assert found["BACKSTAGE_MEDIA_ROOT"].startswith(workshop + "/")


TLS = Venue("c.example", ["www.c.example"], Tls("selfsigned"))
HOSTS = [
    # (Venues, health.host, port, hosts, origins)
    # a form of the site without TLS is not believed where there is one with it
    ((TLS,), None, 80, "c.example,www.c.example", "https://c.example,https://www.c.example"),
    ((TLS,), "up.example", 8080, "c.example,www.c.example", "https://c.example:8443,https://www.c.example:8443"),
    (
        (B, TLS),
        None,
        80,
        "b.example,c.example,www.c.example",
        "http://b.example,https://c.example,https://www.c.example",
    ),
    ((), None, 80, "localhost", "http://localhost"),
    ((), "up.example", 80, "up.example", "http://up.example"),
    ((), None, 8080, "localhost", "http://localhost:8080"),
    ((A,), None, 80, "a.example,www.a.example", "http://a.example,http://www.a.example"),
    ((A,), "up.example", 80, "a.example,www.a.example", "http://a.example,http://www.a.example"),
    # closing a Venue changes no Sess
    ((B, A), None, 80, "b.example,a.example,www.a.example", "http://b.example,http://a.example,http://www.a.example"),
    ((B,), None, 8080, "b.example", "http://b.example:8080"),
]


@pytest.mark.parametrize(("venues", "health", "port", "hosts", "origins"), HOSTS)
def test_hosts(venues: tuple[Venue, ...], health: str, port: int, hosts: str, origins: str) -> None:
    found = variables(Act("kittens", health=Health(host=health)), address=world.Address(venues), port=port)
    assert (found["BACKSTAGE_HOSTS"], found["BACKSTAGE_ORIGINS"]) == (hosts, origins)


LOCAL = "http://localhost:8001,http://127.0.0.1:8001"
PORTS = [
    # (Venues, health.host, ports, hosts, origins)
    ((), None, (8001,), "localhost,127.0.0.1", LOCAL),
    ((), "up.example", (8001,), "up.example,localhost,127.0.0.1", f"http://up.example:8080,{LOCAL}"),
    ((B,), None, (8001,), "b.example,localhost,127.0.0.1", f"http://b.example:8080,{LOCAL}"),
    ((Venue("localhost"),), None, (8001,), "localhost,127.0.0.1", f"http://localhost:8080,{LOCAL}"),
    # one of them is being left: until then it answers at both
    ((), None, (8001, 8002), "localhost,127.0.0.1", f"{LOCAL},http://localhost:8002,http://127.0.0.1:8002"),
]


@pytest.mark.parametrize(("venues", "health", "ports", "hosts", "origins"), PORTS)
def test_a_port_of_its_own(
    venues: tuple[Venue, ...], health: str, ports: tuple[int, ...], hosts: str, origins: str
) -> None:
    address = world.Address(venues, ports=ports)
    found = variables(Act("kittens", health=Health(host=health)), address=address, port=8080)
    assert (found["BACKSTAGE_HOSTS"], found["BACKSTAGE_ORIGINS"]) == (hosts, origins)


@pytest.mark.parametrize(("path", "told"), [("/", {}), ("/blog", {"BACKSTAGE_PREFIX": "/blog"})])
def test_the_path_below_which_it_plays(path: str, told: dict[str, str]) -> None:
    found = variables(address=world.Address(path=path))
    assert found == {**ALWAYS, **told}
    assert world.path(found) == path


EXPANDED = [
    ("plain", "plain"),
    ("", ""),
    ("{code}", f"{BUILT}/code"),
    ("{static}", f"{BUILT}/static"),
    ("{media}/a", f"{ACT}/media/a"),
    ("sqlite:///{data}/db", f"sqlite:///{ACT}/data/db"),
    ("{data}{data}", f"{ACT}/data{ACT}/data"),
    ("{{data}}", "{" + f"{ACT}/data" + "}"),
    ("{home} {0} {} {data", "{home} {0} {} {data"),
    ('{"a": "{b}"}', '{"a": "{b}"}'),
    (r"\1 \g<0> %s $HOME", r"\1 \g<0> %s $HOME"),
]


@pytest.mark.parametrize(("value", "expanded"), EXPANDED)
def test_expand(value: str, expanded: str) -> None:
    assert variables(Act("kittens", env={"A": value}))["A"] == expanded


def test_what_was_filled_in_is_not_expanded_again() -> None:
    places = world.Places("{data}", "s", "m", "d")
    assert world.expand({"A": "{code}{data}"}, places) == {"A": "{data}d"}


def test_backstages_own_win() -> None:
    """The manifest refuses them; a value that came by another way must not lie about the world."""
    found = variables(Act("kittens", env={"HOME": "/root", "BACKSTAGE_ACT": "dogs"}))
    assert found == ALWAYS


DATABASES = [
    # (the manifest's engine, whose world, DATABASE_URL)
    ("", PLAYER, None),
    ("postgresql", PLAYER, "postgresql:///jazz-kittens"),
    ("sqlite", PLAYER, f"sqlite:///{ACT}/data/db.sqlite3"),
    # the builder's settings read it, too: it leads to nothing of the Act's
    ("postgresql", BUILDER, "postgresql:///jazz-kittens"),
    ("sqlite", BUILDER, f"sqlite:///{ACT}/workshop/db.sqlite3"),
]


@pytest.mark.parametrize(("engine", "places", "url"), DATABASES)
def test_database_url(engine: str, places: world.Places, url: Optional[str]) -> None:
    """Only where the manifest writes it."""
    assert variables(Act("kittens", database=engine), places=places).get("DATABASE_URL") == url


def test_another_port_of_postgresql() -> None:
    act = Act("kittens", database="postgresql")
    found = world.variables(act, "jazz", RELEASE, "", PLAYER, world.Address(), host(80, 5433))
    assert found["DATABASE_URL"] == "postgresql://:5433/jazz-kittens"


@pytest.mark.parametrize(
    ("name", "postgresql", "sqlite"),
    [
        ("database", "jazz-kittens", f"{ACT}/data/db.sqlite3"),
        ("database_user", "jazz-kittens", ""),
        ("database_host", "/var/run/postgresql", ""),
        ("database_port", "5433", ""),
        ("database_url", "postgresql://:5433/jazz-kittens", f"sqlite:///{ACT}/data/db.sqlite3"),
    ],
)
def test_placeholders_of_the_database(name: str, postgresql: str, sqlite: str) -> None:
    for engine, value in (("postgresql", postgresql), ("sqlite", sqlite), ("", "{" + name + "}")):
        act = Act("kittens", database=engine, env={"A": f"<{{{name}}}>"})
        found = world.variables(act, "jazz", RELEASE, "", PLAYER, world.Address(), host(80, 5433))
        assert found["A"] == f"<{value}>"


def test_a_builder_has_another_file() -> None:
    act = Act("kittens", database="sqlite", env={"A": "{database}"})
    assert variables(act, places=BUILDER)["A"] == f"{ACT}/workshop/db.sqlite3"


def test_a_database_url_of_the_acts_own_making() -> None:
    """For settings that know another scheme than the one that is exported."""
    act = Act("kittens", database="postgresql", env={"DATABASE_URL": "postgres://:{database_port}/{database}"})
    assert variables(act)["DATABASE_URL"] == "postgres://:5432/jazz-kittens"

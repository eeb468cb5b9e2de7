# SPDX-License-Identifier: GPL-3.0-or-later
"""The raw lists: what is not built yet, what YAML holds in place of what is right, and the defaults below."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest import shapes
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Health, Source

from ...manifests import VENUE, Item, act, booked, git, options, parse, refused

NOT_BUILT_VALUES = [
    ({"acts": [act(media="shared")]}, "backstage_acts[kittens].media: 'shared'", "local, external or none"),
]


def test_what_design_promises_and_is_not_built_is_in_the_table() -> None:
    assert {value for _key, value in shapes.NOT_BUILT_VALUES} == {"shared"}


@pytest.mark.parametrize(("change", "place", "instead"), NOT_BUILT_VALUES)
def test_not_built_value(change: Item, place: str, instead: str) -> None:
    assert refused(options(**change)) == [f"{place}: this is not built yet; use {instead}"]


# what a YAML file can hold in place of what is right; a part of the line that names it
OTHER_SHAPES: list[tuple[Item, str]] = [
    ({"production": None}, "backstage_production"),
    ({"production": 2026}, "backstage_production"),
    ({"acts": ["kittens"]}, "backstage_acts[0]"),
    ({"acts": [None]}, "backstage_acts[0]"),
    ({"acts": {"kittens": {"source": {"path": "kittens"}}}}, "backstage_acts"),
    ({"acts": "kittens"}, "backstage_acts"),
    ({"acts": [act(source="kittens")]}, "backstage_acts[kittens]"),
    ({"acts": [act(source=["kittens"])]}, "backstage_acts[kittens]"),
    ({"acts": [act(sauce=1)]}, "backstage_acts[kittens]: unknown key sauce"),
    ({"venues": [VENUE]}, "backstage_venues[0]"),
    ({"venues": [{"name": VENUE, "tls": ["none"]}]}, f"backstage_venues[{VENUE}]"),
    ({"gigs": ["kittens"]}, "backstage_gigs[0]"),
    ({"versions": "v1"}, "backstage_versions"),
    ({"versions": {"kittens": 1.4}, "acts": [act(source=git())]}, "backstage_versions.kittens"),
    ({"act_defaults": ["timeout"]}, "backstage_act_defaults"),
    ({"act_defaults": {"index": ["https://a"]}}, "index"),
    ({"acts": [act(database="postgresql")]}, "database"),
    ({"acts": [act(database={"engine": "mysql"})]}, "engine"),
    ({"act_defaults": {"timeout": "long"}}, "timeout"),
    ({"act_defaults": {"name": "dogs"}}, "backstage_act_defaults"),
]
VENUE_DEFAULTS: list[tuple[Item, str]] = [
    ({"tls": "selfsigned"}, "backstage_venue_defaults.tls: "),
    ({"upload": "10 MB"}, f"backstage_venues[{VENUE}].upload: '10 MB': use a number and k, m or g"),
    ({"name": VENUE}, "backstage_venue_defaults: unknown key name"),
    ({"sauce": 1}, "backstage_venue_defaults: unknown key sauce"),
]
SESS_DEFAULTS: list[tuple[Item, str]] = [
    ({"processes": "many"}, "processes"),
    ({"port": "http"}, "port"),
    ({"standby": 1441}, "backstage_sesses[kittens].standby: 1441: use a number from 0 to 1440"),
    ({"idle": 4}, "backstage_sesses[kittens].idle: 4: use a number from 5 to 604800"),
    ({"stage": "granian"}, "stage: 'granian': use uwsgi, gunicorn or asgi"),
    ({"threads": 0}, "threads: 0: use a number from 1 to 256"),
    ({"sauce": 1}, "sauce"),
]


@pytest.mark.parametrize(("change", "part"), OTHER_SHAPES)
def test_other_shapes(change: Item, part: str) -> None:
    assert any(part in line for line in refused(options(**change)))


@pytest.mark.parametrize(("defaults", "part"), SESS_DEFAULTS)
def test_sess_defaults_are_checked(defaults: Item, part: str) -> None:
    """Also where no Sess is listed, and the one of a Gig is made of nothing but the defaults."""
    assert any(part in line for line in refused(booked(sess_defaults=defaults)))


BELOW = {
    "timeout": 30,
    "env": {"A": "below", "B": "below"},
    "health": {"path": "/up/", "timeout": 5},
    "secrets": {"KEY": "purrpurr"},
    "writable": ["below"],
    "source": {"git": "https://a/below", "version": "v0", "subdir": "below"},
}
OVERLAYS: list[tuple[Item, str, Any]] = [
    # (what the Act says, the key, what comes of it over BELOW)
    ({}, "timeout", 30),
    ({"timeout": 10}, "timeout", 10),
    ({"timeout": None}, "timeout", 30),
    ({"env": {"B": "above"}}, "env", {"A": "below", "B": "above"}),
    ({"env": {"B": None}}, "env", {"A": "below", "B": "below"}),
    ({"env": {}}, "env", {"A": "below", "B": "below"}),
    ({"health": {"timeout": 9}}, "health", Health(path="/up/", timeout=9)),
    ({"secrets": {"OTHER": "meowmeow"}}, "secrets", {"KEY": "purrpurr", "OTHER": "meowmeow"}),
    ({"writable": []}, "writable", []),
    ({"writable": ["above"]}, "writable", ["above"]),
    ({"source": {"path": "above"}}, "source", Source("path", "above")),
    ({}, "source", Source("git", "https://a/below", "v0", "below")),
]


@pytest.mark.parametrize(("said", "key", "value"), OVERLAYS)
def test_act_defaults(said: Item, key: str, value: Any) -> None:
    found = parse(acts=[{"name": "kittens", **said}], act_defaults=BELOW).acts["kittens"]
    assert getattr(found, key) == value


def test_defaults_are_not_changed_by_an_act() -> None:
    below = {"env": {"A": "below"}, "health": {"path": "/up/"}}
    found = parse(acts=[act(env={"A": "x"}, health={"path": "/x"}), act(name="dogs")], act_defaults=below).acts
    assert (found["dogs"].env, found["dogs"].health.path) == ({"A": "below"}, "/up/")


@pytest.mark.parametrize(("defaults", "part"), VENUE_DEFAULTS)
def test_venue_defaults_are_checked(defaults: Item, part: str) -> None:
    assert any(line.startswith(part) for line in refused(booked(venue_defaults=defaults)))


def test_venue_defaults() -> None:
    """Dictionaries are merged, so one Venue leaves out of a mode with what belongs to it; lists are replaced."""
    below = {
        "tls": {"mode": "selfsigned", "hsts": 30},
        "deny": ["192.0.2.1"],
        "upload": "1m",
        "rate": {"requests": "5/s"},
    }
    own = {"name": VENUE, "tls": {"hsts": 0}, "deny": [], "rate": {"burst": 5}}
    plain = {"name": "plain.example", "tls": {"mode": "none", "hsts": 0}}
    found = parse(**booked(venues=[own, plain, {"name": "c.example"}], venue_defaults=below)).venues
    assert (found[VENUE].tls.mode, found[VENUE].tls.hsts) == ("selfsigned", 0)
    assert (found[VENUE].deny, found[VENUE].upload) == ([], "1m")
    assert (found[VENUE].rate.requests, found[VENUE].rate.burst) == ("5/s", 5)
    assert found["plain.example"].tls.mode == "none"
    assert found["c.example"].deny == ["192.0.2.1"]

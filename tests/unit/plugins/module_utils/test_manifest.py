# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest: every refusal by key and value, and what the overlays lay under and over it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils import manifest, shapes
from ansible_collections.backstage.django.plugins.module_utils.nouns import Health, Manifest, Seed, Sess, Source, Venue

from ..manifests import COMMIT, VENUE, Item, act, booked, git, options, parse, refused

NOT_YET = "this is not built yet; remove it"

# options that differ from the smallest accepted ones -> the line that they are refused with
REFUSED: list[tuple[Item, str]] = [
    (
        {"production": "Jazz"},
        "backstage_production: 'Jazz': use a letter, then up to 14 lower-case letters and digits",
    ),
    ({"production": "www"}, "backstage_production: 'www': this name is taken by the system; choose another one"),
    (
        {"acts": [act(name="../x")]},
        "backstage_acts[../x].name: '../x': use a letter, then up to 31 lower-case letters, digits and hyphens",
    ),
    ({"acts": [act(), act()]}, "backstage_acts[kittens]: name 'kittens' stands in the list twice; keep one"),
    ({"acts": [{"name": "kittens"}]}, "backstage_acts[kittens].source: is missing; give one of git, path"),
    ({"acts": [act(source={})]}, "backstage_acts[kittens].source: give exactly one of git, path, not 0 of them"),
    (
        {"acts": [act(source={"path": "a", "git": "b", "version": "c"})]},
        "backstage_acts[kittens].source: give exactly one of git, path, not 2 of them",
    ),
    (
        {"acts": [act(source={"path": "a", "version": "v1"})]},
        "backstage_acts[kittens].source.version: 'v1': a path has no version; remove it",
    ),
    (
        {"versions": {"kittens": "v1"}},
        "backstage_acts[kittens].source.version: 'v1': a path has no version; remove it",
    ),
    (
        {"acts": [act(source={"git": "https://a/b"})]},
        "backstage_acts[kittens].source.version: is missing; name a tag, a branch or a full commit id",
    ),
    (
        {"acts": [act(source=git(version="0123456"))]},
        "backstage_acts[kittens].source.version: '0123456': a commit is written in full, with its 40 characters",
    ),
    (
        {"acts": [act(source=git(git="ext::sh"))]},
        "backstage_acts[kittens].source.git: 'ext::sh': use an https, ssh or git URL, or a path on the controller",
    ),
    (
        {"acts": [act(source={"path": "a", "subdir": "../b"})]},
        "backstage_acts[kittens].source.subdir: '../b': it leaves the code; use a path inside it",
    ),
    (
        {"acts": [act(files=[{"path": "/etc/x", "content": ""}])]},
        "backstage_acts[kittens].files[/etc/x].path: '/etc/x': use a relative path in its shortest form, such as 'etc/x'",
    ),
    ({"acts": [act(files=[{"path": "a"}])]}, "backstage_acts[kittens].files[a]: give content or src"),
    (
        {"acts": [act(env={"A-B": "c"})]},
        "backstage_acts[kittens].env.A-B: 'c': use letters, digits and underscores for the name of a variable",
    ),
    (
        {"acts": [act(seed=[{"name": "s", "run": "a 'b"}])]},
        "backstage_acts[kittens].seed[s].run: \"a 'b\": its quotes do not match (No closing quotation)",
    ),
    (
        {"acts": [act(seed=[{"name": "s", "run": "a", "env": {"HOME": "/"}}])]},
        "backstage_acts[kittens].seed[s].env.HOME: '/': Backstage sets it; it is the Act's data directory",
    ),
    ({"versions": {"dogs": "v1"}}, "backstage_versions.dogs: no Act of this Production; known: kittens"),
    ({"sesses": [{"act": "kittens"}] * 2}, "backstage_sesses[kittens]: act 'kittens' stands in the list twice; keep one"),
    ({"venues": [{"name": VENUE}] * 2}, f"backstage_venues[{VENUE}]: name '{VENUE}' stands in the list twice; keep one"),
    ({"acts": [{"source": {"path": "a"}}]}, "backstage_acts[0]: missing required arguments: name"),
    ({"gigs": [{"act": "kittens"}]}, "backstage_gigs[kittens]: missing required arguments: venue"),
    ({"acts": [act(static="yes")]}, "backstage_acts[kittens]: value of static must be one of: auto, none, got: yes"),
    (
        {"sesses": [{"act": "kittens", "stage": "daphne"}]},
        "backstage_sesses[kittens]: value of stage must be one of: uwsgi, got: daphne",
    ),
    (
        {"acts": [act(timeout="long")]},
        "backstage_acts[kittens]: argument 'timeout' is of type str and we were unable to convert to int:"
        " \"'long'\" cannot be converted to an int",
    ),
    (
        {"version": "v2"},
        "version: 'v2': name the Acts that it is for (-e act=kittens)",
    ),
]
NOT_BUILT_ITEMS = {
    "backstage_acts": lambda key: {"acts": [act(**{key: "x"})]},
    "backstage_acts.source": lambda key: {"acts": [act(source={"path": "kittens", key: "x"})]},
    "backstage_sesses": lambda key: {"sesses": [{"act": "kittens", key: "x"}]},
}
NOT_BUILT_PLACES = {
    "backstage_acts": "backstage_acts[kittens]",
    "backstage_acts.source": "backstage_acts[kittens].source",
    "backstage_sesses": "backstage_sesses[kittens]",
}
NOT_BUILT = [(table, key) for table, keys in shapes.NOT_BUILT.items() for key in keys]
NOT_BUILT_VALUES = [
    ({"sesses": [{"act": "kittens", "stage": "gunicorn"}]}, "backstage_sesses[kittens].stage: 'gunicorn'", "uwsgi"),
    ({"sesses": [{"act": "kittens", "state": "asleep"}]}, "backstage_sesses[kittens].state: 'asleep'", "started or stopped"),
    *[
        ({"venues": [{"name": VENUE, "tls": {"mode": mode}}]}, f"backstage_venues[{VENUE}].tls.mode: '{mode}'", "none")
        for mode in ("selfsigned", "files", "acme")
    ],
]


@pytest.mark.parametrize(("change", "line"), REFUSED)
def test_refused(change: Item, line: str) -> None:
    assert refused(options(**change)) == [line]


def test_the_smallest_is_accepted() -> None:
    assert refused(options()) == refused(booked()) == []


def test_what_design_promises_and_is_not_built_is_in_the_table() -> None:
    promised = {"index", "static_urls", "database", "port", "idle", "archive", "checksum", "package"}
    promised |= {"key", "username", "password", "submodules"}
    assert {key for _table, key in NOT_BUILT} == promised
    assert {value for _key, value in shapes.NOT_BUILT_VALUES} == {"gunicorn", "asleep", "selfsigned", "files", "acme"}


@pytest.mark.parametrize(("table", "key"), NOT_BUILT)
def test_not_built_key(table: str, key: str) -> None:
    change = NOT_BUILT_ITEMS[table](key)
    assert refused(options(**change)) == [f"{NOT_BUILT_PLACES[table]}.{key}: {NOT_YET}"]


@pytest.mark.parametrize(("table", "key"), NOT_BUILT)
def test_not_built_key_that_asks_for_nothing(table: str, key: str) -> None:
    """The manifest's documentation lists every key with its empty default: accepted, or refused as what it is."""
    for empty in (None, "", [], {}):
        (listed,) = NOT_BUILT_ITEMS[table](key).items()
        (item,) = listed[1]
        holder = item["source"] if table.endswith("source") else item
        holder[key] = empty
        assert refused(options(**dict([listed]))) in ([], [f"{NOT_BUILT_PLACES[table]}.{key}: {NOT_YET}"])


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
    ({"acts": [act(sauce=1)]}, "backstage_acts[kittens]: sauce"),
    ({"venues": [VENUE]}, "backstage_venues[0]"),
    ({"venues": [{"name": VENUE, "tls": ["none"]}]}, f"backstage_venues[{VENUE}]"),
    ({"gigs": ["kittens"]}, "backstage_gigs[0]"),
    ({"versions": "v1"}, "backstage_versions"),
    ({"versions": {"kittens": 1.4}, "acts": [act(source=git())]}, "backstage_versions.kittens"),
    ({"act_defaults": ["timeout"]}, "backstage_act_defaults"),
    ({"act_defaults": {"index": {"url": "https://a"}}}, "index: this is not built yet"),
    ({"act_defaults": {"timeout": "long"}}, "timeout"),
    ({"act_defaults": {"name": "dogs"}}, "backstage_act_defaults"),
]
SESS_DEFAULTS: list[tuple[Item, str]] = [
    ({"processes": "many"}, "processes"),
    ({"port": 8080}, "port: this is not built yet"),
    ({"stage": "gunicorn"}, "this is not built yet; use uwsgi"),
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


def test_everything_wrong_is_said_at_once() -> None:
    places = ["backstage_production", "backstage_acts[../x]", "backstage_acts[kittens]", "backstage_gigs[1]"]
    lines = refused(
        options(production="WWW", acts=[act(name="../x"), act(static=1)], gigs=[{"act": "a", "venue": "b"}, {}])
    )
    assert [[place in line for line in lines].count(True) for place in places] == [1, 1, 1, 1]


def test_no_secret_is_in_a_refusal() -> None:
    secret = "purr-purr\n"  # noqa: S105 (refused: it ends in white space)
    seed = {"name": "s", "run": "a", "secrets": {"A": secret, "B-": secret}}
    lines = refused(options(acts=[act(secrets={"A": secret, "B-": secret, "C": [secret]}, seed=[seed])]))
    assert len(lines) == 5
    assert not any("purr-purr" in line for line in lines)


def the_act(**more: Any) -> Any:
    return parse(**more).acts["kittens"]


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
    found = the_act(acts=[{"name": "kittens", **said}], act_defaults=BELOW)
    assert getattr(found, key) == value


def test_defaults_are_not_changed_by_an_act() -> None:
    below = {"env": {"A": "below"}, "health": {"path": "/up/"}}
    found = parse(acts=[act(env={"A": "x"}, health={"path": "/x"}), act(name="dogs")], act_defaults=below).acts
    assert (found["dogs"].env, found["dogs"].health.path) == ({"A": "below"}, "/up/")


@pytest.mark.parametrize(
    ("more", "version"),
    [
        ({}, "v1"),
        ({"versions": {"kittens": "v2"}}, "v2"),
        ({"versions": {"kittens": COMMIT}}, COMMIT),
        ({"versions": {"kittens": "v2"}, "version": "v3", "only": ["kittens"]}, "v3"),
        ({"version": "v3", "only": ["dogs"]}, "v1"),
    ],
)
def test_versions(more: Item, version: str) -> None:
    acts = [act(source=git()), {"name": "dogs", "source": git()}]
    assert the_act(acts=acts, **more).source.version == version


SESSES: list[tuple[Item, dict[str, Sess]]] = [
    ({}, {}),
    ({"gigs": [{"act": "kittens", "venue": VENUE}]}, {"kittens": Sess("kittens")}),
    ({"gigs": [{"act": "kittens", "venue": VENUE, "state": "absent"}]}, {}),
    (
        {"gigs": [{"act": "kittens", "venue": VENUE}], "sess_defaults": {"processes": 4, "threads": None}},
        {"kittens": Sess("kittens", processes=4)},
    ),
    (
        {"sesses": [{"act": "kittens", "threads": 8}], "sess_defaults": {"processes": 4, "threads": 2}},
        {"kittens": Sess("kittens", processes=4, threads=8)},
    ),
]


@pytest.mark.parametrize(("more", "sesses"), SESSES)
def test_sesses(more: Item, sesses: dict[str, Sess]) -> None:
    """An Act with a Gig and no listed Sess plays one with the defaults; an Act alone plays none."""
    assert parse(venues=[{"name": VENUE}], **more).sesses == sesses


def test_whole() -> None:
    """Every value arrives as text, number or list, wherever YAML let it be something else."""
    listed = act(
        env={"N": 1, "F": 1.5},
        secrets={"PIN": 12345678},
        seed=[{"name": "s", "run": "a b", "before_migrate": True, "secrets": {"PW": "purrpurr"}}],
        health={"status": ["200", 301], "text": "Purr", "host": "a.example"},
        keep_releases="7",
        state="present",
    )
    found: Manifest = parse(acts=[listed], venues=[{"name": VENUE, "aliases": ["www." + VENUE], "state": "closed"}])
    kittens = found.acts["kittens"]
    assert (kittens.env, kittens.secrets, kittens.keep_releases) == ({"N": "1", "F": "1.5"}, {"PIN": "12345678"}, 7)
    assert kittens.seed == [Seed("s", "a b", True, {}, {"PW": "purrpurr"})]
    assert kittens.health == Health("/", (200, 301), "Purr", "a.example", 30)
    assert found.venues == {VENUE: Venue(VENUE, ["www." + VENUE], "none", "closed")}


def test_an_absent_act_needs_no_source() -> None:
    assert the_act(acts=[{"name": "kittens", "state": "absent"}]).source is None

# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest: refusals by key and value, versions, and the Sesses that come by themselves."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Seed
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Health, Manifest, Sess, Tls, Venue

from ...manifests import COMMIT, VENUE, Item, act, booked, git, options, parse, refused

WORKERS, TIMERS = "backstage_acts[kittens].workers", "backstage_acts[kittens].timers"


def worker(**more: Any) -> Item:
    """The options with one worker, right but for what is given here."""
    return {"acts": [act(workers=[{"name": "celery", "run": "celery -A kittens worker", **more}])]}


def timer(**more: Any) -> Item:
    """The options with one timer, right but for what is given here."""
    return {"acts": [act(timers=[{"name": "nightly", "manage": "clearsessions", "at": "03:00", **more}])]}


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
    (
        {"acts": [act(hooks={"after_switch": ["warm '"]})]},
        'backstage_acts[kittens].hooks.after_switch: "warm \'": its quotes do not match (No closing quotation)',
    ),
    (
        {"acts": [act(migrate=False, hooks={"before_migrate": ["stop"]})]},
        "backstage_acts[kittens].hooks.before_migrate: its Act runs no migrations (migrate: false); leave it out",
    ),
    (
        {"acts": [act(migrate=False, dump=True)]},
        "backstage_acts[kittens].dump: a dump is made before migrations, and its Act runs none (migrate: false);"
        " leave it out",
    ),
    (
        timer(name="a_b"),
        f"{TIMERS}[a_b].name: 'a_b': use a letter, then up to 31 lower-case letters, digits and hyphens",
    ),
    (timer(at=180), f"{TIMERS}[nightly].at: '180': write hours and minutes in quotes: '03:00'"),
    (timer(at="24:00"), f"{TIMERS}[nightly].at: '24:00': write hours and minutes in quotes: '03:00'"),
    (timer(at=None), f"{TIMERS}[nightly]: give either 'at', a time of day, or 'every'"),
    (timer(every="day"), f"{TIMERS}[nightly]: give either 'at', a time of day, or 'every'"),
    (
        timer(run="celery"),
        f"{TIMERS}[nightly]: give either 'run', a program of the environment, or 'manage', a management command",
    ),
    (
        worker(name="cel.ery"),
        f"{WORKERS}[cel.ery].name: 'cel.ery': use a letter, then up to 31 lower-case letters, digits and hyphens",
    ),
    (
        worker(run=None),
        f"{WORKERS}[celery]: give either 'run', a program of the environment, or 'manage', a management command",
    ),
    (
        worker(manage="qcluster"),
        f"{WORKERS}[celery]: give either 'run', a program of the environment, or 'manage', a management command",
    ),
    (
        worker(run="./run.sh -x"),
        f"{WORKERS}[celery].run: './run.sh -x': begin with a program of the environment, by its name alone, such as"
        " 'celery -A kittens worker'",
    ),
    (worker(run="celery '"), f'{WORKERS}[celery].run: "celery \'": its quotes do not match (No closing quotation)'),
    (worker(stop="KILL"), f"{WORKERS}[0].stop: 'KILL': use TERM, INT or QUIT"),
    (worker(grace=0), f"{WORKERS}[celery].grace: 0: use a number from 1 to 86400"),
    (worker(count=65), f"{WORKERS}[celery].count: 65: use a number from 1 to 64"),
    (
        worker(once=True, count=2),
        f"{WORKERS}[celery].count: 2: one that runs once has no second one; leave 'count' out",
    ),
    (
        {"acts": [act(workers=[{"name": "rq", "manage": "rqworker"}, {"name": "rq", "manage": "rqworker"}])]},
        f"{WORKERS}[rq]: stands in the list twice; use 'count' for more than one of it",
    ),
    (
        {**worker(), "sesses": [{"act": "kittens", "state": "asleep"}]},
        "backstage_sesses[kittens].state: 'asleep': its Act has workers, which never sleep; use started, or leave the"
        " workers out",
    ),
    ({"acts": [act(), act()]}, "backstage_acts[kittens]: stands in the list twice; keep one"),
    (
        {"acts": [{"name": "kittens"}]},
        "backstage_acts[kittens].source: is missing; give one of git, archive, package, path",
    ),
    (
        {"acts": [act(source={})]},
        "backstage_acts[kittens].source: give exactly one of git, archive, package, path, not 0 of them",
    ),
    (
        {"acts": [act(source={"path": "a", "git": "b", "version": "c"})]},
        "backstage_acts[kittens].source: give exactly one of git, archive, package, path, not 2 of them",
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
        {"acts": [act(source=git(version="012345a"))]},
        "backstage_acts[kittens].source.version: '012345a': a commit is written in full, with its 40 characters",
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
        {"acts": [act(files=[{"path": "/a", "content": ""}])]},
        "backstage_acts[kittens].files[/a].path: '/a': use a relative path in its shortest form, such as 'a'",
    ),
    ({"acts": [act(files=[{"path": "a"}])]}, "backstage_acts[kittens].files[a]: give content or src"),
    (
        {"acts": [act(env={"A-B": "c"})]},
        "backstage_acts[kittens].env.A-B: 'c': use letters, digits and underscores for the name of a variable",
    ),
    (
        {"acts": [act(seed=[{"name": "s", "run": "a 'b"}])]},
        'backstage_acts[kittens].seed[s].run: "a \'b": its quotes do not match (No closing quotation)',
    ),
    (
        {"acts": [act(seed=[{"name": "s", "run": "a", "env": {"HOME": "/"}}])]},
        "backstage_acts[kittens].seed[s].env.HOME: '/': Backstage sets it; it is the Act's data directory",
    ),
    ({"versions": {"dogs": "v1"}}, "backstage_versions.dogs: no Act of this Production; known: kittens"),
    ({"sesses": [{"act": "kittens"}] * 2}, "backstage_sesses[kittens]: stands in the list twice; keep one"),
    ({"venues": [{"name": VENUE}] * 2}, f"backstage_venues[{VENUE}]: stands in the list twice; keep one"),
    ({"acts": [{"source": {"path": "a"}}]}, "backstage_acts[0].name: is missing"),
    ({"gigs": [{"act": "kittens"}]}, "backstage_gigs[kittens].venue: is missing"),
    ({"acts": [act(static="yes")]}, "backstage_acts[kittens].static: 'yes': use auto, app or none"),
    (
        {"sesses": [{"act": "kittens", "stage": "daphne"}]},
        "backstage_sesses[kittens].stage: 'daphne': use uwsgi, gunicorn or asgi",
    ),
    (
        {"acts": [act(timeout="long")]},
        "backstage_acts[kittens].timeout: 'long': use a whole number",
    ),
    (
        {"acts": [act(database={})]},
        "backstage_acts[kittens].database.engine: is missing; use postgresql or sqlite, or leave database out",
    ),
    (
        {"version": "v2"},
        "version: 'v2': name the Acts that it is for (-e act=kittens)",
    ),
]


@pytest.mark.parametrize(("change", "line"), REFUSED)
def test_refused(change: Item, line: str) -> None:
    assert refused(options(**change)) == [line]


def test_the_smallest_is_accepted() -> None:
    assert refused(options()) == refused(booked()) == []


def test_all_mistakes_are_reported_at_once() -> None:
    places = ["backstage_production", "backstage_acts[../x]", "backstage_acts[kittens]", "backstage_gigs[1].venue"]
    lines = refused(
        options(production="WWW", acts=[act(name="../x"), act(static=1)], gigs=[{"act": "a", "venue": "b"}, {}])
    )
    assert [[place in line for line in lines].count(True) for place in places] == [1, 1, 1, 1]


# what is wrong in itself -> what is wrong beside it, in the lines of one round
ROUNDS: list[tuple[Item, list[str]]] = [
    (
        {"acts": [act(timeout="long"), act(name="dogs", timeout=0)], "gigs": [{"act": "cats", "venue": VENUE}]},
        ["[kittens].timeout: 'long'", "[dogs].timeout: 0", f"[cats at {VENUE}].act: 'cats'", "].venue: 'kittens.ex"],
    ),
    # a reference to what is wrong in itself is no second problem
    (booked(acts=[act(timeout="long")], only=["kittens"], versions={"kittens": "v1"}), ["[kittens].timeout: 'long'"]),
    (booked(venues=[{"name": VENUE, "state": "ajar"}]), [f"[{VENUE}].state: 'ajar'"]),
    (booked(acts=[act(source=git(version=1.1))], unhold=["kittens"]), ["[kittens].source.version: 1.1"]),
    (booked(sesses=[{"act": "kittens", "processes": "all"}]), ["[kittens].processes: 'all'"]),
    (booked(acts=[act(env={"A-B": "c"}, timeout=0)]), ["[kittens].env.A-B: 'c'", "[kittens].timeout: 0"]),
    (booked(acts=[act(timeout="long", env=["a"], sauce=1)]), ["unknown key sauce", ".env: ['a']", ".timeout: 'long'"]),
    (booked(sesses=[{"act": "kittens", "stage": "daphne", "port": "x"}]), [".stage: 'daphne'", "].port: 'x'"]),
    # nobody can tell which Acts there are
    (booked(acts="kittens"), ["backstage_acts: is no list"]),
    (booked(acts=[act(), {"source": {"path": "a"}}], only=["dogs"]), ["backstage_acts[1].name: is missing"]),
    (booked(seeds={"superuser": "done"}, acts=[act(seed="superuser")]), ["[kittens].seed[0]: 'superuser'"]),
]


@pytest.mark.parametrize(("change", "parts"), ROUNDS)
def test_shapes_hide_nothing(change: Item, parts: list[str]) -> None:
    lines = refused(options(**change))
    assert len(lines) == len(parts), lines
    assert [part for part in parts if not any(part in line for line in lines)] == []


def test_no_secret_is_in_a_refusal() -> None:
    secret = "purr-purr\n"
    seed = {"name": "s", "run": "a", "secrets": {"A": secret, "B-": secret}}
    lines = refused(options(acts=[act(secrets={"A": secret, "B-": secret, "C": [secret]}, seed=[seed])]))
    assert len(lines) == 5
    assert not any("purr-purr" in line for line in lines)


def the_act(**more: Any) -> Any:
    return parse(**more).acts["kittens"]


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
    assert found.venues == {VENUE: Venue(VENUE, ["www." + VENUE], Tls("none"), "closed")}


def test_an_absent_act_needs_no_source() -> None:
    assert the_act(acts=[{"name": "kittens", "state": "absent"}]).source is None

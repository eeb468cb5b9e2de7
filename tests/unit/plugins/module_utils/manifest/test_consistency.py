# SPDX-License-Identifier: GPL-3.0-or-later
"""What no noun of a manifest can tell alone: every refusal, by the options that differ from accepted ones."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest import calendar
from ansible_collections.backstage.django.plugins.module_utils.manifest import parse as manifest

from ...manifests import VENUE, Item, act, booked, git, options, refused

WWW = "www." + VENUE
PORTS = "use a number from 1024 to 65535"
KITTENS = "backstage_acts[kittens]"
PLACE = f"backstage_gigs[kittens at {VENUE}]"
DOGS = f"backstage_gigs[dogs at {VENUE}]"
TWO = {"acts": [act(), {**act(), "name": "dogs"}]}
ZONE = "this machine knows no such time zone; use a name such as 'Europe/Berlin' or 'UTC', and install tzdata"


def gig(act: str = "kittens", **more: Any) -> Item:
    return {"act": act, "venue": VENUE, **more}


# one value of an Act -> what is said of it, behind the Act's name
VALUES: list[tuple[Item, str]] = [
    (
        {"requirements": ["../r.txt"]},
        "requirements: '../r.txt': it leaves the code; use a path inside it",
    ),
    ({"settings": "a;b"}, "settings: 'a;b': use a dotted module, such as 'kittens.settings'"),
    ({"application": "a.wsgi"}, "application: 'a.wsgi': use 'module:callable', such as 'kittens.wsgi:application'"),
    (
        {"application": "a.asgi:application"},
        "application: 'a.asgi:application': it is the ASGI callable, and the stage plays WSGI; name that one,"
        " or change 'stage'",
    ),
    (
        {"manage": "a b"},
        "manage: 'a b': use a *.py file of the project, '-m module', or a console script of the environment",
    ),
    ({"chdir": "/srv"}, "chdir: '/srv': use a relative path in its shortest form, such as 'srv'"),
    ({"writable": ["a", "/b"]}, "writable: '/b': use a relative path in its shortest form, such as 'b'"),
    (
        {"writable": ["a/", "b", "a/b"]},
        "writable: 'a/b': lies in 'a/', or around it, which is writable already; keep one",
    ),
    ({"writable": ["a", "a/"]}, "writable: 'a/': lies in 'a', or around it, which is writable already; keep one"),
    ({"packages": ["-y"]}, "packages: '-y': no Debian package has such a name"),
    ({"build": ["npm 'ci"]}, 'build: "npm \'ci": its quotes do not match (No closing quotation)'),
    ({"after_static": [" "]}, "after_static: ' ': it is empty; leave it out"),
    ({"fixtures": ["-o"]}, "fixtures: '-o': use a relative path in its shortest form, such as 'o'"),
    ({"timeout": 0}, "timeout: 0: use a number from 1 to 86400"),
    ({"keep_releases": 0}, "keep_releases: 0: use a number from 1 to 100"),
    ({"keep_releases": 101}, "keep_releases: 101: use a number from 1 to 100"),
    ({"health": {"path": "up"}}, "health.path: 'up': use an absolute URL path, such as '/' or '/about/'"),
    ({"health": {"host": "A.b"}}, "health.host: 'A.b': write it as 'a.b'"),
    ({"health": {"timeout": 0}}, "health.timeout: 0: use a number from 1 to 3600"),
    (
        {"env": {"A": "/{database_host}"}},
        "env.A: '/{database_host}': names a placeholder of the Act's database, and the Act has no 'database': add one",
    ),
    (
        {"database": {"engine": "sqlite"}, "env": {"DATABASE_URL": "sqlite:///x"}},
        "database: exports DATABASE_URL, which stands in env or secrets, too; keep one",
    ),
    ({"env": {"A": "b"}, "secrets": {"A": "purrpurr"}}, "env.A: stands in secrets, too; keep one"),
    (
        {"timeout": 301},
        "timeout: 301: is longer than the stage's longest request (300 s);"
        " use at most that, or raise stage_longest_request",
    ),
    ({"secrets": {"A": "purr"}}, "secrets.A: it is shorter than 8 characters; use a longer one"),
    (
        {"seed": [{"name": "s", "run": "a", "secrets": {"A": "purr"}}]},
        "seed[s].secrets.A: it is shorter than 8 characters; use a longer one",
    ),
    (
        {"static_urls": [{"url": "/a", "root": "a"}]},
        "static_urls[/a].url: '/a': use a URL prefix that begins and ends with a slash, such as '/static/'",
    ),
    (
        {"static_urls": [{"url": "/a/", "root": "../a"}]},
        "static_urls[/a/].root: '../a': it leaves the code; use a path inside it",
    ),
    (
        {"static_urls": [{"url": "/a/", "root": "a"}, {"url": "/a/", "root": "b"}]},
        "static_urls[/a/].url: '/a/': stands in the list twice; keep one",
    ),
    (
        {"static_urls": [{"url": "/a/", "root": "a/b"}, {"url": "/b/", "root": "a"}]},
        "static_urls[/b/].root: 'a': lies in the root of /a/, or around it; keep them apart",
    ),
    (
        {"static_urls": [{"url": "/a/", "root": "a"}], "writable": ["a/uploads/"]},
        "static_urls[/a/].root: 'a': is sealed, and 'a/uploads/' in writable is not; keep them apart",
    ),
    ({"seed": [{"name": "s", "run": "a"}] * 2}, "seed[s]: stands in the list twice; a seed runs once, by its name"),
]
REFUSED: list[tuple[Item, str]] = [
    ({"only": ["dogs"]}, "only: 'dogs': no Act of this Production; known: kittens"),
    ({"unhold": ["dogs"]}, "unhold: 'dogs': no Act of this Production; known: kittens"),
    ({"sesses": [{"act": "dogs"}]}, "backstage_sesses[dogs].act: 'dogs': no Act of this Production; known: kittens"),
    (
        {"sesses": [{"act": "kittens", "processes": 0}]},
        "backstage_sesses[kittens].processes: 0: use a number from 1 to 256",
    ),
    (
        {"sesses": [{"act": "kittens", "threads": 257}]},
        "backstage_sesses[kittens].threads: 257: use a number from 1 to 256",
    ),
    *[
        ({"sesses": [{"act": "kittens", **sess}], "acts": [act(**more)]}, f"backstage_{line}")
        for sess, more, line in (
            (
                {"worker_class": "gevent"},
                {},
                "sesses[kittens].worker_class: 'gevent': stage 'uwsgi' has none; leave it out",
            ),
            (
                {"manager": "supervisor"},
                {},
                "sesses[kittens].manager: 'supervisor': stage 'uwsgi' has its own; leave it out",
            ),
            (
                {"stage": "asgi", "worker_class": "sync"},
                {},
                "sesses[kittens].worker_class: 'sync': stage 'asgi' has none; leave it out",
            ),
            (
                {"stage": "gunicorn", "worker_class": "sync", "threads": 2},
                {},
                "sesses[kittens].threads: 2: a worker of worker class 'sync' has no threads; leave it out",
            ),
            (
                {"stage": "asgi", "threads": 4},
                {},
                "sesses[kittens].threads: 4: a worker of stage 'asgi' has no threads; leave it out",
            ),
            (
                {"stage": "gunicorn", "state": "asleep"},
                {},
                "sesses[kittens].state: 'asleep': a Sess of stage 'gunicorn' never sleeps, because no emperor starts it"
                " at a request; use started, or stage uwsgi",
            ),
            (
                {"stage": "asgi", "standby": 15},
                {},
                "sesses[kittens].standby: 15: a Sess of stage 'asgi' does not stand by, because no emperor ends it in"
                " time; use 0, or stage uwsgi",
            ),
            (
                {"stage": "asgi"},
                {"application": "a.wsgi:application"},
                "acts[kittens].application: 'a.wsgi:application': it is the WSGI callable, and the stage plays ASGI;"
                " name that one, or change 'stage'",
            ),
            *[
                (
                    {"stage": stage},
                    {kind: {name: "purrpurr"}},
                    f"acts[kittens].{kind}.{name}: the server of this stage reads it as an option; remove it",
                )
                for stage, kind, name in (
                    ("gunicorn", "env", "GUNICORN_CMD_ARGS"),
                    ("gunicorn", "secrets", "WEB_CONCURRENCY"),
                    ("asgi", "env", "LISTEN_FDS"),
                    ("asgi", "env", "NOTIFY_SOCKET"),
                    ("asgi", "env", "FORWARDED_ALLOW_IPS"),
                )
            ],
        )
    ],
    *[
        ({"sesses": [{"act": "kittens", "limits": limits}]}, f"backstage_sesses[kittens].limits.{line}")
        for limits, line in (
            ({"memory": "512"}, "memory: '512': use a number and K, M or G, such as 512M"),
            ({"memory": "16M"}, "memory: '16M': no Sess starts with so little; use at least 32M"),
            ({"cpu": 50}, "cpu: '50': use a percentage of one core, such as 50% (200% is two cores)"),
            ({"tasks": "many"}, "tasks: 'many': use a whole number"),
            ({"tasks": 0}, "tasks: 0: its 2 processes with 1 thread each and uWSGI's master need room; use at least 6"),
        )
    ],
    (
        {"sesses": [{"act": "kittens", "processes": 4, "threads": 8, "limits": {"tasks": 35}}]},
        "backstage_sesses[kittens].limits.tasks: 35: its 4 processes with 8 threads each and uWSGI's master need room;"
        " use at least 36",
    ),
    (
        {"sesses": [{"act": "kittens"}], "sess_defaults": {"limits": {"memory": "1T"}}},
        "backstage_sesses[kittens].limits.memory: '1T': use a number and K, M or G, such as 512M",
    ),
    (
        {"sesses": [{"act": "kittens", "limits": {"disk": "1G"}}]},
        "backstage_sesses[kittens].limits: unknown key disk",
    ),
    *[
        ({"sesses": [{"act": "kittens", "port": port}]}, f"backstage_sesses[kittens].port: {port}: {PORTS}")
        for port in (0, 80, 1023, 65536, -1)
    ],
    (
        {"sesses": [{"act": "kittens"}], "acts": [act(state="absent")], "gigs": []},
        "backstage_sesses[kittens].state: 'started': its Act is absent; make the Sess absent, too, or leave it out",
    ),
    (
        {"sesses": [{"act": "kittens", "state": "absent"}]},
        "backstage_sesses[kittens].state: 'absent': a Gig needs its Sess; stop it, or cancel the Gig first",
    ),
    (
        {"venues": [{"name": VENUE}, {"name": "a b"}]},
        "backstage_venues[a b]: 'a b': use a DNS host name: labels of letters, digits and hyphens, joined by dots",
    ),
    ({"venues": [{"name": VENUE, "aliases": ["WWW.a"]}]}, f"backstage_venues[{VENUE}]: 'WWW.a': write it as 'www.a'"),
    (
        {"venues": [{"name": VENUE, "aliases": [WWW]}, {"name": WWW}]},
        f"backstage_venues[{WWW}]: '{WWW}': is a name of Venue '{VENUE}' already; a name belongs to one Venue",
    ),
    (
        {"venues": [{"name": VENUE, "aliases": [VENUE]}]},
        f"backstage_venues[{VENUE}]: '{VENUE}': is a name of Venue '{VENUE}' already; a name belongs to one Venue",
    ),
    ({"gigs": [gig(path="/blog/")]}, f"{PLACE}.path: '/blog/': use '/', or a path such as '/blog'"),
    (
        {"gigs": [gig(path="/backstage-502.html")]},
        f"{PLACE}.path: '/backstage-502.html': what begins so is kept for nginx's own pages; choose another one",
    ),
    (
        {"gigs": [gig(act="dogs")]},
        f"backstage_gigs[dogs at {VENUE}].act: 'dogs': no Act of this Production; known: kittens",
    ),
    (
        {"acts": [act(state="absent")], "sesses": [{"act": "kittens", "state": "stopped"}], "gigs": []},
        "backstage_sesses[kittens].state: 'stopped': its Act is absent; make the Sess absent, too, or leave it out",
    ),
    (
        {"gigs": [gig(venue="a.b")]},
        f"backstage_gigs[kittens at a.b].venue: 'a.b': no Venue of this Production; known: {VENUE}",
    ),
    (
        {"venues": [{"name": VENUE, "state": "absent"}]},
        f"{PLACE}.venue: '{VENUE}': this Venue is absent; cancel the Gig, too (state: absent)",
    ),
    (
        {"gigs": [gig(), gig()]},
        f"{PLACE}: 'kittens' plays at {VENUE}/ already; write all of its times into one 'when'",
    ),
    (
        {**TWO, "gigs": [gig(), gig("dogs")]},
        f"{DOGS}: 'kittens' plays at {VENUE}/ already; give one of them another path, or times of its own ('when')",
    ),
    (
        {**TWO, "gigs": [gig(when=["Fri"]), gig("dogs", when=["Thu 20:00-02:00"])]},
        f"{DOGS}: 'kittens' plays at {VENUE}/ then, too (first: Fri 00:00);"
        " give one of them another path or other times",
    ),
    (
        {"gigs": [gig(when=["Fri", "Frday"])]},
        f"{PLACE}.when: 'Frday': {calendar.fault('Frday')}",
    ),
    (
        {"venues": [{"name": VENUE, "timezone": "Mars/Base"}]},
        f"backstage_venues[{VENUE}].timezone: 'Mars/Base': {ZONE}",
    ),
    (
        {
            "acts": [{"name": f"a{number}", "source": {"path": "."}} for number in range(7)],
            "gigs": [gig(f"a{number}", path=f"/{number}", when=["Fri"]) for number in range(7)],
        },
        f"backstage_venues[{VENUE}]: its Gigs have times at 7 paths, and 128 combinations of Acts can be on;"
        " use at most 64",
    ),
    (
        {"longest_request": 59},
        f"{KITTENS}.timeout: 60: is longer than the stage's longest request (59 s);"
        " use at most that, or raise stage_longest_request",
    ),
]
# names that occur in plans and logs: a secret with such a value would mask them
NAMES = ["jamsession", VENUE, WWW, "productionone", "SECRET_KEY", "superuser"]
ACCEPTED: list[Item] = [
    booked(sesses=[{"act": "kittens", "state": "stopped"}]),
    booked(gigs=[gig(state="absent")], sesses=[{"act": "kittens", "state": "absent"}]),
    booked(acts=[act(state="absent")], gigs=[gig(state="absent")]),
    booked(gigs=[gig(state="absent"), gig()]),
    booked(venues=[{"name": VENUE, "state": "absent"}], gigs=[gig(state="absent", act="dogs")]),
    booked(acts=[act(timeout=301)], longest_request=301),
    booked(**TWO, gigs=[gig(when="Fri"), gig("dogs", when=["Sat 18:00-04:00", dt.date(2026, 12, 31)])]),
    booked(**TWO, gigs=[gig(when="Fri, Sun"), gig("dogs", when=dt.date(2026, 12, 31))]),
    booked(venues=[{"name": VENUE, "timezone": "Europe/Berlin"}]),
    options(only=["kittens"], unhold=["kittens"]),
    booked(sesses=[{"act": "kittens", "limits": {"memory": "512M", "cpu": "150%", "tasks": 6}}]),
    booked(sesses=[{"act": "kittens", "limits": {}}], sess_defaults={"limits": {"tasks": "100"}}),
]


@pytest.mark.parametrize(("values", "line"), VALUES)
def test_value(values: Item, line: str) -> None:
    assert refused(options(acts=[act(**values)])) == [f"{KITTENS}.{line}"]


@pytest.mark.parametrize(("change", "line"), REFUSED)
def test_refused(change: Item, line: str) -> None:
    assert refused(booked(**change)) == [line]


@pytest.mark.parametrize("given", ACCEPTED)
def test_accepted(given: Item) -> None:
    assert refused(given) == []


def test_an_absent_act_is_not_booked() -> None:
    lines = refused(booked(acts=[act(state="absent")]))
    assert f"{PLACE}.act: 'kittens': this Act is absent; cancel the Gig, too (state: absent)" in lines


WITH_PASSWORD = "https://reader:purrpurr@pypi.example.com/simple/"
PLACES: list[Item] = [
    *[{"index": {"url": WITH_PASSWORD}}, {"index": {"extra_urls": ["https://a.example/", WITH_PASSWORD]}}],
    *[{"index": {"find_links": [url]}} for url in (WITH_PASSWORD, "https:/purrpurr@a.example/", "//a:purrpurr@b/")],
    *[{"source": git(git=url)} for url in (WITH_PASSWORD, "ssh://git:purrpurr@a.example/b.git")],
    {"source": {"archive": WITH_PASSWORD + "a.tar.gz", "checksum": "sha256:" + "0" * 64}},
    {"source": {"package": f"kittens @ {WITH_PASSWORD}kittens.whl#sha256={'0' * 64}"}},
    {"source": {"path": "kittens", "password": "purrpurr"}},
]


@pytest.mark.parametrize("said", PLACES)
@pytest.mark.parametrize("below", [False, True])
def test_a_url_with_a_password_is_refused_and_never_repeated(said: Item, below: bool) -> None:
    given = options(acts=[{"name": "kittens"}], act_defaults={**act(**said)}) if below else options(acts=[act(**said)])
    given["act_defaults"].pop("name", None)
    lines = refused(given)
    assert len(lines) == 1, lines
    assert "purrpurr" not in lines[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_must_not_be_a_name_of_the_manifest(name: str) -> None:
    seed = {"name": "superuser", "run": "createsuperuser"}
    given = booked(
        production="productionone",
        acts=[act(secrets={"SECRET_KEY": name}), act(name="jamsession", seed=[seed])],
        venues=[{"name": VENUE, "aliases": [WWW]}],
    )
    assert refused(given) == [
        f"{KITTENS}.secrets.SECRET_KEY: it is the same as a name in the manifest; use another one"
    ]


def test_all_mistakes_are_reported_at_once() -> None:
    lines = refused(
        booked(acts=[act(timeout=0, settings="a b")], venues=[{"name": "A.b"}], only=["dogs"], unhold=["cats"])
    )
    for part in ("timeout", "settings", "A.b", VENUE, "dogs", "cats"):
        assert any(part in line for line in lines), part


def test_a_database_url_that_is_made_of_the_database() -> None:
    given = act(database={"engine": "sqlite"}, env={"DATABASE_URL": "spatialite:///{database}"})
    assert manifest.parse(options(acts=[given])).acts["kittens"].database == "sqlite"

# SPDX-License-Identifier: GPL-3.0-or-later
"""From a module's options to an order: for one noun, what was not told is what the disk says."""

from __future__ import annotations

import os
from typing import Any, Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Hooks
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Sess, Venue
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Order

from ...house import House
from ...manifests import COMMIT, VENUE, Item, act, booked, git
from ...told import told

OTHER = "dogs.example.com"
RESOLVED = {name: {"content": COMMIT, "label": "v1"} for name in ("kittens", "dogs")}


@pytest.fixture
def settled(house: House) -> House:
    """kittens plays at VENUE with a secret, dogs at OTHER without one."""
    acts = [
        act(source=git(), secrets={"KEY": "purrpurr"}, env={"A": "b"}),
        {"name": "dogs", "source": git(), "timeout": 90},
    ]
    places = {"kittens": VENUE, "dogs": OTHER}
    given = booked(
        acts=acts,
        resolved=RESOLVED,
        sesses=[{"act": "kittens", "processes": 3}, {"act": "dogs", "port": 8009, "limits": {"tasks": 100}}],
        venues=[{"name": name, "aliases": ["www." + name]} for name in places.values()],
        gigs=[{"act": name, "venue": venue} for name, venue in places.items()],
    )
    house.settle(options.for_production(given))
    return house


def told_of(shape: spec.Spec, **given: Any) -> Item:
    """A module's options: those given, and None or the default for the rest."""
    return {**{key: rule.get("default") for key, rule in shape.items()}, "production": "jazz", **given}


def one_act(**given: Any) -> Item:
    return told_of(spec.one_act(), name="kittens", **given)


def one_sess(**given: Any) -> Item:
    return told_of(spec.one_sess(), **{"act": "kittens", **given})


def one_venue(**given: Any) -> Item:
    return told_of(spec.one_venue(), **{"name": VENUE, **given})


def one_gig(**given: Any) -> Item:
    return told_of(spec.one_gig(), **{"act": "kittens", "venue": VENUE, **given})


Make = Callable[[Item], Order]
NOTHING: list[tuple[Make, Item]] = [
    (options.for_act, one_act()),
    (options.for_act, one_act(source=git(), resolved=RESOLVED)),
    (options.for_act, one_act(env={"A": "b"}, timeout=60)),
    (options.for_sess, one_sess()),
    (options.for_sess, one_sess(state="started", processes=3)),
    (options.for_sess, one_sess(secrets={"KEY": "purrpurr"})),
    (options.for_venue, one_venue()),
    (options.for_venue, one_venue(state="open", tls={"mode": "none"})),
    (options.for_gig, one_gig()),
    (options.for_gig, one_gig(path="/", state="present")),
    (options.for_gig, one_gig(act="birds", state="absent")),
    (options.for_venue, one_venue(name="nowhere.example", state="absent")),
    (options.for_sess, one_sess(act="dogs")),
]


@pytest.mark.parametrize(("make", "given"), NOTHING)
def test_told_nothing_new_nothing_changes(settled: House, make: Make, given: Item) -> None:
    """The single-noun modules mix with backstage_production and stay changed=0."""
    assert [step.entry() for step in production.check(make(given)).steps] == []


PLAY = "sess kittens: play"
SCHEDULED = [f"gig kittens at {VENUE}/: schedule", f"venue {VENUE}: schedule", "venue all: start timer"]
CHANGES: list[tuple[str, Make, Item, list[str]]] = [
    ("a timeout", options.for_act, one_act(timeout=90), ["act kittens: change"]),
    (
        "empty is empty",
        options.for_act,
        one_act(env={}),
        ["act kittens: build", "act kittens: migrate", "act kittens: change"],
    ),
    ("processes", options.for_sess, one_sess(processes=4), [PLAY]),
    ("limits", options.for_sess, one_sess(limits={"memory": "1G"}), [PLAY]),
    ("no limits", options.for_sess, one_sess(act="dogs", limits={}), ["sess dogs: play"]),
    ("a secret", options.for_sess, one_sess(secrets={"KEY": "meowmeow"}), [PLAY]),
    ("no secrets", options.for_sess, one_sess(secrets={}), [PLAY]),
    ("stopped", options.for_sess, one_sess(state="stopped"), ["sess kittens: stop"]),
    ("an alias", options.for_venue, one_venue(aliases=["a.example"]), [PLAY, f"venue {VENUE}: change"]),
    ("no alias", options.for_venue, one_venue(aliases=[]), [PLAY, f"venue {VENUE}: change"]),
    ("an option", options.for_venue, one_venue(upload="1g"), [f"venue {VENUE}: change"]),
    ("closed", options.for_venue, one_venue(state="closed"), [f"venue {VENUE}: close"]),
    ("a new Venue", options.for_venue, one_venue(name="a.example"), ["venue a.example: add"]),
    (
        "a move: where it is built for another path is the Act's next build",
        options.for_gig,
        one_gig(path="/blog"),
        [PLAY, f"gig kittens at {VENUE}/blog: move"],
    ),
    ("a port", options.for_sess, one_sess(port=8001), [PLAY, "sess kittens: listen"]),
    ("no port", options.for_sess, one_sess(act="dogs", port=0), ["sess dogs: unlisten", "sess dogs: play"]),
    ("times", options.for_gig, one_gig(when=["Fri"]), SCHEDULED),
    (
        "at other times beside another Act",
        options.for_gig,
        one_gig(venue=OTHER, when=["Fri"]),
        [PLAY, f"gig kittens at {OTHER}/: book", f"venue {OTHER}: schedule", "venue all: start timer"],
    ),
    ("cancelled", options.for_gig, one_gig(state="absent"), [f"gig kittens at {VENUE}/: cancel", PLAY]),
]


@pytest.mark.parametrize(("make", "given", "plan"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_what_is_told_changes(settled: House, make: Make, given: Item, plan: list[str]) -> None:
    steps = production.check(make(given)).steps
    assert [f"{step.noun} {step.name}: {step.verb}" for step in steps] == plan


REFUSED: list[tuple[Make, Item, str]] = [
    (
        options.for_act,
        one_act(state="absent"),
        f"act kittens: it is booked at {VENUE}; cancel the Gig first (backstage_gig)",
    ),
    (options.for_sess, one_sess(act="birds"), "act: 'birds' is not on this host; build it first (backstage_act)"),
    (
        options.for_venue,
        one_venue(state="absent"),
        f"venue {VENUE}: kittens plays there; cancel the Gig first (backstage_gig)",
    ),
    (
        options.for_gig,
        one_gig(act="birds"),
        "act: 'birds' does not play on this host; start its Sess first (backstage_sess)",
    ),
    (
        options.for_gig,
        one_gig(venue="a.example"),
        "venue: 'a.example' is not on this host; add it first (backstage_venue)",
    ),
    (
        options.for_sess,
        one_sess(state="absent"),
        "backstage_sesses[kittens].state: 'absent': a Gig needs its Sess; stop it, or cancel the Gig first",
    ),
    (
        options.for_venue,
        one_venue(aliases=["www." + OTHER]),
        f"is a name of Venue '{OTHER}' already; a name belongs to one Venue",
    ),
    (options.for_gig, one_gig(path="/blog/"), "use '/', or a path such as '/blog'"),
    (options.for_sess, one_sess(port=8009), "port: 8009: is the port of 'dogs', too; choose another one"),
    (options.for_sess, one_sess(port=80), "use a number from 1024 to 65535"),
    (options.for_act, one_act(path="/a b"), "path: '/a b': use '/', or a path such as '/blog'"),
    (
        options.for_act,
        one_act(path="/blog"),
        f"act kittens: it is booked at {VENUE}/; move the Gig first (backstage_gig)",
    ),
    (options.for_act, one_act(timeout=301), "is longer than the stage's longest request (300 s)"),
    (options.for_sess, one_sess(threads=0), "use a number from 1 to 256"),
]


@pytest.mark.parametrize(("make", "given", "said"), REFUSED)
def test_refused(settled: House, make: Make, given: Item, said: str) -> None:
    assert said in told(make, given)


def test_one_noun_says_nothing_about_others(settled: House) -> None:
    for make, given in ((options.for_act, one_act()), (options.for_sess, one_sess()), (options.for_gig, one_gig())):
        order = make(given)
        assert list(order.manifest.acts) == ["kittens"]
        assert (order.prune, order.whole, order.delete_data) == (False, False, set())
    assert options.for_act(one_act()).through == "migrate"
    assert options.for_sess(one_sess()).build is False


def test_rebooking_takes_both_acts_along(settled: House) -> None:
    order = options.for_gig(one_gig(act="dogs"))
    assert set(order.manifest.acts) == {"kittens", "dogs"}
    verbs = [f"{step.noun} {step.name}: {step.verb}" for step in production.check(order).steps]
    assert f"gig dogs at {VENUE}/: rebook" in verbs


def test_times_of_one_gig(house: House) -> None:
    """What is not said of it stays, and so does who plays there at other times."""
    acts = [act(source=git()), {**act(source=git()), "name": "dogs"}]
    gigs = [{"act": "kittens", "venue": VENUE, "when": ["Fri"]}, {"act": "dogs", "venue": VENUE, "when": ["Sat"]}]
    house.settle(options.for_production(booked(acts=acts, resolved=RESOLVED, gigs=gigs)))

    def plan(**given: Any) -> tuple[set[str], list[str]]:
        order = options.for_gig(one_gig(**given))
        steps = [f"{step.noun} {step.name}: {step.verb}" for step in production.check(order).steps]
        return {*order.manifest.acts}, [step for step in steps if not step.startswith(("venue", "sess"))]

    assert plan() == ({"kittens"}, [])
    assert plan(when=["Sun"]) == ({"kittens"}, [f"gig kittens at {VENUE}/: schedule"])
    assert plan(when=[]) == ({"kittens"}, [f"gig kittens at {VENUE}/: schedule"])
    assert plan(when=["Sat"]) == (
        {"kittens", "dogs"},
        [f"gig dogs at {VENUE}/: cancel", f"gig kittens at {VENUE}/: schedule"],
    )
    assert plan(state="absent") == ({"kittens"}, [f"gig kittens at {VENUE}/: cancel"])
    assert "'frday' is not a day" in told(options.for_gig, one_gig(when=["Frday"]))


def test_a_stopped_sess_keeps_its_port(settled: House) -> None:
    os.unlink(settled.act("dogs").live)
    assert options.for_sess(one_sess(act="dogs")).manifest.sesses["dogs"].port == 8009
    steps = production.check(options.for_sess(one_sess(act="dogs"))).steps
    assert "unlisten" not in [step.verb for step in steps]
    # another noun neither starts it nor takes its port away
    assert "dogs" not in options.for_venue(one_venue(name=OTHER)).manifest.sesses
    assert production.check(options.for_venue(one_venue(name=OTHER))).steps == []


def test_one_noun_after_another(house: House) -> None:
    """An Act that is built for the path of its Gig, which comes last, is not built again by a second run."""
    resolved = {"kittens": RESOLVED["kittens"]}
    told_twice = one_act(source=git(), secrets={}, path="/blog", resolved=resolved)
    (built,) = [step.after for step in production.check(options.for_act(told_twice)).steps if step.verb == "build"]
    given = booked(
        acts=[act(source=git())], resolved=RESOLVED, gigs=[{"act": "kittens", "venue": VENUE, "path": "/blog"}]
    )
    house.settle(options.for_production(given))
    assert house.state().live_release == built
    for make, again in (
        (options.for_act, told_twice),
        (options.for_act, one_act(resolved=resolved)),
        (options.for_sess, one_sess()),
        (options.for_gig, one_gig()),
        (options.for_gig, one_gig(path="/blog")),
    ):
        assert production.check(make(again)).steps == []
    (cancelled,) = options.for_gig(one_gig(state="absent")).manifest.gigs
    assert (cancelled.path, cancelled.state) == ("/blog", "absent")


def test_data_goes_only_with_the_act_that_is_named(settled: House) -> None:
    order = options.for_act({**told_of(spec.one_act(), name="birds"), "state": "absent", "delete_data": True})
    assert order.delete_data == {"birds"}


def test_an_absent_act_takes_its_sess_along(house: House) -> None:
    given = booked(acts=[act(source=git())], resolved=RESOLVED, sesses=[{"act": "kittens"}], venues=[], gigs=[])
    house.settle(options.for_production(given))
    steps = production.check(options.for_act(one_act(state="absent"))).steps
    assert [f"{step.noun} {step.name}: {step.verb}" for step in steps] == [
        "sess kittens: remove",
        "act kittens: remove",
    ]


def test_an_act_absent_from_the_disk(house: House) -> None:
    order = options.for_act(one_act(source=git(), resolved=RESOLVED))
    assert [step.verb for step in production.check(order).steps] == ["build", "migrate", "add"]
    assert "backstage_acts[kittens].source: is missing" in told(options.for_act, one_act())


WHOLE: list[tuple[Item, Any]] = [
    # (options of backstage_production, what the order says)
    ({}, {"whole": True, "prune": False, "through": "play", "strike": False, "verb": "", "act": "", "release": ""}),
    ({"only": ["kittens"]}, {"whole": False}),
    ({"state": "absent"}, {"strike": True, "prune": True}),
    ({"through": "build", "prune": True, "delete_data": ["birds"]}, {"prune": True, "delete_data": {"birds"}}),
    ({"rollback": "kittens", "release": "a" * 12}, {"verb": "rollback", "act": "kittens", "release": "a" * 12}),
    ({"rollback": "kittens"}, {"keep_migrations": False}),
    ({"rollback": "kittens", "migrations": "keep"}, {"keep_migrations": True}),
    ({"restart": "kittens"}, {"verb": "restart", "act": "kittens"}),
    ({"unhold": ["kittens"]}, {"unhold": {"kittens"}}),
    ({"acts": [act(seed=[{"name": "s", "run": "a"}])], "seeds": {"s": "done"}}, {"seeds": {"s": "done"}}),
    ({"lock_timeout": 5}, {"lock_timeout": 5}),
]


@pytest.mark.parametrize(("more", "says"), WHOLE)
def test_a_whole_production(house: House, more: Item, says: Item) -> None:
    order = options.for_production(booked(**more))
    assert {key: getattr(order, key) for key in says} == says


def test_a_strike_wants_nothing(house: House) -> None:
    wanted = options.for_production(booked(state="absent")).manifest
    assert (wanted.production, wanted.acts, wanted.venues, wanted.gigs) == ("jazz", {}, {}, [])


def test_an_act_without_secrets_in_the_whole_manifest_has_none(house: House) -> None:
    assert options.for_production(booked()).manifest.acts["kittens"].secrets == {}


def test_only_and_elsewhere(house: House) -> None:
    dogs = {"name": "dogs", "source": git()}
    both = {"acts": [act(), dogs], "sesses": [{"act": "dogs"}], "venues": [{"name": VENUE}, {"name": OTHER}]}
    assert list(options.for_production(booked(**both, only=["dogs"])).manifest.acts) == ["dogs"]
    found = options.for_production(booked(**both, elsewhere=["kittens"])).manifest
    assert (list(found.acts), found.sesses, found.gigs) == (["dogs"], {"dogs": Sess("dogs")}, [])
    assert options.for_production(booked(only=["kittens"])).manifest.venues == {VENUE: Venue(VENUE)}


NO_ACT = "rollback: '{}' is no Act of this Production on this host"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"rollback": "dogs"}, "rollback: 'dogs' is no Act of this Production on this host"),
        (
            {"rollback": "kittens", "elsewhere": ["kittens"]},
            "rollback: 'kittens' is no Act of this Production on this host",
        ),
        ({"prune": True, "only": ["kittens"]}, "prune: it needs the whole manifest; leave 'only' out"),
    ],
)
def test_a_whole_production_refused(house: House, more: Item, said: str) -> None:
    assert told(options.for_production, booked(**more)) == said


def test_a_host_that_follows_runs_nothing_that_runs_once(house: House) -> None:
    """Seeds, fixtures, timers, hooks of migrations, and workers with ``once``; the first host of the Act runs them."""
    company = {
        "seed": [{"name": "superuser", "run": "createsuperuser"}],
        "fixtures": ["first.json"],
        "timers": [{"name": "nightly", "manage": "clearsessions", "at": "03:00"}],
        "hooks": {"before_migrate": ["a"], "after_migrate": ["b"], "after_switch": ["c"]},
        "workers": [{"name": "celery", "run": "celery"}, {"name": "beat", "run": "celery beat", "once": True}],
    }
    given = booked(acts=[act(**company)], shared=["kittens"])
    leads, follows = (options.for_production({**given, "following": names}) for names in ([], ["kittens"]))
    assert (leads.shared, follows.shared) == ({"kittens"}, {"kittens"})
    first, second = (order.manifest.acts["kittens"] for order in (leads, follows))
    assert [len(first.seed), len(first.fixtures), len(first.timers), len(first.workers)] == [1, 1, 1, 2]
    assert (second.seed, second.fixtures, second.timers, second.hooks) == ([], [], [], Hooks(after_switch=["c"]))
    assert [worker.name for worker in second.workers] == ["celery"]

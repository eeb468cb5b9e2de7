# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans of a whole Production: what differs -> the steps in their order; and that planning changes nothing."""

from __future__ import annotations

import os

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError, Refusal
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options as orders
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Change, Phase, Step

from ...house import House, wanted
from ...manifests import VENUE, Item, act, git, options
from .runs import BOOKED, DOGS, GIG, NEXT, PLAY, SECRET, WWW, checked, gig, given, settled, verbs

FIRST = ["act kittens: build", "act kittens: migrate", "sess kittens: play", "act kittens: add"]
EMPTY: list[tuple[str, Item, list[str]]] = [
    ("all of it", {}, FIRST + BOOKED),
    ("an Act alone is built and not played", {"venues": [], "gigs": []}, [FIRST[0], FIRST[1], FIRST[3]]),
    ("a Sess alone plays", {"venues": [], "gigs": [], "sesses": [{"act": "kittens"}]}, FIRST),
    ("a Venue alone", {"acts": [], "gigs": []}, BOOKED[:1]),
    ("through build", {"through": "build"}, [FIRST[0], FIRST[3]]),
    ("through migrate", {"through": "migrate"}, [FIRST[0], FIRST[1], FIRST[3]]),
    ("without migrations", {"acts": [act(source=git(), migrate=False)]}, [FIRST[0], *FIRST[2:], *BOOKED]),
    ("stopped", {"sesses": [{"act": "kittens", "state": "stopped"}]}, [FIRST[0], FIRST[1], FIRST[3], *BOOKED]),
    ("an absent one", {"acts": [act(state="absent")], "gigs": [], "venues": []}, []),
    ("nothing", {"acts": [], "venues": [], "gigs": []}, []),
    ("elsewhere", {"elsewhere": ["kittens"]}, []),
    (
        "seeds around the migrations",
        {
            "venues": [],
            "gigs": [],
            "acts": [
                act(
                    source=git(),
                    fixtures=["a.json"],
                    seed=[{"name": "late", "run": "a"}, {"name": "early", "run": "b", "before_migrate": True}],
                )
            ],
        },
        ["act kittens: build", *["act kittens: seed"], "act kittens: migrate", *["act kittens: seed"] * 2, FIRST[3]],
    ),
]
HOOKS = {"after_switch": ["warm", "tell"]}
HOOK = "act kittens: hook"
NEW_DOGS = [f"act dogs: {verb}" for verb in ("build", "migrate", "add")]
CHANGES: list[tuple[str, Item, list[str]]] = [
    # (what differs from a settled host, the options, the plan)
    ("nothing", {}, []),
    ("health", {"acts": [act(source=git(), **SECRET, health={"path": "/up/"})]}, ["act kittens: change"]),
    ("a commit", {"contents": {"kittens": NEXT}}, [*FIRST[:3], "act kittens: change"]),
    ("a secret", {"acts": [act(source=git(), secrets={"KEY": "meowmeow"})]}, [PLAY]),
    ("no secrets", {"acts": [act(source=git())]}, [PLAY]),
    ("processes", {"sesses": [{"act": "kittens", "processes": 4}]}, [PLAY]),
    (
        "a timer",
        {"acts": [act(source=git(), **SECRET, timers=[{"name": "t", "manage": "a", "every": "day"}])]},
        ["act kittens: change", "timer kittens/t: add"],
    ),
    ("hooks alone", {"acts": [act(source=git(), **SECRET, hooks=HOOKS)]}, ["act kittens: change"]),
    (
        "hooks: after the switch and what nginx is told",
        {
            "acts": [act(source=git(), **SECRET, hooks={"before_migrate": ["a"], **HOOKS})],
            "contents": {"kittens": NEXT},
            "venues": [{"name": VENUE, "aliases": [WWW]}],
        },
        [
            FIRST[0],
            HOOK,
            *FIRST[1:3],
            "act kittens: change",
            f"venue {VENUE}: change",
            HOOK,
            HOOK,
        ],
    ),
    ("all of a sudden threads", {"sess_defaults": {"threads": 4}}, [PLAY]),
    (
        "a longer request",
        {"acts": [act(source=git(), **SECRET, timeout=90)]},
        [PLAY, "act kittens: change", f"venue {VENUE}: rewrite"],
    ),
    ("an alias: first the Sess", {"venues": [{"name": VENUE, "aliases": [WWW]}]}, [PLAY, f"venue {VENUE}: change"]),
    ("closed", {"venues": [{"name": VENUE, "state": "closed"}]}, [f"venue {VENUE}: close"]),
    (
        "cancelled: nginx first, then the Sess loses the name",
        {"gigs": [{"act": "kittens", "venue": VENUE, "state": "absent"}], "sesses": [{"act": "kittens"}]},
        [f"gig {GIG}: cancel", PLAY],
    ),
    ("stopped", {"sesses": [{"act": "kittens", "state": "stopped"}]}, ["sess kittens: stop"]),
    (
        "an input of the release",
        {"acts": [act(source=git(), **SECRET, env={"A": "b"})]},
        [*FIRST[:3], "act kittens: change"],
    ),
    ("another Act", {"acts": [act(source=git(), **SECRET), DOGS]}, NEW_DOGS),
    (
        "absent",
        {
            "acts": [act(state="absent")],
            "gigs": [{"act": "kittens", "venue": VENUE, "state": "absent"}],
            "venues": [{"name": VENUE, "state": "absent"}],
        },
        [f"gig {GIG}: cancel", f"venue {VENUE}: remove", "sess kittens: remove", "act kittens: remove"],
    ),
    ("left the manifest", {"acts": [], "venues": [], "gigs": []}, []),
    (
        "left it, and pruned",
        {"acts": [], "venues": [], "gigs": [], "prune": True},
        [f"gig {GIG}: cancel", f"venue {VENUE}: remove", "sess kittens: remove", "act kittens: remove"],
    ),
    (
        "pruned with its data",
        {"acts": [], "venues": [], "gigs": [], "prune": True, "delete_data": ["kittens"]},
        [
            f"gig {GIG}: cancel",
            f"venue {VENUE}: remove",
            "sess kittens: remove",
            "act kittens: remove",
            "act kittens: delete data",
        ],
    ),
    (
        "struck",
        {"state": "absent"},
        [
            f"gig {GIG}: cancel",
            f"venue {VENUE}: remove",
            "sess kittens: remove",
            "act kittens: remove",
            "production jazz: strike",
        ],
    ),
    (
        "another path: another release, gated at the new one",
        {"gigs": [gig("/blog")]},
        [*FIRST[:3], "act kittens: change", f"gig kittens at {VENUE}/blog: move"],
    ),
    (
        "a port: first the Sess",
        {"sesses": [{"act": "kittens", "port": 8001}]},
        [PLAY, "sess kittens: listen"],
    ),
    ("only another Act", {"acts": [act(source=git(), secrets={"KEY": "meowmeow"}), DOGS], "only": ["dogs"]},
     NEW_DOGS),
]  # fmt: skip


@pytest.mark.parametrize(("more", "plan"), [row[1:] for row in EMPTY], ids=[row[0] for row in EMPTY])
def test_fault_36_an_empty_host(house: House, more: Item, plan: list[str]) -> None:
    before = house.seen()
    assert verbs(checked(**more)) == plan
    assert house.seen() == before


@pytest.mark.parametrize(("more", "plan"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_a_settled_host(house: House, more: Item, plan: list[str]) -> None:
    settled(house)
    before = house.seen()
    outcome = checked(**more)
    assert verbs(outcome) == plan
    assert (outcome.errors, house.seen()) == ([], before)


BLOG = {"gigs": [gig("/blog")], "sesses": [{"act": "kittens", "port": 8001}]}
FROM_BLOG: list[tuple[str, Item, list[str]]] = [
    # (what differs from a settled host with a port, on which kittens play at /blog, the options, the plan)
    ("nothing", {}, []),
    ("a move", {"gigs": [gig("/news")]}, [
        *FIRST[:3], "act kittens: change", f"gig kittens at {VENUE}/news: move", "sess kittens: listen",
    ]),
    ("only a build", {"gigs": [gig("/news")], "through": "build"}, [FIRST[0], "act kittens: change"]),
    ("another port", {"sesses": [{"act": "kittens", "port": 8002}]}, [PLAY, "sess kittens: listen", PLAY]),
    ("no port", {"sesses": [{"act": "kittens"}]}, ["sess kittens: unlisten", PLAY]),
    ("cancelled: it plays there until nginx knows", {"gigs": [{**gig("/blog"), "state": "absent"}]}, [
        *FIRST[:3], "act kittens: change", f"gig kittens at {VENUE}/blog: cancel", "sess kittens: listen", PLAY,
    ]),
    ("a neighbour at the root", {
        "gigs": [gig("/blog"), gig("/", "dogs")], "acts": [act(source=git(), **SECRET), DOGS],
    }, [
        "act dogs: build", "act dogs: migrate", "sess dogs: play", "act dogs: add", f"gig dogs at {VENUE}/: book",
    ]),
    ("its place given to another one", {
        "gigs": [gig("/blog", "dogs"), gig("/news")], "acts": [act(source=git(), **SECRET), DOGS],
    }, [
        "act kittens: build", "act dogs: build", "act kittens: migrate", "act dogs: migrate", PLAY, "sess dogs: play",
        "act kittens: change", "act dogs: add",
        f"gig dogs at {VENUE}/blog: rebook", f"gig kittens at {VENUE}/news: book", "sess kittens: listen",
    ]),
    ("stopped", {"sesses": [{"act": "kittens", "port": 8001, "state": "stopped"}]}, ["sess kittens: stop"]),
    ("pruned", {"acts": [], "gigs": [], "sesses": [], "venues": [], "prune": True}, [
        f"gig kittens at {VENUE}/blog: cancel", f"venue {VENUE}: remove", "sess kittens: unlisten",
        "sess kittens: remove", "act kittens: remove",
    ]),
    ("struck", {"state": "absent"}, [
        f"gig kittens at {VENUE}/blog: cancel", f"venue {VENUE}: remove", "sess kittens: unlisten",
        "sess kittens: remove", "act kittens: remove", "production jazz: strike",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("more", "plan"), [row[1:] for row in FROM_BLOG], ids=[row[0] for row in FROM_BLOG])
def test_a_path_and_a_port(house: House, more: Item, plan: list[str]) -> None:
    settled(house, **BLOG)
    before = house.seen()
    outcome = checked(**{**BLOG, **more})
    assert verbs(outcome) == plan
    assert (outcome.errors, house.seen()) == ([], before)


def test_a_move_on_an_empty_host_is_the_same_release(house: House) -> None:
    """An id needs no host, and none of a path's history."""
    (built,) = [step.after for step in checked(**BLOG).steps if step.verb == "build"]
    settled(house)
    (moved,) = [step.after for step in checked(**BLOG).steps if step.verb == "build"]
    assert moved == built


def test_urls_of_another_act_are_refused_as_soon_as_they_are_known(house: House) -> None:
    two = {"acts": [act(source=git(), **SECRET), DOGS], "gigs": [gig("/"), gig("/blog", "dogs")]}
    settled(house, **two)
    wanted_of_dogs = house.state("dogs").live_release or ""
    record = house.act("dogs").release(wanted_of_dogs).seal
    told = files.read(record) or ""
    files.draft(record, told.replace('"relative": true', '"relative": false'), 0o640)
    (error,) = checked(**two).errors
    assert error.subject == "act dogs"
    assert error.message.startswith(f"the URL /static/ at {VENUE} belongs to the Act kittens already: make STATIC_URL")


BECAUSE: list[tuple[Item, list[str]]] = [
    ({"acts": [act(source=git(), secrets={"KEY": "meowmeow"})]}, ["secret KEY changed"]),
    ({"acts": [act(source=git(), secrets={**SECRET["secrets"], "B": "meowmeow"})]}, ["secret B changed"]),
    ({"acts": [act(source=git())]}, ["secret KEY changed"]),
    ({"sesses": [{"act": "kittens", "processes": 4, "threads": 8}]}, ["processes: 2 -> 4", "threads: 1 -> 8"]),
    (
        {"venues": [{"name": VENUE, "aliases": [WWW]}]},
        ["variable BACKSTAGE_HOSTS changed", "variable BACKSTAGE_ORIGINS changed"],
    ),
    ({"contents": {"kittens": NEXT}}, ["release"]),
]


@pytest.mark.parametrize(("more", "because"), BECAUSE)
def test_why_a_sess_is_played_anew(house: House, more: Item, because: list[str]) -> None:
    settled(house)
    (step,) = [step for step in checked(**more).steps if step.noun == "sess"]
    assert step.after["because"] == because
    assert "meowmeow" not in str(step.entry()) + str(step.diff())


def test_what_left_the_manifest_is_shown(house: House) -> None:
    settled(house, acts=[act(source=git(), **SECRET), DOGS], sesses=[{"act": "dogs"}])
    left = checked(acts=[DOGS], gigs=[], venues=[])
    assert left.unlisted == ["act kittens", f"venue {VENUE}", "sess dogs"]
    assert checked(acts=[DOGS], gigs=[], venues=[], only=["dogs"]).unlisted == []
    assert checked(acts=[DOGS], gigs=[], venues=[], prune=True).unlisted == []


def test_missing_sources_are_asked_for(house: House) -> None:
    settled(house)
    assert checked(acts=[act(source=git(), **SECRET), DOGS], contents={"kittens": NEXT}).missing == ["kittens", "dogs"]
    assert checked().missing == []


def test_fault_8_what_can_not_be_fetched_is_its_acts_failure_alone(house: House) -> None:
    settled(house)
    change = {"acts": [act(source=git(), **SECRET), DOGS], "contents": {"kittens": NEXT}}
    found = checked(**change, unavailable={"kittens": "https://x/y has no commit"})
    assert [(error.subject, error.step, error.message) for error in found.errors] == [
        ("act kittens", "source", "https://x/y has no commit")
    ]
    assert (found.missing, verbs(found)) == (["dogs"], ["act dogs: build", "act dogs: migrate", "act dogs: add"])


URL = "postgres://ada:tomcat-22@db/cats"


@pytest.mark.parametrize("told", [{"secrets": {"URL": URL}}, {}], ids=["given", "those of the live Sess"])
def test_no_part_of_a_secret_is_in_a_failure(house: House, told: Item) -> None:
    """What no_log knows nothing of: the password inside a URL, and secrets that were not given in this run."""
    settled(house, acts=[act(source=git(), secrets={"URL": URL})])
    run = production._Run(orders.for_production(given(acts=[act(source=git(), **told)], contents={"kittens": NEXT})))
    run.plan()

    def fail() -> None:
        raise BackstageError("no port 'tomcat-22@db'", step="gate", log=f"connect {URL}\nas ada, tomcat-22")

    failed: dict[str, BackstageError] = {}
    run._make([Change(Step("sess", "kittens", "play"), Phase.MIGRATE, "kittens", fail)], failed)
    assert (failed["kittens"].message, failed["kittens"].step) == ("no port '********@db'", "gate")
    assert failed["kittens"].log == "connect ********\nas ada, ********"


def test_playing(house: House) -> None:
    settled(house)
    (release,) = house.state().releases
    playing = {"release": release, "sess": f"{release}.1", "since": "2026-01-01T00:00:01Z"}
    assert checked().playing == {"kittens": playing}


TIMER = "timer kittens/t: remove"
TIMERLESS: list[tuple[str, Item, list[str]]] = [
    # (what the manifest says, the plan on a host with a timer that it does not name)
    ("nothing of it", {}, [TIMER]),
    ("stopped", {"sesses": [{"act": "kittens", "state": "stopped"}]}, [TIMER, "sess kittens: stop"]),
    ("another Act", {"only": ["dogs"], "acts": [act(source=git(), **SECRET), DOGS]}, NEW_DOGS),
    ("only a build", {"through": "build"}, []),
    ("no Act", {"acts": [], "gigs": [], "venues": []}, []),
    (
        "pruned",
        {"acts": [], "gigs": [], "venues": [], "prune": True},
        [f"gig {GIG}: cancel", f"venue {VENUE}: remove", TIMER, "sess kittens: remove", "act kittens: remove"],
    ),
]


@pytest.mark.parametrize(("more", "plan"), [row[1:] for row in TIMERLESS], ids=[row[0] for row in TIMERLESS])
def test_a_timer_goes_before_its_sess(house: House, more: Item, plan: list[str]) -> None:
    settled(house)
    os.makedirs(house.act().timers)
    files.draft(os.path.join(house.act().timers, "t.json"), '{"when": "every day: a"}', 0o640)
    assert [line for line in verbs(checked(**more)) if "mend" not in line] == plan


DATA = [
    (["kittens"], {}, "backstage_delete_data: 'kittens' is present; make it absent first, its data is in use"),
]


@pytest.mark.parametrize(("names", "more", "said"), DATA)
def test_data_is_deleted_by_name_only(house: House, names: list[str], more: Item, said: str) -> None:
    settled(house)
    with pytest.raises(Refusal, match=said):
        checked(delete_data=names, **more)


def test_data_that_is_gone_already_is_said(house: House) -> None:
    """The second of two runs changes nothing; a typing error is still seen."""
    settled(house)
    outcome = checked(delete_data=["birds"])
    assert (outcome.steps, outcome.warnings) == ([], ["backstage_delete_data: 'birds' has no data on this host"])


def test_two_runs_plan_the_same(house: House) -> None:
    settled(house)
    assert checked(contents={"kittens": NEXT}).steps == checked(contents={"kittens": NEXT}).steps


def test_the_same_release_on_every_host(house: House) -> None:
    """The id needs no host: what check mode says on an empty one is what is built."""
    (step,) = [step for step in checked().steps if step.verb == "build"]
    order = orders.for_production(given())
    assert step.after == wanted(order.manifest.acts["kittens"]).release
    assert options()["production"] == "jazz"

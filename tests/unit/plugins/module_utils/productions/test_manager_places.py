# SPDX-License-Identifier: GPL-3.0-or-later
"""What nginx is told before a switch: the URLs of the Sess that goes and of the one that comes, or that it can't be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import locations
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Change, Phase

from ...house import STATIC, House, addressed, wanted
from ...manifests import COMMIT, VENUE, Item, act, booked, git
from ...told import told

DOGS = {"name": "dogs", "source": git()}
ABSOLUTE = {"url": "/static/", "root": "own"}


def given(**more: Any) -> Item:
    resolved = {name: {"content": COMMIT, "label": "v1"} for name in ("kittens", "dogs")}
    gigs = [gig("/blog"), gig("/", "dogs")]
    return booked(**{"acts": [act(source=git()), DOGS], "resolved": resolved, "gigs": gigs, **more})


def gig(path: str, name: str = "kittens", **more: str) -> Item:
    return {"act": name, "venue": VENUE, "path": path, **more}


def planned(house: House, phase: Phase, more: Item, **web: Any) -> tuple[production._Run, Change]:
    """A run that has built what it wants, and its switch of the kittens."""
    order = options.for_production(given(**more))
    want = wanted(order.manifest.acts["kittens"], address=addressed(order, "kittens"))
    if want.release not in house.state().releases:
        house.build(want.release, inputs=want.inputs, **web)
    run = production._Run(order)
    run.plan()
    return run, the_switch(run, phase)


def the_switch(run: production._Run, phase: Phase) -> Change:
    (change,) = [one for one in run.changes if (one.act, one.step.noun, one.phase) == ("kittens", "sess", phase)]
    return change


def told_nginx(house: House) -> set[str]:
    """The URLs that have a location."""
    text = Path(house.host.venues, f"jazz.{VENUE}.conf").read_text()
    found = {line.split()[-2] for line in text.splitlines() if line.startswith("    location /")}
    return found - {locations.PRIVATE}


@pytest.fixture
def settled(open_house: House) -> House:
    """Kittens play at /blog, dogs at the root."""
    open_house.settle(options.for_production(given()))
    return open_house


MOVED = {"gigs": [gig("/news"), gig("/", "dogs")]}
GONE = {"gigs": [gig("/blog", state="absent"), gig("/", "dogs")], "sesses": [{"act": "kittens"}, {"act": "dogs"}]}


def test_before_a_move_both_paths_files_are_served(settled: House) -> None:
    run, change = planned(settled, Phase.PLAY, MOVED)
    run._make_way(change, set())
    assert told_nginx(settled) == {"/static/", "/blog/static/", "/news/static/", "/blog/", "/"}


def test_another_static_url(settled: House) -> None:
    acts = {"acts": [act(source=git(), env={"A": "b"}), DOGS]}
    run, change = planned(settled, Phase.PLAY, acts, static={"url": "/assets/", "root": "own"})
    run._make_way(change, set())
    assert told_nginx(settled) == {"/static/", "/blog/static/", "/assets/", "/blog/", "/"}


def test_static_files_that_the_act_is_going_to_answer(settled: House) -> None:
    """Before the switch the Act of now answers 404 for them, and nginx goes on to its files."""
    acts = {"acts": [act(source=git(), static="app"), DOGS]}
    run, change = planned(settled, Phase.PLAY, acts, static={**STATIC, "app": True})
    run._make_way(change, set())
    text = Path(settled.host.venues, f"jazz.{VENUE}.conf").read_text()
    assert "error_page 404 = /backstage-files/blog/static$uri;" in text
    assert "try_files /static$uri /older/1$uri" in text


def test_the_same_urls_do_not_touch_nginx(settled: House) -> None:
    before = settled.seen()
    run, change = planned(settled, Phase.PLAY, {"sesses": [{"act": "kittens", "processes": 4}]})
    run._make_way(change, set())
    assert settled.seen() == before


def test_when_it_has_left_its_path_it_is_served_at_the_root(settled: House) -> None:
    run, change = planned(settled, Phase.LEAVE, GONE)
    run._make_way(change, set())
    assert told_nginx(settled) == {"/static/", "/blog/static/", "/blog/", "/"}
    text = Path(settled.host.venues, f"jazz.{VENUE}.conf").read_text()
    assert "/dogs/live/static$uri" in text, "those of the root are looked for first"
    assert "/kittens/live/static$uri" in text


def test_a_url_of_its_neighbour_is_refused_before_the_switch(settled: House) -> None:
    before = told_nginx(settled)
    acts = {"acts": [act(source=git(), env={"A": "b"}), DOGS]}
    order = options.for_production(given(**acts))
    run = production._Run(order)
    run.plan()
    want = wanted(order.manifest.acts["kittens"], address=addressed(order, "kittens"))
    settled.build(want.release, inputs=want.inputs, static=ABSOLUTE)
    run.state.act("kittens").releases[want.release] = settled.state().releases[want.release]
    change = the_switch(run, Phase.PLAY)
    said = told(run._make_way, change, set())
    assert said.startswith(f"the URL /static/ at {VENUE} belongs to the Act dogs already")
    assert told_nginx(settled) == before
    # where the dogs fail in this run, they keep what they have
    assert told(run._make_way, change, {"dogs"}).startswith("the URL /static/")

# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbill at the end of a run: a row for each Gig, with what the run did, from what the run knows anyway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Manifest
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options, playbill
from ansible_collections.backstage.django.plugins.module_utils.productions.playbill import Done
from ansible_collections.backstage.django.plugins.module_utils.state.read import read

from ...costs import opened
from ...emperors import Emperor
from ...house import A, House, wanted
from ...manifests import COMMIT, VENUE, Item, act, git
from .runs import given, settled

TLS = {"name": "b.example", "tls": {"mode": "selfsigned"}, "state": "closed"}


def many(count: int) -> Item:
    names = [f"kitten{number}" for number in range(count)]
    return given(
        acts=[{"name": name, "source": git(), "secrets": {}} for name in names],
        venues=[{"name": f"{name}.example"} for name in names],
        gigs=[{"act": name, "venue": f"{name}.example"} for name in names],
        contents=dict.fromkeys(names, COMMIT),
    )


def of(house: House, what: Item, done: Done, only: str = "") -> Item:
    manifest: Manifest = options.for_production(what).manifest
    return playbill.of(manifest, read("jazz", house.host), house.host, done, only)


def test_rows_are_gigs_then_acts_without_one(house: House) -> None:
    dogs, birds = ({"name": name, "source": git(), "secrets": {}} for name in ("dogs", "birds"))
    what = {
        "acts": [act(source=git(), secrets={}), dogs, birds],
        "venues": [{"name": VENUE}, TLS],
        "gigs": [
            {"act": "kittens", "venue": VENUE},
            {"act": "dogs", "venue": "b.example", "path": "/dogs"},
        ],
        "contents": {"birds": COMMIT},
    }
    settled(house, **what)
    release, dogs_release = (house.state(name).live_release for name in ("kittens", "dogs"))
    done = Done(seconds={"kittens": 6.23, "old": 0.5}, switched={"kittens"}, failed={"b.example": "certificate"})
    bill = of(house, given(**what), done)
    assert bill["others"] == 0
    assert [tuple(row.values()) for row in bill["rows"]] == [
        (f"http://{VENUE}/", "kittens", release, "new", "answers", 6.2),
        ("https://b.example/dogs", "dogs", dogs_release, "playing, Venue closed", "FAILED: certificate", None),
        ("", "birds", None, "not playing", "", None),
        ("", "old", None, "removed", "", 0.5),
    ]


STATES: list[tuple[str, Any, Done, tuple[str, str]]] = [
    ("unchanged", None, Done(), ("playing", "")),
    ("failed", None, Done(seconds={"kittens": 1}, failed={"kittens": "gate"}), ("playing", "FAILED: gate")),
    ("built", None, Done(built={"kittens": A}), (f"playing, {A} built", "")),
    ("held", lambda paths: Path(paths.hold).write_text(f'{{"release": "{A}"}}'), Done(), (f"playing, {A} held", "")),
    ("not playing", lambda paths: Path(paths.live).unlink(), Done(), ("not playing", "")),
]


@pytest.mark.parametrize(("name", "change", "done", "told"), STATES)
def test_states(house: House, name: str, change: Any, done: Done, told: tuple[str, str]) -> None:
    what = settled(house)
    if change:
        change(house.act())
    (row,) = of(house, what, done)["rows"]
    assert (row["state"], row["health"]) == told


def test_of_many_only_those_are_shown_for_which_something_was_done(house: House) -> None:
    what = many(playbill.MOST + 5)
    done = Done(seconds={"kitten7": 2.0}, failed={"kitten3.example": "certificate"})
    bill = of(house, what, done)
    assert ([row["act"] for row in bill["rows"]], bill["others"]) == (["kitten3", "kitten7"], playbill.MOST + 3)
    assert of(house, what, Done()) == {"rows": [], "others": playbill.MOST + 5}
    assert len(of(house, many(playbill.MOST), Done())["rows"]) == playbill.MOST


def test_a_run_for_one_act_shows_that_one(house: House) -> None:
    bill = of(house, many(3), Done(), "kitten1")
    assert ([row["act"] for row in bill["rows"]], bill["others"]) == (["kitten1"], 0)


def test_a_run_tells_what_it_did(crewed: House) -> None:
    """Through the Production manager, with a real switch; and a second run has done nothing. Its log stays."""
    kittens = act(source=git(), health={"timeout": 2}, timeout=5, migrate=False)
    what = given(
        production=crewed.production, acts=[kittens], sesses=[{"act": "kittens", "processes": 1}], venues=[], gigs=[]
    )
    order = options.for_production(what)
    acts.prepare(crewed.act())
    want = wanted(order.manifest.acts["kittens"])
    crewed.build(want.release)
    with Emperor(Path(crewed.host.vassals), Path(crewed.host.stats), log=Path(crewed.act().log)):
        first = production.reconcile(options.for_production(what))
        second = production.reconcile(options.for_production(what))
    (row,) = first.playbill["rows"]
    assert (row["release"], row["state"], row["health"]) == (want.release, "new", "answers")
    assert 0 <= row["seconds"] < 60
    (row,) = second.playbill["rows"]
    assert (row["state"], row["health"], row["seconds"]) == ("playing", "", None)
    log = Path(crewed.act().run_log).read_text().splitlines()
    told = [line.partition(": ")[2] for line in log if line.endswith("plays")]
    assert told == [f"release {want.release} plays"], "and the second run has written nothing"


def test_a_playbill_costs_no_file(house: House) -> None:
    what = settled(house)
    order = options.for_production(what)
    state = read("jazz", house.host)
    state.act("kittens")
    with opened() as files:
        playbill.of(order.manifest, state, house.host, Done())
    assert files == []

# SPDX-License-Identifier: GPL-3.0-or-later
"""Small projects with one peculiarity each: the error without the lines of the manifest, and success with them."""

from __future__ import annotations

from typing import Any

import corpus
import probe
import pytest
from bed import FULL, HOSTS, Bed, failures, returned
from faults.controller import Run

ENTRIES = corpus.load()
REHEARSED = ("uv-lock", "environment-variable", "allowed-hosts", "static-root-unset")  # in the short form
PLACES = [
    pytest.param(entry, host, id=f"{entry['name']}-{host}")
    for number, entry in enumerate(ENTRIES)
    for host in (HOSTS if FULL else [corpus.host(number)])
]


def manifest(bed: Bed, fixed: bool) -> dict[str, Any]:
    return corpus.manifest(bed.state / "corpus", {"supplies": bed.stock["url"], **bed.stock}, fixed, FULL)


@pytest.fixture(scope="module")
def as_it_is(bed: Bed) -> Run:
    return bed.controller().play("deploy", **manifest(bed, fixed=False))


@pytest.fixture(scope="module")
def fixed(bed: Bed, as_it_is: Run) -> Run:
    """Run `site`, because some of the lines name Debian packages."""
    return bed.controller().play("site", **manifest(bed, fixed=True))


@pytest.mark.parametrize(("entry", "host"), PLACES)
def test_deploy_without_the_lines_names_the_cause(as_it_is: Run, entry: corpus.Entry, host: str) -> None:
    place = (entry["name"], host)
    if "fails" not in entry:
        assert place not in failures(as_it_is)
        assert entry["name"] in returned(as_it_is, "playing")[host]
        return
    assert failures(as_it_is).get(place, ("", ""))[0] == entry["fails"]
    assert entry["name"] not in returned(as_it_is, "playing")[host]


@pytest.mark.parametrize(("entry", "host"), [place for place in PLACES if FULL or place.values[0]["name"] in REHEARSED])
def test_rehearsal_finds_the_lines(bed: Bed, as_it_is: Run, entry: corpus.Entry, host: str) -> None:
    """This runs before `site` installs packages that some of the projects need."""
    run = bed.controller(host).play("rehearse", act=entry["name"], **manifest(bed, fixed=False))
    verdict = "it plays" if entry.get("cured", True) else "it does not play yet"
    assert f"Rehearsal of {entry['name']} on {host}: {verdict}" in run.printed
    assert f"Nothing of this rehearsal is left on {host}" in run.printed
    assert bool(run.code) == ("fails" in entry or "lacks" in entry)
    if run.code:
        assert entry["says"] in run.printed


@pytest.mark.parametrize(("entry", "host"), PLACES)
def test_deploy_with_the_lines_plays(bed: Bed, fixed: Run, entry: corpus.Entry, host: str) -> None:
    assert (entry["name"], host) not in failures(fixed)
    for asked in corpus.probes(entry):
        assert probe.check(f"http://{bed.addresses[host]}", asked["venue"], asked) == []


def test_the_second_run_changes_nothing(bed: Bed, fixed: Run) -> None:
    again = bed.controller().play("deploy", **manifest(bed, fixed=True))
    assert (again.code, again.changed) == (0, 0), again.printed[-3000:]

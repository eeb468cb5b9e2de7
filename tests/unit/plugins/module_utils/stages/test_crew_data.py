# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers and the data that they work on: a rollback that is refused, a migration that fails, a restore."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError, Refusal
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Outcome
from ansible_collections.backstage.django.plugins.module_utils.stages import crew as crews
from ansible_collections.backstage.django.plugins.module_utils.stages.crew import Crew
from waiting import eventually

from ...crews import ROLE
from ...emperors import Emperor
from ...house import A, B, C, House
from ...manifests import act, booked, git
from ...troupe import FAILS, NEWER, Troupe

WORKS = "import os, time; print('works on', os.environ['BACKSTAGE_RELEASE'], flush=True); time.sleep(86400)"


def run(troupe: Troupe, **verb: Any) -> Outcome:
    """Carry an order out, on a host without nginx."""
    workers = [{"name": "work", "run": f'python -c "{WORKS}"'}]
    engine = {"engine": troupe.act.database}
    kittens = act(source=git(), health={"timeout": 5}, timeout=5, database=engine, dump=True, workers=workers)
    alone = {"production": troupe.house.production, "acts": [kittens], "sesses": [{"act": "kittens"}]}
    return production.reconcile(options.for_production(booked(**alone, **verb, venues=[], gigs=[])))


@pytest.fixture
def troupe(crewed: House, django: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Troupe]:
    """B, which has migrated, plays with its worker."""
    monkeypatch.setattr(crews, "STEADY", 0.3)
    found = Troupe(crewed, django)
    os.makedirs(crewed.host.wrapper)
    shutil.copy(ROLE / "backstage_worker.py", crewed.host.wrapper)
    found.run(B)
    crewed.record(found.want(B))
    sesses = crewed.state().sesses
    files.remove(crewed.act().live)
    for name in files.names_in(crewed.host.vassals):
        files.remove(os.path.join(crewed.host.vassals, name))
    for sess in sesses:
        files.remove_tree(crewed.act().sess(sess).root)
    with Emperor(Path(crewed.host.vassals), Path(crewed.host.stats), log=Path(crewed.act().log)) as emperor:
        found.emperor = emperor
        assert run(found, start="kittens").errors == []
        works(found, B)
        yield found
        assert run(found, stop="kittens").errors == []
    os.unlink(crewed.paths.environment("e" * 16))


def crew_of(troupe: Troupe) -> Crew:
    house = troupe.house
    return Crew(house.host, house.act(), house.state().live or "")


def works(troupe: Troupe, release: str) -> None:
    """The worker of this release works, and was not told to end."""
    crew = crew_of(troupe)
    eventually(lambda: crew.working() == ["work"] and said(troupe)[-1:] == [f"works on {release}"])
    assert (crew.sess.split(".")[0], crew.wanted(), crew.lacks()) == (release, crews.RUN, [])


def said(troupe: Troupe) -> list[str]:
    """What the workers said themselves."""
    log = Path(troupe.house.act().crew_log).read_text().splitlines()
    return [line for line in log if line.startswith("works on ")]


def test_fault_18_a_rollback_is_refused(troupe: Troupe) -> None:
    """The code is older than the database: the worker has not noticed, because it was never told to end."""
    with pytest.raises(Refusal, match="does not know migrations that the database has"):
        run(troupe, rollback="kittens")
    works(troupe, B)
    assert len(said(troupe)) == 1


def test_fault_15_a_migration_fails(troupe: Troupe) -> None:
    troupe.build(C, NEWER, cats___migrations___0003_fails__py=FAILS.replace("0001_initial", "0002_nameless"))
    with pytest.raises(BackstageError, match="0003_fails"):
        troupe.run(C)
    works(troupe, B)
    assert len(said(troupe)) == 1


def test_fault_18_a_restore(troupe: Troupe) -> None:
    """The worker of the newer code ends, and that of the dump's release begins with its data."""
    newer = crew_of(troupe)
    assert run(troupe, restore="kittens", release=A).errors == []
    works(troupe, A)
    assert newer.working() == []
    assert said(troupe) == [f"works on {B}", f"works on {A}"]
    assert troupe.cats() == "tom"

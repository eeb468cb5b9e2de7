# SPDX-License-Identifier: GPL-3.0-or-later
"""A Sess that stands by: when it is kept, how a rollback takes it, and who ends it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts.world import Address
from ansible_collections.backstage.django.plugins.module_utils.host import names, process
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Worker
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Health, Sess
from ansible_collections.backstage.django.plugins.module_utils.productions import disk, reports
from ansible_collections.backstage.django.plugins.module_utils.stages import crew as crews
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses
from ansible_collections.backstage.django.plugins.module_utils.stages import rollbacks, standbys, timers
from ansible_collections.backstage.django.plugins.module_utils.stages.crew import Crew
from waiting import eventually

from ...crews import Jobs
from ...emperors import Emperor
from ...house import A, B, C, House, wanted
from .wishes import ACT, carry_out, events, fronted, on_the_host

SESS = Sess("kittens", standby=10)
RUN = """#!/bin/sh
echo "$(basename "$0") $@" >>{place}/asked
[ ! -e {place}/fails ] || {{ echo Access denied >&2; exit 1; }}
"""


@pytest.fixture(autouse=True)
def asked(crewed: House, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with systemd, as far as a standby meets it."""
    (crewed.root / "systemd").mkdir()
    (crewed.root / "bin").mkdir()
    for name in ("systemd-run", "systemctl"):
        (crewed.root / "bin" / name).write_text(RUN.format(place=crewed.root))
        (crewed.root / "bin" / name).chmod(0o755)
    monkeypatch.setattr(timers, "SYSTEMD", str(crewed.root / "systemd"))
    monkeypatch.setattr(process, "PATH", f"{crewed.root}/bin:{process.PATH}")
    return crewed.root / "asked"


@pytest.fixture
def switched(crewed: House, emperor: Emperor) -> House:
    """B plays, and A stands by."""
    for release in (A, B, C):
        crewed.build(release)
    for release in (A, B):
        assert carry_out(crewed, want(release)) == []
    emperor.seen.clear()
    return crewed


def want(release: str, act: Act = ACT, sess: Sess = SESS) -> sesses.Want:
    return sesses.Want(sess, wanted(act, play=release))


def back(house: House, release: str = A, act: Act = ACT, sess: Sess = SESS) -> sesses.Want:
    return rollbacks.want(act, sess, Address(), house.state(), release)


def link_of(house: House) -> Path:
    return Path(house.host.vassals, names.vassal(house.production, "kittens", f"{A}.1"))


def planned(house: House, wish: sesses.Want) -> list[tuple[str, Any]]:
    changes = sesses.plan(wish, house.state(), house.host, print, fronted())
    return [(change.step.verb, (change.step.after or {}).get("because")) for change in changes]


def test_the_earlier_sess_stays_as_a_standby(switched: House, asked: Path) -> None:
    assert on_the_host(switched) == (f"{B}.1", [f"{A}.1", f"{B}.1"], [f"{A}.1", f"{B}.1"])
    assert planned(switched, want(B)) == [], "and nothing is left to be done"
    state = switched.state()
    record = json.loads(Path(state.paths.standby).read_text())
    assert (record["sess"], 300 < record["until"] - time.time() <= 600) == (f"{A}.1", True)
    assert oct(os.stat(state.paths.standby).st_mode & 0o777) == "0o600"
    link = str(link_of(switched)).removesuffix(".ini")
    assert asked.read_text().splitlines() == [
        f"systemd-run --quiet --collect --unit=backstage-standby-{switched.production}-kittens-{A}.1 --on-active=600s"
        f" --timer-property=AccuracySec=1s /bin/rm -f {link}.ini.door {link}.crew.ini {link}.ini"
    ]


def test_a_rollback_is_a_rename(switched: House, emperor: Emperor, asked: Path) -> None:
    asked.unlink()
    assert planned(switched, back(switched)) == [("roll back", ["release", "its Sess stands by"])]
    assert carry_out(switched, back(switched)) == []
    assert emperor.seen == [], "no Sess was started"
    assert on_the_host(switched) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"]), (
        "and what was left is held, and stands by no more"
    )
    state = switched.state()
    assert (state.hold["release"], state.standby) == (B, {})
    assert events(switched)[-2:] == [("played", f"{A}.1"), ("held", None)]
    assert (
        asked.read_text().splitlines()[0]
        == f"systemctl stop backstage-standby-{switched.production}-kittens-{A}.1.timer"
    )
    older = state.paths.sess(f"{A}.1").older
    assert os.readlink(os.path.join(older, "1")) == state.paths.release(B).static, "visitors have pages of it"


OTHERS: list[tuple[Act, Sess, str]] = [
    (replace(ACT, secrets={"KEY": "meowmeow"}), SESS, "secret KEY changed"),
    (ACT, replace(SESS, processes=4), "processes: 2 -> 4"),
]


@pytest.mark.parametrize(("act", "sess", "differs"), OTHERS)
def test_a_standby_that_would_be_started_otherwise_today(
    switched: House, emperor: Emperor, act: Act, sess: Sess, differs: str
) -> None:
    said = f"act kittens: its standby is not as it would be started today ({differs}): not used"
    assert carry_out(switched, back(switched, act=act, sess=sess)) == [said]
    assert on_the_host(switched) == (f"{A}.2", [f"{A}.2"], [f"{A}.2"])
    assert len(emperor.seen) == 1


def test_a_standby_that_has_ended_meanwhile(switched: House, emperor: Emperor) -> None:
    """The timer was first, between the plan and the switch."""
    wish = back(switched)
    (change,) = sesses.plan(wish, switched.state(), switched.host, print, fronted())
    emperor.ready = False
    assert standbys.take(A, switched.state(), switched.host, lambda _state: [], 5) == ""
    emperor.ready = True
    link_of(switched).unlink()
    assert change.make
    change.make()
    assert on_the_host(switched)[0] == f"{A}.2"


def test_a_rollback_that_visitors_can_not_reach_goes_back(switched: House) -> None:
    def ask(_act: Act) -> None:
        raise BackstageError("nobody answers")

    (change,) = sesses.plan(back(switched), switched.state(), switched.host, print, fronted(ask))
    assert change.make
    with pytest.raises(BackstageError, match="nobody answers"):
        change.make()
    assert on_the_host(switched) == (f"{B}.1", [f"{B}.1"], [f"{B}.1"])
    assert (switched.state().hold, switched.state().standby) == ({}, {})


def test_only_one_release_stands_by(switched: House) -> None:
    carry_out(switched, want(C))
    assert on_the_host(switched) == (f"{C}.1", [f"{B}.1", f"{C}.1"], [f"{B}.1", f"{C}.1"])
    assert switched.state().standby["sess"] == f"{B}.1"


def test_a_switch_of_the_same_release_leaves_none(switched: House) -> None:
    """What stood by has the old secret."""
    carry_out(switched, want(B, replace(ACT, secrets={"KEY": "meowmeow"})))
    assert on_the_host(switched) == (f"{B}.2", [f"{B}.2"], [f"{B}.2"])
    assert not os.path.exists(switched.act().standby)


@pytest.mark.parametrize("how", ["its time is over", "its vassal is gone"])
def test_a_later_run_removes_the_standby(switched: House, how: str) -> None:
    if how == "its time is over":
        record = {"sess": f"{A}.1", "until": int(time.time()) - 1}
        Path(switched.act().standby).write_text(json.dumps(record))
    else:
        link_of(switched).unlink()
    assert planned(switched, want(B)) == [("sweep", None)]
    assert planned(switched, back(switched))[0] == ("roll back", ["release"])
    carry_out(switched, want(B))
    assert on_the_host(switched) == (f"{B}.1", [f"{B}.1"], [f"{B}.1"])
    assert not os.path.exists(switched.act().standby)


def test_a_standby_is_stopped_with_the_live_sess(switched: House) -> None:
    carry_out(switched, want(B, sess=replace(SESS, state="stopped")))
    assert on_the_host(switched) == (None, [], [])
    assert not os.path.exists(switched.act().standby)


def test_a_timer_that_can_not_be_set(switched: House) -> None:
    """A later run ends it, and a warning says when."""
    (switched.root / "fails").touch()
    (said,) = carry_out(switched, want(C))
    assert said.startswith("act kittens: no timer ends its standby (Access denied); the first run after 20")
    assert switched.state().standby["sess"] == f"{B}.1"


def test_status(switched: House) -> None:
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(switched.state().standby["until"]))
    found = reports.report(switched.production)
    assert found["standbys"] == [f"standby: act kittens: release {A} until {until}"]
    assert found["standbys"][0] in reports.shown(found)["stdout_lines"]
    assert found["acts"]["kittens"]["standby"] == A
    assert found["drift"] == []


def test_the_manifest_of_a_host(switched: House) -> None:
    switched.record(wanted(ACT, play=B))
    assert disk.options(switched.production)["sesses"]["kittens"]["standby"] == 10


def test_its_workers(crewed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """They do no jobs while it stands by, and go on after the rollback."""
    monkeypatch.setattr(crews, "STEADY", 0.5)
    jobs = Jobs(crewed)
    act = replace(ACT, health=Health(timeout=20), workers=[Worker("work", "work 0.2", grace=20)])
    with Emperor(Path(crewed.host.vassals), Path(crewed.host.stats), log=Path(crewed.act().log)):
        for release in (A, B):
            crewed.build(release)
            carry_out(crewed, want(release, act))
        first, second = (Crew(crewed.host, crewed.act(), f"{release}.1") for release in (A, B))
        eventually(lambda: (first.is_started(), first.working(), second.working()) == (True, [], ["work"]))
        jobs.send()
        eventually(lambda: jobs.done() == [("0001.job", B)])
        carry_out(crewed, back(crewed, act=act))
        eventually(lambda: first.working() == ["work"])
        jobs.send()
        eventually(lambda: len(jobs.done()) == 2)
        assert jobs.done()[1] == ("0002.job", A)
        assert crewed.state().crews == [f"{A}.1"]

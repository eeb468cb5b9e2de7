# SPDX-License-Identifier: GPL-3.0-or-later
"""A Sess with workers, with real processes: what a switch does with them, and the ways back."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import retention
from ansible_collections.backstage.django.plugins.module_utils.host import caller, files, names
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Worker
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Health
from ansible_collections.backstage.django.plugins.module_utils.productions import logs, reports
from ansible_collections.backstage.django.plugins.module_utils.stages import crew as crews
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses
from ansible_collections.backstage.django.plugins.module_utils.stages import wants
from ansible_collections.backstage.django.plugins.module_utils.stages.crew import Crew
from waiting import eventually

from ...crews import Jobs
from ...emperors import Emperor
from ...house import KITTENS, A, B, House, wanted
from .wishes import SESS, carry_out, events, fails, fronted, on_the_host

WORK = Worker("work", "work 0.2", grace=20)
BEAT = Worker("beat", "beat", once=True, grace=20)
ACT = replace(KITTENS, secrets={}, timeout=5, health=Health(timeout=5))


@pytest.fixture
def jobs(crewed: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    monkeypatch.setattr(crews, "STEADY", 0.5)
    found = Jobs(crewed)
    with Emperor(Path(crewed.host.vassals), Path(crewed.host.stats), log=Path(crewed.act().log)):
        yield found


def want(*workers: Worker, release: str = A, act: Act = ACT) -> sesses.Want:
    return sesses.Want(SESS, wanted(replace(act, workers=list(workers)), play=release))


def crew(house: House, sess: str) -> Crew:
    return Crew(house.host, house.act(), sess)


def planned(house: House, wish: sesses.Want) -> list[tuple[str, object]]:
    changes = sesses.plan(wish, house.state(), house.host, print, fronted())
    return [(change.step.verb, (change.step.after or {}).get("because")) for change in changes]


def test_workers_begin_with_their_sess(crewed: House, jobs: Jobs) -> None:
    crewed.build(A)
    assert carry_out(crewed, want(WORK)) == []
    assert crew(crewed, f"{A}.1").working() == ["work"]
    jobs.send()
    eventually(lambda: jobs.done() == [("0001.job", A)])
    assert planned(crewed, want(WORK)) == [], "and nothing is left to be done"
    assert f"begins, {A}" in jobs.log()
    assert crewed.state().started == crewed.state().crews == [f"{A}.1"]


def test_jobs_of_switches_are_done_once(crewed: House, jobs: Jobs) -> None:
    """While jobs come all the time: none is lost, and none is done twice."""
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want(WORK, release=B))
    over = threading.Event()

    def send() -> None:
        while not over.is_set():
            jobs.send()
            time.sleep(0.1)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        for release in (A, B, A):
            carry_out(crewed, want(WORK, release=release))
    finally:
        over.set()
        sender.join()
    eventually(lambda: len(jobs.done()) >= jobs.sent, 60)
    found = [name for name, _release in jobs.done()]
    assert sorted(found) == sorted(set(found))
    assert len(found) == jobs.sent
    assert {release for _name, release in jobs.done()} == {A, B}
    assert on_the_host(crewed) == (f"{A}.2", [f"{A}.2"], [f"{A}.2"])
    assert crewed.state().crews == [f"{A}.2"]


def test_one_that_runs_once(crewed: House, jobs: Jobs) -> None:
    """At a switch the old one ends before the new one begins."""
    for release in (A, B):
        crewed.build(release)
    for number, release in enumerate((A, B, A)):
        carry_out(crewed, want(BEAT, release=release))
        eventually(lambda number=number: len(jobs.beats()) == 2 * number + 1)
    assert jobs.beats() == ["begins", "ends", "begins", "ends", "begins"]


def test_fault_22_a_worker_that_dies_at_its_start(crewed: House, jobs: Jobs) -> None:
    """The old Sess and its workers never noticed."""
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want(WORK))
    failure = fails(crewed, want(WORK, Worker("dies", "dies", grace=5), release=B))
    cause = "the module 'PIL' is missing: add its package, Pillow, to the requirements"
    assert (failure.message, failure.step) == (f"worker dies ended with status 1 while it started: {cause}", "worker")
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])
    assert (crewed.state().crews, crew(crewed, f"{A}.1").wanted()) == ([f"{A}.1"], "run")
    jobs.send()
    eventually(lambda: jobs.done() == [("0001.job", A)])


def test_a_program_that_the_environment_lacks(crewed: House, jobs: Jobs) -> None:
    crewed.build(A)
    failure = fails(crewed, want(Worker("celery", "celery -A kittens worker")))
    assert failure.message == (
        "worker celery: the environment has no program 'celery': add its package to the requirements"
    )
    assert on_the_host(crewed) == (None, [], [])
    assert jobs.log() == ""


def test_a_stage_of_an_earlier_backstage(crewed: House, jobs: Jobs) -> None:
    crewed.build(A)
    program = Path(crewed.host.wrapper, "backstage_worker.py")
    program.unlink()
    assert fails(crewed, want(WORK)).message == (
        f"this host's stage is of an earlier Backstage ({program} is missing); run the playbook backstage.django.site"
        " first"
    )


def test_a_sess_that_visitors_can_not_reach_is_taken_back(crewed: House, jobs: Jobs) -> None:
    """The switch failed: the old workers go on, the new ones are gone."""
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want(WORK))

    def ask(_act: Act) -> None:
        raise BackstageError("nobody answers")

    (change,) = sesses.plan(want(WORK, release=B), crewed.state(), crewed.host, print, fronted(ask))
    assert change.make
    with pytest.raises(BackstageError, match="nobody answers"):
        change.make()
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])
    eventually(lambda: crew(crewed, f"{A}.1").working() == ["work"])
    jobs.send()
    eventually(lambda: jobs.done() == [("0001.job", A)])


CHANGES = [
    ([WORK], [], ["worker work removed"]),
    ([WORK], [WORK, BEAT], ["worker beat added"]),
    ([WORK], [replace(WORK, grace=30)], ["worker work changed"]),
    ([WORK, BEAT], [BEAT, WORK], []),
]


@pytest.mark.parametrize(("before", "after", "because"), CHANGES)
@pytest.mark.usefixtures("jobs")
def test_a_change_is_another_sess(crewed: House, before: list[Worker], after: list[Worker], because: list[str]) -> None:
    crewed.build(A)
    carry_out(crewed, want(*before))
    assert planned(crewed, want(*after)) == ([("play", because)] if because else [])


@pytest.mark.usefixtures("jobs")
def test_fault_02_a_run_was_killed_before_the_switch(crewed: House) -> None:
    """Its old workers were told to end, and the new Sess is there: the next run lets the old ones go on."""
    crewed.build(A)
    carry_out(crewed, want(WORK))
    crew(crewed, f"{A}.1").tell("drain")
    eventually(lambda: crew(crewed, f"{A}.1").working() == [])
    assert planned(crewed, want(WORK)) == [("start workers", ["its workers were told to end"])]
    os.unlink(crew(crewed, f"{A}.1").link)
    lacks = ["its workers are not started", "its workers were told to end"]
    assert planned(crewed, want(WORK)) == [("start workers", lacks)]
    carry_out(crewed, want(WORK))
    eventually(lambda: crew(crewed, f"{A}.1").working() == ["work"])
    assert planned(crewed, want(WORK)) == []


def test_fault_30_the_run_is_abandoned_while_workers_start(
    crewed: House, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old Sess and its workers run on. The new workers end, and the next run removes their Sess."""
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want(WORK))
    monkeypatch.setattr(crews, "STEADY", 100)  # they have not started when the signal comes
    caller.watch()

    def abandon() -> None:
        eventually(lambda: crew(crewed, f"{B}.1").working())
        os.kill(os.getpid(), signal.SIGHUP)

    abandons = threading.Thread(target=abandon)
    abandons.start()
    try:
        with pytest.raises(caller.Abandoned):
            carry_out(crewed, want(WORK, release=B))
    finally:
        signal.alarm(0)
        caller.forget()
        abandons.join()
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1", f"{B}.1"], [f"{A}.1"])
    eventually(lambda: crew(crewed, f"{B}.1").working() == [])
    assert (crew(crewed, f"{A}.1").wanted(), crew(crewed, f"{A}.1").working()) == ("run", ["work"])
    assert planned(crewed, want(WORK)) == [("sweep", None)]
    monkeypatch.setattr(crews, "STEADY", 0.5)
    carry_out(crewed, want(WORK))
    assert (on_the_host(crewed), crewed.state().crews) == ((f"{A}.1", [f"{A}.1"], [f"{A}.1"]), [f"{A}.1"])


def test_a_job_that_takes_longer_than_a_run_waits(crewed: House, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The switch is over; the old workers end beside the new ones, and a later run removes their Sess."""
    monkeypatch.setattr(crews, "AT_ONCE", 0)
    monkeypatch.setattr(crews, "MARGIN", 1)
    monkeypatch.setattr(crews, "HAND_OVER", 0.2)
    for release in (A, B):
        crewed.build(release)
    slow = replace(WORK, run="work held", grace=600)
    carry_out(crewed, want(slow))
    jobs.send()
    eventually(lambda: [name for name in os.listdir(jobs.queue) if ".job." in name])
    said = f"act kittens: workers of Sess {A}.1 still finish their jobs (work); a later run removes it"
    assert carry_out(crewed, want(slow, release=B)) == [said]
    assert on_the_host(crewed) == (f"{B}.1", [f"{A}.1", f"{B}.1"], [f"{B}.1"])
    assert planned(crewed, want(slow, release=B)) == [], "it is left alone"
    jobs.let_go()
    eventually(lambda: crew(crewed, f"{A}.1").working() == [])
    assert jobs.done() == [("0001.job", A)]
    assert planned(crewed, want(slow, release=B)) == [("sweep", None)]
    carry_out(crewed, want(slow, release=B))
    assert on_the_host(crewed)[1:] == ([f"{B}.1"], [f"{B}.1"])
    assert crewed.state().crews == [f"{B}.1"]


def test_stopped_after_what_they_do(crewed: House, jobs: Jobs) -> None:
    crewed.build(A)
    carry_out(crewed, want(replace(WORK, run="work 1.5")))
    jobs.send()
    eventually(lambda: [name for name in os.listdir(jobs.queue) if ".job." in name])
    carry_out(crewed, replace(want(WORK), sess=replace(SESS, state="stopped")))
    assert jobs.done() == [("0001.job", A)]
    assert (on_the_host(crewed), crewed.state().crews) == ((None, [], []), [])
    assert events(crewed)[-1] == ("stopped", f"{A}.1")


def test_modes(crewed: House, jobs: Jobs) -> None:
    """The player reads what its workers are told, and writes what they say."""
    crewed.build(A)
    carry_out(crewed, want(WORK, BEAT))
    own = crewed.act().sess(f"{A}.1")
    modes = {path: oct(os.stat(path).st_mode & 0o7777) for path in (own.crew, own.crew_ini, crewed.act().crew_log)}
    assert modes == {own.crew: "0o711", own.crew_ini: "0o640", crewed.act().crew_log: "0o640"}
    owners = {name: os.stat(os.path.join(own.crew, name)).st_uid for name in files.names_in(own.crew)}
    assert [name for name, uid in owners.items() if uid] == ["said"]
    assert "secret" not in jobs.log()


@pytest.mark.parametrize(
    ("manage", "worker", "argv"),
    [
        ("manage.py", Worker("w", "celery -A 'a b'"), ["{e}/bin/celery", "-A", "a b"]),
        ("manage.py", Worker("w", "beat -s {data}/beat {x}"), ["{e}/bin/beat", "-s", "{d}/beat", "{x}"]),
        ("manage.py", Worker("w", manage="qcluster"), ["{e}/bin/python", "manage.py", "qcluster"]),
        ("-m django", Worker("w", manage="rqworker high"), ["{e}/bin/python", "-m", "django", "rqworker", "high"]),
        ("kittens-admin", Worker("w", manage="beat"), ["{e}/bin/kittens-admin", "beat"]),
    ],
)
def test_what_is_run(house: House, manage: str, worker: Worker, argv: list[str]) -> None:
    house.build(A, manage=manage)
    part = wants.part(want(worker), house.state(), house.host)
    assert part
    own = crew(house, f"{A}.1")
    (told,) = json.loads(own.texts(part)[os.path.join(own.paths.crew, "crew.json")])["workers"]
    known = {"{e}": house.paths.environment("e" * 16), "{d}": house.act().data}
    expected = [known.get(word[:3], word[:3]) + word[3:] for word in argv]
    assert told["argv"] == expected


@pytest.mark.usefixtures("jobs")
def test_status_and_logs(crewed: House) -> None:
    crewed.build(A)
    carry_out(crewed, want(WORK, Worker("tick", "beat", count=2)))
    found = reports.report(crewed.production)
    assert sorted(found["sesses"]["kittens"]["workers"]) == ["tick.1", "tick.2", "work"]
    since = found["sesses"]["kittens"]["workers"]["work"]["since"]
    assert found["sesses"]["kittens"]["workers"]["work"] == {
        "state": "working", "since": since, "restarts": 0, "last_end": "", "last_status": None
    }  # fmt: skip
    assert f"worker: act kittens, work: working since {since}" in found["workers"]
    assert found["workers"][0] in reports.shown(found)["stdout_lines"]
    assert found["drift"] == []
    crew(crewed, f"{A}.1").tell("drain")
    eventually(lambda: crew(crewed, f"{A}.1").working() == [])
    assert "worker: act kittens, work: not working" in reports.report(crewed.production)["workers"]
    logged = {log["title"]: log["lines"] for log in logs.report(crewed.production, "kittens", 10, None)["logs"]}
    assert any("backstage: worker work started" in line for line in logged["kittens, workers and timers"])


@pytest.mark.usefixtures("jobs")
def test_fault_95_what_a_hand_has_changed(crewed: House) -> None:
    crewed.build(A)
    carry_out(crewed, want(WORK))
    own = crew(crewed, f"{A}.1")
    record = Path(own.paths.crew, "crew.json")
    record.write_text(record.read_text().replace("0.2", "0.3"))
    os.unlink(own.link)
    found = {(one["where"], one["found"]) for one in reports.report(crewed.production)["drift"]}
    assert found == {
        (str(record), "changed by hand, or made by an earlier Backstage"),
        (own.link, "its workers are not started"),
    }
    assert planned(crewed, want(WORK)) == [("play", ["crew.json"])]


def test_its_release_stays_while_they_end(crewed: House) -> None:
    """Workers may still run from it."""
    for release in (A, B):
        crewed.build(release)
    keeps_one = want(WORK, release=B, act=replace(ACT, keep_releases=1))
    keeps = replace(keeps_one.act, release=B)
    assert retention.superfluous(keeps, crewed.state(), True) == [A]
    os.symlink(
        "/nonexistent", os.path.join(crewed.host.vassals, names.crew_vassal(crewed.production, "kittens", f"{A}.1"))
    )
    assert retention.superfluous(keeps, crewed.state(), True) == []

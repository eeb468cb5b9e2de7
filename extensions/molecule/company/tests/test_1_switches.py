# SPDX-License-Identifier: GPL-3.0-or-later
"""While jobs are sent all the time, the Act is switched again and again: each job is done exactly once."""

from __future__ import annotations

import re
from contextlib import ExitStack

from company import ACT, CREW_LOG, FULL, ROOT, WORKERS, Company, begins_at_once, hooks, words, workers
from faults.controller import Run
from faults.house import House

# django-q2 signs its jobs with SECRET_KEY: another one would drop those that are in its queue
SECRETS = {"SECRET_KEY": "the-key-of-the-company", "TOKEN": "the-second-token-of-the-company"}
HOOKS = {
    "before_migrate": ["note before-migrate"],
    "after_migrate": ["note after-migrate"],
    "after_switch": ["note after-switch"],
}
FAILS = "note broken --fail"


def told(run: Run) -> list[str]:
    """The first line of each host's failure, in the order of the hosts."""
    failed = [line for line in run.results if line["status"] == "failed"]
    return [
        str(line["result"]["msg"]).partition("\n")[0] for line in sorted(failed, key=lambda line: str(line["host"]))
    ]


def environments(house: House) -> str:
    """The variables of every worker, as root sees them."""
    pids = workers(house)["working"].values()
    return house.host.run("cat", *(f"/proc/{pid}/environ" for pid in pids))


def test_workers_of_every_kind_work(company: Company) -> None:
    company.on_each(begins_at_once)


def test_new_code(company: Company, sending: ExitStack) -> None:
    """Every hook is in the plan, and runs as the player with the new release."""
    before = company.live()
    company.acts[ACT]["env"] = {"EDITION": "two"}
    plan = company.play()
    assert words(plan) == [
        ("build", ACT),
        ("hook", ACT),
        ("migrate", ACT),
        ("hook", ACT),
        ("play", ACT),
        ("change", ACT),
        ("hook", ACT),
    ]
    assert hooks(plan) == [f"{when}: {lines[0]}" for when, lines in HOOKS.items()]
    after = company.live()
    assert set(after).isdisjoint(before)
    player = company.on_each(lambda house: house.host.run("id", "-u", "company-jobs").strip())
    for lines in HOOKS.values():
        noted = company.notes(lines[0].split()[1])
        assert [on_host[-1] for on_host in noted] == [[uid, sess[:12]] for uid, sess in zip(player, after)]
    company.on_each(begins_at_once)


def test_a_hook_that_fails_before_the_switch(company: Company, sending: ExitStack) -> None:
    """The workers of what plays have not noticed."""
    before = company.workers()
    company.acts[ACT].update(env={"EDITION": "three"}, hooks={**HOOKS, "before_migrate": [FAILS]})
    run = company.try_to_play()
    assert run.code != 0
    lines = told(run)
    assert [
        line.startswith(f"act {ACT}, before_migrate on h{n}: '{FAILS}' failed") for n, line in enumerate(lines, 1)
    ] == [
        True,
        True,
    ], lines
    for was, now in zip(before, company.workers()):
        assert (now["sess"], now["working"]) == (was["sess"], was["working"])
    company.acts[ACT].update(env={"EDITION": "two"}, hooks=HOOKS)


def test_fault_55_a_new_secret_and_a_hook_that_fails_after_the_switch(company: Company, sending: ExitStack) -> None:
    """The new Sess plays, and its workers have the new value."""
    before = company.live()
    company.acts[ACT].update(secrets=SECRETS, hooks={**HOOKS, "after_switch": [FAILS]})
    run = company.try_to_play()
    assert run.code != 0
    lines = told(run)
    assert [line.startswith(f"act {ACT}, after_switch on h{n}: ") for n, line in enumerate(lines, 1)] == [True, True], (
        lines
    )
    assert all("the new Sess plays" in line for line in lines), lines
    assert set(company.live()).isdisjoint(before)
    company.acts[ACT]["hooks"] = HOOKS
    company.on_each(begins_at_once)
    for said in company.on_each(environments):
        assert said.count(f"TOKEN={SECRETS['TOKEN']}\0") == len(WORKERS)
    assert words(company.play()) == [("change", ACT)], "the hooks of the manifest are noted, and none is repeated"


def test_a_rollback(company: Company, sending: ExitStack) -> None:
    before = company.live()
    plan = company.play("rollback", act=ACT)
    assert [verb for verb, _name in words(plan)] == ["roll back", "hook"]
    assert [sess[:12] for sess in company.live()] != [sess[:12] for sess in before]
    for _switch in range(7 if FULL else 0):
        assert [verb for verb, _name in words(company.play("restart", act=ACT))] == ["play", "hook"]
    company.on_each(begins_at_once)


def test_every_job_was_done_once(company: Company, sending: ExitStack) -> None:
    """Of each kind; and each beat was told to end before the next one began."""
    sending.close()
    for log in company.on_each(lambda house: house.host.read(CREW_LOG)):
        beats = re.findall(r" worker beat (started|is told to end)", log)
        assert beats == ["started", *["is told to end", "started"] * (len(beats) // 2)]
        assert len(beats) >= (21 if FULL else 7)
        assert "was killed" not in log
    for left in company.on_each(lambda house: house.host.sh(f"ls {ROOT}/sesses; ls /etc/backstage/vassals")):
        (sess, *vassals) = left.split()
        assert vassals == [f"backstage.company.{ACT}.{sess}.crew.ini", f"backstage.company.{ACT}.{sess}.ini"]

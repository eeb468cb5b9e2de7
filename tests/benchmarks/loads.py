# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys and rollbacks under a closed loop that saturates the host, and what a careless deployer does to it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from statistics import median
from typing import Any

import generator
from controller import Controller, Run
from generator import KINDS, Load, Span
from host import Host, RunningLoad
from production import Production, Repository

HERE = Path(__file__).parent
CONNECTIONS = 32
SETTLE = 2.0  # seconds that a load runs before it counts
LONGEST = 1800
STALL_MS = 1000.0  # a silence that a visitor calls an outage


@dataclass(frozen=True)
class Plan:
    """One load test."""

    name: str
    deploys: int
    rollbacks: int
    at_least: int
    before: float = 10.0  # seconds of load before the first deploy
    close: bool = False
    threads: int = 1
    slow: int = 1

    def steps(self) -> Iterator[str]:
        """Deploys with the rollbacks spread among them; the last step is a rollback."""
        done = 0
        for deploy in range(1, self.deploys + 1):
            yield "deploy"
            due = self.rollbacks * deploy // self.deploys
            for _rollback in range(due - done):
                yield "rollback"
            done = due


@dataclass(frozen=True)
class Step:
    """A deploy or a rollback, and the edition that plays after it."""

    kind: str
    edition: str
    run: Run


class Bench:
    """Everything a measurement needs: the host, the controller, a project's repository, and the Production it plays."""

    def __init__(
        self, host: Host, controller: Controller, repository: Repository, work: Path, name: str = "bench"
    ) -> None:
        self.host = host
        self.controller = controller
        self.repository = repository
        self.work = work
        self._editions = 0
        self.edition = ""
        act = repository.project.package
        self.production = Production(name, repository.place, "", (act,), project=repository.project)
        self.inventory = work

    def next_edition(self) -> tuple[str, str]:
        """Name and commit of an edition that never played."""
        self._editions += 1
        name = f"e{self._editions}"
        return name, self.repository.edition(name)

    def open(self, threads: int = 1) -> None:
        """Let the project play by the whole `site`, with a new edition that the manifest names."""
        self.edition, version = self.next_edition()
        self.production = replace(self.production, version=version, threads=threads)
        self.inventory = self.production.write(self.work, self.host)
        self.controller.play("site", self.inventory)

    def deploy(self, gently: bool = False) -> Step:
        edition, version = self.next_edition()
        run = self.controller.play("deploy", self.inventory, gently, act=self.production.names[0], version=version)
        self.edition = edition
        return Step("deploy", edition, run)

    def rollback(self, back_to: str, gently: bool = False) -> Step:
        run = self.controller.play("rollback", self.inventory, gently, act=self.production.names[0])
        self.edition = back_to
        return Step("rollback", back_to, run)

    def stylesheet(self) -> str:
        """The hashed URL of encore's style sheet, from its page."""
        page = self.host.python(HERE / "on_host" / "page.py", self.production.venue())
        found = re.search(r'href="(/static/encore/stage\.[0-9a-f]{12}\.css)"', page)
        if not found:
            raise ValueError(f"no hashed style sheet in the page:\n{page}")
        return found[1]

    def load(self, plan: Plan) -> RunningLoad:
        arguments = ["--host", self.production.venue(), "--connections", str(CONNECTIONS), "--seen", "X-Encore-Edition"]
        arguments += ["--post-path", "/echo/", "--post-share", "20", "--at-least", str(plan.at_least)]
        arguments += ["--slow-path", "/slow/?seconds=5", "--slow", str(plan.slow)]
        arguments += ["--static-path", self.stylesheet(), *(["--close"] if plan.close else [])]
        return RunningLoad(self.host, arguments, LONGEST)

    def module(self, run: Run) -> Span:
        """From the start to the end of Backstage's own module calls of a run, by the host's clock."""
        tasks = [task for task in run.tasks if task["action"].startswith("backstage.django.backstage_")]
        calls = [call for task in tasks for call in self.host.modules((task["began"], task["ended"]))]
        if not calls:
            raise ValueError("the run called no module of backstage.django")
        return min(began for began, _ended in calls), max(ended for _began, ended in calls)


def under_load(bench: Bench, plan: Plan) -> dict[str, Any]:
    """Play the plan's steps under its load, and account for every request."""
    bench.open(plan.threads)
    running = bench.load(plan)
    time.sleep(SETTLE + plan.before)
    played, steps = [bench.edition], []
    for kind in plan.steps():
        step = bench.deploy(gently=True) if kind == "deploy" else bench.rollback(played[-2], gently=True)
        steps.append(step)
        played.append(step.edition)
    time.sleep(1)
    return account(bench, plan, steps, running.stop())


def strays(load: Load, steps: list[Step]) -> int:
    """Answers by another edition than the one that plays, between a step's end and the next one's start."""
    names = load.accounts["seen"]
    count = 0
    for step, following in zip_longest(steps, steps[1:]):
        until = following.run.began if following else load.accounts["ended"]
        settled = generator.within(load.requests, [(step.run.ended, until)])
        count += sum(names[request.seen] not in ("", step.edition) for request in settled)
    return count


def account(bench: Bench, plan: Plan, steps: list[Step], load: Load) -> dict[str, Any]:
    started, first, last = load.accounts["started"], steps[0].run, steps[-1].run
    calm = generator.summary(load, [(started + SETTLE, first.began)])
    busy = generator.summary(load, [(first.began, last.ended)])
    rollbacks = [_to_first_answer(bench, step, load) for step in steps if step.kind == "rollback"]
    return {
        "name": plan.name,
        "mode": "a connection per request" if plan.close else "keep-alive",
        "threads": plan.threads,
        "slow_in_flight": plan.slow,
        "deploys": sum(step.kind == "deploy" for step in steps),
        "rollbacks": len(rollbacks),
        "seconds": round(load.accounts["ended"] - started, 1),
        "at_least": plan.at_least,
        "requests": load.accounts["main"]["requests"],
        "slow": load.accounts["slow"]["requests"],
        "static": load.accounts["static"]["requests"],
        "failed": load.failed,
        "failures": load.failures(),
        "resent": load.resent,
        "strays": strays(load, steps),
        "before": calm,
        "during": busy,
        "p99_ratio": round(busy["p99_ms"] / calm["p99_ms"], 2),
        "deploy_s": round(median(step.run.seconds for step in steps if step.kind == "deploy"), 2),
        "rollback_first_answer_s": round(median(rollbacks), 2) if rollbacks else None,
    }


def _to_first_answer(bench: Bench, step: Step, load: Load) -> float:
    began, _ended = bench.module(step.run)
    answered = generator.first_answer(load, step.edition, began)
    if answered is None:
        raise ValueError(f"edition {step.edition} never answered after its {step.kind}")
    return answered - began


def control(bench: Bench, kind: str) -> dict[str, Any]:
    """The same load while something careless is done by hand: it must be noticed, or the load test proves nothing."""
    bench.open()
    plan = Plan(kind, deploys=0, rollbacks=0, at_least=0, slow=0)
    running = bench.load(plan)
    time.sleep(SETTLE + 3)
    words = bench.host.python(HERE / "on_host" / "disturb.py", kind, bench.production.name, "encore").split()
    span = float(words[0]), float(words[1])
    time.sleep(2)
    load = running.stop()
    calm = generator.summary(load, [(load.accounts["started"] + SETTLE, span[0])])
    busy = generator.summary(load, [span])
    return {
        "name": kind,
        "requests": sum(load.accounts[one]["requests"] for one in KINDS),
        "failed": load.failed,
        "failures": load.failures(),
        "silence_before_ms": calm["silence_ms"],
        "silence_ms": busy["silence_ms"],
        "noticed": load.failed > 0 or busy["silence_ms"] >= STALL_MS,
    }

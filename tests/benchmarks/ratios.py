# SPDX-License-Identifier: GPL-3.0-or-later
"""What deploys, rollbacks and doing nothing cost, each beside its own yardstick in the same run."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import generator
from controller import Run
from host import UV, RunningLoad
from loads import Bench
from production import Production

HERE = Path(__file__).parent


def _median(values: list[float]) -> float:
    return round(median(values), 2)


def _wall(runs: list[Run]) -> float:
    return _median([run.seconds for run in runs])


def own_steps(bench: Bench, rounds: int) -> dict[str, float]:
    """Medians of the Act's own check, collectstatic, both together, and boot, without Backstage."""
    production = bench.production
    arguments = [
        production.name,
        production.names[0],
        str(rounds),
        production.project.settings,
        production.project.package,
    ]
    times = json.loads(bench.host.python(HERE / "on_host" / "own_steps.py", *arguments))
    return {step: _median(values) for step, values in times.items()}


def rollback(bench: Bench, rounds: int) -> dict[str, Any]:
    """From the module's start on the host to the first answer by the old release, asked for every 10 ms."""
    bench.open()
    first_answers, whole = [], []
    for _round in range(rounds):
        old = bench.edition
        bench.deploy()
        arguments = ["--host", bench.production.venue(), "--connections", "0", "--seen", "X-Encore-Edition"]
        running = RunningLoad(bench.host, [*arguments, "--static-path", "/", "--static-every", "0.01"], 300)
        step = bench.rollback(old)
        time.sleep(0.2)
        load = running.stop()
        began, _ended = bench.module(step.run)
        answered = generator.first_answer(load, old, began)
        if answered is None or load.failed:
            raise ValueError(f"after its rollback {old} answered at {answered}; failed: {load.failures()}")
        first_answers.append(answered - began)
        whole.append(step.run)
    return {
        "rounds": rounds,
        "import_s": own_steps(bench, 5)["boot"],
        "first_answer_s": _median(first_answers),
        "first_answer_worst_s": round(max(first_answers), 2),
        "end_to_end_s": _wall(whole),
    }


def redeploy(bench: Bench, rounds: int) -> dict[str, Any]:
    """A change of one line, deployed; beside it a ping and what the Act needs by itself, in turns."""
    bench.open()
    own = own_steps(bench, 5)
    deploys, modules, pings = [], [], []
    with bench.host.counted(UV) as installs:
        for _round in range(rounds):
            pings.append(bench.controller.ping(bench.inventory))
            run = bench.deploy().run
            began, ended = bench.module(run)
            deploys.append(run)
            modules.append(ended - began)
    needed = own["check"] + own["collectstatic"] + own["boot"]
    return {
        "rounds": rounds,
        "installs": installs[0],
        "own": own,
        "own_s": round(needed, 2),
        "ping_s": _wall(pings),
        "deploy_s": _wall(deploys),
        "module_s": _median(modules),
        "pings_above_own": round((_wall(deploys) - needed) / _wall(pings), 2),
        "pings_above_own_together": round((_wall(deploys) - own["together"] - own["boot"]) / _wall(pings), 2),
    }


def chorus(bench: Bench, name: str, count: int) -> tuple[Production, Path]:
    """A Production of many small Acts, each with a Gig; not yet on the host."""
    version = bench.next_edition()[1]
    project = bench.repository.project
    names = tuple(f"{project.package}{number:03d}" for number in range(1, count + 1))
    production = Production(name, bench.repository.place, version, names, processes=1, rehearsed=False, project=project)
    return production, production.write(bench.work, bench.host)


def first_deploys(bench: Bench) -> dict[str, Any]:
    """Wall and disk of the first deploy of one Act and of ten with the same requirements: two empty Productions,
    so each makes its environment with an empty package cache, on a host whose roles have nothing to do."""
    bench.open()
    seen: dict[str, dict[str, float]] = {}
    for name, count in (("solo", 1), ("band", 10)):
        place = bench.production.name + name
        _production, inventory = chorus(bench, place, count)
        run = bench.controller.play("site", inventory)
        disk, dependencies = (_megabytes(bench, f"/srv/backstage/{place}{part}") for part in ("", "/environments"))
        seen[name] = {"acts": count, "wall_s": round(run.seconds, 2), "disk_mb": disk, "dependencies_mb": dependencies}
    return {
        **seen,
        "wall_ratio": round(seen["band"]["wall_s"] / seen["solo"]["wall_s"], 2),
        "disk_ratio": round(seen["band"]["disk_mb"] / seen["solo"]["disk_mb"], 2),
        "dependencies_ratio": round(seen["band"]["dependencies_mb"] / seen["solo"]["dependencies_mb"], 2),
    }


def _megabytes(bench: Bench, place: str) -> float:
    return round(int(bench.host.run("du", "--summarize", "--block-size=1", place).split()[0]) / 1e6, 1)


def nothing(bench: Bench, inventory: Path, gigs: int, rounds: int, playbook: str = "deploy") -> dict[str, Any]:
    """A run that has nothing to do, in turns with `ansible -m ping` over the same kept connection."""
    bench.controller.play(playbook, inventory)
    pings, runs = [], []
    for _round in range(rounds):
        pings.append(bench.controller.ping(inventory))
        runs.append(bench.controller.play(playbook, inventory))
    if any(run.changed for run in runs):
        raise ValueError(f"a second {playbook} of {gigs} Gigs changed something")
    modules = [bench.module(run) for run in runs]
    return {
        "playbook": playbook,
        "gigs": gigs,
        "rounds": rounds,
        "ping_s": _wall(pings),
        "run_s": _wall(runs),
        "module_s": _median([ended - began for began, ended in modules]),
        "pings": _median([run.seconds / ping.seconds for run, ping in zip(runs, pings)]),
        "pings_cpu": _median([run.cpu / ping.cpu for run, ping in zip(runs, pings)]),
    }


def redeploy_one(bench: Bench, inventory: Path, act: str, rounds: int) -> float:
    """Seconds of a code-only redeploy of one Act among those of this Production, end to end."""
    runs = []
    for _round in range(rounds):
        _edition, version = bench.next_edition()
        runs.append(bench.controller.play("deploy", inventory, act=act, version=version))
    return _wall(runs)


def asleep(bench: Bench, count: int) -> dict[str, Any]:
    """What many sleeping Acts cost the host, and what the first visitor of one of them waits for.

    One is deployed, the others are copies of its vassal (on_host/asleep.py).
    """
    first, _inventory = chorus(bench, "sleepy", 1)
    inventory = replace(first, processes=1, idle=5).write(bench.work, bench.host)
    bench.controller.play("site", inventory)
    arguments = [first.name, first.names[0], first.venue(), str(count)]
    found: dict[str, Any] = json.loads(bench.host.python(HERE / "on_host" / "asleep.py", *arguments))
    return found


def idle(bench: Bench, counts: tuple[int, ...], rounds: int) -> list[dict[str, Any]]:
    """A `deploy` that has nothing to do, of a Production that grows: its first Act is deployed, the others are faked.

    The host's emperor is stopped first: nothing of what is faked is to run. So this part comes last.
    """
    first, inventory = chorus(bench, "idle", 1)
    bench.controller.play("site", inventory)
    bench.host.run("systemctl", "stop", "backstage-emperor")
    found = []
    for count in counts:
        names = tuple(f"{bench.repository.project.package}{number:03d}" for number in range(1, count + 1))
        inventory = replace(first, names=names).write(bench.work, bench.host)
        bench.controller.fake(inventory)
        found.append(nothing(bench, inventory, count, rounds))
    return found

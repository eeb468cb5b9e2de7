# SPDX-License-Identifier: GPL-3.0-or-later
"""Results against their targets, and the documentation's page made of them. `report.py` renders it anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parents[1] / "docs" / "benchmarks.md"

PARTS = ("environment", "loads", "controls", "rollback", "redeploy", "crowd", "first", "wagtail")
LATER = ("idle",)
"""Parts that came after the last whole run: the page has them as soon as they are measured."""

IDLE = {1: 1.5, 10: 1.5, 100: 1.6, 1000: 3}
"""Pings that a `deploy` may take which has nothing to do, by the number of Gigs."""

Results = dict[str, Any]


class Row(NamedTuple):
    """One measure against its target. What `must` hold is a proof; the rest is speed: a busy machine may miss it."""

    measure: str
    value: str
    target: str
    met: bool
    must: bool = False


def _load_rows(load: Results) -> Iterator[Row]:
    what = f"{load['name']}: {load['deploys']} deploys, {load['rollbacks']} rollbacks"
    yield Row(f"{what}: failed requests", f"{load['failed']:,} of {load['requests']:,}", "0", load["failed"] == 0, True)
    yield Row(f"{what}: requests sent twice", str(load["resent"]), "0", load["resent"] == 0, True)
    yield Row(f"{what}: answers by the wrong release", str(load["strays"]), "0", load["strays"] == 0, True)
    enough = load["requests"] >= load["at_least"]
    yield Row(f"{what}: requests", f"{load['requests']:,}", f"at least {load['at_least']:,}", enough, True)
    target = 1.6 if load["threads"] > 1 else 1.5
    ratio = load["p99_ratio"]
    yield Row(f"{what}: p99 during, by p99 before", f"{ratio}", f"at most {target}", ratio <= target)


def _control_rows(control: Results) -> Iterator[Row]:
    seen = f"{control['failed']:,} failed, {control['silence_ms']:,.0f} ms without an answer"
    yield Row(f"negative control, {control['name']}: noticed", seen, "failures or a stall", control["noticed"], True)


def most_pings(run: Results) -> float:
    """The target of a run that has nothing to do."""
    return 5 if run["playbook"] == "site" else IDLE[run["gigs"]]


def _crowd_rows(crowd: Results) -> Iterator[Row]:
    for run in crowd["nothing"]:
        target = most_pings(run)
        what = f"no-op `{run['playbook']}`, {_count(run['gigs'], 'Gig')}"
        yield Row(what, f"{run['pings']} pings", f"at most {target}", run["pings"] <= target)
    alone, *_others, among = crowd["redeploy_one_s"].values()
    most = list(crowd["redeploy_one_s"])[-1]
    ratio = round(among / alone, 2)
    yield Row(f"redeploy of one Act among {most}, by that of one alone", f"{ratio}", "at most 1.2", ratio <= 1.2)


def _idle_rows(idle: list[Results]) -> Iterator[Row]:
    for run in idle:
        target = most_pings(run)
        what = f"no-op `deploy`, {_count(run['gigs'], 'Gig')}, faked but for one"
        yield Row(what, f"{run['pings']} pings", f"at most {target}", run["pings"] <= target)


def _redeploy_rows(again: Results, what: str) -> Iterator[Row]:
    value = again["pings_above_own"]
    yield Row(f"{what}, above the Act's own check + collectstatic + boot", f"{value} pings", "at most 2", value <= 2)
    installs = again["installs"]
    yield Row(f"{what}: times that dependencies were installed", str(installs), "0", installs == 0, True)


def _first_rows(first: Results, acts: str, *keys: str) -> Iterator[Row]:
    targets = {"dependencies": ("disk of dependencies", 1.05), "disk": ("disk", 1.2), "wall": ("wall", 4)}
    for key in keys:
        (measure, target), ratio = targets[key], first[f"{key}_ratio"]
        yield Row(
            f"first deploy of 10 {acts}, {measure} by that of one", f"{ratio}", f"at most {target}", ratio <= target
        )


def rows(results: Results) -> list[Row]:
    """Every measure that these results hold, against its target."""
    found: list[Row] = []
    for load in results.get("loads", []):
        found += _load_rows(load)
    for control in results.get("controls", []):
        found += _control_rows(control)
    if back := results.get("rollback"):
        target, value = round(back["import_s"] + 0.5, 2), back["first_answer_s"]
        found.append(
            Row(
                "rollback, from the module's start to the first answer",
                f"{value} s",
                f"import ({back['import_s']} s) + 0.5 s = {target} s",
                value <= target,
            )
        )
    if again := results.get("redeploy"):
        found += _redeploy_rows(again, "code-only redeploy")
    if crowd := results.get("crowd"):
        found += _crowd_rows(crowd)
    if idle := results.get("idle"):
        found += _idle_rows(idle)
    if first := results.get("first"):
        found += _first_rows(first, "Acts", "dependencies", "disk", "wall")
    if page := results.get("wagtail"):
        found += _redeploy_rows(page["redeploy"], "code-only redeploy of Wagtail")
        # each has its own copy of 11 MB of static files, and its own 200 migrations to run
        found += _first_rows(page["first"], "Wagtail Acts", "dependencies")
    return found


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def table(head: list[str], body: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def _change(load: Results, measure: str) -> str:
    return f"{load['before'][measure]} → {load['during'][measure]} ms"


def _loads(results: Results) -> str:
    columns = {
        "load": lambda load: f"{load['name']}, {_count(load['threads'], 'thread')}",
        "requests": lambda load: f"{load['requests']:,}",
        "failed": lambda load: load["failed"],
        "sent twice": lambda load: load["resent"],
        "of 5 s": lambda load: load["slow"],
        "static": lambda load: load["static"],
        "p50 before → during": lambda load: _change(load, "p50_ms"),
        "p99 before → during": lambda load: _change(load, "p99_ms"),
        "longest silence": lambda load: f"{load['during']['silence_ms']} ms",
        "a deploy": lambda load: f"{load['deploy_s']} s",
        "rollback to first answer": lambda load: f"{load['rollback_first_answer_s']} s",
    }
    return table(list(columns), [[show(load) for show in columns.values()] for load in results["loads"]])


def _controls(results: Results) -> str:
    columns = {
        "done by hand": lambda control: control["name"],
        "requests": lambda control: f"{control['requests']:,}",
        "failed": lambda control: f"{control['failed']:,}",
        "how": lambda control: ", ".join(f"{how}: {n:,}" for how, n in control["failures"].items()) or "all answered",
        "longest silence before → during": lambda control: (
            f"{control['silence_before_ms']} → {control['silence_ms']} ms"
        ),
    }
    return table(list(columns), [[show(control) for show in columns.values()] for control in results["controls"]])


def _costs(results: Results) -> str:
    back, page = results["rollback"], results["wagtail"]
    body = [
        [
            "rollback: module's start to the first answer, median and worst",
            f"{back['first_answer_s']} s, {back['first_answer_worst_s']} s",
        ],
        ["rollback: end to end", f"{back['end_to_end_s']} s"],
        ["the Act's import", f"{back['import_s']} s"],
        *_costs_of_one(results["redeploy"], results["first"], ""),
        *_costs_of_one(page["redeploy"], page["first"], "Wagtail: "),
    ]
    for acts, seconds in results["crowd"]["redeploy_one_s"].items():
        body.append([f"redeploy of one Act among {acts}", f"{seconds} s"])
    return table(["measure", "median"], body)


def _costs_of_one(again: Results, first: Results, what: str) -> Iterator[list[str]]:
    own = again["own"]
    yield [f"{what}code-only redeploy: end to end, module alone", f"{again['deploy_s']} s, {again['module_s']} s"]
    yield [
        f"{what}the Act's own check, collectstatic, boot",
        f"{own['check']} s, {own['collectstatic']} s, {own['boot']} s",
    ]
    yield [f"{what}the Act's own check and collectstatic in one process", f"{own['together']} s"]
    yield [f"{what}`ansible -m ping`", f"{again['ping_s']} s"]
    yield [
        f"{what}redeploy above check + collectstatic + boot, those two in one process",
        f"{again['pings_above_own_together']} pings",
    ]
    for count, name in (("one Act", "solo"), ("ten Acts", "band")):
        seen = first[name]
        yield [
            f"{what}first deploy of {count}: wall, disk, dependencies in it",
            f"{seen['wall_s']} s, {seen['disk_mb']} MB, {seen['dependencies_mb']} MB",
        ]


def _nothing(results: Results) -> str:
    columns = {
        "nothing to do": lambda run: (
            f"`{run['playbook']}`, {_count(run['gigs'], 'Gig')}{', faked but for one' * run.get('faked', False)}"
        ),
        "end to end": lambda run: f"{run['run_s']} s",
        "module alone": lambda run: f"{run['module_s']} s",
        "ping": lambda run: f"{run['ping_s']} s",
        "by ping": lambda run: run["pings"],
        "by ping, CPU of the controller": lambda run: run["pings_cpu"],
    }
    runs = [*results["crowd"]["nothing"], *({**run, "faked": True} for run in results.get("idle", []))]
    return table(list(columns), [[show(run) for show in columns.values()] for run in runs])


PROSE = """\
<!-- Made from tests/benchmarks/results.json by tests/benchmarks/report.py: change neither by hand. -->
# Benchmarks

What a deploy costs, what visitors notice of it, and how far both are from their targets.

`make bench` measures all of this on a fresh systemd host of the garage and writes this page. `make bench ARGS=--short`
measures less and writes nothing.

- The host, the load generator and Ansible's controller share one machine. Under load the controller runs at the lowest
  priority, because in production it is another machine.
- Times are medians. A ratio compares times of the same run, which were measured in turns.
- A ping is the time of `ansible -m ping` on the same machine. It makes times of different machines comparable.

{environment}
## Targets

{targets}
## Deploys under load

The load generator saturates the host from before the first deploy until after the last rollback:

- 32 connections send requests in a closed loop. A fifth of the requests are POSTs with a body of 2 kB.
- Requests that take 5 s are always in progress (column "of 5 s").
- Another client asks for a hashed static file again and again, and must get a 200 each time (column "static").
- The import of the Act takes a second.

A request has failed if its answer is not a complete 2xx or 3xx answer. The load generator never repeats a request
silently (`tests/benchmarks/load.c` says how it counts).

{loads}
![Times of answers before and during deploys](images/benchmarks-latency.svg)

This is the negative control. The same load must notice what a careless deploy does. Otherwise the numbers above prove
nothing:

{controls}
![The longest time without an answer](images/benchmarks-silence.svg)

## What a run costs

{costs}
{faked}{nothing}
![Runs that have nothing to do, in pings](images/benchmarks-nothing.svg)
"""
FAKED = """\
Faked Acts have all the records and files of a deploy, but a script wrote them, and no emperor runs them. A real deploy
finds nothing to do there (`tests/benchmarks/library/fake_acts.py`).

"""


def render(results: Results) -> str:
    """The documentation's page."""
    where = [[name, value] for name, value in results["environment"].items()]
    against = [[row.measure, row.value, row.target, "yes" if row.met else "**no**"] for row in rows(results)]
    return PROSE.format(
        environment=table(["", ""], where),
        targets=table(["measure", "measured", "target", "met"], against),
        loads=_loads(results),
        controls=_controls(results),
        costs=_costs(results),
        faked=FAKED if "idle" in results else "",
        nothing=_nothing(results),
    )


def merge(measured: Results) -> None:
    """Lay what was measured over the written results, and render the page when nothing is missing."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results = {**results, **measured}
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if set(PARTS) <= set(results):
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(render(results), encoding="utf-8")


if __name__ == "__main__":
    merge({})

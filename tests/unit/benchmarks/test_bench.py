# SPDX-License-Identifier: GPL-3.0-or-later
"""The harness: its plans, its Production, what it calls a failure, and the page made of its results."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import bench
import pytest
import report
from controller import Run
from host import Host
from loads import Plan, Step, strays
from production import Production, Repository
from test_generator import a_load, request

WINDOW = {
    "requests": 9,
    "failed": 0,
    "per_second": 9,
    "p50_ms": 7.1,
    "p90_ms": 9.1,
    "p99_ms": 15.5,
    "p999_ms": 20.0,
    "max_ms": 30.0,
    "silence_ms": 12.0,
}
RESULTS: dict[str, Any] = {
    "environment": {"date": "2026-01-02", "machine": "2 x a CPU, 8 GiB"},
    "loads": [
        {
            "name": "keep-alive",
            "mode": "keep-alive",
            "threads": 1,
            "slow_in_flight": 1,
            "deploys": 20,
            "rollbacks": 5,
            "at_least": 200000,
            "requests": 250000,
            "slow": 30,
            "static": 2000,
            "failed": 0,
            "failures": {},
            "resent": 0,
            "strays": 0,
            "before": WINDOW,
            "during": WINDOW,
            "p99_ratio": 1.0,
            "deploy_s": 5.0,
            "rollback_first_answer_s": 1.6,
        },
    ],
    "controls": [
        {
            "name": "stop-start",
            "requests": 9000,
            "failed": 81,
            "failures": {"502": 81},
            "silence_before_ms": 9.0,
            "silence_ms": 900.0,
            "noticed": True,
        },
    ],
    "rollback": {
        "rounds": 5,
        "import_s": 1.0,
        "first_answer_s": 1.4,
        "first_answer_worst_s": 1.45,
        "end_to_end_s": 3.0,
    },
    "redeploy": {
        "rounds": 5,
        "installs": 0,
        "own": {"check": 1.0, "collectstatic": 1.0, "together": 1.1, "boot": 1.0},
        "own_s": 3.0,
        "ping_s": 1.0,
        "deploy_s": 4.5,
        "module_s": 3.0,
        "pings_above_own": 1.5,
        "pings_above_own_together": 2.4,
    },
    "first": {
        "solo": {"acts": 1, "wall_s": 20.0, "disk_mb": 80.0, "dependencies_mb": 70.0},
        "band": {"acts": 10, "wall_s": 40.0, "disk_mb": 88.0, "dependencies_mb": 70.0},
        "wall_ratio": 2.0,
        "disk_ratio": 1.1,
        "dependencies_ratio": 1.0,
    },
    "crowd": {
        "redeploy_one_s": {"1": 2.0, "10": 2.1, "100": 2.2},
        "nothing": [
            {
                "playbook": "deploy",
                "gigs": 1,
                "rounds": 7,
                "ping_s": 1.0,
                "run_s": 1.3,
                "module_s": 0.2,
                "pings": 1.3,
                "pings_cpu": 1.2,
            },
            {
                "playbook": "site",
                "gigs": 10,
                "rounds": 7,
                "ping_s": 1.0,
                "run_s": 4.0,
                "module_s": 0.3,
                "pings": 4.0,
                "pings_cpu": 3.2,
            },
        ],
    },
}
RESULTS["idle"] = [{**RESULTS["crowd"]["nothing"][0], "gigs": gigs} for gigs in (1, 10, 100, 1000)]
RESULTS["asleep"] = {
    "acts": 1000,
    "made_s": 3.9,
    "memory_kb": 600,
    "cpu_percent": 0.6,
    "descriptors": 1107,
    "wake_alone_s": 1.0,
    "wake_s": 1.1,
}
RESULTS["wagtail"] = copy.deepcopy({"redeploy": RESULTS["redeploy"], "first": RESULTS["first"]})


@pytest.mark.parametrize("plan", [*bench.FULL, *bench.SHORT], ids=lambda plan: f"{plan.name}-{plan.deploys}")
def test_a_plan_has_its_deploys_and_rollbacks(plan: Plan) -> None:
    steps = list(plan.steps())
    assert (steps.count("deploy"), steps.count("rollback")) == (plan.deploys, plan.rollbacks)
    assert ["rollback", "rollback"] not in [steps[at : at + 2] for at in range(len(steps))]  # "back" would be forth


def test_the_full_run_is_what_was_promised() -> None:
    by_mode = {plan.close: plan for plan in reversed(bench.FULL)}
    assert [(plan.deploys, plan.rollbacks) for plan in by_mode.values()] == [(20, 5), (20, 5)]
    assert (by_mode[False].at_least, by_mode[True].at_least) == (200_000, 100_000)
    assert all(plan.slow for plan in bench.FULL)


def test_an_edition_is_a_commit_that_changes_one_line(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "encore")
    first, second = repository.edition("e1"), repository.edition("e2")
    assert first != second
    assert len(second) == 40
    changes = repository._git("diff", "--numstat", first, second).split()
    assert changes == ["1", "1", "encore/edition.py"]
    with pytest.raises(ValueError, match="bad"):
        repository.edition('bad"')


def test_an_inventory_holds_the_manifest(tmp_path: Path) -> None:
    host = Host("h1", "10.0.0.1", tmp_path / "a b" / "ssh_config")
    production = Production("crowd", tmp_path, "0" * 40, ("one", "two"), processes=1, rehearsed=False)
    inventory = production.write(tmp_path, host)
    manifest = json.loads((inventory / "group_vars" / "all.json").read_text())
    assert [gig["venue"] for gig in manifest["backstage_gigs"]] == ["one.crowd.example.com", "two.crowd.example.com"]
    assert manifest["backstage_act_defaults"]["env"] == {"ENCORE_REHEARSAL": "0"}
    hosts = json.loads((inventory / "hosts.json").read_text())["all"]
    assert manifest["backstage_sess_defaults"] == {"processes": 1, "threads": 1}
    asleep = Production("crowd", tmp_path, "0" * 40, processes=1, idle=5).manifest()
    assert asleep["backstage_sess_defaults"] == {"processes": 1, "threads": 1, "state": "asleep", "idle": 5}
    assert hosts["children"]["backstage_stage"]["hosts"] == {"h1": {"ansible_host": "10.0.0.1"}}


def test_answers_of_another_release_after_a_switch_are_strays() -> None:
    steps = [Step("deploy", "b", Run(101, 102, 0, 1, [])), Step("rollback", "a", Run(102.5, 103, 0, 1, []))]
    names = ("", "a", "b")
    good = [request(101.5, seen=1), request(102.1, seen=2), request(102.8, seen=2), request(103.1, seen=1)]
    static = request(102.2, kind=2)
    assert strays(a_load(*good, static, seen=names), steps) == 0
    late = [request(102.3, seen=1), request(103.5, seen=2)]
    assert strays(a_load(*good, *late, seen=names), steps) == 2


def test_all_is_met_in_good_results() -> None:
    rows = report.rows(RESULTS)
    assert [row.measure for row in rows if not row.met] == []
    assert len(rows) == 5 + 1 + 1 + 2 + 3 + 3 + 3 + 3 + 4


@pytest.mark.parametrize(
    ("path", "value", "must"),
    [
        (("loads", 0, "failed"), 1, True),
        (("loads", 0, "resent"), 1, True),
        (("loads", 0, "strays"), 1, True),
        (("loads", 0, "requests"), 199_999, True),
        (("loads", 0, "p99_ratio"), 1.51, False),
        (("controls", 0, "noticed"), False, True),
        (("rollback", "first_answer_s"), 1.51, False),
        (("redeploy", "pings_above_own"), 2.01, False),
        (("crowd", "nothing", 0, "pings"), 1.51, False),
        (("crowd", "nothing", 1, "pings"), 5.01, False),
        (("crowd", "redeploy_one_s", "100"), 2.5, False),
        (("asleep", "memory_kb"), 16_001, False),
        (("asleep", "cpu_percent"), 2.1, False),
        (("asleep", "wake_s"), 1.6, False),
        (("idle", 0, "pings"), 1.51, False),
        (("idle", 2, "pings"), 1.61, False),
        (("idle", 3, "pings"), 3.01, False),
        (("first", "disk_ratio"), 1.21, False),
        (("first", "wall_ratio"), 4.01, False),
        (("first", "dependencies_ratio"), 2.0, False),
        (("redeploy", "installs"), 1, True),
        (("wagtail", "redeploy", "installs"), 1, True),
        (("wagtail", "first", "dependencies_ratio"), 2.0, False),
    ],
)
def test_each_miss_is_told(path: tuple[Any, ...], value: Any, must: bool, capsys: pytest.CaptureFixture[str]) -> None:
    results = copy.deepcopy(RESULTS)
    place: Any = results
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    missed = [row for row in report.rows(results) if not row.met]
    assert [row.must for row in missed] == [must]
    assert bench.verdict(results) == (1 if must else 0)
    assert ("FAILED" if must else "missed") in capsys.readouterr().out
    assert "**no**" in report.render(results)


def test_the_page_holds_every_figure() -> None:
    page = report.render(RESULTS)
    for figure in (
        "2026-01-02",
        "250,000",
        "15.5 → 15.5 ms",
        "502: 81",
        "1.4 s, 1.45 s",
        "88.0 MB",
        "1.3 pings",
        "1.0 s, 1.1 s",
    ):
        assert figure in page


def test_parts_are_laid_over_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(report, "PAGE", tmp_path / "docs" / "benchmarks.md")
    report.merge({"loads": RESULTS["loads"], "environment": {}})
    assert not report.PAGE.exists()
    report.merge({name: part for name, part in RESULTS.items() if name != "loads"})
    assert json.loads(report.RESULTS.read_text()) == RESULTS
    assert report.PAGE.read_text() == report.render(RESULTS)

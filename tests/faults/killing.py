# SPDX-License-Identifier: GPL-3.0-or-later
"""Kill runs at every write: the writes, those at which a run is killed, and what was wrong afterwards."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import Any

from .host import PLACE
from .house import House
from .visitors import Visitors

# FAULTS_FULL=1: every write of every operation, on every host. Otherwise a few of each operation, for CI.
FULL = bool(os.environ.get("FAULTS_FULL"))
OTHERWISE = 5
MOST = {"redeploy with its environment": 2, "workers come": 3, "workers go": 3}

SHAKY = {
    "name": "shaky",
    "env": {"BAND_TUNE": "shaky"},
    "secrets": {"SECRET_KEY": "shaky-secret-key-of-a-test"},
    "keep_releases": 2,
    "files": [{"path": "band/take.py", "content": 'TAKE = "take-0000"\n'}],
}
VENUE = "shaky.example.org"
# Its workers need nothing of its code, and end at once.
CREWED = {
    **SHAKY,
    "workers": [
        {"name": "sleeps", "run": "python -c 'import time; time.sleep(86400)'"},
        {"name": "ticks", "run": "python -c 'import time; time.sleep(86400)'", "once": True},
    ],
    "timers": [{"name": "nightly", "manage": "check", "at": "03:47"}],
}
PLAYS = {"acts": {"shaky": SHAKY}, "venues": {VENUE: {}}, "gigs": {"shaky": {"venue": VENUE}}}
LEAVES = {
    "acts": {"shaky": {"state": "absent"}},
    "venues": {VENUE: {"state": "absent"}},
    "gigs": {"shaky": {"venue": VENUE, "state": "absent"}},
    "backstage_delete_data": ["shaky"],
}
MIGRATION = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("band", "0001_initial")]
    operations = [migrations.RunSQL('CREATE TABLE "take-0000" (x int)')]
"""
# Of these operations only the writes that a plain redeploy does not have.
CREW = re.compile(r"crew|/once|/timers|systemd|systemctl|/live$")
ONLY = {
    "redeploy with its environment": re.compile(r"/environments/|/cache|/uv$"),
    "workers come": CREW,
    "workers go": CREW,
}
# Writes are of one kind if they differ only in ids and in paths below these directories.
IDS = [
    (r"\b[0-9a-f]{64}\b", "<archive>"),
    (r"\b[0-9a-f]{12}\.\d+", "<sess>"),
    (r"\b[0-9a-f]{12}\b", "<release>"),
    (r"\b[0-9a-f]{16}\b", "<environment>"),
    (r"(/env|/code|/static|/environments/<environment>)/(?!environment\.json).*", r"\1/*"),
]
# Writes that change nothing but a mode, an owner or an empty directory.
SMALL = re.compile(r"os\.(chown|chmod|utime)|fcntl|os\.truncate|os\.mkdir .*/(sesses/<sess>|releases/<release>)/")


def kind(line: str) -> str:
    for pattern, word in IDS:
        line = re.sub(pattern, word, line)
    return line


def points(operation: str, lines: list[str], most: int) -> list[int]:
    """Return the writes at which to kill: the first of each kind. If there are too many, important ones come first."""
    only = ONLY.get(operation, re.compile(""))
    first: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if only.search(line):
            first.setdefault(kind(line), number)
    if FULL:
        return sorted({*first.values(), *range(1, len(lines), max(1, len(lines) // 150))})
    great = [number for line, number in first.items() if not SMALL.search(line)]
    small = [number for line, number in first.items() if SMALL.search(line)]
    chosen = spread(great, most * 3 // 4)
    return sorted({*chosen, *spread(small, most - len(chosen))})


def spread(numbers: list[int], most: int) -> list[int]:
    """Return at most so many of them, evenly spread."""
    if len(numbers) <= most:
        return numbers
    return [numbers[index * len(numbers) // most] for index in range(most)]


@dataclass
class Killings:
    """The results of one cycle on one host."""

    visitors: Visitors
    writes: dict[str, list[str]]
    found: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def keep_calls(house: House) -> None:
    """Have Ansible send every module once, so that it can be called again on the host."""
    house.host.put()
    assert house.keep("info", "status").code == 0
    if FULL:
        keep_restore(house)
    for name, changes in {
        "deploy": PLAYS,
        "again": {**PLAYS, "backstage_seed": {"fixture songs.json": "again"}},
        "environment": {**PLAYS, "acts": {"shaky": {**SHAKY, "refresh": "take-0000"}}},
        "rollback": {**PLAYS, "act": "shaky"},
        "crewed": {**PLAYS, "acts": {"shaky": CREWED}},
        "removal": LEAVES,
    }.items():
        run = house.keep(name, "rollback" if name == "rollback" else "deploy", **changes)
        assert run.code == 0, run.printed


def keep_restore(house: House) -> None:
    """Keep what a restore needs: a release that all come back to, others with a migration each, and the way back."""
    base = {**SHAKY, "dump": True, "files": [{"path": "band/take.py", "content": 'TAKE = "take-first"\n'}]}
    run = house.keep("base", "deploy", **{**PLAYS, "acts": {"shaky": base}})
    assert run.code == 0, run.printed
    first = run.last["playing"]["shaky"]["release"]
    files = [*SHAKY["files"], {"path": "band/migrations/9_take-0000.py", "content": MIGRATION}]
    run = house.keep("migrating", "deploy", **{**PLAYS, "acts": {"shaky": {**base, "files": files}}})
    assert run.code == 0, run.printed
    run = house.keep("restore", "restore", **{**PLAYS, "acts": {"shaky": base}}, act="shaky", release=first)
    assert run.code == 0, run.printed
    assert house.keep("removal", "deploy", **LEAVES).code == 0


def kill_everywhere(house: House, cycle: str, extra: dict[str, list[str]]) -> Killings:
    """Count the writes of a cycle's operations, then kill an operation at one write after another."""
    counted = house.host.script("replay.py", "count", cycle)
    # "steady" plays all the time; "shaky" does where it is not removed
    visitors = house.visitors("steady.example.org/", *([] if "removal" in counted else [f"{VENUE}/"]))
    killings = Killings(visitors, counted)
    words = [
        f"{name}={','.join([*map(str, points(name, lines, MOST.get(name, OTHERWISE))), *extra.get(name, [])])}"
        for name, lines in counted.items()
    ]
    with visitors:
        said = house.host.run("/usr/bin/python3", f"{PLACE}/replay.py", "kill", cycle, *words, timeout=7200)
    for line in map(json.loads, said.splitlines()):
        killings.found.setdefault(line["operation"], []).append(line)
    return killings


def report(killings: Killings, operation: str) -> str:
    """Return what was wrong, in a few lines for each write."""
    wrong = [line for line in killings.found[operation] if line["problems"]]
    writes, tried = len(killings.writes[operation]), len(killings.found[operation])
    lines = [f"{operation}: {writes} writes, killed at {tried} of them, wrong after {len(wrong)}"]
    for one in wrong:
        lines.append(f"killed at {one['point']}, {kind(one['line'])}:")
        lines += [f"    {problem[:300]}" for problem in one["problems"][:6]]
    return "\n".join(lines)

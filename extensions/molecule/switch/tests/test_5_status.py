# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see of two hosts: the progress of a run, the table at its end, and status as a page and as data."""

from __future__ import annotations

import json
import re
from pathlib import Path

from faults.controller import Run
from street import CORNER, SOURCE, Street

FIRST_STEP = re.compile(r"^The plan of h[12], in its order:\n  1\. busker: build release [0-9a-f]{12}", re.MULTILINE)
PHASE = re.compile(r"^(h[12]): busker: .+: \d+ s$", re.MULTILINE)


def table(run: Run) -> list[list[str]]:
    """The rows of busker in the table at the end of a run: host, Venue, Act, release, state, health, seconds."""
    assert run.code == 0, run.printed[-3000:]
    _before, title, after = run.printed.partition("PLAYBILL ")
    lines = after.splitlines()[1:] if title else []
    assert run.printed.count("PLAYBILL ") <= 1
    return [line.split() for line in lines if " busker " in line]


def test_a_run_shows_its_phases_and_one_table_of_both_hosts(street: Street) -> None:
    secrets = street.acts["busker"]["secrets"]
    # a phase of less than half a second is not printed
    street.acts = {"busker": {"source": dict(SOURCE), "secrets": secrets, "build": ["sleep 3"]}}
    street.sesses = {"busker": {"processes": 2}}
    street.venues, street.gigs, street.more_gigs = {CORNER: {}}, {CORNER: {"act": "busker"}}, []
    planned = street.try_to_play("deploy", "--check", "--diff")
    assert table(planned) == []
    assert not PHASE.search(planned.printed)
    assert len(FIRST_STEP.findall(planned.printed)) == 2
    made = street.try_to_play()
    assert {match[1] for match in PHASE.finditer(made.printed)} == {"h1", "h2"}
    rows = table(made)
    assert [row[:3] for row in rows] == [[host, f"http://{CORNER}/", "busker"] for host in ("h1", "h2")]
    assert [row[4:6] for row in rows] == [["new", "answers"]] * 2
    idle = street.try_to_play()
    assert [row[4:] for row in table(idle)] == [["playing", "-", "-"]] * 2
    assert not PHASE.search(idle.printed)


def test_logs_show_the_phases_later(street: Street) -> None:
    run = street.try_to_play("logs", act="busker", lines=100)
    logs = [
        log["lines"] for line in run.results for log in line["result"].get("logs", []) if log["title"] == "busker, runs"
    ]
    assert len(logs) == 2
    for lines in logs:
        said = [line.partition(": ")[2] for line in lines]
        assert any(line.startswith("settings, check, static files: ") for line in said)
        assert re.fullmatch(r"release [0-9a-f]{12} plays", [line for line in said if line.endswith("plays")][-1])


def test_status_is_a_page_and_data_of_both_hosts(street: Street, tmp_path: Path) -> None:
    page, data = tmp_path / "callboard.html", tmp_path / "status.json"
    run = street.try_to_play("status", callboard=str(page), json=str(data))
    assert run.code == 0, run.printed[-3000:]
    html = page.read_text()
    assert html.count('<th scope="row"><a href="#h1.busker">busker</a></th>') == 1
    assert html.count('<th scope="row"><a href="#h2.busker">busker</a></th>') == 1
    found = json.loads(data.read_text())
    assert sorted(found) == ["h1", "h2"]
    for host in found.values():
        status = host["status"]["busker"]
        assert (status["state"], status["by"], status["pending"], status["processes"]) == ("playing", "root", [], 3)
        assert status["memory"] > 10_000_000
        # the record of a package says "Django" or "django", as its version was built
        assert any(package.lower().startswith("django==") for package in status["set"]["packages"])
        assert status["set"]["apps"]
        assert status["set"]["static_files"] > 0
    assert street.acts["busker"]["secrets"]["SECRET_KEY"] not in html + data.read_text()

# SPDX-License-Identifier: GPL-3.0-or-later
"""What workers say of themselves is the player's: whatever it is, it is read in bounds, and checked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.stages.crew_reports import Report

AT, LATER = "2026-11-30T07:15:08+0000", "2026-11-30T07:16:08+0000"


def test_what_the_program_says(tmp_path: Path) -> None:
    path = tmp_path / "celery.json"
    path.write_text(json.dumps({"since": LATER, "restarts": 2, "ended": {"at": AT, "status": -9}}))
    assert Report.read(str(path)) == Report(since=LATER, restarts=2, ended=AT, status=-9)
    path.write_text(json.dumps({"since": None, "restarts": 0, "ended": None}))
    assert Report.read(str(path)) == Report()


HOSTILE: list[Any] = [
    [],
    "text",
    {"since": "2026-11-30T07:15:08+0000\nworker: act dogs", "restarts": "many", "ended": [1]},
    {"since": 5, "restarts": True, "ended": {"at": "now", "status": "bad"}},
    {"restarts": 10**30},
    {"since": AT, "more": "x" * 5000},
]


@pytest.mark.parametrize("said", HOSTILE)
def test_anything_else(tmp_path: Path, said: Any) -> None:
    path = tmp_path / "celery.json"
    path.write_text(json.dumps(said))
    assert Report.read(str(path)) == Report()


def test_what_is_no_file(tmp_path: Path) -> None:
    """Neither a pipe, which would keep root waiting, nor a link, nor nests that break a parser."""
    path = tmp_path / "celery.json"
    os.mkfifo(path)
    assert Report.read(str(path)) == Report()
    path.unlink()
    (tmp_path / "else.json").write_text(json.dumps({"since": AT}))
    path.symlink_to(tmp_path / "else.json")
    assert Report.read(str(path)) == Report()
    path.unlink()
    path.write_text("[" * 4000)
    assert Report.read(str(path)) == Report()
    path.write_bytes(b"\xff\xfe")
    assert Report.read(str(path)) == Report()
    assert Report.read(str(tmp_path / "none")) == Report()

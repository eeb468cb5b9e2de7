# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run writes down: phases with what they took, in a file that root alone reads and that goes with the run."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import run_log


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run_log, "FOLDER", str(tmp_path))
    return tmp_path


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_phases_end_where_the_next_one_begins(folder: Path) -> None:
    with run_log.written("a1"):
        file = folder / "backstage-run.a1"
        assert file.stat().st_mode & 0o777 == 0o600
        run_log.phase("kittens", "packages")
        run_log.phase("kittens", "check")
        run_log.note("kittens", "a note\nof two lines")
        run_log.phase("kittens", "play")
        found = read(file)
    assert [sorted(event) for event in found] == [
        ["act", "began"],
        ["act", "ended", "seconds"],
        ["act", "began"],
        ["act", "ended", "seconds"],
        ["act", "note"],
        ["act", "began"],
    ]
    assert [found[number]["ended"] for number in (1, 3)] == ["packages", "check"]
    assert list(folder.iterdir()) == []


def test_a_run_that_fails_leaves_no_file(folder: Path) -> None:
    with pytest.raises(OSError, match="miaow"), run_log.written("a1"):
        raise OSError("miaow")
    run_log.phase("kittens", "nobody listens")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("run", ["", "../etc/cron.d/x"])
def test_nothing_is_written_for_nobody(folder: Path, run: str) -> None:
    with run_log.written(run):
        run_log.phase("kittens", "packages")
    assert list(folder.iterdir()) == []


def test_the_file_of_a_killed_run_does_not_stay(folder: Path) -> None:
    for name in ("backstage-run.killed", "backstage-run.under-way", "other"):
        (folder / name).write_text("")
    with (folder / "backstage-run.under-way").open() as running:
        fcntl.flock(running, fcntl.LOCK_EX)
        with run_log.written("a1"):
            assert (folder / "backstage-run.a1").exists()
    assert sorted(path.name for path in folder.iterdir()) == ["backstage-run.under-way", "other"]

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run writes down: phases with what they took, in a file that root alone reads and that goes with the run."""

from __future__ import annotations

import fcntl
import grp
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import run_log


@pytest.fixture(autouse=True)
def _nobody_else() -> Iterator[None]:
    yield
    assert run_log._log == run_log._Log(act=run_log._log.act, since=run_log._log.since, by=run_log._log.by)


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


def lines(log: Path) -> list[str]:
    """The lines of a log of an Act, without their times, which have a zone."""
    stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} ")
    found = log.read_text().splitlines()
    assert all(map(stamp.match, found))
    return [stamp.sub("", line) for line in found]


def test_what_a_run_did_stays_in_a_log_of_the_act(folder: Path) -> None:
    """With or without a controller that reads along. An Act without a log has none, nor has the host."""
    log = folder / "log" / "kittens.run.log"
    for run in ("", "a1"):
        with run_log.written(run), run_log.kept("ada", {"kittens": str(log)}.get):
            run_log.phase("kittens", "packages")
            run_log.phase("kittens", "check")
            run_log.note("kittens", "release 0123 plays\x1b[2J\nroot: nothing")
            run_log.phase("dogs", "packages")
            run_log.phase("", "nginx")
    told = ["ada: packages: 0.0 s", "ada: check: 0.0 s", "ada: release 0123 plays?[2J?root: nothing"]
    assert lines(log) == told * 2
    assert (log.stat().st_mode & 0o777, grp.getgrgid(log.stat().st_gid).gr_name) == (0o640, "adm")
    assert sorted(path.name for path in folder.rglob("*")) == ["kittens.run.log", "log"]


def test_the_last_phase_ends_with_the_run(folder: Path) -> None:
    log = folder / "kittens.run.log"

    def fail() -> None:
        run_log.phase("kittens", "packages")
        raise OSError("miaow")

    with pytest.raises(OSError, match="miaow"), run_log.kept("ada", lambda act: str(log)):
        fail()
    run_log.note("kittens", "nobody keeps it")
    assert lines(log) == ["ada: packages: 0.0 s"]


def test_a_log_that_cannot_be_written_fails_no_run(folder: Path) -> None:
    """Such as on a full disk, or where a link is in its place."""
    (folder / "victim").write_text("")
    os.symlink(folder / "victim", folder / "kittens.run.log")
    with run_log.kept("ada", lambda act: str(folder / f"{act}.run.log")):
        run_log.note("kittens", "it plays")
        (folder / "file").write_text("")
        run_log.note("file/x", "it plays")
    assert (folder / "victim").read_text() == ""

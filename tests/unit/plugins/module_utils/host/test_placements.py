# SPDX-License-Identifier: GPL-3.0-or-later
"""What should be at a path, compared with what is there and made so."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import placements
from ansible_collections.backstage.django.plugins.module_utils.host.placements import Directory, File, Log, Placement

from ...told import told

ADM = 4


def file(path: Path, text: str = "swing\n", mode: int = 0o640, hidden: bool = False) -> File:
    return File(str(path), "root", "adm", mode, text, hidden)


def change(placement: Placement) -> str:
    """What is done to it; empty where nothing has to be."""
    found = placement.change()
    if found is None:
        return ""
    found.apply()
    assert placement.change() is None, "once it is done, nothing is left"
    return found.what


def about(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


def nothing(path: Path) -> None:
    pass


def right(path: Path) -> None:
    path.write_text("swing\n")
    os.chown(path, 0, ADM)
    path.chmod(0o640)


def other_text(path: Path) -> None:
    right(path)
    path.write_bytes(b"sway\xff")


def other_mode(path: Path) -> None:
    right(path)
    path.chmod(0o600)


def other_owner(path: Path) -> None:
    right(path)
    os.chown(path, 1, ADM)


def linked(path: Path) -> None:
    right(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def dangling(path: Path) -> None:
    path.symlink_to("/nowhere")


FILES: list[tuple[Callable[[Path], None], str]] = [
    (nothing, placements.WRITTEN),
    (right, ""),
    (other_text, placements.WRITTEN),
    (other_mode, placements.MENDED),
    (other_owner, placements.MENDED),
    (linked, placements.WRITTEN),
    (dangling, placements.WRITTEN),
]


@pytest.mark.parametrize(("before", "what"), FILES)
def test_file(tmp_path: Path, before: Callable[[Path], None], what: str) -> None:
    path = tmp_path / "uwsgi.params"
    before(path)
    assert change(file(path)) == what
    assert (path.read_text(), about(path), path.is_symlink()) == ("swing\n", (0o640, 0, ADM), False)


def test_carriage_returns_are_compared(tmp_path: Path) -> None:
    path = tmp_path / "uwsgi.params"
    right(path)
    path.write_bytes(b"swing\r\n")
    assert change(file(path)) == placements.WRITTEN


def test_what_is_not_a_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "uwsgi.params"
    path.mkdir()
    assert told(file(path).change) == f"{path} is not a file: move it elsewhere, then run again"
    path.rmdir()
    os.mkfifo(path)
    assert "is not a file" in told(file(path).change)


def test_diffs(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old\n")
    shown, hidden = file(path, "new\n").change(), file(path, "new\n", hidden=True).change()
    assert shown
    assert hidden
    assert (shown.before, shown.after) == ("old\n", "new\n")
    assert "old" not in hidden.before + hidden.after
    assert "new" not in hidden.before + hidden.after
    hidden.apply()
    mended = file(path, "new\n", 0o600).change()
    assert mended
    assert (mended.before, mended.after) == ("0640 root:adm\n", "0600 root:adm\n")


def test_directory(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    wanted = Directory(str(path), "root", "adm", 0o2750)
    assert change(wanted) == placements.MADE
    assert about(path) == (0o2750, 0, ADM)
    os.chown(path, 1, 1)
    assert change(wanted) == placements.MENDED
    assert about(path) == (0o2750, 0, ADM)
    other = tmp_path / "another disk"
    path.rename(other)
    path.symlink_to(other)
    assert change(wanted) == ""
    other.chmod(0o700)
    assert change(wanted) == placements.MENDED
    assert about(other) == (0o2750, 0, ADM)


def test_what_is_no_directory(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    said = told(Directory(str(path), "root", "root", 0o755).change)
    assert said == f"{path} is not a directory: move it elsewhere, then run again"


def test_log(tmp_path: Path) -> None:
    """It keeps what is in it."""
    path = tmp_path / "emperor.log"
    wanted = Log(str(path), "root", "adm", 0o640)
    assert change(wanted) == placements.MADE
    assert about(path) == (0o640, 0, ADM)
    path.write_text("a line\n")
    path.chmod(0o644)
    assert change(wanted) == placements.MENDED
    assert (path.read_text(), about(path)) == ("a line\n", (0o640, 0, ADM))


def test_who_is_missing(tmp_path: Path) -> None:
    assert told(lambda: change(File(str(tmp_path / "a"), "nobody-here", "root", 0o644, ""))) != ""
    assert told(lambda: change(File(str(tmp_path / "a"), "root", "nobody-here", 0o644, ""))) != ""
    assert list(tmp_path.iterdir()) == []


def test_a_draft_of_a_killed_run(tmp_path: Path) -> None:
    assert placements.draft_of(str(tmp_path / "a")) is None
    (tmp_path / "a.new").write_text("half")
    found = placements.draft_of(str(tmp_path / "a"))
    assert found
    found.apply()
    assert list(tmp_path.iterdir()) == []

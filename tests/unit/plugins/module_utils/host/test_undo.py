# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever was done to some paths is taken back, by the same run or by the next one."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host.undo import Undo


def state(root: Path) -> dict[str, tuple[object, ...]]:
    """All below a directory, with times of files."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        about = path.lstat()
        owned = (stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid)
        if path.is_symlink():
            found[path.name] = ("link", os.readlink(path))
        elif path.is_dir():
            found[path.name] = ("directory", *owned)
        else:
            found[path.name] = (path.read_bytes(), about.st_mtime_ns, *owned)
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "etc"
    path.mkdir()
    file = path / "file"
    file.write_bytes(b"\xff swing\r\n")
    os.chown(file, 1, 4)
    file.chmod(0o4750)
    os.utime(file, ns=(10**18, 10**18))
    (path / "link").symlink_to("file")
    (path / "directory").mkdir(0o750)
    return path


def write_over(path: Path) -> None:
    path.unlink()
    path.write_text("other")


CHANGES: list[tuple[str, Callable[[Path], object]]] = [
    ("file", write_over),
    ("file", Path.unlink),
    ("file", lambda path: path.chmod(0o600)),
    ("file", os.utime),
    ("link", write_over),
    ("link", Path.unlink),
    ("directory", Path.rmdir),
    ("directory", lambda path: path.chmod(0o700)),
    ("new", Path.touch),
    ("new", lambda path: path.symlink_to("file")),
    ("new", Path.mkdir),
]


@pytest.mark.parametrize("noted", [False, True])
@pytest.mark.parametrize(("name", "change"), CHANGES)
def test_restore(root: Path, noted: bool, name: str, change: Callable[[Path], object]) -> None:
    before, note = state(root), root.parent / "stage.files.undo"
    undo = Undo([str(root / name)])
    undo.note(str(note))
    change(root / name)
    assert state(root) != before
    found = Undo.noted(str(note)) if noted else undo
    assert found
    found.restore()
    assert state(root) == before


def test_a_directory_with_something_of_somebody_else_stays(root: Path) -> None:
    undo = Undo([str(root / "new"), str(root / "new" / "file")])
    (root / "new").mkdir()
    (root / "new" / "file").touch()
    (root / "new" / "theirs").touch()
    undo.restore()
    assert [path.name for path in (root / "new").iterdir()] == ["theirs"]


def test_nothing_is_written_where_nothing_changed(root: Path) -> None:
    undo = Undo([str(root / "file")])
    inode = (root / "file").stat().st_ino
    undo.restore()
    assert (root / "file").stat().st_ino == inode


def test_the_note_is_for_root_alone(tmp_path: Path) -> None:
    note = tmp_path / "backstage" / "stage.files.undo"
    Undo([str(tmp_path / "none")]).note(str(note))
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    shutil.rmtree(note.parent)
    assert Undo.noted(str(note)) is None

# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealing: root takes a tree of a builder's without following a link, or refuses it."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils import seal

from ..told import told

BUILDER, OTHER, READER = 65534, 1, 4
ACT = seal.Readers(gid=READER)
ALL = seal.Readers(everybody=True, links=False)


def owned(path: Path, mode: int = 0o600) -> Path:
    os.chown(path, BUILDER, BUILDER, follow_symlinks=False)
    if not path.is_symlink():
        path.chmod(mode)
    return path


def tree(tmp_path: Path) -> Path:
    root = tmp_path / "code"
    for directory in (root, root / "pkg"):
        directory.mkdir()
        owned(directory, 0o700)
    (root / "pkg" / "a.py").write_text("")
    owned(root / "pkg" / "a.py")
    return root


def found(path: Path) -> tuple[int, int, int]:
    about = path.lstat()
    return about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)


MODES = [
    # (mode as built, of a file for the Act, of a file for everybody)
    (0o600, 0o640, 0o644),
    (0o000, 0o640, 0o644),
    (0o666, 0o640, 0o644),
    (0o700, 0o750, 0o755),
    (0o777, 0o750, 0o755),
    (0o4755, 0o750, 0o755),
    (0o2755, 0o750, 0o755),
    (0o1700, 0o750, 0o755),
    (0o011, 0o640, 0o644),
]


@pytest.mark.parametrize(("mode", "private", "public"), MODES)
def test_a_file(tmp_path: Path, mode: int, private: int, public: int) -> None:
    root = tree(tmp_path)
    for readers, expected, gid in ((ACT, private, READER), (ALL, public, 0)):
        owned(root / "pkg" / "a.py", mode)
        seal.take(str(root), BUILDER, readers)
        assert found(root / "pkg" / "a.py") == (0, gid, expected)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_directories_can_be_entered_whatever_built_them(tmp_path: Path, umask: int) -> None:
    root = tree(tmp_path)
    owned(root / "pkg", 0o2777 & ~umask)
    seal.take(str(root), BUILDER, ACT)
    assert found(root) == found(root / "pkg") == (0, READER, 0o750)
    seal.take(str(root), BUILDER, seal.Readers(everybody=True))
    assert found(root) == found(root / "pkg") == (0, 0, 0o755)


def test_links_are_taken_and_not_followed(tmp_path: Path) -> None:
    root, victim = tree(tmp_path), tmp_path / "victim"
    victim.write_text("mine")
    owned(victim, 0o604)
    for name in ("link", "pkg/link"):
        (root / name).symlink_to(victim)
        owned(root / name)
    (root / "up").symlink_to(tmp_path)
    owned(root / "up")
    seal.take(str(root), BUILDER, ACT)
    assert found(victim) == (BUILDER, BUILDER, 0o604)
    assert found(root / "link")[:2] == found(root / "pkg" / "link")[:2] == (0, READER)


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))


BAD: list[tuple[str, Callable[[Path], object]]] = [
    ("fifo", os.mkfifo),
    ("device", lambda path: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))),
    ("socket", bind),
]


@pytest.mark.parametrize(("name", "make"), BAD)
def test_fault_42_what_is_no_file_is_refused(place: Path, name: str, make: Callable[[Path], object]) -> None:
    root = tree(place)
    make(root / "pkg" / name)
    owned(root / "pkg" / name)
    said = told(seal.take, str(root), BUILDER, ACT)
    assert said == f"'{name}' below {root} is neither a file nor a directory"


def test_somebody_elses_file_is_refused(tmp_path: Path) -> None:
    """A hard link to another Act's file, where the kernel lets one be made: it must not become root's."""
    root = tree(tmp_path)
    os.chown(root / "pkg" / "a.py", OTHER, OTHER)
    assert told(seal.take, str(root), BUILDER, ACT) == f"'a.py' below {root} belongs to another user (uid {OTHER})"
    assert found(root / "pkg" / "a.py")[0] == OTHER


def test_static_files_hold_no_link(tmp_path: Path) -> None:
    root = tree(tmp_path)
    (root / "l").symlink_to("pkg")
    owned(root / "l")
    assert told(seal.take, str(root), BUILDER, ALL) == f"'l' below {root} is a link; nginx serves files, not links"


def test_what_is_sealed_can_be_sealed_again(tmp_path: Path) -> None:
    root = tree(tmp_path)
    seal.take(str(root), BUILDER, ACT)
    seal.take(str(root), BUILDER, ACT)
    assert found(root / "pkg" / "a.py") == (0, READER, 0o640)


def test_settle(tmp_path: Path) -> None:
    seal.settle(str(tmp_path))
    with pytest.raises(OSError, match="No such file"):
        seal.settle(str(tmp_path / "missing"))

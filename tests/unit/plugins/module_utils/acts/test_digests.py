# SPDX-License-Identifier: GPL-3.0-or-later
"""A sealed tree against what was recorded: whatever a hand can change in it is told, by its path."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import digests

SEAL = "release.json"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A sealed tree with all that one can hold."""
    root = tmp_path / "tree"
    for name in ("code/app", "static"):
        (root / name).mkdir(parents=True)
    (root / "code/manage.py").write_bytes(b"import os\n")
    (root / "code/app/data.bin").write_bytes(bytes(range(256)) * 9000)
    (root / "code/empty").touch()
    (root / os.fsdecode(b"code/\xff")).write_bytes(b"no UTF-8 in its name")
    (root / "code/db.sqlite3").symlink_to("/nowhere/db.sqlite3")
    os.mkfifo(root / "code/pipe")
    digests.record(str(root), SEAL)
    time.sleep(0.02)  # the clock of the file system
    (root / SEAL).write_text("{}\n")
    time.sleep(0.02)
    return root


def relink(path: Path) -> None:
    path.unlink()
    path.symlink_to("/elsewhere")


def in_place(path: Path) -> None:
    """The same length and the same time: only the bytes tell, and the time of the change itself."""
    times = path.stat()
    path.write_bytes(path.read_bytes().replace(b"os", b"re"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


CHANGES: list[tuple[str, Callable[[Path], object], list[str]]] = [
    ("code/manage.py", in_place, ["code/manage.py"]),
    ("code/app/data.bin", lambda path: path.write_bytes(path.read_bytes()[:-1]), ["code/app/data.bin"]),
    ("code/manage.py", lambda path: path.chmod(0o600), ["code/manage.py"]),
    ("code/manage.py", lambda path: path.chmod(0o4644), ["code/manage.py"]),
    ("code/manage.py", lambda path: os.chown(path, 1, -1), ["code/manage.py"]),
    ("code/manage.py", lambda path: os.chown(path, -1, 1), ["code/manage.py"]),
    ("code/app", lambda path: path.chmod(0o777), ["code/app"]),
    ("code/db.sqlite3", relink, ["code/db.sqlite3"]),
    ("code/db.sqlite3", lambda path: os.chown(path, 1, 1, follow_symlinks=False), ["code/db.sqlite3"]),
    ("code/empty", Path.unlink, ["code/empty"]),
    ("static", Path.rmdir, ["static"]),
    ("code/new.py", Path.touch, ["code/new.py"]),
    ("new", Path.mkdir, ["new"]),
    ("code/empty", lambda path: path.rename(path.with_name("full")), ["code/empty", "code/full"]),
    (os.fsdecode(b"code/\xff"), lambda path: path.write_bytes(b""), [os.fsdecode(b"code/\xff")]),
]


@pytest.mark.parametrize(("name", "change", "told"), CHANGES)
def test_changed(tree: Path, name: str, change: Callable[[Path], object], told: list[str]) -> None:
    assert (digests.changed(str(tree), SEAL), digests.newer(str(tree), SEAL)) == ([], [])
    change(tree / name)
    assert digests.changed(str(tree), SEAL) == told


@pytest.mark.parametrize("change", [row for row in CHANGES if row[1] not in (Path.rmdir, Path.mkdir)])
def test_newer(tree: Path, change: tuple[str, Callable[[Path], object], list[str]]) -> None:
    """The cheap look: what was changed, or the directory where something is gone."""
    name, make, told = change
    make(tree / name)
    assert set(digests.newer(str(tree), SEAL)) & {*told, *(os.path.dirname(path) for path in told)}


def test_nothing_is_followed_or_changed(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("purrpurr")
    (tree / "code" / "out").symlink_to(tmp_path / "outside")
    before = sorted(digests.digest(str(tree)).items())
    assert "code/out" in dict(before)
    assert not any("secret" in path for path, _line in before)
    assert sorted(digests.digest(str(tree)).items()) == before


def test_a_tree_without_a_record(tree: Path) -> None:
    (tree / digests.RECORD).unlink()
    assert digests.changed(str(tree), SEAL) is None
    (tree / digests.RECORD).write_text("[]")
    assert digests.changed(str(tree), SEAL) is None


def test_an_unsealed_tree_is_newer_than_nothing(tree: Path) -> None:
    (tree / SEAL).unlink()
    assert digests.newer(str(tree), SEAL) == []


def test_the_record_is_roots_alone(tree: Path) -> None:
    found = (tree / digests.RECORD).stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o600, 0)


@pytest.mark.parametrize(("count", "said"), [(1, "0"), (3, "0, 1, 2"), (5, "0, 1, 2 and 2 more")])
def test_named(count: int, said: str) -> None:
    assert digests.named([str(number) for number in range(count)]) == said


def test_variables() -> None:
    one = digests.of_variables({"A": "b", "C": "d\n"})
    assert one == digests.of_variables({"C": "d\n", "A": "b"})
    assert len({one, digests.of_variables({"A": "b"}), digests.of_variables({"A": "b", "C": "d"})}) == 3

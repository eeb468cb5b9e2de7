# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role wrote, and whether it is still there."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import records

DIGEST = hashlib.sha256(b"swing\n").hexdigest()


def test_describe(tmp_path: Path) -> None:
    """Mode, owner and contents are in it, and what is not a plain file says so."""
    file, directory, link = tmp_path / "file", tmp_path / "directory", tmp_path / "link"
    file.write_bytes(b"swing\n")
    file.chmod(0o640)
    directory.mkdir(0o755)
    link.symlink_to(file)
    assert records.describe(str(file)) == f"0640 root:root {DIGEST}"
    assert records.describe(str(file), records.LOG) == "0640 root:root log"
    assert records.describe(str(directory)) == "0755 root:root directory"
    assert records.describe(str(link)) == "0777 root:root special"
    assert records.describe(str(tmp_path / "none")) == "missing"
    assert records.describe(str(file / "below")) == "missing"


def test_who_has_no_name() -> None:
    assert records.described(0o600, 4711, 4712) == "0600 4711:4712"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """A file and a log as they were written, with their record."""
    (tmp_path / "file").write_bytes(b"swing\n")
    (tmp_path / "log").touch(0o640)
    text = f"# Managed by Backstage\n{tmp_path}/file 0644 root:root {DIGEST}\n{tmp_path}/log 0640 root:root log\n"
    path = tmp_path / "stage.files"
    path.write_text(text)
    return path


def test_lines(record: Path, tmp_path: Path) -> None:
    assert [path for path, _wanted in records.lines(str(record))] == [f"{tmp_path}/file", f"{tmp_path}/log"]
    assert list(records.lines(str(tmp_path / "none"))) == []


def grow(path: Path) -> None:
    path.write_text("a line more\n")


UNCONFIRMED: list[tuple[str, Callable[[Path], object]]] = [
    ("file", lambda path: path.write_text("sway\n")),
    ("file", lambda path: path.chmod(0o600)),
    ("file", Path.unlink),
    ("log", Path.unlink),
    ("log", lambda path: path.chmod(0o644)),
    ("stage.files", Path.unlink),
    ("stage.files", lambda path: path.chmod(0o600)),
    ("file.new", Path.touch),
    ("stage.files.undo", Path.touch),
]


def test_confirmed(record: Path, tmp_path: Path) -> None:
    assert records.confirmed(str(record)) == record.read_text()
    grow(tmp_path / "log")
    assert records.confirmed(str(record)) == record.read_text()


@pytest.mark.parametrize(("name", "change"), UNCONFIRMED)
def test_not_confirmed(record: Path, name: str, change: Callable[[Path], object]) -> None:
    change(record.parent / name)
    assert records.confirmed(str(record)) == ""

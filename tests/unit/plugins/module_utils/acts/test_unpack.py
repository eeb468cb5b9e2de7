# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpacking real archives: nothing lands outside the tree, and nothing but files, directories and links in it."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import unpack
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError

from ...told import told

FILE, DIRECTORY, LINK, HARD = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
OTHER = "it is neither a file, a directory nor a symbolic link"
LEAVES = "it leaves the tree"


def member(name: str, kind: bytes = FILE, target: str = "", mode: int = 0o644, size: int = 0) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.mode, found.size, found.mtime = kind, target, mode, size, 1_700_000_000
    return found


def archive(path: Path, *members: tarfile.TarInfo, packed: str = "gz", content: bytes = b"purr") -> int:
    with tarfile.open(path, f"w:{packed}", format=tarfile.PAX_FORMAT) as tar:
        for one in members:
            one.size = len(content) if one.type == FILE else 0
            tar.addfile(one, io.BytesIO(content) if one.type == FILE else None)
    return os.open(path, os.O_RDONLY)


def unpacked(tmp_path: Path, *members: tarfile.TarInfo, **options: Any) -> str:
    """What is said of an archive with these members, unpacked into tmp_path/code."""
    (tmp_path / "code").mkdir(exist_ok=True)
    descriptor = archive(tmp_path / "a.tar", *members, **options)
    try:
        return told(unpack.unpack, descriptor, str(tmp_path / "code"))
    finally:
        os.close(descriptor)


REFUSED: list[tuple[str, bytes, str, str]] = [
    ("/etc/cron.d/x", FILE, "", LEAVES),
    ("../x", FILE, "", LEAVES),
    ("a/../../x", FILE, "", LEAVES),
    ("a/..", DIRECTORY, "", LEAVES),
    ("..", DIRECTORY, "", LEAVES),
    ("../x", LINK, "a", LEAVES),
    ("a", LINK, "/etc/passwd", "it is a link out of the tree, to '/etc/passwd'"),
    ("a", LINK, "..", "it is a link out of the tree, to '..'"),
    ("a/b", LINK, "../../etc", "it is a link out of the tree, to '../../etc'"),
    ("a/b", LINK, "c/../../../x", "it is a link out of the tree, to 'c/../../../x'"),
    ("a", HARD, "b", OTHER),
    ("a", HARD, "/etc/passwd", OTHER),
    ("a", tarfile.CHRTYPE, "", OTHER),
    ("a", tarfile.BLKTYPE, "", OTHER),
    ("a", tarfile.FIFOTYPE, "", OTHER),
]
ACCEPTED: list[tuple[str, bytes, str]] = [
    ("a", FILE, ""),
    ("./a", FILE, ""),
    ("a/b/c", FILE, ""),
    ("..a/b..", FILE, ""),
    ("-rf", FILE, ""),
    ("a\nb", FILE, ""),
    ("a", DIRECTORY, ""),
    ("./", DIRECTORY, ""),
    ("a", LINK, "b"),
    ("a/b", LINK, "../c"),
    ("a/b", LINK, "."),
    ("a/b", LINK, ".."),
]


@pytest.mark.parametrize(("name", "kind", "target", "said"), REFUSED)
def test_refused(tmp_path: Path, name: str, kind: bytes, target: str, said: str) -> None:
    assert unpacked(tmp_path, member(name, kind, target)) == f"the source's entry '{name}' is refused: {said}"
    assert sorted(os.listdir(tmp_path)) == ["a.tar", "code"]
    assert os.listdir(tmp_path / "code") == []


@pytest.mark.parametrize(("name", "kind", "target"), ACCEPTED)
def test_accepted(tmp_path: Path, name: str, kind: bytes, target: str) -> None:
    assert unpacked(tmp_path, member(name, kind, target)) == ""
    assert os.path.lexists(tmp_path / "code" / name)


# every entry stays inside by its own words; together they leave
TOGETHER = [
    [member("a/b", LINK, ".."), member("a/b/c", LINK, "../.."), member("a/b/c/x")],
    [member("a/b", LINK, "."), member("a/b/b/c", LINK, "../../.."), member("a/c/x")],
]


@pytest.mark.parametrize("members", TOGETHER)
def test_links_do_not_leave_together(tmp_path: Path, members: list[tarfile.TarInfo]) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    assert unpacked(tmp_path / "deep" / "deeper", *members) != ""
    root = (tmp_path / "deep" / "deeper" / "code").resolve()
    links = [path.resolve() for path in root.rglob("*") if path.is_symlink()]
    assert [path for path in links if path != root and root not in path.parents] == []
    assert list(tmp_path.rglob("x")) == []


TWICE = [
    [member("a", LINK, "b"), member("a")],
    [member("a"), member("a", LINK, "b")],
    [member("a"), member("a")],
    [member("a"), member("a/b")],
    [member("a"), member("a", DIRECTORY)],
]


@pytest.mark.parametrize("members", TWICE)
def test_no_entry_is_written_over_another(tmp_path: Path, members: list[tarfile.TarInfo]) -> None:
    try:
        said = unpacked(tmp_path, *members)
    except OSError as error:
        said = str(error)
    assert "File exists" in said or "a link or a file" in said
    assert os.listdir(tmp_path / "code") == ["a"]


@pytest.mark.parametrize("packed", ["", "gz", "bz2", "xz"])
def test_every_packing_is_read(tmp_path: Path, packed: str) -> None:
    assert unpacked(tmp_path, member("a"), packed=packed) == ""
    assert (tmp_path / "code" / "a").read_bytes() == b"purr"


MODES = [
    (0o644, 0o640),
    (0o755, 0o750),
    (0o777, 0o750),
    (0o100, 0o750),
    (0o000, 0o640),
    (0o7755, 0o750),
    (0o666, 0o640),
]


@pytest.mark.parametrize(("mode", "found"), MODES)
def test_only_the_executable_bit_is_kept(tmp_path: Path, mode: int, found: int) -> None:
    before = os.umask(0o027)
    try:
        unpacked(tmp_path, member("a/b", mode=mode))
    finally:
        os.umask(before)
    path = tmp_path / "code" / "a" / "b"
    assert (stat.S_IMODE(path.stat().st_mode), int(path.stat().st_mtime)) == (found, 1_700_000_000)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750


def test_content_and_count(tmp_path: Path) -> None:
    content = os.urandom(3 << 20)
    (tmp_path / "code").mkdir()
    descriptor = archive(
        tmp_path / "a.tar", member("a"), member("d", DIRECTORY), member("l", LINK, "a"), content=content
    )
    os.read(descriptor, 100)  # wherever the descriptor stands
    assert unpack.unpack(descriptor, str(tmp_path / "code")) == 3
    assert (tmp_path / "code" / "l").read_bytes() == content
    os.close(descriptor)


PUT: list[tuple[str, Optional[str]]] = [
    # (path, what it says; None: written)
    ("local.py", None),
    ("new/deep/local.py", None),
    ("old.py", None),
    ("dir/local.py", None),
    ("link.py", "symbolic links"),
    ("out/local.py", "leads through 'out'"),
    ("in/local.py", "leads through 'in'"),
    ("dir", "Is a directory"),
    ("old.py/local.py", "leads through 'old.py'"),
]


@pytest.mark.parametrize(("path", "said"), PUT)
def test_put(tmp_path: Path, path: str, said: Optional[str]) -> None:
    code, victim = tmp_path / "code", tmp_path / "victim"
    for directory in (code, code / "dir", victim):
        directory.mkdir()
    (code / "old.py").write_text("a much longer text than the new one")
    (victim / "local.py").write_text("mine")
    (code / "link.py").symlink_to(victim / "local.py")
    (code / "out").symlink_to(victim)
    (code / "in").symlink_to("dir")
    if said is None:
        unpack.put(str(code), path, "ä {{ no }} template\n")
        assert (code / path).read_text() == "ä {{ no }} template\n"
    else:
        with pytest.raises((OSError, BackstageError), match=said):
            unpack.put(str(code), path, "new")
    assert (victim / "local.py").read_text() == "mine"
    assert os.listdir(code / "dir") == (["local.py"] if path == "dir/local.py" else [])


def test_directories_that_it_writes(tmp_path: Path) -> None:
    """Only those that end in a slash, and none that something else is in the place of."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    unpack.make_directories(str(tmp_path), ["a/b/", "file/", "link/", "name", "a/"])
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "file", "link"]
    (tmp_path / "out").symlink_to("/nonexistent")
    with pytest.raises(BackstageError, match="leads through 'out'"):
        unpack.make_directories(str(tmp_path), ["out/inner/"])

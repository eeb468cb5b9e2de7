# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are whole or not there, whatever a reader, a killed run, a full disk or a planted link does."""

from __future__ import annotations

import os
import resource
import signal
import stat
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from waiting import LONG

from ...told import told

SIZE = 1 << 20
ADM = 4


def dies_writing(write: Callable[[], Any], most: int) -> int:
    """The signal that ends a child which may write files of that many bytes: SIGXFSZ, in the middle of a write."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        write()
        os._exit(0)
    return os.WTERMSIG(os.waitpid(pid, 0)[1])


def modes(path: Path) -> tuple[int, int, int]:
    found = path.lstat()
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


@pytest.mark.parametrize("text", ["", "a", "a\r\nb\rc\n", "ä€\n", "x" * SIZE])
def test_what_is_written_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a"
    files.write(str(path), text)
    assert (path.read_bytes(), files.read(str(path))) == (text.encode(), text)


@pytest.mark.parametrize(("mode", "gid"), [(0o644, 0), (0o600, 0), (0o640, ADM)])
def test_write_has_its_mode_and_owner_whatever_the_umask(tmp_path: Path, mode: int, gid: int) -> None:
    path = tmp_path / "a"
    before = os.umask(0o077)
    try:
        files.write(str(path), "one", mode, gid)
        files.write(str(path), "two", mode, gid)
    finally:
        os.umask(before)
    assert modes(path) == (mode, 0, gid)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_a_write_that_dies_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.write(str(path), "old")
    assert dies_writing(lambda: files.write(str(path), "n" * SIZE), SIZE // 2) == signal.SIGXFSZ
    assert path.read_text() == "old"
    files.write(str(path), "new")  # what the dead one left is in nobody's way
    assert (path.read_text(), len(list(tmp_path.iterdir()))) == ("new", 1)


def test_kill_9_never_leaves_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    whole = {letter * SIZE for letter in "ab"}
    files.write(str(path), "a" * SIZE)
    for delay in (0.002, 0.005, 0.01, 0.02, 0.03):
        pid = os.fork()
        if pid == 0:
            while True:
                files.write(str(path), "b" * SIZE)
                files.write(str(path), "a" * SIZE)
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        assert path.read_text() in whole


def test_a_line_that_dies_in_the_middle_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.append_line(str(path), "one")
    assert dies_writing(lambda: files.append_line(str(path), "n" * SIZE), SIZE // 2) == signal.SIGXFSZ
    files.append_line(str(path), "three")
    lines = path.read_text().splitlines()
    assert (lines[0], lines[-1], modes(path)[0]) == ("one", "three", 0o600)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: files.append_line(path, "new"),
        lambda path: files.draft(path, "new", 0o644),
        files.directory,
    ],
)
def test_a_planted_link_is_not_followed(tmp_path: Path, write: Callable[[str], None]) -> None:
    victim, trap = tmp_path / "victim", tmp_path / "trap"
    victim.write_text("mine")
    victim.chmod(0o604)
    trap.symlink_to(victim)
    with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
        write(str(trap))
    assert (victim.read_text(), modes(victim)[0]) == ("mine", 0o604)


def test_a_planted_link_to_a_directory_is_not_followed(tmp_path: Path) -> None:
    victim, trap = tmp_path / "victim", tmp_path / "trap"
    victim.mkdir(0o700)
    trap.symlink_to(victim)
    with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
        files.directory(str(trap), 0o777, 1, 1)
    assert modes(victim) == (0o700, 0, 0)


def test_write_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "a"
    victim.write_text("mine")
    path.symlink_to(victim)
    files.write(str(path), "new")
    assert (victim.read_text(), path.read_text(), path.is_symlink()) == ("mine", "new", False)


def test_directory_is_made_and_mended(tmp_path: Path) -> None:
    path = tmp_path / "a"
    before = os.umask(0o077)
    try:
        files.directory(str(path), 0o2750, 1, 2)
        assert modes(path) == (0o2750, 1, 2)
        (path / "kept").write_text("kept")
        path.chmod(0o777)
        os.chown(path, 3, 4)
        files.directory(str(path), 0o711)
    finally:
        os.umask(before)
    assert (modes(path), (path / "kept").read_text()) == ((0o711, 0, 0), "kept")


def test_link_is_one_step(tmp_path: Path) -> None:
    path = tmp_path / "live"
    (tmp_path / "live.new").symlink_to("left by a killed run")
    for target in ("sesses/1", "sesses/2"):
        files.link(str(path), target)
        assert files.link_target(str(path)) == target
    assert [entry.name for entry in tmp_path.iterdir()] == ["live"]


def test_every_reader_sees_one_of_two_links(tmp_path: Path) -> None:
    path = str(tmp_path / "live")
    files.link(path, "sesses/1")
    pid = os.fork()
    if pid == 0:
        while True:
            files.link(path, "sesses/2")
            files.link(path, "sesses/1")
    try:
        end = time.monotonic() + LONG
        seen = {os.readlink(path) for _look in range(2000)}
        while len(seen) < 2 and time.monotonic() < end:
            seen.add(os.readlink(path))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert seen == {"sesses/1", "sesses/2"}


def test_remove_tree_follows_no_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "kept").write_text("kept")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(victim)
    top = tmp_path / "top"
    top.symlink_to(victim)
    for path in (tree, top, tmp_path / "missing"):
        files.remove_tree(str(path))
    files.remove(str(tmp_path / "missing"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["victim"]
    assert (victim / "kept").exists()


READS = [
    (None, None, None),
    (b"", "", None),
    (b'{"a": 1}', '{"a": 1}', {"a": 1}),
    (b'{"a": ', '{"a": ', None),  # cut short
]


@pytest.mark.parametrize(("content", "text", "data"), READS)
def test_read(tmp_path: Path, content: bytes, text: str, data: Any) -> None:
    path = tmp_path / "a"
    if content is not None:
        path.write_bytes(content)
    assert (files.read(str(path)), files.read_json(str(path))) == (text, data)


def test_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "missing", tmp_path / "file" / "below"):
        assert (files.read(str(path)), files.names_in(str(path)), files.link_target(str(path))) == (None, [], None)
    assert files.names_in(str(tmp_path / "file")) == []


def test_json_is_the_same_for_the_same_data() -> None:
    assert files.to_json({"b": [1], "a": "ä"}) == files.to_json(dict(reversed({"b": [1], "a": "ä"}.items())))
    assert files.to_json({"a": 1}).endswith("}\n")


def test_walk_gives_what_is_in_a_directory_before_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_text("")
    (tmp_path / "a" / "out").symlink_to("/etc")
    seen = [name for _handle, name, _found in files.walk(str(tmp_path))]
    assert seen[-1] == "a"
    assert seen.index("c") < seen.index("b")
    assert sorted(seen) == ["a", "b", "c", "out"]


ROOM = [
    # (free blocks of 4 KiB, all inodes, free inodes, bytes, what is said)
    (1 << 20, 0, 0, 1 << 30, ""),  # btrfs counts no inodes
    (1 << 20, 1 << 20, 1000, 1 << 30, ""),
    (1 << 20, 1 << 20, 999, 1 << 30, "the disk is full: fewer than 1000 files can still be made below /x"),
    (5 << 10, 0, 0, 4 << 20, ""),  # 16 MiB stay free
    (5 << 10, 0, 0, 5 << 20, "the disk is full: a release needs 21 MiB below /x, and 20 are free"),
]


@pytest.mark.parametrize(("blocks", "inodes", "free", "size", "said"), ROOM)
def test_need_room(monkeypatch: pytest.MonkeyPatch, blocks: int, inodes: int, free: int, size: int, said: str) -> None:
    full = os.statvfs_result((4096, 4096, 1 << 30, blocks + 9, blocks, inodes, free + 9, free, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: full)
    assert told(files.need_room, "/x", size, "a release") == said


def test_need_room_asks_the_real_disk(tmp_path: Path) -> None:
    files.need_room(str(tmp_path), 1 << 20, "a release")
    with pytest.raises(BackstageError, match="the disk is full"):
        files.need_room(str(tmp_path), 1 << 60, "a release")

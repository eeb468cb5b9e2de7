# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealing: root takes a tree of a builder's without following a link, or refuses it."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import seal

from ...conftest import Crew
from ...killing import FULL
from ...told import told

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
    assert not (root / "pkg" / "a.py").exists()


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


def test_a_hard_link_is_refused(tmp_path: Path) -> None:
    """It may be a name of somebody else's file, where the kernel lets everybody make one."""
    root, victim = tree(tmp_path), tmp_path / "victim"
    victim.write_text("mine")
    owned(victim, 0o604)
    os.link(victim, root / "pkg" / "b.py")
    said = told(seal.take, str(root), BUILDER, ACT)
    assert said == f"'b.py' below {root} has another name (a hard link); have the build make a copy"
    assert found(victim) == (BUILDER, BUILDER, 0o604)


def test_no_descriptor_that_was_open_before_reaches_what_is_sealed(tmp_path: Path) -> None:
    root = tree(tmp_path)
    (root / "pkg" / "a.py").write_text("sealed")
    directory = os.open(root / "pkg", os.O_RDONLY)
    with (root / "pkg" / "a.py").open("r+") as file:
        seal.take(str(root), BUILDER, ACT)
        file.write("changed")
        file.flush()
    with pytest.raises(OSError, match="No such file"):
        os.open("b.py", os.O_WRONLY | os.O_CREAT, dir_fd=directory)
    os.close(directory)
    assert (root / "pkg" / "a.py").read_text() == "sealed"
    assert os.listdir(root / "pkg") == ["a.py"]
    assert os.listdir(tmp_path) == ["code"]


def test_a_file_that_grows_while_it_is_copied_ends(tmp_path: Path) -> None:
    root = tree(tmp_path)
    (root / "pkg" / "a.py").write_bytes(b"x" * 100)
    real = os.sendfile

    def growing(target: int, source: int, offset: None, count: int) -> int:
        with (tmp_path / "code.unsealed" / "pkg" / "a.py").open("ab") as file:
            file.write(b"y" * 100)
        return real(target, source, offset, min(count, 10))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sendfile", growing)
        seal.take(str(root), BUILDER, ACT)
    assert (root / "pkg" / "a.py").read_bytes() == b"x" * 100


def test_what_needs_more_than_the_disk_has_is_refused(tmp_path: Path) -> None:
    root = tree(tmp_path)
    with (root / "pkg" / "a.py").open("wb") as file:
        file.truncate(2**43)  # of nothing but a hole
    assert "'a.py' needs 8388624 MiB below" in told(seal.take, str(root), BUILDER, ACT)
    assert os.listdir(tmp_path) == ["code"]


def test_what_is_too_deep_is_refused(tmp_path: Path) -> None:
    root = tree(tmp_path)
    inner = root
    for _number in range(seal.DEEPEST + 1):
        inner /= "d"
        inner.mkdir()
        owned(inner, 0o700)
    assert told(seal.take, str(root), BUILDER, ACT) == f"{root} has more than 200 nested directories"


def test_bytecode_goes_on_fitting_its_source(tmp_path: Path) -> None:
    root = tree(tmp_path)
    os.utime(root / "pkg" / "a.py", ns=(1, 1234567890123456789))
    seal.take(str(root), BUILDER, ACT)
    assert (root / "pkg" / "a.py").stat().st_mtime_ns == 1234567890123456789


RIVAL = """
import os, sys
root, target, number = sys.argv[1:]
os.chdir(root)
for n in range(int(number)):
    os.symlink(target, f"../links/{n}")
print(flush=True)
for n in range(int(number)):
    while True:
        try:
            if os.lstat(f"{n}").st_uid == 0:
                break
            os.stat(".")
        except OSError:
            raise SystemExit(0)
    os.rename(f"../links/{n}", f"{n}")
"""


@pytest.mark.parametrize("attempt", range(3 if FULL else 1))
def test_fault_42_a_rival_that_swaps_names_for_links_changes_nothing(place: Path, crew: Crew, attempt: int) -> None:
    """It could write into the tree while it was built: a directory of the builder's that is open to the player."""
    root, victim, links = place / "code", place / "victim", place / "links"
    number = 3000 if FULL else 1000
    for directory in (root, links):
        directory.mkdir()
        os.chown(directory, crew.builder.uid, crew.player.gid)
        directory.chmod(0o770)
    victim.write_text("secret")
    victim.chmod(0o600)
    for n in range(number):
        (root / str(n)).write_text("")
        os.chown(root / str(n), crew.builder.uid, crew.builder.gid)
    busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _core in range(3)]
    argv = ["/usr/bin/python3", "-c", RIVAL, str(root), str(victim), str(number)]
    rival = subprocess.Popen(argv, user=crew.player.uid, group=crew.player.gid, extra_groups=[], stdout=subprocess.PIPE)
    try:
        assert rival.stdout is not None
        rival.stdout.readline()
        seal.take(str(root), crew.builder.uid, ALL)
    finally:
        for one in (rival, *busy):
            one.kill()
            one.wait()
    assert stat.S_IMODE(victim.stat().st_mode) == 0o600
    assert [name for name in os.listdir(root) if (root / name).is_symlink()] == []


def test_settle(tmp_path: Path) -> None:
    seal.settle(str(tmp_path))
    with pytest.raises(OSError, match="No such file"):
        seal.settle(str(tmp_path / "missing"))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of the controller: what is shipped of them, what changes their id, what is refused."""

from __future__ import annotations

import os
import shutil
import socket
import tarfile
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import unpack
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Source
from ansible_collections.backstage.django.plugins.plugin_utils.sources import path

from ...repositories import commit, git, repository
from ...told import told

KITTENS = Source("path", "kittens")


@pytest.fixture
def kittens(tmp_path: Path) -> Path:
    root = tmp_path / "kittens"
    (root / "pkg").mkdir(parents=True)
    (root / "manage.py").write_text("manage")
    (root / "pkg" / "a.py").write_text("a")
    return root


def resolved(kittens: Path) -> str:
    return path.resolve(KITTENS, str(kittens.parent))


WHERE = [
    ("kittens", "/inventory/kittens"),
    ("./kittens/", "/inventory/kittens"),
    ("../acts/kittens", "/acts/kittens"),
    ("/srv/kittens", "/srv/kittens"),
    ("~/kittens", "/home/ada/kittens"),
]


@pytest.mark.parametrize(("location", "found"), WHERE)
def test_location(monkeypatch: pytest.MonkeyPatch, location: str, found: str) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert path.location(Source("path", location), "/inventory") == found


CACHES = [
    ".git/HEAD",
    ".hg/a",
    ".svn/a",
    "pkg/__pycache__/a",
    ".tox/a",
    "a.pyc",
    ".mypy_cache/a",
    "pkg/.pytest_cache/a",
]


def test_without_git_all_but_caches(kittens: Path) -> None:
    before = resolved(kittens)
    for name in CACHES:
        (kittens / name).parent.mkdir(parents=True, exist_ok=True)
        (kittens / name).write_text("")
    assert path.listing(str(kittens)) == ["manage.py", "pkg/a.py"]
    assert resolved(kittens) == before
    (kittens / ".env").write_text("")
    (kittens / "cache").write_text("")
    assert path.listing(str(kittens)) == [".env", "cache", "manage.py", "pkg/a.py"]


@pytest.mark.parametrize("name", [".venv", "pkg/env"])
def test_without_git_no_virtual_environment(kittens: Path, name: str) -> None:
    """Its links leave the tree, so everybody who keeps one beside the code would be refused."""
    (kittens / name / "bin").mkdir(parents=True)
    (kittens / name / "pyvenv.cfg").write_text("")
    (kittens / name / "bin" / "python").symlink_to("/usr/bin/python3")
    assert path.listing(str(kittens)) == ["manage.py", "pkg/a.py"]
    assert told(resolved, kittens) == ""


def in_git(kittens: Path) -> Path:
    """The directory inside a work tree, with files that git would not take."""
    git(kittens, "init", "--quiet")
    (kittens / ".gitignore").write_text("*.sqlite3\nlocal/\n")
    commit(kittens)
    for name in ("db.sqlite3", "local/secret", "new.py"):
        (kittens / name).parent.mkdir(exist_ok=True)
        (kittens / name).write_text("")
    return kittens


LISTED = [".gitignore", "manage.py", "new.py", "pkg/a.py"]


def test_in_a_work_tree_what_git_would_take(kittens: Path) -> None:
    assert path.listing(str(in_git(kittens))) == LISTED
    (kittens / "manage.py").unlink()  # not yet committed
    assert path.listing(str(kittens)) == [".gitignore", "new.py", "pkg/a.py"]
    assert path.listing(str(kittens / "pkg")) == ["a.py"]


def test_a_directory_that_its_repository_ignores(kittens: Path) -> None:
    """A checkout inside another one's ignored place: git would take nothing, and it is not what was meant."""
    in_git(kittens)
    shutil.copytree(kittens / "pkg", kittens / "local" / "act")
    assert path.listing(str(kittens / "local" / "act")) == ["a.py"]


def test_a_submodule_and_a_nested_repository(kittens: Path) -> None:
    in_git(kittens)
    commit(repository(kittens / "nested"), b__py="b")
    assert path.listing(str(kittens)) == sorted([*LISTED, "nested/b.py"])


def test_what_a_nested_repository_ignores(kittens: Path) -> None:
    in_git(kittens)
    commit(repository(kittens / "vendored"), a__py="", __gitignore="local.env\n")
    (kittens / "vendored" / "local.env").write_text("secret")
    (kittens / "vendored" / "new.py").write_text("")
    assert path.listing(str(kittens)) == [*LISTED, *(f"vendored/{name}" for name in (".gitignore", "a.py", "new.py"))]


@pytest.mark.parametrize("left", ["nothing", "an empty directory", "a file that leads nowhere"])
def test_a_submodule_that_is_no_repository_any_more(kittens: Path, left: str) -> None:
    commit(repository(kittens / "nested"), b__py="b")
    commit(in_git(kittens))
    shutil.rmtree(kittens / "nested" / ".git")
    if left == "an empty directory":
        (kittens / "nested" / ".git").mkdir()
    elif left != "nothing":
        (kittens / "nested" / ".git").write_text("gitdir: /nonexistent\n")
    assert [name for name in path.listing(str(kittens)) if name.startswith("nested")][-1:] == ["nested/b.py"]


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"])
def test_a_run_from_a_git_hook(kittens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """git tells its hooks where their own repository is; that of the source is another one."""
    other = repository(tmp_path / "other")
    commit(other, z__py="z")
    in_git(kittens)
    values = {"GIT_DIR": ".git", "GIT_WORK_TREE": "", "GIT_INDEX_FILE": ".git/index"}
    monkeypatch.setenv(variable, str(other / values[variable]))
    assert path.listing(str(kittens)) == LISTED


@pytest.mark.parametrize(("top", "below"), [(65534, 65534), (0, 0), (65534, 0), (0, 65534)])
def test_whoever_owns_it_no_ignored_file_is_shipped(place: Path, kittens: Path, top: int, below: int) -> None:
    """git refuses repositories of other users: that must not make everything of a directory its source."""
    root = place / "kittens"
    shutil.copytree(in_git(kittens), root)
    for entry in [root, *root.rglob("*")]:
        os.chown(entry, top, top, follow_symlinks=False)
    (root / "pkg" / "db.sqlite3").write_text("visitors")
    for entry in [root / "pkg", *(root / "pkg").rglob("*")]:
        os.chown(entry, below, below)
    source = Source("path", str(root / "pkg"))
    listed = path.listing(str(root / "pkg")) if not told(path.resolve, source, "/") else ["refused"]
    assert listed in (["a.py"], ["refused"])


CHANGES: list[tuple[str, Callable[[Path], object], bool]] = [
    # (what is done, how, whether the source is another one)
    ("nothing", lambda root: None, False),
    ("touched", lambda root: os.utime(root / "manage.py", (1, 1)), False),
    ("a group may write", lambda root: (root / "manage.py").chmod(0o664), False),
    ("executable", lambda root: (root / "manage.py").chmod(0o755), True),
    ("an empty directory", lambda root: (root / "empty").mkdir(), False),
    ("other bytes", lambda root: (root / "manage.py").write_text("manage!"), True),
    ("another name", lambda root: (root / "manage.py").rename(root / "manage2.py"), True),
    ("moved", lambda root: (root / "manage.py").rename(root / "pkg" / "manage.py"), True),
    ("one more", lambda root: (root / "b").write_text(""), True),
    ("one less", lambda root: (root / "manage.py").unlink(), True),
    ("a link", lambda root: (root / "link").symlink_to("manage.py"), True),
]


@pytest.mark.parametrize(("change", "another"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_what_changes_the_id(kittens: Path, change: Callable[[Path], object], another: bool) -> None:
    before = resolved(kittens)
    change(kittens)
    assert (resolved(kittens) != before) is another


def test_a_link_is_not_the_file_of_that_text(kittens: Path) -> None:
    (kittens / "x").symlink_to("manage.py")
    link = resolved(kittens)
    (kittens / "x").unlink()
    (kittens / "x").write_text("manage.py")
    assert resolved(kittens) != link


def bind(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(place))


BAD: list[tuple[Callable[[Path], object], str]] = [
    (lambda entry: entry.symlink_to("/etc/passwd"), "is a link out of its tree, to /etc/passwd"),
    (lambda entry: entry.symlink_to("../../secret"), "is a link out of its tree, to ../../secret"),
    (lambda entry: entry.symlink_to("../.."), "is a link out of its tree, to ../.."),
    (os.mkfifo, "is neither a file nor a link; remove it"),
]


@pytest.mark.parametrize(("make", "said"), BAD)
def test_refused(kittens: Path, make: Callable[[Path], object], said: str) -> None:
    make(kittens / "pkg" / "bad")
    assert f"{kittens}/pkg/bad {said}" in told(resolved, kittens)


@pytest.mark.parametrize("target", ["a.py", "../manage.py", "..", ".", "missing"])
def test_links_that_stay_inside_are_kept(kittens: Path, target: str) -> None:
    (kittens / "pkg" / "link").symlink_to(target)
    assert "pkg/link" in path.listing(str(kittens))
    assert told(resolved, kittens) == ""


def test_nothing_to_ship(tmp_path: Path) -> None:
    assert told(path.resolve, KITTENS, str(tmp_path)) == f"there is no directory {tmp_path}/kittens on the controller"
    (tmp_path / "kittens" / "empty").mkdir(parents=True)
    assert told(path.resolve, KITTENS, str(tmp_path)) == f"{tmp_path}/kittens holds no file"


@pytest.mark.parametrize("name", ["pkg", "pkg/a.py"])
@pytest.mark.parametrize("versioned", [False, True])
def test_what_may_not_be_read_is_never_left_out(place: Path, kittens: Path, name: str, versioned: bool) -> None:
    """Such as a database's own directory beside the code: another user's, whoever starts the run."""
    root = place / "kittens"
    shutil.copytree(in_git(kittens) if versioned else kittens, root)
    for entry in [root, *root.rglob("*")]:
        os.chown(entry, 65534, 65534)
    (root / name).chmod(0)
    os.seteuid(65534)
    try:
        said = told(path.resolve, KITTENS, str(place))
    finally:
        os.seteuid(0)
    refused = "a.py" if versioned and name == "pkg" else ""  # git knows what is in there
    assert said == f"{root / name / refused} can't be read (Permission denied); make it readable, or move it elsewhere"


def test_a_work_tree_whose_index_is_damaged(kittens: Path) -> None:
    git(kittens, "init", "--quiet")
    git(kittens, "add", "--all")
    (kittens / ".git" / "index").write_bytes(b"damaged")
    assert told(resolved, kittens).startswith(f"git can't read the work tree that {kittens} is in (fatal: ")


NAMES = ["with space", "new\nline", "ä€", "-rf", "a'b\"c", "back\\slash", os.fsdecode(b"latin-\xe9")]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("versioned", [True, False])
def test_any_name_is_shipped_or_refused_by_name(kittens: Path, tmp_path: Path, name: str, versioned: bool) -> None:
    (kittens / name).write_text("purr")
    if versioned:
        in_git(kittens)
    if told(resolved, kittens) == "":
        assert name in path.listing(str(kittens))
        assert (shipped(kittens, tmp_path) / name).read_text() == "purr"


def shipped(kittens: Path, tmp_path: Path) -> Path:
    """What arrives of it on a host."""
    target = tmp_path / "code"
    target.mkdir()
    path.archive(KITTENS, str(kittens.parent), resolved(kittens), str(tmp_path / "a.tgz"))
    with (tmp_path / "a.tgz").open("rb") as file:
        unpack.unpack(file.fileno(), str(target))
    return target


def test_what_is_shipped_is_the_same_source(kittens: Path, tmp_path: Path) -> None:
    (kittens / "manage.py").chmod(0o755)
    (kittens / "big").write_bytes(os.urandom(3 << 20))
    (kittens / "pkg" / "link").symlink_to("../big")
    os.link(kittens / "big", kittens / "pkg" / "hard")  # git and pip make these; a hard link in an archive is refused
    target = shipped(kittens, tmp_path)
    assert path.listing(str(target)) == path.listing(str(kittens))
    assert path.resolve(Source("path", str(target)), "/") == resolved(kittens)
    with tarfile.open(tmp_path / "a.tgz") as archive:
        about = {(member.uid, member.gid, member.uname, member.gname) for member in archive}
    assert about == {(0, 0, "", "")}, "who works on the controller is nobody's business"


def test_a_source_that_changes_meanwhile(kittens: Path, tmp_path: Path) -> None:
    content = resolved(kittens)
    (kittens / "manage.py").write_text("other")
    said = told(path.archive, KITTENS, str(tmp_path), content, str(tmp_path / "a.tgz"))
    assert said == f"{kittens} changed while it was shipped; run again"

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources in a directory of the controller: what git would take in a work tree, else all but caches."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import posixpath
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from typing import Any, Optional

from ...module_utils.host.errors import Refusal
from ...module_utils.manifest.nouns import Source

LEFT_OUT = (".git", ".hg", ".svn", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", "*.pyc")


def location(source: Source, base: str) -> str:
    """Return the directory, relative to the inventory's."""
    return os.path.normpath(os.path.join(base, os.path.expanduser(source.location)))


def resolve(source: Source, base: str) -> str:
    """Return a digest of names, kinds and bytes.

    Raises:
        Refusal: there is no such directory, or something in it can't be shipped.
    """
    root = location(source, base)
    if not os.path.isdir(root):
        raise Refusal(f"there is no directory {root} on the controller")
    try:
        names = listing(root)
        if not names:
            raise Refusal(f"{root} holds no file")
        digest = hashlib.sha256()
        for name in names:
            digest.update(f"{_kind(root, name)}\0{name}\0{_content(root, name)}\n".encode("utf-8", "surrogateescape"))
    except PermissionError as error:
        raise Refusal(
            f"{error.filename} can't be read ({error.strerror}); make it readable, or move it elsewhere"
        ) from None
    return digest.hexdigest()


def listing(root: str) -> list[str]:
    """Return the files and symlinks to copy, sorted, relative to the directory."""
    found = _in_work_tree(root)
    return sorted(_walk(root) if found is None else found)


def _in_work_tree(root: str) -> Any:
    """Return what git would add; None if the directory is in no worktree, or ignored by its worktree."""
    if _repository(root) is None:
        return None
    asked = _git(root, "rev-parse", "--is-inside-work-tree")
    if b"not a git repository" not in asked.stderr:
        _need_read(root, asked)
    if asked.stdout.strip() != b"true":
        return None
    if _git(root, "check-ignore", "--quiet", ".").returncode == 0:
        return None
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    _need_read(root, listed)
    found: list[str] = []
    for name in sorted({os.fsdecode(name) for name in listed.stdout.split(b"\0") if name}):
        path = os.path.join(root, name)
        try:
            is_directory = stat.S_ISDIR(os.lstat(path).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            continue  # removed, and not committed yet
        found += [posixpath.join(name, inner) for inner in _in_nested(path)] if is_directory else [name]
    return found


def _in_nested(path: str) -> list[str]:
    """Return what a nested repository in a worktree would add; everything if it is no repository any more."""
    asked = _git(path, "rev-parse", "--show-toplevel")
    if b"not a git repository" not in asked.stderr:
        _need_read(path, asked)
    is_its_own = asked.stdout.rstrip(b"\n") == os.fsencode(os.path.realpath(path))
    return listing(path) if is_its_own else list(_walk(path))


def _need_read(root: str, asked: subprocess.CompletedProcess[bytes]) -> None:
    if asked.returncode:
        # taking everything instead would ship what git ignores: databases, secrets
        raise Refusal(f"git can't read the work tree that {root} is in ({_last_line(asked.stderr)})")


def _repository(root: str) -> Optional[str]:
    """Return the .git of the nearest parent that has one."""
    while True:
        found = os.path.join(root, ".git")
        if os.path.lexists(found):
            return found
        if root == os.path.dirname(root):
            return None
        root = os.path.dirname(root)


def _last_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else "git said nothing"


def _git(root: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git as the repository's owner: its own configuration can name programs."""
    owner = os.stat(_repository(root) or root)
    identity: dict[str, Any] = {}
    if os.geteuid() == 0 and owner.st_uid != 0:
        identity = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    argv = ["git", "-C", root, *arguments]
    # a run from a git hook has another repository in its environment
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        return subprocess.run(argv, capture_output=True, check=False, env={**env, "LC_ALL": "C.UTF-8"}, **identity)
    except FileNotFoundError:
        raise Refusal(f"{root} is a git work tree, and git is not installed on the controller") from None


def _walk(root: str) -> Iterator[str]:
    for directory, directories, files in os.walk(root, onerror=_refuse):
        links = [name for name in directories if os.path.islink(os.path.join(directory, name))]
        inner = [name for name in directories if name not in links and not _left_out(name)]
        directories[:] = [name for name in inner if not _is_environment(os.path.join(directory, name))]
        for name in files + links:
            if not _left_out(name):
                yield os.path.relpath(os.path.join(directory, name), root)


def _refuse(error: OSError) -> None:
    raise error  # else what can't be listed would be left out


def _left_out(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in LEFT_OUT)


def _is_environment(path: str) -> bool:
    """Return whether a directory is a virtual environment, which fits only this machine and links out of the tree."""
    return os.path.exists(os.path.join(path, "pyvenv.cfg"))


def _kind(root: str, name: str) -> str:
    path = os.path.join(root, name)
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), os.readlink(path)))
        if os.readlink(path).startswith("/") or target.split("/")[0] == "..":
            raise Refusal(
                f"{path} is a link out of its tree, to {os.readlink(path)}; replace it by what it points to, or name it"
                " in the .gitignore of a work tree"
            )
        return "link"
    if not stat.S_ISREG(mode):
        raise Refusal(f"{path} is neither a file nor a link; remove it")
    return "program" if mode & stat.S_IXUSR else "file"


def _content(root: str, name: str) -> str:
    path = os.path.join(root, name)
    if os.path.islink(path):
        return os.readlink(path)
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def archive(source: Source, base: str, content: str, target: str) -> None:
    """Write the directory as a compressed tar file.

    Raises:
        Refusal: it changed since it was resolved.
    """
    root = location(source, base)
    with tarfile.open(target, "w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as tar:
        for name in listing(root):
            _add(tar, os.path.join(root, name), name)
    if resolve(source, base) != content:
        raise Refusal(f"{root} changed while it was shipped; run again")


def _add(tar: tarfile.TarFile, path: str, name: str) -> None:
    member = tarfile.TarInfo(name)
    found = os.lstat(path)
    member.mode, member.mtime = stat.S_IMODE(found.st_mode), found.st_mtime
    if stat.S_ISLNK(found.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(path)
        tar.addfile(member)
        return
    with open(path, "rb") as file:
        member.size = found.st_size
        tar.addfile(member, file)

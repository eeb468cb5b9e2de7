# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record the contents of a sealed tree, and compare every file later.

``record`` is called after root has taken the tree, right before the seal is written. ``changed`` reads every
file. ``newer`` only reads when each was changed, and is cheap.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from ..host import files

RECORD = "digests.json"
"""The file beside the seal with the contents at the time of the seal. Only root reads it."""
SHOWN = 3
"""The maximum number of files that are named. Of others only the number is given."""
_BLOCK = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def digest(tree: str, without: tuple[str, ...] = ()) -> dict[str, str]:
    """Return every entry below a directory: path -> kind, mode, owner and contents in one line. No symlink is followed.

    Args:
        tree: the directory.
        without: names directly in it to leave out.
    """
    return {name: _described(handle, entry, found) for name, handle, entry, found in _walk(tree, without)}


def record(tree: str, seal: str) -> None:
    """Write down the contents of a tree, without the seal, which is written next."""
    text = json.dumps(digest(tree, (seal, RECORD)), separators=(",", ":"), sort_keys=True)
    files.draft(os.path.join(tree, RECORD), text + "\n", 0o600)


def recorded(tree: str) -> Optional[dict[str, str]]:
    """Return the contents of a tree at its seal; None if they were not recorded."""
    found = files.read_json(os.path.join(tree, RECORD))
    return found if isinstance(found, dict) else None


def changed(tree: str, seal: str) -> Optional[list[str]]:
    """Return the paths that differ from the sealed ones; None if there is no record."""
    before = recorded(tree)
    if before is None:
        return None
    after = digest(tree, (seal, RECORD))
    return sorted(path for path in {**before, **after} if before.get(path) != after.get(path))


def newer(tree: str, seal: str, modes: bool = True) -> list[str]:
    """Return the paths that were changed after the seal. Their ctime counts, which nobody can reset.

    Args:
        tree: the directory.
        seal: the name of its seal.
        modes: whether a directory counts if only its mode or owner was changed.
    """
    try:
        sealed = os.lstat(os.path.join(tree, seal)).st_ctime_ns
    except FileNotFoundError:
        return []

    def is_newer(found: os.stat_result) -> bool:
        by_content = stat.S_ISDIR(found.st_mode) and not modes
        return (found.st_mtime_ns if by_content else found.st_ctime_ns) > sealed

    walked = _walk(tree, (seal, RECORD))
    return sorted(name for name, _handle, _entry, found in walked if is_newer(found))


def named(paths: list[str]) -> str:
    """Return the first of the paths, and how many more there are."""
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more


def of_variables(variables: Mapping[str, str]) -> str:
    """Return one hash of the environment of a Sess."""
    text = json.dumps(dict(variables), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _walk(tree: str, without: tuple[str, ...]) -> Iterator[tuple[str, int, str, os.stat_result]]:
    """Yield every entry: its path below the tree, its directory's descriptor, its name there, lstat."""
    for root, directories, names, handle in os.fwalk(tree, follow_symlinks=False):
        below = os.path.relpath(root, tree)
        for name in [*directories, *names]:
            if below == "." and name in without:
                continue
            try:
                found = os.lstat(name, dir_fd=handle)
            except FileNotFoundError:
                continue  # a live tree may be removed meanwhile
            yield os.path.normpath(os.path.join(below, name)), handle, name, found


def _described(handle: int, name: str, found: os.stat_result) -> str:
    kind, content = "special", ""
    if stat.S_ISLNK(found.st_mode):
        kind, content = "link", os.readlink(name, dir_fd=handle)
    elif stat.S_ISDIR(found.st_mode):
        kind = "directory"
    elif stat.S_ISREG(found.st_mode):
        kind, content = "file", _hash(handle, name)
    return f"{kind} {stat.S_IMODE(found.st_mode):04o} {found.st_uid}:{found.st_gid} {content}"


def _hash(directory: int, name: str) -> str:
    found: Any = hashlib.sha256()
    handle = os.open(name, _READ, dir_fd=directory)
    try:
        while block := os.read(handle, _BLOCK):
            found.update(block)
    finally:
        os.close(handle)
    return str(found.hexdigest())

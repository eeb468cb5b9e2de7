# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write files atomically, so that no reader, crash or killed run leaves or sees a partial file.

Root calls these functions only on directories whose every component belongs to root.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from typing import Any, Optional

from .errors import BackstageError

SPARE = 16 * 2**20
"""Free bytes that a build has to leave, because logs and databases need them."""
DRAFT = ".new"
"""The suffix of a file that is not complete yet. A killed run may leave one."""
OWNERSHIP = "Managed by Backstage (backstage.django): changes are overwritten."


def read(path: str) -> Optional[str]:
    """Return the text of a file, or None if it does not exist."""
    try:
        with open(path, encoding="utf-8", newline="") as file:  # keep "\r\n" inside a value
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_json(path: str) -> Any:
    """Return the data of a JSON file, or None if the file is missing or truncated."""
    text = read(path)
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return None


def to_json(data: Any, indent: int = 2) -> str:
    return json.dumps(data, indent=indent, sort_keys=True) + "\n"


def directory(path: str, mode: int = 0o755, uid: int = 0, gid: int = 0) -> None:
    """Make a directory with exactly this mode and owner, or correct an existing one."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(handle)
        if (found.st_uid, found.st_gid) != (uid, gid):
            os.fchown(handle, uid, gid)
        if stat.S_IMODE(found.st_mode) != mode:
            os.fchmod(handle, mode)
    finally:
        os.close(handle)


def write(path: str, text: str, mode: int = 0o644, gid: int = 0, uid: int = 0) -> None:
    """Replace a whole file atomically and sync it to disk."""
    new = path + DRAFT
    draft(new, text, mode, gid, durable=True, uid=uid)
    os.replace(new, path)
    sync_directory(os.path.dirname(path))


def draft(path: str, text: str, mode: int, gid: int = 0, durable: bool = False, uid: int = 0) -> None:
    """Write a file that no process reads yet."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchown(handle, uid, gid)
        os.fchmod(handle, mode)
        _write_all(handle, text.encode(errors="surrogateescape"))
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def append_line(path: str, line: str, mode: int = 0o600) -> None:
    """Append one line to a file that root owns, and sync it to disk."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, mode)
    try:
        size = os.fstat(handle).st_size
        cut_short = size and os.pread(handle, 1, size - 1) != b"\n"  # a killed run wrote only a part of the last line
        _write_all(handle, (b"\n" if cut_short else b"") + line.encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


def link(path: str, target: str) -> None:
    """Create or replace a symlink atomically, and sync it to disk."""
    draft = path + DRAFT
    remove(draft)
    os.symlink(target, draft)
    os.replace(draft, path)
    sync_directory(os.path.dirname(path))


def link_target(path: str) -> Optional[str]:
    try:
        return os.readlink(path)
    except OSError:
        return None


def remove(path: str) -> None:
    """Remove a file or a symlink, if it exists."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def remove_tree(path: str) -> None:
    """Remove a directory and everything below it, if it exists. Symlinks are not followed."""
    if os.path.islink(path):
        os.unlink(path)
    elif os.path.isdir(path):
        shutil.rmtree(path)


def remove_sealed(path: str, seal: str) -> None:
    """Remove a sealed tree, its seal first, so that nothing trusts what a killed removal leaves."""
    remove(os.path.join(path, seal))
    if os.path.isdir(path):
        sync_directory(path)
    remove_tree(path)


def sync_directory(path: str) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def need_room(path: str, size: int, what: str) -> None:
    """Refuse a step that would fill the disk.

    Raises:
        BackstageError: the file system below the path has less than this free.
    """
    found = os.statvfs(path)
    free = found.f_bavail * found.f_frsize
    if free < size + SPARE:
        need = (size + SPARE) // 2**20
        raise BackstageError(f"the disk is full: {what} needs {need} MiB below {path}, and {free // 2**20} are free")
    if found.f_files and found.f_favail < 1000:
        raise BackstageError(f"the disk is full: fewer than 1000 files can still be made below {path}")


def names_in(path: str) -> list[str]:
    """Return the sorted names in a directory; none if it does not exist."""
    try:
        return sorted(os.listdir(path))
    except (FileNotFoundError, NotADirectoryError):
        return []


def walk(path: str) -> Iterator[tuple[int, str, os.stat_result]]:
    """Yield every entry below a directory, deepest first: (directory's descriptor, name, lstat)."""
    for _root, directories, files, handle in os.fwalk(path, topdown=False, follow_symlinks=False):
        for name in directories + files:
            yield handle, name, os.lstat(name, dir_fd=handle)

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking a finished tree away from the user who built it.

From then on nobody but root can change it, and whoever may read it can.
"""

from __future__ import annotations

import ctypes
import os
import stat
from dataclasses import dataclass

from . import files
from .errors import BackstageError

_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Readers:
    """Who may read a sealed tree."""

    gid: int = 0
    everybody: bool = False
    links: bool = True

    def mode(self, found: int, is_directory: bool) -> int:
        executable = is_directory or bool(found & stat.S_IXUSR)
        if self.everybody:
            return 0o755 if executable else 0o644
        return 0o750 if executable else 0o640


def take(path: str, builder: int, readers: Readers) -> None:
    """Make a tree root's own, following no link. The builder's processes have ended before.

    Args:
        path: the tree; its parent is root's.
        builder: the uid that built it.
        readers: who may read it afterwards.

    Raises:
        BackstageError: an entry is somebody else's, a device, or a link where none may be.
    """
    for handle, name, found in files.walk(path):
        _check(path, name, found, builder, readers)
        os.chown(name, 0, readers.gid, dir_fd=handle, follow_symlinks=False)
        if not stat.S_ISLNK(found.st_mode):
            os.chmod(name, readers.mode(found.st_mode, stat.S_ISDIR(found.st_mode)), dir_fd=handle)
    os.chown(path, 0, readers.gid, follow_symlinks=False)
    os.chmod(path, readers.mode(0, True))


def _check(path: str, name: str, found: os.stat_result, builder: int, readers: Readers) -> None:
    kind = found.st_mode
    if found.st_uid not in (builder, 0):
        raise BackstageError(f"'{name}' below {path} belongs to another user (uid {found.st_uid})", step="seal")
    if stat.S_ISLNK(kind):
        if not readers.links:
            raise BackstageError(f"'{name}' below {path} is a link; nginx serves files, not links", step="seal")
    elif not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise BackstageError(f"'{name}' below {path} is neither a file nor a directory", step="seal")


def settle(path: str) -> None:
    """Have all that was written to this file system on the disk, before a seal says so (syncfs(2))."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _LIBC.syncfs(handle)
    finally:
        os.close(handle)

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Seal a finished tree of a builder: replace it with a copy that root owns.

Root changes no file of the builder. It reads them through descriptors that follow no symlink, and writes
new ones into directories that nobody else can enter yet. So whatever the builder or its processes do
meanwhile, no file outside the tree is reached, and no descriptor opened before reaches what is sealed.
"""

from __future__ import annotations

import ctypes
import os
import stat
from dataclasses import dataclass

from ..host import files
from ..host.errors import BackstageError

UNSEALED = ".unsealed"
"""The suffix of the builder's own tree while it is copied."""
DEEPEST = 200
"""The maximum depth of directories. Each level costs two descriptors during the copy."""
LARGE = 2**20
"""The size from which a file is copied only if the disk has room for it, because it may be sparse."""

_LIBC = ctypes.CDLL(None, use_errno=True)
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Readers:
    """The users that may read a sealed tree."""

    gid: int = 0
    everybody: bool = False
    links: bool = True

    def mode(self, found: int, is_directory: bool) -> int:
        executable = is_directory or bool(found & stat.S_IXUSR)
        if self.everybody:
            return 0o755 if executable else 0o644
        return 0o750 if executable else 0o640


def take(path: str, builder: int, readers: Readers) -> None:
    """Replace a tree with a copy that root owns. The builder's processes have ended.

    Args:
        path: the tree. Root owns its parent.
        builder: the uid of its builder.
        readers: who may read it afterwards.

    Raises:
        BackstageError: an entry belongs to another user, is a hard link, a device, or a symlink where none
            is allowed; or the disk has no room for the copy.
    """
    unsealed = path + UNSEALED
    files.remove_tree(unsealed)
    os.rename(path, unsealed)
    try:
        _Copy(path, builder, readers).start(unsealed)
    finally:
        files.remove_tree(unsealed)


@dataclass(frozen=True)
class _Copy:
    path: str
    builder: int
    readers: Readers

    def start(self, unsealed: str) -> None:
        source = os.open(unsealed, _READ | os.O_DIRECTORY)
        try:
            self._check(".", os.fstat(source))
            os.mkdir(self.path, 0o700)
            target = os.open(self.path, _READ | os.O_DIRECTORY)
            try:
                self._directory(source, target, 0)
            finally:
                os.close(target)
        finally:
            os.close(source)

    def _directory(self, source: int, target: int, depth: int) -> None:
        """Copy the contents of a directory, then let its readers in."""
        if depth > DEEPEST:
            raise BackstageError(f"{self.path} has more than {DEEPEST} nested directories", step="seal")
        for name in os.listdir(source):
            try:
                self._entry(source, target, name, depth)
            except (FileNotFoundError, NotADirectoryError):
                raise self._refusal(name, "was changed while it was sealed") from None
        os.fchown(target, 0, self.readers.gid)
        os.fchmod(target, self.readers.mode(0, True))

    def _entry(self, source: int, target: int, name: str, depth: int) -> None:
        found = os.lstat(name, dir_fd=source)
        self._check(name, found)
        if stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
            os.chown(name, 0, self.readers.gid, dir_fd=target, follow_symlinks=False)
            return
        try:
            inner = os.open(name, _READ, dir_fd=source)
        except OSError as error:
            raise self._refusal(name, f"can't be read ({error.strerror})") from None
        try:
            opened = os.fstat(inner)
            self._check(name, opened)
            if stat.S_ISDIR(opened.st_mode):
                self._below(inner, target, name, depth)
            else:
                self._file(inner, target, name, opened)
        finally:
            os.close(inner)

    def _below(self, inner: int, target: int, name: str, depth: int) -> None:
        os.mkdir(name, 0o700, dir_fd=target)
        copy = os.open(name, _READ | os.O_DIRECTORY, dir_fd=target)
        try:
            self._directory(inner, copy, depth + 1)
        finally:
            os.close(copy)

    def _file(self, inner: int, target: int, name: str, found: os.stat_result) -> None:
        if found.st_size > LARGE:
            files.need_room(os.path.dirname(self.path), found.st_size, f"'{_shown(name)}'")
        copy = os.open(name, _WRITE, 0o600, dir_fd=target)
        try:
            left = found.st_size  # no more, because a process that has the file open may let it grow for ever
            while left:
                sent = os.sendfile(copy, inner, None, left)
                if not sent:
                    break
                left -= sent
            os.fchown(copy, 0, self.readers.gid)
            os.fchmod(copy, self.readers.mode(found.st_mode, False))
            # bytecode identifies its source by its time
            os.utime(copy, ns=(found.st_atime_ns, found.st_mtime_ns))
        finally:
            os.close(copy)

    def _check(self, name: str, found: os.stat_result) -> None:
        kind = found.st_mode
        if found.st_uid not in (self.builder, 0):
            raise self._refusal(name, f"belongs to another user (uid {found.st_uid})")
        if stat.S_ISLNK(kind):
            if not self.readers.links:
                raise self._refusal(name, "is a link; nginx serves files, not links")
        elif stat.S_ISREG(kind):
            if found.st_nlink > 1:
                raise self._refusal(name, "has another name (a hard link); have the build make a copy")
        elif not stat.S_ISDIR(kind):
            raise self._refusal(name, "is neither a file nor a directory")

    def _refusal(self, name: str, why: str) -> BackstageError:
        return BackstageError(f"'{_shown(name)}' below {self.path} {why}", step="seal")


def _shown(name: str) -> str:
    """Return a name from somebody else as text that is safe for any log."""
    return name.encode("utf-8", "backslashreplace").decode()


def settle(path: str) -> None:
    """Sync everything written to this file system to the disk before the seal is written (syncfs(2))."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _LIBC.syncfs(handle)
    finally:
        os.close(handle)

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unpack a copied source as the builder: only files, directories and symlinks that stay inside."""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
import tarfile
from collections.abc import Iterator

from ..host.errors import BackstageError


def unpack(descriptor: int, target: str) -> int:
    """Unpack a tar archive into a directory that the caller owns. Return the number of entries.

    Raises:
        BackstageError: an entry is a device, a hard link, or leaves the tree.
    """
    os.lseek(descriptor, 0, os.SEEK_SET)
    count = 0
    with os.fdopen(os.dup(descriptor), "rb") as file, tarfile.open(fileobj=file, mode="r:*") as archive:
        for member in archive:
            problem = refusal(member)
            if problem:
                raise BackstageError(f"the source's entry '{member.name}' is refused: {problem}")
            _extract(archive, member, target)
            count += 1
    return count


def refusal(member: tarfile.TarInfo) -> str:
    """Return why an entry is refused; empty if it is accepted."""
    parts = member.name.split("/")
    if member.name.startswith("/") or ".." in parts:
        return "it leaves the tree"
    if member.issym():
        target = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.linkname))
        if member.linkname.startswith("/") or target.split("/")[0] == "..":
            return f"it is a link out of the tree, to '{member.linkname}'"
        return ""
    if member.isfile() or member.isdir():
        return ""
    return "it is neither a file, a directory nor a symbolic link"


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, root: str) -> None:
    parts = posixpath.normpath(member.name).split("/")
    with _inside(root, parts if member.isdir() else parts[:-1]) as handle:
        if member.isdir():
            return
        if member.issym():
            os.symlink(member.linkname, parts[-1], dir_fd=handle)
            return
        content = archive.extractfile(member)
        mode = 0o750 if member.mode & 0o100 else 0o640
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(parts[-1], flags, mode, dir_fd=handle), "wb") as file:
            if content is not None:
                shutil.copyfileobj(content, file)
            file.flush()
            os.utime(file.fileno(), (member.mtime, member.mtime))


@contextlib.contextmanager
def _inside(root: str, parts: list[str]) -> Iterator[int]:
    """Yield a directory below the root, and create it if it is missing. A symlink on the way is refused."""
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts:
            if part == ".":
                continue
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o750, dir_fd=handle)
            try:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
            except NotADirectoryError:
                raise BackstageError(f"'{'/'.join(parts)}' leads through '{part}', which is a link or a file") from None
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def make_directories(root: str, paths: list[str]) -> None:
    """Create the paths that end in a slash, because a project may write there while it is imported."""
    for path in paths:
        if path.endswith("/") and not os.path.lexists(os.path.join(root, path.rstrip("/"))):
            with _inside(root, path.strip("/").split("/")):
                pass


def put(root: str, path: str, content: str) -> None:
    """Write one of the manifest's files into the code, as its owner. Symlinks on the way are refused."""
    parts = path.split("/")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with _inside(root, parts[:-1]) as handle:
        file = os.open(parts[-1], flags, 0o640, dir_fd=handle)
        with os.fdopen(file, "w", encoding="utf-8") as text:
            text.write(content)

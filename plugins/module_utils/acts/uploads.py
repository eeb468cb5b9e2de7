# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory of uploads. nginx reads what the Act writes there, because new files inherit the directory's group."""

from __future__ import annotations

import os
import stat

MODE = 0o2750
"""The setgid bit of a directory: new files in it get its group, nginx's."""


def mend(media: str, owner: int, group: int) -> None:
    """Restore nginx's group on directories and files of the player that have lost it.

    Everything is changed through a descriptor that follows no symlink, and only if the player owns it. The directory
    and its direct entries are checked; only if one of them is wrong, everything is.

    Args:
        media: the directory of uploads.
        owner: the player's user id.
        group: nginx's group id.
    """
    if not any(_is_wrong(path, group) for path in _nearest(media)):
        return
    for _path, _directories, files, handle in os.fwalk(media, follow_symlinks=False):
        found = os.fstat(handle)
        if found.st_uid == owner and _has_lost_it(found, group):
            os.fchown(handle, -1, group)
            os.fchmod(handle, stat.S_IMODE(found.st_mode) & 0o777 | MODE)
        for name in files:
            _mend_file(name, handle, owner, group)


def _nearest(media: str) -> list[str]:
    try:
        with os.scandir(media) as entries:
            return [media, *(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))]
    except FileNotFoundError:
        return []


def _is_wrong(path: str, group: int) -> bool:
    return _has_lost_it(os.lstat(path), group)


def _has_lost_it(found: os.stat_result, group: int) -> bool:
    return found.st_gid != group or not found.st_mode & stat.S_ISGID


def _mend_file(name: str, directory: int, owner: int, group: int) -> None:
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    except OSError:
        return  # a symlink, a socket, or removed meanwhile; nginx serves none of these
    try:
        found = os.fstat(handle)
        if stat.S_ISREG(found.st_mode) and (found.st_uid, found.st_nlink) == (owner, 1) and found.st_gid != group:
            os.fchown(handle, -1, group)
    finally:
        os.close(handle)

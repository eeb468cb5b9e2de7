# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of what a role wrote: one line for each path, with mode, owner:group, and the digest of its contents."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import stat
from collections.abc import Iterator
from typing import Any

from . import files

UNDO = ".undo"
"""The suffix of a file beside a record that contains the earlier state, until the validation has succeeded."""
DIRECTORY, LOG, SPECIAL, MISSING = "directory", "log", "special", "missing"


def lines(record: str) -> Iterator[tuple[str, str]]:
    """Yield the paths in a record, and how each was left; nothing if there is no record."""
    for line in (files.read(record) or "").splitlines():
        path, _space, wanted = line.partition(" ")
        if path.startswith("/"):
            yield path, wanted


def describe(path: str, kind: str = "") -> str:
    """Return a path's entry in a record: mode, owner:group, and the digest of its contents or this kind."""
    try:
        about = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return MISSING
    if stat.S_ISDIR(about.st_mode):
        kind = DIRECTORY
    elif not stat.S_ISREG(about.st_mode):
        kind = SPECIAL
    elif kind != LOG:
        with open(path, "rb") as file:
            kind = hashlib.sha256(file.read()).hexdigest()
    return f"{described(stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid)} {kind}"


def described(mode: int, uid: int, gid: int) -> str:
    """Return a mode with its owner and group, for people."""
    return f"{mode:04o} {name(pwd.getpwuid, uid)}:{name(grp.getgrgid, gid)}"


def name(look: Any, number: int) -> str:
    """Return the name of a user or group; its number if it has no name."""
    try:
        return str(look(number)[0])
    except KeyError:
        return str(number)


def confirmed(record: str) -> str:
    """Return the text of a record if all its paths match it and no run was killed meanwhile; else empty."""
    paths = dict(lines(record))
    if any(os.path.lexists(path + files.DRAFT) for path in paths) or os.path.lexists(record + UNDO):
        return ""
    if any(describe(path, wanted.rpartition(" ")[2]) != wanted for path, wanted in paths.items()):
        return ""
    return files.read(record) or "" if describe(record, LOG) == f"{described(0o644, 0, 0)} {LOG}" else ""

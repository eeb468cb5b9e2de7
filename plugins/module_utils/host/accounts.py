# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the host's users and groups from their files, and read a file again only if it has changed.

The C library reads the whole file for each lookup. Every Act has two users and two groups, so lookups for all Acts
would take quadratic time.
"""

from __future__ import annotations

import grp
import os
import pwd
from typing import Any, Callable, Optional

from . import files

PASSWD, GROUP = "/etc/passwd", "/etc/group"

_known: dict[str, tuple[tuple[int, int, int], Any]] = {}


def user(name: str) -> pwd.struct_passwd:
    """Return a user of the file, or one that the C library knows from another source.

    Raises:
        KeyError: there is no such user.
    """
    found: Optional[pwd.struct_passwd] = _read(PASSWD, _users).get(name)
    return found or pwd.getpwnam(name)


def group_id(name: str) -> int:
    """Return the id of a group of the file, or of one that the C library knows from another source.

    Raises:
        KeyError: there is no such group.
    """
    found: Optional[int] = _read(GROUP, _groups)[0].get(name)
    return grp.getgrnam(name).gr_gid if found is None else found


def extra_groups(entry: pwd.struct_passwd) -> list[str]:
    """Return the supplementary groups of a user in the file, sorted."""
    numbers, members = _read(GROUP, _groups)
    return sorted(name for name in members.get(entry.pw_name, ()) if numbers[name] != entry.pw_gid)


def _read(path: str, parse: Callable[[list[list[str]]], Any]) -> Any:
    about = os.stat(path)
    state = (about.st_mtime_ns, about.st_ino, about.st_size)
    if path not in _known or _known[path][0] != state:
        _known[path] = state, parse([line.split(":") for line in (files.read(path) or "").splitlines()])
    return _known[path][1]


def _users(lines: list[list[str]]) -> dict[str, pwd.struct_passwd]:
    """Return the users by name. If a name occurs twice, the first line counts, as in the C library."""
    found: dict[str, pwd.struct_passwd] = {}
    for name, secret, uid, gid, *rest in (line for line in lines if len(line) == 7 and line[2].isdigit()):
        found.setdefault(name, pwd.struct_passwd((name, secret, int(uid), int(gid), *rest)))
    return found


def _groups(lines: list[list[str]]) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Return the ids of the groups, and the groups of each member."""
    numbers: dict[str, int] = {}
    members: dict[str, list[str]] = {}
    for name, _secret, gid, listed in (line for line in lines if len(line) == 4 and line[2].isdigit()):
        if name not in numbers:
            numbers[name] = int(gid)
            for member in filter(None, listed.split(",")):
                members.setdefault(member, []).append(name)
    return numbers, members

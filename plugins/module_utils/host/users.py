# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The system users of a Production: each Act's player and builder, and the environments' builder."""

from __future__ import annotations

import pwd
from dataclasses import replace
from typing import Optional

from . import names, process, user_processes
from .errors import BackstageError

MARK = "Backstage"
NO_GROUP = "nogroup"
"""Debian's group that owns nothing: what a builder makes has it until root seals a copy."""
SHELL = "/usr/sbin/nologin"
_TOOLS = "/usr/sbin/"
_NO_NUMBER = 4
"""useradd(8): it found no free number."""
_MORE = "66000", "99999"
"""Numbers beyond Debian's 900 for system users, which 450 Acts use up; systemd's and subuid's lie around them."""


def find(name: str) -> Optional[process.User]:
    """The user, if it is there.

    Raises:
        BackstageError: somebody else's user has this name.
    """
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    if not entry.pw_gecos.startswith(MARK):
        raise BackstageError(
            f"the system user '{name}' exists and is not Backstage's (its comment says '{entry.pw_gecos}');"
            " rename the Act or remove that user",
            step="users",
        )
    return process.User.named(name)


def ensure(name: str, home: str, purpose: str, group: str = "") -> process.User:
    """Make the user where it is missing: no login, no home of its own making, own group."""
    found = find(name)
    if found is not None:
        return found
    argv = [_TOOLS + "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", home, "--shell", SHELL]
    argv += ["--comment", f"{MARK} {purpose}", *(["--groups", group] if group else [])]
    result = process.run([*argv, name])
    if result.code == _NO_NUMBER:
        keys = [
            f"{kind}_{end}={number}" for kind in ("SYS_UID", "SYS_GID") for end, number in zip(("MIN", "MAX"), _MORE)
        ]
        result = process.run([*argv, *(word for key in keys for word in ("--key", key)), name])
    if not result.ok:
        raise BackstageError(f"the user '{name}' could not be made: {result.said}", step="users")
    return process.User.named(name)


def ensure_act(production: str, act: str, data: str) -> None:
    """Make an Act's two users; the player is in the builder's group and never the other way.

    Raises:
        BackstageError: one of the names is somebody else's; then neither is made.
    """
    builder, player = names.builder(production, act), names.player(production, act)
    for name in (builder, player):
        find(name)
    ensure(builder, "/nonexistent", f"{production} {act} builder")
    ensure(player, data, f"{production} {act} player", builder)


def mend(name: str, home: str, groups: tuple[str, ...]) -> None:
    """Give a user of ours its shell, home and groups again."""
    if find(name) is None:
        return
    # below a prefix usermod does not refuse another home while the user's processes run; nothing of them is changed
    options = ["--prefix", "/.", "--shell", SHELL, "--home", home, "--groups", ",".join(groups)]
    result = process.run([_TOOLS + "usermod", *options, name])
    if not result.ok:
        raise BackstageError(f"the user '{name}' could not be mended: {result.said}", step="users")


def builder(production: str, act: str) -> process.User:
    """The Act's builder, whose files nobody else can open while it builds.

    The player is in the builder's own group, by which both read environments of the Act's own. So the
    builder's files have another group, and no permissions for any.

    Raises:
        BackstageError: there is no such user.
    """
    found = process.User.named(names.builder(production, act))
    return replace(found, gid=process.group_id(NO_GROUP), umask=0o077)


def end_processes(name: str) -> None:
    """End every process of one of our users, if the user is there.

    Raises:
        BackstageError: they do not end, or the user is somebody else's.
    """
    found = find(name)
    if found is not None:
        user_processes.end_all(found)


def remove(name: str) -> None:
    """Remove the user and its group, if they are there, after its last process has ended: its uid is given out again.

    Raises:
        BackstageError: its processes do not end, or the user can't be removed.
    """
    found = find(name)
    if found is None:
        return
    user_processes.end_all(found)
    result = process.run([_TOOLS + "userdel", name])
    if not result.ok:
        raise BackstageError(f"the user '{name}' could not be removed: {result.said}", step="users")

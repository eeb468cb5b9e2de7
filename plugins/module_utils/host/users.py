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
"""Debian's group that owns nothing. A builder's files have it until root seals a copy."""
SHELL = "/usr/sbin/nologin"
_TOOLS = "/usr/sbin/"
_NO_NUMBER = 4
"""The exit code of useradd(8) if it found no free id."""
_MORE = "66000", "99999"
"""Ids beyond Debian's 900 for system users, which 450 Acts use up. They avoid the ranges of systemd and subuid."""


def find(name: str) -> Optional[process.User]:
    """Return the user; None if it does not exist.

    Raises:
        BackstageError: a user of somebody else has this name.
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
    """Create the user if it is missing, without login and without a home directory, with its own group."""
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
    """Create an Act's two users. The player is in the builder's group, never the builder in the player's.

    Raises:
        BackstageError: one of the names belongs to somebody else; then neither is created.
    """
    builder, player = names.builder(production, act), names.player(production, act)
    for name in (builder, player):
        find(name)
    ensure(builder, "/nonexistent", f"{production} {act} builder")
    ensure(player, data, f"{production} {act} player", builder)


def mend(name: str, home: str, groups: tuple[str, ...]) -> None:
    """Restore the shell, home and groups of one of our users."""
    if find(name) is None:
        return
    # with a prefix, usermod changes the home even while processes of the user run; it does not change the processes
    options = ["--prefix", "/.", "--shell", SHELL, "--home", home, "--groups", ",".join(groups)]
    result = process.run([_TOOLS + "usermod", *options, name])
    if not result.ok:
        raise BackstageError(f"the user '{name}' could not be repaired: {result.said}", step="users")


def builder(production: str, act: str) -> process.User:
    """Return the Act's builder. Nobody else can open its files while it builds.

    The player is in the builder's own group, through which both read the Act's own environments. So the
    builder's files get another group, and no permissions for any.

    Raises:
        BackstageError: there is no such user.
    """
    found = process.User.named(names.builder(production, act))
    return replace(found, gid=process.group_id(NO_GROUP), umask=0o077)


def end_processes(name: str) -> None:
    """Kill every process of one of our users, if the user exists.

    Raises:
        BackstageError: they do not end, or the user belongs to somebody else.
    """
    found = find(name)
    if found is not None:
        user_processes.end_all(found)


def remove(name: str) -> None:
    """Remove the user and its group, if they exist, after its last process has ended, because its uid is reused.

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

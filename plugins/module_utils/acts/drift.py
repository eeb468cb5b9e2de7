# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find what was changed by hand in an Act's users and directories. A deploy repairs it, and status shows it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..host import accounts as host_accounts
from ..host import files, names, records, users
from ..host.errors import BackstageError
from ..host.layout import Act as ActPaths
from ..host.layout import Production
from ..state.read import ActState

DEPLOY, SITE = "deploy", "site"
MISSING = "missing"


@dataclass(frozen=True)
class Drift:
    """One difference from what Backstage made.

    Args:
        subject: what it belongs to: an Act, a Venue, the host.
        where: the path, or the user.
        found: the present state.
        wanted: the expected state; empty if ``found`` already says it.
        cure: the playbook that repairs it, or what to do.
    """

    subject: str
    where: str
    found: str
    wanted: str = ""
    cure: str = DEPLOY

    def entry(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in ("subject", "where", "found", "wanted", "cure")}

    def line(self) -> str:
        state = f"{self.found}, not {self.wanted}" if self.wanted else self.found
        cure = f"the playbook {self.cure} mends it" if self.cure in (DEPLOY, SITE) else self.cure
        return f"drift: {self.subject}: {self.where}: {state}; {cure}"


@dataclass(frozen=True)
class Place:
    """A directory or file of ours, with the ids of its owner and its mode."""

    path: str
    mode: int
    uid: int = 0
    gid: int = 0

    def difference(self) -> str:
        """Return how it is, if that is wrong; empty if it is right, or missing."""
        try:
            about = os.lstat(self.path)
        except FileNotFoundError:
            return ""
        if stat.S_ISLNK(about.st_mode):
            return "a link"
        mode = stat.S_IMODE(about.st_mode)
        if (mode, about.st_uid, about.st_gid) == (self.mode, self.uid, self.gid):
            return ""
        return records.described(mode, about.st_uid, about.st_gid)

    def wanted(self) -> str:
        return records.described(self.mode, self.uid, self.gid)

    def mend(self) -> None:
        """Restore its owner and mode, through a descriptor that follows no symlink."""
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise BackstageError(f"{self.path} can't be mended ({error.strerror})", step="mend") from None
        try:
            os.fchown(handle, self.uid, self.gid)
            os.fchmod(handle, self.mode)  # last, because a change of owner clears setgid
        finally:
            os.close(handle)


def places(state: ActState) -> list[Place]:
    """Return the directories and files of an Act that exist since its first build, and those of the live Sess."""
    paths = state.paths
    player = host_accounts.user(names.player(paths.production.name, paths.name))
    www, adm = host_accounts.group_id(names.WWW_GROUP), host_accounts.group_id(names.LOG_GROUP)
    found = [
        *(Place(path, 0o755) for path in (paths.production.root, paths.production.acts, paths.production.environments)),
        *(Place(path, 0o711) for path in (paths.root, paths.releases, paths.sesses)),
        Place(paths.media, 0o2750, player.pw_uid, www),
        Place(paths.data, 0o700, player.pw_uid, player.pw_gid),
        Place(paths.production.logs, 0o750, 0, adm),
        Place(paths.log, 0o640, 0, adm),
        Place(paths.crew_log, 0o640, 0, adm),
        Place(paths.run_log, 0o640, 0, adm),
        Place(paths.once, 0o711),
        Place(paths.timers, 0o711),
        Place(paths.dumps, 0o700),
        *(Place(path, 0o600) for path in (paths.record, paths.history, paths.hold, paths.stopped)),
    ]
    for name in state.releases:
        release = paths.release(name)
        found += [Place(release.root, 0o711), Place(release.seal, 0o640, 0, player.pw_gid)]
        found += [Place(release.code, 0o750, 0, player.pw_gid), Place(release.static, 0o755)]
    if state.live:
        sess = paths.sess(state.live)
        found += [Place(sess.root, 0o711), Place(sess.ini, 0o640, 0, player.pw_gid)]
        found += [Place(sess.record, 0o600), Place(sess.limits, 0o600)]
        unit = os.path.join(sess.root, names.unit(paths.production.name, paths.name, state.live))
        found += [Place(f"{unit}.{ending}", 0o644) for ending in ("service", "socket", "conf")]
        found += [Place(sess.crew, 0o711), Place(sess.crew_ini, 0o640, 0, player.pw_gid)]
        found += [Place(sess.env, 0o750, 0, player.pw_gid), Place(sess.door, 0o750, 0, www)]
        found += [Place(os.path.join(sess.env, name), 0o640, 0, player.pw_gid) for name in files.names_in(sess.env)]
    return found


def of_places(state: ActState) -> Iterator[tuple[Drift, Place]]:
    """Yield the places of an Act that differ from how they were made."""
    subject = f"act {state.paths.name}"
    for place in places(state):
        found = place.difference()
        if found:
            yield Drift(subject, place.path, found, place.wanted()), place


@dataclass(frozen=True)
class Account:
    """A system user of ours."""

    name: str
    home: str
    groups: tuple[str, ...] = ()

    def differences(self) -> dict[str, tuple[str, str]]:
        """Return what differs: home, shell, groups -> the present and the expected value."""
        try:
            entry = host_accounts.user(self.name)
        except KeyError:
            return {MISSING: ("", "")}
        extra = host_accounts.extra_groups(entry)
        asked = {
            "home": (entry.pw_dir, self.home),
            "shell": (entry.pw_shell, users.SHELL),
            "groups": (", ".join(extra) or "none", ", ".join(self.groups) or "none"),
        }
        return {key: pair for key, pair in asked.items() if pair[0] != pair[1]}

    def mend(self) -> None:
        """Restore its shell, home and groups."""
        users.mend(self.name, self.home, self.groups)


def accounts(paths: ActPaths) -> list[Account]:
    """Return the two users of an Act."""
    production = paths.production.name
    builder = names.builder(production, paths.name)
    return [
        Account(names.player(production, paths.name), paths.data, (builder,)),
        Account(builder, "/nonexistent"),
    ]


def shared(paths: Production) -> Account:
    """Return the builder of the Production's environments."""
    return Account(names.environment_builder(paths.name), paths.cache)


def of_accounts(subject: str, known: list[Account]) -> Iterator[tuple[Drift, Account]]:
    for account in known:
        for key, (before, after) in account.differences().items():
            user = f"user {account.name}"
            there = key != MISSING
            yield Drift(subject, f"{user}, {key}" if there else user, before if there else MISSING, after), account


def of_act(state: ActState) -> list[Drift]:
    """Return everything in an Act's users and places that a deploy repairs."""
    subject = f"act {state.paths.name}"
    found = [one for one, _account in of_accounts(subject, accounts(state.paths))]
    if any(one.found == MISSING for one in found):
        return found  # the owner of the places is not known yet
    return found + [one for one, _place in of_places(state)]


def mend(state: ActState) -> None:
    """Repair an Act's users and places. Users come first, because they own the places."""
    users.ensure_act(state.paths.production.name, state.paths.name, state.paths.data)
    for account in {account for _drift, account in of_accounts("", accounts(state.paths))}:
        account.mend()
    for _drift, place in of_places(state):
        place.mend()

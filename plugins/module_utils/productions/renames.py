# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rename Acts with everything that they have: users, database, directories, logs.

An Act is stopped meanwhile. Its directory is renamed last, so a killed run is finished by the next one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Callable

from ..acts import relinking
from ..acts.databases import Databases
from ..bookings import server_block
from ..host import files, names, users
from ..host.errors import BackstageError
from ..host.facts import Host
from ..host.layout import Act as ActPaths
from ..manifest.nouns import Manifest
from ..stages import manager as sesses
from ..stages import timers
from ..state.plan import Change, Phase, Step
from ..state.read import ActState, HostState


@dataclass
class Rename:
    """A rename of one Act.

    Args:
        old: the Act under its old name.
        new: the same as it is afterwards.
        databases: of the Production's Acts.
        host: the host's facts.
        warn: takes warnings.
    """

    old: ActState
    new: ActState
    databases: Databases
    host: Host
    warn: Callable[[str], None]

    def change(self) -> Change:
        before, after = self.old.paths.name, self.new.paths.name
        return Change(Step("act", after, "rename", before, after), Phase.CLEAR, after, self.make)

    def make(self) -> None:
        """Stop the Act, and rename what it has.

        Raises:
            BackstageError: something has the new name already, or the Act does not stop.
        """
        before, after = self.old.paths, self.new.paths
        production = before.production.name
        pairs = [
            (names.player(production, before.name), names.player(production, after.name), after.data, "player"),
            (names.builder(production, before.name), names.builder(production, after.name), "/nonexistent", "builder"),
        ]
        for one, other, _home, _kind in pairs:
            users.need_free(one, other)
        self.databases.need_free(before.name, after.name)
        self._stop()
        for one, _other, _home, _kind in pairs:
            users.end_processes(one)
        rename_logs(before, after)
        self.databases.rename(before.name, after.name)
        for one, other, home, kind in pairs:
            users.rename(one, other, home, f"{production} {after.name} {kind}")
        relinking.relink(before, after)
        os.rename(before.root, after.root)
        files.sync_directory(before.production.acts)
        self.new.history.unwritten = self.old.history.unwritten
        self.new.history.add("renamed", before=before.name)

    def _stop(self) -> None:
        for change in timers.plan((), self.old, self.host):
            if change.make:
                change.make()
        if self.old.live or self.old.all_sesses:
            sesses.stop_all(self.old, self.host, self.warn)
        working = files.names_in(self.old.paths.sesses)
        if working:
            raise BackstageError(
                f"workers of Sess {', '.join(working)} still finish their jobs; run again when they have", step="rename"
            )


def rename_logs(before: ActPaths, after: ActPaths) -> None:
    """Rename the logs of an Act, with the rotated ones. No name of an Act has a dot."""
    production = before.production.name
    places = [
        (before.production.logs, f"{before.name}.", f"{after.name}."),
        (
            server_block.LOGS,
            f"backstage.{production}.{server_block.port_name(before.name)}.",
            f"backstage.{production}.{server_block.port_name(after.name)}.",
        ),
    ]
    for directory, old, new in places:
        for name in files.names_in(directory):
            target = os.path.join(directory, new + name[len(old) :])
            if name.startswith(old) and not os.path.exists(target):
                os.rename(os.path.join(directory, name), target)


def find(
    manifest: Manifest, state: HostState, databases: Databases, host: Host, warn: Callable[[str], None]
) -> Mapping[str, Rename]:
    """Return the renames that are due, by new names. The state has each Act under its new name then.

    Args:
        manifest: what should be.
        state: the Acts on this host.
        databases: of the Production's Acts.
        host: the host's facts.
        warn: takes warnings.
    """
    found: dict[str, Rename] = {}
    for act in manifest.acts.values():
        old = state.acts.get(act.was) if act.was and act.state == "present" else None
        if old is None or not (old.exists or old.has_data) or state.act(act.name).has_data:
            continue
        paths = state.act(act.name).paths
        new = replace(
            old,
            paths=paths,
            sesses=[],
            started=[],
            crews=[],
            live=None,
            live_record={},
            history=replace(old.history, path=paths.history, unwritten=None),
            was=act.was,
        )
        found[act.name] = Rename(old, new, databases, host, warn)
        state.acts[act.name] = new
        del state.acts[act.was]
    return found


def refused(manifest: Manifest, state: HostState, through: str, due: Mapping[str, Rename]) -> dict[str, BackstageError]:
    """Return the Acts that can't be renamed, and why."""
    found = {}
    for act in manifest.acts.values():
        old = state.acts.get(act.was) if act.was and act.state == "present" else None
        if old is not None and (old.exists or old.has_data):
            said = f"it is on this host, and so is '{act.was}', whose name it should take over: remove 'was' from it"
            found[act.name] = BackstageError(said, step="rename")
        elif act.name in due and through != "play":
            said = f"it is renamed from '{act.was}', for which it stops: first run without 'through'"
            found[act.name] = BackstageError(said, step="rename")
    return found

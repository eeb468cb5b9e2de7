# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove an Act: its releases and Sesses, and its data if that is asked for by name."""

from __future__ import annotations

import os
from functools import partial
from typing import Optional

from ..host import files, names, users
from ..host.layout import SEAL
from ..state.plan import Change, Phase, Step
from ..state.read import ActState
from . import databases, final_dumps


def plan(name: str, state: ActState, known: databases.Databases, delete_data: bool) -> list[Change]:
    """Return the changes for an Act that should be absent.

    Raises:
        BackstageError: its data should be deleted, but PostgreSQL does not tell whether it has any.
    """
    changes: list[Change] = []
    if state.exists:
        step = Step("act", name, "remove", state.live_release, None)
        changes.append(Change(step, Phase.REMOVE, name, lambda: _remove(state)))
    database = known if delete_data and known.has(name) else None
    if delete_data and (state.exists or state.has_data or database):
        dumped = {"last dump": final_dumps.place(state.paths) + "*"} if final_dumps.is_wanted(state) else None
        step = Step("act", name, "delete data", "data, media and database" if database else "data and media", dumped)
        make = partial(_delete_data, name, state, database, bool(dumped), known.host.database_port)
        changes.append(Change(step, Phase.REMOVE, name, make))
    return changes


def _remove(state: ActState) -> None:
    """Remove the Act, except its data, its history, and the users who own them."""
    paths = state.paths
    for owner in _owners(state):
        users.end_processes(owner)
    for release in files.names_in(paths.releases):
        files.remove_sealed(paths.release(release).root, SEAL)
    for path in (paths.releases, paths.sesses, paths.once, paths.timers, paths.workshop):
        files.remove_tree(path)
    files.remove(paths.live)
    files.remove(paths.stopped)
    files.remove(paths.standby)
    files.remove(paths.record)
    if os.path.isdir(paths.root):
        state.history.add("removed", **({"dump": True} if final_dumps.is_wanted(state) else {}))


def _delete_data(name: str, state: ActState, database: Optional[databases.Databases], dumped: bool, port: int) -> None:
    paths = state.paths
    for owner in _owners(state):
        users.end_processes(owner)
    if dumped:
        final_dumps.make(paths, bool(database), port)
    if database:
        database.drop(name)  # first, so that the next run tries again if PostgreSQL refuses
    files.remove_tree(paths.root)
    files.remove(paths.log)
    files.remove(paths.crew_log)
    files.remove(paths.run_log)
    for owner in _owners(state):
        users.remove(owner)


def _owners(state: ActState) -> tuple[str, str]:
    """Return the Act's two users. The player comes first, because it is in the builder's group."""
    production = state.paths.production.name
    return names.player(production, state.paths.name), names.builder(production, state.paths.name)

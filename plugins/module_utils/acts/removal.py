# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove an Act: its releases and Sesses, and its data if that is asked for by name."""

from __future__ import annotations

import os
from typing import Optional

from ..host import files, names, users
from ..host.layout import SEAL
from ..state.plan import Change, Phase, Step
from ..state.read import ActState
from . import databases


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
        step = Step("act", name, "delete data", "data, media and database" if database else "data and media", None)
        changes.append(Change(step, Phase.REMOVE, name, lambda: _delete_data(name, state, database)))
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
    files.remove(paths.record)
    if os.path.isdir(paths.root):
        state.history.add("removed")


def _delete_data(name: str, state: ActState, database: Optional[databases.Databases]) -> None:
    if database:
        database.drop(name)  # first, so that the next run tries again if PostgreSQL refuses
    paths = state.paths
    for owner in _owners(state):
        users.end_processes(owner)
    files.remove_tree(paths.root)
    files.remove(paths.log)
    files.remove(paths.crew_log)
    for owner in _owners(state):
        users.remove(owner)


def _owners(state: ActState) -> tuple[str, str]:
    """Return the Act's two users. The player comes first, because it is in the builder's group."""
    production = state.paths.production.name
    return names.player(production, state.paths.name), names.builder(production, state.paths.name)

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rehearsal leaves for the next one: downloaded packages, and environments made from them.

Shared environments are available to every rehearsal, because no code of an Act was run to make them. An Act's own
environment contains code of its project, so it is stored apart, for rehearsals of that project only.
"""

from __future__ import annotations

import contextlib
import os
import time

from ..acts import environments
from ..host import files, locks, names, process, user_processes, users
from ..host.errors import BackstageError
from ..host.layout import REHEARSAL_LOCK, ROOT, Production
from ..host.layout import Act as ActPaths
from ..manifest import inputs
from ..manifest.nouns import Act
from ..state.history import who

LONGEST = 14 * 24 * 3600
"""Seconds after which a kept package counts as no longer needed."""


def owner(production: str, act: Act) -> str:
    """Return the owner of an Act's own environments; empty if none is kept, because an index needed a password."""
    if act.index.password or not act.source:
        return ""
    source = act.source
    return inputs.digest([production, act.name, source.kind, source.location])[:16]


def bring_back(paths: ActPaths, whose: str) -> None:
    """Put environments of this Act's own where its builder finds them, and make them readable for its new users."""
    shelf = _shelf(paths.production, whose)
    found = files.names_in(shelf) if whose else []
    if not found:
        return
    users.ensure_act(paths.production.name, paths.name, paths.data)
    builder = process.User.named(names.builder(paths.production.name, paths.name))
    for key in found:
        target = paths.production.environment(key)
        files.remove_tree(target)
        _let_read(os.path.join(shelf, key), builder.gid)
        os.rename(os.path.join(shelf, key), target)
    files.remove_tree(shelf)


def _let_read(path: str, gid: int) -> None:
    """Give a sealed tree to the Act's new group, in place. Only root can reach it, and all of it belongs to root."""
    for directory, directories, names_of_files in os.walk(path):
        for name in (".", *directories, *names_of_files):
            os.chown(os.path.join(directory, name), 0, gid, follow_symlinks=False)


def put_away(paths: Production, whose: str = "", since: float = 0) -> None:
    """Keep only what the next rehearsal can use.

    Args:
        paths: the rehearsals' own Production.
        whose: the owner of the environments of one Act; without one they are removed.
        since: the environments used after this time are kept.
    """
    now = time.time()
    for key in files.names_in(paths.environments):
        path = paths.environment(key)
        record = files.read_json(os.path.join(path, environments.SEAL)) or {}
        used = _used(path)
        if not record or now - used > LONGEST or (record["act"] and (not whose or used < since)):
            files.remove_sealed(path, environments.SEAL)
        elif record["act"]:
            files.directory(os.path.join(paths.root, "kept"), 0o700)
            files.directory(_shelf(paths, whose), 0o700)
            os.rename(path, os.path.join(_shelf(paths, whose), key))
    kept = os.path.join(paths.root, "kept")
    for name in files.names_in(kept):
        shelf = os.path.join(kept, name)
        for key in files.names_in(shelf):
            if now - _used(os.path.join(shelf, key)) > LONGEST:
                files.remove_sealed(os.path.join(shelf, key), environments.SEAL)
        with contextlib.suppress(OSError):  # it is not empty
            os.rmdir(shelf)
    if os.path.isdir(paths.root):
        files.write(_marker(paths), "")


def forget(paths: Production) -> None:
    """Remove all that rehearsals have kept. The next rehearsal removes what else a killed one left."""
    for path in (paths.environments, paths.cache, os.path.join(paths.root, "kept")):
        files.remove_tree(path)
    name = names.environment_builder(paths.name)
    builder = users.find(name)
    if builder:
        user_processes.end_all(builder)
        users.remove(name)
    for path in (_marker(paths), paths.environments_lock):
        files.remove(path)
    with contextlib.suppress(OSError):  # it does not exist, or is not empty
        os.rmdir(paths.root)


def sweep(last: bool = False) -> None:
    """Remove all if nobody has rehearsed for long, or if the last Production leaves the host. Any run calls this."""
    paths = Production(names.REHEARSAL)
    if not os.path.isdir(paths.root) or not (last or is_old(paths)):
        return
    # a running rehearsal needs them
    with contextlib.suppress(BackstageError), locks.held(REHEARSAL_LOCK, who(), 0):
        forget(paths)
        files.remove(REHEARSAL_LOCK)


def is_old(paths: Production) -> bool:
    """Return whether nobody has rehearsed on this host for long."""
    return time.time() - _changed(_marker(paths)) > LONGEST


def is_last() -> bool:
    """Return whether the host has nothing left except locks and what rehearsals have kept."""
    return {name for name in files.names_in(ROOT) if not name.startswith(".")} <= {names.REHEARSAL}


def _shelf(paths: Production, whose: str) -> str:
    return os.path.join(paths.root, "kept", whose)


def _marker(paths: Production) -> str:
    return os.path.join(paths.root, ".used")


def _used(environment: str) -> float:
    """Return when an environment was last used; 0 if it is incomplete."""
    return _changed(os.path.join(environment, environments.SEAL))


def _changed(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return 0

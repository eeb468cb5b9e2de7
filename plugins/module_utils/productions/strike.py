# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking away what a Production has besides its Acts, and what the host has of none."""

from __future__ import annotations

import os

from ..host import files, names, users
from ..host.layout import HOST_LOCK, ROOT, Production
from . import rehearsal_cache


def strike(paths: Production, private: bool) -> None:
    """Take away what a Production has besides its Acts; Acts whose data was not named keep it.

    Args:
        paths: the Production.
        private: whether it is the rehearsals' own, which keeps its packages.
    """
    shared = () if private else (paths.environments, paths.cache)
    for path in (paths.spool, *shared):
        files.remove_tree(path)
    if not private:
        users.remove(names.environment_builder(paths.name))
    if not files.names_in(paths.acts):
        files.remove_tree(paths.acts if private else paths.root)
        files.remove_tree(paths.logs)
    rehearsal_cache.sweep(last=not private and rehearsal_cache.is_last())
    if set(files.names_in(ROOT)) <= {os.path.basename(HOST_LOCK)}:
        files.remove(HOST_LOCK)

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes when a Production leaves a host."""

from __future__ import annotations

import os

from . import files, names, users
from .layout import HOST_LOCK, ROOT, Production


def strike(paths: Production) -> None:
    """Take away what a Production has besides its Acts; Acts whose data was not named keep it."""
    for path in (paths.environments, paths.spool, paths.cache):
        files.remove_tree(path)
    users.remove(names.environment_builder(paths.name))
    if not files.names_in(paths.acts):
        files.remove_tree(paths.root)
        files.remove_tree(paths.logs)
    if set(files.names_in(ROOT)) <= {os.path.basename(HOST_LOCK)}:
        files.remove(HOST_LOCK)

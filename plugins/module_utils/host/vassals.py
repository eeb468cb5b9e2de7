# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emperor's directory. The emperor starts every vassal in it as root, so only ours may be there."""

from __future__ import annotations

import os

from . import files, layout
from .errors import BackstageError

# the endings that uWSGI's emperor starts; it ignores other files, and so do we
ENDINGS = (".ini", ".xml", ".yml", ".yaml", ".js", ".json")


def foreign(directory: str) -> list[str]:
    """Return the vassals in it that are not ours. Ours are symlinks to a Sess below our own root."""
    own = layout.ROOT + "/"
    names = [name for name in files.names_in(directory) if name.endswith(ENDINGS) and not name.startswith(".")]
    paths = [os.path.join(directory, name) for name in names]
    return [path for path in paths if not (files.link_target(path) or "").startswith(own)]


def need_own(directory: str) -> None:
    """Refuse to start a Sess beside a vassal that is not ours.

    Raises:
        BackstageError: names each of them.
    """
    found = foreign(directory)
    if found:
        raise BackstageError(
            f"{', '.join(found)}: not Backstage's, and the emperor would start it as root; move it elsewhere, or set"
            " stage_vassals to a directory of Backstage's own",
            step="stage",
        )

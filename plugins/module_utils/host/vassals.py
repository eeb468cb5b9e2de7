# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emperor's directory: whatever lies there is started as root, so nothing may that is not ours."""

from __future__ import annotations

import os

from . import files, layout
from .errors import BackstageError

# what uWSGI's emperor starts when it finds it; anything else is ignored by it, and by us
ENDINGS = (".ini", ".xml", ".yml", ".yaml", ".js", ".json")


def foreign(directory: str) -> list[str]:
    """The vassals that somebody else keeps here. Ours are links to a Sess below our own root."""
    own = layout.ROOT + "/"
    names = [name for name in files.names_in(directory) if name.endswith(ENDINGS) and not name.startswith(".")]
    paths = [os.path.join(directory, name) for name in names]
    return [path for path in paths if not (files.link_target(path) or "").startswith(own)]


def need_own(directory: str) -> None:
    """Refuse to have anything started beside somebody else's.

    Raises:
        BackstageError: names every one of them.
    """
    found = foreign(directory)
    if found:
        raise BackstageError(
            f"{', '.join(found)}: not Backstage's, and its emperor starts as root what lies there; move it elsewhere,"
            " or set stage_vassals to a directory of Backstage's own",
            step="stage",
        )

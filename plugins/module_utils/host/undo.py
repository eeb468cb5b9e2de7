# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The earlier state of some paths, with which a change can be undone.

It is kept in memory, and in a file during the change. A killed run undoes nothing, so the next run reads the file.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Optional

from . import files
from .placements import contents, status

_MISSING, _DIRECTORY, _FILE, _LINK = "missing", "directory", "file", "link"


@dataclass(frozen=True)
class Before:
    """The earlier state of one path.

    Args:
        path: the path.
        kind: missing, directory, file or link.
        content: the text of a file, or the target of a link.
        mode: its mode.
        uid: its owner.
        gid: its group.
        modified: when a file was last written, in nanoseconds. nginx is reloaded if a file is newer than it.
    """

    path: str
    kind: str
    content: str = ""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    modified: int = 0

    @classmethod
    def look(cls, path: str) -> Before:
        found = status(path, follow=False)
        if found is None:
            return cls(path, _MISSING)
        owned: dict[str, Any] = {"mode": stat.S_IMODE(found.st_mode), "uid": found.st_uid, "gid": found.st_gid}
        if stat.S_ISLNK(found.st_mode):
            return cls(path, _LINK, os.readlink(path), **owned)
        if stat.S_ISDIR(found.st_mode):
            return cls(path, _DIRECTORY, **owned)
        return cls(path, _FILE, contents(path), **owned, modified=found.st_mtime_ns)

    def restore(self) -> bool:
        """Restore the path. Return whether it differed."""
        if Before.look(self.path) == self:
            return False
        if self.kind == _MISSING:
            self._remove()
        elif self.kind == _LINK:
            files.link(self.path, self.content)
        elif self.kind == _DIRECTORY:
            files.directory(self.path, self.mode, self.uid, self.gid)
        else:
            files.write(self.path, self.content, self.mode, self.gid, self.uid)
            os.utime(self.path, ns=(self.modified, self.modified))
        return True

    def _remove(self) -> None:
        if os.path.isdir(self.path) and not os.path.islink(self.path):
            with contextlib.suppress(OSError):  # another program has put something into it
                os.rmdir(self.path)
        else:
            files.remove(self.path)


class Undo:
    """The paths that a change may have to undo."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._before = [Before.look(path) for path in paths]

    def note(self, path: str) -> None:
        """Write the earlier state to a file for the next run."""
        files.directory(os.path.dirname(path))
        files.write(path, files.to_json([asdict(one) for one in self._before]), 0o600)

    @classmethod
    def noted(cls, path: str) -> Optional[Undo]:
        """Return what a killed run wrote down; None if no run was killed."""
        data = files.read_json(path)
        if not isinstance(data, list):
            return None
        found = cls([])
        found._before = [Before(**one) for one in data]
        return found

    def restore(self) -> list[str]:
        """Undo the change, last path first, and return the paths that differed."""
        return [one.path for one in reversed(self._before) if one.restore()]

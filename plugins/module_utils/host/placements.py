# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What should be at a path of the host, compared with what is there."""

from __future__ import annotations

import hashlib
import os
import stat
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Callable, Optional

from . import files, process, records
from .errors import BackstageError

MADE, WRITTEN, MENDED, REMOVED, PUT_BACK = "made", "written", "mended", "removed", "put back"
_HIDDEN = "(contents that are not shown)\n"


@dataclass(frozen=True)
class Change:
    """One path that differs from what is wanted.

    Args:
        path: the path.
        what: what is done to it: MADE, WRITTEN, MENDED, REMOVED or PUT_BACK.
        before: how it is, as people may see it.
        after: how it will be.
        apply: the function that does it.
    """

    path: str
    what: str
    before: str
    after: str
    apply: Callable[[], None]

    def entry(self) -> dict[str, str]:
        return {"path": self.path, "what": self.what}

    def diff(self) -> dict[str, str]:
        return {"before_header": self.path, "after_header": self.path, "before": self.before, "after": self.after}


@dataclass(frozen=True)
class Placement(ABC):
    """A path with its owner, group and mode."""

    path: str
    owner: str
    group: str
    mode: int

    def about(self) -> str:
        return f"{self.mode:04o} {self.owner}:{self.group}"

    def recorded(self) -> str:
        """Return the line from which `status` finds out whether the path is still as it was written."""
        return f"{self.path} {self.about()} {self.kind()}"

    @abstractmethod
    def kind(self) -> str:
        """Return what it is, for its line in the record."""

    @abstractmethod
    def change(self) -> Optional[Change]:
        """Return what differs from what is there; None if nothing does."""

    def ids(self) -> tuple[int, int]:
        return process.User.named(self.owner).uid, process.group_id(self.group)

    def mended(self, found: os.stat_result) -> Optional[Change]:
        """Return the change if only the owner or the mode differs."""
        is_now = (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)
        if is_now == (self.mode, *self.ids()):
            return None
        return Change(self.path, MENDED, f"{_described(found)}\n", f"{self.about()}\n", self._mend)

    def _mend(self) -> None:
        os.chown(self.path, *self.ids())
        os.chmod(self.path, self.mode)  # last, because a change of owner clears setgid


def _described(found: os.stat_result) -> str:
    return records.described(stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)


def status(path: str, follow: bool = True) -> Optional[os.stat_result]:
    """Return the status of a path; None if nothing is there."""
    try:
        return os.stat(path, follow_symlinks=follow)
    except (FileNotFoundError, NotADirectoryError):
        return None


class Directory(Placement):
    """A directory. A symlink to a directory is accepted, because its owner may have moved it to another disk."""

    def kind(self) -> str:
        return records.DIRECTORY

    def change(self) -> Optional[Change]:
        found = status(self.path)
        if found is None:
            return Change(self.path, MADE, "", f"{self.about()} directory\n", self._make)
        if not stat.S_ISDIR(found.st_mode):
            raise BackstageError(f"{self.path} is not a directory: move it elsewhere, then run again", step="files")
        return self.mended(found)

    def _make(self) -> None:
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        uid, gid = self.ids()
        files.directory(self.path, self.mode, uid, gid)


@dataclass(frozen=True)
class File(Placement):
    """A file with its contents.

    Args:
        text: its contents.
        hidden: whether a diff may not show them.
    """

    text: str
    hidden: bool = False

    def kind(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def change(self) -> Optional[Change]:
        found = status(self.path, follow=False)
        if found and not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
            raise BackstageError(f"{self.path} is not a file: move it elsewhere, then run again", step="files")
        before = contents(self.path) if found and stat.S_ISREG(found.st_mode) else None
        if found is None or before != self.text:
            old, new = (_HIDDEN if text and self.hidden else text or "" for text in (before, self.text))
            return Change(self.path, WRITTEN, old, new, self._write)
        return self.mended(found)

    def _write(self) -> None:
        uid, gid = self.ids()
        files.write(self.path, self.text, self.mode, gid, uid)


class Log(Placement):
    """A log that is created before a program writes to it, because programs create logs that everybody can read."""

    def kind(self) -> str:
        return records.LOG

    def change(self) -> Optional[Change]:
        found = status(self.path)
        if found is None:
            return Change(self.path, MADE, "", f"{self.about()} log\n", self._make)
        return self.mended(found)

    def _make(self) -> None:
        uid, gid = self.ids()
        files.draft(self.path, "", self.mode, gid, uid=uid)


def contents(path: str) -> str:
    """Return the text of a file. Bytes that are not UTF-8 are kept."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def draft_of(path: str) -> Optional[Change]:
    """Return the removal of the unfinished file that a killed run left beside a file; None if there is none."""
    draft = path + files.DRAFT
    if status(draft, follow=False) is None:
        return None
    return Change(draft, REMOVED, "what a killed run left\n", "", partial(files.remove, draft))

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that a role keeps on its host: compared with the disk, written together, and restored after a failure."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from . import caller, files, locks, programs, records, removals
from .errors import BackstageError
from .placements import PUT_BACK, Change, Directory, File, Log, Placement, draft_of
from .undo import Undo

LOCK = "/run/backstage-files.lock"
_WAIT = 600
_RECORD = ("root", "root", 0o644)
_AS_BEFORE = "All files are as they were before this run."
_FIRST_LINE = f"# {files.OWNERSHIP}\n"


@dataclass(frozen=True)
class Wanted:
    """What a role wants of its host.

    Args:
        directories: the directories, parents first.
        files: the files.
        logs: the logs.
        links: symlinks of other software that must not be there -> their targets.
        validate: the command that has to succeed on what was written; empty if there is none.
        record: the file in which the role records what it wrote.
        recorded: the text of that record, if it was just found to be true.
        leaving: whether to remove all of it.
    """

    directories: list[Directory]
    files: list[File]
    logs: list[Log]
    links: dict[str, str]
    validate: list[str]
    record: str
    recorded: str
    leaving: bool

    @classmethod
    def of(cls, options: dict[str, Any]) -> Wanted:
        """Make it from the options of the module backstage_files."""
        return cls(
            [Directory(*_place(one)) for one in options["directories"]],
            [_file(one) for one in options["files"]],
            [Log(*_place(one)) for one in options["logs"]],
            {one["path"]: one["target"] for one in options["removed_links"]},
            options["validate"],
            options["record"],
            options["recorded"],
            options["state"] == "absent",
        )

    @property
    def note(self) -> str:
        """Return the file that keeps the earlier state, until the validation has succeeded."""
        return self.record + records.UNDO

    def placements(self) -> list[Placement]:
        return [*self.directories, *self.files, *self.logs]

    def record_file(self) -> File:
        """Return the record. It is written last, so a run that failed leaves none."""
        lines = [f"{one.recorded()}\n" for one in self.placements()]
        return File(self.record, *_RECORD, text=_FIRST_LINE + "".join(lines))

    def is_there(self) -> bool:
        """Return whether nothing has to be done, as far as it was just checked. Then the host is not asked again."""
        return not self.leaving and not self.links and self.recorded == self.record_file().text


def _place(one: dict[str, Any]) -> tuple[str, str, str, int]:
    try:
        return one["path"], one["owner"], one["group"], int(one["mode"], 8)
    except ValueError:
        message = f"{one['path']}: the mode '{one['mode']}' is wrong: give an octal number in quotes, such as '0644'"
        raise BackstageError(message, step="files") from None


def _file(one: dict[str, Any]) -> File:
    place = _place(one)
    if one["sensitive_content"] is not None:
        return File(*place, text=one["sensitive_content"], hidden=True)
    # the same form as the filter to_nice_json
    text = one["content"] if one["data"] is None else files.to_json(one["data"], indent=4)
    return File(*place, text=text or "")


@dataclass(frozen=True)
class Plan:
    """What differs from the disk.

    Args:
        changes: in the order in which they are applied.
        kept: paths that stay, although they should be removed, because they are not ours.
        waited: notes about the wait for another run.
    """

    changes: list[Change]
    kept: list[str] = field(default_factory=list)
    waited: list[str] = field(default_factory=list)


def plan(wanted: Wanted) -> Plan:
    """Compare what is wanted with the disk, without changing anything."""
    return _leave(wanted) if wanted.leaving else _arrive(wanted)


def _arrive(wanted: Wanted) -> Plan:
    found: list[Optional[Change]] = [one.change() for one in wanted.placements()]
    found += [draft_of(path) for path in (*(one.path for one in wanted.files), wanted.record, wanted.note)]
    found += removals.of_links(wanted.links)
    found.append(wanted.record_file().change())
    return Plan([change for change in found if change])


def _leave(wanted: Wanted) -> Plan:
    changes = list(removals.put_back(wanted.links))
    removed, kept = removals.of_files([wanted.record, wanted.note, *(one.path for one in wanted.files)])
    changes += removed + removals.of_logs(one.path for one in wanted.logs)
    gone = [change.path for change in changes]
    changes += removals.of_directories([one.path for one in wanted.directories], gone)
    return Plan(changes, kept)


def carry_out(wanted: Wanted) -> Plan:
    """Apply what differs, or restore everything.

    Raises:
        BackstageError: it failed, or the validation refused it; everything was restored.
    """
    os.umask(0o022)  # root's own umask may be stricter, and other users have to read what is made here
    found = plan(wanted)
    if not found.changes and not os.path.exists(wanted.note):
        return found
    with locks.held(LOCK, "the roles", _WAIT) as waited:
        try:
            recovered = _recover(wanted)
            found = plan(wanted)
            _apply(found.changes, wanted)
        finally:
            files.remove(LOCK)
    return replace(found, changes=recovered + found.changes, waited=waited)


def _recover(wanted: Wanted) -> list[Change]:
    """Restore what a killed run changed, if the validation refuses it. Otherwise go on from it."""
    undo, restored = Undo.noted(wanted.note), list[str]()
    if undo and wanted.validate and not programs.ask(*wanted.validate).ok:
        restored = _take_back(undo, wanted.note)
    files.remove(wanted.note)
    return [Change(path, PUT_BACK, "written by a killed run\n", "as before that run\n", _nothing) for path in restored]


def _nothing() -> None:
    """Do nothing, because it is already done."""


def _apply(changes: list[Change], wanted: Wanted) -> None:
    undo = Undo([*(path for change in changes for path in _touched(change.path)), wanted.note + files.DRAFT])
    try:
        if wanted.validate and changes:
            undo.note(wanted.note)
        for change in changes:
            caller.check()
            change.apply()
        if wanted.validate and changes:
            _validate(wanted.validate)
    except OSError as error:
        _take_back(undo, wanted.note)
        raise BackstageError(f"{error.filename or 'a file'}: {error.strerror}. {_AS_BEFORE}") from error
    except BaseException:
        _take_back(undo, wanted.note)
        raise
    files.remove(wanted.note)


def _take_back(undo: Undo, note: str) -> list[str]:
    """Restore everything. If this fails, the note stays, and the next run tries again."""
    restored = undo.restore()
    files.remove(note)
    undo.restore()  # the directory of the note, too
    return restored


def _touched(path: str) -> list[str]:
    """Return a path, the parents that have to be made for it, and its unfinished file, which a full disk leaves."""
    missing = []
    parent = os.path.dirname(path)
    while not os.path.lexists(parent):
        missing.append(parent)
        parent = os.path.dirname(parent)
    return [*reversed(missing), path, path + files.DRAFT]


def _validate(command: list[str]) -> None:
    result = programs.ask(*command)
    if not result.ok:
        said, *_rest = result.said.splitlines() or ["it printed no reason"]
        raise BackstageError(f"{' '.join(command)} refuses what was written: {said}. {_AS_BEFORE}")

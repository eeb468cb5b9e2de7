# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a role keeps on its host: compared with the disk, written as a whole, and taken back where it fails."""

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
        links: links of somebody else that must not be there -> where they lead to.
        validate: the command that has to succeed on what was written; none where nothing reads it before it is good.
        record: where the role writes down what it wrote.
        recorded: the text of that record, where it was just found to be true.
        leaving: whether all of it is to be taken away.
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
        """From the options of the module backstage_files."""
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
        """Where it is noted how everything was, until the validation has accepted what was written."""
        return self.record + records.UNDO

    def placements(self) -> list[Placement]:
        return [*self.directories, *self.files, *self.logs]

    def record_file(self) -> File:
        """The record. It is written last, so a run that failed leaves none."""
        lines = [f"{one.recorded()}\n" for one in self.placements()]
        return File(self.record, *_RECORD, text=_FIRST_LINE + "".join(lines))

    def is_there(self) -> bool:
        """Whether nothing has to be done, as far as was just found: then nobody has to look at the host again."""
        return not self.leaving and not self.links and self.recorded == self.record_file().text


def _place(one: dict[str, Any]) -> tuple[str, str, str, int]:
    try:
        return one["path"], one["owner"], one["group"], int(one["mode"], 8)
    except ValueError:
        message = f"{one['path']}: the mode is '{one['mode']}': give an octal number in quotes, such as '0644'"
        raise BackstageError(message, step="files") from None


def _file(one: dict[str, Any]) -> File:
    place = _place(one)
    if one["sensitive_content"] is not None:
        return File(*place, text=one["sensitive_content"], hidden=True)
    # as the filter to_nice_json writes it
    text = one["content"] if one["data"] is None else files.to_json(one["data"], indent=4)
    return File(*place, text=text or "")


@dataclass(frozen=True)
class Plan:
    """What differs from the disk.

    Args:
        changes: in the order in which they are made.
        kept: paths that are to be taken away, and stay because they are not ours.
        waited: what people should know of the wait for another run.
    """

    changes: list[Change]
    kept: list[str] = field(default_factory=list)
    waited: list[str] = field(default_factory=list)


def plan(wanted: Wanted) -> Plan:
    """Compare what is wanted with the disk, and change nothing."""
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
    """Make what differs so, or leave everything as it was.

    Raises:
        BackstageError: it could not be done, or the validation refuses it; everything was put back.
    """
    os.umask(0o022)  # root's own may be stricter, and what is made here is to be read by those it is for
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
    """Take back what a killed run left, where the validation refuses it; what it accepts is good to go on from."""
    undo, restored = Undo.noted(wanted.note), list[str]()
    if undo and wanted.validate and not programs.ask(*wanted.validate).ok:
        restored = _take_back(undo, wanted.note)
    files.remove(wanted.note)
    return [Change(path, PUT_BACK, "of a run that was killed\n", "as before it\n", _nothing) for path in restored]


def _nothing() -> None:
    """What was done already."""


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
    """The note stays where this fails: the next run tries again."""
    restored = undo.restore()
    files.remove(note)
    undo.restore()  # its directory, too
    return restored


def _touched(path: str) -> list[str]:
    """A path, its parents that have to be made for it, and its draft, which stays where the disk is full."""
    missing = []
    parent = os.path.dirname(path)
    while not os.path.lexists(parent):
        missing.append(parent)
        parent = os.path.dirname(parent)
    return [*reversed(missing), path, path + files.DRAFT]


def _validate(command: list[str]) -> None:
    result = programs.ask(*command)
    if not result.ok:
        said, *_rest = result.said.splitlines() or ["it does not say why"]
        raise BackstageError(f"{' '.join(command)} refuses what was written: {said}. {_AS_BEFORE}")

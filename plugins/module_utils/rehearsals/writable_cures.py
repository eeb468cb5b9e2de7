# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cures for files that an Act may not write: lines of `writable`."""

from __future__ import annotations

import os
import posixpath

from ..acts import databases
from .case import Case


def write_database(case: Case) -> None:
    """Let the Act write its SQLite files if they are inside the code."""
    for database in case.record.get("databases", {}).values():
        if databases.in_a_file(database):
            _write_database(case, _inside(case, database["name"]))


def write_opened(case: Case) -> None:
    _write_database(case, _inside(case, case.word))


def _write_database(case: Case, place: str) -> None:
    """Add the file, or its directory if the source lacks that because it was empty."""
    if not place:
        return
    directory, survey = posixpath.dirname(place), case.draft.survey
    source = posixpath.normpath(posixpath.join(case.draft.subdir, place))
    if directory and not any(name.startswith(posixpath.dirname(source) + "/") for name in survey.names):
        _write_directory(case, directory)
        return
    begins = (
        f"; it begins as a copy of the source's '{place}', users and all: move that away to begin with an empty one"
    )
    case.draft.add("writable", [place], case.because + (begins if survey.has(source) else ""))


def write_file(case: Case) -> None:
    """Let the Act write a file, or its directory if it writes several files there."""
    place = _inside(case, case.word)
    if not place:
        return
    known = case.draft.item.get("writable", [])
    beside = [name for name in known if posixpath.dirname(name.rstrip("/")) == posixpath.dirname(place)]
    if place in known or (beside and posixpath.dirname(place)):
        _write_directory(case, posixpath.dirname(place))
        return
    case.draft.add("writable", [place], case.because)


def make_directory(case: Case) -> None:
    """Let the Act write a directory that it makes."""
    _write_directory(case, _inside(case, case.word))


def write_directory(case: Case) -> None:
    """Let the Act write a directory that the source lacks because it was empty."""
    _write_directory(case, posixpath.dirname(_inside(case, case.word)))


def _write_directory(case: Case, place: str) -> None:
    if not place:
        return
    known = case.draft.item.get("writable", [])
    kept = [name for name in known if name != place and not name.startswith(place + "/")]
    if place + "/" not in known:
        case.draft.set("writable", [*kept, place + "/"], case.because)


def _inside(case: Case, path: str) -> str:
    """Return a path inside the code as the manifest has it, relative to the source's subdir; empty for other paths."""
    project = os.path.join(case.release.code, case.draft.directory)
    inner = os.path.relpath(os.path.join(project, path), os.path.join(case.release.code, case.draft.subdir))
    return "" if inner.startswith("..") or inner == "." else inner

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last dump of an Act's databases, before its data is deleted. The Act's code may be gone, so it is not asked.

It lies outside of what Backstage removes, and nobody but root can read it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time

from ..host import files, names, process
from ..host.errors import BackstageError
from ..host.layout import Act as ActPaths
from ..state.read import ActState
from . import act_dumps, dumps

ROOT = "/var/backups/backstage"
_HEADER = b"SQLite format 3\0"
_MOST = 100
"""SQLite files of one Act that are dumped."""
_LONGEST = 3600


def is_wanted(state: ActState) -> bool:
    """Return whether the Act had dumps when it was last in the manifest."""
    removed = [line for line in state.history.events if line.get("event") == "removed"]
    record = state.record.get("act") or (removed[-1] if removed else {})
    return bool(record.get("dump"))


def place(paths: ActPaths) -> str:
    """Return the beginning of the directory of an Act's last dump; the time follows."""
    return os.path.join(ROOT, f"{paths.production.name}.{paths.name}.")


def make(paths: ActPaths, database: bool, port: int) -> None:
    """Dump what is going to be deleted: the database in PostgreSQL, and all SQLite files below the Act's data.

    Args:
        paths: the Act's directories.
        database: whether it has a database in PostgreSQL.
        port: the port of PostgreSQL.

    Raises:
        BackstageError: it can't be dumped. Nothing was deleted.
    """
    player = process.User.named(names.player(paths.production.name, paths.name))
    found = process.call_as(player, _sqlite_files, paths.data) if os.path.isdir(paths.data) else []
    if not (found or database):
        return
    files.directory(ROOT, 0o700)
    files.need_room(ROOT, sum(size for _path, size in found), "the last dump of its databases")
    path = place(paths) + time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    files.directory(path, 0o700)
    try:
        if database:
            _dump_postgresql(os.path.join(path, "postgresql.dump"), player, port)
        for number, (file, _size) in enumerate(found, 1):
            _dump_sqlite(os.path.join(path, f"{number}.sqlite3"), player, os.path.join(paths.data, file), paths.data)
        names_of = {f"{number}.sqlite3": file for number, (file, _size) in enumerate(found, 1)}
        files.write(os.path.join(path, dumps.SEAL), files.to_json({"data": names_of}), 0o600)
    except (BackstageError, OSError):
        files.remove_tree(path)
        raise


def _open(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)


def _dump_postgresql(path: str, player: process.User, port: int) -> None:
    program = os.path.join(dumps.CLIENTS, "pg_dump")
    if not os.path.exists(program):
        raise BackstageError(f"{program} is missing on this host: install postgresql-client", step="dump")
    argv = [program, "--format=custom", "--no-owner", "--no-privileges", "--no-password", f"--port={port}"]
    handle = _open(path)
    try:
        result = process.run([*argv, f"--dbname={player.name}"], player, timeout=_LONGEST, into=dumps.Sink(handle))
        os.fsync(handle)
    finally:
        os.close(handle)
    if not result.ok:
        reason = (result.err.strip().splitlines() or [f"pg_dump ended with status {result.code}"])[0]
        raise BackstageError(f"the last dump of its database failed, so nothing was deleted: {reason}", step="dump")


def _dump_sqlite(path: str, player: process.User, file: str, data: str) -> None:
    handle = _open(path)
    try:
        process.call_as(player, _copy, file, data, handle, timeout=_LONGEST, pass_fds=[handle])
        os.fsync(handle)
    except BackstageError as error:
        raise BackstageError(
            f"the last dump of {file} failed, so nothing was deleted: {error.message}; if it is of no use, remove it",
            step="dump",
        ) from None
    finally:
        os.close(handle)


def _sqlite_files(data: str) -> list[tuple[str, int]]:
    """Return the SQLite files below a directory, with their sizes. This runs as the player."""
    found = []
    for root, _directories, entries in os.walk(data):
        for name in sorted(entries):
            path = os.path.join(root, name)
            if not os.path.islink(path) and os.path.isfile(path) and _begin(path) == _HEADER:
                found.append((os.path.relpath(path, data), os.path.getsize(path)))
    return found[:_MOST]


def _begin(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(len(_HEADER))
    except OSError:
        return b""


def _copy(file: str, data: str, handle: int) -> None:
    """Write a complete copy of an SQLite database to a descriptor. This runs as the player."""
    copy = os.path.join(data, act_dumps.COPY)
    for end in act_dumps.PARTS:
        files.remove(copy + end)
    try:
        with contextlib.closing(sqlite3.connect(file)) as source, contextlib.closing(sqlite3.connect(copy)) as target:
            act_dumps.copy_pages(source, target)
            target.execute("PRAGMA journal_mode = DELETE")
        with open(copy, "rb") as given, os.fdopen(handle, "wb", closefd=False) as taken:
            while chunk := given.read(act_dumps.CHUNK):
                taken.write(chunk)
    except sqlite3.Error as error:
        raise BackstageError(str(error)) from None
    finally:
        for end in act_dumps.PARTS:
            files.remove(copy + end)

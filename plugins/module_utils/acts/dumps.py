# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dumps of an Act's databases: made before migrations, kept with the release that played then, and restored.

The Act's own user reads its databases, and root writes what it reads. A dump is complete if it has its seal.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from dataclasses import dataclass
from typing import Any, Callable, Optional

from ..host import files, names, pipes, process
from ..host.errors import BackstageError
from ..host.layout import Act as ActPaths
from ..manifest.database import POSTGRESQL, SQLITE
from ..state.history import DUMPED
from ..state.read import ActState
from . import act_dumps, graphs

SEAL = "dump.json"
CLIENTS = "/usr/bin"
"""The directory of PostgreSQL's programs."""
PATIENCE = 600
"""Seconds that a restore waits for a migrate of the same database."""
_NAME = re.compile(r"(?P<release>[0-9a-f]{12})\.(?P<number>[1-9][0-9]*)\Z")
_CHUNK = 2**20

Run = Callable[..., dict[str, Any]]
"""Runs a mode of act_steps as the Act's player."""


@dataclass(frozen=True)
class Dump:
    """A complete dump.

    Args:
        name: the release and a number, which is never used twice.
        path: its directory.
        at: when it was made.
        engine: the manifest's database then; empty for the project's own.
        applied: the migrations that the databases had.
        databases: alias, vendor, file, size and digest of each database.
        replaced: whether a restore of the same release made it, so that it is what nobody wanted any more.
    """

    name: str
    path: str
    at: str
    engine: str
    applied: list[str]
    databases: list[dict[str, Any]]
    replaced: bool = False

    @property
    def release(self) -> str:
        """Return the release that played then."""
        return self.name.partition(".")[0]

    @property
    def size(self) -> int:
        return sum(one["size"] for one in self.databases)


class Sink(pipes.Tail):
    """Writes what a child sends to a file, and computes its digest."""

    def __init__(self, handle: int) -> None:
        super().__init__(0)
        self._handle = handle
        self._digest = hashlib.sha256()
        self.size = 0

    def add(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self.size += len(chunk)
        while chunk:
            chunk = chunk[os.write(self._handle, chunk) :]

    def report(self) -> dict[str, Any]:
        return {"size": self.size, "digest": self._digest.hexdigest()}


def _names(paths: ActPaths) -> list[str]:
    """Return the names of all dumps, complete or not, the oldest first."""
    return sorted(filter(_NAME.match, files.names_in(paths.dumps)), key=_number)


def _number(name: str) -> int:
    return int(name.partition(".")[2])


def known(paths: ActPaths) -> list[Dump]:
    """Return the complete dumps, the oldest first."""
    found = []
    for name in _names(paths):
        path = os.path.join(paths.dumps, name)
        record = files.read_json(os.path.join(path, SEAL))
        if record is not None:
            values = (record[key] for key in ("at", "engine", "applied", "databases", "replaced"))
            found.append(Dump(name, path, *values))
    return found


def unsealed(paths: ActPaths) -> list[str]:
    """Return what killed runs have left of dumps."""
    return [name for name in _names(paths) if not os.path.exists(os.path.join(paths.dumps, name, SEAL))]


def remove(paths: ActPaths, name: str) -> None:
    files.remove_sealed(os.path.join(paths.dumps, name), SEAL)


def sweep(paths: ActPaths, name: str) -> None:
    """Remove a dump that is not complete, and the copy that its killed step may have left in the Act's data."""
    process.call_as(process.User.named(names.player(paths.production.name, paths.name)), _remove_copy, paths.data)
    remove(paths, name)


def _remove_copy(data: str) -> None:
    for end in act_dumps.PARTS:
        files.remove(os.path.join(data, act_dumps.COPY + end))


def remove_of(paths: ActPaths, release: str) -> None:
    """Remove the dumps of a release: without its code, nothing plays with them."""
    for name in _names(paths):
        if name.partition(".")[0] == release:
            remove(paths, name)


def owner(state: ActState, release: str) -> str:
    """Return the release whose data a dump now has: the one that plays or played last.

    Args:
        state: the Act on disk.
        release: the release that is about to migrate. A first one has nothing else to go back to.
    """
    played = (name for name in state.history.played() if name in state.releases)
    return state.live_release or next(played, release)


def survey(run: Run) -> dict[str, Any]:
    """Return what the Act's code says of its databases."""
    return run("survey", {})


def make(
    state: ActState, engine: str, release: str, run: Run, found: dict[str, Any], before: Optional[Dump] = None
) -> Optional[Dump]:
    """Dump the databases that have anything in them; None if none has.

    Args:
        state: the Act on disk.
        engine: the manifest's database; empty for the project's own.
        release: the release whose data it is.
        run: runs a step as the Act's player.
        found: what the Act's code says of its databases.
        before: the dump that is restored next.

    Raises:
        BackstageError: there is no room, or a database can't be dumped. Nothing of the dump is left.
    """
    paths = state.paths
    full = [one for one in found["databases"] if one["tables"]]
    if not full:
        return None
    for one in full:
        if one["vendor"] not in (SQLITE, POSTGRESQL):
            raise BackstageError(
                f"Backstage can't dump the database '{one['alias']}' ({one['vendor']}): remove 'dump' from the Act, and"
                " dump it yourself before you deploy",
                step="dump",
            )
    # SQLite needs a copy beside its file, too
    needed = sum(one["size"] * (2 if one["vendor"] == SQLITE else 1) for one in full)
    files.need_room(paths.root, needed, "a dump of its databases")
    for name in unsealed(paths):
        sweep(paths, name)
    name = f"{release}.{_next(state)}"
    path = os.path.join(paths.dumps, name)
    files.directory(paths.dumps, 0o700)
    files.directory(path, 0o700)
    record: dict[str, Any] = {}
    try:
        databases = [_dump(path, number, one, run) for number, one in enumerate(full, 1)]
        applied = sorted(graphs.written(app, migration) for app, migration in found["applied"])
        replaced = before is not None and before.release == release
        record = {"at": _now(), "engine": engine, "applied": applied, "databases": databases, "replaced": replaced}
        # first, because a restore of this dump undoes what the history has after it
        state.history.add(DUMPED, dump=name, release=release)
        files.write(os.path.join(path, SEAL), files.to_json(record), 0o600)
    finally:
        if not record:
            sweep(paths, name)
    _thin(paths, release, before.name if before else "")
    return known(paths)[-1]


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _next(state: ActState) -> int:
    """Return a number that no dump of the Act ever had."""
    used = [str(line.get("dump", "")) for line in state.history.events] + _names(state.paths)
    return 1 + max((_number(name) for name in used if _NAME.match(name)), default=0)


def _dump(path: str, number: int, one: dict[str, Any], run: Run) -> dict[str, Any]:
    """Write the dump of one database, and return its record."""
    file = f"{number}.{'sqlite3' if one['vendor'] == SQLITE else 'dump'}"
    handle = os.open(os.path.join(path, file), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        sink = Sink(handle)
        said = run("dump", {"alias": one["alias"], "clients": CLIENTS}, into=sink)
        os.fsync(handle)
    finally:
        os.close(handle)
    if {key: said[key] for key in ("size", "digest")} != sink.report():
        raise BackstageError(
            f"the dump of the database '{one['alias']}' did not arrive as it was sent; the project's code may have"
            " written to its standard output",
            step="dump",
        )
    return {"alias": one["alias"], "vendor": one["vendor"], "file": file, **sink.report()}


def _thin(paths: ActPaths, release: str, kept: str) -> None:
    """Keep the first and the last dump of a release: a migration that failed may have left something in between.

    Args:
        paths: the Act's directories.
        release: the release.
        kept: a dump that stays.
    """
    own = [one for one in known(paths) if one.release == release]
    wanted, replaced = ([one for one in own if one.replaced is kind] for kind in (False, True))
    for one in [*wanted[1:-1], *replaced[:-1]]:
        if one.name != kept:
            remove(paths, one.name)


def check(dump: Dump) -> None:
    """Compare the files of a dump with its seal.

    Raises:
        BackstageError: one differs.
    """
    for one in dump.databases:
        path = os.path.join(dump.path, one["file"])
        digest = hashlib.sha256()
        try:
            with open(path, "rb") as file:
                for data in iter(lambda file=file: file.read(_CHUNK), b""):  # type: ignore[misc]
                    digest.update(data)
        except FileNotFoundError:
            raise BackstageError(f"the dump {dump.name} is not complete: {path} is missing", step="restore") from None
        if digest.hexdigest() != one["digest"]:
            raise BackstageError(f"the dump {dump.name} is damaged: {path} was changed", step="restore")


def restore(dump: Dump, run: Run) -> None:
    """Replace the content of each database by that of the dump.

    Raises:
        BackstageError: one was not replaced; its message names those that were.
    """
    done: list[str] = []
    for one in dump.databases:
        handle = os.open(os.path.join(dump.path, one["file"]), os.O_RDONLY | os.O_NOFOLLOW)
        try:
            given = {"alias": one["alias"], "clients": CLIENTS, "source": handle, "patience": PATIENCE}
            run("restore", given, lent=[handle])
        except BackstageError as error:
            raise Unrestored(error, done) from None
        finally:
            os.close(handle)
        done.append(one["alias"])


class Unrestored(BackstageError):
    """A database was not restored.

    Args:
        cause: why.
        done: the databases that were.
    """

    def __init__(self, cause: BackstageError, done: list[str]) -> None:
        said = f" (restored before it: {', '.join(done)})" if done else ""
        super().__init__(cause.message + said, step="restore", log=cause.log)
        self.done = done


def need_restored(state: ActState) -> None:
    """Refuse an Act whose restore did not end, because nobody knows what its databases have.

    Raises:
        BackstageError: it did not.
    """
    name = state.history.restoring()
    if name:
        again = command(state.paths.name, name.partition(".")[0])
        raise BackstageError(f"a restore of its databases was interrupted; finish it: {again}", step="restore")


def command(act: str, release: str) -> str:
    """Return the command that restores the databases as they were when a release played."""
    return f"backstage.django.restore -e act={act} -e release={release}"


def with_way_back(error: BackstageError, act: str, dump: Optional[Dump]) -> BackstageError:
    """Return the failure of migrations, with the way back to the dump before them."""
    if dump is None:
        return error
    said = f"{error.message}; to restore the databases as they were before: {command(act, dump.release)}"
    return BackstageError(said, error.subject, error.step, error.log)


def fitting(state: ActState, release: str) -> Optional[Dump]:
    """Return the last dump of a release whose migrations the release knows; else its last one; None if it has none."""
    own = [dump for dump in known(state.paths) if dump.release == release and not dump.replaced]
    graph = graphs.of_release(state.releases.get(release, {}))
    others = [graphs.of_release(one) for one in state.releases.values()]
    if graph is not None:
        fits = [dump for dump in own if not graphs.newer(dump.applied, graph, others)]
        own = fits or own
    return own[-1] if own else None

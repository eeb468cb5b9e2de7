# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record the progress of a run while it runs: one JSON line for each event, for the controller that reads along.

Only root can read the file. Its name comes from the controller, and it is removed with the run. It contains no values
of variables. What a run did for an Act is also appended to a log of the Act, where the playbook ``logs`` finds it.
Neither is worth the failure of a run: what can't be written is left out.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable, Optional

from . import files, names, process, tables

FOLDER = "/run"
_NAME = "backstage-run."

Place = Callable[[str], Optional[str]]


@dataclass
class _Log:
    """The file of this process, its current phase, and the logs of Acts."""

    handle: int = -1
    act: str = ""
    phase: str = ""
    since: float = 0
    by: str = ""
    place: Optional[Place] = None


_log = _Log()


def place(run: str) -> str:
    """Return the file of a run, whose id consists of digits and letters."""
    return os.path.join(FOLDER, _NAME + run)


@contextlib.contextmanager
def written(run: str) -> Iterator[None]:
    """Record what happens in the context. Without an id, no controller reads along."""
    if not run.isalnum():
        yield
        return
    for name in files.names_in(FOLDER):
        if name.startswith(_NAME):
            _remove_abandoned(os.path.join(FOLDER, name))
    _log.handle = os.open(place(run), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    fcntl.flock(_log.handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(_log.handle)
        _log.handle, _log.phase = -1, ""
        files.remove(place(run))


@contextlib.contextmanager
def kept(by: str, where: Place) -> Iterator[None]:
    """Append what happens in the context to logs of Acts.

    Args:
        by: the person who started the run.
        where: returns the log of an Act; None if it keeps none.
    """
    _log.by, _log.place = by, where
    try:
        yield
    finally:
        end()
        _log.place = None


def _remove_abandoned(path: str) -> None:
    """Remove the file of a killed run. Nobody holds its lock."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # its run has just ended
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        files.remove(path)
    except BlockingIOError:
        return
    finally:
        os.close(handle)


def phase(act: str, name: str) -> None:
    """Record that a phase begins, named in a word or two, and that the one before it has ended."""
    end()
    if _log.handle < 0 and _log.place is None:
        return
    _log.act, _log.phase, _log.since = act, name, time.monotonic()
    _write({"act": act, "began": name})


def note(act: str, said: str) -> None:
    """Record a note that people want to see at once, and that the phase before it has ended."""
    end()
    _write({"act": act, "note": said})
    _append(act, said)


def end() -> None:
    """Record that the phase has ended, if there is one."""
    if not _log.phase:
        return
    seconds = time.monotonic() - _log.since
    _write({"act": _log.act, "ended": _log.phase, "seconds": round(seconds, 1)})
    _append(_log.act, f"{_log.phase}: {seconds:.1f} s")
    _log.phase = ""


def _write(event: dict[str, Any]) -> None:
    """Write the event in one call, so that no reader sees a partial line."""
    if _log.handle >= 0:
        with contextlib.suppress(OSError):
            os.write(_log.handle, json.dumps(event).encode() + b"\n")


def _append(act: str, said: str) -> None:
    """Append a line to the log of an Act, which begins with the time, as all logs do."""
    path = _log.place(act) if _log.place and act else None
    if path is None:
        return
    with contextlib.suppress(OSError):
        _append_to(path, tables.clean(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {_log.by}: {said}"))


def _append_to(path: str, line: str) -> None:
    handle = _open(path)
    try:
        os.write(handle, line.encode() + b"\n")
    finally:
        os.close(handle)


def _open(path: str) -> int:
    """Open a log, which only root and the group of log readers can read."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        adm = process.group_id(names.LOG_GROUP)
        files.directory(os.path.dirname(path), 0o750, 0, adm)
        handle = os.open(path, flags | os.O_CREAT, 0o640)
        os.fchown(handle, 0, adm)
        return handle

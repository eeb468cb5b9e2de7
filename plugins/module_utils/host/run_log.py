# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record the progress of a run while it runs: one JSON line for each event, for the controller that reads along.

Only root can read the file. Its name comes from the controller, and it is removed with the run. It contains no values
of variables.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import files

FOLDER = "/run"
_NAME = "backstage-run."


@dataclass
class _Log:
    """The file of this process, and its current phase."""

    handle: int = -1
    act: str = ""
    phase: str = ""
    since: float = 0


_log = _Log()


def place(run: str) -> str:
    """Return the file of a run, whose id consists of digits and letters."""
    return os.path.join(FOLDER, _NAME + run)


@contextlib.contextmanager
def written(run: str) -> Iterator[None]:
    """Record what happens in the context. Without an id, record nothing."""
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
    if _log.handle < 0:
        return
    _end()
    _log.act, _log.phase, _log.since = act, name, time.monotonic()
    _write({"act": act, "began": name})


def note(act: str, said: str) -> None:
    """Record a note that people want to see at once, and that the phase before it has ended."""
    _end()
    _write({"act": act, "note": said})


def _end() -> None:
    if _log.phase:
        _write({"act": _log.act, "ended": _log.phase, "seconds": round(time.monotonic() - _log.since, 1)})
    _log.phase = ""


def _write(event: dict[str, Any]) -> None:
    """Write the event in one call, so that no reader sees a partial line."""
    if _log.handle >= 0:
        os.write(_log.handle, json.dumps(event).encode() + b"\n")

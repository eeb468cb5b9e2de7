# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One lock per Production and one per host, held by a process and released when it ends (flock(2))."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from . import caller, files
from .errors import BackstageError

NOTICED = 5
"""A wait longer than these seconds is reported."""


@contextlib.contextmanager
def held(path: str, who: str, timeout: float) -> Iterator[list[str]]:
    """Hold a lock file, and yield notes about the wait for it.

    Args:
        path: the file, in a directory of root's, which is made if it is missing.
        who: written into the file for processes that wait.
        timeout: seconds to wait for another holder.

    BackstageError: another run held the lock the whole time; the message names it.
    """
    notes: list[str] = []
    handle = _take(path, time.monotonic() + timeout, notes)
    try:
        os.ftruncate(handle, 0)
        started = time.strftime("%Y-%m-%d %H:%M:%S")
        os.pwrite(handle, f"process {os.getpid()} of {who}, {caller.origin()}, since {started}".encode(), 0)
        yield notes
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _take(path: str, deadline: float, notes: list[str]) -> int:
    """Return the lock file at the path. Its last holder may have removed the one that this process waited for."""
    while True:
        files.directory(os.path.dirname(path))
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            _wait(handle, path, deadline, notes)
            if _is_at(handle, path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _is_at(handle: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False


def _wait(handle: int, path: str, deadline: float, notes: list[str]) -> None:
    began, holder = time.monotonic(), ""
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            waited = time.monotonic() - began
            if waited > NOTICED:
                notes.append(f"waited {waited:.0f} s for {holder}, which held {path}")
            return
        except BlockingIOError:
            caller.check()
            holder = os.pread(handle, 300, 0).decode("utf-8", "replace") or holder or "another run"
            if time.monotonic() >= deadline:
                raise BackstageError(
                    f"{holder} holds {path}; run again when it has ended, or raise lock_timeout", step="lock"
                ) from None
            time.sleep(0.1)


def is_held(path: str) -> bool:
    """Return whether a process holds the lock. A file that does not exist is not held."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False

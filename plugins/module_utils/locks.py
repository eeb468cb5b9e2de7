# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One lock per Production and one per host, held by a process and released by its death (flock(2))."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from .errors import BackstageError


@contextlib.contextmanager
def held(path: str, who: str, timeout: float) -> Iterator[None]:
    """Hold a lock file.

    Args:
        path: the file; its directory is root's and is there.
        who: written into the file for those who wait.
        timeout: seconds to wait for another holder.

    Raises:
        BackstageError: another run held it all the time; says which.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _wait(handle, path, time.monotonic() + timeout)
        os.ftruncate(handle, 0)
        started = time.strftime("%Y-%m-%d %H:%M:%S")
        os.pwrite(handle, f"process {os.getpid()} of {who}, since {started}".encode(), 0)
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _wait(handle: int, path: str, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = os.pread(handle, 200, 0).decode("utf-8", "replace") or "another run"
                raise BackstageError(
                    f"{holder} holds {path}; run again when it has ended, or raise lock_timeout", step="lock"
                ) from None
            time.sleep(0.1)

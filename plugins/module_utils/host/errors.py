# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one exception of Backstage. Helpers raise it, and the module turns it into a failure once."""

from __future__ import annotations

import errno
import platform
import traceback

_UNWRITABLE = {
    errno.ENOSPC: "the disk is full: {path} can't be written, for lack of room or of inodes; make room, then run again",
    errno.EDQUOT: "the disk quota is used up: {path} can't be written; raise the quota or make room, then run again",
    errno.EROFS: "{path} can't be written: its file system is read-only; make it writable, then run again",
}
"""What a file system says when nothing can be written to it, and the cure."""


class BackstageError(Exception):
    """A failure, in one sentence that names what failed and what to do.

    Args:
        message: the cause and, where there is one, the cure.
        subject: what failed, such as ``act kittens``; empty for the whole Production.
        step: what was being done, such as ``gate``.
        log: the end of the log that shows the cause, shown below the sentence.
    """

    def __init__(self, message: str, subject: str = "", step: str = "", log: str = "") -> None:
        self.message = message
        self.subject = subject
        self.step = step
        self.log = log.rstrip()
        super().__init__(message)

    def __str__(self) -> str:
        where = [part for part in (self.subject, self.step) if part]
        place = f"{', '.join(where)} on {platform.node()}: " if where else ""
        return place + self.message + (f"\n--- end of the log ---\n{self.log}" if self.log else "")


class Refusal(BackstageError):
    """Input that is refused. The message names the key, the value, and a correct value."""

    def __str__(self) -> str:
        return self.message


def as_told(error: Exception) -> BackstageError:
    """Return the error for the user. An exception that the code does not expect is a bug of Backstage."""
    if isinstance(error, BackstageError):
        return error
    if isinstance(error, OSError):
        if error.errno in _UNWRITABLE:
            path = error.filename2 or error.filename or "a file"
            return BackstageError(_UNWRITABLE[error.errno].format(path=path))
        return BackstageError(str(error))
    last = traceback.format_exception_only(error)[-1].strip().partition("\n")[0]
    log = "".join(traceback.format_exception(error))
    return BackstageError(f"a bug of Backstage: {last}; please report it with the lines below", log=log)

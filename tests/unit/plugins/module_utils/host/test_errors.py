# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failing run prints: the Act, the step and the host in one line, then the end of the log."""

from __future__ import annotations

import errno
import os
import platform

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host.errors import (
    BackstageError,
    Refusal,
    as_told,
)

NODE = platform.node()
CASES = [
    (BackstageError("it broke"), "it broke"),
    (BackstageError("it broke", "act kittens", "gate"), f"act kittens, gate on {NODE}: it broke"),
    (BackstageError("it broke", step="gate"), f"gate on {NODE}: it broke"),
    (BackstageError("it broke", "act kittens"), f"act kittens on {NODE}: it broke"),
    (BackstageError("it broke", log="one\ntwo\n\n"), "it broke\n--- end of the log ---\none\ntwo"),
    (Refusal("backstage_production: use a letter"), "backstage_production: use a letter"),
]


@pytest.mark.parametrize(("error", "said"), CASES)
def test_said(error: BackstageError, said: str) -> None:
    assert str(error) == said


def test_a_refusal_is_caught_like_any_other() -> None:
    assert issubclass(Refusal, BackstageError)


UNWRITABLE = [
    (
        errno.ENOSPC,
        "the disk is full: /x/to can't be written, for lack of room or of inodes; make room, then run again",
    ),
    (
        errno.EDQUOT,
        "the disk quota is used up: /x/to can't be written; raise the quota or make room, then run again",
    ),
    (errno.EROFS, "/x/to can't be written: its file system is read-only; make it writable, then run again"),
    (errno.EMLINK, "[Errno 31] Too many links: '/x/from' -> '/x/to'"),
]


@pytest.mark.parametrize(("number", "said"), UNWRITABLE)
def test_faults_04_05_a_file_system_that_takes_nothing(number: int, said: str) -> None:
    assert str(as_told(OSError(number, os.strerror(number), "/x/from", None, "/x/to"))) == said
    assert str(as_told(OSError(number, os.strerror(number), "/x/to"))) == said.replace("'/x/from' -> ", "")

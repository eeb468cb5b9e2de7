# SPDX-License-Identifier: GPL-3.0-or-later
"""The times of lines in logs of nginx, uWSGI, Backstage and Acts, in UTC whatever the host's zone is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import log_times


@pytest.fixture(autouse=True)
def _host_in_tokyo() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=timezone.utc)  # type: ignore[misc]


WRITTEN: list[tuple[str, Optional[datetime], bool]] = [
    # (the line, its time, whether the line names its zone)
    ("2026/11/21 10:00:01 [error] 7#7: *1 x", utc(2026, 11, 21, 1, 0, 1), False),
    ("2026-11-21T10:00:01+0000 x", utc(2026, 11, 21, 10, 0, 1), True),
    ("2026-11-21T10:00:01.123+01:00 x", utc(2026, 11, 21, 9, 0, 1), True),
    ("2026-11-21 10:00Z x", utc(2026, 11, 21, 10), True),
    ("2026-13-21T10:00:01+0000 x", None, True),
    ("0001-01-01T00:00:00+1400 x", None, True),
    ("x 2026-11-21T10:00:01+0000", None, False),
    ("", None, False),
]


@pytest.mark.parametrize(("line", "at", "is_zoned"), WRITTEN)
def test_written(line: str, at: Optional[datetime], is_zoned: bool) -> None:
    assert log_times.written(line) == at
    assert log_times.stamped(line) == (at if is_zoned else None)


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ('::1 - - [21/Nov/2026:11:00:01 +0100] "GET / HTTP/1.1" 200', utc(2026, 11, 21, 10, 0, 1)),
        ('::1 - - [21/Nox/2026:11:00:01 +0100] "GET / HTTP/1.1" 200', None),
        ('::1 - - [31/Feb/2026:11:00:01 +0100] "GET / HTTP/1.1" 200', None),
        ("no request", None),
    ],
)
def test_requested(line: str, at: Optional[datetime]) -> None:
    assert log_times.requested(line) == at

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reports of workers and timers. They are files of the Act's player, so their content is not trusted.

Whether a worker lives is not read from them; see ``crew``.
"""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass
from typing import Any

_MOST = 4096
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}\Z", re.ASCII)
_LARGEST = 10**9


@dataclass(frozen=True)
class Report:
    """The report of one worker or timer.

    Args:
        since: since when it runs; empty if it does not run.
        restarts: how often a worker ended by itself since its Sess started.
        ended: when it last ended; empty if it never did.
        status: its exit status then; a signal below 0.
    """

    since: str = ""
    restarts: int = 0
    ended: str = ""
    status: int = 0

    @classmethod
    def read(cls, path: str) -> Report:
        said = _read(path)
        found = said if isinstance(said, dict) else {}
        ended = found.get("ended")
        last = ended if isinstance(ended, dict) else {}
        numbers = [_number(found.get("restarts")), _number(last.get("status"))]
        return cls(_time(found.get("since")), numbers[0], _time(last.get("at")), numbers[1])


def _read(path: str) -> Any:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would keep us waiting
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        text = file.read(_MOST)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _time(value: Any) -> str:
    return value if isinstance(value, str) and _TIME.match(value) else ""


def _number(value: Any) -> int:
    is_number = isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST
    return value if is_number else 0

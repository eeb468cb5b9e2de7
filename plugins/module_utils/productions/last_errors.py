# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last exception in the log of an Act. An Act may print anything, so the text is short and of one line."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any, Optional

from ..host import log_times, masks, tables

MOST = 2**18
"""The number of bytes read of a log."""
LONGEST = 300
_BEGIN = "Traceback (most recent call last):"
_ERROR = re.compile(r"(?P<text>[A-Za-z_][\w.]*(?::.*|))\s*\Z")


def of(path: str, secrets: Sequence[str]) -> Optional[dict[str, Any]]:
    """Return the last exception: ``at``, if the log tells when, and ``text``; None if there is none.

    Args:
        path: the log.
        secrets: values to mask.
    """
    lines = _end(path).splitlines()
    for number in range(len(lines) - 1, -1, -1):
        if _BEGIN in lines[number]:
            text = _error(lines[number + 1 :])
            if text:
                at = log_times.stamped(lines[number])
                told = tables.clean(masks.mask(text, list(secrets)))[:LONGEST]
                return {"at": at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None, "text": told}
    return None


def _error(lines: list[str]) -> str:
    """Return the line that ends a traceback: the first one that is not indented."""
    for line in lines:
        if line and not line[0].isspace():
            match = _ERROR.match(line)
            return match.group("text") if match else ""
    return ""


def _end(path: str) -> str:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - MOST))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""

# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logs of Sesses: what was written since a start. Time stamps would depend on the Act's TIME_ZONE."""

from __future__ import annotations

import os
from collections.abc import Iterable

_MOST = 1 << 18


def ends(paths: Iterable[str]) -> dict[str, int]:
    """Return where these logs end now."""
    return {path: os.path.getsize(path) if os.path.exists(path) else 0 for path in paths}


def first_since(ended: dict[str, int], until: str = "") -> str:
    """Return what was written since then to the first of these logs that got anything.

    Args:
        ended: where each log ended.
        until: text at which it is cut off; empty for none.
    """
    for path, offset in ended.items():
        text = since(path, offset)
        text = (text.split(until)[0] if until else text).strip()
        if text:
            return text
    return ""


def since(path: str, offset: int) -> str:
    """Return what a log has got since it was so long; of very much only the beginning and the end."""
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            log.seek(offset)
            text = log.read(_MOST)
            rest = os.fstat(log.fileno()).st_size - offset - _MOST
            if rest > 0:
                log.seek(offset + _MOST + max(0, rest - _MOST))
                text += log.read()
            return text
    except FileNotFoundError:
        return ""

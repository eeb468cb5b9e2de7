# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for what comes true sooner or later: on a machine that is busy, too."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

LONG = 120
"""The seconds after which something will not come true. Only a failing test waits for so long."""


def eventually(true: Callable[[], Any], seconds: float = LONG) -> None:
    """Wait until something is true.

    Raises:
        AssertionError: it did not come true.
    """
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.02)

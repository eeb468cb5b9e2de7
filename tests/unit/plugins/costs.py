# SPDX-License-Identifier: GPL-3.0-or-later
"""What code costs, in steps of the interpreter and in files that it opens: the same on a machine that is busy."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Callable

_opened: list[list[str]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _opened:
        _opened[-1].append(str(arguments[0]))


sys.addaudithook(_audit)  # there for good, and silent unless somebody listens


@contextmanager
def opened() -> Iterator[list[str]]:
    """The files that are opened meanwhile."""
    _opened.append([])
    try:
        yield _opened[-1]
    finally:
        _opened.pop()


def steps(do: Callable[[], Any]) -> int:
    """How many instructions of Python's machine a call takes; what it calls in C counts as one."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    gc.disable()  # it would end what earlier tests have left
    sys.settrace(trace)
    try:
        do()
    finally:
        sys.settrace(before)
        gc.enable()
    return count

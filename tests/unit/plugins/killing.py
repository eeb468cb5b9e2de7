# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed at one write after another, in processes of their own: as the campaign does on hosts."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

WATCH = Path(__file__).parents[2] / "faults" / "on_host" / "watch" / "sitecustomize.py"
FULL = bool(os.environ.get("FAULTS_FULL"))
"""Whether this is the campaign: tests that try many moments then try all of them, and a few otherwise."""


def _watch() -> Any:
    spec = importlib.util.spec_from_file_location("watching", WATCH)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def play(run: Callable[[], Any], root: Path, at: int = 0) -> list[str]:
    """Run in a process of its own, which ends at a write if one is named, and return the writes below the root."""
    log = root / "writes.log"
    log.unlink(missing_ok=True)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            watch = _watch()
            watch.PLACES = tuple(str(root / name) for name in ("srv", "log", "vassals", "venues"))
            watch.Watch({"log": str(log), "at": at})
            run()
            code = 0
        except BaseException:  # noqa: BLE001 -- it is printed, and the process ends
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    _pid, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == (-signal.SIGKILL if at else 0), f"at {at}"
    return log.read_text().splitlines()


def points(writes: list[str], most: int) -> Iterator[int]:
    """The writes to be killed at: all of them in the campaign (FAULTS_FULL=1), else so many, evenly spread."""
    numbers = range(1, len(writes) + 1)
    step = 1 if FULL else max(1, len(numbers) / most)
    yield from sorted({numbers[int(index * step)] for index in range(int(len(numbers) / step))})

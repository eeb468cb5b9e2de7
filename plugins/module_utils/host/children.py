# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do things side by side, each in a child process of the module.

Processes and not threads: a module forks, drops its rights and binds the life of what it starts to its own, and a
thread can do none of that. A child looks whether the caller still waits, as its parent does, and cleans up by itself.
"""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Callable

from . import caller, process

LOOK = 0.5
"""Seconds between two looks whether the caller still waits."""
DIED = "died"
"""The key of an answer that a child could not give: the status with which it ended."""

Answer = dict[str, Any]


def run(jobs: Mapping[str, Callable[[], Answer]], at_once: int) -> dict[str, Answer]:
    """Call functions in child processes, so many at once, and return their answers, which have to fit into JSON.

    Raises:
        Abandoned: nobody waits for the run any more. The children have cleaned up.
    """
    left, running = list(jobs), dict[int, _Child]()
    answers: dict[str, Answer] = {}
    try:
        while left or running:
            while left and len(running) < at_once:
                child = _Child(left[0], jobs[left.pop(0)])
                running[child.pipe] = child
            caller.check()
            for pipe in select.select(list(running), [], [], LOOK)[0]:
                if running[pipe].read():
                    child = running.pop(pipe)
                    answers[child.name] = child.answer()
    except BaseException:
        for child in running.values():
            child.end()
        raise
    return answers


class _Child:
    """One child process, and what it has answered so far."""

    def __init__(self, name: str, job: Callable[[], Answer]) -> None:
        self.name, self.said, parent = name, b"", os.getpid()
        self.pipe, write_end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _answer_and_exit(job, parent, write_end)
        os.close(write_end)

    def read(self) -> bool:
        """Read what is there, and return whether that was all."""
        chunk = os.read(self.pipe, 1 << 16)
        self.said += chunk
        return not chunk

    def answer(self) -> Answer:
        os.close(self.pipe)
        _pid, status = os.waitpid(self.pid, 0)
        found: Answer = json.loads(self.said) if self.said else {DIED: os.waitstatus_to_exitcode(status)}
        return found

    def end(self) -> None:
        """Tell it that nobody waits any more, and wait until it has cleaned up."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        os.close(self.pipe)
        os.waitpid(self.pid, 0)


def _answer_and_exit(job: Callable[[], Answer], parent: int, pipe: int) -> None:
    """Call the function in the child. Whatever it raises, the child never returns into the code of its parent."""
    code = 1
    try:
        process.bind_to(parent)
        answer = json.dumps(job()).encode()
        with os.fdopen(pipe, "wb") as out:
            out.write(answer)
        code = 0
    finally:
        os._exit(code)

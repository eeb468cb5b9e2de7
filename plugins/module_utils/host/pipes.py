# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the output of a child process while it runs, and keep only its end."""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping

from . import caller

KEPT = 256 * 1024
"""The bytes of an output that are kept."""
_CHUNK = 64 * 1024
_LINE = 4096
_DRAIN = 5
"""Seconds to read what an ended child has left in its pipes."""
END = 10
"""Seconds that a child has to exit after it closed its report."""


class Tail:
    """The end of an output. Its memory is bounded for any length."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._data = bytearray()
        self.left_out = 0

    def add(self, chunk: bytes) -> None:
        self._data += chunk
        if len(self._data) > 2 * self._keep:
            self._cut()

    def _cut(self) -> None:
        surplus = max(0, len(self._data) - self._keep)
        self.left_out += surplus
        del self._data[:surplus]

    def text(self) -> str:
        """Return what is kept. It starts with a whole line, because a part of a secret would not be masked."""
        self._cut()
        if self.left_out and self._data:
            begin = self._data.find(b"\n", 0, _LINE) + 1 or _LINE
            self.left_out += min(begin, len(self._data))
            del self._data[:begin]
        note = f"[{self.left_out:,} bytes were left out here]\n" if self.left_out else ""
        return note + self._data.decode("utf-8", "replace")


class Talk:
    """The input and output of one child process, until it exits.

    Args:
        child: a leader of its process group, with pipes.
        given: what it reads from its standard input.
        tails: descriptor -> what is read from it.
        report: the descriptor among these whose end means that the child is done.
    """

    def __init__(self, child: subprocess.Popen[bytes], given: bytes, tails: Mapping[int, Tail], report: int) -> None:
        self.child = child
        self.given = memoryview(given)
        self.unwritten = [child.stdin] if child.stdin else []
        self.tails = tails
        self.report = report
        self.reported = 0.0
        self.selector = selectors.DefaultSelector()

    def run(self, timeout: float) -> bool:
        """Talk, and return whether the child ended in time. In any case it has ended afterwards.

        A daemon that the child started may keep the output open for its whole life, so nothing waits for its end.
        """
        try:
            return self._run(time.monotonic() + timeout)
        except BaseException:
            self._kill()
            raise
        finally:
            self.selector.close()

    def _run(self, deadline: float) -> bool:
        self._begin()
        while self.child.poll() is None:
            caller.check()
            if self.reported and time.monotonic() > self.reported + END:
                self._kill()
                break
            if time.monotonic() >= deadline:
                self._kill()
                self._drain()
                return False
            self._wait(min(1.0, max(0.0, deadline - time.monotonic())))
        self._drain()
        return True

    def _begin(self) -> None:
        for descriptor in self.tails:
            os.set_blocking(descriptor, False)
            self.selector.register(descriptor, selectors.EVENT_READ)
        for stream in self.unwritten:
            os.set_blocking(stream.fileno(), False)
            self.selector.register(stream, selectors.EVENT_WRITE)

    def _wait(self, seconds: float) -> bool:
        """Wait for input, output or the end of the child. Return whether there was input or output."""
        if not self.selector.get_map():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(seconds)
            return False
        ready = self.selector.select(seconds)
        for key, _events in ready:
            if key.fd in self.tails:
                self._read(key.fd)
            else:
                self._write()
        return bool(ready)

    def _read(self, descriptor: int) -> None:
        try:
            chunk = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return
        if chunk:
            self.tails[descriptor].add(chunk)
            return
        self.selector.unregister(descriptor)
        if descriptor == self.report:
            self.reported = time.monotonic()

    def _write(self) -> None:
        for stream in self.unwritten:
            with contextlib.suppress(BrokenPipeError):  # the child reads no more
                self.given = self.given[os.write(stream.fileno(), self.given[: select.PIPE_BUF]) :]
                if self.given:
                    return
        self._close()

    def _close(self) -> None:
        while self.unwritten:
            stream = self.unwritten.pop()
            self.selector.unregister(stream)
            stream.close()

    def _drain(self) -> None:
        """Read what an ended child has written, without waiting for more."""
        deadline = time.monotonic() + _DRAIN
        self._close()
        while self.selector.get_map() and time.monotonic() < deadline:
            if not self._wait(0):
                return

    def _kill(self) -> None:
        """Kill the child and its process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

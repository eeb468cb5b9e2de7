# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Request a page from every worker of a Sess, not only from the first free one.

uWSGI gives a request to any worker. So enough requests are sent at once to keep the threads of all workers but one
busy, and each worker holds its requests until every worker has one (roles/stage/files/backstage_questions.py).
"""

from __future__ import annotations

import secrets
import selectors
import socket
import time
from dataclasses import dataclass, field
from typing import Any, Optional

from ..host import names, process
from ..host.errors import BackstageError
from ..host.facts import SITE
from . import door
from .pages import Answer

AT_ONCE = 256
"""The maximum number of requests that wait at the door. With more threads, some requests are repeated."""


@dataclass(frozen=True)
class Crew:
    """The workers that have to answer.

    Args:
        processes: the workers of the Sess.
        threads: of each.
        timeout: the maximum duration of a request, after which uWSGI kills the worker.
    """

    processes: int
    threads: int
    timeout: float

    @property
    def requests(self) -> int:
        """Return how many requests reach every worker, even if the other workers take as many as they can."""
        return min((self.processes - 1) * self.threads + 1, AT_ONCE)


def ask(asked: door.Door, variables: dict[str, str], timeout: float, crew: Crew) -> Answer:
    """Request a page from every worker.

    Args:
        asked: the door.
        variables: the request.
        timeout: seconds for each whole answer.
        crew: the workers.

    Returns:
        The worst of their answers.

    Raises:
        BackstageError: a worker does not answer.
    """
    user = process.User.named(names.WWW_GROUP)
    hold = min(timeout, crew.timeout) / 2
    call = f"{secrets.randbits(62) + 1} {time.monotonic() + hold:.3f}"
    request = asked.encode({**variables, "BACKSTAGE_ROLL_CALL": call})
    found: Any = process.call_as(user, _call, asked.path, request.hex(), timeout, crew, timeout=timeout + 3)
    if found["nameless"]:
        nameless = door.answer(found["nameless"])
        if nameless.status < 500:
            raise BackstageError(f"the wrapper on this host is older than this collection: {SITE}")
        return nameless  # the answer is the server's own, because nobody caught an exception
    absent = [worker for worker in range(1, crew.processes + 1) if str(worker) not in found["workers"]]
    if absent:
        why = door.EMPTY if found["empty"] else f"no answer within {timeout:.0f} s"
        raise BackstageError(
            (f"worker {absent[0]} of {crew.processes} does not answer: " if found["workers"] else "") + why
        )
    return door.answer(found["worst"])


@dataclass
class _Calls:
    """The open requests, in the child process that sends them."""

    path: str
    packet: bytes
    limit: int
    selector: selectors.DefaultSelector = field(default_factory=selectors.DefaultSelector)
    workers: list[str] = field(default_factory=list)
    worst: Optional[Answer] = None
    nameless: Optional[Answer] = None
    empty: int = 0

    def open(self) -> bool:
        """Send one more request. Return whether the door had room for it."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            client.connect(self.path)
            client.sendall(self.packet)
        except BlockingIOError:
            client.close()
            return False
        self.selector.register(client, selectors.EVENT_READ, bytearray())
        return True

    def read(self) -> int:
        """Read answers for a moment. Return how many requests reached a worker that already had one."""
        again = 0
        for key, _events in self.selector.select(0.05):
            client: Any = key.fileobj
            try:
                chunk = client.recv(1 << 16)
            except ConnectionError:
                chunk = b""
            key.data.extend(chunk[: self.limit - len(key.data)])
            if not chunk:
                self.selector.unregister(client)
                client.close()
                again += self._take(bytes(key.data))
        return again

    def _take(self, raw: bytes) -> bool:
        """Record an answer. Return whether its worker already had another request."""
        if not raw:
            self.empty += 1
            return False
        answer = door.parse(raw)
        worker = answer.header("x-backstage-worker")
        if answer.header("x-backstage-again"):
            return True
        if not worker:
            self.nameless = answer
            return False
        self.workers.append(worker)
        if self.worst is None or (answer.status >= 400 and self.worst.status < 400):
            self.worst = answer
        return False

    @property
    def is_open(self) -> bool:
        return bool(self.selector.get_map())


def _call(path: str, packet: str, timeout: float, crew: Crew) -> dict[str, Any]:
    """Send the requests, and repeat those that reached a worker twice, until all have answered or time is up."""
    calls = _Calls(path, bytes.fromhex(packet), max(door.MOST // crew.requests, 1 << 16))
    deadline, left = time.monotonic() + timeout, crew.requests
    while len(calls.workers) + calls.empty < crew.processes and not calls.nameless and time.monotonic() < deadline:
        while left and calls.open():
            left -= 1
        left += calls.read()
    # let the others be answered, because a worker whose client has gone writes that into the Act's log
    deadline = min(deadline, time.monotonic() + 1)
    while calls.is_open and time.monotonic() < deadline:
        calls.read()
    return {"workers": calls.workers, "worst": calls.worst, "nameless": calls.nameless, "empty": calls.empty}

# Managed by Backstage (backstage.django): changes are overwritten.
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an Act's application answers to Backstage itself, beside what it answers to visitors.

A roll call asks every worker for a page. uWSGI gives a request to any worker that is free, so as many requests come as
there are threads, and each waits until every worker has one. It is a variable of the uwsgi protocol, or a header that
nginx drops: visitors, who come by nginx, can't send it.

BACKSTAGE_ROLL_CALL   a number, and until when to wait for the other workers, by the system's monotonic clock

A question is whether this Sess answers, and not another server of nginx. It comes by nginx, as a header, from somebody
who knows the Sess's token; nobody else gets an answer to it.

X-Backstage-Question  a word, a dot, and the HMAC of the question with this word
"""

from __future__ import annotations

import hmac
import mmap
import struct
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any, Callable, NamedTuple

ROLL_CALL = "BACKSTAGE_ROLL_CALL"
QUESTION = "HTTP_X_BACKSTAGE_QUESTION"
MARK = struct.Struct("@Q")
MOST_WORKERS = mmap.PAGESIZE // MARK.size
AGAIN = 0.2  # seconds that a worker keeps a request that it need not answer: then it is sent again


class Turn(NamedTuple):
    """A worker's part in a roll call.

    Args:
        number: that of the roll call.
        until: how long it keeps the request, by the system's monotonic clock.
        is_first: whether the worker has not taken part in it yet.
        headers: what tells who answers.
    """

    number: int
    until: float
    is_first: bool
    headers: list[tuple[str, str]]


class Questions:
    """What answers Backstage's questions beside an Act's application, whatever the interface.

    Args:
        application: the Act's own.
        token: what the Sess and Backstage know; empty for one that can't prove who it is.
        workers: how many will share this object's memory.
    """

    def __init__(self, application: Callable[..., Any], token: str, workers: int = 1) -> None:
        self.application = application
        self.token = token.encode()
        self.workers = workers
        self.number = 0
        # shared by all workers, as it is made before the fork: the roll call that each has answered last
        self.marks = mmap.mmap(-1, MARK.size * max(workers, MOST_WORKERS))
        self.lock = threading.Lock()

    def join(self, number: int, workers: int) -> None:
        """Tell the worker that it is this one of so many, after the fork; uWSGI tells its workers by itself."""
        self.number, self.workers = number, workers

    def proof(self, question: str) -> list[tuple[str, str]]:
        """The header that proves who answers, where somebody asks who may."""
        word, _dot, mac = question.partition(".")
        if not (self.token and hmac.compare_digest(mac.encode(), sign(self.token, "question", word).encode())):
            return []
        return [("X-Backstage-Answer", sign(self.token, "answer", word))]

    def turn(self, call: str) -> Turn:
        """Take part in a roll call."""
        number, until = call.split()
        worker = self.number or worker_id()
        is_first = self.mark(worker, int(number))
        headers = [("X-Backstage-Worker", str(worker)), *([] if is_first else [("X-Backstage-Again", "1")])]
        keeps = float(until) if is_first else min(float(until), time.monotonic() + AGAIN)
        return Turn(int(number), keeps, is_first, headers)

    def mark(self, worker: int, number: int) -> bool:
        """Note that this worker takes part in a roll call; whether it is the first time."""
        with self.lock:
            if self.marked(worker) == number:
                return False
            MARK.pack_into(self.marks, MARK.size * (worker - 1), number)
            return True

    def marked(self, worker: int) -> int:
        (number,) = MARK.unpack_from(self.marks, MARK.size * (worker - 1))
        return int(number)

    def is_over(self, turn: Turn) -> bool:
        """Whether this request need not be kept any longer: else a worker that is done would take another one's."""
        marked = (self.marked(worker) == turn.number for worker in range(1, self.workers + 1))
        return time.monotonic() >= turn.until or all(marked)

    def wait(self, turn: Turn) -> None:
        """Keep this request until all workers have one."""
        while not self.is_over(turn):
            time.sleep(0.002)


class Asked(Questions):
    """A WSGI application that answers Backstage's questions as well."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call, question = environ.pop(ROLL_CALL, ""), environ.pop(QUESTION, "")
        if not (call or question):
            return self.application(environ, start_response)
        headers = self.proof(question)
        if call:
            turn = self.turn(call)
            headers += turn.headers
            self.wait(turn)
            if not turn.is_first:
                start_response("204 No Content", headers)
                return []

        def start(status: str, given: list[tuple[str, str]], *error: Any) -> Any:
            return start_response(status, [*given, *headers], *error)

        return self.application(environ, start)


def sign(token: bytes, what: str, word: str) -> str:
    return hmac.new(token, f"{what}:{word}".encode(), "sha256").hexdigest()


def worker_id() -> int:
    """The number of this worker, from 1."""
    return sys.modules["uwsgi"].worker_id() if "uwsgi" in sys.modules else 1


def worker_count() -> int:
    """How many workers will be forked."""
    return sys.modules["uwsgi"].numproc if "uwsgi" in sys.modules else 1

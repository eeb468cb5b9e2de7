# SPDX-License-Identifier: GPL-3.0-or-later
"""Roll calls at a real door, behind which real processes take what comes, as uWSGI's workers do."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.stages import door, roll_call
from ansible_collections.backstage.django.plugins.module_utils.stages.roll_call import Crew

from ...emperors import Asked
from ...servers import listening, read_request
from ...told import told

Page = Callable[[int], str]
EMPTY = "the answer was empty: the worker ended while it answered"


def purr(_worker: int) -> str:
    return "200 OK"


@contextmanager
def act(path: Path, page: Page, processes: int, threads: int, missing: int = 0) -> Iterator[Callable[[], int]]:
    """An Act that is forked as often, and some that never come up; how often its page was run."""
    runs, ran = os.pipe()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o666)
        server.listen(128)

        def application(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
            os.write(ran, b"x")
            start_response(page(sys.modules["uwsgi"].worker_id()), [])
            return [b"purr"]

        asked = Asked(application, "", processes + missing)
        workers = [_worker(server, asked, number, threads) for number in range(1, processes + 1)]
    os.close(ran)
    try:
        yield lambda: len(os.read(runs, 1 << 16))
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
            os.waitpid(worker, 0)
        os.close(runs)


def _worker(server: socket.socket, asked: Asked, number: int, threads: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    sys.modules["uwsgi"] = SimpleNamespace(worker_id=lambda: number)  # type: ignore[assignment]
    for _thread in range(threads):
        threading.Thread(target=_serve, args=(server, asked)).start()
    time.sleep(60)
    os._exit(0)


def _serve(server: socket.socket, asked: Asked) -> None:
    while True:
        client, _peer = server.accept()
        with client:
            started: list[Any] = []
            body = b"".join(asked(dict(read_request(client)), _keeping(started)))
            status, headers = started
            lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
            client.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)


def _keeping(started: list[Any]) -> Callable[..., None]:
    """What an application calls first, with its status and headers."""
    return lambda *given: started.extend(given)


def call(path: Path, processes: int, threads: int = 1, timeout: float = 30) -> door.Answer:
    return roll_call.ask(
        door.Door(str(path)), door.variables("/", "a.example", "http"), timeout, Crew(processes, threads, 60)
    )


CREWS = [(1, 1), (2, 1), (2, 8), (5, 3), (3, 100)]


@pytest.mark.parametrize(("processes", "threads"), CREWS)
def test_every_worker_runs_the_page_once(place: Path, processes: int, threads: int) -> None:
    with act(place / "s", purr, processes, threads) as ran:
        for _time in range(3):
            answer = call(place / "s", processes, threads)
            assert (answer.status, answer.body) == (200, "purr")
            assert ran() == processes


def test_more_threads_than_requests_at_once(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came to a worker twice is sent again, until all have answered."""
    monkeypatch.setattr(roll_call, "AT_ONCE", 4)
    with act(place / "s", purr, 3, 20) as ran:
        assert call(place / "s", 3, 20).status == 200
        assert ran() == 3


@pytest.mark.parametrize("bad", [1, 2, 3])
def test_the_worst_answer_counts(place: Path, bad: int) -> None:
    with act(place / "s", lambda worker: "500 Oops" if worker == bad else "200 OK", 3, 1):
        assert call(place / "s", 3).status == 500


def hangs(worker: int) -> str:
    time.sleep(60 if worker == 2 else 0)
    return "200 OK"


def dies(worker: int) -> str:
    return os._exit(1) if worker == 2 else "200 OK"


def hangs_everywhere(_worker: int) -> str:
    time.sleep(60)
    return "200 OK"


LOST = [
    (hangs, "worker 2 of 3 does not answer: no answer within 3 s"),
    (dies, f"worker 2 of 3 does not answer: {EMPTY}"),
    (hangs_everywhere, "no answer within 3 s"),
]


@pytest.mark.parametrize(("page", "said"), LOST)
def test_fault_20_a_worker_that_does_not_answer(place: Path, page: Page, said: str) -> None:
    with act(place / "s", page, 3, 1):
        assert told(call, place / "s", 3, timeout=3) == said


def test_a_worker_that_takes_nothing(place: Path) -> None:
    """The others wait for it for half of the time, and answer."""
    with act(place / "s", purr, 1, 2, missing=1):
        assert told(call, place / "s", 2, timeout=3) == "worker 2 of 2 does not answer: no answer within 3 s"


OTHERS = [
    # what is no answer of our wrapper's
    (b"HTTP/1.1 500 Internal Server Error\r\n\r\n", 500, ""),
    (b"HTTP/1.1 200 OK\r\n\r\n", 0, "the wrapper on this host is older than this collection"),
]


@pytest.mark.parametrize(("answer", "status", "said"), OTHERS)
def test_an_answer_without_a_worker(place: Path, answer: bytes, status: int, said: str) -> None:
    def serve(client: socket.socket) -> None:
        read_request(client)
        client.sendall(answer)

    with listening(place / "s", serve):
        if said:
            assert told(call, place / "s", 2).startswith(said)
        else:
            assert call(place / "s", 2).status == status

# SPDX-License-Identifier: GPL-3.0-or-later
"""The load generator counts exactly: compiled with gcc and run against a server that misbehaves in known ways."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import generator
import pytest
from generator import Load
from misbehaving import BEHAVIOURS, Server

Run = Callable[..., Load]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generator.build(tmp_path_factory.mktemp("load"))


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def run(program: Path, server: Server, tmp_path: Path) -> Run:
    def run_load(*arguments: str, port: int = 0) -> Load:
        command = [
            program,
            "--port",
            str(port or server.port),
            "--records",
            tmp_path / "records",
            "--seconds",
            "5",
            *arguments,
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        return generator.read(done.stdout, (tmp_path / "records").read_bytes())

    return run_load


# path, what 10 requests on one connection end as, how many are sent twice, connections opened
KEEP_ALIVE = [
    ("/", {}, 0, 1),
    ("/sliced", {}, 0, 1),
    ("/chunks", {}, 0, 1),
    ("/chunks-sliced", {}, 0, 1),
    ("/empty", {}, 0, 1),
    ("/redirect", {}, 0, 1),
    ("/not-modified", {}, 0, 1),
    ("/last", {}, 0, 10),
    ("/old", {}, 0, 10),
    ("/502", {"502": 10}, 0, 1),
    ("/503-chunks", {"503": 10}, 0, 1),
    ("/404", {"404": 10}, 0, 1),
    ("/eof", {"eof_before": 10}, 0, 10),
    ("/reset", {"reset": 10}, 0, 10),
    ("/truncated", {"eof_within": 10}, 0, 10),
    ("/truncated-head", {"eof_within": 10}, 0, 10),
    ("/truncated-chunk", {"eof_within": 10}, 0, 10),
    ("/truncated-end", {"eof_within": 10}, 0, 10),
    ("/reset-within", {"reset": 10}, 0, 10),
    # 1 answered, 2 unanswered and resent on a new connection (its first), 3 unanswered and resent there, ...
    ("/second-eof", {}, 9, 10),
    ("/second-reset", {}, 9, 10),
    # the second has begun to answer: never sent again
    ("/second-broken-off", {"eof_within": 5}, 0, 5),
    ("/unframed", {"unframed": 10}, 0, 10),
    ("/more", {"malformed": 10}, 0, 10),
    ("/two-lengths", {"malformed": 10}, 0, 10),
    ("/both-framings", {"malformed": 10}, 0, 10),
    ("/bad-chunk", {"malformed": 10}, 0, 10),
    ("/not-http", {"malformed": 10}, 0, 10),
    ("/endless-head", {"malformed": 10}, 0, 10),
]


@pytest.mark.parametrize(("path", "failures", "resent", "opened"), KEEP_ALIVE)
def test_each_outcome_is_counted(
    run: Run, server: Server, path: str, failures: dict[str, int], resent: int, opened: int
) -> None:
    load = run("--path", path, "--connections", "1", "--requests", "10")
    main = load.accounts["main"]
    assert main["failures"] == failures
    assert (main["requests"], main["ok"], main["failed"]) == (10, 10 - sum(failures.values()), sum(failures.values()))
    assert (main["resent"], main["opened"]) == (resent, opened)
    assert server.asked[f"GET {path}"] == 10 + resent  # what the generator says is what the server was asked
    assert server.connections == opened


def test_the_table_names_every_behaviour() -> None:
    elsewhere = {"/silent", "/slow"}
    assert {row[0] for row in KEEP_ALIVE} | elsewhere == set(BEHAVIOURS)


def test_a_connection_per_request(run: Run, server: Server) -> None:
    load = run("--path", "/second-eof", "--close", "--connections", "4", "--requests", "200")
    assert load.accounts["main"]["ok"] == load.accounts["main"]["opened"] == server.connections == 200
    assert load.failed == load.resent == 0


def test_a_post_is_never_sent_twice(run: Run, server: Server) -> None:
    load = run("--post-path", "/second-eof", "--post-share", "100", "--connections", "1", "--requests", "10")
    assert load.failures() == {"eof_before": 5}
    assert load.resent == 0
    assert server.asked["POST /second-eof"] == 10


def test_the_share_of_posts_is_exact(run: Run, server: Server) -> None:
    run("--post-path", "/chunks", "--post-share", "20", "--connections", "3", "--requests", "500")
    assert (server.asked["GET /"], server.asked["POST /chunks"]) == (400, 100)


def test_a_resent_request_that_fails_again_is_failed_once(run: Run, server: Server) -> None:
    """The keep-alive closes unanswered, and nobody listens any more: one resend, then `connect`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve_once() -> None:
            peer, _address = listener.accept()
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            peer.recv(4096)
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            peer.close()

        threading.Thread(target=serve_once, daemon=True).start()
        load = run("--connections", "1", "--requests", "2", port=port)
    assert load.failures() == {"connect": 1}
    assert (load.accounts["main"]["ok"], load.resent) == (1, 1)


def test_nobody_listens(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    load = run("--connections", "2", "--requests", "6", port=port)
    assert load.failures() == {"connect": 6}


def test_an_answer_that_never_comes(run: Run) -> None:
    load = run("--path", "/silent", "--timeout", "0.2", "--connections", "2", "--requests", "4")
    assert load.failures() == {"timeout": 4}
    assert all(request.latency_us >= 200_000 for request in load.requests)


def test_an_early_refusal_is_an_answer(run: Run) -> None:
    load = run("--post-path", "/early", "--post-share", "100", "--connections", "1", "--requests", "5")
    assert sum(load.failures().values()) == 5
    assert set(load.failures()) <= {"413", "reset"}  # the kernel may cut the answer short: the body was never read


def test_static_must_be_200(run: Run) -> None:
    load = run("--static-path", "/redirect", "--static-every", "0.02", "--seconds", "0.5", "--connections", "1")
    static = load.accounts["static"]
    assert static["failures"] == {"302": static["requests"]}
    assert 1 <= static["requests"] <= 26
    assert load.accounts["main"]["failed"] == 0


def test_slow_requests_are_always_in_flight_and_waited_for(run: Run, server: Server) -> None:
    load = run("--slow-path", "/slow", "--slow", "3", "--seconds", "0.8", "--connections", "1")
    slow = load.accounts["slow"]
    assert slow["requests"] == slow["ok"] == server.asked["GET /slow"]
    assert 3 <= slow["requests"] <= 9, "3 lanes: at 0, and at 0.3 and 0.6 if the machine is not busy"
    assert all(request.latency_us >= 300_000 for request in load.requests if request.kind == 1)


def test_the_end_of_input_stops_it_but_not_before_enough(program: Path, server: Server) -> None:
    command = [
        program,
        "--port",
        str(server.port),
        "--connections",
        "2",
        "--seconds",
        "60",
        "--stdin",
        "--at-least",
        "2000",
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True, input="", timeout=120)
    main = json.loads(done.stdout)["main"]
    assert 2000 <= main["requests"] == main["ok"] < 10_000


def test_values_of_a_header_are_seen(run: Run) -> None:
    load = run("--seen", "X-Edition", "--connections", "1", "--requests", "3")
    assert load.accounts["seen"] == ["", "7"]
    assert [request.seen for request in load.requests] == [1, 1, 1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "70000"],
        ["--seconds", "0"],
        ["--connections", "many"],
        ["--slow", "1"],
        ["--address", "localhost"],
        ["stray"],
    ],
)
def test_a_wrong_argument_is_refused(program: Path, arguments: list[str]) -> None:
    assert subprocess.run([program, *arguments], check=False, capture_output=True).returncode == 2
